//! How far authority went at an instant, as a journal outside the database tells it, and the rule that brings a record of
//! an older database back within it. It only takes: whatever the journal says, nothing gains authority by it.

use std::{collections::BTreeSet, fmt};

use crate::{
    LocationId, ServiceMs, UtcMs,
    actor::Actor,
    api_key::{ApiKey, DeleteReason, KeyState, PreviousSecret, StoredSecret},
    grant::Reach,
    inactivity::RESTORE_WINDOW_MS,
    ip_range::IpRanges,
    scope::ScopeSet,
    user::{Role, User},
};

/// Tells one secret from another and nothing about it: the beginning of its digest, which no key can be tried against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretMark([u8; 8]);

impl SecretMark {
    /// Of a stored secret; `None` once it was destroyed.
    pub fn of(secret: &StoredSecret) -> Option<Self> {
        let hash = secret.hash?;
        let mut mark = [0; 8];
        mark.copy_from_slice(&hash[..8]);
        Some(Self(mark))
    }

    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok())?.map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for SecretMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}
impl fmt::Debug for SecretMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretMark({self})")
    }
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLife {
    /// It may.
    Active,
    /// Somebody switched it off.
    Deactivated,
    /// It was deleted.
    Deleted(DeleteReason),
}

/// How long the secret before a rotation went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousStanding {
    /// Which.
    pub secret: SecretMark,
    /// Until when.
    pub until: UtcMs,
    /// Whether somebody ended it, whatever the time is.
    pub ended: bool,
}

/// What a key could do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStanding {
    /// Whether it could be used at all.
    pub life: KeyLife,
    /// Whether its current secret was found in public.
    pub is_exposed: bool,
    /// Its secret.
    pub current: Option<SecretMark>,
    /// The secret before a rotation.
    pub previous: Option<PreviousStanding>,
    /// What.
    pub scopes: ScopeSet,
    /// Where.
    pub reach: Reach,
    /// From which addresses.
    pub allowed_ips: IpRanges,
    /// Until when.
    pub expires_at: Option<UtcMs>,
}

/// How long a secret of an older record still goes on.
enum Rest {
    AsItIs,
    Until(UtcMs),
    /// Since then at the latest.
    Over(Option<UtcMs>),
}

impl KeyStanding {
    /// Of a key as it is.
    pub fn of(key: &ApiKey) -> Self {
        Self {
            life: match &key.state {
                KeyState::Active => KeyLife::Active,
                KeyState::Deactivated { .. } => KeyLife::Deactivated,
                KeyState::Deleted { reason, .. } => KeyLife::Deleted(*reason),
            },
            is_exposed: key.exposed_at.is_some(),
            current: SecretMark::of(&key.current),
            previous: key.previous.as_ref().and_then(|old| {
                let secret = SecretMark::of(&old.secret)?;
                Some(PreviousStanding { secret, until: old.retires_at, ended: old.ended })
            }),
            scopes: key.grant.scopes,
            reach: key.grant.reach.clone(),
            allowed_ips: key.grant.allowed_ips.clone(),
            expires_at: key.grant.expires_at,
        }
    }

    fn rest_of(&self, secret: &StoredSecret) -> Rest {
        let mark = SecretMark::of(secret);
        match self.previous.filter(|previous| Some(previous.secret) == mark) {
            _ if mark.is_some() && mark == self.current => Rest::AsItIs,
            Some(PreviousStanding { until, ended: false, .. }) => Rest::Until(until),
            Some(PreviousStanding { until, ended: true, .. }) => Rest::Over(Some(until)),
            None => Rest::Over(None),
        }
    }
}

impl ApiKey {
    /// An older record of this key with no more authority than `standing`; `None` where it has no more already.
    ///
    /// What the two have nothing in common of, addresses for example, cannot be narrowed further: then the key is
    /// deactivated, and somebody has to look at it. A secret that the standing does not know is ended: nobody who holds it
    /// gets in again by a reactivation, but who does is told.
    pub fn confined(&self, standing: &KeyStanding, by: Actor, at: UtcMs, service: ServiceMs) -> Option<Self> {
        let mut key = self.clone();
        let usable = key.confine_secrets(standing, at) & key.confine_grant(standing);
        if standing.is_exposed && standing.current.is_some() && SecretMark::of(&key.current) == standing.current {
            key.exposed_at = key.exposed_at.or(Some(at));
        }
        match standing.life {
            KeyLife::Deleted(reason) if !key.is_deleted() => {
                let was_active = key.state == KeyState::Active && usable;
                let restore_until = service.plus(RESTORE_WINDOW_MS);
                key.state = KeyState::Deleted { at, by, reason, restore_until, was_active };
            }
            KeyLife::Deactivated if key.state == KeyState::Active => key.state = KeyState::Deactivated { at, by },
            _ if !usable => match &mut key.state {
                KeyState::Active => key.state = KeyState::Deactivated { at, by },
                KeyState::Deactivated { .. } => {}
                KeyState::Deleted { was_active, .. } => *was_active = false,
            },
            _ => {}
        }
        key.version = self.version;
        (key != *self).then(|| {
            key.version += 1;
            key
        })
    }

