//! Lists that are read by time, newest first or oldest first, the same for both APIs: from where on, and how the next page is asked
//! for.

use keystead_model::{
    Invalid, UtcMs,
    id::Id,
    page::{Start, TimeOrder, Window},
};
use serde_json::Value;

use super::contacts::shapes::ListMeta;
use crate::{
    reader::Reader,
    shape::{Ground, Word, word},
};

/// Rows that a page number or `skip` may pass over: cursors have no such limit.
pub(crate) const FURTHEST: i64 = 10_000;

/// From where on such a list is asked for, and in which order.
pub(crate) struct ByTime<T> {
    pub(crate) order: TimeOrder,
    pub(crate) ascending: bool,
    start: Start<(Option<UtcMs>, Option<Id<T>>)>,
    limit: i64,
    page: i64,
}

impl<T> ByTime<T> {
    /// Reads `limit`, `page` or `skip`, and the cursor. `order` and `ascending` are what else was said of the order; `what` the
    /// list is of.
    pub(crate) fn read(query: &mut Reader<'_>, order: Option<TimeOrder>, ascending: Option<bool>, what: &str) -> Self {
        let limit = query.integer("limit", 1..=100).unwrap_or(20);
        let page = query.integer("page", 1..=1_000_000);
        let skip = query.integer("skip", 0..=i64::MAX).unwrap_or_else(|| (page.unwrap_or(1) - 1) * limit);
        let id = query.word("startAfterId").map(|StartAfter(id, made_for)| (id, made_for));
        let at = query.instant("startAfter");
        let made_for = id.as_ref().and_then(|(_, made_for)| *made_for);
        if let (Some(order), Some((column, _))) = (order, made_for)
            && order != column
        {
            query.violate("startAfterId", "was made for another order; begin again without it");
        }
        // A client that asks page 2 by the cursor alone goes on in the order in which page 1 was.
        let (column, up) = made_for.unwrap_or_default();
        let start = match (at, id.map(|(id, _)| id)) {
            (None, None) if skip == 0 => Start::First,
            (None, None) => Start::Skip(skip),
            (at, id) => Start::After((at, id)),
        };
        if matches!(start, Start::Skip(skip) if skip > FURTHEST) {
            let name = if page.is_some() { "page" } else { "skip" };
            let go_on = "go on with startAfter and startAfterId of meta";
            query.violate(name, format!("must not pass over more than {FURTHEST} {what}; {go_on}"));
        }
        let page = page.unwrap_or_else(|| if matches!(start, Start::Skip(_)) { skip / limit + 1 } else { 1 });
        Self { order: order.unwrap_or(column), ascending: ascending.unwrap_or(up), start, limit, page }
    }

    /// The window, with the cursor as the list has it.
    pub(crate) fn window<Cursor>(&self, cursor: impl FnOnce(Option<UtcMs>, Option<Id<T>>) -> Cursor) -> Window<Cursor> {
        let start = match &self.start {
            Start::First => Start::First,
            Start::Skip(rows) => Start::Skip(*rows),
            Start::After((at, id)) => Start::After(cursor(*at, *id)),
        };
        Window { start, limit: self.limit }
    }

    /// Where the list goes on after `last`, of which `created` and `updated` are known, if anything follows. `path` is the list's address
    /// with its parameters, up to the next `&`.
    pub(crate) fn meta(&self, path: &str, total: i64, last: Option<(Id<T>, UtcMs, UtcMs)>) -> ListMeta {
        let Self { order, ascending, limit, page, .. } = self;
        let next = last.map(|last| place(last, *order, *ascending));
        let url = |(id, UtcMs(at)): &(String, UtcMs)| format!("{path}&limit={limit}&startAfter={at}&startAfterId={id}");
        ListMeta {
            total,
            next_page_url: next.as_ref().map(url),
            start_after: next.as_ref().map(|(_, at)| at.0),
            // Page numbers end where reading everything before them would cost too much; the cursor goes on.
            next_page: next.as_ref().filter(|_| page * limit <= FURTHEST).map(|_| page + 1),
            start_after_id: next.map(|(id, _)| id),
            current_page: *page,
            prev_page: (*page > 1).then(|| page - 1),
        }
    }
}

/// A cursor's id: the thing's, and where the order is not the usual one, a letter for it.
pub(crate) struct StartAfter<T>(pub(crate) Id<T>, pub(crate) Option<(TimeOrder, bool)>);

impl<T> Word for StartAfter<T> {
    const EXAMPLE: &'static str = word::THING;

    fn schema() -> Value {
        word::id("The startAfterId of a list, or the id of one of its things")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let refused = || Invalid::new("must be the startAfterId of a list, or the id of one of its things");
        if let Some(id) = Id::parse(text) {
            return Ok(Self(id, None));
        }
        let (id, letter) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(refused)?;
        Ok(Self(Id::parse(id).ok_or_else(refused)?, Some(order_of(letter).ok_or_else(refused)?)))
    }
}

const LETTERS: &[(&str, TimeOrder, bool)] =
    &[("a", TimeOrder::Created, true), ("u", TimeOrder::Updated, false), ("v", TimeOrder::Updated, true)];

/// Where a thing, of which id, creation and last change are known, is in an order, for a cursor: the id, with the letter of the
/// order, and the time.
fn place<T>((id, created, updated): (Id<T>, UtcMs, UtcMs), order: TimeOrder, ascending: bool) -> (String, UtcMs) {
    let at = match order {
        TimeOrder::Created => created,
        TimeOrder::Updated => updated,
    };
    (format!("{id}{}", letter_of(order, ascending)), at)
}

/// The letter of an order; the usual one has none.
pub(crate) fn letter_of(order: TimeOrder, ascending: bool) -> &'static str {
    let known = LETTERS.iter().find(|(_, column, up)| (*column, *up) == (order, ascending));
    known.map_or("", |(letter, ..)| *letter)
}

/// The order of a letter, and whether it begins with the oldest.
pub(crate) fn order_of(letter: &str) -> Option<(TimeOrder, bool)> {
    LETTERS.iter().find(|(known, ..)| *known == letter).map(|(_, order, ascending)| (*order, *ascending))
}
