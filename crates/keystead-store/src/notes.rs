//! Notes of contacts.

use keystead_model::{
    ContactId, LocationId, NoteId,
    note::{Note, NoteContent},
    page::{Page, Window},
};

use crate::{Result, Row, Tx, filter::Filter, list::Order, table::Table};

const COLUMNS: &str = "id, contact_id, body, title, color, pinned, user_id, created_at, updated_at";

fn read(row: &mut Row<'_>) -> Result<Note> {
    Ok(Note {
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

static NOTES: Table = Table::new("notes", &["location_id", "contact_id", "id"]).keeping(&["created_at"]);

/// Adds a note, or replaces it.
pub fn save(tx: &mut Tx<'_>, location: LocationId, note: &Note) -> Result<()> {
    let Note { id, contact, content: NoteContent { body, title, color, pinned, user }, created_at, updated_at } = note;
    NOTES.save(
        tx,
        &[
            ("location_id", &location),
            ("contact_id", contact),
            ("id", id),
            ("body", body),
            ("title", title),
            ("color", color),
            ("pinned", pinned),
            ("user_id", user),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ],
    )
}

/// One note.
pub fn find(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, id: NoteId) -> Result<Option<Note>> {
    let sql = format!("SELECT {COLUMNS} FROM notes WHERE location_id = ?1 AND contact_id = ?2 AND id = ?3");
    tx.query_opt(&sql, &[&location, &contact, &id], read)
}

/// The notes of a contact, newest first.
pub fn list(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, window: &Window<NoteId>) -> Result<Page<Note>> {
    let mut conditions = Filter::new();
    conditions.and("location_id = @ AND contact_id = @", &[&location, &contact]);
    conditions.page(tx, &format!("SELECT {COLUMNS} FROM notes"), Order::descending(&["id"]), window, read)
}

/// Deletes a note; `false` if it was not there.
pub fn delete(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, id: NoteId) -> Result<bool> {
    let sql = "DELETE FROM notes WHERE location_id = ?1 AND contact_id = ?2 AND id = ?3";
    Ok(tx.execute(sql, &[&location, &contact, &id])? == 1)
}
