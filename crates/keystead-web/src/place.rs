//! Who is looking, and where: Agency View or a location.

use std::collections::{BTreeSet, HashMap};

use axum::{
    Extension,
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
    response::Redirect,
};
use http::{HeaderMap, Method, Uri, header};
use keystead_core::{
    Authority, Error, LocationContext, NoticeFilter, RequestFacts, SessionToken, SignedIn, error::Noun,
};
use keystead_http::Arrival;
use keystead_model::{
    LocationId,
    agency::TenantState,
    grant::Reach,
    key_secret::contains_secret,
    location::{Location, LocationFilter},
    notice::Notice,
    page::Window,
    text::TimeZoneName,
};

use crate::{
    Web,
    cookies::Cookie,
    failure::Failure,
    flash::Flash,
    page::{Frame, Shell, SwitchTo},
    sections,
    show::{Zone, initials},
    theme::Theme,
    zone::{self, Clock},
};

/// On an address where something is done by POST alone: how many segments up its page is.
#[derive(Clone, Copy)]
pub(crate) struct ActionOf(pub(crate) usize);

/// The page of an action, for whoever may see its place.
pub(crate) async fn to_page(Extension(ActionOf(up)): Extension<ActionOf>, uri: Uri, _: Here) -> Redirect {
    Redirect::to(page_of(uri.path(), up))
}

/// The address without its last segments.
fn page_of(path: &str, up: usize) -> &str {
    (0..up).fold(path, |path, _| path.rsplit_once('/').map_or(path, |(page, _)| page))
}

/// The page of an address that holds a secret: without its query, if that is where it stands.
fn page_without(address: &str) -> &str {
    let path = address.split('?').next().unwrap_or_default();
    if contains_secret(path) { "/app" } else { path }
}

/// Where somebody who is not signed in comes back to: never to an address that only takes what is sent.
fn way_back(parts: &Parts) -> Failure {
    let original = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
    let next = match parts.extensions.get::<ActionOf>() {
        Some(ActionOf(up)) => page_of(original.path(), *up),
        None => original.path_and_query().map_or("/app", |address| address.as_str()),
    };
    let was_action = ![Method::GET, Method::HEAD].contains(&parts.method);
    let next = if contains_secret(next) { page_without(next) } else { next };
    Failure::SignIn { next: next.to_owned(), was_action }
}

/// Somebody who is signed in.
pub(crate) struct Visitor {
    pub(crate) signed_in: SignedIn,
    pub(crate) authority: Authority,
    pub(crate) arrival: Arrival,
    pub(crate) headers: HeaderMap,
    /// What was done on the page before.
    pub(crate) flash: Option<Flash>,
    pub(crate) theme: Theme,
    /// The zone of the browser, where it says one.
    pub(crate) browser_zone: Option<TimeZoneName>,
    /// The address of the page, without what it was asked.
    address: String,
    /// What a search page is asked for.
    query: String,
    /// Parameters of the path.
    params: HashMap<String, String>,
}

/// A request of nobody in particular.
pub(crate) struct Guest {
    pub(crate) arrival: Arrival,
    pub(crate) headers: HeaderMap,
}

/// Whether Agency View is open to somebody.
pub(crate) fn reaches_agency(authority: &Authority) -> bool {
    matches!(authority.grant().reach, Reach::Agency | Reach::Chosen(_))
}

/// What an operation of a page is called, in uses and logs.
const ENDPOINT: &str = "app";

pub(crate) fn facts<'r>(arrival: &Arrival, headers: &'r HeaderMap) -> RequestFacts<'r> {
    arrival.facts(headers, ENDPOINT)
}

fn arrival(parts: &Parts) -> Result<Arrival, Failure> {
    parts
        .extensions
        .get::<Arrival>()
        .copied()
        .ok_or_else(|| Error::Internal("a request without an arrival".to_owned()).into())
}

