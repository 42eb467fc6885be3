//! API keys: create, list, change, rotate and end them. How a key is verified stands in `keys/`.

use std::time::Duration;

use keystead_model::{
    Invalid, KeyId, LocationId, ServiceMs, UtcMs,
    api_key::{ApiKey, DeleteReason, KeyPatch, KeyState, NewKey, StoredSecret},
    event::{Event, EventKind},
    grant::{Grant, Reach},
    key_kind::KeyKind,
    key_policy::{AgencyKeyMakers, KeyPolicy, in_future},
    key_secret::KeySecret,
    origin::Origins,
    page::{Page, Window},
    scope::{Scope, ScopeSet},
    time::DAY_MS,
};
use keystead_store::{
    Tx, agencies, api_keys,
    api_keys::{KeyCursor, KeyFilter},
    changes::{self, Change},
    events::{self, AuditFilter},
    locations, service_clock,
};
use serde_json::json;

use crate::{
    App, Authority, Error, ErrorCode, Result, Steps,
    error::Noun,
    events::{Described, Fields, Happened, fields, log_revocation, tell},
    keys::fence::FRESH_FOR,
    users::is_operator,
};

/// A key that was just made or rotated, with the secret that is shown once.
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// Its secret. Nothing else has it; `None` for a repeated request, whose secret was lost with its answer.
    pub secret: Option<KeySecret>,
    /// When a replaced secret is dead everywhere, if one was replaced at once.
    pub receipt: Receipt,
    /// Other keys of its owner that have the name that it was just given.
    pub namesakes: i64,
}

/// A key that was changed.
pub struct ChangedKey {
    /// The key after the change.
    pub key: ApiKey,
    /// From when on the change holds.
    pub receipt: Receipt,
    /// Other keys of its owner that have the name that it was just given.
    pub namesakes: i64,
}

/// What whoever gave a key its name should know: names need not be unique, but are what keys are told apart by.
pub fn warning_of_namesakes(namesakes: i64) -> Option<String> {
    match namesakes {
        0 => None,
        1 => Some("Another key of this owner has the same name.".to_owned()),
        several => Some(format!("{several} other keys of this owner have the same name.")),
    }
}

/// The bound of a change: on this node it holds already, on every other node from an instant on.
#[derive(Clone, Copy, Debug)]
pub struct Receipt {
    /// The change's number in the feed.
    pub sequence: i64,
    /// When it was applied here.
    pub effective_here: UtcMs,
    /// When it holds on every node.
    pub effective_everywhere_by: UtcMs,
    /// Whether it is in the journal of revocations: if it is not, the restore of an older backup would undo it.
    pub is_journaled: bool,
}

