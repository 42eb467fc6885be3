//! The address of an inbound webhook, with what senders sign with: shown once, and replaced.

use std::time::Duration;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Authority, LocationContext, MadeInbound, NewInbound};
use keystead_model::{
    api_key::parse_overlap,
    inbound_webhook::{InboundPatch, InboundWebhook},
    scope::Scope,
    text::Line,
};

use super::{PATH, SECTION, show::curl, url, wanted};
use crate::{
    Web,
    failure::Failure,
    form::{Field, Fields, Form, Kind},
    once::{Once, once},
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "inbound_webhooks/reveal.html")]
struct Reveal {
    frame: Frame,
    name: String,
    rotated: bool,
    address: String,
    secret: Option<String>,
    /// A command that sends something, where senders need not sign.
    try_it: Option<String>,
    /// Until when the address before is taken.
    previous: Option<String>,
    url: String,
}

#[derive(Template)]
#[template(path = "inbound_webhooks/shown.html")]
struct AlreadyShown {
    frame: Frame,
    url: String,
}

fn reveal(web: &Web, here: &Here, made: &MadeInbound, rotated: bool) -> Response {
    let MadeInbound { webhook, path, secret } = made;
    let Some(path) = path else { return already_shown(here, webhook.id.as_str()) };
    let address = format!("{}{}", web.base_url, **path);
    render(&Reveal {
        frame: Frame::of(here, "Store the address", SECTION),
        name: webhook.content.name.to_string(),
        rotated,
        try_it: secret.is_none().then(|| curl(&address)),
        address,
        secret: secret.as_ref().map(|secret| secret.to_string()),
        previous: webhook.credentials.previous_until.map(|until| here.zone().named(until)),
        url: url(here, webhook.id),
    })
}

fn already_shown(here: &Here, id: &str) -> Response {
    let url = here.url(&format!("{PATH}/{id}"));
    render(&AlreadyShown { frame: Frame::of(here, "Already shown", SECTION), url })
}

/// The place of a page, by an authority that makes a thing once.
async fn place(web: &Web, here: &Here, authority: Authority) -> Result<LocationContext, keystead_core::Error> {
    web.app.enter_location(authority, Some(here.place()?.id)).await
}

#[derive(Template)]
#[template(path = "inbound_webhooks/new.html")]
struct New {
    frame: Frame,
    form: Form,
    form_id: String,
    list_url: String,
}

fn signed() -> Field {
    Field::new(Kind::Check, "signed", "Senders sign what they send")
        .hint("As Standard Webhooks says. Without it, whoever has the address may send.")
}

fn new_fields(here: &Here) -> Vec<Field> {
    let name = Field::line("name", "Name").needed("Enter a name").with("maxlength=200");
    let name = name.hint("What sends here, such as Web shop.");
    [name, signed()].into_iter().chain(Field::confirmation(here)).collect()
}

fn new_page(web: &Web, here: &Here, form: Form) -> New {
    New {
        frame: Frame::of(here, "Add an incoming webhook", SECTION),
        form_id: form.sent.raw("form_id").map_or_else(|| web.app.entropy().token(), str::to_owned),
        form,
        list_url: here.url(PATH),
    }
}

pub(crate) async fn new(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.place()?;
    here.authority().require(Scope::WebhooksWrite)?;
    Ok(render(&new_page(&web, &here, Form::new(new_fields(&here), Vec::new()))))
}

pub(crate) async fn create(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    here.enter(&web).await?;
    let mut form = Form::new(new_fields(&here), sent);
    let name = form.read("name", Line::parse);
    let is_signed = form.is_checked("signed");
    form.confirm(&web, &mut here).await?;
    let form_id = form.sent.shown("form_id");
    let create = async |name| {
        let new = NewInbound { name, more: InboundPatch::default(), is_signed };
        let create = async |authority| {
            let context = place(&web, &here, authority).await?;
            web.app.create_inbound_webhook(&context, new).await
        };
        let id = |made: &MadeInbound| made.webhook.id.to_string();
        once(&web, &here, ("app create inbound webhook", &form_id), create, id).await
    };
    Ok(match form.run_with(name, create).await? {
        Some(Once::Made(made)) => reveal(&web, &here, &made, false),
        Some(Once::Before(id)) => already_shown(&here, &id),
        None => {
            let page = new_page(&web, &here, form);
            page.form.again(&page)
        }
    })
}

#[derive(Template)]
#[template(path = "inbound_webhooks/rotate.html")]
struct Rotate {
    frame: Frame,
    name: String,
    form: Form,
    form_id: String,
    url: String,
}

fn rotate_fields(here: &Here) -> Vec<Field> {
    let overlap = Field::overlap(
        "How long should the old address go on?",
        ("The time of the old address", "Choose how long the old address goes on"),
        ["Time to change every sender.", "It was lost or leaked."],
    );
    [overlap, signed()].into_iter().chain(Field::confirmation(here)).collect()
}

fn rotate_page(web: &Web, here: &Here, webhook: &InboundWebhook, form: Form) -> Rotate {
    Rotate {
        frame: Frame::of(here, "Change the address", SECTION),
        name: webhook.content.name.to_string(),
        form_id: web.app.entropy().token(),
        form,
        url: url(here, webhook.id),
    }
}

pub(crate) async fn rotate_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let (_, webhook) = wanted(&web, &here).await?;
    let mut pairs = vec![("overlap", "PT24H".to_owned())];
    pairs.extend(webhook.credentials.secret.is_some().then(|| ("signed", "on".to_owned())));
    let form = Form::filled(rotate_fields(&here), pairs);
    Ok(render(&rotate_page(&web, &here, &webhook, form)))
}

pub(crate) async fn rotate(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let (_, webhook) = wanted(&web, &here).await?;
    let mut form = Form::new(rotate_fields(&here), sent);
    let overlap = form.read("overlap", parse_overlap);
    let is_signed = Some(form.is_checked("signed"));
    form.confirm(&web, &mut here).await?;
    let form_id = form.sent.shown("form_id");
    let rotate = async |overlap: Duration| {
        let rotate = async |authority| {
            let context = place(&web, &here, authority).await?;
            web.app.rotate_inbound_webhook(&context, webhook.id, is_signed, overlap).await
        };
        let id = |made: &MadeInbound| made.webhook.id.to_string();
        once(&web, &here, ("app rotate inbound webhook", &form_id), rotate, id).await
    };
    Ok(match form.run_with(overlap, rotate).await? {
        Some(Once::Made(made)) => reveal(&web, &here, &made, true),
        Some(Once::Before(id)) => already_shown(&here, &id),
        None => {
            let page = rotate_page(&web, &here, &webhook, form);
            page.form.again(&page)
        }
    })
}
