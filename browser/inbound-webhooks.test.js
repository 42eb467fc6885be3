// An inbound webhook from its form to the contact that a program makes by it: the address shown once, what came in, and the mapping
// that the last payload suggests.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, begin, look } = require('./support');

let browser;
let page;
let place;
test.before(async () => {
  ({ browser, page } = await begin());
  await page.goto(`${base}/app/agency/locations`);
  const at = page.getByRole('link', { name: 'Harbour Dental' }).first();
  place = (await at.getAttribute('href')).match(/\/app\/locations\/[^/?]+/)?.[0];
});
test.after(async () => { await browser?.close(); });

const incoming = () => `${base}${place}/settings/webhooks/incoming`;
const send = (address, payload) => fetch(base + new URL(address).pathname, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(payload),
});
const mail = `ada-${Date.now()}@example.com`;
let address;
let hook;

test('one is added by its form, and its address is shown once', async () => {
  await page.goto(`${base}${place}/settings/webhooks`);
  await page.getByRole('link', { name: 'Incoming', exact: true }).click();
  await look(page, 'incoming-none');
  await page.getByRole('link', { name: 'Add incoming webhook' }).first().click();
  await look(page, 'incoming-new');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  assert.match(await page.locator('.summary').innerText(), /Enter a name/);
  await page.getByLabel('Name').fill('Till');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  address = await page.getByLabel('The address').inputValue();
  assert.match(address, /\/hooks\/[A-Za-z0-9]{20}\/[\w-]{32}$/);
  await look(page, 'incoming-address');
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('link', { name: 'Done, I have stored it' }).click();
  hook = page.url();
  assert.match(await page.getByLabel('A command that sends something').inputValue(), /^curl 'ADDRESS'/);
  await look(page, 'incoming-empty');
});

test('what comes in is shown, suggests the mapping, and makes a contact', async () => {
  assert.equal((await send(address, { customer: { email: mail, first: 'Ada' }, source: 'shop', 'Order: notes': 'Long '.repeat(40) })).status, 202);
  await page.goto(hook);
  assert.equal(await page.locator('.trail .pill').innerText(), 'Kept');
  await page.locator('.trail summary').click();
  await look(page, 'incoming-kept');
  await page.getByRole('link', { name: 'Use the last payload to map' }).click();
  const email = page.getByLabel('E-mail', { exact: true });
  const list = await email.getAttribute('list');
  const suggested = await page.locator(`[id="${list}"] option`).evaluateAll((options) => options.map((option) => option.value));
  assert.deepEqual(suggested, [
    '{{payload.customer.email}}', '{{payload.customer.first}}', '{{payload.source}}', '{{payload["Order: notes"]}}',
  ]);
  // What is to be written stays readable on a phone; what it is for gives way.
  const wide = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.getByText('What the last payload has').click();
  const lines = await page.locator('.paths td:first-child bdi').first().evaluate((path) => path.getClientRects().length);
  const [path, value] = await page.locator('.paths tbody tr:first-child td').evaluateAll((cells) => cells.map((cell) => cell.clientWidth));
  assert.ok(lines <= 2 && path > value, `${lines} lines, ${path} beside ${value} pixels`);
  await page.setViewportSize(wide);
  await email.fill(suggested[0]);
  await page.getByLabel('First name').fill(suggested[1]);
  await page.getByLabel('Tags').fill('from {{payload.source}}');
  await look(page, 'incoming-map');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: /^Map what came in/ }).first().click();
  assert.equal(await page.locator('.trail .pill').first().innerText(), 'Made a contact');
  assert.equal((await send(address, { customer: { email: 'nonsense' } })).status, 422);
  await page.goto(hook);
  assert.equal(await page.locator('.trail .pill').first().innerText(), 'Not taken');
  await look(page, 'incoming-mapped');
  await page.getByRole('link', { name: 'To the contact' }).click();
  assert.match(await page.locator('main').innerText(), new RegExp(mail));
});

test('its address is changed, and it is deleted', async () => {
  await page.goto(`${hook}/rotate`);
  await page.getByLabel('Not at all').check();
  await look(page, 'incoming-rotate');
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  const next = await page.getByLabel('The address').inputValue();
  assert.equal((await send(address, {})).status, 404);
  assert.equal((await send(next, { customer: { email: mail } })).status, 202);
  await page.goto(`${hook}/delete`);
  await look(page, 'incoming-delete');
  await page.getByRole('button', { name: 'Delete incoming webhook' }).click();
  assert.equal((await send(next, {})).status, 404);
  await page.goto(incoming());
  assert.equal(await page.getByRole('link', { name: 'Till' }).count(), 0);
});
