//! What is promised of a key's life, checked in real time (K1 to K11 of docs/simulation.md).

use keystead_core::sweep::DueStep;
use keystead_model::{
    KeyId, ServiceMs, UtcMs,
    actor::Actor,
    api_key::KeyState,
    grant::Reach,
    inactivity::{Stage, Step},
    notice::{NoticeNoun, NoticeSubject},
    page::Window,
    time::{DAY_MS, HOUR_MS, MINUTE_MS},
};
use keystead_store::{Result, notices, service_clock, sweep};

use crate::{node::EPOCH, rules::Ablation, world::World};

type Outcome<T = ()> = Result<T>;

impl World {
    pub(crate) fn check_service_clock(&mut self) -> Outcome {
        let service = self.database.read(service_clock::read)?.now;
        if service.0 > self.now - self.service_ceiling {
            let ahead = service.0 - (self.now - self.service_ceiling);
            self.violate("K11", format_args!("service time is {ahead} ms ahead of real time"));
        }
        Ok(())
    }

    pub(crate) fn check_refusal(&mut self, id: KeyId, hash: [u8; 32]) -> Outcome {
        let key = self.record(id)?;
        let live = key.state == KeyState::Active && key.tenant_is_live();
        let truth = self.truth(id);
        // An hour for the nodes' clocks, which disagree.
        let promised = truth.held == hash && truth.promised_until.is_some_and(|until| until > self.now + HOUR_MS);
        if live && promised {
            self.violate("K8", "a secret was refused inside the overlap that it was promised");
        }
        Ok(())
    }

    pub(crate) fn note_lateness(&mut self, due: &[DueStep], service: ServiceMs) {
        for due in due {
            let inactivity = due.key.inactivity;
            let late = service - inactivity.next().1 > 30 * MINUTE_MS;
            self.windows.late_sweep += u64::from(late);
            let step = match due.step {
                Step::Notice(stage) => stage.days(),
                Step::Delete => 0,
            };
            self.truth(due.key.id).first_seen_due.entry((inactivity.idle_since.0, step)).or_insert(late);
        }
    }

    pub(crate) fn check_notices(&mut self, due: &[DueStep]) -> Outcome {
        for due in due {
            let Step::Notice(stage) = due.step else { continue };
            let id = due.notice;
            let exists = self.database.read(|tx| {
                tx.query_opt("SELECT stage FROM notices WHERE id = ?1", &[&id], |row| row.column::<i64>())
            })?;
            if exists.is_none() {
                continue;
            }
            let episode = due.key.inactivity.idle_since;
            if !self.recorded.insert((due.key.id, episode.0, stage.days())) {
                self.violate("K3", format_args!("notice {} of one ladder was recorded twice", stage.days()));
            }
            let current = self.record(due.key.id)?.inactivity.idle_since;
            if current != episode {
                self.violate("K4", format_args!("notice {} came after its ladder was void", stage.days()));
            }
            let now = self.now;
            self.truth(due.key.id).told.push((episode.0, stage, now));
        }
        Ok(())
    }

    pub(crate) fn check_closed(&mut self, id: KeyId) -> Outcome {
        let reader = notices::NoticeReader {
            actor: Actor::Operator,
            agency: self.agency,
            reach: Reach::Agency,
            nouns: vec![NoticeNoun::Key],
            contact: None,
        };
        let filter = notices::NoticeFilter {
            subject: Some(NoticeSubject::Key(id)),
            open: true,
            ..notices::NoticeFilter::default()
        };
        let at = UtcMs(EPOCH + self.now);
        let open = self.database.read(|tx| notices::list(tx, &reader, &filter, at, &Window::first(10)))?.rows;
        if !open.is_empty() {
            self.violate("K4", "a use left a notice open");
        }
        Ok(())
    }

    pub(crate) fn check_deletion(&mut self, id: KeyId, idle_since: ServiceMs) -> Outcome {
        let now = self.now;
        let truth = self.truth(id);
        truth.revoked_at = Some(now);
        truth.deletions += 1;
        let (unused, since_restart) = (now - truth.last_use, now - truth.restarted);
        let told: Vec<(Stage, i64)> = truth
            .told
            .iter()
            .filter(|(episode, ..)| *episode == idle_since.0)
            .map(|(_, stage, at)| (*stage, *at))
            .collect();
        let deletions = truth.deletions;
        let idle = unused.min(since_restart);
        if idle < 90 * DAY_MS {
            let short = 90 * DAY_MS - idle;
            self.violate("K1", format_args!("deleted {short} ms before 90 days were over"));
        }
        let stages: Vec<Stage> = told.iter().map(|(stage, _)| *stage).collect();
        if stages == Stage::ALL {
            let early = told.iter().find(|(stage, at)| now - at < stage.days() * DAY_MS);
            if let Some((stage, at)) = early {
                let days = (now - at) as f64 / DAY_MS as f64;
                self.violate("K2", format_args!("deleted {days:.3} days after the notice of {} days", stage.days()));
            }
            if told[1].1 - told[0].1 < 7 * DAY_MS || told[2].1 - told[1].1 < 5 * DAY_MS {
                self.violate("K2", "notices follow each other too closely");
            }
        } else {
            self.violate("K2", format_args!("deleted after the notices {stages:?}"));
        }
        let key: &str = id.as_str();
        let audited = self.database.read(|tx| audited_deletions(tx, key))?;
        if audited != deletions && !self.rules.lacks(Ablation::UnconditionalDelete) {
            self.violate("K10", format_args!("{audited} audit rows for {deletions} deletions"));
        }
        Ok(())
    }

    /// A key whose steps all ran in time is gone three hours after its 90 days.
    pub(crate) fn check_liveness(&mut self) -> Outcome {
        let service = self.database.read(service_clock::read)?.now;
        let oldest = service.plus(-90 * DAY_MS - 3 * HOUR_MS);
        let left = self.database.read(|tx| sweep::idle(tx, oldest, &Window::first(100)))?.keys;
        for (key, _) in left {
            let since = key.inactivity.idle_since;
            let truth = self.truth(key.id);
            let steps = [15, 7, 1, 0].map(|step| truth.first_seen_due.get(&(since.0, step)).copied());
            if since <= oldest && steps.iter().all(|late| *late == Some(false)) {
                self.violate("K5", "a key lives although all its steps were due and nobody was late");
            }
        }
        Ok(())
    }
}

/// Deletions of a key that Keystead itself has written down.
pub(crate) fn audited_deletions(tx: &mut keystead_store::Tx<'_>, key: &str) -> Outcome<u64> {
    let sql = "SELECT count(*) FROM events WHERE subject = ?1 AND action = 'api_key.deleted' AND actor_kind = 'system'";
    tx.query_one(sql, &[&key], |row| row.column::<i64>()).map(i64::unsigned_abs)
}
