//! Agencies.

use keystead_model::{
    AgencyId, ServiceMs,
    agency::{Agency, TenantName, TenantState},
};

use crate::{Result, Row, Tx};

const COLUMNS: &str = "id, name, state, resumed_at, created_at";

fn read(row: &mut Row<'_>) -> Result<Agency> {
    Ok(Agency {
        id: row.column()?,
        name: row.column()?,
        state: TenantState::from_stored(&row.column::<String>()?),
        resumed_at: row.column()?,
        created_at: row.column()?,
    })
}

/// Adds an agency.
pub fn insert(tx: &mut Tx<'_>, agency: &Agency) -> Result<()> {
    let Agency { id, name, state, resumed_at, created_at } = agency;
    tx.execute(
        "INSERT INTO agencies (id, name, state, resumed_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[id, name, &state.as_str(), resumed_at, created_at],
    )?;
    Ok(())
}

/// One agency.
pub fn find(tx: &mut Tx<'_>, id: AgencyId) -> Result<Option<Agency>> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM agencies WHERE id = ?1"), &[&id], read)
}

/// All agencies of the instance, oldest first: for the operator.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Agency>> {
    tx.query(&format!("SELECT {COLUMNS} FROM agencies ORDER BY created_at, id"), &[], read)
}

/// Suspends or resumes an agency. Resuming restarts the 90 days of its keys.
pub fn set_state(tx: &mut Tx<'_>, id: AgencyId, state: TenantState, service: ServiceMs) -> Result<u64> {
    tx.execute(
        "UPDATE agencies SET state = ?2, resumed_at = CASE WHEN ?2 = 'active' THEN ?3 ELSE resumed_at END
         WHERE id = ?1 AND state <> ?2",
        &[&id, &state.as_str(), &service],
    )
}

/// Changes the name.
pub fn rename(tx: &mut Tx<'_>, id: AgencyId, name: &TenantName) -> Result<()> {
    tx.execute("UPDATE agencies SET name = ?2 WHERE id = ?1", &[&id, name])?;
    Ok(())
}
