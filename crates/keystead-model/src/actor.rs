//! Who does something.

use std::fmt;

use crate::{KeyId, UserId};

/// The one who acts: written into every audit row, and onto what they create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member, signed in.
    User(UserId),
    /// A program with an API key.
    Key(KeyId),
    /// Whoever runs the server, by its command line.
    Operator,
    /// Keystead itself: the sweep, an expiry.
    System,
}

impl Actor {
    /// `"user"`, `"key"`, `"operator"` or `"system"`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Key(_) => "key",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }

    /// The id of the user or key.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::User(id) => Some(id.as_str()),
            Self::Key(id) => Some(id.as_str()),
            Self::Operator | Self::System => None,
        }
    }

    /// Reads what [`Actor::kind`] and [`Actor::id`] wrote.
    pub fn parse(kind: &str, id: Option<&str>) -> Option<Self> {
        match (kind, id) {
            ("user", Some(id)) => UserId::parse(id).map(Self::User),
            ("key", Some(id)) => KeyId::parse(id).map(Self::Key),
            ("operator", None) => Some(Self::Operator),
            ("system", None) => Some(Self::System),
            _ => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id() {
            Some(id) => write!(f, "{}:{id}", self.kind()),
            None => f.write_str(self.kind()),
        }
    }
}

/// Whoever wrote something, as it is kept with what they wrote: `user:ID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    actor: Actor,
    text: String,
}

impl Signature {
    /// Of somebody.
    pub fn of(actor: Actor) -> Self {
        Self { actor, text: actor.to_string() }
    }

    /// Reads [`Signature::as_str`].
    pub fn from_stored(text: &str) -> Option<Self> {
        let actor = match text.split_once(':') {
            Some((kind, id)) => Actor::parse(kind, Some(id)),
            None => Actor::parse(text, None),
        };
        actor.map(Self::of)
    }

    /// Who it is.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The stored form.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read_back() {
        let user = UserId::parse("0aQ7cXkJTm9Rb4Vw6Yz3").unwrap();
        for actor in [Actor::User(user), Actor::Key(KeyId::parse("Hq3vT0bZk9Wd").unwrap()), Actor::Operator] {
            let signature = Signature::of(actor);
            assert_eq!(Signature::from_stored(signature.as_str()), Some(signature));
        }
        for text in ["", "user", "user:", "operator:1", "nobody:0aQ7cXkJTm9Rb4Vw6Yz3"] {
            assert_eq!(Signature::from_stored(text), None, "{text:?}");
        }
    }
}
