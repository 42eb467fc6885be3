//! Making a key.

use std::{collections::BTreeMap, net::IpAddr};

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::Response,
};
use http::StatusCode;
use keystead_core::Error;
use keystead_model::{
    KeyId, LocationId,
    api_key::{ApiKey, KeyName, NewKey},
    grant::{Grant, NoReach, Reach},
    key_kind::KeyKind,
    key_policy::AgencyKeyMakers,
    scope::{Preset, Scope, ScopeSet},
};
use serde::Deserialize;

use super::{
    NONE_CHOSEN, expiry_hint, fields_of_about, read_about, read_chosen, read_day, read_ips,
    reveal::{Made, make_once},
    scopes::{Line, PresetCard, matrix, preset_cards, reads_and_writes},
};
use crate::{
    Web,
    failure::Failure,
    form::{Fields, Problems},
    location_choice::LocationChoices,
    page::{Frame, render, render_with},
    place::Here,
};

#[derive(Template)]
#[template(path = "api_keys/create.html")]
struct Create {
    frame: Frame,
    form_id: String,
    fields: Fields,
    problems: Problems,
    is_agency: bool,
    /// Whether the agency leaves it to the visitor to make keys of its own.
    makes_agency_keys: bool,
    kind: String,
    presets: Vec<PresetCard>,
    custom: bool,
    matrix: Vec<Line>,
    short: Short,
    /// For a location key, which has one.
    locations: LocationChoices,
    /// For an agency key that does not act in all of them.
    allowed: LocationChoices,
    only_chosen: bool,
    needs_password: bool,
    is_first: bool,
    address: String,
    address_is_private: bool,
    /// What a day means on which the key expires.
    expiry_hint: String,
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

async fn create_page(
    web: &Web,
    here: &Here,
    fields: Fields,
    problems: Problems,
    is_first: bool,
) -> Result<Create, Error> {
    let preset = fields.text("preset").unwrap_or("integration");
    let in_agency = here.location.is_none();
    let kind = match fields.text("kind").and_then(KeyKind::parse) {
        Some(kind) if in_agency => kind,
        _ => KeyKind::Location,
    };
    // Agency View makes both kinds; what only one of them can hold is dropped for the other.
    let widest = if in_agency { KeyKind::Agency } else { KeyKind::Location };
    let scopes: ScopeSet = match Preset::parse(preset) {
        Some(preset) => preset.scopes(kind),
        None => fields.all("scope").into_iter().filter_map(Scope::parse).collect(),
    };
    let location = fields.text("location").and_then(LocationId::parse);
    let policy = &here.visitor.signed_in.agency.keys;
    let is_operator = here.visitor.signed_in.user.is_operator;
    Ok(Create {
        frame: Frame::of(here, "Create a key", "keys"),
        form_id: web.app.entropy().token(),
        is_agency: in_agency,
        makes_agency_keys: is_operator || policy.agency_keys_by == AgencyKeyMakers::Members,
        kind: kind.as_str().to_owned(),
        presets: preset_cards(widest, kind, preset),
        custom: preset == "custom",
        matrix: matrix(widest, scopes, &BTreeMap::new()),
        short: Short::of(here, &fields, kind, scopes),
        locations: LocationChoices::load(web, here, &location.into_iter().collect()).await?,
        allowed: LocationChoices::of(web, here, &fields, "allowed").await?,
        only_chosen: fields.text("reach") == Some("chosen"),
        needs_password: !here.authority().is_fresh(),
        is_first,
        address: here.visitor.arrival.address.to_string(),
        address_is_private: is_private(here.visitor.arrival.address),
        expiry_hint: match &here.location {
            Some(location) => expiry_hint(location.profile.timezone.as_str(), policy, true),
            None => expiry_hint("the location’s time zone (UTC for an agency key)", policy, true),
        },
        list_url: here.url("/settings/keys"),
        fields,
        problems,
    })
}

impl Short {
    fn of(here: &Here, fields: &Fields, kind: KeyKind, scopes: ScopeSet) -> Self {
        let (reads, writes) = reads_and_writes(scopes, kind);
        Self {
            kind: match kind {
                KeyKind::Agency => "An agency key",
                KeyKind::Location => "A location key",
            },
            name: fields.text("name").unwrap_or("…").to_owned(),
            reads,
            writes,
            place: match (&here.location, kind, fields.text("reach")) {
                (Some(location), ..) => location.profile.name.to_string(),
                (None, KeyKind::Location, _) => "one location".to_owned(),
                (None, KeyKind::Agency, Some("chosen")) => "chosen locations".to_owned(),
                (None, KeyKind::Agency, _) => "all locations".to_owned(),
            },
            addresses: match fields.text("allowed_ips") {
                Some(_) => "the addresses below only".to_owned(),
                None => "any address".to_owned(),
            },
            expires: fields.text("expires_at").map(|day| format!("the end of {day}")).unwrap_or_default(),
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
    pairs.extend(query.preset.map(|preset| ("preset".to_owned(), preset)));
    pairs.extend(query.kind.map(|kind| ("kind".to_owned(), kind)));
    if let Some(id) = query.like.as_deref().and_then(KeyId::parse) {
        pairs.extend(settings_of(&web.app.get_key(here.authority(), id).await?));
    }
    let is_first = query.first.is_some();
    Ok(render(&create_page(&web, &here, pairs.into(), Problems::default(), is_first).await?))
}

/// The settings of a key as the form has them.
fn settings_of(key: &ApiKey) -> Vec<(String, String)> {
    let mut pairs = vec![("name", key.name.to_string()), ("kind", key.kind().as_str().to_owned())];
    pairs.extend(fields_of_about(&key.about));
    match &key.grant.reach {
        Reach::Agency => {}
        Reach::Chosen(set) => {
            pairs.push(("reach", "chosen".to_owned()));
            pairs.extend(set.iter().map(|location| ("allowed", location.to_string())));
        }
        Reach::Locations(set) => pairs.extend(set.iter().map(|location| ("location", location.to_string()))),
    }
    match Preset::ALL.iter().find(|preset| preset.scopes(key.kind()) == key.grant.scopes) {
        Some(preset) => pairs.push(("preset", preset.as_str().to_owned())),
        None => {
            pairs.push(("preset", "custom".to_owned()));
            pairs.extend(key.grant.scopes.iter().map(|scope| ("scope", scope.as_str().to_owned())));
        }
    }
    pairs.push(("allowed_ips", key.grant.allowed_ips.to_texts().join("\n")));
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

async fn read_new(web: &Web, here: &Here, fields: &Fields, problems: &mut Problems) -> Result<Option<NewKey>, Error> {
    let name = problems.required("name", fields.text("name"), KeyName::parse);
    let about = read_about(fields, problems);
    let kind = match &here.location {
        Some(_) => KeyKind::Location,
        None => fields.text("kind").and_then(KeyKind::parse).unwrap_or(KeyKind::Location),
    };
    // The form has the fields of both kinds.
    let (one, chosen) = match (&here.location, kind) {
        (Some(location), _) => (Some(location.id), None),
        (None, KeyKind::Agency) => (None, read_chosen(fields, problems)),
        (None, KeyKind::Location) => (fields.text("location").and_then(LocationId::parse), None),
    };
    let reach = Reach::of_new_key(kind, one, chosen, &here.authority().grant().reach);
    match reach {
        Ok(_) => {}
        Err(NoReach::NoneChosen | NoReach::ChosenOfLocationKey) => problems.say("allowed", NONE_CHOSEN),
        Err(NoReach::NoLocation | NoReach::OneOfAgencyKey) => {
            problems.say("location", "choose the location that the key acts in");
        }
    }
    let scopes = match fields.text("preset") {
        Some("custom") => ScopeSet::parse(fields.all("scope"), kind).unwrap_or_else(|problem| {
            problems.say("scope", problem.0);
            ScopeSet::EMPTY
        }),
        other => other.and_then(Preset::parse).map_or(ScopeSet::EMPTY, |preset| preset.scopes(kind)),
    };
    if scopes.is_empty() {
        problems.say("scope", "choose what the key may do");
    }
    let allowed_ips = problems.optional("allowed_ips", fields.text("allowed_ips"), read_ips).unwrap_or_default();
    let day = problems.optional("expires_at", fields.text("expires_at"), read_day);
    let (Some(name), Ok(reach), true) = (name, reach, problems.is_empty()) else { return Ok(None) };
    let zone = web.app.zone_of(here.authority(), &reach).await?;
    let expires_at = day.map(|day| day.last(&zone));
    let grant = Grant { agency: here.authority().agency(), reach, scopes, allowed_ips, expires_at };
    Ok(Some(NewKey { name, about, grant, rate_limit: None }))
}

pub(crate) async fn create(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let new = read_new(&web, &here, &fields, &mut problems).await?;
    here.confirm(&web, &fields, &mut problems).await?;
    if let (Some(new), true) = (new, problems.is_empty()) {
        let create = async |authority| Ok((web.app.create_key(&authority, new).await?, String::new()));
        match make_once(&web, &here, &fields, Made::Created, create).await {
            Ok(revealed) => return Ok(revealed),
            Err(error) => problems.take(error)?,
        }
    }
    let page = create_page(&web, &here, fields, problems, false).await?;
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}
