//! Uses of keys that wait to be stored. They live outside the cache, so that eviction cannot lose them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use keystead_model::{KeyId, LocationId, UtcMs, api_key::LastUse, key_secret::mask_keys, scope::Scope, time::HOUR_MS};
use keystead_store::{api_keys::KeyUse, key_usage::KeyUsage};

use crate::{context::RequestFacts, rate_limit::RateCounter};

/// Most characters of a user agent that are kept.
const USER_AGENT_MAX: usize = 200;
const SHARDS: usize = 64;
/// Locations of one agency key that are counted apart.
const MAX_LOCATIONS: usize = 10_000;

/// What this node knows of one key's use.
#[derive(Default)]
pub(crate) struct KeyActivity {
    pending: Mutex<Vec<PendingUse>>,
    counted: Mutex<Vec<Counted>>,
    /// The counter of a key that acts in one location or on the agency.
    pub(crate) rate: RateCounter,
    /// The counters of an agency key in its locations.
    by_location: Mutex<HashMap<LocationId, Arc<RateCounter>>>,
}

/// The last use of one secret since the last flush.
struct PendingUse {
    secret_hash: [u8; 32],
    at: UtcMs,
    address: IpAddr,
    user_agent: String,
    endpoint: &'static str,
    waits: bool,
}

/// Answers of one kind since the last flush.
struct Counted {
    hour: UtcMs,
    endpoint: &'static str,
    class: u8,
    scope: Option<Scope>,
    requests: i64,
}

/// The route of attempts that were refused before they counted as a use.
const REFUSED: &str = "refused";

impl KeyActivity {
    /// Counts one answer: a few entries, compared by their route's own text.
    pub(crate) fn count(&self, endpoint: &'static str, scope: Option<Scope>, class: u8, now: UtcMs) {
        let hour = UtcMs(now.0.div_euclid(HOUR_MS) * HOUR_MS);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let same =
            |known: &&mut Counted| std::ptr::eq(known.endpoint, endpoint) && known.class == class && known.hour == hour;
        match counted.iter_mut().find(same) {
            Some(known) => known.requests += 1,
            None => counted.push(Counted { hour, endpoint, class, scope, requests: 1 }),
        }
    }

    /// Counts an attempt that was refused before it counted as a use.
    pub(crate) fn count_refused(&self, now: UtcMs) {
        self.count(REFUSED, None, 0, now);
    }

    fn take_counted(&self, key: KeyId, out: &mut Vec<KeyUsage>) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        out.extend(counted.drain(..).map(|counted| counted.to_usage(key)));
    }

    /// Notes a use. The buffers of the use before are used again: the same client has the same name.
    pub(crate) fn note(&self, secret_hash: &[u8; 32], facts: &RequestFacts<'_>, now: UtcMs) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let user_agent = shortened(facts.user_agent.unwrap_or_default());
        if let Some(known) = pending.iter_mut().find(|known| known.secret_hash == *secret_hash) {
            known.at = known.at.max(now);
            known.address = facts.address;
            known.endpoint = facts.endpoint;
            known.waits = true;
            if known.user_agent != user_agent {
                user_agent.clone_into(&mut known.user_agent);
            }
        } else {
            pending.push(PendingUse {
                secret_hash: *secret_hash,
                at: now,
                address: facts.address,
                user_agent: user_agent.to_owned(),
                endpoint: facts.endpoint,
                waits: true,
            });
        }
    }

    fn take(&self, id: KeyId, out: &mut Vec<KeyUse>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        // A secret that was not used since the last flush may be gone; its buffer is not worth keeping.
        pending.retain(|known| known.waits);
        for known in &mut *pending {
            known.waits = false;
            out.push(KeyUse { id, secret_hash: known.secret_hash, last_use: known.to_last_use() });
        }
    }

    fn give_back(&self, secret_hash: &[u8; 32]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pending.iter_mut().find(|known| known.secret_hash == *secret_hash) {
            known.waits = true;
        }
    }

    fn is_idle(&self) -> bool {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
            && self.counted.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The counter of an agency key in one location. `None` if it was busy in too many others within the last ten seconds:
    /// then its requests go on counting together.
    pub(crate) fn rate_in(&self, location: LocationId, now: UtcMs) -> Option<Arc<RateCounter>> {
        let mut counters = self.by_location.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= MAX_LOCATIONS && !counters.contains_key(&location) {
            counters.retain(|_, counter| counter.is_busy(now));
            if counters.len() >= MAX_LOCATIONS {
                return None;
            }
        }
        Some(Arc::clone(counters.entry(location).or_default()))
    }
}

