// The official Node SDK, unmodified, against a Keystead server: only its base URL is changed.
const test = require('node:test');
const assert = require('node:assert/strict');
const { HighLevel, GHLError } = require('@gohighlevel/api-client');

const { KEYSTEAD_URL, KEYSTEAD_AGENCY_ID: companyId, KEYSTEAD_LOCATION_ID: locationId } = process.env;
HighLevel.BASE_URL = KEYSTEAD_URL;
const location = new HighLevel({ privateIntegrationToken: process.env.KEYSTEAD_LOCATION_KEY });
const agency = new HighLevel({ privateIntegrationToken: process.env.KEYSTEAD_AGENCY_KEY });

test('a contact is created, read, changed, found and deleted', async () => {
  const made = await location.contacts.createContact({ locationId, firstName: 'Ada', email: 'ada@example.com', tags: ['sdk'] });
  const contactId = made.contact.id;
  assert.equal(made.contact.email, 'ada@example.com');
  assert.equal((await location.contacts.getContact({ contactId })).contact.firstName, 'Ada');
  const changed = await location.contacts.updateContact({ contactId }, { lastName: 'Lovelace' });
  assert.equal(changed.succeded ?? changed.succeeded, true);
  const upserted = await location.contacts.upsertContact({ locationId, email: 'ada@example.com', city: 'London' });
  assert.deepEqual([upserted.new, upserted.contact.id, upserted.contact.city], [false, contactId, 'London']);
  assert.equal((await location.contacts.getDuplicateContact({ locationId, email: 'ada@example.com' })).contact.id, contactId);
  const removed = await location.contacts.deleteContact({ contactId });
  assert.equal(removed.succeded ?? removed.succeeded, true);
  await assert.rejects(location.contacts.getContact({ contactId }), (error) => error.statusCode === 400);
});

test('a list is read page by page', async () => {
  for (let number = 0; number < 25; number += 1) {
    await location.contacts.createContact({ locationId, name: `Number ${number}` });
  }
  const seen = new Set();
  let page = await location.contacts.getContacts({ locationId, limit: 10 });
  for (;;) {
    for (const contact of page.contacts) seen.add(contact.id);
    if (!page.meta.startAfterId) break;
    const { startAfterId, startAfter } = page.meta;
    page = await location.contacts.getContacts({ locationId, limit: 10, startAfterId, startAfter });
  }
  assert.equal(seen.size, 25);
  assert.equal(page.meta.total, 25);
});

test('tags, notes and tasks of a contact', async () => {
  const { contact } = await location.contacts.createContact({ locationId, name: 'Grace Hopper' });
  const contactId = contact.id;
  assert.deepEqual((await location.contacts.addTags({ contactId }, { tags: ['Navy'] })).tagsAdded, ['navy']);
  assert.deepEqual((await location.contacts.removeTags({ contactId }, { tags: ['navy'] })).tags, []);
  const { note } = await location.contacts.createNote({ contactId }, { body: 'Found a moth' });
  await location.contacts.updateNote({ contactId, id: note.id }, { body: 'Found a bug' });
  assert.equal((await location.contacts.getNote({ contactId, id: note.id })).note.body, 'Found a bug');
  assert.equal((await location.contacts.getAllNotes({ contactId })).notes.length, 1);
  const { task } = await location.contacts.createTask({ contactId }, { title: 'Call', dueDate: '2027-01-01T10:00:00Z', completed: false });
  const done = await location.contacts.updateTaskCompleted({ contactId, taskId: task.id }, { completed: true });
  assert.equal(done.task.completed, true);
  assert.equal((await location.contacts.getAllTasks({ contactId })).tasks.length, 1);
  await location.contacts.deleteTask({ contactId, taskId: task.id });
  await location.contacts.deleteNote({ contactId, id: note.id });
});

test('locations and their tags', async () => {
  assert.equal((await location.locations.getLocation({ locationId })).location.name, 'Harbour Dental');
  const made = await agency.locations.createLocation({ name: 'Northside Gym', companyId, country: 'DE' });
  const changed = await agency.locations.putLocation({ locationId: made.id }, { companyId, city: 'Berlin' });
  assert.equal(changed.city, 'Berlin');
  const found = await agency.locations.searchLocations({ companyId, limit: 10 });
  assert.equal(found.locations.length, 2);
  const { tag } = await location.locations.createTag({ locationId }, { name: 'From SDK' });
  assert.equal((await location.locations.getTagById({ locationId, tagId: tag.id })).tag.name, 'from sdk');
  await location.locations.deleteTag({ locationId, tagId: tag.id });
  const zones = await location.locations.getTimezones({ locationId });
  assert.ok(zones.timezones.includes('Europe/Berlin'));
});

test('a wrong key is the error that integrations know', async () => {
  const stranger = new HighLevel({ privateIntegrationToken: 'pit-00000000-0000-0000-0000-000000000000' });
  await assert.rejects(stranger.contacts.getContacts({ locationId }), (error) => {
    assert.ok(error instanceof GHLError);
    assert.equal(error.statusCode, 401);
    return true;
  });
});
