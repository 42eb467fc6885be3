// Keys on their way to the end, in the demo: notices, Keep, the life line, restoring, and the live count.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, open, begin, look, measure } = require('./support');

let browser;
let page;
test.before(async () => {
  ({ browser, page } = await begin());
});
test.after(async () => browser?.close());

const notice = (name) => page.locator('.notice', { hasText: name });

test('the last day has a banner on every page, and the bell counts', async () => {
  assert.match(await page.locator('.banner').innerText(), /Deleted within a day unless somebody acts: Spring campaign/);
  assert.equal(await page.locator('.bell b').innerText().then((text) => text.trim().split(/\s/)[0]), '7');
  await page.getByRole('link', { name: /Notifications/ }).click();
  await look(page, 'notices');
  assert.equal(await page.locator('.notice').count(), 7);
  assert.match(await notice('Spring campaign').innerText(), /Deletes within a day[^]*in \d+ hours[^]*2 earlier about this key/);
  assert.match(await notice('Partner import').innerText(), /Idle[^]*in 5 days/);
});

test('the key’s page shows its life line, and Keep gives it 90 days', async () => {
  await notice('Spring campaign').getByRole('link', { name: 'Spring campaign' }).click();
  await look(page, 'life-line');
  assert.deepEqual(
    await page.locator('.life .strong').allTextContents(),
    ['Clock started', '15-day notice', '7-day notice', '1-day notice', 'Deletion'],
  );
  assert.equal(await page.locator('.life .sent').count(), 3);
  await page.goto(`${base}/app/agency/settings/keys?tab=idle`);
  await look(page, 'keys-idle');
  assert.equal(await page.locator('tbody tr').count(), 3);
  await page.goBack();
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  assert.match(await page.locator('.pill').first().innerText(), /Active/);
  assert.equal(await page.locator('.banner').count(), 0, 'the banner goes with its reason');
  assert.match(await page.locator('.events').innerText(), /Maria Okafor kept the key Spring campaign/);
});

test('what is settled leaves the list, from the notice itself or by putting it away', async () => {
  await page.goto(`${base}/app/agency/notices`);
  assert.equal(await notice('Spring campaign').count(), 0);
  await notice('Partner import').getByRole('button', { name: 'Keep', exact: true }).click();
  await page.waitForURL(/\/notices$/);
  assert.equal(await notice('Partner import').count(), 0);
  await notice("Intern's script").getByRole('button', { name: /Put away/ }).click();
  assert.equal(await notice("Intern's script").count(), 0);
  await page.getByRole('link', { name: /All, with what was put away/ }).click();
  assert.equal(await notice("Intern's script").count(), 1);
  await look(page, 'notices-all');
});

test('the requests of a key are drawn by day and by hour, with a table that says the same', async () => {
  await page.goto(`${base}/app/agency/settings/keys?tab=location`);
  await page.getByRole('link', { name: 'Marketing Automation' }).click();
  const usage = page.locator('#usage');
  assert.match(await usage.innerText(), /[1-9]\d* in 30 days/);
  await usage.getByRole('link', { name: '48 hours' }).click();
  await page.waitForURL(/by=hours/);
  assert.match(await usage.innerText(), /[1-9]\d* in 48 hours[^]*an hour/);
  await usage.getByText('As a table').click();
  await look(page, 'usage-by-hour');
  const bars = await usage.locator('svg rect').count();
  const rows = await usage.locator('details tbody tr').count();
  assert.ok(rows > 2 && bars >= rows, `${bars} bars, ${rows} rows`);
});

test('keys that nobody has used, or that reach their end, are found', async () => {
  await page.goto(`${base}/app/agency/settings/keys?tab=location`);
  await page.getByLabel('Show', { exact: true }).selectOption('Never used');
  await page.getByRole('button', { name: 'Search' }).click();
  assert.ok(await page.locator('tbody tr').count() > 0);
  for (const row of await page.locator('tbody tr').allInnerTexts()) assert.match(row, /Never used/);
  await look(page, 'keys-never-used');
  await page.getByLabel('Show', { exact: true }).selectOption('Expired, or within 30 days');
  await page.getByRole('button', { name: 'Search' }).click();
  for (const row of await page.locator('tbody tr').allInnerTexts()) assert.doesNotMatch(row, /Never used/);
  await page.getByRole('link', { name: 'Show all' }).click();
  assert.equal(await page.getByLabel('Show', { exact: true }).inputValue(), '');
});

