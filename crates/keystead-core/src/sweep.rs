//! The sweep: what happens to keys by the clock. Notices, deletions, holds, expiries, the end of restore windows.
//!
//! It runs on every node and needs no lease: each step is a conditional statement, and whatever was used, kept or
//! ended since it was read is left alone.

use std::{
    collections::{HashMap, HashSet},
    ops::AddAssign,
    sync::Arc,
};

use keystead_model::{
    AgencyId, KeyId, LocationId, NoticeId, ServiceMs, UtcMs,
    api_key::{ApiKey, DeleteReason, KeyState},
    event::EventKind,
    inactivity::{NOTHING_DUE_MS, RESTORE_WINDOW_MS, Stage, Step, expiry_notice_lead},
    notice::{NewNotice, NoticeKind, NoticeSubject},
    page::Window,
    time::{DAY_MS, HOUR_MS},
};
use keystead_store::{Tx, changes, notices, service_clock, sweep};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    App, Authority, Entropy, Error, Result,
    api_keys::location_of,
    events::{Happened, fields, tell_by_system, tell_everywhere},
    notices::notify,
    users::require_operator,
};

/// Rows read at a time.
const PAGE: i64 = 1000;
/// Keys changed by one closure: far below the 50 ms that a writer may take.
const BATCH: usize = 50;
/// Such closures under way; whoever else writes waits behind them.
const AT_ONCE: usize = 2;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Notices of inactivity recorded.
    pub notices: u64,
    /// Keys deleted.
    pub deleted: u64,
    /// Keys held, since nobody is there to be told.
    pub held: u64,
    /// Holds that ended.
    pub released: u64,
    /// Chosen expiries recorded, and notices before them.
    pub expiries: u64,
    /// Notices of an old secret that is about to end.
    pub retiring: u64,
    /// Secrets destroyed after the time to restore.
    pub destroyed: u64,
}

impl AddAssign for Swept {
    fn add_assign(&mut self, other: Self) {
        let Self { notices, deleted, held, released, expiries, retiring, destroyed } = other;
        self.notices += notices;
        self.deleted += deleted;
        self.held += held;
        self.released += released;
        self.expiries += expiries;
        self.retiring += retiring;
        self.destroyed += destroyed;
    }
}

/// A step that was due when its key was read.
#[derive(Clone, Debug)]
pub struct DueStep {
    /// The key as it was read.
    pub key: ApiKey,
    /// What is due.
    pub step: Step,
    /// Id for the notice of it.
    pub notice: NoticeId,
}

/// The steps that are due for keys as they were read, with the expiry that was recorded for each.
///
/// A key whose chosen expiry comes before its deletion gets no notice of inactivity until that expiry is recorded.
pub fn due_steps(
    read: Vec<(ApiKey, Option<UtcMs>)>,
    service: ServiceMs,
    now: UtcMs,
    entropy: &Entropy,
) -> Vec<DueStep> {
    read.into_iter()
        .filter(|(key, recorded)| {
            let deletes_at = now.0.saturating_add(key.inactivity.deletes_at - service);
            key.grant.expires_at.is_none_or(|at| *recorded == Some(at) || at.0 >= deletes_at)
        })
        .filter_map(|(key, _)| {
            let step = key.inactivity.due(service)?;
            Some(DueStep { key, step, notice: entropy.id(now) })
        })
        .collect()
}

