//! Lists of contacts, the same for both APIs: which, in which order, from where on, and how the next page is asked for.

use keystead_core::{App, Error, LocationContext};
use keystead_model::{
    Invalid,
    contact::{Contact, ContactCursor, ContactFilter, ContactOrder},
    page::Counted,
    search::asked,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::shapes::ListMeta;
use crate::{
    reader::Reader,
    shape::{Ground, Input, Word},
    v2::by_time::ByTime,
};

/// What was asked for.
pub(crate) struct Listing {
    words: Option<String>,
    by_time: ByTime<Contact>,
}

/// `order` and `sortBy` are API 1.0's; API 2.0 takes them as well.
impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let words = query.word("query");
        let order = query.word("sortBy").and_then(|Column(column)| column);
        let ascending = query.word("order").and_then(|Direction(is_ascending)| is_ascending);
        Some(Self { words, by_time: ByTime::read(query, order, ascending, "contacts") })
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

impl Listing {
    /// Reads the page.
    pub(crate) async fn run(&self, app: &App, context: &LocationContext) -> Result<Counted<Contact>, Error> {
        let search = match &self.words {
            Some(words) => Some(asked(words, app.location_of(context).await?.profile.country)),
            None => None,
        };
        let ByTime { order, ascending, .. } = self.by_time;
        let filter = ContactFilter { search, order, ascending, ..ContactFilter::default() };
        app.list_contacts(context, filter, self.by_time.window(|at, id| ContactCursor { at, id })).await
    }

    /// The order as parameters of API 1.0.
    pub(crate) fn order(&self) -> String {
        let column = match self.by_time.order {
            ContactOrder::Created => "date_added",
            ContactOrder::Updated => "date_updated",
        };
        format!("sortBy={column}&order={}", if self.by_time.ascending { "asc" } else { "desc" })
    }

    /// Where the list goes on. `path` is the list's address with its first parameter, up to the next `&`.
    pub(crate) fn meta(&self, path: &str, found: &Counted<Contact>) -> ListMeta {
        let words =
            self.words.as_deref().map(|words| format!("&query={}", utf8_percent_encode(words, NON_ALPHANUMERIC)));
        let path = format!("{path}{}", words.unwrap_or_default());
        self.by_time.meta(&path, found.total, found.page.next(|last| (last.id, last.created_at, last.updated_at)))
    }
}
