// What real clients send, and what they stumble over, where the SDKs do not do it: requests as they would arrive.
const test = require('node:test');
const assert = require('node:assert/strict');
const net = require('node:net');
const { setTimeout } = require('node:timers/promises');

const { KEYSTEAD_URL, KEYSTEAD_AGENCY_ID: companyId, KEYSTEAD_LOCATION_ID: locationId } = process.env;
const { KEYSTEAD_LOCATION_KEY: locationKey, KEYSTEAD_AGENCY_KEY: agencyKey } = process.env;
const CONTACTS = 25;

/** A request, as text or as JSON. Many clients name the type of a body also where they send none. */
async function send(method, path, body, key = locationKey) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(new URL(path, KEYSTEAD_URL), { method, headers, body: text });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, text: answer, json: answer ? JSON.parse(answer) : undefined };
}

async function served(status, ...request) {
  const answer = await send(...request);
  assert.equal(answer.status, status, `${request.slice(0, 2).join(' ')}: ${answer.text}`);
  return answer.json;
}

let contactId;

test.before(async () => {
  for (let number = 0; number < CONTACTS; number += 1) {
    const body = { name: `Number ${number}`, email: `n${number}@example.com`, tags: ['one'] };
    const { contact } = await served(201, 'POST', '/contacts/', body);
    contactId = contact.id;
  }
});

test('whole numbers with a fraction of nothing', async () => {
  const list = await served(200, 'GET', `/contacts/?locationId=${locationId}&limit=20.0`);
  assert.equal(list.contacts.length, 20);
  const found = await served(200, 'POST', '/contacts/search', `{"locationId": "${locationId}", "page": 1.0, "pageLimit": 5.0}`);
  assert.deepEqual([found.contacts.length, found.total], [5, CONTACTS]);
  await served(422, 'GET', `/contacts/?locationId=${locationId}&limit=20.5`);
});

test('empty texts and nulls are what was not filled in', async () => {
  const body = { firstName: 'Ada', lastName: null, email: 'empty@example.com', phone: '', dateOfBirth: '' };
  const { contact } = await served(201, 'POST', '/contacts/', body);
  assert.deepEqual([contact.email, contact.phone ?? null], ['empty@example.com', null]);
  const changed = await served(200, 'PUT', `/contacts/${contact.id}`, { email: '', phone: '', city: 'Bern', assignedTo: null });
  assert.deepEqual([changed.contact.email, changed.contact.city], ['empty@example.com', 'Bern']);
  const call = { title: 'Call', dueDate: '2027-01-01T10:00:00Z', completed: false };
  const { task } = await served(201, 'POST', `/contacts/${contact.id}/tasks`, call);
  const change = { title: 'Call back', dueDate: null, assignedTo: '' };
  const moved = await served(200, 'PUT', `/contacts/${contact.id}/tasks/${task.id}`, change);
  assert.deepEqual([moved.task.title, moved.task.dueDate], ['Call back', task.dueDate]);
  await served(200, 'DELETE', `/contacts/${contact.id}`);
});

/** Pages as n8n reads them: the first with a limit, the others by their cursor alone, until there is no cursor. */
async function allPages(path, first) {
  const seen = [];
  let page = await served(200, 'GET', `${path}?${first}`);
  for (;;) {
    assert.ok(page.contacts.length > 0, 'a cursor leads to an empty page');
    seen.push(...page.contacts.map((contact) => contact.id));
    assert.equal(page.meta.total, CONTACTS);
    const { startAfter, startAfterId } = page.meta;
    if (!startAfterId) {
      assert.ok(!startAfter, 'a last page has half a cursor');
      return seen;
    }
    assert.ok(Number.isInteger(startAfter), `startAfter is ${startAfter}`);
    page = await served(200, 'GET', `${path}?startAfterId=${startAfterId}&startAfter=${startAfter}`);
  }
}

test('page 2 comes by its cursor alone, in the order of page 1', async () => {
  const newest = await allPages('/contacts/', `locationId=${locationId}&limit=10`);
  assert.equal(new Set(newest).size, CONTACTS);
  const older = await allPages('/v1/contacts', 'limit=10');
  assert.deepEqual([...older].sort(), [...newest].sort());
  const oldest = await allPages('/v1/contacts', 'limit=10&sortBy=date_added&order=asc');
  assert.deepEqual(oldest, [...older].reverse());
});

