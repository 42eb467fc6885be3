//! What is sent to endpoints of webhooks: how it fared, sent again, and examples.

use std::collections::HashMap;

use keystead_model::{
    LocationId, UtcMs, WebhookDeliveryId, WebhookEndpointId,
    event::{Cause, Event, EventId, EventKind, NewEvent},
    id::Id,
    page::{Page, Window},
    scope::Scope,
    webhook::{DeliveryAttempt, DeliveryState, Health, WebhookDelivery, WebhookEndpoint, WebhookMessage},
};
use keystead_store::{Tx, delivery_pause, events, queue, webhooks};
use serde_json::Value as Json;

use super::{
    endpoints::{OnAgency, not_found},
    payload,
    publishing::{deliver, kind_of, message},
};
use crate::{
    App, Authority, Error, ErrorCode, Result,
    error::Noun,
    events::list::may_see,
    idempotency::{self, Lost},
};

/// Events of an agency among which one is looked for to show what arrives.
const SAMPLED: i64 = 2_000;
/// Most deliveries that are recovered in one go.
const RECOVERED: i64 = 5_000;

/// A delivery, with what it brings and how it fared.
#[derive(Clone, Debug)]
pub struct WholeDelivery {
    /// The delivery.
    pub delivery: WebhookDelivery,
    /// What it brings. Its body is empty for those who may not read what it tells of.
    pub message: WebhookMessage,
    /// Every try; of one in a list none.
    pub attempts: Vec<DeliveryAttempt>,
    /// When it is tried next, as things are now. Nothing of one that is settled or is being tried, or where nothing is sent.
    pub next_try: Option<UtcMs>,
}

impl WholeDelivery {
    /// What the columns of a file of deliveries are.
    pub const COLUMNS: [&str; 10] =
        ["id", "created_at", "message", "event", "type", "location", "state", "tries", "tried_at", "body"];

    /// The cells of its row in such a file.
    pub fn cells(&self) -> [String; 10] {
        let Self { delivery, message, .. } = self;
        [
            delivery.id.to_string(),
            delivery.created_at.to_iso(),
            message.id.clone(),
            message.event.clone(),
            message.name.clone(),
            message.location.map(|location| location.to_string()).unwrap_or_default(),
            delivery.state.as_str().to_owned(),
            delivery.attempts.to_string(),
            delivery.tried_at.map(UtcMs::to_iso).unwrap_or_default(),
            message.body.clone(),
        ]
    }
}

/// What was recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Deliveries that were sent on their way again.
    pub count: i64,
    /// Whether there are more.
    pub has_more: bool,
}

/// How deliveries to an endpoint stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFigures {
    /// Taken.
    pub delivered: i64,
    /// On their way.
    pub waiting: i64,
    /// Given up.
    pub failed: i64,
    /// Kept while nothing is sent.
    pub held: i64,
}

impl DeliveryFigures {
    /// They are counted among the newest so many.
    pub const MOST: i64 = 10_000;
}

impl App {
    /// Sends an endpoint an example of an event, whether it hears of that or not.
    pub async fn test_webhook(
        &self,
        authority: &Authority,
        id: WebhookEndpointId,
        kind: EventKind,
    ) -> Result<WholeDelivery> {
        let run = move |operation: &mut OnAgency<'_, '_>| operation.test_webhook(id, kind);
        let recover = |operation: &mut OnAgency<'_, '_>, lost: &Lost| operation.newest_delivery(lost.id()?);
        self.operate(authority, Scope::WebhooksWrite, run, recover).await
    }

    /// What would arrive of an event, where it happens in a location, or in the only one that the caller has: of what the contract
    /// has no body for as it was the last time, if that was not long ago and the caller may see it.
    pub async fn sample_of_webhooks(
        &self,
        authority: &Authority,
        kind: EventKind,
        location: Option<LocationId>,
    ) -> Result<Json> {
        authority.require(Scope::WebhooksRead)?;
        let reach = &authority.grant().reach;
        if location.is_some_and(|location| !reach.has_location(location)) {
            return Err(Error::NoAccess);
        }
        let location = location.or_else(|| reach.only_location()).filter(|_| kind.is_of_location());
        let is_reached = location.is_some() || reach.has_agency();
        let mut event = example(authority, self.entropy.id(authority.now()), kind, location);
        if is_reached && may_see(authority, kind) && payload::is_ours(kind) {
            let agency = authority.agency();
            let last = self.store.read(move |tx| events::newest(tx, agency, location, kind, SAMPLED)).await?;
            if let Some(Event { location, contact, subject, at, before, after, .. }) = last {
                event = NewEvent { location, contact, subject, at, before, after, ..event };
            }
        }
        Ok(told_of(&event, Some(1)).2)
    }

