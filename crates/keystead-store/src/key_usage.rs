//! How much keys are used: sums by hour, route and class of the answer.

use keystead_model::{KeyId, UtcMs, scope::Scope};

use crate::{Result, Tx};

/// Requests that a node has counted since it last stored them, or a sum that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    /// The key.
    pub key: KeyId,
    /// Beginning of the hour, in UTC.
    pub hour: UtcMs,
    /// The route, as its template.
    pub endpoint: String,
    /// First digit of the status; 0 for attempts that were refused before they counted as a use.
    pub class: i64,
    /// The scope that the route asks for.
    pub scope: Option<Scope>,
    /// How many.
    pub requests: i64,
}

/// Adds to the sums.
pub fn add(tx: &mut Tx<'_>, usage: &KeyUsage) -> Result<()> {
    let KeyUsage { key, hour, endpoint, class, scope, requests } = usage;
    tx.execute(
        "INSERT INTO key_usage (key_id, hour, endpoint, class, scope, requests) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (key_id, hour, endpoint, class) DO UPDATE SET requests = key_usage.requests + ?6",
        &[key, hour, endpoint, class, &scope.map_or("", Scope::as_str), requests],
    )?;
    Ok(())
}

/// The sums of a key from one instant until another.
pub fn of_key(tx: &mut Tx<'_>, key: KeyId, from: UtcMs, until: UtcMs) -> Result<Vec<KeyUsage>> {
    tx.query(
        "SELECT hour, endpoint, class, scope, requests FROM key_usage
         WHERE key_id = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY hour, endpoint, class",
        &[&key, &from, &until],
        |row| {
            Ok(KeyUsage {
                key,
                hour: row.column()?,
                endpoint: row.column()?,
                class: row.column()?,
                scope: Scope::parse(&row.column::<String>()?),
                requests: row.column()?,
            })
        },
    )
}

/// Forgets what is older than `before`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute("DELETE FROM key_usage WHERE hour < ?1", &[&before])
}
