//! A delivery: what was sent, and how each try went.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, WholeDelivery, WholeEndpoint, error::Noun};
use keystead_model::{
    UtcMs, WebhookDeliveryId,
    id::Id,
    scope::Scope,
    webhook::{DeliveryAttempt, DeliveryState},
};
use serde_json::Value;

use super::{SECTION, Status, url_of, wanted, wanted_to_change};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::Form,
    page::{Frame, render},
    place::Here,
    show::{Zone, ago},
};

impl Status {
    /// How a delivery stands.
    pub(super) fn of_delivery(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Waiting => Self::new("warn", "Waiting"),
            DeliveryState::Delivered => Self::new("good", "Taken"),
            DeliveryState::Failed => Self::new("bad", "Failed"),
            DeliveryState::Held => Self::new("mid", "Held"),
        }
    }
}

/// When a delivery is tried next, in words; none where that is plain, or nobody knows.
pub(super) fn next_try(whole: &WholeDelivery, is_sent: bool, now: UtcMs, zone: &Zone) -> String {
    let first = whole.delivery.attempts == 0;
    match whole.next_try {
        Some(at) if at <= now => if first { "Tried in a moment" } else { "Tried again in a moment" }.to_owned(),
        Some(at) => format!("{} at {}", if first { "Tried" } else { "Tried again" }, zone.named(at)),
        None if is_sent && whole.delivery.state == DeliveryState::Waiting => "Being tried".to_owned(),
        None => String::new(),
    }
}

struct Try {
    number: i64,
    status: Status,
    ago: String,
    exactly: String,
    duration: String,
    problem: String,
    answer: String,
}

#[derive(Template)]
#[template(path = "webhooks/delivery.html")]
struct Delivery {
    frame: Frame,
    endpoint: String,
    /// The event as the endpoint's owner chose it, and as the message calls it.
    event: String,
    name: String,
    message: String,
    status: Status,
    created: String,
    created_exactly: String,
    /// When it is tried next, in words.
    next_try: String,
    /// For those who may read what it tells of.
    body: String,
    tries: Vec<Try>,
    may_write: bool,
    is_on: bool,
    form: Form,
    url: String,
    endpoint_url: String,
}

fn id_of(here: &Here) -> Result<WebhookDeliveryId, Error> {
    let text = here.visitor.param("delivery");
    Id::parse(text).ok_or_else(|| Error::NotFound(Noun::Delivery, text.to_owned()))
}

fn page(web: &Web, here: &Here, of: &WholeEndpoint, whole: WholeDelivery, form: Form) -> Delivery {
    let (now, zone, endpoint) = (web.app.now(), here.zone(), &of.endpoint);
    let next_try = next_try(&whole, of.is_sent(), now, &zone);
    let WholeDelivery { delivery, message, attempts, next_try: _ } = whole;
    let one = |attempt: DeliveryAttempt| Try {
        number: attempt.number,
        status: match attempt.status {
            Some(status) if attempt.problem.is_none() => Status::new("good", status.to_string()),
            Some(status) => Status::new("bad", status.to_string()),
            None => Status::new("bad", "No answer"),
        },
        ago: ago(attempt.at, now),
        exactly: zone.exactly(attempt.at),
        duration: format!("{} ms", crate::show::grouped(attempt.duration_ms)),
        problem: attempt.problem.unwrap_or_default(),
        answer: attempt.answer.unwrap_or_default(),
    };
    // For reading: the bytes that are signed have no spaces.
    let read = serde_json::from_str::<Value>(&message.body).ok();
    let endpoint_url = url_of(here, endpoint.id);
    Delivery {
        frame: Frame::of(here, &message.name, SECTION),
        endpoint: endpoint.content.title().to_owned(),
        status: Status::of_delivery(delivery.state),
        created: ago(delivery.created_at, now),
        created_exactly: zone.exactly(delivery.created_at),
        next_try,
        body: read.and_then(|body| serde_json::to_string_pretty(&body).ok()).unwrap_or_default(),
        tries: attempts.into_iter().rev().map(one).collect(),
        may_write: here.authority().grant().allows(Scope::WebhooksWrite),
        is_on: endpoint.disabled.is_none(),
        url: format!("{endpoint_url}/deliveries/{}", delivery.id),
        event: message.event,
        name: message.name,
        message: message.id,
        form,
        endpoint_url,
    }
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let of = wanted(&web, &here).await?;
    let whole = web.app.get_webhook_delivery(here.authority(), of.endpoint.id, id_of(&here)?).await?;
    Ok(render(&page(&web, &here, &of, whole, Form::default())))
}

/// Sends it again.
pub(crate) async fn resend(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let of = wanted_to_change(&web, &here).await?;
    let (endpoint, id) = (of.endpoint.id, id_of(&here)?);
    let mut form = Form::default();
    let sent = form.run(web.app.resend_webhook_delivery(here.authority(), endpoint, id)).await?;
    if let Some(sent) = sent {
        let url = format!("{}/deliveries/{id}", url_of(&here, endpoint));
        return Ok(lead(&web, &url, Done::DeliverySentAgain, &sent.message.id));
    }
    let whole = web.app.get_webhook_delivery(here.authority(), endpoint, id).await?;
    let page = page(&web, &here, &of, whole, form);
    Ok(page.form.again(&page))
}
