//! What an endpoint is to be told of and never hears: it looks healthy, and is silent.

use keystead_model::{
    UtcMs,
    event::EventKind,
    grant::Reach,
    webhook::{Unheard, WebhookEndpoint, WhyUnheard},
};
use keystead_store::{Tx, delivery_pause, webhooks};

use super::{Hearing, Listeners};

/// An endpoint, and what follows for it from what stands around it.
#[derive(Clone, Debug)]
pub struct WholeEndpoint {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// Of what it is to be told and never hears, by why.
    pub unheard: Vec<Unheard>,
    /// The newest key with which its agency signs.
    pub newest_key: i64,
    /// Since when nothing is sent to any endpoint of the instance.
    pub paused_since: Option<UtcMs>,
}

impl WholeEndpoint {
    /// How much it hears of what it is to be told.
    pub fn hears(&self) -> Hears {
        let is_heard = |kind: &EventKind| {
            self.unheard.iter().all(|unheard| !unheard.is_entire() || !unheard.events.contains(kind))
        };
        match told(&self.endpoint).any(|kind| is_heard(&kind)) {
            false => Hears::Nothing,
            true if self.unheard.is_empty() => Hears::Everything,
            true => Hears::Part,
        }
    }

    /// Whether what waits for it is sent: it is on, and nobody has paused everything.
    pub fn is_sent(&self) -> bool {
        self.endpoint.disabled.is_none() && self.paused_since.is_none()
    }
}

/// How much an endpoint hears of what it is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// All of it.
    Everything,
    /// Some of it, or of some places.
    Part,
    /// None of it.
    Nothing,
}

impl Hears {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Everything, Self::Part, Self::Nothing];

    /// `"all"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "all",
            Self::Part => "some",
            Self::Nothing => "none",
        }
    }
}

/// Endpoints of one agency, as they are shown.
pub(super) fn whole(
    tx: &mut Tx<'_>,
    endpoints: Vec<WebhookEndpoint>,
    now: UtcMs,
) -> keystead_store::Result<Vec<WholeEndpoint>> {
    let paused_since = delivery_pause::since(tx)?;
    let mut listeners = Listeners::default();
    let mut whole = Vec::with_capacity(endpoints.len());
    let mut newest = None;
    for endpoint in endpoints {
        let hearing = listeners.hearing(tx, &endpoint, now)?;
        let newest_key = match newest {
            Some(version) => version,
            None => *newest.insert(webhooks::newest_signing_key(tx, endpoint.agency)?.map_or(1, |key| key.version)),
        };
        whole.push(WholeEndpoint { unheard: unheard(&endpoint, hearing.as_ref()), endpoint, newest_key, paused_since });
    }
    Ok(whole)
}

/// The kinds of events of which an endpoint is to be told: by `*` those that come to where it is.
fn told(endpoint: &WebhookEndpoint) -> impl Iterator<Item = EventKind> + '_ {
    let events = &endpoint.content.events;
    let comes = move |kind: EventKind| endpoint.location.is_none() || kind.is_of_location();
    let kinds = EventKind::ALL.iter().copied().filter(|kind| kind.subject().read_scope().is_some());
    kinds.filter(move |kind| events.has(*kind) && (comes(*kind) || !events.are_all()))
}

fn unheard(endpoint: &WebhookEndpoint, hearing: Option<&Hearing>) -> Vec<Unheard> {
    let mut found: Vec<Unheard> = Vec::new();
    for kind in told(endpoint) {
        let Some(why) = why_unheard(endpoint, hearing, kind) else { continue };
        match found.iter_mut().find(|unheard| unheard.why == why) {
            Some(unheard) => unheard.events.push(kind),
            None => found.push(Unheard { why, events: vec![kind] }),
        }
    }
    found
}

fn why_unheard(endpoint: &WebhookEndpoint, hearing: Option<&Hearing>, kind: EventKind) -> Option<WhyUnheard> {
    let Some(Hearing { scopes, grant }) = hearing else { return Some(WhyUnheard::ListenerEnded) };
    let scope = kind.subject().read_scope()?;
    match endpoint.location {
        Some(_) if !kind.is_of_location() => return Some(WhyUnheard::OfAgency),
        Some(location) if !grant.reach.has_location(location) => return Some(WhyUnheard::OutOfReach),
        None if kind.subject().is_of_agency() && !grant.reach.has_agency() => return Some(WhyUnheard::OutOfReach),
        Some(_) | None => {}
    }
    if !(scopes.allows(scope) && grant.allows(scope)) {
        return Some(WhyUnheard::NoScope(scope));
    }
    let is_everywhere = endpoint.location.is_some() || kind.subject().is_of_agency() || grant.reach == Reach::Agency;
    (!is_everywhere).then_some(WhyUnheard::Elsewhere)
}
