//! Views of lists that members of a location have saved.

use keystead_model::{
    LocationId, SavedViewId, UserId, UtcMs,
    page::Window,
    saved_view::{SavedView, SavedViewContent, ViewedList},
};

use crate::{
    Result, Row, ToValue, Tx,
    stored::{self, Parent, Stored},
    table::{Named, Table},
};

static SAVED_VIEWS: Table = Table::new("saved_views", &["location_id", "id"]).keeping(&["list", "created_at"]);

/// Views are a part of their list.
impl Parent for ViewedList {
    fn column(&self) -> Option<(&'static str, &dyn ToValue)> {
        Some(("list", self))
    }
}

impl Stored for SavedView {
    type Parent = ViewedList;

    fn table() -> &'static Table {
        &SAVED_VIEWS
    }

    fn columns() -> &'static str {
        "id, location_id, list, member_id, name, query, is_shared, created_at, updated_at, deleted_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            list: row.column()?,
            member: row.column()?,
            content: SavedViewContent { name: row.column()?, query: row.column()?, is_shared: row.column()? },
            created_at: row.column()?,
            updated_at: row.column()?,
            deleted_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, list, member, content, created_at, updated_at, deleted_at } = self;
        let SavedViewContent { name, query, is_shared } = content;
        vec![
            ("id", id),
            ("list", list),
            ("member_id", member),
            ("name", name),
            ("query", query),
            ("is_shared", is_shared),
            ("created_at", created_at),
            ("updated_at", updated_at),
            ("deleted_at", deleted_at),
        ]
    }
}

/// Those of a list that a member sees: their own, and what others share.
pub fn seen_by(tx: &mut Tx<'_>, location: LocationId, list: ViewedList, member: UserId) -> Result<Vec<SavedView>> {
    let (window, mut filter) = (Window::all(), stored::those_of(&location, &list));
    filter.and("deleted_at IS NULL AND (is_shared OR member_id = @)", &[&member]);
    Ok(stored::search(tx, filter, &window)?.rows)
}

/// One of them, whatever it is a view of.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: SavedViewId) -> Result<Option<SavedView>> {
    let sql = format!("SELECT {} FROM saved_views WHERE location_id = ?1 AND id = ?2", SavedView::columns());
    tx.query_opt(&sql, &[&location, &id], SavedView::read)
}

/// Forgets what was deleted before `until`: nobody brings it back any more.
pub fn forget(tx: &mut Tx<'_>, location: LocationId, until: UtcMs) -> Result<()> {
    tx.later("DELETE FROM saved_views WHERE location_id = ?1 AND deleted_at < ?2", &[&location, &until])
}
