// First pages, the audit log, times and the account, with a script and without, against the demo.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, visit, signIn, maria, begin, look, hangs } = require('./support');

let browser;
let page;
test.before(async () => {
  ({ browser, page } = await begin({ timezoneId: 'Europe/Berlin' }));
});
test.after(async () => browser?.close());

const main = () => page.locator('main').innerText();

test('the agency’s first page says what needs attention, and shows what was asked of it', async () => {
  await page.goto(`${base}/app/agency`);
  assert.match(await main(), /Requests, 24 hours[^]*Answered with an error, 24 hours[^]*Keys at risk[^]*Refused attempts, 24 hours/);
  assert.ok(await page.locator('.chart rect').count() > 20, 'a bar for each day');
  await page.locator('main details summary').first().click();
  assert.match(await page.locator('main table.dense').first().innerText(), /Answered\s+4xx\s+5xx\s+Failed/);
  await look(page, 'overview-agency');
});

test('a location’s first page has its contacts and what is to be done', async () => {
  await page.goto(`${base}/app/agency`);
  await page.locator('main').getByRole('link', { name: 'Harbour Dental' }).last().click();
  await page.waitForURL(/\/app\/locations\/[^/]+$/);
  assert.match(await main(), /Contacts\s+1,\d{3}[^]*Tasks due[^]*New contacts a day/);
  await look(page, 'overview-location');
});

test('times are in the browser’s zone from the first page on, and in the chosen one', async () => {
  await page.goto(`${base}/app/agency`);
  assert.match(await page.locator('.zone').innerText(), /Europe\/Berlin, your browser’s zone\. UTC on hover/);
  await page.locator('.zone a').click();
  await page.waitForURL(/\/app\/account/);
  await look(page, 'account');
  await page.fill('#timeZone', 'nowhere');
  await page.keyboard.press('Enter');
  assert.match(await page.textContent('#timeZone-problem'), /a time zone by its name/);
  await look(page, 'account-problem');
  await page.fill('#timeZone', 'america/new york');
  await page.keyboard.press('Enter');
  assert.match(await page.textContent('#flash'), /America\/New_York/);
  await page.goto(`${base}/app/agency/audit`);
  assert.match(await page.locator('.zone').innerText(), /America\/New_York, the zone that you have chosen/);
  await page.goto(`${base}/app/account`);
  await page.fill('#timeZone', '');
  await page.keyboard.press('Enter');
  assert.match(await page.textContent('#flash'), /your browser’s zone/);
});

test('the audit log is filtered by chips, without a script too', async () => {
  for (const javaScriptEnabled of [true, false]) {
    const reader = await visit(browser, { javaScriptEnabled, timezoneId: 'Europe/Berlin' });
    await signIn(reader, maria.email, maria.password);
    await reader.goto(`${base}/app/agency/audit`);
    assert.match(await reader.locator('.events').innerText(), /Maria Okafor signed in/);
    assert.doesNotMatch(await reader.locator('.events').innerText(), /added the contact/);
    await reader.locator('summary.chip', { hasText: 'About' }).click();
    await reader.locator('.chips .menu').getByRole('link', { name: 'API keys', exact: true }).click();
    await reader.waitForURL(/action=api/);
    assert.doesNotMatch(await reader.locator('.events').innerText(), /signed in/);
    await reader.locator('summary.chip', { hasText: 'When' }).click();
    await hangs(reader, '.chips .more[open] > .menu', 'audit-when');
    await reader.fill('#add-from', '2020-01-01');
    await reader.locator('.chips').getByRole('button', { name: 'Apply' }).click();
    await reader.waitForURL(/action=api.*from=2020-01-01/);
    assert.match(await reader.locator('.chips').innerText(), /since 1 Jan 2020/);
    await reader.getByRole('link', { name: 'Clear all' }).click();
    await reader.getByRole('link', { name: 'Contacts and other data' }).click();
    assert.match(await reader.locator('.events').innerText(), /added the (contact|task)/);
    await reader.locator('.events .say a.name').first().click();
    assert.doesNotMatch(await reader.locator('h1').innerText(), /Not found/);
    await reader.context().close();
  }
});

test('the audit log is looked at', async () => {
  await page.goto(`${base}/app/agency/audit?data=1`);
  await look(page, 'audit-data');
  // A menu hangs from its chip, and stays within the window.
  for (const width of [1280, 900, 768, 390, 320]) {
    await page.setViewportSize({ width, height: 900 });
    for (const chip of await page.locator('summary.chip').all()) {
      await chip.click();
      const box = await chip.locator('xpath=following-sibling::div').boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= width, `${JSON.stringify(box)} in ${width} px`);
      await page.keyboard.press('Escape');
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
});

test('a question mark shows the shortcuts, and the menu does without a script', async () => {
  await page.goto(`${base}/app/agency`);
  await page.keyboard.press('?');
  assert.equal(await page.isVisible('#shortcuts'), true);
  await look(page, 'shortcuts');
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('#shortcuts'), false);
  await page.focus('#find');
  await page.keyboard.type('?');
  assert.equal(await page.isVisible('#shortcuts'), false, 'not while somebody writes');
  const plain = await visit(browser, { javaScriptEnabled: false });
  await signIn(plain, maria.email, maria.password);
  await plain.locator('.me summary').click();
  await plain.getByRole('button', { name: /Keyboard shortcuts/ }).click();
  assert.equal(await plain.isVisible('#shortcuts'), true);
  await plain.context().close();
});

test('another browser is signed out', async () => {
  const other = await visit(browser);
  await signIn(other, maria.email, maria.password);
  await page.goto(`${base}/app/account`);
  const rows = page.locator('.sessions li');
  const before = await rows.count();
  assert.ok(before > 1, 'both are there');
  await rows.filter({ hasNotText: 'This browser' }).first().getByRole('button').click();
  assert.match(await page.textContent('#flash'), /is signed out/);
  assert.equal(await rows.count(), before - 1);
  await other.goto(`${base}/app/agency`);
  assert.match(other.url(), /sign-in/);
  await other.context().close();
});

test('failures stand in the shell', async () => {
  await page.goto(`${base}/app/agency/nothing`);
  assert.equal(await page.locator('nav.side').count(), 1);
  assert.match(await main(), /Not found/);
  await look(page, 'not-found');
});
