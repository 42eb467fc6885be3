//! Floods of made-up keys, and of made-up addresses: a source that sends many unknown ids has its misses read one at a time.
//!
//! Valid keys never spend this budget, and a key in the cache never waits.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    Error, Result,
    sources::{Source, SourceCounts},
    tally::Happening,
};

/// Unknown ids of one source in a window before its misses queue.
const FREE: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Misses that may queue; one more is refused.
const QUEUE: usize = 64;

pub(crate) struct Floods {
    /// What is logged of what is refused.
    what: &'static str,
    unknown: SourceCounts,
    one_at_a_time: Semaphore,
    queued: AtomicUsize,
}

impl Floods {
    pub(crate) fn new(what: &'static str) -> Self {
        let unknown = SourceCounts::new(WINDOW, FREE);
        Self { what, unknown, one_at_a_time: Semaphore::new(1), queued: AtomicUsize::new(0) }
    }

    /// Waits for a turn if `source` has sent many unknown ids; refuses when too many wait already.
    pub(crate) async fn admit(&self, source: Option<Source>, now: Duration) -> Result<Option<SemaphorePermit<'_>>> {
        let Some(source) = source.filter(|source| self.unknown.is_over(*source, now)) else { return Ok(None) };
        if self.queued.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            let what = self.what;
            if (Happening { source: Some(source), ..Happening::new(what, "flood") }).is_told() {
                tracing::warn!(%source, "{what}");
            }
            return Err(Error::TooManyRequests(Duration::from_secs(1)));
        }
        let permit = self.one_at_a_time.acquire().await;
        self.queued.fetch_sub(1, Ordering::Relaxed);
        permit.map(Some).map_err(|_| Error::Internal("the flood gate is closed".to_owned()))
    }

    /// Counts an unknown id.
    pub(crate) fn count_unknown(&self, source: Option<Source>, now: Duration) {
        if let Some(source) = source {
            // Beyond the limit it waits for its turn; it is never refused by its number.
            let _ = self.unknown.admit(source, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_source_with_many_unknown_ids_waits() {
        let floods = Floods::new("a flood");
        let source = |text: &str| Source::of(text.parse().unwrap());
        let (noisy, neighbour, quiet) = (source("2001:db8::1"), source("2001:db8::ffff"), source("2001:db8:0:1::1"));
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
        let floods = Floods::new("a flood");
        let noisy = Source::of("192.0.2.1".parse().unwrap());
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
