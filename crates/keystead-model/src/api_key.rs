//! What an API key is, and the transitions of its life.
//!
//! Every transition is a pure function of the record and the given clocks; the server and the simulation use the same.

use std::{fmt, net::IpAddr, time::Duration};

use crate::{
    Invalid, KeyId, ServiceMs, UtcMs,
    actor::Actor,
    agency::TenantState,
    grant::{Grant, Reach},
    inactivity::{Inactivity, RESTORE_WINDOW_MS},
    ip_range::IpRanges,
    key_kind::KeyKind,
    key_secret,
    origin::Origins,
    scope::ScopeSet,
    text::Line,
    time::parse_duration,
};

/// A key's descriptive name.
pub type KeyName = Line<64>;
pub use crate::key_about::{KeyAbout, KeyAboutPatch, KeyDescription, KeyLabels};

/// The longest overlap of a rotation.
pub const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The overlap of a rotation that names none.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// One secret of a key, as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// HMAC-SHA-256 of the whole key under the pepper; `None` once it was destroyed, after the time to restore.
    pub hash: Option<[u8; 32]>,
    /// Which instance secret the pepper was derived from.
    pub pepper_version: i64,
    /// The last four characters, for people.
    pub last_four: String,
    /// When it was made.
    pub created_at: UtcMs,
    /// When this secret was last used, as far as it is stored.
    pub last_used_at: Option<UtcMs>,
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredSecret(…{})", self.last_four)
    }
}

/// The secret that another took the place of. It goes on inside an overlap, and stays known after it, so that whoever
/// still holds it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: StoredSecret,
    /// From this instant on it is refused.
    pub retires_at: UtcMs,
    /// Whether somebody ended it: then it is refused whatever a server's clock says, which may go back.
    pub ended: bool,
}

impl PreviousSecret {
    fn ended(secret: StoredSecret, at: UtcMs) -> Self {
        Self { secret, retires_at: at, ended: true }
    }

    /// Whether it works no more.
    fn is_over(&self, now: UtcMs) -> bool {
        self.ended || now >= self.retires_at
    }
}

/// Why a key was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteReason {
    /// Somebody asked for it.
    Requested,
    /// It was not used for 90 days.
    Inactive,
}

impl DeleteReason {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Inactive => "inactive",
        }
    }

    /// Reads [`DeleteReason::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Requested, Self::Inactive].into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The state of a key. `Expired` is not a state: it is read off `expires_at` when the key is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// May be used.
    Active,
    /// Refused until somebody reactivates it.
    Deactivated {
        /// Since when.
        at: UtcMs,
        /// By whom.
        by: Actor,
    },
    /// Refused for ever, unless it is restored in time.
    Deleted {
        /// Since when.
        at: UtcMs,
        /// By whom.
        by: Actor,
        /// Why.
        reason: DeleteReason,
        /// Until when, in service time, it can be restored.
        restore_until: ServiceMs,
        /// Whether a restore brings it back active.
        was_active: bool,
    },
}

/// The last use of a key, whichever secret it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: UtcMs,
    /// From which address.
    pub ip: String,
    /// With which program, as it named itself.
    pub user_agent: Option<String>,
    /// Which route, as its template: `GET /contacts/{id}`.
    pub endpoint: String,
}

/// An API key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Public id, part of its text.
    pub id: KeyId,
    /// Descriptive name.
    pub name: KeyName,
    /// What is said of it.
    pub about: KeyAbout,
    /// What it may do, where, from which addresses and until when.
    pub grant: Grant,
    /// Its own limit of requests per 10 seconds instead of the instance's.
    pub rate_limit: Option<u32>,
    /// The sites whose pages may use it.
    pub allowed_origins: Origins,
    /// Active, deactivated or deleted.
    pub state: KeyState,
    /// Who made it.
    pub created_by: Actor,
    /// When it was made.
    pub created_at: UtcMs,
    /// The current secret.
    pub current: StoredSecret,
    /// The secret before it.
    pub previous: Option<PreviousSecret>,
    /// When the current secret was reported as exposed.
    pub exposed_at: Option<UtcMs>,
    /// The last use as far as it is stored.
    pub last_use: Option<LastUse>,
    /// Its 90 days.
    pub inactivity: Inactivity,
    /// The lost key that is deactivated when this one is first used.
    pub replaces: Option<KeyId>,
    /// How its agency and, if it has one, its location are. While they are suspended, or the location is deleted, the key is
    /// refused, and nothing happens to it.
    pub tenant: TenantState,
    /// Counts the changes; a change that names an old one is refused.
    pub version: i64,
}

/// A key that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Descriptive name.
    pub name: KeyName,
    /// What is said of it.
    pub about: KeyAbout,
    /// What it may do.
    pub grant: Grant,
    /// Its own limit of requests per 10 seconds.
    pub rate_limit: Option<u32>,
    /// The sites whose pages may use it.
    pub allowed_origins: Origins,
}

