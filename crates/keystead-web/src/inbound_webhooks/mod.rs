//! Inbound webhooks of a location: where other programs send, what came in, and what of it makes contacts.

mod address;
mod edit;
mod show;

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    InboundWebhookId, UtcMs,
    custom_field::{CustomField, OwnerKind},
    form_answers,
    inbound_webhook::{ContactMapping, InboundOutcome, InboundWebhook},
    page::Window,
    scope::Scope,
};

pub(crate) use self::{
    address::{create, new, rotate, rotate_form},
    edit::{delete, delete_form, edit, update},
    show::{replay, show},
};
use crate::{
    Web,
    failure::Failure,
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    show::ago,
};

/// They stand beside the webhooks that are sent.
const SECTION: &str = "webhooks";
const PATH: &str = "/settings/webhooks/incoming";

fn may_write(here: &Here) -> bool {
    here.authority().grant().allows(Scope::WebhooksWrite)
}

/// Whether somebody may say what contacts are made.
fn may_map(here: &Here) -> bool {
    here.authority().grant().allows(Scope::ContactsWrite)
}

/// The custom fields of contacts, as far as whoever is here may see them.
async fn custom_fields(web: &Web, here: &Here, context: &LocationContext) -> Result<Vec<CustomField>, Error> {
    match here.authority().grant().allows(Scope::CustomFieldsRead) {
        true => web.app.list_custom_fields(context, Some(OwnerKind::Contact)).await,
        false => Ok(Vec::new()),
    }
}

/// What people call a field of a contact that a mapping names, or what is wrong with a payload.
fn called(field: &str, custom: &[CustomField]) -> String {
    const CALLED: [&str; 16] = [
        "E-mail",
        "Phone",
        "Whole name",
        "First name",
        "Last name",
        "Company",
        "Street",
        "City",
        "State",
        "Postal code",
        "Country",
        "Website",
        "Time zone",
        "Date of birth",
        "Source",
        "Tags",
    ];
    let own = ContactMapping::FIELDS.iter().zip(CALLED).find(|(known, _)| **known == field);
    match (own, form_answers::custom(field, custom)) {
        (Some((_, called)), _) => called.to_owned(),
        (None, Some(custom)) => custom.content.name.to_string(),
        (None, None) if field == "contact" => "The contact".to_owned(),
        (None, None) => field.to_owned(),
    }
}

fn url(here: &Here, id: InboundWebhookId) -> String {
    here.url(&format!("{PATH}/{id}"))
}

async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, InboundWebhook), Error> {
    let context = here.enter(web).await?;
    let id: InboundWebhookId = here.id(Noun::InboundWebhook)?;
    let webhook = web.app.get::<InboundWebhook>(&context, (), id).await?;
    Ok((context, webhook))
}

/// What became of a payload: class and words.
const fn became(outcome: InboundOutcome) -> (&'static str, &'static str) {
    match outcome {
        InboundOutcome::Kept => ("mid", "Kept"),
        InboundOutcome::Created => ("good", "Made a contact"),
        InboundOutcome::Updated => ("good", "Updated a contact"),
        InboundOutcome::Refused => ("bad", "Not taken"),
    }
}

struct Row {
    name: String,
    url: String,
    does: &'static str,
    signed: &'static str,
    /// When something last came in, and exactly.
    last: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "inbound_webhooks/list.html")]
struct Inbound {
    frame: Frame,
    rows: Vec<Row>,
    list: Listing,
    may_write: bool,
    new_url: String,
    outgoing_url: String,
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let found = web.app.list::<InboundWebhook>(&context, (), Window::skip(asked.skipped(), PAGE)).await?;
    let last: HashMap<InboundWebhookId, UtcMs> = web.app.inbound_last_received(&context).await?.into_iter().collect();
    let unanswered = web.app.inbound_unanswered_for(&context, found.rows.clone()).await?;
    let (now, zone) = (web.app.now(), here.zone());
    let row = |webhook: &InboundWebhook| Row {
        last: last.get(&webhook.id).map(|at| (ago(*at, now), zone.exactly(*at))),
        name: webhook.content.name.to_string(),
        url: url(&here, webhook.id),
        does: match webhook.content.contact {
            Some(_) if unanswered.contains(&webhook.id) => "Makes no contacts any more",
            Some(_) => "Makes and updates contacts",
            None => "Keeps what comes in",
        },
        signed: if webhook.credentials.secret.is_some() { "Yes" } else { "No" },
    };
    Ok(render(&Inbound {
        frame: Frame::of(&here, "Incoming webhooks", SECTION),
        rows: found.rows.iter().map(row).collect(),
        list: Listing::new(here.url(PATH), &asked, found.rows.len(), found.has_more, None),
        may_write: may_write(&here),
        new_url: here.url(&format!("{PATH}/new")),
        outgoing_url: here.url("/settings/webhooks"),
    }))
}
