// Every page of the demo, each once, at five widths and in both themes: for whoever wants to look.
const fs = require('node:fs');
const path = require('node:path');
const { base, open, visit, signIn, maria, widths, pages } = require('./support');

const folder = process.env.KEYSTEAD_SCREENSHOTS;

/// Whether an address is of a page of the table: `/app/agency/settings/keys/{id}`.
function pageOf(address) {
  const parts = address.split('/');
  const suits = (page) => {
    const wanted = page.split('/');
    return wanted.length === parts.length && wanted.every((part, at) => part === parts[at] || part.startsWith('{'));
  };
  // A part that is named is meant before one that could be anything.
  return pages().filter(suits).sort((one, other) => one.split('{').length - other.split('{').length)[0];
}

async function shoot(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
}

(async () => {
  fs.mkdirSync(folder, { recursive: true });
  const browser = await open();
  const page = await visit(browser);
  await page.goto(`${base}/app/sign-in`);
  await shoot(page, 'app_sign-in');
  await signIn(page, maria.email, maria.password);
  const [waiting, seen] = [[new URL(page.url()).pathname, '/docs', '/app/account'], new Set()];
  while (waiting.length) {
    const address = waiting.shift();
    const template = pageOf(address.split('?')[0]);
    if (!template || seen.has(template)) continue;
    seen.add(template);
    await page.setViewportSize({ width: 1280, height: 900 });
    const answer = await page.goto(base + address);
    if (answer.status() !== 200) continue;
    await shoot(page, template.slice(1).replace(/[{}]/g, '').replace(/\//g, '_') || 'start');
    const links = await page.$$eval('a[href^="/"]', (all) => all.map((link) => link.getAttribute('href').split('#')[0]));
    waiting.push(...links);
  }
  await browser.close();
  const missing = pages().filter((template) => !seen.has(template));
  console.log(`${seen.size} pages in ${folder}`);
  if (missing.length) console.log(`No link of the demo leads to: ${missing.join(', ')}`);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
