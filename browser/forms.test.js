// Forms: built in the app, filled in by strangers with a script and without, framed, and judged alike on both sides.
const test = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { base, open, visit, maria, begin, look } = require('./support');

let browser;
let page;
let place;
test.before(async () => {
  ({ browser, page } = await begin());
  await page.goto(`${base}/app`);
  await page.click('.switch summary');
  await page.locator('#switch-places a', { hasText: 'Pine Street Clinic' }).click();
  await page.waitForURL(/\/locations\/[^/]+$/);
  place = new URL(page.url()).pathname;
});
test.after(async () => browser?.close());

const press = (where, text) => where.getByRole('button', { name: text, exact: true }).click();
const stranger = (options) => visit(browser, options);

/// A key of the location, for what is made by programs.
async function key() {
  await page.goto(`${base}${place}/settings/keys/new?preset=full-access`);
  await page.fill('#name', `Forms ${Date.now()}`);
  await page.locator('main form button.main').click();
  const secret = await page.locator('text=/ks_[A-Za-z0-9_]+/').first().textContent();
  return secret.match(/ks_[A-Za-z0-9_]+/)[0];
}

async function call(secret, method, path, body) {
  const headers = { authorization: `Bearer ${secret}`, version: '2021-07-28', 'content-type': 'application/json' };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
  return json;
}

test('a form is built, looked at, published and answered', async () => {
  await page.goto(`${base}${place}/forms`);
  await look(page, 'forms');
  await page.click('text=Add form');
  await look(page, 'form-new');
  await page.fill('#name', 'Enquiry');
  await press(page, 'Add form');
  await page.waitForURL(/forms\/[A-Za-z0-9]{20}$/);
  const at = page.url();
  await page.fill('#label', 'Budget');
  await page.selectOption('#type', 'number');
  await press(page, 'Add field');
  await page.waitForURL(/fields\/budget$/);
  await look(page, 'form-field');
  await page.goto(at);
  await page.fill('#label', 'Why so much?');
  await page.selectOption('#type', 'textarea');
  await press(page, 'Add field');
  await page.selectOption('#visibleIf', 'budget');
  await page.selectOption('#op', 'gt');
  await page.fill('#compared', '1000');
  await page.check('#required');
  await press(page, 'Save');
  await page.waitForURL(at);
  assert.match(await page.textContent('.parts'), /shown if “Budget” is more than 1000/);
  await press(page, 'Move Budget up');
  const labels = await page.locator('.parts a.name').allTextContents();
  assert.equal(labels.indexOf('Budget'), labels.length - 3, 'it moved');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Move Budget up', 'and can be moved on');
  const preview = page.frameLocator('iframe.preview');
  await preview.locator('#f-budget').fill('2000');
  await preview.locator('#f-why_so_much').waitFor();
  await preview.getByRole('button', { name: 'Send' }).click();
  assert.equal(page.url().split('#')[0], at, 'nothing is sent from a preview');
  await look(page, 'form-builder');
  for (const tab of ['settings', 'share', 'versions']) {
    await page.goto(`${at}/${tab}`);
    await look(page, `form-${tab}`);
  }
  await page.goto(`${at}/settings`);
  await page.fill('[name="after.message"]', 'Hello {{contact.first_name}}');
  await press(page, 'Save');
  assert.match(await page.textContent('.summary, .note.bad'), /not told to strangers/);
  await page.fill('[name="after.message"]', 'Thank you, {{answer.name}}');
  await press(page, 'Save');
  await page.goto(at);
  await press(page, 'Publish');
  assert.match(await page.textContent('#flash'), /is published/);
  const address = await page.getAttribute('.strip .actions a', 'href');

  // With a script, what depends on an answer shows when it is given.
  const visitor = await stranger();
  await visitor.goto(base + address);
  await look(visitor, 'public-form');
  assert.equal(await visitor.isVisible('#f-why_so_much'), false);
  await visitor.fill('#f-budget', '1000.01');
  assert.equal(await visitor.isVisible('#f-why_so_much'), true);
  await visitor.waitForTimeout(2100);
  await press(visitor, 'Send');
  assert.match(await visitor.textContent('.summary'), /Name: an answer is needed/);
  assert.equal(await visitor.inputValue('#f-budget'), '1000.01');
  await look(visitor, 'public-form-problems');
  await visitor.click('.summary a[href="#f-name"]');
  assert.equal(await visitor.evaluate(() => document.activeElement.id), 'f-name');
  await visitor.fill('#f-name', 'Ada <b>Lovelace</b>');
  await visitor.fill('#f-email', `ada-${Date.now()}@example.com`);
  await visitor.fill('#f-message', 'Hello');
  await visitor.fill('#f-why_so_much', 'Because');
  await visitor.check('#f-consent');
  await press(visitor, 'Send');
  assert.match(await visitor.textContent('main'), /Thank you, Ada <b>Lovelace<\/b>/);
  await look(visitor, 'public-thanks');
  await visitor.context().close();

  // Without one everything is shown, and what is hidden is not needed.
  const plain = await stranger({ javaScriptEnabled: false });
  await plain.goto(base + address);
  assert.equal(await plain.isVisible('#f-why_so_much'), true);
  await plain.fill('#f-name', 'Grace');
  await plain.fill('#f-email', `grace-${Date.now()}@example.com`);
  await plain.fill('#f-message', 'Hello');
  await plain.check('#f-consent');
  await plain.getByRole('button', { name: 'Send' }).click();
  assert.match(await plain.textContent('main'), /Thank you, Grace/);
  await plain.context().close();
});

