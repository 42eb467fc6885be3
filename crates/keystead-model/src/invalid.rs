//! What is wrong with an input, said so that the person who sent it can mend it.

use std::fmt;

/// A value that a newtype refused: a sentence without the field's name, which the caller knows ("must be an email").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

impl Invalid {
    /// From a fixed sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// A problem as it is said to people, where the contract with programs has words of its own for it.
pub fn in_words(problem: &str) -> &str {
    match problem {
        "must be an email" => "must be an e-mail address",
        other => other,
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Invalid {}
