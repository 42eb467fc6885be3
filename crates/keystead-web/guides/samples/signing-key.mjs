import { createPublicKey, verify } from 'node:crypto';

/** Whether a message was signed by the agency whose public key this is. `body` is the text as it arrived. */
export function isSigned(headers, body, pem) {
  const signature = Buffer.from(headers['x-ghl-signature'] ?? '', 'base64');
  return verify(null, Buffer.from(body), createPublicKey(pem), signature);
}
