//! The pause of all deliveries: while it lasts nothing is sent to webhooks, and what is told of events waits.

use keystead_model::{UtcMs, job::JobKind};

use crate::{Result, Tx};

/// Since when nothing is sent; `None` where it is.
pub fn since(tx: &mut Tx<'_>) -> Result<Option<UtcMs>> {
    tx.query_one("SELECT deliveries_paused_at FROM instance WHERE id = 1", &[], |row| row.column())
}

/// Sends nothing from now on; `false` if that is how it was.
pub fn begin(tx: &mut Tx<'_>, now: UtcMs) -> Result<bool> {
    let sql = "UPDATE instance SET deliveries_paused_at = ?1 WHERE id = 1 AND deliveries_paused_at IS NULL";
    Ok(tx.execute(sql, &[&now])? == 1)
}

/// Goes on; whoever sends is woken by the commit.
pub fn end(tx: &mut Tx<'_>) -> Result<()> {
    tx.note_work(JobKind::Delivery);
    tx.later("UPDATE instance SET deliveries_paused_at = NULL WHERE id = 1", &[])
}

/// Takes off their way all deliveries that were put on it up to `until`. They are held: the owner of an endpoint can recover them.
/// Answers how many.
pub fn skip(tx: &mut Tx<'_>, until: UtcMs) -> Result<u64> {
    let overdue = "state = 'waiting' AND created_at <= ?1";
    let jobs = format!(
        "DELETE FROM jobs WHERE kind = 'delivery' AND id IN (SELECT id FROM webhook_deliveries WHERE {overdue})"
    );
    tx.execute(&jobs, &[&until])?;
    tx.execute(&format!("UPDATE webhook_deliveries SET state = 'held' WHERE {overdue}"), &[&until])
}
