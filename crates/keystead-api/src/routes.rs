//! The route table: every route of both APIs, with its scope and its handler. OpenAPI, tests and the dispatcher read it.

use keystead_model::scope::Scope;

use crate::{
    route::{Face, Route, Table},
    v1, v2,
};

/// All routes.
pub fn routes() -> Vec<Route> {
    let mut rows = v2_routes();
    rows.extend(v1_routes());
    rows
}

fn v2_routes() -> Vec<Route> {
    use v2::{api_keys, audit_logs, contacts, locations, notes, notifications, tags, tasks};
    Table::new(Face::V2)
        .location("GET /contacts", Scope::ContactsRead, 200, contacts::list)
        .location("POST /contacts", Scope::ContactsWrite, 201, contacts::create)
        .location("POST /contacts/upsert", Scope::ContactsWrite, 200, contacts::upsert)
        .location("GET /contacts/search/duplicate", Scope::ContactsRead, 200, contacts::duplicate)
        .location("GET /contacts/{contactId}", Scope::ContactsRead, 200, contacts::get)
        .location("PUT /contacts/{contactId}", Scope::ContactsWrite, 200, contacts::update)
        .location("DELETE /contacts/{contactId}", Scope::ContactsWrite, 200, contacts::delete)
        .location("GET /contacts/{contactId}/appointments", Scope::ContactsRead, 200, contacts::appointments)
        .location("POST /contacts/{contactId}/tags", Scope::ContactsWrite, 201, contacts::add_tags)
        .location("DELETE /contacts/{contactId}/tags", Scope::ContactsWrite, 200, contacts::remove_tags)
        .location("GET /contacts/{contactId}/notes", Scope::ContactsRead, 200, notes::list)
        .location("POST /contacts/{contactId}/notes", Scope::ContactsWrite, 201, notes::create)
        .location("GET /contacts/{contactId}/notes/{id}", Scope::ContactsRead, 200, notes::get)
        .location("PUT /contacts/{contactId}/notes/{id}", Scope::ContactsWrite, 200, notes::update)
        .location("DELETE /contacts/{contactId}/notes/{id}", Scope::ContactsWrite, 200, notes::delete)
        .location("GET /contacts/{contactId}/tasks", Scope::ContactsRead, 200, tasks::list)
        .location("POST /contacts/{contactId}/tasks", Scope::ContactsWrite, 201, tasks::create)
        .location("GET /contacts/{contactId}/tasks/{taskId}", Scope::ContactsRead, 200, tasks::get)
        .location("PUT /contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, 200, tasks::update)
        .location("DELETE /contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, 200, tasks::delete)
        .location("PUT /contacts/{contactId}/tasks/{taskId}/completed", Scope::ContactsWrite, 200, tasks::complete)
        .either("GET /locations/search", Some(Scope::LocationsRead), 200, locations::search)
        .agency("POST /locations", Scope::LocationsWrite, 200, locations::create)
        .either("GET /locations/{locationId}", Some(Scope::LocationsRead), 200, locations::get)
        .agency("PUT /locations/{locationId}", Scope::LocationsWrite, 200, locations::update)
        .location("GET /locations/{locationId}/timezones", Scope::LocationsRead, 200, locations::timezones)
        .location("GET /locations/{locationId}/tags", Scope::TagsRead, 200, tags::list)
        .location("POST /locations/{locationId}/tags", Scope::TagsWrite, 200, tags::create)
        .location("GET /locations/{locationId}/tags/{tagId}", Scope::TagsRead, 200, tags::get)
        .location("PUT /locations/{locationId}/tags/{tagId}", Scope::TagsWrite, 200, tags::update)
        .location("DELETE /locations/{locationId}/tags/{tagId}", Scope::TagsWrite, 200, tags::delete)
        .either("GET /api-keys", Some(Scope::KeysRead), 200, api_keys::list)
        .either("POST /api-keys", Some(Scope::KeysWrite), 201, api_keys::create)
        // A key may always look at itself and end itself, so these ask in the operation.
        .either("GET /api-keys/self", None, 200, api_keys::current)
        .either("GET /api-keys/{id}", None, 200, api_keys::get)
        .either("PATCH /api-keys/{id}", Some(Scope::KeysWrite), 200, api_keys::update)
        .either("DELETE /api-keys/{id}", None, 200, api_keys::delete)
        .either("POST /api-keys/{id}/deactivate", None, 200, api_keys::deactivate)
        .either("POST /api-keys/{id}/reactivate", Some(Scope::KeysWrite), 200, api_keys::reactivate)
        .either("POST /api-keys/{id}/rotate", Some(Scope::KeysWrite), 200, api_keys::rotate)
        .either("POST /api-keys/{id}/rotate/cancel", Some(Scope::KeysWrite), 200, api_keys::cancel_rotation)
        .either("POST /api-keys/{id}/rotate/finish", None, 200, api_keys::finish_rotation)
        .either("GET /api-keys/{id}/usage", None, 200, api_keys::usage)
        .either("POST /api-keys/{id}/replace", Some(Scope::KeysWrite), 201, api_keys::replace)
        .either("POST /api-keys/{id}/keep", Some(Scope::KeysWrite), 200, api_keys::keep)
        .either("POST /api-keys/{id}/restore", Some(Scope::KeysWrite), 200, api_keys::restore)
        .open("POST /api-keys/revoke-exposed", 202, api_keys::revoke_exposed)
        .agency("GET /audit-logs", Scope::KeysRead, 200, audit_logs::list)
        .either("GET /notifications", Some(Scope::KeysRead), 200, notifications::list)
        .either("GET /notifications/{id}", Some(Scope::KeysRead), 200, notifications::get)
        .either("PATCH /notifications/{id}", Some(Scope::KeysRead), 200, notifications::update)
        .rows()
}

fn v1_routes() -> Vec<Route> {
    use v1::{contacts, locations, notes, tags, tasks};
    Table::new(Face::V1)
        .location("GET /v1/contacts", Scope::ContactsRead, 200, contacts::list)
        .location("POST /v1/contacts", Scope::ContactsWrite, 200, contacts::create)
        .location("GET /v1/contacts/lookup", Scope::ContactsRead, 200, contacts::lookup)
        .location("GET /v1/contacts/{contactId}", Scope::ContactsRead, 200, contacts::get)
        .location("PUT /v1/contacts/{contactId}", Scope::ContactsWrite, 200, contacts::update)
        .location("DELETE /v1/contacts/{contactId}", Scope::ContactsWrite, 200, contacts::delete)
        .location("GET /v1/contacts/{contactId}/appointments", Scope::ContactsRead, 200, contacts::appointments)
        .location("POST /v1/contacts/{contactId}/tags", Scope::ContactsWrite, 200, contacts::add_tags)
        .location("DELETE /v1/contacts/{contactId}/tags", Scope::ContactsWrite, 200, contacts::remove_tags)
        .location("GET /v1/contacts/{contactId}/notes", Scope::ContactsRead, 200, notes::list)
        .location("POST /v1/contacts/{contactId}/notes", Scope::ContactsWrite, 200, notes::create)
        .location("GET /v1/contacts/{contactId}/notes/{noteId}", Scope::ContactsRead, 200, notes::get)
        .location("PUT /v1/contacts/{contactId}/notes/{noteId}", Scope::ContactsWrite, 200, notes::update)
        .location("DELETE /v1/contacts/{contactId}/notes/{noteId}", Scope::ContactsWrite, 200, notes::delete)
        .location("GET /v1/contacts/{contactId}/tasks", Scope::ContactsRead, 200, tasks::list)
        .location("POST /v1/contacts/{contactId}/tasks", Scope::ContactsWrite, 200, tasks::create)
        .location("GET /v1/contacts/{contactId}/tasks/{taskId}", Scope::ContactsRead, 200, tasks::get)
        .location("PUT /v1/contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, 200, tasks::update)
        .location("DELETE /v1/contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, 200, tasks::delete)
        .location("PUT /v1/contacts/{contactId}/tasks/{taskId}/status", Scope::ContactsWrite, 200, tasks::set_status)
        .location("GET /v1/tags", Scope::TagsRead, 200, tags::list)
        .location("POST /v1/tags", Scope::TagsWrite, 200, tags::create)
        .location("GET /v1/tags/{tagId}", Scope::TagsRead, 200, tags::get)
        .location("PUT /v1/tags/{tagId}", Scope::TagsWrite, 200, tags::update)
        .location("DELETE /v1/tags/{tagId}", Scope::TagsWrite, 200, tags::delete)
        .location("GET /v1/timezones", Scope::LocationsRead, 200, locations::timezones)
        .either("GET /v1/locations", Some(Scope::LocationsRead), 200, locations::list)
        .agency("POST /v1/locations", Scope::LocationsWrite, 200, locations::create)
        .agency("GET /v1/locations/lookup", Scope::LocationsRead, 200, locations::lookup)
        .either("GET /v1/locations/{locationId}", Some(Scope::LocationsRead), 200, locations::get)
        .agency("PUT /v1/locations/{locationId}", Scope::LocationsWrite, 200, locations::update)
        .rows()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keystead_model::{key_kind::KeyKind, scope::Scope};

    #[test]
    fn every_scope_of_a_key_is_asked_for_by_some_route() {
        let asked: BTreeSet<Scope> = super::routes().into_iter().filter_map(|route| route.scope).collect();
        assert_eq!(asked, Scope::ALL.iter().copied().filter(|scope| scope.suits(KeyKind::Agency)).collect());
    }
}
