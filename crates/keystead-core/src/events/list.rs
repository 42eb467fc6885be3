//! The list of events, for integrations that poll.
//!
//! A poller reads what was committed since it read last, and misses nothing: events of data are numbered in the order in which
//! their location commits them, sealed ones in the order of the agency's chain, and a cursor remembers its place in both.

use keystead_model::{
    LocationId, UtcMs,
    event::{Event, EventKind},
    grant::Reach,
    id::Id,
    page::{Page, Start, Window},
    scope::Scope,
    text::echo,
    time::DAY_MS,
};
use keystead_store::{
    changes,
    events::{self, Polled, ReadUpTo},
};

use crate::{App, Authority, Error, Result};

/// What somebody polls for.
#[derive(Clone, Debug)]
pub struct EventQuery {
    /// In this location; without one what happens to the agency and its keys.
    pub location: Option<LocationId>,
    /// Kinds by name, `contact.created` or `contact.*`; none are all that may be seen.
    pub kinds: Vec<String>,
    /// Not before.
    pub since: Option<UtcMs>,
    /// Of this thing, or of what belongs to this contact.
    pub subject: Option<String>,
    /// From where on: the first are the oldest that are kept.
    pub window: Window<EventCursor>,
}

impl EventQuery {
    /// All that may be seen, in the one location that is reached, or of the agency.
    pub fn all(window: Window<EventCursor>) -> Self {
        Self { location: None, kinds: Vec::new(), since: None, subject: None, window }
    }
}

/// A place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCursor {
    /// Until when all data was read.
    read_until: UtcMs,
    read: ReadUpTo,
    /// Of which database: one that was set back to an earlier state numbers other events alike.
    incarnation: String,
    /// Whose events: a location's, or the agency's own.
    owner: Id<()>,
}

impl EventCursor {
    /// As clients carry it.
    pub fn to_text(&self) -> String {
        let Self { read_until, read: ReadUpTo { data, sealed }, incarnation, owner } = self;
        format!("{}-{data}-{sealed}-{owner}-{incarnation}", read_until.0)
    }

    /// Reads [`EventCursor::to_text`].
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '-');
        let mut number = || parts.next()?.parse().ok().filter(|number| *number >= 0);
        let (read_until, data, sealed) = (number()?, number()?, number()?);
        let owner = parts.next().and_then(Id::parse)?;
        let incarnation = parts.next().filter(|rest| !rest.is_empty())?.to_owned();
        Some(Self { read_until: UtcMs(read_until), read: ReadUpTo { data, sealed }, incarnation, owner })
    }

    /// Refuses to go on from it where something may be missing.
    fn check(&self, owner: Id<()>, now: UtcMs, kept: Option<i64>) -> Result<()> {
        if self.owner != owner {
            let problem = "goes on where it was handed out; begin without it for another location, or the agency";
            return Err(Error::invalid("cursor", problem));
        }
        let Some(kept) = kept.filter(|kept| now - self.read_until > *kept) else { return Ok(()) };
        let days = kept / DAY_MS;
        let problem = format!("is older than the {days} days for which events are kept; begin again without it");
        Err(Error::invalid("cursor", problem))
    }
}

/// Some events.
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// From where to go on, also if there were none.
    pub next: EventCursor,
    /// Whether there are more already.
    pub has_more: bool,
}

/// Whether somebody may see what such an event tells.
pub(crate) fn may_see(authority: &Authority, kind: EventKind) -> bool {
    kind.subject().read_scope().is_some_and(|scope| authority.grant().allows(scope))
}

/// The kinds that are meant, of those that somebody may see.
fn wanted(authority: &Authority, names: &[String]) -> Result<Vec<EventKind>> {
    let sees = |kind: &EventKind| may_see(authority, *kind);
    if names.is_empty() {
        let seen: Vec<EventKind> = EventKind::ALL.iter().copied().filter(sees).collect();
        return if seen.is_empty() { Err(Error::MissingScope(Scope::ContactsRead)) } else { Ok(seen) };
    }
    let told: Vec<EventKind> =
        EventKind::ALL.iter().copied().filter(|kind| kind.subject().read_scope().is_some()).collect();
    let mut kinds = Vec::new();
    for name in names {
        let is_meant = |kind: &&EventKind| match name.strip_suffix(".*") {
            Some(noun) => kind.as_str().split('.').next() == Some(noun),
            None => kind.as_str() == name,
        };
        let meant: Vec<EventKind> = told.iter().filter(is_meant).copied().collect();
        if meant.is_empty() {
            return Err(Error::invalid("kinds", format!("has {}, which is no kind of event", echo(name))));
        }
        // Who asks for what they may not see would wait for it in vain.
        if let Some(hidden) = meant.iter().find(|kind| !sees(kind)) {
            return Err(Error::MissingScope(hidden.subject().read_scope().unwrap_or(Scope::ContactsRead)));
        }
        kinds.extend(meant);
    }
    Ok(kinds)
}

