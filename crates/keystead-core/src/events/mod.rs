//! What every operation writes beside its effect, in the same transaction: the event that tells of it.
//!
//! Data and what decides about authority are told of in the same way. What is sealed and what is forgotten after a while follows
//! from the [`EventKind`].

pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod names;

use keystead_model::{
    AgencyId, ContactId, KeyId, LocationId, UtcMs,
    actor::Actor,
    event::{Cause, EventId, EventKind, NewEvent},
    key_secret::mask_keys,
};
use keystead_store::{Tx, agencies, events};
use serde_json::{Map, Value as Json};

use crate::{
    Authority, Entropy, Result, idempotency,
    operate::{Ground, Operation},
    webhooks,
};

/// Fields by their names on the wire; what is empty is not there. Never a secret.
pub(crate) type Fields = Map<String, Json>;

/// A thing of which events tell.
pub trait Described {
    /// Its id.
    fn subject(&self) -> &str;
    /// The contact that it belongs to.
    fn contact(&self) -> Option<ContactId> {
        None
    }
    /// Where it is, if that is not where somebody acts.
    fn location(&self) -> Option<LocationId> {
        None
    }
    /// What they tell of it.
    fn describe(&self) -> Fields;
    /// What the wire contract's webhooks say of it; `None` of what it has none for.
    fn flat(&self) -> Option<Fields> {
        None
    }
}

/// Longest text of a field in an event, in characters: what people write at length stands in the thing itself.
const TEXT_MAX: usize = 1000;

/// A field's text, shortened where it is very long.
pub(crate) fn text(whole: &str) -> Json {
    match whole.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => Json::String(format!("{}…", &whole[..end])),
        None => Json::String(whole.to_owned()),
    }
}

/// Adds a field that has a value.
pub(crate) fn put(fields: &mut Fields, name: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}

/// Adds a list that is not empty.
pub(crate) fn put_all<'t>(fields: &mut Fields, name: &str, texts: impl Iterator<Item = &'t str>) {
    let texts: Vec<&str> = texts.collect();
    put(fields, name, Some(texts).filter(|texts| !texts.is_empty()));
}

/// The fields of a JSON object.
pub(crate) fn fields(object: Json) -> Fields {
    if let Json::Object(fields) = object { fields } else { Fields::new() }
}

/// What happened to one thing.
pub(crate) struct Happened<'h> {
    kind: EventKind,
    subject: &'h str,
    location: Option<LocationId>,
    contact: Option<ContactId>,
    before: Option<Fields>,
    after: Option<Fields>,
    thing: Option<&'h dyn Described>,
}

impl<'h> Happened<'h> {
    /// Something happened to the thing with this id.
    pub(crate) fn to(kind: EventKind, subject: &'h str) -> Self {
        Self { kind, subject, location: None, contact: None, before: None, after: None, thing: None }
    }

    /// Something was made, and is so.
    pub(crate) fn made(kind: EventKind, thing: &'h impl Described) -> Self {
        Self { after: Some(thing.describe()), ..Self::about(kind, thing) }
    }

    /// Something is gone, and was so.
    pub(crate) fn gone(kind: EventKind, thing: &'h impl Described) -> Self {
        Self { before: Some(thing.describe()), ..Self::about(kind, thing) }
    }

    /// Something changed; only what differs is worth telling.
    pub(crate) fn changed<T: Described>(kind: EventKind, before: &T, after: &'h T) -> Self {
        let (mut was, mut is) = (before.describe(), after.describe());
        was.retain(|name, value| {
            let is_same = is.get(name) == Some(&*value);
            if is_same {
                is.remove(name);
            }
            !is_same
        });
        Self { before: Some(was), after: Some(is), ..Self::about(kind, after) }
    }

    fn about(kind: EventKind, thing: &'h impl Described) -> Self {
        let (location, contact) = (thing.location(), thing.contact());
        Self { location, contact, thing: Some(thing), ..Self::to(kind, thing.subject()) }
    }

    /// In a location.
    pub(crate) fn at(self, location: Option<LocationId>) -> Self {
        Self { location, ..self }
    }

    /// To what belongs to a contact.
    pub(crate) fn of(self, contact: Option<ContactId>) -> Self {
        Self { contact, ..self }
    }

    /// With these fields, as they were and as they are.
    pub(crate) fn with(self, before: Option<Fields>, after: Option<Fields>) -> Self {
        Self { before, after, ..self }
    }

    /// Whether a field is not what it was.
    pub(crate) fn changes(&self, field: &str) -> bool {
        let value = |fields: &Option<Fields>| fields.as_ref().and_then(|fields| fields.get(field).cloned());
        value(&self.before) != value(&self.after)
    }

