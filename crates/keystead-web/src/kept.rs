//! What somebody sent when their session had ended: it waits in the page on which they sign in again, and is sent once more when
//! they say so. Nothing of it is kept on the server, nor in an address.

use askama::Template;
use axum::{body::Bytes, response::Response};
use http::request::Parts;
use keystead_model::key_secret::contains_secret;

use crate::{
    form::{CONFIRMATION, Fields, SEEN},
    page::{Frame, render},
    sessions::safe_next,
};

/// Bytes of a form that is kept: written once more into a form, encoded again, it must still be one that is taken.
const MOST: usize = 20 * 1024;
/// Fields that are asked for again instead.
const NOT_KEPT: &[&str] = &["password", "current", CONFIRMATION, "token"];
/// Where nobody wants to go again who is out already.
const SIGN_OUT: &str = "/app/sign-out";
/// Fields that nobody typed.
const UNSEEN: &[&str] = &[SEEN, "version", "once", "back", "query"];

/// A form that was sent by nobody who is signed in.
#[derive(Clone)]
pub(crate) struct Kept {
    /// Where it was sent.
    pub(crate) to: String,
    /// Its fields, as forms are encoded.
    pub(crate) fields: String,
}

/// The form of a request, which its answer may have to keep.
#[derive(Clone)]
pub(crate) struct SentForm(pub(crate) Bytes);

impl Kept {
    /// Of a request whose answer leads to the sign-in; nothing where nothing was typed, or too much.
    pub(crate) fn of(parts: &Parts, SentForm(form): &SentForm) -> Option<Self> {
        let to = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |uri| &uri.0).to_string();
        let suits = |(name, value): &(String, String)| !NOT_KEPT.contains(&name.as_str()) && !contains_secret(value);
        let pairs: Vec<(String, String)> = pairs(form).into_iter().filter(suits).collect();
        let is_typed = !typed(&pairs).is_empty() && to != SIGN_OUT;
        (is_typed && form.len() <= MOST && safe_next(Some(to.clone())) == to)
            .then(|| Self { to, fields: encoded(&pairs) })
    }

    /// What a form says that it keeps.
    pub(crate) fn sent_with(fields: &Fields) -> Option<Self> {
        let (to, kept) = (fields.text("to")?.to_owned(), fields.text("kept")?.to_owned());
        (safe_next(Some(to.clone())) == to).then_some(Self { to, fields: kept })
    }

    /// Asks whoever has signed in again whether it is to be sent; else they go on to `next`.
    pub(crate) fn question(self, next: String) -> Response {
        let pairs = pairs(self.fields.as_bytes());
        let typed = typed(&pairs);
        render(&Question { frame: Frame::bare("You were signed out"), to: self.to, pairs, typed, next })
    }
}

#[derive(Template)]
#[template(path = "sessions/kept.html")]
struct Question {
    frame: Frame,
    to: String,
    pairs: Vec<(String, String)>,
    typed: Vec<(String, String)>,
    next: String,
}

fn pairs(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What people can recognise of it.
fn typed(pairs: &[(String, String)]) -> Vec<(String, String)> {
    let is_typed = |(name, value): &&(String, String)| !value.trim().is_empty() && !UNSEEN.contains(&name.as_str());
    pairs.iter().filter(is_typed).map(|(name, value)| (crate::history::field_in_words(name), value.clone())).collect()
}
