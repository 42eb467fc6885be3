//! Pages of a list.

use crate::UtcMs;

/// One page of rows, and how many there are in all.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// All that match, on every page.
    pub total: i64,
    /// Whether rows come after these.
    pub has_more: bool,
}

/// The last row of the page before, in a list ordered by a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<Id> {
    /// The row's time.
    pub at: UtcMs,
    /// The row's id, which decides between rows of the same time.
    pub id: Id,
}
