//! Tasks of API 1.0.

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    Invalid, TaskId,
    task::{Task, TaskContent, TaskPatch},
    text::{Line, Prose, TimeZoneName},
};
use serde_json::{Value, json};

use super::empty_string;
use crate::{
    call::Call,
    reader::Reader,
    reply::Reply,
    v2::{
        contacts::{
            contact_id,
            input::{removable, user_id},
        },
        tasks::due_at,
    },
};

fn task_id(call: &Call) -> Result<TaskId, Error> {
    call.id("taskId", |text| Error::NotFound(Noun::Task, text.to_owned()))
}

fn shape(task: &Task) -> Value {
    let TaskContent { title, body, due_at, completed, assigned_to } = &task.content;
    let mut fields = json!({
        "id": task.id,
        "title": title.as_str(),
        "description": body.as_ref().map(Prose::as_str).unwrap_or_default(),
        "dueDate": due_at,
        "isCompleted": completed,
    });
    if let Some(user) = assigned_to {
        fields["assignedTo"] = json!(user);
    }
    fields
}

fn status(reader: &mut Reader) -> Option<bool> {
    reader.parse("status", |text| match text {
        "completed" => Ok(true),
        "incompleted" => Ok(false),
        _ => Err(Invalid::new("must be completed or incompleted")),
    })
}

/// What both writing calls take. A time without a zone is one of the location's.
fn read(mut reader: Reader, zone: &TimeZoneName) -> Result<TaskPatch, Error> {
    let patch = TaskPatch {
        title: reader.required("title", |reader| reader.parse("title", Line::parse)),
        due_at: reader.required("dueDate", |reader| due_at(reader, zone)),
        body: reader.clearable("description", Prose::parse),
        assigned_to: removable(&mut reader, "assignedTo", user_id),
        completed: Some(status(&mut reader).unwrap_or(false)),
    };
    reader.pass_over_unknown();
    reader.finish()?;
    Ok(patch)
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let slice = call.lenient_slice()?;
    let tasks = call.app.list_tasks(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::bare(&json!({"tasks": slice.of(tasks).map(|task| shape(&task)).collect::<Vec<_>>()})))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let contact = contact_id(&call, "contactId")?;
    let zone = call.app.location_of(&context).await?.profile.timezone;
    let TaskPatch { title, body, due_at, completed, assigned_to } = read(call.read_body(), &zone)?;
    let (Some(title), Some(due_at)) = (title, due_at) else {
        return Err(Error::invalid("title", "should not be empty"));
    };
    let (body, assigned_to) = (body.flatten(), assigned_to.flatten());
    let content = TaskContent { title, body, due_at, completed: completed.unwrap_or(false), assigned_to };
    let task = call.app.create_task(&context, contact, content).await?;
    Ok(Reply::bare(&shape(&task)))
}

pub(crate) async fn get(context: LocationContext, call: Call) -> Result<Reply, Error> {
    let task = call.app.get_task(&context, contact_id(&call, "contactId")?, task_id(&call)?).await?;
    Ok(Reply::bare(&shape(&task)))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let (contact, id) = (contact_id(&call, "contactId")?, task_id(&call)?);
    let zone = call.app.location_of(&context).await?.profile.timezone;
    let patch = read(call.read_update(), &zone)?;
    let task = call.app.update_task(&context, contact, id, patch).await?;
    Ok(Reply::bare(&shape(&task)))
}

pub(crate) async fn set_status(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let (contact, id) = (contact_id(&call, "contactId")?, task_id(&call)?);
    let mut reader = call.read_body();
    let completed = reader.required("status", status);
    reader.pass_over_unknown();
    reader.finish()?;
    let patch = TaskPatch { completed, ..TaskPatch::default() };
    let task = call.app.update_task(&context, contact, id, patch).await?;
    Ok(Reply::bare(&shape(&task)))
}

pub(crate) async fn delete(context: LocationContext, call: Call) -> Result<Reply, Error> {
    call.app.delete_task(&context, contact_id(&call, "contactId")?, task_id(&call)?).await?;
    Ok(empty_string())
}
