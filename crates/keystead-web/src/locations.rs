//! Locations of the agency: list, add, edit, suspend, resume, delete, restore.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::Response,
};
use http::StatusCode;
use keystead_core::{Error, KeyFilter, error::Noun};
use keystead_model::{
    LocationId,
    agency::{TenantName, TenantState},
    location::{Deletion, Location, LocationFilter, LocationPatch, LocationProfile},
    page::Window,
    scope::Scope,
    text::{Country, EmailAddress, Line, TimeZoneName, time_zone_names},
};
use serde::Deserialize;

use crate::{
    Web,
    api_keys::is_in_use,
    failure::Failure,
    flash::{Done, lead},
    form::{Fields, Problems},
    page::{Frame, render, render_with},
    place::Here,
    show::{UTC, grouped},
};

struct LocationRow {
    name: String,
    id: LocationId,
    url: String,
    edit_url: String,
    detail: String,
    is_active: bool,
    since: String,
}

/// One that can be restored.
struct DeletedRow {
    name: String,
    id: LocationId,
    /// When it was deleted.
    at: String,
    /// How long it can be restored.
    until: String,
    restore_url: String,
}

#[derive(Template)]
#[template(path = "locations/list.html")]
struct List {
    frame: Frame,
    rows: Vec<LocationRow>,
    deleted: Vec<DeletedRow>,
    query: String,
    new_url: String,
    may_write: bool,
    needs_password: bool,
    problems: Problems,
}

#[derive(Deserialize)]
pub(crate) struct Search {
    q: Option<String>,
}

/// Most rows on the page; a search narrows them.
const ROWS: i64 = 200;

pub(crate) async fn list(
    State(web): State<Web>,
    Query(search): Query<Search>,
    here: Here,
) -> Result<Response, Failure> {
    Ok(render(&list_page(&web, &here, search.q.unwrap_or_default(), Problems::default()).await?))
}

async fn list_page(web: &Web, here: &Here, query: String, problems: Problems) -> Result<List, Error> {
    let wanted = query.trim().to_lowercase();
    let filter = LocationFilter { query: (!wanted.is_empty()).then_some(wanted), ..LocationFilter::default() };
    let found = web.app.list_locations(here.authority(), filter.clone(), Window::first(ROWS)).await?;
    let may_write = here.authority().grant().allows(Scope::LocationsWrite);
    let deleted = match may_write {
        true => {
            let filter = LocationFilter { deleted: true, ..filter };
            web.app.list_locations(here.authority(), filter, Window::first(ROWS)).await?.rows
        }
        false => Vec::new(),
    };
    let row = |location: &Location| LocationRow {
        name: location.profile.name.to_string(),
        id: location.id,
        url: format!("/app/locations/{}", location.id),
        edit_url: here.url(&format!("/locations/{}", location.id)),
        detail: format!("{} · {}", location.profile.country.as_str(), location.profile.timezone.as_str()),
        is_active: location.state == TenantState::Active,
        since: UTC.day(location.created_at),
    };
    let now = web.app.now();
    let deleted_row = |location: &Location| {
        let Deletion { at, restore_until } = location.deletion?;
        Some(DeletedRow {
            name: location.profile.name.to_string(),
            id: location.id,
            at: UTC.day(at),
            until: match web.app.deletions_are_paused() {
                true => "stands still while deletions are paused".to_owned(),
                false => UTC.day(web.app.to_utc(restore_until, now)),
            },
            restore_url: here.url(&format!("/locations/{}/restore", location.id)),
        })
    };
    Ok(List {
        frame: Frame::of(here, "Locations", "locations"),
        rows: found.rows.iter().map(row).collect(),
        deleted: deleted.iter().filter_map(deleted_row).collect(),
        query,
        new_url: here.url("/locations/new"),
        may_write,
        needs_password: !here.authority().is_fresh(),
        problems,
    })
}

#[derive(Template)]
#[template(path = "locations/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    /// Of a location that exists.
    existing: Option<Existing>,
    fields: Fields,
    problems: Problems,
    zones: Vec<String>,
    needs_password: bool,
    list_url: String,
}

