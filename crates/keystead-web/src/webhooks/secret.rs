//! The secret with which messages to an endpoint are signed: shown once, and replaced.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::MadeEndpoint;
use keystead_model::{api_key::parse_overlap, webhook::WebhookEndpoint};

use super::{SECTION, url_of, wanted_to_change};
use crate::{
    Web,
    failure::Failure,
    form::{Field, Fields, Form},
    once::{Once, once},
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "webhooks/reveal.html")]
struct Reveal {
    frame: Frame,
    title: String,
    rotated: bool,
    secret: String,
    env: String,
    /// Until when messages are signed with the secret before, too.
    previous: Option<String>,
    url: String,
    key_url: String,
}

#[derive(Template)]
#[template(path = "webhooks/shown.html")]
struct AlreadyShown {
    frame: Frame,
    url: String,
}

/// The page with a new secret.
pub(super) fn reveal(here: &Here, made: &MadeEndpoint, rotated: bool) -> Response {
    let endpoint = &made.whole.endpoint;
    let Some(secret) = &made.secret else { return already_shown(here, endpoint.id.as_str()) };
    render(&Reveal {
        frame: Frame::of(here, "Store the signing secret", SECTION),
        title: endpoint.content.title().to_owned(),
        rotated,
        env: format!("KEYSTEAD_WEBHOOK_SECRET={}\n", secret.as_str()),
        secret: secret.to_string(),
        previous: endpoint.sealed.previous.as_ref().map(|(_, until)| here.zone().named(*until)),
        url: url_of(here, endpoint.id),
        key_url: here.url(&format!("{}/signing-key", super::PATH)),
    })
}

pub(super) fn already_shown(here: &Here, id: &str) -> Response {
    let url = here.url(&format!("{}/{id}", super::PATH));
    render(&AlreadyShown { frame: Frame::of(here, "Already shown", SECTION), url })
}

#[derive(Template)]
#[template(path = "webhooks/rotate.html")]
struct Rotate {
    frame: Frame,
    title: String,
    /// Whether messages are signed with two secrets now.
    has_two: bool,
    form: Form,
    form_id: String,
    url: String,
}

fn fields(here: &Here) -> Vec<Field> {
    let overlap = Field::overlap(
        "How long should messages carry the old signature, too?",
        ("The time of the old secret", "Choose how long the old secret goes on"),
        ["Time to change every place that checks it.", "The old secret was lost or leaked."],
    );
    std::iter::once(overlap).chain(Field::confirmation(here)).collect()
}

fn page(web: &Web, here: &Here, endpoint: &WebhookEndpoint, form: Form) -> Rotate {
    let now = web.app.now();
    Rotate {
        frame: Frame::of(here, "Rotate the secret", SECTION),
        title: endpoint.content.title().to_owned(),
        has_two: endpoint.sealed.previous.as_ref().is_some_and(|(_, until)| *until > now),
        form_id: web.app.entropy().token(),
        form,
        url: url_of(here, endpoint.id),
    }
}

pub(crate) async fn rotate_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let endpoint = wanted_to_change(&web, &here).await?.endpoint;
    let form = Form::filled(fields(&here), [("overlap", "PT24H".to_owned())]);
    Ok(render(&page(&web, &here, &endpoint, form)))
}

pub(crate) async fn rotate(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let endpoint = wanted_to_change(&web, &here).await?.endpoint;
    let mut form = Form::new(fields(&here), sent);
    let overlap = form.read("overlap", parse_overlap);
    form.confirm(&web, &mut here).await?;
    let form_id = form.sent.shown("form_id");
    let rotate = async |overlap| {
        let rotate = async |authority| web.app.rotate_webhook_secret(&authority, endpoint.id, overlap).await;
        let id = |made: &MadeEndpoint| made.whole.endpoint.id.to_string();
        once(&web, &here, ("app rotate webhook secret", &form_id), rotate, id).await
    };
    Ok(match form.run_with(overlap, rotate).await? {
        Some(Once::Made(made)) => reveal(&here, &made, true),
        Some(Once::Before(id)) => already_shown(&here, &id),
        None => {
            let page = page(&web, &here, &endpoint, form);
            page.form.again(&page)
        }
    })
}
