//! The ladder to a key's deletion: three notices, then the end.
//!
//! Pure: the sweep and the simulation ask the same functions. What is decided here from values that were read is
//! decided again by the statement that writes it.

use crate::{
    ServiceMs, UtcMs,
    time::{DAY_MS, MINUTE_MS},
};

/// A key without use for this long is deleted. A constant of the product, not a setting.
pub const INACTIVITY_MS: i64 = 90 * DAY_MS;
/// Added to [`INACTIVITY_MS`]: stored activity may lag the last use by up to an hour.
pub const INACTIVITY_SLACK_MS: i64 = 60 * MINUTE_MS;
/// A use waits for a durable touch when the stored activity is older than this.
pub const TOUCH_AFTER_MS: i64 = 30 * MINUTE_MS;
/// For how long a deleted key can be restored, in service time.
pub const RESTORE_WINDOW_MS: i64 = 30 * DAY_MS;
/// Stages are due this much before their day: 5 minutes for the service clock, which lags by up to 2, and 5 for the
/// sweep, so that a notice on time leaves the deletion where it is.
pub const STAGE_EARLY_MS: i64 = 10 * MINUTE_MS;
/// A notice that is late moves the deletion, to its days and this much after it.
pub const STAGE_MARGIN_MS: i64 = 5 * MINUTE_MS;
/// Keys with activity younger than this cannot be due for anything.
pub const NOTHING_DUE_MS: i64 = INACTIVITY_MS + INACTIVITY_SLACK_MS - Stage::Fifteen.days() * DAY_MS - STAGE_EARLY_MS;

/// A notice before the deletion, by its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The last: one day before.
    One,
    /// A week before.
    Seven,
    /// The first: 15 days before.
    Fifteen,
}

impl Stage {
    /// In the order in which they come.
    pub const ALL: [Self; 3] = [Self::Fifteen, Self::Seven, Self::One];

    /// Days before the deletion.
    pub const fn days(self) -> i64 {
        match self {
            Self::Fifteen => 15,
            Self::Seven => 7,
            Self::One => 1,
        }
    }

    /// Reads [`Stage::days`]; 0 and every other number are none.
    pub fn from_days(days: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.days() == days)
    }

    /// The one after `recorded`.
    fn after(recorded: Option<Self>) -> Option<Self> {
        match recorded {
            None => Some(Self::Fifteen),
            Some(Self::Fifteen) => Some(Self::Seven),
            Some(Self::Seven) => Some(Self::One),
            Some(Self::One) => None,
        }
    }
}

/// What the view of inactivity says of a key, in service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inactivity {
    /// Stored activity of the key alone.
    pub active_at: ServiceMs,
    /// From when its 90 days count: the latest of its activity, a resume of its tenant and a restored backup.
    pub idle_since: ServiceMs,
    /// The last notice that was recorded.
    pub stage: Option<Stage>,
    /// Not before this instant is it deleted.
    pub deletes_at: ServiceMs,
    /// Whether nobody was there to be told, so that nothing happens.
    pub held: bool,
}

/// What is due for an idle key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A notice.
    Notice(Stage),
    /// The deletion.
    Delete,
}

impl Inactivity {
    /// Of a key that becomes active now.
    pub fn beginning(now: ServiceMs) -> Self {
        let deletes_at = now.plus(INACTIVITY_MS + INACTIVITY_SLACK_MS);
        Self { active_at: now, idle_since: now, stage: None, deletes_at, held: false }
    }

    /// What is due at `now`, one step at a time: no stage before the one that precedes it, and no deletion before all.
    pub fn due(&self, now: ServiceMs) -> Option<Step> {
        let (step, at) = self.next();
        (!self.held && now >= at).then_some(step)
    }

    /// The next step, and when it is due as things stand.
    pub fn next(&self) -> (Step, ServiceMs) {
        match Stage::after(self.stage) {
            Some(stage) => (Step::Notice(stage), self.stage_due_at(stage)),
            None => (Step::Delete, self.deletes_at),
        }
    }

