//! Finding things and pages: from the bar at the top of every page, and as a page of its own.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use keystead_core::{Beside, Error, KeyFilter, LocationContext};
use keystead_model::{
    contact::ContactFilter,
    key_search::{Flaw, KeySearch},
    location::LocationFilter,
    opportunity::OpportunityFilter,
    page::Window,
    scope::Scope,
    search::asked,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::{
    Web,
    api_keys::rows,
    contacts,
    failure::Failure,
    form::Fields,
    opportunities,
    page::{Frame, render},
    place::Here,
    sections,
};

/// What is shown of each noun.
const SHOWN: i64 = 5;
/// Characters of a search.
const LONGEST: usize = 200;

/// Things of one noun that were found.
pub(crate) struct Group {
    title: &'static str,
    icon: &'static str,
    hits: Vec<Hit>,
    /// Where all of them are, if there are more.
    all_url: Option<String>,
    /// Whether there was no time to find them.
    is_cut: bool,
}

impl Group {
    fn new(title: &'static str, icon: &'static str, hits: impl IntoIterator<Item = Hit>) -> Self {
        Self { title, icon, hits: hits.into_iter().collect(), all_url: None, is_cut: false }
    }
}

struct Hit {
    name: String,
    detail: String,
    url: String,
    /// Class and words.
    pill: Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "search/page.html")]
struct Page {
    frame: Frame,
    query: String,
    /// What is wrong with a key that was pasted.
    flaw: Option<Flaw>,
    groups: Vec<Group>,
}

/// What the bar shows while somebody types.
#[derive(Template)]
#[template(path = "search/found.html")]
struct Found {
    query: String,
    flaw: Option<Flaw>,
    groups: Vec<Group>,
    page_url: String,
}

#[derive(Deserialize)]
pub(crate) struct SearchQuery {
    q: Option<String>,
    flaw: Option<String>,
}

impl SearchQuery {
    fn flaw(&self) -> Option<Flaw> {
        self.flaw.as_deref().and_then(Flaw::parse)
    }
}

/// What was typed, as it may stand in an address: of a whole key that was pasted its id.
fn typed(text: Option<&str>) -> String {
    let text: String = text.unwrap_or_default().trim().chars().take(LONGEST).collect();
    match KeySearch::parse(&text) {
        KeySearch::Id(id) => id.to_string(),
        KeySearch::Part(_) => text,
    }
}

fn url(here: &Here, query: &str, flaw: Option<Flaw>) -> String {
    here.url(&format!("/search?q={}{}", utf8_percent_encode(query, NON_ALPHANUMERIC), parameter(flaw)))
}

/// What is wrong with a key that was pasted, for an address.
pub(crate) fn parameter(flaw: Option<Flaw>) -> String {
    flaw.map(|flaw| format!("&flaw={}", flaw.code())).unwrap_or_default()
}

/// The same of a form: of the text that it holds, or as a script has found it in the one that it held.
pub(crate) fn flaw_in(fields: &Fields) -> Option<Flaw> {
    fields.text("q").and_then(Flaw::of).or_else(|| fields.text("flaw").and_then(Flaw::parse))
}

/// What was typed or pasted comes in a body: addresses are remembered by browsers and proxies.
pub(crate) async fn search(here: Here, Form(pairs): Form<Vec<(String, String)>>) -> Redirect {
    let fields = Fields::from(pairs);
    Redirect::to(&url(&here, &typed(fields.text("q")), flaw_in(&fields)))
}

pub(crate) async fn page(
    State(web): State<Web>,
    Query(sent): Query<SearchQuery>,
    mut here: Here,
) -> Result<Response, Failure> {
    let query = typed(sent.q.as_deref());
    if sent.q.as_deref().is_some_and(|sent| sent.trim() != query) {
        // Nothing of ours makes such an address; at least it does not stay in the bar.
        return Ok(Redirect::to(&url(&here, &query, sent.q.as_deref().and_then(Flaw::of))).into_response());
    }
    let groups = find(&web, &here, &query).await?;
    here.asking(&query);
    Ok(render(&Page { frame: Frame::of(&here, "Search", "search"), query, flaw: sent.flaw(), groups }))
}

pub(crate) async fn found(
    State(web): State<Web>,
    Query(sent): Query<SearchQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let query = typed(sent.q.as_deref());
    let groups = find(&web, &here, &query).await?;
    Ok(render(&Found { page_url: url(&here, &query, sent.flaw()), query, flaw: sent.flaw(), groups }))
}

/// What a visitor may see of what a search finds. Every noun that can be found has a line.
async fn find(web: &Web, here: &Here, query: &str) -> Result<Vec<Group>, Error> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let groups = [
        keys(web, here, query).await?,
        people(web, here, query).await?,
        opportunities(web, here, query).await?,
        locations(web, here, query).await?,
        Some(pages(here, query)),
    ];
    Ok(groups.into_iter().flatten().filter(|group| group.is_cut || !group.hits.is_empty()).collect())
}