    /// What was sent to an endpoint, newest first; what stands in one way, if that is said.
    pub async fn list_webhook_deliveries(
        &self,
        authority: &Authority,
        id: WebhookEndpointId,
        state: Option<DeliveryState>,
        window: Window<WebhookDeliveryId>,
    ) -> Result<Page<WholeDelivery>> {
        self.read(authority, Scope::WebhooksRead, move |operation| {
            let endpoint = operation.webhook(id)?;
            let page = webhooks::list_deliveries(operation.tx, id, state, &window)?;
            let next = next_tries(operation.tx, &endpoint, page.rows.iter().map(|(delivery, _)| delivery))?;
            let authority = operation.context;
            Ok(page.map(|(delivery, message)| shown(authority, delivery, message, Vec::new(), &next)))
        })
        .await
    }

    /// How the newest deliveries to an endpoint stand.
    pub async fn webhook_figures(&self, authority: &Authority, id: WebhookEndpointId) -> Result<DeliveryFigures> {
        self.read(authority, Scope::WebhooksRead, move |operation| {
            operation.webhook(id)?;
            let mut figures = DeliveryFigures::default();
            for (state, count) in webhooks::tally(operation.tx, id, DeliveryFigures::MOST)? {
                *match state {
                    DeliveryState::Delivered => &mut figures.delivered,
                    DeliveryState::Waiting => &mut figures.waiting,
                    DeliveryState::Failed => &mut figures.failed,
                    DeliveryState::Held => &mut figures.held,
                } = count;
            }
            Ok(figures)
        })
        .await
    }

    /// One delivery to an endpoint, with every try.
    pub async fn get_webhook_delivery(
        &self,
        authority: &Authority,
        id: WebhookEndpointId,
        delivery: WebhookDeliveryId,
    ) -> Result<WholeDelivery> {
        self.read(authority, Scope::WebhooksRead, move |operation| operation.whole_delivery(id, delivery)).await
    }

    /// Sends a delivery on its way again, whatever became of it: with the same id, so that receivers know it again.
    pub async fn resend_webhook_delivery(
        &self,
        authority: &Authority,
        id: WebhookEndpointId,
        delivery: WebhookDeliveryId,
    ) -> Result<WholeDelivery> {
        let run = move |operation: &mut OnAgency<'_, '_>| {
            let endpoint = operation.webhook(id)?;
            let WholeDelivery { delivery: known, .. } = operation.whole_delivery(id, delivery)?;
            require_enabled(&endpoint)?;
            let now = operation.now();
            webhooks::send_again(operation.tx, &known, now)?;
            operation.whole_delivery(id, delivery)
        };
        let recover = move |operation: &mut OnAgency<'_, '_>, _: &Lost| operation.whole_delivery(id, delivery);
        self.operate(authority, Scope::WebhooksWrite, run, recover).await
    }

    /// Sends on its way again what an endpoint did not take since `since`, the oldest first.
    pub async fn recover_webhook_deliveries(
        &self,
        authority: &Authority,
        id: WebhookEndpointId,
        since: UtcMs,
    ) -> Result<Recovered> {
        let run = move |operation: &mut OnAgency<'_, '_>| {
            let endpoint = operation.webhook(id)?;
            require_enabled(&endpoint)?;
            let found = webhooks::not_taken(operation.tx, id, since, RECOVERED + 1)?;
            let now = operation.now();
            let recovered = found.iter().take(RECOVERED as usize);
            let count = recovered.len() as i64;
            for delivery in recovered {
                webhooks::send_again(operation.tx, delivery, now)?;
            }
            Ok(Recovered { count, has_more: found.len() as i64 > count })
        };
        let recover = |_: &mut OnAgency<'_, '_>, _: &Lost| Ok(Recovered { count: 0, has_more: false });
        self.operate(authority, Scope::WebhooksWrite, run, recover).await
    }
}

