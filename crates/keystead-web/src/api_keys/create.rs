//! Making a key.

use std::{collections::BTreeMap, net::IpAddr};

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::Error;
use keystead_model::{
    KeyId, LocationId,
    api_key::{ApiKey, KeyName, NewKey},
    grant::{Grant, NoReach, Reach},
    key_kind::KeyKind,
    key_policy::{AgencyKeyMakers, in_future},
    scope::{Preset, Scope, ScopeSet},
    text::TimeZoneName,
};
use serde::Deserialize;

use super::{
    ABOUT, LIMITS, admit, expiry_hint, fields, fields_of_about, read_about, read_chosen, read_day, read_ips,
    read_origins, read_scopes,
    reveal::{Made, make_once},
    scopes::{Line, PresetCard, matrix, preset_cards, reads_and_writes},
};
use crate::{
    Web,
    failure::Failure,
    form::{Choice, Field, Fields, Form, Kind},
    location_choice::LocationChoices,
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "api_keys/create.html")]
struct Create {
    frame: Frame,
    form_id: String,
    form: Form,
    is_agency: bool,
    presets: Vec<PresetCard>,
    custom: bool,
    matrix: Vec<Line>,
    short: Short,
    /// For an agency key that does not act in all of them.
    allowed: LocationChoices,
    only_chosen: bool,
    is_first: bool,
    list_url: String,
}

