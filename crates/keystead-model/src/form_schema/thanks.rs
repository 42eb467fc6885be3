//! What whoever answered is told: texts into which answers are put, and nothing that is known of anybody.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Invalid,
    link::{Destination, Piece, pieces},
    text::{Prose, echo},
};

/// A text with answers in it as `{{answer.first_name}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thanks(String);

/// Of an answer nothing is left that means anything in an address.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Thanks {
    /// Reads a text. `knows` says which keys there are.
    pub fn message(text: &str, knows: impl Fn(&str) -> bool) -> Result<Self, Invalid> {
        Self::checked(Prose::<2_000>::parse(text)?.into_string(), knows)
    }

    /// Reads an address, in which answers stand after its host.
    pub fn address(text: &str, knows: impl Fn(&str) -> bool) -> Result<Self, Invalid> {
        Self::checked(Destination::parse(text)?.as_str().to_owned(), knows)
    }

    fn checked(text: String, knows: impl Fn(&str) -> bool) -> Result<Self, Invalid> {
        let fields = pieces(&text)?;
        for piece in fields {
            let Piece::Field(name) = piece else { continue };
            match name.strip_prefix("answer.") {
                Some(key) if knows(key) => {}
                Some(key) => return Err(Invalid::new(format!("names no field of this form: {}", echo(key)))),
                // Whoever types somebody's address would read what is known of them.
                None => {
                    return Err(Invalid::new(format!(
                        "may say {{{{answer.<key>}}}} only, and not {}: what is known of a contact is not told to strangers",
                        echo(name)
                    )));
                }
            }
        }
        Ok(Self(text))
    }

    /// The text with these answers; what was not answered is left out.
    pub fn text(&self, answers: &BTreeMap<String, String>) -> String {
        self.filled(|key| answers.get(key).cloned().unwrap_or_default())
    }

    /// The same as an address.
    pub fn url(&self, answers: &BTreeMap<String, String>) -> String {
        self.filled(|key| match answers.get(key) {
            Some(answer) => utf8_percent_encode(answer, IN_ADDRESS).to_string(),
            None => String::new(),
        })
    }

    fn filled(&self, answer: impl Fn(&str) -> String) -> String {
        let part = |piece: Piece<'_>| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Field(name) => answer(name.strip_prefix("answer.").unwrap_or(name)),
        };
        pieces(&self.0).unwrap_or_default().into_iter().map(part).collect()
    }

    /// What it names between braces.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        pieces(&self.0).unwrap_or_default().into_iter().filter_map(|piece| match piece {
            Piece::Field(name) => Some(name),
            Piece::Text(_) => None,
        })
    }

    /// As its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
