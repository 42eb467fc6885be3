//! API keys of API 2.0. The command line answers the same shapes.

use std::{collections::BTreeSet, time::Duration};

use keystead_core::{
    App, Authority, ChangedKey, CreatedKey, Error, KeyFilter, KeyQuery, OldKeyEnds, REPORTED_AT_ONCE, Receipt,
    ReplacedKey, error::Noun, warning_of_namesakes,
};
use keystead_model::{
    AgencyId, Invalid, KeyId, LocationId, ServiceMs, UtcMs,
    api_key::{ApiKey, DEFAULT_OVERLAP, KeyDescription, KeyName, KeyPatch, KeyState, NewKey, parse_overlap},
    grant::{Grant, NoReach, Reach},
    inactivity::Stage,
    ip_range::{IpRanges, MAX_RANGES},
    key_kind::KeyKind,
    page::Page,
    scope::{Preset, Scope, ScopeSet},
    text::echo,
    time::{DAY_MS, HOUR_MS, Moment, parse_duration},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{call::Call, reader::Reader, reply::Reply};

/// Most locations in one list.
const MAX_LOCATIONS: usize = 500;
/// Most requests per 10 seconds that a key may be given.
const MAX_RATE: i64 = 1_000_000;

fn key_id(call: &Call) -> Result<KeyId, Error> {
    let text = call.param("id");
    KeyId::parse(text).ok_or_else(|| Error::NotFound(Noun::Key, text.to_owned()))
}

/// A key on the wire. Never a secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyShape<'k> {
    id: KeyId,
    name: &'k str,
    description: Option<&'k str>,
    kind: &'static str,
    company_id: AgencyId,
    location_id: Option<&'k LocationId>,
    allowed_locations: Option<Vec<LocationId>>,
    scopes: Vec<&'static str>,
    allowed_ips: Vec<String>,
    rate_limit: Option<u32>,
    state: &'static str,
    /// Whether its location or agency is, so that it is refused in every state.
    suspended: bool,
    state_at: Option<UtcMs>,
    delete_reason: Option<&'static str>,
    restorable_until: Option<UtcMs>,
    version: i64,
    masked_key: String,
    last_four: &'k str,
    created_at: UtcMs,
    created_by: Creator<'k>,
    last_used_at: Option<UtcMs>,
    last_used_ip: Option<&'k str>,
    last_used_user_agent: Option<&'k str>,
    last_used_endpoint: Option<&'k str>,
    inactivity: InactivityShape,
    expires_at: Option<UtcMs>,
    exposed_at: Option<UtcMs>,
    replaces: Option<KeyId>,
    rotation: Option<RotationShape<'k>>,
}

#[derive(Serialize)]
struct Creator<'k> {
    r#type: &'static str,
    id: Option<&'k str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InactivityShape {
    deletes_at: UtcMs,
    stage: i64,
    held: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RotationShape<'k> {
    previous_last_four: &'k str,
    retires_at: UtcMs,
    previous_last_used_at: Option<UtcMs>,
}

/// `{"apiKey": …}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'k> {
    api_key: KeyShape<'k>,
}