struct Existing {
    is_active: bool,
    suspend_url: String,
    resume_url: String,
    delete_url: String,
}

fn editor(here: &Here, existing: Option<&Location>, fields: Fields, problems: Problems) -> Editor {
    let heading = existing.map_or_else(|| "Add a location".to_owned(), |location| location.profile.name.to_string());
    Editor {
        frame: Frame::of(here, &heading, "locations"),
        heading,
        existing: existing.map(|location| Existing {
            is_active: location.state == TenantState::Active,
            suspend_url: here.url(&format!("/locations/{}/suspend", location.id)),
            resume_url: here.url(&format!("/locations/{}/resume", location.id)),
            delete_url: here.url(&format!("/locations/{}/delete", location.id)),
        }),
        fields,
        problems,
        zones: time_zone_names(),
        needs_password: !here.authority().is_fresh(),
        list_url: here.url("/locations"),
    }
}

pub(crate) async fn new(here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let fields = Fields::from(vec![("country".to_owned(), "US".to_owned()), ("timezone".to_owned(), "UTC".to_owned())]);
    Ok(render(&editor(&here, None, fields, Problems::default())))
}

fn read(fields: &Fields, problems: &mut Problems) -> LocationPatch {
    LocationPatch {
        name: problems.required("name", fields.text("name"), TenantName::parse),
        country: problems.required("country", fields.text("country"), Country::parse),
        timezone: problems.required("timezone", fields.text("timezone"), TimeZoneName::parse),
        email: Some(problems.optional("email", fields.text("email"), EmailAddress::parse)),
        phone: Some(problems.optional("phone", fields.text("phone"), Line::parse)),
        address: Some(problems.optional("address", fields.text("address"), Line::parse)),
        city: Some(problems.optional("city", fields.text("city"), Line::parse)),
        state: Some(problems.optional("state", fields.text("state"), Line::parse)),
        postal_code: Some(problems.optional("postal_code", fields.text("postal_code"), Line::parse)),
        website: Some(problems.optional("website", fields.text("website"), Line::parse)),
        allow_duplicate_contact: Some(fields.text("allow_duplicates").is_some()),
        ..LocationPatch::default()
    }
}

pub(crate) async fn create(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let context = here.authority().clone().in_agency()?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let patch = read(&fields, &mut problems);
    if let (Some(name), true) = (patch.name.clone(), problems.is_empty()) {
        let mut profile = LocationProfile::named(name);
        patch.apply(&mut profile);
        match web.app.create_location(&context, profile).await {
            Ok(location) => {
                let url = format!("/app/locations/{}", location.id);
                return Ok(lead(&web, &url, Done::LocationAdded, location.profile.name.as_str()));
            }
            Err(error) => problems.take(error)?,
        }
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &editor(&here, None, fields, problems)))
}

async fn wanted(web: &Web, here: &Here) -> Result<Location, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    Ok(web.app.get_location(here.authority(), here.id(Noun::Location)?).await?)
}

/// The form as it stands for a location that exists.
fn fields_of(location: &Location) -> Fields {
    let LocationProfile {
        name,
        country,
        timezone,
        phone,
        email,
        address,
        city,
        state,
        postal_code,
        website,
        settings,
        ..
    } = &location.profile;
    let line = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut pairs = vec![
        ("name", name.to_string()),
        ("country", country.as_str().to_owned()),
        ("timezone", timezone.as_str().to_owned()),
        ("phone", line(phone.as_ref().map(Line::as_str))),
        ("email", line(email.as_ref().map(EmailAddress::as_str))),
        ("address", line(address.as_ref().map(Line::as_str))),
        ("city", line(city.as_ref().map(Line::as_str))),
        ("state", line(state.as_ref().map(Line::as_str))),
        ("postal_code", line(postal_code.as_ref().map(Line::as_str))),
        ("website", line(website.as_ref().map(Line::as_str))),
    ];
    if settings.allow_duplicate_contact {
        pairs.push(("allow_duplicates", "on".to_owned()));
    }
    let pairs: Vec<(String, String)> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    pairs.into()
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    Ok(render(&editor(&here, Some(&location), fields_of(&location), Problems::default())))
}

