//! The page of an inbound webhook: what came in last, what became of it, and what contacts are made of.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, error::Noun};
use keystead_model::{
    InboundPayloadId,
    id::Id,
    inbound_webhook::{ContactMapping, InboundOutcome, InboundPayload, InboundWebhook},
    invalid::in_words,
    page::Window,
    scope::Scope,
};
use serde_json::Value;

use super::{PATH, SECTION, became, called, custom_fields, may_map, may_write, url, wanted};
use crate::{
    Web,
    api_keys::creator,
    failure::Failure,
    flash::{Done, lead},
    form::Form,
    page::{Frame, render},
    place::Here,
    show::ago,
};

/// Payloads that are shown at once; those before them are folded.
const SHOWN: usize = 10;

struct Payload {
    id: String,
    pill: (&'static str, &'static str),
    ago: String,
    exactly: String,
    problems: Vec<(String, String)>,
    contact_url: Option<String>,
    body: String,
    /// What the button says that makes a contact of it.
    replay: &'static str,
}

#[derive(Template)]
#[template(path = "inbound_webhooks/show.html")]
struct Show {
    frame: Frame,
    webhook: InboundWebhook,
    payloads: Vec<Payload>,
    mapped: Vec<(String, String)>,
    writes_as: String,
    /// Whether whoever it writes as may not write contacts any more.
    is_orphaned: bool,
    previous_until: Option<String>,
    created: String,
    form: Form,
    /// A command that sends something, but for the address, which nobody knows any more.
    try_it: String,
    may_write: bool,
    /// Whether somebody may make contacts of what came in, and answer for what makes them.
    may_replay: bool,
    url: String,
    list_url: String,
}

/// What sends something to an address.
pub(super) fn curl(address: &str) -> String {
    format!(
        r#"curl '{address}' -H 'Content-Type: application/json' -d '{{"email": "ada@example.com", "name": "Ada King"}}'"#
    )
}

async fn page(web: &Web, here: &Here, webhook: InboundWebhook, form: Form) -> Result<Show, Error> {
    let context = here.enter(web).await?;
    let found = web.app.list_inbound_payloads(&context, webhook.id, Window::all()).await?.rows;
    let names = web.app.actor_names(here.authority(), [webhook.writer.actor()]).await?;
    let unanswered = web.app.inbound_unanswered_for(&context, vec![webhook.clone()]).await?;
    let (now, zone) = (web.app.now(), here.zone());
    let custom = custom_fields(web, here, &context).await?;
    let problem = |(field, problem): (String, String)| (called(&field, &custom), in_words(&problem).to_owned());
    let sees_contacts = here.authority().grant().allows(Scope::ContactsRead);
    let payload = |payload: InboundPayload| Payload {
        id: payload.id.to_string(),
        pill: became(payload.outcome),
        ago: ago(payload.received_at, now),
        exactly: zone.exactly(payload.received_at),
        replay: if payload.outcome == InboundOutcome::Kept { "Map" } else { "Map again" },
        problems: payload.problems.into_iter().map(problem).collect(),
        contact_url: payload.contact.filter(|_| sees_contacts).map(|id| here.url(&format!("/contacts/{id}"))),
        // For reading.
        body: serde_json::from_str::<Value>(&payload.body)
            .ok()
            .and_then(|body| serde_json::to_string_pretty(&body).ok())
            .unwrap_or_default(),
    };
    let text = |template: Value| match template {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        one => one.as_str().unwrap_or_default().to_owned(),
    };
    let mapped = webhook.content.contact.as_ref().map(ContactMapping::fields).unwrap_or_default();
    let previous = webhook.credentials.previous_until.filter(|until| *until > now);
    Ok(Show {
        frame: Frame::of(here, webhook.content.name.as_str(), SECTION),
        payloads: found.into_iter().map(payload).collect(),
        mapped: mapped.into_iter().map(|(field, template)| (called(&field, &custom), text(template))).collect(),
        try_it: curl("ADDRESS"),
        writes_as: creator(webhook.writer.actor(), &names),
        is_orphaned: !unanswered.is_empty(),
        previous_until: previous.map(|until| zone.named(until)),
        created: zone.named(webhook.created_at),
        form,
        may_write: may_write(here),
        may_replay: may_write(here) && webhook.content.contact.is_some() && may_map(here),
        url: url(here, webhook.id),
        list_url: here.url(PATH),
        webhook,
    })
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (_, webhook) = wanted(&web, &here).await?;
    Ok(render(&page(&web, &here, webhook, Form::default()).await?))
}

/// Makes of a payload what the mapping now says.
pub(crate) async fn replay(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let (context, webhook) = wanted(&web, &here).await?;
    let text = here.visitor.param("payload");
    let id: InboundPayloadId = Id::parse(text).ok_or_else(|| Error::NotFound(Noun::InboundPayload, text.to_owned()))?;
    let mut form = Form::default();
    match form.run(web.app.replay_inbound_payload(&context, webhook.id, id)).await? {
        Some(payload) => {
            let done = match payload.outcome {
                InboundOutcome::Refused => Done::PayloadRefused,
                InboundOutcome::Kept => Done::PayloadKept,
                InboundOutcome::Created | InboundOutcome::Updated => Done::PayloadMapped,
            };
            Ok(lead(&web, &url(&here, webhook.id), done, webhook.content.name.as_str()))
        }
        None => {
            let page = page(&web, &here, webhook, form).await?;
            Ok(page.form.again(&page))
        }
    }
}