impl App {
    /// Makes a key. It can hold only what its maker has.
    pub async fn create_key(&self, authority: &Authority, new: NewKey) -> Result<CreatedKey> {
        authority.require(Scope::KeysWrite)?;
        authority.require_fresh()?;
        require_suiting_scopes(&new.grant)?;
        require_suiting_origins(&new.allowed_origins, &new.grant)?;
        let now = authority.now();
        self.giver(authority).may_give(&new.grant, new.rate_limit)?;
        require_future(new.grant.expires_at, now)?;
        let id = self.entropy.key_id();
        let secret = KeySecret::generate(new.grant.kind(), id, |pool| self.entropy.fill(pool));
        let stored = self.store_form(&secret, now)?;
        let (agency, cap) = (authority.agency(), self.limits.keys_per_owner);
        let written = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    let sequence = changes::next(tx, Change::Key(id), now)?;
                    let service = service_clock::read(tx)?.now;
                    let new = by_policy(tx, authority, new.clone())?;
                    let key = ApiKey::create(id, new, stored.clone(), authority.actor(), now, service);
                    let key = insert_key(tx, authority, &key, cap)?;
                    Ok((sequence, api_keys::namesakes(tx, &key)?, key, true))
                },
                move |tx, lost| {
                    let id = lost.key_id()?;
                    let key = api_keys::find(tx, agency, id)?.ok_or_else(|| not_found(id))?;
                    Ok((changes::poll(tx)?.head, api_keys::namesakes(tx, &key)?, key, false))
                },
            )
            .await;
        self.keys.invalidate(id);
        let (sequence, namesakes, key, is_new) = written?;
        Ok(CreatedKey { key, secret: is_new.then_some(secret), receipt: self.receipt(sequence).await, namesakes })
    }

    /// Keys that the authority may see, newest first.
    pub async fn list_keys(
        &self,
        authority: &Authority,
        filter: KeyFilter,
        window: Window<KeyCursor>,
    ) -> Result<Page<ApiKey>> {
        let (agency, filter) = (authority.agency(), visible(authority, filter)?);
        Ok(self.store.read(move |tx| api_keys::list(tx, agency, &filter, &window)).await?)
    }

    /// How many keys the authority may see that match.
    pub async fn count_keys(&self, authority: &Authority, filter: KeyFilter) -> Result<i64> {
        let (agency, filter) = (authority.agency(), visible(authority, filter)?);
        Ok(self.store.read(move |tx| api_keys::count_matching(tx, agency, &filter)).await?)
    }

    /// One key. A key may always read itself.
    pub async fn get_key(&self, authority: &Authority, id: KeyId) -> Result<ApiKey> {
        if authority.key_id() != Some(id) {
            authority.require(Scope::KeysRead)?;
        }
        let agency = authority.agency();
        let key = self.store.look_up(move |tx| api_keys::find(tx, agency, id)).await?;
        key.filter(|key| can_see(authority, key)).ok_or_else(|| not_found(id))
    }

    /// The audit rows of a key, newest first.
    pub async fn list_key_changes(&self, authority: &Authority, id: KeyId) -> Result<Vec<Event>> {
        self.get_key(authority, id).await?;
        let (agency, window) = (authority.agency(), Window::first(50));
        let filter = AuditFilter { subject: Some(id.to_string()), ..AuditFilter::default() };
        Ok(self.store.read(move |tx| events::list(tx, agency, &filter, &window)).await?.rows)
    }

    /// Changes name, scopes, locations, addresses, expiry or limit. The secret stays the same.
    pub async fn update_key(
        &self,
        authority: &Authority,
        id: KeyId,
        version: Option<i64>,
        patch: KeyPatch,
    ) -> Result<ChangedKey> {
        let giver = self.giver(authority);
        self.change_key(authority, id, version, EventKind::KeyUpdated, move |key, at| {
            require_future(patch.expires_at.flatten(), at.utc)?;
            let (before, rate) = (key.grant.clone(), key.rate_limit);
            let kind = key.kind();
            let changed = key.patch(patch.clone())?;
            if changed.kind() != kind {
                // What its text says of it stays true.
                return Err(Error::invalid("allowedLocations", "belongs to agency keys"));
            }
            require_suiting_scopes(&changed.grant)?;
            require_suiting_origins(&changed.allowed_origins, &changed.grant)?;
            if changed.grant.exceeds(&before).is_some() || giver.rate(changed.rate_limit) > giver.rate(rate) {
                // The key gains something: only who has it may give it.
                giver.adds_authority(&changed)?;
            }
            Ok(changed)
        })
        .await
    }

    /// Takes away what a key did not need in the last 30 days: it keeps only scopes that it used.
    pub async fn reduce_key(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        let now = authority.now();
        let usage =
            self.key_usage(authority, id, Steps::even(UtcMs(now.0 - REDUCED_BY_MS), UtcMs(now.0 + 1), DAY_MS)).await?;
        let used: ScopeSet = usage.scopes.into_iter().filter(|(_, count)| *count > 0).map(|(scope, _)| scope).collect();
        self.change_key(authority, id, None, EventKind::KeyUpdated, move |key, _| {
            let kept: ScopeSet = key.grant.scopes.iter().filter(|scope| used.contains(*scope)).collect();
            if kept.is_empty() {
                let message = "The key has used none of its scopes in 30 days: nothing of it would be left".to_owned();
                return Err(Error::Conflict(ErrorCode::Conflict, message));
            }
            Ok(key.patch(KeyPatch { scopes: Some(kept), ..KeyPatch::default() })?)
        })
        .await
    }

    /// Switches a key off.
    pub async fn deactivate_key(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        let by = authority.actor();
        self.change_key(authority, id, None, EventKind::KeyDeactivated, move |key, at| {
            Ok(key.deactivate(by, at.utc, at.service)?)
        })
        .await
    }

    /// Switches a key on again.
    pub async fn reactivate_key(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        self.adding_authority(authority, id, EventKind::KeyReactivated, |key, at| Ok(key.reactivate(at.service)?)).await
    }

    /// Deletes a key.
    pub async fn delete_key(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        let by = authority.actor();
        self.change_key(authority, id, None, EventKind::KeyDeleted, move |key, at| {
            Ok(key.delete(by, DeleteReason::Requested, at.utc, at.service)?)
        })
        .await
    }

    /// Restarts a key's 90 days without a use.
    pub async fn keep_key(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        self.change_key(authority, id, None, EventKind::KeyKept, |key, at| Ok(key.keep(at.service)?)).await
    }

    /// Brings a deleted key back as it was, with the same secret and its full 90 days.
    pub async fn restore_key(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        let by = authority.actor();
        self.adding_authority(authority, id, EventKind::KeyRestored, move |key, at| {
            Ok(key.restore(by, at.utc, at.service)?)
        })
        .await
    }

    /// Gives a key a new secret; the old one goes on for `overlap`.
    ///
    /// While an overlap runs `version` must be given, so that two people do not rotate past each other.
    pub async fn rotate_key(
        &self,
        authority: &Authority,
        id: KeyId,
        version: Option<i64>,
        overlap: Duration,
    ) -> Result<CreatedKey> {
        let known = self.get_key(authority, id).await?;
        let secret = KeySecret::generate(known.kind(), id, |pool| self.entropy.fill(pool));
        let stored = self.store_form(&secret, authority.now())?;
        let giver = self.giver(authority);
        let changed = self
            .change_key(authority, id, version, EventKind::KeyRotated, move |key, at| {
                giver.adds_authority(&key)?;
                if key.overlap(at.utc).is_some() && version.is_none() {
                    return Err(Error::invalid("version", "is needed while a rotation is running"));
                }
                Ok(key.rotate(stored.clone(), overlap, at.utc, at.service)?)
            })
            .await?;
        let is_new = authority.claim().is_none_or(|claim| claim.lost().is_none());
        Ok(CreatedKey { key: changed.key, secret: is_new.then_some(secret), receipt: changed.receipt, namesakes: 0 })
    }

    /// Takes a running rotation back.
    pub async fn cancel_key_rotation(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        self.adding_authority(authority, id, EventKind::KeyRotationCancelled, |key, at| {
            Ok(key.cancel_rotation(at.utc, at.service)?)
        })
        .await
    }

    /// Ends a running overlap now.
    pub async fn finish_key_rotation(&self, authority: &Authority, id: KeyId) -> Result<ChangedKey> {
        self.change_key(authority, id, None, EventKind::KeyRotationFinished, |key, at| Ok(key.finish_rotation(at.utc)?))
            .await
    }

    /// A change that gives a program more than it has now: needs a recent sign-in, and a giver who has it all.
    async fn adding_authority(
        &self,
        authority: &Authority,
        id: KeyId,
        kind: EventKind,
        transition: impl Fn(ApiKey, Instants) -> Result<ApiKey> + Send + 'static,
    ) -> Result<ChangedKey> {
        let giver = self.giver(authority);
        self.change_key(authority, id, None, kind, move |key, at| {
            giver.adds_authority(&key)?;
            transition(key, at)
        })
        .await
    }

    /// The one way to change a key: in order with all other changes, audited, and applied here before the answer.
    async fn change_key(
        &self,
        authority: &Authority,
        id: KeyId,
        version: Option<i64>,
        kind: EventKind,
        transition: impl Fn(ApiKey, Instants) -> Result<ApiKey> + Send + 'static,
    ) -> Result<ChangedKey> {
        // A key may always end itself; everything else needs the scope, and what adds authority asks for more.
        let ends_itself = authority.key_id() == Some(id) && ENDING.contains(&kind);
        if !ends_itself {
            authority.require(Scope::KeysWrite)?;
        }
        let agency = authority.agency();
        let written = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    let sequence = changes::next(tx, Change::Key(id), authority.now())?;
                    let at = Instants { utc: authority.now(), service: service_clock::read(tx)?.now };
                    let before = api_keys::find_to_change(tx, authority.agency(), id)?
                        .filter(|key| can_see(authority, key))
                        .ok_or_else(|| not_found(id))?;
                    authority.expect(&before)?;
                    if version.is_some_and(|version| version != before.version) {
                        return Err(Error::Conflict(
                            ErrorCode::Conflict,
                            format!("The key has changed: its version is {}", before.version),
                        ));
                    }
                    let after = transition(before.clone(), at)?;
                    if (ApiKey { version: before.version, ..after.clone() }) == before {
                        return Ok((sequence, 0, before));
                    }
                    owned_locations(tx, &after, Some(&before))?;
                    if after.grant.expires_at != before.grant.expires_at {
                        let admitted = policy(tx, authority)?.admit(after.grant.expires_at, at.utc);
                        admitted.map_err(|Invalid(problem)| Error::invalid("expiresAt", problem))?;
                    }
                    api_keys::update(tx, &after)?;
                    tell(tx, authority, Happened::changed(kind, &before, &after))?;
                    let key = api_keys::find(tx, authority.agency(), id)?.ok_or_else(|| not_found(id))?;
                    let namesakes = if key.name == before.name { 0 } else { api_keys::namesakes(tx, &key)? };
                    Ok((sequence, namesakes, key))
                },
                move |tx, _| {
                    let key = api_keys::find(tx, agency, id)?.ok_or_else(|| not_found(id))?;
                    Ok((changes::poll(tx)?.head, 0, key))
                },
            )
            .await;
        // Also when the outcome of the commit is not known: a cached record may be wrong then.
        self.keys.invalidate(id);
        let (sequence, namesakes, key) = written?;
        if REVOKING.contains(&kind) {
            log_revocation(key.id, kind, sequence);
        }
        Ok(ChangedKey { key, receipt: self.receipt(sequence).await, namesakes })
    }

    /// The receipt of a change that is committed and holds on this node.
    pub(crate) async fn receipt(&self, sequence: i64) -> Receipt {
        let effective_here = self.clock.now();
        let is_journaled = self.journaled().await;
        Receipt { sequence, effective_here, effective_everywhere_by: effective_here + FRESH_FOR, is_journaled }
    }

    pub(crate) fn giver(&self, authority: &Authority) -> Giver {
        Giver { authority: authority.clone(), usual_rate: self.limits.rate.interval.unwrap_or(u32::MAX) }
    }

    pub(crate) fn store_form(&self, secret: &KeySecret, now: UtcMs) -> Result<StoredSecret> {
        let pepper_version = self.secret.current();
        let hash = self
            .secret
            .hash_key(pepper_version, secret.expose())
            .ok_or_else(|| Error::Internal("the instance secret has no version".to_owned()))?;
        Ok(StoredSecret {
            hash: Some(hash),
            pepper_version,
            last_four: secret.last_four().to_owned(),
            created_at: now,
            last_used_at: None,
        })
    }
}

