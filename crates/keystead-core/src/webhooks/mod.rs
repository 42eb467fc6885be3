//! Webhooks: programs elsewhere that are told what happens here.
//!
//! What an event says is written once, in its transaction, and goes to each endpoint that hears it by a job of the queue, as
//! often as it takes. An endpoint hears what those may still read who made it.

mod chain;
mod deliveries;
mod endpoints;
mod hearing;
mod members;
mod pause;
mod payload;
mod publishing;
mod sending;
mod signing_keys;

use std::time::Duration;

use keystead_model::{
    AgencyId, LocationId, UtcMs, actor::Actor, api_key::KeyState, event::EventKind, grant::Grant, scope::ScopeSet,
    webhook::WebhookEndpoint,
};
use keystead_store::{Tx, api_keys, users};

use crate::{App, Error, ErrorCode, Result};

pub use chain::CHAIN_HEADER;
pub use deliveries::{DeliveryFigures, Recovered, WholeDelivery};
pub use endpoints::{MadeEndpoint, NewEndpoint};
pub use hearing::{Hears, WholeEndpoint};
pub(crate) use members::publish_to_members;
pub use pause::{DeliveryPause, Overdue};
pub(crate) use payload::{contact, location, note, opportunity, task, user};
pub(crate) use publishing::publish;
pub(crate) use sending::{give_up, note_interrupted, rooms};
pub use signing_keys::PublicKey;

/// What an endpoint may hear now: what its listener held when they set it up, and still holds.
struct Hearing {
    scopes: ScopeSet,
    grant: Grant,
}

impl Hearing {
    /// `None` if its listener may do nothing any more.
    fn of(tx: &mut Tx<'_>, endpoint: &WebhookEndpoint, now: UtcMs) -> keystead_store::Result<Option<Self>> {
        Listeners::default().hearing(tx, endpoint, now)
    }

    /// Whether it hears of such an event: its listener may read what it is about, and reaches where it happened.
    fn has(&self, kind: EventKind, location: Option<LocationId>) -> bool {
        let reach = &self.grant.reach;
        let is_reached = location.map_or_else(|| reach.has_agency(), |location| reach.has_location(location));
        let reads = |scope| self.scopes.allows(scope) && self.grant.allows(scope);
        is_reached && kind.subject().read_scope().is_some_and(reads)
    }
}

/// Those who set up endpoints of an agency, and what they may do now. Most endpoints were set up by the same few, each of whom is
/// looked up once.
#[derive(Default)]
struct Listeners(Vec<(Actor, Option<Grant>)>);

impl Listeners {
    /// What an endpoint may hear.
    fn hearing(
        &mut self,
        tx: &mut Tx<'_>,
        endpoint: &WebhookEndpoint,
        now: UtcMs,
    ) -> keystead_store::Result<Option<Hearing>> {
        let listener = &endpoint.listener;
        let grant = match self.0.iter().find(|(actor, _)| *actor == listener.actor) {
            Some((_, grant)) => grant.clone(),
            None => {
                let grant = grant_of(tx, endpoint.agency, listener.actor, now)?;
                self.0.push((listener.actor, grant.clone()));
                grant
            }
        };
        Ok(grant.map(|grant| Hearing { scopes: listener.scopes, grant }))
    }
}

/// What somebody may do now; `None` if that is nothing.
pub(crate) fn grant_of(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    actor: Actor,
    now: UtcMs,
) -> keystead_store::Result<Option<Grant>> {
    Ok(match actor {
        Actor::Key(id) => api_keys::find(tx, agency, id)?
            .filter(|key| key.state == KeyState::Active && key.grant.expires_at.is_none_or(|end| end > now))
            .map(|key| key.grant),
        Actor::User(id) => users::find(tx, agency, id)?.filter(|user| !user.disabled).map(|user| user.grant()),
        Actor::Operator => Some(App::operator_grant(agency)),
        Actor::System => None,
    })
}

/// Refuses to replace once more what was replaced and still goes on: what was before both was promised its time, and there is room
/// for two alone. `what` says so, as `Messages carry two signatures`.
pub(crate) fn require_no_overlap(what: &str, until: Option<UtcMs>, overlap: Duration, now: UtcMs) -> Result<()> {
    match until.filter(|until| *until > now && !overlap.is_zero()) {
        None => Ok(()),
        Some(until) => {
            let message = format!(
                "{what} until {}, and a third would end the one of before: wait until then, or end both old ones at once \
                 (overlap PT0S)",
                until.to_iso()
            );
            Err(Error::Conflict(ErrorCode::Conflict, message))
        }
    }
}
