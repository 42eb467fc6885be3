//! The text of an API key: `ks_<kind>_<id>_<32 secret characters><6 checksum characters>`.
//!
//! Its form is public so that scanners find leaked keys; see `docs/key-format.md`. The checksum (CRC-32, base 62) tells
//! typos and garbage from keys before any state is touched. It is never a proof.

use std::{borrow::Cow, fmt};

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use crate::{KeyId, base62, key_kind::KeyKind, key_scan::find_keys};

/// Random characters of a secret (190 bits).
pub const SECRET_CHARACTERS: usize = 32;
/// Characters of the checksum.
pub const CHECKSUM_CHARACTERS: usize = 6;
const TAIL: usize = SECRET_CHARACTERS + CHECKSUM_CHARACTERS;

/// A key's whole text as its holder has it. `Debug` does not show it; ask with [`KeySecret::expose`].
#[derive(Clone, Debug)]
pub struct KeySecret(SecretString);

impl KeySecret {
    /// A new secret for the key `id`.
    pub fn generate(kind: KeyKind, id: KeyId, random: impl FnMut(&mut [u8])) -> Self {
        let mut secret = [0; SECRET_CHARACTERS];
        base62::fill_random(&mut secret, random);
        let mut text =
            format!("ks_{}_{}_{}", kind.as_str(), id, std::str::from_utf8(&secret).expect("base 62 is ASCII"));
        let sum = checksum(text.as_bytes());
        text.push_str(std::str::from_utf8(&sum).expect("base 62 is ASCII"));
        Self(SecretString::from(text))
    }

    /// The text, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What may be shown for ever.
    pub fn last_four(&self) -> &str {
        let text = self.expose();
        &text[text.len() - 4..]
    }
}

/// A key as somebody sent it: of the right form and checksum, nothing more is known of it.
#[derive(Clone, Copy)]
pub struct PresentedKey<'a> {
    /// The kind that the text claims.
    pub kind: KeyKind,
    /// The public id.
    pub id: KeyId,
    /// The whole text, to be hashed and compared.
    pub text: &'a str,
}

impl<'a> PresentedKey<'a> {
    /// `None` for everything that is no key by form and checksum.
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("ks_")?;
        let (kind, rest) = if let Some(rest) = rest.strip_prefix("location_") {
            (KeyKind::Location, rest)
        } else {
            (KeyKind::Agency, rest.strip_prefix("agency_")?)
        };
        let rest = rest.as_bytes();
        if rest.len() != KeyId::LENGTH + 1 + TAIL || rest[KeyId::LENGTH] != b'_' {
            return None;
        }
        let id = KeyId::from_bytes(&rest[..KeyId::LENGTH])?;
        if !base62::is_base62(&rest[KeyId::LENGTH + 1..]) {
            return None;
        }
        let (body, sum) = text.as_bytes().split_at(text.len() - CHECKSUM_CHARACTERS);
        (checksum(body) == sum).then_some(Self { kind, id, text })
    }
}

/// What is wrong with a text that is no key, as far as its form and checksum tell: anybody can compute both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAKey {
    /// It does not begin as keys do.
    Other,
    /// It is how a key is shown once its secret may not be.
    Masked,
    /// So many characters are missing at its end.
    Short(usize),
    /// There is a whole key in it, and more.
    Extended,
    /// The checksum does not fit: some character is another.
    Mistyped,
}

impl NotAKey {
    /// Why `text`, for which [`PresentedKey::parse`] finds no key, is none.
    pub fn of(text: &str) -> Self {
        let kinds = [KeyKind::Agency, KeyKind::Location];
        let begun = kinds.into_iter().find(|kind| text.starts_with(&format!("ks_{}_", kind.as_str())));
        let length = begun.map(|kind| "ks__".len() + kind.as_str().len() + KeyId::LENGTH + 1 + TAIL);
        if find_keys(text.as_bytes()).next().is_some() {
            return Self::Extended;
        }
        match length {
            None => Self::Other,
            Some(_) if text.contains(['…', '*', '•']) || text.contains("...") => Self::Masked,
            Some(length) if text.len() < length => Self::Short(length - text.len()),
            Some(_) => Self::Mistyped,
        }
    }
}

/// What to do about it.
impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Other => "A key begins with ks_location_ or ks_agency_; this text does not.",
            Self::Masked => {
                "This is how a key is shown in lists, without its secret. The secret was shown once, when it was made; if \
                 it is lost, rotate the key."
            }
            Self::Short(1) => "This is not a whole key: 1 character is missing. Copy it again, to its end.",
            Self::Short(missing) => {
                let rest = "characters are missing. Copy it again, to its end.";
                return write!(f, "This is not a whole key: {missing} {rest}");
            }
            Self::Extended => "There is more than the key in this text. Send the key alone, without quotes.",
            Self::Mistyped => {
                "This is not a whole key: its checksum does not fit, so some of its characters are others. Copy it again."
            }
        })
    }
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_CHARACTERS] {
    let mut sum = [0; CHECKSUM_CHARACTERS];
    base62::write_number(u64::from(crc32fast::hash(body)), &mut sum);
    sum
}