async fn keys(web: &Web, here: &Here, query: &str) -> Result<Option<Group>, Error> {
    if !here.authority().grant().allows(Scope::KeysRead) {
        return Ok(None);
    }
    let filter = KeyFilter {
        locations: here.location.as_ref().map(|location| vec![location.id]),
        query: Some(query.to_owned()),
        ..KeyFilter::default()
    };
    let found = web.app.list_keys(here.authority(), filter, Window::first(SHOWN)).await?;
    let all = here.url(&format!("/settings/keys?q={}", utf8_percent_encode(query, NON_ALPHANUMERIC)));
    let all_url = found.has_more.then_some(all);
    let hits = rows(web, here, &found.rows).await?.into_iter().map(|row| Hit {
        name: row.name,
        detail: format!("{} · {}", row.place, row.masked),
        url: row.url,
        pill: Some((row.status.class, row.status.text)),
    });
    Ok(Some(Group { all_url, ..Group::new("API keys", "key", hits) }))
}

/// What was found; `None` where that took longer than a search may.
fn in_time<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Invalid(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The location, for whoever may read such things in it.
async fn inside(web: &Web, here: &Here, scope: Scope) -> Result<Option<LocationContext>, Error> {
    let Some(location) = here.location.as_ref().filter(|_| here.authority().grant().allows(scope)) else {
        return Ok(None);
    };
    web.app.enter_location(here.authority().clone(), Some(location.id)).await.map(Some)
}

async fn people(web: &Web, here: &Here, query: &str) -> Result<Option<Group>, Error> {
    let (Some(context), Some(location)) = (inside(web, here, Scope::ContactsRead).await?, &here.location) else {
        return Ok(None);
    };
    let search = Some(asked(query, location.profile.country));
    let filter = ContactFilter { search, ..ContactFilter::default() };
    let (title, icon) = ("Contacts", "user");
    let Some(found) = in_time(web.app.list_contacts(&context, filter, Window::first(SHOWN)).await)? else {
        return Ok(Some(Group { is_cut: true, ..Group::new(title, icon, []) }));
    };
    let hits = found.page.rows.iter().map(|contact| Hit {
        name: contacts::name(contact),
        detail: contacts::addresses(contact),
        url: here.url(&format!("/contacts/{}", contact.id)),
        pill: None,
    });
    let all = here.url(&format!("/contacts?q={}", utf8_percent_encode(query, NON_ALPHANUMERIC)));
    Ok(Some(Group { all_url: found.page.has_more.then_some(all), ..Group::new(title, icon, hits) }))
}

async fn opportunities(web: &Web, here: &Here, query: &str) -> Result<Option<Group>, Error> {
    let (Some(context), Some(location)) = (inside(web, here, Scope::OpportunitiesRead).await?, &here.location) else {
        return Ok(None);
    };
    let search = Some(asked(query, location.profile.country));
    let filter = OpportunityFilter { search, ..OpportunityFilter::default() };
    let (title, icon) = ("Opportunities", "target");
    let found = web.app.list_opportunities(&context, filter, Window::first(SHOWN), Beside::default()).await;
    let Some(found) = in_time(found)? else {
        return Ok(Some(Group { is_cut: true, ..Group::new(title, icon, []) }));
    };
    let hits = found.page.rows.iter().map(|whole| {
        let content = &whole.opportunity.content;
        Hit {
            name: content.name.as_str().to_owned(),
            detail: contacts::name(&whole.contact),
            url: opportunities::url(here, whole.opportunity.id),
            pill: Some(contacts::standing(content.status)),
        }
    });
    let encoded = utf8_percent_encode(query, NON_ALPHANUMERIC);
    let all = here.url(&format!("/opportunities?view=list&status=any&q={encoded}"));
    Ok(Some(Group { all_url: found.page.has_more.then_some(all), ..Group::new(title, icon, hits) }))
}

async fn locations(web: &Web, here: &Here, query: &str) -> Result<Option<Group>, Error> {
    let filter = LocationFilter { query: Some(query.to_lowercase()), ..LocationFilter::default() };
    let found = web.app.list_locations(here.authority(), filter, Window::first(SHOWN)).await?;
    let hits = found.rows.iter().map(|location| Hit {
        name: location.profile.name.to_string(),
        detail: location.profile.city.as_ref().map(|city| city.as_str().to_owned()).unwrap_or_default(),
        url: format!("/app/locations/{}", location.id),
        pill: None,
    });
    Ok(Some(Group::new("Locations", "pin", hits)))
}

fn pages(here: &Here, query: &str) -> Group {
    let hits = sections::pages(here, query).into_iter().map(|link| Hit {
        name: link.title.to_owned(),
        detail: String::new(),
        url: link.url,
        pill: None,
    });
    Group::new("Pages", "list", hits)
}
