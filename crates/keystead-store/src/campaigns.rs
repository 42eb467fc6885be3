//! Campaigns of a location.

use keystead_model::{
    CampaignId, LocationId,
    campaign::{Campaign, CampaignContent},
    page::{Page, Window},
    publication::Publication,
};

use crate::{
    Result, Row, Tx,
    stored::{self, Stored, those_of},
    table::{Named, Table},
};

static CAMPAIGNS: Table = Table::new("campaigns", &["location_id", "id"]).keeping(&["created_at"]);

impl Stored for Campaign {
    type Parent = ();

    fn table() -> &'static Table {
        &CAMPAIGNS
    }

    fn columns() -> &'static str {
        "id, location_id, name, status, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            content: CampaignContent { name: row.column()?, status: row.column()? },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, content: CampaignContent { name, status }, created_at, updated_at } = self;
        vec![("id", id), ("name", name), ("status", status), ("created_at", created_at), ("updated_at", updated_at)]
    }
}

/// The campaigns of a location, or those of one status, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    status: Option<Publication>,
    window: &Window<CampaignId>,
) -> Result<Page<Campaign>> {
    let mut filter = those_of(&location, &());
    if let Some(status) = &status {
        filter.and("status = @", &[status]);
    }
    stored::search(tx, filter, window)
}
