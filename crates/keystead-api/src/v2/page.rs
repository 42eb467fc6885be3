//! Where a list of ours goes on.

use keystead_model::{Invalid, id::Id, page::Page};
use serde_json::Value;

use crate::shape::{Fields, Ground, Word, Written, word};

/// `meta` of a list that is read by its cursor.
pub(crate) struct NextCursor {
    /// All that match.
    pub(crate) total: Option<i64>,
    /// Of notifications, how many nobody has seen.
    pub(crate) unseen: Option<i64>,
    /// For the next page, if there is one.
    pub(crate) next: Option<String>,
}

impl NextCursor {
    /// After `page`: what `place` says of its last row.
    pub(crate) fn of<T>(page: &Page<T>, place: impl FnOnce(&T) -> String) -> Self {
        Self { total: None, unseen: None, next: page.next(place) }
    }
}

impl Written for NextCursor {
    const NAME: &'static str = "Meta";

    fn sample() -> Self {
        Self { total: None, unseen: None, next: None }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.opt("total", self.total.as_ref());
        fields.opt("unseen", self.unseen.as_ref());
        fields.or_null("nextCursor", self.next.as_ref());
    }
}

/// Where a list goes on whose rows have ids.
pub(crate) struct Cursor<T>(pub(crate) Id<T>);

impl<T> Word for Cursor<T> {
    const EXAMPLE: &'static str = word::THING;

    fn schema() -> Value {
        word::id("The nextCursor of the page before")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Id::parse(text).map(Self).ok_or_else(|| Invalid::new("must be the nextCursor of a list"))
    }
}
