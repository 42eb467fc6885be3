//! Notes of contacts.

use keystead_model::{
    ContactId, LocationId, NoteId,
    note::{Note, NoteContent, NotePatch},
    scope::Scope,
};
use keystead_store::{Tx, contacts as contact_rows, notes};

use crate::{
    App, Error, LocationContext, Result,
    contacts::{changed, not_found as no_contact},
    error::Noun,
    record::record,
};

impl App {
    /// Adds a note to a contact.
    pub async fn create_note(
        &self,
        context: &LocationContext,
        contact: ContactId,
        content: NoteContent,
    ) -> Result<Note> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        let now = context.authority.now();
        let note = Note { id: self.entropy.id(now), contact, content, created_at: now, updated_at: now };
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                notes::save(tx, location, &note)?;
                record(tx, authority, changed("note.created", location, note.id.as_str()))?;
                Ok(note.clone())
            },
            move |tx, lost| find(tx, location, contact, lost.id()?),
        )
        .await
    }

    /// The notes of a contact, newest first.
    pub async fn list_notes(&self, context: &LocationContext, contact: ContactId) -> Result<Vec<Note>> {
        context.authority.require(Scope::ContactsRead)?;
        let location = context.location;
        self.store
            .read(move |tx| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                Ok(notes::list(tx, location, contact)?)
            })
            .await
    }

    /// One note.
    pub async fn get_note(&self, context: &LocationContext, contact: ContactId, id: NoteId) -> Result<Note> {
        context.authority.require(Scope::ContactsRead)?;
        let location = context.location;
        self.store
            .read(move |tx| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                find(tx, location, contact, id)
            })
            .await
    }

    /// Changes a note.
    pub async fn update_note(
        &self,
        context: &LocationContext,
        contact: ContactId,
        id: NoteId,
        patch: NotePatch,
    ) -> Result<Note> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                let mut note = find(tx, location, contact, id)?;
                patch.clone().apply(&mut note.content);
                note.updated_at = authority.now();
                notes::save(tx, location, &note)?;
                record(tx, authority, changed("note.updated", location, id.as_str()))?;
                Ok(note)
            },
            move |tx, _| find(tx, location, contact, id),
        )
        .await
    }

    /// Deletes a note.
    pub async fn delete_note(&self, context: &LocationContext, contact: ContactId, id: NoteId) -> Result<()> {
        let location = context.location;
        context.authority.require(Scope::ContactsWrite)?;
        self.operate(
            &context.authority,
            move |tx, authority| {
                if !contact_rows::exists(tx, location, contact)? {
                    return Err(no_contact(contact));
                }
                if !notes::delete(tx, location, contact, id)? {
                    return Err(not_found(id));
                }
                record(tx, authority, changed("note.deleted", location, id.as_str()))
            },
            |_, _| Ok(()),
        )
        .await
    }
}

fn find(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, id: NoteId) -> Result<Note> {
    notes::find(tx, location, contact, id)?.ok_or_else(|| not_found(id))
}

fn not_found(id: NoteId) -> Error {
    Error::NotFound(Noun::Note, id.to_string())
}