/// A key as it is on the wire now.
pub fn shape<'k>(app: &App, key: &'k ApiKey) -> KeyShape<'k> {
    let now = app.now();
    let (location_id, allowed_locations) = match &key.grant.reach {
        Reach::Locations(set) => (set.first(), None),
        Reach::Chosen(set) => (None, Some(set.iter().copied().collect())),
        Reach::Agency => (None, None),
    };
    let (state, state_at, delete_reason) = match &key.state {
        KeyState::Active if key.grant.expires_at.is_some_and(|at| at <= now) => ("expired", key.grant.expires_at, None),
        KeyState::Active => ("active", None, None),
        KeyState::Deactivated { at, .. } => ("deactivated", Some(*at), None),
        KeyState::Deleted { at, reason, .. } => ("deleted", Some(*at), Some(reason.as_str())),
    };
    let restorable_until = match &key.state {
        KeyState::Deleted { restore_until, .. } => Some(app.to_utc(*restore_until, now)),
        KeyState::Active | KeyState::Deactivated { .. } => None,
    };
    let last = key.last_use.as_ref();
    KeyShape {
        id: key.id,
        name: key.name.as_str(),
        description: key.description.as_ref().map(KeyDescription::as_str),
        kind: key.kind().as_str(),
        company_id: key.grant.agency,
        location_id,
        allowed_locations,
        scopes: key.grant.scopes.iter().map(Scope::as_str).collect(),
        allowed_ips: key.grant.allowed_ips.to_texts(),
        rate_limit: key.rate_limit,
        state,
        suspended: !key.tenant_is_live,
        state_at,
        delete_reason,
        restorable_until,
        version: key.version,
        masked_key: key.masked(),
        last_four: &key.current.last_four,
        created_at: key.created_at,
        created_by: Creator { r#type: key.created_by.kind(), id: key.created_by.id() },
        last_used_at: last.map(|last| last.at),
        last_used_ip: last.map(|last| last.ip.as_str()),
        last_used_user_agent: last.and_then(|last| last.user_agent.as_deref()),
        last_used_endpoint: last.map(|last| last.endpoint.as_str()),
        inactivity: InactivityShape {
            deletes_at: app.to_utc(key.inactivity.deletes_at, now),
            stage: key.inactivity.stage.map_or(0, Stage::days),
            held: key.inactivity.held,
        },
        expires_at: key.grant.expires_at,
        exposed_at: key.exposed_at,
        replaces: key.replaces,
        rotation: key.overlap(now).map(|previous| RotationShape {
            previous_last_four: &previous.secret.last_four,
            retires_at: previous.retires_at,
            previous_last_used_at: previous.secret.last_used_at,
        }),
    }
}

/// The bound of a change.
pub fn receipt(receipt: &Receipt) -> Value {
    let Receipt { sequence, effective_here, effective_everywhere_by, is_journaled } = receipt;
    json!({
        "sequence": sequence,
        "effectiveHere": effective_here,
        "effectiveEverywhereBy": effective_everywhere_by,
        "journaled": is_journaled,
    })
}

/// An answer with what its caller should know besides, if there is anything.
pub fn with_warnings(mut answer: Value, namesakes: i64) -> Value {
    if let Some(warning) = warning_of_namesakes(namesakes) {
        answer["warnings"] = json!([warning]);
    }
    answer
}

/// An answer with a secret in it, and the same without it for whoever repeats the request.
fn created(app: &App, status: u16, made: &CreatedKey, replaced: Option<&ApiKey>) -> Reply {
    // Whoever repeats the request gets everything but the secret, and the way to a new one.
    let mut replay = json!({
        "apiKey": shape(app, &made.key),
        "key": null,
        "secretAlreadyShown": true,
        "hint": format!("The secret was shown once. If it was lost: POST /api-keys/{}/rotate", made.key.id),
        "receipt": receipt(&made.receipt),
    });
    if let Some(replaced) = replaced {
        replay["replaced"] = json!(shape(app, replaced));
    }
    let Some(secret) = &made.secret else { return Reply::object(status, &replay) };
    let mut body = replay.clone();
    body["key"] = json!(secret.expose());
    if let Value::Object(fields) = &mut body {
        fields.shift_remove("secretAlreadyShown");
        fields.shift_remove("hint");
    }
    let warned = |answer| with_warnings(answer, made.namesakes);
    Reply::object(status, &warned(body)).replayed_as(&warned(replay))
}

/// The answer to a change. The command line answers the same.
pub fn changed_shape(app: &App, changed: &ChangedKey) -> Value {
    let answer = json!({"apiKey": shape(app, &changed.key), "receipt": receipt(&changed.receipt)});
    with_warnings(answer, changed.namesakes)
}

fn changed(app: &App, changed: &ChangedKey) -> Reply {
    Reply::object(200, &changed_shape(app, changed))
}

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
    /// Description.
    pub description: Option<KeyDescription>,
    /// Locations of an agency key.
    pub allowed_locations: Option<BTreeSet<LocationId>>,
    /// Addresses.
    pub allowed_ips: Option<IpRanges>,
    /// Expiry; of a day its end, in the zone of the key's owner.
    pub expires_at: Option<Moment>,
    /// Requests per 10 seconds.
    pub rate_limit: Option<u32>,
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
            description: self.description,
            grant: Grant {
                agency: authority.agency(),
                reach,
                scopes,
                allowed_ips: self.allowed_ips.unwrap_or_default(),
                expires_at: self.expires_at.map(|moment| moment.last(&zone)),
            },
            rate_limit: self.rate_limit,
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

