// What pages weigh: what goes over the line until the first one stands, and then for each one more.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, begin, pages } = require('./support');

const KB = 1000;

let browser;
let page;
let place;
test.before(async () => {
  ({ browser, page } = await begin());
  // A place in which nothing is, so that a page weighs what it weighs beside the rows of its list.
  await page.goto(`${base}/app/agency/locations/new`);
  await page.fill('#name', 'An empty place');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('#flash', { hasText: 'is added' }).waitFor();
  await page.goto(`${base}/app/agency/locations`);
  place = (await page.locator('a.name', { hasText: 'An empty place' }).first().getAttribute('href')).split('/').pop();
});
test.after(async () => browser?.close());

/// Bytes that come over the line while something is done in a page.
async function bytes(of, work) {
  const client = await of.context().newCDPSession(of);
  await client.send('Network.enable');
  let sum = 0;
  client.on('Network.loadingFinished', ({ encodedDataLength }) => { sum += encodedDataLength; });
  await work();
  await of.waitForLoadState('load');
  await client.detach();
  return sum;
}

test('the first page and all that it needs weigh at most 60 KB', async () => {
  for (const start of ['/app/sign-in', '/docs']) {
    const context = await browser.newContext();
    const first = await context.newPage();
    const weight = await bytes(first, () => first.goto(base + start));
    assert.ok(weight > 5 * KB && weight <= 60 * KB, `${start}: ${weight} bytes`);
    await context.close();
  }
  // With a session that is there already, and nothing kept but that.
  const context = await browser.newContext({ storageState: await page.context().storageState() });
  const first = await context.newPage();
  const weight = await bytes(first, () => first.goto(`${base}/app/locations/${place}`));
  assert.ok(weight <= 60 * KB, `a first page of the app: ${weight} bytes`);
  await context.close();
});

test('each page after it weighs at most 25 KB beside what its lists hold', async () => {
  const weights = [];
  for (const template of pages()) {
    if (!template.startsWith('/app/locations/{location}')) continue;
    const url = template.replace('{location}', place);
    if (url.includes('{')) continue;
    await page.goto('about:blank');
    weights.push([await bytes(page, () => page.goto(base + url)), template]);
  }
  assert.ok(weights.length > 15, 'the pages of a location are read');
  weights.sort(([one], [other]) => other - one);
  const heavy = weights.filter(([weight]) => weight > 25 * KB);
  assert.deepEqual(heavy, []);
  console.log(`heaviest: ${weights.slice(0, 3).map(([weight, url]) => `${url} ${(weight / KB).toFixed(1)} KB`).join(', ')}`);
});
