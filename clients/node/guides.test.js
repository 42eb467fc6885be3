// What the guides show, run as it stands there.
const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const { KEYSTEAD_URL: url, KEYSTEAD_LOCATION_KEY: key, KEYSTEAD_LOCATION_ID: location } = process.env;
const samples = path.join(__dirname, '../../crates/keystead-web/guides/samples');

/** What a request of a guide answers. */
function run(program, more, cwd) {
  const env = { ...process.env, KEYSTEAD_URL: url, KEYSTEAD_KEY: key, LOCATION_ID: location, ...more };
  return JSON.parse(execFileSync('sh', [path.join(samples, program)], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] }));
}

async function get(at) {
  const answer = await fetch(url + at, { headers: { Authorization: `Bearer ${key}` } });
  assert.ok(answer.ok, `${at}: ${answer.status}`);
  return answer.json();
}

test('connecting, changing, subscribing once and unsubscribing', () => {
  assert.equal(run('connection.sh').apiKey.kind, 'location');
  const [first, second] = [run('upsert.sh'), run('upsert.sh')];
  assert.deepEqual([first.new, second.new, second.contact.id], [true, false, first.contact.id]);
  const HOOK_URL = 'http://127.0.0.1:9/zap';
  const [made, found] = [run('subscribe.sh', { HOOK_URL }), run('subscribe.sh', { HOOK_URL })];
  assert.equal(found.webhook.id, made.webhook.id);
  assert.match(made.secret, /^whsec_/);
  const [sample] = run('sample.sh');
  assert.deepEqual([sample.type, sample.locationId], ['ContactCreate', location]);
  run('unsubscribe.sh', { HOOK_ID: made.webhook.id });
  assert.throws(() => run('unsubscribe.sh', { HOOK_ID: made.webhook.id }));
});

test('a form is made, published, and answered by a page and by a server', async () => {
  const FORM_ID = run('form-create.sh').form.id;
  assert.equal((await fetch(`${url}/f/${FORM_ID}`)).status, 404);
  run('form-publish.sh', { FORM_ID });
  assert.match(await (await fetch(`${url}/f/${location}/contact-us`)).text(), /What is it for\?/);
  const { answer } = await import(path.join(samples, 'form-answer.mjs'));
  const said = await answer(url, FORM_ID, { first_name: 'Grace', email: 'grace@guides.example' });
  assert.deepEqual([said.ok, said.message], [true, 'Thank you, Grace.']);
  const wrong = await answer(url, FORM_ID, { first_name: '', email: 'x' });
  assert.deepEqual([wrong.ok, wrong.errors.map(({ field }) => field)], [false, ['first_name', 'email']]);
  const [once, twice] = [run('form-submit.sh', { FORM_ID }), run('form-submit.sh', { FORM_ID })];
  assert.equal(once.submission.id, twice.submission.id);
  const { submissions } = await get(`/forms/submissions?locationId=${location}&formId=${FORM_ID}`);
  assert.deepEqual(submissions.map(({ email }) => email).sort(), ['ada@example.com', 'grace@guides.example']);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'plan-'));
  fs.writeFileSync(path.join(folder, 'plan.pdf'), 'a plan');
  for (const message of ['Thank you, Mary.', 'Thank you, Mary.']) assert.equal(run('form-file.sh', { FORM_ID }, folder).message, message);
  const { submissions: [newest] } = await get(`/forms/submissions?locationId=${location}&formId=${FORM_ID}`);
  const read = await fetch(newest.others.plan[0].url, { headers: { Authorization: `Bearer ${key}` } });
  assert.deepEqual([newest.email, await read.text()], ['mary@example.com', 'a plan']);
  const { submission } = run('form-submit-file.sh', { FORM_ID }, folder);
  assert.deepEqual([submission.email, submission.others.plan[0].name], ['grace@example.com', 'plan.pdf']);
});

test('a link leads on, knows for whom, and tells who clicked', async () => {
  const made = run('link-create.sh').link;
  const CONTACT_ID = run('upsert.sh').contact.id;
  const open = async (at) => fetch(at, { redirect: 'manual' });
  assert.equal((await open(`${url}/l/${made.slug}`)).headers.get('location'), 'https://shop.example.com/spring?for=');
  const token = run('link-token.sh', { LINK_ID: made.id, CONTACT_ID });
  assert.equal((await open(token.url)).headers.get('location'), 'https://shop.example.com/spring?for=Ada');
  const { clicks } = run('link-clicks.sh', { LINK_ID: made.id });
  assert.deepEqual(clicks.map(({ contactId }) => contactId), [CONTACT_ID, null]);
  assert.ok(clicks.every(({ verdict, reasons }) => verdict === 'bot' && reasons.length), JSON.stringify(clicks));
});
