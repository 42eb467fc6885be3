//! Rate limits of the contract: requests per 10 seconds and per day, by key and location, in this node's memory.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use keystead_model::{UtcMs, time::DAY_MS};

/// Length of the short window.
pub(crate) const INTERVAL_MS: i64 = 10_000;

/// What is left, for the headers of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStatus {
    /// Requests that 10 seconds allow.
    pub limit: u32,
    /// Requests left in them.
    pub remaining: u32,
    /// Requests that a day allows.
    pub daily_limit: u32,
    /// Requests left in it.
    pub daily_remaining: u32,
    /// Milliseconds until the day begins anew.
    pub daily_reset_ms: i64,
    /// How long to wait, where this request was one too many.
    pub retry_after: Option<Duration>,
}

/// Counts the requests of one key in one location.
#[derive(Default)]
pub(crate) struct RateCounter {
    interval: Window,
    day: Window,
}

/// The number of a window in the upper half, the requests in it in the lower: one atomic, no lock.
#[derive(Default)]
struct Window(AtomicU64);

impl Window {
    /// Counts one request in window `number` and returns how many that makes.
    fn count(&self, number: i64) -> u32 {
        let number = (number.cast_unsigned() & 0xffff_ffff) << 32;
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let next = if seen & !0xffff_ffff == number { seen.saturating_add(1) } else { number | 1 };
            match self.0.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return next as u32,
                Err(current) => seen = current,
            }
        }
    }

    /// Takes back one request of window `number`, unless another has begun.
    fn take_back(&self, number: i64) {
        let number = (number.cast_unsigned() & 0xffff_ffff) << 32;
        let less = |seen: u64| (seen & !0xffff_ffff == number && seen != number).then(|| seen - 1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

impl RateCounter {
    /// Takes back a request that counts elsewhere.
    pub(crate) fn take_back(&self, now: UtcMs) {
        self.interval.take_back(now.0.div_euclid(INTERVAL_MS));
        self.day.take_back(now.0.div_euclid(DAY_MS));
    }

    /// Whether a request was counted in the short window that is running.
    pub(crate) fn is_busy(&self, now: UtcMs) -> bool {
        let number = now.0.div_euclid(INTERVAL_MS).cast_unsigned() & 0xffff_ffff;
        self.interval.0.load(Ordering::Relaxed) >> 32 == number
    }

    /// Counts a request.
    pub(crate) fn count(&self, limit: u32, daily_limit: u32, now: UtcMs) -> RateStatus {
        let used = self.interval.count(now.0.div_euclid(INTERVAL_MS));
        let used_today = self.day.count(now.0.div_euclid(DAY_MS));
        let until = |window: i64| window - now.0.rem_euclid(window);
        let wait = |milliseconds: i64| Some(Duration::from_millis(milliseconds.cast_unsigned()));
        let retry_after = if used_today > daily_limit {
            wait(until(DAY_MS))
        } else if used > limit {
            wait(until(INTERVAL_MS))
        } else {
            None
        };
        RateStatus {
            limit,
            remaining: limit.saturating_sub(used),
            daily_limit,
            daily_remaining: daily_limit.saturating_sub(used_today),
            daily_reset_ms: until(DAY_MS),
            retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_counts_elsewhere_is_taken_back() {
        let (counter, now) = (RateCounter::default(), UtcMs(1_764_000_004_000));
        assert!(!counter.is_busy(now));
        counter.take_back(now);
        for _ in 0..10 {
            assert_eq!(counter.count(3, 5, now).remaining, 2);
            counter.take_back(now);
        }
        assert!(counter.is_busy(now) && !counter.is_busy(UtcMs(now.0 + 6_000)));
        counter.count(3, 5, now);
        counter.take_back(UtcMs(now.0 + 6_000));
        assert_eq!(counter.count(3, 5, now).remaining, 1, "another window took nothing back");
    }

    #[test]
    fn the_limit_holds_and_ends_with_its_window() {
        let counter = RateCounter::default();
        let now = UtcMs(1_764_000_004_000);
        for left in (0..3).rev() {
            let status = counter.count(3, 5, now);
            assert_eq!((status.remaining, status.retry_after), (left, None));
        }
        let refused = counter.count(3, 5, now);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(6)));
        let next = UtcMs(now.0 + 6_000);
        let status = counter.count(3, 5, next);
        assert_eq!((status.remaining, status.daily_remaining, status.retry_after), (2, 0, None));
        let daily = counter.count(3, 5, next);
        assert_eq!(daily.daily_remaining, 0);
        assert_eq!(daily.retry_after, Some(Duration::from_millis(daily.daily_reset_ms.cast_unsigned())));
    }
}
