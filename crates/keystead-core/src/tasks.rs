//! Tasks of contacts.

use keystead_model::{
    ContactId, TaskId,
    scope::Scope,
    task::{Task, TaskContent, TaskPatch},
};
use keystead_store::tasks;

use crate::{App, Error, LocationContext, Result, error::Noun, operate::InLocation};

impl App {
    /// Adds a task to a contact.
    pub async fn create_task(
        &self,
        context: &LocationContext,
        contact: ContactId,
        content: TaskContent,
    ) -> Result<Task> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_task(contact, content.clone());
        self.operate(context, Scope::ContactsWrite, run, move |operation, lost| operation.task(contact, lost.id()?))
            .await
    }

    /// The tasks of a contact, newest first.
    pub async fn list_tasks(&self, context: &LocationContext, contact: ContactId) -> Result<Vec<Task>> {
        self.read(context, Scope::ContactsRead, move |operation| operation.tasks(contact)).await
    }

    /// One task.
    pub async fn get_task(&self, context: &LocationContext, contact: ContactId, id: TaskId) -> Result<Task> {
        self.read(context, Scope::ContactsRead, move |operation| operation.task(contact, id)).await
    }

    /// Changes a task.
    pub async fn update_task(
        &self,
        context: &LocationContext,
        contact: ContactId,
        id: TaskId,
        patch: TaskPatch,
    ) -> Result<Task> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.update_task(contact, id, patch.clone());
        self.operate(context, Scope::ContactsWrite, run, move |operation, _| operation.task(contact, id)).await
    }

    /// Deletes a task.
    pub async fn delete_task(&self, context: &LocationContext, contact: ContactId, id: TaskId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_task(contact, id);
        self.operate(context, Scope::ContactsWrite, run, |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    fn create_task(&mut self, contact: ContactId, content: TaskContent) -> Result<Task> {
        self.require_contact(contact)?;
        let now = self.now();
        let task = Task { id: self.new_id(), contact, content, created_at: now, updated_at: now };
        tasks::save(self.tx, self.context.location, &task)?;
        self.record("task.created", task.id.as_str())?;
        Ok(task)
    }

    fn tasks(&mut self, contact: ContactId) -> Result<Vec<Task>> {
        self.require_contact(contact)?;
        Ok(tasks::list(self.tx, self.context.location, contact)?)
    }

    fn task(&mut self, contact: ContactId, id: TaskId) -> Result<Task> {
        self.require_contact(contact)?;
        tasks::find(self.tx, self.context.location, contact, id)?.ok_or_else(|| not_found(id))
    }

    fn update_task(&mut self, contact: ContactId, id: TaskId, patch: TaskPatch) -> Result<Task> {
        let mut task = self.task(contact, id)?;
        self.context.authority.expect(&task)?;
        patch.apply(&mut task.content);
        task.updated_at = self.now();
        tasks::save(self.tx, self.context.location, &task)?;
        self.record("task.updated", id.as_str())?;
        Ok(task)
    }

    fn delete_task(&mut self, contact: ContactId, id: TaskId) -> Result<()> {
        self.require_contact(contact)?;
        self.expect(|operation| operation.task(contact, id))?;
        if !tasks::delete(self.tx, self.context.location, contact, id)? {
            return Err(not_found(id));
        }
        self.record("task.deleted", id.as_str())
    }
}

fn not_found(id: TaskId) -> Error {
    Error::NotFound(Noun::Task, id.to_string())
}