/** Every list of the surface: its path, where its items are, and the key that it needs, if it is an agency's. */
const LISTS = [
  ['/contacts/', 'contacts'],
  [`/contacts/CONTACT/notes`, 'notes'],
  [`/contacts/CONTACT/tasks`, 'tasks'],
  [`/contacts/CONTACT/appointments`, 'events'],
  ['/locations/search', 'locations'],
  [`/locations/${locationId}/tags`, 'tags'],
  [`/locations/${locationId}/customFields`, 'customFields'],
  [`/locations/${locationId}/customValues`, 'customValues'],
  [`/locations/${locationId}/timezones`, 'timezones'],
  [`/locations/${locationId}/templates?originId=${locationId}`, 'templates'],
  ['/businesses/', 'businesses'],
  ['/campaigns/', 'campaigns'],
  ['/forms/', 'forms'],
  ['/forms/submissions', 'submissions'],
  ['/surveys/', 'surveys'],
  ['/surveys/submissions', 'submissions'],
  ['/links/', 'links'],
  ['/links/search', 'links'],
  ['/opportunities/pipelines', 'pipelines'],
  [`/opportunities/search?location_id=${locationId}`, 'opportunities'],
  ['/opportunities/lost-reason', 'lostReasons'],
  ['/workflows/', 'workflows'],
  ['/users/', 'users'],
  [`/users/search?companyId=${companyId}`, 'users', agencyKey],
  ['/v1/contacts/', 'contacts'],
  ['/v1/contacts/CONTACT/notes/', 'notes'],
  ['/v1/contacts/CONTACT/tasks/', 'tasks'],
  ['/v1/custom-fields/', 'customFields'],
  ['/v1/custom-values/', 'customFields'],
  ['/v1/forms/', 'forms'],
  ['/v1/forms/submissions', 'submissions'],
  ['/v1/links/', 'links'],
  ['/v1/pipelines/', 'pipelines'],
  ['/v1/surveys/', 'surveys'],
  ['/v1/tags/', 'tags'],
  ['/v1/users/', 'users'],
  ['/v1/workflows/', 'workflows'],
  ['/v1/locations/', 'locations', agencyKey],
];

test('every list bears a limit, a page and an order, with and without a slash, and is a list even if it is empty', async (context) => {
  for (const [pattern, member, key] of LISTS) {
    await context.test(pattern, async () => {
      const [path, query = ''] = pattern.replace('CONTACT', contactId).split('?');
      const swapped = path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
      for (const address of [`${path}?${query}`, `${swapped}?${query}&limit=5.0&skip=0&page=1&order=desc&sortBy=name&sort=asc`]) {
        const answer = await served(200, 'GET', address, undefined, key);
        assert.ok(Array.isArray(answer[member]), `${address}: ${JSON.stringify(answer)}`);
      }
      if (path.startsWith('/v1')) return;
      await served(422, 'GET', `${path}?${query}&colour=red`, undefined, key);
    });
  }
});

test('what is emptied is an empty list, and not null', async () => {
  const { tags } = await served(200, 'DELETE', `/contacts/${contactId}/tags`, { tags: ['one'] });
  assert.deepEqual(tags, []);
  const { contact } = await served(200, 'GET', `/contacts/${contactId}`);
  assert.deepEqual([contact.tags, contact.customFields], [[], []]);
});

test('every success of API 2.0 has a body, and an empty one of API 1.0 says how long it is', async () => {
  const { note } = await served(201, 'POST', `/contacts/${contactId}/notes`, { body: 'Short' });
  const removed = await served(200, 'DELETE', `/contacts/${contactId}/notes/${note.id}`);
  assert.equal(removed.succeded, true);
  assert.match(removed.traceId, /^[0-9a-f-]{36}$/);
  const { contact } = await served(200, 'POST', '/v1/contacts', { email: 'short-lived@example.com' });
  const gone = await send('DELETE', `/v1/contacts/${contact.id}`);
  assert.deepEqual([gone.status, gone.text, gone.headers.get('content-length')], [200, '', '0']);
});

