//! A server as far as a key's life depends on it: clocks, cache, feed, fence, and uses that wait in memory.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use keystead_core::{Fence, NodeClock};
use keystead_model::{KeyId, ServiceMs, UtcMs, api_key::ApiKey};
use keystead_store::api_keys::KeyUse;

/// What a node remembers of a key.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub key: ApiKey,
    /// Activity as the database said last, never the node's own pending use.
    pub stored_active_at: ServiceMs,
}

/// One server process.
pub(crate) struct Node {
    pub up: bool,
    /// Whether it reaches the database.
    pub reachable: bool,
    /// Its wall clock's error.
    pub skew: i64,
    /// Its monotonic clock at real time 0.
    pub monotonic_base: i64,
    pub clock: NodeClock,
    pub fence: Fence,
    pub applied: i64,
    pub cache: HashMap<KeyId, Remembered>,
    pub pending: BTreeMap<(KeyId, [u8; 32]), KeyUse>,
    /// Real time of its last own tick, and its wall clock when it last saw a new epoch: for rules that are wrong.
    pub last_tick: i64,
    pub wall_at_epoch: (i64, i64),
}

impl Node {
    pub(crate) fn start(rng: &mut fastrand::Rng, now: i64) -> Self {
        Self {
            up: true,
            reachable: true,
            skew: rng.i64(-120_000..120_000),
            monotonic_base: rng.i64(0..1_000_000_000),
            clock: NodeClock::default(),
            fence: Fence::default(),
            applied: i64::MIN,
            cache: HashMap::new(),
            pending: BTreeMap::new(),
            last_tick: now,
            wall_at_epoch: (-1, 0),
        }
    }

    /// Everything that was only in memory is gone.
    pub(crate) fn crash(&mut self, rng: &mut fastrand::Rng, now: i64) {
        let (skew, reachable) = (self.skew, self.reachable);
        *self = Self { reachable, skew, ..Self::start(rng, now) };
    }

    pub(crate) fn works(&self) -> bool {
        self.up && self.reachable
    }

    pub(crate) fn monotonic(&self, now: i64) -> Duration {
        Duration::from_millis((now + self.monotonic_base).unsigned_abs())
    }

    pub(crate) fn wall(&self, now: i64) -> UtcMs {
        UtcMs(EPOCH + now + self.skew)
    }
}

/// The calendar when a run begins.
pub(crate) const EPOCH: i64 = 1_795_608_000_000;
