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
