//! Routes of locations and of what they have of their own: tags, custom fields with their files, custom values, businesses; and of the
//! company.

use keystead_model::{
    business::{Business, BusinessContent, BusinessPatch},
    custom_field::CustomField,
    custom_value::{CustomValue, CustomValueContent},
    location::Location,
    scope::Scope,
    tag::Tag,
};

use crate::{
    resources,
    route::{Face, Route, Table},
    shape::{EmptyString, One},
    v1, v2,
};

pub(super) fn v2_routes() -> Vec<Route> {
    use v2::{
        businesses, companies, custom_fields, custom_values, files, locations,
        succeeded::{Succeeded, Success},
        tags,
    };
    Table::new(Face::V2)
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
        .location(
            "POST /locations/{locationId}/customValues/bulk",
            "Create many custom values, or update those of the same keys",
            Scope::CustomValuesWrite,
            200,
            custom_values::put_many,
        )
        .rows()
}

pub(super) fn v1_routes() -> Vec<Route> {
    use v1::{custom_fields, custom_values, locations, tags};
    Table::new(Face::V1)
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
