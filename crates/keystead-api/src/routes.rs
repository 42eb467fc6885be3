//! The route table: every route of both APIs, with its scope and its handler. OpenAPI, tests and the dispatcher read it.

mod automation;
mod opportunities;

mod contacts;

use keystead_model::{
    api_key::ApiKey,
    business::{Business, BusinessContent, BusinessPatch},
    contact::Contact,
    custom_field::CustomField,
    custom_value::{CustomValue, CustomValueContent},
    location::Location,
    note::{Note, NoteContent, NotePatch},
    notice::Notice,
    scope::Scope,
    tag::Tag,
    task::{Task, TaskContent, TaskPatch},
    user::User,
};

use crate::{
    openapi, resources,
    route::{Face, Route, Table},
    shape::{EmptyString, One},
    v1, v2,
};

/// All routes.
pub fn routes() -> Vec<Route> {
    let mut rows = v2_routes();
    rows.extend(opportunities::v2_routes());
    rows.extend(automation::v2_routes());
    rows.extend(contacts::v2_routes());
    rows.extend(v1_routes());
    rows.extend(contacts::v1_routes());
    rows.extend(opportunities::v1_routes());
    rows.extend(automation::v1_routes());
    rows
}

fn v2_routes() -> Vec<Route> {
    use v2::{
        api_keys, audit_logs, businesses, companies, contacts, custom_fields, events, files, locations, notifications,
        succeeded::{Succeeded, Success},
        tags, tasks, users,
    };
    Table::new(Face::V2)
        .location("GET /contacts", "List contacts", Scope::ContactsRead, 200, contacts::list)
        .location("POST /contacts", "Create a contact", Scope::ContactsWrite, 201, contacts::create)
        .location(
            "POST /contacts/upsert",
            "Create a contact, or update the one that has its e-mail address or phone number",
            Scope::ContactsWrite,
            200,
            contacts::upsert,
        )
        .location(
            "GET /contacts/search/duplicate",
            "Find a contact by e-mail address or phone number",
            Scope::ContactsRead,
            200,
            contacts::duplicate,
        )
        .location("GET /contacts/{contactId}", "Get a contact", Scope::ContactsRead, 200, contacts::get)
        .location("PUT /contacts/{contactId}", "Update a contact", Scope::ContactsWrite, 200, contacts::update)
        .if_match::<Contact>()
        .location("DELETE /contacts/{contactId}", "Delete a contact", Scope::ContactsWrite, 200, contacts::delete)
        .if_match::<Contact>()
        .location(
            "GET /contacts/{contactId}/appointments",
            "List the appointments of a contact",
            Scope::ContactsRead,
            200,
            contacts::appointments,
        )
        .location(
            "POST /contacts/{contactId}/tags",
            "Add tags to a contact",
            Scope::ContactsWrite,
            201,
            contacts::tags::add,
        )
        .location(
            "DELETE /contacts/{contactId}/tags",
            "Remove tags from a contact",
            Scope::ContactsWrite,
            200,
            contacts::tags::remove,
        )
        .location(
            "GET /contacts/{contactId}/notes",
            "List the notes of a contact",
            Scope::ContactsRead,
            200,
            resources::list::<Note, Note>,
        )
        .location(
            "POST /contacts/{contactId}/notes",
            "Create a note",
            Scope::ContactsWrite,
            201,
            resources::create::<Note, NoteContent, One<Note>>,
        )
        .location(
            "GET /contacts/{contactId}/notes/{id}",
            "Get a note",
            Scope::ContactsRead,
            200,
            resources::get::<Note, One<Note>>,
        )
        .location(
            "PUT /contacts/{contactId}/notes/{id}",
            "Update a note",
            Scope::ContactsWrite,
            200,
            resources::update::<Note, NotePatch, One<Note>>,
        )
        .if_match::<Note>()
        .location(
            "DELETE /contacts/{contactId}/notes/{id}",
            "Delete a note",
            Scope::ContactsWrite,
            200,
            resources::delete::<Note, Succeeded>,
        )
        .if_match::<Note>()
        .location(
            "GET /contacts/{contactId}/tasks",
            "List the tasks of a contact",
            Scope::ContactsRead,
            200,
            resources::list::<Task, Task>,
        )
        .location(
            "POST /contacts/{contactId}/tasks",
            "Create a task",
            Scope::ContactsWrite,
            201,
            resources::create::<Task, TaskContent, One<Task>>,
        )
        .location(
            "GET /contacts/{contactId}/tasks/{taskId}",
            "Get a task",
            Scope::ContactsRead,
            200,
            resources::get::<Task, One<Task>>,
        )
        .location(
            "PUT /contacts/{contactId}/tasks/{taskId}",
            "Update a task",
            Scope::ContactsWrite,
            200,
            resources::update::<Task, TaskPatch, One<Task>>,
        )
        .if_match::<Task>()
        .location(
            "DELETE /contacts/{contactId}/tasks/{taskId}",
            "Delete a task",
            Scope::ContactsWrite,
            200,
            resources::delete::<Task, Succeeded>,
        )
        .if_match::<Task>()
        .location(
            "PUT /contacts/{contactId}/tasks/{taskId}/completed",
            "Mark a task as completed, or not",
            Scope::ContactsWrite,
            200,
            resources::update::<Task, tasks::Completed, One<Task>>,
        )
        .if_match::<Task>()
        .either("GET /users/search", "Find users", Some(Scope::UsersRead), 200, users::search)
        .agency(
            "POST /users/search/filter-by-email",
            "Find users by their e-mail addresses",
            Scope::UsersRead,
            200,
            users::filter_by_email,
        )
        .location("GET /users", "List the users of a location", Scope::UsersRead, 200, users::list)
        .either("POST /users", "Create a user", Some(Scope::UsersWrite), 201, users::create)
        .either("GET /users/{userId}", "Get a user", Some(Scope::UsersRead), 200, users::get)
        .either("PUT /users/{userId}", "Update a user", Some(Scope::UsersWrite), 200, users::update)
        .if_match::<User>()
        .either("DELETE /users/{userId}", "Delete a user", Some(Scope::UsersWrite), 200, users::delete)
        .if_match::<User>()
        .agency("GET /companies/{companyId}", "Get the company", Scope::CompaniesRead, 200, companies::get)
        .agency("PUT /companies/{companyId}", "Update the company", Scope::LocationsWrite, 200, companies::update)
        .either("GET /locations/search", "Find locations", Some(Scope::LocationsRead), 200, locations::search)
        .agency("POST /locations", "Create a location", Scope::LocationsWrite, 200, locations::create)
        .either("GET /locations/{locationId}", "Get a location", Some(Scope::LocationsRead), 200, locations::get)
        .agency("PUT /locations/{locationId}", "Update a location", Scope::LocationsWrite, 200, locations::update)
        .if_match::<Location>()
        .agency("DELETE /locations/{locationId}", "Delete a location", Scope::LocationsWrite, 200, locations::delete)
        .if_match::<Location>()
        .agency(
            "POST /locations/{locationId}/restore",
            "Restore a deleted location",
            Scope::LocationsWrite,
            200,
            locations::restore,
        )
        .location(
            "GET /locations/{locationId}/timezones",
            "List time zones",
            Scope::LocationsRead,
            200,
            locations::timezones,
        )
        .infers_location()
        .location("GET /locations/{locationId}/tags", "List the tags of a location", Scope::TagsRead, 200, tags::list)
        .location("POST /locations/{locationId}/tags", "Create a tag", Scope::TagsWrite, 200, tags::create)
        .location("GET /locations/{locationId}/tags/{tagId}", "Get a tag", Scope::TagsRead, 200, tags::get)
        .location(
            "PUT /locations/{locationId}/tags/{tagId}",
            "Rename a tag, here and on every contact",
            Scope::TagsWrite,
            200,
            tags::update,
        )
        .if_match::<Tag>()
        .location(
            "DELETE /locations/{locationId}/tags/{tagId}",
            "Delete a tag, here and from every contact",
            Scope::TagsWrite,
            200,
            tags::delete,
        )
        .if_match::<Tag>()
        .location(
            "GET /locations/{locationId}/customValues",
            "List the custom values of a location",
            Scope::CustomValuesRead,
            200,
            resources::list::<CustomValue, CustomValue>,
        )
        .location(
            "POST /locations/{locationId}/customValues",
            "Create a custom value",
            Scope::CustomValuesWrite,
            201,
            resources::create::<CustomValue, CustomValueContent, One<CustomValue>>,
        )
        .location(
            "GET /locations/{locationId}/customValues/{id}",
            "Get a custom value",
            Scope::CustomValuesRead,
            200,
            resources::get::<CustomValue, One<CustomValue>>,
        )
        .location(
            "PUT /locations/{locationId}/customValues/{id}",
            "Update a custom value",
            Scope::CustomValuesWrite,
            200,
            resources::update::<CustomValue, CustomValueContent, One<CustomValue>>,
        )
        .if_match::<CustomValue>()
        .location(
            "DELETE /locations/{locationId}/customValues/{id}",
            "Delete a custom value",
            Scope::CustomValuesWrite,
            200,
            resources::delete::<CustomValue, Succeeded>,
        )
        .if_match::<CustomValue>()
        .location(
            "GET /locations/{locationId}/customFields",
            "List the custom fields of a location",
            Scope::CustomFieldsRead,
            200,
            custom_fields::list,
        )
        .location(
            "POST /locations/{locationId}/customFields",
            "Create a custom field",
            Scope::CustomFieldsWrite,
            201,
            custom_fields::create,
        )
        .location(
            "POST /locations/{locationId}/customFields/upload",
            "Upload files, for values of custom fields that name them within a day",
            Scope::CustomFieldsWrite,
            200,
            files::upload,
        )
        .location(
            "GET /locations/{locationId}/customFields/{id}",
            "Get a custom field",
            Scope::CustomFieldsRead,
            200,
            custom_fields::get,
        )
        .location(
            "PUT /locations/{locationId}/customFields/{id}",
            "Update a custom field",
            Scope::CustomFieldsWrite,
            200,
            custom_fields::update,
        )
        .if_match::<CustomField>()
        .location(
            "DELETE /locations/{locationId}/customFields/{id}",
            "Delete a custom field, and all that stands in it",
            Scope::CustomFieldsWrite,
            200,
            custom_fields::delete,
        )
        .if_match::<CustomField>()
        .location(
            "POST /forms/upload-custom-files",
            "Upload files into custom fields of a contact",
            Scope::FormsWrite,
            200,
            files::upload_to_contact,
        )
        .open("GET /documents/download/{secret}", "Read a file by its address", 200, files::download)
        .location(
            "GET /businesses",
            "List businesses",
            Scope::BusinessesRead,
            200,
            resources::list::<Business, Business>,
        )
        .location(
            "POST /businesses",
            "Create a business",
            Scope::BusinessesWrite,
            201,
            resources::create::<Business, BusinessContent, businesses::Saved>,
        )
        .location(
            "GET /businesses/{businessId}",
            "Get a business",
            Scope::BusinessesRead,
            200,
            resources::get::<Business, One<Business>>,
        )
        .location(
            "PUT /businesses/{businessId}",
            "Update a business",
            Scope::BusinessesWrite,
            200,
            resources::update::<Business, BusinessPatch, businesses::Saved>,
        )
        .if_match::<Business>()
        .location(
            "DELETE /businesses/{businessId}",
            "Delete a business",
            Scope::BusinessesWrite,
            200,
            resources::delete::<Business, Success>,
        )
        .if_match::<Business>()
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
        .either("GET /notifications", "List notifications", Some(Scope::KeysRead), 200, notifications::list)
        .either("GET /notifications/{id}", "Get a notification", Some(Scope::KeysRead), 200, notifications::get)
        .either(
            "PATCH /notifications/{id}",
            "Mark a notification as seen, read or archived",
            Some(Scope::KeysRead),
            200,
            notifications::update,
        )
        .if_match::<Notice>()
        .public("GET /openapi/2.0.json", "Get the OpenAPI document of API 2.0", openapi::v2)
        .public("GET /openapi/v3.json", "Get the OpenAPI document of API 2.0 with Version: v3", openapi::v3)
        .public("GET /openapi/1.0.json", "Get the OpenAPI document of API 1.0", openapi::v1)
        .rows()
}

