//! Signing in to the web app. Tokens are stored as digests; answers do not tell known users from unknown ones.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use keystead_model::{
    actor::Actor,
    agency::{Agency, TenantState},
    key_secret::mask_keys,
    session::{SESSION_MS, Session},
    user::User,
};
use keystead_store::{sessions, users};

use crate::{
    App, Authority, Error, ErrorCode, RequestFacts, Result, context::Holder, record::record_unsigned,
    secret::token_hash,
};

/// What the browser's cookie holds. `Debug` does not show it.
#[derive(Clone)]
pub struct SessionToken(String);

impl SessionToken {
    /// The value of a cookie.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For the cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken")
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// Their agency.
    pub agency: Agency,
    /// The session.
    pub session: Session,
    /// Its token.
    pub token: SessionToken,
}

/// Failed sign-ins, by address of mail and by address of the network.
#[derive(Default)]
pub(crate) struct SignInGuard {
    failures: Mutex<HashMap<String, (Duration, u32)>>,
}

const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Failures for one e-mail address from one network address.
const PER_USER: u32 = 8;
/// Failures from one network address.
const PER_ADDRESS: u32 = 60;
const MAX_ENTRIES: usize = 50_000;
/// A request of a session is written down at most this often.
const SEEN_EVERY_MS: i64 = 60_000;

