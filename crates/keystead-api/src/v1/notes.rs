//! Notes of API 1.0.

use keystead_model::{
    UserId,
    note::{Note, NoteContent, NotePatch},
    text::Prose,
};

use crate::{
    reader::Reader,
    shape::{Envelope, Fields, Input, Written},
};

/// A note of API 1.0.
pub(crate) struct Shape(Note);

impl From<Note> for Shape {
    fn from(note: Note) -> Self {
        Self(note)
    }
}

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

impl From<NewNote> for NoteContent {
    fn from(new: NewNote) -> Self {
        new.0
    }
}

impl From<NoteChange> for NotePatch {
    fn from(change: NoteChange) -> Self {
        change.0
    }
}

fn parts(reader: &mut Reader<'_>) -> (Option<Prose<65_000>>, Option<Option<UserId>>) {
    (reader.required("body", |reader| reader.word("body")), reader.removable_word("userId"))
}