impl OnAgency<'_, '_> {
    fn test_webhook(&mut self, id: WebhookEndpointId, kind: EventKind) -> Result<WholeDelivery> {
        let endpoint = self.webhook(id)?;
        require_enabled(&endpoint)?;
        let event = example(self.context, self.new_id(), kind, endpoint.location);
        // It has no number: none of those that come is missing because of it.
        let (wire_id, name, body) = told_of(&event, None);
        let message = WebhookMessage { contact: None, ..message(&event, wire_id, name, &body) };
        webhooks::insert_message(self.tx, &message)?;
        // Whoever tries it wants to know now, also where others wait for it to work again.
        let health = Health { next_probe: None, ..endpoint.health.clone() };
        let delivery = deliver(self.tx, &message, &WebhookEndpoint { health, ..endpoint.clone() }, event.at)?;
        idempotency::about(self.tx, self.context, endpoint.id.as_str())?;
        let next_try = next_tries(self.tx, &endpoint, [&delivery])?.remove(&delivery.id.of_anything());
        Ok(WholeDelivery { delivery, message, attempts: Vec::new(), next_try })
    }

    fn whole_delivery(&mut self, id: WebhookEndpointId, delivery: WebhookDeliveryId) -> Result<WholeDelivery> {
        let endpoint = self.webhook(id)?;
        let found = webhooks::find_delivery(self.tx, delivery)?.filter(|(found, _)| found.endpoint == id);
        let (found, message) = found.ok_or_else(|| Error::NotFound(Noun::Delivery, delivery.to_string()))?;
        let attempts = webhooks::attempts_of(self.tx, delivery)?;
        let next = next_tries(self.tx, &endpoint, [&found])?;
        Ok(shown(self.context, found, message, attempts, &next))
    }

    fn newest_delivery(&mut self, id: WebhookEndpointId) -> Result<WholeDelivery> {
        let newest = webhooks::list_deliveries(self.tx, id, None, &Window::first(1))?.rows.pop();
        let (delivery, _) = newest.ok_or_else(|| not_found(id))?;
        self.whole_delivery(id, delivery.id)
    }
}

/// As somebody may see it: who may not read what a message tells of reads no body.
fn shown(
    authority: &Authority,
    delivery: WebhookDelivery,
    mut message: WebhookMessage,
    attempts: Vec<DeliveryAttempt>,
    next: &NextTries,
) -> WholeDelivery {
    let reads = |kind: EventKind| kind.subject().read_scope().is_some_and(|scope| authority.grant().allows(scope));
    if !kind_of(&message).is_some_and(reads) {
        message.body.clear();
    }
    let next_try = next.get(&delivery.id.of_anything()).copied();
    WholeDelivery { delivery, message, attempts, next_try }
}

/// By the ids of deliveries, which are those of their jobs.
type NextTries = HashMap<Id<()>, UtcMs>;

/// When those deliveries to an endpoint are tried next that wait: none where nothing is sent to it, or to anybody.
fn next_tries<'d>(
    tx: &mut Tx<'_>,
    endpoint: &WebhookEndpoint,
    deliveries: impl IntoIterator<Item = &'d WebhookDelivery>,
) -> Result<NextTries> {
    let waiting = deliveries.into_iter().filter(|delivery| delivery.state == DeliveryState::Waiting);
    let waiting: Vec<Id<()>> = waiting.map(|delivery| delivery.id.of_anything()).collect();
    if waiting.is_empty() || endpoint.disabled.is_some() || delivery_pause::since(tx)?.is_some() {
        return Ok(NextTries::new());
    }
    Ok(queue::due(tx, &waiting)?)
}

/// An event that nothing happened for.
fn example(authority: &Authority, id: EventId, kind: EventKind, location: Option<LocationId>) -> NewEvent {
    NewEvent {
        id,
        kind,
        agency: authority.agency(),
        location,
        contact: None,
        subject: payload::EXAMPLE.to_owned(),
        at: authority.now(),
        actor: authority.actor(),
        ip: None,
        request_id: None,
        before: None,
        after: None,
        cause: Cause::default(),
    }
}

/// The id of a message of an example, what it is called, and what it says.
fn told_of(example: &NewEvent, sequence: Option<i64>) -> (String, &'static str, Json) {
    let id = format!("msg_test_{}", example.id);
    let (name, body) = payload::example((&id, sequence), example);
    (id, name, body)
}

fn require_enabled(endpoint: &WebhookEndpoint) -> Result<()> {
    match endpoint.disabled {
        None => Ok(()),
        Some(_) => {
            let message = "The webhook is disabled, so nothing is sent; enable it first".to_owned();
            Err(Error::Conflict(ErrorCode::Conflict, message))
        }
    }
}
