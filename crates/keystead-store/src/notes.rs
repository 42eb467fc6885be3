//! Notes of contacts.

use keystead_model::{
    ContactId,
    note::{Note, NoteContent},
};

use crate::{
    Result, Row,
    stored::Stored,
    table::{Named, Table},
};

static NOTES: Table = Table::new("notes", &["location_id", "contact_id", "id"]).keeping(&["created_at"]);

impl Stored for Note {
    type Parent = ContactId;

    fn table() -> &'static Table {
        &NOTES
    }

    fn columns() -> &'static str {
        "id, contact_id, body, title, color, pinned, user_id, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            contact: row.column()?,
            content: NoteContent {
                body: row.column()?,
                title: row.column()?,
                color: row.column()?,
                pinned: row.column()?,
                user: row.column()?,
            },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, contact, content, created_at, updated_at } = self;
        let NoteContent { body, title, color, pinned, user } = content;
        vec![
            ("id", id),
            ("contact_id", contact),
            ("body", body),
            ("title", title),
            ("color", color),
            ("pinned", pinned),
            ("user_id", user),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}
