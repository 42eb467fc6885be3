//! The list of keys, and finding one in it.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use keystead_core::KeyFilter;
use keystead_model::{
    KeyId, ServiceMs, UtcMs,
    api_key::ApiKey,
    key_kind::KeyKind,
    key_search::{Flaw, KeySearch},
    key_secret::contains_key,
    page::Window,
    scope::Scope,
    time::DAY_MS,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{Row, rows, status::SOON_MS};
use crate::{
    Web,
    failure::Failure,
    form::Fields,
    page::{Frame, render},
    place::Here,
    search::{flaw_in, parameter},
    show::grouped,
};

struct Tab {
    title: &'static str,
    url: String,
    count: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "api_keys/list.html")]
struct List {
    frame: Frame,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    query: String,
    flaw: Option<Flaw>,
    /// What else may be asked for: value, words, whether it is.
    shows: Vec<(&'static str, &'static str, bool)>,
    tab: &'static str,
    next_url: Option<String>,
    find_url: String,
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
    flaw: Option<String>,
    after: Option<String>,
}

/// What is looked for in the tabs.
struct Search {
    text: String,
    show: &'static str,
    /// What is wrong with a key that was pasted.
    flaw: Option<Flaw>,
}

const PAGE: i64 = 50;

/// What can be asked for beside the tabs.
const SHOWS: &[(&str, &str)] = &[
    ("", "All"),
    ("never-used", "Never used"),
    ("expiring", "Expired, or within 30 days"),
    (AT_RISK, "Idle, expiring, expired or exposed"),
];
const AT_RISK: &str = "at-risk";
/// From when on the list says that keys expire.
const EXPIRING_MS: i64 = 30 * DAY_MS;

/// Keys of a place that end soon or have ended: what overviews count, and the list has where [`at_risk_url`] leads.
pub(crate) fn at_risk(web: &Web, here: &Here) -> KeyFilter {
    let locations = here.location.as_ref().map(|location| vec![location.id]);
    KeyFilter { locations, at_risk: Some(risk(web)), ..KeyFilter::default() }
}

/// Where the list has them.
pub(crate) fn at_risk_url(here: &Here) -> String {
    Search::new("", Some(AT_RISK)).url(here, "location")
}

fn risk(web: &Web) -> (ServiceMs, UtcMs) {
    (web.app.service_now().plus(SOON_MS), UtcMs(web.app.now().0 + EXPIRING_MS))
}

/// The tabs of a place: name in addresses, title.
fn titles(here: &Here) -> &'static [(&'static str, &'static str)] {
    match &here.location {
        None => &[("agency", "Agency keys"), ("location", "Location keys"), ("idle", "Idle"), ("deleted", "Deleted")],
        Some(_) => &[("location", "Location keys"), ("idle", "Idle"), ("deleted", "Deleted")],
    }
}

fn tab_of(here: &Here, wanted: Option<&str>) -> &'static str {
    titles(here).iter().map(|(name, _)| *name).find(|name| Some(*name) == wanted).unwrap_or("location")
}

impl Search {
    fn new(text: &str, show: Option<&str>) -> Self {
        let known = SHOWS.iter().map(|(name, _)| *name);
        let show = known.into_iter().find(|name| Some(*name) == show).unwrap_or_default();
        Self { text: text.trim().to_owned(), show, flaw: None }
    }

    fn is_any(&self) -> bool {
        !self.text.is_empty() || !self.show.is_empty()
    }

    fn url(&self, here: &Here, tab: &str) -> String {
        let found = match self.is_any() {
            true => format!("&q={}&show={}", utf8_percent_encode(&self.text, NON_ALPHANUMERIC), self.show),
            false => String::new(),
        };
        here.url(&format!("/settings/keys?tab={tab}{found}{}", parameter(self.flaw)))
    }

