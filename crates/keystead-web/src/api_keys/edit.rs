//! Changing the settings of a key.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::Error;
use keystead_model::{
    UtcMs,
    api_key::{ApiKey, KeyAbout, KeyAboutPatch, KeyName, KeyPatch},
    grant::{Grant, Reach},
    key_kind::KeyKind,
    scope::{Scope, ScopeSet},
    text::TimeZoneName,
};

use super::{
    ABOUT, LIMITS, admit, expiry_hint, fields, fields_of_about, read_about, read_chosen, read_day, read_ips,
    read_origins, read_scopes,
    scopes::{Line, matrix},
    wanted,
};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Edit, Field, Fields, Form},
    location_choice::LocationChoices,
    page::{Frame, render},
    place::Here,
    show::Zone,
};

#[derive(Template)]
#[template(path = "api_keys/edit.html")]
struct Editor {
    frame: Frame,
    name: String,
    form: Form,
    matrix: Vec<Line>,
    /// Of an agency key: the locations that it may act in.
    allowed: Option<LocationChoices>,
    only_chosen: bool,
    key_url: String,
}

/// The form of a key, for what was sent.
fn form_of(here: &Here, key: &ApiKey, zone: &TimeZoneName, sent: Fields) -> Form {
    let hint = expiry_hint(zone.as_str(), &here.visitor.signed_in.agency.keys, false);
    let expiry = match key.grant.expires_at {
        // A day is what the field can hold.
        Some(at) => format!("Now {}. {hint}", Zone::of(zone).named(at)),
        None => hint,
    };
    let name = Field::line("name", "Name").with("maxlength=64");
    Form::new(fields(here, name, "One address or range a line; empty allows all.".to_owned(), expiry), sent)
}

async fn edit_page(web: &Web, here: &Here, key: &ApiKey, form: Form) -> Result<Editor, Error> {
    let allowed = match key.kind() {
        KeyKind::Location => None,
        KeyKind::Agency => Some(LocationChoices::of(web, here, &form.sent, "allowedLocations").await?),
    };
    let chosen: ScopeSet = form.sent.all("scopes").into_iter().filter_map(Scope::parse).collect();
    Ok(Editor {
        frame: Frame::of(here, key.name.as_str(), "keys"),
        allowed,
        only_chosen: form.text("reach") == Some("chosen"),
        name: key.name.to_string(),
        matrix: matrix(key.kind(), chosen, &BTreeMap::new()),
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
        form,
    })
}

/// The form as it stands for a key.
fn form_as_is(here: &Here, key: &ApiKey, zone: &TimeZoneName) -> Form {
    let day = key.grant.expires_at.map(|at| Zone::of(zone).iso_day(at)).unwrap_or_default();
    let mut pairs = vec![
        ("name", key.name.to_string()),
        ("allowedIps", key.grant.allowed_ips.to_texts().join("\n")),
        ("allowedOrigins", key.allowed_origins.iter().collect::<Vec<_>>().join("\n")),
        ("expiresAt", day),
    ];
    pairs.extend(fields_of_about(&key.about));
    if let Reach::Chosen(set) = &key.grant.reach {
        pairs.push(("reach", "chosen".to_owned()));
        pairs.extend(set.iter().map(|location| ("allowedLocations", location.to_string())));
    }
    pairs.extend(key.grant.scopes.iter().map(|scope| ("scopes", scope.as_str().to_owned())));
    form_of(here, key, zone, Fields::of(pairs)).opened_on(key)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let zone = web.app.zone_of(here.authority(), &key.grant.reach).await?;
    Ok(render(&edit_page(&web, &here, &key, form_as_is(&here, &key, &zone)).await?))
}

/// What a form makes of a key, and whether that is more than the key may do now.
fn read(form: &mut Form, web: &Web, here: &Here, key: &ApiKey, zone: &TimeZoneName) -> (KeyPatch, bool) {
    let name = form.read("name", KeyName::parse);
    let KeyAbout { description, labels, contact } = read_about(form);
    let scopes = read_scopes(form, key.kind());
    let reach = match key.kind() {
        KeyKind::Location => None,
        KeyKind::Agency => Some(read_chosen(form).map_or(Reach::Agency, Reach::Chosen)),
    };
    let allowed_ips = read_ips(form);
    let before = &key.grant;
    let day = form.read("expiresAt", read_day).map(|day| day.last(zone));
    // The page shows a day; the same day again leaves the instant as it is.
    let day_of = |at: Option<UtcMs>| at.map(|at| Zone::of(zone).iso_day(at));
    let is_same = day.is_some() && day_of(before.expires_at) == day_of(day);
    let expires_at = if is_same { before.expires_at } else { day };
    if expires_at != before.expires_at {
        admit(form, web, here, expires_at);
    }
    let grant = Grant {
        agency: before.agency,
        reach: reach.clone().unwrap_or_else(|| before.reach.clone()),
        scopes,
        allowed_ips: allowed_ips.clone(),
        expires_at,
    };
    let patch = KeyPatch {
        name,
        about: KeyAboutPatch { description: Some(description), labels: Some(labels), contact: Some(contact) },
        scopes: Some(scopes),
        reach,
        allowed_ips: Some(allowed_ips),
        expires_at: (expires_at != before.expires_at).then_some(expires_at),
        rate_limit: None,
        allowed_origins: Some(read_origins(form)),
    };
    (patch, grant.exceeds(before).is_some())
}

pub(crate) async fn update(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let zone = web.app.zone_of(here.authority(), &key.grant.reach).await?;
    let mut form = form_of(&here, &key, &zone, sent);
    let (patch, is_more) = read(&mut form, &web, &here, &key, &zone);
    if is_more {
        form.confirm(&web, &mut here).await?;
    }
    let careful = here.authority().clone().with_seen(form.seen::<ApiKey>());
    match form.edit(web.app.update_key(&careful, key.id, None, patch)).await? {
        Edit::Saved(changed) => {
            let done = if changed.namesakes > 0 { Done::KeySavedAsNamesake } else { Done::KeySaved };
            let url = here.url(&format!("/settings/keys/{}", key.id));
            return Ok(lead(&web, &url, done, changed.key.name.as_str()));
        }
        Edit::Overtaken => form.overtaken("key", &key, &form_as_is(&here, &key, &zone)),
        Edit::Wrong => {}
    }
    let page = edit_page(&web, &here, &key, form).await?;
    Ok(page.form.again(&page))
}
