//! Failures in the shape of API 2.0, with the messages that its clients match.

use keystead_core::{ErrorCode, Violation, error::Noun};
use serde_json::{Map, Value, json};

use crate::{
    failure::{Failure, Message},
    reply::Reply,
};

pub(crate) fn render(failure: &Failure) -> Reply {
    let (status, message) = match &failure.message {
        Message::Missing(Noun::Contact, id) => {
            (400, json!(format!("Contact with id {} not found", keystead_model::text::echo(id))))
        }
        Message::Missing(noun, id) => {
            (404, json!(format!("{} with id {} not found", title(*noun), keystead_model::text::echo(id))))
        }
        Message::Violations(violations) => (422, violations.iter().map(line).collect()),
        Message::Duplicate(_) => (400, json!("This location does not allow duplicated contacts.")),
        Message::Text(text) => {
            let status = failure.code.status();
            let message = fixed_message(failure.code).unwrap_or(text);
            // The contract's 422 always has a list.
            (status, if status == 422 { json!([message]) } else { json!(message) })
        }
    };
    let mut body = Map::new();
    body.insert("statusCode".to_owned(), json!(status));
    body.insert("message".to_owned(), message);
    body.insert("error".to_owned(), json!(reason(status)));
    body.insert("code".to_owned(), json!(failure.code.as_str()));
    if let Some(hint) = &failure.hint {
        body.insert("hint".to_owned(), json!(hint));
    }
    body.insert("documentation".to_owned(), json!(format!("/docs/errors/{}", failure.code.as_str())));
    if let Some(scope) = failure.required {
        body.insert("required".to_owned(), json!(scope.as_str()));
    }
    if let Message::Duplicate(duplicate) = &failure.message {
        let meta = json!({
            "contactId": duplicate.id,
            "matchingField": duplicate.matching.as_str(),
            "contactName": duplicate.name.as_deref().unwrap_or_default(),
        });
        body.insert("meta".to_owned(), meta);
    }
    Reply::object(status, &Value::Object(body))
}

/// `property x should not exist`, `locationId can't be undefined`.
fn line(violation: &Violation) -> Value {
    json!(format!("{} {}", violation.field, violation.problem))
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
        Noun::Location => "Location",
        Noun::Key => "API key",
        Noun::User => "User",
        Noun::Invitation => "Invitation",
        Noun::Notice => "Notification",
    }
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}
