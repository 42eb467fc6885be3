//! Tasks of contacts.

use keystead_model::{
    ContactId, LocationId, TaskId,
    scope::Scope,
    task::{Task, TaskContent, TaskPatch},
};
use keystead_store::{Tx, contacts as contact_rows, tasks};

use crate::{
    App, Error, LocationContext, Result,
    contacts::{changed, not_found as no_contact},
    error::Noun,
    record::record,
};

impl App {
    /// Adds a task to a contact.
    pub async fn create_task(
        &self,
        context: &LocationContext,
        contact: ContactId,
        content: TaskContent,
    ) -> Result<Task> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        let now = context.authority.now();
        let task = Task { id: self.entropy.id(now), contact, content, created_at: now, updated_at: now };
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                tasks::save(tx, location, &task)?;
                record(tx, authority, changed("task.created", location, task.id.as_str()))?;
                Ok(task.clone())
            },
            move |tx, lost| find(tx, location, contact, lost.id()?),
        )
        .await
    }

    /// The tasks of a contact, newest first.
    pub async fn list_tasks(&self, context: &LocationContext, contact: ContactId) -> Result<Vec<Task>> {
        context.authority.require(Scope::ContactsRead)?;
        let location = context.location;
        self.store
            .read(move |tx| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                Ok(tasks::list(tx, location, contact)?)
            })
            .await
    }

    /// One task.
    pub async fn get_task(&self, context: &LocationContext, contact: ContactId, id: TaskId) -> Result<Task> {
        context.authority.require(Scope::ContactsRead)?;
        let location = context.location;
        self.store
            .read(move |tx| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                find(tx, location, contact, id)
            })
            .await
    }

    /// Changes a task.
    pub async fn update_task(
        &self,
        context: &LocationContext,
        contact: ContactId,
        id: TaskId,
        patch: TaskPatch,
    ) -> Result<Task> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                let mut task = find(tx, location, contact, id)?;
                patch.clone().apply(&mut task.content);
                task.updated_at = authority.now();
                tasks::save(tx, location, &task)?;
                record(tx, authority, changed("task.updated", location, id.as_str()))?;
                Ok(task)
            },
            move |tx, _| find(tx, location, contact, id),
        )
        .await
    }

    /// Deletes a task.
    pub async fn delete_task(&self, context: &LocationContext, contact: ContactId, id: TaskId) -> Result<()> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                if !tasks::delete(tx, location, contact, id)? {
                    return Err(not_found(id));
                }
                record(tx, authority, changed("task.deleted", location, id.as_str()))
            },
            |_, _| Ok(()),
        )
        .await
    }
}

fn find(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, id: TaskId) -> Result<Task> {
    tasks::find(tx, location, contact, id)?.ok_or_else(|| not_found(id))
}

fn not_found(id: TaskId) -> Error {
    Error::NotFound(Noun::Task, id.to_string())
}
