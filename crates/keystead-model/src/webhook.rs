//! Webhooks: where somebody is told of events, what they are told, and what became of it.

use std::{collections::BTreeSet, fmt};

use crate::{
    AgencyId, ContactId, Invalid, LocationId, ServiceMs, UtcMs, WebhookDeliveryId, WebhookEndpointId,
    actor::Actor,
    event::{EventId, EventKind},
    location::set,
    scope::{Scope, ScopeSet},
    text::{Line, echo},
    time::{DAY_MS, HOUR_MS, MINUTE_MS},
};

/// Where somebody wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// The tenant.
    pub agency: AgencyId,
    /// Of one location; without it, of the agency and of all its locations that are reached.
    pub location: Option<LocationId>,
    /// What its owner writes.
    pub content: EndpointContent,
    /// Why nothing is sent there and since when, if nothing is.
    pub disabled: Option<Disabled>,
    /// On whose authority it hears.
    pub listener: Listener,
    /// What nobody reads back.
    pub sealed: SealedSecrets,
    /// How it answers.
    pub health: Health,
    /// When it was made.
    pub created_at: UtcMs,
    /// When its owner last changed it.
    pub updated_at: UtcMs,
}

/// The part of an endpoint that its owner writes, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointContent {
    /// Where it is. Judged when it is written, and at each call.
    pub url: Line<2_000>,
    /// Of what it is told.
    pub events: EventNames,
    /// What it is for.
    pub description: Option<Line<500>>,
    /// The app that receivers expect in a body: official middlewares check a signature only where it is theirs.
    pub app_id: Option<Line<100>>,
    /// Headers that are sent along, by name. Their values are secrets.
    pub headers: Vec<String>,
}

impl EndpointContent {
    /// What an endpoint is called: by what it is for, else by its address.
    pub fn title(&self) -> &str {
        title(&self.url, self.description.as_ref())
    }
}

fn title<'n>(url: &'n Line<2_000>, description: Option<&'n Line<500>>) -> &'n str {
    description.map_or(url.as_str(), Line::as_str)
}

/// An endpoint, as things that name it know it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of WebhookEndpoint and EndpointContent")]
pub struct NamedEndpoint {
    pub id: WebhookEndpointId,
    pub location: Option<LocationId>,
    pub url: Line<2_000>,
    pub description: Option<Line<500>>,
}

impl NamedEndpoint {
    /// See [`EndpointContent::title`].
    pub fn title(&self) -> &str {
        title(&self.url, self.description.as_ref())
    }
}

/// A change of an endpoint; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of EndpointContent")]
pub struct EndpointPatch {
    pub url: Option<Line<2_000>>,
    pub events: Option<EventNames>,
    pub description: Option<Option<Line<500>>>,
    pub app_id: Option<Option<Line<100>>>,
    /// All of them, with their values.
    pub headers: Option<EndpointHeaders>,
    /// Which key of its agency signs: one of those that are published.
    pub signing_key: Option<i64>,
    /// Whether something is sent there.
    pub enabled: Option<bool>,
    /// Whether it is to hear from now on what whoever changes it may read.
    pub take_over: Option<bool>,
}

impl EndpointPatch {
    /// Changes `endpoint`. Whoever switches it on again or points it elsewhere begins with a clean slate.
    pub fn apply(self, endpoint: &mut WebhookEndpoint, now: UtcMs) {
        let Self { url, events, description, app_id, headers, signing_key, enabled, take_over: _ } = self;
        let content = &mut endpoint.content;
        if url.as_ref().is_some_and(|url| *url != content.url) {
            endpoint.health = Health::default();
        }
        set(&mut content.url, url);
        set(&mut content.events, events);
        set(&mut content.description, description);
        set(&mut content.app_id, app_id);
        set(&mut content.headers, headers.map(|headers| headers.names()));
        set(&mut endpoint.sealed.key_version, signing_key);
        match enabled {
            Some(true) if endpoint.disabled.is_some() => {
                endpoint.disabled = None;
                endpoint.health = Health::default();
            }
            Some(false) if endpoint.disabled.is_none() => {
                endpoint.disabled = Some(Disabled { why: WhyDisabled::Requested, since: now });
            }
            _ => {}
        }
    }
}

/// That nothing is sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// Why.
    pub why: WhyDisabled,
    /// Since when.
    pub since: UtcMs,
}

/// Why nothing is sent to an endpoint. Its events are kept, and can be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyDisabled {
    /// Somebody wanted it so.
    Requested,
    /// It did not take a message for too long.
    Failing,
    /// It said that it is gone.
    Gone,
}

