//! Tasks of API 1.0.

use keystead_model::{
    Invalid,
    task::{Task, TaskContent, TaskPatch},
    text::Prose,
};
use serde_json::Value;

use crate::{
    reader::Reader,
    shape::{Envelope, Fields, Ground, Input, Word, Written, word::one_of},
    v2::tasks::due_at,
};

/// A task of API 1.0.
pub(crate) struct Shape(Task);

impl From<Task> for Shape {
    fn from(task: Task) -> Self {
        Self(task)
    }
}

impl Envelope for Shape {
    const ONE: &'static str = "task";
    const MANY: &'static str = "tasks";
}

impl Written for Shape {
    const NAME: &'static str = "Task";

    fn sample() -> Self {
        Self(Task::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let TaskContent { title, body, due_at, completed, assigned_to } = &self.0.content;
        fields.put("id", &self.0.id);
        fields.put("title", title);
        fields.put("description", body.as_ref().map_or("", Prose::as_str));
        fields.put("dueDate", due_at);
        fields.put("isCompleted", completed);
        fields.opt("assignedTo", assigned_to.as_ref());
    }
}

/// Whether it is done, as a word.
pub(crate) struct Status(bool);

impl Word for Status {
    const EXAMPLE: &'static str = "completed";

    fn schema() -> Value {
        one_of(["completed", "incompleted"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match text {
            "completed" => Ok(Self(true)),
            "incompleted" => Ok(Self(false)),
            _ => Err(Invalid::new("must be completed or incompleted")),
        }
    }
}

/// A new task.
pub(crate) struct NewTask(TaskContent);

/// A change of one, which always brings title and date.
pub(crate) struct TaskChange(TaskPatch);

impl Input for NewTask {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let TaskPatch { title, body, due_at, completed, assigned_to } = patch(reader);
        let (body, assigned_to) = (body.flatten(), assigned_to.flatten());
        Some(Self(TaskContent { title: title?, body, due_at: due_at?, completed: completed?, assigned_to }))
    }
}

impl Input for TaskChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(patch(reader)))
    }
}

impl Input for Status {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("status", |reader| reader.word("status"))
    }
}

impl From<NewTask> for TaskContent {
    fn from(new: NewTask) -> Self {
        new.0
    }
}

impl From<TaskChange> for TaskPatch {
    fn from(change: TaskChange) -> Self {
        change.0
    }
}

impl From<Status> for TaskPatch {
    fn from(Status(completed): Status) -> Self {
        Self { completed: Some(completed), ..Self::default() }
    }
}

/// What both writing calls take.
fn patch(reader: &mut Reader<'_>) -> TaskPatch {
    TaskPatch {
        title: reader.required("title", |reader| reader.word("title")),
        due_at: reader.required("dueDate", due_at),
        body: reader.clearable("description"),
        assigned_to: reader.removable_word("assignedTo"),
        completed: Some(reader.word("status").is_some_and(|Status(completed)| completed)),
    }
}