/// Takes the due steps of one transaction, each only if its key is still what it was. `steps` is in the order of ids:
/// two nodes that take the same ones in different orders would wait for each other. Answers also which were deleted.
pub fn take_steps(tx: &mut Tx<'_>, steps: &[DueStep], now: UtcMs) -> keystead_store::Result<(Swept, Vec<KeyId>)> {
    let mut swept = Swept::default();
    let deletions: Vec<&DueStep> = steps.iter().filter(|due| due.step == Step::Delete).collect();
    if !deletions.is_empty() {
        changes::lock(tx)?;
    }
    let mut stages: Vec<(&DueStep, Stage)> = Vec::new();
    let mut admins: HashMap<(AgencyId, Option<LocationId>), bool> = HashMap::new();
    for due in steps {
        let Step::Notice(stage) = due.step else { continue };
        let owner = (due.key.grant.agency, location_of(&due.key));
        let has_admin = match admins.get(&owner) {
            Some(has_admin) => *has_admin,
            None => *admins.entry(owner).or_insert(sweep::has_admin(tx, owner.0, owner.1)?),
        };
        if has_admin {
            stages.push((due, stage));
        } else if sweep::hold(tx, &due.key)? {
            tell_by_system(tx, now, [by_sweep(&due.key, EventKind::KeyHeld)])?;
            swept.held += 1;
        }
    }
    let wanted: Vec<(&ApiKey, Stage)> = stages.iter().map(|(due, stage)| (&due.key, *stage)).collect();
    let recorded: HashSet<KeyId> = sweep::record_stages(tx, &wanted)?.into_iter().collect();
    stages.retain(|(due, _)| recorded.contains(&due.key.id));
    let mut told: Vec<NewNotice> = stages
        .iter()
        .map(|(DueStep { key, notice, .. }, stage)| {
            notice_of(key, *notice, NoticeKind::Inactivity(*stage), key.inactivity.idle_since.0, now, None)
        })
        .collect();
    swept.notices = told.len() as u64;

    let wanted: Vec<&ApiKey> = deletions.iter().map(|due| &due.key).collect();
    let deleted: HashMap<KeyId, ServiceMs> = sweep::delete(tx, &wanted, now, RESTORE_WINDOW_MS)?.into_iter().collect();
    let deletions: Vec<(&DueStep, ServiceMs)> =
        deletions.iter().filter_map(|due| Some((*due, *deleted.get(&due.key.id)?))).collect();
    tell_by_system(tx, now, deletions.iter().map(|(due, _)| deletion_of(&due.key)))?;
    told.extend(deletions.iter().map(|(DueStep { key, notice, .. }, restore_until)| {
        notice_of(key, *notice, NoticeKind::Deleted, restore_until.0, now, None)
    }));
    notices::insert(tx, &told)?;
    let deleted: Vec<KeyId> = deletions.iter().map(|(due, _)| due.key.id).collect();
    let ended: Vec<changes::Change> = deleted.iter().map(|id| changes::Change::Key(*id)).collect();
    changes::next_all(tx, &ended, now)?;
    swept.deleted = deleted.len() as u64;
    Ok((swept, deleted))
}

fn deletion_of(key: &ApiKey) -> (AgencyId, Happened<'_>) {
    let state = if key.state == KeyState::Active { "active" } else { "deactivated" };
    let after = fields(json!({"state": "deleted", "reason": DeleteReason::Inactive.as_str()}));
    let (agency, happened) = by_sweep(key, EventKind::KeyDeleted);
    (agency, happened.with(Some(fields(json!({"state": state}))), Some(after)))
}

/// A notice about a key that is about to be recorded.
pub(crate) fn notice_of(
    key: &ApiKey,
    id: NoticeId,
    kind: NoticeKind,
    episode: i64,
    now: UtcMs,
    address: Option<String>,
) -> NewNotice {
    let (agency, location) = (key.grant.agency, location_of(key));
    let subject = NoticeSubject::Key(key.id);
    NewNotice { id, agency, location, subject, kind, episode, recorded_at: now, address }
}

/// What the sweep did to a key, for its agency.
fn by_sweep(key: &ApiKey, kind: EventKind) -> (AgencyId, Happened<'_>) {
    (key.grant.agency, Happened::to(kind, key.id.as_str()).at(location_of(key)))
}

