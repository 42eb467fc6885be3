//! Events: inserted in the transaction of what they tell of, and read by the audit log and by those who poll.

use keystead_model::{
    AgencyId, ContactId, LocationId, UtcMs,
    event::{Cause, Event, EventId, EventKind, NewEvent},
    page::{Page, Window},
};

use crate::{
    Result, Row, ToValue, Tx,
    filter::{Filter, prefix_end},
    late,
    list::Order,
    users::read_actor,
};

/// Adds an event.
pub fn insert(tx: &mut Tx<'_>, event: &NewEvent) -> Result<()> {
    let NewEvent {
        id,
        kind,
        agency,
        location,
        contact,
        subject,
        at,
        actor,
        ip,
        request_id,
        before,
        after,
        cause: Cause { root, depth },
    } = event;
    let (actor, actor_id, action, chained) = (actor.kind(), actor.id(), kind.as_str(), kind.class().is_sealed());
    tx.late(
        &late::EVENTS,
        &[
            agency,
            location,
            at,
            &actor,
            &actor_id,
            ip,
            request_id,
            &action,
            subject,
            before,
            after,
            &chained,
            id,
            contact,
            root,
            &i64::from(*depth),
        ],
    )
}

pub(crate) const COLUMNS: &str =
    "id, event_id, location_id, contact_id, at, actor_kind, actor_id, ip, action, subject, before_json, after_json,
    request_id, root, depth, position, erased";

pub(crate) fn read(row: &mut Row<'_>) -> Result<Event> {
    let number: i64 = row.column()?;
    Ok(Event {
        number,
        id: row.column::<Option<String>>()?.unwrap_or_else(|| number.to_string()),
        location: row.column()?,
        contact: row.column()?,
        at: row.column()?,
        actor: read_actor(row)?,
        ip: row.column()?,
        kind: row.column()?,
        subject: row.column()?,
        before: row.column()?,
        after: row.column()?,
        request_id: row.column()?,
        root: row.column()?,
        depth: row.column()?,
        position: row.column()?,
        erased: row.column()?,
    })
}

/// Which events the audit log lists.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Kinds that begin so: `api_key.` or all of `api_key.deleted`.
    pub action: Option<String>,
    /// Of this thing, or of what belongs to this contact.
    pub subject: Option<String>,
    /// By this user or key.
    pub actor: Option<String>,
    /// By such as these: [`keystead_model::actor::Actor::kind`].
    pub actor_kind: Option<&'static str>,
    /// Only what is sealed: not what becomes of data.
    pub sealed_only: bool,
    /// In this location.
    pub location: Option<LocationId>,
    /// Not before.
    pub from: Option<UtcMs>,
    /// Before.
    pub until: Option<UtcMs>,
}

/// The newest event of a kind, in a location if one is named, among the agency's last so many.
pub fn newest(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    location: Option<LocationId>,
    kind: EventKind,
    among: i64,
) -> Result<Option<Event>> {
    let mut filter = Filter::new();
    filter.and("id IN (SELECT id FROM events WHERE agency_id = @ ORDER BY id DESC LIMIT @)", &[&agency, &among]);
    let kind = kind.as_str();
    filter.and("action = @", &[&kind]);
    if let Some(location) = &location {
        filter.and("location_id = @", &[location]);
    }
    let sql = format!("SELECT {COLUMNS} FROM events WHERE {} ORDER BY id DESC LIMIT 1", filter.sql());
    tx.query_opt(&sql, &filter.values(), read)
}

/// Of a thing, or of what belongs to it, by the index of either.
const ABOUT: &str =
    "id IN (SELECT id FROM events WHERE subject = @ UNION ALL SELECT id FROM events WHERE contact_id = @)";

/// Events of an agency, newest first.
pub fn list(tx: &mut Tx<'_>, agency: AgencyId, filter: &AuditFilter, window: &Window<i64>) -> Result<Page<Event>> {
    let AuditFilter { action, subject, actor, actor_kind, sealed_only, location, from, until } = filter;
    let end = action.as_deref().map(prefix_end);
    let mut conditions = Filter::new();
    conditions.and("agency_id = @", &[&agency]);
    if let (Some(action), Some(end)) = (action, &end) {
        conditions.and("action >= @ AND action < @", &[action, end]);
    }
    if let Some(subject) = subject {
        conditions.and(ABOUT, &[subject, subject]);
    }
    if let Some(actor) = actor {
        conditions.and("actor_id = @", &[actor]);
    }
    if let Some(kind) = actor_kind {
        conditions.and("actor_kind = @", &[kind]);
    }
    if *sealed_only {
        conditions.and("chained", &[]);
    }
    if let Some(location) = location {
        conditions.and("location_id = @", &[location]);
    }
    if let Some(from) = from {
        conditions.and("at >= @", &[from]);
    }
    if let Some(until) = until {
        conditions.and("at < @", &[until]);
    }
    conditions.page(tx, &format!("SELECT {COLUMNS} FROM events"), Order::descending(&["id"]), window, read)
}

