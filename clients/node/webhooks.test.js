// Deliveries of a real server, checked by what receivers check them with: the official SDK's middleware, the library of Standard
// Webhooks, and the programs that the guide shows.
const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { Webhook } = require('standardwebhooks');
const { HighLevel } = require('@gohighlevel/api-client');

const { KEYSTEAD_URL: url, KEYSTEAD_LOCATION_KEY: key } = process.env;
const samples = path.join(__dirname, '../../crates/keystead-web/guides/samples');
// What anybody may send in a header: no base64, too little or too much of it, no ASCII, and no number that computers count with.
const MALFORMED = [
  '', 'A', 'AAAA', 'v1', 'v1,', 'v1,A', 'v1,AAAA', '====', '!', 'é', 'v1,é', '\u00b2', '9'.repeat(400), '9'.repeat(5000), '-1', 'nan',
  '-9223372036854775808',
];
const APP = '6650e1f0a1b2c3d4e5f60718';

async function call(method, at, body) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const answer = await fetch(url + at, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${at}: ${answer.status}`);
  return answer.json();
}

let receiver;
let secret;
let sent;
let pem;
let base64;
test.before(async () => {
  let arrived;
  const first = new Promise((resolve) => { arrived = resolve; });
  receiver = http.createServer((request, answer) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      arrived({ headers: request.headers, body: Buffer.concat(parts).toString() });
      answer.end();
    });
  });
  await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
  const at = `http://127.0.0.1:${receiver.address().port}/`;
  ({ secret } = await call('POST', '/webhooks', { url: at, events: ['contact.created'], appId: APP }));
  ({ pem, base64 } = (await call('GET', '/webhooks/public-key')).publicKey);
  await call('POST', '/contacts/', { firstName: 'Zoë \u{1f600} </script>', email: 'zoe@hooks.example', tags: ['a "b"'], city: 'line\u2028end' });
  sent = await first;
});
test.after(() => {
  receiver.closeAllConnections();
  receiver.close();
});

/** The same with another body. */
const forged = () => sent.body.replace('zoe@', 'eve@');

test('the library of Standard Webhooks verifies it', () => {
  const webhook = new Webhook(secret);
  assert.equal(webhook.verify(sent.body, sent.headers).type, 'ContactCreate');
  assert.throws(() => webhook.verify(forged(), sent.headers));
  assert.throws(() => new Webhook(`whsec_${Buffer.alloc(32).toString('base64')}`).verify(sent.body, sent.headers));
});

/** What the middleware of the official SDK says of a request, with the public key in one form. */
async function judged(publicKey, request) {
  const sdk = new HighLevel({
    clientId: `${APP}-abc`, clientSecret: 'x', logLevel: 'none', webhook: { publicKey, clientId: `${APP}-abc` },
  });
  process.env.CLIENT_ID = `${APP}-abc`;
  process.env.WEBHOOK_SIGNATURE_PUBLIC_KEY = publicKey;
  await new Promise((resolve, reject) => { sdk.webhooks.subscribe()(request, {}, (error) => (error ? reject(error) : resolve())); });
  return [request.skippedSignatureVerification, request.isSignatureValid];
}

test('the middleware of the official SDK verifies it, also where the body was parsed before', async () => {
  const request = (body, rawBody) => ({ method: 'POST', url: '/', headers: sent.headers, body, rawBody });
  for (const publicKey of [pem, base64]) {
    assert.deepEqual(await judged(publicKey, request(JSON.parse(sent.body))), [false, true]);
    assert.deepEqual(await judged(publicKey, request(JSON.parse(sent.body), Buffer.from(sent.body))), [false, true]);
    assert.deepEqual(await judged(publicKey, request(JSON.parse(forged()))), [false, false]);
  }
});

test('the programs of the guide verify it', async () => {
  const { isFromKeystead } = await import(path.join(samples, 'webhook.mjs'));
  const old = { ...sent.headers, 'webhook-timestamp': String(sent.headers['webhook-timestamp'] - 301) };
  assert.equal(isFromKeystead(sent.headers, sent.body, secret), true);
  for (const [headers, body] of [[sent.headers, forged()], [old, sent.body], [{}, sent.body]]) {
    assert.equal(isFromKeystead(headers, body, secret), false);
  }
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    for (const value of [undefined, ...MALFORMED]) {
      assert.equal(isFromKeystead({ ...sent.headers, [name]: value }, sent.body, secret), false, `${name} ${value}`);
    }
  }
  const { isSigned } = await import(path.join(samples, 'signing-key.mjs'));
  for (const value of [undefined, ...MALFORMED]) {
    assert.equal(isSigned({ 'x-ghl-signature': value }, sent.body, pem), false, value);
  }
  assert.deepEqual([isSigned(sent.headers, sent.body, pem), isSigned(sent.headers, forged(), pem), isSigned({}, sent.body, pem)], [true, false, false]);
});

test('the programs for a shell verify it', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'keystead-hooks-'));
  const says = (program, body, environment) => {
    try {
      execFileSync('sh', [path.join(samples, program)], { input: body, env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
      return true;
    } catch {
      return false;
    }
  };
  const { 'webhook-id': ID, 'webhook-timestamp': TIMESTAMP, 'webhook-signature': SIGNATURES, 'x-ghl-signature': SIGNATURE } = sent.headers;
  const by = (body) => says('webhook.sh', body, { ID, TIMESTAMP, SIGNATURES, SECRET: secret });
  assert.deepEqual([by(sent.body), by(forged())], [true, false]);
  for (const value of MALFORMED) {
    assert.equal(says('webhook.sh', sent.body, { ID, TIMESTAMP, SIGNATURES: value, SECRET: secret }), false, value);
    // Whoever has no secret that can be read is told of no message that it is from here.
    for (const SECRET of ['', 'whsec_!']) {
      assert.equal(says('webhook.sh', sent.body, { ID, TIMESTAMP, SIGNATURES: value, SECRET }), false, value);
    }
  }
  const [BODY, PEM] = ['body', 'pem'].map((name) => path.join(folder, name));
  fs.writeFileSync(PEM, pem);
  const signed = (body, signature = SIGNATURE) => {
    fs.writeFileSync(BODY, body);
    return says('signing-key.sh', '', { SIGNATURE: signature, BODY, PEM });
  };
  assert.deepEqual([signed(sent.body), signed(forged())], [true, false]);
  for (const value of MALFORMED) assert.equal(signed(sent.body, value), false, value);
  fs.rmSync(folder, { recursive: true });
});