fn v1_routes() -> Vec<Route> {
    use v1::{contacts, custom_fields, custom_values, locations, notes, tags, tasks, users};
    Table::new(Face::V1)
        .location("GET /v1/contacts", "List contacts", Scope::ContactsRead, 200, contacts::list)
        .location(
            "POST /v1/contacts",
            "Create a contact, or update the one that it names",
            Scope::ContactsWrite,
            200,
            contacts::create,
        )
        .location(
            "GET /v1/contacts/lookup",
            "Find a contact by e-mail address or phone number",
            Scope::ContactsRead,
            200,
            contacts::lookup,
        )
        .location("GET /v1/contacts/{contactId}", "Get a contact", Scope::ContactsRead, 200, contacts::get)
        .location("PUT /v1/contacts/{contactId}", "Update a contact", Scope::ContactsWrite, 200, contacts::update)
        .location("DELETE /v1/contacts/{contactId}", "Delete a contact", Scope::ContactsWrite, 200, contacts::delete)
        .location(
            "GET /v1/contacts/{contactId}/appointments",
            "List the appointments of a contact",
            Scope::ContactsRead,
            200,
            contacts::appointments,
        )
        .location(
            "POST /v1/contacts/{contactId}/tags",
            "Add tags to a contact",
            Scope::ContactsWrite,
            200,
            contacts::add_tags,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/tags",
            "Remove tags from a contact",
            Scope::ContactsWrite,
            200,
            contacts::remove_tags,
        )
        .location(
            "GET /v1/contacts/{contactId}/notes",
            "List the notes of a contact",
            Scope::ContactsRead,
            200,
            resources::list::<Note, notes::Shape>,
        )
        .location(
            "POST /v1/contacts/{contactId}/notes",
            "Create a note",
            Scope::ContactsWrite,
            200,
            resources::create::<Note, notes::NewNote, notes::Shape>,
        )
        .location(
            "GET /v1/contacts/{contactId}/notes/{noteId}",
            "Get a note",
            Scope::ContactsRead,
            200,
            resources::get::<Note, notes::Shape>,
        )
        .location(
            "PUT /v1/contacts/{contactId}/notes/{noteId}",
            "Update a note",
            Scope::ContactsWrite,
            200,
            resources::update::<Note, notes::NoteChange, notes::Shape>,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/notes/{noteId}",
            "Delete a note",
            Scope::ContactsWrite,
            200,
            resources::delete::<Note, EmptyString>,
        )
        .location(
            "GET /v1/contacts/{contactId}/tasks",
            "List the tasks of a contact",
            Scope::ContactsRead,
            200,
            resources::list::<Task, tasks::Shape>,
        )
        .location(
            "POST /v1/contacts/{contactId}/tasks",
            "Create a task",
            Scope::ContactsWrite,
            200,
            resources::create::<Task, tasks::NewTask, tasks::Shape>,
        )
        .location(
            "GET /v1/contacts/{contactId}/tasks/{taskId}",
            "Get a task",
            Scope::ContactsRead,
            200,
            resources::get::<Task, tasks::Shape>,
        )
        .location(
            "PUT /v1/contacts/{contactId}/tasks/{taskId}",
            "Update a task",
            Scope::ContactsWrite,
            200,
            resources::update::<Task, tasks::TaskChange, tasks::Shape>,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/tasks/{taskId}",
            "Delete a task",
            Scope::ContactsWrite,
            200,
            resources::delete::<Task, EmptyString>,
        )
        .location(
            "PUT /v1/contacts/{contactId}/tasks/{taskId}/status",
            "Mark a task as completed, or not",
            Scope::ContactsWrite,
            200,
            resources::update::<Task, tasks::Status, tasks::Shape>,
        )
        .location("GET /v1/tags", "List the tags of the location", Scope::TagsRead, 200, tags::list)
        .location("POST /v1/tags", "Create a tag", Scope::TagsWrite, 200, tags::create)
        .location("GET /v1/tags/{tagId}", "Get a tag", Scope::TagsRead, 200, tags::get)
        .location(
            "PUT /v1/tags/{tagId}",
            "Rename a tag, here and on every contact",
            Scope::TagsWrite,
            200,
            tags::update,
        )
        .location(
            "DELETE /v1/tags/{tagId}",
            "Delete a tag, here and from every contact",
            Scope::TagsWrite,
            200,
            tags::delete,
        )
        .location(
            "GET /v1/custom-fields",
            "List the custom fields of contacts",
            Scope::CustomFieldsRead,
            200,
            custom_fields::list,
        )
        .location(
            "POST /v1/custom-fields",
            "Create a custom field",
            Scope::CustomFieldsWrite,
            200,
            custom_fields::create,
        )
        .location(
            "GET /v1/custom-fields/{customFieldId}",
            "Get a custom field",
            Scope::CustomFieldsRead,
            200,
            custom_fields::get,
        )
        .location(
            "PUT /v1/custom-fields/{customFieldId}",
            "Update a custom field",
            Scope::CustomFieldsWrite,
            200,
            custom_fields::update,
        )
        .location(
            "DELETE /v1/custom-fields/{customFieldId}",
            "Delete a custom field, and all that stands in it",
            Scope::CustomFieldsWrite,
            200,
            custom_fields::delete,
        )
        .location(
            "GET /v1/custom-values",
            "List the custom values of the location",
            Scope::CustomValuesRead,
            200,
            custom_values::list,
        )
        .location(
            "POST /v1/custom-values",
            "Create a custom value",
            Scope::CustomValuesWrite,
            200,
            resources::create::<CustomValue, CustomValueContent, custom_values::Shape>,
        )
        .location(
            "GET /v1/custom-values/{customValueId}",
            "Get a custom value",
            Scope::CustomValuesRead,
            200,
            resources::get::<CustomValue, custom_values::Shape>,
        )
        .location(
            "PUT /v1/custom-values/{customValueId}",
            "Update a custom value",
            Scope::CustomValuesWrite,
            200,
            resources::update::<CustomValue, CustomValueContent, custom_values::Shape>,
        )
        .location(
            "DELETE /v1/custom-values/{customValueId}",
            "Delete a custom value",
            Scope::CustomValuesWrite,
            200,
            resources::delete::<CustomValue, EmptyString>,
        )
        .either("GET /v1/users", "List users", Some(Scope::UsersRead), 200, users::list)
        .agency("POST /v1/users", "Create a user", Scope::UsersWrite, 200, users::create)
        .location("GET /v1/users/location", "List the users of the location", Scope::UsersRead, 200, users::of_location)
        .agency("GET /v1/users/lookup", "Find a user by e-mail address", Scope::UsersRead, 200, users::lookup)
        .agency("GET /v1/users/{userId}", "Get a user", Scope::UsersRead, 200, users::get)
        .agency("PUT /v1/users/{userId}", "Update a user", Scope::UsersWrite, 200, users::update)
        .agency("DELETE /v1/users/{userId}", "Delete a user", Scope::UsersWrite, 200, users::delete)
        .location("GET /v1/timezones", "List time zones", Scope::LocationsRead, 200, locations::timezones)
        .either("GET /v1/locations", "List locations", Some(Scope::LocationsRead), 200, locations::list)
        .agency("POST /v1/locations", "Create a location", Scope::LocationsWrite, 200, locations::create)
        .agency(
            "GET /v1/locations/lookup",
            "Find a location by its e-mail address",
            Scope::LocationsRead,
            200,
            locations::lookup,
        )
        .either("GET /v1/locations/{locationId}", "Get a location", Some(Scope::LocationsRead), 200, locations::get)
        .agency("PUT /v1/locations/{locationId}", "Update a location", Scope::LocationsWrite, 200, locations::update)
        .agency("DELETE /v1/locations/{locationId}", "Delete a location", Scope::LocationsWrite, 200, locations::delete)
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