impl WhyDisabled {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Requested, Self::Failing, Self::Gone];

    /// `"requested"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// Reads [`WhyDisabled::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }
}

/// On whose authority an endpoint hears of events: that of whoever last said where it is and what it hears, as it was then. It
/// hears no more than they may still see themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Who.
    pub actor: Actor,
    /// What they held.
    pub scopes: ScopeSet,
}

/// Secrets of an endpoint, each sealed for its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecrets {
    /// What signs.
    pub secret: String,
    /// What signed before, and until when it goes on.
    pub previous: Option<(String, UtcMs)>,
    /// The values of its headers.
    pub headers: Option<String>,
    /// Which key of its agency signs beside them, in the contract's way.
    pub key_version: i64,
}

/// A key with which an agency signs in the contract's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// Which of its keys: the newest has the highest.
    pub version: i64,
    /// The version of the instance secret from which it follows.
    pub secret_version: i64,
    /// When it was made.
    pub created_at: UtcMs,
}

/// Events of which an endpoint is to be told, and never hears or not of everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// Why.
    pub why: WhyUnheard,
    /// Which.
    pub events: Vec<EventKind>,
}

impl Unheard {
    /// Whether it hears nothing of them, wherever they happen.
    pub fn is_entire(&self) -> bool {
        self.why != WhyUnheard::Elsewhere
    }
}

/// Why an endpoint does not hear of what it is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnheard {
    /// Whoever set it up may do nothing any more: their key ended, or they did.
    ListenerEnded,
    /// They did not hold this scope when they set it up, or do not hold it now.
    NoScope(Scope),
    /// It happens where they do not reach.
    OutOfReach,
    /// It happens in locations of which they reach only some.
    Elsewhere,
    /// It happens to the agency, and the endpoint is a location's.
    OfAgency,
}

impl WhyUnheard {
    /// What programs call each.
    pub const NAMES: [&'static str; 5] =
        ["listener_ended", "scope_missing", "out_of_reach", "some_locations_only", "of_agency"];

    /// The scope that is missing, if that is why.
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::NoScope(scope) => Some(scope),
            Self::ListenerEnded | Self::OutOfReach | Self::Elsewhere | Self::OfAgency => None,
        }
    }

    /// One of [`WhyUnheard::NAMES`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ListenerEnded => Self::NAMES[0],
            Self::NoScope(_) => Self::NAMES[1],
            Self::OutOfReach => Self::NAMES[2],
            Self::Elsewhere => Self::NAMES[3],
            Self::OfAgency => Self::NAMES[4],
        }
    }
}

/// How an endpoint answers, since it last took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Tries that failed.
    pub failures: i64,
    /// On how many days.
    pub days: i64,
    /// On which day the last did, counted from 1970.
    pub last_day: i64,
    /// When the last did.
    pub failed_at: Option<UtcMs>,
    /// Since when.
    pub failing_since: Option<ServiceMs>,
    /// When it first said that it is gone.
    pub gone_since: Option<UtcMs>,
    /// When it is tried again, where it fails so often that one try tells for all, or asked to be left alone so long.
    pub next_probe: Option<UtcMs>,
    /// Messages that may be under way to it on a server.
    pub window: i64,
    /// When it last took a message.
    pub succeeded_at: Option<UtcMs>,
}

/// Failures in a row after which one try tells for all.
const PROBED_AFTER: i64 = 5;
/// Messages that may be under way to an endpoint, at least and at most.
const WINDOW: std::ops::RangeInclusive<i64> = 4..=64;
/// A success that was so quick makes room for one more.
const QUICK_MS: i64 = 1_000;
/// An endpoint that fails for so long, with tries on several days, is disabled.
const FAILING_MS: i64 = 5 * DAY_MS;
const FAILING_TRIES: i64 = 12;
const FAILING_DAYS: i64 = 3;
/// An endpoint that says for so long that it is gone is believed.
const GONE_MS: i64 = HOUR_MS;

impl Default for Health {
    fn default() -> Self {
        Self {
            failures: 0,
            days: 0,
            last_day: 0,
            failed_at: None,
            failing_since: None,
            gone_since: None,
            next_probe: None,
            window: *WINDOW.start(),
            succeeded_at: None,
        }
    }
}

impl Health {
    /// Whether one try tells for all.
    pub fn is_probed(&self) -> bool {
        self.failures >= PROBED_AFTER
    }

