//! Custom values of a location: texts that have a name, so that what is written with them changes in one place.

use crate::{
    CustomValueId, LocationId, UtcMs,
    search::fold,
    text::{Line, Prose},
};

/// A custom value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomValue {
    /// Its id.
    pub id: CustomValueId,
    /// The location that has it.
    pub location: LocationId,
    /// What stands for it in texts, the `x` of `{{ custom_values.x }}`. It stays when the name changes.
    pub key: String,
    /// What its author writes.
    pub content: CustomValueContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a custom value that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomValueContent {
    /// Its name.
    pub name: Line<200>,
    /// What it is.
    pub value: Prose<10_000>,
}

/// The key of a name: its letters and digits in small form, everything between them one underscore. A name without any has the
/// key `_`.
pub fn key_of(name: &str) -> String {
    let folded = fold(name);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let key = words.collect::<Vec<_>>().join("_");
    if key.is_empty() { "_".to_owned() } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_from_names() {
        for (name, key) in [
            ("Support E-mail", "support_e_mail"),
            ("  Öffnungszeiten (Winter)!", "offnungszeiten_winter"),
            ("電話", "電話"),
            ("?!", "_"),
        ] {
            assert_eq!(key_of(name), key, "{name}");
        }
    }
}