impl Counted {
    fn to_usage(&self, key: KeyId) -> KeyUsage {
        let Self { hour, endpoint, class, scope, requests } = *self;
        KeyUsage { key, hour, endpoint: endpoint.to_owned(), class: class.into(), scope, requests }
    }
}

impl PendingUse {
    fn to_last_use(&self) -> LastUse {
        let user_agent = (!self.user_agent.is_empty()).then(|| mask_keys(&self.user_agent).into_owned());
        LastUse { at: self.at, ip: self.address.to_string(), user_agent, endpoint: self.endpoint.to_owned() }
    }
}

/// A use that is stored at once instead of noted.
pub(crate) fn immediate(id: KeyId, secret_hash: [u8; 32], facts: &RequestFacts<'_>, now: UtcMs) -> KeyUse {
    let pending = PendingUse {
        secret_hash,
        at: now,
        address: facts.address,
        user_agent: shortened(facts.user_agent.unwrap_or_default()).to_owned(),
        endpoint: facts.endpoint,
        waits: true,
    };
    KeyUse { id, secret_hash, last_use: pending.to_last_use() }
}

fn shortened(text: &str) -> &str {
    match text.char_indices().nth(USER_AGENT_MAX) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The activity of all keys that this node has met.
pub(crate) struct Uses {
    shards: Vec<Mutex<HashMap<KeyId, Arc<KeyActivity>>>>,
}

impl Uses {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// The one record of a key's activity.
    pub(crate) fn of(&self, id: KeyId) -> Arc<KeyActivity> {
        Arc::clone(self.shard(id).entry(id).or_default())
    }

    fn shard(&self, id: KeyId) -> MutexGuard<'_, HashMap<KeyId, Arc<KeyActivity>>> {
        let shard = usize::from(id.as_bytes()[0]) % SHARDS;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that waits, sorted by id: unsorted batches of two nodes would deadlock on PostgreSQL.
    pub(crate) fn take_all(&self) -> Vec<KeyUse> {
        let mut uses = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, activity) in &*shard {
                activity.take(*id, &mut uses);
            }
            // Nobody holds it and nothing waits: a key that is met again gets a new one.
            shard.retain(|_, activity| Arc::strong_count(activity) > 1 || !activity.is_idle());
        }
        uses.sort_by_key(|key_use| key_use.id);
        uses
    }

    /// What was counted of one key since the last flush, which goes on waiting.
    pub(crate) fn counted(&self, id: KeyId) -> Vec<KeyUsage> {
        let Some(activity) = self.shard(id).get(&id).map(Arc::clone) else { return Vec::new() };
        let counted = activity.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.iter().map(|counted| counted.to_usage(id)).collect()
    }

    /// All counts since the last flush, in the order of keys.
    pub(crate) fn take_counted(&self) -> Vec<KeyUsage> {
        let mut counted = Vec::new();
        for shard in &self.shards {
            for (id, activity) in &*shard.lock().unwrap_or_else(PoisonError::into_inner) {
                activity.take_counted(*id, &mut counted);
            }
        }
        counted.sort_by(|a, b| (a.key, a.hour, &a.endpoint, a.class).cmp(&(b.key, b.hour, &b.endpoint, b.class)));
        counted
    }

    /// A batch could not be stored: its uses wait on, unless newer ones have come.
    pub(crate) fn give_back(&self, uses: &[KeyUse]) {
        for key_use in uses {
            self.of(key_use.id).give_back(&key_use.secret_hash);
        }
    }
}
