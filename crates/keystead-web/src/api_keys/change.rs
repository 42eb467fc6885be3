//! Rotating, switching off and on, deleting.

use askama::Template;
use axum::{Form, extract::State, response::Response};
use http::StatusCode;
use keystead_core::{Error, OldKeyEnds};
use keystead_model::{
    UtcMs,
    api_key::{ApiKey, KeyState, parse_overlap},
    text::folded,
    time::DAY_MS,
};

use super::{
    key::key_page,
    reveal::{Made, make_once},
    wanted,
};
use crate::{
    Web,
    chart::Span,
    failure::Failure,
    flash::{Done, lead, lead_back},
    form::{Fields, Problems},
    page::{Frame, render, render_with},
    place::Here,
    show as words,
};

#[derive(Template)]
#[template(path = "api_keys/rotate.html")]
struct RotateForm {
    frame: Frame,
    name: String,
    form_id: String,
    version: i64,
    is_rotating: bool,
    /// Whether the secret was found in public, so that it gets no overlap.
    exposed: bool,
    /// Whether the key is switched off, which a rotation does not change.
    is_off: bool,
    used: String,
    problems: Problems,
    needs_password: bool,
    key_url: String,
}

fn rotate_page(web: &Web, here: &Here, key: &ApiKey, problems: Problems) -> RotateForm {
    let now = web.app.now();
    RotateForm {
        frame: Frame::of(here, "Rotate", "keys"),
        name: key.name.to_string(),
        form_id: web.app.entropy().token(),
        version: key.version,
        is_rotating: key.overlap(now).is_some(),
        exposed: key.exposed_at.is_some(),
        is_off: key.state != KeyState::Active,
        used: last_used(here, key, now),
        problems,
        needs_password: !here.authority().is_fresh(),
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

pub(crate) async fn rotate_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&rotate_page(&web, &here, &key, Problems::default())))
}

/// What became of the secret that was replaced.
fn fate_of_secret(here: &Here, key: &ApiKey, now: UtcMs) -> String {
    match (&key.state, key.overlap(now)) {
        (KeyState::Active, Some(old)) => format!("The old secret works until {}.", here.zone().named(old.retires_at)),
        (KeyState::Active, None) => "The old secret is dead.".to_owned(),
        _ => "The key stays switched off.".to_owned(),
    }
}

/// What became of a key that was lost.
fn fate_of_key(old: &ApiKey) -> String {
    match old.state {
        KeyState::Active => "The lost key works until this one is used for the first time.".to_owned(),
        _ => "The lost key is switched off.".to_owned(),
    }
}

pub(crate) async fn rotate(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let overlap = problems.required("overlap", fields.text("overlap"), parse_overlap);
    here.confirm(&web, &fields, &mut problems).await?;
    if let (Some(overlap), true) = (overlap, problems.is_empty()) {
        let version = fields.text("version").and_then(|version| version.parse().ok());
        let rotate = async |authority| {
            let made = web.app.rotate_key(&authority, key.id, version, overlap).await?;
            let old = fate_of_secret(&here, &made.key, web.app.now());
            Ok((made, old))
        };
        match make_once(&web, &here, &fields, Made::Rotated, rotate).await {
            Ok(revealed) => return Ok(revealed),
            Err(error) => problems.take(error)?,
        }
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &rotate_page(&web, &here, &key, problems)))
}

#[derive(Template)]
#[template(path = "api_keys/replace.html")]
struct ReplaceForm {
    frame: Frame,
    name: String,
    form_id: String,
    used: String,
    problems: Problems,
    needs_password: bool,
    key_url: String,
}

fn replace_page(web: &Web, here: &Here, key: &ApiKey, problems: Problems) -> ReplaceForm {
    ReplaceForm {
        frame: Frame::of(here, "Replace", "keys"),
        name: key.name.to_string(),
        form_id: web.app.entropy().token(),
        used: last_used(here, key, web.app.now()),
        problems,
        needs_password: !here.authority().is_fresh(),
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

pub(crate) async fn replace_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&replace_page(&web, &here, &key, Problems::default())))
}

pub(crate) async fn replace(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    here.confirm(&web, &fields, &mut problems).await?;
    if problems.is_empty() {
        let ends = match fields.text("old_ends") {
            Some("first_use") => OldKeyEnds::FirstUse,
            _ => OldKeyEnds::Now,
        };
        let replace = async |authority| {
            let replaced = web.app.replace_key(&authority, key.id, ends).await?;
            Ok((replaced.made, fate_of_key(&replaced.old)))
        };
        match make_once(&web, &here, &fields, Made::Replaced, replace).await {
            Ok(revealed) => return Ok(revealed),
            Err(error) => problems.take(error)?,
        }
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &replace_page(&web, &here, &key, problems)))
}

/// Restarts the 90 days; from a notice it leads back to the notices.
pub(crate) async fn keep(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let outcome = web.app.keep_key(here.authority(), key.id).await;
    if outcome.is_ok() && Fields::from(pairs).text("back") == Some("notices") {
        return Ok(lead(&web, &here.url("/notices"), Done::KeyKept, key.name.as_str()));
    }
    after(&web, &here, &key, Done::KeyKept, outcome).await
}

