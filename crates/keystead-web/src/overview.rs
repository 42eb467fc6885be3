//! The first page of Agency View and of a location.

use std::cmp::Reverse;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use keystead_core::{Error, KeyFilter};
use keystead_model::{contact::ContactFilter, key_kind::KeyKind, location::LocationFilter, page::Window, scope::Scope};

use crate::{
    Web,
    api_keys::{Row, rows},
    failure::Failure,
    page::{Frame, render},
    place::{Here, Visitor},
};

/// `/app` leads to where the visitor belongs.
pub(crate) async fn home(State(web): State<Web>, visitor: Result<Visitor, Failure>) -> Result<Response, Failure> {
    if web.app.needs_setup().await? {
        return Ok(Redirect::to("/app/setup").into_response());
    }
    let visitor = visitor?;
    if !visitor.signed_in.user.role.is_account() {
        return Ok(Redirect::to("/app/agency").into_response());
    }
    // The first that is there; where all are deleted, the first of these, whose page says so.
    let there = web.app.list_locations(&visitor.authority, LocationFilter::default(), Window::first(1)).await?;
    let target =
        there.rows.first().map(|location| location.id).or_else(|| visitor.signed_in.user.locations.first().copied());
    Ok(match target {
        Some(location) => Redirect::to(&format!("/app/locations/{location}")).into_response(),
        None => Redirect::to("/app/account").into_response(),
    })
}

/// A figure and what it counts.
struct Figure {
    label: &'static str,
    count: i64,
    url: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    heading: String,
    lead: String,
    figures: Vec<Figure>,
    keys: Vec<Row>,
    keys_url: String,
    new_key_url: String,
    shows_keys: bool,
}

pub(crate) async fn agency(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.authority().clone().in_agency()?;
    let locations = web.app.count_locations(&context).await?;
    let mut figures = vec![Figure { label: "Locations", count: locations, url: here.url("/locations") }];
    let name = here.visitor.signed_in.agency.profile.name.to_string();
    page(&web, here, name, "Everything that all of your locations have in common.".to_owned(), &mut figures).await
}

pub(crate) async fn location(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (name, id) = match &here.location {
        Some(location) => (location.profile.name.to_string(), location.id),
        None => return Err(Error::NoAccess.into()),
    };
    let mut figures = Vec::new();
    if here.authority().grant().allows(Scope::ContactsRead) {
        let context = web.app.enter_location(here.authority().clone(), Some(id)).await?;
        let found = web.app.list_contacts(&context, ContactFilter::default(), Window::first(1)).await?;
        figures.push(Figure { label: "Contacts", count: found.total, url: String::new() });
    }
    page(&web, here, name, format!("Location {id}"), &mut figures).await
}

async fn page(
    web: &Web,
    here: Here,
    heading: String,
    lead: String,
    figures: &mut Vec<Figure>,
) -> Result<Response, Failure> {
    let shows_keys = here.authority().grant().allows(Scope::KeysRead);
    let mut keys = Vec::new();
    if shows_keys {
        let kinds: &[(KeyKind, &'static str)] = match &here.location {
            Some(_) => &[(KeyKind::Location, "API keys")],
            None => &[(KeyKind::Agency, "Agency keys"), (KeyKind::Location, "Location keys")],
        };
        for (kind, label) in kinds {
            let filter = KeyFilter {
                kind: Some(*kind),
                locations: here.location.as_ref().map(|location| vec![location.id]),
                ..KeyFilter::default()
            };
            let count = web.app.count_keys(here.authority(), filter.clone()).await?;
            let found = web.app.list_keys(here.authority(), filter, Window::first(5)).await?;
            figures.push(Figure { label, count, url: here.url(&format!("/settings/keys?tab={}", kind.as_str())) });
            keys.extend(found.rows);
        }
        keys.sort_by_key(|key| Reverse(key.created_at));
        keys.truncate(5);
    }
    let keys = rows(web, &here, &keys).await?;
    let page = Overview {
        frame: Frame::of(&here, &heading, "overview"),
        heading,
        lead,
        figures: std::mem::take(figures),
        keys,
        keys_url: here.url("/settings/keys"),
        new_key_url: here.url("/settings/keys/new"),
        shows_keys,
    };
    Ok(render(&page))
}