    /// What it was and what it is, of one field.
    pub(crate) fn became(&self, field: &str) -> Option<&Json> {
        self.after.as_ref()?.get(field).filter(|_| self.changes(field))
    }

    /// What happened to what.
    pub(crate) fn kind(&self) -> EventKind {
        self.kind
    }

    /// The thing itself, where that is known.
    pub(crate) fn thing(&self) -> Option<&'h dyn Described> {
        self.thing
    }

    /// The fields that changed, as they were.
    pub(crate) fn before(&self) -> Option<&Fields> {
        self.before.as_ref()
    }

    /// What the wire contract's webhooks say of the thing.
    pub(crate) fn flat(&self) -> Option<Fields> {
        self.thing.and_then(Described::flat)
    }
}

/// Tells of what `authority` did.
pub(crate) fn tell(tx: &mut Tx<'_>, authority: &Authority, happened: Happened<'_>) -> Result<()> {
    tell_as(tx, authority, Entropy::System.id(authority.now()), authority.cause, happened)
}

fn tell_as(tx: &mut Tx<'_>, authority: &Authority, id: EventId, cause: Cause, happened: Happened<'_>) -> Result<()> {
    idempotency::about(tx, authority, happened.subject)?;
    let (ip, request) = (authority.address().map(|address| address.to_string()), authority.request);
    let from = (ip, request.map(|request| request.to_string()));
    Ok(record(tx, authority.agency(), authority.actor(), authority.now(), from, (id, cause), &happened)?)
}

impl<G: Ground> Operation<'_, '_, G> {
    /// Tells of what this operation did. The answer is the cause of what follows from it.
    pub(crate) fn tell(&mut self, happened: Happened<'_>) -> Result<Cause> {
        let (id, cause) = (self.new_id(), self.cause);
        let location = happened.location.or(self.context.place());
        let happened = happened.at(location);
        tell_as(self.tx, self.context.authority(), id, cause, happened)?;
        Ok(Cause { root: cause.root.or(Some(id)), depth: cause.depth + 1 })
    }
}

/// Tells of changes that Keystead makes by itself, each in its agency.
pub(crate) fn tell_by_system<'h>(
    tx: &mut Tx<'_>,
    at: UtcMs,
    happened: impl IntoIterator<Item = (AgencyId, Happened<'h>)>,
) -> keystead_store::Result<()> {
    let mut happened = happened.into_iter();
    happened.try_for_each(|(agency, happened)| tell_of(tx, agency, Actor::System, None, at, happened))
}

/// Tells of something that nobody is signed in for: a sign-in, a reset.
pub(crate) fn tell_of(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    actor: Actor,
    ip: Option<String>,
    at: UtcMs,
    happened: Happened<'_>,
) -> keystead_store::Result<()> {
    let about = (Entropy::System.id(at), Cause::default());
    record(tx, agency, actor, at, (ip, None), about, &happened)
}

/// Tells every agency of what its operator did to the whole instance.
pub(crate) fn tell_everywhere<'h>(
    tx: &mut Tx<'_>,
    authority: &Authority,
    at: UtcMs,
    happened: impl Fn() -> Happened<'h>,
) -> keystead_store::Result<()> {
    for agency in agencies::list(tx)? {
        let ip = authority.address().map(|address| address.to_string());
        tell_of(tx, agency.id, authority.actor(), ip, at, happened())?;
    }
    Ok(())
}

/// Every event is written here, with the address and the request where there are any, and with it what webhooks are told.
fn record(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    actor: Actor,
    at: UtcMs,
    (ip, request_id): (Option<String>, Option<String>),
    (id, cause): (EventId, Cause),
    happened: &Happened<'_>,
) -> keystead_store::Result<()> {
    let Happened { kind, subject, location, contact, before, after, thing: _ } = happened;
    // No flow puts a secret of ours here; the mask is the second lock, and people write keys into notes.
    let text = |fields: &Option<Fields>| {
        let text = Json::Object(fields.clone()?).to_string();
        Some(mask_keys(&text).into_owned())
    };
    let event = NewEvent {
        id,
        kind: *kind,
        agency,
        location: *location,
        contact: *contact,
        subject: (*subject).to_owned(),
        at,
        actor,
        ip,
        request_id,
        before: text(before),
        after: text(after),
        cause,
    };
    events::insert(tx, &event)?;
    webhooks::publish(tx, &event, happened)?;
    webhooks::publish_to_members(tx, &event, happened)
}

/// Writes into the log that a key's authority was ended: what `db restore --revocations` reads, since an older backup
/// knows nothing of it. Only after the commit: a closure may run twice, or be rolled back.
pub(crate) fn log_revocation(key: KeyId, kind: EventKind, sequence: i64) {
    tracing::info!(key = key.as_str(), action = kind.as_str(), sequence, "authority was ended");
}
