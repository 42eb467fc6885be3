//! What somebody looks for among keys.

use std::fmt;

use crate::{
    KeyId,
    key_secret::{NotAKey, PresentedKey, contains_key},
    text::folded,
};

/// Read from what was typed or pasted. Of a whole key only its public id is kept: its secret goes no further than here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySearch {
    /// The text names one key by its id: it holds the key, or how lists show it.
    Id(KeyId),
    /// Any part of a name, an id or the last four characters, as [`folded`] gives it. An empty one finds nothing.
    Part(String),
}

impl KeySearch {
    /// Reads any text.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let after =
            ["ks_agency_", "ks_location_"].iter().find_map(|prefix| text.split_once(prefix)).map(|(_, rest)| rest);
        let Some(rest) = after else {
            return Self::Part(folded(text.trim_start_matches('…').trim_start_matches("...")));
        };
        let id = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        KeyId::parse(id).map_or_else(|| Self::Part(folded(id)), Self::Id)
    }
}

/// What is wrong with a key that was pasted into a search: it is found by its id all the same, and does not work as it was
/// pasted. It goes on in an address, beside the id, and tells nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw(NotAKey);

impl Flaw {
    /// Of a text that begins as keys do and goes on into a secret, if that is not a whole one.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if !contains_key(text) || PresentedKey::parse(text).is_some() {
            return None;
        }
        Some(NotAKey::of(text)).filter(|flaw| matches!(flaw, NotAKey::Short(_) | NotAKey::Mistyped)).map(Self)
    }

    /// As it stands in an address: `short-3`, `mistyped`.
    pub fn code(self) -> String {
        match self.0 {
            NotAKey::Short(missing) => format!("short-{missing}"),
            _ => "mistyped".to_owned(),
        }
    }

    /// Reads [`Flaw::code`].
    pub fn parse(code: &str) -> Option<Self> {
        if code == "mistyped" {
            return Some(Self(NotAKey::Mistyped));
        }
        let missing = code.strip_prefix("short-")?.parse().ok()?;
        (1..=64).contains(&missing).then_some(Self(NotAKey::Short(missing)))
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} It is found by its id; as it was pasted it does not work.", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{key_kind::KeyKind, key_secret::KeySecret};

    #[test]
    fn a_whole_key_is_its_id_and_no_secret_is_kept() {
        let id = KeyId::parse("Hq3vT0bZk9Wd").unwrap();
        let key = "ks_location_Hq3vT0bZk9Wd_8sFvN1cQyT5rLz0aGmXe4UoKpBi7WdJh3Qdrl0";
        for text in [key, &key[..40], &format!("TOKEN=\"{key}\""), "ks_location_Hq3vT0bZk9Wd_…rdl0", &key[..24]] {
            assert_eq!(KeySearch::parse(text), KeySearch::Id(id), "{text}");
        }
        for (text, part) in [
            ("ks_location_Hq3v", "hq3v"),
            ("ks_agency_", ""),
            ("ks_agency_Hq3vT0bZk9Wdtoolong_x", "hq3vt0bzk9wdtoolong"),
            (" …x9Qa ", "x9qa"),
            ("...x9Qa", "x9qa"),
            ("Spring  Campaign", "spring campaign"),
            ("\u{200b}", ""),
        ] {
            assert_eq!(KeySearch::parse(text), KeySearch::Part(part.to_owned()), "{text}");
        }
    }
    #[test]
    fn what_is_not_a_whole_key_is_told() {
        let key = KeySecret::generate(KeyKind::Location, KeyId::parse("Hq3vT0bZk9Wd").unwrap(), |pool| pool.fill(7));
        let (key, short) = (key.expose(), &key.expose()[..key.expose().len() - 3]);
        assert_eq!(Flaw::of(key), None);
        assert_eq!(Flaw::of(short), Some(Flaw(NotAKey::Short(3))));
        let mut mistyped = short.to_owned();
        mistyped.push_str("zzz");
        assert_eq!(Flaw::of(&mistyped), Some(Flaw(NotAKey::Mistyped)));
        for other in ["Hq3vT0bZk9Wd", "ks_location_Hq3vT0bZk9Wd_…rdl0", "ks_location_Hq3v", "a name", ""] {
            assert_eq!(Flaw::of(other), None, "{other}");
        }
        for flaw in [Flaw(NotAKey::Short(3)), Flaw(NotAKey::Mistyped)] {
            assert_eq!(Flaw::parse(&flaw.code()), Some(flaw));
        }
        assert!(["", "short-0", "short-x", "short-9999", "whole"].iter().all(|code| Flaw::parse(code).is_none()));
    }
}