pub(crate) async fn restore(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    here.visitor.confirm(&web, Fields::from(pairs).raw("confirm_password")).await?;
    let outcome = web.app.restore_key(here.authority(), key.id).await;
    let works = outcome.as_ref().is_ok_and(|restored| restored.key.state == KeyState::Active);
    let done = if works { Done::KeyRestored } else { Done::KeyRestoredOff };
    after(&web, &here, &key, done, outcome).await
}

/// A sentence on the last use, for whoever is about to end a key.
fn last_used(here: &Here, key: &ApiKey, now: UtcMs) -> String {
    key.last_use.as_ref().map_or_else(
        || "It has never been used.".to_owned(),
        |last| {
            format!(
                "It was last used {} ({}), from {}, for {}.",
                words::ago(last.at, now),
                here.zone().instant(last.at),
                last.ip,
                last.endpoint
            )
        },
    )
}

/// Shows the key again after a change, with what was done or with what stood in the way.
async fn after<T>(
    web: &Web,
    here: &Here,
    key: &ApiKey,
    done: Done,
    outcome: Result<T, Error>,
) -> Result<Response, Failure> {
    match outcome {
        Ok(_) => {
            let url = here.url(&format!("/settings/keys/{}", key.id));
            Ok(lead_back(web, &url, done, key.name.as_str(), key.id.as_str()))
        }
        Err(error) => {
            let mut problems = Problems::default();
            problems.take(error)?;
            Ok(render_with(StatusCode::CONFLICT, &key_page(web, here, key, Span::Days, problems).await?))
        }
    }
}

#[derive(Template)]
#[template(path = "api_keys/deactivate.html")]
struct DeactivateForm {
    frame: Frame,
    name: String,
    used: String,
    key_url: String,
}

fn deactivate_page(web: &Web, here: &Here, key: &ApiKey) -> DeactivateForm {
    DeactivateForm {
        frame: Frame::of(here, "Deactivate", "keys"),
        name: key.name.to_string(),
        used: last_used(here, key, web.app.now()),
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

/// Whether a program that is at work would be cut off: then it is asked first.
pub(crate) fn is_in_use(key: &ApiKey, now: UtcMs) -> bool {
    key.last_use.as_ref().is_some_and(|last| now - last.at < DAY_MS)
}

pub(crate) async fn deactivate_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&deactivate_page(&web, &here, &key)))
}

pub(crate) async fn deactivate(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    if is_in_use(&key, web.app.now()) && Fields::from(pairs).text("confirmed").is_none() {
        return Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &deactivate_page(&web, &here, &key)));
    }
    let outcome = web.app.deactivate_key(here.authority(), key.id).await;
    after(&web, &here, &key, Done::KeyDeactivated, outcome).await
}

pub(crate) async fn reduce(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let outcome = web.app.reduce_key(here.authority(), key.id).await;
    after(&web, &here, &key, Done::KeyReduced, outcome).await
}

pub(crate) async fn reactivate(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    here.visitor.confirm(&web, Fields::from(pairs).raw("confirm_password")).await?;
    let outcome = web.app.reactivate_key(here.authority(), key.id).await;
    after(&web, &here, &key, Done::KeyReactivated, outcome).await
}

pub(crate) async fn cancel_rotation(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    here.visitor.confirm(&web, Fields::from(pairs).raw("confirm_password")).await?;
    let outcome = web.app.cancel_key_rotation(here.authority(), key.id).await;
    after(&web, &here, &key, Done::RotationCancelled, outcome).await
}

pub(crate) async fn finish_rotation(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let outcome = web.app.finish_key_rotation(here.authority(), key.id).await;
    after(&web, &here, &key, Done::RotationFinished, outcome).await
}

#[derive(Template)]
#[template(path = "api_keys/delete.html")]
struct DeleteForm {
    frame: Frame,
    name: String,
    used: String,
    problems: Problems,
    key_url: String,
}

fn delete_page(web: &Web, here: &Here, key: &ApiKey, problems: Problems) -> DeleteForm {
    let now = web.app.now();
    DeleteForm {
        frame: Frame::of(here, "Delete", "keys"),
        name: key.name.to_string(),
        used: last_used(here, key, now),
        problems,
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&delete_page(&web, &here, &key, Problems::default())))
}

pub(crate) async fn delete(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    // As it is read: nobody can type what nobody sees.
    if fields.text("name").is_some_and(|typed| folded(typed) == folded(key.name.as_str())) {
        match web.app.delete_key(here.authority(), key.id).await {
            Ok(_) => {
                let url = here.url("/settings/keys?tab=deleted");
                return Ok(lead_back(&web, &url, Done::KeyDeleted, key.name.as_str(), key.id.as_str()));
            }
            Err(error) => problems.take(error)?,
        }
    } else {
        problems.say("name", "is not the key's name; type it as it stands above");
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &delete_page(&web, &here, &key, problems)))
}