impl FromRequestParts<Web> for Guest {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Failure> {
        Ok(Self { arrival: arrival(parts)?, headers: parts.headers.clone() })
    }
}

/// The session of a request, if there is one.
pub(crate) async fn session(web: &Web, headers: &HeaderMap) -> Result<Option<SignedIn>, Error> {
    match Cookie::Session.of(web, headers).map(SessionToken::new) {
        Some(token) => web.app.session(&token).await,
        None => Ok(None),
    }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let arrival = arrival(parts)?;
        let Some(signed_in) = session(web, &parts.headers).await? else { return Err(way_back(parts)) };
        let authority = web.app.authority_of(&signed_in, &facts(&arrival, &parts.headers));
        let params = RawPathParams::from_request_parts(parts, web).await;
        let params =
            params.map(|params| params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        let flash = Flash::of(web, &parts.headers);
        let (theme, browser_zone) = (Theme::of(web, &parts.headers), zone::of_browser(web, &parts.headers));
        let address = page_of(parts.uri.path(), parts.extensions.get::<ActionOf>().map_or(0, |action| action.0));
        let (headers, params) = (parts.headers.clone(), params.unwrap_or_default());
        let (address, query) = (page_without(address).to_owned(), String::new());
        Ok(Self { signed_in, authority, arrival, headers, flash, theme, browser_zone, address, query, params })
    }
}

impl Visitor {
    pub(crate) fn facts(&self) -> RequestFacts<'_> {
        facts(&self.arrival, &self.headers)
    }

    /// The clock by which they are told times in a location, or elsewhere.
    pub(crate) fn clock(&self, location: Option<&Location>) -> Clock {
        Clock::of(&self.signed_in.user, self.browser_zone.as_ref(), location)
    }

    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// Asks the password again with what a form sent, where the sign-in is too old for what adds authority.
    /// `false` if it is wrong or missing.
    pub(crate) async fn confirm(&mut self, web: &Web, password: Option<&str>) -> Result<bool, Error> {
        if self.authority.is_fresh() {
            return Ok(true);
        }
        let Some(password) = password.filter(|password| !password.is_empty()) else { return Ok(false) };
        if !web.app.confirm_sign_in(&self.signed_in, password, &self.facts()).await? {
            return Ok(false);
        }
        self.signed_in.session.signed_in_at = web.app.now();
        self.authority = web.app.authority_of(&self.signed_in, &self.facts());
        Ok(true)
    }
}

/// A visitor in Agency View or in a location.
pub(crate) struct Here {
    pub(crate) visitor: Visitor,
    /// The location, or Agency View.
    pub(crate) location: Option<Location>,
    switcher: Vec<Location>,
    /// Open notices that the visitor has not seen, everywhere.
    unseen: i64,
    /// Keys of this place that are deleted within a day unless somebody acts.
    last_day: Vec<Notice>,
}

/// Most locations in the switcher; the list has all.
const SWITCHER: i64 = 200;

impl FromRequestParts<Web> for Here {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let visitor = Visitor::from_request_parts(parts, web).await?;
        let authority = &visitor.authority;
        let location = match visitor.params.get("location") {
            Some(text) => {
                let id = LocationId::parse(text).ok_or(Error::NoAccess)?;
                match web.app.get_location(authority, id).await {
                    Err(Error::NoAccess) => return Err(what_became_of(web, &visitor, id).await),
                    found => Some(found?),
                }
            }
            None => {
                authority.clone().in_agency()?;
                None
            }
        };
        Ok(Self::at(web, visitor, location).await?)
    }
}

impl Here {
    /// A visitor in a place that they may see.
    async fn at(web: &Web, visitor: Visitor, location: Option<Location>) -> Result<Self, Error> {
        let authority = visitor.authority.clone();
        let all = LocationFilter::default();
        let switcher = web.app.list_locations(&authority, all, Window::first(SWITCHER)).await?.rows;
        let unseen = web.app.count_unseen_notices(&authority).await?;
        let filter = NoticeFilter {
            location: location.as_ref().map(|location| location.id),
            open: true,
            last_day: true,
            ..NoticeFilter::default()
        };
        let last_day = match web.app.deletions_are_paused() {
            true => Vec::new(),
            false => web.app.list_notices(&authority, filter, Window::first(4)).await?.rows,
        };
        Ok(Self { visitor, location, switcher, unseen, last_day })
    }