/// How a key is shown once its secret may not be: `ks_location_Hq3vT0bZk9Wd_…x9Qa`.
pub fn masked(kind: KeyKind, id: KeyId, last_four: &str) -> String {
    format!("ks_{}_{id}_…{last_four}", kind.as_str())
}

/// Replaces the secret part of everything in `text` that looks like a key, checksum right or not, by `…`; also of what does
/// so once it is percent-decoded, as an address is by the next program that reads it.
///
/// Every request string that is logged, stored or echoed goes through here: paths, property names, user agents.
pub fn mask_keys(text: &str) -> Cow<'_, str> {
    let mut masked = mask_plain(text);
    for reading in decoded(text) {
        if contains_plain(&reading) || contains_whole(&reading) {
            masked = mask_plain(&reading).into_owned().into();
        }
    }
    // Whole keys in other escapes than an address has.
    if contains_whole(&masked) {
        masked = mask_found(&masked).into();
    }
    masked
}

fn contains_whole(text: &str) -> bool {
    find_keys(text.as_bytes()).next().is_some()
}

fn mask_found(text: &str) -> String {
    let (mut out, mut copied) = (String::new(), 0);
    for key in find_keys(text.as_bytes()) {
        out.push_str(text.get(copied..key.at).unwrap_or_default());
        out.push_str(&masked(key.kind, key.id, ""));
        copied = key.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

fn mask_plain(text: &str) -> Cow<'_, str> {
    let mut masked: Option<String> = None;
    let mut copied = 0;
    for (start, end) in key_like_spans(text) {
        let out = masked.get_or_insert_with(String::new);
        out.push_str(&text[copied..start]);
        out.push('…');
        copied = end;
    }
    match masked {
        None => text.into(),
        Some(mut out) => {
            out.push_str(&text[copied..]);
            out.into()
        }
    }
}

/// How often a text is decoded: whoever encodes it more often has something else in mind than an address.
const DECODINGS: usize = 8;

/// What a text says percent-decoded, and that decoded again, as long as it changes.
fn decoded(text: &str) -> impl Iterator<Item = String> {
    let next = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        (text.contains('%') && decoded != text).then(|| decoded.into_owned())
    };
    std::iter::successors(next(text), move |text| next(text)).take(DECODINGS)
}

/// Whether `text` holds something that looks like a key, also percent-encoded: names and descriptions must not.
pub fn contains_key(text: &str) -> bool {
    let holds = |reading: &str| contains_plain(reading) || contains_whole(reading);
    holds(text) || decoded(text).any(|reading| holds(&reading))
}

/// Whether `text` holds something that opens a door: a key, or something as long as a token of an invitation.
pub fn contains_secret(text: &str) -> bool {
    contains_key(text) || token_like(text).is_some()
}

/// The characters of a token: 256 bits in base64url.
const TOKEN_CHARACTERS: usize = 43;

/// Where something stands in `text` that is as long as a token.
fn token_like(text: &str) -> Option<(usize, usize)> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let mut begin = 0;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        if is_part(byte) {
            continue;
        }
        let run = &text.as_bytes()[begin..at];
        // A long word is none: 256 bits have letters of both cases and digits.
        let is_random = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit]
            .iter()
            .all(|kind| run.iter().any(kind));
        if run.len() >= TOKEN_CHARACTERS && is_random {
            return Some((begin, at));
        }
        begin = at + 1;
    }
    None
}

/// Replaces what is as long as a token by `…`, for addresses that are shown to whoever sent them.
pub fn mask_tokens(text: &str) -> Cow<'_, str> {
    match token_like(text) {
        None => text.into(),
        Some((begin, end)) => format!("{}…{}", &text[..begin], mask_tokens(&text[end..])).into(),
    }
}

fn contains_plain(text: &str) -> bool {
    key_like_spans(text).next().is_some()
}

/// The secret parts (start, end) of everything that looks like a key, from the underscore after its id on.
/// A secret that was cut short still counts from 8 characters on: half a secret is no public matter either.
fn key_like_spans(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text[from..].find("ks_")?;
            from = at + 3;
            let rest = &text[from..];
            let Some(kind) = ["agency_", "location_"].into_iter().find(|kind| rest.starts_with(kind)) else { continue };
            let id = from + kind.len();
            let run =
                |start: usize| text.as_bytes()[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if run(id) != KeyId::LENGTH || text.as_bytes().get(id + KeyId::LENGTH) != Some(&b'_') {
                continue;
            }
            let secret = id + KeyId::LENGTH + 1;
            let length = run(secret);
            if length < 8 {
                continue;
            }
            from = secret + length;
            return Some((secret, from));
        }
    })
}

#[cfg(test)]
#[path = "key_secret_tests.rs"]
mod tests;
