//! What whoever answered is told: texts into which answers are put, and nothing that is known of anybody.

use std::collections::BTreeMap;

use crate::{
    Invalid,
    link::{self, Destination, Piece, pieces},
    text::{Prose, echo},
};

/// A text with answers in it as `{{answer.first_name}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thanks(String);

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
        let part = |piece: Piece<'_>| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Field(name) => answer(answers, name),
        };
        pieces(&self.0).unwrap_or_default().into_iter().map(part).collect()
    }

    /// The same as an address, in which no answer means anything.
    pub fn url(&self, answers: &BTreeMap<String, String>) -> String {
        link::filled(&pieces(&self.0).unwrap_or_default(), |name| answer(answers, name))
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

fn answer(answers: &BTreeMap<String, String>, name: &str) -> String {
    answers.get(name.strip_prefix("answer.").unwrap_or(name)).cloned().unwrap_or_default()
}
