//! Routes of contacts, and of who and what goes with one.

use keystead_model::{
    contact::Contact,
    note::{Note, NoteContent, NotePatch},
    scope::Scope,
    task::{Task, TaskContent, TaskPatch},
};

use crate::{
    many, resources,
    route::{Face, Route, Table},
    shape::{EmptyString, One},
    v1, v2,
};

pub(super) fn v2_routes() -> Vec<Route> {
    use v2::{
        contacts::{self, bulk, companions, enrollments, search},
        imports,
        succeeded::Succeeded,
        tasks,
    };
    Table::new(Face::V2)
        .location("GET /contacts", "List contacts", Scope::ContactsRead, 200, contacts::list)
        .location("POST /contacts", "Create a contact", Scope::ContactsIntake, 201, contacts::create)
        .location(
            "POST /contacts/upsert",
            "Create a contact, or update the one that has its e-mail address or phone number",
            Scope::ContactsIntake,
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
            "GET /contacts/{contactId}/everything",
            "Get all that is kept of a contact",
            Scope::ContactsRead,
            200,
            contacts::everything,
        )
        .location(
            "POST /contacts/{contactId}/erase",
            "Erase a contact for good",
            Scope::ContactsWrite,
            200,
            contacts::erase,
        )
        .location(
            "GET /contacts/trash",
            "List the contacts in the trash",
            Scope::ContactsRead,
            200,
            contacts::trash::list,
        )
        .location(
            "POST /contacts/trash/{contactId}/restore",
            "Bring a contact back from the trash",
            Scope::ContactsWrite,
            200,
            contacts::trash::restore,
        )
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
        .location("GET /imports", "List imports", Scope::ContactsRead, 200, imports::list)
        .location(
            "POST /imports",
            "Import a file of rows: a new contact of each, or a change of the one that has its address",
            Scope::ContactsWrite,
            201,
            imports::create,
        )
        .location("GET /imports/{importId}", "Get an import", Scope::ContactsRead, 200, imports::get)
        .location(
            "GET /imports/{importId}/problems",
            "List the rows of an import that were refused, or of which something was left out",
            Scope::ContactsRead,
            200,
            imports::problems,
        )
        .location(
            "POST /imports/{importId}/stop",
            "Stop an import; what was imported stays",
            Scope::ContactsWrite,
            200,
            imports::stop,
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
    use v1::{contacts, notes, tasks};
    Table::new(Face::V1)
        .location("GET /v1/contacts", "List contacts", Scope::ContactsRead, 200, contacts::list)
        .location(
            "POST /v1/contacts",
            "Create a contact, or update the one that it names",
            Scope::ContactsIntake,
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
        .location(
            "POST /v1/contacts/{contactId}/workflow/{workflowId}",
            "Store that a contact is to be in a workflow",
            Scope::ContactsWrite,
            200,
            contacts::into_workflow,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/workflow/{workflowId}",
            "Store that a contact is not to be in a workflow",
            Scope::ContactsWrite,
            200,
            contacts::from_workflow,
        )
        .location(
            "POST /v1/contacts/{contactId}/campaigns/{campaignId}",
            "Store that a contact is to be in a campaign",
            Scope::ContactsWrite,
            200,
            contacts::into_campaign,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/campaigns/{campaignId}",
            "Store that a contact is not to be in a campaign",
            Scope::ContactsWrite,
            200,
            contacts::from_campaign,
        )
        .location(
            "DELETE /v1/contacts/{contactId}/campaigns/remove-all",
            "Store that a contact is not to be in any campaign",
            Scope::ContactsWrite,
            200,
            contacts::from_campaigns,
        )
        .rows()
}
