// Names as long as they may be, and without a place to break: on every page and every screen all stays in its place.
const test = require('node:test');
const assert = require('node:assert/strict');
const { base, open, visit, look, measure, hangs, pages } = require('./support');

const long = (letter, length) => letter.repeat(length);
const email = `${long('w', 60)}@${long('x', 50)}.example`;
const password = 'correct horse battery';
const agency = long('A', 120);
const location = long('L', 120);
const person = long('P', 100);
const keyName = long('K', 64);

let browser;
let page;
const seen = new Set();
test.before(async () => {
  browser = await open();
  page = await visit(browser);
});
test.after(async () => browser?.close());

const submit = (text) => page.getByRole('button', { name: text, exact: true }).click();

async function at(url, name, template) {
  await page.goto(base + url);
  await measure(page, name);
  seen.add(template ?? url);
}

/// The page after an action, measured with what it says of it.
async function after(name, text) {
  assert.match(await page.textContent('#flash'), text, name);
  await measure(page, name);
}

test('an instance is set up with the longest names', async () => {
  await page.goto(process.env.KEYSTEAD_SETUP_URL);
  await measure(page, 'setup');
  seen.add('/app/setup');
  await page.fill('#email', email);
  await page.fill('#firstName', person);
  await page.fill('#lastName', person);
  await page.fill('#password', password);
  await page.fill('#agency', agency);
  await page.fill('#location', location);
  await page.fill('#country', 'DE');
  await submit('Set up and make the first key');
  await page.waitForURL(/settings\/keys\/new/);
  await measure(page, 'the first key');
});

let place;
let secret;
let keys;
test('a key with a long name is on every page that has keys', async () => {
  place = page.url().match(/\/app\/locations\/[^/]+/)[0];
  const create = async (url, kind) => {
    await page.goto(base + url);
    await page.fill('#name', keyName);
    if (kind === 'agency') {
      await page.getByRole('radio', { name: /Agency key/ }).check();
      await page.getByRole('radio', { name: /Chosen locations/ }).check();
      await page.getByRole('checkbox', { name: location }).check();
    }
    await page.getByText('More: addresses').click();
    await page.fill('#description', long('d', 1000));
    await page.fill('#allowedIps', '127.0.0.0/8\n2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff\n::1');
    await measure(page, `${url}, filled`);
    await submit('Create key');
    const made = await page.inputValue('#secret');
    await look(page, `long-reveal-${kind}`);
    await submit('Copy');
    return made;
  };
  const agencySecret = await create('/app/agency/settings/keys/new', 'agency');
  secret = await create(`${place}/settings/keys/new`, 'location');
  keys = { '/app/agency': agencySecret.split('_')[2], [place]: secret.split('_')[2] };
  const agent = { 'User-Agent': long('u', 300), Authorization: `Bearer ${secret}` };
  for (let call = 0; call < 3; call += 1) assert.equal((await fetch(`${base}/contacts/`, { headers: agent })).status, 200);

  for (const [where, id] of Object.entries(keys)) {
    const template = where === place ? '/app/locations/{location}' : where;
    const key = `${where}/settings/keys/${id}`;
    await at(where, 'overview', template);
    await at(`${where}/settings/keys?tab=${where === place ? 'location' : 'agency'}`, 'keys', `${template}/settings/keys`);
    await page.fill('#q', long('z', 200));
    await submit('Search');
    await measure(page, 'nothing found');
    await at(`${where}/settings/keys/new`, 'create', `${template}/settings/keys/new`);
    await at(key, 'key', `${template}/settings/keys/{id}`);
    await look(page, `long-key-${where === place ? 'location' : 'agency'}`);
    await at(`${key}?by=hours`, 'key by hours', `${template}/settings/keys/{id}`);
    for (const table of await page.locator('main details summary').all()) await table.click();
    await measure(page, 'key by hours, as a table');
    for (const form of ['edit', 'rotate', 'deactivate', 'delete', 'replace']) {
      await at(`${key}/${form}`, form, `${template}/settings/keys/{id}/${form}`);
    }
    await page.goto(`${base}${key}/delete`);
    await page.fill('#name', 'another');
    await submit('Delete key');
    await measure(page, 'delete, wrong name');
    await page.goto(`${base}${key}/rotate`);
    await submit('Rotate');
    await submit('Copy');
    await page.goto(base + key);
    await look(page, 'long-rotating');
    await submit('End the old secret now');
    await after('finished', /has ended/);
    await submit('Keep');
    await after('kept', /full 90 days/);
  }
});