fn ip_ranges(reader: &mut Reader) -> Option<IpRanges> {
    let texts = reader.texts("allowedIps", MAX_RANGES)?;
    match IpRanges::parse(texts.iter().map(String::as_str)) {
        Ok(ranges) => Some(ranges),
        Err(Invalid(problem)) => {
            reader.violate("allowedIps", problem);
            None
        }
    }
}

fn rate_limit(reader: &mut Reader) -> Option<u32> {
    reader.integer("rateLimit", 1..=MAX_RATE).and_then(|limit| limit.try_into().ok())
}

fn locations(reader: &mut Reader) -> Option<BTreeSet<LocationId>> {
    Some(reader.parse_list("allowedLocations", MAX_LOCATIONS, parse_location)?.into_iter().collect())
}

pub(crate) async fn create(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let mut reader = call.read_body();
    let wanted = WantedKey {
        name: reader.required("name", |reader| reader.parse("name", KeyName::parse)),
        kind: reader.required("kind", |reader| reader.parse("kind", parse_kind)),
        location: reader.parse("locationId", parse_location),
        scopes: reader.texts("scopes", Scope::ALL.len() * 2),
        preset: reader.parse("preset", parse_preset),
        description: reader.parse("description", KeyDescription::parse),
        allowed_locations: locations(&mut reader),
        allowed_ips: ip_ranges(&mut reader),
        expires_at: reader.moment("expiresAt"),
        rate_limit: rate_limit(&mut reader),
    };
    reader.finish()?;
    let new = wanted.into_new(&call.app, &authority).await?;
    let made = call.app.create_key(&authority, new).await?;
    Ok(created(&call.app, 201, &made, None))
}

/// `P15D` as milliseconds of service time.
pub fn idle_within(text: &str) -> Result<i64, Invalid> {
    parse_duration(text, IDLE_WITHIN_MAX)
        .and_then(|within| i64::try_from(within.as_millis()).ok())
        .ok_or_else(|| Invalid::new("must be an ISO 8601 duration of at most 91 days, such as P15D, P2W or PT360H"))
}

/// No key is deleted later than this.
const IDLE_WITHIN_MAX: Duration = Duration::from_secs(91 * 24 * 60 * 60);