test('submissions are looked through, and what was held is decided', async () => {
  await page.goto(`${base}${place}/submissions`);
  await look(page, 'submissions');
  await page.goto(`${base}${place}/submissions?state=held`);
  await look(page, 'submissions-held');
  await page.locator('td a.name').first().click();
  await look(page, 'submission-held');
  await press(page, 'Accept');
  assert.match(await page.textContent('#flash'), /counts now/);
  await look(page, 'submission');
});

/// Numbers that come the same each time.
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const TEXTS = ['', ' ', 'a', 'A', 'ä', 'Straße', 'STRASSE', 'e\u0301t\u00e9', 'ÉTÉ', 'x\u00a0', '\u3000y', 'ﬁn', 'İ', 'ς', 'Σ', 'ø', '10', 'a b', 'b', 'b\ufeff', '\u2028b\u2029'];
const NUMBERS = ['', '0', '-0', '1', '1.0', '1.000000001', '-2.5', '999999999999999', '999999999999999.999999999', ' 7 ', '007'];
const OPTIONS = ['Gold', 'gold', 'Silver', 'Straße'];

/// A form of fields that depend on earlier ones, each in some way.
function madeUp(number) {
  const pick = (list) => list[number(list.length)];
  const fields = [];
  const types = ['text', 'textarea', 'number', 'money', 'select', 'radio', 'multi', 'checkbox', 'rating', 'date', 'time'];
  const literal = (type) => {
    if (['text', 'textarea'].includes(type)) return pick(TEXTS.filter((text) => text.trim()));
    if (['number', 'money', 'rating'].includes(type)) return pick(['0', '1', '2', '-2.5', '7', '999999999999999']);
    if (['select', 'radio', 'multi'].includes(type)) return pick(OPTIONS);
    if (type === 'date') return pick(['2026-01-31', '2026-02-28', '1990-09-25']);
    if (type === 'time') return pick(['10:00', '23:59']);
    return true;
  };
  const ops = (type) => {
    if (['checkbox'].includes(type)) return ['eq', 'not_eq', 'exists', 'not_exists'];
    if (['number', 'money', 'rating', 'date'].includes(type)) return ['eq', 'not_eq', 'in', 'gt', 'gte', 'lt', 'lte', 'exists', 'not_exists'];
    return ['eq', 'not_eq', 'in', 'contains', 'not_contains', 'begins', 'exists', 'not_exists'];
  };
  const condition = (depth) => {
    const kind = depth > 2 ? 3 : number(6);
    if (kind === 0) return { all: [condition(depth + 1), condition(depth + 1)] };
    if (kind === 1) return { any: [condition(depth + 1), condition(depth + 1)] };
    if (kind === 2) return { not: condition(depth + 1) };
    const field = pick(fields);
    const op = pick(ops(field.type));
    if (op.endsWith('exists')) return { field: field.key, op };
    return { field: field.key, op, value: op === 'in' ? [literal(field.type), literal(field.type)] : literal(field.type) };
  };
  for (let index = 0; index < 8; index += 1) {
    const type = pick(types);
    const field = { key: `f${index}`, type, label: `Field ${index}` };
    if (['select', 'radio', 'multi'].includes(type)) field.options = OPTIONS;
    if (index && number(4)) field.visibleIf = condition(0);
    fields.push(field);
  }
  return fields;
}

