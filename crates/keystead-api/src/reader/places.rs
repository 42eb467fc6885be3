//! Which part of a list is asked for.

use keystead_model::page::Window;
use serde_json::json;

use super::Reader;
use crate::shape::Word;

/// What leads further into a list. Where there is no list there is nowhere to go; a list must follow it or refuse it.
pub(crate) const PLACES: &[&str] = &["skip", "page"];

impl Reader<'_> {
    /// The part of a list that is asked for by `limit`, and `skip` or `page`; all of it where nothing is.
    pub(crate) fn slice(&mut self) -> Slice {
        let limit = self.integer("limit", 1..=i64::MAX);
        let page = self.integer("page", 1..=i64::MAX).unwrap_or(1);
        let skip = self.integer("skip", 0..=i64::MAX);
        let skip = skip.unwrap_or_else(|| limit.map_or(0, |limit| limit.saturating_mul(page - 1)));
        Slice { skip, limit: limit.unwrap_or(i64::MAX) }
    }

    /// The same for a list that gives `usual` rows unless it is said, and no more than `most`.
    pub(crate) fn short_slice(&mut self, usual: i64, most: i64) -> Slice {
        let limit = self.integer("limit", 1..=most).unwrap_or(usual);
        let page = self.integer("page", 1..=i64::MAX).unwrap_or(1);
        let skip = self.integer("skip", 0..=i64::MAX).unwrap_or_else(|| limit.saturating_mul(page - 1));
        Slice { skip, limit }
    }

    /// For a list that is read by its cursor only: how many rows, 20 unless it is said, and after which.
    pub(crate) fn window<W: Word, Cursor>(&mut self, read: impl FnOnce(W) -> Cursor) -> Window<Cursor> {
        let limit = self.integer("limit", 1..=100).unwrap_or(20);
        let after = self.word("cursor").map(read);
        self.no_places();
        Window::after(after, limit)
    }

    fn no_places(&mut self) {
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
    skip: i64,
    limit: i64,
}

impl Slice {
    /// As a window of any list.
    pub(crate) const fn window<Cursor>(&self) -> Window<Cursor> {
        Window::skip(self.skip, self.limit)
    }

    /// This part of a list that is read whole.
    pub(crate) fn of<T>(&self, rows: Vec<T>) -> Vec<T> {
        let number = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        rows.into_iter().skip(number(self.skip)).take(number(self.limit)).collect()
    }

    /// The same with at most `most` rows.
    pub(crate) fn at_most(&self, most: i64) -> Self {
        Self { skip: self.skip, limit: self.limit.min(most) }
    }
}