/// A change of a key; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPatch {
    /// New name.
    pub name: Option<KeyName>,
    /// What is said of it now.
    pub about: KeyAboutPatch,
    /// New scopes.
    pub scopes: Option<ScopeSet>,
    /// New locations of an agency key.
    pub reach: Option<Reach>,
    /// New addresses.
    pub allowed_ips: Option<IpRanges>,
    /// New expiry, or none.
    pub expires_at: Option<Option<UtcMs>>,
    /// New limit, or the instance's.
    pub rate_limit: Option<Option<u32>>,
    /// New sites.
    pub allowed_origins: Option<Origins>,
}

/// A transition that the key's state does not allow: what it is, in a sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTransition {
    /// The key is deleted.
    Deleted,
    /// It is deactivated already.
    AlreadyDeactivated,
    /// It is active already.
    AlreadyActive,
    /// Its current secret was reported as exposed.
    Exposed,
    /// Both secrets of the running overlap are in use.
    OverlapInUse,
    /// No overlap is running.
    NotRotating,
    /// Nothing to restore.
    NotDeleted,
    /// The 30 days are over.
    RestoreOver,
}

impl fmt::Display for InvalidTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => "The key is deleted",
            Self::AlreadyDeactivated => "The key is already deactivated",
            Self::AlreadyActive => "The key is already active",
            Self::Exposed => "The key's secret was reported as exposed; rotate it first",
            Self::OverlapInUse => "A rotation is running and its new secret is in use; finish or cancel it first",
            Self::NotRotating => "No rotation of the key is running",
            Self::NotDeleted => "The key is not deleted",
            Self::RestoreOver => "The 30 days in which the key could be restored are over",
        })
    }
}

/// Which secret a caller has proven to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretSlot {
    /// The current one.
    Current,
    /// The one before a rotation.
    Previous,
}

/// Why a key is refused although its secret is right. The holder may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was deleted.
    Deleted {
        /// When.
        at: UtcMs,
        /// Why.
        reason: DeleteReason,
    },
    /// It is deactivated.
    Deactivated {
        /// Since when.
        at: UtcMs,
        /// Whether its current secret was found in public and stays dead.
        exposed: bool,
    },
    /// It has expired.
    Expired {
        /// When.
        at: UtcMs,
    },
    /// The secret presented was replaced by a rotation whose overlap is over.
    Retired {
        /// When.
        at: UtcMs,
    },
    /// Its location or agency is suspended.
    TenantSuspended,
    /// Its location is deleted.
    LocationDeleted,
    /// The caller's address is not on the list.
    AddressNotAllowed {
        /// The address as the server sees it.
        address: IpAddr,
    },
    /// A page of a site that is not on the list has sent the request.
    OriginNotAllowed,
}

impl ApiKey {
    /// A key that begins now.
    pub fn create(id: KeyId, new: NewKey, secret: StoredSecret, by: Actor, at: UtcMs, service: ServiceMs) -> Self {
        let NewKey { name, about, grant, rate_limit, allowed_origins } = new;
        Self {
            id,
            name,
            about,
            grant,
            rate_limit,
            allowed_origins,
            state: KeyState::Active,
            created_by: by,
            created_at: at,
            current: secret,
            previous: None,
            exposed_at: None,
            last_use: None,
            inactivity: Inactivity::beginning(service),
            replaces: None,
            tenant: TenantState::Active,
            version: 1,
        }
    }

    /// The settings of a key, for another one like it.
    pub fn settings(&self) -> NewKey {
        NewKey {
            name: self.name.clone(),
            about: self.about.clone(),
            grant: self.grant.clone(),
            rate_limit: self.rate_limit,
            allowed_origins: self.allowed_origins.clone(),
        }
    }

    /// Agency or location.
    pub fn kind(&self) -> KeyKind {
        self.grant.kind()
    }

    /// `ks_location_Hq3vT0bZk9Wd_…x9Qa`.
    pub fn masked(&self) -> String {
        key_secret::masked(self.kind(), self.id, &self.current.last_four)
    }

    /// Whether its agency and its location work.
    pub fn tenant_is_live(&self) -> bool {
        self.tenant == TenantState::Active
    }

    /// Whether the key is deleted.
    pub fn is_deleted(&self) -> bool {
        matches!(self.state, KeyState::Deleted { .. })
    }

    /// The secret before a rotation, while its overlap runs.
    pub fn overlap(&self, now: UtcMs) -> Option<&PreviousSecret> {
        self.previous.as_ref().filter(|previous| !previous.is_over(now))
    }

