//! The two kinds of keys.

/// Whose key it is: what its text says, and how far it can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Acts on the agency and, by its scopes, on its locations.
    Agency,
    /// Acts on one location.
    Location,
}

impl KeyKind {
    /// `"agency"` or `"location"`, as in the key's text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Location => "location",
        }
    }

    /// Reads [`KeyKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "agency" => Some(Self::Agency),
            "location" => Some(Self::Location),
            _ => None,
        }
    }
}
