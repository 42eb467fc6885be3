//! API keys on the wire. The command line answers the same shapes.

use std::ops::Deref;

use keystead_core::{App, Authority, ChangedKey, CreatedKey, Receipt, UsageReport, warning_of_namesakes};
use keystead_model::{
    UtcMs,
    api_key::{ApiKey, KeyState},
    grant::Reach,
    inactivity::Stage,
    key_secret::KeySecret,
    scope::{Scope, ScopeSet},
    time::DAY_MS,
};
use serde_json::{Value, json};

use crate::{
    shape::{Envelope, Fields, Tagged, Written, output::to_value},
    v2::{actor::Who, page::NextCursor, samples},
};

/// The key that is shown.
enum Shown {
    Read(Box<ApiKey>),
    /// The caller's own, which is not copied.
    Own(Authority),
}

/// A key on the wire, as it is now. Never a secret.
pub(crate) struct KeyShape {
    key: Shown,
    now: UtcMs,
    deletes_at: UtcMs,
    restorable_until: Option<UtcMs>,
}

impl KeyShape {
    pub(crate) fn of(app: &App, key: ApiKey) -> Self {
        Self::shown(app, Shown::Read(Box::new(key)))
    }

    /// The key that calls; `None` if it is no key.
    pub(crate) fn own(app: &App, authority: Authority) -> Option<Self> {
        authority.key()?;
        Some(Self::shown(app, Shown::Own(authority)))
    }

    fn shown(app: &App, key: Shown) -> Self {
        let now = app.now();
        let restorable_until = match &key.state {
            KeyState::Deleted { restore_until, .. } => Some(app.to_utc(*restore_until, now)),
            KeyState::Active | KeyState::Deactivated { .. } => None,
        };
        let deletes_at = app.to_utc(key.inactivity.deletes_at, now);
        Self { key, now, deletes_at, restorable_until }
    }
}

impl Deref for Shown {
    type Target = ApiKey;

    fn deref(&self) -> &ApiKey {
        match self {
            Self::Read(key) => key,
            Self::Own(authority) => authority.key().expect("only a key's authority is shown"),
        }
    }
}

const STATES: &[&str] = &["active", "expired", "deactivated", "deleted"];

impl Envelope for KeyShape {
    const ONE: &'static str = "apiKey";
    const MANY: &'static str = "apiKeys";
}

impl Written for KeyShape {
    const NAME: &'static str = "ApiKey";

    fn sample() -> Self {
        let (deletes_at, restorable_until) = (UtcMs(samples::NOON.0 + 7_776_000_000), None);
        Self { key: Shown::Read(Box::new(samples::api_key())), now: samples::NOON, deletes_at, restorable_until }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { key, now, deletes_at, restorable_until } = self;
        let (location_id, allowed_locations) = match &key.grant.reach {
            Reach::Locations(set) => (set.first(), None),
            Reach::Chosen(set) => (None, Some(set.iter().copied().collect::<Vec<_>>())),
            Reach::Agency => (None, None),
        };
        let (state, state_at, delete_reason) = match &key.state {
            KeyState::Active if key.grant.expires_at.is_some_and(|at| at <= *now) => {
                ("expired", key.grant.expires_at, None)
            }
            KeyState::Active => ("active", None, None),
            KeyState::Deactivated { at, .. } => ("deactivated", Some(*at), None),
            KeyState::Deleted { at, reason, .. } => ("deleted", Some(*at), Some(reason.as_str())),
        };
        let last = key.last_use.as_ref();
        fields.put("id", &key.id);
        fields.put("name", &key.name);
        fields.or_null("description", key.about.description.as_ref());
        fields.put("labels", &key.about.labels.iter().cloned().collect::<Vec<_>>());
        fields.or_null("contactEmail", key.about.contact.as_ref());
        fields.one_of("kind", key.kind().as_str(), &["agency", "location"]);
        fields.put("companyId", &key.grant.agency);
        fields.or_null("locationId", location_id);
        fields.or_null("allowedLocations", allowed_locations.as_ref());
        fields.put("scopes", &key.grant.scopes.iter().collect::<Vec<_>>());
        fields.put("allowedIps", &key.grant.allowed_ips.to_texts());
        fields.put("allowedOrigins", &key.allowed_origins.iter().map(str::to_owned).collect::<Vec<_>>());
        fields.or_null("rateLimit", key.rate_limit.as_ref());
        fields.one_of("state", state, STATES);
        // Whether its location or agency is, so that it is refused in every state.
        fields.put("suspended", &!key.tenant_is_live());
        fields.or_null("stateAt", state_at.as_ref());
        fields.one_of_or_null("deleteReason", delete_reason, &["requested", "inactive"]);
        fields.or_null("restorableUntil", restorable_until.as_ref());
        fields.put("version", &key.version);
        fields.put("maskedKey", &key.masked());
        fields.put("lastFour", &key.current.last_four);
        fields.put("createdAt", &key.created_at);
        fields.put("createdBy", &Who(key.created_by));
        fields.or_null("lastUsedAt", last.map(|last| &last.at));
        fields.or_null("lastUsedIp", last.map(|last| &last.ip));
        fields.or_null("lastUsedUserAgent", last.and_then(|last| last.user_agent.as_ref()));
        fields.or_null("lastUsedEndpoint", last.map(|last| &last.endpoint));
        let stage = key.inactivity.stage.map_or(0, Stage::days);
        fields.put("inactivity", &InactivityShape { deletes_at: *deletes_at, stage, held: key.inactivity.held });
        fields.or_null("expiresAt", key.grant.expires_at.as_ref());
        fields.or_null("exposedAt", key.exposed_at.as_ref());
        fields.or_null("replaces", key.replaces.as_ref());
        let rotation = key.overlap(*now).map(|previous| RotationShape {
            previous_last_four: previous.secret.last_four.clone(),
            retires_at: previous.retires_at,
            previous_last_used_at: previous.secret.last_used_at,
        });
        fields.or_null("rotation", rotation.as_ref());
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&*self.key))
    }
}

