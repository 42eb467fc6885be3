//! The instance: which database this is, and which secrets it belongs to.

use keystead_model::UtcMs;

use crate::{Migrations, Result, Tx, api_keys, webhooks};

/// A version of the instance secret, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Version in the secret file.
    pub version: i64,
    /// A digest that tells whether the file has the same secret, and nothing else about it.
    pub fingerprint: String,
}

/// The first schema with webhooks, whose secrets refer to versions of the instance secret, too; and the first in which each agency has
/// keys of its own that sign.
const WITH_WEBHOOKS: i64 = 69;
const WITH_SIGNING_KEYS: i64 = 82;

/// Every version of the instance secret that something in the database refers to; also of an older release's.
pub fn referred_versions(tx: &mut Tx<'_>) -> Result<Vec<i64>> {
    let mut referred = api_keys::pepper_versions(tx)?;
    let schema = Migrations::version(tx)?;
    if schema >= WITH_WEBHOOKS {
        referred.extend(webhooks::sealing_versions(tx)?);
        referred.extend(webhooks::signing_versions(tx, schema >= WITH_SIGNING_KEYS)?);
    }
    Ok(referred)
}

/// Makes the rows that every database has once. A second call changes nothing.
pub fn create(tx: &mut Tx<'_>, incarnation: &str, now: UtcMs) -> Result<()> {
    tx.execute(
        "INSERT INTO instance (id, incarnation, created_at) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
        &[&incarnation, &now],
    )?;
    tx.execute(
        "INSERT INTO service_clock (id, now_ms, epoch, clock_floor, paused) VALUES (1, 0, 0, 0, FALSE)
         ON CONFLICT DO NOTHING",
        &[],
    )?;
    tx.execute("INSERT INTO change_head (id, seq) VALUES (1, 0) ON CONFLICT DO NOTHING", &[])?;
    Ok(())
}

/// When the instance was made.
pub fn created_at(tx: &mut Tx<'_>) -> Result<UtcMs> {
    tx.query_one("SELECT created_at FROM instance WHERE id = 1", &[], |row| row.column())
}

/// How large the database is, in bytes.
pub fn size(tx: &mut Tx<'_>) -> Result<i64> {
    let sql = if tx.is_postgres() {
        "SELECT pg_database_size(current_database())"
    } else {
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    };
    tx.query_one(sql, &[], |row| row.column())
}

/// All secrets that this database was used with.
pub fn fingerprints(tx: &mut Tx<'_>) -> Result<Vec<Fingerprint>> {
    tx.query("SELECT version, fingerprint FROM instance_secrets ORDER BY version", &[], |row| {
        Ok(Fingerprint { version: row.column()?, fingerprint: row.column()? })
    })
}

/// Binds the database to a secret. A version that is bound already stays as it is.
pub fn add_fingerprint(tx: &mut Tx<'_>, new: &Fingerprint, now: UtcMs) -> Result<()> {
    tx.execute(
        "INSERT INTO instance_secrets (version, fingerprint, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[&new.version, &new.fingerprint, &now],
    )?;
    Ok(())
}