pub(crate) async fn list(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    let mut query = call.read_query();
    let now = authority.now();
    let limit = query.integer("limit", 1..=100).unwrap_or(20);
    let state = query.parse("state", |text| in_state(text, now)).unwrap_or_default();
    let due = query.parse("idleWithin", idle_within);
    let filter = KeyFilter {
        kind: query.parse("kind", parse_kind),
        locations: query.parse("locationId", parse_location).map(|location| vec![location]),
        deletes_before: due.map(|due| ServiceMs(call.app.service_now().0 + due)),
        query: query.text("query"),
        ..state
    };
    let after = query.parse("cursor", parse_cursor);
    query.no_places();
    query.finish()?;
    let total = call.app.count_keys(&authority, filter.clone()).await?;
    let rows = call.app.list_keys(&authority, KeyQuery { filter, after, limit: limit + 1 }).await?;
    let found = Page::new(rows, limit, total);
    let next = found.rows.last().filter(|_| found.has_more);
    let next = next.map(|last| format!("{}.{}", last.created_at.0, last.id));
    let mut meta = Map::new();
    meta.insert("total".to_owned(), json!(found.total));
    meta.insert("nextCursor".to_owned(), json!(next));
    let rows: Vec<KeyShape<'_>> = found.rows.iter().map(|key| shape(&call.app, key)).collect();
    Ok(Reply::object(200, &json!({"apiKeys": rows, "meta": meta})))
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

fn parse_cursor(text: &str) -> Result<(UtcMs, KeyId), Invalid> {
    text.split_once('.')
        .and_then(|(at, id)| Some((UtcMs(at.parse().ok()?), KeyId::parse(id)?)))
        .ok_or_else(|| Invalid::new("must be the nextCursor of a list"))
}

pub(crate) async fn get(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let key = call.app.get_key(&authority, key_id(&call)?).await?;
    Ok(Reply::object(200, &Envelope { api_key: shape(&call.app, &key) }))
}

/// What am I, what may I do, when do I end.
pub(crate) async fn current(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let key = authority.key().ok_or_else(|| Error::NotFound(Noun::Key, "self".to_owned()))?;
    Ok(Reply::object(200, &Envelope { api_key: shape(&call.app, key) }))
}

pub(crate) async fn update(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let id = key_id(&call)?;
    let known = call.app.get_key(&authority, id).await?;
    let zone = call.app.zone_of(&authority, &known.grant.reach).await?;
    let mut reader = call.read_update();
    let version = reader.integer("version", 1..=i64::MAX);
    let scopes = reader.texts("scopes", Scope::ALL.len() * 2);
    let scopes = scopes.and_then(|names| match ScopeSet::parse(names.iter().map(String::as_str), known.kind()) {
        Ok(scopes) if scopes.is_empty() => {
            reader.violate("scopes", "should not be empty");
            None
        }
        Ok(scopes) => Some(scopes),
        Err(Invalid(problem)) => {
            reader.violate("scopes", problem);
            None
        }
    });
    // Without chosen locations an agency key reaches all.
    let chosen = reader.nullable("allowedLocations", locations);
    if chosen.is_some() && known.kind() == KeyKind::Location {
        reader.violate("allowedLocations", "belongs to agency keys");
    }
    let patch = KeyPatch {
        name: reader.parse("name", KeyName::parse),
        description: reader.clearable("description", KeyDescription::parse),
        scopes,
        reach: chosen.map(|chosen| chosen.map_or(Reach::Agency, Reach::Chosen)),
        allowed_ips: ip_ranges(&mut reader),
        expires_at: reader
            .nullable("expiresAt", |reader| reader.moment("expiresAt"))
            .map(|expires_at| expires_at.map(|moment| moment.last(&zone))),
        rate_limit: reader.nullable("rateLimit", rate_limit),
    };
    reader.finish()?;
    let done = call.app.update_key(&authority, id, version, patch).await?;
    Ok(changed(&call.app, &done))
}

/// The id of a call that takes nothing but its path.
fn bare_call(mut call: Call) -> Result<(App, KeyId), Error> {
    call.no_query()?;
    call.read_body().finish()?;
    let id = key_id(&call)?;
    Ok((call.app, id))
}

pub(crate) async fn delete(authority: Authority, call: Call) -> Result<Reply, Error> {
    let (app, id) = bare_call(call)?;
    Ok(changed(&app, &app.delete_key(&authority, id).await?))
}

pub(crate) async fn deactivate(authority: Authority, call: Call) -> Result<Reply, Error> {
    let (app, id) = bare_call(call)?;
    Ok(changed(&app, &app.deactivate_key(&authority, id).await?))
}

pub(crate) async fn reactivate(authority: Authority, call: Call) -> Result<Reply, Error> {
    let (app, id) = bare_call(call)?;
    Ok(changed(&app, &app.reactivate_key(&authority, id).await?))
}

pub(crate) async fn rotate(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let mut reader = call.read_body();
    let overlap: Duration = reader.parse("overlap", parse_overlap).unwrap_or(DEFAULT_OVERLAP);
    let version = reader.integer("version", 1..=i64::MAX);
    reader.finish()?;
    let made = call.app.rotate_key(&authority, key_id(&call)?, version, overlap).await?;
    Ok(created(&call.app, 200, &made, None))
}

pub(crate) async fn cancel_rotation(authority: Authority, call: Call) -> Result<Reply, Error> {
    let (app, id) = bare_call(call)?;
    Ok(changed(&app, &app.cancel_key_rotation(&authority, id).await?))
}

pub(crate) async fn finish_rotation(authority: Authority, call: Call) -> Result<Reply, Error> {
    let (app, id) = bare_call(call)?;
    Ok(changed(&app, &app.finish_key_rotation(&authority, id).await?))
}

/// Reads when the replaced key ends.
pub fn parse_old_ends(text: &str) -> Result<OldKeyEnds, Invalid> {
    match text {
        "now" => Ok(OldKeyEnds::Now),
        "first_use" => Ok(OldKeyEnds::FirstUse),
        _ => Err(Invalid::new("must be now or first_use")),
    }
}

/// A key in place of a lost one, with the secret that is shown once.
pub(crate) async fn replace(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let mut reader = call.read_body();
    let ends = reader.parse("oldEnds", parse_old_ends).unwrap_or(OldKeyEnds::Now);
    reader.finish()?;
    let ReplacedKey { made, old } = call.app.replace_key(&authority, key_id(&call)?, ends).await?;
    Ok(created(&call.app, 201, &made, Some(&old)))
}

pub(crate) async fn keep(authority: Authority, call: Call) -> Result<Reply, Error> {
    let (app, id) = bare_call(call)?;
    Ok(changed(&app, &app.keep_key(&authority, id).await?))
}

pub(crate) async fn restore(authority: Authority, call: Call) -> Result<Reply, Error> {
    let (app, id) = bare_call(call)?;
    Ok(changed(&app, &app.restore_key(&authority, id).await?))
}

/// Takes keys that were found in public. The answer is the same whatever was sent: nobody learns which keys exist.
pub(crate) async fn revoke_exposed(mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let mut reader = call.read_body();
    let keys = reader.required("keys", |reader| reader.texts("keys", REPORTED_AT_ONCE));
    if keys.as_ref().is_some_and(Vec::is_empty) {
        reader.violate("keys", "should not be empty");
    }
    reader.finish()?;
    call.app.report_exposed(keys.unwrap_or_default()).await?;
    Ok(Reply::object(
        202,
        &json!({"message": "Thank you. Secrets that are keys of this instance have ended; their owners are told."}),
    ))
}

/// Longest time that one report may span, and the one that it spans without being asked.
const USAGE_DAYS: i64 = 100;
const USAGE_DAYS_DEFAULT: i64 = 30;

/// How much a key is used, by hour or by day. A key may look at itself.
pub(crate) async fn usage(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    let id = key_id(&call)?;
    let mut query = call.read_query();
    let now = authority.now();
    let by_hour = query.parse("by", |text| match text {
        "hour" => Ok(true),
        "day" => Ok(false),
        _ => Err(Invalid::new("must be hour or day")),
    });
    let step = if by_hour == Some(true) { HOUR_MS } else { DAY_MS };
    let key = call.app.get_key(&authority, id).await?;
    let zone = call.app.zone_of(&authority, &key.grant.reach).await?;
    // The hour that has just begun belongs to it.
    let until = query.moment("endAt").map_or(UtcMs(now.0 + 1), |moment| moment.end(&zone));
    let from = query.moment("startAt").map(|moment| moment.start(&zone));
    let from = from.unwrap_or(UtcMs(until.0.saturating_sub(USAGE_DAYS_DEFAULT * DAY_MS)));
    if from >= until {
        query.violate("startAt", "must be before endAt");
    } else if until - from > USAGE_DAYS * DAY_MS {
        query.violate("startAt", "must be within 100 days of endAt");
    }
    query.finish()?;
    let report = call.app.key_usage(&authority, id, from, until, step).await?;
    let steps: Vec<Value> = report
        .steps
        .iter()
        .map(|(at, classes)| {
            let [failed, _, ok, moved, wrong, broken] = classes;
            json!({
                "at": at,
                "requests": classes[1..].iter().sum::<i64>(),
                "2xx": ok,
                "3xx": moved,
                "4xx": wrong,
                "5xx": broken,
                "failedAttempts": failed,
            })
        })
        .collect();
    let scopes: Vec<Value> = key
        .grant
        .scopes
        .iter()
        .map(|scope| json!({"scope": scope.as_str(), "requests": report.scopes.get(&scope).copied().unwrap_or(0)}))
        .collect();
    let endpoints: Vec<Value> = report
        .endpoints
        .iter()
        .map(|(endpoint, requests)| json!({"endpoint": endpoint, "requests": requests}))
        .collect();
    Ok(Reply::object(
        200,
        &json!({"usage": {
            "startAt": from,
            "endAt": until,
            "requests": report.requests,
            "failedAttempts": report.failed,
            "steps": steps,
            "endpoints": endpoints,
            "scopes": scopes,
        }}),
    ))
}
