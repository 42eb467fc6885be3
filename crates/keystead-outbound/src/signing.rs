//! Signing what is sent to webhooks, so that whoever receives it knows from whom it comes and that it is whole.
//!
//! Each message carries two signatures: that of Standard Webhooks, by a secret that the receiver shares with us, and that of the
//! wire contract, by a key whose public half anybody may have.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use ed25519_dalek::Signer;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const OF_CONTRACT: HeaderName = HeaderName::from_static("x-ghl-signature");

/// What a receiver shares with us (Standard Webhooks).
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// One of random bytes.
    pub fn of(random: &[u8; 32]) -> Self {
        Self(Zeroizing::new(random.to_vec()))
    }

    /// Reads `whsec_…`; `None` of what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?.trim_end_matches('=');
        let bytes = STANDARD_NO_PAD.decode(encoded).ok().filter(|bytes| !bytes.is_empty());
        bytes.map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// `whsec_…`, as receivers want it.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(&*self.0)))
    }

    /// Whether one of the signatures in a header is this secret's of what was sent, whoever sent it.
    pub fn has_signed(&self, id: &str, timestamp: i64, body: &[u8], signatures: &str) -> bool {
        signatures.split_whitespace().filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
            let sent = STANDARD.decode(signature).unwrap_or_default();
            self.mac(id, timestamp, body).verify_slice(&sent).is_ok()
        })
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, timestamp, body).finalize().into_bytes()))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        mac
    }
}

/// What an agency signs with, whose public half receivers have (the wire contract).
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The one that follows from these bytes.
    pub fn of(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Its public half: 32 bytes, in base64.
    pub fn public_base64(&self) -> String {
        STANDARD.encode(self.0.verifying_key().as_bytes())
    }

    /// Its public half as libraries of cryptography read it.
    pub fn public_pem(&self) -> String {
        /// What says of 32 bytes that they are a public key of Ed25519 (RFC 8410).
        const HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let key = STANDARD.encode([&HEAD[..], self.0.verifying_key().as_bytes()].concat());
        format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n")
    }
}

/// The headers of a message that is sent now, at `timestamp` seconds: receivers refuse what is much older. During a rotation it
/// is signed with several secrets, the newest first.
pub fn sign(id: &str, timestamp: i64, body: &[u8], secrets: &[WebhookSecret], key: &SigningKey) -> HeaderMap {
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    let of_contract = STANDARD.encode(key.0.sign(body).to_bytes());
    let headers = [
        (ID, id.to_owned()),
        (TIMESTAMP, timestamp.to_string()),
        (SIGNATURE, signatures.join(" ")),
        (OF_CONTRACT, of_contract),
    ];
    let value = |text: String| HeaderValue::try_from(text).expect("ids and base64 suit a header");
    headers.into_iter().map(|(name, text)| (name, value(text))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What official verifiers answered. `expect` is what each said of the headers beside a body.
    fn vectors() -> Value {
        serde_json::from_str(include_str!("signatures.json")).unwrap()
    }

    fn key(vectors: &Value) -> SigningKey {
        let text = vectors["ed25519"]["seed_hex"].as_str().unwrap();
        let byte = |place: usize| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap();
        SigningKey::of(&std::array::from_fn(byte))
    }

    /// Vectors whose headers no signer of ours writes, and why.
    const OTHERS: &[(&str, &str)] = &[
        ("tampered-body", "was changed after it was signed"),
        ("v1a-beside", "has a scheme that we do not have"),
        ("comma-in-sig-list", "is joined as some verifiers cannot read it"),
        ("float-timestamp", "is written as some verifiers cannot read it"),
        ("two-ghl-headers", "has two keys of the contract, of which an endpoint has one"),
    ];

    #[test]
    fn what_official_verifiers_take_is_what_is_signed() {
        let vectors = vectors();
        let key = key(&vectors);
        let secret = |name: &str| WebhookSecret::parse(vectors["secrets"][name].as_str().unwrap()).unwrap();
        let mut seen = 0;
        for vector in vectors["vectors"].as_array().unwrap() {
            let name = vector["name"].as_str().unwrap();
            if OTHERS.iter().any(|(other, _)| *other == name) {
                continue;
            }
            let body = STANDARD.decode(vector["body_base64"].as_str().unwrap()).unwrap();
            let told = |header: &str| vector["headers"][header].as_str().unwrap();
            let secrets = match name {
                "two-secrets-new-first" | "two-secrets-receiver-new" => vec![secret("two"), secret("one")],
                "after-overlap" => vec![secret("two")],
                _ => vec![WebhookSecret::parse(vector["secret"].as_str().unwrap()).unwrap()],
            };
            let timestamp = told("webhook-timestamp").parse().unwrap();
            let signed = sign(told("webhook-id"), timestamp, &body, &secrets, &key);
            for (header, value) in &signed {
                assert_eq!(value, told(header.as_str()), "{header} of {name}");
            }
            assert_eq!(signed.len(), 4);
            seen += 1;
        }
        assert_eq!(seen + OTHERS.len(), 28);
    }

    #[test]
    fn the_public_key_is_written_as_others_read_it() {
        let vectors = vectors();
        let (key, public) = (key(&vectors), &vectors["ed25519"]["public"]);
        assert_eq!(key.public_pem(), public["pem"]);
        assert_eq!(key.public_base64(), public["raw_base64"]);
    }

    #[test]
    fn a_secret_is_read_back_with_or_without_its_padding() {
        let secret = WebhookSecret::of(&[7; 32]);
        let text = secret.expose();
        assert!(text.starts_with(PREFIX) && text.ends_with('='));
        for text in [&**text, text.trim_end_matches('=')] {
            assert_eq!(WebhookSecret::parse(text).unwrap().expose(), secret.expose());
        }
        for bad in ["", "whsec_", "whsec_-_", "BwcH"] {
            assert!(WebhookSecret::parse(bad).is_none(), "{bad}");
        }
    }
}
