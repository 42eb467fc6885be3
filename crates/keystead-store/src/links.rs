//! Trigger links of a location.

use keystead_model::{
    LinkId, LocationId,
    link::{Link, LinkContent},
    page::{Page, Window},
    search::fold,
};

use crate::{
    Result, Row, Tx,
    stored::{self, Stored, those_of},
    table::{Named, Table},
};

static LINKS: Table = Table::new("links", &["location_id", "id"]).keeping(&["created_at"]);

impl Stored for Link {
    type Parent = ();

    fn table() -> &'static Table {
        &LINKS
    }

    fn columns() -> &'static str {
        "id, location_id, name, redirect_to, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            content: LinkContent { name: row.column()?, redirect_to: row.column()? },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, content: LinkContent { name, redirect_to }, created_at, updated_at } = self;
        vec![
            ("id", id),
            ("name", name),
            ("redirect_to", redirect_to),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }

    fn folded(&self) -> Vec<(&'static str, String)> {
        vec![("name_folded", fold(self.content.name.as_str()))]
    }
}

/// The links of a location whose name holds `part`, whatever its case and accents, newest first.
pub fn search(tx: &mut Tx<'_>, location: LocationId, part: &str, window: &Window<LinkId>) -> Result<Page<Link>> {
    let part = fold(part);
    let mut filter = those_of(&location, &());
    filter.and_any_holds(&["name_folded"], &part);
    stored::search(tx, filter, window)
}