    fn filter(&self, web: &Web, here: &Here, tab: &str) -> KeyFilter {
        KeyFilter {
            kind: match (tab, &here.location) {
                ("agency", None) => Some(KeyKind::Agency),
                ("deleted" | "idle", None) => None,
                _ => Some(KeyKind::Location),
            },
            locations: here.location.as_ref().map(|location| vec![location.id]),
            deleted: tab == "deleted",
            deletes_before: (tab == "idle").then(|| web.app.service_now().plus(SOON_MS)),
            query: (!self.text.is_empty()).then(|| self.text.clone()),
            never_used: self.show == "never-used",
            expired: (self.show == "expiring").then(|| (UtcMs(web.app.now().0 + EXPIRING_MS), true)),
            at_risk: (self.show == AT_RISK).then(|| risk(web)),
            ..KeyFilter::default()
        }
    }
}

/// What was typed or pasted. It is sent in a body, not in an address, which browsers and proxies remember: of a whole key
/// only its id goes on from here.
pub(crate) async fn find(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    here.authority().require(Scope::KeysRead)?;
    let fields = Fields::from(pairs);
    let mut search = Search::new(fields.text("q").unwrap_or_default(), fields.text("show"));
    search.flaw = flaw_in(&fields);
    let mut tab = tab_of(&here, fields.text("tab"));
    // A script leaves nothing but the id of a key that is pasted.
    let id = match KeySearch::parse(&search.text) {
        KeySearch::Id(id) => Some(id),
        KeySearch::Part(_) => KeyId::parse(&search.text),
    };
    if let Some(id) = id {
        search.text = id.to_string();
        // Where it is, whichever tab was open.
        if let Ok(key) = web.app.get_key(here.authority(), id).await {
            tab = tab_of(&here, Some(tab_with(&key)));
        }
    }
    Ok(Redirect::to(&search.url(&here, tab)).into_response())
}

fn tab_with(key: &ApiKey) -> &'static str {
    if key.is_deleted() { "deleted" } else { key.kind().as_str() }
}

pub(crate) async fn list(
    State(web): State<Web>,
    Query(query): Query<ListQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let tab = tab_of(&here, query.tab.as_deref());
    let mut search = Search::new(query.q.as_deref().unwrap_or_default(), query.show.as_deref());
    if contains_key(&search.text)
        && let KeySearch::Id(id) = KeySearch::parse(&search.text)
    {
        // Nothing of ours makes such an address; at least it does not stay in the bar.
        search.flaw = Flaw::of(&search.text);
        search.text = id.to_string();
        return Ok(Redirect::to(&search.url(&here, tab)).into_response());
    }
    search.flaw = query.flaw.as_deref().and_then(Flaw::parse);
    let mut tabs = Vec::new();
    for (name, title) in titles(&here) {
        let count = web.app.count_keys(here.authority(), search.filter(&web, &here, name)).await?;
        tabs.push(Tab { title, url: search.url(&here, name), count: grouped(count), is_here: *name == tab });
    }
    let after = query.after.as_deref().and_then(|cursor| {
        let (at, id) = cursor.split_once('.')?;
        Some((UtcMs(at.parse().ok()?), KeyId::parse(id)?))
    });
    let filter = search.filter(&web, &here, tab);
    let keys = web.app.list_keys(here.authority(), filter, Window::after(after, PAGE)).await?;
    let next_url = keys.next(|last| {
        let (at, id) = (last.created_at.0, last.id);
        format!("{}&after={at}.{id}", search.url(&here, tab))
    });
    let page = List {
        frame: Frame::of(&here, "API keys", "keys"),
        rows: rows(&web, &here, &keys.rows).await?,
        tabs,
        is_filtered: search.is_any(),
        shows: SHOWS.iter().map(|(name, words)| (*name, *words, *name == search.show)).collect(),
        flaw: search.flaw,
        query: search.text,
        tab,
        next_url,
        find_url: here.url("/settings/keys/find"),
        new_url: here.url("/settings/keys/new"),
        may_create: here.authority().grant().allows(Scope::KeysWrite),
        is_deleted_tab: tab == "deleted",
    };
    Ok(render(&page))
}
