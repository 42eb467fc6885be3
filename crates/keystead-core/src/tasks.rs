//! Tasks of contacts.

use keystead_model::{
    ContactId, TaskId, UserId,
    event::EventKind,
    page::{Page, Window},
    scope::Scope,
    task::{Task, TaskContent, TaskPatch},
};
use keystead_store::tasks;

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put, text},
    operate::InLocation,
};

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
    pub async fn list_tasks(
        &self,
        context: &LocationContext,
        contact: ContactId,
        window: Window<TaskId>,
    ) -> Result<Page<Task>> {
        self.read(context, Scope::ContactsRead, move |operation| operation.tasks(contact, &window)).await
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
        self.tell(Happened::made(EventKind::TaskCreated, &task))?;
        Ok(task)
    }

    fn tasks(&mut self, contact: ContactId, window: &Window<TaskId>) -> Result<Page<Task>> {
        self.require_contact(contact)?;
        Ok(tasks::list(self.tx, self.context.location, contact, window)?)
    }

    fn task(&mut self, contact: ContactId, id: TaskId) -> Result<Task> {
        self.require_contact(contact)?;
        tasks::find(self.tx, self.context.location, contact, id)?.ok_or_else(|| not_found(id))
    }

    fn update_task(&mut self, contact: ContactId, id: TaskId, patch: TaskPatch) -> Result<Task> {
        let before = self.task(contact, id)?;
        self.context.authority.expect(&before)?;
        let mut task = before.clone();
        patch.apply(&mut task.content);
        task.updated_at = self.now();
        tasks::save(self.tx, self.context.location, &task)?;
        self.tell(Happened::changed(EventKind::TaskUpdated, &before, &task))?;
        Ok(task)
    }

    fn delete_task(&mut self, contact: ContactId, id: TaskId) -> Result<()> {
        let task = self.task(contact, id)?;
        self.context.authority.expect(&task)?;
        tasks::delete(self.tx, self.context.location, contact, id)?;
        self.tell(Happened::gone(EventKind::TaskDeleted, &task))?;
        Ok(())
    }
}

impl Described for Task {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn contact(&self) -> Option<ContactId> {
        Some(self.contact)
    }

    fn describe(&self) -> Fields {
        let TaskContent { title, body, due_at, completed, assigned_to } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "title", Some(title.as_str()));
        put(&mut fields, "body", body.as_ref().map(|body| text(body.as_str())));
        put(&mut fields, "dueDate", Some(due_at.to_iso()));
        put(&mut fields, "completed", Some(*completed));
        put(&mut fields, "assignedTo", assigned_to.as_ref().map(UserId::as_str));
        fields
    }
}

fn not_found(id: TaskId) -> Error {
    Error::NotFound(Noun::Task, id.to_string())
}
