//! Changing the settings of a key.

use std::collections::BTreeMap;

use askama::Template;
use axum::{Form, extract::State, response::Response};
use http::StatusCode;
use keystead_core::Error;
use keystead_model::{
    UtcMs,
    api_key::{ApiKey, KeyAbout, KeyAboutPatch, KeyName, KeyPatch},
    grant::{Grant, Reach},
    key_kind::KeyKind,
    scope::{Scope, ScopeSet},
};

use super::{
    NONE_CHOSEN, expiry_hint, fields_of_about, read_about, read_chosen, read_day, read_ips,
    scopes::{Line, matrix},
    wanted,
};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Fields, Problems},
    location_choice::LocationChoices,
    page::{Frame, render, render_with},
    place::Here,
    show::Zone,
};

#[derive(Template)]
#[template(path = "api_keys/edit.html")]
struct Edit {
    frame: Frame,
    name: String,
    fields: Fields,
    problems: Problems,
    matrix: Vec<Line>,
    /// Of an agency key: the locations that it may act in.
    allowed: Option<LocationChoices>,
    only_chosen: bool,
    needs_password: bool,
    version: i64,
    /// When exactly it ends now, and what a day means.
    expiry_hint: String,
    key_url: String,
}

async fn edit_page(web: &Web, here: &Here, key: &ApiKey, fields: Fields, problems: Problems) -> Result<Edit, Error> {
    let allowed = match key.kind() {
        KeyKind::Location => None,
        KeyKind::Agency => Some(LocationChoices::of(web, here, &fields, "allowed").await?),
    };
    let chosen: ScopeSet = fields.all("scope").into_iter().filter_map(Scope::parse).collect();
    let zone = web.app.zone_of(here.authority(), &key.grant.reach).await?;
    let policy = &here.visitor.signed_in.agency.keys;
    Ok(Edit {
        frame: Frame::of(here, key.name.as_str(), "keys"),
        allowed,
        only_chosen: fields.text("reach") == Some("chosen"),
        name: key.name.to_string(),
        matrix: matrix(key.kind(), chosen, &BTreeMap::new()),
        needs_password: !here.authority().is_fresh(),
        version: key.version,
        expiry_hint: match key.grant.expires_at {
            Some(at) => format!("Now {}. {}", Zone::of(&zone).named(at), expiry_hint(zone.as_str(), policy, false)),
            None => expiry_hint(zone.as_str(), policy, false),
        },
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
        fields,
        problems,
    })
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let zone = Zone::of(&web.app.zone_of(here.authority(), &key.grant.reach).await?);
    let mut pairs = vec![
        ("name".to_owned(), key.name.to_string()),
        ("allowed_ips".to_owned(), key.grant.allowed_ips.to_texts().join("\n")),
        ("expires_at".to_owned(), key.grant.expires_at.map(|at| zone.iso_day(at)).unwrap_or_default()),
    ];
    pairs.extend(fields_of_about(&key.about).map(|(name, value)| (name.to_owned(), value)));
    if let Reach::Chosen(set) = &key.grant.reach {
        pairs.push(("reach".to_owned(), "chosen".to_owned()));
        pairs.extend(set.iter().map(|location| ("allowed".to_owned(), location.to_string())));
    }
    pairs.extend(key.grant.scopes.iter().map(|scope| ("scope".to_owned(), scope.as_str().to_owned())));
    Ok(render(&edit_page(&web, &here, &key, pairs.into(), Problems::default()).await?))
}

pub(crate) async fn update(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let name = problems.required("name", fields.text("name"), KeyName::parse);
    let KeyAbout { description, labels, contact } = read_about(&fields, &mut problems);
    let scopes = ScopeSet::parse(fields.all("scope"), key.kind()).unwrap_or_default();
    if scopes.is_empty() {
        problems.say("scope", "choose what the key may do");
    }
    let allowed_ips = problems.optional("allowed_ips", fields.text("allowed_ips"), read_ips).unwrap_or_default();
    let day = problems.optional("expires_at", fields.text("expires_at"), read_day);
    let zone = web.app.zone_of(here.authority(), &key.grant.reach).await?;
    let day = day.map(|day| day.last(&zone));
    // The page shows a day; the same day again leaves the instant as it is.
    let day_of = |at: Option<UtcMs>| at.map(|at| Zone::of(&zone).iso_day(at));
    let same_day = day.is_some() && day_of(key.grant.expires_at) == day_of(day);
    let expires_at = if same_day { key.grant.expires_at } else { day };
    let reach = match key.kind() {
        KeyKind::Location => None,
        KeyKind::Agency => Some(read_chosen(&fields, &mut problems).map_or(Reach::Agency, Reach::Chosen)),
    };
    if matches!(&reach, Some(Reach::Chosen(chosen)) if chosen.is_empty()) {
        problems.say("allowed", NONE_CHOSEN);
    }
    let wanted_reach = reach.clone().unwrap_or_else(|| key.grant.reach.clone());
    let agency = key.grant.agency;
    let wanted_grant = Grant { agency, reach: wanted_reach, scopes, allowed_ips: allowed_ips.clone(), expires_at };
    if wanted_grant.exceeds(&key.grant).is_some() {
        here.confirm(&web, &fields, &mut problems).await?;
    }
    if problems.is_empty() {
        let patch = KeyPatch {
            name,
            about: KeyAboutPatch { description: Some(description), labels: Some(labels), contact: Some(contact) },
            scopes: Some(scopes),
            reach,
            allowed_ips: Some(allowed_ips),
            expires_at: (expires_at != key.grant.expires_at).then_some(expires_at),
            rate_limit: None,
        };
        let version = fields.text("version").and_then(|version| version.parse().ok());
        match web.app.update_key(here.authority(), key.id, version, patch).await {
            Ok(changed) => {
                let done = if changed.namesakes > 0 { Done::KeySavedAsNamesake } else { Done::KeySaved };
                let url = here.url(&format!("/settings/keys/{}", key.id));
                return Ok(lead(&web, &url, done, changed.key.name.as_str()));
            }
            Err(error) => problems.take(error)?,
        }
    }
    let page = edit_page(&web, &here, &key, fields, problems).await?;
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}