struct InactivityShape {
    deletes_at: UtcMs,
    stage: i64,
    held: bool,
}

impl Written for InactivityShape {
    const NAME: &'static str = "Inactivity";

    fn sample() -> Self {
        Self { deletes_at: samples::NOON, stage: 0, held: false }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("deletesAt", &self.deletes_at);
        fields.put("stage", &self.stage);
        fields.put("held", &self.held);
    }
}

struct RotationShape {
    previous_last_four: String,
    retires_at: UtcMs,
    previous_last_used_at: Option<UtcMs>,
}

impl Written for RotationShape {
    const NAME: &'static str = "Rotation";

    fn sample() -> Self {
        Self {
            previous_last_four: "x9Qa".to_owned(),
            retires_at: samples::NOON,
            previous_last_used_at: Some(samples::NOON),
        }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("previousLastFour", &self.previous_last_four);
        fields.put("retiresAt", &self.retires_at);
        fields.or_null("previousLastUsedAt", self.previous_last_used_at.as_ref());
    }
}

/// The bound of a change.
impl Written for Receipt {
    const NAME: &'static str = "Receipt";

    fn sample() -> Self {
        let effective_everywhere_by = UtcMs(samples::NOON.0 + 1000);
        Self { sequence: 1000, effective_here: samples::NOON, effective_everywhere_by, is_journaled: true }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { sequence, effective_here, effective_everywhere_by, is_journaled } = self;
        fields.put("sequence", sequence);
        fields.put("effectiveHere", effective_here);
        fields.put("effectiveEverywhereBy", effective_everywhere_by);
        fields.put("journaled", is_journaled);
    }
}

/// What whoever gave a key its name should know besides, if there is anything.
fn warnings(fields: &mut Fields<'_>, namesakes: i64) {
    fields.opt("warnings", warning_of_namesakes(namesakes).map(|warning| vec![warning]).as_ref());
}

/// The answer to a change.
pub(crate) struct Changed {
    key: KeyShape,
    receipt: Receipt,
    namesakes: i64,
}

impl Changed {
    pub(crate) fn of(app: &App, changed: ChangedKey) -> Self {
        let ChangedKey { key, receipt, namesakes } = changed;
        Self { key: KeyShape::of(app, key), receipt, namesakes }
    }
}

impl Written for Changed {
    fn sample() -> Self {
        Self { key: KeyShape::sample(), receipt: Receipt::sample(), namesakes: 0 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("apiKey", &self.key);
        fields.put("receipt", &self.receipt);
        warnings(fields, self.namesakes);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&*self.key.key))
    }
}

/// An answer with a secret in it. Whoever repeats the request gets everything but the secret, and the way to a new one.
pub(crate) struct Made {
    key: KeyShape,
    secret: Option<KeySecret>,
    receipt: Receipt,
    replaced: Option<KeyShape>,
    namesakes: i64,
}

impl Made {
    pub(crate) fn of(app: &App, made: CreatedKey, replaced: Option<ApiKey>) -> Self {
        let CreatedKey { key, secret, receipt, namesakes } = made;
        let replaced = replaced.map(|key| KeyShape::of(app, key));
        Self { key: KeyShape::of(app, key), secret, receipt, replaced, namesakes }
    }
}

impl Written for Made {
    fn sample() -> Self {
        let key = samples::api_key();
        let secret = Some(KeySecret::generate(key.kind(), key.id, |pool| pool.fill(0)));
        let receipt = Receipt::sample();
        Self { key: KeyShape::sample(), secret, receipt, replaced: None, namesakes: 0 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let is_repeated = self.secret.is_none();
        let hint = || format!("The secret was shown once. If it was lost: POST /api-keys/{}/rotate", self.key.key.id);
        fields.put("apiKey", &self.key);
        fields.or_null("key", self.secret.as_ref().map(KeySecret::expose));
        fields.opt("secretAlreadyShown", is_repeated.then_some(&true));
        fields.opt("hint", is_repeated.then(hint).as_ref());
        fields.put("receipt", &self.receipt);
        fields.opt("replaced", self.replaced.as_ref());
        warnings(fields, self.namesakes);
    }

    fn forget_secret(&mut self) {
        self.secret = None;
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&*self.key.key))
    }
}