/// What is about to be made, in one sentence.
struct Short {
    kind: &'static str,
    name: String,
    reads: String,
    writes: String,
    place: String,
    addresses: String,
    /// Until when, where that is chosen.
    expires: String,
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

/// The form of a new key, for what was sent.
fn form_of(here: &Here, sent: Fields) -> Form {
    let (signed_in, address) = (&here.visitor.signed_in, here.visitor.arrival.address);
    let name = Field::line("name", "Name")
        .hint("What will use it? You will look for it by this name.")
        .with("maxlength=64 autofocus placeholder=\"Marketing Automation\"");
    let behind = match is_private(address) {
        true => ", which is a private address: behind a proxy, the operator must name it first",
        false => "",
    };
    let addresses = format!("One address or range a line; empty allows all. We see you as {address}{behind}.");
    let policy = &signed_in.agency.keys;
    let expiry = match &here.location {
        Some(location) => expiry_hint(location.profile.timezone.as_str(), policy, true),
        None => expiry_hint("the location’s time zone (UTC for an agency key)", policy, true),
    };
    let of_agency =
        Choice::new(KeyKind::Agency.as_str(), "Agency key").when("acts on the agency and on its locations.");
    let of_location = Choice::new(KeyKind::Location.as_str(), "Location key").when("acts inside one location.");
    // Whether the agency leaves it to the visitor to make keys of its own.
    let makes_both = signed_in.user.is_operator || policy.agency_keys_by == AgencyKeyMakers::Members;
    let kinds = Field::new(Kind::Radios, "kind", "Kind");
    let kinds = match makes_both {
        true => kinds.of([of_location, of_agency]),
        false => kinds.of([of_location]).hint("Your agency keeps agency keys to the operators of the instance."),
    };
    let own = [kinds, Field::new(Kind::Select, "locationId", "Location")];
    let mut all = fields(here, name, addresses, expiry);
    all.splice(ABOUT.len()..ABOUT.len(), own);
    Form::new(all, sent)
}

/// The kind of key that a form is about: a location makes its own alone.
fn kind_of(here: &Here, form: &Form) -> KeyKind {
    match form.text("kind").and_then(KeyKind::parse) {
        Some(kind) if here.location.is_none() => kind,
        _ => KeyKind::Location,
    }
}

async fn create_page(web: &Web, here: &Here, mut form: Form, is_first: bool) -> Result<Create, Error> {
    let in_agency = here.location.is_none();
    let kind = kind_of(here, &form);
    form.put("kind", kind.as_str().to_owned());
    let preset = form.text("preset").unwrap_or("integration");
    // Agency View makes both kinds; what only one of them can hold is dropped for the other.
    let widest = if in_agency { KeyKind::Agency } else { KeyKind::Location };
    let scopes: ScopeSet = match Preset::parse(preset) {
        Some(preset) => preset.scopes(kind),
        None => form.sent.all("scopes").into_iter().filter_map(Scope::parse).collect(),
    };
    let (presets, custom) = (preset_cards(widest, kind, preset), preset == "custom");
    if in_agency {
        offer_locations(web, here, &mut form).await?;
    }
    Ok(Create {
        frame: Frame::of(here, "Create a key", "keys"),
        form_id: web.app.entropy().token(),
        is_agency: in_agency,
        presets,
        custom,
        matrix: matrix(widest, scopes, &BTreeMap::new()),
        short: Short::of(here, &form, kind, scopes),
        allowed: LocationChoices::of(web, here, &form.sent, "allowedLocations").await?,
        only_chosen: form.text("reach") == Some("chosen"),
        is_first,
        list_url: here.url("/settings/keys"),
        form,
    })
}

/// The locations in one of which a location key can act.
async fn offer_locations(web: &Web, here: &Here, form: &mut Form) -> Result<(), Error> {
    let chosen = form.text("locationId").and_then(LocationId::parse);
    let LocationChoices { known, more, .. } = LocationChoices::load(web, here, &chosen.into_iter().collect()).await?;
    let choices = known.into_iter().map(|location| Choice::new(location.id.to_string(), location.name));
    form.drawn_with("locationId", |field| {
        let field = field.of(std::iter::once(Choice::new("", "Choose…")).chain(choices));
        match more {
            true => field.hint("The first 500 by name; a key of another location is made on its own page."),
            false => field,
        }
    });
    Ok(())
}

impl Short {
    fn of(here: &Here, form: &Form, kind: KeyKind, scopes: ScopeSet) -> Self {
        let (reads, writes) = reads_and_writes(scopes, kind);
        Self {
            kind: match kind {
                KeyKind::Agency => "An agency key",
                KeyKind::Location => "A location key",
            },
            name: form.text("name").unwrap_or("…").to_owned(),
            reads,
            writes,
            place: match (&here.location, kind, form.text("reach")) {
                (Some(location), ..) => location.profile.name.to_string(),
                (None, KeyKind::Location, _) => "one location".to_owned(),
                (None, KeyKind::Agency, Some("chosen")) => "chosen locations".to_owned(),
                (None, KeyKind::Agency, _) => "all locations".to_owned(),
            },
            addresses: match form.text("allowedIps") {
                Some(_) => "the addresses below only".to_owned(),
                None => "any address".to_owned(),
            },
            expires: form.text("expiresAt").map(|day| format!("the end of {day}")).unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct NewQuery {
    preset: Option<String>,
    kind: Option<String>,
    first: Option<String>,
    /// A key whose settings to begin with.
    like: Option<String>,
}

pub(crate) async fn new(
    State(web): State<Web>,
    Query(query): Query<NewQuery>,
    here: Here,
) -> Result<Response, Failure> {
    here.authority().require(Scope::KeysWrite)?;
    let mut pairs = Vec::new();
    pairs.extend(query.preset.map(|preset| ("preset", preset)));
    pairs.extend(query.kind.map(|kind| ("kind", kind)));
    if let Some(id) = query.like.as_deref().and_then(KeyId::parse) {
        pairs.extend(settings_of(&web.app.get_key(here.authority(), id).await?));
    }
    let is_first = query.first.is_some();
    Ok(render(&create_page(&web, &here, form_of(&here, Fields::of(pairs)), is_first).await?))
}

/// The settings of a key as the form has them.
fn settings_of(key: &ApiKey) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("name", key.name.to_string()), ("kind", key.kind().as_str().to_owned())];
    pairs.extend(fields_of_about(&key.about));
    match &key.grant.reach {
        Reach::Agency => {}
        Reach::Chosen(set) => {
            pairs.push(("reach", "chosen".to_owned()));
            pairs.extend(set.iter().map(|location| ("allowedLocations", location.to_string())));
        }
        Reach::Locations(set) => pairs.extend(set.iter().map(|location| ("locationId", location.to_string()))),
    }
    match Preset::ALL.iter().find(|preset| preset.scopes(key.kind()) == key.grant.scopes) {
        Some(preset) => pairs.push(("preset", preset.as_str().to_owned())),
        None => {
            pairs.push(("preset", "custom".to_owned()));
            pairs.extend(key.grant.scopes.iter().map(|scope| ("scopes", scope.as_str().to_owned())));
        }
    }
    pairs.push(("allowedIps", key.grant.allowed_ips.to_texts().join("\n")));
    pairs.push(("allowedOrigins", key.allowed_origins.iter().collect::<Vec<_>>().join("\n")));
    pairs
}

async fn read_new(web: &Web, here: &Here, form: &mut Form) -> Result<Option<NewKey>, Error> {
    let name = form.read("name", KeyName::parse);
    let about = read_about(form);
    let kind = kind_of(here, form);
    // The form has the fields of both kinds.
    let (one, chosen) = match (&here.location, kind) {
        (Some(location), _) => (Some(location.id), None),
        (None, KeyKind::Agency) => (None, read_chosen(form)),
        (None, KeyKind::Location) => (form.text("locationId").and_then(LocationId::parse), None),
    };
    let reach = Reach::of_new_key(kind, one, chosen, &here.authority().grant().reach);
    if let Err(NoReach::NoLocation | NoReach::OneOfAgencyKey) = reach {
        form.say("locationId", "Choose the location that the key acts in");
    }
    let scopes = match form.text("preset").and_then(Preset::parse) {
        Some(preset) => preset.scopes(kind),
        None => read_scopes(form, kind),
    };
    let (allowed_ips, allowed_origins) = (read_ips(form), read_origins(form));
    let day = form.read("expiresAt", read_day);
    let Ok(reach) = reach else {
        // Without a location nobody knows where the day ends; what is over where days end last is over everywhere.
        let last = TimeZoneName::parse("Etc/GMT+12").unwrap_or_else(|_| TimeZoneName::utc());
        if day.is_some_and(|day| in_future(day.last(&last), web.app.now()).is_err()) {
            form.violate("expiresAt", "must be in the future");
        }
        return Ok(None);
    };
    let zone = web.app.zone_of(here.authority(), &reach).await?;
    let expires_at = day.map(|day| day.last(&zone));
    if expires_at.is_some() {
        admit(form, web, here, expires_at);
    }
    let Some(name) = name else { return Ok(None) };
    let grant = Grant { agency: here.authority().agency(), reach, scopes, allowed_ips, expires_at };
    Ok(Some(NewKey { name, about, grant, rate_limit: None, allowed_origins }))
}

pub(crate) async fn create(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let mut form = form_of(&here, sent);
    let new = read_new(&web, &here, &mut form).await?;
    form.confirm(&web, &mut here).await?;
    let form_id = form.sent.shown("form_id");
    let create = async |new| {
        let create = async |authority| Ok((web.app.create_key(&authority, new).await?, String::new()));
        make_once(&web, &here, &form_id, Made::Created, create).await
    };
    match form.run_with(new, create).await? {
        Some(revealed) => Ok(revealed),
        None => {
            let page = create_page(&web, &here, form, false).await?;
            Ok(page.form.again(&page))
        }
    }
}
