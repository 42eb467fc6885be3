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
        .location("GET /contacts", Scope::ContactsRead, contacts::list)
        .location("POST /contacts", Scope::ContactsWrite, contacts::create)
        .location("POST /contacts/upsert", Scope::ContactsWrite, contacts::upsert)
        .location("GET /contacts/search/duplicate", Scope::ContactsRead, contacts::duplicate)
        .location("GET /contacts/{contactId}", Scope::ContactsRead, contacts::get)
        .location("PUT /contacts/{contactId}", Scope::ContactsWrite, contacts::update)
        .location("DELETE /contacts/{contactId}", Scope::ContactsWrite, contacts::delete)
        .location("GET /contacts/{contactId}/appointments", Scope::ContactsRead, contacts::appointments)
        .location("POST /contacts/{contactId}/tags", Scope::ContactsWrite, contacts::add_tags)
        .location("DELETE /contacts/{contactId}/tags", Scope::ContactsWrite, contacts::remove_tags)
        .location("GET /contacts/{contactId}/notes", Scope::ContactsRead, notes::list)
        .location("POST /contacts/{contactId}/notes", Scope::ContactsWrite, notes::create)
        .location("GET /contacts/{contactId}/notes/{id}", Scope::ContactsRead, notes::get)
        .location("PUT /contacts/{contactId}/notes/{id}", Scope::ContactsWrite, notes::update)
        .location("DELETE /contacts/{contactId}/notes/{id}", Scope::ContactsWrite, notes::delete)
        .location("GET /contacts/{contactId}/tasks", Scope::ContactsRead, tasks::list)
        .location("POST /contacts/{contactId}/tasks", Scope::ContactsWrite, tasks::create)
        .location("GET /contacts/{contactId}/tasks/{taskId}", Scope::ContactsRead, tasks::get)
        .location("PUT /contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, tasks::update)
        .location("DELETE /contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, tasks::delete)
        .location("PUT /contacts/{contactId}/tasks/{taskId}/completed", Scope::ContactsWrite, tasks::complete)
        .either("GET /locations/search", Some(Scope::LocationsRead), locations::search)
        .agency("POST /locations", Scope::LocationsWrite, locations::create)
        .either("GET /locations/{locationId}", Some(Scope::LocationsRead), locations::get)
        .agency("PUT /locations/{locationId}", Scope::LocationsWrite, locations::update)
        .location("GET /locations/{locationId}/timezones", Scope::LocationsRead, locations::timezones)
        .location("GET /locations/{locationId}/tags", Scope::TagsRead, tags::list)
        .location("POST /locations/{locationId}/tags", Scope::TagsWrite, tags::create)
        .location("GET /locations/{locationId}/tags/{tagId}", Scope::TagsRead, tags::get)
        .location("PUT /locations/{locationId}/tags/{tagId}", Scope::TagsWrite, tags::update)
        .location("DELETE /locations/{locationId}/tags/{tagId}", Scope::TagsWrite, tags::delete)
        .either("GET /api-keys", Some(Scope::KeysRead), api_keys::list)
        .either("POST /api-keys", Some(Scope::KeysWrite), api_keys::create)
        // A key may always look at itself and end itself, so these ask in the operation.
        .either("GET /api-keys/self", None, api_keys::current)
        .either("GET /api-keys/{id}", None, api_keys::get)
        .either("PATCH /api-keys/{id}", Some(Scope::KeysWrite), api_keys::update)
        .either("DELETE /api-keys/{id}", None, api_keys::delete)
        .either("POST /api-keys/{id}/deactivate", None, api_keys::deactivate)
        .either("POST /api-keys/{id}/reactivate", Some(Scope::KeysWrite), api_keys::reactivate)
        .either("POST /api-keys/{id}/rotate", Some(Scope::KeysWrite), api_keys::rotate)
        .either("POST /api-keys/{id}/rotate/cancel", Some(Scope::KeysWrite), api_keys::cancel_rotation)
        .either("POST /api-keys/{id}/rotate/finish", None, api_keys::finish_rotation)
        .either("GET /api-keys/{id}/usage", None, api_keys::usage)
        .either("POST /api-keys/{id}/replace", Some(Scope::KeysWrite), api_keys::replace)
        .either("POST /api-keys/{id}/keep", Some(Scope::KeysWrite), api_keys::keep)
        .either("POST /api-keys/{id}/restore", Some(Scope::KeysWrite), api_keys::restore)
        .open("POST /api-keys/revoke-exposed", api_keys::revoke_exposed)
        .agency("GET /audit-logs", Scope::KeysRead, audit_logs::list)
        .either("GET /notifications", Some(Scope::KeysRead), notifications::list)
        .either("GET /notifications/{id}", Some(Scope::KeysRead), notifications::get)
        .either("PATCH /notifications/{id}", Some(Scope::KeysRead), notifications::update)
        .rows()
}

fn v1_routes() -> Vec<Route> {
    use v1::{contacts, locations, notes, tags, tasks};
    Table::new(Face::V1)
        .location("GET /v1/contacts", Scope::ContactsRead, contacts::list)
        .location("POST /v1/contacts", Scope::ContactsWrite, contacts::create)
        .location("GET /v1/contacts/lookup", Scope::ContactsRead, contacts::lookup)
        .location("GET /v1/contacts/{contactId}", Scope::ContactsRead, contacts::get)
        .location("PUT /v1/contacts/{contactId}", Scope::ContactsWrite, contacts::update)
        .location("DELETE /v1/contacts/{contactId}", Scope::ContactsWrite, contacts::delete)
        .location("GET /v1/contacts/{contactId}/appointments", Scope::ContactsRead, contacts::appointments)
        .location("POST /v1/contacts/{contactId}/tags", Scope::ContactsWrite, contacts::add_tags)
        .location("DELETE /v1/contacts/{contactId}/tags", Scope::ContactsWrite, contacts::remove_tags)
        .location("GET /v1/contacts/{contactId}/notes", Scope::ContactsRead, notes::list)
        .location("POST /v1/contacts/{contactId}/notes", Scope::ContactsWrite, notes::create)
        .location("GET /v1/contacts/{contactId}/notes/{noteId}", Scope::ContactsRead, notes::get)
        .location("PUT /v1/contacts/{contactId}/notes/{noteId}", Scope::ContactsWrite, notes::update)
        .location("DELETE /v1/contacts/{contactId}/notes/{noteId}", Scope::ContactsWrite, notes::delete)
        .location("GET /v1/contacts/{contactId}/tasks", Scope::ContactsRead, tasks::list)
        .location("POST /v1/contacts/{contactId}/tasks", Scope::ContactsWrite, tasks::create)
        .location("GET /v1/contacts/{contactId}/tasks/{taskId}", Scope::ContactsRead, tasks::get)
        .location("PUT /v1/contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, tasks::update)
        .location("DELETE /v1/contacts/{contactId}/tasks/{taskId}", Scope::ContactsWrite, tasks::delete)
        .location("PUT /v1/contacts/{contactId}/tasks/{taskId}/status", Scope::ContactsWrite, tasks::set_status)
        .location("GET /v1/tags", Scope::TagsRead, tags::list)
        .location("POST /v1/tags", Scope::TagsWrite, tags::create)
        .location("GET /v1/tags/{tagId}", Scope::TagsRead, tags::get)
        .location("PUT /v1/tags/{tagId}", Scope::TagsWrite, tags::update)
        .location("DELETE /v1/tags/{tagId}", Scope::TagsWrite, tags::delete)
        .location("GET /v1/timezones", Scope::LocationsRead, locations::timezones)
        .either("GET /v1/locations", Some(Scope::LocationsRead), locations::list)
        .agency("POST /v1/locations", Scope::LocationsWrite, locations::create)
        .agency("GET /v1/locations/lookup", Scope::LocationsRead, locations::lookup)
        .either("GET /v1/locations/{locationId}", Some(Scope::LocationsRead), locations::get)
        .agency("PUT /v1/locations/{locationId}", Scope::LocationsWrite, locations::update)
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
