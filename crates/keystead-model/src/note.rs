//! Notes on a contact.

use crate::{
    ContactId, NoteId, UserId, UtcMs,
    location::set,
    text::{Line, Prose},
};

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// The contact.
    pub contact: ContactId,
    /// What its author writes.
    pub content: NoteContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a note that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteContent {
    /// The text.
    pub body: Prose<65_000>,
    /// A heading.
    pub title: Option<Line<200>>,
    /// A colour, as clients name it.
    pub color: Option<Line<40>>,
    /// Whether it is kept on top.
    pub pinned: bool,
    /// Who is named as its author.
    pub user: Option<UserId>,
}

/// A change of a note; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of NoteContent")]
pub struct NotePatch {
    pub body: Option<Prose<65_000>>,
    pub title: Option<Option<Line<200>>>,
    pub color: Option<Option<Line<40>>>,
    pub pinned: Option<bool>,
    pub user: Option<Option<UserId>>,
}

impl NotePatch {
    /// Changes `content`.
    pub fn apply(self, content: &mut NoteContent) {
        let Self { body, title, color, pinned, user } = self;
        set(&mut content.body, body);
        set(&mut content.title, title);
        set(&mut content.color, color);
        set(&mut content.pinned, pinned);
        set(&mut content.user, user);
    }
}
