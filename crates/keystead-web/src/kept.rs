//! What somebody typed into a form that was not taken, since their session had ended or the thing was gone: it is not lost.
//!
//! After a session it waits in the page on which they sign in again, and is sent once more when they say so. Nothing of it is kept
//! on the server, nor in an address, and nobody but who typed it is shown it.

use askama::Template;
use axum::{body::Bytes, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::request::Parts;
use keystead_model::{
    UserId,
    key_secret::{contains_key, contains_secret},
};

use crate::{
    Web,
    cookies::Cookie,
    form::{CONFIRMATION, Fields, SEEN},
    history::field_in_words,
    page::{Frame, render},
    sessions::safe_next,
};

/// Bytes of a form that is kept: written once more into that of the sign-in, it must still be one that is taken.
const MOST: usize = 44 * 1024;
/// Fields that are asked for again instead, and buttons.
const NOT_KEPT: &[&str] = &["password", "current", CONFIRMATION, "token", "change"];
/// Fields that nobody typed.
const UNSEEN: &[&str] = &[SEEN, "version", "form_id", "back", "query"];
/// How the addresses end at which something is done that was asked first, or that is not typed: whoever comes back is to be asked
/// again, and sees what they are about to do.
const ACTS: &[&str] = &[
    "bulk",
    "cancel",
    "deactivate",
    "delete",
    "disable",
    "erase",
    "find",
    "merge",
    "reactivate",
    "reduce",
    "replace",
    "restore",
    "rotate",
    "search",
    "sign-out",
    "suspend",
    "trash",
    "withdraw",
];

/// A form that was sent by nobody who is signed in.
#[derive(Clone)]
pub(crate) struct Kept {
    /// Where it was sent.
    pub(crate) to: String,
    /// Its fields, as forms are encoded, and that once more as forms change nothing of.
    pub(crate) fields: String,
    /// Who was signed in with that browser.
    pub(crate) by: String,
}

/// The form of a request, which its answer may have to keep.
#[derive(Clone)]
pub(crate) struct SentForm(pub(crate) Bytes);

impl SentForm {
    fn pairs(&self) -> Vec<(String, String)> {
        let is_secret = |value: &str| contains_secret(value) || contains_key(value);
        let suits = |(name, value): &(String, String)| !NOT_KEPT.contains(&name.as_str()) && !is_secret(value);
        form_urlencoded::parse(&self.0).into_owned().filter(suits).collect()
    }

    /// What people can recognise of it: the name of a field in words, and all that was in it.
    pub(crate) fn typed(&self) -> Vec<(String, String)> {
        typed(&self.pairs())
    }
}

impl Kept {
    /// Of a request whose answer leads to the sign-in; nothing where nothing was typed, or too much, or by nobody who is known.
    pub(crate) fn of(web: &Web, parts: &Parts, form: &SentForm) -> Option<Self> {
        let to = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |uri| &uri.0).to_string();
        let act = to.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let by = Cookie::Member.of(web, &parts.headers).and_then(UserId::parse)?.to_string();
        let pairs = form.pairs();
        let suits = !typed(&pairs).is_empty() && !ACTS.contains(&act) && !to.contains("/move/");
        if !suits || form.0.len() > MOST || safe_next(Some(to.clone())) != to {
            return None;
        }
        let fields = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        Some(Self { to, fields: URL_SAFE_NO_PAD.encode(fields), by })
    }

    /// What a form of the sign-in says that it keeps.
    pub(crate) fn sent_with(fields: &Fields) -> Option<Self> {
        let [to, kept, by] = ["to", "kept", "by"].map(|name| fields.text(name).map(str::to_owned));
        let to = to.filter(|to| safe_next(Some(to.clone())) == *to);
        Some(Self { to: to?, fields: kept?, by: by? })
    }

    /// Asks whoever typed it, and has signed in again, whether it is to be sent; else they go on to `next`. Nobody else is asked.
    pub(crate) fn question(&self, user: UserId, next: String) -> Option<Response> {
        let fields = URL_SAFE_NO_PAD.decode(&self.fields).ok().filter(|_| self.by == user.as_str())?;
        let pairs: Vec<(String, String)> = form_urlencoded::parse(&fields).into_owned().collect();
        let (frame, typed) = (Frame::bare("You were signed out"), typed(&pairs));
        Some(render(&Question { frame, to: self.to.clone(), pairs, typed, next }))
    }
}

/// How long it is known who was signed in last, in seconds: as long as a form may stand open.
const KNOWN_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Notes who has signed in, for when their session has ended.
pub(crate) fn note_member(web: &Web, response: &mut Response, user: UserId) {
    Cookie::Member.set(web, response, user.as_str(), KNOWN_SECONDS);
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

fn typed(pairs: &[(String, String)]) -> Vec<(String, String)> {
    let mut typed: Vec<(String, String)> = Vec::new();
    for (name, value) in
        pairs.iter().filter(|(name, value)| !value.trim().is_empty() && !UNSEEN.contains(&name.as_str()))
    {
        let words = field_in_words(name);
        match typed.iter_mut().find(|(known, _)| *known == words) {
            Some((_, values)) => {
                values.push_str(", ");
                values.push_str(value);
            }
            None => typed.push((words, value.clone())),
        }
    }
    typed
}
