// Views and columns of lists: chosen, saved, changed, shared and brought back; with a script, without one, and by keys alone.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, visit, signIn, maria, begin, look, measure, hangs } = require('./support');

let browser;
let page;
let place;
test.before(async () => {
  ({ browser, page } = await begin());
  place = await page.locator('#switch-places a', { hasText: 'Harbour Dental' }).getAttribute('href');
});
test.after(async () => browser?.close());

async function said(where, text) {
  await where.waitForSelector('#flash');
  assert.match(await where.textContent('#flash'), text);
}

const headings = (where) => where.locator('thead th:not(.pick):visible').allTextContents();
const tabs = (where) => where.locator('.views nav a bdi').allTextContents();
const current = (where) => where.locator('.views nav [aria-current]').textContent();

/// The same with a script and without: everything is a link or a form.
async function workThrough(where, name, shot) {
  await where.goto(`${base}${place}/contacts`);
  await where.getByText('Columns', { exact: true }).click();
  if (shot) await hangs(where, '.tools .menu:has(.picks)', 'contacts-columns');
  await where.getByRole('checkbox', { name: 'Company', exact: true }).uncheck();
  for (const column of ['E-mail', 'Source']) await where.getByRole('checkbox', { name: column, exact: true }).check();
  await where.getByRole('button', { name: 'Show these' }).click();
  assert.deepEqual(await headings(where), ['Contact', 'E-mail', 'Tags', 'Changed', 'Source']);
  if (shot) await look(where, 'contacts-columns-chosen');
  await where.locator('.chip.add').click();
  await where.fill('#add-tag', 'vip');
  await where.getByRole('button', { name: 'Apply', exact: true }).click();
  await where.getByRole('link', { name: 'Save view' }).click();
  await where.getByRole('button', { name: 'Save', exact: true }).click();
  // Nothing was typed: it is said, and what was to be saved is there still.
  assert.match(await where.textContent('.summary'), /Enter a name/);
  if (shot) await look(where, 'view-refused');
  await where.fill('#name', name);
  await where.getByRole('button', { name: 'Save', exact: true }).click();
  await said(where, /is saved/);
  assert.equal(await current(where), `${name}, only yours`);
  assert.deepEqual(await headings(where), ['Contact', 'E-mail', 'Tags', 'Changed', 'Source']);
  if (shot) await look(where, 'view-saved');

  // Another filter is not the view any more, until that is saved.
  await where.locator('.chip.add').click();
  await where.getByRole('link', { name: 'in the last 30 days' }).click();
  await where.waitForURL(/added=30/);
  if (shot) await look(where, 'view-changed');
  await where.getByRole('button', { name: 'Save changes' }).click();
  await said(where, /is saved/);
  assert.equal(await where.getByRole('button', { name: 'Save changes' }).count(), 0);
  await where.getByRole('link', { name: 'All contacts' }).click();
  assert.equal(await where.locator('.chip.on').count(), 0);
  await where.getByRole('link', { name: new RegExp(`^${name}.*only yours`) }).click();
  assert.equal(await where.locator('.chip.on').count(), 2);

  await where.locator('.views .more summary').click();
  if (shot) await hangs(where, '.views .menu', 'view-menu');
  await where.getByRole('link', { name: 'Rename or share…' }).click();
  await where.fill('#name', `${name} of ours`);
  await where.getByRole('checkbox', { name: /Share it/ }).check();
  if (shot) await look(where, 'view-edited');
  await where.getByRole('button', { name: 'Save', exact: true }).click();
  await said(where, /is saved/);
  assert.equal(await current(where), `${name} of ours`);
  await where.locator('.views .more summary').click();
  await where.getByRole('button', { name: 'Delete view' }).click();
  await said(where, /is deleted/);
  assert.ok(!(await tabs(where)).includes(`${name} of ours`));
  await where.getByRole('button', { name: 'Undo' }).click();
  await said(where, /is back/);
  assert.equal(await current(where), `${name} of ours`);
}

test('a view is saved, changed, shared and brought back', async () => {
  await workThrough(page, 'Scripted', true);
  assert.deepEqual(page.problems, []);
});

test('the same without a script', async () => {
  const plain = await visit(browser, { javaScriptEnabled: false });
  await signIn(plain, maria.email, maria.password);
  await workThrough(plain, 'Plain', false);
});

