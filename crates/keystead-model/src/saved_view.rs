//! Saved views: what somebody asks of a list, kept under a name.

use crate::{
    LocationId, SavedViewId, UserId, UtcMs,
    location::set,
    scope::Scope,
    text::{Line, Prose},
};

/// A list whose views can be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the nouns themselves")]
pub enum ViewedList {
    Contacts,
    Opportunities,
    Tasks,
}

impl ViewedList {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Contacts, Self::Opportunities, Self::Tasks];

    /// The name, in addresses and as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Opportunities => "opportunities",
            Self::Tasks => "tasks",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// The scope that reads the list: whoever has it keeps views of it for themselves.
    pub const fn read_scope(self) -> Scope {
        match self {
            Self::Contacts => Scope::ContactsRead,
            Self::Opportunities => Scope::OpportunitiesRead,
            Self::Tasks => Scope::TasksRead,
        }
    }

    /// The scope that changes what the list shows: whoever has it changes also what others see beside the list.
    pub const fn write_scope(self) -> Scope {
        match self {
            Self::Contacts | Self::Tasks => Scope::ContactsWrite,
            Self::Opportunities => Scope::OpportunitiesWrite,
        }
    }
}

/// A saved view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Its id.
    pub id: SavedViewId,
    /// The location that has it.
    pub location: LocationId,
    /// What it is a view of.
    pub list: ViewedList,
    /// Who saved it: it is theirs to change.
    pub member: UserId,
    /// What they said of it.
    pub content: SavedViewContent,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
    /// When it was deleted: it is kept for a while, to be brought back.
    pub deleted_at: Option<UtcMs>,
}

impl SavedView {
    /// Whether it stands among the views of somebody.
    pub fn is_seen_by(&self, member: UserId) -> bool {
        self.content.is_shared || self.member == member
    }
}

/// The part of a saved view that its member says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedViewContent {
    /// Its name.
    pub name: Line<64>,
    /// What the list is asked for, as its address says it. The list says what it understands.
    pub query: Prose<2000>,
    /// Whether everybody who reads the list sees it, or only its member.
    pub is_shared: bool,
}

/// A change of it; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "they are those of SavedViewContent")]
pub struct SavedViewPatch {
    pub name: Option<Line<64>>,
    pub query: Option<Prose<2000>>,
    pub is_shared: Option<bool>,
}

impl SavedViewPatch {
    /// Changes `content`.
    pub fn apply(self, content: &mut SavedViewContent) {
        let Self { name, query, is_shared } = self;
        set(&mut content.name, name);
        set(&mut content.query, query);
        set(&mut content.is_shared, is_shared);
    }
}
