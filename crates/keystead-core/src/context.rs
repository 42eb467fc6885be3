//! Who calls, with what authority, from where and when. Only this room makes contexts.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use keystead_model::{
    AgencyId, KeyId, LocationId, UtcMs, actor::Actor, api_key::ApiKey, event::Cause, grant::Grant, location::Location,
    scope::Scope, uuid::Uuid,
};

use crate::{Error, ErrorCode, Result, Seen, idempotency::Claim, keys::cache::KnownKey};

/// The id of a request: in the answer, in the logs and in the audit row.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// From 128 bits, of which 122 stay.
    pub fn from_bits(bits: u128) -> Self {
        Self(Uuid::from_bits(bits))
    }

    /// The UUID.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a request before anybody is authenticated.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'r> {
    /// Its id.
    pub id: RequestId,
    /// The client's address.
    pub address: IpAddr,
    /// Whether the address is known to be the client's own. It is not where an unconfigured proxy hides all clients
    /// behind one address, and floods must not be charged to it then.
    pub address_is_own: bool,
    /// How the client names itself.
    pub user_agent: Option<&'r str>,
    /// The route's template, `GET /contacts/{id}`.
    pub endpoint: &'static str,
    /// The site whose page has sent the request, if it is another one's.
    pub origin: Option<&'r str>,
}

/// Somebody's authority during one request.
#[derive(Clone)]
pub struct Authority {
    pub(crate) actor: Actor,
    pub(crate) holder: Holder,
    /// Whether the holder has proven who they are recently enough for what adds authority.
    pub(crate) is_fresh: bool,
    pub(crate) address: Option<IpAddr>,
    pub(crate) request: Option<RequestId>,
    pub(crate) now: UtcMs,
    /// Why it is done, if not because somebody asks for it.
    pub(crate) cause: Cause,
    /// For a request that is to have its effect once.
    pub(crate) claim: Option<Arc<Claim>>,
    /// For a request that changes only what it has seen.
    pub(crate) seen: Option<Seen>,
}

#[derive(Clone)]
pub(crate) enum Holder {
    Key(Arc<KnownKey>),
    Other(Arc<Grant>),
}

impl Authority {
    /// What the holder may do.
    pub fn grant(&self) -> &Grant {
        match &self.holder {
            Holder::Key(known) => &known.key.grant,
            Holder::Other(grant) => grant,
        }
    }

    /// The key that calls, if it is one.
    pub fn key_id(&self) -> Option<KeyId> {
        match &self.actor {
            Actor::Key(id) => Some(*id),
            _ => None,
        }
    }

    /// The key that calls, as it was when it was verified.
    pub fn key(&self) -> Option<&ApiKey> {
        match &self.holder {
            Holder::Key(known) => Some(&known.key),
            Holder::Other(_) => None,
        }
    }

    /// The one who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The tenant.
    pub fn agency(&self) -> AgencyId {
        self.grant().agency
    }

    /// When the request arrived.
    pub fn now(&self) -> UtcMs {
        self.now
    }

    /// Whether the holder has proven recently who they are.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// The caller's address, where there is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The same authority for a request that is to have its effect once.
    pub fn with_claim(mut self, claim: Arc<Claim>) -> Self {
        self.claim = Some(claim);
        self
    }

    /// The same for what is done because of something that happened here.
    pub fn with_cause(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// The claim of a request that is to have its effect once.
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_deref()
    }

    /// Every operation begins so.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.grant().allows(scope) { Ok(()) } else { Err(Error::MissingScope(scope)) }
    }

    /// What adds authority begins so.
    pub(crate) fn require_fresh(&self) -> Result<()> {
        if self.is_fresh {
            Ok(())
        } else {
            Err(Error::Forbidden(ErrorCode::SignInNeeded, "Please confirm your password to go on".to_owned()))
        }
    }

    /// The context of the agency itself, for those who reach it.
    pub fn in_agency(self) -> Result<AgencyContext> {
        if self.grant().reach.has_agency() {
            Ok(AgencyContext { authority: self })
        } else {
            Err(Error::WrongKind(ErrorCode::AgencyKeyNeeded))
        }
    }
}

/// Somebody acts on an agency.
#[derive(Clone)]
pub struct AgencyContext {
    pub(crate) authority: Authority,
}

/// Somebody acts on a location, which exists, is theirs and is active.
#[derive(Clone)]
pub struct LocationContext {
    pub(crate) authority: Authority,
    pub(crate) location: LocationId,
    /// As it was when it was first asked for, in the same request. What it allows is decided by the row itself.
    pub(crate) known: Arc<OnceLock<Location>>,
}

impl AgencyContext {
    /// Who.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The same for a request that is to have its effect once.
    pub fn with_claim(self, claim: Arc<Claim>) -> Self {
        Self { authority: self.authority.with_claim(claim) }
    }

    /// The same for a request that changes only what it has seen.
    pub fn with_seen(self, seen: Seen) -> Self {
        Self { authority: self.authority.with_seen(seen) }
    }
}

impl LocationContext {
    /// Somebody's, where their right to the location was looked at.
    pub(crate) fn new(authority: Authority, location: LocationId) -> Self {
        Self { authority, location, known: Arc::default() }
    }

    /// Who.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Where.
    pub fn location(&self) -> LocationId {
        self.location
    }

    /// The same for a request that is to have its effect once.
    pub fn with_claim(self, claim: Arc<Claim>) -> Self {
        Self { authority: self.authority.with_claim(claim), ..self }
    }

    /// The same for a request that changes only what it has seen.
    pub fn with_seen(self, seen: Seen) -> Self {
        Self { authority: self.authority.with_seen(seen), ..self }
    }
}