/// An answer to a field, which it takes.
function answer(field, number) {
  const pick = (list) => list[number(list.length)];
  switch (field.type) {
    case 'text': case 'textarea': return pick(TEXTS);
    case 'number': return pick(NUMBERS);
    case 'money': return pick(['', '0', '7', '1.5', '12.50']);
    case 'select': case 'radio': return pick(['', ...OPTIONS]);
    case 'multi': return OPTIONS.filter(() => number(2));
    case 'checkbox': return Boolean(number(2));
    case 'rating': return pick(['', '1', '2', '5']);
    case 'date': return pick(['', '2026-01-31', '2026-02-28', '1990-09-25']);
    default: return pick(['', '10:00', '23:59']);
  }
}

/// Fills in a form as these answers say, by name, and answers which fields are shown then. Runs in the page.
function filled([fields, answers]) {
  const form = document.querySelector('form');
  for (const { key, type } of fields) {
    const value = answers[key];
    for (const control of [...form.elements].filter((control) => control.name === key)) {
      if (type === 'checkbox') control.checked = value;
      else if (type === 'multi') control.checked = value.includes(control.value);
      else if (['radio', 'rating'].includes(type)) control.checked = control.value === value;
      else control.value = value;
    }
  }
  form.dispatchEvent(new Event('input', { bubbles: true }));
  return fields.filter(({ key }) => !form.querySelector(`[data-key="${key}"]`).hidden).map(({ key }) => key);
}

test('a browser shows what the server judges to be shown', async () => {
  const secret = await key();
  const number = numbers(Number(process.env.KEYSTEAD_SEED || 20261127));
  const visitor = await stranger();
  const counts = { shown: 0, hidden: 0 };
  /// What the server keeps is what is shown and answered.
  const judge = async (fields, all) => {
    const definition = { pages: [{ fields }], spam: { rate: '10000/min/ip' } };
    const { form } = await call(secret, 'POST', '/forms/', { name: 'Made up', definition });
    await call(secret, 'POST', `/forms/${form.id}/publish`, {});
    await visitor.goto(`${base}/f/${form.id}`);
    for (const [turn, answers] of all.entries()) {
      const visible = await visitor.evaluate(filled, [fields, answers]);
      const body = JSON.stringify({ answers, submissionId: String(turn) });
      const sent = await fetch(`${base}/f/${form.id}/submissions`, { method: 'POST', body });
      const context = JSON.stringify({ fields, answers, visible });
      assert.equal(sent.status, 200, `${await sent.text()} ${context}`);
      const { submissions } = await call(secret, 'GET', `/forms/submissions?formId=${form.id}&limit=100`);
      const kept = Object.keys(submissions[0].others).filter((name) => /^f\d+$/.test(name));
      const isAnswered = ({ key, type }) => (type === 'multi' ? answers[key].length : typeof answers[key] === 'string' ? answers[key].trim() : answers[key]);
      const expected = fields.filter((field) => /^f\d+$/.test(field.key) && visible.includes(field.key) && isAnswered(field)).map(({ key }) => key);
      assert.deepEqual(kept.sort(), expected.sort(), context);
      counts.shown += visible.length;
      counts.hidden += fields.length - visible.length;
    }
  };
  for (let round = 0; round < 25; round += 1) {
    // Something is answered whatever else is: nothing at all is not taken.
    const fields = [{ key: 'sent', type: 'checkbox', label: 'Sent' }, ...madeUp(number)];
    await judge(fields, Array.from({ length: 6 }, () => Object.fromEntries(fields.map((field) => [field.key, field.key === 'sent' || answer(field, number)]))));
  }
  // Every text against every other.
  for (const op of ['eq', 'contains', 'begins']) {
    const literals = TEXTS.filter((text) => text.trim());
    const fields = [{ key: 'sent', type: 'checkbox', label: 'Sent' }, { key: 'f0', type: 'text', label: 'Text' }, ...literals.map((value, index) => ({
      key: `f${index + 1}`, type: 'text', label: 'x', visibleIf: { field: 'f0', op, value },
    }))];
    await judge(fields, TEXTS.map((text) => Object.fromEntries(fields.map(({ key }) => [key, key === 'f0' ? text : key === 'sent' || 'x']))));
  }
  assert.ok(counts.hidden > 500 && counts.shown > 500, JSON.stringify(counts));
  assert.deepEqual(visitor.problems, []);
  await visitor.context().close();
});

