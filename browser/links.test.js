// A trigger link from its form to who clicked on it: its address, a contact's own link, and a click whose verdict is changed.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, begin, hangs, look, visit } = require('./support');

let browser;
let page;
test.before(async () => { ({ browser, page } = await begin()); });
test.after(async () => browser?.close());

const button = (name) => page.getByRole('button', { name, exact: true });

let place;
test('the links of a location are listed, and one tells how it fares', async () => {
  await page.goto(`${base}/app/agency/locations`);
  const at = page.getByRole('link', { name: 'Harbour Dental' }).first();
  place = (await at.getAttribute('href')).match(/\/app\/locations\/[^/?]+/)?.[0];
  await page.goto(`${base}${place}/links`);
  await look(page, 'links');
  await page.getByRole('link', { name: 'Spring check-up offer' }).click();
  const facts = await page.locator('.facts').innerText();
  assert.match(facts, /Clicks of people\s+[1-9]/);
  assert.match(facts, /Bots, not counted\s+[1-9]\d*\s+of \d+ hits/);
  await page.getByText('As a table').click();
  await look(page, 'link');
  await page.getByRole('link', { name: '48 hours' }).click();
  await look(page, 'link-hours');
});

let link;
test('a link is added by its form, which says what is wrong with it', async () => {
  await page.goto(`${base}${place}/links`);
  await page.getByRole('link', { name: 'Add trigger link' }).click();
  await look(page, 'link-new');
  await page.fill('#name', 'Winter offer');
  await page.fill('#redirectTo', 'javascript:alert(1)');
  await page.fill('#slug', 'a b');
  await button('Save').click();
  assert.match(await page.locator('.summary').innerText(), /2 things need a look/);
  await look(page, 'link-new-wrong');
  await page.fill('#redirectTo', `${base}/docs?c={{contact.first_name}}`);
  await page.fill('#slug', '');
  await button('Save').click();
  assert.match(await page.textContent('#flash'), /Winter offer” is added/);
  link = page.url();
  assert.match(await page.locator('.clicks').innerText(), /Nobody has opened it yet/);
});

let own;
test('a contact has a link of their own, whose address is shown once', async () => {
  await page.fill('#contact', 'nobody is called so');
  await button('Make personal link').click();
  assert.match(await page.locator('main').innerText(), /Nobody here is called so/);
  await page.fill('#contact', 'ada.okafor0@example.com');
  await button('Make personal link').click();
  own = await page.inputValue('#minted');
  await look(page, 'link-minted');
  await page.goto(link);
  assert.ok(!(await page.content()).includes(own));
  assert.match(await page.locator('.trail').innerText(), /Ada Okafor/);
});

test('who opens it is led on and shown, and a verdict is changed without a script', async () => {
  // As a browser that is not headless, which would be known by its name.
  const userAgent = (await page.evaluate(() => navigator.userAgent)).replace('Headless', '');
  const stranger = await visit(browser, { userAgent });
  const led = await (await stranger.goto(own)).request().redirectedFrom().response();
  assert.equal(new URL(stranger.url()).searchParams.get('c'), 'Ada');
  assert.deepEqual([led.status(), (await led.allHeaders())['set-cookie']], [302, undefined]);
  const plain = await visit(browser, { javaScriptEnabled: false, storageState: await page.context().storageState() });
  await plain.goto(link);
  assert.match(await plain.locator('.clicks').innerText(), /Ada Okafor/);
  assert.match(await plain.locator('.clicks').innerText(), /Held/);
  await plain.locator('.clicks .more summary').click();
  await plain.getByRole('button', { name: 'A bot: it does not count' }).click();
  assert.match(await plain.textContent('#flash'), /was a bot’s, and does not count/);
  assert.match(await plain.locator('.clicks').innerText(), /Bot/);
  await page.goto(link);
  await page.locator('.clicks .more summary').focus();
  await page.keyboard.press('Enter');
  await hangs(page, '.clicks .menu', 'link-verdict');
});

test('a personal link is ended, and a link switched off and on again', async () => {
  await page.goto(link);
  await page.getByRole('button', { name: 'End the link of Ada Okafor' }).click();
  assert.match(await page.textContent('#flash'), /is ended: who opens it is led on, and is nobody/);
  const stranger = await visit(browser);
  await stranger.goto(own);
  assert.equal(new URL(stranger.url()).searchParams.get('c'), '');
  await page.locator('.strip .more summary').click();
  await button('Switch off').click();
  assert.match(await page.textContent('#flash'), /is switched off/);
  await stranger.goto(own).catch(() => {});
  assert.match(await stranger.locator('main').innerText(), /This has ended/);
  await button('Undo').click();
  assert.match(await page.textContent('#flash'), /is switched on/);
});

test('a link that decides something shows a button, which leads on', async () => {
  const stranger = await visit(browser);
  await stranger.goto(`${base}/l/stop`);
  await look(stranger, 'link-button');
  assert.match(await stranger.locator('main').innerText(), /leads to harbourdental\.example/);
});

test('its QR code and its clicks are files', async () => {
  const offer = `${base}${place}/links`;
  await page.goto(offer);
  await page.getByRole('link', { name: 'Spring check-up offer' }).click();
  const fetched = async (rest) => page.evaluate(async (url) => (await fetch(url)).text(), `${page.url()}${rest}`);
  assert.match(await fetched('/qr.svg'), /^<svg xmlns=/);
  const csv = (await fetched('/clicks.csv')).split('\n');
  assert.equal(csv[0].trim(), 'id,at,contact,verdict,reasons,device,network,referrer,started');
  assert.ok(csv.length > 100);
});
