//! Why opportunities of a location are lost.

use keystead_model::{
    LocationId, LostReasonId,
    page::{Counted, Window},
    pipeline::{LostReason, LostReasonFilter},
    search::fold,
};

use crate::{
    Result, Row, Tx,
    stored::{self, Stored},
    table::{Named, Table},
};

static LOST_REASONS: Table = Table::new("lost_reasons", &["location_id", "id"]).keeping(&["created_at"]);

impl Stored for LostReason {
    type Parent = ();

    fn table() -> &'static Table {
        &LOST_REASONS
    }

    fn columns() -> &'static str {
        "id, location_id, name, created_at, updated_at, deleted_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            name: row.column()?,
            created_at: row.column()?,
            updated_at: row.column()?,
            deleted_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, name, created_at, updated_at, deleted_at } = self;
        vec![
            ("id", id),
            ("name", name),
            ("created_at", created_at),
            ("updated_at", updated_at),
            ("deleted_at", deleted_at),
        ]
    }

    fn folded(&self) -> Vec<(&'static str, String)> {
        vec![("name_folded", fold(self.name.as_str()))]
    }
}

/// One that can be chosen.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: LostReasonId) -> Result<Option<LostReason>> {
    Ok(stored::find(tx, location, (), id)?.filter(|reason: &LostReason| reason.deleted_at.is_none()))
}

/// Those of a location, newest first, and how many there are.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &LostReasonFilter,
    window: &Window<LostReasonId>,
) -> Result<Counted<LostReason>> {
    let LostReasonFilter { name, query, deleted } = filter;
    let (name, query) = (name.as_deref().map(fold), query.as_deref().map(fold));
    let mut conditions = stored::those_of(&location, &());
    conditions.and(if *deleted { "deleted_at IS NOT NULL" } else { "deleted_at IS NULL" }, &[]);
    if let Some(name) = &name {
        conditions.and("name_folded = @", &[name]);
    }
    if let Some(query) = &query {
        conditions.and_any_holds(&["name_folded"], query);
    }
    stored::count_and_search(tx, conditions, window)
}
