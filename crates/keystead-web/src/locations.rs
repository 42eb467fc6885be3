//! Locations of the agency: list, add, edit, suspend, resume, delete, restore.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{Error, KeyFilter, error::Noun};
use keystead_model::{
    LocationId,
    agency::{TenantName, TenantState},
    location::{Deletion, Location, LocationFilter, LocationPatch, LocationProfile},
    page::Window,
    scope::Scope,
    text::{EmailAddress, Line, TimeZoneName},
};
use serde::Deserialize;

use crate::{
    Web,
    api_keys::is_in_use,
    choices::{country, read_country, time_zone},
    failure::Failure,
    flash::{Done, lead, lead_back},
    form::{Edit, Field, Fields, Form, Kind, same_name},
    page::{Frame, render},
    place::Here,
    show::grouped,
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
    /// That of the buttons which restore.
    button: Form,
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
    Ok(render(&list_page(&web, &here, search.q.unwrap_or_default(), Form::of_buttons(&here)).await?))
}

async fn list_page(web: &Web, here: &Here, query: String, button: Form) -> Result<List, Error> {
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
    let zone = here.zone();
    let row = |location: &Location| LocationRow {
        name: location.profile.name.to_string(),
        id: location.id,
        url: format!("/app/locations/{}", location.id),
        edit_url: here.url(&format!("/locations/{}", location.id)),
        detail: format!("{} · {}", location.profile.country.as_str(), location.profile.timezone.as_str()),
        is_active: location.state == TenantState::Active,
        since: zone.day(location.created_at),
    };
    let now = web.app.now();
    let deleted_row = |location: &Location| {
        let Deletion { at, restore_until } = location.deletion?;
        Some(DeletedRow {
            name: location.profile.name.to_string(),
            id: location.id,
            at: zone.day(at),
            until: match web.app.deletions_are_paused() {
                true => "stands still while deletions are paused".to_owned(),
                false => zone.day(web.app.to_utc(restore_until, now)),
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
        button,
    })
}

#[derive(Template)]
#[template(path = "locations/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    form: Form,
    /// Of a location that exists.
    existing: Option<Existing>,
    /// That of the buttons which resume and delete it.
    button: Form,
    list_url: String,
}

struct Existing {
    is_active: bool,
    suspend_url: String,
    resume_url: String,
    delete_url: String,
}

fn editor(here: &Here, existing: Option<&Location>, form: Form) -> Editor {
    let heading = existing.map_or_else(|| "Add a location".to_owned(), |location| location.profile.name.to_string());
    Editor {
        frame: Frame::of(here, &heading, "locations"),
        heading,
        form,
        existing: existing.map(|location| Existing {
            is_active: location.state == TenantState::Active,
            suspend_url: here.url(&format!("/locations/{}/suspend", location.id)),
            resume_url: here.url(&format!("/locations/{}/resume", location.id)),
            delete_url: here.url(&format!("/locations/{}/delete", location.id)),
        }),
        button: Form::of_buttons(here),
        list_url: here.url("/locations"),
    }
}

fn fields() -> Vec<Field> {
    const ZONE: &str = "Its days are counted in it, and times that programs send without a zone are read in it. Pages tell times in the zone of whoever looks.";
    const DUPLICATES: &str = "Two contacts may share an e-mail address or a phone number.";
    const SEVERAL: &str = "A contact may have more than one in the same pipeline.";
    vec![
        Field::line("name", "Name").needed("Enter a name").with("maxlength=120"),
        country("country").needed("Choose a country").hint("For phone numbers without a prefix.").half(),
        time_zone("timezone").needed("Choose a time zone").hint(ZONE).half(),
        Field::typed("email", "email", "E-mail address").half(),
        Field::typed("tel", "phone", "Phone").half(),
        Field::line("address", "Street").half(),
        Field::line("city", "City").half(),
        Field::line("state", "State or province").half(),
        Field::line("postalCode", "Postal code").half(),
        Field::typed("url", "website", "Web site"),
        Field::new(Kind::Check, "allowDuplicateContact", "Allow duplicate contacts").hint(DUPLICATES),
        Field::new(Kind::Check, "allowDuplicateOpportunity", "Allow several opportunities").hint(SEVERAL),
    ]
}

pub(crate) async fn new(here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let form = Form::filled(fields(), [("country", "US".to_owned()), ("timezone", "UTC".to_owned())]);
    Ok(render(&editor(&here, None, form)))
}

fn read(form: &mut Form) -> LocationPatch {
    LocationPatch {
        name: form.read("name", TenantName::parse),
        country: form.read("country", read_country),
        timezone: form.read("timezone", TimeZoneName::parse),
        email: Some(form.read("email", EmailAddress::parse)),
        phone: Some(form.read("phone", Line::parse)),
        address: Some(form.read("address", Line::parse)),
        city: Some(form.read("city", Line::parse)),
        state: Some(form.read("state", Line::parse)),
        postal_code: Some(form.read("postalCode", Line::parse)),
        website: Some(form.read("website", Line::parse)),
        allow_duplicate_contact: Some(form.is_checked("allowDuplicateContact")),
        allow_duplicate_opportunity: Some(form.is_checked("allowDuplicateOpportunity")),
        ..LocationPatch::default()
    }
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let context = here.authority().clone().in_agency()?;
    let mut form = Form::new(fields(), sent);
    let patch = read(&mut form);
    let name = patch.name.clone();
    let create = async |name| {
        let mut profile = LocationProfile::named(name);
        patch.apply(&mut profile);
        web.app.create_location(&context, profile).await
    };
    match form.run_with(name, create).await? {
        Some(location) => {
            let url = format!("/app/locations/{}", location.id);
            Ok(lead(&web, &url, Done::LocationAdded, location.profile.name.as_str()))
        }
        None => {
            let page = editor(&here, None, form);
            Ok(page.form.again(&page))
        }
    }
}

async fn wanted(web: &Web, here: &Here) -> Result<Location, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    Ok(web.app.get_location(here.authority(), here.id(Noun::Location)?).await?)
}