/// The filter within what the authority may see.
fn visible(authority: &Authority, mut filter: KeyFilter) -> Result<KeyFilter> {
    authority.require(Scope::KeysRead)?;
    match &authority.grant().reach {
        Reach::Agency => {}
        Reach::Chosen(set) | Reach::Locations(set) => {
            // Keys of the agency itself reach further than this authority.
            let is_visible = |location: &LocationId| set.contains(location);
            filter.kind = Some(KeyKind::Location);
            filter.locations = Some(match filter.locations.take() {
                Some(wanted) => wanted.into_iter().filter(is_visible).collect(),
                None => set.iter().copied().collect(),
            });
        }
    }
    Ok(filter)
}

/// The time whose use decides what a key needs.
const REDUCED_BY_MS: i64 = 30 * DAY_MS;

/// Changes after which a secret that worked before must not work any more.
const REVOKING: &[EventKind] = &[
    EventKind::KeyDeactivated,
    EventKind::KeyDeleted,
    EventKind::KeyRotated,
    EventKind::KeyRotationFinished,
    EventKind::KeyRotationCancelled,
];

/// What a key may do to itself without holding `api-keys.write`.
const ENDING: &[EventKind] = &[EventKind::KeyDeactivated, EventKind::KeyDeleted, EventKind::KeyRotationFinished];

