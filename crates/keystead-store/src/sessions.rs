//! Sessions of the web app, under the digest of their token.

use keystead_model::{
    UserId, UtcMs,
    session::{OpenSession, SESSION_IDLE_MS, SESSION_MS, Session},
};

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

/// What a session is called where its token must not be.
pub fn name(token: &TokenHash) -> String {
    token[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sessions of a user that are not over, those that were seen last first; and the digests of their tokens.
pub fn list_of_user(tx: &mut Tx<'_>, user: UserId, now: UtcMs) -> Result<Vec<(TokenHash, OpenSession)>> {
    let (begun, seen) = (UtcMs(now.0 - SESSION_MS), UtcMs(now.0 - SESSION_IDLE_MS));
    tx.query(
        "SELECT token_hash, created_at, last_seen_at, signed_in_at, ip, user_agent FROM sessions
         WHERE user_id = ?1 AND created_at > ?2 AND last_seen_at > ?3 ORDER BY last_seen_at DESC, created_at DESC",
        &[&user, &begun, &seen],
        |row| {
            let hash: TokenHash = row.column()?;
            let (created_at, last_seen_at, signed_in_at) = (row.column()?, row.column()?, row.column()?);
            let session = Session { user, created_at, last_seen_at, signed_in_at };
            let (ip, user_agent) = (row.column()?, row.column()?);
            Ok((hash, OpenSession { name: name(&hash), session, ip, user_agent }))
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
