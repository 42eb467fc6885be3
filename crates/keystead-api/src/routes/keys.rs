//! Routes of API keys, and of what their owners are told: events, the audit log, notifications. They are ours.

use keystead_model::{api_key::ApiKey, notice::Notice, scope::Scope};

use crate::{
    route::{Face, Route, Table},
    v2::{api_keys, audit_logs, events, notifications},
};

pub(super) fn v2_routes() -> Vec<Route> {
    Table::new(Face::V2)
        .either("GET /api-keys", "List API keys", Some(Scope::KeysRead), 200, api_keys::list)
        .either(
            "POST /api-keys",
            "Create an API key, whose secret is shown once",
            Some(Scope::KeysWrite),
            201,
            api_keys::create,
        )
        // A key may always look at itself and end itself, so these ask in the operation.
        .either("GET /api-keys/self", "Get the API key that calls", None, 200, api_keys::current)
        .either("GET /api-keys/{id}", "Get an API key", None, 200, api_keys::get)
        .either("PATCH /api-keys/{id}", "Change an API key", Some(Scope::KeysWrite), 200, api_keys::update)
        .if_match::<ApiKey>()
        .either("DELETE /api-keys/{id}", "Delete an API key", None, 200, api_keys::delete)
        .if_match::<ApiKey>()
        .either("POST /api-keys/{id}/deactivate", "Deactivate an API key", None, 200, api_keys::deactivate)
        .if_match::<ApiKey>()
        .either(
            "POST /api-keys/{id}/reactivate",
            "Reactivate an API key",
            Some(Scope::KeysWrite),
            200,
            api_keys::reactivate,
        )
        .if_match::<ApiKey>()
        .either(
            "POST /api-keys/{id}/rotate",
            "Give an API key its next secret, which is shown once",
            Some(Scope::KeysWrite),
            200,
            api_keys::rotate,
        )
        .if_match::<ApiKey>()
        .either(
            "POST /api-keys/{id}/rotate/cancel",
            "Take a rotation back",
            Some(Scope::KeysWrite),
            200,
            api_keys::cancel_rotation,
        )
        .if_match::<ApiKey>()
        .either(
            "POST /api-keys/{id}/rotate/finish",
            "End the old secret of a rotation now",
            None,
            200,
            api_keys::finish_rotation,
        )
        .if_match::<ApiKey>()
        .either("GET /api-keys/{id}/usage", "Report the use of an API key", None, 200, api_keys::usage)
        .either(
            "POST /api-keys/{id}/replace",
            "Create an API key in place of a lost one",
            Some(Scope::KeysWrite),
            201,
            api_keys::replace,
        )
        .either(
            "POST /api-keys/{id}/keep",
            "Keep an API key that would be deleted for want of use",
            Some(Scope::KeysWrite),
            200,
            api_keys::keep,
        )
        .if_match::<ApiKey>()
        .either(
            "POST /api-keys/{id}/reduce",
            "Take from an API key the scopes that it has not used in 30 days",
            Some(Scope::KeysWrite),
            200,
            api_keys::reduce,
        )
        .if_match::<ApiKey>()
        .either(
            "POST /api-keys/{id}/restore",
            "Restore a deleted API key",
            Some(Scope::KeysWrite),
            200,
            api_keys::restore,
        )
        .if_match::<ApiKey>()
        .open(
            "POST /api-keys/revoke-exposed",
            "Report API keys that were found in public, which ends them",
            202,
            api_keys::revoke_exposed,
        )
        .agency("GET /audit-logs", "List the audit log of the agency", Scope::KeysRead, 200, audit_logs::list)
        // What is seen follows from the scopes of each kind.
        .either("GET /events", "Poll for events: what changed, since when you asked last", None, 200, events::list)
        // Each is for whoever may read what it is about.
        .either("GET /notifications", "List notifications", None, 200, notifications::list)
        .either("GET /notifications/{id}", "Get a notification", None, 200, notifications::get)
        .either(
            "PATCH /notifications/{id}",
            "Mark a notification as seen, read or archived",
            None,
            200,
            notifications::update,
        )
        .if_match::<Notice>()
        .rows()
}
