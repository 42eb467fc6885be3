//! Tasks of contacts.

use keystead_model::{
    ContactId, LocationId, TaskId,
    page::{Page, Window},
    task::{Task, TaskContent},
};

use crate::{Result, Row, Tx, filter::Filter, list::Order, table::Table};

const COLUMNS: &str = "id, contact_id, title, body, due_at, completed, assigned_to, created_at, updated_at";

fn read(row: &mut Row<'_>) -> Result<Task> {
    Ok(Task {
        id: row.column()?,
        contact: row.column()?,
        content: TaskContent {
            title: row.column()?,
            body: row.column()?,
            due_at: row.column()?,
            completed: row.column()?,
            assigned_to: row.column()?,
        },
        created_at: row.column()?,
        updated_at: row.column()?,
    })
}

static TASKS: Table = Table::new("tasks", &["location_id", "contact_id", "id"]).keeping(&["created_at"]);

/// Adds a task, or replaces it.
pub fn save(tx: &mut Tx<'_>, location: LocationId, task: &Task) -> Result<()> {
    let Task {
        id,
        contact,
        content: TaskContent { title, body, due_at, completed, assigned_to },
        created_at,
        updated_at,
    } = task;
    TASKS.save(
        tx,
        &[
            ("location_id", &location),
            ("contact_id", contact),
            ("id", id),
            ("title", title),
            ("body", body),
            ("due_at", due_at),
            ("completed", completed),
            ("assigned_to", assigned_to),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ],
    )
}

/// One task.
pub fn find(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, id: TaskId) -> Result<Option<Task>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks WHERE location_id = ?1 AND contact_id = ?2 AND id = ?3");
    tx.query_opt(&sql, &[&location, &contact, &id], read)
}

/// The tasks of a contact, newest first.
pub fn list(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, window: &Window<TaskId>) -> Result<Page<Task>> {
    let mut conditions = Filter::new();
    conditions.and("location_id = @ AND contact_id = @", &[&location, &contact]);
    conditions.page(tx, &format!("SELECT {COLUMNS} FROM tasks"), Order::descending(&["id"]), window, read)
}

/// Deletes a task; `false` if it was not there.
pub fn delete(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, id: TaskId) -> Result<bool> {
    let sql = "DELETE FROM tasks WHERE location_id = ?1 AND contact_id = ?2 AND id = ?3";
    Ok(tx.execute(sql, &[&location, &contact, &id])? == 1)
}
