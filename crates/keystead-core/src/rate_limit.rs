//! Rate limits of the contract: requests per 10 seconds and per day, by key and location, in this node's memory.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use keystead_model::{UtcMs, time::DAY_MS};

use crate::RateLimits;

/// Length of the short window.
pub(crate) const INTERVAL_MS: i64 = 10_000;

/// What is left, for the headers of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStatus {
    /// Of 10 seconds; `None` where they are not limited.
    pub interval: Option<Allowance>,
    /// Of a day; `None` where it is not limited.
    pub daily: Option<Allowance>,
    /// Milliseconds until the day begins anew.
    pub daily_reset_ms: i64,
    /// How long to wait, where this request was one too many.
    pub retry_after: Option<Duration>,
}

/// What a window allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in it.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
}

impl Allowance {
    fn of(limit: u32, used: u32) -> Self {
        Self { limit, remaining: limit.saturating_sub(used) }
    }
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
    /// Counts requests in window `number` and returns how many that makes.
    fn count(&self, number: i64, requests: u32) -> u32 {
        let number = (number.cast_unsigned() & 0xffff_ffff) << 32;
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let before = if seen & !0xffff_ffff == number { seen as u32 } else { 0 };
            let next = number | u64::from(before.saturating_add(requests));
            match self.0.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return next as u32,
                Err(current) => seen = current,
            }
        }
    }

    /// Takes back requests of window `number`, unless another has begun.
    fn take_back(&self, number: i64, requests: u32) {
        let number = (number.cast_unsigned() & 0xffff_ffff) << 32;
        let less = |seen: u64| {
            (seen & !0xffff_ffff == number).then(|| number | u64::from((seen as u32).saturating_sub(requests)))
        };
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

impl RateCounter {
    /// Takes back a request that counts elsewhere.
    pub(crate) fn take_back(&self, now: UtcMs) {
        self.interval.take_back(now.0.div_euclid(INTERVAL_MS), 1);
        self.day.take_back(now.0.div_euclid(DAY_MS), 1);
    }

    /// Whether a request was counted in the short window that is running.
    pub(crate) fn is_busy(&self, now: UtcMs) -> bool {
        let number = now.0.div_euclid(INTERVAL_MS).cast_unsigned() & 0xffff_ffff;
        self.interval.0.load(Ordering::Relaxed) >> 32 == number
    }

    /// Counts a request.
    pub(crate) fn count(&self, limits: RateLimits, now: UtcMs) -> RateStatus {
        self.add(limits, now, 1)
    }

    /// Counts further requests that one which was counted stands for. Where they are too many none of them is, but for one that
    /// is the first of its window: it may take all of it, since else a list that is longer than a limit could never be sent.
    pub(crate) fn count_further(&self, limits: RateLimits, now: UtcMs, further: u32) -> RateStatus {
        let mut status = self.add(limits, now, further);
        if status.retry_after.is_none() {
            return status;
        }
        let left = |window: &Window, number, limit: Option<u32>| {
            let used = window.count(number, 0);
            limit.is_none_or(|limit| used <= limit || used == further.saturating_add(1))
        };
        let (interval, day) = (now.0.div_euclid(INTERVAL_MS), now.0.div_euclid(DAY_MS));
        if left(&self.interval, interval, limits.interval) && left(&self.day, day, limits.daily) {
            status.retry_after = None;
            return status;
        }
        self.interval.take_back(interval, further);
        self.day.take_back(day, further);
        RateStatus { retry_after: status.retry_after, ..self.add(limits, now, 0) }
    }

    fn add(&self, limits: RateLimits, now: UtcMs, requests: u32) -> RateStatus {
        let used = self.interval.count(now.0.div_euclid(INTERVAL_MS), requests);
        let used_today = self.day.count(now.0.div_euclid(DAY_MS), requests);
        let until = |window: i64| window - now.0.rem_euclid(window);
        let wait = |milliseconds: i64| Some(Duration::from_millis(milliseconds.cast_unsigned()));
        let retry_after = if limits.daily.is_some_and(|limit| used_today > limit) {
            wait(until(DAY_MS))
        } else if limits.interval.is_some_and(|limit| used > limit) {
            wait(until(INTERVAL_MS))
        } else {
            None
        };
        RateStatus {
            interval: limits.interval.map(|limit| Allowance::of(limit, used)),
            daily: limits.daily.map(|limit| Allowance::of(limit, used_today)),
            daily_reset_ms: until(DAY_MS),
            retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RateLimits = RateLimits { interval: Some(3), daily: Some(5) };

    /// What is left in 10 seconds and in the day.
    fn left(status: RateStatus) -> (Option<u32>, Option<u32>) {
        (status.interval.map(|left| left.remaining), status.daily.map(|left| left.remaining))
    }

    #[test]
    fn each_limit_is_switched_off_by_itself() {
        let now = UtcMs(1_764_000_004_000);
        let counter = RateCounter::default();
        for remaining in (0..5).rev() {
            let status = counter.count(RateLimits { interval: None, ..LIMITS }, now);
            assert_eq!((left(status), status.retry_after), ((None, Some(remaining)), None));
        }
        assert!(counter.count(RateLimits { interval: None, ..LIMITS }, now).retry_after.is_some());
        let status = counter.count(RateLimits { daily: None, interval: Some(10) }, now);
        assert_eq!((left(status), status.retry_after), ((Some(3), None), None));
        assert_eq!(counter.count(RateLimits::OFF, now).retry_after, None);
    }

    #[test]
    fn a_request_that_counts_elsewhere_is_taken_back() {
        let (counter, now) = (RateCounter::default(), UtcMs(1_764_000_004_000));
        assert!(!counter.is_busy(now));
        counter.take_back(now);
        for _ in 0..10 {
            assert_eq!(left(counter.count(LIMITS, now)).0, Some(2));
            counter.take_back(now);
        }
        assert!(counter.is_busy(now) && !counter.is_busy(UtcMs(now.0 + 6_000)));
        counter.count(LIMITS, now);
        counter.take_back(UtcMs(now.0 + 6_000));
        assert_eq!(left(counter.count(LIMITS, now)).0, Some(1), "another window took nothing back");
    }

    #[test]
    fn one_that_stands_for_many_is_counted_as_they_are() {
        let (counter, now) = (RateCounter::default(), UtcMs(1_764_000_004_000));
        counter.count(LIMITS, now);
        let status = counter.count_further(LIMITS, now, 1);
        assert_eq!((left(status), status.retry_after), ((Some(1), Some(3)), None));
        // Two more are too many, and take nothing away from what would fit.
        counter.count(LIMITS, now);
        let status = counter.count_further(LIMITS, now, 1);
        assert_eq!((left(status).0, status.retry_after), (Some(0), Some(Duration::from_secs(6))));
        // One that is longer than the limit has a window of its own.
        let (limits, next) = (RateLimits { daily: None, ..LIMITS }, UtcMs(now.0 + 6_000));
        counter.count(limits, next);
        let status = counter.count_further(limits, next, 99);
        assert_eq!((left(status).0, status.retry_after), (Some(0), None));
        assert!(counter.count(limits, next).retry_after.is_some());
    }

    #[test]
    fn the_limit_holds_and_ends_with_its_window() {
        let counter = RateCounter::default();
        let now = UtcMs(1_764_000_004_000);
        for remaining in (0..3).rev() {
            let status = counter.count(LIMITS, now);
            assert_eq!((left(status).0, status.retry_after), (Some(remaining), None));
        }
        let refused = counter.count(LIMITS, now);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(6)));
        let next = UtcMs(now.0 + 6_000);
        let status = counter.count(LIMITS, next);
        assert_eq!((left(status), status.retry_after), ((Some(2), Some(0)), None));
        let daily = counter.count(LIMITS, next);
        assert_eq!(left(daily).1, Some(0));
        assert_eq!(daily.retry_after, Some(Duration::from_millis(daily.daily_reset_ms.cast_unsigned())));
    }
}
