//! The list of keys.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{KeyFilter, KeyQuery};
use keystead_model::{KeyId, UtcMs, api_key::KeyKind, scope::Scope, time::DAY_MS};
use serde::Deserialize;

use super::{Row, rows, status::SOON_MS};
use crate::{
    Web,
    failure::Failure,
    page::{Frame, render},
    place::Here,
};

struct Tab {
    title: &'static str,
    url: String,
    count: i64,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "api_keys/list.html")]
struct List {
    frame: Frame,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    query: String,
    /// What else may be asked for: value, words, whether it is.
    shows: Vec<(&'static str, &'static str, bool)>,
    tab: &'static str,
    next_url: Option<String>,
    new_url: String,
    may_create: bool,
    is_deleted_tab: bool,
    is_filtered: bool,
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    tab: Option<String>,
    q: Option<String>,
    show: Option<String>,
    after: Option<String>,
}

const PAGE: i64 = 50;

fn filter_of(web: &Web, here: &Here, tab: &str) -> KeyFilter {
    let own = here.location.as_ref().map(|location| vec![location.id]);
    let deletes_before = (tab == "idle").then(|| web.app.service_now().plus(SOON_MS));
    let kind = match (tab, &here.location) {
        ("agency", None) => Some(KeyKind::Agency),
        ("deleted" | "idle", None) => None,
        _ => Some(KeyKind::Location),
    };
    KeyFilter { kind, locations: own, deleted: tab == "deleted", deletes_before, ..KeyFilter::default() }
}

/// What can be asked for beside the tabs.
const SHOWS: &[(&str, &str)] = &[("", "All"), ("never-used", "Never used"), ("expiring", "Expired, or within 30 days")];

pub(crate) async fn list(
    State(web): State<Web>,
    Query(query): Query<ListQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let titles: &[(&'static str, &'static str)] = match &here.location {
        None => &[("agency", "Agency keys"), ("location", "Location keys"), ("idle", "Idle"), ("deleted", "Deleted")],
        Some(_) => &[("location", "Location keys"), ("idle", "Idle"), ("deleted", "Deleted")],
    };
    let wanted = query.tab.as_deref().unwrap_or("location");
    let tab = titles.iter().map(|(name, _)| *name).find(|name| *name == wanted).unwrap_or("location");
    let mut tabs = Vec::new();
    for (name, title) in titles {
        let count = web.app.count_keys(here.authority(), filter_of(&web, &here, name)).await?;
        tabs.push(Tab { title, url: here.url(&format!("/settings/keys?tab={name}")), count, is_here: *name == tab });
    }
    let text = query.q.unwrap_or_default();
    let searched = text.trim().to_owned();
    let wanted = query.show.as_deref().unwrap_or_default();
    let show = SHOWS.iter().map(|(name, _)| *name).find(|name| *name == wanted).unwrap_or_default();
    let filter = KeyFilter {
        query: (!searched.is_empty()).then_some(searched),
        never_used: show == "never-used",
        expired: (show == "expiring").then(|| (UtcMs(web.app.now().0 + 30 * DAY_MS), true)),
        ..filter_of(&web, &here, tab)
    };
    let after = query.after.as_deref().and_then(|cursor| {
        let (at, id) = cursor.split_once('.')?;
        Some((UtcMs(at.parse().ok()?), KeyId::parse(id)?))
    });
    let keys = web.app.list_keys(here.authority(), KeyQuery { filter, after, limit: PAGE }).await?;
    let next_url = keys.last().filter(|_| keys.len() as i64 == PAGE).map(|last| {
        let text = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        here.url(&format!("/settings/keys?tab={tab}&q={text}&show={show}&after={}.{}", last.created_at.0, last.id))
    });
    let page = List {
        frame: Frame::of(&here, "API keys", "keys"),
        rows: rows(&web, &here, &keys).await?,
        tabs,
        query: text.clone(),
        shows: SHOWS.iter().map(|(name, words)| (*name, *words, *name == show)).collect(),
        tab,
        next_url,
        new_url: here.url("/settings/keys/new"),
        may_create: here.authority().grant().allows(Scope::KeysWrite),
        is_deleted_tab: tab == "deleted",
        is_filtered: !show.is_empty() || !text.trim().is_empty(),
    };
    Ok(render(&page))
}
