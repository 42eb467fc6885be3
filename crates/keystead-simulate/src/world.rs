//! One run: keys, nodes and what happens to them, on real time that only the run knows.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    time::Duration,
};

use keystead_core::{Entropy, sweep::due_steps};
use keystead_model::{
    AgencyId, KeyId, LocationId, ServiceMs, UserId, UtcMs,
    actor::Actor,
    agency::{Agency, AgencyProfile, TenantName, TenantState},
    api_key::{ApiKey, DeleteReason, InvalidTransition, KeyAbout, KeyName, KeyState, LastUse, NewKey, StoredSecret},
    grant::{Grant, Reach},
    inactivity::{NOTHING_DUE_MS, Stage},
    ip_range::IpRanges,
    key_kind::KeyKind,
    key_policy::KeyPolicy,
    location::{Location, LocationProfile},
    page::Window,
    scope::ScopeSet,
    text::EmailAddress,
    time::{DAY_MS, MINUTE_MS},
    user::{Role, User, UserProfile},
};
use keystead_store::{
    Memory, Result,
    api_keys::{self, KeyUse},
    changes::{self, Change},
    locations, service_clock, sweep, users,
};

use crate::{
    invariants::audited_deletions,
    node::{EPOCH, Node, Remembered},
    rules::{Ablation, Rules},
    windows::Windows,
};

/// What is true of a key, whatever the database says.
#[derive(Default)]
pub(crate) struct Truth {
    /// Real time of the last use that was answered with a success.
    pub last_use: i64,
    /// Real time of the last other restart of its 90 days.
    pub restarted: i64,
    /// When it was revoked, while it is: no success may follow.
    pub revoked_at: Option<i64>,
    /// The secret that its client holds, and until when it was promised to work, if it was rotated away.
    pub held: [u8; 32],
    pub promised_until: Option<i64>,
    /// Real times of the notices of the current ladder, and when each step was first seen to be due.
    pub told: Vec<(i64, Stage, i64)>,
    pub first_seen_due: HashMap<(i64, i64), bool>,
    /// Deletions by the sweep.
    pub deletions: u64,
}

/// A poll between the database's read and the arrival of its answer.
pub(crate) struct PollUnderWay {
    sent: i64,
    found: changes::Poll,
    changed: Vec<(i64, Option<Change>)>,
}

pub(crate) struct World {
    pub rng: fastrand::Rng,
    pub rules: Rules,
    pub database: Memory,
    pub now: i64,
    pub nodes: Vec<Node>,
    pub keys: Vec<KeyId>,
    pub truth: HashMap<KeyId, Truth>,
    pub violations: Vec<String>,
    pub windows: Windows,
    pub key_days: f64,
    /// Keys whose last client died.
    pub abandoned: HashSet<KeyId>,
    pub recorded: HashSet<(KeyId, i64, i64)>,
    entropy: Entropy,
    pub agency: AgencyId,
    location: LocationId,
    /// Whether no service time is lost.
    pub sharp: bool,
    /// Real time up to which service time was counted or lost.
    pub counted_until: i64,
    /// Whether service time may run slower than it could.
    drift: bool,
    backup: Option<Memory>,
    /// How far service time lies behind real time at least; a restored backup sets it back.
    pub service_ceiling: i64,
}

/// Keys of a run.
const KEYS: usize = 40;

type Outcome<T = ()> = Result<T>;