/// A published form that asks this, by its address.
async function made(secret, pages, more = {}) {
  const definition = { pages, spam: { minSeconds: 0 }, ...more };
  const { form } = await call(secret, 'POST', '/forms/', { name: 'Steps', definition });
  await call(secret, 'POST', `/forms/${form.id}/publish`, {});
  return form.id;
}

const application = [
  { title: 'You', fields: [
    { key: 'name', label: 'Name', required: true, mapsTo: 'contact.full_name' },
    { key: 'email', type: 'email', label: 'E-mail', required: true, mapsTo: 'contact.email' },
    { key: 'work', type: 'radio', label: 'Do you work?', options: ['Yes', 'No'], required: true },
  ] },
  { title: 'Your work', fields: [{ key: 'what', label: 'As what?', required: true, visibleIf: { field: 'work', op: 'eq', value: 'Yes' } }] },
  { fields: [
    { key: 'cv', type: 'file', label: 'CV', accept: ['txt', 'pdf'], required: true },
    { key: 'age', type: 'number', label: 'Age', min: 18 },
  ] },
];

const focused = (of) => of.evaluate(() => document.activeElement.textContent.trim());

test('pages of a form are steps, by keyboard and with what is hidden', async () => {
  const id = await made(await key(), application, { after: { message: 'Thank you, {{answer.name}}; we have {{answer.cv}}' } });
  const visitor = await stranger();
  await visitor.goto(`${base}/f/${id}`);
  await look(visitor, 'public-steps');
  const said = () => visitor.locator('.page:visible .count').textContent();
  // What depends on an answer is no step before that is given.
  assert.equal(await said(), 'Step 1 of 2');
  assert.equal(await visitor.getByRole('button', { name: 'Send' }).isVisible(), false);
  assert.equal(await visitor.getByRole('button', { name: 'Back' }).isVisible(), false);
  // Next says what is missing, and stays.
  await press(visitor, 'Next');
  assert.equal(await visitor.evaluate(() => document.activeElement.id), 'f-name');
  await visitor.fill('#f-name', 'Ada');
  await visitor.fill('#f-email', `ada-${Date.now()}@example.com`);
  await press(visitor, 'Next');
  assert.equal(await said(), 'Step 1 of 2', 'one of a few is chosen first');
  await visitor.check('input[value=Yes]');
  assert.equal(await said(), 'Step 1 of 3');
  // Enter goes on as Next does.
  await visitor.focus('#f-name');
  await visitor.keyboard.press('Enter');
  assert.equal(await focused(visitor), 'Step 2 of 3 Your work');
  await visitor.keyboard.press('Tab');
  assert.equal(await visitor.evaluate(() => document.activeElement.id), 'f-what');
  await press(visitor, 'Back');
  assert.equal(await focused(visitor), 'Step 1 of 3 You');
  await visitor.check('input[value=No]');
  await press(visitor, 'Next');
  assert.equal(await focused(visitor), 'Step 2 of 2', 'what nobody is asked is passed over');
  assert.equal(await visitor.getByRole('button', { name: 'Next' }).isVisible(), false);
  await look(visitor, 'public-steps-last');
  // What the server says leads to its page.
  await visitor.fill('#f-age', '7');
  await visitor.setInputFiles('#f-cv', { name: 'cv.txt', mimeType: 'text/plain', buffer: Buffer.from('my life') });
  await press(visitor, 'Send');
  assert.match(await visitor.textContent('.summary'), /2 answers need a look/);
  assert.match(await visitor.textContent('.summary'), /Choose cv.txt again|choose cv.txt again/);
  assert.equal(await said(), 'Step 2 of 2');
  assert.ok(await visitor.isVisible('#f-cv-problem'));
  await look(visitor, 'public-steps-problems');
  await press(visitor, 'Back');
  await visitor.click('.summary a[href="#f-age"]');
  assert.equal(await visitor.evaluate(() => document.activeElement.id), 'f-age');
  assert.equal(await said(), 'Step 2 of 2');
  await visitor.fill('#f-age', '36');
  // A file that is too large is not sent at all.
  await visitor.evaluate(() => {
    const list = new DataTransfer();
    list.items.add(new File([new Uint8Array(10 * 1024 * 1024 + 1)], 'long.txt'));
    const field = document.querySelector('#f-cv');
    field.files = list.files;
    field.dispatchEvent(new Event('change', { bubbles: true }));
  });
  const before = visitor.url();
  await press(visitor, 'Send');
  assert.match(await visitor.evaluate(() => document.querySelector('#f-cv').validationMessage), /long.txt is larger than 10 MB/);
  assert.equal(visitor.url(), before);
  await visitor.setInputFiles('#f-cv', { name: 'cv.txt', mimeType: 'text/plain', buffer: Buffer.from('my life') });
  await press(visitor, 'Send');
  assert.match(await visitor.textContent('main'), /Thank you, Ada; we have cv.txt/);
  assert.deepEqual(visitor.problems, []);
  await visitor.context().close();

  await page.goto(`${base}${place}/submissions`);
  await page.locator('td a.name', { hasText: 'Ada' }).first().click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('main a[download]')]);
  assert.equal(download.suggestedFilename(), 'cv.txt');
  assert.equal(require('node:fs').readFileSync(await download.path(), 'utf8'), 'my life');
  await look(page, 'submission-with-a-file');
});

