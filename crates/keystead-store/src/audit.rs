//! The chain of the audit log: events that are sealed, linked after they were committed.

use keystead_model::{
    AgencyId, UserId,
    event::{Event, EventKind},
};

use crate::{
    Result, Tx,
    events::{COLUMNS, read},
};

/// Rows by or about a user of which nothing was erased yet, oldest first. Those that tell of an erasure hold nothing personal, and
/// are needed for ever.
pub fn not_erased(tx: &mut Tx<'_>, agency: AgencyId, user: UserId, limit: i64) -> Result<Vec<Event>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events
         WHERE agency_id = ?1 AND (subject = ?2 OR actor_id = ?2) AND NOT erased AND action <> '{}'
             AND (position IS NOT NULL OR NOT chained)
         ORDER BY id LIMIT ?3",
        EventKind::AuditErased.as_str()
    );
    tx.query(&sql, &[&agency, &user, &limit], read)
}

/// Erases from a row what is missing in `row`.
pub fn erase(tx: &mut Tx<'_>, row: &Event) -> Result<()> {
    let Event { number, ip, request_id, before, after, .. } = row;
    tx.execute(
        "UPDATE events SET ip = ?2, request_id = ?3, before_json = ?4, after_json = ?5, erased = TRUE WHERE id = ?1",
        &[number, ip, request_id, before, after],
    )?;
    Ok(())
}

/// The end of an agency's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Rows in the chain.
    pub position: i64,
    /// Seal of the last one.
    pub seal: [u8; 32],
}

/// A row with its seal.
#[derive(Clone, Debug)]
pub struct SealedRow {
    /// The row; its position is there.
    pub row: Event,
    /// Digest of what it said when it was sealed.
    pub digest: [u8; 32],
    /// Its seal.
    pub seal: [u8; 32],
    /// The version of the instance secret that made it.
    pub version: i64,
}

/// Asked every two seconds by every server, so it must cost nothing where there is nothing.
const TO_SEAL: &str = "SELECT DISTINCT agency_id FROM events WHERE chained AND position IS NULL";

/// Agencies that have rows to seal.
pub fn agencies_to_seal(tx: &mut Tx<'_>) -> Result<Vec<AgencyId>> {
    tx.query(TO_SEAL, &[], |row| row.column())
}

/// The end of an agency's chain, locked until the transaction ends.
pub fn lock_head(tx: &mut Tx<'_>, agency: AgencyId) -> Result<Head> {
    tx.execute(
        "INSERT INTO audit_heads (agency_id, position, seal) VALUES (?1, 0, ?2) ON CONFLICT DO NOTHING",
        &[&agency, &[0u8; 32]],
    )?;
    let sql = format!("SELECT position, seal FROM audit_heads WHERE agency_id = ?1{}", tx.for_update());
    tx.query_one(&sql, &[&agency], |row| Ok(Head { position: row.column()?, seal: row.column()? }))
}

/// The ends of all chains.
pub fn heads(tx: &mut Tx<'_>) -> Result<Vec<(AgencyId, Head)>> {
    tx.query("SELECT agency_id, position, seal FROM audit_heads ORDER BY agency_id", &[], |row| {
        Ok((row.column()?, Head { position: row.column()?, seal: row.column()? }))
    })
}

/// Rows that wait for their seal, oldest first.
pub fn unsealed(tx: &mut Tx<'_>, agency: AgencyId, limit: i64) -> Result<Vec<Event>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE agency_id = ?1 AND chained AND position IS NULL ORDER BY id LIMIT ?2"
    );
    tx.query(&sql, &[&agency, &limit], read)
}

/// Gives a row its place and seal.
pub fn seal(tx: &mut Tx<'_>, id: i64, position: i64, digest: &[u8; 32], seal: &[u8; 32], version: i64) -> Result<()> {
    tx.execute(
        "UPDATE events SET position = ?2, digest = ?3, seal = ?4, seal_version = ?5 WHERE id = ?1",
        &[&id, &position, digest, seal, &version],
    )?;
    Ok(())
}

/// Moves the end of a chain.
pub fn set_head(tx: &mut Tx<'_>, agency: AgencyId, head: &Head) -> Result<()> {
    tx.execute(
        "UPDATE audit_heads SET position = ?2, seal = ?3 WHERE agency_id = ?1",
        &[&agency, &head.position, &head.seal],
    )?;
    Ok(())
}

/// Sealed rows of an agency after a position, in order.
pub fn sealed(tx: &mut Tx<'_>, agency: AgencyId, after: i64, limit: i64) -> Result<Vec<SealedRow>> {
    let sql = format!(
        "SELECT {COLUMNS}, digest, seal, seal_version FROM events
         WHERE agency_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3"
    );
    tx.query(&sql, &[&agency, &after, &limit], |row| {
        Ok(SealedRow { row: read(row)?, digest: row.column()?, seal: row.column()?, version: row.column()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_its_seal_is_found_without_a_look_at_the_log() {
        let memory = crate::Memory::open().unwrap();
        let plan: Vec<String> = memory
            .read(|tx| {
                tx.query(&format!("EXPLAIN QUERY PLAN {TO_SEAL}"), &[], |row| {
                    let _: (i64, i64, i64) = (row.column()?, row.column()?, row.column()?);
                    row.column()
                })
            })
            .unwrap();
        assert_eq!(plan.len(), 1, "{plan:?}");
        assert!(plan[0].contains("events_to_seal"), "{plan:?}");
    }
}
