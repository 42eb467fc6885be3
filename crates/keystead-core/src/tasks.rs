//! Tasks for contacts.

use keystead_model::{
    ContactId, TaskId, UserId, UtcMs,
    event::EventKind,
    page::{Page, Window},
    scope::Scope,
    task::{Task, TaskContent, TaskPatch, TaskSearch},
};
use keystead_store::tasks;

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    resource::{Made, Resource},
    webhooks,
};

impl App {
    /// Tasks of a location that suit, in the order in which they are due.
    pub async fn search_tasks(
        &self,
        context: &LocationContext,
        search: TaskSearch,
        window: Window<(UtcMs, TaskId)>,
    ) -> Result<Page<Task>> {
        let time = self.limits.search;
        self.read(context, Scope::TasksRead, move |operation| {
            let found = tasks::search(operation.tx, operation.context.location, &search, &window, time);
            found.map_err(|error| Error::of_search(error, "contactId, businessId or assignedTo"))
        })
        .await
    }
}

impl Resource for Task {
    type Content = TaskContent;
    type Patch = TaskPatch;

    const NOUN: Noun = Noun::Task;
    const SCOPES: (Scope, Scope) = (Scope::ContactsRead, Scope::ContactsWrite);
    const KINDS: [EventKind; 3] = [EventKind::TaskCreated, EventKind::TaskUpdated, EventKind::TaskDeleted];

    fn new(made: Made<Self>, content: TaskContent) -> Self {
        let Made { id, location: _, parent, now } = made;
        Self { id, contact: parent, content, created_at: now, updated_at: now }
    }

    fn change(&mut self, patch: TaskPatch) {
        patch.apply(&mut self.content);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }
}

impl Described for Task {
    fn flat(&self) -> Option<Fields> {
        Some(webhooks::task(self))
    }

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