impl SignInGuard {
    fn check(&self, keys: &[(String, u32)], now: Duration) -> Result<()> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, limit) in keys {
            if let Some((begun, count)) = failures.get(key)
                && now.saturating_sub(*begun) < WINDOW
                && count >= limit
            {
                return Err(Error::TooManyRequests(WINDOW.saturating_sub(now.saturating_sub(*begun))));
            }
        }
        Ok(())
    }

    fn failed(&self, keys: &[(String, u32)], now: Duration) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_ENTRIES {
            failures.retain(|_, (begun, _)| now.saturating_sub(*begun) < WINDOW);
        }
        for (key, _) in keys {
            let (begun, count) = failures.entry(key.clone()).or_insert((now, 0));
            if now.saturating_sub(*begun) >= WINDOW {
                (*begun, *count) = (now, 0);
            }
            *count += 1;
        }
    }

    fn forget(&self, key: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

fn guard_keys(email: &str, address: IpAddr) -> [(String, u32); 2] {
    [(format!("{address} {email}"), PER_USER), (address.to_string(), PER_ADDRESS)]
}

impl App {
    /// Signs in. Wrong password, unknown address and disabled user are one answer, and take equally long.
    pub async fn sign_in(&self, email: &str, password: &str, facts: &RequestFacts<'_>) -> Result<SignedIn> {
        let email: String = email.trim().to_lowercase().chars().take(254).collect();
        let keys = guard_keys(&email, facts.address);
        let monotonic = self.clock.monotonic();
        self.sign_ins.check(&keys, monotonic)?;
        let wanted = email.clone();
        let found = self.store.read(move |tx| users::find_by_email(tx, &wanted)).await?;
        let stored = found.as_ref().and_then(|(_, hash)| hash.as_deref());
        let right = self.passwords.verify(password, stored).await?;
        match found {
            Some((user, _)) if right && !user.disabled => {
                self.sign_ins.forget(&keys[0].0);
                self.begin_session(user, facts).await
            }
            other => {
                self.sign_ins.failed(&keys, monotonic);
                if let Some((user, _)) = other {
                    let (now, ip) = (self.clock.now(), facts.address.to_string());
                    self.store
                        .write(move |tx| {
                            let actor = Actor::User(user.id);
                            let subject = user.id.as_str();
                            record_unsigned(tx, user.agency, actor, Some(ip.clone()), now, "session.refused", subject)
                        })
                        .await?;
                }
                Err(Error::Forbidden(
                    ErrorCode::NotAllowed,
                    "The e-mail address or the password is not right".to_owned(),
                ))
            }
        }
    }

    pub(crate) async fn begin_session(&self, user: User, facts: &RequestFacts<'_>) -> Result<SignedIn> {
        let token = SessionToken(self.entropy.token());
        let (hash, now) = (token_hash(&token.0), self.clock.now());
        let session = Session { user: user.id, created_at: now, last_seen_at: now, signed_in_at: now };
        let (kept, agency_id) = (session.clone(), user.agency);
        let ip = facts.address.to_string();
        let user_agent: Option<String> = facts.user_agent.map(|agent| mask_keys(agent).chars().take(200).collect());
        self.store
            .write(move |tx| {
                sessions::insert(tx, &hash, &kept, Some(&ip), user_agent.as_deref())?;
                let actor = Actor::User(kept.user);
                record_unsigned(tx, agency_id, actor, Some(ip.clone()), now, "session.started", kept.user.as_str())
            })
            .await?;
        Ok(SignedIn { agency: self.find_agency(user.agency).await?, user, session, token })
    }

    /// Who a cookie belongs to; `None` where the session is over or its user disabled.
    pub async fn session(&self, token: &SessionToken) -> Result<Option<SignedIn>> {
        let (hash, now) = (token_hash(&token.0), self.clock.now());
        let Some(session) = self.store.look_up(move |tx| sessions::find(tx, &hash)).await? else { return Ok(None) };
        if !session.is_live(now) {
            return Ok(None);
        }
        let id = session.user;
        let found = self.store.look_up(move |tx| users::find_for_session(tx, id)).await?;
        let Some((user, _)) = found.filter(|(user, _)| !user.disabled) else { return Ok(None) };
        if now - session.last_seen_at > SEEN_EVERY_MS {
            self.store.write_serial(move |tx| sessions::seen(tx, &hash, now)).await?;
        }
        let agency = self.find_agency(user.agency).await?;
        Ok(Some(SignedIn { user, agency, session, token: token.clone() }))
    }

    /// The authority of somebody who is signed in, for one request.
    pub fn authority_of(&self, signed_in: &SignedIn, facts: &RequestFacts<'_>) -> Authority {
        let now = self.clock.now();
        let mut grant = signed_in.user.grant();
        if signed_in.agency.state == TenantState::Suspended && !signed_in.user.is_operator {
            // A suspended agency can be looked at, but nothing goes out of it or into it.
            grant.scopes = grant.scopes.iter().filter(|scope| scope.is_read()).collect();
        }
        Authority {
            actor: Actor::User(signed_in.user.id),
            holder: Holder::Other(Arc::new(grant)),
            is_fresh: signed_in.session.is_fresh(now),
            address: Some(facts.address),
            request: Some(facts.id),
            now,
            claim: None,
        }
    }

    /// Asks the password again, for what adds authority. `false` if it is wrong.
    pub async fn confirm_sign_in(
        &self,
        signed_in: &SignedIn,
        password: &str,
        facts: &RequestFacts<'_>,
    ) -> Result<bool> {
        let keys = guard_keys(&signed_in.user.email.normalized(), facts.address);
        let monotonic = self.clock.monotonic();
        self.sign_ins.check(&keys, monotonic)?;
        if !self.confirm_password(signed_in, password).await? {
            self.sign_ins.failed(&keys, monotonic);
            return Ok(false);
        }
        let (hash, now) = (token_hash(&signed_in.token.0), self.clock.now());
        self.store.write(move |tx| sessions::signed_in_again(tx, &hash, now)).await?;
        Ok(true)
    }

    pub(crate) async fn confirm_password(&self, signed_in: &SignedIn, password: &str) -> Result<bool> {
        let id = signed_in.user.id;
        let found = self.store.look_up(move |tx| users::find_for_session(tx, id)).await?;
        self.passwords.verify(password, found.and_then(|(_, hash)| hash).as_deref()).await
    }

    /// Ends a session.
    pub async fn sign_out(&self, signed_in: &SignedIn) -> Result<()> {
        let hash = token_hash(&signed_in.token.0);
        let (id, agency, now) = (signed_in.user.id, signed_in.user.agency, self.clock.now());
        self.store
            .write(move |tx| {
                sessions::delete(tx, &hash)?;
                record_unsigned(tx, agency, Actor::User(id), None, now, "session.ended", id.as_str())
            })
            .await?;
        Ok(())
    }

    /// Forgets sessions that ended long ago.
    pub async fn trim_sessions(&self) -> Result<u64> {
        let before = keystead_model::UtcMs(self.clock.now().0 - SESSION_MS);
        Ok(self.store.write(move |tx| sessions::trim(tx, before)).await?)
    }
}
