//! From the text of a key to an authority, at every request.

use std::sync::Arc;

use keystead_model::{
    KeyId, LocationId, UtcMs,
    actor::Actor,
    api_key::{Refusal, SecretSlot},
    event::Cause,
    inactivity::needs_touch,
    key_secret::{NotAKey, PresentedKey},
};
use keystead_store::api_keys;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::{cache::KnownKey, uses};
use crate::{
    App, Authority, Error, ErrorCode, RateLimits, RateStatus, RequestFacts, Result, Source, UsageCounter,
    context::Holder, tally::Happening,
};

/// A program that has proven to hold a live key. Every limit but the rate has been checked.
pub struct KeyCaller {
    known: Arc<KnownKey>,
    secret_hash: [u8; 32],
    slot: SecretSlot,
    facts_address: std::net::IpAddr,
    request: crate::RequestId,
    now: UtcMs,
}

/// What a look at one record says of a presented key.
enum Verdict {
    Admitted {
        slot: SecretSlot,
        secret_hash: [u8; 32],
    },
    WrongSecret,
    /// The secret was made with a version of the instance secret that this server has not read.
    Unknowable(i64),
    Refused(Refusal),
}

impl App {
    /// Verifies a key. On success the use is noted, durably where the stored activity is old.
    ///
    /// A hit in the cache costs one HMAC and no database; every refusal is decided on a record that was read after
    /// the request arrived.
    pub async fn authenticate(&self, presented: &str, facts: &RequestFacts<'_>) -> Result<KeyCaller> {
        let presented = PresentedKey::parse(presented).ok_or_else(|| Error::NotAKey(NotAKey::of(presented)))?;
        let now = self.clock.now();
        if let Some(known) = self.believed(presented.id)
            && let Verdict::Admitted { slot, secret_hash } = self.look_at(&known, &presented, facts, now)
        {
            return self.admit(known, slot, secret_hash, facts, now).await;
        }
        // Boxed: what is rare must not make the future of every request large.
        Box::pin(self.authenticate_by_reading(presented, facts, now)).await
    }

    async fn authenticate_by_reading(
        &self,
        presented: PresentedKey<'_>,
        facts: &RequestFacts<'_>,
        now: UtcMs,
    ) -> Result<KeyCaller> {
        let unknown = || Error::Unauthenticated(ErrorCode::KeyUnknown);
        let arrived = Instant::now();
        let _asking = match self.fence.is_fresh(self.clock.monotonic()) {
            true => None,
            // Nothing that is remembered counts: the database decides each request, or nobody does.
            false => {
                let asking = self.unfenced.try_acquire();
                Some(asking.map_err(|_| Error::unavailable(std::time::Duration::from_secs(1)))?)
            }
        };
        let known = match self.keys.get(presented.id) {
            Some(_) => self.keys.reread(presented.id, arrived).await?,
            None => {
                let source = facts.address_is_own.then(|| Source::of(facts.address));
                let monotonic = self.clock.monotonic();
                let _turn = self.floods.admit(source, monotonic).await?;
                let found = self.keys.fill(presented.id, arrived).await?;
                if found.is_none() {
                    self.floods.count_unknown(source, monotonic);
                }
                found
            }
        };
        let known = known.ok_or_else(unknown)?;
        match self.look_at(&known, &presented, facts, now) {
            Verdict::Admitted { slot, secret_hash } => self.admit(known, slot, secret_hash, facts, now).await,
            Verdict::Unknowable(version) => Err(unknowable(version)),
            // The record may have come from a read that others began earlier: look once more, at one of our own.
            Verdict::WrongSecret | Verdict::Refused(_) => match self.keys.reread(presented.id, arrived).await? {
                None => Err(unknown()),
                Some(known) => match self.look_at(&known, &presented, facts, now) {
                    Verdict::Admitted { slot, secret_hash } => self.admit(known, slot, secret_hash, facts, now).await,
                    Verdict::Unknowable(version) => Err(unknowable(version)),
                    Verdict::WrongSecret => {
                        known.activity.count_refused(now);
                        Err(unknown())
                    }
                    Verdict::Refused(refusal) => {
                        known.activity.count_refused(now);
                        if matches!(refusal, Refusal::Deleted { .. }) {
                            self.tell_of_deleted_use(known.key.clone(), facts.address).await?;
                        }
                        Err(Error::Refused(refusal))
                    }
                },
            },
        }
    }

