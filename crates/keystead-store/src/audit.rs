//! Audit rows: plain inserts in the transaction that they describe, sealed into a chain afterwards.

use keystead_model::{
    AgencyId, LocationId, UserId, UtcMs,
    audit::{AuditRow, NewAudit, is_security},
};

use crate::{
    Result, Row, Tx,
    filter::{Filter, prefix_end},
    late,
    users::read_actor,
};

/// Adds a row.
pub fn insert(tx: &mut Tx<'_>, row: &NewAudit) -> Result<()> {
    let NewAudit { agency, location, at, actor, ip, request_id, action, subject, before, after } = row;
    let (kind, id, chained) = (actor.kind(), actor.id(), is_security(action));
    tx.late(&late::AUDIT, &[agency, location, at, &kind, &id, ip, request_id, action, subject, before, after, &chained])
}

const COLUMNS: &str =
    "id, location_id, at, actor_kind, actor_id, ip, action, subject, before_json, after_json, request_id,
    position, erased";

fn read(row: &mut Row<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        id: row.column()?,
        location: row.column()?,
        at: row.column()?,
        actor: read_actor(row)?,
        ip: row.column()?,
        action: row.column()?,
        subject: row.column()?,
        before: row.column()?,
        after: row.column()?,
        request_id: row.column()?,
        position: row.column()?,
        erased: row.column()?,
    })
}

/// The rows about one thing, newest first.
pub fn of_subject(tx: &mut Tx<'_>, agency: AgencyId, subject: &str, limit: i64) -> Result<Vec<AuditRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM audit_rows WHERE subject = ?1 AND agency_id = ?2 ORDER BY id DESC LIMIT ?3");
    tx.query(&sql, &[&subject, &agency, &limit], read)
}

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Actions that begin so: `api_key.` or all of `api_key.deleted`.
    pub action: Option<String>,
    /// About this thing.
    pub subject: Option<String>,
    /// By this user or key.
    pub actor: Option<String>,
    /// In this location.
    pub location: Option<LocationId>,
    /// Not before.
    pub from: Option<UtcMs>,
    /// Before.
    pub until: Option<UtcMs>,
}

/// Rows of an agency, newest first, before the cursor.
pub fn list(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditRow>> {
    let AuditFilter { action, subject, actor, location, from, until } = filter;
    let end = action.as_deref().map(prefix_end);
    let mut conditions = Filter::new();
    conditions.and("agency_id = @", &[&agency]);
    if let (Some(action), Some(end)) = (action, &end) {
        conditions.and("action >= @ AND action < @", &[action, end]);
    }
    if let Some(subject) = subject {
        conditions.and("subject = @", &[subject]);
    }
    if let Some(actor) = actor {
        conditions.and("actor_id = @", &[actor]);
    }
    if let Some(location) = location {
        conditions.and("location_id = @", &[location]);
    }
    if let Some(from) = from {
        conditions.and("at >= @", &[from]);
    }
    if let Some(until) = until {
        conditions.and("at < @", &[until]);
    }
    if let Some(before) = &before {
        conditions.and("id < @", &[before]);
    }
    let limit = conditions.bind(&limit);
    let sql = format!("SELECT {COLUMNS} FROM audit_rows WHERE {} ORDER BY id DESC LIMIT {limit}", conditions.sql());
    tx.query(&sql, conditions.values(), read)
}

/// The action of the rows that tell what was erased; they hold nothing personal, and are needed for ever.
pub const ERASED: &str = "audit.erased";

/// Rows by or about a user of which nothing was erased yet, oldest first.
pub fn not_erased(tx: &mut Tx<'_>, agency: AgencyId, user: UserId, limit: i64) -> Result<Vec<AuditRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_rows
         WHERE agency_id = ?1 AND (subject = ?2 OR actor_id = ?2) AND NOT erased AND action <> '{ERASED}'
             AND (position IS NOT NULL OR NOT chained)
         ORDER BY id LIMIT ?3"
    );
    tx.query(&sql, &[&agency, &user, &limit], read)
}

/// Erases from a row what is missing in `row`.
pub fn erase(tx: &mut Tx<'_>, row: &AuditRow) -> Result<()> {
    let AuditRow { id, ip, request_id, before, after, .. } = row;
    tx.execute(
        "UPDATE audit_rows SET ip = ?2, request_id = ?3, before_json = ?4, after_json = ?5, erased = TRUE WHERE id = ?1",
        &[id, ip, request_id, before, after],
    )?;
    Ok(())
}

/// The next rows of all agencies after one, by number: each and when it was written.
pub fn ages(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<(i64, UtcMs)>> {
    tx.query("SELECT id, at FROM audit_rows WHERE id > ?1 ORDER BY id LIMIT ?2", &[&after, &limit], |row| {
        Ok((row.column()?, row.column()?))
    })
}

/// Forgets rows about data up to a number that were written before `before`. What is chained is never forgotten.
pub fn trim(tx: &mut Tx<'_>, after: i64, through: i64, before: UtcMs) -> Result<u64> {
    tx.execute(
        "DELETE FROM audit_rows WHERE id > ?1 AND id <= ?2 AND NOT chained AND at < ?3",
        &[&after, &through, &before],
    )
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
    pub row: AuditRow,
    /// Digest of what it said when it was sealed.
    pub digest: [u8; 32],
    /// Its seal.
    pub seal: [u8; 32],
    /// The version of the instance secret that made it.
    pub version: i64,
}

/// Asked every two seconds by every server, so it must cost nothing where there is nothing.
const TO_SEAL: &str = "SELECT DISTINCT agency_id FROM audit_rows WHERE chained AND position IS NULL";

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
pub fn unsealed(tx: &mut Tx<'_>, agency: AgencyId, limit: i64) -> Result<Vec<AuditRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_rows WHERE agency_id = ?1 AND chained AND position IS NULL ORDER BY id LIMIT ?2"
    );
    tx.query(&sql, &[&agency, &limit], read)
}

/// Gives a row its place and seal.
pub fn seal(tx: &mut Tx<'_>, id: i64, position: i64, digest: &[u8; 32], seal: &[u8; 32], version: i64) -> Result<()> {
    tx.execute(
        "UPDATE audit_rows SET position = ?2, digest = ?3, seal = ?4, seal_version = ?5 WHERE id = ?1",
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
        "SELECT {COLUMNS}, digest, seal, seal_version FROM audit_rows
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
        assert!(plan[0].contains("audit_rows_to_seal"), "{plan:?}");
    }
}
