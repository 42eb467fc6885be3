//! Tasks of API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    ContactId, TaskId, UtcMs,
    task::{Task, TaskContent, TaskPatch},
};

use super::{samples, succeeded::Succeeded};
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, Envelope, Fields, Input, Many, One, Tagged, Written},
};

impl Envelope for Task {
    const ONE: &'static str = "task";
    const MANY: &'static str = "tasks";
}

impl Written for Task {
    const NAME: &'static str = "Task";

    fn sample() -> Self {
        samples::task()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self {
            id,
            contact,
            content: TaskContent { title, body, due_at, completed, assigned_to },
            created_at: _,
            updated_at: _,
        } = self;
        fields.put("id", id);
        fields.put("title", title);
        fields.put("contactId", contact);
        fields.put("dueDate", due_at);
        fields.put("completed", completed);
        fields.opt("body", body.as_ref());
        fields.opt("assignedTo", assigned_to.as_ref());
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// A new task.
pub(crate) struct NewTask(TaskContent);

/// A change of one.
pub(crate) struct TaskChange(TaskPatch);

/// Whether it is done.
pub(crate) struct Completed(bool);

impl Input for NewTask {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let title = reader.required("title", |reader| reader.word("title"));
        let due_at = reader.required("dueDate", due_at);
        let completed = reader.required("completed", |reader| reader.truth("completed"));
        let body = reader.clearable("body").flatten();
        let assigned_to = reader.removable_word("assignedTo").flatten();
        Some(Self(TaskContent { title: title?, body, due_at: due_at?, completed: completed?, assigned_to }))
    }
}

impl Input for TaskChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(TaskPatch {
            title: reader.word("title"),
            body: reader.clearable("body"),
            due_at: due_at(reader),
            completed: reader.truth("completed"),
            assigned_to: reader.removable_word("assignedTo"),
        }))
    }
}

impl Input for Completed {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("completed", |reader| reader.truth("completed")).map(Self)
    }
}

/// A time without a zone is one of the location's.
pub(crate) fn due_at(reader: &mut Reader<'_>) -> Option<UtcMs> {
    let zone = reader.ground().zone();
    reader.moment("dueDate").map(|moment| moment.start(zone))
}

pub(crate) async fn list(context: LocationContext, call: Call<ContactId, Slice>) -> Result<Many<Task>, Error> {
    Ok(Many(call.app.list_tasks(&context, call.path, call.query.window()).await?.rows))
}

pub(crate) async fn create(context: LocationContext, call: Call<ContactId, Bare, NewTask>) -> Result<One<Task>, Error> {
    call.app.create_task(&context, call.path, call.body.0).await.map(One)
}

pub(crate) async fn get(context: LocationContext, call: Call<(ContactId, TaskId)>) -> Result<One<Task>, Error> {
    let (contact, id) = call.path;
    call.app.get_task(&context, contact, id).await.map(One)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<(ContactId, TaskId), Bare, TaskChange>,
) -> Result<One<Task>, Error> {
    let (contact, id) = call.path;
    call.app.update_task(&context, contact, id, call.body.0).await.map(One)
}

pub(crate) async fn complete(
    context: LocationContext,
    call: Call<(ContactId, TaskId), Bare, Completed>,
) -> Result<One<Task>, Error> {
    let (contact, id) = call.path;
    let patch = TaskPatch { completed: Some(call.body.0), ..TaskPatch::default() };
    call.app.update_task(&context, contact, id, patch).await.map(One)
}

pub(crate) async fn delete(context: LocationContext, call: Call<(ContactId, TaskId)>) -> Result<Succeeded, Error> {
    let (contact, id) = call.path;
    call.app.delete_task(&context, contact, id).await?;
    Ok(Succeeded)
}