test('members and locations with long names', async () => {
  await at('/app/agency/members', 'members', '/app/agency/members');
  await at(`${place}/members`, 'members of a location', '/app/locations/{location}/members');
  await at(`${place}/members/invite`, 'invite', '/app/locations/{location}/members/invite');
  await at('/app/agency/members/invite', 'invite', '/app/agency/members/invite');
  const invited = `${long('i', 60)}@${long('j', 50)}.example`;
  await page.fill('#email', invited);
  await page.getByRole('radio', { name: /Location admin/ }).check();
  await page.getByRole('checkbox', { name: location }).check();
  await measure(page, 'invite, filled');
  await submit('Make invitation link');
  await look(page, 'long-invitation');
  const link = await page.inputValue('#link');
  const other = await visit(browser);
  await other.goto(link);
  await measure(other, 'accept');
  seen.add('/app/invite/{token}');
  await other.fill('#firstName', person);
  await other.fill('#lastName', person);
  await other.fill('#password', password);
  await other.getByRole('button', { name: 'Join' }).click();
  await measure(other, 'a location admin’s first page');
  await other.goto(`${base}${place}/settings/keys/new`);
  await other.fill('#name', keyName);
  await other.getByRole('button', { name: 'Create key' }).click();
  await other.getByRole('button', { name: 'Copy', exact: true }).click();
  await other.locator('[data-leaves-secret]').click();
  await other.waitForURL(/settings\/keys\/(?!new)[^/]+$/);
  await other.context().close();

  await page.goto(`${base}/app/agency/members`);
  await look(page, 'long-members');
  const member = await page.locator('a.name').first().getAttribute('href');
  const id = member.split('/').pop();
  for (const [where, template] of [['/app/agency', '/app/agency'], [place, '/app/locations/{location}']]) {
    await at(`${where}/members/${id}`, 'member', `${template}/members/{id}`);
    await at(`${where}/members/${id}/disable`, 'disable', `${template}/members/{id}/disable`);
  }
  await page.getByRole('button', { name: 'Disable member' }).click();
  await after('disabled', /is disabled and signed out/);

  await at('/app/agency/locations', 'locations', '/app/agency/locations');
  await page.fill('#q', long('z', 200));
  await submit('Search');
  await measure(page, 'no location found');
  await at('/app/agency/locations/new', 'new location', '/app/agency/locations/new');
  await page.fill('#name', long('N', 120));
  await submit('Save');
  await after('added', /is added/);
  await at(`/app/agency/locations/${place.split('/').pop()}`, 'location', '/app/agency/locations/{id}');
  for (const field of ['address', 'city', 'state']) await page.fill(`#${field}`, long('f', 100));
  await page.fill('#website', `https://${long('w', 60)}.example/${long('p', 200)}`);
  await submit('Save');
  await after('saved', /is saved/);
  await page.goto(`${base}/app/agency/locations/${place.split('/').pop()}`);
  await page.getByRole('link', { name: 'Suspend location…' }).click();
  await measure(page, 'suspend');
  seen.add('/app/agency/locations/{id}/suspend');
  await at(`/app/agency/locations/${place.split('/').pop()}/delete`, 'delete a location', '/app/agency/locations/{id}/delete');
  await submit('Delete location');
  await look(page, 'long-location-kept');
  await page.goto(`${base}/app/agency/locations/${place.split('/').pop()}/suspend`);
  await submit('Suspend location');
  await after('suspended', /is suspended/);
  await at(place, 'a suspended location', '/app/locations/{location}');
  await at(`${place}/settings/keys/${keys[place]}`, 'a suspended key', '/app/locations/{location}/settings/keys/{id}');
  await look(page, 'long-suspended');
  await page.goto(`${base}/app/agency/locations/${place.split('/').pop()}`);
  await submit('Resume location');
  await after('resumed', /goes on/);
  await page.locator('.switch summary').click();
  await measure(page, 'the switcher, open');
});

