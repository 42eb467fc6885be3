//! The application: everything that a use case needs, opened once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64},
    },
    time::Duration,
};

use keystead_model::{
    AgencyId, KeyId, LocationId, UtcMs,
    actor::Actor,
    event::Cause,
    grant::{Grant, Reach},
    id::Id,
    ip_range::IpRanges,
    scope::{Class, ScopeSet},
};
use keystead_outbound::address::Allowed;
use keystead_store::{Store, agencies, instance};
use tokio::sync::Semaphore;

use crate::{
    AgencyContext, Authority, Clock, Entropy, Error, InstanceSecret, Journal, Result, SecretError,
    context::Holder,
    error::Noun,
    figures::Counted,
    form_files::Arriving,
    guesses::Guesses,
    journal::{Position, Reapplied},
    keys::{cache::KeyCache, fence::Fence, floods::Floods, origins::KnownOrigins, uses::Uses},
    password::Passwords,
    queue::Lines,
    service_clock::NodeClock,
    sources::{Source, SourceCounts},
};

/// Limits that the operator sets for the instance.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests of a key in a location.
    pub rate: RateLimits,
    /// Keys of an owner that are not deleted.
    pub keys_per_owner: i64,
    /// How long a search for contacts may take before it is refused.
    pub search: Duration,
    /// How long the audit log tells of changes of data; `None` for ever.
    pub data_audit: Option<Duration>,
    /// Of what goes to webhooks.
    pub webhooks: WebhookLimits,
}

/// Where webhooks may lead, and how often they are tried.
#[derive(Clone, Debug)]
pub struct WebhookLimits {
    /// Addresses inside that may be called, besides all public ones.
    pub allowed: Allowed,
    /// How long after each try that failed the next is made; after the last the delivery fails.
    pub retries: Vec<Duration>,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        let (minute, hour) = (60, 60 * 60);
        let seconds = [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
        Self { allowed: Allowed::default(), retries: seconds.into_iter().map(Duration::from_secs).collect() }
    }
}

/// Requests of a key in a location; each limit is switched off by itself, with `None`.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    /// In 10 seconds, of keys that have no limit of their own.
    pub interval: Option<u32>,
    /// In a day.
    pub daily: Option<u32>,
}

impl RateLimits {
    /// No limits but those of keys themselves.
    pub const OFF: Self = Self { interval: None, daily: None };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate: RateLimits { interval: Some(1_000), daily: Some(2_000_000) },
            keys_per_owner: 100,
            search: Duration::from_secs(1),
            data_audit: Some(Duration::from_secs(400 * 24 * 60 * 60)),
            webhooks: WebhookLimits::default(),
        }
    }
}

/// Requests that may ask the database at once while the change feed is not heard; more are told to come back.
const UNFENCED: usize = 64;

const MINUTE: Duration = Duration::from_secs(60);
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// What those of one source whom nobody knows may send of each kind in a minute: forms, reports of keys, requests for files.
/// Many: an office signs in through one address, and what is limited here is only the work of reading them.
const OF_STRANGERS_PER_MINUTE: u32 = 600;

/// The application; clones share it.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
}

