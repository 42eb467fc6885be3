//! Notes of contacts.

use keystead_model::{
    ContactId, UserId, UtcMs,
    event::EventKind,
    note::{Note, NoteContent, NotePatch},
    scope::Scope,
    text::Line,
};

use crate::{
    error::Noun,
    events::{Described, Fields, put, text},
    resource::{Made, Resource},
    webhooks,
};

impl Resource for Note {
    type Content = NoteContent;
    type Patch = NotePatch;

    const NOUN: Noun = Noun::Note;
    const SCOPES: (Scope, Scope) = (Scope::ContactsRead, Scope::ContactsWrite);
    const KINDS: [EventKind; 3] = [EventKind::NoteCreated, EventKind::NoteUpdated, EventKind::NoteDeleted];

    fn new(made: Made<Self>, content: NoteContent) -> Self {
        let Made { id, location: _, parent, now } = made;
        Self { id, contact: parent, content, created_at: now, updated_at: now }
    }

    fn change(&mut self, patch: NotePatch) {
        patch.apply(&mut self.content);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }
}

impl Described for Note {
    fn flat(&self) -> Option<Fields> {
        Some(webhooks::note(self))
    }

    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn contact(&self) -> Option<ContactId> {
        Some(self.contact)
    }

    fn describe(&self) -> Fields {
        let NoteContent { body, title, color, pinned, user } = &self.content;
        let mut fields = Fields::new();
        put(&mut fields, "body", Some(text(body.as_str())));
        put(&mut fields, "title", title.as_ref().map(Line::as_str));
        put(&mut fields, "color", color.as_ref().map(Line::as_str));
        put(&mut fields, "pinned", pinned.then_some(true));
        put(&mut fields, "userId", user.as_ref().map(UserId::as_str));
        fields
    }
}
