//! Failures in the shape of API 1.0.

use keystead_core::{ErrorCode, Violation, error::Noun};
use serde_json::{Map, Value, json};

use crate::{
    failure::{Failure, Message},
    reply::Reply,
};

pub(crate) fn render(failure: &Failure) -> Reply {
    let (status, mut body) = match &failure.message {
        Message::Missing(noun, _) => {
            (422, field(noun_field(*noun), &format!("The {} id is invalid.", noun.as_str()), "invalid"))
        }
        Message::Violations(violations) => (422, violations.iter().flat_map(of_violation).collect()),
        Message::Duplicate(duplicate) => (
            422,
            field(
                duplicate.matching.as_str(),
                &format!("The {} belongs to another contact.", duplicate.matching.as_str()),
                "unique",
            ),
        ),
        Message::Text(text) => {
            let status = failure.code.status();
            let text = match (status, failure.code) {
                (401, ErrorCode::ScopeMissing) => "Api key has no access to this resource.",
                (401, _) => "Api key is invalid.",
                (400, ErrorCode::MalformedBody) => "Bad Request",
                _ => text,
            };
            (status, Map::from_iter([("msg".to_owned(), json!(text))]))
        }
    };
    // A failure of fields has only the fields: its clients take every member for one.
    if status != 422 {
        body.insert("code".to_owned(), json!(failure.code.as_str()));
        if let Some(hint) = &failure.hint {
            body.insert("hint".to_owned(), json!(hint));
        }
        if let Some(scope) = failure.required {
            body.insert("required".to_owned(), json!(scope.as_str()));
        }
    }
    Reply::json(status, &Value::Object(body))
}

/// What [`render`] makes: fields, each with what is wrong, or a message with its code.
pub(crate) fn schema() -> Value {
    let problem = json!({
        "type": "object",
        "properties": {"message": {"type": "string"}, "rule": {"type": "string"}},
        "required": ["message", "rule"],
        "additionalProperties": false,
    });
    json!({"type": "object", "additionalProperties": {"anyOf": [problem, {"type": "string"}]}})
}

fn field(name: &str, message: &str, rule: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), json!({"message": message, "rule": rule}))])
}

fn of_violation(violation: &Violation) -> Map<String, Value> {
    let Violation { field: name, problem } = violation;
    if problem == "should not be empty" || problem == "can't be undefined" {
        return field(name, &format!("The {name} field is mandatory."), "required");
    }
    let name = name.strip_prefix("property ").unwrap_or(name);
    field(name, &format!("The {name} {problem}."), "invalid")
}

fn noun_field(noun: Noun) -> &'static str {
    match noun {
        Noun::Note => "noteId",
        Noun::Task => "taskId",
        Noun::Tag => "tagId",
        Noun::CustomValue => "customValueId",
        Noun::Pipeline => "pipelineId",
        Noun::LostReason => "lostReasonId",
        Noun::Opportunity => "opportunityId",
        Noun::Workflow => "workflowId",
        Noun::Campaign => "campaignId",
        Noun::Link => "linkId",
        Noun::CustomField => "customFieldId",
        Noun::File => "fileId",
        Noun::Form => "formId",
        Noun::FormVersion => "version",
        Noun::Survey => "surveyId",
        Noun::Contact
        | Noun::RecurringTask
        | Noun::FormPage
        | Noun::FormField
        | Noun::Submission
        | Noun::Template
        | Noun::Import
        | Noun::SavedView
        | Noun::Business
        | Noun::Company
        | Noun::Location
        | Noun::Key
        | Noun::User
        | Noun::Invitation
        | Noun::Notice
        | Noun::InboundWebhook
        | Noun::InboundPayload
        | Noun::Webhook
        | Noun::Delivery
        | Noun::Click
        | Noun::LinkToken => "id",
    }
}