/// How far somebody has read the events of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadUpTo {
    /// Of those of data, the number of the last.
    pub data: i64,
    /// Of those that are sealed, the position of the last in the agency's chain.
    pub sealed: i64,
}

impl ReadUpTo {
    /// Both: what lies before either was read.
    pub fn and(self, other: Self) -> Self {
        Self { data: self.data.max(other.data), sealed: self.sealed.max(other.sealed) }
    }
}

/// Which events somebody polls.
#[derive(Clone, Debug)]
pub struct Polled {
    /// Of what.
    pub kinds: Vec<EventKind>,
    /// Not before.
    pub since: Option<UtcMs>,
    /// Of this thing, or of what belongs to this contact.
    pub subject: Option<String>,
}

/// The ends of what can be read: everything up to them is committed, so that nothing appears before them afterwards.
pub fn ends(tx: &mut Tx<'_>, agency: AgencyId, location: Option<LocationId>) -> Result<ReadUpTo> {
    let data = match location {
        Some(location) => tx.query_one(
            "SELECT CAST(COALESCE(max(id), 0) AS BIGINT) FROM events WHERE location_id = ?1 AND NOT chained",
            &[&location],
            |row| row.column(),
        )?,
        None => 0,
    };
    let head = "SELECT position FROM audit_heads WHERE agency_id = ?1";
    let sealed = tx.query_opt(head, &[&agency], |row| row.column())?.unwrap_or(0);
    Ok(ReadUpTo { data, sealed })
}

/// Events of data in a location up to a number, in the order in which they were committed: it is that of their numbers, since
/// they are written one transaction after another.
pub fn of_data(
    tx: &mut Tx<'_>,
    location: LocationId,
    polled: &Polled,
    through: i64,
    window: &Window<i64>,
) -> Result<Page<Event>> {
    polled.page(tx, ("location_id = @ AND NOT chained AND id <= @", &[&location, &through]), false, window)
}

/// Sealed events of an agency, or of one of its locations, up to a position, in the order of the chain.
pub fn sealed(
    tx: &mut Tx<'_>,
    (agency, location): (AgencyId, Option<LocationId>),
    polled: &Polled,
    through: i64,
    window: &Window<i64>,
) -> Result<Page<Event>> {
    match location {
        None => polled.page(tx, ("agency_id = @ AND position <= @", &[&agency, &through]), true, window),
        Some(location) => {
            let place = "agency_id = @ AND position <= @ AND location_id = @";
            polled.page(tx, (place, &[&agency, &through, &location]), true, window)
        }
    }
}

impl Polled {
    fn page(
        &self,
        tx: &mut Tx<'_>,
        (place, values): (&str, &[&dyn ToValue]),
        is_sealed: bool,
        window: &Window<i64>,
    ) -> Result<Page<Event>> {
        let Self { kinds, since, subject } = self;
        let kinds = kinds.iter().filter(|kind| kind.class().is_sealed() == is_sealed);
        let kinds: Vec<&str> = kinds.map(|kind| kind.as_str()).collect();
        if kinds.is_empty() {
            return Ok(Page::new(Vec::new(), window.limit));
        }
        let mut conditions = Filter::new();
        conditions.and(place, values);
        conditions.and_one_of("action", &kinds);
        if let Some(since) = since {
            conditions.and("at >= @", &[since]);
        }
        if let Some(subject) = subject {
            conditions.and(ABOUT, &[subject, subject]);
        }
        let order = Order::ascending(if is_sealed { &["position"] } else { &["id"] });
        conditions.page(tx, &format!("SELECT {COLUMNS} FROM events"), order, window, read)
    }
}

