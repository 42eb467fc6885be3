//! Lists of contacts, the same for both APIs: which, in which order, from where on, and how the next page is asked for.

use keystead_core::{App, Error, LocationContext};
use keystead_model::{
    ContactId, Invalid, UtcMs,
    contact::{Contact, ContactCursor, ContactFilter, ContactOrder},
    page::{Counted, Start, Window},
    search::asked,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::shapes::ListMeta;
use crate::{
    reader::Reader,
    shape::{Ground, Input, Word, word},
};

/// Rows that a page number or `skip` may pass over: cursors have no such limit.
pub(super) const FURTHEST: i64 = 10_000;

/// What was asked for.
pub(crate) struct Listing {
    words: Option<String>,
    order: ContactOrder,
    ascending: bool,
    window: Window<ContactCursor>,
    page: i64,
}

/// `order` and `sortBy` are API 1.0's; API 2.0 takes them as well.
impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(read(query))
    }
}

fn read(query: &mut Reader<'_>) -> Listing {
    let limit = query.integer("limit", 1..=100).unwrap_or(20);
    let page = query.integer("page", 1..=1_000_000);
    let skip = query.integer("skip", 0..=i64::MAX).unwrap_or_else(|| (page.unwrap_or(1) - 1) * limit);
    let words = query.word("query");
    let order = query.word("sortBy").and_then(|Column(column)| column);
    let direction = query.word("order").and_then(|Direction(is_ascending)| is_ascending);
    let id = query.word("startAfterId").map(|StartAfter(id, made_for)| (id, made_for));
    let at = query.instant("startAfter");
    let made_for = id.and_then(|(_, made_for)| made_for);
    if let (Some(order), Some((column, _))) = (order, made_for)
        && order != column
    {
        query.violate("startAfterId", "was made for another sortBy; begin again without it");
    }
    // A client that asks page 2 by the cursor alone goes on in the order in which page 1 was.
    let (column, ascending) = made_for.unwrap_or_default();
    let start = match (at, id.map(|(id, _)| id)) {
        (None, None) if skip == 0 => Start::First,
        (None, None) => Start::Skip(skip),
        (at, id) => Start::After(ContactCursor { at, id }),
    };
    if matches!(start, Start::Skip(skip) if skip > FURTHEST) {
        let name = if page.is_some() { "page" } else { "skip" };
        query.violate(
            name,
            format!("must not pass over more than {FURTHEST} contacts; go on with startAfter and startAfterId of meta"),
        );
    }
    let page = page.unwrap_or_else(|| if matches!(start, Start::Skip(_)) { skip / limit + 1 } else { 1 });
    Listing {
        words,
        order: order.unwrap_or(column),
        ascending: direction.unwrap_or(ascending),
        window: Window { start, limit },
        page,
    }
}

/// What does not name an order is passed over: clients send to every list what another list knows.
struct Column(Option<ContactOrder>);

impl Word for Column {
    const EXAMPLE: &'static str = "date_added";

    fn schema() -> Value {
        json!({"type": "string", "description": "date_added or date_updated; anything else is passed over"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(Self(match text {
            "date_added" | "dateAdded" => Some(ContactOrder::Created),
            "date_updated" | "dateUpdated" => Some(ContactOrder::Updated),
            _ => None,
        }))
    }
}

/// Likewise.
struct Direction(Option<bool>);

impl Word for Direction {
    const EXAMPLE: &'static str = "desc";

    fn schema() -> Value {
        json!({"type": "string", "description": "asc or desc; anything else is passed over"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(Self(match text.to_ascii_lowercase().as_str() {
            "asc" => Some(true),
            "desc" => Some(false),
            _ => None,
        }))
    }
}

/// A cursor's id: the contact's, and where the order is not the usual one, a letter for it.
pub(super) struct StartAfter(pub(super) ContactId, pub(super) Option<(ContactOrder, bool)>);

impl Word for StartAfter {
    const EXAMPLE: &'static str = word::THING;

    fn schema() -> Value {
        word::id("The startAfterId of a list, or the id of a contact")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let refused = || Invalid::new("must be the id of a contact, or the startAfterId of a list");
        if let Some(id) = ContactId::parse(text) {
            return Ok(Self(id, None));
        }
        let (id, letter) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(refused)?;
        let order =
            LETTERS.iter().find(|(known, ..)| *known == letter).map(|(_, order, ascending)| (*order, *ascending));
        Ok(Self(ContactId::parse(id).ok_or_else(refused)?, Some(order.ok_or_else(refused)?)))
    }
}

const LETTERS: &[(&str, ContactOrder, bool)] =
    &[("a", ContactOrder::Created, true), ("u", ContactOrder::Updated, false), ("v", ContactOrder::Updated, true)];

/// Where a contact is in an order, for a cursor: the id, with the letter of the order, and the time.
pub(super) fn place(contact: &Contact, order: ContactOrder, ascending: bool) -> (String, UtcMs) {
    let letter = LETTERS.iter().find(|(_, column, up)| (*column, *up) == (order, ascending));
    let at = match order {
        ContactOrder::Created => contact.created_at,
        ContactOrder::Updated => contact.updated_at,
    };
    (format!("{}{}", contact.id, letter.map_or("", |(letter, ..)| *letter)), at)
}

impl Listing {
    /// Reads the page.
    pub(crate) async fn run(&self, app: &App, context: &LocationContext) -> Result<Counted<Contact>, Error> {
        let search = match &self.words {
            Some(words) => Some(asked(words, app.location_of(context).await?.profile.country)),
            None => None,
        };
        let filter = ContactFilter { search, order: self.order, ascending: self.ascending, ..ContactFilter::default() };
        app.list_contacts(context, filter, self.window).await
    }

    /// The order as parameters of API 1.0.
    pub(crate) fn order(&self) -> String {
        let column = match self.order {
            ContactOrder::Created => "date_added",
            ContactOrder::Updated => "date_updated",
        };
        format!("sortBy={column}&order={}", if self.ascending { "asc" } else { "desc" })
    }

    /// Where the list goes on. `path` is the list's address with its first parameter, up to the next `&`.
    pub(crate) fn meta(&self, path: &str, found: &Counted<Contact>) -> ListMeta {
        let Self { words, order, ascending, window: Window { limit, .. }, page } = self;
        let next = found.page.next(|last| place(last, *order, *ascending));
        let url = |(id, UtcMs(at)): &(String, UtcMs)| {
            let words =
                words.as_deref().map(|words| format!("&query={}", utf8_percent_encode(words, NON_ALPHANUMERIC)));
            format!("{path}&limit={limit}{}&startAfter={at}&startAfterId={id}", words.unwrap_or_default())
        };
        ListMeta {
            total: found.total,
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
