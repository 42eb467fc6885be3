// Finding things: the search at the top, menus, themes, the drawer, and the list of contacts, with a script and without.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, open, visit, signIn, maria, begin, look, hangs } = require('./support');

let browser;
let page;
let place;
test.before(async () => {
  ({ browser, page } = await begin());
});
test.after(async () => browser?.close());

test('a page is found by keys alone', async () => {
  await page.goto(`${base}/app/agency`);
  await page.keyboard.press('Control+k');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'find');
  await page.keyboard.type('harb');
  await page.waitForSelector('.found li');
  await look(page, 'search-open');
  await page.focus('#find');
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('.found'), false);
  await page.keyboard.type('o');
  await page.waitForSelector('.found li');
  const isLocation = () => page.evaluate(() => /\/app\/locations\/[^/]+$/.test(document.activeElement.href ?? ''));
  for (let step = 0; step < 20 && !(await isLocation()); step += 1) await page.keyboard.press('ArrowDown');
  assert.ok(await isLocation(), 'the arrows lead through what was found');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/app\/locations\/[^/]+$/);
  place = page.url();
  // A slash leads there from anywhere but a field.
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'find');
  await page.keyboard.type('xyzzy');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/search\?q=xyzzy/);
  await look(page, 'search-nothing');
  await page.fill('#find', 'keys');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/search\?q=keys/);
  await look(page, 'search');
});

test('contacts are found, and one is shown', async () => {
  await page.goto(`${place}/contacts`);
  await look(page, 'contacts');
  await page.fill('#q', 'xyzzy');
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=xyzzy/);
  assert.match(await page.textContent('main'), /No contact is like that/);
  await look(page, 'contacts-nothing');
  await page.goto(`${place}/contacts`);
  await page.locator('.list a.name').first().click();
  await page.waitForSelector('.strip');
  await look(page, 'contact');
});

test('menus close on Escape and on a click elsewhere, and the switcher goes to the first place', async () => {
  await page.goto(place);
  await page.click('.me summary');
  assert.ok(await page.isVisible('.me .menu'));
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('.me .menu'), false);
  await page.click('.me summary');
  await hangs(page, '.me .menu', 'account-menu');
  await page.mouse.click(600, 700);
  assert.equal(await page.isVisible('.me .menu'), false);
  await page.click('.switch summary');
  await page.waitForFunction(() => document.activeElement.id === 'switch-filter');
  await page.keyboard.type('northwind');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/app\/agency/);
});

test('a theme is chosen and kept', async () => {
  await page.goto(`${place}/contacts`);
  await page.click('.me summary');
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await page.waitForURL(`${place}/contacts`);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  const dark = await ground();
  await page.click('.me summary');
  await page.getByRole('button', { name: 'System', exact: true }).click();
  await page.waitForURL(`${place}/contacts`);
  assert.notEqual(dark, await ground());
});

test('on a phone the navigation is a drawer', async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(place);
  assert.equal(await page.isVisible('.side'), false);
  await page.getByRole('button', { name: 'Menu', exact: true }).click();
  assert.ok(await page.isVisible('.side'));
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('.side'), false);
  await page.getByRole('button', { name: 'Menu', exact: true }).click();
  await page.getByRole('link', { name: 'Contacts', exact: true }).click();
  await page.waitForURL(/\/contacts$/);
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(page.problems, []);
});

test('without a script everything is found, too', async () => {
  const plain = await visit(browser, { javaScriptEnabled: false });
  await signIn(plain, maria.email, maria.password);
  await plain.goto(place);
  await plain.fill('#find', 'harbour');
  await plain.keyboard.press('Enter');
  await plain.waitForURL(/\/search\?q=harbour/);
  assert.match(await plain.textContent('main'), /Harbour Dental/);
  await plain.click('.me summary');
  await plain.getByRole('button', { name: 'Light', exact: true }).click();
  assert.match(await plain.getAttribute('html', 'class'), /theme-light/);
});
