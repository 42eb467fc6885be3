//! Workflows of a location.

use keystead_model::{
    LocationId, WorkflowId,
    page::{Page, Window},
    uuid::Uuid,
    workflow::{Workflow, WorkflowHead},
};

use crate::{
    Result, Row, Tx,
    list::Order,
    stored::{Stored, those_of},
    table::{Named, Table},
};

static WORKFLOWS: Table = Table::new("workflows", &["location_id", "id"]).keeping(&["created_at"]);

impl Stored for Workflow {
    type Parent = ();

    fn table() -> &'static Table {
        &WORKFLOWS
    }

    fn columns() -> &'static str {
        "id, location_id, name, status, version, created_at, updated_at, definition"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { head: read_head(row)?, definition: row.column()? })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { head, definition } = self;
        let WorkflowHead { id, uuid: _, location: _, name, status, version, created_at, updated_at } = head;
        vec![
            ("id", id),
            ("name", name),
            ("status", status),
            ("version", version),
            ("definition", definition),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}

fn read_head(row: &mut Row<'_>) -> Result<WorkflowHead> {
    let id: WorkflowId = row.column()?;
    Ok(WorkflowHead {
        id,
        uuid: Uuid::of(id),
        location: row.column()?,
        name: row.column()?,
        status: row.column()?,
        version: row.column()?,
        created_at: row.column()?,
        updated_at: row.column()?,
    })
}

/// The workflows of a location without their definitions, newest first.
pub fn list(tx: &mut Tx<'_>, location: LocationId, window: &Window<WorkflowId>) -> Result<Page<WorkflowHead>> {
    let select = "SELECT id, location_id, name, status, version, created_at, updated_at FROM workflows";
    those_of(&location, &()).page(tx, select, Order::descending(&["id"]), window, read_head)
}
