//! Failures as pages.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::{StatusCode, header};
use keystead_core::{Error, ErrorCode, tally::Happening};

use crate::page::{Frame, render_with};

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
    /// An operation failed.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page {
    frame: Frame,
    heading: String,
    text: String,
    fix: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { next, was_action } => {
                let next = percent_encoding::utf8_percent_encode(&next, percent_encoding::NON_ALPHANUMERIC);
                let lost = if was_action { "&lost=1" } else { "" };
                Redirect::to(&format!("/app/sign-in?next={next}{lost}")).into_response()
            }
            Self::Deleted { name, at, until } => {
                let page = Page {
                    frame: Frame::bare("Location deleted"),
                    heading: "This location is deleted".to_owned(),
                    text: format!("{name} was deleted on {at}. Its keys are refused."),
                    fix: format!("Until {until} an admin of the agency can restore it, with everything in it."),
                };
                render_with(StatusCode::GONE, &page)
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
                let page = Page { frame: Frame::bare(&heading), heading, text, fix };
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = render_with(status, &page);
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
    let page = Page {
        frame: Frame::bare("Not found"),
        heading: "Not found".to_owned(),
        text: "There is no such page.".to_owned(),
        fix: String::new(),
    };
    render_with(StatusCode::NOT_FOUND, &page)
}
