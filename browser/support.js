// A browser, and what is asked of every page: no console error, nothing refused by the policy, no accessibility
// violation in either theme, nothing wider than what it stands in.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { chromium } = require('playwright-core');

const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const base = process.env.KEYSTEAD_URL;
const shots = process.env.KEYSTEAD_SCREENSHOTS;

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => fs.existsSync(file));

async function open() {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

/// A page whose console errors fail the test, but for answers that the test expects.
async function visit(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (404|409|422)/.test(message.text())) page.problems.push(message.text());
  });
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith('data:')) page.problems.push(`a request to ${url}`);
  });
  return page;
}

/// Signs in, by the form.
async function signIn(page, email, password) {
  await page.goto(`${base}/app/sign-in`);
  await page.fill('#email', email);
  await page.fill('#password', password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(/\/app\/(agency|locations)/);
}

/// Who the demo is of.
const maria = { email: 'maria@northwind.example', password: 'welcome to northwind' };

/// Begins the tests of a file in the demo, signed in: a browser, and a page in it.
async function begin(options) {
  const browser = await open();
  const page = await visit(browser, options);
  await signIn(page, maria.email, maria.password);
  return { browser, page };
}

const widths = [1280, 900, 768, 390, 320];

/// Whatever is wider than what it stands in, but for what scrolls by itself. Runs in the page.
function overflows() {
  const style = (element) => getComputedStyle(element);
  const root = document.documentElement;
  const found = root.scrollWidth > window.innerWidth ? [`the page is ${root.scrollWidth} px wide`] : [];
  const scrolls = (element) => element !== document.body
    && (/auto|scroll|hidden|clip/.test(style(element).overflowX) || scrolls(element.parentElement));
  for (const element of document.body.querySelectorAll('*')) {
    const own = element.getBoundingClientRect();
    let outer = element.parentElement;
    while (/inline$|contents/.test(style(outer).display)) outer = outer.parentElement;
    if (!own.width || !own.height || element.closest('svg *, .visually-hidden, .skip, details:not([open]) > :not(summary)') || scrolls(outer)) continue;
    const box = outer.getBoundingClientRect();
    const text = `<${element.tagName.toLowerCase()} class="${element.className.baseVal ?? element.className}"> ${element.textContent.trim().slice(0, 40)}`;
    if (own.right > box.right + 1 || own.left < box.left - 1) found.push(`${text} is outside of its ${outer.tagName.toLowerCase()}`);
    // Text has no element of its own.
    if (style(element).overflowX === 'visible' && element.clientWidth && element.scrollWidth > element.clientWidth + 1) {
      found.push(`${text} holds ${element.scrollWidth} px in ${element.clientWidth}`);
    }
  }
  // Fields beside each other are typed into on one line, however long their hints are.
  for (const row of document.querySelectorAll('.two')) {
    const lines = new Map();
    for (const field of row.querySelectorAll(':scope > .field')) {
      const control = field.querySelector('input, select, textarea').getBoundingClientRect().top;
      const line = field.getBoundingClientRect().top;
      if (Math.abs((lines.get(line) ?? control) - control) > 1) found.push(`what is typed into is not on one line: ${row.textContent.trim().slice(0, 80)}`);
      lines.set(line, control);
    }
  }
  return found.slice(0, 6);
}

/// Fields for days that have less room than a day needs. What they hold is cut inside of them, which no box tells of.
function cutDays() {
  const cut = [];
  for (const field of document.querySelectorAll('input[type=date]')) {
    const room = field.getBoundingClientRect().width;
    field.style.width = 'max-content';
    if (room && room < field.getBoundingClientRect().width) cut.push(`${field.name} has ${room} px`);
    field.style.width = '';
  }
  return cut;
}

/// Nothing is wider than its container, on any screen.
async function measure(page, name) {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    assert.deepEqual(await page.evaluate(overflows), [], `${name}, ${width} px`);
    assert.deepEqual(await page.evaluate(cutDays), [], `${name}, ${width} px`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

/// An open menu hangs over what is around it, and stays within the window on any screen.
async function hangs(page, menu, name) {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    const box = await page.locator(menu).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= width, `${name}, ${width} px: ${JSON.stringify(box)}`);
    assert.deepEqual(await page.evaluate(cutDays), [], `${name}, ${width} px`);
    if (shots) await page.screenshot({ path: path.join(shots, `${name}-light-${width}.png`) });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function look(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of widths) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      if (shots) await page.screenshot({ path: path.join(shots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      // What is reachable and readable changes with the theme and between two layouts.
      if (![1280, 390].includes(width)) continue;
      const where = `${name}, ${colorScheme}, ${width} px`;
      // By the debugger, which the page's policy does not concern.
      const client = await page.context().newCDPSession(page);
      await client.send('Runtime.evaluate', { expression: axe });
      const { result } = await client.send('Runtime.evaluate', {
        expression: "axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 160) + ' ' + n.any.map((a) => a.message).join(' '))])))",
        awaitPromise: true,
      });
      await client.detach();
      assert.deepEqual(JSON.parse(result.value), [], `${where}: accessibility`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await measure(page, name);
  assert.deepEqual(page.problems, [], `${name}: problems`);
}

/// Every page of the app, as its own table of routes has them: a new one cannot be forgotten.
function pages() {
  const source = fs.readFileSync(path.join(__dirname, '../crates/keystead-web/src/lib.rs'), 'utf8');
  const places = ['/app/agency', '/app/locations/{location}'];
  const all = [...source.matchAll(/(own)?\(\s*"(\/[^"]*)",\s*get\(/g)].flatMap(([, own, at]) => (own ? [at] : places.map((place) => place + at)));
  assert.ok(all.length > 40, 'the table of routes is read');
  // What is not a page of its own: it leads on, is a file, a stream or a line of text, or the way out.
  const none = /^\/$|^\/app$|sign-out|assets|favicon|robots|\.csv|\.json|\.svg|stream|progress|first-call|theme|choices|search\/found|\/files\/\{file\}$/;
  return all.filter((at) => !none.test(at));
}

module.exports = { base, open, visit, signIn, maria, begin, look, measure, hangs, widths, pages };
