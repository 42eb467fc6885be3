import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whether a message comes from Keystead. `body` is the text as it arrived, before anything has parsed it. */
export function isFromKeystead(headers, body, secret) {
  const timestamp = headers['webhook-timestamp'];
  if (!(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signature = createHmac('sha256', key).update(`${headers['webhook-id']}.${timestamp}.${body}`).digest('base64');
  const wanted = Buffer.from(`v1,${signature}`);
  // While the secret is rotated there are two.
  return (headers['webhook-signature'] ?? '').split(' ').some((one) => {
    const given = Buffer.from(one);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}
