// Every story, by the client that KEYSTEAD_CLIENT names: node-3 and node-2 are the official SDK, older is the client of API 1.0.
const test = require('node:test');
const { Teller, stories } = require('./story');
const { officialClient } = require('./official-client');
const { olderClient } = require('./older-client');
const { services } = require('../stories/2.0.json');

const { KEYSTEAD_CLIENT: name, KEYSTEAD_AGENCY_ID: companyId, KEYSTEAD_LOCATION_ID: locationId } = process.env;
const { KEYSTEAD_AGENCY_KEY: agencyKey, KEYSTEAD_LOCATION_KEY: locationKey } = process.env;

test(`by ${name}`, async (context) => {
  const client = name === 'older' ? await olderClient() : officialClient(name, services);
  const teller = new Teller(client, { companyId, locationId, agencyKey, locationKey });
  for (const [file, told] of stories(name === 'older' ? '1.0' : '2.0')) {
    const kept = {};
    for (const [title, steps] of Object.entries(told)) {
      await context.test(`${file}: ${title}`, () => teller.tell(steps, kept));
    }
  }
  await context.test('every method is driven', () => {
    const { methods, skipped } = teller.checkThatAllAreDriven();
    context.diagnostic(`${name}: ${methods} methods, of which ${skipped.size} are skipped`);
    for (const [method, reason] of skipped) context.diagnostic(`skipped: ${method}: ${reason}`);
  });
});
