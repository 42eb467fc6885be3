//! What can go wrong in a use case, in words that every front door can translate.

use std::time::Duration;

use keystead_model::{
    api_key::{InvalidTransition, Refusal},
    contact::DuplicateContact,
    key_secret::NotAKey,
    scope::Scope,
};

use crate::error_code::ErrorCode;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing that is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, in the caller's spelling.
    pub field: String,
    /// What is wrong, to be read after the field's name.
    pub problem: String,
}

/// A use case that did not happen. Nothing was changed.
#[derive(Debug)]
pub enum Error {
    /// No key, or one that is unknown or has a wrong secret. The last two look alike.
    Unauthenticated(ErrorCode),
    /// The text that was sent for a key has not the form of one. Whoever has it can see that, so they may be told.
    NotAKey(NotAKey),
    /// The key's secret is right, but the key may not be used.
    Refused(Refusal),
    /// The credential lacks a scope.
    MissingScope(Scope),
    /// The wrong kind of credential for this use case.
    WrongKind(ErrorCode),
    /// The location is another tenant's, or does not exist; the same answer for both.
    NoAccess,
    /// Not allowed for another reason.
    Forbidden(ErrorCode, String),
    /// The thing is another tenant's, or does not exist; the same answer for both.
    NotFound(Noun, String),
    /// The input is wrong.
    Invalid(Vec<Violation>),
    /// The same where what would suit can be named, in sentences of their own.
    Unsuited(Vec<Violation>, String),
    /// A contact with the same e-mail address or phone number is there.
    Duplicate(DuplicateContact),
    /// The state does not allow it.
    Conflict(ErrorCode, String),
    /// Too much in too little time.
    TooManyRequests(Duration),
    /// Too much is asked of this server at the moment; it was not begun.
    Overloaded(Duration),
    /// The database does not answer; the same request may work later.
    Unavailable(Unavailable),
    /// There is no room left to write; reading goes on. The text is for the log only.
    Full(String),
    /// A defect of ours, or of the disk: the text is for the log only.
    Internal(String),
}

/// Why something cannot be done at the moment.
#[derive(Debug)]
pub struct Unavailable {
    /// When to try again.
    pub wait: Duration,
    /// What the database said, for the log only. Not logged here: a transaction that is run again has not failed.
    pub cause: Option<String>,
    /// What it is that cannot be asked.
    pub code: ErrorCode,
}

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the nouns of the product")]
pub enum Noun {
    Contact,
    Note,
    Task,
    Tag,
    CustomValue,
    CustomField,
    File,
    Pipeline,
    LostReason,
    Opportunity,
    Business,
    Workflow,
    Campaign,
    Link,
    Click,
    LinkToken,
    Company,
    RecurringTask,
    Form,
    FormVersion,
    FormPage,
    FormField,
    Survey,
    Submission,
    Template,
    Import,
    SavedView,
    Location,
    Key,
    User,
    Invitation,
    Notice,
    Webhook,
    Delivery,
    InboundWebhook,
    InboundPayload,
}

impl Noun {
    /// Lower case, as in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Note => "note",
            Self::Task => "task",
            Self::Tag => "tag",
            Self::CustomValue => "custom value",
            Self::CustomField => "custom field",
            Self::File => "file",
            Self::Pipeline => "pipeline",
            Self::LostReason => "lost reason",
            Self::Opportunity => "opportunity",
            Self::Business => "business",
            Self::Workflow => "workflow",
            Self::Campaign => "campaign",
            Self::Link => "link",
            Self::Click => "click",
            Self::LinkToken => "personal link",
            Self::Company => "company",
            Self::RecurringTask => "recurring task",
            Self::Form => "form",
            Self::FormVersion => "form version",
            Self::FormPage => "page of the form",
            Self::FormField => "field of the form",
            Self::Survey => "survey",
            Self::Submission => "submission",
            Self::Template => "template",
            Self::Import => "import",
            Self::SavedView => "view",
            Self::Location => "location",
            Self::Key => "API key",
            Self::User => "user",
            Self::Invitation => "invitation",
            Self::Notice => "notification",
            Self::Webhook => "webhook",
            Self::Delivery => "delivery",
            Self::InboundWebhook => "inbound webhook",
            Self::InboundPayload => "payload",
        }
    }
}