    /// How many messages may be under way at a time.
    pub fn most_under_way(&self) -> i64 {
        if self.is_probed() { 1 } else { self.window }
    }

    /// It took a message that was sent at `begun`, after so long. What was sent before it failed says nothing of when it wants to be
    /// tried again.
    pub fn succeed(&mut self, begun: UtcMs, duration_ms: i64, now: UtcMs) {
        let more = i64::from(duration_ms < QUICK_MS);
        let window = (self.window + more).min(*WINDOW.end());
        let next_probe = self.next_probe.filter(|_| self.failed_at.is_some_and(|failed| begun < failed));
        let failed_at = self.failed_at.filter(|_| next_probe.is_some());
        *self = Self { window, succeeded_at: Some(now), next_probe, failed_at, ..Self::default() };
    }

    /// It did not take a message, and may have `asked` to be left alone until some time. Answers why it is disabled, if it is.
    pub fn fail(&mut self, is_gone: bool, asked: Option<UtcMs>, now: UtcMs, service: ServiceMs) -> Option<WhyDisabled> {
        let day = now.0.div_euclid(DAY_MS);
        self.failures += 1;
        self.days += i64::from(self.failing_since.is_none() || day != self.last_day);
        self.last_day = day;
        self.failed_at = Some(now);
        self.window = (self.window / 2).max(*WINDOW.start());
        let since = *self.failing_since.get_or_insert(service);
        let probed = self.is_probed().then(|| {
            let doubled = MINUTE_MS << (self.failures - PROBED_AFTER).min(6);
            UtcMs(now.0 + doubled.min(HOUR_MS))
        });
        // Of what it asked for, nothing is taken back by a failure that says less.
        self.next_probe = self.next_probe.filter(|probe| *probe > now).max(probed).max(asked);
        if is_gone {
            let first = *self.gone_since.get_or_insert(now);
            if now - first >= GONE_MS {
                return Some(WhyDisabled::Gone);
            }
        }
        let is_failing =
            service.0 - since.0 >= FAILING_MS && self.failures >= FAILING_TRIES && self.days >= FAILING_DAYS;
        is_failing.then_some(WhyDisabled::Failing)
    }
}

/// Which events an endpoint is told of: names, all of a noun (`contact.*`), or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventNames(BTreeSet<String>);

/// What stands for all events.
const ALL: &str = "*";

impl EventNames {
    /// Most that are named.
    pub const MOST: usize = 100;

    /// All events.
    pub fn all() -> Self {
        Self(BTreeSet::from([ALL.to_owned()]))
    }

    /// Reads names. Nothing but what an endpoint can be told of is one.
    pub fn parse<'t>(names: impl IntoIterator<Item = &'t str>) -> Result<Self, Invalid> {
        let names: BTreeSet<String> = names.into_iter().map(|name| name.trim().to_owned()).collect();
        if names.is_empty() {
            return Err(Invalid::new("must name an event, or all by *"));
        }
        let told = || EventKind::ALL.iter().filter(|kind| kind.subject().read_scope().is_some());
        match names.iter().find(|name| !told().any(|kind| is_meant(name, *kind))) {
            Some(name) => Err(Invalid::new(format!("has {}, which is no event", echo(name)))),
            None => Ok(Self(names)),
        }
    }

    /// Reads [`EventNames::to_text`].
    pub fn from_stored(text: &str) -> Self {
        Self(text.split(' ').map(str::to_owned).collect())
    }

    /// As it is stored.
    pub fn to_text(&self) -> String {
        self.iter().collect::<Vec<_>>().join(" ")
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether all events are meant, whichever there will be.
    pub fn are_all(&self) -> bool {
        self.0.contains(ALL)
    }

    /// Whether an event of this kind is one of them.
    pub fn has(&self, kind: EventKind) -> bool {
        self.iter().any(|name| is_meant(name, kind))
    }
}

fn is_meant(name: &str, kind: EventKind) -> bool {
    let kind = kind.as_str();
    name == ALL
        || name == kind
        || name.strip_suffix('*').is_some_and(|noun| noun.ends_with('.') && kind.starts_with(noun))
}

/// Headers that are sent along with each message, in the order of their names. What they hold is secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EndpointHeaders(Vec<(String, String)>);

impl EndpointHeaders {
    /// Most of them.
    pub const MOST: usize = 20;
    /// Longest value: tokens that say who somebody is have some thousand characters.
    pub const LONGEST: usize = 4_000;

