//! Tasks of contacts.

use keystead_model::{
    ContactId, LocationId, TaskId,
    page::{Page, Window},
    task::{Task, TaskContent},
};

use crate::{Result, Row, Tx, filter::Filter, list::Order};

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

/// Adds a task, or replaces it.
pub fn save(tx: &mut Tx<'_>, location: LocationId, task: &Task) -> Result<()> {
    let Task {
        id,
        contact,
        content: TaskContent { title, body, due_at, completed, assigned_to },
        created_at,
        updated_at,
    } = task;
    tx.execute(
        "INSERT INTO tasks (location_id, contact_id, id, title, body, due_at, completed, assigned_to, created_at,
             updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (location_id, contact_id, id) DO UPDATE SET title = excluded.title, body = excluded.body,
             due_at = excluded.due_at, completed = excluded.completed, assigned_to = excluded.assigned_to,
             updated_at = excluded.updated_at",
        &[&location, contact, id, title, body, due_at, completed, assigned_to, created_at, updated_at],
    )?;
    Ok(())
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
