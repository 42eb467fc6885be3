//! Notes of API 2.0.

use keystead_model::note::{Note, NoteContent, NotePatch};

use super::samples;
use crate::{
    many::{OfContact, OneOfMany},
    reader::Reader,
    shape::{Envelope, Fields, Input, Tagged, Written},
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

impl Input for NoteContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let body = reader.required("body", |reader| reader.word("body"));
        let patch = patch(reader);
        let mut content = Self { body: body?, title: None, color: None, pinned: false, user: None };
        patch.apply(&mut content);
        Some(content)
    }
}

impl Input for NotePatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let body = reader.word("body");
        Some(Self { body, ..patch(reader) })
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

impl OneOfMany for OfContact<NoteContent> {
    const MANY: &'static str = "notes";
}
