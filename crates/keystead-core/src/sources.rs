//! Where requests come from, as far as one owner has it, and how often something came from there.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{App, Error, Result};

/// The part of an address that one owner has: all of a v4 address, the /64 of a v6 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// Where an address belongs.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(IpAddr::V4(v4)),
            IpAddr::V6(v6) => Self(IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => v4.fmt(f),
            IpAddr::V6(v6) => write!(f, "{v6}/64"),
        }
    }
}

/// Sources that are remembered at a time.
const MAX_SOURCES: usize = 100_000;

/// Counts what comes from each source in a window of time, which begins with the first of it. `S` is a source, or one with what
/// else is counted apart.
pub(crate) struct SourceCounts<S = Source> {
    window: Duration,
    /// How much of it is admitted.
    limit: u32,
    seen: Mutex<HashMap<S, Seen>>,
}

#[derive(Clone, Copy)]
struct Seen {
    begun: Duration,
    count: u32,
}

impl<S: Copy + Eq + Hash> SourceCounts<S> {
    pub(crate) fn new(window: Duration, limit: u32) -> Self {
        Self { window, limit, seen: Mutex::default() }
    }

    /// Counts one more, and refuses it if it is one too many.
    pub(crate) fn admit(&self, source: S, now: Duration) -> Result<()> {
        let seen = self.count(source, now);
        if seen.count <= self.limit {
            return Ok(());
        }
        Err(Error::TooManyRequests(self.window.saturating_sub(now.saturating_sub(seen.begun))))
    }

    /// Counts one more, and answers how many that makes and how long the window still is.
    pub(crate) fn count_of(&self, source: S, now: Duration) -> (u32, Duration) {
        let seen = self.count(source, now);
        (seen.count, self.window.saturating_sub(now.saturating_sub(seen.begun)))
    }

    /// Whether there were more than the limit, without counting.
    pub(crate) fn is_over(&self, source: S, now: Duration) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&source).is_some_and(|entry| self.is_current(*entry, now) && entry.count > self.limit)
    }

    fn count(&self, source: S, now: Duration) -> Seen {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_SOURCES && !seen.contains_key(&source) {
            seen.retain(|_, entry| self.is_current(*entry, now));
            // Nearly all are new: whoever can make up that many sources is not to be stopped by counting them.
            if seen.len() > MAX_SOURCES / 2 {
                seen.clear();
            }
        }
        let entry = seen.entry(source).or_insert(Seen { begun: now, count: 0 });
        if !self.is_current(*entry, now) {
            *entry = Seen { begun: now, count: 0 };
        }
        entry.count = entry.count.saturating_add(1);
        *entry
    }

    fn is_current(&self, seen: Seen, now: Duration) -> bool {
        now.saturating_sub(seen.begun) < self.window
    }
}

impl App {
    /// Counts what somebody at `address` sends whom nobody knows, before anybody reads it. Each of `what` may be sent is counted
    /// by itself: whoever reads many files can still report a key.
    pub fn count_of_stranger(&self, what: &'static str, address: IpAddr) -> Result<()> {
        self.strangers.admit((what, Source::of(address)), self.clock.monotonic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn one_owner_is_one_source() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_eq!(source("2001:db8::1").to_string(), "2001:db8::/64");
        assert_eq!(source("::ffff:192.0.2.1").to_string(), "192.0.2.1");
    }

    #[test]
    fn counts_end_with_their_window_and_the_map_is_bounded() {
        let counts = SourceCounts::new(Duration::from_secs(60), 2);
        let (one, now) = (source("192.0.2.1"), Duration::from_secs(100));
        assert!(counts.admit(one, now).is_ok() && counts.admit(one, now).is_ok() && !counts.is_over(one, now));
        let later = now + Duration::from_secs(59);
        let refused = counts.admit(one, later);
        assert!(matches!(refused, Err(Error::TooManyRequests(wait)) if wait == Duration::from_secs(1)));
        assert!(counts.is_over(one, later) && counts.admit(source("192.0.2.2"), later).is_ok());
        assert!(!counts.is_over(one, now + Duration::from_secs(60)));
        assert!(counts.admit(one, now + Duration::from_secs(60)).is_ok());
        for number in 0..2 * MAX_SOURCES as u32 {
            let _ = counts.admit(Source::of(IpAddr::from(number.to_be_bytes())), now);
        }
        assert!(counts.seen.lock().unwrap().len() <= MAX_SOURCES);
    }

    #[test]
    fn what_is_counted_apart_has_its_own_limit() {
        let counts = SourceCounts::new(Duration::from_secs(60), 1);
        let (one, now) = (source("192.0.2.1"), Duration::from_secs(100));
        assert!(counts.admit(("files", one), now).is_ok() && counts.admit(("files", one), now).is_err());
        assert!(counts.admit(("reports", one), now).is_ok());
    }
}
