// From an empty instance to a key's whole life, as a person does it in a browser.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, open, visit, signIn, look } = require('./support');

const email = 'maria@northwind.example';
const password = 'correct horse battery';
const call = (key, path = '/contacts/') => fetch(base + path, { headers: { Authorization: `Bearer ${key}` } });

let browser;
let page;
test.before(async () => {
  browser = await open();
  page = await visit(browser);
});
test.after(async () => browser?.close());

const submit = (text) => page.getByRole('button', { name: text, exact: true }).click();

test('the wizard needs its token, tells what is wrong, and makes everything', async () => {
  await page.goto(`${base}/app`);
  assert.match(page.url(), /\/app\/setup$/);
  await page.goto(`${base}/app/setup?token=guess`);
  assert.match(await page.textContent('main'), /waiting for its first admin/);
  page.problems.length = 0;
  await page.goto(process.env.KEYSTEAD_SETUP_URL);
  await look(page, 'setup');
  await page.fill('#email', email);
  await page.fill('#firstName', 'Maria');
  await page.fill('#lastName', 'Okafor');
  await page.fill('#password', password);
  await page.fill('#agency', 'Northwind Agency');
  await page.fill('#location', 'Harbour Dental');
  await page.fill('#country', 'XX');
  await submit('Set up and make the first key');
  assert.match(await page.textContent('#country-problem'), /must be a country/);
  assert.equal(await page.inputValue('#agency'), 'Northwind Agency', 'what was typed is kept');
  await look(page, 'setup-problem');
  await page.fill('#country', 'DE');
  await page.fill('#password', password);
  await submit('Set up and make the first key');
  await page.waitForURL(/settings\/keys\/new/);
  assert.equal((await fetch(process.env.KEYSTEAD_SETUP_URL, { redirect: 'manual' })).status, 303, 'the wizard is closed');
});

test('a key is made, revealed once, and turns green at its first call', async () => {
  await look(page, 'create');
  await page.fill('#name', 'Marketing Automation');
  await submit('Create key');
  const secret = await page.inputValue('#secret');
  assert.match(secret, /^ks_location_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/);
  await look(page, 'reveal');
  assert.match(await page.textContent('#first-call'), /Waiting/);
  assert.equal((await call(secret)).status, 200);
  await page.waitForSelector('#first-call .good', { timeout: 5000 });
  await submit('Copy');
  await page.waitForFunction(() => document.querySelector('#copied').textContent !== '');
  await page.getByRole('tab', { name: 'Python' }).click();
  assert.ok((await page.textContent('#panel-python')).includes(secret));
  // Reloading sends the form again: the secret is not shown again.
  await page.reload();
  assert.match(await page.textContent('main'), /Already shown/);
  assert.ok(!(await page.content()).includes(secret.slice(-38)));
  await look(page, 'already-shown');
  await page.getByRole('link', { name: 'To the key' }).click();
  assert.ok(!(await page.content()).includes(secret.slice(-38)));
  await look(page, 'key');
});

test('a key is edited, rotated, switched off and on, and deleted', async () => {
  const keyUrl = page.url();
  await page.getByRole('link', { name: 'Edit' }).click();
  await look(page, 'edit');
  await page.fill('#name', 'Renamed');
  await page.fill('#allowedIps', 'not an address');
  await submit('Save');
  assert.match(await page.textContent('#allowedIps-problem'), /“not”, “an” and “address” are not addresses/);
  await page.fill('#allowedIps', '127.0.0.0/8\n::1');
  await submit('Save');
  await page.waitForURL(keyUrl);
  assert.equal(await page.textContent('h1'), 'Renamed');

  await page.getByRole('link', { name: 'Rotate' }).click();
  await look(page, 'rotate');
  await submit('Rotate');
  const secret = await page.inputValue('#secret');
  assert.equal((await call(secret)).status, 200);
  await submit('Copy');
  await page.getByRole('link', { name: 'Done, I have stored it' }).click();
  await page.waitForSelector('text=Rotation is running');
  await look(page, 'rotating');
  await submit('End the old secret now');
  await page.waitForSelector('text=Rotation is running', { state: 'detached' });

  await page.getByRole('link', { name: 'Deactivate…' }).click();
  await look(page, 'deactivate');
  assert.equal((await call(secret)).status, 200, 'asked, not done');
  await submit('Deactivate key');
  await page.waitForSelector('.pill:has-text("Deactivated")');
  assert.match(await page.textContent('#flash'), /“Renamed” is switched off/);
  assert.equal((await call(secret)).status, 401);
  await look(page, 'deactivated');
  await submit('Reactivate');
  await page.waitForSelector('.pill:has-text("Active")');
  await page.reload();
  assert.equal(await page.locator('#flash').count(), 0, 'said once');
  assert.equal((await call(secret)).status, 200);

  await page.getByRole('link', { name: 'Delete' }).click();
  await page.fill('#name', 'something else');
  await submit('Delete key');
  assert.match(await page.textContent('#name-problem'), /not the key/);
  await look(page, 'delete');
  await page.fill('#name', 'Renamed');
  await submit('Delete key');
  await page.waitForURL(/tab=deleted/);
  assert.match(await page.textContent('table'), /Renamed/);
  assert.equal((await call(secret)).status, 401);
  await look(page, 'deleted');
});