test('notices, the audit log and the system page', async () => {
  const id = keys['/app/agency'];
  await page.goto(`${base}/app/agency/settings/keys/${id}/rotate`);
  await submit('Rotate');
  const leaked = await page.inputValue('#secret');
  await submit('Copy');
  await fetch(`${base}/api-keys/revoke-exposed`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ keys: [leaked] }),
  });
  await page.goto(`${base}/app/agency`);
  await page.locator('.bell b').waitFor({ state: 'visible', timeout: 15000 });
  await at(`/app/agency/settings/keys/${id}`, 'an exposed key', '/app/agency/settings/keys/{id}');
  await look(page, 'long-exposed');
  await at('/app/agency/notices', 'notices', '/app/agency/notices');
  await look(page, 'long-notices');
  await page.getByRole('button', { name: /Put away/ }).first().click();
  await after('put away', /is put away/);
  await at(`${place}/notices`, 'notices of a location', '/app/locations/{location}/notices');
  await at('/app/agency/notices/preferences', 'preferences', '/app/agency/notices/preferences');
  await at(`${place}/notices/preferences`, 'preferences', '/app/locations/{location}/notices/preferences');
  await at('/app/agency/audit', 'audit', '/app/agency/audit');
  for (const row of await page.locator('.events details summary').all()) await row.click();
  await measure(page, 'audit, open');
  await at('/app/account', 'account', '/app/account');
  await at('/app/agency/settings/system', 'system', '/app/agency/settings/system');
  await submit('Pause deletions');
  await after('paused', /paused/);
  await submit('Go on with deletions');
  // The mail about the exposed key is written within a minute.
  for (let second = 0; second < 90 && !(await page.locator('main details').count()); second += 1) {
    await page.waitForTimeout(1000);
    await page.goto(`${base}/app/agency/settings/system`);
  }
  await page.locator('main details summary').first().click();
  await look(page, 'long-system');
  await at('/app/agency/settings/general', 'general');
  await look(page, 'long-general');

  await page.goto(`${base}/app/agency/settings/keys/${id}/delete`);
  await page.fill('#name', keyName);
  await submit('Delete key');
  await after('deleted', /is deleted/);
  await page.goto(`${base}/app/agency/settings/keys/${id}`);
  await look(page, 'long-tombstone');
});

