// Limits, as the official SDK reads them from the headers. The server lets every key send 20 requests a day.
const { describe, test } = require('node:test');
const assert = require('node:assert/strict');
const newer = require('@gohighlevel/api-client');
const older = require('@gohighlevel/api-client-2');

const { KEYSTEAD_URL, KEYSTEAD_LOCATION_ID: locationId, KEYSTEAD_AGENCY_KEY: agencyKey } = process.env;
newer.HighLevel.BASE_URL = KEYSTEAD_URL;
older.HighLevel.BASE_URL = KEYSTEAD_URL;
const DAILY = 20;
const WINDOW_MS = 10_000;
const DAY_MS = 86_400_000;

async function keyWith(rateLimit) {
  const headers = { Authorization: `Bearer ${agencyKey}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ name: 'Limited', kind: 'location', locationId, scopes: ['businesses.readonly'], rateLimit });
  const response = await fetch(`${KEYSTEAD_URL}/api-keys`, { method: 'POST', headers, body });
  return (await response.json()).key;
}

const list = (sdk, key, options) =>
  new sdk.HighLevel({ privateIntegrationToken: key, logLevel: 'none', ...options }).businesses.getBusinessesByLocation({ locationId });

/** The failure of a call, which must come before it is made `most` times: a window may end in the middle. */
async function failure(call, most) {
  for (let number = 0; number < most; number += 1) {
    try {
      await call();
    } catch (error) {
      return error;
    }
  }
  return assert.fail(`it did not fail in ${most} calls`);
}

describe('limits', { concurrency: true }, () => {
  test('too many at once are a burst, and the SDK waits for its end if it is told to', async () => {
    const key = await keyWith(2);
    const error = await failure(() => list(newer, key), 4);
    assert.ok(error instanceof newer.GHLRateLimitError);
    const { scope, max, remaining, intervalMs, dailyLimit, dailyRemaining, dailyResetMs } = error.rateLimit;
    assert.deepEqual([scope, max, remaining, intervalMs, dailyLimit], ['burst', 2, 0, WINDOW_MS, DAILY]);
    assert.ok(dailyRemaining > 0 && dailyRemaining < DAILY, `${dailyRemaining} are left`);
    assert.ok(dailyResetMs > 0 && dailyResetMs <= DAY_MS, `the day ends in ${dailyResetMs} ms`);
    const plain = await failure(() => list(older, key), 4);
    assert.ok(plain instanceof older.GHLError);
    assert.deepEqual([plain.statusCode, plain.message], [429, 'Too Many Requests']);
    assert.ok(Array.isArray((await list(newer, key, { rateLimitRetry: true })).businesses));
  });

  test('the last one of a day is a daily limit, for which the SDK does not wait', async () => {
    const key = await keyWith(null);
    const error = await failure(() => list(newer, key, { rateLimitRetry: true }), 2 * DAILY);
    const { scope, dailyRemaining } = error.rateLimit;
    assert.deepEqual({ scope, dailyRemaining }, { scope: 'daily', dailyRemaining: 0 });
  });
});
