//! Webhooks of the demo: one that was told of things for some days and is off by now, so that nothing leaves the machine, and one by
//! which a shop sends.

use keystead_core::{
    AgencyContext, App, IdempotencyKey, Incoming, NewEndpoint, NewInbound, RequestId,
    queue::{Outcome, Settled},
};
use keystead_model::{
    LocationId, WebhookEndpointId,
    inbound_webhook::{ContactMapping, InboundPatch},
    job::JobKind,
    page::Window,
    text::Line,
    webhook::{DeliveryAttempt, DeliveryState, EndpointHeaders, EndpointPatch, EventNames, WebhookDelivery},
};
use keystead_store::{Store, webhooks};
use serde_json::{Value, json};

use super::known;
use crate::failure::Failure;

/// A webhook of a location that is told of contacts.
pub(super) async fn made(app: &App, maria: &AgencyContext, at: LocationId) -> Result<WebhookEndpointId, Failure> {
    let new = NewEndpoint {
        location: Some(at),
        url: known(Line::parse("https://hooks.harbourdental.example/crm"))?,
        events: known(EventNames::parse(["contact.*", "opportunity.*"]))?,
        description: Some(known(Line::parse("Newsletter"))?),
        app_id: None,
        headers: EndpointHeaders::default(),
    };
    Ok(app.create_webhook(maria.authority(), new).await?.whole.endpoint.id)
}

/// What the receiver would have answered since it was asked last: at its first try, but for a few.
pub(super) async fn answered(
    app: &App,
    store: &Store,
    maria: &AgencyContext,
    id: WebhookEndpointId,
) -> Result<(), Failure> {
    const MOST: usize = 50;
    loop {
        let waiting = Some(DeliveryState::Waiting);
        let found = app.list_webhook_deliveries(maria.authority(), id, waiting, Window::first(MOST as i64)).await?.rows;
        if found.is_empty() {
            return Ok(());
        }
        let now = app.now();
        let turn = app.take_turn(JobKind::Delivery, &[], MOST).await?;
        let settled: Vec<_> = turn.jobs.into_iter().map(|job| Settled::new(job, Outcome::Done).into()).collect();
        app.take_turn(JobKind::Delivery, &settled, 0).await?;
        let noted = store.write_serial(move |tx| {
            for (place, whole) in found.iter().enumerate() {
                let tries = if place % 9 == 4 { 2 } else { 1 };
                for number in 1..=tries {
                    let is_taken = number == tries;
                    let after = WebhookDelivery {
                        state: if is_taken { DeliveryState::Delivered } else { DeliveryState::Waiting },
                        tries: number,
                        attempts: number,
                        tried_at: Some(now),
                        ..whole.delivery.clone()
                    };
                    let attempt = DeliveryAttempt {
                        number,
                        at: now,
                        duration_ms: 60 + (place as i64 * 37) % 190,
                        status: Some(if is_taken { 200 } else { 503 }),
                        problem: (!is_taken).then(|| "the answer was 503 Service Unavailable".to_owned()),
                        answer: Some(if is_taken { "ok" } else { "Please come back in a moment" }.to_owned()),
                    };
                    webhooks::note_try(tx, &after, Some(&attempt))?;
                }
            }
            if let Some(mut endpoint) = webhooks::find_to_change(tx, id)? {
                endpoint.health.succeed(now, 120, now);
                webhooks::save(tx, &endpoint)?;
            }
            Ok::<_, keystead_store::Error>(())
        });
        noted.await.map_err(|error| Failure::new(error.to_string()))?;
    }
}

/// From now on what it would be told is held.
pub(super) async fn off(app: &App, maria: &AgencyContext, id: WebhookEndpointId) -> Result<(), Failure> {
    let patch = EndpointPatch { enabled: Some(false), ..EndpointPatch::default() };
    app.update_webhook(maria.authority(), id, patch).await?;
    Ok(())
}

/// What a shop sends, the last of it without an address.
fn orders() -> [Value; 4] {
    let order = |number: u32, name: &str, email: &str| json!({"order": {"number": number, "total": 49.9}, "customer": {"name": name, "email": email}});
    [
        order(1041, "Ida Holm", "ida.holm@shop.example"),
        order(1042, "Omar Farouk", "omar.farouk@shop.example"),
        order(1043, "Ida Holm", "ida.holm@shop.example"),
        order(1044, "Jun Sato", "jun.sato at shop.example"),
    ]
}

/// An address to which a shop sends its orders, and some that came in.
pub(super) async fn incoming(app: &App, maria: &AgencyContext, at: LocationId) -> Result<(), Failure> {
    let context = app.enter_location(maria.authority().clone(), Some(at)).await?;
    let mapping = json!({
        "name": "{{payload.customer.name}}", "email": "{{payload.customer.email}}", "source": "Web shop", "tags": ["shop"],
    });
    let mapping = ContactMapping::parse(mapping.as_object().cloned().unwrap_or_default());
    let mapping = mapping.map_err(|wrong| Failure::new(format!("{wrong:?}")))?;
    let more = InboundPatch { contact: Some(Some(mapping)), ..InboundPatch::default() };
    let new = NewInbound { name: known(Line::parse("Web shop"))?, more, is_signed: false };
    let made = app.create_inbound_webhook(&context, new).await?;
    let token = made.path.as_ref().and_then(|path| path.rsplit('/').next().map(str::to_owned)).unwrap_or_default();
    for (number, order) in orders().into_iter().enumerate() {
        let incoming = Incoming {
            id: made.webhook.id.to_string(),
            token: token.clone(),
            sent_id: Some(IdempotencyKey::parse("webhook-id", format!("order-{number}").as_bytes())?),
            key: None,
            signature: None,
            chain: None,
            body: order.to_string().into_bytes(),
            is_form: false,
            address: [203, 0, 113, 80].into(),
            request: RequestId::from_bits(1),
        };
        // What a field does not take is refused, and kept all the same.
        let _ = app.receive_inbound(incoming).await;
    }
    Ok(())
}
