//! Pages of a list: where one begins, what is on it, and whether there is another.

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

impl<Cursor> Window<Cursor> {
    /// The first page.
    pub const fn first(limit: i64) -> Self {
        Self { start: Start::First, limit }
    }

    /// The page after `cursor`, or without one the first.
    pub fn after(cursor: Option<Cursor>, limit: i64) -> Self {
        Self { start: cursor.map_or(Start::First, Start::After), limit }
    }

    /// The page after so many rows.
    pub const fn skip(rows: i64, limit: i64) -> Self {
        Self { start: Start::Skip(rows), limit }
    }

    /// All rows on one page: for lists that are short by their nature.
    pub const fn all() -> Self {
        Self::first(i64::MAX)
    }
}

/// What a list is ordered by that is read by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimeOrder {
    /// When its things were made.
    #[default]
    Created,
    /// When they were last changed.
    Updated,
}

/// One page of rows.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether rows come after these.
    pub has_more: bool,
}

/// A page of a list whose rows are counted.
#[derive(Clone, Debug)]
pub struct Counted<T> {
    /// The page.
    pub page: Page<T>,
    /// All that match, on every page.
    pub total: i64,
}

impl<T> Page<T> {
    /// From rows that were read with one more than the `limit` of the page, which tells whether there is another page.
    pub fn new(mut rows: Vec<T>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, has_more }
    }

    /// The cursor of the next page, if there is one: what `place` says of the last row.
    pub fn next<Cursor>(&self, place: impl FnOnce(&T) -> Cursor) -> Option<Cursor> {
        self.rows.last().filter(|_| self.has_more).map(place)
    }

    /// The same page of what becomes of each row.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(change).collect(), has_more: self.has_more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_only_to_a_page_that_has_rows() {
        let next = |rows: &[i64]| Page::new(rows.to_vec(), 2).next(|row| *row);
        assert_eq!(next(&[]), None);
        assert_eq!(next(&[1, 2]), None, "a full page may be the last");
        assert_eq!(next(&[1, 2, 3]), Some(2));
        assert_eq!(Page::new(vec![1, 2, 3], 2).map(|row| row * 2).rows, [2, 4]);
    }
}