    /// Checks names and values. What the client, the contract or the signature has is not for its owner to say.
    pub fn parse(headers: impl IntoIterator<Item = (String, String)>) -> Result<Self, Invalid> {
        let mut known: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let name = name.trim().to_ascii_lowercase();
            let suits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || name.len() > 100 || !name.bytes().all(suits) {
                return Err(Invalid::new(format!("has {}, which is no name of a header", echo(&name))));
            }
            if is_kept_back(&name) {
                return Err(Invalid::new(format!("has {name}, which cannot be chosen")));
            }
            if known.iter().any(|(other, _)| *other == name) {
                return Err(Invalid::new(format!("has {name} twice")));
            }
            let value = value.trim().to_owned();
            if value.is_empty()
                || value.len() > Self::LONGEST
                || !value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
            {
                let problem =
                    format!("has a value for {name} that is not 1 to {} printable ASCII characters", Self::LONGEST);
                return Err(Invalid::new(problem));
            }
            known.push((name, value));
        }
        if known.len() > Self::MOST {
            return Err(Invalid::new(format!("must not have more than {}", Self::MOST)));
        }
        known.sort_unstable();
        Ok(Self(known))
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Names and values.
    pub fn expose(&self) -> &[(String, String)] {
        &self.0
    }
}

impl fmt::Debug for EndpointHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The client's own, those of one connection (RFC 9110), and what says from whom a message is.
fn is_kept_back(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "host",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "accept-encoding",
        "user-agent",
    ];
    const BEGINNINGS: &[&str] = &["content-", "webhook-", "x-ghl-", "x-wh-", "keystead-"];
    NAMES.contains(&name) || BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}

/// What is said of an event, once for everybody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMessage {
    /// With which event it began, and how far that is.
    pub chain: (EventId, u32),
    /// `msg_…`, the same in its body, and at each try.
    pub id: String,
    /// The tenant.
    pub agency: AgencyId,
    /// Where it happened, if that was in a location.
    pub location: Option<LocationId>,
    /// Of whom it tells: it goes with them.
    pub contact: Option<ContactId>,
    /// What happened. Another release may know kinds that this one does not.
    pub event: String,
    /// What it is called in the body.
    pub name: String,
    /// The body, whole but for what is the endpoint's own.
    pub body: String,
    /// When it happened.
    pub created_at: UtcMs,
}

/// A message on its way to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// Where to.
    pub endpoint: WebhookEndpointId,
    /// What.
    pub message: String,
    /// What the endpoint's owner wants in the body, since the first try.
    pub app_id: Option<String>,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried, since it was last sent on its way.
    pub tries: i64,
    /// How often it was tried in all.
    pub attempts: i64,
    /// When it was put here.
    pub created_at: UtcMs,
    /// When its last try ended.
    pub tried_at: Option<UtcMs>,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for a try.
    Waiting,
    /// The endpoint took it.
    Delivered,
    /// No more tries are made.
    Failed,
    /// The endpoint was disabled.
    Held,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Failed, Self::Held];

    /// `"waiting"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }

    /// Reads [`DeliveryState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One try to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// The first is 1.
    pub number: i64,
    /// When it began.
    pub at: UtcMs,
    /// How long it took.
    pub duration_ms: i64,
    /// What the endpoint answered.
    pub status: Option<i64>,
    /// Why there is no answer that counts.
    pub problem: Option<String>,
    /// The first of what it answered.
    pub answer: Option<String>,
}

