//! Notes of API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    ContactId, NoteId,
    note::{Note, NoteContent, NotePatch},
};

use super::{samples, succeeded::Succeeded};
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, Envelope, Fields, Input, Many, One, Tagged, Written},
};

impl Envelope for Note {
    const ONE: &'static str = "note";
    const MANY: &'static str = "notes";
}

impl Written for Note {
    const NAME: &'static str = "Note";

    fn sample() -> Self {
        samples::note()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, contact, content: NoteContent { body, title, color, pinned, user }, created_at, updated_at } =
            self;
        fields.put("id", id);
        fields.put("body", body);
        fields.put("bodyText", body);
        fields.put("contactId", contact);
        fields.put("dateAdded", created_at);
        fields.put("dateUpdated", updated_at);
        fields.put("pinned", pinned);
        fields.opt("title", title.as_ref());
        fields.opt("color", color.as_ref());
        fields.opt("userId", user.as_ref());
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// A new note.
pub(crate) struct NewNote(NoteContent);

/// A change of one.
pub(crate) struct NoteChange(NotePatch);

impl Input for NewNote {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let body = reader.required("body", |reader| reader.word("body"));
        let patch = patch(reader);
        let mut content = NoteContent { body: body?, title: None, color: None, pinned: false, user: None };
        patch.apply(&mut content);
        Some(Self(content))
    }
}

impl Input for NoteChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let body = reader.word("body");
        Some(Self(NotePatch { body, ..patch(reader) }))
    }
}

fn patch(reader: &mut Reader<'_>) -> NotePatch {
    NotePatch {
        body: None,
        title: reader.clearable("title"),
        color: reader.clearable("color"),
        pinned: reader.truth("pinned"),
        user: reader.removable_word("userId"),
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<ContactId, Slice>) -> Result<Many<Note>, Error> {
    Ok(Many(call.app.list_notes(&context, call.path, call.query.window()).await?.rows))
}

pub(crate) async fn create(context: LocationContext, call: Call<ContactId, Bare, NewNote>) -> Result<One<Note>, Error> {
    call.app.create_note(&context, call.path, call.body.0).await.map(One)
}

pub(crate) async fn get(context: LocationContext, call: Call<(ContactId, NoteId)>) -> Result<One<Note>, Error> {
    let (contact, id) = call.path;
    call.app.get_note(&context, contact, id).await.map(One)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<(ContactId, NoteId), Bare, NoteChange>,
) -> Result<One<Note>, Error> {
    let (contact, id) = call.path;
    call.app.update_note(&context, contact, id, call.body.0).await.map(One)
}

pub(crate) async fn delete(context: LocationContext, call: Call<(ContactId, NoteId)>) -> Result<Succeeded, Error> {
    let (contact, id) = call.path;
    call.app.delete_note(&context, contact, id).await?;
    Ok(Succeeded)
}
