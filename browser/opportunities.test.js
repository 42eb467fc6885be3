// Opportunities and what a location is made of: the board by pointer, by keys and without a script, and the settings' forms.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, open, visit, signIn, maria, begin, look } = require('./support');

let browser;
let page;
let place;
test.before(async () => {
  ({ browser, page } = await begin());
  place = await page.locator('#switch-places a', { hasText: 'Harbour Dental' }).getAttribute('href');
});
test.after(async () => browser?.close());

const stageOf = (on, id) => on.locator(`.stage:has(#${id}) h2 bdi`).textContent();
const flash = (on) => on.textContent('#flash');
const count = async (on, index) => Number(await on.locator('.stage .count').nth(index).textContent());

test('the board, the list and an opportunity are looked at', async () => {
  await page.goto(`${base}${place}/opportunities`);
  assert.equal(await page.locator('.stage').count(), 4);
  await look(page, 'opportunities-board');
  await page.locator('.deal .more summary').first().click();
  for (const width of [320, 390, 768, 900, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const menu = await page.locator('.deal .menu').first().boundingBox();
    assert.ok(menu.x >= 0 && menu.x + menu.width <= width, `${JSON.stringify(menu)} in ${width} px`);
  }
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'List', exact: true }).click();
  await page.waitForURL(/view=list/);
  await look(page, 'opportunities-list');
  await page.fill('#q', 'xyzzy');
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=xyzzy/);
  await look(page, 'opportunities-nothing');
  await page.goto(`${base}${place}/opportunities`);
  await page.locator('.deal h3 a').first().click();
  await page.waitForSelector('.strip');
  await look(page, 'opportunity');
});

test('a card is dragged to another stage, and Undo moves it back', async () => {
  await page.goto(`${base}${place}/opportunities`);
  const [first, second] = [await count(page, 0), await count(page, 1)];
  const card = page.locator('.stage').nth(0).locator('.deal').first();
  const id = await card.locator('h3 a').getAttribute('id');
  await card.dragTo(page.locator('.stage').nth(1).locator('header'));
  await page.waitForURL(new RegExp(`#${id}$`));
  assert.match(await flash(page), /moved to “Visit booked”\./);
  assert.deepEqual([await count(page, 0), await count(page, 1)], [first - 1, second + 1]);
  assert.equal(await page.evaluate(() => document.activeElement.id), id, 'the card has the focus again');
  await look(page, 'opportunities-moved');
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await page.waitForURL(new RegExp(`#${id}$`));
  assert.match(await flash(page), /moved to “New enquiry”\./);
  assert.deepEqual([await count(page, 0), await count(page, 1)], [first, second]);
});

test('a card is moved by keys alone', async () => {
  await page.goto(`${base}${place}/opportunities`);
  const id = await page.locator('.stage').nth(0).locator('.deal h3 a').first().getAttribute('id');
  await page.focus(`#${id}`);
  await page.keyboard.press('3');
  await page.waitForURL(new RegExp(`#${id}$`));
  assert.match(await flash(page), /moved to “Treatment plan sent”\./);
  assert.equal(await page.evaluate(() => document.activeElement.id), id);
  // By its menu.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /New enquiry/);
  await page.keyboard.press('Enter');
  await page.waitForFunction((at) => document.activeElement.id === at && /New enquiry/.test(document.querySelector('#flash').textContent), id);
});

test('one is added from the board, changed, lost and deleted', async () => {
  await page.goto(`${base}${place}/opportunities`);
  await page.locator('.stage').nth(1).getByRole('link', { name: /^Add/ }).click();
  await page.waitForURL(/stage=/);
  await page.getByRole('button', { name: 'Add opportunity' }).click();
  await page.waitForSelector('.summary');
  await look(page, 'opportunity-new-wrong');
  await page.fill('#contact', 'ada');
  await page.fill('#monetaryValue', '1,250.50');
  await page.getByRole('button', { name: 'Add opportunity' }).click();
  await page.getByRole('radio').first().check();
  await look(page, 'opportunity-new-which');
  await page.fill('#name', 'Zahnspange 😀 für Ärger');
  await page.getByRole('button', { name: 'Add opportunity' }).click();
  await page.waitForSelector('.strip');
  assert.match(await page.textContent('.facts'), /1,250\.50/);
  await page.selectOption('#status', 'lost');
  await page.selectOption('#lostReasonId', { label: 'Too expensive' });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForSelector('#flash');
  assert.match(await page.textContent('.strip .pill'), /Lost/);
  await page.getByText('Move to', { exact: true }).click();
  await page.getByRole('link', { name: 'Delete…' }).click();
  await look(page, 'opportunity-delete');
  await page.getByRole('button', { name: 'Delete opportunity' }).click();
  await page.waitForSelector('#flash');
  assert.match(await flash(page), /Zahnspange 😀 für Ärger” is deleted\./);
});

