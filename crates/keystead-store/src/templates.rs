//! Templates of a location.

use keystead_model::{
    LocationId, TemplateId,
    page::{Counted, Window},
    template::{Template, TemplateContent, TemplateFilter},
};

use crate::{
    Result, Row, Tx,
    stored::{self, Stored, those_of},
    table::{Named, Table},
};

static TEMPLATES: Table = Table::new("templates", &["location_id", "id"]).keeping(&["kind", "origin_id", "created_at"]);

impl Stored for Template {
    type Parent = ();

    fn table() -> &'static Table {
        &TEMPLATES
    }

    fn columns() -> &'static str {
        "id, location_id, kind, origin_id, name, subject, body, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            kind: row.column()?,
            origin: row.column()?,
            content: TemplateContent { name: row.column()?, subject: row.column()?, text: row.column()? },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, kind, origin, content, created_at, updated_at } = self;
        let TemplateContent { name, subject, text } = content;
        vec![
            ("id", id),
            ("kind", kind),
            ("origin_id", origin),
            ("name", name),
            ("subject", subject),
            ("body", text),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}

/// Those of a location that suit, newest first, and how many these are.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &TemplateFilter,
    window: &Window<TemplateId>,
) -> Result<Counted<Template>> {
    let TemplateFilter { origin, kind } = filter;
    let mut filter = those_of(&location, &());
    filter.and("origin_id = @", &[origin]);
    if let Some(kind) = kind {
        filter.and("kind = @", &[kind]);
    }
    stored::count_and_search(tx, filter, window)
}
