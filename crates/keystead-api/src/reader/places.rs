//! Which part of a list is asked for.

use serde_json::json;

use super::Reader;

/// What leads further into a list. Where there is no list there is nowhere to go; a list must follow it or refuse it.
pub(crate) const PLACES: &[&str] = &["skip", "page"];

impl Reader<'_> {
    /// The part of a list that is asked for by `limit`, and `skip` or `page`; all of it where nothing is.
    pub(crate) fn slice(&mut self) -> Slice {
        let limit = self.integer("limit", 1..=i64::MAX);
        let page = self.integer("page", 1..=i64::MAX).unwrap_or(1);
        let skip = self.integer("skip", 0..=i64::MAX);
        let skip = skip.unwrap_or_else(|| limit.map_or(0, |limit| limit.saturating_mul(page - 1)));
        let whole = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        Slice { skip: whole(skip), limit: limit.map_or(usize::MAX, whole) }
    }

    /// For lists that are read by their cursor only.
    pub(crate) fn no_places(&mut self) {
        // Many clients name the first page, too.
        for (name, first) in PLACES.iter().copied().zip(["0", "1"]) {
            let schema = || json!({"const": first, "description": "The list goes on by its cursor"});
            if !self.notes(name, schema) && self.take(name).is_some_and(|place| place != first) {
                self.violate(name, "does not lead through this list; go on with cursor, which is its nextCursor");
            }
        }
    }
}

/// A part of a list.
pub(crate) struct Slice {
    skip: usize,
    limit: usize,
}

impl Slice {
    /// The part of `rows`.
    pub(crate) fn of<T>(&self, rows: Vec<T>) -> Vec<T> {
        rows.into_iter().skip(self.skip).take(self.limit).collect()
    }

    /// Rows to pass over and rows to read, at most `most`, for lists that are cut by the database.
    pub(crate) fn window(&self, most: i64) -> (i64, i64) {
        let number = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        (number(self.skip), number(self.limit).min(most))
    }
}
