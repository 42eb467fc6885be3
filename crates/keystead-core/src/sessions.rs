//! Signing in to the web app. Tokens are stored as digests; answers do not tell known users from unknown ones.

use std::{sync::Arc, time::Duration};

use keystead_model::{
    AgencyId, UserId, UtcMs,
    actor::Actor,
    agency::{Agency, TenantState},
    event::{Cause, EventKind},
    key_secret::mask_keys,
    scope::Scope,
    session::{OpenSession, SESSION_MS, Session},
    text::normalized_email,
    user::User,
};
use keystead_store::{Tx, sessions, users};
use tokio::time::Instant;

use crate::{
    App, Authority, Error, ErrorCode, RequestFacts, Result, Source,
    context::Holder,
    events::{Happened, tell_of},
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

/// What somebody signs in with.
#[derive(Clone, Copy)]
pub struct Credentials<'c> {
    /// Their address, as it was typed.
    pub email: &'c str,
    /// Their password.
    pub password: &'c str,
    /// The agency, for who is a member of several; without one the oldest membership that the password opens.
    pub agency: Option<AgencyId>,
    /// The cookie of [`App::remember_browser`], if the browser has one.
    pub browser: Option<&'c str>,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// A request of a session is written down at most this often.
const SEEN_EVERY_MS: i64 = 60_000;
/// Members of one address that a sign-in tries.
const MEMBERSHIPS: usize = 4;
/// What a wrong password takes at least, and what it takes when it was found to be one: the row in the audit log, which only a
/// known account gets, and the passwords of several members must not tell one address from another.
const REFUSAL_TAKES: Duration = Duration::from_millis(500);
const RECORDING_TAKES: Duration = Duration::from_millis(250);

impl App {
    /// Signs in. Wrong password, unknown address and disabled user are one answer, and take equally long.
    pub async fn sign_in(&self, credentials: Credentials<'_>, facts: &RequestFacts<'_>) -> Result<SignedIn> {
        let Credentials { email, password, agency, browser } = credentials;
        let begun = Instant::now();
        let email: String = normalized_email(email).chars().take(254).collect();
        let wanted = email.clone();
        let mut found = self.store.read(move |tx| users::find_by_email(tx, &wanted)).await?;
        found.retain(|(user, _)| agency.is_none_or(|agency| user.agency == agency));
        found.truncate(MEMBERSHIPS);
        let source = Source::of(facts.address);
        let guess = match self.guesses.at_sign_in(&email, source, self.clock.monotonic()) {
            Ok(guess) => guess,
            Err(used_up) => {
                // Others may have used them up: a browser has its own, for the members that it is known to.
                found.retain(|(user, _)| self.known_browser(browser, user.id).is_some());
                let known = found.first().and_then(|(user, _)| self.known_browser(browser, user.id));
                self.guesses.in_known_browser(known.ok_or(used_up)?, self.clock.monotonic())?
            }
        };
        match self.whose_password(password, &found, source).await {
            Ok(Some(user)) => {
                self.guesses.was_right(guess);
                self.begin_session(user, facts).await
            }
            Ok(None) => {
                let answer_at = (begun + REFUSAL_TAKES).max(Instant::now() + RECORDING_TAKES);
                let (_, written) = tokio::join!(tokio::time::sleep_until(answer_at), self.record_refusal(found, facts));
                written?;
                let message = "The e-mail address or the password is not right".to_owned();
                Err(Error::Forbidden(ErrorCode::NotAllowed, message))
            }
            Err(error) => {
                self.guesses.was_not_heard(guess);
                Err(error)
            }
        }
    }

    /// The first of these members who may sign in with the password.
    async fn whose_password(
        &self,
        password: &str,
        members: &[(User, Option<String>)],
        source: Source,
    ) -> Result<Option<User>> {
        if members.is_empty() {
            self.passwords.verify(password, None, source).await?;
        }
        let mut whose = None;
        for (user, hash) in members {
            let right = self.passwords.verify(password, hash.as_deref(), source).await?;
            if right && !user.disabled && whose.is_none() {
                whose = Some(user.clone());
            }
        }
        Ok(whose)
    }

    async fn record_refusal(&self, members: Vec<(User, Option<String>)>, facts: &RequestFacts<'_>) -> Result<()> {
        if members.is_empty() {
            return Ok(());
        }
        // Several agencies may have a member of this address, and none may learn from where another's is called.
        let ip = (members.len() == 1).then(|| facts.address.to_string());
        let now = self.clock.now();
        let refused: Vec<(AgencyId, UserId)> = members.iter().map(|(user, _)| (user.agency, user.id)).collect();
        let record = move |tx: &mut Tx<'_>| {
            refused.iter().try_for_each(|(agency, id)| {
                let happened = Happened::to(EventKind::SessionRefused, id.as_str());
                tell_of(tx, *agency, Actor::User(*id), ip.clone(), now, happened)
            })
        };
        Ok(self.store.write(record).await?)
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
                let happened = Happened::to(EventKind::SessionStarted, kept.user.as_str());
                tell_of(tx, agency_id, actor, Some(ip.clone()), now, happened)
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
            // A suspended agency can be looked at, but nothing goes out of it or into it. Whoever leaves it is taken their right.
            let ends_members = grant.scopes.iter().filter(|scope| *scope == Scope::UsersWrite);
            grant.scopes = grant.scopes.reading().iter().chain(ends_members).collect();
        }
        Authority {
            actor: Actor::User(signed_in.user.id),
            holder: Holder::Other(Arc::new(grant)),
            is_fresh: signed_in.session.is_fresh(now),
            address: Some(facts.address),
            request: Some(facts.id),
            now,
            claim: None,
            cause: Cause::default(),
            seen: None,
        }
    }

    /// Asks the password again, for what adds authority. `false` if it is wrong.
    pub async fn confirm_sign_in(
        &self,
        signed_in: &SignedIn,
        password: &str,
        facts: &RequestFacts<'_>,
    ) -> Result<bool> {
        if !self.confirm_password(signed_in, password, facts).await? {
            return Ok(false);
        }
        let (hash, now) = (token_hash(&signed_in.token.0), self.clock.now());
        self.store.write(move |tx| sessions::signed_in_again(tx, &hash, now)).await?;
        Ok(true)
    }

    /// Whether somebody who is signed in knows their password.
    pub(crate) async fn confirm_password(
        &self,
        signed_in: &SignedIn,
        password: &str,
        facts: &RequestFacts<'_>,
    ) -> Result<bool> {
        let id = signed_in.user.id;
        let found = self.store.look_up(move |tx| users::find_for_session(tx, id)).await?;
        let hash = found.and_then(|(_, hash)| hash);
        let guess = self.guesses.at_confirmation(id, self.clock.monotonic())?;
        match self.passwords.verify(password, hash.as_deref(), Source::of(facts.address)).await {
            Ok(true) => {
                self.guesses.was_right(guess);
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(error) => {
                self.guesses.was_not_heard(guess);
                Err(error)
            }
        }
    }

    /// Ends a session.
    pub async fn sign_out(&self, signed_in: &SignedIn) -> Result<()> {
        let hash = token_hash(&signed_in.token.0);
        let (id, agency, now) = (signed_in.user.id, signed_in.user.agency, self.clock.now());
        self.store
            .write(move |tx| {
                sessions::delete(tx, &hash)?;
                tell_of(tx, agency, Actor::User(id), None, now, Happened::to(EventKind::SessionEnded, id.as_str()))
            })
            .await?;
        Ok(())
    }

    /// The open sessions of somebody, those that were seen last first, and which of them asks.
    pub async fn open_sessions(&self, signed_in: &SignedIn) -> Result<Vec<(OpenSession, bool)>> {
        let (id, own, now) = (signed_in.user.id, token_hash(&signed_in.token.0), self.clock.now());
        let open = self.store.read(move |tx| sessions::list_of_user(tx, id, now)).await?;
        Ok(open.into_iter().map(|(hash, session)| (session, hash == own)).collect())
    }

    /// Ends another session of somebody, by its name; `None` if there is none any more.
    pub async fn end_session(&self, signed_in: &SignedIn, name: String) -> Result<Option<OpenSession>> {
        let (id, agency, now) = (signed_in.user.id, signed_in.user.agency, self.clock.now());
        let end = move |tx: &mut Tx<'_>| -> keystead_store::Result<_> {
            let open = sessions::list_of_user(tx, id, now)?;
            let Some((hash, session)) = open.into_iter().find(|(_, session)| session.name == name) else {
                return Ok(None);
            };
            sessions::delete(tx, &hash)?;
            tell_of(tx, agency, Actor::User(id), None, now, Happened::to(EventKind::SessionEnded, id.as_str()))?;
            Ok(Some(session))
        };
        Ok(self.store.write(end).await?)
    }

    /// Forgets sessions that ended long ago.
    pub async fn trim_sessions(&self) -> Result<u64> {
        let before = UtcMs(self.clock.now().0 - SESSION_MS);
        Ok(self.store.write(move |tx| sessions::trim(tx, before)).await?)
    }
}
