//! What API keys are made, changed and looked for with.

use std::{collections::BTreeSet, time::Duration};

use keystead_core::{App, Authority, Error, KeyFilter, OldKeyEnds, REPORTED_AT_ONCE, Violation};
use keystead_model::{
    Invalid, KeyId, LocationId, ServiceMs, UtcMs,
    api_key::{ApiKey, DEFAULT_OVERLAP, KeyAbout, KeyAboutPatch, KeyLabels, KeyName, KeyPatch, NewKey, parse_overlap},
    grant::{Grant, NoReach, Reach},
    ip_range::{IpRanges, MAX_RANGES},
    key_about::{KeyLabel, MAX_LABELS},
    key_kind::KeyKind,
    origin::Origins,
    page::Window,
    scope::{Preset, Scope, ScopeSet},
    text::{TimeZoneName, echo},
    time::{DAY_MS, Moment, parse_duration},
};
use serde_json::{Map, Value, json};

use crate::{
    reader::Reader,
    shape::{Ground, Input, Word, word::one_of},
};

/// Most locations in one list.
const MAX_LOCATIONS: usize = 500;
/// Most requests per 10 seconds that a key may be given.
const MAX_RATE: i64 = 1_000_000;

/// What somebody wants a key to be, before it is known to be allowed.
#[derive(Default)]
pub struct WantedKey {
    /// Name.
    pub name: Option<KeyName>,
    /// Kind; without one a location key if a location is named or the maker has only locations.
    pub kind: Option<KeyKind>,
    /// Location of a location key.
    pub location: Option<LocationId>,
    /// Scopes by name.
    pub scopes: Option<Vec<String>>,
    /// Preset.
    pub preset: Option<Preset>,
    /// What is said of it.
    pub about: KeyAbout,
    /// Locations of an agency key.
    pub allowed_locations: Option<BTreeSet<LocationId>>,
    /// Addresses.
    pub allowed_ips: Option<IpRanges>,
    /// Expiry; of a day its end, in the zone of the key's owner.
    pub expires_at: Option<Moment>,
    /// Requests per 10 seconds.
    pub rate_limit: Option<u32>,
    /// Sites whose pages may use it.
    pub allowed_origins: Option<Origins>,
}

impl WantedKey {
    /// As a key that can be made by `authority`.
    pub async fn into_new(self, app: &App, authority: &Authority) -> Result<NewKey, Error> {
        let name = self.name.ok_or_else(|| Error::invalid("name", "should not be empty"))?;
        let kind = self.kind.ok_or_else(|| Error::invalid("kind", "must be agency or location"))?;
        let reach = Reach::of_new_key(kind, self.location, self.allowed_locations, &authority.grant().reach);
        let reach = reach.map_err(|problem| match problem {
            NoReach::OneOfAgencyKey => Error::invalid("locationId", "belongs to location keys; use allowedLocations"),
            NoReach::ChosenOfLocationKey => {
                Error::invalid("allowedLocations", "belongs to agency keys; use locationId")
            }
            NoReach::NoLocation => Error::invalid("locationId", "can't be undefined"),
            NoReach::NoneChosen => Error::invalid("allowedLocations", "should not be empty"),
        })?;
        let scopes = match (self.scopes, self.preset) {
            (Some(_), Some(_)) => return Err(Error::invalid("scopes", "and preset must not come together")),
            (None, None) => return Err(Error::invalid("scopes", "or preset should not be empty")),
            (Some(names), None) => ScopeSet::parse(names.iter().map(String::as_str), kind)
                .map_err(|Invalid(problem)| Error::invalid("scopes", problem))?,
            (None, Some(preset)) => preset.scopes(kind),
        };
        if scopes.is_empty() {
            return Err(Error::invalid("scopes", "should not be empty"));
        }
        let zone = app.zone_of(authority, &reach).await?;
        Ok(NewKey {
            name,
            about: self.about,
            grant: Grant {
                agency: authority.agency(),
                reach,
                scopes,
                allowed_ips: self.allowed_ips.unwrap_or_default(),
                expires_at: self.expires_at.map(|moment| moment.last(&zone)),
            },
            rate_limit: self.rate_limit,
            allowed_origins: self.allowed_origins.unwrap_or_default(),
        })
    }
}

/// Reads a kind.
pub fn parse_kind(text: &str) -> Result<KeyKind, Invalid> {
    KeyKind::parse(text).ok_or_else(|| Invalid::new("must be agency or location"))
}

/// Reads a preset.
pub fn parse_preset(text: &str) -> Result<Preset, Invalid> {
    Preset::parse(text).ok_or_else(|| {
        let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
        Invalid::new(format!("must be one of {}", names.join(", ")))
    })
}

