//! Events in API 2.0, for integrations that poll.

use keystead_core::{Authority, Error, EventCursor, EventQuery};
use keystead_model::{
    Invalid,
    event::{Event, EventKind},
    text::TimeZoneName,
};
use serde_json::{Map, Value, json};

use super::{actor::Who, samples};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Fields, Ground, Input, Word, Written},
};

/// Fields as they were, or as they are since, as they are stored.
pub(super) fn document(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

/// An event for those who poll.
pub(super) struct Shape(pub(super) Event);

/// The thing that something happened to.
struct Subject {
    noun: String,
    id: String,
}

impl Subject {
    fn of(event: &Event) -> Self {
        Self { noun: event.kind.split('.').next().unwrap_or_default().to_owned(), id: event.subject.clone() }
    }
}

impl Written for Subject {
    const NAME: &'static str = "EventSubject";

    fn sample() -> Self {
        Self::of(&samples::event())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("type", &self.noun);
        fields.put("id", &self.id);
    }
}

/// Why something happened, if not because somebody asked for it.
struct Cause {
    root: Option<String>,
    depth: i64,
}

impl Written for Cause {
    const NAME: &'static str = "EventCause";

    fn sample() -> Self {
        Self { root: None, depth: 0 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.or_null("rootEventId", self.root.as_ref());
        fields.put("depth", &self.depth);
    }
}

impl Written for Shape {
    const NAME: &'static str = "Event";

    fn sample() -> Self {
        Self(samples::event())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Event { id, location, contact, at, actor, kind, before, after, root, depth, erased, .. } = &self.0;
        fields.put("id", id);
        fields.put("type", kind);
        fields.put("at", at);
        fields.or_null("locationId", location.as_ref());
        fields.put("subject", &Subject::of(&self.0));
        fields.or_null("contactId", contact.as_ref());
        fields.put("actor", &Who(*actor));
        fields.or_null("before", document(before.as_deref()).as_ref());
        fields.or_null("after", document(after.as_deref()).as_ref());
        fields.put("cause", &Cause { root: root.clone(), depth: *depth });
        // Whether what changed was erased, so that its absence says nothing.
        fields.put("erased", erased);
    }
}

impl Word for EventCursor {
    const EXAMPLE: &'static str = "1795699024252-41-7-0VbzAB0qgFKjNfY2D2Wp-0Vc5K6ZwZGWu6taxhPqZ";

    fn schema() -> Value {
        json!({"type": "string", "description": "The nextCursor of the answer before"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be the nextCursor of the answer before"))
    }
}

/// Kinds of events, separated by commas.
struct Kinds(Vec<String>);

impl Word for Kinds {
    const EXAMPLE: &'static str = "contact.created,note.*";

    fn schema() -> Value {
        let names: Vec<&str> = EventKind::ALL
            .iter()
            .filter(|kind| kind.subject().read_scope().is_some())
            .map(|kind| kind.as_str())
            .collect();
        let description =
            format!("Separated by commas; `contact.*` are all of one noun. There are {}", names.join(", "));
        json!({"type": "string", "maxLength": KINDS_MAX, "description": description})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        if text.len() > KINDS_MAX {
            return Err(Invalid::new(format!("must be shorter than or equal to {KINDS_MAX} characters")));
        }
        Ok(Self(text.split(',').map(|kind| kind.trim().to_owned()).filter(|kind| !kind.is_empty()).collect()))
    }
}

/// Longest list of kinds.
const KINDS_MAX: usize = 2000;

/// Which events, and from where on.
pub(crate) struct EventsAsked(EventQuery);

impl Input for EventsAsked {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let window = query.window(|cursor| cursor);
        let asked = EventQuery {
            location: query.word("locationId"),
            kinds: query.word("kinds").map(|Kinds(names)| names).unwrap_or_default(),
            since: query.moment("since").map(|moment| moment.start(&TimeZoneName::utc())),
            subject: query.word("subject"),
            window,
        };
        Some(Self(asked))
    }

    /// A location that is nobody's, and the cursor of another instance.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("locationId");
        example.remove("cursor");
    }
}

/// Some events.
pub(crate) struct Events {
    events: Vec<Shape>,
    next: Next,
}

/// `meta` of the list: it always goes on.
struct Next {
    cursor: String,
    has_more: bool,
}

impl Written for Next {
    const NAME: &'static str = "EventsMeta";

    fn sample() -> Self {
        Self { cursor: EventCursor::EXAMPLE.to_owned(), has_more: false }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("nextCursor", &self.cursor);
        fields.put("hasMore", &self.has_more);
    }
}

impl Written for Events {
    fn sample() -> Self {
        Self { events: vec![Shape::sample()], next: Next::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("events", &self.events);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn list(authority: Authority, call: Call<(), EventsAsked>) -> Result<Events, Error> {
    let EventsAsked(query) = call.query;
    let page = call.app.list_events(&authority, query).await?;
    let next = Next { cursor: page.next.to_text(), has_more: page.has_more };
    Ok(Events { events: page.events.into_iter().map(Shape).collect(), next })
}