/// Now, on both clocks.
#[derive(Clone, Copy)]
struct Instants {
    utc: UtcMs,
    service: ServiceMs,
}

/// What the agency asks of its keys.
fn policy(tx: &mut Tx<'_>, authority: &Authority) -> Result<KeyPolicy> {
    Ok(agencies::find(tx, authority.agency())?.map(|agency| agency.keys).unwrap_or_default())
}

/// A new key as its agency wants it; an error if it cannot be so.
fn by_policy(tx: &mut Tx<'_>, authority: &Authority, mut new: NewKey) -> Result<NewKey> {
    let policy = policy(tx, authority)?;
    let is_kept_back = new.grant.kind() == KeyKind::Agency && policy.agency_keys_by == AgencyKeyMakers::Operators;
    if is_kept_back && !is_operator(tx, authority)? {
        let message =
            "Your agency keeps agency keys to the operators of the instance; make a location key, or ask one of them";
        return Err(Error::Forbidden(ErrorCode::NotAllowed, message.to_owned()));
    }
    let expiry = policy.expiry(new.grant.expires_at, authority.now());
    new.grant.expires_at = expiry.map_err(|Invalid(problem)| Error::invalid("expiresAt", problem))?;
    Ok(new)
}

/// The settings of a lost key for the one that takes its place. Its expiry is as long as the agency allows by now.
pub(crate) fn settings_by_policy(tx: &mut Tx<'_>, authority: &Authority, lost: &ApiKey) -> Result<NewKey> {
    let mut settings = lost.settings();
    if policy(tx, authority)?.admit(settings.grant.expires_at, authority.now()).is_err() {
        settings.grant.expires_at = None;
    }
    by_policy(tx, authority, settings)
}

