//! The instance secret: one line per version in a file outside the database, and what is derived from it.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use keystead_store::instance::Fingerprint;

type HmacSha256 = Hmac<Sha256>;

/// All versions of the instance secret, oldest first.
pub struct InstanceSecret {
    versions: Vec<Version>,
}

struct Version {
    number: i64,
    key: Zeroizing<[u8; 32]>,
    /// HMAC state with the pepper already mixed in: two hash blocks less for every request.
    pepper: HmacSha256,
}

/// A secret file that cannot be used, or not with this database.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A line is not `<version> <43 characters of base64url>`.
    #[error(
        "line {0} of the instance secret is not '<version> <43 characters of base64url>'; restore the file from a backup"
    )]
    Malformed(usize),
    /// No line at all.
    #[error("the instance secret is empty; restore the file from a backup")]
    Empty,
    /// The database belongs to a secret that is not there.
    #[error(
        "the database was set up with version {0} of the instance secret, which is missing; copy the right instance-secret file into place"
    )]
    Missing(i64),
    /// The file has another secret under this version.
    #[error(
        "version {0} of the instance secret is not the one that this database was set up with; copy the right instance-secret file into place"
    )]
    Wrong(i64),
}

impl InstanceSecret {
    /// Reads the text of a secret file.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        use base64::Engine;
        let mut versions: Vec<Version> = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let malformed = || SecretError::Malformed(index + 1);
            let (number, encoded) = line.trim().split_once(' ').ok_or_else(malformed)?;
            let number: i64 = number.parse().map_err(|_| malformed())?;
            let bytes = Zeroizing::new(
                base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(encoded.trim()).map_err(|_| malformed())?,
            );
            let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
            if number < 1 || versions.iter().any(|version| version.number == number) {
                return Err(malformed());
            }
            let key = Zeroizing::new(key);
            let pepper = derive(&key, "keystead api key pepper");
            let pepper = HmacSha256::new_from_slice(pepper.as_slice()).expect("HMAC takes keys of any length");
            versions.push(Version { number, key, pepper });
        }
        versions.sort_by_key(|version| version.number);
        if versions.is_empty() { Err(SecretError::Empty) } else { Ok(Self { versions }) }
    }

    /// A line of the file, for 32 random bytes; a new file is the line of version 1.
    pub fn line(version: i64, random: &[u8; 32]) -> Zeroizing<String> {
        use base64::Engine;
        Zeroizing::new(format!("{version} {}\n", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random)))
    }

    /// The version that new values use.
    pub fn current(&self) -> i64 {
        self.versions.last().map_or(0, |version| version.number)
    }

    /// The version that has been there longest.
    pub(crate) fn oldest(&self) -> i64 {
        self.versions.first().map_or(0, |version| version.number)
    }

    /// All versions, oldest first.
    pub fn versions(&self) -> Vec<i64> {
        self.versions.iter().map(|version| version.number).collect()
    }

    /// HMAC of a key's whole text under the pepper of `version`; `None` if the version is not there.
    pub fn hash_key(&self, version: i64, text: &str) -> Option<[u8; 32]> {
        let version = self.versions.iter().rev().find(|candidate| candidate.number == version)?;
        let mut mac = version.pepper.clone();
        mac.update(text.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }

    /// HMAC of `parts` under the audit key of `version`; `None` if the version is not there.
    pub(crate) fn seal(&self, version: i64, parts: &[&[u8]]) -> Option<[u8; 32]> {
        self.mac(version, "keystead audit", parts)
    }

    /// HMAC of `parts` under the key of `version` that is derived for `label`; `None` if the version is not there.
    pub(crate) fn mac(&self, version: i64, label: &str, parts: &[&[u8]]) -> Option<[u8; 32]> {
        let version = self.versions.iter().find(|candidate| candidate.number == version)?;
        let key = derive(&version.key, label);
        let mut mac = HmacSha256::new_from_slice(key.as_slice()).ok()?;
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }

    /// A token that everybody with this secret knows, whichever version they use now: for one purpose, in one context.
    pub(crate) fn token(&self, purpose: &str, context: &str) -> String {
        use base64::Engine;
        let oldest = self.versions.first().expect("a secret has a version at least");
        let key = derive(&oldest.key, purpose);
        let mut mac = HmacSha256::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
        mac.update(context.as_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// Encrypts a text that is kept for the row which `context` names, under the newest version, whose number stands before it.
    pub(crate) fn encrypt(&self, context: &[impl AsRef<str>], text: &str, nonce: [u8; 24]) -> String {
        let newest = self.versions.last().expect("a secret has a version at least");
        let payload = Payload { msg: text.as_bytes(), aad: &bound(context) };
        let sealed = newest.cipher().encrypt(&XNonce::from(nonce), payload).expect("a text that fits into memory");
        format!("{}.{}", newest.number, STANDARD_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Reads what [`InstanceSecret::encrypt`] wrote for the same row; `None` of anything else.
    pub(crate) fn decrypt(&self, context: &[impl AsRef<str>], sealed: &str) -> Option<Zeroizing<String>> {
        let (number, encoded) = sealed.split_once('.')?;
        let number: i64 = number.parse().ok()?;
        let version = self.versions.iter().find(|candidate| candidate.number == number)?;
        let bytes = STANDARD_NO_PAD.decode(encoded).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<24>()?;
        let payload = Payload { msg: sealed, aad: &bound(context) };
        let text = version.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(text).ok().map(Zeroizing::new)
    }

    /// 32 bytes that follow from `version` for one purpose; `None` if the version is not there.
    pub(crate) fn seed(&self, version: i64, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        let version = self.versions.iter().find(|candidate| candidate.number == version)?;
        Some(derive(&version.key, purpose))
    }

    /// What the database remembers of each version.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.versions
            .iter()
            .map(|version| {
                let digest = Sha256::digest(derive(&version.key, "keystead fingerprint").as_slice());
                let fingerprint = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                Fingerprint { version: version.number, fingerprint }
            })
            .collect()
    }

    /// Whether this is the secret that the database was set up with, and no version is missing that it refers to.
    pub fn check(&self, known: &[Fingerprint], referred: &[i64]) -> Result<(), SecretError> {
        let ours = self.fingerprints();
        for theirs in known {
            match ours.iter().find(|candidate| candidate.version == theirs.version) {
                None => return Err(SecretError::Missing(theirs.version)),
                Some(candidate) if candidate.fingerprint != theirs.fingerprint => {
                    return Err(SecretError::Wrong(theirs.version));
                }
                Some(_) => {}
            }
        }
        match referred.iter().find(|version| !ours.iter().any(|candidate| candidate.version == **version)) {
            Some(missing) => Err(SecretError::Missing(*missing)),
            None => Ok(()),
        }
    }
}

impl Version {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*derive(&self.key, "keystead stored secrets")).into())
    }
}

