//! What locations are told of members. Users are their agency's, and so is what happens to them; yet who is a member of a location is
//! that location's business, too. Its endpoints see what happens from where they are: whoever comes is created there, whoever leaves is
//! deleted, and of other locations nothing is said.

use std::collections::BTreeSet;

use keystead_model::{
    LocationId,
    event::{EventKind, NewEvent, Subject},
    id::Id,
};
use keystead_store::{Tx, webhooks};
use serde_json::Value as Json;

use super::{
    payload,
    publishing::{hearing, said, send},
};
use crate::events::{Fields, Happened, put};

/// The field of a user that names their locations.
const LOCATIONS: &str = "locationIds";

/// Tells the endpoints of locations what happened to one of their members.
pub(crate) fn publish_to_members(
    tx: &mut Tx<'_>,
    event: &NewEvent,
    happened: &Happened<'_>,
) -> keystead_store::Result<()> {
    if event.kind.subject() != Subject::User || !event.kind.is_of_location() {
        return Ok(());
    }
    for (location, kind) in seen(happened) {
        let seen = NewEvent {
            kind,
            location: Some(location),
            before: event.before.as_deref().map(|told| within(told, location)),
            after: event.after.as_deref().map(|told| within(told, location)),
            ..event.clone()
        };
        tell(tx, &seen, location, happened.flat())?;
    }
    Ok(())
}

/// In which locations something is seen of what happened to a user, and as what.
fn seen(happened: &Happened<'_>) -> Vec<(LocationId, EventKind)> {
    let Some(thing) = happened.thing() else { return Vec::new() };
    let described = thing.describe();
    let now = locations(Some(&described));
    let (before, after) = match happened.kind() {
        EventKind::UserCreated => (BTreeSet::new(), now),
        EventKind::UserDeleted => (now, BTreeSet::new()),
        _ if happened.changes(LOCATIONS) => (locations(happened.before()), now),
        _ => (now.clone(), now),
    };
    let kind = |location: &LocationId| match (before.contains(location), after.contains(location)) {
        (false, _) => EventKind::UserCreated,
        (true, false) => EventKind::UserDeleted,
        (true, true) => happened.kind(),
    };
    before.union(&after).map(|location| (*location, kind(location))).collect()
}

fn locations(told: Option<&Fields>) -> BTreeSet<LocationId> {
    let ids = told.and_then(|told| told.get(LOCATIONS)?.as_array()).into_iter().flatten();
    ids.filter_map(|id| Id::parse(id.as_str()?)).collect()
}

/// What changed of a user, as one location may know it.
fn within(told: &str, location: LocationId) -> String {
    let Ok(Json::Object(mut fields)) = serde_json::from_str(told) else { return told.to_owned() };
    if let Some(Json::Array(ids)) = fields.get_mut(LOCATIONS) {
        ids.retain(|id| id.as_str() == Some(location.as_str()));
    }
    if let Some(Json::Object(phones)) = fields.get_mut("lcPhone") {
        phones.retain(|at, _| at == location.as_str());
    }
    Json::Object(fields).to_string()
}

fn tell(tx: &mut Tx<'_>, event: &NewEvent, location: LocationId, flat: Option<Fields>) -> keystead_store::Result<()> {
    let hearing = hearing(tx, event, |endpoint| endpoint.location == event.location)?;
    if hearing.is_empty() {
        return Ok(());
    }
    let sequence = Some(webhooks::next_sequence(tx, location.of_anything())?);
    let flat = flat.map(|mut flat| {
        flat.shift_remove("companyId");
        flat.shift_remove("locations");
        put(&mut flat, "locationId", Some(location.as_str()));
        flat
    });
    // The agency's endpoints hear of the same event in messages of their own.
    let id = format!("msg_{}_{location}", event.id);
    let names = payload::names(&Happened::to(event.kind, &event.subject));
    send(tx, &said(event, (id, sequence), names.first().copied(), flat.as_ref()), &hearing)
}
