//! Keys that were reported as found in public, until a job has ended them.

use keystead_model::{KeyId, UtcMs};

use crate::{Result, Row, Tx};

/// A report. It has a digest only: what was reported is a secret.
#[derive(Clone, Debug)]
pub struct ExposureReport {
    /// The key that the text names.
    pub key: KeyId,
    /// The version of the instance secret that the digest was made with.
    pub pepper_version: i64,
    /// Digest of the whole text.
    pub secret_hash: [u8; 32],
}

/// Reports that wait.
pub fn count(tx: &mut Tx<'_>) -> Result<i64> {
    tx.query_one("SELECT CAST(count(*) AS BIGINT) FROM exposure_reports", &[], |row| row.column())
}

/// Adds a report.
pub fn insert(tx: &mut Tx<'_>, report: &ExposureReport, now: UtcMs) -> Result<()> {
    let ExposureReport { key, pepper_version, secret_hash } = report;
    tx.execute(
        "INSERT INTO exposure_reports (key_id, pepper_version, secret_hash, reported_at) VALUES (?1, ?2, ?3, ?4)",
        &[key, pepper_version, secret_hash, &now],
    )?;
    Ok(())
}

/// The oldest reports, by number.
pub fn oldest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(i64, ExposureReport)>> {
    tx.query(
        "SELECT id, key_id, pepper_version, secret_hash FROM exposure_reports ORDER BY id LIMIT ?1",
        &[&limit],
        |row: &mut Row<'_>| {
            let number = row.column()?;
            let (key, pepper_version, secret_hash) = (row.column()?, row.column()?, row.column()?);
            Ok((number, ExposureReport { key, pepper_version, secret_hash }))
        },
    )
}

/// Forgets a report; `false` if another node was faster.
pub fn remove(tx: &mut Tx<'_>, number: i64) -> Result<bool> {
    Ok(tx.execute("DELETE FROM exposure_reports WHERE id = ?1", &[&number])? == 1)
}
