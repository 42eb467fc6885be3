//! Forms and surveys of a location.

use std::marker::PhantomData;

use keystead_model::{
    LocationId,
    form::{AsForm, AsSurvey, Form, FormContent, FormHead, FormKind},
    id::Id,
    page::{Counted, Window},
};

use crate::{
    Result, Row, Tx,
    list::Order,
    stored::{Stored, those_of},
    table::{Named, Table},
};

static FORMS: Table = Table::new("forms", &["location_id", "id"]).keeping(&["created_at"]);
static SURVEYS: Table = Table::new("surveys", &["location_id", "id"]).keeping(&["created_at"]);

/// A kind that has a table.
pub trait StoredForm: FormKind {
    /// Its table.
    fn table() -> &'static Table;
}

impl StoredForm for AsForm {
    fn table() -> &'static Table {
        &FORMS
    }
}

impl StoredForm for AsSurvey {
    fn table() -> &'static Table {
        &SURVEYS
    }
}

impl<K: StoredForm> Stored for Form<K> {
    type Parent = ();

    fn table() -> &'static Table {
        K::table()
    }

    fn columns() -> &'static str {
        "id, location_id, name, definition, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            content: FormContent { name: row.column()?, definition: row.column()? },
            created_at: row.column()?,
            updated_at: row.column()?,
            kind: PhantomData,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, content, created_at, updated_at, kind: _ } = self;
        let FormContent { name, definition } = content;
        vec![
            ("id", id),
            ("name", name),
            ("definition", definition),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}

/// Those of a location without their definitions, newest first, and how many there are.
pub fn list<K: StoredForm>(
    tx: &mut Tx<'_>,
    location: LocationId,
    window: &Window<Id<Form<K>>>,
) -> Result<Counted<FormHead<K>>> {
    let table = K::table().name();
    let count = format!("SELECT CAST(count(*) AS BIGINT) FROM {table} WHERE location_id = ?1");
    let total = tx.query_one(&count, &[&location], |row| row.column())?;
    let select = format!("SELECT id, location_id, name FROM {table}");
    let read = |row: &mut Row<'_>| Ok(FormHead { id: row.column()?, location: row.column()?, name: row.column()? });
    let page = those_of(&location, &()).page(tx, &select, Order::descending(&["id"]), window, read)?;
    Ok(Counted { page, total })
}