impl App {
    /// Takes every step that is due. Called every minute on every node.
    pub async fn sweep(&self) -> Result<Swept> {
        let clock = self.store.look_up(service_clock::read).await?;
        if clock.paused {
            return Ok(Swept::default());
        }
        let mut swept = self.sweep_idle(clock.now).await?;
        swept += self.sweep_held().await?;
        swept += self.sweep_expiries().await?;
        swept += self.sweep_retiring().await?;
        loop {
            let destroyed = self.store.write_serial(|tx| sweep::destroy_secrets(tx, BATCH as i64)).await?;
            swept.destroyed += destroyed;
            if destroyed < BATCH as u64 {
                break;
            }
        }
        self.counted.swept(swept);
        if swept != Swept::default() {
            tracing::info!(?swept, "the sweep took its steps");
        }
        if swept.deleted > 0 {
            self.keep_journal_now().await?;
        }
        if swept.held > 0 {
            tracing::warn!(held = swept.held, "keys are held: their owners have no admin who could be told");
        }
        Ok(swept)
    }

    /// Pauses automatic deletions of the whole instance, or goes on with them, for the operator. `false` if that is how
    /// it was. The log of every agency tells of it: it is their keys that are not deleted.
    pub async fn set_sweep_paused(&self, authority: &Authority, paused: bool) -> Result<bool> {
        let (authority, now) = (authority.clone(), self.clock.now());
        let kind = if paused { EventKind::InstanceSweepPaused } else { EventKind::InstanceSweepResumed };
        let changed = self
            .store
            .write_serial(move |tx| {
                require_operator(tx, &authority)?;
                changes::lock(tx)?;
                if !service_clock::set_paused(tx, paused)? {
                    return Ok(false);
                }
                tell_everywhere(tx, &authority, now, || Happened::to(kind, "sweep"))?;
                Ok::<_, Error>(true)
            })
            .await?;
        if changed {
            tracing::warn!(paused, "the operator has changed whether idle keys are deleted");
        }
        self.poll_changes().await?;
        Ok(changed)
    }

    async fn sweep_idle(&self, service: ServiceMs) -> Result<Swept> {
        let before = service.plus(-NOTHING_DUE_MS);
        let mut swept = Swept::default();
        let page = |after| self.store.read(move |tx| sweep::idle(tx, before, &Window::after(after, PAGE)));
        let mut read = page(None).await?;
        loop {
            let mut due = due_steps(read.keys, service, self.clock.now(), &self.entropy);
            due.sort_by_key(|due| due.key.id);
            let Some(next) = read.next else {
                swept += self.take_all(&due).await?;
                return Ok(swept);
            };
            // The next page is read while this one's steps are taken.
            let (taken, next) = tokio::join!(self.take_all(&due), page(Some(next)));
            swept += taken?;
            read = next?;
        }
    }

