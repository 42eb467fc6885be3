//! Inbound webhooks of a location: where other programs send, what came in, and what of it makes contacts.

mod address;
mod edit;
mod show;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    InboundWebhookId,
    inbound_webhook::{InboundOutcome, InboundWebhook},
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
    let row = |webhook: &InboundWebhook| Row {
        name: webhook.content.name.to_string(),
        url: url(&here, webhook.id),
        does: if webhook.content.contact.is_some() { "Makes and updates contacts" } else { "Keeps what comes in" },
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
