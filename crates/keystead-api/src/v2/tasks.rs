//! Tasks of API 2.0.

use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    TaskId,
    task::{Task, TaskContent, TaskPatch},
    text::{Line, Prose},
};
use serde_json::{Map, Value, json};

use super::contacts::{contact_id, input::user_id, succeeded};
use crate::{call::Call, reader::Reader, reply::Reply};

fn task_id(call: &Call) -> Result<TaskId, Error> {
    call.id("taskId", |text| Error::NotFound(Noun::Task, text.to_owned()))
}

fn patch(reader: &mut Reader) -> TaskPatch {
    TaskPatch {
        title: reader.parse("title", Line::parse),
        body: reader.clearable("body", Prose::parse),
        due_at: reader.instant("dueDate"),
        completed: reader.truth("completed"),
        assigned_to: reader.parse("assignedTo", user_id),
    }
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
    call.no_query()?;
    let tasks = call.app.list_tasks(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::object(200, &json!({"tasks": tasks.iter().map(shape).collect::<Vec<_>>()})))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let contact = contact_id(&call, "contactId")?;
    let mut reader = call.read_body();
    let title = reader.required("title", |reader| reader.parse("title", Line::parse));
    let due_at = reader.required("dueDate", |reader| reader.instant("dueDate"));
    let completed = reader.required("completed", |reader| reader.truth("completed"));
    let TaskPatch { body, assigned_to, .. } = patch(&mut reader);
    reader.finish()?;
    let (Some(title), Some(due_at), Some(completed)) = (title, due_at, completed) else {
        return Err(Error::invalid("title", "should not be empty"));
    };
    let content = TaskContent { title, body: body.flatten(), due_at, completed, assigned_to };
    let task = call.app.create_task(&context, contact, content).await?;
    Ok(Reply::object(201, &json!({"task": shape(&task)})))
}

pub(crate) async fn get(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let task = call.app.get_task(&context, contact_id(&call, "contactId")?, task_id(&call)?).await?;
    Ok(Reply::object(200, &json!({"task": shape(&task)})))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let patch = |reader: &mut Reader| patch(reader);
    change(context, &mut call, patch).await
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
    let mut reader = call.read_body();
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
