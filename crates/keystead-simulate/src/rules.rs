//! The rules that keep a key's life right, each of which can be taken away to see that its absence is noticed.

use keystead_core::sweep::DueStep;
use keystead_model::{
    KeyId, NoticeId, ServiceMs, UtcMs,
    api_key::{ApiKey, StoredSecret},
    inactivity::{INACTIVITY_MS, INACTIVITY_SLACK_MS, RESTORE_WINDOW_MS, Step, TOUCH_AFTER_MS},
    time::HOUR_MS,
};
use keystead_store::{Result, Tx, service_clock};

/// A rule that a run does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ablation {
    NoTouch,
    TouchAfterAnHour,
    NoEpochCheck,
    OwnTime,
    WallClock,
    NominalInstants,
    UnconditionalNotice,
    DuplicateNotices,
    UnconditionalDelete,
    NoFence,
    FenceFromReply,
    RotationShifts,
    NoClockFloor,
    NoResumeRestart,
}

impl Ablation {
    pub(crate) const ALL: &[(Self, &str, &str)] = &[
        (Self::NoTouch, "no-touch", "uses wait for the flush, however old the stored activity is"),
        (Self::TouchAfterAnHour, "touch-after-an-hour", "a use is stored at once only after an hour, all of the slack"),
        (Self::NoEpochCheck, "no-epoch-check", "a tick adds its time although another node has ticked meanwhile"),
        (Self::OwnTime, "own-time", "each node adds the time since its own last tick"),
        (Self::WallClock, "wall-clock", "ticks add what the wall clock says has passed"),
        (Self::NominalInstants, "nominal-instants", "a late notice does not move the deletion"),
        (Self::UnconditionalNotice, "unconditional-notice", "a notice is recorded although its key was used meanwhile"),
        (Self::DuplicateNotices, "duplicate-notices", "notices are neither conditional nor unique"),
        (Self::UnconditionalDelete, "unconditional-delete", "a key is deleted although it was used meanwhile"),
        (Self::NoFence, "no-fence", "a node that hears of no changes goes on believing its cache"),
        (Self::FenceFromReply, "fence-from-reply", "freshness counts from the answer of a poll"),
        (
            Self::RotationShifts,
            "rotation-shifts",
            "a second rotation in an overlap pushes out the secret that clients hold",
        ),
        (Self::NoClockFloor, "no-clock-floor", "a restored backup lets the old 90 days go on"),
        (Self::NoResumeRestart, "no-resume-restart", "a resumed location's keys go on with their old 90 days"),
    ];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(ablation, ..)| *ablation)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, ..)| *known == self).map_or("", |(_, name, _)| name)
    }
}

/// What a run goes by: the product's rules, or all but one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules(pub Option<Ablation>);

impl Rules {
    pub(crate) fn lacks(self, ablation: Ablation) -> bool {
        self.0 == Some(ablation)
    }

    /// Whether a use waits for a durable touch.
    pub(crate) fn needs_touch(self, stored: ServiceMs, polled: ServiceMs) -> bool {
        match self.0 {
            Some(Ablation::NoTouch) => false,
            Some(Ablation::TouchAfterAnHour) => polled - stored > TOUCH_AFTER_MS.max(HOUR_MS),
            _ => keystead_model::inactivity::needs_touch(stored, polled),
        }
    }

    pub(crate) fn tick(self, tx: &mut Tx<'_>, epoch: i64, add: i64) -> Result<bool> {
        if self.lacks(Ablation::NoEpochCheck) || self.lacks(Ablation::OwnTime) {
            tx.execute("UPDATE service_clock SET now_ms = now_ms + ?1, epoch = epoch + 1 WHERE NOT paused", &[&add])?;
            return Ok(true);
        }
        service_clock::tick(tx, epoch, add)
    }

