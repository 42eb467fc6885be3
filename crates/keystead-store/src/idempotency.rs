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
    /// Digest of the request's body.
    pub body_hash: [u8; 32],
    /// The id of the request that had the effect.
    pub request_id: String,
    /// Status of its answer; 0 while there is none.
    pub status: i64,
    /// Body of its answer; never with a secret.
    pub answer: String,
}

/// What is known of a request, at most since `since`.
pub fn find(tx: &mut Tx<'_>, request: &RequestKey, since: UtcMs) -> Result<Option<Outcome>> {
    let RequestKey { credential, route, key } = request;
    tx.query_opt(
        "SELECT body_hash, request_id, status, answer FROM idempotent_requests
         WHERE credential = ?1 AND route = ?2 AND idempotency_key = ?3 AND created_at >= ?4",
        &[credential, route, key, &since],
        |row| {
            Ok(Outcome {
                body_hash: row.column()?,
                request_id: row.column()?,
                status: row.column()?,
                answer: row.column()?,
            })
        },
    )
}

/// Notes, in the transaction of the effect, that the request has it. Returns the id of the request that holds the
/// key: this one's, or that of another which was faster.
pub fn claim(
    tx: &mut Tx<'_>,
    request: &RequestKey,
    body_hash: &[u8; 32],
    request_id: &str,
    now: UtcMs,
    since: UtcMs,
) -> Result<String> {
    let RequestKey { credential, route, key } = request;
    tx.execute(
        "DELETE FROM idempotent_requests
         WHERE credential = ?1 AND route = ?2 AND idempotency_key = ?3 AND created_at < ?4",
        &[credential, route, key, &since],
    )?;
    tx.execute(
        "INSERT INTO idempotent_requests (credential, route, idempotency_key, body_hash, request_id, status, answer,
             created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, '', ?6) ON CONFLICT DO NOTHING",
        &[credential, route, key, body_hash, &request_id, &now],
    )?;
    tx.query_one(
        "SELECT request_id FROM idempotent_requests
         WHERE credential = ?1 AND route = ?2 AND idempotency_key = ?3",
        &[credential, route, key],
        |row| row.column(),
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