/// Adds a key within its owner's cap, with its audit row, and answers it as it is stored.
pub(crate) fn insert_key(tx: &mut Tx<'_>, authority: &Authority, key: &ApiKey, cap: i64) -> Result<ApiKey> {
    owned_locations(tx, key, None)?;
    if api_keys::count(tx, authority.agency(), location_of(key))? >= cap {
        return Err(Error::Conflict(ErrorCode::KeyCap, format!("There are {cap} keys already")));
    }
    api_keys::insert(tx, key)?;
    tell(tx, authority, Happened::made(EventKind::KeyCreated, key))?;
    api_keys::find(tx, authority.agency(), key.id)?.ok_or_else(|| not_found(key.id))
}

/// Somebody who gives a program something, which they must have themselves.
pub(crate) struct Giver {
    authority: Authority,
    /// Requests in 10 seconds of a key that has no limit of its own.
    usual_rate: u32,
}

impl Giver {
    /// What adds authority to a key needs a recent sign-in, and a giver who has all that the key has.
    pub(crate) fn adds_authority(&self, key: &ApiKey) -> Result<()> {
        self.authority.require_fresh()?;
        self.may_give(&key.grant, key.rate_limit)
    }

    fn may_give(&self, grant: &Grant, rate_limit: Option<u32>) -> Result<()> {
        let excess = grant.exceeds(self.authority.grant()).or_else(|| {
            let own = self.rate(self.authority.key()?.rate_limit);
            (self.rate(rate_limit) > own).then(|| format!("you may send {own} requests in 10 seconds yourself"))
        });
        match excess {
            Some(excess) => {
                Err(Error::Forbidden(ErrorCode::Escalation, format!("The key would have more than you: {excess}")))
            }
            None => Ok(()),
        }
    }