test('a whole key that is pasted is found, and its secret does not leave the field', async () => {
  const keys = page.url().split('?')[0];
  await page.goto(`${keys}/new`);
  await page.fill('#name', 'Pasted');
  await submit('Create key');
  const secret = await page.inputValue('#secret');
  await submit('Copy');
  await page.getByRole('link', { name: 'Done, I have stored it' }).click();
  const sent = [];
  const note = (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`);
  page.on('request', note);
  await page.goto(keys);
  await page.fill('#q', ` ${secret}\n`);
  assert.equal(await page.inputValue('#q'), secret.split('_')[2]);
  await submit('Search');
  await page.waitForURL(/query=|q=/);
  assert.equal(await page.locator('tbody tr').count(), 1);
  assert.match(await page.textContent('tbody'), /Pasted/);
  page.off('request', note);
  assert.ok(sent.length > 1 && !sent.join().includes(secret.slice(-38)), sent.join());
});

test('agency view has both kinds of keys, locations and members', async () => {
  await page.goto(`${base}/app/agency`);
  await look(page, 'agency');
  await page.goto(`${base}/app/agency/settings/keys?tab=agency`);
  await look(page, 'keys-empty');
  await page.getByRole('link', { name: /Third-party integration/ }).click();
  await page.fill('#name', 'Agency reports');
  await page.getByRole('radio', { name: /Custom/ }).check();
  await page.getByRole('checkbox', { name: 'Locations: read', exact: true }).check();
  await submit('Create key');
  const secret = await page.inputValue('#secret');
  assert.match(secret, /^ks_agency_/);
  assert.equal((await call(secret, '/locations/search')).status, 200);
  assert.equal((await call(secret)).status, 401);
  await submit('Copy');
  await page.goto(`${base}/app/agency/settings/keys?tab=agency`);
  await look(page, 'keys');

  await page.goto(`${base}/app/agency/locations`);
  await look(page, 'locations');
  await page.getByRole('link', { name: 'Add location' }).click();
  await look(page, 'location-new');
  await page.fill('#name', 'Northside Gym');
  await submit('Save');
  await page.waitForSelector('h1:has-text("Northside Gym")');
  await look(page, 'location');
  await page.locator('.switch summary').click();
  await page.fill('#switch-filter', 'harb');
  assert.deepEqual(await page.locator('#switch-places li:visible').allTextContents().then((all) => all.map((text) => text.trim())), ['Harbour Dental']);
  await page.goto(`${base}/app/agency/locations`);
  await page.getByRole('link', { name: 'Edit Northside Gym' }).click();
  await page.getByRole('link', { name: 'Suspend location…' }).click();
  await submit('Suspend location');
  await page.waitForSelector('text=Suspended');
  await page.getByRole('link', { name: 'Edit Northside Gym' }).click();
  await submit('Resume location');
  await page.waitForSelector('text=Suspended', { state: 'detached' });
});

test('a member is invited, joins, sees only what is theirs, and is disabled', async () => {
  await page.goto(`${base}/app/agency/members`);
  await look(page, 'members');
  await page.getByRole('link', { name: 'Invite member' }).click();
  await look(page, 'invite');
  await page.fill('#email', 'ito@northwind.example');
  await page.getByRole('radio', { name: /Location admin/ }).check();
  await submit('Make invitation link');
  assert.match(await page.textContent('#locationIds-problem'), /at least one location/);
  await page.getByRole('checkbox', { name: 'Northside Gym' }).check();
  await submit('Make invitation link');
  const link = await page.inputValue('#link');

  const other = await visit(browser);
  await other.goto(link);
  await look(other, 'accept');
  await other.fill('#firstName', 'Sara');
  await other.fill('#password', 'short');
  await other.evaluate(() => document.querySelector('form').noValidate = true);
  await other.getByRole('button', { name: 'Join' }).click();
  assert.match(await other.textContent('#password-problem'), /at least 10/);
  await other.fill('#password', 'another long password');
  await other.getByRole('button', { name: 'Join' }).click();
  await other.waitForSelector('h1:has-text("Northside Gym")');
  const home = other.url();
  for (const hidden of ['/app/agency', '/app/agency/settings/keys', '/app/agency/members']) {
    const answer = await other.goto(base + hidden);
    assert.equal(answer.status(), 404, hidden);
  }
  assert.equal((await other.goto(link)).status(), 404, 'an invitation works once');

  await other.goto(`${home}/settings/keys/new`);
  await other.fill('#name', 'Class bookings');
  await other.getByRole('button', { name: 'Create key' }).click();
  assert.match(await other.inputValue('input[readonly]'), /^ks_location_/);

  await page.goto(`${base}/app/agency/members`);
  await page.getByRole('link', { name: 'Sara' }).click();
  await look(page, 'member');
  await page.getByRole('link', { name: 'Disable…' }).click();
  await look(page, 'member-disable');
  await page.getByRole('checkbox', { name: /Deactivate Class bookings/ }).check();
  await submit('Disable member');
  await page.waitForSelector('text=This member cannot sign in');
  assert.match(await page.locator('tr', { hasText: 'Class bookings' }).innerText(), /Deactivated/);
  await other.goto(`${base}/app`);
  assert.match(other.url(), /sign-in/, 'signed out at once');
  await other.context().close();
});

test('sign-in tells nothing, and sign-out ends the session', async () => {
  const cookies = await page.context().cookies();
  await page.goto(`${base}/app/agency`);
  await page.click('.me summary');
  await submit('Sign out');
  await page.waitForURL(/sign-in/);
  await look(page, 'sign-in');
  const messages = [];
  for (const [user, secret] of [[email, 'a wrong password'], ['nobody@northwind.example', 'a wrong password'], ['ito@northwind.example', 'another long password']]) {
    await page.fill('#email', user);
    await page.fill('#password', secret);
    await submit('Sign in');
    messages.push(await page.textContent('.note.bad'));
  }
  assert.equal(new Set(messages).size, 1, 'known, unknown and disabled are one answer');
  await look(page, 'sign-in-wrong');
  const stale = await visit(browser);
  await stale.context().addCookies(cookies);
  await stale.goto(`${base}/app/agency`);
  assert.match(stale.url(), /sign-in/, 'the cookie of an ended session opens nothing');
  await stale.context().close();
  await signIn(page, email, password);
});

test('everything works without JavaScript', async () => {
  const plain = await visit(browser, { javaScriptEnabled: false });
  await signIn(plain, email, password);
  await plain.goto(`${base}/app/agency/settings/keys/new?preset=read-only`);
  await plain.fill('#name', 'Without script');
  await plain.selectOption('#locationId', { label: 'Harbour Dental' });
  await plain.getByRole('button', { name: 'Create key' }).click();
  const secret = await plain.inputValue('#secret');
  assert.equal((await call(secret)).status, 200);
  await plain.context().close();
});

test('another site cannot act with the visitor’s cookie', async () => {
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }, {}]) {
    const answer = await fetch(`${base}/app/sign-out`, { method: 'POST', headers: { cookie, ...headers }, redirect: 'manual' });
    assert.equal(answer.status, 403);
  }
  assert.equal((await page.goto(`${base}/app/agency`)).status(), 200, 'still signed in');
  const answer = await fetch(`${base}/app/agency/settings/keys`, { headers: { authorization: 'Bearer x' }, redirect: 'manual' });
  assert.equal(answer.status, 303, 'the app knows no keys');
});

test('the documentation is readable, and every error code has its page', async () => {
  await page.goto(`${base}/docs`);
  await look(page, 'docs');
  await page.goto(`${base}/docs/api-keys`);
  await look(page, 'docs-api-keys');
  await page.goto(`${base}/docs/errors`);
  await look(page, 'docs-errors');
  const codes = await page.locator('article a.mono').evaluateAll((links) => links.map((link) => link.href));
  assert.ok(codes.length > 20);
  for (const url of codes) assert.equal((await fetch(url)).status, 200, url);
  await page.goto(codes[0]);
  await look(page, 'docs-error');
  await page.goto(`${base}/docs/reference`);
  await look(page, 'docs-reference');
  const nouns = await page.locator('article h2 a').evaluateAll((links) => links.map((link) => link.href));
  assert.ok(nouns.length > 5);
  await page.goto(nouns[0]);
  await page.locator('article details summary').first().click();
  await look(page, 'docs-operations');
  assert.equal((await page.goto(`${base}/app/nothing`)).status(), 404);
  await look(page, 'missing');
  assert.equal((await page.goto(`${base}/app/account`)).status(), 200);
  await look(page, 'account');
});
