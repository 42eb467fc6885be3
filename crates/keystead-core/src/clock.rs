//! Time, asked at the edge. Everything inside gets it from its context.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use keystead_model::UtcMs;

/// Where the time comes from.
#[derive(Clone)]
pub enum Clock {
    /// The machine's clocks.
    System,
    /// A clock that only its test moves.
    Test(TestClock),
}

/// A clock that stands still until it is told otherwise.
#[derive(Clone, Default)]
pub struct TestClock {
    utc: Arc<AtomicI64>,
    monotonic: Arc<AtomicI64>,
}

impl Clock {
    /// The wall clock, which may jump.
    pub fn now(&self) -> UtcMs {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the wall clock")]
            Self::System => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                UtcMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Test(clock) => UtcMs(clock.utc.load(Ordering::Relaxed)),
        }
    }

    /// A clock that never jumps and has no relation to the calendar.
    pub fn monotonic(&self) -> Duration {
        match self {
            // CLOCK_BOOTTIME goes on while the machine sleeps; what was fresh before a sleep is old after it.
            #[cfg(target_os = "linux")]
            Self::System => {
                let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                Duration::new(since.tv_sec.try_into().unwrap_or_default(), since.tv_nsec.try_into().unwrap_or_default())
            }
            #[cfg(not(target_os = "linux"))]
            Self::System => {
                static START: std::sync::LazyLock<std::time::Instant> =
                    std::sync::LazyLock::new(std::time::Instant::now);
                START.elapsed()
            }
            Self::Test(clock) => {
                Duration::from_millis(clock.monotonic.load(Ordering::Relaxed).try_into().unwrap_or_default())
            }
        }
    }
}

impl TestClock {
    /// A clock that shows `utc`.
    pub fn at(utc: UtcMs) -> Self {
        let clock = Self::default();
        clock.utc.store(utc.0, Ordering::Relaxed);
        clock
    }

    /// Time passes.
    pub fn advance(&self, length: Duration) {
        self.jump(i64::try_from(length.as_millis()).unwrap_or(i64::MAX));
        self.monotonic.fetch_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Somebody sets the wall clock, forward or back.
    pub fn jump(&self, milliseconds: i64) {
        self.utc.fetch_add(milliseconds, Ordering::Relaxed);
    }
}
