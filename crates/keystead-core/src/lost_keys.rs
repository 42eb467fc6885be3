//! Keys that their holders lost, and keys that strangers found.

use std::time::Duration;

use keystead_model::{
    KeyId,
    actor::Actor,
    api_key::{ApiKey, KeyState, SecretSlot},
    event::EventKind,
    key_scan::whole_keys,
    key_secret::{KeySecret, PresentedKey},
    notice::NoticeKind,
};
use keystead_store::{
    Tx, api_keys,
    changes::{self, Change},
    exposures::{self, ExposureReport},
    service_clock,
};
use subtle::ConstantTimeEq;

use crate::{
    App, Authority, CreatedKey, Error, ErrorCode, Result,
    api_keys::{can_see, insert_key, not_found, settings_by_policy},
    events::{Happened, log_revocation, tell, tell_by_system},
    keys::cache::KnownKey,
    notices::notify,
    sweep::notice_of,
};

/// When a lost key stops working after it was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKeyEnds {
    /// At once.
    Now,
    /// When its replacement is used for the first time.
    FirstUse,
}

/// A key that took the place of a lost one.
pub struct ReplacedKey {
    /// The new key, with its secret.
    pub made: CreatedKey,
    /// The old one.
    pub old: ApiKey,
}

/// Reports that may wait; more are refused until the job has caught up.
const REPORTS: i64 = 10_000;
/// Keys in one report.
pub const REPORTED_AT_ONCE: usize = 100;

fn replaced_already(authority: &Authority, successor: &ApiKey) -> Error {
    let message = match can_see(authority, successor) {
        true => format!("This key is replaced already, by “{}” ({})", successor.name, successor.id),
        false => "This key is replaced already".to_owned(),
    };
    Error::Conflict(ErrorCode::KeyState, message)
}

