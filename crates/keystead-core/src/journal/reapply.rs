//! Bringing a database of an older state back within what the journals tell.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use keystead_model::{
    KeyId, LocationId, UserId, UtcMs,
    actor::Actor,
    agency::TenantState,
    api_key::{ApiKey, KeyState},
    event::EventKind,
    grant::Reach,
    page::Window,
    standing::{KeyStanding, MemberStanding},
    user::User,
};
use keystead_store::{
    Tx, agencies, api_keys,
    changes::{self, Change},
    lineage, locations, service_clock, sessions, users,
};

use super::{Journal, Revocations, Standing};
use crate::{
    App, Result,
    events::{Happened, tell_by_system},
    password,
};

/// Subjects changed by one closure.
const BATCH: usize = 50;

/// What was brought back within the journals. A key stands in one list.
#[derive(Clone, Debug, Default)]
pub struct Reapplied {
    /// Keys that were deactivated or deleted again.
    pub ended: Vec<KeyId>,
    /// Keys of which scopes, locations, addresses, secrets or time were narrowed.
    pub narrowed: Vec<KeyId>,
    /// Agencies and locations that are suspended again.
    pub suspended: Vec<String>,
    /// Members who are disabled again, or may do less; or whose password was changed since, so that they need a new one.
    pub members: Vec<String>,
}

impl Reapplied {
    /// Adds what was brought back another time.
    pub fn add(&mut self, other: Self) {
        let Self { ended, narrowed, suspended, members } = other;
        self.ended.extend(ended);
        self.narrowed.extend(narrowed);
        self.suspended.extend(suspended);
        self.members.extend(members);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ended.is_empty() && self.narrowed.is_empty() && self.suspended.is_empty() && self.members.is_empty()
    }
}

/// A key of which no journal knows what became of it.
#[derive(Clone, Debug)]
pub struct UndecidedKey {
    /// Its id.
    pub id: KeyId,
    /// As lists show it.
    pub masked: String,
    /// Its name.
    pub name: String,
}

impl App {
    /// Takes from this database whatever authority was taken after its state, as the journals tell. It gives none, and a
    /// second time changes nothing.
    ///
    /// Where the journals tell of changes that this very database has lost, it was set back to an earlier state. It becomes
    /// another one then, as after a restore: the numbers of what was lost are given once more.
    pub async fn reapply(&self, revocations: &Revocations) -> Result<Reapplied> {
        self.fork_if_set_back(revocations).await?;
        let mut words: Vec<(Change, Standing)> =
            revocations.last.iter().map(|(subject, (_, standing))| (*subject, standing.clone())).collect();
        let ended = revocations.ended.iter().filter(|id| !revocations.known.contains_key(*id));
        let mut logged: Vec<KeyId> = ended.copied().collect();
        // In one order on every node, and tenants before their keys.
        words.sort_by_key(|(subject, _)| (matches!(subject, Change::Key(_)), *subject));
        logged.sort_unstable();
        let mut done = Reapplied::default();
        for batch in words.chunks(BATCH) {
            let (batch, now): (Arc<[_]>, _) = (batch.into(), self.clock.now());
            done.add(self.store.write_serial(move |tx| confine_all(tx, &batch, now)).await?);
        }
        for batch in logged.chunks(BATCH) {
            let (batch, now): (Arc<[_]>, _) = (batch.into(), self.clock.now());
            done.add(self.store.write_serial(move |tx| end_all(tx, &batch, now)).await?);
        }
        // Who has the same journal, or a part of it, need not tell it again: what was given since is not taken twice.
        let reach = revocations.reach.clone();
        self.store
            .write_serial(move |tx| {
                changes::lock(tx)?;
                let own = changes::poll(tx)?.incarnation;
                let others = reach.iter().filter(|(incarnation, _)| **incarnation != own);
                others.into_iter().try_for_each(|(incarnation, through)| lineage::include(tx, incarnation, *through))
            })
            .await?;
        self.keys.clear();
        Ok(done)
    }

