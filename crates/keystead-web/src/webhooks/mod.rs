//! Webhooks of an agency or a location: where programs elsewhere are told what happens here, and what became of it.

mod deliveries;
mod delivery;
mod editor;
mod endpoint;
mod secret;
mod signing_key;

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, Hears, WholeEndpoint, error::Noun};
use keystead_model::{
    LocationId, UtcMs, WebhookEndpointId,
    page::Window,
    scope::Scope,
    search::fold,
    webhook::{WebhookEndpoint, WhyDisabled},
};

pub(crate) use self::{
    deliveries::csv,
    delivery::{resend, show as delivery},
    editor::{create, edit, new, update},
    endpoint::{delete, delete_form, recover, show, switch, switch_key, test},
    secret::{rotate, rotate_form},
    signing_key::{create as create_signing_key, show as signing_key},
};
use crate::{
    Web,
    failure::Failure,
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    show::{ago, counted},
};

pub(super) const SECTION: &str = "webhooks";
pub(super) const PATH: &str = "/settings/webhooks";

/// How something stands, in words.
pub(super) struct Status {
    pub(super) class: &'static str,
    pub(super) text: String,
}

impl Status {
    pub(super) fn new(class: &'static str, text: impl Into<String>) -> Self {
        Self { class, text: text.into() }
    }

    fn of(whole: &WholeEndpoint) -> Self {
        let WholeEndpoint { endpoint, paused_since, .. } = whole;
        let health = &endpoint.health;
        match endpoint.disabled.map(|disabled| disabled.why) {
            Some(WhyDisabled::Requested) => Self::new("mid", "Switched off"),
            Some(WhyDisabled::Failing) => Self::new("bad", "Switched off after days without success"),
            Some(WhyDisabled::Gone) => Self::new("bad", "Switched off: it says that it is gone"),
            None if whole.hears() == Hears::Nothing => Self::new("bad", "Hears nothing"),
            None if paused_since.is_some() => Self::new("warn", "Paused"),
            None if health.is_probed() => Self::new("bad", format!("{} in a row", counted(health.failures, "failure"))),
            None if health.failures > 0 => Self::new("warn", "The last try failed"),
            None if whole.hears() == Hears::Part => Self::new("warn", "Hears only some of its events"),
            None if health.succeeded_at.is_some() => Self::new("good", "Works"),
            None => Self::new("mid", "Nothing sent yet"),
        }
    }
}

/// Of what it is told, in a few words.
fn told(endpoint: &WebhookEndpoint) -> String {
    let names: Vec<&str> = endpoint.content.events.iter().collect();
    match names[..] {
        ["*"] => "all events".to_owned(),
        [one] => one.to_owned(),
        [one, other] => format!("{one}, {other}"),
        [one, ..] => format!("{one} and {} more", names.len() - 1),
        [] => String::new(),
    }
}

struct Row {
    title: String,
    /// Its address, where it is not the title.
    address: String,
    told: String,
    place: String,
    status: Status,
    taken: String,
    url: String,
}

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct Webhooks {
    frame: Frame,
    rows: Vec<Row>,
    list: Listing,
    is_agency: bool,
    may_write: bool,
    new_url: String,
    key_url: String,
    /// Of a location.
    incoming_url: Option<String>,
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let wanted = fold(asked.text("q").unwrap_or_default());
    let of = here.location.as_ref().map(|location| location.id);
    // There are no more of them than people make by hand.
    let mut all: Vec<WholeEndpoint> = web.app.list_webhooks(here.authority(), of, Window::all()).await?.rows;
    all.retain(|WholeEndpoint { endpoint, .. }| {
        fold(endpoint.content.title()).contains(&wanted) || fold(endpoint.content.url.as_str()).contains(&wanted)
    });
    let places = here.names_of(&web, all.iter().filter_map(|whole| whole.endpoint.location)).await?;
    let now = web.app.now();
    let (passed, length) = (asked.skipped() as usize, PAGE as usize);
    let rows: Vec<Row> = all.iter().skip(passed).take(length).map(|whole| row(&here, whole, &places, now)).collect();
    let has_more = all.len() > passed + rows.len();
    Ok(render(&Webhooks {
        frame: Frame::of(&here, "Webhooks", SECTION),
        list: Listing::new(here.url(PATH), &asked, rows.len(), has_more, all.len() as i64),
        rows,
        is_agency: here.location.is_none(),
        may_write: here.authority().grant().allows(Scope::WebhooksWrite),
        new_url: here.url(&format!("{PATH}/new")),
        key_url: here.url(&format!("{PATH}/signing-key")),
        incoming_url: here.location.as_ref().map(|_| here.url(&format!("{PATH}/incoming"))),
    }))
}

fn row(here: &Here, whole: &WholeEndpoint, places: &HashMap<LocationId, String>, now: UtcMs) -> Row {
    let endpoint = &whole.endpoint;
    let WebhookEndpoint { content, location, .. } = endpoint;
    Row {
        title: endpoint.content.title().to_owned(),
        address: content.description.as_ref().map(|_| content.url.to_string()).unwrap_or_default(),
        told: told(endpoint),
        place: match location {
            Some(location) => places.get(location).cloned().unwrap_or_default(),
            None => "The agency and its locations".to_owned(),
        },
        status: Status::of(whole),
        taken: endpoint.health.succeeded_at.map_or_else(|| "Never".to_owned(), |at| ago(at, now)),
        url: url_of(here, endpoint.id),
    }
}

pub(super) fn url_of(here: &Here, id: WebhookEndpointId) -> String {
    here.url(&format!("{PATH}/{id}"))
}

/// The endpoint of a page: in a location one of that location's.
pub(super) async fn wanted(web: &Web, here: &Here) -> Result<WholeEndpoint, Error> {
    let id: WebhookEndpointId = here.id(Noun::Webhook)?;
    let found = web.app.get_webhook(here.authority(), id).await?;
    match &here.location {
        Some(location) if found.endpoint.location != Some(location.id) => {
            Err(Error::NotFound(Noun::Webhook, id.to_string()))
        }
        _ => Ok(found),
    }
}

/// The same, for whoever may change it.
pub(super) async fn wanted_to_change(web: &Web, here: &Here) -> Result<WholeEndpoint, Error> {
    here.authority().require(Scope::WebhooksWrite)?;
    wanted(web, here).await
}
