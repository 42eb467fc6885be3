//! Notes of API 1.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    ContactId, NoteId, UserId,
    note::{Note, NoteContent, NotePatch},
    text::Prose,
};

use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, EmptyString, Envelope, Fields, Input, Many, Written},
};

/// A note of API 1.0.
pub(crate) struct Shape(Note);

impl Envelope for Shape {
    const ONE: &'static str = "note";
    const MANY: &'static str = "notes";
}

impl Written for Shape {
    const NAME: &'static str = "Note";

    fn sample() -> Self {
        Self(Note::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(note) = self;
        fields.put("id", &note.id);
        fields.put("body", &note.content.body);
        fields.put("createdAt", &note.created_at);
        fields.opt("createdBy", note.content.user.as_ref());
    }
}

/// A new note.
pub(crate) struct NewNote(NoteContent);

/// A change of one, which always brings its text.
pub(crate) struct NoteChange(NotePatch);

impl Input for NewNote {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (body, user) = parts(reader);
        Some(Self(NoteContent { body: body?, title: None, color: None, pinned: false, user: user.flatten() }))
    }
}

impl Input for NoteChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (body, user) = parts(reader);
        Some(Self(NotePatch { body: Some(body?), user, ..NotePatch::default() }))
    }
}

fn parts(reader: &mut Reader<'_>) -> (Option<Prose<65_000>>, Option<Option<UserId>>) {
    (reader.required("body", |reader| reader.word("body")), reader.removable_word("userId"))
}

pub(crate) async fn list(context: LocationContext, call: Call<ContactId, Slice>) -> Result<Many<Shape>, Error> {
    Ok(Many(call.app.list_notes(&context, call.path, call.query.window()).await?.rows.into_iter().map(Shape).collect()))
}

pub(crate) async fn create(context: LocationContext, call: Call<ContactId, Bare, NewNote>) -> Result<Shape, Error> {
    call.app.create_note(&context, call.path, call.body.0).await.map(Shape)
}

pub(crate) async fn get(context: LocationContext, call: Call<(ContactId, NoteId)>) -> Result<Shape, Error> {
    let (contact, id) = call.path;
    call.app.get_note(&context, contact, id).await.map(Shape)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<(ContactId, NoteId), Bare, NoteChange>,
) -> Result<Shape, Error> {
    let (contact, id) = call.path;
    call.app.update_note(&context, contact, id, call.body.0).await.map(Shape)
}

pub(crate) async fn delete(context: LocationContext, call: Call<(ContactId, NoteId)>) -> Result<EmptyString, Error> {
    let (contact, id) = call.path;
    call.app.delete_note(&context, contact, id).await?;
    Ok(EmptyString)
}
