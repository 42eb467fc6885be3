//! What a store counts and times of itself, for whoever watches it.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Ends of the classes of [`Durations`], in seconds: they tell 5 from 50 from 250 ms.
pub const BOUNDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How long something took, by classes; one atomic each.
#[derive(Default)]
pub struct Durations {
    /// The last class has no end.
    classes: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// What [`Durations`] hold at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// How many there were in each class.
    pub classes: [u64; BOUNDS.len() + 1],
    /// All together, in seconds.
    pub seconds: f64,
}

impl Durations {
    /// Counts one.
    pub fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let class = BOUNDS.iter().position(|end| seconds <= *end).unwrap_or(BOUNDS.len());
        self.classes[class].fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What there was so far.
    pub fn distribution(&self) -> Distribution {
        Distribution {
            classes: std::array::from_fn(|class| self.classes[class].load(Relaxed)),
            seconds: self.micros.load(Relaxed) as f64 / 1e6,
        }
    }
}

/// What a store has counted.
#[derive(Clone, Debug)]
pub struct StoreFigures {
    /// Ways to the database, each with its queue.
    pub lanes: Vec<LaneFigures>,
    /// Durable commits.
    pub commits: u64,
    /// Closures that were committed: on SQLite many share a commit.
    pub writes: u64,
    /// Transactions that were run again, since others got in their way or one of several was to be undone alone.
    pub retries: u64,
}

/// A way to the database.
#[derive(Clone, Debug)]
pub struct LaneFigures {
    /// `"write"`, `"read"`, `"lookup"`…
    pub name: &'static str,
    /// Closures that wait.
    pub waiting: usize,
    /// How long closures have waited until they were begun.
    pub waited: Distribution,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fifty_and_two_hundred_and_fifty_milliseconds_are_told_apart() {
        let durations = Durations::default();
        for millis in [5, 50, 250, 20_000] {
            durations.add(Duration::from_millis(millis));
        }
        let Distribution { classes, seconds } = durations.distribution();
        assert_eq!(classes, [0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1]);
        assert!((seconds - 20.305).abs() < 1e-6);
    }
}
