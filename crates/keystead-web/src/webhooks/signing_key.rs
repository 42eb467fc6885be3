//! The public key with which receivers check that a message comes from here.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::PublicKey;

use super::{PATH, SECTION};
use crate::{
    Web, docs,
    failure::Failure,
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "webhooks/signing_key.html")]
struct Page {
    frame: Frame,
    key: PublicKey,
    /// How a receiver checks it: the ending of a file, the language, and a program.
    samples: Vec<(&'static str, &'static str, &'static str)>,
    list_url: String,
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = web.app.webhook_public_key(here.authority(), None).await?;
    let samples = docs::samples_of("signing-key").collect();
    Ok(render(&Page { frame: Frame::of(&here, "Signing key", SECTION), key, samples, list_url: here.url(PATH) }))
}
