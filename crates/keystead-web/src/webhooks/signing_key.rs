//! The public key with which receivers check that a message comes from here.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::PublicKey;

use super::{PATH, SECTION};
use crate::{
    Web,
    failure::Failure,
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "webhooks/signing_key.html")]
struct Page {
    frame: Frame,
    key: PublicKey,
    list_url: String,
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = web.app.webhook_public_key(here.authority(), None).await?;
    Ok(render(&Page { frame: Frame::of(&here, "Signing key", SECTION), key, list_url: here.url(PATH) }))
}
