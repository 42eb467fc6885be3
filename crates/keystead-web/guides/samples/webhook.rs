use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether a message comes from Keystead: `header` finds a header, `body` is the bytes as they arrived, and `now` is the time in
/// seconds since 1970.
pub fn is_from_keystead<'h>(header: impl Fn(&str) -> Option<&'h str>, body: &[u8], secret: &str, now: i64) -> bool {
    let message = (|| {
        let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
        let is_fresh = now.abs_diff(timestamp.parse().ok()?) <= 300;
        let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?.chain_update(format!("{id}.{timestamp}."));
        is_fresh.then_some((mac.chain_update(body), header("webhook-signature")?))
    })();
    let Some((mac, signatures)) = message else { return false };
    // While the secret is rotated there are two.
    signatures.split(' ').any(|signature| {
        let given = signature.strip_prefix("v1,").and_then(|given| STANDARD.decode(given).ok());
        given.is_some_and(|given| mac.clone().verify_slice(&given).is_ok())
    })
}
