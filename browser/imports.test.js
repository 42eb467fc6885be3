// Files in and out: contacts are imported from a file, exported, deleted, brought back and erased, with a script and without, and
// by keys alone.
const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { base, open, visit, signIn, maria, begin, look, hangs } = require('./support');

// Nobody else has these, however often this is run.
const stamp = Date.now().toString(36);
const people = [
  'First name;E-Mail;Mobile;Stadt;Notes',
  `Jürgen;juergen-${stamp}@example.com;(415) 555-0190;Köln;=HYPERLINK("x")`,
  `Élodie;elodie-${stamp}@example.com;;Besançon;`,
  'Bob;no address;;;',
  'Nobody;;;;',
].join('\n');
const file = (name, text) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text, 'latin1') });

let browser;
let page;
let contacts;
test.before(async () => {
  ({ browser, page } = await begin({ acceptDownloads: true }));
  await page.goto(`${base}/app`);
  await page.click('.switch summary');
  await page.locator('#switch-places a', { hasText: 'Pine Street Clinic' }).click();
  await page.waitForURL(/\/locations\/[^/]+$/);
  contacts = `${page.url()}/contacts`;
});
test.after(async () => browser?.close());

const press = (where, text) => where.getByRole('button', { name: text, exact: true }).click();

/// What a page counts, in words.
const figures = (where) => where.locator('.stat').allTextContents();

async function download(where, act) {
  const [started] = await Promise.all([where.waitForEvent('download'), act()]);
  return { name: started.suggestedFilename(), text: fs.readFileSync(await started.path(), 'utf8') };
}

test('a file is sent, its letters are guessed, its columns are mapped, and it is tried', async () => {
  await page.goto(contacts);
  const more = page.locator('summary[aria-label="More of contacts"]');
  await more.click();
  await hangs(page, '.head .menu', '.head .menu');
  await page.getByRole('link', { name: 'Import a file…' }).click();
  await look(page, 'import');
  await page.setInputFiles('#file', file('people.csv', people));
  await press(page, 'Send file');
  await page.waitForURL(/imports\/files\//);
  assert.equal(await page.inputValue('#encoding'), 'windows-1252');
  assert.match(await page.textContent('tbody'), /Jürgen · Élodie/);
  assert.deepEqual(await page.locator('tbody select').evaluateAll((all) => all.map((one) => one.value)), ['firstName', 'email', 'phone', '', '']);
  await look(page, 'import-mapping');
  await page.selectOption('#column-3', 'email');
  await press(page, 'Try it first');
  assert.match(await page.textContent('#column-3-problem'), /another column/i);
  await look(page, 'import-mapping-problem');
  await page.selectOption('#column-3', 'city');
  await press(page, 'Try it first');
  // The page comes to its end by itself.
  await page.waitForFunction(() => document.querySelector('[data-over]') && !document.querySelector('[data-refresh]'));
  assert.deepEqual(await figures(page), ['Rows read4', 'Would be new2', 'Would change0', 'As they were0', 'Incomplete0', 'Would be refused2']);
  await look(page, 'import-tried');
  const rows = await download(page, () => page.getByRole('link', { name: 'Download them all' }).click());
  assert.equal(rows.name, 'rows-with-problems.csv');
  assert.match(rows.text, /^First name,E-Mail,Mobile,Stadt,Notes,Import problem\r\nBob,no address,/);
});

test('what was tried is imported as it is, and found', async () => {
  await press(page, 'Import now');
  await page.waitForFunction(() => document.querySelector('[data-over]') && !document.querySelector('[data-refresh]'));
  assert.deepEqual(await figures(page), ['Rows read4', 'New2', 'Changed0', 'As they were0', 'Incomplete0', 'Refused2']);
  await look(page, 'import-done');
  await page.goto(`${contacts}/imports`);
  await look(page, 'imports');
  await page.goto(`${contacts}?q=juergen-${stamp}@example.com`);
  assert.match(await page.textContent('tbody'), /Jürgen/);
  const menu = page.locator('summary[aria-label="More of contacts"]');
  await menu.click();
  const csv = await download(page, () => page.getByRole('link', { name: 'Export as CSV' }).click());
  assert.equal(csv.name, 'contacts.csv');
  assert.match(csv.text, /Jürgen,,juergen-[^,]*@example\.com,\+44/);
  assert.equal(csv.text.trim().split('\r\n').length, 2, 'what the list shows, and no more');
  if (!(await menu.evaluate((summary) => summary.parentElement.open))) await menu.click();
  const lines = await download(page, () => page.getByRole('link', { name: 'Export as JSON lines' }).click());
  assert.equal(JSON.parse(lines.text).city, 'Köln');
});

test('a contact is exported whole, erased by its name, and another one comes back from the trash', async () => {
  await page.locator('tbody a.name').first().click();
  await page.waitForSelector('.strip');
  await page.locator('.strip .more summary').click();
  await hangs(page, '.strip .menu', '.strip .menu');
  const whole = await download(page, () => page.getByRole('link', { name: 'Export everything about them' }).click());
  assert.equal(JSON.parse(whole.text).contact.email, `juergen-${stamp}@example.com`);
  const erase = page.getByRole('link', { name: 'Erase…' });
  if (!(await erase.isVisible())) await page.locator('.strip .more summary').click();
  await erase.click();
  await look(page, 'erase');
  await page.fill('#name', 'somebody else');
  await press(page, 'Erase for good');
  assert.match(await page.textContent('#name-problem'), /not the contact’s name/);
  await page.fill('#name', 'Jürgen');
  await press(page, 'Erase for good');
  assert.match(await page.textContent('#flash'), /erased for good/);
  await page.goto(`${contacts}/trash`);
  await look(page, 'trash');
  const restore = page.getByRole('button', { name: /^Restore / }).first();
  const name = (await restore.textContent()).replace('Restore ', '');
  await restore.click();
  assert.ok((await page.textContent('#flash')).includes(`“${name}” is restored`));
});

test('without a script all of it works, and the page says how to look again', async () => {
  const plain = await visit(browser, { javaScriptEnabled: false });
  await signIn(plain, maria.email, maria.password);
  await plain.goto(`${contacts}/imports/new`);
  await plain.setInputFiles('#file', file('plain.csv', `email\nplain-${stamp}@example.com\n`));
  await press(plain, 'Send file');
  await press(plain, 'Import');
  for (let look = 0; look < 50 && !(await plain.locator('[data-over]').count()); look += 1) {
    await plain.waitForTimeout(200);
    const again = plain.getByRole('link', { name: 'Look again' });
    if (await again.count()) await again.click();
  }
  assert.deepEqual(await figures(plain), ['Rows read1', 'New1', 'Changed0', 'As they were0', 'Incomplete0', 'Refused0']);
});

test('by keys alone a file is mapped and tried', async () => {
  await page.goto(`${contacts}/imports/new`);
  await page.setInputFiles('#file', file('keys.csv', `Mail,Colour\nkeys-${stamp}@example.com,red\n`));
  await page.focus('#file');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/imports\/files\//);
  await page.focus('#column-1');
  await page.keyboard.type('Source');
  assert.equal(await page.inputValue('#column-1'), 'source');
  for (let step = 0; step < 6; step += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.value === 'try')) break;
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(/contacts\/imports\/[0-9A-Za-z]+$/);
  await page.waitForFunction(() => document.querySelector('[data-over]') && !document.querySelector('[data-refresh]'));
  assert.equal((await figures(page))[1], 'Would be new1');
  assert.deepEqual(page.problems, []);
});
