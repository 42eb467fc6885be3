//! What an event says to endpoints, written with it.

use keystead_model::{
    UtcMs, WebhookDeliveryId,
    event::{EventKind, NewEvent},
    id::Id,
    key_secret::mask_keys,
    webhook::{DeliveryAttempt, DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookMessage},
};
use keystead_outbound::json::stringify;
use keystead_store::{Tx, webhooks};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{Listeners, chain, payload};
use crate::events::{Fields, Happened};

/// Writes what an event says, if anybody hears of it, and puts it on its way to everybody who does. Who listens is read here: an
/// endpoint that was made before this transaction took its turn misses nothing.
pub(crate) fn publish(tx: &mut Tx<'_>, event: &NewEvent, happened: &Happened<'_>) -> keystead_store::Result<()> {
    let hearing = hearing(tx, event, |_| true)?;
    if hearing.is_empty() {
        return Ok(());
    }
    let owner = event.location.map_or(event.agency.of_anything(), |location| location.of_anything());
    let sequence = Some(webhooks::next_sequence(tx, owner)?);
    let id = |number: usize| format!("msg_{}_{number}", event.id);
    let flat = happened.flat();
    let mut names: Vec<Option<&str>> = payload::names(happened).into_iter().map(Some).collect();
    if names.is_empty() {
        names.push(None);
    }
    for (number, name) in names.into_iter().enumerate() {
        send(tx, &said(event, (id(number + 1), sequence), name, flat.as_ref()), &hearing)?;
    }
    Ok(())
}

/// What an event says under a name of the wire contract, or under ours.
pub(super) fn said(
    event: &NewEvent,
    (id, sequence): (String, Option<i64>),
    name: Option<&str>,
    flat: Option<&Fields>,
) -> WebhookMessage {
    let (name, body) = match name {
        Some(name) => (name, payload::of_contract(name, (&id, sequence), event, flat)),
        None => (event.kind.as_str(), payload::of_ours((&id, sequence), event)),
    };
    message(event, id, name, &body)
}

/// Keeps a message, and puts it on its way to everybody who hears it.
pub(super) fn send(
    tx: &mut Tx<'_>,
    message: &WebhookMessage,
    hearing: &[WebhookEndpoint],
) -> keystead_store::Result<()> {
    webhooks::insert_message(tx, message)?;
    for endpoint in hearing {
        deliver(tx, message, endpoint, message.created_at)?;
    }
    Ok(())
}

/// Those endpoints that hear of an event, of those for which it is meant.
pub(super) fn hearing(
    tx: &mut Tx<'_>,
    event: &NewEvent,
    is_meant: impl Fn(&WebhookEndpoint) -> bool,
) -> keystead_store::Result<Vec<WebhookEndpoint>> {
    let mut hearing = Vec::new();
    if event.kind.subject().read_scope().is_none() {
        return Ok(hearing);
    }
    let mut listeners = Listeners::default();
    for endpoint in webhooks::listening(tx, event.agency, event.location)? {
        if !is_meant(&endpoint) || !endpoint.content.events.has(event.kind) {
            continue;
        }
        if listeners.hearing(tx, &endpoint, event.at)?.is_some_and(|heard| heard.has(event.kind, event.location)) {
            hearing.push(endpoint);
        }
    }
    Ok(hearing)
}

pub(super) fn message(event: &NewEvent, id: String, name: &str, body: &Json) -> WebhookMessage {
    WebhookMessage {
        chain: chain::place(event),
        id,
        agency: event.agency,
        location: event.location,
        // It is about nobody else.
        contact: event
            .contact
            .or_else(|| (event.kind.as_str().starts_with("contact.")).then(|| Id::parse(&event.subject)).flatten()),
        event: event.kind.as_str().to_owned(),
        name: name.to_owned(),
        // People write keys into notes.
        body: mask_keys(&stringify(body)).into_owned(),
        created_at: event.at,
    }
}

/// Puts a message on its way to an endpoint. One that is disabled gets it when somebody wants it to be recovered.
pub(super) fn deliver(
    tx: &mut Tx<'_>,
    message: &WebhookMessage,
    endpoint: &WebhookEndpoint,
    now: UtcMs,
) -> keystead_store::Result<WebhookDelivery> {
    let is_endless = message.chain.1 > chain::LONGEST;
    let state = match endpoint.disabled {
        Some(_) => DeliveryState::Held,
        None if is_endless => DeliveryState::Failed,
        None => DeliveryState::Waiting,
    };
    let delivery = WebhookDelivery {
        id: delivery_id(message, endpoint),
        endpoint: endpoint.id,
        message: message.id.clone(),
        app_id: endpoint.content.app_id.as_ref().map(|app| app.as_str().to_owned()),
        state,
        tries: 0,
        attempts: i64::from(is_endless),
        created_at: now,
        tried_at: None,
    };
    // While one try tells for all, the others wait with it.
    let due = endpoint.health.next_probe.map_or(now, |probe| probe.max(now));
    webhooks::insert_delivery(tx, &delivery, message.location, due)?;
    if is_endless {
        webhooks::note_try(tx, &delivery, Some(&not_tried(now)))?;
    }
    Ok(delivery)
}

/// What is said of a message that was not sent, because too many led to it.
fn not_tried(now: UtcMs) -> DeliveryAttempt {
    let longest = chain::LONGEST;
    let problem = format!(
        "{longest} messages led to this one, each by way of a program: it was not sent, so that they come to an end"
    );
    DeliveryAttempt::without_answer(1, now, problem)
}

/// The same each time that a transaction runs: it follows from what nobody can guess.
fn delivery_id(message: &WebhookMessage, endpoint: &WebhookEndpoint) -> WebhookDeliveryId {
    let mut digest = Sha256::new().chain_update(message.id.as_bytes()).chain_update(endpoint.id.as_bytes()).finalize();
    Id::generate(message.created_at, |pool| {
        for chunk in pool.chunks_mut(digest.len()) {
            chunk.copy_from_slice(&digest[..chunk.len()]);
            digest = Sha256::digest(digest);
        }
    })
}

/// The kind of an event of a message, if this release knows it.
pub(super) fn kind_of(message: &WebhookMessage) -> Option<EventKind> {
    EventKind::parse(&message.event)
}
