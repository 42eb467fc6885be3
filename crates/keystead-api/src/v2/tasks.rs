//! Tasks of API 2.0.

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    TaskId, UtcMs,
    task::{Task, TaskContent, TaskPatch},
    text::{Line, Prose, TimeZoneName},
};
use serde_json::{Map, Value, json};

use super::contacts::{
    contact_id,
    input::{removable, user_id},
    succeeded,
};
use crate::{call::Call, reader::Reader, reply::Reply};

fn task_id(call: &Call) -> Result<TaskId, Error> {
    call.id("taskId", |text| Error::NotFound(Noun::Task, text.to_owned()))
}

/// A time without a zone is one of the location's.
fn patch(reader: &mut Reader, zone: &TimeZoneName) -> TaskPatch {
    TaskPatch {
        title: reader.parse("title", Line::parse),
        body: reader.clearable("body", Prose::parse),
        due_at: due_at(reader, zone),
        completed: reader.truth("completed"),
        assigned_to: removable(reader, "assignedTo", user_id),
    }
}

pub(crate) fn due_at(reader: &mut Reader, zone: &TimeZoneName) -> Option<UtcMs> {
    reader.moment("dueDate").map(|moment| moment.start(zone))
}

fn shape(task: &Task) -> Value {
    let Task {
        id,
        contact,
        content: TaskContent { title, body, due_at, completed, assigned_to },
        created_at: _,
        updated_at: _,
    } = task;
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(id));
    fields.insert("title".to_owned(), json!(title.as_str()));
    fields.insert("contactId".to_owned(), json!(contact));
    fields.insert("dueDate".to_owned(), json!(due_at));
    fields.insert("completed".to_owned(), json!(completed));
    if let Some(body) = body {
        fields.insert("body".to_owned(), json!(body.as_str()));
    }
    if let Some(user) = assigned_to {
        fields.insert("assignedTo".to_owned(), json!(user));
    }
    Value::Object(fields)
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let slice = call.slice()?;
    let tasks = call.app.list_tasks(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::object(200, &json!({"tasks": slice.of(tasks).map(|task| shape(&task)).collect::<Vec<_>>()})))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let contact = contact_id(&call, "contactId")?;
    let zone = call.app.location_of(&context).await?.profile.timezone;
    let mut reader = call.read_body();
    let title = reader.required("title", |reader| reader.parse("title", Line::parse));
    let due_at = reader.required("dueDate", |reader| due_at(reader, &zone));
    let completed = reader.required("completed", |reader| reader.truth("completed"));
    let TaskPatch { body, assigned_to, .. } = patch(&mut reader, &zone);
    reader.finish()?;
    let (Some(title), Some(due_at), Some(completed)) = (title, due_at, completed) else {
        return Err(Error::invalid("title", "should not be empty"));
    };
    let content = TaskContent { title, body: body.flatten(), due_at, completed, assigned_to: assigned_to.flatten() };
    let task = call.app.create_task(&context, contact, content).await?;
    Ok(Reply::object(201, &json!({"task": shape(&task)})))
}

pub(crate) async fn get(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let task = call.app.get_task(&context, contact_id(&call, "contactId")?, task_id(&call)?).await?;
    Ok(Reply::object(200, &json!({"task": shape(&task)})))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let zone = call.app.location_of(&context).await?.profile.timezone;
    change(context, &mut call, |reader| patch(reader, &zone)).await
}

pub(crate) async fn complete(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let patch = |reader: &mut Reader| {
        let completed = reader.required("completed", |reader| reader.truth("completed"));
        TaskPatch { completed, ..TaskPatch::default() }
    };
    change(context, &mut call, patch).await
}

async fn change(
    context: LocationContext,
    call: &mut Call,
    read: impl FnOnce(&mut Reader) -> TaskPatch,
) -> Result<Reply, Error> {
    call.no_query()?;
    let (contact, id) = (contact_id(call, "contactId")?, task_id(call)?);
    let mut reader = call.read_update();
    let patch = read(&mut reader);
    reader.finish()?;
    let task = call.app.update_task(&context, contact, id, patch).await?;
    Ok(Reply::object(200, &json!({"task": shape(&task)})))
}

pub(crate) async fn delete(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    call.app.delete_task(&context, contact_id(&call, "contactId")?, task_id(&call)?).await?;
    Ok(succeeded())
}