test('without a script all pages stand below each other, and a file is sent', async () => {
  const id = await made(await key(), application);
  const plain = await stranger({ javaScriptEnabled: false });
  await plain.goto(`${base}/f/${id}`);
  assert.deepEqual(await plain.locator('.page h2').allTextContents(), ['You', 'Your work']);
  assert.equal(await plain.getByRole('button', { name: 'Next' }).count(), 0);
  await plain.fill('#f-name', 'Grace');
  await plain.fill('#f-email', `grace-${Date.now()}@example.com`);
  await plain.check('input[value=No]');
  await plain.getByRole('button', { name: 'Send' }).click();
  assert.match(await plain.textContent('.summary'), /CV: choose a file/);
  await plain.setInputFiles('#f-cv', { name: 'grace.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') });
  await plain.getByRole('button', { name: 'Send' }).click();
  assert.match(await plain.textContent('main'), /Your answers were sent/);
  await plain.context().close();
});

test('a page of a form and all that it needs weigh at most 15 KB', async () => {
  const id = await made(await key(), application);
  const visitor = await stranger();
  const client = await visitor.context().newCDPSession(visitor);
  await client.send('Network.enable');
  let sum = 0;
  client.on('Network.loadingFinished', ({ encodedDataLength }) => { sum += encodedDataLength; });
  await visitor.goto(`${base}/f/${id}`, { waitUntil: 'load' });
  assert.ok(sum > 3000 && sum <= 15_000, `${sum} bytes`);
  await visitor.context().close();
});