test('what reaches a member is theirs to choose, but for what a key hangs on', async () => {
  await page.goto(`${base}/app/agency/notices`);
  await page.getByRole('link', { name: 'Preferences' }).click();
  await look(page, 'notice-preferences');
  assert.equal(await page.getByText('Always in the app').count(), 2);
  await page.getByLabel('In the app: Old secrets').uncheck();
  await page.getByLabel('Daily mail: Chosen expiry').uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/\/notices$/);
  await page.getByRole('link', { name: 'Preferences' }).click();
  assert.equal(await page.getByLabel('In the app: Old secrets').isChecked(), false);
  assert.equal(await page.getByLabel('Mail at once: Old secrets').isChecked(), true);
  assert.equal(await page.getByLabel('Daily mail: Chosen expiry').isChecked(), false);
});

test('a deleted key is restored from its tombstone', async () => {
  await page.goto(`${base}/app/agency/settings/keys?tab=deleted`);
  await page.getByRole('link', { name: 'Trial of a calendar' }).click();
  await look(page, 'tombstone');
  await page.getByRole('link', { name: 'Create another with the same settings' }).click();
  assert.equal(await page.inputValue('#name'), 'Trial of a calendar');
  await page.goBack();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  assert.match(await page.locator('.pill').first().innerText(), /Active/);
});

test('a lost key is replaced, and its new secret is shown once', async () => {
  await page.goto(`${base}/app/agency/settings/keys?tab=location`);
  await page.getByRole('link', { name: 'Booking widget' }).click();
  await page.getByRole('link', { name: 'Replace' }).click();
  await look(page, 'replace');
  await page.getByRole('button', { name: 'Replace key' }).click();
  assert.match(await page.inputValue('input[readonly]'), /^ks_location_/);
});

test('the bell’s count stays live', async () => {
  await page.goto(`${base}/app/agency`, { waitUntil: 'load' });
  const badge = page.locator('.bell b');
  assert.equal(await badge.isHidden(), true, 'everything was seen');
  // A key's secret is reported as found in public: its owner hears of it without doing anything.
  const keys = await page.context().newPage();
  await keys.goto(`${base}/app/agency/settings/keys/new?preset=read-only&kind=agency`);
  await keys.fill('#name', 'Leaked');
  await keys.getByRole('button', { name: 'Create key' }).click();
  const secret = await keys.inputValue('input[readonly]');
  await keys.close({ runBeforeUnload: false });
  const report = await fetch(`${base}/api-keys/revoke-exposed`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ keys: [secret] }),
  });
  assert.equal(report.status, 202);
  await badge.waitFor({ state: 'visible', timeout: 15000 });
  await page.goto(`${base}/app/agency/notices`);
  assert.match(await notice('Leaked').innerText(), /Exposed[^]*found in public/);
});

test('the audit log tells who did what, filters, and downloads', async () => {
  await page.goto(`${base}/app/agency/audit`);
  await look(page, 'audit');
  await page.locator('summary.chip', { hasText: 'About' }).click();
  await page.getByRole('link', { name: 'API keys', exact: true }).last().click();
  await page.waitForURL(/action=api/);
  assert.match(await page.locator('.events').innerText(), /Maria Okafor kept the key/);
  const details = page.locator('.events details summary').first();
  if (await details.count()) await details.click();
  await look(page, 'audit-open');
  const csv = await page.request.get(`${base}/app/agency/audit.csv?action=api_key.`);
  assert.match(await csv.text(), /^id,at,actor[^]*api_key\.restored/);
});

test('the operator sees the system and its outbox, and can pause deletions', async () => {
  await page.goto(`${base}/app/agency/settings/system`);
  await look(page, 'system');
  assert.match(await page.locator('main').innerText(), /No mail server is set/);
  await page.getByRole('button', { name: 'Pause deletions' }).click();
  assert.match(await page.locator('main').innerText(), /Deletions of unused keys are paused/);
  await page.getByRole('button', { name: 'Go on with deletions' }).click();
  assert.match(await page.locator('main').innerText(), /Running/);
});

test('an old key with a long name stays inside of what it stands in', async () => {
  const long = 'K'.repeat(64);
  await page.goto(`${base}/app/agency/settings/keys?tab=idle`);
  await measure(page, 'idle');
  await page.getByRole('link', { name: "Intern's script" }).click();
  const key = page.url();
  await page.goto(`${key}/edit`);
  await page.fill('#name', long);
  await page.getByRole('button', { name: 'Save' }).click();
  assert.match(await page.locator('.pill').first().innerText(), /Idle, deletes in 13 days/);
  await measure(page, 'an idle key');
  await page.goto(`${base}/app/agency/settings/keys?tab=idle`);
  await measure(page, 'idle, long');
  await page.goto(`${base}/app/agency/notices`);
  await page.getByRole('link', { name: /All, with what was put away/ }).click();
  assert.equal(await notice(long).count(), 1);
  await measure(page, 'notices, long');
});
