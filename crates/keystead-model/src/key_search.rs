//! What somebody looks for among keys.

use crate::{KeyId, text::folded};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
