//! Rotating, switching off and on, deleting.

use askama::Template;
use axum::{extract::State, response::Response};
use http::StatusCode;
use keystead_core::{ChangedKey, Error, OldKeyEnds};
use keystead_model::{
    Invalid, UtcMs,
    api_key::{ApiKey, KeyState, parse_overlap},
    time::DAY_MS,
};

use super::{
    key::{OtherKey, key_page},
    reveal::{Made, make_once},
    wanted,
};
use crate::{
    Web,
    chart::Span,
    failure::Failure,
    flash::{Done, lead, lead_back},
    form::{CONFIRMATION, Choice, Field, Fields, Form, Kind, same_name},
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
    form: Form,
    key_url: String,
}

fn rotate_fields(here: &Here, key: &ApiKey, sent: Fields) -> Form {
    let overlap = Field::overlap(
        "How long should the old secret go on?",
        ("The time of the old secret", "Choose how long the old secret goes on"),
        ["Time to change every place that uses it.", "It was lost or leaked: it ends now."],
    );
    let overlap = match key.exposed_at {
        Some(_) => Field { kind: Kind::Hidden, ..overlap },
        None => overlap,
    };
    Form::new([overlap].into_iter().chain(Field::confirmation(here)).collect(), sent)
}

fn rotate_page(web: &Web, here: &Here, key: &ApiKey, form: Form) -> RotateForm {
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
        form,
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

pub(crate) async fn rotate_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let usual = if key.exposed_at.is_some() { "PT0S" } else { "P7D" };
    let form = rotate_fields(&here, &key, Fields::of([("overlap", usual.to_owned())]));
    Ok(render(&rotate_page(&web, &here, &key, form)))
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

pub(crate) async fn rotate(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let mut form = rotate_fields(&here, &key, sent);
    let overlap = form.read("overlap", parse_overlap);
    form.confirm(&web, &mut here).await?;
    let version = form.text("version").and_then(|version| version.parse().ok());
    let form_id = form.sent.shown("form_id");
    let rotate = async |overlap| {
        let rotate = async |authority| {
            let made = web.app.rotate_key(&authority, key.id, version, overlap).await?;
            let old = fate_of_secret(&here, &made.key, web.app.now());
            Ok((made, old))
        };
        make_once(&web, &here, &form_id, Made::Rotated, rotate).await
    };
    match form.run_with(overlap, rotate).await? {
        Some(revealed) => Ok(revealed),
        None => {
            let page = rotate_page(&web, &here, &key, form);
            Ok(page.form.again(&page))
        }
    }
}

#[derive(Template)]
#[template(path = "api_keys/replace.html")]
struct ReplaceForm {
    frame: Frame,
    name: String,
    /// What it was replaced by, and is not again.
    successor: Option<OtherKey>,
    form_id: String,
    used: String,
    form: Form,
    key_url: String,
}

fn replace_fields(here: &Here, sent: Fields) -> Form {
    let ends =
        Field::new(Kind::Radios, "old_ends", "When should this one stop?").needed("Choose when this key stops").of([
            Choice::new("now", "Now").when("Nobody should use it any more."),
            Choice::new("first_use", "At the first use of the new key")
                .when("Programs that still have it go on until then."),
        ]);
    Form::new([ends].into_iter().chain(Field::confirmation(here)).collect(), sent)
}

async fn replace_page(web: &Web, here: &Here, key: &ApiKey, form: Form) -> Result<ReplaceForm, Error> {
    let successor = web.app.successor_of_key(here.authority(), key.id).await?;
    Ok(ReplaceForm {
        frame: Frame::of(here, "Replace", "keys"),
        name: key.name.to_string(),
        successor: successor.map(|successor| OtherKey::of(here, &successor)),
        form_id: web.app.entropy().token(),
        used: last_used(here, key, web.app.now()),
        form,
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    })
}

pub(crate) async fn replace_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let form = replace_fields(&here, Fields::of([("old_ends", "now".to_owned())]));
    Ok(render(&replace_page(&web, &here, &key, form).await?))
}

pub(crate) async fn replace(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let mut form = replace_fields(&here, sent);
    let ends = form.read("old_ends", |text| match text {
        "now" => Ok(OldKeyEnds::Now),
        "first_use" => Ok(OldKeyEnds::FirstUse),
        _ => Err(Invalid::new("must be one of these")),
    });
    form.confirm(&web, &mut here).await?;
    let form_id = form.sent.shown("form_id");
    let replace = async |ends| {
        let replace = async |authority| {
            let replaced = web.app.replace_key(&authority, key.id, ends).await?;
            Ok((replaced.made, fate_of_key(&replaced.old)))
        };
        make_once(&web, &here, &form_id, Made::Replaced, replace).await
    };
    match form.run_with(ends, replace).await? {
        Some(revealed) => Ok(revealed),
        None => {
            let page = replace_page(&web, &here, &key, form).await?;
            Ok(page.form.again(&page))
        }
    }
}

