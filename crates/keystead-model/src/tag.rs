//! Tags of contacts. A tag belongs to a location and is lower-cased.

use crate::{Invalid, LocationId, TagId, text::Line};

/// A tag's name: one line, lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagName(Line<100>);

impl TagName {
    /// Trims and lower-cases.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Line::parse(&text.to_lowercase()).map(Self)
    }

    /// A name that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(Line::from_stored(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Which tags to list.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    /// Those with this in their name, whatever its case.
    pub part: Option<String>,
}

/// A tag.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// The location that it belongs to.
    pub location: LocationId,
    /// Its name, unique in the location.
    pub name: TagName,
    /// How many contacts have it; those in the trash do not count.
    pub contacts: i64,
}
