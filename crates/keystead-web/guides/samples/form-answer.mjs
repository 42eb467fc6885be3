/** Sends answers of whoever is on the page; no key is needed, and none should be there. */
export async function answer(site, formId, answers) {
  const response = await fetch(`${site}/f/${formId}/submissions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    // The same id for each click on one button: a double click is one submission.
    body: JSON.stringify({ answers, submissionId: crypto.randomUUID(), page: globalThis.location?.href }),
  });
  // 200: { message, redirect }; 422: { errors: [{ field, problem }] }
  return { ok: response.ok, ...(await response.json()) };
}
