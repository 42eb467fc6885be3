//! What anybody can make happen any number of times, told in the log by count.
//!
//! Such a thing is told in full when it begins, and from then on once a minute with its number, for as long as it goes
//! on. So nobody can fill a disk or drown other lines, and nothing goes unsaid.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use keystead_model::KeyId;

use crate::Source;

/// What is told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Happening {
    /// What happens, as the message of its line.
    pub what: &'static str,
    /// Which kind of it: an error code, mostly.
    pub code: &'static str,
    /// Where it comes from, where that tells something.
    pub source: Option<Source>,
    /// The key that it is about, if it is about one.
    pub key: Option<KeyId>,
}

impl Happening {
    /// Something that is told by its kind alone.
    pub fn new(what: &'static str, code: &'static str) -> Self {
        Self { what, code, source: None, key: None }
    }

    /// Whether to write its line now; the rest is told by count.
    pub fn is_told(self) -> bool {
        self.is_told_up_to(1)
    }

    /// The same for what is worth more lines than one: up to `lines` a minute.
    pub fn is_told_up_to(self, lines: u64) -> bool {
        let (is_told, over) = TALLY.count(self, lines, STARTED.elapsed());
        over.into_iter().for_each(tell);
        is_told
    }
}

/// How often something happened that was not told.
#[derive(Debug, PartialEq, Eq)]
struct Sum {
    happening: Happening,
    count: u64,
}

/// Tells what has gone on for a minute. Called every minute.
pub fn settle() {
    TALLY.settle(STARTED.elapsed()).into_iter().for_each(tell);
}

/// Tells what was not told, at the end.
pub fn finish() {
    TALLY.finish().into_iter().for_each(tell);
}

fn tell(Sum { happening: Happening { what, code, source, key }, count }: Sum) {
    tracing::warn!(
        code,
        source = source.map(tracing::field::display),
        key = key.map(tracing::field::display),
        count,
        "{what}, again and again"
    );
}

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
static TALLY: LazyLock<Tally> = LazyLock::new(Tally::default);

/// Between two lines of one happening.
const EVERY: Duration = Duration::from_secs(60);
/// Happenings that are told apart at a time; of more, sources and keys are told as one.
const APART: usize = 1_000;

#[derive(Default)]
struct Tally(Mutex<HashMap<Happening, Counted>>);

struct Counted {
    /// Since when it is counted.
    since: Duration,
    /// What may still be told in full: something that goes on is only counted.
    lines: u64,
    untold: u64,
}

impl Tally {
    /// Counts one; whether it is to be told in full, and what is due to be told by count.
    fn count(&self, happening: Happening, lines: u64, now: Duration) -> (bool, Option<Sum>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let happening = match counted.len() < APART || counted.contains_key(&happening) {
            true => happening,
            false => Happening { source: None, key: None, ..happening },
        };
        let entry = counted.entry(happening).or_insert(Counted { since: now, lines, untold: 0 });
        let sum = entry.end_minute(happening, now);
        if entry.lines > 0 {
            entry.lines -= 1;
            return (true, sum);
        }
        entry.untold += 1;
        (false, sum)
    }

    /// What is due to be told; what has ended is forgotten.
    fn settle(&self, now: Duration) -> Vec<Sum> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        counted.retain(|happening, entry| {
            let sum = entry.end_minute(*happening, now);
            let goes_on = sum.is_some() || now.saturating_sub(entry.since) < EVERY;
            due.extend(sum);
            goes_on
        });
        due
    }

    /// All that was not told.
    fn finish(&self) -> Vec<Sum> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let untold = counted.drain().filter(|(_, entry)| entry.untold > 0);
        untold.map(|(happening, entry)| Sum { happening, count: entry.untold }).collect()
    }
}

impl Counted {
    fn end_minute(&mut self, happening: Happening, now: Duration) -> Option<Sum> {
        if now.saturating_sub(self.since) < EVERY || self.untold == 0 {
            return None;
        }
        let count = std::mem::take(&mut self.untold);
        (self.since, self.lines) = (now, 0);
        Some(Sum { happening, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn from(address: &str) -> Happening {
        Happening { source: Some(Source::of(address.parse().unwrap())), ..Happening::new("it was refused", "x") }
    }

    #[test]
    fn what_goes_on_is_told_once_a_minute_and_what_begins_anew_in_full() {
        let tally = Tally::default();
        let one = from("192.0.2.1");
        assert_eq!(tally.count(one, 1, at(0)), (true, None));
        for _ in 0..57_000 {
            assert_eq!(tally.count(one, 1, at(5)), (false, None));
        }
        assert_eq!(tally.count(from("192.0.2.2"), 1, at(5)), (true, None), "another source is another line");
        assert_eq!(tally.settle(at(59)), []);
        assert_eq!(tally.count(one, 1, at(60)), (false, Some(Sum { happening: one, count: 57_000 })));
        assert_eq!(tally.settle(at(120)), [Sum { happening: one, count: 1 }]);
        assert_eq!(tally.settle(at(180)), []);
        assert_eq!(tally.0.lock().unwrap().len(), 0, "what has ended is forgotten");
        assert_eq!(tally.count(one, 1, at(181)), (true, None));
    }

    #[test]
    fn what_ends_within_its_minute_is_told_after_it() {
        let tally = Tally::default();
        let one = from("192.0.2.1");
        let told = (0..5).filter(|_| tally.count(one, 3, at(10)).0).count();
        assert_eq!(told, 3);
        assert_eq!(tally.settle(at(69)), []);
        assert_eq!(tally.settle(at(70)), [Sum { happening: one, count: 2 }]);
        assert!(!tally.count(one, 3, at(71)).0);
        assert_eq!(tally.finish(), [Sum { happening: one, count: 1 }]);
    }

    #[test]
    fn the_number_of_lines_is_bounded() {
        let tally = Tally::default();
        let sources = |second| (0..50_000u32).map(move |number| (second, number));
        let mut lines = 0;
        for (second, number) in sources(0).chain(sources(61)) {
            let happening = from(&std::net::Ipv4Addr::from(number).to_string());
            let (told, sum) = tally.count(happening, 1, at(second));
            lines += usize::from(told) + usize::from(sum.is_some());
        }
        lines += tally.settle(at(200)).len();
        assert!(lines <= 3 * APART, "{lines}");
    }
}
