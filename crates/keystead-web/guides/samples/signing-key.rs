use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};

/// Whether a message was signed by the agency whose public key this is, as 32 bytes in base64. `signature` is the header
/// `X-GHL-Signature`, `body` the bytes as they arrived.
pub fn is_signed(signature: &str, body: &[u8], public_key: &str) -> bool {
    let key = STANDARD.decode(public_key).ok().and_then(|key| VerifyingKey::from_bytes(&key.try_into().ok()?).ok());
    let signature = STANDARD.decode(signature).ok().and_then(|given| Signature::from_slice(&given).ok());
    matches!((key, signature), (Some(key), Some(given)) if key.verify_strict(body, &given).is_ok())
}
