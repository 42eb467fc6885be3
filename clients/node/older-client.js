// A published client of API 1.0, unmodified. It has no method for each operation: its operations are the paths of its types.
const fs = require('node:fs');
const path = require('node:path');

const { KEYSTEAD_URL: baseUrl } = process.env;

async function olderClient() {
  const { createHighLevelV1Client } = await import('@gnosticdev/highlevel-sdk/v1');

  async function call({ name, key: apiKey, params = {}, body }) {
    const [method, pattern] = name.split(' ');
    const inPath = ([name]) => pattern.includes(`{${name}}`);
    const entries = Object.entries(params);
    const placed = {
      path: Object.fromEntries(entries.filter(inPath)),
      query: Object.fromEntries(entries.filter((entry) => !inPath(entry))),
    };
    const client = createHighLevelV1Client({ apiKey, baseUrl });
    const { data, error, response } = await client[method](pattern, { params: placed, body });
    return response.ok ? { answer: data } : { failed: response.status, answer: error };
  }

  return { name: 'older', isV3: false, methods: operations, call };
}

/** `GET /v1/contacts/{id}` and all others that its types declare. */
function operations() {
  const types = path.join(path.dirname(require.resolve('@gnosticdev/highlevel-sdk/v1')), '../v1.d.ts');
  const found = [];
  let pattern;
  for (const line of fs.readFileSync(types, 'utf8').split('\n')) {
    pattern = /^ {4}'(\/v1\/[^']*)': \{$/.exec(line)?.[1] ?? pattern;
    const method = /^ {8}(get|post|put|patch|delete): \{$/.exec(line)?.[1];
    if (method) found.push(`${method.toUpperCase()} ${pattern}`);
  }
  return found;
}

module.exports = { olderClient };