/// Reads a location's id.
pub fn parse_location(text: &str) -> Result<LocationId, Invalid> {
    LocationId::parse(text).ok_or_else(|| Invalid::new(format!("has {}, which is no location's id", echo(text))))
}

/// Keys that are shown in a state, as [`shape`] names it.
pub fn in_state(state: &str, now: UtcMs) -> Result<KeyFilter, Invalid> {
    let every = KeyFilter::default();
    Ok(match state {
        "active" => KeyFilter { active: Some(true), expired: Some((now, false)), ..every },
        "expired" => KeyFilter { active: Some(true), expired: Some((now, true)), ..every },
        "deactivated" => KeyFilter { active: Some(false), ..every },
        "deleted" => KeyFilter { deleted: true, ..every },
        "suspended" => KeyFilter { active: Some(true), suspended: true, ..every },
        _ => return Err(Invalid::new("must be one of active, deactivated, expired, deleted, suspended")),
    })
}

/// Reads how many requests a key may make in 10 seconds.
pub fn parse_rate_limit(text: &str) -> Result<u32, Invalid> {
    let limit = text.trim().parse().ok().filter(|limit| (1..=MAX_RATE).contains(&i64::from(*limit)));
    limit.ok_or_else(|| Invalid::new(format!("must be a number from 1 to {MAX_RATE}")))
}

/// Reads when the replaced key ends.
pub fn parse_old_ends(text: &str) -> Result<OldKeyEnds, Invalid> {
    match text {
        "now" => Ok(OldKeyEnds::Now),
        "first_use" => Ok(OldKeyEnds::FirstUse),
        _ => Err(Invalid::new("must be now or first_use")),
    }
}

/// `P15D` as milliseconds of service time.
pub fn idle_within(text: &str) -> Result<i64, Invalid> {
    parse_duration(text, IDLE_WITHIN_MAX)
        .and_then(|within| i64::try_from(within.as_millis()).ok())
        .ok_or_else(|| Invalid::new("must be an ISO 8601 duration of at most 91 days, such as P15D, P2W or PT360H"))
}

/// No key is deleted later than this.
const IDLE_WITHIN_MAX: Duration = Duration::from_secs(91 * 24 * 60 * 60);

macro_rules! words {
    ($($type:ty, $example:expr, $schema:expr, $parse:expr;)*) => {
        $(impl Word for $type {
            const EXAMPLE: &'static str = $example;

            fn schema() -> Value {
                $schema
            }

            fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
                $parse(text)
            }
        })*
    };
}

/// A scope's name, which is looked at with all others.
struct ScopeName(String);
/// An address range, likewise.
struct IpText(String);
/// A site, likewise.
struct OriginText(String);
/// How long both secrets of a rotation work.
pub(crate) struct Overlap(pub(crate) Duration);
/// A state, as keys are shown in it.
struct StateName(String);
/// How soon a key is deleted if it is not used, in milliseconds of service time.
struct IdleWithin(i64);
/// Where a list goes on.
struct Cursor(UtcMs, KeyId);
/// Whether use is counted by the hour.
struct ByHour(bool);

words! {
    KeyKind, "location", one_of(["agency", "location"]), parse_kind;
    Preset, "read-only", one_of(Preset::ALL.iter().map(|preset| preset.as_str())), parse_preset;
    OldKeyEnds, "now", one_of(["now", "first_use"]), parse_old_ends;
    ScopeName, "contacts.readonly", one_of(Scope::ALL.iter().map(|scope| scope.as_str())), |text: &str|
        Ok(ScopeName(text.to_owned()));
    IpText, "192.0.2.0/24", json!({"type": "string", "description": "An address, or a range in CIDR notation"}),
        |text: &str| Ok(IpText(text.to_owned()));
    OriginText, "https://shop.example.com", json!({
        "type": "string",
        "description": "A site as browsers send it in `Origin`: https://host[:port], or http://localhost[:port]",
    }), |text: &str| Ok(OriginText(text.to_owned()));
    Overlap, "P7D", json!({"type": "string", "description": "An ISO 8601 duration from PT0S to P30D"}), |text: &str|
        parse_overlap(text).map(Overlap);
    StateName, "active", one_of(["active", "deactivated", "expired", "deleted"]), |text: &str|
        in_state(text, UtcMs(0)).map(|_| StateName(text.to_owned()));
    IdleWithin, "P15D", json!({"type": "string", "description": "An ISO 8601 duration of at most 91 days"}),
        |text: &str| idle_within(text).map(IdleWithin);
    Cursor, "1795608000000.Hq3vT0bZk9Wd", json!({"type": "string", "description": "The nextCursor of a list"}),
        |text: &str| text
            .split_once('.')
            .and_then(|(at, id)| Some(Cursor(UtcMs(at.parse().ok()?), KeyId::parse(id)?)))
            .ok_or_else(|| Invalid::new("must be the nextCursor of a list"));
    ByHour, "day", one_of(["hour", "day"]), |text: &str| match text {
        "hour" => Ok(ByHour(true)),
        "day" => Ok(ByHour(false)),
        _ => Err(Invalid::new("must be hour or day")),
    };
}