/// Restarts the 90 days; from a notice it leads back to the notices.
pub(crate) async fn keep(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let done = |_| match sent.text("back") {
        Some("notices") => lead(&web, &here.url("/notices"), Done::KeyKept, key.name.as_str()),
        _ => to_key(&web, &here, &key, Done::KeyKept),
    };
    let button = Form::of_buttons(&here);
    pressed(&web, &here, &key, button, web.app.keep_key(here.authority(), key.id), done).await
}

pub(crate) async fn restore(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let mut button = Form::of_button(&here, "restore", sent);
    button.confirm(&web, &mut here).await?;
    let done = |restored: ChangedKey| match restored.key.state {
        KeyState::Active => to_key(&web, &here, &key, Done::KeyRestored),
        _ => to_key(&web, &here, &key, Done::KeyRestoredOff),
    };
    pressed(&web, &here, &key, button, web.app.restore_key(here.authority(), key.id), done).await
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

/// Does what a button asks for; else the key again, with what stood in the way.
async fn pressed(
    web: &Web,
    here: &Here,
    key: &ApiKey,
    mut button: Form,
    work: impl Future<Output = Result<ChangedKey, Error>>,
    done: impl FnOnce(ChangedKey) -> Response,
) -> Result<Response, Failure> {
    if let Some(changed) = button.run(work).await? {
        return Ok(done(changed));
    }
    let page = key_page(web, here, key, Span::Days, button).await?;
    Ok(match page.button.is_wrong(&[CONFIRMATION]) {
        true => page.button.again(&page),
        false => page.button.again_as(StatusCode::CONFLICT, &page),
    })
}

/// Leads to the key, with what was done.
fn to_key(web: &Web, here: &Here, key: &ApiKey, done: Done) -> Response {
    let url = here.url(&format!("/settings/keys/{}", key.id));
    lead_back(web, &url, done, key.name.as_str(), key.id.as_str())
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

pub(crate) async fn deactivate(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    if is_in_use(&key, web.app.now()) && sent.text("confirmed").is_none() {
        return Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &deactivate_page(&web, &here, &key)));
    }
    let (button, done) = (Form::of_buttons(&here), |_| to_key(&web, &here, &key, Done::KeyDeactivated));
    pressed(&web, &here, &key, button, web.app.deactivate_key(here.authority(), key.id), done).await
}

pub(crate) async fn reduce(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let (button, done) = (Form::of_buttons(&here), |_| to_key(&web, &here, &key, Done::KeyReduced));
    pressed(&web, &here, &key, button, web.app.reduce_key(here.authority(), key.id), done).await
}

pub(crate) async fn reactivate(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let mut button = Form::of_button(&here, "reactivate", sent);
    button.confirm(&web, &mut here).await?;
    let done = |_| to_key(&web, &here, &key, Done::KeyReactivated);
    pressed(&web, &here, &key, button, web.app.reactivate_key(here.authority(), key.id), done).await
}

pub(crate) async fn cancel_rotation(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let mut button = Form::of_button(&here, "cancel", sent);
    button.confirm(&web, &mut here).await?;
    let done = |_| to_key(&web, &here, &key, Done::RotationCancelled);
    pressed(&web, &here, &key, button, web.app.cancel_key_rotation(here.authority(), key.id), done).await
}

pub(crate) async fn finish_rotation(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let (button, done) = (Form::of_buttons(&here), |_| to_key(&web, &here, &key, Done::RotationFinished));
    pressed(&web, &here, &key, button, web.app.finish_key_rotation(here.authority(), key.id), done).await
}

#[derive(Template)]
#[template(path = "api_keys/delete.html")]
struct DeleteForm {
    frame: Frame,
    name: String,
    used: String,
    form: Form,
    key_url: String,
}

fn delete_fields(sent: Fields) -> Form {
    Form::new(vec![Field::same_name("Type the key’s name to delete it")], sent)
}

fn delete_page(web: &Web, here: &Here, key: &ApiKey, form: Form) -> DeleteForm {
    let now = web.app.now();
    DeleteForm {
        frame: Frame::of(here, "Delete", "keys"),
        name: key.name.to_string(),
        used: last_used(here, key, now),
        form,
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&delete_page(&web, &here, &key, delete_fields(Fields::default()))))
}

pub(crate) async fn delete(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let mut form = delete_fields(sent);
    form.read("name", same_name(key.name.as_str(), "key"));
    if form.run(web.app.delete_key(here.authority(), key.id)).await?.is_some() {
        let url = here.url("/settings/keys?tab=deleted");
        return Ok(lead_back(&web, &url, Done::KeyDeleted, key.name.as_str(), key.id.as_str()));
    }
    let page = delete_page(&web, &here, &key, form);
    Ok(page.form.again(&page))
}
