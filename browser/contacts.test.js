// Contacts as somebody works in them: added, changed, tagged, put away; with a script, without one, and by keys alone.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, open, visit, signIn, maria, begin, look, hangs } = require('./support');

let browser;
let page;
let contacts;
test.before(async () => {
  ({ browser, page } = await begin());
  await page.locator('.switch summary').click();
  const place = await page.locator('#switch-places a[href*="/app/locations/"]').first().getAttribute('href');
  contacts = `${base}${place}/contacts`;
});
test.after(async () => browser?.close());

/// The page after an action, and what it says of it.
async function said(where, text) {
  await where.waitForSelector('#flash');
  assert.match(await where.textContent('#flash'), text);
}

/// The same with a script and without: everything is a form.
async function workThrough(where, first, shot) {
  await where.goto(`${contacts}/new`);
  await where.fill('#firstName', first);
  await where.fill('#email', 'no address');
  await where.fill('#country', 'Atlantis');
  await where.getByRole('button', { name: 'Save', exact: true }).click();
  // All that is wrong is above the form, in focus, and leads to its field.
  await where.waitForSelector('.summary');
  assert.equal(await where.evaluate(() => document.activeElement.className), 'summary');
  assert.equal(await where.locator('.summary a').count(), 2);
  if (shot) await look(where, 'contact-refused');
  await where.locator('.summary a').first().click();
  assert.equal(await where.evaluate(() => document.activeElement.id), 'email');
  await where.fill('#email', `${first.toLowerCase()}@works.example`);
  await where.fill('#country', 'Germany');
  await where.fill('#tags', 'works, one');
  await where.getByRole('button', { name: 'Save', exact: true }).click();
  await said(where, /is added/);
  assert.match(await where.textContent('main'), /DE/);

  await where.fill('#body', 'Afraid of needles.');
  await where.getByRole('button', { name: 'Save note' }).click();
  await said(where, /is saved/);
  await where.getByText('Add a task').click();
  await where.fill('#title', 'Call back');
  await where.fill('#dueDate', '2030-12-24');
  await where.getByRole('button', { name: 'Add task' }).click();
  await said(where, /is added/);
  await where.getByRole('button', { name: 'Done: Call back' }).click();
  await said(where, /is done/);
  await where.getByRole('button', { name: 'Undo' }).click();
  await said(where, /is open again/);
  if (shot) await look(where, 'contact-worked');
  await where.getByRole('button', { name: 'Remove the tag one' }).click();
  await said(where, /is taken from/);
  await where.fill('#add', 'two');
  await where.getByRole('button', { name: 'Add', exact: true }).click();
  await said(where, /are saved/);

  await where.getByRole('link', { name: 'Edit', exact: true }).click();
  await where.fill('#city', 'Bristol');
  await where.getByRole('button', { name: 'Save', exact: true }).click();
  await said(where, /is saved/);
  assert.match(await where.textContent('main'), /Bristol/);

  await where.goto(`${contacts}?tag=works`);
  await where.getByRole('checkbox', { name: `Choose ${first}` }).check();
  if (shot) await look(where, 'contacts-chosen');
  await where.fill('#bulk-tags', 'three');
  await where.getByRole('button', { name: 'Add tags' }).click();
  await said(where, /added to/);
  await where.goto(`${contacts}?tag=three&q=${first}`);
  await where.getByRole('checkbox', { name: `Choose ${first}` }).check();
  if (shot) assert.equal(await where.textContent('.bulk .chosen'), '1 chosen');
  await where.getByRole('button', { name: 'Move to trash' }).click();
  await said(where, /moved to the trash/);
  assert.match(where.url(), /tag=three/, 'the list is asked for the same');
  await where.getByRole('button', { name: 'Undo' }).click();
  await said(where, /is restored/);
}

test('a contact is worked with', async () => {
  await workThrough(page, 'Scripted', true);
  assert.deepEqual(page.problems, []);
});

test('the same without a script', async () => {
  const plain = await visit(browser, { javaScriptEnabled: false });
  await signIn(plain, maria.email, maria.password);
  await workThrough(plain, 'Plain', false);
});

test('countries are searched as somebody writes', async () => {
  await page.goto(`${contacts}/new`);
  await page.focus('#country');
  await page.waitForFunction(() => document.querySelectorAll('#country-list option').length > 200);
  await page.focus('#timezone');
  await page.waitForFunction(() => document.querySelector('#timezone-list option[value="Europe/Berlin"]'));
  assert.deepEqual(page.problems, []);
});

test('filters are chips that are added and taken away', async () => {
  await page.goto(contacts);
  await page.locator('.chip.add').click();
  await hangs(page, '.chips .menu', 'contacts-filter');
  await page.fill('#add-tag', 'vip');
  await page.keyboard.press('Enter');
  await page.waitForURL(/tag=vip/);
  await page.locator('.chip.add').click();
  await page.getByRole('link', { name: 'in the last 30 days' }).click();
  await page.waitForURL(/added=30/);
  assert.match(page.url(), /tag=vip/);
  await look(page, 'contacts-filtered');
  await page.getByRole('link', { name: /Remove the filter Tag/ }).click();
  await page.waitForURL((url) => !url.search.includes('tag=') && url.search.includes('added=30'));
});

test('a contact is added by keys alone', async () => {
  await page.goto(`${contacts}/new`);
  await page.focus('#firstName');
  await page.keyboard.type('Keyed');
  await page.keyboard.press('Tab');
  await page.keyboard.type('In');
  await page.keyboard.press('Enter');
  await said(page, /is added/);
  assert.match(await page.textContent('h1'), /Keyed In/);
});
