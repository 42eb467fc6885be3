//! What things are called that events are about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use keystead_model::{
    LocationId, UserId,
    actor::Actor,
    event::{Event, EventKind, Subject},
    grant::Reach,
};
use keystead_store::{
    event_names::{self, Named},
    locations,
};
use serde_json::Value as Json;

use super::list::may_see;
use crate::{App, Authority, Result};

/// Names of things, by what they are and their ids.
#[derive(Clone, Debug, Default)]
pub struct EventNames(HashMap<(Subject, String), Named>);

impl EventNames {
    /// What a thing is called; `None` if nothing is left of it.
    pub fn of(&self, subject: Subject, id: &str) -> Option<&Named> {
        self.0.get(&(subject, id.to_owned()))
    }

    /// What the thing is called whose id stands in this field of what an event tells.
    pub fn in_field(&self, field: &str, id: &str) -> Option<&str> {
        let (_, subject) = IDS.iter().find(|(known, _)| *known == field)?;
        self.of(*subject, id).map(|named| named.name.as_str())
    }
}

/// What those are called who did things.
#[derive(Clone, Debug, Default)]
pub struct ActorNames {
    users: HashMap<UserId, String>,
    keys: HashMap<String, String>,
}

impl ActorNames {
    /// The name of a member or a key; `None` of everybody else, and of whom nothing is left or may be seen.
    pub fn of(&self, actor: Actor) -> Option<&str> {
        match actor {
            Actor::User(id) => self.users.get(&id),
            Actor::Key(id) => self.keys.get(id.as_str()),
            Actor::Operator | Actor::System => None,
        }
        .map(String::as_str)
    }
}

/// The locations whose keys an authority may know by name; `None` of those that know all.
fn within(authority: &Authority) -> Option<Vec<LocationId>> {
    match &authority.grant().reach {
        Reach::Agency => None,
        Reach::Chosen(set) | Reach::Locations(set) => Some(set.iter().copied().collect()),
    }
}

/// Fields of what events tell that hold the id of another thing, and what that is. A stage is named beside its pipeline.
const IDS: &[(&str, Subject)] = &[
    ("contactId", Subject::Contact),
    // That was merged into another one.
    ("from", Subject::Contact),
    ("pipelineId", Subject::Pipeline),
    ("pipelineStageId", Subject::Pipeline),
    ("lostReasonId", Subject::LostReason),
    ("businessId", Subject::Business),
    ("workflowId", Subject::Workflow),
    ("campaignId", Subject::Campaign),
    ("formId", Subject::Form),
];

/// Before the id of a custom field, in the name of a field.
pub const CUSTOM_FIELD: &str = "customFields.";

/// The things that what an event tells names by their ids.
fn named_in(event: &Event) -> Vec<(Subject, String)> {
    let mut named = Vec::new();
    for text in [&event.before, &event.after].into_iter().flatten() {
        let Ok(Json::Object(told)) = serde_json::from_str(text) else { continue };
        for (field, value) in told {
            if let Some(id) = field.strip_prefix(CUSTOM_FIELD) {
                named.push((Subject::CustomField, id.to_owned()));
            } else if let (Some((_, subject)), Json::String(id)) =
                (IDS.iter().find(|(known, _)| *known == field), value)
            {
                named.push((*subject, id));
            }
        }
    }
    named
}

/// What one thing is that an event is about, and in which location, as far as its name is looked up. Notes have none: who reads
/// of one is told whom it is about.
pub fn thing(kind: EventKind, event: &Event) -> (Subject, String) {
    match (kind.subject(), event.contact) {
        (Subject::Note, Some(contact)) => (Subject::Contact, contact.to_string()),
        (subject, _) => (subject, event.subject.clone()),
    }
}