    fn rate(&self, limit: Option<u32>) -> u32 {
        limit.unwrap_or(self.usual_rate)
    }
}

/// Keys are seen by whoever reaches all of what they reach; a key sees itself.
pub(crate) fn can_see(authority: &Authority, key: &ApiKey) -> bool {
    authority.key_id() == Some(key.id) || key.grant.reach.is_within(&authority.grant().reach)
}

pub(crate) fn not_found(id: KeyId) -> Error {
    Error::NotFound(Noun::Key, id.to_string())
}

pub(crate) fn location_of(key: &ApiKey) -> Option<LocationId> {
    match &key.grant.reach {
        Reach::Locations(set) => set.first().copied(),
        Reach::Agency | Reach::Chosen(_) => None,
    }
}

fn require_suiting_origins(origins: &Origins, grant: &Grant) -> Result<()> {
    origins.suit(grant).map_err(|Invalid(problem)| Error::invalid("allowedOrigins", problem))
}

fn require_future(expires_at: Option<UtcMs>, now: UtcMs) -> Result<()> {
    let admitted = expires_at.map_or(Ok(()), |at| in_future(at, now));
    admitted.map_err(|Invalid(problem)| Error::invalid("expiresAt", problem))
}

/// A key may have only scopes of its kind, whatever its maker holds.
fn require_suiting_scopes(grant: &Grant) -> Result<()> {
    grant.scopes.require_suiting(grant.kind()).map_err(|Invalid(problem)| Error::invalid("scopes", problem))
}

/// Every location that the key gains must be the agency's. Of those that it had some may be deleted meanwhile.
fn owned_locations(tx: &mut Tx<'_>, key: &ApiKey, before: Option<&ApiKey>) -> Result<()> {
    let (Reach::Chosen(set) | Reach::Locations(set)) = &key.grant.reach else { return Ok(()) };
    if set.is_empty() {
        return Err(Error::invalid("allowedLocations", "should not be empty"));
    }
    let had = |location: &&LocationId| before.is_some_and(|before| before.grant.reach.has_location(**location));
    for location in set.iter().filter(|location| !had(location)) {
        locations::find(tx, key.grant.agency, *location)?.ok_or(Error::NoAccess)?;
    }
    Ok(())
}

/// A key as the audit log tells of it, with what it does not have.
impl Described for ApiKey {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn location(&self) -> Option<LocationId> {
        location_of(self)
    }

    fn describe(&self) -> Fields {
        let state = match &self.state {
            KeyState::Active => "active",
            KeyState::Deactivated { .. } => "deactivated",
            KeyState::Deleted { .. } => "deleted",
        };
        let chosen: Option<Vec<&str>> = match &self.grant.reach {
            Reach::Chosen(set) => Some(set.iter().map(LocationId::as_str).collect()),
            Reach::Agency | Reach::Locations(_) => None,
        };
        fields(json!({
            "name": self.name.as_str(),
            "description": self.about.description.as_ref().map(|text| text.as_str()),
            "labels": (!self.about.labels.is_empty()).then(|| self.about.labels.to_text()),
            "contactEmail": self.about.contact.as_ref().map(|contact| contact.as_str()),
            "kind": self.kind().as_str(),
            "scopes": self.grant.scopes.to_names(),
            "allowedLocations": chosen,
            "allowedIps": self.grant.allowed_ips.to_texts(),
            "expiresAt": self.grant.expires_at,
            "rateLimit": self.rate_limit,
            "allowedOrigins": (!self.allowed_origins.is_empty()).then(|| self.allowed_origins.iter().collect::<Vec<_>>()),
            "state": state,
            "lastFour": self.current.last_four,
            "replaces": self.replaces,
            "previousRetiresAt": self.previous.as_ref().map(|previous| previous.retires_at),
        }))
    }
}
