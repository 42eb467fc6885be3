//! Tasks for a contact.

use crate::{
    BusinessId, ContactId, TaskId, UserId, UtcMs,
    location::set,
    text::{Line, Prose},
};

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The contact.
    pub contact: ContactId,
    /// What its author writes.
    pub content: TaskContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a task that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskContent {
    /// What is to be done.
    pub title: Line<300>,
    /// More about it.
    pub body: Option<Prose<20_000>>,
    /// Until when.
    pub due_at: UtcMs,
    /// Whether it is done.
    pub completed: bool,
    /// Who does it.
    pub assigned_to: Option<UserId>,
}

/// A change of a task; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of TaskContent")]
pub struct TaskPatch {
    pub title: Option<Line<300>>,
    pub body: Option<Option<Prose<20_000>>>,
    pub due_at: Option<UtcMs>,
    pub completed: Option<bool>,
    pub assigned_to: Option<Option<UserId>>,
}

/// Which tasks of a location are looked for; of an empty list every one suits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskSearch {
    /// Of these contacts.
    pub contacts: Vec<ContactId>,
    /// Of contacts of this business.
    pub business: Option<BusinessId>,
    /// Done, or not.
    pub completed: Option<bool>,
    /// For these members.
    pub assigned_to: Vec<UserId>,
    /// With this in their title, whatever its case and accents.
    pub part: Option<String>,
}

impl TaskPatch {
    /// Changes `content`.
    pub fn apply(self, content: &mut TaskContent) {
        let Self { title, body, due_at, completed, assigned_to } = self;
        set(&mut content.title, title);
        set(&mut content.body, body);
        set(&mut content.due_at, due_at);
        set(&mut content.completed, completed);
        set(&mut content.assigned_to, assigned_to);
    }
}
