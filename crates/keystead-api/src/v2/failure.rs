//! Failures in the shape of API 2.0, with the messages that its clients match.

use keystead_core::{Error, ErrorCode, Violation, error::Noun};
use keystead_model::{
    contact::{DuplicateContact, IdentityKind},
    scope::Scope,
    text::echo,
};
use serde_json::{Value, json};

use super::{Version, samples};
use crate::{
    failure::{Failure, Message},
    reply::Reply,
    route::Face,
    shape::{
        Fields, Output, Way, Written,
        output::{Definitions, Field, Out},
        word,
    },
};

/// A failure on the wire.
pub(crate) struct Refusal {
    status: u16,
    message: Said,
    code: ErrorCode,
    hint: Option<String>,
    required: Option<Scope>,
    /// The contact in the way.
    duplicate: Option<DuplicateContact>,
}

/// What is wrong: a sentence, or with status 422 a list.
enum Said {
    Sentence(String),
    Lines(Vec<String>),
}

impl Field for Said {
    fn schema(definitions: &mut Definitions) -> Value {
        json!({"anyOf": [String::schema(definitions), <[String]>::schema(definitions)]})
    }

    fn write(&self, out: &mut Out) {
        match self {
            Self::Sentence(sentence) => sentence.write(out),
            Self::Lines(lines) => lines.write(out),
        }
    }
}

impl Written for Refusal {
    const NAME: &'static str = "Failure";

    fn sample() -> Self {
        let code = ErrorCode::InvalidInput;
        let message = Said::Lines(vec!["name should not be empty".to_owned()]);
        Self { status: 422, message, code, hint: Some(code.fix().to_owned()), required: None, duplicate: None }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("statusCode", &u32::from(self.status));
        fields.put("message", &self.message);
        fields.put("error", reason(self.status));
        let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        fields.one_of("code", self.code.as_str(), &codes);
        fields.opt("hint", self.hint.as_ref());
        fields.put("documentation", &format!("/docs/errors/{}", self.code.as_str()));
        fields.opt("required", self.required.as_ref());
        fields.opt("meta", self.duplicate.as_ref());
    }
}

impl Written for DuplicateContact {
    const NAME: &'static str = "DuplicateContact";

    fn sample() -> Self {
        let name = Some("Ada Lovelace".to_owned());
        Self { id: samples::id(word::THING), matching: IdentityKind::Email, name }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, matching, name } = self;
        fields.put("contactId", id);
        fields.one_of("matchingField", matching.as_str(), &["email", "phone"]);
        fields.put("contactName", name.as_deref().unwrap_or_default());
    }
}

impl Refusal {
    /// In the contract's words.
    fn of(failure: &Failure) -> Self {
        let (status, message) = match &failure.message {
            Message::Missing(Noun::Contact, id) => {
                (400, Said::Sentence(format!("Contact with id {} not found", echo(id))))
            }
            Message::Missing(noun, id) => {
                (404, Said::Sentence(format!("{} with id {} not found", title(*noun), echo(id))))
            }
            Message::Violations(violations) => (422, Said::Lines(violations.iter().map(line).collect())),
            Message::Duplicate(_) => {
                (400, Said::Sentence("This location does not allow duplicated contacts.".to_owned()))
            }
            Message::Text(text) => {
                let status = failure.code.status();
                let message = fixed_message(failure.code).unwrap_or(text).to_owned();
                // The contract's 422 always has a list.
                (status, if status == 422 { Said::Lines(vec![message]) } else { Said::Sentence(message) })
            }
        };
        let duplicate = match &failure.message {
            Message::Duplicate(duplicate) => Some(duplicate.clone()),
            _ => None,
        };
        let (hint, required) = (failure.hint.clone(), failure.required);
        Self { status, message, code: failure.code, hint, required, duplicate }
    }
}

/// A failure inside of an answer, where one of many things was refused.
pub(crate) struct Problem(Refusal);

impl Problem {
    /// In the contract's words.
    pub(crate) fn of(error: Error) -> Self {
        Self(Refusal::of(&Failure::from(error)))
    }

    /// In one sentence.
    pub(crate) fn sentence(&self) -> String {
        match &self.0.message {
            Said::Sentence(sentence) => sentence.clone(),
            Said::Lines(lines) => lines.join("; "),
        }
    }
}

impl Written for Problem {
    const NAME: &'static str = "Problem";

    fn sample() -> Self {
        Self(Refusal::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        Written::write(&self.0, fields);
    }
}

pub(crate) fn render(failure: &Failure) -> Reply {
    let refusal = Refusal::of(failure);
    let status = refusal.status;
    refusal.reply(status, Way::of(Face::V2, Version::V2021), false)
}

/// `property x should not exist`, `locationId can't be undefined`.
fn line(violation: &Violation) -> String {
    format!("{} {}", violation.field, violation.problem)
}

/// Messages that clients match, word by word.
fn fixed_message(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::KeyMissing
        | ErrorCode::KeyUnknown
        | ErrorCode::KeyInUrl
        | ErrorCode::KeyAmbiguous
        | ErrorCode::KeyDeactivated
        | ErrorCode::KeyDeleted
        | ErrorCode::LocationDeleted
        | ErrorCode::KeyExpired
        | ErrorCode::KeySecretRetired => "Invalid Private Integration token",
        ErrorCode::ScopeMissing => "The token is not authorized for this scope.",
        ErrorCode::AgencyKeyNeeded => "Token's user type mismatch!",
        ErrorCode::LocationNotAccessible => "The token does not have access to this location.",
        ErrorCode::RateLimited => "Too Many Requests",
        ErrorCode::Internal => "Internal Server Error",
        _ => return None,
    })
}

fn title(noun: Noun) -> &'static str {
    match noun {
        Noun::Contact => "Contact",
        Noun::Note => "Note",
        Noun::Task => "Task",
        Noun::Tag => "Tag",
        Noun::CustomValue => "Custom value",
        Noun::CustomField => "Custom field",
        Noun::File => "File",
        Noun::Pipeline => "Pipeline",
        Noun::LostReason => "Lost reason",
        Noun::Opportunity => "Opportunity",
        Noun::Business => "Business",
        Noun::Workflow => "Workflow",
        Noun::Campaign => "Campaign",
        Noun::Link => "Link",
        Noun::Click => "Click",
        Noun::LinkToken => "Personal link",
        Noun::Company => "Company",
        Noun::RecurringTask => "Recurring task",
        Noun::Form => "Form",
        Noun::FormVersion => "Version",
        Noun::FormPage => "Page of the form",
        Noun::FormField => "Field of the form",
        Noun::Survey => "Survey",
        Noun::Submission => "Submission",
        Noun::Template => "Template",
        Noun::Import => "Import",
        Noun::SavedView => "View",
        Noun::Location => "Location",
        Noun::Key => "API key",
        Noun::User => "User",
        Noun::Invitation => "Invitation",
        Noun::Notice => "Notification",
        Noun::Webhook => "Webhook",
        Noun::InboundWebhook => "Inbound webhook",
        Noun::InboundPayload => "Payload",
        Noun::Delivery => "Delivery",
    }
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}
