//! The public key with which receivers check that a message comes from here.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, PublicKey, error::Noun};
use keystead_model::{grant::Reach, scope::Scope};

use super::{PATH, SECTION};
use crate::{
    Web, docs,
    failure::Failure,
    flash::{Done, lead},
    form::{Fields, Form},
    page::{Frame, render},
    place::Here,
    show::counted,
};

/// An older key, with which webhooks are still signed.
struct Older {
    key: PublicKey,
    used: String,
}

#[derive(Template)]
#[template(path = "webhooks/signing_key.html")]
struct Page {
    frame: Frame,
    key: PublicKey,
    used: String,
    older: Vec<Older>,
    /// Whether the visitor may make the next one, which makes sense only where this one is used.
    may_create: bool,
    form: Form,
    url: String,
    /// How a receiver checks it: the ending of a file, the language, and a program.
    samples: Vec<(&'static str, &'static str, &'static str)>,
    list_url: String,
}

fn used(key: &PublicKey) -> String {
    match key.endpoints {
        0 => "No webhook yet".to_owned(),
        count => counted(count, "webhook"),
    }
}

async fn page(web: &Web, here: &Here, form: Form) -> Result<Page, Error> {
    let mut keys = web.app.webhook_public_keys(here.authority()).await?.into_iter();
    let key = keys.next().ok_or_else(|| Error::NotFound(Noun::Webhook, String::new()))?;
    let grant = here.authority().grant();
    Ok(Page {
        frame: Frame::of(here, "Signing key", SECTION),
        used: used(&key),
        older: keys.map(|key| Older { used: used(&key), key }).collect(),
        may_create: here.location.is_none()
            && grant.reach == Reach::Agency
            && grant.allows(Scope::WebhooksWrite)
            && key.endpoints > 0,
        key,
        form,
        url: here.url(&format!("{PATH}/signing-key")),
        samples: docs::samples_of("signing-key").collect(),
        list_url: here.url(PATH),
    })
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    Ok(render(&page(&web, &here, Form::of_buttons(&here)).await?))
}

/// Makes the next key.
pub(crate) async fn create(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::WebhooksWrite)?;
    let mut form = Form::of_button(&here, "create", sent);
    form.confirm(&web, &mut here).await?;
    match form.run(web.app.create_webhook_signing_key(here.authority())).await? {
        Some((key, _)) => {
            let url = here.url(&format!("{PATH}/signing-key"));
            Ok(lead(&web, &url, Done::SigningKeyMade, &key.record.version.to_string()))
        }
        None => {
            let page = page(&web, &here, form).await?;
            Ok(page.form.again(&page))
        }
    }
}
