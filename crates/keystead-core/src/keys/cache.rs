//! The in-process cache of keys, and the re-reads that every refusal waits for.
//!
//! An entry is a hint, never the truth: it may let a request pass within the bound that revocation promises, but no
//! request is refused because of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use keystead_model::{KeyId, ServiceMs, api_key::ApiKey};
use keystead_store::{Store, api_keys};
use quick_cache::sync::Cache;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::{
    generation::{Generation, may_share},
    uses::{KeyActivity, Uses},
};
use crate::Result;

/// Keys that are kept; a key takes about a kilobyte.
const CAPACITY: usize = 200_000;
const SHARDS: usize = 64;
/// At most one re-read of a key in this time, except the first.
const REREAD_EVERY: Duration = Duration::from_millis(100);

/// A key as it was read, with what this node knows of its use.
pub(crate) struct KnownKey {
    pub(crate) key: ApiKey,
    /// Stored activity, as the database said last. Never this node's own pending use.
    stored_active_at: AtomicI64,
    /// Whether a use of the current secret is stored.
    current_was_used: AtomicBool,
    pub(crate) activity: Arc<KeyActivity>,
}

impl KnownKey {
    pub(crate) fn stored_active_at(&self) -> ServiceMs {
        ServiceMs(self.stored_active_at.load(Ordering::Relaxed))
    }

    pub(crate) fn current_was_used(&self) -> bool {
        self.current_was_used.load(Ordering::Relaxed)
    }

    /// The database has stored a use and says when.
    pub(crate) fn stored(&self, active_at: ServiceMs, current: bool) {
        self.stored_active_at.fetch_max(active_at.0, Ordering::Relaxed);
        if current {
            self.current_was_used.store(true, Ordering::Relaxed);
        }
    }
}

type Answer = Result<Option<Arc<KnownKey>>, keystead_store::Error>;

/// The last re-read of one key, and the lock that makes the others wait for it.
type Gate = Arc<AsyncMutex<Option<(Instant, Answer)>>>;

pub(crate) struct KeyCache {
    entries: Cache<KeyId, Arc<KnownKey>>,
    /// One for each shard of the ids.
    generations: Vec<Generation>,
    gates: Cache<KeyId, Gate>,
    uses: Arc<Uses>,
    store: Store,
}

impl KeyCache {
    pub(crate) fn new(store: Store, uses: Arc<Uses>) -> Self {
        Self {
            entries: Cache::new(CAPACITY),
            generations: (0..SHARDS).map(|_| Generation::default()).collect(),
            gates: Cache::new(10_000),
            uses,
            store,
        }
    }

    /// What this node remembers. Costs no database.
    pub(crate) fn get(&self, id: KeyId) -> Option<Arc<KnownKey>> {
        self.entries.get(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn generation(&self, id: KeyId) -> &Generation {
        let shard = id.as_bytes().iter().fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add((*byte).into()));
        &self.generations[shard % SHARDS]
    }

    /// Forgets a key. A read of it that is under way will not be kept.
    pub(crate) fn invalidate(&self, id: KeyId) {
        self.generation(id).invalidate(|| {
            self.entries.remove(&id);
        });
    }

    /// Forgets everything. A fill of a shard that is not through yet is forgotten with the rest.
    pub(crate) fn clear(&self) {
        for generation in &self.generations {
            generation.invalidate(|| {});
        }
        self.entries.clear();
    }

    /// Reads a key that is not in the cache; those who miss it at the same time share the read.
    pub(crate) async fn fill(&self, id: KeyId, arrived: Instant) -> Answer {
        self.shared_read(id, arrived, Duration::ZERO, true).await
    }

    /// Reads a key again, by a read that begins after `arrived`: no refusal is decided on a cached record.
    pub(crate) async fn reread(&self, id: KeyId, arrived: Instant) -> Answer {
        self.shared_read(id, arrived, REREAD_EVERY, false).await
    }

    async fn shared_read(&self, id: KeyId, arrived: Instant, every: Duration, cached_will_do: bool) -> Answer {
        let gate: Gate = self
            .gates
            .get_or_insert_with(&id, || Ok::<_, std::convert::Infallible>(Gate::default()))
            .unwrap_or_else(|never| match never {});
        let mut last = gate.lock().await;
        if cached_will_do && let Some(known) = self.entries.get(&id) {
            return Ok(Some(known));
        }
        if let Some((begun, answer)) = &*last {
            if may_share(*begun, arrived) {
                return answer.clone();
            }
            tokio::time::sleep_until(*begun + every).await;
        }
        let begun = Instant::now();
        let answer = self.read(id).await;
        *last = Some((begun, answer.clone()));
        answer
    }

    async fn read(&self, id: KeyId) -> Answer {
        let begun = self.generation(id).begin();
        let found = self.store.look_up(move |tx| api_keys::find_for_authentication(tx, id)).await?;
        let Some(key) = found else {
            self.entries.remove(&id);
            return Ok(None);
        };
        let known = Arc::new(KnownKey {
            stored_active_at: AtomicI64::new(key.inactivity.active_at.0),
            current_was_used: AtomicBool::new(key.current.last_used_at.is_some()),
            activity: self.uses.of(id),
            key,
        });
        self.generation(id).keep(begun, || self.entries.insert(id, Arc::clone(&known)));
        Ok(Some(known))
    }
}
