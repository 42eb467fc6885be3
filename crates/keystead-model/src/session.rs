//! Sessions of the web app.

use crate::{UserId, UtcMs, time};

/// A session ends this long after sign-in.
pub const SESSION_MS: i64 = 14 * time::DAY_MS;
/// A session ends this long after its last request.
pub const SESSION_IDLE_MS: i64 = 24 * time::HOUR_MS;
/// What adds authority needs a sign-in at most this long ago.
pub const FRESH_SIGN_IN_MS: i64 = 15 * time::MINUTE_MS;
/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 10;
/// Most characters of a password: enough for any phrase, too few to keep the hash busy.
pub const PASSWORD_MAX: usize = 200;

/// A session, without its token.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who is signed in.
    pub user: UserId,
    /// When the session began.
    pub created_at: UtcMs,
    /// When its last request came.
    pub last_seen_at: UtcMs,
    /// When the password was last asked.
    pub signed_in_at: UtcMs,
}

/// A session as the list of somebody's own has it.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// Names it: a part of its token's digest, from which no token follows.
    pub name: String,
    /// The session.
    pub session: Session,
    /// From where it was begun.
    pub ip: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
}

impl Session {
    /// Whether it still stands.
    pub fn is_live(&self, now: UtcMs) -> bool {
        now - self.created_at < SESSION_MS && now - self.last_seen_at < SESSION_IDLE_MS
    }

    /// Whether the password was asked recently enough for what adds authority.
    pub fn is_fresh(&self, now: UtcMs) -> bool {
        now - self.signed_in_at < FRESH_SIGN_IN_MS
    }
}
