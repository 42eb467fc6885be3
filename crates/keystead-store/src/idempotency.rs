//! Requests that carried an `Idempotency-Key`, and what was answered.

use keystead_model::UtcMs;

use crate::{Result, Tx};

/// Which request: whose, to which route, under which key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The credential.
    pub credential: String,
    /// Method and route.
    pub route: String,
    /// The client's key.
    pub key: String,
}

/// A request whose effect is there.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Digest of the request's body, under the instance secret.
    pub body_hash: [u8; 32],
    /// The id of the request that had the effect.
    pub request_id: String,
    /// Status of its answer; 0 while there is none.
    pub status: i64,
    /// Body of its answer; never with a secret.
    pub answer: String,
    /// What it made or changed, as far as one thing says it; empty if nothing was.
    pub subject: String,
    /// When it came.
    pub created_at: UtcMs,
}

/// What is known of a request, at most since `since`.
pub fn find(tx: &mut Tx<'_>, request: &RequestKey, since: UtcMs) -> Result<Option<Outcome>> {
    let RequestKey { credential, route, key } = request;
    tx.query_opt(
        "SELECT body_hash, request_id, status, answer, subject, created_at FROM idempotent_requests
         WHERE credential = ?1 AND route = ?2 AND idempotency_key = ?3 AND created_at >= ?4",
        &[credential, route, key, &since],
        |row| {
            Ok(Outcome {
                body_hash: row.column()?,
                request_id: row.column()?,
                status: row.column()?,
                answer: row.column()?,
                subject: row.column()?,
                created_at: row.column()?,
            })
        },
    )
}

/// Notes, first of all in the transaction of the effect, that the request has it; `false` if another request holds the key
/// since `since`.
pub fn claim(
    tx: &mut Tx<'_>,
    request: &RequestKey,
    body_hash: &[u8; 32],
    request_id: &str,
    now: UtcMs,
    since: UtcMs,
) -> Result<bool> {
    let RequestKey { credential, route, key } = request;
    // A request may write in several transactions, and holds its key in each.
    let held = tx.query_opt(
        "INSERT INTO idempotent_requests AS r (credential, route, idempotency_key, body_hash, request_id, status, answer,
             subject, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, '', '', ?6)
         ON CONFLICT (credential, route, idempotency_key) DO UPDATE SET body_hash = excluded.body_hash,
             subject = CASE WHEN r.request_id = excluded.request_id THEN r.subject ELSE '' END, status = 0, answer = '',
             request_id = excluded.request_id, created_at = excluded.created_at
         WHERE r.created_at < ?7 OR r.request_id = excluded.request_id RETURNING request_id",
        &[credential, route, key, body_hash, &request_id, &now, &since],
        |row| row.column::<String>(),
    )?;
    Ok(held.is_some())
}

/// Notes what a request that holds its key has made or changed. The first thing is the one that it is about.
pub fn about(tx: &mut Tx<'_>, request: &RequestKey, request_id: &str, subject: &str) -> Result<()> {
    let RequestKey { credential, route, key } = request;
    tx.later(
        "UPDATE idempotent_requests SET subject = ?5
         WHERE credential = ?1 AND route = ?2 AND idempotency_key = ?3 AND request_id = ?4 AND subject = ''",
        &[credential, route, key, &request_id, &subject],
    )
}

/// Keeps the answer of a request that holds its key.
pub fn answer(tx: &mut Tx<'_>, request: &RequestKey, request_id: &str, status: i64, answer: &str) -> Result<()> {
    let RequestKey { credential, route, key } = request;
    tx.execute(
        "UPDATE idempotent_requests SET status = ?5, answer = ?6
         WHERE credential = ?1 AND route = ?2 AND idempotency_key = ?3 AND request_id = ?4",
        &[credential, route, key, &request_id, &status, &answer],
    )?;
    Ok(())
}

/// Forgets requests from before `before`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute("DELETE FROM idempotent_requests WHERE created_at < ?1", &[&before])
}
