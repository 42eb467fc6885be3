//! Whether something is in use yet.

use crate::Invalid;

/// Where something stands that is drafted before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// It is being made, and does nothing.
    Draft,
    /// It is in use.
    Published,
}

impl Publication {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Draft, Self::Published];

    /// The name, on the wire and as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| Invalid::new("must be draft or published"))
    }
}