test('a contact with long names is listed, found and shown', async () => {
  await page.goto(`${base}${place}/settings/keys/new?preset=full-access`);
  await page.fill('#name', 'Writes contacts');
  await submit('Create key');
  const key = await page.inputValue('#secret');
  await submit('Copy');
  const send = (path, body) => fetch(base + path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const made = await send('/contacts/', {
    firstName: long('f', 100), lastName: long('l', 100), email: `${long('e', 60)}@${long('d', 60)}.example`,
    companyName: long('c', 100), tags: ['t', 'u', 'v', 'w'].map((letter) => long(letter, 60)), city: long('y', 100), dnd: true,
  });
  assert.equal(made.status, 201, await made.clone().text());
  const { id } = (await made.json()).contact;
  await send(`/contacts/${id}/notes`, { title: long('n', 200), body: `${long('b', 500)}\nnext line` });
  await send(`/contacts/${id}/tasks`, { title: long('k', 300), dueDate: '2020-01-01', completed: false });
  await at(`${place}/contacts`, 'contacts', '/app/locations/{location}/contacts');
  await look(page, 'long-contacts');
  await at(`${place}/contacts/${id}`, 'contact', '/app/locations/{location}/contacts/{id}');
  await look(page, 'long-contact');
  const form = '/app/locations/{location}/contacts';
  await at(`${place}/contacts/${id}/edit`, 'edit a contact', `${form}/{id}/edit`);
  await page.fill('#email', long('e', 60));
  await submit('Save');
  await look(page, 'long-contact-refused');
  await at(`${place}/contacts/new`, 'new contact', `${form}/new`);
  const other = await (await send('/contacts/', { firstName: long('f', 100), lastName: long('m', 100), city: long('z', 100) })).json();
  await at(`${place}/contacts/${id}/merge?q=${long('f', 75)}`, 'the other contact', `${form}/{id}/merge`);
  await at(`${place}/contacts/${id}/merge?with=${other.contact.id}`, 'two contacts', `${form}/{id}/merge`);
  await page.goto(`${base}${place}/contacts?tag=${long('t', 60)}`);
  await page.locator('tbody input[type=checkbox]').first().check();
  await measure(page, 'contacts, chosen');
  await page.locator('.chip.add').click();
  await hangs(page, '.chips .menu', 'contacts, a filter');
  const views = '/app/locations/{location}/views/{viewed}';
  const all = 'email,company,tags,owner,added,city,state,source';
  for (let view = 0; view < 12; view += 1) {
    await at(`${place}/views/contacts/new?columns=${all}`, 'a new view', `${views}/new`);
    await page.fill('#name', long('V', 62) + String(10 + view));
    if (view % 2) await page.getByRole('checkbox', { name: /Share it/ }).check();
    await submit('Save');
  }
  await after('a view saved', /is saved/);
  await look(page, 'long-views');
  await page.goto(`${page.url()}&tag=${long('t', 60)}`);
  await measure(page, 'a view, changed');
  await page.locator('.views .more summary').click();
  await hangs(page, '.views .menu', 'views, a menu');
  await page.getByText('Columns', { exact: true }).click();
  await hangs(page, '.tools .menu:has(.picks)', 'contacts, columns');
  await at(`${place}/views/contacts/${page.url().match(/saved=(\w+)/)[1]}`, 'a view', `${views}/{id}`);
  await submit('Delete view');
  await after('a view deleted', /is deleted/);
  await at(`${place}/contacts/${id}/erase`, 'erase', '/app/locations/{location}/contacts/{id}/erase');
  await fetch(`${base}/contacts/${id}`, { method: 'DELETE', headers: { Authorization: `Bearer ${key}` } });
  await at(`${place}/contacts/trash`, 'trash', '/app/locations/{location}/contacts/trash');
  await look(page, 'long-trash');
  await submit(`Restore ${long('f', 100)} ${long('l', 100)}`);
  await after('restored', /is restored/);
  const imports = `${place}/contacts/imports`;
  await at(`${imports}/new`, 'import', `${form}/imports/new`);
  const head = [long('h', 200), 'E-Mail', long('g', 64)].join(',');
  const rows = `${long('r', 300)},${long('q', 300)},x\n${long('s', 300)},ok@example.com,y\n`;
  await page.setInputFiles('#file', { name: `${long('i', 200)}.csv`, mimeType: 'text/csv', buffer: Buffer.from(`${head}\n${rows}`) });
  await submit('Send file');
  await measure(page, 'mapping');
  await look(page, 'long-mapping');
  seen.add(`${form}/imports/files/{id}`);
  await submit('Try it first');
  await page.waitForFunction(() => document.querySelector('[data-over]') && !document.querySelector('[data-refresh]'));
  await measure(page, 'an import');
  await look(page, 'long-import');
  seen.add(`${form}/imports/{id}`);
  await at(imports, 'imports', `${form}/imports`);
  await look(page, 'long-imports');
  for (const [where, template] of [['/app/agency', '/app/agency'], [place, '/app/locations/{location}']]) {
    await at(`${where}/search?q=f`, 'search', `${template}/search`);
    await at(`${where}/search?q=${long('z', 190)}`, 'search for nothing', `${template}/search`);
    await page.fill('#find', 'f');
    await page.waitForSelector('.found:not([hidden])');
    await measure(page, 'search, open');
  }
});

test('opportunities, their pipelines, tags, fields, values and tasks with long names', async () => {
  await page.goto(`${base}${place}/settings/keys/new?preset=full-access`);
  await page.fill('#name', 'Writes everything');
  await submit('Create key');
  const key = await page.inputValue('#secret');
  await submit('Copy');
  const send = async (path, body, noun) => {
    const answer = await fetch(base + path, {
      method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
    const made = await answer.json();
    assert.ok(answer.ok, `${path}: ${JSON.stringify(made)}`);
    return made[noun] ?? made;
  };
  const of = `/locations/${place.split('/').pop()}`;
  const contact = await send('/contacts/', { firstName: long('f', 100), email: `${long('o', 60)}@${long('d', 60)}.example` }, 'contact');
  const stages = ['S', 'T', 'U', 'V', 'W'].map((letter) => ({ name: long(letter, 200) }));
  const pipeline = await send('/opportunities/pipelines', { name: long('P', 200), stages }, 'pipeline');
  const field = await send(`${of}/customFields`, {
    name: long('c', 200), dataType: 'MULTIPLE_OPTIONS', model: 'opportunity', options: [long('p', 200), long('q', 200)], placeholder: long('h', 200),
  }, 'customField');
  const deal = await send('/opportunities/', {
    name: long('O', 300), pipelineId: pipeline.id, contactId: contact.id, status: 'open', monetaryValue: 999999999999999, source: long('s', 200),
    customFields: [{ id: field.id, field_value: [long('p', 200)] }],
  }, 'opportunity');
  const tag = await send(`${of}/tags`, { name: long('t', 100) }, 'tag');
  const hook = await send('/webhooks', {
    url: `https://hooks.example.com/${long('u', 1900)}`, events: ['contact.*', 'note.created'], description: long('d', 500), appId: long('i', 100),
    headers: { [long('x', 100)]: 'secret' },
  }, 'webhook');
  const example = await send(`/webhooks/${hook.id}/test`, { event: 'opportunity.updated' }, 'delivery');
  const inbound = await send('/inbound-webhooks', {
    name: long('n', 200), contact: { email: `{{payload.${long('m', 200)}}}`, tags: [long('t', 100)] },
  }, 'inboundWebhook');
  const { url: address } = await send(`/inbound-webhooks/${inbound.id}/rotate-token`, {}, null);
  await fetch(base + new URL(address).pathname, { method: 'POST', body: JSON.stringify({ [long('m', 200)]: long('v', 2000) }) });
  const link = await send('/links/', {
    name: long('l', 200), redirectTo: `https://example.com/${long('r', 1900)}`, slug: long('s', 60), fallbackUrl: `https://example.com/${long('f', 1900)}`,
  }, 'link');
  const own = await send(`/links/${link.id}/tokens`, { contactId: contact.id }, 'url');
  await fetch(base + new URL(own).pathname, { redirect: 'manual', headers: { Referer: `https://${long('e', 60)}.${long('g', 60)}.example/` } });
  const value = await send(`${of}/customValues`, { name: long('v', 200), value: long('w', 2000) }, 'customValue');
  await send(`/contacts/${contact.id}/tasks`, { title: long('k', 300), body: long('b', 500), dueDate: '2020-01-01', completed: false }, 'task');
  const template = '/app/locations/{location}';
  const look_at = async (path, shape, name) => { await at(`${place}${path}`, name, `${template}${shape}`); };
  await look_at(`/opportunities?pipeline=${pipeline.id}`, '/opportunities', 'board');
  await look(page, 'long-board');
  await page.locator('.deal .more summary').click();
  const menu = await page.locator('.deal .menu').boundingBox();
  assert.ok(menu.x >= 0 && menu.x + menu.width <= 1280, JSON.stringify(menu));
  await look_at(`/opportunities?view=list&pipeline=${pipeline.id}`, '/opportunities', 'list of opportunities');
  await look(page, 'long-opportunities');
  await look_at(`/opportunities/${deal.id}`, '/opportunities/{id}', 'opportunity');
  await look(page, 'long-opportunity');
  await look_at(`/opportunities/new?contact=${contact.id}`, '/opportunities/new', 'new opportunity');
  await look_at(`/opportunities/${deal.id}/delete`, '/opportunities/{id}/delete', 'delete an opportunity');
  await look_at('/tasks', '/tasks', 'tasks');
  await look(page, 'long-tasks');
  for (const [name, id] of [['pipelines', pipeline.id], ['tags', tag.id], ['custom-fields', field.id], ['custom-values', value.id]]) {
    await look_at(`/settings/${name}`, `/settings/${name}`, name);
    await look(page, `long-${name}`);
    if (name !== 'tags') await look_at(`/settings/${name}/new`, `/settings/${name}/new`, `new, ${name}`);
    await look_at(`/settings/${name}/${id}`, `/settings/${name}/{id}`, `one of ${name}`);
    await look(page, `long-one-of-${name}`);
    await look_at(`/settings/${name}/${id}/delete`, `/settings/${name}/{id}/delete`, `delete, ${name}`);
  }
  for (const rest of ['', '/new']) await look_at(`/links${rest}`, `/links${rest}`, `trigger links${rest}`);
  for (const rest of ['', '/edit', '/delete']) await look_at(`/links/${link.id}${rest}`, `/links/{id}${rest}`, `trigger link${rest}`);
  await page.goto(`${base}${place}/links/${link.id}`);
  await look(page, 'long-link');
  const incoming = '/settings/webhooks/incoming';
  for (const rest of ['', '/new']) await look_at(`${incoming}${rest}`, `${incoming}${rest}`, `incoming webhooks${rest}`);
  for (const rest of ['', '/edit', '/rotate', '/delete']) await look_at(`${incoming}/${inbound.id}${rest}`, `${incoming}/{id}${rest}`, `incoming webhook${rest}`);
  for (const [at_place, shape] of [[place, template], ['/app/agency', '/app/agency']]) {
    const hooks = async (rest, path = rest) => { await at(`${at_place}/settings/webhooks${path}`, `webhooks${rest}`, `${shape}/settings/webhooks${rest}`); };
    for (const rest of ['', '/new', '/signing-key']) await hooks(rest);
    for (const rest of ['', '/edit', '/rotate-secret', '/delete']) await hooks(`/{id}${rest}`, `/${hook.id}${rest}`);
    await hooks('/{id}/deliveries/{delivery}', `/${hook.id}/deliveries/${example.id}`);
  }
  const fields = [
    { key: long('k', 64), label: long('l', 1000), hint: long('h', 400), required: true, mapsTo: 'contact.company_name', width: 50 },
    { key: 'email', type: 'email', label: long('e', 200), mapsTo: 'contact.email', width: 50 },
    { key: 'phone', type: 'phone', label: 'x', mapsTo: 'contact.phone' },
    { key: 'level', type: 'radio', label: long('q', 200), options: [long('o', 200), long('n', 200)], visibleIf: { field: 'email', op: 'eq', value: long('v', 200) } },
    { key: 'list', type: 'select', label: 'x', options: [long('s', 200)] },
    { key: 'agree', type: 'consent', label: long('c', 1000) },
  ];
  const definition = {
    slug: long('s', 64), title: long('T', 200), intro: long('i', 1000), submit: long('B', 50), pages: [{ title: long('p', 200), fields }],
    after: { message: long('m', 500) }, contact: { tags: [long('g', 100)] }, spam: { minSeconds: 0 },
  };
  const asked = await send('/forms/', { name: long('F', 200), definition }, 'form');
  await send(`/forms/${asked.id}/publish`, {}, 'form');
  const answers = { [long('k', 64)]: long('a', 200), email: `${long('o', 60)}@${long('d', 60)}.example`, phone: '+14155550123', list: long('s', 200), agree: true };
  const submitted = await send(`/forms/${asked.id}/submissions`, { answers }, 'submission');
  for (const [path, shape] of [
    ['/forms', '/forms'], ['/forms/new', '/forms/new'], [`/forms/${asked.id}`, '/forms/{id}'], [`/forms/${asked.id}/fields/level`, '/forms/{id}/fields/{field}'],
    [`/forms/${asked.id}/fields/email/delete`, '/forms/{id}/fields/{field}/delete'], [`/forms/${asked.id}/settings`, '/forms/{id}/settings'],
    [`/forms/${asked.id}/pages/1`, '/forms/{id}/pages/{page}'], [`/forms/${asked.id}/pages/1/delete`, '/forms/{id}/pages/{page}/delete'],
    [`/forms/${asked.id}/share`, '/forms/{id}/share'], [`/forms/${asked.id}/versions`, '/forms/{id}/versions'],
    [`/forms/${asked.id}/versions/1/restore`, '/forms/{id}/versions/{version}/restore'], [`/forms/${asked.id}/delete`, '/forms/{id}/delete'],
    ['/submissions', '/submissions'], [`/forms/${asked.id}/submissions/${submitted.id}`, '/forms/{id}/submissions/{submission}'],
    [`/forms/${asked.id}/preview`, '/forms/{id}/preview'],
  ]) {
    await look_at(path, shape, `long ${shape}`);
  }
  // What strangers see of it.
  await page.goto(`${base}/f/${asked.id}`);
  await measure(page, 'a form');
  await page.locator('button[type=submit]').click();
  await measure(page, 'a form with problems');
});

test('pages for everybody, and every page was measured', async () => {
  for (const name of ['quickstart', 'api-keys', 'errors']) await at(`/docs/${name}`, name, '/docs/{page}');
  await at('/docs', 'docs', '/docs');
  await at('/docs/errors/key_unknown', 'an error code', '/docs/errors/{code}');
  await at('/docs/reference', 'reference', '/docs/reference');
  await at('/docs/reference/1.0', 'older reference', '/docs/reference/{api}');
  await at('/docs/reference/2.0/contacts', 'operations', '/docs/reference/{api}/{noun}');
  await page.goto(`${base}/app/nothing`);
  await measure(page, 'missing');
  await page.goto(`${base}/app/agency`);
  await page.click('.me summary');
  await submit('Sign out');
  await measure(page, 'signed out');
  await at('/app/sign-in?next=%2Fapp&lost=1', 'sign in', '/app/sign-in');
  assert.deepEqual(pages().filter((known) => !seen.has(known)), [], 'pages that this test does not know');
});