    /// The secret in `slot`.
    pub fn secret(&self, slot: SecretSlot) -> Option<&StoredSecret> {
        match slot {
            SecretSlot::Current => Some(&self.current),
            SecretSlot::Previous => self.previous.as_ref().map(|previous| &previous.secret),
        }
    }

    /// Where the secret with this hash stands.
    pub fn slot_of(&self, hash: &[u8; 32]) -> Option<SecretSlot> {
        let is_it = |slot: &SecretSlot| self.secret(*slot).is_some_and(|secret| secret.hash == Some(*hash));
        [SecretSlot::Current, SecretSlot::Previous].into_iter().find(is_it)
    }

    /// Whether a caller that holds the secret in `slot` may act now, from `address`.
    pub fn admits(&self, slot: SecretSlot, address: IpAddr, now: UtcMs) -> Result<(), Refusal> {
        match self.state {
            KeyState::Deleted { at, reason, .. } => return Err(Refusal::Deleted { at, reason }),
            KeyState::Deactivated { at, .. } => {
                return Err(Refusal::Deactivated { at, exposed: self.exposed_at.is_some() });
            }
            KeyState::Active => {}
        }
        if let (SecretSlot::Previous, Some(previous)) = (slot, &self.previous)
            && previous.is_over(now)
        {
            return Err(Refusal::Retired { at: previous.retires_at });
        }
        if let Some(at) = self.grant.expires_at
            && now >= at
        {
            return Err(Refusal::Expired { at });
        }
        if !self.grant.allowed_ips.allows(address) {
            return Err(Refusal::AddressNotAllowed { address });
        }
        match self.tenant {
            TenantState::Active => Ok(()),
            TenantState::Suspended => Err(Refusal::TenantSuspended),
            TenantState::Deleted => Err(Refusal::LocationDeleted),
        }
    }

    /// Whether pages of `origin` may use it; `None` is a request that no page of another site has sent. A key without a list is not
    /// asked: programs send origins, too.
    pub fn admits_origin(&self, origin: Option<&str>) -> Result<(), Refusal> {
        let is_admitted = |origin: &str| self.allowed_origins.is_empty() || self.allowed_origins.has(origin);
        if origin.is_none_or(is_admitted) { Ok(()) } else { Err(Refusal::OriginNotAllowed) }
    }

    fn live(&self) -> Result<(), InvalidTransition> {
        if self.is_deleted() { Err(InvalidTransition::Deleted) } else { Ok(()) }
    }

    /// Stops both secrets at once, until a reactivation.
    pub fn deactivate(mut self, by: Actor, at: UtcMs, service: ServiceMs) -> Result<Self, InvalidTransition> {
        self.live()?;
        if matches!(self.state, KeyState::Deactivated { .. }) {
            return Err(InvalidTransition::AlreadyDeactivated);
        }
        self.state = KeyState::Deactivated { at, by };
        Ok(self.touched(service))
    }

    /// Ends a deactivation. A secret that was reported as exposed stays dead.
    pub fn reactivate(mut self, service: ServiceMs) -> Result<Self, InvalidTransition> {
        self.live()?;
        if self.state == KeyState::Active {
            return Err(InvalidTransition::AlreadyActive);
        }
        if self.exposed_at.is_some() {
            return Err(InvalidTransition::Exposed);
        }
        self.state = KeyState::Active;
        Ok(self.touched(service))
    }

    /// Ends the key; it can be restored for 30 days of service time.
    pub fn delete(
        mut self,
        by: Actor,
        reason: DeleteReason,
        at: UtcMs,
        service: ServiceMs,
    ) -> Result<Self, InvalidTransition> {
        self.live()?;
        let was_active = self.state == KeyState::Active;
        let restore_until = service.plus(RESTORE_WINDOW_MS);
        self.state = KeyState::Deleted { at, by, reason, restore_until, was_active };
        Ok(self.changed())
    }

    /// Gives the key a new secret. The old one goes on for `overlap`.
    ///
    /// Inside a running overlap the answer of the first rotation may have been lost: as long as its new secret was
    /// never used, rotating again replaces *that* one, so the secret that clients hold keeps its time.
    pub fn rotate(
        mut self,
        new: StoredSecret,
        overlap: Duration,
        at: UtcMs,
        service: ServiceMs,
    ) -> Result<Self, InvalidTransition> {
        self.live()?;
        if self.overlap(at).is_some() {
            if self.current.last_used_at.is_some() {
                return Err(InvalidTransition::OverlapInUse);
            }
            self.current = new;
        } else {
            let secret = std::mem::replace(&mut self.current, new);
            self.previous = Some(if overlap.is_zero() || self.exposed_at.is_some() {
                PreviousSecret::ended(secret, at)
            } else {
                PreviousSecret { secret, retires_at: at + overlap, ended: false }
            });
        }
        self.exposed_at = None;
        Ok(self.touched(service))
    }

