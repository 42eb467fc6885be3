//! The service clock on this node. Its time and that of the wall never convert into each other.
//!
//! A node adds only time that it has measured itself, on its monotonic clock, since it first saw the epoch that it
//! replaces. So service time never runs faster than real time, however many nodes tick.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use keystead_model::{ServiceMs, UtcMs};
use keystead_store::service_clock::{self, ServiceClock as Polled};

use crate::{App, Result};

/// How long an epoch must have been seen before this node ends it.
const TICK_AFTER: Duration = Duration::from_secs(60);
/// The most that one tick adds: a node that slept does not make up for it.
const TICK_MAX: Duration = Duration::from_secs(120);

/// What this node has seen of the clock.
#[derive(Default)]
pub struct NodeClock {
    polled: AtomicI64,
    seen: Mutex<Option<Seen>>,
}

struct Seen {
    epoch: i64,
    /// This node's monotonic clock when the epoch was first shown; later polls do not move it.
    first: Duration,
    paused: bool,
    /// The first tick after a start or an error adds nothing: what happened before it is not known.
    trusted: bool,
}

impl NodeClock {
    /// Service time as it was last polled; up to two minutes behind.
    pub fn polled(&self) -> ServiceMs {
        ServiceMs(self.polled.load(Ordering::Relaxed))
    }

    /// The best estimate for showing: the polled time and what has passed since, as a tick would add it.
    pub fn estimate(&self, monotonic: Duration) -> ServiceMs {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = match &*seen {
            Some(Seen { first, paused: false, .. }) => monotonic.saturating_sub(*first).min(TICK_MAX),
            _ => Duration::ZERO,
        };
        self.polled().plus(milliseconds(passed))
    }

    /// Whether the operator has paused automatic deletions, as it was last polled.
    pub fn is_paused(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|seen| seen.paused)
    }

    /// A poll that showed `clock` was answered at `monotonic`.
    pub fn seen(&self, clock: Polled, monotonic: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let trusted = seen.as_ref().is_some_and(|seen| seen.trusted);
        match &mut *seen {
            Some(known) if known.epoch == clock.epoch => known.paused = clock.paused,
            other => *other = Some(Seen { epoch: clock.epoch, first: monotonic, paused: clock.paused, trusted }),
        }
        self.polled.store(clock.now.0, Ordering::Relaxed);
    }

    /// The epoch that this node should end now, and what to add.
    pub fn due(&self, monotonic: Duration) -> Option<(i64, i64)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { epoch, first, trusted, .. } = seen.as_ref()?;
        let passed = monotonic.saturating_sub(*first);
        (passed >= TICK_AFTER).then(|| (*epoch, if *trusted { milliseconds(passed.min(TICK_MAX)) } else { 0 }))
    }

    /// Whether the last tick was answered; after an error the next one adds nothing.
    pub fn trust(&self, trusted: bool) {
        if let Some(seen) = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            seen.trusted = trusted;
        }
    }
}

fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

impl App {
    /// Moves the service clock if it is due. Called every few seconds; answers whether this node's tick counted.
    pub async fn tick_service_clock(&self) -> Result<bool> {
        let Some((epoch, add)) = self.service_clock.due(self.clock.monotonic()) else { return Ok(false) };
        let ticked = self.store.write_serial(move |tx| service_clock::tick(tx, epoch, add)).await;
        self.service_clock.trust(ticked.is_ok());
        Ok(ticked?)
    }

    /// Service time, as far as this node can tell without asking.
    pub fn service_now(&self) -> ServiceMs {
        self.service_clock.estimate(self.clock.monotonic())
    }

    /// Whether automatic deletions are paused, so that nobody's 90 days run.
    pub fn deletions_are_paused(&self) -> bool {
        self.service_clock.is_paused()
    }

    /// When an instant of service time will be, if the service stays up.
    pub fn to_utc(&self, instant: ServiceMs, now: UtcMs) -> UtcMs {
        UtcMs(now.0.saturating_add(instant - self.service_now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(now: i64, epoch: i64) -> Polled {
        Polled { now: ServiceMs(now), epoch, paused: false }
    }

    #[test]
    fn the_first_tick_adds_nothing_and_later_ones_at_most_two_minutes() {
        let clock = NodeClock::default();
        let at = Duration::from_secs;
        assert_eq!(clock.due(at(0)), None);
        clock.seen(polled(0, 5), at(10));
        clock.seen(polled(0, 5), at(60));
        assert_eq!(clock.due(at(69)), None, "counts from the poll that first showed the epoch");
        assert_eq!(clock.due(at(70)), Some((5, 0)));
        clock.trust(true);
        clock.seen(polled(0, 6), at(71));
        assert_eq!(clock.due(at(131)), Some((6, 60_000)));
        assert_eq!(clock.due(at(10_000)), Some((6, 120_000)));
        clock.trust(false);
        clock.seen(polled(60_000, 7), at(10_000));
        assert_eq!(clock.due(at(10_061)), Some((7, 0)), "after an error");
        assert_eq!(clock.polled(), ServiceMs(60_000));
        assert_eq!(clock.estimate(at(10_030)), ServiceMs(90_000));
    }
}