/// Merges two ordered pages by when things happened, and keeps the first of them: each one's order stays.
fn merged(data: Page<Event>, sealed: Page<Event>, limit: i64) -> Page<Event> {
    let is_cut = data.has_more || sealed.has_more;
    let (mut data, mut sealed) = (data.rows.into_iter().peekable(), sealed.rows.into_iter().peekable());
    let rows = std::iter::from_fn(|| match (data.peek(), sealed.peek()) {
        (Some(first), Some(second)) if first.at <= second.at => data.next(),
        (_, Some(_)) => sealed.next(),
        (_, None) => data.next(),
    });
    let page = Page::new(rows.collect(), limit);
    Page { has_more: page.has_more || is_cut, ..page }
}

impl App {
    /// The next events of a location, or of the agency itself, that somebody may see.
    pub async fn list_events(&self, authority: &Authority, query: EventQuery) -> Result<EventPage> {
        let kinds = wanted(authority, &query.kinds)?;
        let location = match (query.location, &authority.grant().reach) {
            (Some(location), reach) if !reach.has_location(location) => return Err(Error::NoAccess),
            (Some(location), _) => Some(location),
            (None, Reach::Locations(set)) if set.len() == 1 => set.first().copied(),
            (None, Reach::Agency) => None,
            // The agency's events tell of all its locations.
            (None, _) => return Err(Error::invalid("locationId", "can't be undefined")),
        };
        if let (None, false, Some(data)) = (location, query.kinds.is_empty(), first_of_data(&kinds)) {
            let problem = format!("can't be undefined, since {} happens in a location", data.as_str());
            return Err(Error::invalid("locationId", problem));
        }
        let (now, agency, limit) = (self.clock.now(), authority.agency(), query.window.limit);
        let after = if let Start::After(cursor) = query.window.start { Some(cursor) } else { None };
        let kept = self.limits.data_audit.map(|kept| i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
        let owner = location.map_or(agency.of_anything(), LocationId::of_anything);
        if let Some(after) = &after {
            after.check(owner, now, kept)?;
        }
        // What is about to be forgotten is not begun with: whoever reads it page by page would not come to its end.
        let oldest = kept.map(|kept| UtcMs(now.0.saturating_sub(kept - DAY_MS.min(kept / 10))));
        let sealed = Polled { kinds, since: query.since, subject: query.subject };
        let data = Polled { since: sealed.since.max(oldest.filter(|_| after.is_none())), ..sealed.clone() };
        let page = self.store.read(move |tx| {
            let incarnation = changes::poll(tx)?.incarnation;
            if after.as_ref().is_some_and(|after| after.incarnation != incarnation) {
                let problem = "is of another state of the database, which was copied or set back to a backup since; begin \
                               again without it, by since";
                return Err(Error::invalid("cursor", problem));
            }
            let from = after.as_ref().map(|after| after.read).unwrap_or_default();
            let ends = events::ends(tx, agency, location)?;
            let beyond = |place: i64| Window::after(Some(place), limit);
            let sealed = events::sealed(tx, (agency, location), &sealed, ends.sealed, &beyond(from.sealed))?;
            let data = match location {
                Some(location) => events::of_data(tx, location, &data, ends.data, &beyond(from.data))?,
                None => Page::new(Vec::new(), limit),
            };
            let Page { rows: events, has_more } = merged(data, sealed, limit);
            let read = if has_more { read_up_to(from, &events) } else { from.and(ends) };
            // Only data is forgotten, so only how far that was read counts.
            let last = events.iter().rfind(|event| event.position.is_none()).map(|last| last.at);
            let before = after.as_ref().map(|after| after.read_until).or(oldest);
            let read_until = if has_more { last.or(before).unwrap_or(now) } else { now };
            Ok(EventPage { events, next: EventCursor { read_until, read, incarnation, owner }, has_more })
        });
        page.await
    }
}

fn first_of_data(kinds: &[EventKind]) -> Option<EventKind> {
    kinds.iter().copied().find(|kind| !kind.class().is_sealed())
}

/// How far one has read after these.
fn read_up_to(from: ReadUpTo, events: &[Event]) -> ReadUpTo {
    events.iter().fold(from, |read, event| match event.position {
        Some(position) => ReadUpTo { sealed: position, ..read },
        None => ReadUpTo { data: event.number, ..read },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back_and_nothing_else_is_one() {
        let (read_until, read) = (UtcMs(1_795_699_024_252), ReadUpTo { data: 41, sealed: 7 });
        let owner = Id::parse("0VbzAB0qgFKjNfY2D2Wp").unwrap();
        let cursor = EventCursor { read_until, read, incarnation: "0Vc5K6ZwZGWu6taxhPqZ".to_owned(), owner };
        assert_eq!(EventCursor::parse(&cursor.to_text()), Some(cursor));
        for bad in [
            "",
            "1",
            "1-2",
            "1-2-3",
            "1-2-3-",
            "1-2-3-0VbzAB0qgFKjNfY2D2Wp",
            "1-2-3-x-a",
            "-1-2-3-0VbzAB0qgFKjNfY2D2Wp-a",
        ] {
            assert_eq!(EventCursor::parse(bad), None, "{bad}");
        }
    }
}