    /// The active keys of which nothing is known since this database's state: they are for somebody to look at.
    pub async fn undecided_keys(&self, revocations: &Revocations) -> Result<Vec<UndecidedKey>> {
        let mut undecided = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.read(move |tx| api_keys::list_of_instance(tx, &Window::after(after, 500))).await?;
            after = page.next(|last| last.id);
            let active =
                page.rows.into_iter().filter(|key| key.state == KeyState::Active && !revocations.knows(key.id));
            undecided.extend(active.map(|key| UndecidedKey {
                id: key.id,
                masked: key.masked(),
                name: key.name.to_string(),
            }));
            if after.is_none() {
                return Ok(undecided);
            }
        }
    }

    /// Deactivates keys, whoever owns them.
    pub async fn end_keys(&self, keys: &[KeyId]) -> Result<()> {
        for batch in keys.chunks(BATCH) {
            let (batch, now): (Arc<[_]>, _) = (batch.into(), self.clock.now());
            self.store.write_serial(move |tx| end_all(tx, &batch, now)).await?;
        }
        self.keys.clear();
        Ok(())
    }

    /// Ends the open invitations of all agencies: some may have been withdrawn after this database's state.
    pub async fn end_invitations(&self) -> Result<u64> {
        Ok(self.store.write_serial(users::delete_invitations).await?)
    }

    async fn fork_if_set_back(&self, revocations: &Revocations) -> Result<()> {
        if !revocations.tell_of_lost_changes {
            return Ok(());
        }
        let old = revocations.own.clone();
        let now = self.clock.now();
        let new = self.entropy.id::<Journal>(now).to_string();
        self.store
            .write_serial(move |tx| {
                changes::lock(tx)?;
                if lineage::fork(tx, &old, &new, now)? {
                    service_clock::restart_all(tx)?;
                    sessions::delete_all(tx)?;
                    users::delete_invitations(tx)?;
                }
                Ok::<_, keystead_store::Error>(())
            })
            .await?;
        tracing::warn!("the database was set back to an earlier state: everybody's 90 days begin anew");
        Ok(())
    }

    /// A database that is older than this process's own journal has come in the place of the one that it tells of: by a
    /// copied file, or by the recovery of a server to an earlier time. It loses what the journal says was taken.
    pub(super) async fn reapply_own(&self, journal: &Journal) -> Result<()> {
        let revocations = self.read_revocations(vec![journal.file.path().to_owned()]).await?;
        if !revocations.are_whole() {
            tracing::warn!(
                gaps = revocations.gaps.len(),
                unreadable = revocations.unreadable,
                "lines of the journal of revocations are missing or cannot be read: review the keys"
            );
        }
        let done = self.reapply(&revocations).await?;
        // Only the first time: later ones are those of a server, which has its log.
        let _ = self.brought_back.set(done.clone());
        if !done.is_empty() {
            let Reapplied { ended, narrowed, suspended, members } = &done;
            tracing::warn!(
                ended = ended.len(),
                narrowed = narrowed.len(),
                suspended = suspended.len(),
                members = members.len(),
                "the database is older than the journal of revocations: what was ended since is ended again"
            );
        }
        Ok(())
    }
}

/// Confines subjects to their standings, in order with all other changes.
fn confine_all(tx: &mut Tx<'_>, words: &[(Change, Standing)], now: UtcMs) -> Result<Reapplied> {
    changes::lock(tx)?;
    let mut done = Reapplied::default();
    let mut changed = Vec::new();
    for (subject, standing) in words {
        let took_any = match (subject, standing) {
            (Change::Key(id), Standing::Key(standing)) => confine_key(tx, *id, standing, now, &mut done)?,
            (Change::Member(id), Standing::Member(standing)) => confine_member(tx, *id, standing, now, &mut done)?,
            // What was deleted since is suspended: whoever restores a backup may want just that back, and must say so.
            (tenant, Standing::Tenant(TenantState::Suspended | TenantState::Deleted)) => {
                suspend(tx, *tenant, now, &mut done)?
            }
            _ => false,
        };
        changed.extend(took_any.then_some(*subject));
    }
    changes::next_all(tx, &changed, now)?;
    Ok(done)
}

fn confine_key(tx: &mut Tx<'_>, id: KeyId, standing: &KeyStanding, now: UtcMs, done: &mut Reapplied) -> Result<bool> {
    let Some(found) = api_keys::find_for_authentication(tx, id)? else { return Ok(false) };
    let Some(key) = api_keys::find_to_change(tx, found.grant.agency, id)? else { return Ok(false) };
    let mut standing = standing.clone();
    if let Reach::Chosen(set) | Reach::Locations(set) = &mut standing.reach {
        // Locations that were made after this database's state are not there.
        keep_existing(tx, set)?;
    }
    let service = service_clock::read(tx)?.now;
    let Some(confined) = key.confined(&standing, Actor::System, now, service) else { return Ok(false) };
    let list = match (&key.state, &confined.state) {
        (KeyState::Active, KeyState::Active) | (KeyState::Deactivated { .. }, KeyState::Deactivated { .. }) => {
            &mut done.narrowed
        }
        (KeyState::Deleted { .. }, _) => &mut done.narrowed,
        _ => &mut done.ended,
    };
    list.push(id);
    store_key(tx, &key, &confined, now)?;
    Ok(true)
}

