//! Pages of a list.

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

/// Where a page begins, and how many rows it has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<Cursor> {
    /// Where it begins.
    pub start: Start<Cursor>,
    /// How many rows.
    pub limit: i64,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<Cursor> {
    /// With the first row.
    First,
    /// After the last row of the page before.
    After(Cursor),
    /// After so many rows.
    Skip(i64),
}

impl<T> Page<T> {
    /// From rows that were read with one more than the `limit` of the page.
    pub fn new(rows: Vec<T>, limit: i64, total: i64) -> Self {
        let (rows, has_more) = cut(rows, limit);
        Self { rows, total, has_more }
    }
}

/// The rows of a page that were read with one more than its `limit`: that one tells whether there is another page.
pub fn cut<T>(mut rows: Vec<T>, limit: i64) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or_default();
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    (rows, has_more)
}