    /// A visitor in some place that is theirs: Agency View, or the first of their locations that is there.
    pub(crate) async fn somewhere(web: &Web, visitor: Visitor) -> Option<Self> {
        let location = match reaches_agency(&visitor.authority) {
            true => None,
            false => {
                let first = Window::first(1);
                let there = web.app.list_locations(&visitor.authority, LocationFilter::default(), first).await.ok()?;
                Some(there.rows.into_iter().next()?)
            }
        };
        Self::at(web, visitor, location).await.ok()
    }
}

/// Why a location is not there for a visitor: those who worked in it are told that it was deleted.
async fn what_became_of(web: &Web, visitor: &Visitor, id: LocationId) -> Failure {
    match web.app.get_deleted_location(&visitor.authority, id).await {
        Ok(location @ Location { deletion: Some(deletion), .. }) => {
            let zone = visitor.clock(Some(&location)).zone;
            let until = zone.day(web.app.to_utc(deletion.restore_until, web.app.now()));
            Failure::Deleted { name: location.profile.name.to_string(), at: zone.day(deletion.at), until }
        }
        Ok(_) => Error::NoAccess.into(),
        Err(error) => error.into(),
    }
}

impl Frame {
    /// For pages of a place; `section` is the part of the navigation that they belong to.
    pub(crate) fn of(here: &Here, title: &str, section: &'static str) -> Self {
        Self { shell: Some(here.shell(section)), ..Self::bare(title).saying(here.visitor.flash.clone()) }
    }
}

impl Here {
    pub(crate) fn authority(&self) -> &Authority {
        &self.visitor.authority
    }

    /// The location; there is none in Agency View.
    pub(crate) fn place(&self) -> Result<&Location, Error> {
        self.location.as_ref().ok_or(Error::NoAccess)
    }

    /// The location, for what is done in it.
    pub(crate) async fn enter(&self, web: &Web) -> Result<LocationContext, Error> {
        web.app.enter_location(self.authority().clone(), Some(self.place()?.id)).await
    }

    /// The page that a form was sent from, with what it was asked for, if it is that of `path`. Whatever else a browser names there
    /// is not used.
    pub(crate) fn came_from(&self, path: &str) -> Option<String> {
        let referer = self.visitor.headers.get(header::REFERER)?.to_str().ok()?;
        let referer: Uri = referer.parse().ok()?;
        let address = referer.path_and_query()?;
        (address.path() == self.url(path)).then(|| address.as_str().to_owned())
    }

    /// With what a page was asked to find, which stands in the bar again.
    pub(crate) fn asking(&mut self, query: &str) {
        query.clone_into(&mut self.visitor.query);
    }

    /// The zone in which this page tells times.
    pub(crate) fn zone(&self) -> Zone {
        self.visitor.clock(self.location.as_ref()).zone
    }

    /// The zone whose days reports count: a location's own, whoever looks.
    pub(crate) fn report_zone(&self) -> Zone {
        self.location.as_ref().map_or_else(|| self.zone(), |location| Zone::of(&location.profile.timezone))
    }

    /// The address of a page of this place.
    pub(crate) fn url(&self, path: &str) -> String {
        match &self.location {
            Some(location) => format!("/app/locations/{}{path}", location.id),
            None => format!("/app/agency{path}"),
        }
    }

    /// The notices of this place: of all in Agency View.
    pub(crate) fn notice_filter(&self) -> NoticeFilter {
        NoticeFilter { location: self.location.as_ref().map(|location| location.id), ..NoticeFilter::default() }
    }