test('pages are added, named, moved, joined and deleted', async () => {
  await page.goto(`${base}${place}/forms/new`);
  await page.fill('#name', 'Of pages');
  await press(page, 'Add form');
  await page.waitForURL(/forms\/[A-Za-z0-9]{20}$/);
  const at = page.url();
  await page.fill('#page-title', 'Second');
  await press(page, 'Add page');
  await page.fill('#label', 'Last question');
  await press(page, 'Add field');
  await page.goto(at);
  const rows = () => page.locator('.parts .name').allTextContents();
  assert.deepEqual((await rows()).slice(-2), ['Page 2: Second', 'Last question']);
  await page.click('.parts a:has-text("Page 1")');
  await look(page, 'form-page');
  await page.fill('#title', 'First');
  await press(page, 'Save');
  assert.match(await page.textContent('#flash'), /is saved/);
  await press(page, 'Move Page 2: Second up');
  assert.deepEqual((await rows()).slice(0, 3), ['Page 1: Second', 'Last question', 'Page 2: First']);
  const preview = page.frameLocator('iframe.preview');
  await preview.locator('.count:visible', { hasText: 'Step 1 of 2' }).waitFor();
  await look(page, 'form-builder-pages');
  await press(page, 'Join Page 2: First with the page before it');
  assert.equal((await rows()).filter((label) => label.startsWith('Page')).length, 1);
  await page.fill('#page-title', 'Third');
  await press(page, 'Add page');
  await page.click('.parts a:has-text("Page 1")');
  await page.click('text=Delete…');
  assert.match(await page.textContent('main'), /fields are deleted with it/);
  await look(page, 'form-page-delete');
  await press(page, 'Delete page');
  assert.match(await page.textContent('#flash'), /Page 1: Second.* is deleted from the draft/);
  assert.deepEqual(await rows(), ['Page 1: Third']);
});

test('another site frames a form that allows it, and learns its height alone', async () => {
  const secret = await key();
  let id;
  const site = http.createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Shop</title><h1>Shop</h1><script src="${base}/f/embed.js" data-form="${id}" async></script>
      <script>window.heard = []; addEventListener('message', (event) => window.heard.push(event.data));</script>`);
  });
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
  const origin = `http://127.0.0.1:${site.address().port}`;
  const fields = [{ key: 'email', type: 'email', label: 'E-mail' }, ...Array.from({ length: 12 }, (_, index) => ({ key: `q${index}`, label: `Question ${index}` }))];
  const make = async (allowedOrigins) => {
    const definition = { pages: [{ fields }], embed: { allowedOrigins }, spam: { minSeconds: 0 } };
    const { form } = await call(secret, 'POST', '/forms/', { name: 'Framed', definition });
    await call(secret, 'POST', `/forms/${form.id}/publish`, {});
    return form.id;
  };
  try {
    const context = await browser.newContext({ viewport: { width: 900, height: 900 } });
    const shop = await context.newPage();
    id = await make([origin]);
    await shop.goto(origin);
    const height = () => shop.evaluate(() => Number(document.querySelector('iframe').getAttribute('height')));
    await shop.waitForFunction(() => Number(document.querySelector('iframe')?.getAttribute('height')) > 800);
    const tall = await height();
    for (const said of await shop.evaluate(() => window.heard)) assert.deepEqual(Object.keys(said).sort(), ['height', 'id', 'keystead']);
    // Nobody else says how high it is.
    await shop.evaluate((form) => window.postMessage({ keystead: 'form', id: form, height: 5 }, '*'), id);
    await shop.waitForTimeout(100);
    assert.equal(await height(), tall);
    const frame = shop.frameLocator('iframe');
    await frame.locator('#f-email').fill('framed@example.com');
    await frame.getByRole('button', { name: 'Send' }).click();
    await frame.locator('text=Thank you').waitFor();
    await shop.waitForFunction((was) => Number(document.querySelector('iframe').getAttribute('height')) < was, tall);
    // One that allows nobody stays empty.
    id = await make([]);
    await shop.goto(origin);
    await shop.waitForTimeout(500);
    assert.equal(await shop.frameLocator('iframe').locator('#f-email').count(), 0);
    await context.close();
  } finally {
    site.close();
  }
});

