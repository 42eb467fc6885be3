// A published client of API 1.0, unmodified, against a Keystead server.
const test = require('node:test');
const assert = require('node:assert/strict');

const { KEYSTEAD_URL: baseUrl, KEYSTEAD_LOCATION_KEY: apiKey } = process.env;

test('contacts by API 1.0', async () => {
  const { createHighLevelV1Client } = await import('@gnosticdev/highlevel-sdk/v1');
  const client = createHighLevelV1Client({ apiKey, baseUrl });
  const made = await client.POST('/v1/contacts/', { body: { email: 'v1@example.com', firstName: 'Older' } });
  assert.equal(made.response.status, 200);
  const contactId = made.data.contact.id;
  const again = await client.POST('/v1/contacts/', { body: { email: 'v1@example.com', lastName: 'Client' } });
  assert.equal(again.data.contact.id, contactId);
  const read = await client.GET('/v1/contacts/{id}', { params: { path: { id: contactId } } });
  assert.equal(read.data.contact.contactName, 'Older Client');
  const found = await client.GET('/v1/contacts/lookup', { params: { query: { email: 'v1@example.com' } } });
  assert.equal(found.data.contacts.length, 1);
  const list = await client.GET('/v1/contacts/', { params: { query: { limit: 5 } } });
  assert.ok(list.data.meta.total >= 1);
  const tags = await client.POST('/v1/contacts/{contactId}/tags/', { params: { path: { contactId } }, body: { tags: ['x'] } });
  assert.deepEqual(tags.data.tags, ['x']);
  const note = await client.POST('/v1/contacts/{contactId}/notes/', { params: { path: { contactId } }, body: { body: 'Hello' } });
  assert.equal(note.data.body, 'Hello');
  const own = await client.GET('/v1/locations/');
  assert.equal(own.data.locations.length, 1);
  const gone = await client.DELETE('/v1/contacts/{id}', { params: { path: { id: contactId } }, parseAs: 'text' });
  assert.equal(gone.response.status, 200);
});

test('a wrong key is the error that integrations know', async () => {
  const { createHighLevelV1Client } = await import('@gnosticdev/highlevel-sdk/v1');
  const stranger = createHighLevelV1Client({ apiKey: 'eyJhbGciOi', baseUrl });
  const { error, response } = await stranger.GET('/v1/contacts/');
  assert.equal(response.status, 401);
  assert.equal(error.msg, 'Api key is invalid.');
});