test('an empty body is an object without members, where nothing is required', async () => {
  const { apiKey } = await served(201, 'POST', '/api-keys', { name: 'Turned', kind: 'agency', preset: 'read-only' }, agencyKey);
  await served(200, 'POST', `/api-keys/${apiKey.id}/rotate`, undefined, agencyKey);
});

test('who sends too much is told in whole seconds how long to wait', async () => {
  const body = { name: 'Slow', kind: 'location', locationId, scopes: ['businesses.readonly'], rateLimit: 1.0 };
  const { key } = await served(201, 'POST', '/api-keys', body, agencyKey);
  let answer;
  for (let tries = 0; tries < 3 && answer?.status !== 429; tries += 1) answer = await send('GET', '/businesses/', undefined, key);
  assert.equal(answer.status, 429);
  assert.match(answer.headers.get('retry-after'), /^([1-9]|10)$/);
});

/** Sends the head of a request, and its body a little later, as httpx does. Answers what comes, and whether it can go on. */
async function sendInTwo(path, key) {
  const { hostname, port } = new URL(KEYSTEAD_URL);
  const socket = net.connect(port, hostname);
  let text = '';
  socket.on('data', (bytes) => (text += bytes));
  const closed = new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
  const head = ['Host: keystead.example', `Authorization: Bearer ${key}`, 'Content-Type: application/json', 'Content-Length: 12'];
  socket.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  await setTimeout(200);
  socket.write('{"name":"x"}');
  const isClosed = await Promise.race([closed.then(() => true), setTimeout(200, false)]);
  socket.destroy();
  return { text, isClosed };
}

test('a connection goes on after a refusal, or is said to be closed', async () => {
  for (const [path, key] of [['/contacts/', 'nobody'], ['/nowhere', locationKey], ['/locations/', locationKey], ['/forms/upload-custom-files', locationKey]]) {
    const { text, isClosed } = await sendInTwo(path, key);
    assert.match(text, /^HTTP\/1.1 4/, path);
    assert.ok(!isClosed || /\r\nconnection: close\r\n/i.test(text), `${path} is answered and closed without a word: ${text}`);
  }
});

test('literal templates in a path are the client’s fault, and said to be', async () => {
  for (const [method, path, body, key] of [
    ['PUT', '/users/%7BuserId%7D', { firstName: 'Ada' }, agencyKey],
    ['DELETE', '/users/%7BuserId%7D', undefined, agencyKey],
    ['POST', '/contacts/bulk/tags/update/%7Btype%7D', { locationId, contacts: [contactId], tags: ['one'] }],
  ]) {
    assert.match((await served(400, method, path, body, key)).hint, /./);
  }
  for (const path of ['/contacts/%7BcontactId%7D', '/businesses/%7BbusinessId%7D', '/opportunities/%7Bid%7D', '/v1/contacts/%7Bid%7D']) {
    const { status, text } = await send('GET', path);
    assert.ok(status >= 400 && status < 500, `${path}: ${text}`);
  }
  const zones = await served(200, 'GET', '/locations/%7BlocationId%7D/timezones');
  assert.ok(zones.timezones.includes('Europe/Berlin'));
});

test('values that were encoded twice are taken as they stand, and match nothing', async () => {
  const path = `/contacts/search/duplicate?locationId=${locationId}`;
  assert.ok((await served(200, 'GET', `${path}&email=n1%40example.com`)).contact.id);
  assert.equal((await served(200, 'GET', `${path}&email=n1%2540example.com`)).contact, null);
});

test('an agency key names the location by its query, or in the body', async () => {
  assert.equal((await served(200, 'GET', `/contacts/${contactId}?locationId=${locationId}`, undefined, agencyKey)).contact.id, contactId);
  await served(200, 'GET', `/businesses/?locationId=${locationId}`, undefined, agencyKey);
  const { contact } = await served(201, 'POST', '/contacts/', { locationId, email: 'agency@example.com' }, agencyKey);
  await served(200, 'DELETE', `/contacts/${contact.id}?locationId=${locationId}`, undefined, agencyKey);
  const { message } = await served(422, 'GET', '/businesses/', undefined, agencyKey);
  assert.deepEqual(message, ["locationId can't be undefined"]);
});