    /// Takes steps in batches, a few under way at a time, so that they share commits.
    async fn take_all(&self, due: &[DueStep]) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut batches = due.chunks(BATCH);
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some(batch) = batches.next()
            {
                let (app, batch, now): (_, Arc<[DueStep]>, _) = (self.clone(), batch.into(), self.clock.now());
                under_way.spawn(async move { app.store.write_serial(move |tx| take_steps(tx, &batch, now)).await });
            }
            let Some(done) = under_way.join_next().await else { return Ok(swept) };
            let (taken, deleted) = done.map_err(|error| Error::Internal(error.to_string()))??;
            swept += taken;
            for id in deleted {
                self.keys.invalidate(id);
            }
        }
    }

    async fn sweep_held(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut after = None;
        loop {
            let page = self.store.read(move |tx| sweep::held(tx, &Window::after(after, PAGE))).await?;
            if page.rows.is_empty() {
                return Ok(swept);
            }
            after = page.next(|last| last.id);
            let (read, now): (Arc<[ApiKey]>, _) = (page.rows.into(), self.clock.now());
            swept.released += self
                .store
                .write_serial(move |tx| {
                    let mut released = 0;
                    for key in &*read {
                        if sweep::has_admin(tx, key.grant.agency, location_of(key))? && sweep::release(tx, key.id)? {
                            tell_by_system(tx, now, [by_sweep(key, EventKind::KeyReleased)])?;
                            released += 1;
                        }
                    }
                    Ok::<_, keystead_store::Error>(released)
                })
                .await?;
            if after.is_none() {
                return Ok(swept);
            }
        }
    }

    async fn sweep_expiries(&self) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut after = None;
        loop {
            let now = self.clock.now();
            let until = UtcMs(now.0 + Stage::Fifteen.days() * DAY_MS);
            let page = self.store.read(move |tx| sweep::expiring(tx, until, &Window::after(after, PAGE))).await?;
            after = page.next(|(last, _)| last.grant.expires_at.map(|at| (at, last.id))).flatten();
            let mut due: Vec<DueExpiry> =
                page.rows.into_iter().filter_map(|(key, _)| due_expiry(key, now, self.entropy.id(now))).collect();
            due.sort_by_key(|due| due.key.id);
            for batch in due.chunks(BATCH) {
                let batch: Arc<[DueExpiry]> = batch.into();
                let taken = self.store.write_serial(move |tx| take_expiries(tx, &batch, now)).await?;
                swept.expiries += taken;
            }
            if after.is_none() {
                return Ok(swept);
            }
        }
    }

    async fn sweep_retiring(&self) -> Result<Swept> {
        let now = self.clock.now();
        let day = move |days: i64| UtcMs(now.0 + days * DAY_MS);
        let read = self.store.read(move |tx| sweep::retiring(tx, now, day(1), day(-1), PAGE)).await?;
        let told: Arc<[(ApiKey, NoticeId)]> = read.into_iter().map(|key| (key, self.entropy.id(now))).collect();
        let retiring = self
            .store
            .write_serial(move |tx| {
                let mut count = 0;
                for (key, notice) in &*told {
                    let Some(previous) = &key.previous else { continue };
                    // The address is kept for the key: it is the old secret's if that was the last to be used.
                    let last = key.last_use.as_ref();
                    let address = last.filter(|last| Some(last.at) == previous.secret.last_used_at);
                    let address = address.map(|last| last.ip.clone());
                    let episode = previous.retires_at.0;
                    count +=
                        u64::from(notify(tx, notice_of(key, *notice, NoticeKind::Retiring, episode, now, address))?);
                }
                Ok::<_, keystead_store::Error>(count)
            })
            .await?;
        Ok(Swept { retiring, ..Swept::default() })
    }
}

/// A chosen expiry that has passed or is near.
#[derive(Clone, Debug)]
struct DueExpiry {
    key: ApiKey,
    expires_at: UtcMs,
    /// The notice that is due; `None` when the expiry itself is.
    stage: Option<Stage>,
    notice: NoticeId,
}

fn due_expiry(key: ApiKey, now: UtcMs, notice: NoticeId) -> Option<DueExpiry> {
    let expires_at = key.grant.expires_at?;
    if expires_at <= now {
        return Some(DueExpiry { key, expires_at, stage: None, notice });
    }
    // Only the latest: after a pause nobody needs the earlier ones.
    let mut latest_first = Stage::ALL.into_iter().rev();
    let stage =
        latest_first.find(|stage| now.0 >= expires_at.0 - expiry_notice_lead(*stage, key.created_at, expires_at))?;
    // A key that was made moments ago is not told about what its maker has just chosen.
    (now - key.created_at >= HOUR_MS.min((expires_at - key.created_at) / 2)).then_some(DueExpiry {
        key,
        expires_at,
        stage: Some(stage),
        notice,
    })
}

fn take_expiries(tx: &mut Tx<'_>, due: &[DueExpiry], now: UtcMs) -> keystead_store::Result<u64> {
    let mut taken = 0;
    for DueExpiry { key, expires_at, stage, notice } in due {
        let kind = match stage {
            Some(stage) => NoticeKind::Expiring(*stage),
            None if sweep::record_expiry(tx, key.id, *expires_at)? => {
                let after = fields(json!({"expiresAt": expires_at}));
                let (agency, happened) = by_sweep(key, EventKind::KeyExpired);
                tell_by_system(tx, now, [(agency, happened.with(None, Some(after)))])?;
                NoticeKind::Expired
            }
            None => continue,
        };
        taken += u64::from(notify(tx, notice_of(key, *notice, kind, expires_at.0, now, None))?);
    }
    Ok(taken)
}