test('what is typed in settings is kept by every button, and left behind by nobody who does not say so', async () => {
  await page.goto(`${base}${place}/forms`);
  await page.locator('td a.name, a.name').first().click();
  const at = page.url().split('?')[0];
  await page.goto(`${at}/settings`);
  assert.deepEqual(await page.locator('main form').count(), 1, 'no other form is sent from there');
  await page.fill('[name="title"]', 'Typed and not saved');
  // A browser asks, and stays where somebody says so.
  const asked = [];
  const stay = (dialog) => { asked.push(dialog.type()); dialog.dismiss(); };
  page.on('dialog', stay);
  await page.getByRole('link', { name: 'Share', exact: true }).click({ noWaitAfter: true });
  await page.waitForTimeout(300);
  page.off('dialog', stay);
  assert.deepEqual([asked, page.url()], [['beforeunload'], `${at}/settings`]);
  assert.equal(await page.inputValue('[name="title"]'), 'Typed and not saved');
  await press(page, 'Save and publish');
  assert.match(await page.textContent('#flash'), /is published/);
  assert.equal(await page.inputValue('[name="title"]'), 'Typed and not saved');
  const visitor = await stranger();
  await visitor.goto(base + await page.getAttribute('.strip .actions a', 'href'));
  assert.equal((await visitor.textContent('h1')).trim(), 'Typed and not saved');
  await visitor.context().close();
  // Enter in a field saves, and publishes nothing.
  await page.fill('[name="title"]', 'Only saved');
  await page.press('[name="title"]', 'Enter');
  assert.match(await page.textContent('#flash'), /is saved/);
  await page.goto(`${at}/share`);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the script' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.inputValue('#script'));
  await page.goto(`${at}/versions`);
  assert.equal(await page.getByRole('link', { name: /^Restore version/ }).first().textContent(), 'Restore');
});

test('what is typed beside the fields is kept by every button', async () => {
  const secret = await key();
  const definition = { pages: [{ fields: [{ key: 'a', label: 'A' }, { key: 'b', label: 'B' }] }] };
  const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await page.context().storageState() });
  for (const where of [page, await plain.newPage()]) {
    const { form } = await call(secret, 'POST', '/forms/', { name: 'Typed', definition });
    const at = `${base}${place}/forms/${form.id}`;
    const stands = async (label, title) => {
      assert.deepEqual([await where.inputValue('#label'), await where.inputValue('#page-title')], [label, title]);
      assert.equal(await where.getByText(`“${label}” is not part of the form yet`).count(), label ? 1 : 0);
    };
    await where.goto(at);
    await where.fill('#label', 'Budget');
    await where.selectOption('#type', 'number');
    await where.fill('#page-title', 'Money');
    await press(where, 'Move B up');
    await stands('Budget', 'Money');
    await press(where, 'Publish');
    assert.match(await where.textContent('#flash'), /is published/);
    await stands('Budget', 'Money');
    if (where === page) await look(page, 'form-typed');
    assert.equal(await where.inputValue('#type'), 'number');
    // Enter adds what it is pressed in, and publishes nothing.
    await where.press('#label', 'Enter');
    await stands('', 'Money');
    await where.press('#page-title', 'Enter');
    await stands('', '');
    assert.match(await where.textContent('.parts'), /Budget.*Page 2: Money/s);
    assert.match(await where.textContent('.strip'), /The draft differs from what others see/);
  }
  await plain.close();
});

