//! A failure on its way to a client, before a face has given it its shape.

use std::time::Duration;

use keystead_core::{Error, ErrorCode, Source, Violation, error::Noun, tally::Happening};
use keystead_http::Arrival;
use keystead_model::{
    KeyId,
    api_key::{DeleteReason, Refusal},
    contact::DuplicateContact,
    scope::Scope,
};

/// What a face needs to answer a failure.
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    pub(crate) message: Message,
    pub(crate) hint: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) required: Option<Scope>,
    /// For the log only.
    pub(crate) cause: Option<String>,
}

/// What the failure is about.
pub(crate) enum Message {
    /// A sentence of ours.
    Text(String),
    /// Violations, one line each.
    Violations(Vec<Violation>),
    /// A thing that is not there.
    Missing(Noun, String),
    /// A contact in the way.
    Duplicate(DuplicateContact),
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: Message::Text(message.into()),
            hint: Some(code.fix().to_owned()),
            retry_after: None,
            required: None,
            cause: None,
        }
    }

    /// Tells the log what somebody should look at.
    pub(crate) fn log(&self, key: Option<KeyId>, arrival: &Arrival) {
        let code = self.code.as_str();
        if self.is_security_event() {
            const WHAT: &str = "a request was refused";
            let source = Some(Source::of(arrival.address));
            if (Happening { source, key, ..Happening::new(WHAT, code) }).is_told() {
                tracing::warn!(
                    code, key = key.as_ref().map(KeyId::as_str), address = %arrival.address,
                    request = arrival.id.as_str(), "{WHAT}"
                );
            }
        } else if self.code.status() >= 500 {
            const WHAT: &str = "a request failed";
            if Happening::new(WHAT, code).is_told_up_to(self.code.lines_a_minute()) {
                tracing::error!(code, cause = self.cause, request = arrival.id.as_str(), "{WHAT}");
            }
        }
    }

    fn is_security_event(&self) -> bool {
        matches!(
            self.code,
            ErrorCode::KeyDeactivated
                | ErrorCode::KeyDeleted
                | ErrorCode::LocationDeleted
                | ErrorCode::KeyExpired
                | ErrorCode::KeySecretRetired
                | ErrorCode::AddressNotAllowed
                | ErrorCode::OriginNotAllowed
                | ErrorCode::KeyInUrl
                | ErrorCode::Escalation
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = error.code();
        let mut failure = Self::new(code, error.to_string());
        failure.retry_after = error.retry_after();
        failure.cause = error.cause().map(str::to_owned);
        match error {
            Error::Refused(refusal) => {
                let fix = match refusal {
                    Refusal::Deactivated { exposed: true, .. } => "It can be reactivated once an admin has rotated it.",
                    _ => code.fix(),
                };
                failure.hint = Some(format!("{} {fix}", what_happened(&refusal)));
            }
            Error::NotAKey(problem) => failure.hint = Some(problem.to_string()),
            Error::MissingScope(scope) => failure.required = Some(scope.whole().unwrap_or(scope)),
            Error::Invalid(violations) => failure.message = Message::Violations(violations),
            Error::Unsuited(violations, fix) => {
                failure.message = Message::Violations(violations);
                failure.hint = Some(format!("{fix} {}", code.fix()));
            }
            Error::NotFound(noun, id) => failure.message = Message::Missing(noun, id),
            Error::Duplicate(duplicate) => failure.message = Message::Duplicate(duplicate),
            Error::TooManyRequests(_)
            | Error::Overloaded(_)
            | Error::Unavailable(_)
            | Error::Full(_)
            | Error::Internal(_)
            | Error::Unauthenticated(_)
            | Error::WrongKind(_)
            | Error::NoAccess
            | Error::Forbidden(..)
            | Error::Conflict(..) => {}
        }
        failure
    }
}

/// The caller has proven to hold the key's secret, so the answer may say what became of the key; it names nobody.
fn what_happened(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Deleted { at, reason: DeleteReason::Inactive } => {
            format!("The key was deleted on {} after 90 days without use.", at.to_day())
        }
        Refusal::Deleted { at, reason: DeleteReason::Requested } => format!("The key was deleted on {}.", at.to_iso()),
        Refusal::Deactivated { at, exposed: false } => format!("The key was deactivated on {}.", at.to_iso()),
        Refusal::Deactivated { at, exposed: true } => {
            format!("The key was deactivated on {}, since its secret was found in public.", at.to_iso())
        }
        Refusal::Expired { at } => format!("The key expired on {}.", at.to_iso()),
        Refusal::Retired { at } => {
            format!("This secret was accepted until {}, when it was replaced or taken back.", at.to_iso())
        }
        Refusal::LocationDeleted => "The key's location is deleted.".to_owned(),
        Refusal::TenantSuspended => "The key's location or agency is suspended.".to_owned(),
        Refusal::AddressNotAllowed { address } => format!("The request came from {address}."),
        Refusal::OriginNotAllowed => {
            "The request came from a page of a site that is not on the list of the key.".to_owned()
        }
    }
}
