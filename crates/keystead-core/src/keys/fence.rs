//! The fence: a node that has not heard from the database for a second does not believe its cache.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// What revocation promises: every node has applied a change within this, or does not believe its cache.
pub(crate) const FRESH_FOR: Duration = Duration::from_secs(1);

/// Until when the cache may be believed.
pub struct Fence {
    /// The node's monotonic clock, in milliseconds.
    believed_until: AtomicI64,
}

impl Default for Fence {
    fn default() -> Self {
        Self { believed_until: AtomicI64::new(i64::MIN) }
    }
}

impl Fence {
    /// A poll that was sent at `sent` was answered and applied. Freshness counts from before it was sent: its answer
    /// may have been long on its way, and knows nothing of what happened meanwhile.
    pub fn polled(&self, sent: Duration) {
        self.believed_until.fetch_max(milliseconds(sent + FRESH_FOR), Ordering::Relaxed);
    }

    /// How long ago the last poll was sent that was answered.
    pub(crate) fn age(&self, now: Duration) -> Duration {
        let until = self.believed_until.load(Ordering::Relaxed);
        let polled = until.saturating_sub(milliseconds(FRESH_FOR)).max(0);
        Duration::from_millis(milliseconds(now).saturating_sub(polled).max(0).unsigned_abs())
    }

    /// Whether what was applied is young enough.
    pub fn is_fresh(&self, now: Duration) -> bool {
        milliseconds(now) < self.believed_until.load(Ordering::Relaxed)
    }
}

fn milliseconds(instant: Duration) -> i64 {
    i64::try_from(instant.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_counts_from_before_the_poll() {
        let fence = Fence::default();
        let at = Duration::from_millis;
        assert!(!fence.is_fresh(at(0)), "nothing was polled yet");
        fence.polled(at(1000));
        assert_eq!(fence.age(at(1250)), at(250));
        assert!(fence.is_fresh(at(1999)) && !fence.is_fresh(at(2000)));
        // An older poll that is answered late proves nothing newer.
        fence.polled(at(500));
        assert!(fence.is_fresh(at(1999)));
    }
}