impl App {
    /// Makes a new key with the settings of a lost one, and deactivates the lost one now or at the first use. A key is replaced
    /// once: not again while the key that took its place is active.
    pub async fn replace_key(&self, authority: &Authority, id: KeyId, ends: OldKeyEnds) -> Result<ReplacedKey> {
        authority.require(keystead_model::scope::Scope::KeysWrite)?;
        let known = self.get_key(authority, id).await?;
        let new_id = self.entropy.key_id();
        let secret = KeySecret::generate(known.kind(), new_id, |pool| self.entropy.fill(pool));
        let now = authority.now();
        let stored = self.store_form(&secret, now)?;
        let (agency, cap, giver) = (authority.agency(), self.limits.keys_per_owner, self.giver(authority));
        let written = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    changes::next(tx, Change::Key(new_id), now)?;
                    let sequence = changes::next(tx, Change::Key(id), now)?;
                    let service = service_clock::read(tx)?.now;
                    let old = api_keys::find_to_change(tx, authority.agency(), id)?
                        .filter(|key| can_see(authority, key))
                        .ok_or_else(|| not_found(id))?;
                    if old.is_deleted() {
                        return Err(keystead_model::api_key::InvalidTransition::Deleted.into());
                    }
                    giver.adds_authority(&old)?;
                    if let Some(successor) = api_keys::successor(tx, authority.agency(), id)? {
                        return Err(replaced_already(authority, &successor));
                    }
                    let mut new = ApiKey::create(
                        new_id,
                        settings_by_policy(tx, authority, &old)?,
                        stored.clone(),
                        authority.actor(),
                        now,
                        service,
                    );
                    let ended = match (ends, &old.state) {
                        (OldKeyEnds::Now, KeyState::Active) => {
                            old.clone().deactivate(authority.actor(), now, service)?
                        }
                        (OldKeyEnds::Now, _) => old.clone(),
                        (OldKeyEnds::FirstUse, _) => {
                            new.replaces = Some(id);
                            old.clone()
                        }
                    };
                    let new = insert_key(tx, authority, &new, cap)?;
                    api_keys::update(tx, &ended)?;
                    api_keys::set_successor(tx, id, new_id)?;
                    tell(tx, authority, Happened::changed(EventKind::KeyReplaced, &old, &ended))?;
                    let old = api_keys::find(tx, authority.agency(), id)?.ok_or_else(|| not_found(id))?;
                    Ok((sequence, new, old, true))
                },
                move |tx, lost| {
                    let new_id = lost.key_id()?;
                    let new = api_keys::find(tx, agency, new_id)?.ok_or_else(|| not_found(new_id))?;
                    let old = api_keys::find(tx, agency, id)?.ok_or_else(|| not_found(id))?;
                    Ok((changes::poll(tx)?.head, new, old, false))
                },
            )
            .await;
        self.keys.invalidate(id);
        let (sequence, key, old, is_new) = written?;
        if is_new && ends == OldKeyEnds::Now {
            log_revocation(id, EventKind::KeyReplaced, sequence);
        }
        // Its name is the old one's on purpose.
        let secret = is_new.then_some(secret);
        Ok(ReplacedKey { made: CreatedKey { key, secret, receipt: self.receipt(sequence).await, namesakes: 0 }, old })
    }

    /// The key that was made in place of this one, while it is active. It ends this one by its first use where it still
    /// [replaces](ApiKey::replaces) it.
    pub async fn successor_of_key(&self, authority: &Authority, id: KeyId) -> Result<Option<ApiKey>> {
        self.get_key(authority, id).await?;
        let agency = authority.agency();
        let found = self.store.look_up(move |tx| api_keys::successor(tx, agency, id)).await?;
        Ok(found.filter(|key| can_see(authority, key)))
    }

    /// The replacement of a lost key is used for the first time: the lost one stops.
    pub(crate) async fn finish_replacement(&self, known: &KnownKey, lost: KeyId) -> Result<()> {
        let (id, agency, now) = (known.key.id, known.key.grant.agency, self.clock.now());
        let written = self
            .store
            .write_serial(move |tx| {
                let sequence = changes::next(tx, Change::Key(lost), now)?;
                let service = service_clock::read(tx)?.now;
                let Some(new) = api_keys::find_to_change(tx, agency, id)? else { return Ok(None) };
                if new.replaces.is_none() {
                    return Ok(None);
                }
                let alone = ApiKey { replaces: None, ..new.clone() };
                api_keys::update(tx, &alone)?;
                tell_by_system(tx, now, [(agency, Happened::changed(EventKind::KeyTookOver, &new, &alone))])?;
                changes::next(tx, Change::Key(id), now)?;
                let Some(old) = api_keys::find_to_change(tx, agency, lost)? else { return Ok(None) };
                // Somebody may have ended it meanwhile.
                let ended = old.clone().deactivate(Actor::Key(id), now, service).ok();
                if let Some(ended) = &ended {
                    api_keys::update(tx, ended)?;
                    let happened = Happened::changed(EventKind::KeyDeactivated, &old, ended);
                    tell_by_system(tx, now, [(agency, happened)])?;
                }
                Ok::<_, Error>(ended.map(|_| sequence))
            })
            .await;
        self.keys.invalidate(lost);
        self.keys.invalidate(id);
        if let Some(sequence) = written? {
            log_revocation(lost, EventKind::KeyDeactivated, sequence);
            self.journaled().await;
        }
        Ok(())
    }

    /// Takes a report of keys that were found in public, and ends those of this instance. Anybody may report; nobody learns
    /// whether a key exists, unless they have all of its secret.
    ///
    /// What is a key is stored before it is ended, so that an accepted report survives a crash; as a digest only. What is none
    /// is not: whoever makes up keys keeps nobody waiting.
    pub async fn report_exposed(&self, keys: Vec<String>) -> Result<()> {
        let (app, now) = (self.clone(), self.clock.now());
        let exposed = self.store.read(move |tx| app.find_exposed(tx, &keys)).await?;
        if exposed.is_empty() {
            return Ok(());
        }
        self.store
            .write_serial(move |tx| {
                if exposures::count(tx)? > REPORTS {
                    return Err(Error::TooManyRequests(Duration::from_secs(10)));
                }
                exposed.iter().try_for_each(|report| exposures::insert(tx, report, now))?;
                Ok(())
            })
            .await?;
        // The report is accepted, come what may: what is not ended now is ended by the job.
        if let Err(error) = self.end_exposed_keys().await {
            tracing::warn!(%error, "keys that were found in public end later");
        }
        Ok(())
    }

    /// Those of `keys` that are secrets of this instance which may still work.
    fn find_exposed(&self, tx: &mut Tx<'_>, keys: &[String]) -> Result<Vec<ExposureReport>> {
        let mut exposed = Vec::new();
        // Whoever reports one pastes the line that it stands in.
        let whole: Vec<String> = keys.iter().flat_map(|text| whole_keys(text)).collect();
        for presented in whole.iter().filter_map(|key| PresentedKey::parse(key)) {
            let Some(key) = api_keys::find_for_authentication(tx, presented.id)? else { continue };
            for slot in [SecretSlot::Current, SecretSlot::Previous].into_iter().filter(|slot| !key.has_ended(*slot)) {
                let Some(secret) = key.secret(slot) else { continue };
                let Some(secret_hash) = self.secret.hash_key(secret.pepper_version, presented.text) else { continue };
                if secret.hash.is_some_and(|stored| secret_hash.ct_eq(&stored).into()) {
                    exposed.push(ExposureReport { key: key.id, pepper_version: secret.pepper_version, secret_hash });
                }
            }
        }
        Ok(exposed)
    }

    /// Ends the secrets that were reported and have not ended yet, after a crash or a fault; answers how many.
    pub async fn end_exposed_keys(&self) -> Result<u64> {
        let mut ended = 0;
        loop {
            let reports = self.store.read(|tx| exposures::oldest(tx, 100)).await?;
            if reports.is_empty() {
                return Ok(ended);
            }
            for (number, report) in reports {
                ended += u64::from(self.end_exposed_key(number, report).await?);
            }
            self.keep_journal_now().await?;
        }
    }

    async fn end_exposed_key(&self, number: i64, report: ExposureReport) -> Result<bool> {
        let (id, now, notice) = (report.key, self.clock.now(), self.entropy.id(self.clock.now()));
        let ended = self
            .store
            .write_serial(move |tx| {
                changes::lock(tx)?;
                if !exposures::remove(tx, number)? {
                    return Ok(None);
                }
                let Some(found) = api_keys::find_for_authentication(tx, id)? else { return Ok(None) };
                let key = api_keys::find_to_change(tx, found.grant.agency, id)?.unwrap_or(found);
                let slot = [SecretSlot::Current, SecretSlot::Previous].into_iter().find(|slot| {
                    key.secret(*slot).is_some_and(|secret| {
                        secret.pepper_version == report.pepper_version && secret.hash == Some(report.secret_hash)
                    })
                });
                let Some(slot) = slot.filter(|slot| !key.has_ended(*slot)) else { return Ok(None) };
                let sequence = changes::next(tx, Change::Key(id), now)?;
                let after = key.clone().expose(slot, now);
                api_keys::update(tx, &after)?;
                let happened = Happened::changed(EventKind::KeyExposed, &key, &after);
                tell_by_system(tx, now, [(key.grant.agency, happened)])?;
                let episode = after.exposed_at.unwrap_or(now).0;
                notify(tx, notice_of(&after, notice, NoticeKind::Exposed, episode, now, None))?;
                Ok::<_, Error>(Some(sequence))
            })
            .await;
        self.keys.invalidate(id);
        let ended = ended?;
        if let Some(sequence) = ended {
            log_revocation(id, EventKind::KeyExposed, sequence);
        }
        Ok(ended.is_some())
    }
}
