//! Where requests come from, as far as one owner has it, and how often something came from there.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

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

/// Counts what comes from each source in a window of time, which begins with the first of it.
pub(crate) struct SourceCounts {
    window: Duration,
    seen: Mutex<HashMap<Source, Seen>>,
}

/// What came from one source.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    begun: Duration,
    /// How often.
    pub(crate) count: u32,
}

impl SourceCounts {
    pub(crate) fn new(window: Duration) -> Self {
        Self { window, seen: Mutex::default() }
    }

    /// Counts one more, and answers how many that makes.
    pub(crate) fn count(&self, source: Source, now: Duration) -> Seen {
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

    /// How many there were, without counting.
    pub(crate) fn of(&self, source: Source, now: Duration) -> u32 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&source).filter(|entry| self.is_current(**entry, now)).map_or(0, |entry| entry.count)
    }

    /// How long until the window is over.
    pub(crate) fn left(&self, seen: Seen, now: Duration) -> Duration {
        self.window.saturating_sub(now.saturating_sub(seen.begun))
    }

    fn is_current(&self, seen: Seen, now: Duration) -> bool {
        now.saturating_sub(seen.begun) < self.window
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
        let counts = SourceCounts::new(Duration::from_secs(60));
        let (one, now) = (source("192.0.2.1"), Duration::from_secs(100));
        assert_eq!((counts.count(one, now).count, counts.count(one, now).count), (1, 2));
        let later = now + Duration::from_secs(59);
        assert_eq!(counts.left(counts.count(one, later), later), Duration::from_secs(1));
        assert_eq!(counts.of(one, later), 3);
        assert_eq!(counts.of(one, now + Duration::from_secs(60)), 0);
        assert_eq!(counts.count(one, now + Duration::from_secs(60)).count, 1);
        for number in 0..2 * MAX_SOURCES as u32 {
            counts.count(Source::of(IpAddr::from(number.to_be_bytes())), now);
        }
        assert!(counts.seen.lock().unwrap().len() <= MAX_SOURCES);
    }
}