test('without a script a card is moved by its menu', async () => {
  const plain = await visit(browser, { javaScriptEnabled: false });
  await signIn(plain, maria.email, maria.password);
  await plain.goto(`${base}${place}/opportunities`);
  const card = plain.locator('.stage').nth(0).locator('.deal').first();
  const id = await card.locator('h3 a').getAttribute('id');
  const name = await card.locator('h3 a').textContent();
  await card.locator('summary').click();
  await card.getByRole('button', { name: /Accepted/ }).click();
  await plain.waitForURL(new RegExp(`#${id}$`));
  assert.equal(await flash(plain), `“${name}” moved to “Accepted”.`);
  assert.equal(await stageOf(plain, id), 'Accepted');
  await plain.getByRole('button', { name: 'Undo', exact: true }).click();
  await plain.waitForURL(new RegExp(`#${id}$`));
  assert.match(await flash(plain), /moved to “New enquiry”/);
  // The stages of a pipeline, too.
  await plain.goto(`${base}${place}/settings/pipelines`);
  await plain.getByRole('link', { name: 'New patients' }).click();
  await plain.getByRole('button', { name: 'Move stage 2 up' }).click();
  assert.equal(await plain.locator('[name=stageName]').first().inputValue(), 'Visit booked');
  await plain.context().close();
});

test('pipelines, tags, fields, values and tasks are looked at and changed', async () => {
  await page.goto(`${base}${place}/settings/pipelines`);
  await look(page, 'pipelines');
  await page.getByRole('link', { name: 'New patients' }).click();
  await look(page, 'pipeline');
  await page.getByRole('button', { name: 'Add stage' }).click();
  await page.waitForFunction(() => document.activeElement.name === 'stageName' && !document.activeElement.value);
  await page.keyboard.type('Follow-up');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForSelector('#flash');
  await page.goto(`${base}${place}/settings/tags`);
  await look(page, 'tags');
  await page.getByRole('link', { name: 'Edit vip' }).click();
  await look(page, 'tag');
  await page.getByRole('link', { name: 'Delete…' }).click();
  assert.match(await page.textContent('main'), /contacts have it, and lose it/);
  await look(page, 'tag-delete');
  await page.goto(`${base}${place}/settings/custom-fields`);
  await look(page, 'custom-fields');
  await page.getByRole('link', { name: 'Add field of Contacts' }).click();
  assert.equal(await page.isVisible('#options'), false);
  await page.selectOption('#dataType', 'SINGLE_OPTIONS');
  assert.ok(await page.isVisible('#options'));
  await look(page, 'custom-field-new');
  await page.fill('#name', 'Shirt size');
  await page.fill('#options', 'S\nM\nL');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForSelector('#flash');
  await page.getByRole('link', { name: 'Shirt size' }).click();
  await look(page, 'custom-field');
  await page.goto(`${base}${place}/settings/custom-values`);
  await look(page, 'custom-values');
  await page.getByRole('link', { name: 'Opening hours' }).click();
  await look(page, 'custom-value');
  await page.goto(`${base}${place}/tasks`);
  await look(page, 'tasks');
  const title = await page.locator('.due b').first().textContent();
  await page.getByRole('button', { name: `Done: ${title}` }).first().click();
  await page.waitForSelector('#flash');
  assert.equal(await flash(page), `The task “${title}” is done.`);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await page.waitForFunction(() => /is open again/.test(document.querySelector('#flash').textContent));
  assert.deepEqual(page.problems, []);
});