    /// When a stage is due, as things stand.
    pub fn stage_due_at(&self, stage: Stage) -> ServiceMs {
        self.deletes_at.plus(-stage.days() * DAY_MS - STAGE_EARLY_MS)
    }

    /// When the key is deleted if `stage` is recorded at `now`: a late notice moves the deletion, so that the ladder is
    /// never shortened.
    pub fn deletes_at_after(&self, stage: Stage, now: ServiceMs) -> ServiceMs {
        self.deletes_at.max(now.plus(stage.days() * DAY_MS + STAGE_MARGIN_MS))
    }
}

/// Whether a use must be stored before its answer: the stored activity, as the database said last, is old by service
/// time as this node polled it last.
pub fn needs_touch(stored_active_at: ServiceMs, polled: ServiceMs) -> bool {
    polled - stored_active_at > TOUCH_AFTER_MS
}

/// How long before a chosen expiry its notices come: 15, 7 and 1 days, or the same shares of a life below 30 days.
pub fn expiry_notice_lead(stage: Stage, created_at: UtcMs, expires_at: UtcMs) -> i64 {
    let life = (expires_at - created_at).clamp(0, 30 * DAY_MS);
    life / 30 * stage.days()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_life_on_time() {
        let begun = Inactivity::beginning(ServiceMs(0));
        let end = ServiceMs(90 * DAY_MS + 60 * MINUTE_MS);
        assert_eq!(begun.deletes_at, end);
        let due = |days: i64| end.plus(-days * DAY_MS - 10 * MINUTE_MS);
        assert_eq!(begun.due(due(15).plus(-1)), None);
        assert_eq!(begun.due(due(15)), Some(Step::Notice(Stage::Fifteen)));
        assert_eq!(due(15), ServiceMs(NOTHING_DUE_MS));
        assert_eq!(begun.deletes_at_after(Stage::Fifteen, due(15).plus(5 * MINUTE_MS)), end, "on time");
        let warned = Inactivity { stage: Some(Stage::One), ..begun };
        assert_eq!(warned.due(end.plus(-1)), None);
        assert_eq!(warned.due(end), Some(Step::Delete));
        assert_eq!(Inactivity { held: true, ..warned }.due(end), None);
    }

    #[test]
    fn notices_of_a_short_life_are_scaled() {
        let leads = |days: i64| Stage::ALL.map(|stage| expiry_notice_lead(stage, UtcMs(0), UtcMs(days * DAY_MS)));
        assert_eq!(leads(365), [15 * DAY_MS, 7 * DAY_MS, DAY_MS]);
        assert_eq!(leads(30), leads(365));
        assert_eq!(leads(10), [5 * DAY_MS, 7 * DAY_MS / 3, DAY_MS / 3]);
    }

    proptest! {
        /// However late the sweeps run, all three notices come, in order, in their distances, and never too early.
        #[test]
        fn the_ladder_is_never_shortened(gaps in proptest::collection::vec(1i64..40 * DAY_MS, 1..60)) {
            let mut key = Inactivity::beginning(ServiceMs(0));
            let (mut now, mut told) = (ServiceMs(0), Vec::new());
            for gap in gaps {
                now = now.plus(gap);
                match key.due(now) {
                    Some(Step::Notice(stage)) => {
                        told.push((stage, now));
                        key = Inactivity { deletes_at: key.deletes_at_after(stage, now), stage: Some(stage), ..key };
                    }
                    Some(Step::Delete) => {
                        prop_assert!(now - key.idle_since > INACTIVITY_MS);
                        prop_assert_eq!(told.iter().map(|(stage, _)| *stage).collect::<Vec<_>>(), Stage::ALL.to_vec());
                        for (stage, at) in &told {
                            prop_assert!(now - *at >= stage.days() * DAY_MS);
                        }
                        prop_assert!(told[1].1 - told[0].1 >= 7 * DAY_MS);
                        prop_assert!(told[2].1 - told[1].1 >= 5 * DAY_MS);
                        break;
                    }
                    None => {}
                }
            }
        }
    }
}