fn store_key(tx: &mut Tx<'_>, before: &ApiKey, after: &ApiKey, now: UtcMs) -> Result<()> {
    api_keys::update(tx, after)?;
    let happened = Happened::changed(EventKind::KeyRevocationReapplied, before, after);
    Ok(tell_by_system(tx, now, [(before.grant.agency, happened)])?)
}

fn keep_existing(tx: &mut Tx<'_>, set: &mut BTreeSet<LocationId>) -> Result<()> {
    let mut existing = std::mem::take(set);
    let states: HashMap<LocationId, bool> =
        existing.iter().map(|id| Ok((*id, locations::state(tx, *id)?.is_some()))).collect::<Result<_>>()?;
    existing.retain(|id| states.get(id) == Some(&true));
    *set = existing;
    Ok(())
}

fn confine_member(
    tx: &mut Tx<'_>,
    id: UserId,
    standing: &MemberStanding,
    now: UtcMs,
    done: &mut Reapplied,
) -> Result<bool> {
    let Some((user, hash)) = users::find_for_session(tx, id)? else { return Ok(false) };
    let mut standing = standing.clone();
    keep_existing(tx, &mut standing.locations)?;
    let confined = user.confined(&standing);
    let was_changed = hash.as_deref().is_some_and(|hash| password::salt(hash) != standing.password.as_deref());
    if was_changed {
        users::clear_password(tx, id)?;
    }
    if let Some(User { role, locations, is_operator, disabled, .. }) = &confined {
        users::set_role(tx, id, *role, locations)?;
        users::set_operator(tx, id, *is_operator)?;
        users::set_disabled(tx, id, *disabled)?;
    }
    if confined.is_none() && !was_changed {
        return Ok(false);
    }
    sessions::delete_of_user(tx, id)?;
    let happened = Happened::changed(EventKind::UserRevocationReapplied, &user, confined.as_ref().unwrap_or(&user));
    tell_by_system(tx, now, [(user.agency, happened)])?;
    done.members.push(user.email.as_str().to_owned());
    Ok(true)
}

fn suspend(tx: &mut Tx<'_>, tenant: Change, now: UtcMs, done: &mut Reapplied) -> Result<bool> {
    let service = service_clock::read(tx)?.now;
    let state = TenantState::Suspended;
    let (agency, location, kind) = match tenant {
        Change::Agency(id) if agencies::set_state(tx, id, state, service)? == 1 => {
            (id, None, EventKind::AgencySuspended)
        }
        Change::Location(id) if locations::set_state(tx, id, state, service)? == 1 => {
            let Some(agency) = locations::agency_of(tx, id)? else { return Ok(false) };
            (agency, Some(id), EventKind::LocationSuspended)
        }
        _ => return Ok(false),
    };
    tell_by_system(tx, now, [(agency, Happened::to(kind, tenant.subject()).at(location))])?;
    done.suspended.push(tenant.subject().to_owned());
    Ok(true)
}

/// Deactivates the active ones of these keys.
fn end_all(tx: &mut Tx<'_>, keys: &[KeyId], now: UtcMs) -> Result<Reapplied> {
    changes::lock(tx)?;
    let service = service_clock::read(tx)?.now;
    let mut done = Reapplied::default();
    for id in keys {
        let Some(found) = api_keys::find_for_authentication(tx, *id)? else { continue };
        let Some(key) = api_keys::find_to_change(tx, found.grant.agency, *id)? else { continue };
        // What is ended already stays as it is.
        let Ok(ended) = key.clone().deactivate(Actor::System, now, service) else { continue };
        store_key(tx, &key, &ended, now)?;
        done.ended.push(*id);
    }
    let changed: Vec<Change> = done.ended.iter().copied().map(Change::Key).collect();
    changes::next_all(tx, &changed, now)?;
    Ok(done)
}
