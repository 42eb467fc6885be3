// The official SDK of API 2.0, unmodified: only its base URL is changed.
const assert = require('node:assert/strict');

const PACKAGES = { 'node-3': '@gohighlevel/api-client', 'node-2': '@gohighlevel/api-client-2' };

/** The errors that version 3 makes of a status; version 2 has one for all. */
const ERRORS = {
  400: 'GHLValidationError',
  401: 'GHLAuthenticationError',
  403: 'GHLForbiddenError',
  404: 'GHLNotFoundError',
  422: 'GHLValidationError',
  429: 'GHLRateLimitError',
};

/** The client named `node-3` or `node-2`, of which `services` belong to our surface. */
function officialClient(name, services) {
  const sdk = require(PACKAGES[name]);
  sdk.HighLevel.BASE_URL = process.env.KEYSTEAD_URL;
  const clients = new Map();
  const withKey = (key) => {
    // Its log would tell of every failure that a story expects.
    if (!clients.has(key)) clients.set(key, new sdk.HighLevel({ privateIntegrationToken: key, logLevel: 'none' }));
    return clients.get(key);
  };

  const methods = () =>
    services.flatMap((service) => {
      const names = Object.getOwnPropertyNames(Object.getPrototypeOf(withKey('none')[service]));
      return names.filter((method) => method !== 'constructor').map((method) => `${service}.${method}`);
    });

  async function call({ name: target, key, params, body, files }) {
    const [service, method] = target.split('.');
    const object = withKey(key)[service];
    assert.equal(typeof object?.[method], 'function', `${name} has no method ${target}`);
    const given = { params, requestBody: files ? form(body, files) : body, options: files && MULTIPART };
    const takes = /\(([^)]*)\)/.exec(object[method].toString())[1].split(', ');
    for (const [argument, value] of Object.entries(given)) {
      assert.ok(value === undefined || takes.includes(argument), `${target} takes no ${argument}`);
    }
    try {
      return { answer: await object[method](...takes.map((argument) => given[argument])) };
    } catch (error) {
      if (!(error instanceof sdk.GHLError) || !error.statusCode) throw error;
      const expected = sdk[ERRORS[error.statusCode] ?? 'GHLServerError'] ?? sdk.GHLError;
      assert.equal(error.constructor, expected, `a ${error.statusCode} is a ${error.constructor.name}`);
      return { failed: error.statusCode, answer: error.response };
    }
  }

  return { name, isV3: false, methods, call };
}

/** Without it the SDK makes JSON of a form. */
const MULTIPART = { headers: { 'Content-Type': 'multipart/form-data' } };

function form(fields = {}, files) {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  for (const [name, { filename, type, text }] of Object.entries(files)) made.append(name, new Blob([text], { type }), filename);
  return made;
}

module.exports = { officialClient };
