//! Which databases this one came from, and how far each of them is part of it.

use keystead_model::UtcMs;

use crate::{Result, Tx};

/// The incarnations that are part of this database, each with the number of the last change taken over; this one's own
/// with its head.
pub fn contained(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    tx.query(
        "SELECT incarnation, sequence FROM lineage
         UNION ALL SELECT i.incarnation, h.seq FROM instance i CROSS JOIN change_head h WHERE i.id = 1 AND h.id = 1",
        &[],
        |row| Ok((row.column()?, row.column()?)),
    )
}

/// Notes that an incarnation is part of this database up to `sequence` at least.
pub fn include(tx: &mut Tx<'_>, incarnation: &str, sequence: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO lineage (incarnation, sequence) VALUES (?1, ?2)
         ON CONFLICT (incarnation) DO UPDATE
         SET sequence = CASE WHEN lineage.sequence < ?2 THEN ?2 ELSE lineage.sequence END",
        &[&incarnation, &sequence],
    )?;
    Ok(())
}

/// Makes this database another one than `old`, of which it goes on from the head; `false` if it is another already.
/// Call it after [`crate::changes::lock`]. What waits for webhooks was perhaps sent by the other one, or is about to be: where there
/// are any, nothing is sent to them before an operator has said what becomes of it.
pub fn fork(tx: &mut Tx<'_>, old: &str, new: &str, now: UtcMs) -> Result<bool> {
    // What was written while it was copied is younger than the copy's beginning.
    let youngest = "SELECT max(created_at) FROM webhook_deliveries WHERE created_at > ?3";
    let renamed = tx.execute(
        &format!(
            "UPDATE instance SET incarnation = ?2, deliveries_paused_at =
                 CASE WHEN EXISTS (SELECT 1 FROM webhook_endpoints) THEN COALESCE(({youngest}), CAST(?3 AS BIGINT)) END
             WHERE id = 1 AND incarnation = ?1"
        ),
        &[&old, &new, &now],
    )?;
    if renamed == 0 {
        return Ok(false);
    }
    let head: i64 = tx.query_one("SELECT seq FROM change_head WHERE id = 1", &[], |row| row.column())?;
    include(tx, old, head)?;
    Ok(true)
}
