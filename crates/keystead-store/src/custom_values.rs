//! Custom values of a location.

use keystead_model::{
    CustomValueId, LocationId,
    custom_value::{CustomValue, CustomValueContent},
};

use crate::{
    Result, Row, Tx,
    stored::Stored,
    table::{Named, Table},
};

static CUSTOM_VALUES: Table = Table::new("custom_values", &["location_id", "id"]).keeping(&["field_key", "created_at"]);

impl Stored for CustomValue {
    type Parent = ();

    fn table() -> &'static Table {
        &CUSTOM_VALUES
    }

    fn columns() -> &'static str {
        "id, location_id, field_key, name, value, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            key: row.column()?,
            content: CustomValueContent { name: row.column()?, value: row.column()? },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, key, content: CustomValueContent { name, value }, created_at, updated_at } = self;
        vec![
            ("id", id),
            ("field_key", key),
            ("name", name),
            ("value", value),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}

/// Which of a location's has a key.
pub fn find_by_key(tx: &mut Tx<'_>, location: LocationId, key: &str) -> Result<Option<CustomValueId>> {
    let sql = "SELECT id FROM custom_values WHERE location_id = ?1 AND field_key = ?2";
    tx.query_opt(sql, &[&location, &key], |row| row.column())
}
