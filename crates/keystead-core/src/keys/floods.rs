//! Floods of made-up keys: a source that sends many unknown ids has its misses read one at a time.
//!
//! Valid keys never spend this budget, and a key in the cache never waits.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Error, Result};

/// Unknown ids of one source in a window before its misses queue.
const FREE: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Misses that may queue; one more is refused.
const QUEUE: usize = 64;
/// Sources that are remembered; beyond, all are forgotten.
const MAX_SOURCES: usize = 100_000;

pub(crate) struct Floods {
    sources: Mutex<HashMap<IpAddr, (Duration, u32)>>,
    one_at_a_time: Semaphore,
    queued: AtomicUsize,
}

impl Floods {
    pub(crate) fn new() -> Self {
        Self { sources: Mutex::default(), one_at_a_time: Semaphore::new(1), queued: AtomicUsize::new(0) }
    }

    /// Waits for a turn if `source` has sent many unknown ids; refuses when too many wait already.
    pub(crate) async fn admit(&self, source: Option<IpAddr>, now: Duration) -> Result<Option<SemaphorePermit<'_>>> {
        let Some(source) = source.map(prefix).filter(|source| self.is_flooding(*source, now)) else { return Ok(None) };
        if self.queued.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            tracing::info!(%source, "a flood of unknown keys is refused");
            return Err(Error::TooManyRequests(Duration::from_secs(1)));
        }
        let permit = self.one_at_a_time.acquire().await;
        self.queued.fetch_sub(1, Ordering::Relaxed);
        permit.map(Some).map_err(|_| Error::Internal("the flood gate is closed".to_owned()))
    }

    /// Counts an unknown id.
    pub(crate) fn count_unknown(&self, source: Option<IpAddr>, now: Duration) {
        let Some(source) = source.map(prefix) else { return };
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= MAX_SOURCES {
            sources.clear();
        }
        let (begun, unknown) = sources.entry(source).or_insert((now, 0));
        if now.saturating_sub(*begun) > WINDOW {
            (*begun, *unknown) = (now, 0);
        }
        *unknown = unknown.saturating_add(1);
    }

    fn is_flooding(&self, source: IpAddr, now: Duration) -> bool {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.get(&source).is_some_and(|(begun, unknown)| now.saturating_sub(*begun) <= WINDOW && *unknown > FREE)
    }
}

/// The part of an address that one owner has: all of a v4 address, /64 of a v6 one.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_source_with_many_unknown_ids_waits() {
        let floods = Floods::new();
        let noisy: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::ffff".parse().unwrap();
        let quiet: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        let now = Duration::from_secs(100);
        for _ in 0..FREE {
            floods.count_unknown(Some(noisy), now);
        }
        assert!(floods.admit(Some(noisy), now).await.unwrap().is_none());
        floods.count_unknown(Some(noisy), now);
        assert!(floods.admit(Some(neighbour), now).await.unwrap().is_some(), "the same /64");
        assert!(floods.admit(Some(quiet), now).await.unwrap().is_none());
        assert!(floods.admit(None, now).await.unwrap().is_none());
        let later = now + WINDOW + Duration::from_secs(1);
        assert!(floods.admit(Some(noisy), later).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_full_queue_refuses() {
        let floods = Floods::new();
        let noisy: IpAddr = "192.0.2.1".parse().unwrap();
        let now = Duration::from_secs(100);
        for _ in 0..=FREE {
            floods.count_unknown(Some(noisy), now);
        }
        let first = floods.admit(Some(noisy), now).await.unwrap();
        floods.queued.store(QUEUE, Ordering::Relaxed);
        assert!(matches!(floods.admit(Some(noisy), now).await, Err(Error::TooManyRequests(_))));
        drop(first);
    }
}