fn scopes(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let names: Vec<ScopeName> = reader.words("scopes", Scope::ALL.len() * 2)?;
    Some(names.into_iter().map(|ScopeName(name)| name).collect())
}

fn ip_ranges(reader: &mut Reader<'_>) -> Option<IpRanges> {
    let texts: Vec<IpText> = reader.words("allowedIps", MAX_RANGES)?;
    match IpRanges::parse(texts.iter().map(|IpText(text)| text.as_str())) {
        Ok(ranges) => Some(ranges),
        Err(Invalid(problem)) => {
            reader.violate("allowedIps", problem);
            None
        }
    }
}

fn origins(reader: &mut Reader<'_>) -> Option<Origins> {
    let texts: Vec<OriginText> = reader.words("allowedOrigins", Origins::MOST)?;
    match Origins::parse(texts.iter().map(|OriginText(text)| text.as_str())) {
        Ok(origins) => Some(origins),
        Err(Invalid(problem)) => {
            reader.violate("allowedOrigins", problem);
            None
        }
    }
}

fn labels(reader: &mut Reader<'_>) -> Option<KeyLabels> {
    let texts: Vec<KeyLabel> = reader.words("labels", MAX_LABELS)?;
    match KeyLabels::parse(texts.iter().map(KeyLabel::as_str)) {
        Ok(labels) => Some(labels),
        Err(Invalid(problem)) => {
            reader.violate("labels", problem);
            None
        }
    }
}

fn rate_limit(reader: &mut Reader<'_>) -> Option<u32> {
    reader.integer("rateLimit", 1..=MAX_RATE).and_then(|limit| limit.try_into().ok())
}

fn locations(reader: &mut Reader<'_>) -> Option<BTreeSet<LocationId>> {
    Some(reader.words("allowedLocations", MAX_LOCATIONS)?.into_iter().collect())
}

impl Input for WantedKey {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name: Option<KeyName> = reader.required("name", |reader| reader.word("name"));
        let kind: Option<KeyKind> = reader.required("kind", |reader| reader.word("kind"));
        let location = reader.word("locationId");
        let (scopes, preset) = (scopes(reader), reader.word("preset"));
        reader.one_of("scopes", &["scopes", "preset"], "", true);
        Some(Self {
            name: Some(name?),
            kind: Some(kind?),
            location,
            scopes,
            preset,
            about: KeyAbout {
                description: reader.word("description"),
                labels: labels(reader).unwrap_or_default(),
                contact: reader.word("contactEmail"),
            },
            allowed_locations: locations(reader),
            allowed_ips: ip_ranges(reader),
            expires_at: reader.moment("expiresAt"),
            rate_limit: rate_limit(reader),
            allowed_origins: origins(reader),
        })
    }

    /// Scopes exclude a preset, and a location those of an agency key. Addresses would lock its maker out, and all scopes exclude sites.
    fn settle(example: &mut Map<String, Value>) {
        for name in ["preset", "allowedLocations", "allowedIps", "allowedOrigins"] {
            example.remove(name);
        }
    }
}

/// A change of a key, before it is known of which.
pub(crate) struct KeyChange {
    /// The version that it is made for.
    pub(crate) version: Option<i64>,
    scopes: Option<Vec<String>>,
    /// Without chosen locations an agency key reaches all.
    chosen: Option<Option<BTreeSet<LocationId>>>,
    expires_at: Option<Option<Moment>>,
    rest: KeyPatch,
}

impl Input for KeyChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            version: reader.integer("version", 1..=i64::MAX),
            scopes: scopes(reader),
            chosen: reader.nullable("allowedLocations", locations),
            expires_at: reader.nullable("expiresAt", |reader| reader.moment("expiresAt")),
            rest: KeyPatch {
                name: reader.word("name"),
                about: KeyAboutPatch {
                    description: reader.clearable("description"),
                    labels: labels(reader),
                    contact: reader.clearable("contactEmail"),
                },
                allowed_ips: ip_ranges(reader),
                rate_limit: reader.nullable("rateLimit", rate_limit),
                allowed_origins: origins(reader),
                ..KeyPatch::default()
            },
        })
    }

    /// What suits an agency key only, what would lock a caller out, and what full access excludes.
    fn settle(example: &mut Map<String, Value>) {
        for name in ["allowedLocations", "allowedIps", "allowedOrigins"] {
            example.remove(name);
        }
    }
}

