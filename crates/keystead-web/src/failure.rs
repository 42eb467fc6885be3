//! Failures as pages: in the shell of their place, where somebody is signed in.

use askama::Template;
use axum::{
    body::Body,
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use http::{StatusCode, header};
use keystead_core::{Error, ErrorCode, tally::Happening};

use crate::{
    Web,
    kept::SentForm,
    page::{Frame, render_with},
    place::{Here, Visitor},
};

/// Why a page cannot be shown.
pub(crate) enum Failure {
    /// Nobody is signed in; come back to `next` afterwards.
    SignIn {
        next: String,
        /// Whether something was to be done, which was not.
        was_action: bool,
    },
    /// The location was deleted, of which the visitor is a member.
    Deleted { name: String, at: String, until: String },
    /// The link of an invitation does nothing any more, or never did.
    NoInvitation,
    /// An operation failed.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// That something was sent by nobody who is signed in, and where its page is.
#[derive(Clone)]
pub(crate) struct Lost {
    pub(crate) next: String,
}

/// What a page of a failure says. The response carries it, so that the page can be put into the shell of whoever is signed in.
#[derive(Clone)]
struct Said {
    heading: String,
    text: String,
    fix: String,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page {
    frame: Frame,
    said: Said,
    /// What was in the form that was not taken.
    typed: Vec<(String, String)>,
}

impl Said {
    /// The page for nobody in particular.
    fn answer(self, status: StatusCode) -> Response {
        let page = Page { frame: Frame::bare(&self.heading), said: self.clone(), typed: Vec::new() };
        let mut response = render_with(status, &page);
        response.extensions_mut().insert(self);
        response
    }
}

/// The same answer in the shell, if it is the page of a failure and `parts` are a request of somebody who is signed in: in the
/// place that they asked for, else in one that is theirs.
pub(crate) async fn in_shell(web: &Web, mut parts: Parts, mut response: Response, sent: Option<&SentForm>) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && response.extensions().get::<Said>().is_none() {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = not_here();
        response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    }
    if is_unread(&response) {
        response = unread();
    }
    let Some(said) = response.extensions_mut().remove::<Said>() else { return response };
    let here = match Here::from_request_parts(&mut parts, web).await {
        Ok(here) => Some(here),
        Err(_) => match Visitor::from_request_parts(&mut parts, web).await {
            Ok(visitor) => Here::somewhere(web, visitor).await,
            Err(_) => None,
        },
    };
    let Some(here) = here else { return response };
    // What was to be changed may be gone by now; what somebody typed for it is not.
    let typed = sent.map(SentForm::typed).unwrap_or_default();
    let page = Page { frame: Frame::of(&here, &said.heading, ""), said, typed };
    match page.render() {
        Ok(html) => {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.map(|_| Body::from(html))
        }
        Err(_) => response,
    }
}

/// Whether an address or a form was not even read: what refuses that before a page is asked knows no pages.
fn is_unread(response: &Response) -> bool {
    let is_bare = response.extensions().get::<Said>().is_none();
    let is_text =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let statuses = [StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::UNPROCESSABLE_ENTITY];
    is_bare && is_text && statuses.contains(&response.status())
}

fn unread() -> Response {
    let said = Said {
        heading: "This address cannot be read".to_owned(),
        text: "A part of it is not what it should be, such as a number that is none, or one that is too large."
            .to_owned(),
        fix: "Go back, and follow a link or a button instead of the address.".to_owned(),
    };
    said.answer(StatusCode::BAD_REQUEST)
}

/// A form that did not come in whole.
pub(crate) fn not_taken(code: ErrorCode, text: &str) -> Response {
    let said = Said {
        heading: "Nothing was saved".to_owned(),
        text: text.to_owned(),
        fix: "Go back: what you typed is still in the form.".to_owned(),
    };
    let mut response = said.answer(StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST));
    response.extensions_mut().insert(code);
    response
}

/// What is sent to a page that takes nothing.
fn not_here() -> Response {
    let said = Said {
        heading: "Nothing was done".to_owned(),
        text: "This address does not take what was sent to it.".to_owned(),
        fix: "Go back to the page that you came from, and reload it: it may be of an older release.".to_owned(),
    };
    said.answer(StatusCode::METHOD_NOT_ALLOWED)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { next, was_action } => {
                let plain = next.clone();
                let next = percent_encoding::utf8_percent_encode(&next, percent_encoding::NON_ALPHANUMERIC);
                let lost = if was_action { "&lost=1" } else { "" };
                let mut response = Redirect::to(&format!("/app/sign-in?next={next}{lost}")).into_response();
                if was_action {
                    response.extensions_mut().insert(Lost { next: plain });
                }
                response
            }
            Self::Deleted { name, at, until } => {
                let said = Said {
                    heading: "This location is deleted".to_owned(),
                    text: format!("{name} was deleted on {at}. Its keys are refused."),
                    fix: format!("Until {until} an admin of the agency can restore it, with everything in it."),
                };
                said.answer(StatusCode::GONE)
            }
            Self::NoInvitation => {
                let said = Said {
                    heading: "This invitation does nothing any more".to_owned(),
                    text: "Its link was used, replaced by a newer one or withdrawn, or it is older than 7 days."
                        .to_owned(),
                    fix: "Ask whoever invited you for a new link.".to_owned(),
                };
                said.answer(StatusCode::NOT_FOUND)
            }
            Self::Error(error) => {
                let code = error.code();
                // In the app, what one may not see and what is not there look alike.
                let status = match code {
                    ErrorCode::NotFound | ErrorCode::LocationNotAccessible | ErrorCode::AgencyKeyNeeded => 404,
                    ErrorCode::ScopeMissing => 403,
                    other => other.status(),
                };
                const WHAT: &str = "a page failed";
                if let Some(cause) = error.cause()
                    && Happening::new(WHAT, code.as_str()).is_told_up_to(code.lines_a_minute())
                {
                    tracing::error!(code = code.as_str(), cause, "{WHAT}");
                }
                let (heading, text, fix) = match status {
                    404 => (
                        "Not found".to_owned(),
                        "There is nothing here, or it is not yours to see.".to_owned(),
                        String::new(),
                    ),
                    403 => (
                        "Not allowed".to_owned(),
                        ErrorCode::NotAllowed.cause().to_owned(),
                        ErrorCode::NotAllowed.fix().to_owned(),
                    ),
                    _ => (code.title().to_owned(), error.to_string(), code.fix().to_owned()),
                };
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = Said { heading, text, fix }.answer(status);
                if let Some(wait) = error.retry_after() {
                    response.headers_mut().insert(header::RETRY_AFTER, keystead_http::retry_after(wait));
                }
                // For those who count.
                response.extensions_mut().insert(code);
                response
            }
        }
    }
}

pub(crate) async fn not_found() -> Response {
    let said = Said { heading: "Not found".to_owned(), text: "There is no such page.".to_owned(), fix: String::new() };
    said.answer(StatusCode::NOT_FOUND)
}