/// The parts of a context, so that no two contexts are the same bytes.
fn bound(context: &[impl AsRef<str>]) -> Vec<u8> {
    let parts = context.iter().map(AsRef::as_ref);
    parts.flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part.as_bytes()].concat()).collect()
}

fn derive(key: &[u8; 32], label: &str) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key)
        .expand(label.as_bytes(), derived.as_mut_slice())
        .expect("32 bytes are a valid length");
    derived
}

/// Digest under which a token that somebody carries is stored.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(byte: u8) -> Zeroizing<String> {
        InstanceSecret::line(1, &[byte; 32])
    }

    #[test]
    fn a_file_is_read_back_and_bad_ones_are_named() {
        let secret = InstanceSecret::parse(&file(7)).unwrap();
        assert_eq!(secret.current(), 1);
        assert!(secret.hash_key(1, "ks_x").is_some());
        assert!(secret.hash_key(2, "ks_x").is_none());
        assert_ne!(secret.hash_key(1, "ks_x"), InstanceSecret::parse(&file(8)).unwrap().hash_key(1, "ks_x"));
        assert!(matches!(InstanceSecret::parse(""), Err(SecretError::Empty)));
        for bad in
            ["1", "x AAAA", "1 AAAA", &format!("{0}{0}", *file(7)), "0 BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"]
        {
            assert!(matches!(InstanceSecret::parse(bad), Err(SecretError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn what_is_encrypted_is_read_for_its_row_alone() {
        let ours = InstanceSecret::parse(&file(7)).unwrap();
        let sealed = ours.encrypt(&["agency", "row"], "text", [1; 24]);
        assert!(sealed.starts_with("1.") && !sealed.contains("text"));
        assert_eq!(ours.decrypt(&["agency", "row"], &sealed).as_deref().map(String::as_str), Some("text"));
        for other in [&["agency", "other"][..], &["agencyrow"], &["agencyr", "ow"], &["agency", "row", ""]] {
            assert!(ours.decrypt(other, &sealed).is_none(), "{other:?}");
        }
        let changed = format!("{}A", &sealed[..sealed.len() - 1]);
        for bad in ["", "1.", "2.AAAA", "x", &changed, &sealed.replacen('1', "2", 1)] {
            assert!(bad == sealed || ours.decrypt(&["agency", "row"], bad).is_none(), "{bad}");
        }
        assert!(InstanceSecret::parse(&file(8)).unwrap().decrypt(&["agency", "row"], &sealed).is_none());
        // A newer version encrypts from then on, and what an older one wrote is still read.
        let both = InstanceSecret::parse(&format!("{}{}", *file(7), *InstanceSecret::line(2, &[9; 32]))).unwrap();
        assert!(both.decrypt(&["agency", "row"], &sealed).is_some());
        assert!(both.encrypt(&["agency", "row"], "text", [1; 24]).starts_with("2."));
    }

    #[test]
    fn another_secret_is_refused_and_a_newer_version_is_not() {
        let ours = InstanceSecret::parse(&file(7)).unwrap();
        let known = ours.fingerprints();
        assert!(ours.check(&known, &[1]).is_ok());
        let other = InstanceSecret::parse(&file(8)).unwrap();
        assert!(matches!(other.check(&known, &[]), Err(SecretError::Wrong(1))));
        let second = InstanceSecret::line(2, &[9; 32]);
        let both = InstanceSecret::parse(&format!("{}{}", *file(7), *second)).unwrap();
        assert_eq!(both.current(), 2);
        assert!(both.check(&known, &[1]).is_ok());
        assert!(matches!(ours.check(&both.fingerprints(), &[]), Err(SecretError::Missing(2))));
        assert!(matches!(ours.check(&known, &[1, 2]), Err(SecretError::Missing(2))));
    }
}
