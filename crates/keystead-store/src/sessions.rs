//! Sessions of the web app, under the digest of their token.

use keystead_model::{UserId, UtcMs, session::Session};

use crate::{Result, Tx, users::TokenHash};

/// Adds a session.
pub fn insert(
    tx: &mut Tx<'_>,
    token: &TokenHash,
    session: &Session,
    ip: Option<&str>,
    user_agent: Option<&str>,
) -> Result<()> {
    let Session { user, created_at, last_seen_at, signed_in_at } = session;
    tx.execute(
        "INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, signed_in_at, ip, user_agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[token, user, created_at, last_seen_at, signed_in_at, &ip, &user_agent],
    )?;
    Ok(())
}

/// The session of a token.
pub fn find(tx: &mut Tx<'_>, token: &TokenHash) -> Result<Option<Session>> {
    tx.query_opt(
        "SELECT user_id, created_at, last_seen_at, signed_in_at FROM sessions WHERE token_hash = ?1",
        &[token],
        |row| {
            Ok(Session {
                user: row.column()?,
                created_at: row.column()?,
                last_seen_at: row.column()?,
                signed_in_at: row.column()?,
            })
        },
    )
}

/// Notes a request of a session.
pub fn seen(tx: &mut Tx<'_>, token: &TokenHash, now: UtcMs) -> Result<()> {
    tx.execute("UPDATE sessions SET last_seen_at = ?2 WHERE token_hash = ?1 AND last_seen_at < ?2", &[token, &now])?;
    Ok(())
}

/// Notes that the password was asked again.
pub fn signed_in_again(tx: &mut Tx<'_>, token: &TokenHash, now: UtcMs) -> Result<()> {
    tx.execute("UPDATE sessions SET signed_in_at = ?2 WHERE token_hash = ?1", &[token, &now])?;
    Ok(())
}

/// Ends one session.
pub fn delete(tx: &mut Tx<'_>, token: &TokenHash) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE token_hash = ?1", &[token])?;
    Ok(())
}

/// Ends all sessions of a user.
pub fn delete_of_user(tx: &mut Tx<'_>, user: UserId) -> Result<u64> {
    tx.execute("DELETE FROM sessions WHERE user_id = ?1", &[&user])
}

/// Ends all sessions of everybody.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<u64> {
    tx.execute("DELETE FROM sessions", &[])
}

/// Forgets sessions that began before `before`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute("DELETE FROM sessions WHERE created_at < ?1", &[&before])
}