    /// What this node remembers of a key, while it may believe that.
    fn believed(&self, id: KeyId) -> Option<Arc<KnownKey>> {
        self.keys.get(id).filter(|_| self.fence.is_fresh(self.clock.monotonic()))
    }

    fn look_at(&self, known: &KnownKey, presented: &PresentedKey<'_>, facts: &RequestFacts<'_>, now: UtcMs) -> Verdict {
        let mut proven = None;
        let mut hashed: Option<(i64, [u8; 32])> = None;
        let mut missing = None;
        for slot in [SecretSlot::Current, SecretSlot::Previous] {
            let Some(secret) = known.key.secret(slot) else { continue };
            // Destroyed, after the time to restore: nothing can prove possession any more.
            let Some(stored) = &secret.hash else { continue };
            // Both secrets nearly always have the same pepper: one HMAC serves both.
            let hash = match hashed {
                Some((version, hash)) if version == secret.pepper_version => hash,
                _ => match self.secret.hash_key(secret.pepper_version, presented.text) {
                    Some(hash) => hash,
                    None => {
                        missing = Some(secret.pepper_version);
                        continue;
                    }
                },
            };
            hashed = Some((secret.pepper_version, hash));
            if bool::from(hash.ct_eq(stored)) {
                proven = Some((slot, hash));
                break;
            }
        }
        let Some((slot, secret_hash)) = proven else {
            return missing.map_or(Verdict::WrongSecret, Verdict::Unknowable);
        };
        match known.key.admits(slot, facts.address, now).and_then(|()| known.key.admits_origin(facts.origin)) {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(()) => Verdict::Admitted { slot, secret_hash },
        }
    }

    async fn admit(
        &self,
        known: Arc<KnownKey>,
        slot: SecretSlot,
        secret_hash: [u8; 32],
        facts: &RequestFacts<'_>,
        now: UtcMs,
    ) -> Result<KeyCaller> {
        let current = slot == SecretSlot::Current;
        let is_stale = needs_touch(known.stored_active_at(), self.service_clock.polled());
        // The first use of a secret is stored at once too: a second rotation may replace a secret only if nobody has
        // used it, and must not have to guess.
        if is_stale || (current && !known.current_was_used()) {
            Box::pin(self.touch(&known, secret_hash, current, facts, now)).await?;
        } else {
            known.activity.note(&secret_hash, facts, now);
        }
        if let Some(lost) = known.key.replaces {
            Box::pin(self.finish_replacement(&known, lost)).await?;
        }
        Ok(KeyCaller { known, secret_hash, slot, facts_address: facts.address, request: facts.id, now })
    }

    async fn touch(
        &self,
        known: &KnownKey,
        secret_hash: [u8; 32],
        current: bool,
        facts: &RequestFacts<'_>,
        now: UtcMs,
    ) -> Result<()> {
        let key_use = uses::immediate(known.key.id, secret_hash, facts, now);
        match self.store.write_serial(move |tx| api_keys::touch(tx, &key_use)).await? {
            Some(active_at) => {
                known.stored(active_at, current);
                Ok(())
            }
            None => Err(self.why_not_touched(known.key.id, &secret_hash, facts, now).await?),
        }
    }