pub(crate) async fn update(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let context = here.authority().clone().in_agency()?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let patch = read(&fields, &mut problems);
    if problems.is_empty() {
        match web.app.update_location(&context, location.id, patch).await {
            Ok(saved) => {
                let name = saved.profile.name.as_str();
                return Ok(lead(&web, &here.url("/locations"), Done::LocationSaved, name));
            }
            Err(error) => problems.take(error)?,
        }
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &editor(&here, Some(&location), fields, problems)))
}

#[derive(Template)]
#[template(path = "locations/suspend.html")]
struct SuspendForm {
    frame: Frame,
    name: String,
    location_url: String,
    /// How many keys stop, as a sentence.
    stops: String,
    /// Names of keys whose programs are at work.
    in_use: Vec<String>,
    more_in_use: usize,
}

/// Keys that are looked at for their use, and those of them that are named.
const LOOKED_AT: i64 = 500;
const NAMED: usize = 5;

pub(crate) async fn suspend_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let now = web.app.now();
    let working = KeyFilter {
        locations: Some(vec![location.id]),
        active: Some(true),
        expired: Some((now, false)),
        ..KeyFilter::default()
    };
    let count = web.app.count_keys(here.authority(), working.clone()).await?;
    let keys = web.app.list_keys(here.authority(), working, Window::first(LOOKED_AT)).await?.rows;
    let mut in_use: Vec<String> =
        keys.iter().filter(|key| is_in_use(key, now)).map(|key| key.name.to_string()).collect();
    let more_in_use = in_use.len().saturating_sub(NAMED);
    in_use.truncate(NAMED);
    Ok(render(&SuspendForm {
        frame: Frame::of(&here, "Suspend", "locations"),
        name: location.profile.name.to_string(),
        location_url: here.url(&format!("/locations/{}", location.id)),
        stops: match count {
            0 => "It has no key that works.".to_owned(),
            1 => "1 key stops: every call with it is refused, within a second everywhere.".to_owned(),
            count => {
                format!("{} keys stop: every call with them is refused, within a second everywhere.", grouped(count))
            }
        },
        in_use,
        more_in_use,
    }))
}

pub(crate) async fn suspend(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    set_state(&web, here, location, TenantState::Suspended, Problems::default()).await
}

pub(crate) async fn resume(
    web: State<Web>,
    here: Here,
    form: Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    confirm_state(web, here, form, TenantState::Active).await
}

pub(crate) async fn delete(
    web: State<Web>,
    here: Here,
    form: Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    confirm_state(web, here, form, TenantState::Deleted).await
}

/// What has to be confirmed by whoever signed in a while ago.
async fn confirm_state(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
    state: TenantState,
) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let mut problems = Problems::default();
    here.confirm(&web, &Fields::from(pairs), &mut problems).await?;
    set_state(&web, here, location, state, problems).await
}

async fn set_state(
    web: &Web,
    here: Here,
    location: Location,
    state: TenantState,
    mut problems: Problems,
) -> Result<Response, Failure> {
    if problems.is_empty() {
        let context = here.authority().clone().in_agency()?;
        match web.app.set_location_state(&context, location.id, state).await {
            Ok(()) => {
                let done = match state {
                    TenantState::Active => Done::LocationResumed,
                    TenantState::Suspended => Done::LocationSuspended,
                    TenantState::Deleted => Done::LocationDeleted,
                };
                return Ok(lead(web, &here.url("/locations"), done, location.profile.name.as_str()));
            }
            Err(error) => problems.take(error)?,
        }
    }
    let page = editor(&here, Some(&location), fields_of(&location), problems);
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(crate) async fn restore(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let id = here.id(Noun::Location)?;
    let mut problems = Problems::default();
    here.confirm(&web, &Fields::from(pairs), &mut problems).await?;
    if problems.is_empty() {
        let context = here.authority().clone().in_agency()?;
        match web.app.restore_location(&context, id).await {
            Ok(location) => {
                let name = location.profile.name.as_str();
                return Ok(lead(&web, &here.url("/locations"), Done::LocationRestored, name));
            }
            Err(error) => problems.take(error)?,
        }
    }
    let page = list_page(&web, &here, String::new(), problems).await?;
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}
