//! Guesses at passwords: how many are let through, for whom and from where.
//!
//! A guess is counted before it is looked at, so that a thousand at once are no more than a thousand in a row; a right one is
//! taken back. What is counted does not depend on whether an account exists.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use keystead_model::UserId;

use crate::{Error, Result, Source, known_browsers::BrowserId};

const QUARTER: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What guesses are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    /// One account from one source.
    AccountFrom(String, Source),
    /// One account, from wherever it is tried: few, since the owner of an account has a browser that is known.
    Account(String),
    /// All accounts from one source: as many as an office needs on a Monday.
    From(Source),
    /// One account in a browser that has signed in to it before.
    Known(BrowserId),
    /// A member who is signed in, and is asked for their password again.
    Member(UserId),
}

impl Counted {
    /// How many in which time.
    const fn limit(&self) -> (u32, Duration) {
        match self {
            Self::AccountFrom(..) => (8, QUARTER),
            Self::Account(_) => (50, HOUR),
            Self::From(_) => (300, QUARTER),
            Self::Known(_) => (20, QUARTER),
            Self::Member(_) => (10, QUARTER),
        }
    }
}

/// Counts that are kept at a time.
const MAX_ENTRIES: usize = 200_000;

#[derive(Default)]
pub(crate) struct Guesses {
    counts: Mutex<HashMap<Counted, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    begun: Duration,
    guesses: u32,
}

/// A guess that was let through, and counted as a wrong one.
pub(crate) struct Guess(Vec<Counted>);

impl Guesses {
    /// Lets a guess at `account` through, or says when the next one is.
    pub(crate) fn at_sign_in(&self, account: &str, source: Source, now: Duration) -> Result<Guess> {
        let account = account.to_owned();
        let counted =
            vec![Counted::AccountFrom(account.clone(), source), Counted::Account(account), Counted::From(source)];
        self.reserve(counted, now)
    }

    /// The same in a browser that has signed in to the account before. Nobody else can use these guesses up.
    pub(crate) fn in_known_browser(&self, browser: BrowserId, now: Duration) -> Result<Guess> {
        self.reserve(vec![Counted::Known(browser)], now)
    }

    /// The same where somebody who is signed in is asked again.
    pub(crate) fn at_confirmation(&self, user: UserId, now: Duration) -> Result<Guess> {
        self.reserve(vec![Counted::Member(user)], now)
    }

    fn reserve(&self, counted: Vec<Counted>, now: Duration) -> Result<Guess> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for by in &counted {
            let (limit, window) = by.limit();
            if let Some(Count { begun, guesses }) = counts.get(by)
                && let Some(left) = window.checked_sub(now.saturating_sub(*begun)).filter(|left| !left.is_zero())
                && *guesses >= limit
            {
                return Err(Error::TooManyRequests(left));
            }
        }
        make_room(&mut counts, now);
        for by in &counted {
            let count = counts.entry(by.clone()).or_insert(Count { begun: now, guesses: 0 });
            if now.saturating_sub(count.begun) >= by.limit().1 {
                *count = Count { begun: now, guesses: 0 };
            }
            count.guesses += 1;
        }
        Ok(Guess(counted))
    }

    /// The guess was right: it counts for nothing, and what its owner has mistyped before is forgotten.
    pub(crate) fn was_right(&self, Guess(counted): Guess) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for by in counted {
            match by {
                Counted::AccountFrom(..) | Counted::Known(_) | Counted::Member(_) => drop(counts.remove(&by)),
                Counted::Account(_) | Counted::From(_) => take_one(&mut counts, &by),
            }
        }
    }

    /// Nobody has looked at the guess.
    pub(crate) fn was_not_heard(&self, Guess(counted): Guess) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for by in &counted {
            take_one(&mut counts, by);
        }
    }
}

fn take_one(counts: &mut HashMap<Counted, Count>, by: &Counted) {
    if let Some(count) = counts.get_mut(by) {
        count.guesses = count.guesses.saturating_sub(1);
    }
}

