//! Tasks for contacts.

use keystead_model::{
    ContactId,
    task::{Task, TaskContent},
};

use crate::{
    Result, Row,
    stored::Stored,
    table::{Named, Table},
};

static TASKS: Table = Table::new("tasks", &["location_id", "contact_id", "id"]).keeping(&["created_at"]);

impl Stored for Task {
    type Parent = ContactId;

    fn table() -> &'static Table {
        &TASKS
    }

    fn columns() -> &'static str {
        "id, contact_id, title, body, due_at, completed, assigned_to, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
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

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, contact, content, created_at, updated_at } = self;
        let TaskContent { title, body, due_at, completed, assigned_to } = content;
        vec![
            ("id", id),
            ("contact_id", contact),
            ("title", title),
            ("body", body),
            ("due_at", due_at),
            ("completed", completed),
            ("assigned_to", assigned_to),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}