    /// The key was ended between the look and the touch: what the holder is told comes from a new read.
    async fn why_not_touched(
        &self,
        id: KeyId,
        secret_hash: &[u8; 32],
        facts: &RequestFacts<'_>,
        now: UtcMs,
    ) -> Result<Error> {
        self.keys.invalidate(id);
        let fresh = self.keys.reread(id, Instant::now()).await?;
        let refusal = fresh.and_then(|fresh| {
            let slot = fresh.key.slot_of(secret_hash)?;
            fresh.key.admits(slot, facts.address, now).and_then(|()| fresh.key.admits_origin(facts.origin)).err()
        });
        Ok(refusal.map_or(Error::Unauthenticated(ErrorCode::KeyUnknown), Error::Refused))
    }

    /// Checks once more, just before an operation: between the headers and the end of a body a key may have ended.
    pub async fn still_admitted(&self, caller: &KeyCaller) -> Result<()> {
        let id = caller.known.key.id;
        if self.believed(id).is_some_and(|known| Arc::ptr_eq(&known, &caller.known)) {
            return Ok(());
        }
        let current = self.keys.reread(id, Instant::now()).await?;
        let current = current.ok_or(Error::Unauthenticated(ErrorCode::KeyUnknown))?;
        let slot = current.key.slot_of(&caller.secret_hash).ok_or(Error::Unauthenticated(ErrorCode::KeyUnknown))?;
        current.key.admits(slot, caller.facts_address, self.clock.now()).map_err(Error::Refused)
    }

    /// Counts the request against the key's limit; `None` where limits are off.
    pub fn count_request(&self, caller: &KeyCaller) -> Option<RateStatus> {
        let limits = self.limits_of(caller)?;
        Some(caller.known.activity.rate.count(limits, caller.now))
    }

    /// Counts the request of an agency key against its limit in a location that it has entered, instead of its own: only
    /// locations that exist have a counter. One that stands for several, as its `size` says, is counted as these are. `None`
    /// where there is nothing to count further, or limits are off.
    pub fn count_request_in(&self, caller: &KeyCaller, location: LocationId, size: u32) -> Option<RateStatus> {
        let limits = self.limits_of(caller)?;
        let activity = &caller.known.activity;
        let further = size.saturating_sub(1);
        if !caller.known.key.grant.reach.has_agency() {
            return (further > 0).then(|| activity.rate.count_further(limits, caller.now, further));
        }
        let counter = activity.rate_in(location, caller.now)?;
        activity.rate.take_back(caller.now);
        let counted = counter.count(limits, caller.now);
        let goes_on = further > 0 && counted.retry_after.is_none();
        Some(if goes_on { counter.count_further(limits, caller.now, further) } else { counted })
    }

    fn limits_of(&self, caller: &KeyCaller) -> Option<RateLimits> {
        let RateLimits { interval, daily } = self.limits.rate;
        let limits = RateLimits { interval: caller.known.key.rate_limit.or(interval), daily };
        (limits.interval.is_some() || limits.daily.is_some()).then_some(limits)
    }
}

/// Nobody is refused by a server that cannot tell: the file of its instance secret was extended since its start.
fn unknowable(version: i64) -> Error {
    const WHAT: &str = "a key was made with a version of the instance secret that this server has not read; restart it";
    if Happening::new(WHAT, "secret_version").is_told() {
        tracing::error!(version, "{WHAT}");
    }
    Error::secret_not_read()
}

impl KeyCaller {
    /// What the key may do, as the authority of its request.
    pub fn authority(&self) -> Authority {
        Authority {
            actor: Actor::Key(self.known.key.id),
            holder: Holder::Key(Arc::clone(&self.known)),
            is_fresh: true,
            address: Some(self.facts_address),
            request: Some(self.request),
            now: self.now,
            claim: None,
            cause: Cause::default(),
            seen: None,
        }
    }

    /// The key as it was when the request arrived.
    pub fn key(&self) -> &keystead_model::api_key::ApiKey {
        &self.known.key
    }

    /// Counts its answers.
    pub fn usage(&self) -> UsageCounter {
        UsageCounter(Arc::clone(&self.known.activity))
    }

    /// Which of its secrets was sent.
    pub fn slot(&self) -> SecretSlot {
        self.slot
    }
}