impl DeliveryAttempt {
    /// One of which there is nothing to tell but why there was no answer.
    pub fn without_answer(number: i64, at: UtcMs, problem: String) -> Self {
        Self { number, at, duration_ms: 0, status: None, problem: Some(problem), answer: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_meant_by_name_by_noun_or_all() {
        let names = |names: &[&str]| EventNames::parse(names.iter().copied()).unwrap();
        let (one, noun, all) = (names(&["contact.created"]), names(&["contact.*"]), names(&["*"]));
        assert!(one.has(EventKind::ContactCreated) && !one.has(EventKind::ContactUpdated));
        assert!(noun.has(EventKind::ContactUpdated) && !noun.has(EventKind::NoteCreated));
        assert!(EventKind::ALL.iter().all(|kind| all.has(*kind)));
        assert_eq!(EventNames::from_stored(&noun.to_text()), noun);
        for bad in [&[][..], &["contact.imagined"], &["contact*"], &["con.*"], &[".*"], &["session.started"], &[""]] {
            assert!(EventNames::parse(bad.iter().copied()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn headers_that_are_not_the_owners_are_refused() {
        let one = |name: &str, value: &str| EndpointHeaders::parse([(name.to_owned(), value.to_owned())]);
        assert_eq!(one("X-Api-Key", " s3cret ").unwrap().expose(), [("x-api-key".to_owned(), "s3cret".to_owned())]);
        assert!(one("Authorization", "Bearer x").is_ok());
        assert!(!format!("{:?}", one("X-Api-Key", "s3cret").unwrap()).contains("s3cret"));
        for name in [
            "Host",
            "Content-Type",
            "content-length",
            "Webhook-Id",
            "X-GHL-Signature",
            "x-wh-x",
            "TE",
            "",
            "a b",
            "ä",
            "a:",
        ] {
            assert!(one(name, "x").is_err(), "{name}");
        }
        assert!(one("x-token", &"x".repeat(4_000)).is_ok());
        for value in ["", " ", "a\r\nb: c", "ä", &"x".repeat(4_001)] {
            assert!(one("x-a", value).is_err(), "{value}");
        }
        let twice = [("X-A".to_owned(), "1".to_owned()), ("x-a".to_owned(), "2".to_owned())];
        assert!(EndpointHeaders::parse(twice).is_err());
    }

    #[test]
    fn an_endpoint_is_probed_after_failures_and_trusted_again_after_a_success() {
        let mut health = Health::default();
        let now = UtcMs(DAY_MS);
        for _ in 0..4 {
            assert_eq!(health.fail(false, None, now, ServiceMs(0)), None);
        }
        assert!(!health.is_probed() && health.next_probe.is_none() && health.most_under_way() == 4);
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            health.fail(false, None, now, ServiceMs(0));
            assert_eq!(health.next_probe, Some(UtcMs(now.0 + minutes * MINUTE_MS)));
            assert_eq!(health.most_under_way(), 1);
        }
        let asked = UtcMs(now.0 + 2 * HOUR_MS);
        for again in [Some(asked), None, Some(UtcMs(now.0 + 1))] {
            health.fail(false, again, now, ServiceMs(0));
            assert_eq!(health.next_probe, Some(asked), "not before it asked to be tried again");
        }
        health.succeed(UtcMs(now.0 - 1), 10, now);
        assert_eq!(health.next_probe, Some(asked), "it was sent before the failure");
        health.succeed(now, 10, now);
        assert!(!health.is_probed() && health.next_probe.is_none());
        for _ in 0..100 {
            health.succeed(now, 10, now);
        }
        assert_eq!(health.most_under_way(), 64);
        health.succeed(now, 2_000, now);
        assert_eq!(health.most_under_way(), 64);
        health.fail(false, None, now, ServiceMs(0));
        assert_eq!(health.most_under_way(), 32);
    }

    /// Days pass on the clock while the instance is off: only service time counts.
    #[test]
    fn an_endpoint_is_disabled_after_days_of_service_with_tries_on_several() {
        let at = |days: i64| (UtcMs(days * DAY_MS), ServiceMs(days * DAY_MS));
        let mut health = Health::default();
        for _ in 0..11 {
            assert_eq!(health.fail(false, None, at(10).0, at(10).1), None);
        }
        assert_eq!(health.clone().fail(false, None, at(16).0, at(16).1), None, "on two days only");
        assert_eq!(health.fail(false, None, at(12).0, at(12).1), None);
        assert_eq!(
            health.clone().fail(false, None, at(15).0, ServiceMs(at(15).1.0 - 1)),
            None,
            "not long enough in service"
        );
        assert_eq!(health.fail(false, None, at(15).0, at(15).1), Some(WhyDisabled::Failing));
        let mut few = Health::default();
        for day in 10..=20 {
            assert_eq!(few.fail(false, None, at(day).0, at(day).1), None, "too few tries");
        }
        assert_eq!(few.fail(false, None, at(21).0, at(21).1), Some(WhyDisabled::Failing));
    }

    #[test]
    fn what_says_that_it_is_gone_is_believed_after_an_hour() {
        let mut health = Health::default();
        assert_eq!(health.fail(true, None, UtcMs(0), ServiceMs(0)), None);
        assert_eq!(health.clone().fail(true, None, UtcMs(HOUR_MS - 1), ServiceMs(0)), None);
        assert_eq!(health.clone().fail(false, None, UtcMs(HOUR_MS), ServiceMs(0)), None);
        assert_eq!(health.fail(true, None, UtcMs(HOUR_MS), ServiceMs(0)), Some(WhyDisabled::Gone));
    }
}