impl App {
    /// The names of the members of an agency, and of those of `actors` that are keys which the authority may see.
    pub async fn actor_names(
        &self,
        authority: &Authority,
        actors: impl IntoIterator<Item = Actor>,
    ) -> Result<ActorNames> {
        let keys = actors.into_iter().filter(|actor| matches!(actor, Actor::Key(_)));
        let keys: BTreeSet<String> = keys.filter_map(|key| key.id().map(str::to_owned)).collect();
        let users = self.user_names(authority).await?;
        if keys.is_empty() {
            return Ok(ActorNames { users, ..ActorNames::default() });
        }
        let (agency, within, keys) = (authority.agency(), within(authority), Vec::from_iter(keys));
        let named = self.store.read(move |tx| event_names::of_keys(tx, agency, within.as_deref(), &keys)).await?;
        Ok(ActorNames { users, keys: named.into_iter().map(|key| (key.id, key.name)).collect() })
    }

    /// The names of what events are about and of what their changes name, of the keys that did it, and of the locations in which
    /// it happened: those that the authority may see.
    pub async fn names_in_events(&self, authority: &Authority, events: &[Event]) -> Result<EventNames> {
        let mut of_agency: BTreeMap<&'static str, (Subject, BTreeSet<String>)> = BTreeMap::new();
        let mut in_locations: HashMap<(LocationId, Subject), BTreeSet<String>> = HashMap::new();
        let mut add = |subject: Subject, id: String| {
            let table = match subject {
                Subject::Key => "keys",
                Subject::Location => "locations",
                Subject::Invitation => "invitations",
                _ => return,
            };
            of_agency.entry(table).or_insert_with(|| (subject, BTreeSet::new())).1.insert(id);
        };
        for event in events {
            if let Actor::Key(id) = event.actor {
                add(Subject::Key, id.to_string());
            }
            if let Some(location) = event.location {
                add(Subject::Location, location.to_string());
            }
            let Some(kind) = EventKind::parse(&event.kind).filter(|kind| may_see(authority, *kind)) else { continue };
            let (subject, id) = thing(kind, event);
            // Of what is sealed, the names of some things stand in their location all the same.
            let is_there = |_: &LocationId| !kind.class().is_sealed() || subject == Subject::InboundWebhook;
            match event.location.filter(is_there) {
                Some(location) => {
                    let sees =
                        |subject: &Subject| subject.read_scope().is_some_and(|scope| authority.grant().allows(scope));
                    let others = named_in(event).into_iter().filter(|(subject, _)| sees(subject));
                    for (subject, id) in others.chain([(subject, id)]) {
                        in_locations.entry((location, subject)).or_default().insert(id);
                    }
                }
                None => add(subject, id),
            }
        }
        let (agency, reach) = (authority.agency(), authority.grant().reach.clone());
        // What reaches only some locations learns no names of what is elsewhere.
        let within = within(authority);
        for (subject, ids) in of_agency.values_mut().filter(|_| within.is_some()) {
            ids.retain(|id| match subject {
                Subject::Location => LocationId::parse(id).is_some_and(|id| reach.has_location(id)),
                Subject::Invitation => false,
                _ => true,
            });
        }
        let names = self.store.read(move |tx| {
            let mut names = HashMap::new();
            let mut put = |subject: Subject, found: Vec<Named>| {
                names.extend(found.into_iter().map(|named| ((subject, named.id.clone()), named)));
            };
            for (subject, ids) in of_agency.values() {
                let ids: Vec<String> = ids.iter().cloned().collect();
                let found = match subject {
                    Subject::Key => event_names::of_keys(tx, agency, within.as_deref(), &ids)?,
                    Subject::Location => event_names::of_locations(tx, agency, &ids)?,
                    _ => event_names::of_invitations(tx, agency, &ids)?,
                };
                put(*subject, found);
            }
            for ((location, subject), ids) in &in_locations {
                let is_theirs = reach.has_location(*location) && locations::find(tx, agency, *location)?.is_some();
                if is_theirs {
                    let ids: Vec<String> = ids.iter().cloned().collect();
                    put(*subject, event_names::in_location(tx, *location, *subject, &ids)?);
                    if *subject == Subject::Pipeline {
                        put(*subject, event_names::of_stages(tx, *location, &ids)?);
                    }
                }
            }
            Ok::<_, keystead_store::Error>(names)
        });
        Ok(EventNames(names.await?))
    }
}