test('one page that two have got is answered twice, and pressed twice it is once', async () => {
  const secret = await key();
  const pages = [{ fields: [{ key: 'name', label: 'Name', required: true, mapsTo: 'contact.full_name' }] }];
  const id = await made(secret, pages, { after: { message: 'Thank you, {{answer.name}}' } });
  const names = async () => {
    const { submissions } = await call(secret, 'GET', `/forms/submissions?formId=${id}&limit=100`);
    return submissions.map(({ others }) => others.name).sort();
  };
  const address = `${base}/f/${id}`;
  // A cache between gives both what it has kept.
  const kept = await (await fetch(address)).text();
  const given = async () => {
    const visitor = await stranger();
    await visitor.route(address, (route) => (route.request().method() === 'GET' ? route.fulfill({ contentType: 'text/html', body: kept }) : route.continue()));
    await visitor.goto(address);
    return visitor;
  };
  const [ada, bob] = [await given(), await given()];
  assert.equal(await ada.inputValue('[name="_id"]'), await bob.inputValue('[name="_id"]'));
  for (const [visitor, name] of [[ada, 'Ada'], [bob, 'Bob']]) {
    await visitor.fill('#f-name', name);
    await press(visitor, 'Send');
    await visitor.getByText(`Thank you, ${name}`).waitFor();
  }
  assert.deepEqual(await names(), ['Ada', 'Bob']);
  // Who goes back and sends something else has sent both, by the page that they had, and by one that is new.
  for (const visitor of [bob, await stranger()]) {
    if (visitor !== bob) {
      await visitor.goto(address);
      await visitor.fill('#f-name', 'Cleo');
      await press(visitor, 'Send');
      await visitor.getByText('Thank you, Cleo').waitFor();
    }
    const name = visitor === bob ? 'Bobby' : 'Cleopatra';
    await visitor.goBack();
    await visitor.fill('#f-name', name);
    await press(visitor, 'Send');
    await visitor.getByText(`Thank you, ${name}`).waitFor();
  }
  assert.deepEqual(await names(), ['Ada', 'Bob', 'Bobby', 'Cleo', 'Cleopatra']);
  const hasty = await stranger();
  await hasty.goto(address);
  await hasty.fill('#f-name', 'Dora');
  const sent = [];
  hasty.on('request', (request) => { if (request.method() === 'POST') sent.push(request.url()); });
  await hasty.evaluate(() => { const send = document.querySelector('.send button'); send.click(); send.click(); });
  await hasty.getByText('Thank you, Dora').waitFor();
  await hasty.goBack();
  await hasty.fill('#f-name', 'Emil');
  await hasty.locator('.send button').dblclick({ delay: 5, noWaitAfter: true });
  await hasty.getByText('Thank you, Emil').waitFor();
  assert.ok(sent.length >= 2, JSON.stringify(sent));
  assert.deepEqual(await names(), ['Ada', 'Bob', 'Bobby', 'Cleo', 'Cleopatra', 'Dora', 'Emil']);
  for (const visitor of [ada, bob, hasty]) await visitor.context().close();
});

test('who answered is led on: alone by itself, from a frame by a link in the whole window', async () => {
  const secret = await key();
  const sandboxes = { open: null, closed: 'allow-scripts allow-forms allow-same-origin' };
  let frame = '';
  const site = http.createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    const body = request.url.startsWith('/thanks') ? '<h1>Thanks at the shop</h1>' : frame;
    response.end(`<!doctype html><title>Shop</title>${body}`);
  });
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
  const origin = `http://127.0.0.1:${site.address().port}`;
  const to = `${origin}/thanks?by=`;
  const definition = {
    pages: [{ fields: [{ key: 'name', label: 'Name' }] }], embed: { allowedOrigins: [origin] }, spam: { minSeconds: 0 },
    after: { redirect: `${to}{{answer.name}}` },
  };
  const { form } = await call(secret, 'POST', '/forms/', { name: 'Leading', definition });
  await call(secret, 'POST', `/forms/${form.id}/publish`, {});
  try {
    for (const javaScriptEnabled of [true, false]) {
      const context = await browser.newContext({ javaScriptEnabled });
      const alone = await context.newPage();
      await alone.goto(`${base}/f/${form.id}`);
      await alone.fill('#f-name', 'Ada & Co');
      await press(alone, 'Send');
      await alone.waitForURL(`${to}Ada%20%26%20Co`);
      for (const sandbox of Object.values(sandboxes)) {
        const shop = await context.newPage();
        frame = `<iframe src="${base}/f/${form.id}/embed"${sandbox ? ` sandbox="${sandbox}"` : ''}></iframe>`;
        await shop.goto(origin);
        const inside = shop.frameLocator('iframe');
        await inside.locator('#f-name').fill('Eve');
        await inside.getByRole('button', { name: 'Send' }).click();
        const on = inside.getByRole('link', { name: 'Go on', exact: true });
        await on.waitFor();
        assert.equal(await inside.getByRole('link').count(), javaScriptEnabled ? 1 : 2, 'the other one where it is needed');
        await shop.waitForTimeout(200);
        assert.equal(await inside.getByText('Thanks at the shop').count(), 0, 'a frame leads nowhere by itself');
        await on.click({ noWaitAfter: true });
        if (sandbox) {
          // The frame may not take the window: another link stays in it.
          await shop.waitForTimeout(300);
          assert.equal(shop.url(), `${origin}/`);
          await inside.getByRole('link', { name: 'go on here' }).click();
          await inside.getByText('Thanks at the shop').waitFor();
        } else {
          await shop.waitForURL(`${to}Eve`);
        }
        await shop.close();
      }
      await context.close();
    }
  } finally {
    site.close();
  }
});