impl Error {
    /// One violation.
    pub fn invalid(field: &str, problem: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation { field: field.to_owned(), problem: problem.into() }])
    }

    /// For a new one where there are `most` already; `what` they are.
    pub(crate) fn too_many(most: impl std::fmt::Display, what: &str) -> Self {
        Self::invalid("name", format!("cannot be given: there are {most} {what} already; delete one that is not used"))
    }

    /// For a server that cannot tell, or must not ask.
    pub fn unavailable(wait: Duration) -> Self {
        Self::Unavailable(Unavailable { wait, cause: None, code: ErrorCode::Unavailable })
    }

    /// For a server that was started before a version was added to the instance secret.
    pub(crate) fn secret_not_read() -> Self {
        let wait = Duration::from_secs(30);
        Self::Unavailable(Unavailable { wait, cause: None, code: ErrorCode::SecretNotRead })
    }

    /// When to try again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests(wait) | Self::Overloaded(wait) | Self::Unavailable(Unavailable { wait, .. }) => {
                Some(*wait)
            }
            // Its answer is not far.
            Self::Conflict(ErrorCode::IdempotencyInFlight, _) => Some(Duration::from_secs(1)),
            // Somebody has to make room.
            Self::Full(_) => Some(Duration::from_secs(30)),
            _ => None,
        }
    }

    /// What happened behind it, for the log and never for an answer.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Internal(cause) | Self::Full(cause) => Some(cause),
            Self::Unavailable(Unavailable { cause, .. }) => cause.as_deref(),
            _ => None,
        }
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated(code)
            | Self::WrongKind(code)
            | Self::Forbidden(code, _)
            | Self::Conflict(code, _) => *code,
            Self::Refused(refusal) => match refusal {
                Refusal::Deleted { .. } => ErrorCode::KeyDeleted,
                Refusal::Deactivated { .. } => ErrorCode::KeyDeactivated,
                Refusal::Expired { .. } => ErrorCode::KeyExpired,
                Refusal::Retired { .. } => ErrorCode::KeySecretRetired,
                Refusal::TenantSuspended => ErrorCode::TenantSuspended,
                Refusal::LocationDeleted => ErrorCode::LocationDeleted,
                Refusal::AddressNotAllowed { .. } => ErrorCode::AddressNotAllowed,
                Refusal::OriginNotAllowed => ErrorCode::OriginNotAllowed,
            },
            Self::NotAKey(_) => ErrorCode::KeyUnknown,
            Self::MissingScope(_) => ErrorCode::ScopeMissing,
            Self::NoAccess => ErrorCode::LocationNotAccessible,
            Self::NotFound(..) => ErrorCode::NotFound,
            Self::Invalid(_) | Self::Unsuited(..) => ErrorCode::InvalidInput,
            Self::Duplicate(_) => ErrorCode::DuplicateContact,
            Self::TooManyRequests(_) => ErrorCode::RateLimited,
            Self::Overloaded(_) => ErrorCode::Overloaded,
            Self::Unavailable(Unavailable { code, .. }) => *code,
            Self::Full(_) => ErrorCode::StorageFull,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Forbidden(_, message) | Self::Conflict(_, message) => f.write_str(message),
            Self::Invalid(violations) | Self::Unsuited(violations, _) => {
                for (index, Violation { field, problem }) in violations.iter().enumerate() {
                    write!(f, "{}{field} {problem}", if index == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
            Self::NotFound(noun, id) => write!(f, "There is no {} {id}", noun.as_str()),
            other => f.write_str(other.code().title()),
        }
    }
}

impl std::error::Error for Error {}

impl From<keystead_store::Error> for Error {
    fn from(error: keystead_store::Error) -> Self {
        use keystead_store::Error as Store;
        match error {
            Store::Unavailable(cause) | Store::Contended(cause) => Self::Unavailable(Unavailable {
                wait: Duration::from_secs(1),
                cause: Some(cause),
                code: ErrorCode::Unavailable,
            }),
            Store::Full(cause) => Self::Full(cause),
            Store::TooLong => Self::invalid("query", "or filters take too long here; ask for less"),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl Error {
    /// Of a search, which may take too long: then `add` says what makes it short.
    pub(crate) fn of_search(error: keystead_store::Error, add: &str) -> Self {
        match error {
            keystead_store::Error::TooLong => {
                Self::invalid("query", format!("or filters take too long here; add {add}"))
            }
            other => other.into(),
        }
    }
}

impl From<InvalidTransition> for Error {
    fn from(transition: InvalidTransition) -> Self {
        let code = match transition {
            InvalidTransition::OverlapInUse => ErrorCode::RotationRunning,
            _ => ErrorCode::KeyState,
        };
        Self::Conflict(code, transition.to_string())
    }
}