    /// A second rotation, as the product does it or as it would be done without a thought.
    pub(crate) fn rotate(
        self,
        key: ApiKey,
        new: StoredSecret,
        overlap: std::time::Duration,
        at: UtcMs,
        service: ServiceMs,
    ) -> Option<ApiKey> {
        if self.lacks(Ablation::RotationShifts) {
            let ApiKey { previous: _, ref current, .. } = key;
            let used = StoredSecret { last_used_at: None, ..current.clone() };
            let plain = ApiKey { previous: None, current: used, ..key };
            return plain.rotate(new, overlap, at, service).ok();
        }
        key.rotate(new, overlap, at, service).ok()
    }

    /// Takes due steps, as the sweep does or without one of its conditions.
    pub(crate) fn take_steps(self, tx: &mut Tx<'_>, steps: &[DueStep], now: UtcMs) -> Result<Vec<KeyId>> {
        let without = [
            Ablation::NominalInstants,
            Ablation::UnconditionalNotice,
            Ablation::DuplicateNotices,
            Ablation::UnconditionalDelete,
        ];
        let Some(ablation) = self.0.filter(|ablation| without.contains(ablation)) else {
            return Ok(keystead_core::sweep::take_steps(tx, steps, now)?.1);
        };
        let mut deleted = Vec::new();
        for due in steps {
            let one = std::slice::from_ref(due);
            match (ablation, due.step) {
                (Ablation::NominalInstants, Step::Notice(stage)) => {
                    if !keystead_core::sweep::take_steps(tx, one, now)?.0.eq(&keystead_core::Swept::default()) {
                        tx.execute(
                            "UPDATE api_keys SET deletes_at = ladder_since + ?2 WHERE id = ?1 AND stage = ?3",
                            &[&due.key.id, &(INACTIVITY_MS + INACTIVITY_SLACK_MS), &stage.days()],
                        )?;
                    }
                }
                (Ablation::UnconditionalNotice | Ablation::DuplicateNotices, Step::Notice(stage)) => {
                    let service = service_clock::read(tx)?.now;
                    let deletes_at = due.key.inactivity.deletes_at_after(stage, service);
                    tx.execute(
                        "UPDATE api_keys SET stage = ?2, ladder_since = ?3, deletes_at = ?4 WHERE id = ?1 AND state <> 'deleted'",
                        &[&due.key.id, &stage.days(), &due.key.inactivity.idle_since, &deletes_at],
                    )?;
                    notice(tx, due, stage.days(), now, ablation == Ablation::DuplicateNotices)?;
                }
                (Ablation::UnconditionalDelete, Step::Delete) => {
                    tx.execute(
                        "UPDATE api_keys SET state = 'deleted', state_at = ?2, state_by_kind = 'system', delete_reason = 'inactive',
                             deleted_while_active = TRUE, restore_until = (SELECT now_ms FROM service_clock) + ?3
                         WHERE id = ?1 AND state <> 'deleted'",
                        &[&due.key.id, &now, &RESTORE_WINDOW_MS],
                    )?;
                    deleted.push(due.key.id);
                }
                _ => deleted.extend(keystead_core::sweep::take_steps(tx, one, now)?.1),
            }
        }
        Ok(deleted)
    }
}

fn notice(tx: &mut Tx<'_>, due: &DueStep, days: i64, now: UtcMs, again: bool) -> Result<()> {
    let key = &due.key;
    let location = match &key.grant.reach {
        keystead_model::grant::Reach::Locations(set) => set.first().copied(),
        _ => None,
    };
    // The table refuses a second row of an episode; without that rule the episode is no part of the row.
    let episode = if again {
        -(now.0 % 1_000_000_007) - i64::from(due.notice.as_str().as_bytes()[19])
    } else {
        key.inactivity.idle_since.0
    };
    let notice: NoticeId = due.notice;
    tx.execute(
        "INSERT INTO notices (id, agency_id, location_id, subject_kind, subject_id, kind, stage, episode, recorded_at)
         VALUES (?1, ?2, ?3, 'key', ?4, 'inactivity', ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        &[&notice, &key.grant.agency, &location, &key.id, &days, &episode, &now],
    )?;
    Ok(())
}