/// What the methods of [`App`] use, wherever they stand.
pub struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) secret: InstanceSecret,
    pub(crate) limits: Limits,
    /// Where this instance is reached, once that is known.
    base_url: std::sync::OnceLock<Arc<str>>,
    pub(crate) keys: KeyCache,
    pub(crate) uses: Arc<Uses>,
    pub(crate) fence: Fence,
    /// Requests that ask the database for their key while the cache may not be believed.
    pub(crate) unfenced: Semaphore,
    pub(crate) floods: Floods,
    /// Who guesses at addresses of inbound webhooks.
    pub(crate) senders: Floods,
    pub(crate) origins: KnownOrigins,
    /// How far this node has read the change feed.
    pub(crate) feed: tokio::sync::Mutex<Position>,
    pub(crate) service_clock: NodeClock,
    pub(crate) counted: Counted,
    /// When the database last answered a probe.
    pub(crate) probed: tokio::sync::Mutex<Option<tokio::time::Instant>>,
    pub(crate) passwords: Passwords,
    pub(crate) guesses: Guesses,
    /// What those send whom nobody knows, by what it is and where it comes from.
    pub(crate) strangers: SourceCounts<(&'static str, Source)>,
    /// Answers to each form, by where they come from; how many are too many each form says.
    pub(crate) answers_from: SourceCounts<(Id<()>, Source)>,
    /// The same from everywhere.
    pub(crate) answers_to: SourceCounts<Id<()>>,
    /// Files that strangers are sending.
    pub(crate) arriving: Arriving,
    /// What comes in by the inbound webhooks of each location.
    pub(crate) inbound: SourceCounts<LocationId>,
    /// Outlives the database.
    pub(crate) journal: Option<Arc<Journal>>,
    /// What the journal took from the database when it was opened.
    pub(crate) brought_back: std::sync::OnceLock<Reapplied>,
    /// Deletions whose keys were used afterwards, and whose owners were told.
    pub(crate) told_of_deleted: quick_cache::sync::Cache<(KeyId, i64), ()>,
    /// Up to which row the audit log has nothing more to forget.
    pub(crate) audit_trimmed: AtomicI64,
    /// Whether the change feed is read.
    pub(crate) is_polling: AtomicBool,
    /// Whose jobs are next.
    pub(crate) lines: Lines,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    /// Opens the application on a migrated database.
    ///
    /// An empty database is bound to `secret`; every other must have been bound to it before. Whoever changes authority in
    /// an instance that is restored one day needs its `journal`; a database that is older than that is brought back within
    /// it before anything else is changed in it.
    pub async fn open(
        store: Store,
        secret: InstanceSecret,
        clock: Clock,
        entropy: Entropy,
        limits: Limits,
        journal: Option<Journal>,
    ) -> Result<Self, OpenAppError> {
        let (known, referred) = store
            .read(|tx| Ok::<_, keystead_store::Error>((instance::fingerprints(tx)?, instance::referred_versions(tx)?)))
            .await?;
        secret.check(&known, &referred)?;
        let ours = secret.fingerprints();
        // Whoever only looks writes nothing.
        if !ours.iter().all(|fingerprint| known.contains(fingerprint)) {
            let (now, incarnation) = (clock.now(), entropy.id::<instance::Fingerprint>(clock.now()).to_string());
            let bound = store
                .write(move |tx| {
                    instance::create(tx, &incarnation, now)?;
                    ours.iter().try_for_each(|fingerprint| instance::add_fingerprint(tx, fingerprint, now))?;
                    instance::fingerprints(tx)
                })
                .await?;
            // Two nodes may meet an empty database with two new secrets: the slower one must not go on with its own.
            secret.check(&bound, &[])?;
        }
        let uses = Arc::new(Uses::new());
        let app = Self {
            inner: Arc::new(Inner {
                keys: KeyCache::new(store.clone(), Arc::clone(&uses)),
                uses,
                fence: Fence::default(),
                unfenced: Semaphore::new(UNFENCED),
                floods: Floods::new("a flood of unknown keys is refused"),
                senders: Floods::new("a flood of unknown addresses of inbound webhooks is refused"),
                origins: KnownOrigins::default(),
                feed: tokio::sync::Mutex::default(),
                service_clock: NodeClock::default(),
                counted: Counted::default(),
                probed: tokio::sync::Mutex::default(),
                passwords: Passwords::new(&entropy)?,
                guesses: Guesses::default(),
                strangers: SourceCounts::new(MINUTE, OF_STRANGERS_PER_MINUTE),
                answers_from: SourceCounts::new(MINUTE, u32::MAX),
                answers_to: SourceCounts::new(MINUTE, u32::MAX),
                arriving: Arriving::default(),
                // As much as a key may ask for.
                inbound: SourceCounts::new(TEN_SECONDS, limits.rate.interval.unwrap_or(u32::MAX)),
                journal: journal.map(Arc::new),
                brought_back: std::sync::OnceLock::new(),
                told_of_deleted: quick_cache::sync::Cache::new(10_000),
                audit_trimmed: AtomicI64::new(0),
                is_polling: AtomicBool::new(false),
                lines: Lines::default(),
                store,
                clock,
                entropy,
                secret,
                limits,
                base_url: std::sync::OnceLock::new(),
            }),
        };
        app.poll_changes().await?;
        app.confine_to_journal().await?;
        Ok(app)
    }

    /// Now, as the wall clock says.
    pub fn now(&self) -> UtcMs {
        self.clock.now()
    }

    /// Says where this instance is reached, without a slash at its end. What was said first stays.
    pub fn reached_at(&self, base_url: &str) {
        self.base_url.get_or_init(|| base_url.into());
    }

    /// Where it is reached; empty until it is said.
    pub(crate) fn base_url(&self) -> Arc<str> {
        self.base_url.get().map_or_else(|| "".into(), Arc::clone)
    }

    /// Where randomness comes from.
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// `"sqlite"` or `"postgres"`.
    pub fn database_kind(&self) -> &'static str {
        self.store.kind()
    }

    /// The operator's authority over an agency, for the command line.
    pub async fn operator_in(&self, agency: AgencyId) -> Result<AgencyContext> {
        let found = self.store.look_up(move |tx| agencies::find(tx, agency)).await?;
        found.ok_or_else(|| Error::NotFound(Noun::Location, agency.to_string()))?;
        Ok(AgencyContext { authority: self.operator_authority(agency) })
    }

    /// What Keystead does by itself in a location. Nobody asks for it, so it needs no scope.
    pub(crate) fn own_authority(agency: AgencyId, location: LocationId, now: UtcMs) -> Authority {
        let grant = Grant {
            agency,
            reach: Reach::location(location),
            scopes: ScopeSet::EMPTY,
            allowed_ips: IpRanges::default(),
            expires_at: None,
        };
        Authority {
            actor: Actor::System,
            holder: Holder::Other(Arc::new(grant)),
            is_fresh: false,
            address: None,
            request: None,
            now,
            claim: None,
            cause: Cause::default(),
            seen: None,
        }
    }

    /// What the operator may do in an agency: everything.
    pub(crate) fn operator_grant(agency: AgencyId) -> Grant {
        Grant {
            agency,
            reach: Reach::Agency,
            scopes: ScopeSet::of(&[Class::Data, Class::Administration, Class::Keys]),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        }
    }

    pub(crate) fn operator_authority(&self, agency: AgencyId) -> Authority {
        let grant = Self::operator_grant(agency);
        Authority {
            actor: Actor::Operator,
            holder: Holder::Other(Arc::new(grant)),
            is_fresh: true,
            address: None,
            request: None,
            now: self.clock.now(),
            claim: None,
            cause: Cause::default(),
            seen: None,
        }
    }

    /// Stores what waits and ends the database threads. The last handle calls it.
    pub async fn close(self) -> Result<()> {
        let flushed = self.flush_uses().await;
        let store = self.store.clone();
        drop(self);
        tokio::task::spawn_blocking(move || store.close()).await.map_err(|error| Error::Internal(error.to_string()))?;
        flushed.map(drop)
    }
}

/// Why the application cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenAppError {
    /// The secret is not this database's.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] keystead_store::Error),
    /// Something else.
    #[error(transparent)]
    App(#[from] Error),
}