fn make_room(counts: &mut HashMap<Counted, Count>, now: Duration) {
    if counts.len() < MAX_ENTRIES {
        return;
    }
    counts.retain(|by, count| now.saturating_sub(count.begun) < by.limit().1);
    // Still full: what was tried once is what a flood leaves, what was tried often is what the limits are for.
    if counts.len() >= MAX_ENTRIES / 2 {
        counts.retain(|_, count| count.guesses > 1);
    }
    if counts.len() >= MAX_ENTRIES {
        counts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    fn let_through(guesses: &Guesses, account: &str, from: &str, now: Duration) -> bool {
        guesses.at_sign_in(account, source(from), now).is_ok()
    }

    #[test]
    fn a_source_has_few_guesses_at_an_account_and_an_account_few_from_everywhere() {
        let (guesses, now) = (Guesses::default(), Duration::from_secs(100));
        let tried = (0..300).filter(|_| let_through(&guesses, "a", "192.0.2.1", now)).count();
        assert_eq!(tried, 8);
        assert_eq!((0..300).filter(|_| let_through(&guesses, "b", "2001:db8::1", now)).count(), 8);
        assert!(!let_through(&guesses, "b", "2001:db8::ffff", now), "another address of the same owner");
        let everywhere =
            (0..300).filter(|n| let_through(&guesses, "a", &format!("198.51.100.{}", n % 250), now)).count();
        assert_eq!(everywhere, 42, "eight were tried before");
        assert!(!let_through(&guesses, "a", "203.0.113.1", now + 3 * QUARTER));
        assert!(let_through(&guesses, "a", "203.0.113.1", now + HOUR));
    }

    #[test]
    fn a_known_browser_is_not_locked_out_by_others() {
        let (guesses, now) = (Guesses::default(), Duration::from_secs(100));
        for number in 0..400 {
            let_through(&guesses, &format!("account {number}"), "192.0.2.1", now);
        }
        assert!(!let_through(&guesses, "mine", "192.0.2.1", now), "the source is used up");
        let browser = BrowserId::of_test(1);
        assert_eq!((0..100).filter(|_| guesses.in_known_browser(browser, now).is_ok()).count(), 20);
        assert!(guesses.in_known_browser(BrowserId::of_test(2), now).is_ok());
    }

    #[test]
    fn right_guesses_use_nothing_up() {
        let (guesses, now) = (Guesses::default(), Duration::from_secs(100));
        for _ in 0..1_000 {
            let guess = guesses.at_sign_in("a", source("192.0.2.1"), now).unwrap();
            guesses.was_right(guess);
        }
        for _ in 0..7 {
            guesses.at_sign_in("a", source("192.0.2.1"), now).unwrap();
        }
        let guess = guesses.at_sign_in("a", source("192.0.2.1"), now).unwrap();
        guesses.was_right(guess);
        assert!(let_through(&guesses, "a", "192.0.2.1", now), "who is in may mistype again");
        // What nobody has looked at says nothing of anybody, and forgets nothing.
        for _ in 0..7 {
            guesses.was_not_heard(guesses.at_sign_in("a", source("192.0.2.1"), now).unwrap());
        }
        assert_eq!((0..100).filter(|_| let_through(&guesses, "a", "192.0.2.1", now)).count(), 7);
    }

    #[test]
    fn the_map_is_bounded_and_a_flood_does_not_reset_what_was_tried_often() {
        let (guesses, now) = (Guesses::default(), Duration::from_secs(100));
        while let_through(&guesses, "a", "192.0.2.1", now) {}
        for number in 0..MAX_ENTRIES as u32 {
            let from = Source::of(std::net::IpAddr::from(number.to_be_bytes()));
            let _ = guesses.at_sign_in(&number.to_string(), from, now);
        }
        assert!(guesses.counts.lock().unwrap().len() <= MAX_ENTRIES + 3);
        assert!(!let_through(&guesses, "a", "192.0.2.1", now));
    }
}