test('columns and views are chosen by keys alone', async () => {
  await page.goto(`${base}${place}/contacts`);
  await page.locator('.tools summary', { hasText: 'Columns' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  for (let step = 0; step < 60 && (await page.evaluate(() => document.activeElement.textContent)) !== 'Show these'; step += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(/columns=name&columns=email/);
  await page.getByRole('link', { name: 'Save view' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('#name').focus();
  await page.keyboard.type('By keys');
  await page.keyboard.press('Enter');
  await said(page, /is saved/);
  assert.equal(await current(page), 'By keys, only yours');
});

/// What the list shows at a width: its columns, what of it is broken or cut in vain, and where names are when it is scrolled.
function shown() {
  const region = document.querySelector('.wide');
  const headings = [...document.querySelectorAll('thead th:not(.pick)')];
  const broken = [...document.querySelectorAll('.wide td > :is(.cut, .nowrap)')].filter((text) => text.offsetHeight > 30);
  const phone = headings.findIndex((heading) => heading.textContent === 'Phone');
  const phones = phone < 0 ? [] : [...document.querySelectorAll(`tbody td:not(.pick):nth-child(${phone + 2}) > .cut`)];
  region?.scrollTo(region.scrollWidth, 0);
  const [view, name, last] = [region, headings[0], headings.at(-1)].map((element) => element?.getBoundingClientRect());
  return {
    columns: headings.filter((heading) => heading.offsetWidth).length,
    broken: broken.map((text) => text.textContent),
    cut: phones.filter((text) => text.scrollWidth > text.clientWidth).map((text) => text.textContent),
    phones: phones.length,
    name: view && Math.abs(Math.round(name.left - view.left)),
    room: view && Math.round(last.left - name.right),
    rest: view && Math.abs(Math.round(last.right - view.right)),
  };
}

test('columns that are chosen are all there on every screen, and nothing in them is broken', async () => {
  await page.goto(`${base}${place}/contacts?columns=name,email,phone,company,tags,owner,added,updated,born`);
  for (const width of [1280, 1100, 900, 899, 768, 390, 320]) {
    await page.setViewportSize({ width, height: 900 });
    const { columns, broken, cut, phones, name, room, rest } = await page.evaluate(shown);
    assert.deepEqual({ columns, broken, cut, name, rest }, { columns: 9, broken: [], cut: [], name: 0, rest: 0 }, `${width} px`);
    assert.ok(phones > 10 && room >= 0, `${width} px: ${phones} numbers, and the last column is ${room} px from the names`);
  }
  await page.setViewportSize({ width: 390, height: 900 });
  await page.reload();
  const region = page.getByRole('region', { name: 'Contacts and their columns' });
  await region.focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelector('.wide').scrollLeft > 0);
  await look(page, 'contacts-columns-all');
  await page.goto(`${base}${place}/contacts`);
  let before = 0;
  for (const width of [320, 390, 600, 660, 768, 899, 900, 1000, 1100, 1280, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    const { columns } = await page.evaluate(shown);
    assert.ok(columns >= before, `${columns} columns at ${width} px, and ${before} where there is less room`);
    before = columns;
  }
  assert.equal(before, 4);
  await page.setViewportSize({ width: 1280, height: 900 });
});

test('of many views the open one is in sight, and all stay in their place', async () => {
  for (let view = 0; view < 12; view += 1) {
    await page.goto(`${base}${place}/views/contacts/new?tag=t${view}`);
    await page.fill('#name', `Of many, number ${view}`);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.waitForURL(/saved=/);
  }
  await page.setViewportSize({ width: 390, height: 900 });
  await page.reload();
  const strip = await page.locator('.views nav').boundingBox();
  const open = await page.locator('.views nav [aria-current]').boundingBox();
  assert.ok(open.x >= strip.x - 1 && open.x + open.width <= strip.x + strip.width + 1, JSON.stringify({ strip, open }));
  await look(page, 'views-many');
});

test('opportunities and tasks have views too', async () => {
  for (const [list, asked] of [['opportunities', 'view=list&status=won'], ['tasks', 'q=call']]) {
    await page.goto(`${base}${place}/${list}?${asked}`);
    await page.getByRole('link', { name: 'Save view' }).click();
    await page.fill('#name', `Of ${list}`);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await said(page, /is saved/);
    for (const pair of asked.split('&')) assert.ok(page.url().includes(pair), page.url());
    assert.equal(await current(page), `Of ${list}, only yours`);
    await measure(page, list);
  }
  await look(page, 'views-tasks');
});
