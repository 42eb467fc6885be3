// Keys as people choose, find and hand them on: the form that says what a key may do, the code that makes its first call, the hints.
const test = require('node:test');
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');
const { base, begin, look } = require('./support');

const run = promisify(execFile);
let browser;
let page;
test.before(async () => {
  ({ browser, page } = await begin());
});
test.after(async () => browser?.close());

const keys = `${base}/app/agency/settings/keys`;
const button = (name) => page.getByRole('button', { name, exact: true });
const short = () => page.locator('.pane').innerText();
const box = (name) => page.getByRole('checkbox', { name, exact: true });

test('the form says in short what is about to be made', async () => {
  await page.goto(`${keys}/new`);
  await look(page, 'key-new');
  await page.fill('#name', 'Monthly <report>');
  await page.getByRole('radio', { name: /^Read only/ }).check();
  assert.match(await short(), /A location key named Monthly <report> that reads all data and API keys and writes nothing in one location, from any address\./);
  assert.equal(await box('Contacts: read').isChecked(), true);
  assert.equal(await box('Contacts: write').isChecked(), false);
  await page.getByRole('radio', { name: /^Forms intake/ }).check();
  assert.match(await short(), /reads nothing and writes new contacts and forms/);
  await page.selectOption('#locationId', { label: 'Harbour Dental' });
  assert.match(await short(), /in Harbour Dental,/);
  // A box makes the choice one's own, and begins with what the preset had.
  await box('Contacts: read').check();
  assert.equal(await page.getByRole('radio', { name: /^Custom/ }).isChecked(), true);
  assert.match(await short(), /reads contacts and writes new contacts and forms/);
  assert.equal(await box('Locations: write').isDisabled(), true, 'no location key holds it');
  await page.getByRole('radio', { name: /^Agency key/ }).check();
  assert.equal(await box('Locations: write').isDisabled(), false);
  await page.fill('#name', '');
  await page.locator('details summary', { hasText: 'More' }).click();
  await page.fill('#allowedIps', '203.0.113.7');
  await page.fill('#expiresAt', '2099-01-31');
  assert.match(await short(), /An agency key named … [^]*all locations, from the addresses below only, until the end of 2099-01-31/);
  assert.deepEqual(page.problems, []);
});

test('all that is wrong is told at once, and the first thing that is read is that', async () => {
  await page.goto(`${keys}/new`);
  await page.fill('#description', 'For the shop');
  await page.locator('details summary', { hasText: 'More' }).click();
  await page.fill('#allowedIps', '300.1.2.3');
  await page.fill('#expiresAt', '2020-01-01');
  await button('Create key').click();
  assert.equal(await page.evaluate(() => document.activeElement.className), 'summary');
  await look(page, 'key-new-problems');
  assert.deepEqual(await page.locator('.summary a').allInnerTexts(), [
    'Enter a name.',
    'Choose the location that the key acts in.',
    '“300.1.2.3” is not an address, nor a range such as 203.0.113.0/24.',
    'The expiry must be in the future.',
  ]);
  await page.locator('.summary a', { hasText: 'Enter a name' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
  for (const [field, value] of [['description', 'For the shop'], ['allowedIps', '300.1.2.3'], ['expiresAt', '2020-01-01']]) {
    assert.equal(await page.inputValue(`#${field}`), value);
  }
  assert.equal(await page.locator('#allowedIps-problem').isVisible(), true, 'what is wrong is open');
});

test('it is filled in by the keyboard alone', async () => {
  await page.goto(`${keys}/new?kind=agency`);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
  await page.keyboard.type('By keyboard');
  await page.locator('[name="preset"]:checked').focus();
  await page.keyboard.press('ArrowUp');
  assert.match(await short(), /An agency key named By keyboard that reads contacts, locations/);
  await box('Contacts: read').focus();
  await page.keyboard.press('Space');
  assert.equal(await page.getByRole('radio', { name: /^Custom/ }).isChecked(), true);
  await page.locator('#name').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('#secret');
  assert.match(await page.inputValue('#secret'), /^ks_agency_/);
});

test('every piece of code makes the call that it promises', async () => {
  await page.goto(`${keys}/new?preset=forms-intake&kind=agency`);
  await page.fill('#name', 'Snippets');
  await button('Create key').click();
  const secret = await page.inputValue('#secret');
  const code = (id) => page.evaluate((at) => document.querySelector(at).textContent, `#code-${id}`);
  const name = (text) => JSON.parse(text).apiKey.name;
  assert.equal(name((await run('sh', ['-c', `${await code('curl')} -s`])).stdout), 'Snippets');
  assert.match((await run('node', ['--input-type=module', '-e', await code('javascript')])).stdout, /name: 'Snippets'/);
  assert.equal(name((await run('python3', ['-c', await code('python')])).stdout), 'Snippets');
  const [node] = JSON.parse(await code('n8n')).nodes;
  const headers = Object.fromEntries(node.parameters.headerParameters.parameters.map(({ name: header, value }) => [header, value]));
  assert.equal(name(await (await fetch(node.parameters.url, { headers })).text()), 'Snippets');
  assert.match(await code('rust'), /fn main[^]*bearer_auth\("ks_agency_[^]*println!/);
  assert.equal(await code('cli'), `keystead keys get ${secret.split('_')[2]}`);
  await page.waitForSelector('#first-call .good', { timeout: 5000 });
  // Copying what has no secret in it does not count as having stored it.
  for (const title of ['curl', 'n8n']) {
    await page.getByRole('tab', { name: title }).click();
    await button(`Copy the code for ${title}`).click();
    await page.waitForFunction(() => document.querySelector('#copied').textContent !== '');
  }
  await look(page, 'key-reveal');
  await page.getByRole('link', { name: 'Done, I have stored it' }).click();
});

test('a key that was not pasted whole is found, and that is said', async () => {
  await page.goto(`${keys}/new?preset=read-only&kind=agency`);
  await page.fill('#name', 'Half pasted');
  await button('Create key').click();
  const secret = await page.inputValue('#secret');
  await button('Copy').first().click();
  const sent = [];
  const note = (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`);
  page.on('request', note);
  const paste = async (text) => {
    await page.goto(keys);
    await page.fill('#q', text);
    await button('Search').click();
    await page.waitForURL(/q=/);
    return page.locator('main').innerText();
  };
  assert.match(await paste(secret.slice(0, -3)), /3 characters are missing[^]*Half pasted/);
  const other = secret.endsWith('x') ? 'y' : 'x';
  assert.match(await paste(secret.slice(0, -1) + other), /checksum does not fit[^]*Half pasted/);
  const whole = await paste(secret);
  assert.match(whole, /Half pasted/);
  assert.doesNotMatch(whole, /not a whole key/);
  await page.fill('#find', secret.slice(0, -1));
  await page.waitForSelector('.found .note');
  assert.match(await page.locator('.found').innerText(), /1 character is missing[^]*Half pasted/);
  page.off('request', note);
  assert.ok(!sent.join().includes(secret.slice(-38, -8)), 'no part of the secret was sent');
});

test('suspending a location says first how many keys stop', async () => {
  await page.goto(`${base}/app/agency/locations`);
  await page.getByRole('link', { name: 'Edit Pine Street Clinic' }).click();
  await page.getByRole('link', { name: 'Suspend location…' }).click();
  await look(page, 'location-suspend');
  assert.match(await page.locator('main').innerText(), /key[s]? stop|no key that works/);
  await page.getByRole('link', { name: 'Cancel' }).click();
  assert.ok(await page.getByRole('link', { name: 'Suspend location…' }).isVisible());
});
