//! Businesses of a location.

use keystead_model::business::{Business, BusinessContent};

use crate::{
    Result, Row,
    stored::Stored,
    table::{Named, Table},
};

static BUSINESSES: Table = Table::new("businesses", &["location_id", "id"]).keeping(&["created_at", "created_by"]);

impl Stored for Business {
    type Parent = ();

    fn table() -> &'static Table {
        &BUSINESSES
    }

    fn columns() -> &'static str {
        "id, location_id, name, phone, email, website, address, city, region, postal_code, country, description, created_at,
         updated_at, created_by, updated_by"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            content: BusinessContent {
                name: row.column()?,
                phone: row.column()?,
                email: row.column()?,
                website: row.column()?,
                address: row.column()?,
                city: row.column()?,
                state: row.column()?,
                postal_code: row.column()?,
                country: row.column()?,
                description: row.column()?,
            },
            created_at: row.column()?,
            updated_at: row.column()?,
            created_by: row.column()?,
            updated_by: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, content, created_at, updated_at, created_by, updated_by } = self;
        let BusinessContent { name, phone, email, website, address, city, state, postal_code, country, description } =
            content;
        vec![
            ("id", id),
            ("name", name),
            ("phone", phone),
            ("email", email),
            ("website", website),
            ("address", address),
            ("city", city),
            ("region", state),
            ("postal_code", postal_code),
            ("country", country),
            ("description", description),
            ("created_at", created_at),
            ("updated_at", updated_at),
            ("created_by", created_by),
            ("updated_by", updated_by),
        ]
    }
}
