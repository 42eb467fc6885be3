//! Where a list of ours goes on.

use crate::shape::{Fields, Written};

/// `meta` of a list that is read by its cursor.
pub(crate) struct NextCursor {
    /// All that match.
    pub(crate) total: Option<i64>,
    /// Of notifications, how many nobody has seen.
    pub(crate) unseen: Option<i64>,
    /// For the next page, if there is one.
    pub(crate) next: Option<String>,
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
