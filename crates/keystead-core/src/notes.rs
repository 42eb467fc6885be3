//! Notes of contacts.

use keystead_model::{
    ContactId, NoteId, UserId,
    event::EventKind,
    note::{Note, NoteContent, NotePatch},
    page::{Page, Window},
    scope::Scope,
    text::Line,
};
use keystead_store::notes;

use crate::{
    App, Error, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put, text},
    operate::InLocation,
};

impl App {
    /// Adds a note to a contact.
    pub async fn create_note(
        &self,
        context: &LocationContext,
        contact: ContactId,
        content: NoteContent,
    ) -> Result<Note> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_note(contact, content.clone());
        self.operate(context, Scope::ContactsWrite, run, move |operation, lost| operation.note(contact, lost.id()?))
            .await
    }

    /// The notes of a contact, newest first.
    pub async fn list_notes(
        &self,
        context: &LocationContext,
        contact: ContactId,
        window: Window<NoteId>,
    ) -> Result<Page<Note>> {
        self.read(context, Scope::ContactsRead, move |operation| operation.notes(contact, &window)).await
    }

    /// One note.
    pub async fn get_note(&self, context: &LocationContext, contact: ContactId, id: NoteId) -> Result<Note> {
        self.read(context, Scope::ContactsRead, move |operation| operation.note(contact, id)).await
    }

    /// Changes a note.
    pub async fn update_note(
        &self,
        context: &LocationContext,
        contact: ContactId,
        id: NoteId,
        patch: NotePatch,
    ) -> Result<Note> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.update_note(contact, id, patch.clone());
        self.operate(context, Scope::ContactsWrite, run, move |operation, _| operation.note(contact, id)).await
    }

    /// Deletes a note.
    pub async fn delete_note(&self, context: &LocationContext, contact: ContactId, id: NoteId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_note(contact, id);
        self.operate(context, Scope::ContactsWrite, run, |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    pub(crate) fn create_note(&mut self, contact: ContactId, content: NoteContent) -> Result<Note> {
        self.require_contact(contact)?;
        let now = self.now();
        let note = Note { id: self.new_id(), contact, content, created_at: now, updated_at: now };
        notes::save(self.tx, self.context.location, &note)?;
        self.tell(Happened::made(EventKind::NoteCreated, &note))?;
        Ok(note)
    }

    fn notes(&mut self, contact: ContactId, window: &Window<NoteId>) -> Result<Page<Note>> {
        self.require_contact(contact)?;
        Ok(notes::list(self.tx, self.context.location, contact, window)?)
    }

    fn note(&mut self, contact: ContactId, id: NoteId) -> Result<Note> {
        self.require_contact(contact)?;
        notes::find(self.tx, self.context.location, contact, id)?.ok_or_else(|| not_found(id))
    }

    fn update_note(&mut self, contact: ContactId, id: NoteId, patch: NotePatch) -> Result<Note> {
        let before = self.note(contact, id)?;
        self.context.authority.expect(&before)?;
        let mut note = before.clone();
        patch.apply(&mut note.content);
        note.updated_at = self.now();
        notes::save(self.tx, self.context.location, &note)?;
        self.tell(Happened::changed(EventKind::NoteUpdated, &before, &note))?;
        Ok(note)
    }

    fn delete_note(&mut self, contact: ContactId, id: NoteId) -> Result<()> {
        let note = self.note(contact, id)?;
        self.context.authority.expect(&note)?;
        notes::delete(self.tx, self.context.location, contact, id)?;
        self.tell(Happened::gone(EventKind::NoteDeleted, &note))?;
        Ok(())
    }
}

impl Described for Note {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn contact(&self) -> Option<ContactId> {
        Some(self.contact)
    }

    fn describe(&self) -> Fields {
        let NoteContent { body, title, color, pinned, user } = &self.content;
        let mut fields = Fields::new();
        fields.insert("body".to_owned(), text(body.as_str()));
        put(&mut fields, "title", title.as_ref().map(Line::as_str));
        put(&mut fields, "color", color.as_ref().map(Line::as_str));
        put(&mut fields, "pinned", pinned.then_some(true));
        put(&mut fields, "userId", user.as_ref().map(UserId::as_str));
        fields
    }
}

fn not_found(id: NoteId) -> Error {
    Error::NotFound(Noun::Note, id.to_string())
}
