//! Routes of contacts beyond one at a time: searches, many in one call, who and what goes with a contact.

use keystead_model::{
    contact::Contact,
    note::{Note, NoteContent},
    scope::Scope,
    task::{Task, TaskContent},
};

use crate::{
    many,
    route::{Face, Route, Table},
    v1,
    v2::{
        contacts::{bulk, companions, enrollments, search},
        custom_values,
    },
};

pub(super) fn v2_routes() -> Vec<Route> {
    Table::new(Face::V2)
        .location(
            "POST /contacts/search",
            "Search contacts by filters in groups",
            Scope::ContactsRead,
            200,
            search::search,
        )
        .location(
            "POST /contacts/bulk/upsert",
            "Create or update many contacts, each on its own",
            Scope::ContactsWrite,
            200,
            bulk::upsert,
        )
        .location(
            "POST /contacts/bulk/tags/update/{type}",
            "Add tags to many contacts, or remove them",
            Scope::ContactsWrite,
            201,
            bulk::update_tags,
        )
        .location(
            "POST /contacts/bulk/business",
            "Set the business of many contacts",
            Scope::ContactsWrite,
            200,
            bulk::set_business,
        )
        .location(
            "POST /contacts/bulk/notes",
            "Create notes of many contacts",
            Scope::ContactsWrite,
            200,
            many::create::<Note, NoteContent>,
        )
        .location(
            "POST /contacts/bulk/tasks",
            "Create tasks for many contacts",
            Scope::ContactsWrite,
            200,
            many::create::<Task, TaskContent>,
        )
        .location(
            "GET /contacts/business/{businessId}",
            "List the contacts of a business",
            Scope::ContactsRead,
            200,
            companions::of_business,
        )
        .location(
            "POST /contacts/{contactId}/followers",
            "Make users follow a contact",
            Scope::ContactsWrite,
            201,
            companions::add_followers,
        )
        .location(
            "DELETE /contacts/{contactId}/followers",
            "Make users follow a contact no more",
            Scope::ContactsWrite,
            200,
            companions::remove_followers,
        )
        .location(
            "POST /contacts/{contactId}/merge",
            "Make another contact a part of this one",
            Scope::ContactsWrite,
            200,
            companions::merge,
        )
        .if_match::<Contact>()
        .location(
            "POST /locations/{locationId}/customValues/bulk",
            "Create many custom values, or update those of the same keys",
            Scope::CustomValuesWrite,
            200,
            custom_values::put_many,
        )
        .location(
            "GET /contacts/{contactId}/enrollments",
            "List the workflows and campaigns that a contact is to be in",
            Scope::ContactsRead,
            200,
            enrollments::list,
        )
        .location(
            "POST /contacts/{contactId}/workflow/{workflowId}",
            "Store that a contact is to be in a workflow",
            Scope::ContactsWrite,
            200,
            enrollments::into_workflow,
        )
        .location(
            "DELETE /contacts/{contactId}/workflow/{workflowId}",
            "Store that a contact is not to be in a workflow",
            Scope::ContactsWrite,
            200,
            enrollments::from_workflow,
        )
        .location(
            "POST /contacts/{contactId}/campaigns/{campaignId}",
            "Store that a contact is to be in a campaign",
            Scope::ContactsWrite,
            201,
            enrollments::into_campaign,
        )
        .location(
            "DELETE /contacts/{contactId}/campaigns/{campaignId}",
            "Store that a contact is not to be in a campaign",
            Scope::ContactsWrite,
            200,
            enrollments::from_campaign,
        )
        .location(
            "DELETE /contacts/{contactId}/campaigns/removeAll",
            "Store that a contact is not to be in any campaign, by the older path",
            Scope::ContactsWrite,
            200,
            enrollments::from_campaigns,
        )
        .location(
            "DELETE /contacts/{contactId}/campaigns/remove-all",
            "Store that a contact is not to be in any campaign",
            Scope::ContactsWrite,
            200,
            enrollments::from_campaigns,
        )
        .rows()
}

pub(super) fn v1_routes() -> Vec<Route> {
    Table::new(Face::V1)
        .location(
            "POST /v1/contacts/{contactId}/workflow/{workflowId}",
            "Store that a contact is to be in a workflow",
            Scope::ContactsWrite,
            200,
            v1::contacts::into_workflow,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/workflow/{workflowId}",
            "Store that a contact is not to be in a workflow",
            Scope::ContactsWrite,
            200,
            v1::contacts::from_workflow,
        )
        .location(
            "POST /v1/contacts/{contactId}/campaigns/{campaignId}",
            "Store that a contact is to be in a campaign",
            Scope::ContactsWrite,
            200,
            v1::contacts::into_campaign,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/campaigns/{campaignId}",
            "Store that a contact is not to be in a campaign",
            Scope::ContactsWrite,
            200,
            v1::contacts::from_campaign,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/campaigns/remove-all",
            "Store that a contact is not to be in any campaign",
            Scope::ContactsWrite,
            200,
            v1::contacts::from_campaigns,
        )
        .rows()
}