    /// The first locations by name, as the switcher has them.
    pub(crate) fn switcher(&self) -> &[Location] {
        &self.switcher
    }

    /// The locations of the switcher, by ids and names.
    pub(crate) fn places(&self) -> Vec<(String, String)> {
        self.switcher.iter().map(|location| (location.id.to_string(), location.profile.name.to_string())).collect()
    }

    /// The names of locations, also of those that the switcher has no room for.
    pub(crate) async fn names_of(
        &self,
        web: &Web,
        ids: impl IntoIterator<Item = LocationId>,
    ) -> Result<HashMap<LocationId, String>, Error> {
        let named = |location: &Location| (location.id, location.profile.name.to_string());
        let mut names: HashMap<LocationId, String> = self.switcher.iter().map(named).collect();
        let others: BTreeSet<LocationId> = ids.into_iter().filter(|id| !names.contains_key(id)).collect();
        if !others.is_empty() {
            names.extend(self.find(web, others).await?.iter().map(named));
        }
        Ok(names)
    }

    /// Those of `ids` that the visitor reaches, by name.
    pub(crate) async fn find(&self, web: &Web, ids: BTreeSet<LocationId>) -> Result<Vec<Location>, Error> {
        let filter = LocationFilter { among: Some(ids.into_iter().collect()), ..LocationFilter::default() };
        Ok(web.app.list_locations(self.authority(), filter, Window::all()).await?.rows)
    }

    pub(crate) fn id<T>(&self, noun: Noun) -> Result<keystead_model::id::Id<T>, Error> {
        let text = self.visitor.param("id");
        keystead_model::id::Id::parse(text).ok_or_else(|| Error::NotFound(noun, text.to_owned()))
    }

    fn shell(&self, section: &'static str) -> Shell {
        let user = &self.visitor.signed_in.user;
        let agency = &self.visitor.signed_in.agency;
        let reaches_agency = reaches_agency(self.authority());
        let in_location = sections::elsewhere(self, section, true);
        Shell {
            place_kind: if self.location.is_some() { "Location" } else { "Agency View" },
            place_name: self
                .location
                .as_ref()
                .map_or(&agency.profile.name, |location| &location.profile.name)
                .to_string(),
            is_agency: self.location.is_none(),
            base: self.url(""),
            navigation: sections::navigation(self, section),
            query: self.visitor.query.clone(),
            theme: self.visitor.theme,
            here: self.visitor.address.clone(),
            agency: reaches_agency.then(|| SwitchTo {
                name: agency.profile.name.to_string(),
                url: format!("/app/agency{}", sections::elsewhere(self, section, false)),
                is_here: self.location.is_none(),
            }),
            locations: self
                .switcher
                .iter()
                .map(|location| SwitchTo {
                    name: location.profile.name.to_string(),
                    url: format!("/app/locations/{}{in_location}", location.id),
                    is_here: self.location.as_ref().is_some_and(|here| here.id == location.id),
                })
                .collect(),
            user_name: user.display_name(),
            user_email: user.email.as_str().to_owned(),
            initials: initials(&user.display_name()),
            clock: self.visitor.clock(self.location.as_ref()),
            suspended: match &self.location {
                _ if agency.state == TenantState::Suspended => Some(
                    "This agency is suspended: its keys are refused, and none of them is deleted meanwhile. Until the \
                     operator resumes it, nobody else changes anything here.",
                ),
                Some(location) if location.state == TenantState::Suspended => {
                    Some("This location is suspended: its keys are refused, and none of them is deleted meanwhile.")
                }
                _ => None,
            },
            unseen: self.unseen,
            last_day: self
                .last_day
                .iter()
                .filter_map(|notice| notice.about.key())
                .map(|key| SwitchTo {
                    name: key.name.clone(),
                    url: self.url(&format!("/settings/keys/{}", key.id)),
                    is_here: false,
                })
                .collect(),
            is_notices: section == "notices",
        }
    }
}
