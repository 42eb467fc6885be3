// The whole way: somebody fills in a form, a program is told of the contact and checks who tells, the contact gets a link of their own,
// a person opens one and a scanner another, and the program is told of the person alone.
const test = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { HighLevel } = require('@gohighlevel/api-client');
const { base, visit, begin } = require('./support');

const APP = '6650e1f0a1b2c3d4e5f60718';
const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';

let browser;
let page;
let receiver;
let secret;
const told = [];
test.before(async () => {
  ({ browser, page } = await begin());
  receiver = http.createServer((request, answer) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      if (request.method === 'POST') told.push({ method: 'POST', url: '/', headers: request.headers, body: JSON.parse(Buffer.concat(parts)) });
      answer.writeHead(200, { 'content-type': 'text/html' }).end('<title>The offer</title>');
    });
  });
  await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
});
test.after(async () => {
  receiver?.closeAllConnections();
  receiver?.close();
  await browser?.close();
});

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${secret}`, version: '2021-07-28', 'content-type': 'application/json' };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
  return json;
}

/// The first message that is like this, as soon as there is one.
async function message(isWanted, seconds) {
  for (let tries = 0; tries < seconds * 10; tries += 1) {
    const found = told.find(({ body }) => isWanted(body));
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  return assert.fail(`it was not told: ${JSON.stringify(told.map(({ body }) => body))}`);
}

test('from a form to a click that counts', async () => {
  await page.goto(`${base}/app`);
  await page.click('.switch summary');
  await page.locator('#switch-places a', { hasText: 'Pine Street Clinic' }).click();
  await page.waitForURL(/\/locations\/[^/]+$/);
  const location = page.url().split('/').pop();
  await page.goto(`${page.url()}/settings/keys/new?preset=full-access`);
  await page.fill('#name', 'The whole way');
  await page.locator('main form button.main').click();
  secret = await page.inputValue('#secret');
  const here = `http://127.0.0.1:${receiver.address().port}`;
  await call('POST', '/webhooks', { url: `${here}/hook`, events: ['contact.created', 'form.submitted', 'trigger_link.clicked'], appId: APP });
  const fields = [
    { key: 'name', label: 'Name', mapsTo: 'contact.first_name', required: true },
    { key: 'email', type: 'email', label: 'E-mail', mapsTo: 'contact.email' },
  ];
  const { form } = await call('POST', '/forms/', { name: 'Offer', definition: { pages: [{ fields }], spam: { minSeconds: 0 } } });
  await call('POST', `/forms/${form.id}/publish`, {});

  const person = await visit(browser, { userAgent: CHROME, locale: 'en-US' });
  await person.goto(`${base}/f/${form.id}`);
  await person.getByLabel('Name').fill('Ada');
  await person.getByLabel('E-mail').fill('ada@whole-way.example');
  await person.locator('button[type=submit]').click();
  await person.getByText('Your answers were sent.').waitFor();

  const created = await message((body) => body.type === 'ContactCreate' && body.email === 'ada@whole-way.example', 20);
  assert.equal((await message((body) => body.type === 'form.submitted', 20)).body.data.contactId, created.body.id);
  const { publicKey } = await call('GET', '/webhooks/public-key');
  const sdk = new HighLevel({ clientId: `${APP}-x`, clientSecret: 'x', logLevel: 'none', webhook: { publicKey: publicKey.pem, clientId: `${APP}-x` } });
  process.env.CLIENT_ID = `${APP}-x`;
  process.env.WEBHOOK_SIGNATURE_PUBLIC_KEY = publicKey.pem;
  await new Promise((resolve, reject) => { sdk.webhooks.subscribe()(created, {}, (error) => (error ? reject(error) : resolve())); });
  assert.equal(created.isSignatureValid, true);

  const { link } = await call('POST', '/links/', { locationId: location, name: 'Offer', redirectTo: `${here}/offer?for={{contact.first_name}}` });
  const other = (await call('POST', '/contacts/', { firstName: 'Bob', email: 'bob@whole-way.example' })).contact.id;
  const mint = async (contactId) => (await call('POST', `/links/${link.id}/tokens`, { contactId })).url;
  const scanned = await fetch(await mint(other), { headers: { 'user-agent': 'Mozilla/5.0 (compatible; SomeScanner/1.0; +http://scanner.example/bot)' }, redirect: 'manual' });
  assert.equal(scanned.status, 302);
  person.removeAllListeners('request');
  await person.goto(await mint(created.body.id));
  assert.match(person.url(), /\/offer\?for=Ada$/);
  const clicked = await message((body) => body.type === 'trigger_link.clicked', 80);
  assert.equal(clicked.body.data.contactId, created.body.id);
  const { clicks } = await call('GET', `/links/${link.id}/clicks`);
  assert.deepEqual(clicks.map(({ contactId, verdict }) => [contactId, verdict]), [[created.body.id, 'human'], [other, 'bot']]);
  assert.equal(told.filter(({ body }) => body.type === 'trigger_link.clicked').length, 1);
});
