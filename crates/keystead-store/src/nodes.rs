//! The servers on this database.

use keystead_model::UtcMs;

use crate::{Result, Tx};

/// A server.
#[derive(Clone, Debug)]
pub struct NodeRow {
    /// Chosen at its start.
    pub id: String,
    /// Where it listens.
    pub address: String,
    /// Its release.
    pub release: String,
    /// The last change that it has applied.
    pub applied: i64,
    /// When it was started.
    pub started_at: UtcMs,
    /// When it last said so.
    pub seen_at: UtcMs,
}

/// Notes that a server lives.
pub fn note(tx: &mut Tx<'_>, node: &NodeRow) -> Result<()> {
    let NodeRow { id, address, release, applied, started_at, seen_at } = node;
    tx.execute(
        "INSERT INTO nodes (id, address, release, applied, started_at, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET applied = ?4, seen_at = ?6",
        &[id, address, release, applied, started_at, seen_at],
    )?;
    Ok(())
}

/// Forgets servers that were not heard of since `before`.
pub fn forget(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute("DELETE FROM nodes WHERE seen_at < ?1", &[&before])
}

/// All that are known, by address.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<NodeRow>> {
    tx.query("SELECT id, address, release, applied, started_at, seen_at FROM nodes ORDER BY address, id", &[], |row| {
        Ok(NodeRow {
            id: row.column()?,
            address: row.column()?,
            release: row.column()?,
            applied: row.column()?,
            started_at: row.column()?,
            seen_at: row.column()?,
        })
    })
}
