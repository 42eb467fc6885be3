// A webhook from its form to what it was sent: the secret shown once, messages that are signed with it, and what is done about those
// that failed.
const test = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const http = require('node:http');
const { base, begin, look } = require('./support');

let browser;
let page;
let receiver;
const sent = [];
let status = 200;
test.before(async () => {
  ({ browser, page } = await begin());
  receiver = http.createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => { body += part; });
    request.on('end', () => {
      sent.push({ headers: request.headers, body });
      answer.writeHead(status).end(status === 200 ? 'thank you' : 'upstream busy');
    });
  });
  await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
});
test.after(async () => {
  receiver?.closeAllConnections();
  receiver?.close();
  await browser?.close();
});

const hooks = `${base}/app/agency/settings/webhooks`;
const button = (name) => page.getByRole('button', { name, exact: true });
const pill = () => page.locator('.head .pill').innerText();
const until = async (what) => {
  for (let tries = 0; !(await what()); tries += 1) {
    assert.ok(tries < 100, `${what} did not come true`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
};

/// Whether a message was signed with a secret, as Standard Webhooks says.
function isSigned({ headers, body }, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const wanted = `v1,${crypto.createHmac('sha256', key).update(signed).digest('base64')}`;
  return headers['webhook-signature'].split(' ').includes(wanted);
}

let secret;
let hook;
test('a webhook is added by its form, and its secret is shown once', async () => {
  await page.goto(hooks);
  await look(page, 'webhooks-none');
  await page.getByRole('link', { name: 'Add webhook' }).first().click();
  await look(page, 'webhook-new');
  await page.getByRole('radio', { name: /^Chosen events/ }).check();
  await page.locator('summary', { hasText: /^Contact/ }).click();
  await look(page, 'webhook-new-chosen');
  await button('Save').click();
  assert.deepEqual(await page.locator('.summary a').allInnerTexts(), [
    'Enter the address to which events are sent.',
    'Choose at least one event.',
  ]);
  await page.fill('#url', `http://127.0.0.1:${receiver.address().port}/hooks`);
  await page.fill('#description', 'Booking bridge');
  await page.locator('summary', { hasText: /^Contact/ }).click();
  const contact = page.locator('.noun', { hasText: /^Contact/ });
  await contact.getByRole('checkbox', { name: 'created', exact: true }).check();
  await contact.getByRole('checkbox', { name: 'updated', exact: true }).check();
  await page.fill('#headers', 'X-Bridge: hunter2');
  await button('Save').click();
  secret = await page.inputValue('#secret');
  assert.match(secret, /^whsec_/);
  await look(page, 'webhook-secret');
  await page.reload();
  assert.doesNotMatch(await page.content(), /whsec_/);
  await page.goto(hooks);
  await page.getByRole('link', { name: 'Booking bridge' }).click();
  hook = page.url();
  await look(page, 'webhook-unused');
});

test('an example arrives, and is signed with the secret', async () => {
  await page.selectOption('#event', 'contact.created');
  await button('Send an example').click();
  await page.waitForURL(/deliveries/);
  await until(() => sent.length === 1);
  assert.ok(isSigned(sent[0], secret), JSON.stringify(sent[0]));
  assert.equal(sent[0].headers['x-bridge'], 'hunter2');
  assert.equal(JSON.parse(sent[0].body).type, 'ContactCreate');
  await until(async () => { await page.reload(); return (await pill()) === 'Taken'; });
  await page.locator('summary', { hasText: 'Answer' }).click();
  assert.match(await page.locator('main').innerText(), /thank you/);
  await look(page, 'webhook-delivery');
});

test('what failed is shown, and sent again with its id', async () => {
  status = 503;
  await page.goto(hook);
  await page.selectOption('#event', 'contact.updated');
  await button('Send an example').click();
  await page.waitForURL(/deliveries/);
  await until(() => sent.length === 2);
  await until(async () => { await page.reload(); return /upstream busy/.test(await page.content()); });
  await look(page, 'webhook-delivery-failed');
  await page.goto(hook);
  assert.equal(await pill(), 'The last try failed');
  await look(page, 'webhook-failing');
  status = 200;
  await page.getByRole('link', { name: 'ContactUpdate' }).click();
  await button('Send again').click();
  await until(() => sent.length >= 3);
  assert.equal(sent[2].headers['webhook-id'], sent[1].headers['webhook-id']);
  assert.equal(sent[2].body, sent[1].body);
});

test('its secret is rotated, it is switched off and on, and deleted', async () => {
  await page.goto(hook);
  await page.getByRole('link', { name: 'Rotate secret' }).click();
  await look(page, 'webhook-rotate');
  await button('Rotate').click();
  const next = await page.inputValue('#secret');
  await page.goto(hook);
  await page.selectOption('#event', 'contact.created');
  const before = sent.length;
  await button('Send an example').click();
  await until(() => sent.length > before);
  const last = sent[sent.length - 1];
  assert.ok(isSigned(last, next) && isSigned(last, secret));
  await page.goto(hook);
  await button('Switch off').click();
  assert.equal(await pill(), 'Switched off');
  await look(page, 'webhook-off');
  await button('Switch on').click();
  await page.goto(`${hooks}/signing-key`);
  await look(page, 'webhook-signing-key');
  await page.goto(hooks);
  await look(page, 'webhooks');
  await page.goto(`${hook}/delete`);
  await button('Delete webhook').click();
  assert.match(await page.textContent('#flash'), /Booking bridge/);
  assert.deepEqual(page.problems, []);
});