/// The form as it stands for a location that exists.
fn form_of(location: &Location) -> Form {
    let profile = &location.profile;
    let line = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut pairs = vec![
        ("name", profile.name.to_string()),
        ("country", profile.country.as_str().to_owned()),
        ("timezone", profile.timezone.as_str().to_owned()),
        ("phone", line(profile.phone.as_ref().map(Line::as_str))),
        ("email", line(profile.email.as_ref().map(EmailAddress::as_str))),
        ("address", line(profile.address.as_ref().map(Line::as_str))),
        ("city", line(profile.city.as_ref().map(Line::as_str))),
        ("state", line(profile.state.as_ref().map(Line::as_str))),
        ("postalCode", line(profile.postal_code.as_ref().map(Line::as_str))),
        ("website", line(profile.website.as_ref().map(Line::as_str))),
    ];
    if profile.settings.allow_duplicate_contact {
        pairs.push(("allowDuplicateContact", "on".to_owned()));
    }
    if profile.settings.allow_duplicate_opportunity {
        pairs.push(("allowDuplicateOpportunity", "on".to_owned()));
    }
    Form::filled(fields(), pairs).opened_on(location)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    Ok(render(&editor(&here, Some(&location), form_of(&location))))
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let context = here.authority().clone().in_agency()?;
    let mut form = Form::new(fields(), sent);
    let patch = read(&mut form);
    let careful = context.with_seen(form.seen::<Location>());
    match form.edit(web.app.update_location(&careful, location.id, patch)).await? {
        Edit::Saved(saved) => {
            return Ok(lead(&web, &here.url("/locations"), Done::LocationSaved, saved.profile.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("location", &location, &form_of(&location)),
        Edit::Wrong => {}
    }
    let page = editor(&here, Some(&location), form);
    Ok(page.form.again(&page))
}

/// Asks before the keys of a location stop.
#[derive(Template)]
#[template(path = "locations/stop.html")]
struct StopForm {
    frame: Frame,
    name: String,
    location_url: String,
    /// Whether the location is to be deleted, and not only suspended.
    deletes: bool,
    form: Form,
    /// How many keys stop, as a sentence.
    stops: String,
    /// Names of keys whose programs are at work.
    in_use: Vec<String>,
    more_in_use: usize,
}

/// Keys that are looked at for their use, and those of them that are named.
const LOOKED_AT: i64 = 500;
const NAMED: usize = 5;

async fn stop_form(
    web: &Web,
    here: &Here,
    location: &Location,
    (deletes, form): (bool, Form),
) -> Result<StopForm, Error> {
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
    let heading = if deletes { "Delete" } else { "Suspend" };
    Ok(StopForm {
        frame: Frame::of(here, heading, "locations"),
        name: location.profile.name.to_string(),
        location_url: here.url(&format!("/locations/{}", location.id)),
        deletes,
        form,
        stops: match count {
            0 => "It has no key that works.".to_owned(),
            1 => "1 key stops: every call with it is refused, within a second everywhere.".to_owned(),
            count => {
                format!("{} keys stop: every call with them is refused, within a second everywhere.", grouped(count))
            }
        },
        in_use,
        more_in_use,
    })
}

pub(crate) async fn suspend_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let nothing = Form::new(Vec::new(), Fields::default());
    Ok(render(&stop_form(&web, &here, &location, (false, nothing)).await?))
}

/// The name is typed, so that nobody deletes another location than the one that they mean.
fn deletion(here: &Here, sent: Fields) -> Form {
    let name = Field::same_name("Type the location’s name to delete it");
    Form::new([Some(name), Field::confirmation(here)].into_iter().flatten().collect(), sent)
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let form = deletion(&here, Fields::default());
    Ok(render(&stop_form(&web, &here, &location, (true, form)).await?))
}

pub(crate) async fn delete(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let mut form = deletion(&here, sent);
    let name = location.profile.name.as_str();
    form.read("name", same_name(name, "location"));
    form.confirm(&web, &mut here).await?;
    let context = here.authority().clone().in_agency()?;
    match form.run(web.app.set_location_state(&context, location.id, TenantState::Deleted)).await? {
        Some(_) => {
            let (url, id) = (here.url("/locations"), location.id.to_string());
            Ok(lead_back(&web, &url, Done::LocationDeleted, name, &id))
        }
        None => {
            let page = stop_form(&web, &here, &location, (true, form)).await?;
            Ok(page.form.again(&page))
        }
    }
}

pub(crate) async fn suspend(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let button = Form::of_button(&here, "suspend", Fields::default());
    set_state(&web, &here, &location, (TenantState::Suspended, Done::LocationSuspended), button).await
}

/// Whoever only takes is not asked who they are; whoever gives back is.
pub(crate) async fn resume(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let location = wanted(&web, &here).await?;
    let mut button = Form::of_button(&here, "resume", sent);
    button.confirm(&web, &mut here).await?;
    set_state(&web, &here, &location, (TenantState::Active, Done::LocationResumed), button).await
}

async fn set_state(
    web: &Web,
    here: &Here,
    location: &Location,
    (state, done): (TenantState, Done),
    mut button: Form,
) -> Result<Response, Failure> {
    let context = here.authority().clone().in_agency()?;
    if button.run(web.app.set_location_state(&context, location.id, state)).await?.is_some() {
        return Ok(lead(web, &here.url("/locations"), done, location.profile.name.as_str()));
    }
    // The next Save must find in the form what is stored.
    let page = Editor { button, ..editor(here, Some(location), form_of(location)) };
    Ok(page.button.again(&page))
}

pub(crate) async fn restore(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let id = here.id(Noun::Location)?;
    let mut button = Form::of_button(&here, id.to_string(), sent);
    button.confirm(&web, &mut here).await?;
    let context = here.authority().clone().in_agency()?;
    match button.run(web.app.restore_location(&context, id)).await? {
        Some(location) => {
            let name = location.profile.name.as_str();
            Ok(lead(&web, &here.url("/locations"), Done::LocationRestored, name))
        }
        None => {
            let page = list_page(&web, &here, String::new(), button).await?;
            Ok(page.button.again(&page))
        }
    }
}