impl KeyChange {
    /// As a change of a key whose owner's clock shows `zone`.
    pub(crate) fn of(self, known: &ApiKey, zone: &TimeZoneName) -> Result<KeyPatch, Error> {
        let mut violations = Vec::new();
        let mut violate =
            |field: &str, problem: String| violations.push(Violation { field: field.to_owned(), problem });
        let scopes = self.scopes.and_then(|names| {
            match ScopeSet::parse(names.iter().map(String::as_str), known.kind()) {
                Ok(scopes) if scopes.is_empty() => violate("scopes", "should not be empty".to_owned()),
                Ok(scopes) => return Some(scopes),
                Err(Invalid(problem)) => violate("scopes", problem),
            }
            None
        });
        if self.chosen.is_some() && known.kind() == KeyKind::Location {
            violate("allowedLocations", "belongs to agency keys".to_owned());
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        Ok(KeyPatch {
            scopes,
            reach: self.chosen.map(|chosen| chosen.map_or(Reach::Agency, Reach::Chosen)),
            expires_at: self.expires_at.map(|expires_at| expires_at.map(|moment| moment.last(zone))),
            ..self.rest
        })
    }
}

/// Which keys, and from where on.
pub(crate) struct KeyList {
    filter: KeyFilter,
    state: Option<StateName>,
    due: Option<IdleWithin>,
    pub(crate) window: Window<(UtcMs, KeyId)>,
}

impl Input for KeyList {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            window: query.window(|Cursor(at, id)| (at, id)),
            state: query.word("state"),
            due: query.word("idleWithin"),
            filter: KeyFilter {
                kind: query.word("kind"),
                locations: query.word("locationId").map(|location| vec![location]),
                query: query.word("query"),
                ..KeyFilter::default()
            },
        })
    }

    /// A location that is nobody's.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("locationId");
    }
}

impl KeyList {
    /// What is looked for at this moment.
    pub(crate) fn filter(&self, app: &App, now: UtcMs) -> Result<KeyFilter, Error> {
        let state = self.state.as_ref().map(|StateName(name)| in_state(name, now)).transpose();
        let state = state.map_err(|Invalid(problem)| Error::invalid("state", problem))?.unwrap_or_default();
        let KeyFilter { kind, locations, query, .. } = self.filter.clone();
        let deletes_before = self.due.as_ref().map(|IdleWithin(due)| ServiceMs(app.service_now().0 + due));
        Ok(KeyFilter { kind, locations, query, deletes_before, ..state })
    }
}

/// How a key gets its next secret.
pub(crate) struct Rotation {
    pub(crate) overlap: Duration,
    pub(crate) version: Option<i64>,
}

impl Input for Rotation {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let overlap = reader.word("overlap").map_or(DEFAULT_OVERLAP, |Overlap(overlap)| overlap);
        Some(Self { overlap, version: reader.integer("version", 1..=i64::MAX) })
    }
}

/// How a key is replaced.
pub(crate) struct Replacement(pub(crate) OldKeyEnds);

impl Input for Replacement {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(reader.word("oldEnds").unwrap_or(OldKeyEnds::Now)))
    }
}

/// Texts that were found in public.
pub(crate) struct Exposed(pub(crate) Vec<String>);

impl Input for Exposed {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let keys: Vec<String> = reader.required("keys", |reader| reader.words("keys", REPORTED_AT_ONCE))?;
        if keys.is_empty() {
            reader.violate("keys", "should not be empty");
        }
        Some(Self(keys))
    }
}

/// Longest time that one report may span, and the one that it spans without being asked.
const USAGE_DAYS: i64 = 100;
const USAGE_DAYS_DEFAULT: i64 = 30;

/// Of which time the use is reported.
pub(crate) struct UsageQuery {
    pub(crate) by_hour: bool,
    from: Option<Moment>,
    until: Option<Moment>,
}

impl Input for UsageQuery {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            by_hour: query.word("by").is_some_and(|ByHour(by_hour)| by_hour),
            until: query.moment("endAt"),
            from: query.moment("startAt"),
        })
    }

    /// It must begin before its end.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("startAt");
    }
}

impl UsageQuery {
    /// From and until when, by a clock in `zone`.
    pub(crate) fn span(&self, now: UtcMs, zone: &TimeZoneName) -> Result<(UtcMs, UtcMs), Error> {
        // The hour that has just begun belongs to it.
        let until = self.until.map_or(UtcMs(now.0 + 1), |moment| moment.end(zone));
        let from = self.from.map(|moment| moment.start(zone));
        let from = from.unwrap_or(UtcMs(until.0.saturating_sub(USAGE_DAYS_DEFAULT * DAY_MS)));
        if from >= until {
            Err(Error::invalid("startAt", "must be before endAt"))
        } else if until - from > USAGE_DAYS * DAY_MS {
            Err(Error::invalid("startAt", "must be within 100 days of endAt"))
        } else {
            Ok((from, until))
        }
    }
}
