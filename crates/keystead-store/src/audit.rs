//! Audit rows: plain inserts in the transaction that they describe.

use keystead_model::{
    AgencyId,
    audit::{AuditRow, NewAudit},
};

use crate::{Result, Tx, users::read_actor};

/// Adds a row.
pub fn insert(tx: &mut Tx<'_>, row: &NewAudit) -> Result<()> {
    let NewAudit { agency, location, at, actor, ip, request_id, action, subject, before, after } = row;
    tx.execute(
        "INSERT INTO audit_rows (agency_id, location_id, at, actor_kind, actor_id, ip, request_id, action, subject,
             before_json, after_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[agency, location, at, &actor.kind(), &actor.id(), ip, request_id, action, subject, before, after],
    )?;
    Ok(())
}

/// The rows about one thing, newest first.
pub fn of_subject(tx: &mut Tx<'_>, agency: AgencyId, subject: &str, limit: i64) -> Result<Vec<AuditRow>> {
    tx.query(
        "SELECT id, at, actor_kind, actor_id, ip, action, subject, before_json, after_json
         FROM audit_rows WHERE subject = ?1 AND agency_id = ?2 ORDER BY id DESC LIMIT ?3",
        &[&subject, &agency, &limit],
        |row| {
            Ok(AuditRow {
                id: row.column()?,
                at: row.column()?,
                actor: read_actor(row)?,
                ip: row.column()?,
                action: row.column()?,
                subject: row.column()?,
                before: row.column()?,
                after: row.column()?,
            })
        },
    )
}