    /// Whether any secret is left that works.
    fn confine_secrets(&mut self, standing: &KeyStanding, at: UtcMs) -> bool {
        if let Some(previous) = &mut self.previous {
            match standing.rest_of(&previous.secret) {
                Rest::AsItIs => {}
                Rest::Until(until) => previous.retires_at = previous.retires_at.min(until),
                Rest::Over(since) if !previous.ended => {
                    previous.retires_at = previous.retires_at.min(since.unwrap_or(at));
                    previous.ended = true;
                }
                Rest::Over(_) => {}
            }
        }
        let end = match standing.rest_of(&self.current) {
            Rest::AsItIs => None,
            Rest::Until(until) => Some((until, false)),
            Rest::Over(since) => Some((since.unwrap_or(at), true)),
        };
        if let Some((retires_at, ended)) = end.filter(|_| self.current.hash.is_some()) {
            // The secret that came after it is not known here, so nobody uses it: the old one keeps its time, if it has any,
            // and the next rotation follows it.
            let unknown = StoredSecret { hash: None, last_used_at: None, ..self.current.clone() };
            let secret = std::mem::replace(&mut self.current, unknown);
            self.previous = Some(PreviousSecret { secret, retires_at, ended });
        }
        self.current.hash.is_some() || self.previous.as_ref().is_some_and(|previous| !previous.ended)
    }

    /// Whether anything is left of it.
    fn confine_grant(&mut self, standing: &KeyStanding) -> bool {
        let grant = &mut self.grant;
        grant.scopes = grant.scopes.iter().filter(|scope| standing.scopes.contains(*scope)).collect();
        let reach = grant.reach.intersection(&standing.reach);
        let allowed_ips = grant.allowed_ips.intersection(&standing.allowed_ips);
        let usable = !grant.scopes.is_empty() && reach.is_some() && allowed_ips.is_some();
        if let Some(reach) = reach {
            grant.reach = reach;
        }
        if let Some(allowed_ips) = allowed_ips {
            grant.allowed_ips = allowed_ips;
        }
        grant.expires_at = [grant.expires_at, standing.expires_at].into_iter().flatten().min();
        usable
    }
}

/// What a member could do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStanding {
    /// Whether they could not sign in.
    pub disabled: bool,
    /// Whether they ran the instance.
    pub is_operator: bool,
    /// Their role.
    pub role: Role,
    /// The locations of an account role.
    pub locations: BTreeSet<LocationId>,
    /// Tells one password from another and nothing about it.
    pub password: Option<String>,
}

impl User {
    /// An older record of this member with no more authority than `standing`; `None` where it has no more already. A role
    /// that cannot be narrowed to what both allow disables them. Their password is the caller's matter.
    pub fn confined(&self, standing: &MemberStanding) -> Option<Self> {
        let mut user = self.clone();
        user.disabled |= standing.disabled;
        user.is_operator &= standing.is_operator;
        let now = Self { role: standing.role, locations: standing.locations.clone(), ..self.clone() };
        if self.grant().exceeds(&now.grant()).is_some() {
            let common: BTreeSet<_> = self.locations.intersection(&now.locations).copied().collect();
            let narrowed = if now.grant().exceeds(&self.grant()).is_none() { now.locations } else { common };
            (user.role, user.locations) = (standing.role, narrowed);
            let fits = user.grant().exceeds(&self.grant()).is_none();
            if !fits || user.role.is_account() && user.locations.is_empty() {
                user = Self { role: self.role, locations: self.locations.clone(), disabled: true, ..user };
            }
        }
        (user != *self).then_some(user)
    }
}

impl Reach {
    /// What both reach; `None` if that is nothing.
    fn intersection(&self, other: &Self) -> Option<Self> {
        let common = |set: &BTreeSet<_>| -> Option<BTreeSet<_>> {
            let common: BTreeSet<_> = set.iter().copied().filter(|location| other.has_location(*location)).collect();
            (!common.is_empty()).then_some(common)
        };
        match (self, other) {
            (Self::Agency, Self::Locations(_)) => None,
            (Self::Agency, _) => Some(other.clone()),
            (Self::Chosen(set), _) => common(set).filter(|_| other.has_agency()).map(Self::Chosen),
            (Self::Locations(set), _) => common(set).map(Self::Locations),
        }
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