/// How much a key is used.
pub(crate) struct Usage {
    pub(crate) from: UtcMs,
    pub(crate) until: UtcMs,
    pub(crate) report: UsageReport,
    /// The key's scopes, used or not.
    pub(crate) scopes: ScopeSet,
}

impl Envelope for Usage {
    const ONE: &'static str = "usage";
    const MANY: &'static str = "usages";
}

impl Written for Usage {
    const NAME: &'static str = "Usage";

    fn sample() -> Self {
        let report = UsageReport {
            steps: vec![(samples::NOON, [0, 0, 12, 0, 1, 0])],
            requests: 13,
            failed: 0,
            endpoints: vec![("GET /contacts".to_owned(), 13)],
            scopes: [(Scope::ContactsRead, 13)].into(),
        };
        let scopes = ScopeSet::EMPTY.with(Scope::ContactsRead);
        Self { from: samples::NOON, until: UtcMs(samples::NOON.0 + DAY_MS), report, scopes }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { from, until, report, scopes } = self;
        fields.put("startAt", from);
        fields.put("endAt", until);
        fields.put("requests", &report.requests);
        fields.put("failedAttempts", &report.failed);
        fields.put("steps", &report.steps.iter().map(|(at, classes)| Step(*at, *classes)).collect::<Vec<_>>());
        let endpoints = report.endpoints.iter().map(|(endpoint, requests)| OfEndpoint(endpoint.clone(), *requests));
        fields.put("endpoints", &endpoints.collect::<Vec<_>>());
        let of_scope = |scope| OfScope(scope, report.scopes.get(&scope).copied().unwrap_or(0));
        fields.put("scopes", &scopes.iter().map(of_scope).collect::<Vec<_>>());
    }
}

/// The use of one hour or day.
struct Step(UtcMs, [i64; 6]);

impl Written for Step {
    const NAME: &'static str = "UsageStep";

    fn sample() -> Self {
        Self(samples::NOON, [0, 0, 12, 0, 1, 0])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(at, classes @ [failed, _, ok, moved, wrong, broken]) = self;
        fields.put("at", at);
        fields.put("requests", &classes[1..].iter().sum::<i64>());
        fields.put("2xx", ok);
        fields.put("3xx", moved);
        fields.put("4xx", wrong);
        fields.put("5xx", broken);
        fields.put("failedAttempts", failed);
    }
}

/// The use of one route.
struct OfEndpoint(String, i64);

impl Written for OfEndpoint {
    const NAME: &'static str = "EndpointUsage";

    fn sample() -> Self {
        Self("GET /contacts".to_owned(), 13)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("endpoint", &self.0);
        fields.put("requests", &self.1);
    }
}

/// The use of one scope.
struct OfScope(Scope, i64);

impl Written for OfScope {
    const NAME: &'static str = "ScopeUsage";

    fn sample() -> Self {
        Self(Scope::ContactsRead, 13)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("scope", &self.0);
        fields.put("requests", &self.1);
    }
}

/// Some keys.
pub(crate) struct Keys {
    pub(crate) keys: Vec<KeyShape>,
    pub(crate) next: NextCursor,
}

impl Written for Keys {
    fn sample() -> Self {
        Self { keys: vec![KeyShape::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("apiKeys", &self.keys);
        fields.put("meta", &self.next);
    }
}

/// Thanks for a report. They are the same whatever was sent: nobody learns which keys exist.
pub(crate) struct Thanks;

impl Written for Thanks {
    fn sample() -> Self {
        Self
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("message", "Thank you. Secrets that are keys of this instance have ended; their owners are told.");
    }
}

/// A key as it is on the wire now, for the command line.
pub fn shape(app: &App, key: &ApiKey) -> Value {
    to_value(&KeyShape::of(app, key.clone()))
}

/// The bound of a change, likewise.
pub fn receipt(receipt: &Receipt) -> Value {
    to_value(receipt)
}

/// An answer with what its caller should know besides, if there is anything.
pub fn with_warnings(mut answer: Value, namesakes: i64) -> Value {
    if let Some(warning) = warning_of_namesakes(namesakes) {
        answer["warnings"] = json!([warning]);
    }
    answer
}

/// The answer to a change, likewise.
pub fn changed_shape(app: &App, changed: &ChangedKey) -> Value {
    let answer = json!({"apiKey": shape(app, &changed.key), "receipt": receipt(&changed.receipt)});
    with_warnings(answer, changed.namesakes)
}