impl World {
    /// `sharp` runs have several nodes and lose no service time, so that a rule that is wrong by a minute shows.
    pub(crate) fn new(seed: u64, rules: Rules, sharp: bool) -> Outcome<Self> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let entropy = Entropy::seeded(seed);
        let database = Memory::open()?;
        let at = UtcMs(EPOCH);
        let (agency, location) = (entropy.id(at), entropy.id(at));
        let name = || TenantName::parse("Simulated").expect("a name");
        database.write(|tx| {
            keystead_store::instance::create(tx, "simulated", at)?;
            let resumed_at = ServiceMs(0);
            let (profile, state) = (AgencyProfile::named(name()), TenantState::Active);
            let row = Agency { id: agency, profile, keys: KeyPolicy::default(), state, resumed_at, created_at: at };
            keystead_store::agencies::save(tx, &row)?;
            let profile = LocationProfile::named(name());
            let state = TenantState::Active;
            let (created_at, updated_at, deletion) = (at, at, None);
            let row = Location { id: location, agency, state, resumed_at, profile, created_at, updated_at, deletion };
            locations::save(tx, &row)?;
            let admin = User {
                id: entropy.id::<User>(at) as UserId,
                agency,
                email: EmailAddress::parse("admin@example.com").expect("an address"),
                first_name: None,
                last_name: None,
                role: Role::AgencyAdmin,
                locations: [].into(),
                is_operator: false,
                disabled: false,
                created_at: at,
                time_zone: None,
                profile: UserProfile::default(),
                deleted_at: None,
            };
            users::insert(tx, &admin, None)
        })?;
        let fewest = if sharp { 2 } else { 1 };
        let nodes = (0..rng.usize(fewest..=3)).map(|_| Node::start(&mut rng, 0)).collect();
        let drift = !sharp && rng.bool();
        let mut world = Self {
            rng,
            rules,
            database,
            now: 0,
            nodes,
            keys: Vec::new(),
            truth: HashMap::new(),
            violations: Vec::new(),
            windows: Windows::default(),
            key_days: 0.0,
            abandoned: HashSet::new(),
            recorded: HashSet::new(),
            entropy,
            agency,
            location,
            sharp,
            counted_until: 0,
            drift,
            backup: None,
            service_ceiling: 0,
        };
        for _ in 0..KEYS {
            world.create_key()?;
        }
        world.poll_all()?;
        Ok(world)
    }

    pub(crate) fn violate(&mut self, invariant: &str, what: impl std::fmt::Display) {
        let day = self.now as f64 / DAY_MS as f64;
        self.violations.push(format!("{invariant} at day {day:.4}: {what}"));
    }

    fn secret(&mut self, at: UtcMs) -> StoredSecret {
        let mut hash = [0; 32];
        self.rng.fill(&mut hash);
        StoredSecret {
            hash: Some(hash),
            pepper_version: 1,
            last_four: "aaaa".to_owned(),
            created_at: at,
            last_used_at: None,
        }
    }

    fn create_key(&mut self) -> Outcome {
        let at = UtcMs(EPOCH + self.now);
        let (id, secret) = (self.entropy.key_id(), self.secret(at));
        let new = NewKey {
            name: KeyName::parse("Simulated").expect("a name"),
            about: KeyAbout::default(),
            grant: Grant {
                agency: self.agency,
                reach: Reach::location(self.location),
                scopes: ScopeSet::all(KeyKind::Location),
                allowed_ips: IpRanges::default(),
                expires_at: None,
            },
            rate_limit: None,
            allowed_origins: keystead_model::origin::Origins::default(),
        };
        let held = secret.hash.unwrap_or_default();
        self.database.write(|tx| {
            changes::next(tx, Change::Key(id), at)?;
            let service = service_clock::read(tx)?.now;
            api_keys::insert(tx, &ApiKey::create(id, new, secret, Actor::Operator, at, service))
        })?;
        self.keys.push(id);
        self.truth.insert(id, Truth { last_use: self.now, restarted: self.now, held, ..Truth::default() });
        Ok(())
    }

    pub(crate) fn any_key(&mut self) -> KeyId {
        let index = self.rng.usize(0..self.keys.len());
        self.keys[index]
    }

    /// A key whose client still exists, for ordinary uses: some keys must be left to grow old.
    pub(crate) fn any_living_client(&mut self) -> KeyId {
        for _ in 0..10 {
            let id = self.any_key();
            if !self.abandoned.contains(&id) {
                return id;
            }
        }
        self.any_key()
    }

    pub(crate) fn truth(&mut self, id: KeyId) -> &mut Truth {
        self.truth.entry(id).or_default()
    }

    pub(crate) fn working_node(&mut self) -> Option<usize> {
        let working: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].works()).collect();
        (!working.is_empty()).then(|| working[self.rng.usize(0..working.len())])
    }

    pub(crate) fn record(&self, id: KeyId) -> Outcome<ApiKey> {
        let agency = self.agency;
        let found = self.database.read(|tx| api_keys::find(tx, agency, id))?;
        found.ok_or_else(|| keystead_store::Error::Statement("a key is gone".to_owned()))
    }

    // ---- what nodes do by themselves -------------------------------------------------------------------------------

    /// What a poll finds when the database reads it.
    pub(crate) fn begin_poll(&self, index: usize) -> Outcome<PollUnderWay> {
        let after = self.nodes[index].applied;
        let sent = self.now;
        self.database.read(|tx| {
            let found = changes::poll(tx)?;
            let changed = if after == i64::MIN { Vec::new() } else { changes::after(tx, after, 10_000)? };
            Ok(PollUnderWay { sent, found, changed })
        })
    }

    /// Its answer arrives now.
    pub(crate) fn finish_poll(&mut self, index: usize, poll: PollUnderWay) {
        let PollUnderWay { sent, found, changed } = poll;
        let (now, from_reply) = (self.now, self.rules.lacks(Ablation::FenceFromReply));
        let node = &mut self.nodes[index];
        if node.applied == i64::MIN || found.head < node.applied {
            node.cache.clear();
        }
        for (_, change) in changed {
            match change {
                Some(Change::Key(id)) => {
                    node.cache.remove(&id);
                }
                Some(Change::Member(_)) => {}
                Some(Change::Location(_) | Change::Agency(_)) | None => node.cache.clear(),
            }
        }
        node.applied = found.head;
        if node.wall_at_epoch.0 != found.clock.epoch {
            node.wall_at_epoch = (found.clock.epoch, node.wall(now).0);
        }
        node.clock.seen(found.clock, node.monotonic(now));
        node.fence.polled(node.monotonic(if from_reply { now } else { sent }));
    }

    /// A poll that is answered at once.
    pub(crate) fn poll(&mut self, index: usize) -> Outcome {
        let poll = self.begin_poll(index)?;
        self.finish_poll(index, poll);
        Ok(())
    }

    pub(crate) fn poll_all(&mut self) -> Outcome {
        for index in 0..self.nodes.len() {
            if self.nodes[index].works() {
                self.poll(index)?;
            }
        }
        Ok(())
    }

    /// Decides on a tick at one instant and writes it, after others had a chance in between.
    fn tick(&mut self, index: usize, race: bool) -> Outcome {
        let node = &self.nodes[index];
        let due = if self.rules.lacks(Ablation::OwnTime) {
            let passed = self.now - node.last_tick;
            (passed >= MINUTE_MS).then_some((0, passed.min(2 * MINUTE_MS)))
        } else {
            node.clock.due(node.monotonic(self.now))
        };
        let Some((epoch, mut add)) = due else { return Ok(()) };
        if self.rules.lacks(Ablation::WallClock) && add > 0 {
            add = (node.wall(self.now).0 - node.wall_at_epoch.1).max(0);
        }
        if race && let Some(other) = (0..self.nodes.len()).find(|other| *other != index && self.nodes[*other].works()) {
            self.windows.tick_race += 1;
            self.tick(other, false)?;
        }
        let rules = self.rules;
        if self.database.write(|tx| rules.tick(tx, epoch, add))? {
            self.counted_until = self.now;
        }
        self.nodes[index].clock.trust(true);
        self.nodes[index].last_tick = self.now;
        if !self.drift {
            self.poll_all()?;
        }
        self.check_service_clock()
    }

    fn flush(&mut self, index: usize) -> Outcome {
        let pending = std::mem::take(&mut self.nodes[index].pending);
        for key_use in pending.into_values() {
            let stored = self.database.write(|tx| api_keys::flush_use(tx, &key_use))?;
            if let (Some(active_at), Some(known)) = (stored, self.nodes[index].cache.get_mut(&key_use.id)) {
                known.stored_active_at = known.stored_active_at.max(active_at);
            }
        }
        Ok(())
    }

    /// A sweep by one node, with whatever happens between its reading and its writing.
    pub(crate) fn sweep(&mut self, index: usize, race: bool) -> Outcome {
        let clock = self.database.read(service_clock::read)?;
        if clock.paused {
            return Ok(());
        }
        let before = clock.now.plus(-NOTHING_DUE_MS);
        let read = self.database.read(|tx| sweep::idle(tx, before, &Window::first(1000)))?.keys;
        let wall = self.nodes[index].wall(self.now);
        let mut due = due_steps(read, clock.now, wall, &self.entropy);
        due.sort_by_key(|due| due.key.id);
        self.note_lateness(&due, clock.now);
        if race && !due.is_empty() {
            let chosen = due[self.rng.usize(0..due.len())].key.id;
            self.race_with_sweep(index, chosen)?;
        }
        let rules = self.rules;
        let deleted = self.database.write(|tx| rules.take_steps(tx, &due, wall))?;
        for id in &deleted {
            self.nodes[index].cache.remove(id);
        }
        self.check_notices(&due)?;
        for due in due.iter().filter(|due| deleted.contains(&due.key.id)) {
            self.check_deletion(due.key.id, due.key.inactivity.idle_since)?;
        }
        self.check_liveness()
    }

    fn race_with_sweep(&mut self, index: usize, chosen: KeyId) -> Outcome {
        self.windows.use_between_sweeps_read_and_write += 1;
        // In a sharp run nothing may restart what was brought to the brink.
        let kind = if self.sharp { 4 } else { self.rng.u32(0..6) };
        match kind {
            0..3 => {
                let node = self.working_node().unwrap_or(index);
                self.use_key(node, chosen, false)
            }
            3 => self.change(chosen, |key, _, service| key.keep(service)),
            4 => {
                let node = self.working_node().unwrap_or(index);
                self.sweep(node, false)
            }
            _ => {
                self.set_location(TenantState::Suspended)?;
                self.set_location(TenantState::Active)
            }
        }
    }

    // ---- what clients and people do ----------------------------------------------------------------------------------

    /// A client calls with the secret that it holds.
    pub(crate) fn use_key(&mut self, index: usize, id: KeyId, race: bool) -> Outcome {
        if !self.nodes[index].up {
            return Ok(());
        }
        let now = self.now;
        let hash = self.truth(id).held;
        let rules = self.rules;
        let believes =
            rules.lacks(Ablation::NoFence) || self.nodes[index].fence.is_fresh(self.nodes[index].monotonic(now));
        let remembered = self.nodes[index].cache.get(&id).filter(|_| believes).cloned();
        let admits = |remembered: &Remembered, wall| {
            let key = &remembered.key;
            let slot = key.slot_of(&hash)?;
            key.admits(slot, IpAddr::from([127, 0, 0, 1]), wall).is_ok().then_some(slot)
        };
        let wall = self.nodes[index].wall(now);
        // No refusal is decided on what is remembered.
        let admitted = match remembered {
            Some(known) if admits(&known, wall).is_some() => Some(known),
            _ if !self.nodes[index].reachable => return Ok(()),
            _ => {
                let key = self.database.read(|tx| api_keys::find_for_authentication(tx, id))?;
                let known = key.map(|key| Remembered { stored_active_at: key.inactivity.active_at, key });
                match known {
                    Some(known) if admits(&known, wall).is_some() => {
                        self.nodes[index].cache.insert(id, known.clone());
                        Some(known)
                    }
                    _ => None,
                }
            }
        };
        let Some(known) = admitted else {
            self.check_refusal(id, hash)?;
            return Ok(());
        };
        let key_use = KeyUse {
            id,
            secret_hash: hash,
            last_use: LastUse { at: wall, ip: "127.0.0.1".to_owned(), user_agent: None, endpoint: "GET /".to_owned() },
        };
        let is_current = known.key.current.hash == Some(hash);
        let first = is_current && known.key.current.last_used_at.is_none();
        if rules.needs_touch(known.stored_active_at, self.nodes[index].clock.polled()) || first {
            if !self.nodes[index].reachable {
                return Ok(());
            }
            if race {
                self.windows.sweep_between_touchs_read_and_write += 1;
                if let Some(node) = self.working_node() {
                    self.sweep(node, false)?;
                }
            }
            match self.database.write(|tx| api_keys::touch(tx, &key_use))? {
                None => {
                    // Ended between the look and the touch: refused, whatever was remembered.
                    self.nodes[index].cache.remove(&id);
                    return Ok(());
                }
                Some(active_at) => {
                    if let Some(known) = self.nodes[index].cache.get_mut(&id) {
                        known.stored_active_at = known.stored_active_at.max(active_at);
                        if is_current {
                            known.key.current.last_used_at = Some(wall);
                        }
                    }
                    self.check_closed(id)?;
                }
            }
        } else {
            self.nodes[index].pending.insert((id, hash), key_use);
        }
        self.succeeded(index, id);
        Ok(())
    }

    /// A request was answered with a success.
    fn succeeded(&mut self, index: usize, id: KeyId) {
        let now = self.now;
        let truth = self.truth(id);
        truth.last_use = now;
        if let Some(revoked_at) = truth.revoked_at
            && now > revoked_at + 1000
        {
            let late = now - revoked_at;
            self.violate("K6", format_args!("node {index} admitted a revoked key {late} ms after the answer"));
        }
    }

    /// Somebody changes a key: in order with all other changes, and applied where it was done.
    pub(crate) fn change(
        &mut self,
        id: KeyId,
        transition: impl FnOnce(ApiKey, UtcMs, ServiceMs) -> std::result::Result<ApiKey, InvalidTransition>,
    ) -> Outcome {
        let (at, agency) = (UtcMs(EPOCH + self.now), self.agency);
        let after = self.database.write(|tx| {
            changes::next(tx, Change::Key(id), at)?;
            let service = service_clock::read(tx)?.now;
            let Some(before) = api_keys::find_to_change(tx, agency, id)? else { return Ok(None) };
            let active_at = before.inactivity.active_at;
            let Ok(after) = transition(before, at, service) else { return Ok(None) };
            api_keys::update(tx, &after)?;
            Ok::<_, keystead_store::Error>(Some((after, active_at)))
        })?;
        let Some((after, active_before)) = after else { return Ok(()) };
        if let Some(node) = self.working_node() {
            self.nodes[node].cache.remove(&id);
        }
        let now = self.now;
        let truth = self.truth(id);
        if after.inactivity.active_at > active_before {
            truth.restarted = now;
        }
        match after.state {
            KeyState::Active => truth.revoked_at = None,
            _ if truth.revoked_at.is_none() => truth.revoked_at = Some(now),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn set_location(&mut self, state: TenantState) -> Outcome {
        let (at, location, rules) = (UtcMs(EPOCH + self.now), self.location, self.rules);
        let changed = self.database.write(|tx| {
            changes::next(tx, Change::Location(location), at)?;
            let service = service_clock::read(tx)?.now;
            let since = if rules.lacks(Ablation::NoResumeRestart) { ServiceMs(0) } else { service };
            locations::set_state(tx, location, state, since)
        })?;
        if changed == 1 && state == TenantState::Active {
            let now = self.now;
            self.truth.values_mut().for_each(|truth| truth.restarted = now);
        }
        self.poll_all()
    }

    pub(crate) fn set_admins(&mut self, present: bool) -> Outcome {
        self.database.write(|tx| tx.execute("UPDATE users SET disabled = ?1", &[&!present]))?;
        Ok(())
    }

    pub(crate) fn release_holds(&mut self) -> Outcome {
        let held = self.database.read(|tx| sweep::held(tx, &Window::first(1000)))?.rows;
        for key in held {
            let (agency, location) = (self.agency, Some(self.location));
            let released = self.database.write(|tx| {
                Ok::<_, keystead_store::Error>(sweep::has_admin(tx, agency, location)? && sweep::release(tx, key.id)?)
            })?;
            if released {
                let now = self.now;
                self.truth(key.id).restarted = now;
            }
        }
        Ok(())
    }

    /// Rotates, and loses the answer or hands the new secret to the client.
    pub(crate) fn rotate(&mut self, id: KeyId) -> Outcome {
        let at = UtcMs(EPOCH + self.now);
        let (new, rules) = (self.secret(at), self.rules);
        let (hash, overlap) = (new.hash.unwrap_or_default(), Duration::from_secs(self.rng.u64(1..=7) * 86_400));
        let before = self.record(id)?;
        let mut done = false;
        self.change(id, |key, at, service| {
            let rotated = rules.rotate(key, new, overlap, at, service).ok_or(InvalidTransition::OverlapInUse)?;
            done = true;
            Ok(rotated)
        })?;
        if !done {
            return Ok(());
        }
        let lost = self.rng.bool();
        self.windows.rotation_with_lost_answer += u64::from(lost);
        let (now, in_overlap) = (self.now, before.overlap(at).is_some());
        let truth = self.truth(id);
        if !lost {
            truth.held = hash;
            truth.promised_until = None;
        } else if before.current.hash == Some(truth.held) && !in_overlap {
            truth.promised_until = Some(now + i64::try_from(overlap.as_millis()).unwrap_or(0));
        } else if before.current.hash == Some(truth.held) {
            // The client held the new secret without ever using it, and somebody rotated again: it is replaced.
            truth.promised_until = None;
        }
        Ok(())
    }

    /// Gives the client of a key its current secret, as a new deployment does.
    pub(crate) fn redeploy(&mut self, id: KeyId) -> Outcome {
        let held = self.record(id)?.current.hash.unwrap_or_default();
        let truth = self.truth(id);
        truth.held = held;
        truth.promised_until = None;
        Ok(())
    }

    pub(crate) fn back_up(&mut self) -> Outcome {
        self.backup = Some(self.database.copy()?);
        Ok(())
    }

    /// Every node stops, the backup takes the database's place, all clocks restart, and the nodes start again.
    pub(crate) fn restore_backup(&mut self) -> Outcome {
        let Some(backup) = &self.backup else { return Ok(()) };
        self.windows.restored_backup += 1;
        self.database = backup.copy()?;
        if !self.rules.lacks(Ablation::NoClockFloor) {
            self.database.write(service_clock::restart_all)?;
        }
        for node in &mut self.nodes {
            node.crash(&mut self.rng, self.now);
        }
        let service = self.database.read(service_clock::read)?.now;
        self.service_ceiling = self.now - service.0;
        // What passed before it is no time of the restored database.
        self.counted_until = self.now;
        let now = self.now;
        self.recorded.clear();
        for id in self.keys.clone() {
            let record = self.record(id)?;
            let truth = self.truth(id);
            // Whatever was deleted, revoked or rotated since is as it was; the operator applies the log of revocations.
            *truth = Truth {
                last_use: truth.last_use,
                restarted: now,
                held: record.current.hash.unwrap_or_default(),
                revoked_at: (record.state != KeyState::Active).then_some(now),
                deletions: u64::from(matches!(record.state, KeyState::Deleted { reason: DeleteReason::Inactive, .. })),
                ..Truth::default()
            };
            let key: &str = id.as_str();
            let audited = self.database.read(|tx| audited_deletions(tx, key))?;
            self.truth(id).deletions = audited;
        }
        self.poll_all()
    }

    // ---- time ------------------------------------------------------------------------------------------------------------

    /// Lets time pass in small steps, with all that nodes do by themselves.
    pub(crate) fn pass(&mut self, length: i64, sweeps: bool) -> Outcome {
        let end = self.now + length;
        let mut next_sweep = self.now + self.rng.i64(0..MINUTE_MS);
        let mut next_flush = self.now + self.rng.i64(0..30_000);
        while self.now < end {
            self.now = (self.now + self.rng.i64(500..9_000)).min(end);
            for index in 0..self.nodes.len() {
                if !self.nodes[index].works() {
                    continue;
                }
                self.poll(index)?;
                let race = self.rng.u32(0..4) == 0;
                self.tick(index, race)?;
            }
            if self.now >= next_flush {
                next_flush += 30_000;
                for index in 0..self.nodes.len() {
                    if self.nodes[index].works() {
                        self.flush(index)?;
                    }
                }
            }
            if self.now >= next_sweep {
                next_sweep += MINUTE_MS;
                if sweeps && let Some(node) = self.working_node() {
                    self.release_holds()?;
                    let race = self.rng.bool();
                    self.sweep(node, race)?;
                }
            }
        }
        self.key_days += length as f64 / DAY_MS as f64 * self.keys.len() as f64;
        Ok(())
    }

    /// Lets a long time pass in which nothing is due and nobody does anything but tick.
    pub(crate) fn pass_quietly(&mut self, length: i64) -> Outcome {
        for index in 0..self.nodes.len() {
            if self.nodes[index].works() {
                self.flush(index)?;
            }
        }
        let uncounted = (self.now - self.counted_until).min(2 * MINUTE_MS);
        self.now += length;
        self.counted_until = self.now;
        self.key_days += length as f64 / DAY_MS as f64 * self.keys.len() as f64;
        if self.nodes.iter().any(Node::works) {
            let lost = if self.drift { length / 300 } else { -uncounted };
            let paused = self.database.read(service_clock::read)?.paused;
            let add = if paused { 0 } else { length - lost };
            self.database.write(|tx| service_clock::pass(tx, add, length / MINUTE_MS + 1))?;
            for node in &mut self.nodes {
                node.last_tick = self.now;
            }
        }
        self.poll_all()
    }

    /// Service time until the next step of any key is due; `None` where none will be.
    pub(crate) fn next_due(&self) -> Outcome<Option<i64>> {
        let now = self.database.read(service_clock::read)?.now;
        let living = self.database.read(|tx| sweep::idle(tx, now, &Window::first(1000)))?.keys;
        Ok(living.iter().map(|(key, _)| key.inactivity.next().1 - now).min())
    }
}