/// What happened to a contact, and to what belongs to it, oldest first.
pub fn of_contact(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    window: &Window<i64>,
) -> Result<Page<Event>> {
    let order = Order::ascending(&["id"]);
    about(&location, &contact).page(tx, &format!("SELECT {COLUMNS} FROM events"), order, window, read)
}

/// The same of anything in a location, of these kinds, newest first.
pub fn history(
    tx: &mut Tx<'_>,
    location: LocationId,
    subject: &str,
    kinds: &[&str],
    window: &Window<i64>,
) -> Result<Page<Event>> {
    let mut filter = about(&location, &subject);
    filter.and_one_of("action", kinds);
    filter.page(tx, &format!("SELECT {COLUMNS} FROM events"), Order::descending(&["id"]), window, read)
}

fn about<'a>(location: &'a LocationId, subject: &'a dyn ToValue) -> Filter<'a> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND NOT chained", &[location]);
    filter.and(ABOUT, &[subject, subject]);
    filter
}

/// The last event of a kind that tells of a thing.
pub fn last(tx: &mut Tx<'_>, subject: &str, kind: EventKind) -> Result<Option<EventId>> {
    let sql = "SELECT event_id FROM events WHERE subject = ?1 AND action = ?2 ORDER BY id DESC LIMIT 1";
    Ok(tx.query_opt(sql, &[&subject, &kind.as_str()], |row| row.column())?.flatten())
}

/// What a request told of a thing, in that order.
pub fn of_request(tx: &mut Tx<'_>, subject: &str, request_id: &str) -> Result<Vec<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE subject = ?1 AND request_id = ?2 ORDER BY id");
    tx.query(&sql, &[&subject, &request_id], read)
}

/// Makes the history of a contact, and of what belonged to it, a part of another's. It is erased with that one.
pub fn give_to_contact(tx: &mut Tx<'_>, location: LocationId, from: ContactId, to: ContactId) -> Result<()> {
    for column in ["subject", "contact_id"] {
        let sql = format!("UPDATE events SET contact_id = ?3 WHERE {column} = ?1 AND location_id = ?2 AND NOT chained");
        tx.execute(&sql, &[&from, &location, &to])?;
    }
    Ok(())
}

/// Contacts that were merged into another one, and are in the trash since then.
pub fn merged_into(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<Vec<ContactId>> {
    let sql = "SELECT after_json, at FROM events WHERE subject = ?1 AND location_id = ?2 AND action = ?3 ORDER BY id";
    let kind = EventKind::ContactMerged.as_str();
    let read = |row: &mut Row<'_>| Ok((row.column::<Option<String>>()?, row.column::<UtcMs>()?));
    let told = tx.query(sql, &[&contact, &location, &kind], read)?;
    let mut merged = Vec::new();
    for (after, at) in told {
        let fields = after.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok()).unwrap_or_default();
        let Some(from) = fields["from"].as_str() else { continue };
        let sql = "SELECT id FROM contacts WHERE location_id = ?1 AND id = ?2 AND trashed_at = ?3";
        merged.extend(tx.query_opt(sql, &[&location, &from, &at], |row| row.column::<ContactId>())?);
    }
    Ok(merged)
}

/// Takes out of the events of a contact, and of what belonged to it, what they say of it. That they happened stays.
pub(crate) fn erase_contact(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<()> {
    // What became a part of another contact's history is that one's.
    for of in ["subject = ?1 AND contact_id IS NULL", "contact_id = ?1"] {
        let sql = format!(
            "UPDATE events SET before_json = NULL, after_json = NULL, erased = TRUE
             WHERE {of} AND location_id = ?2 AND NOT chained"
        );
        tx.execute(&sql, &[&contact, &location])?;
    }
    Ok(())
}

/// The events of all agencies by number: each and when it was written.
pub fn ages(tx: &mut Tx<'_>, window: &Window<i64>) -> Result<Page<(i64, UtcMs)>> {
    let read = |row: &mut Row<'_>| Ok((row.column()?, row.column()?));
    Filter::any().page(tx, "SELECT id, at FROM events", Order::ascending(&["id"]), window, read)
}

/// Forgets events of data up to a number that were written before `before`. What is sealed is never forgotten.
pub fn trim(tx: &mut Tx<'_>, after: i64, through: i64, before: UtcMs) -> Result<u64> {
    tx.execute(
        "DELETE FROM events WHERE id > ?1 AND id <= ?2 AND NOT chained AND at < ?3",
        &[&after, &through, &before],
    )
}