    /// Takes a running rotation back: the old secret stays, the new one dies.
    pub fn cancel_rotation(mut self, at: UtcMs, service: ServiceMs) -> Result<Self, InvalidTransition> {
        self.live()?;
        if self.overlap(at).is_none() {
            return Err(InvalidTransition::NotRotating);
        }
        let previous = self.previous.take().ok_or(InvalidTransition::NotRotating)?;
        let taken_back = std::mem::replace(&mut self.current, previous.secret);
        self.previous = Some(PreviousSecret::ended(taken_back, at));
        // What was exposed was the new secret, which is dead now.
        self.exposed_at = None;
        Ok(self.touched(service))
    }

    /// Ends a running overlap now: the old secret dies.
    pub fn finish_rotation(mut self, at: UtcMs) -> Result<Self, InvalidTransition> {
        self.live()?;
        if self.overlap(at).is_none() {
            return Err(InvalidTransition::NotRotating);
        }
        self.end_previous(at);
        Ok(self.changed())
    }

    /// Restarts the 90 days without a use.
    pub fn keep(self, service: ServiceMs) -> Result<Self, InvalidTransition> {
        self.live()?;
        Ok(self.touched(service))
    }

    /// Brings a deleted key back as it was, with the same current secret and without an overlap.
    ///
    /// A secret that was reported as exposed stays dead: such a key comes back deactivated, and needs a rotation.
    pub fn restore(mut self, by: Actor, at: UtcMs, service: ServiceMs) -> Result<Self, InvalidTransition> {
        let KeyState::Deleted { restore_until, was_active, .. } = self.state else {
            return Err(InvalidTransition::NotDeleted);
        };
        if service >= restore_until || self.current.hash.is_none() {
            return Err(InvalidTransition::RestoreOver);
        }
        let active = was_active && self.exposed_at.is_none();
        self.state = if active { KeyState::Active } else { KeyState::Deactivated { at, by } };
        self.end_previous(at);
        Ok(self.touched(service))
    }

    /// Whether a secret has ended for ever, whatever becomes of the key.
    pub fn has_ended(&self, slot: SecretSlot) -> bool {
        match slot {
            SecretSlot::Current => self.exposed_at.is_some(),
            SecretSlot::Previous => self.previous.as_ref().is_some_and(|previous| previous.ended),
        }
    }

    /// Ends for ever the one secret that was found in public: an old one ends its overlap, the current one the key's
    /// use until it is rotated. Never activity.
    pub fn expose(mut self, slot: SecretSlot, at: UtcMs) -> Self {
        match slot {
            SecretSlot::Previous => self.end_previous(at),
            SecretSlot::Current => {
                self.exposed_at = self.exposed_at.or(Some(at));
                if self.state == KeyState::Active {
                    self.state = KeyState::Deactivated { at, by: Actor::System };
                }
            }
        }
        self.changed()
    }

    /// Applies a change of settings.
    pub fn patch(mut self, patch: KeyPatch) -> Result<Self, InvalidTransition> {
        self.live()?;
        let KeyPatch { name, about, scopes, reach, allowed_ips, expires_at, rate_limit, allowed_origins } = patch;
        if let Some(name) = name {
            self.name = name;
        }
        self.about.change(about);
        if let Some(scopes) = scopes {
            self.grant.scopes = scopes;
        }
        if let Some(reach) = reach {
            self.grant.reach = reach;
        }
        if let Some(allowed_ips) = allowed_ips {
            self.grant.allowed_ips = allowed_ips;
        }
        if let Some(expires_at) = expires_at {
            self.grant.expires_at = expires_at;
        }
        if let Some(rate_limit) = rate_limit {
            self.rate_limit = rate_limit;
        }
        if let Some(allowed_origins) = allowed_origins {
            self.allowed_origins = allowed_origins;
        }
        Ok(self.changed())
    }

    fn end_previous(&mut self, at: UtcMs) {
        if let Some(previous) = self.previous.as_mut().filter(|previous| !previous.ended) {
            previous.retires_at = previous.retires_at.min(at);
            previous.ended = true;
        }
    }

    /// A change that also counts as activity: the 90 days begin anew.
    fn touched(mut self, service: ServiceMs) -> Self {
        self.inactivity.active_at = self.inactivity.active_at.max(service);
        self.changed()
    }

    fn changed(mut self) -> Self {
        self.version += 1;
        self
    }
}

/// Reads an overlap of a rotation, an ISO 8601 duration from `PT0S` to `P30D`.
pub fn parse_overlap(text: &str) -> Result<Duration, Invalid> {
    parse_duration(text, MAX_OVERLAP)
        .ok_or_else(|| Invalid::new("must be an ISO 8601 duration from PT0S to P30D, such as P7D, P2W or PT24H"))
}

#[cfg(test)]
#[path = "api_key_tests.rs"]
mod tests;
