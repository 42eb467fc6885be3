//! From a request to an answer: route, key, limits, body, context, operation. The same beats for both APIs.

use std::{collections::HashMap, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, Request, Response, header, request::Parts};
use keystead_core::{
    AgencyContext, App, Authority, CHAIN_HEADER, Claim, Error, ErrorCode, IdempotencyKey, KeyCaller, LocationContext,
    RateStatus, Replay, RequestFacts, Seen, Source, UsageCounter,
};
use keystead_http::{Answered, Arrival, BODY_LIMIT, Crowded, Party, Place, RequestBody, Requests};
use keystead_model::{LocationId, UtcMs, api_key::SecretSlot, key_secret::PresentedKey, scope::Scope, text::echo};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::{
    call::Asked,
    cors, credential,
    failure::Failure,
    reply::{Payload, Reply},
    route::{Access, Face, Handler, Route},
    routes::routes,
    sent::{self, Sent, parse_query},
    shape::{Ground, Way},
    unknown_route, v1,
    v2::{self, Version},
};

/// API 2.0 and API 1.0 over one application.
pub struct Api {
    app: App,
    table: Vec<Route>,
    router: matchit::Router<HashMap<Method, usize>>,
    base_url: Arc<str>,
    /// The site that this instance is itself: its pages are no other site's.
    own_origin: String,
    requests: Arc<Requests>,
}

/// What an answer says besides its body, as far as the request came.
#[derive(Default)]
struct Facts {
    rate: Option<RateStatus>,
    key_ends_at: Option<UtcMs>,
    /// Since when the secret that was sent is an old one, and until when it works.
    retiring: Option<(UtcMs, UtcMs)>,
    /// How a repeated request was answered, as the name of a header.
    repeat: Option<http::HeaderName>,
    /// Counts the answer, once a key was admitted.
    usage: Option<(UsageCounter, &'static str, Option<Scope>)>,
    retry_after: Option<std::time::Duration>,
    /// For those who count.
    answered: Answered,
    /// There was no place to work.
    crowded: Option<Crowded>,
    /// Whether the key that was sent may be used by pages of the site that has sent it; nothing before a key is known.
    is_for_site: Option<bool>,
}

/// Bytes of a body from somebody without a key: a hundred keys and more.
const OPEN_BODY_LIMIT: usize = 32 * 1024;
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

impl Api {
    /// Over `app`; `base_url` is how clients reach it, for links in answers.
    pub fn new(app: App, base_url: String, requests: Arc<Requests>) -> Arc<Self> {
        Self::over(routes(), app, base_url, requests)
    }

    /// Over a table of routes.
    fn over(table: Vec<Route>, app: App, base_url: String, requests: Arc<Requests>) -> Arc<Self> {
        let mut by_path: HashMap<&'static str, HashMap<Method, usize>> = HashMap::new();
        for (index, route) in table.iter().enumerate() {
            by_path.entry(route.path).or_default().insert(route.method.clone(), index);
        }
        let mut router = matchit::Router::new();
        for (path, methods) in by_path {
            router.insert(path, methods).expect("the routes of the table do not conflict");
        }
        let own_origin = keystead_model::origin::of(&base_url).unwrap_or_default();
        Arc::new(Self { app, table, router, base_url: base_url.into(), own_origin, requests })
    }

    /// Answers one request.
    pub async fn call(&self, request: Request<RequestBody>, arrival: Arrival) -> (Response<Payload>, Answered) {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let face = if path == "/v1" || path.starts_with("/v1/") { Face::V1 } else { Face::V2 };
        let mut facts = Facts::default();
        let origin = cors::origin(&parts.headers, &self.own_origin);
        let known_site = || origin.filter(|origin| self.app.is_origin_of_a_key(origin));
        if cors::is_preflight(&parts.method, &parts.headers)
            && let Some(site) = known_site()
        {
            return (cors::permitted(site), facts.answered);
        }
        let outcome = match self.route(&parts.method, path) {
            Some((route, params)) => {
                facts.answered.route = Some(route.endpoint);
                self.run(route, params, &parts, body, &arrival, &mut facts).await
            }
            None => Err(self.unknown(&parts.method, path)),
        };
        if outcome.as_ref().is_err_and(|failure| failure.code.status() == 503) {
            self.requests.of(&parts.method).hold_back(facts.crowded).await;
        }
        let reply = outcome.unwrap_or_else(|failure| {
            facts.retry_after = facts.retry_after.or(failure.retry_after);
            facts.answered.code = Some(failure.code);
            failure.log(facts.answered.key, &arrival);
            match face {
                Face::V1 => v1::failure::render(&failure),
                Face::V2 => v2::failure::render(&failure),
            }
        });
        if let Some((usage, endpoint, scope)) = &facts.usage {
            usage.count(endpoint, *scope, reply.status, self.app.now());
        }
        let mut response = respond(reply, &arrival, &facts, &self.base_url);
        let site = match facts.is_for_site {
            Some(is_for_site) => origin.filter(|_| is_for_site),
            // Whoever sent no key that counts is told so where they could have sent one.
            None => known_site(),
        };
        if let Some(site) = site {
            cors::expose(response.headers_mut(), site);
        }
        (response, facts.answered)
    }

    /// What stands at a path. Both forms of every path are served.
    fn at<'p>(&self, path: &'p str) -> Option<matchit::Match<'_, 'p, &HashMap<Method, usize>>> {
        self.router.at(path.strip_suffix('/').unwrap_or(path)).ok()
    }

    fn unknown(&self, method: &Method, path: &str) -> Failure {
        let answered =
            |path: &str| self.at(path).map(|found| found.value.keys().cloned().collect()).unwrap_or_default();
        let message = format!("Cannot {} {}", echo(method.as_str()), echo(path));
        Failure {
            hint: Some(unknown_route::hint(method, path, answered)),
            ..Failure::new(ErrorCode::RouteUnknown, message)
        }
    }

    fn route(&self, method: &Method, path: &str) -> Option<(&Route, Vec<(String, String)>)> {
        let found = self.at(path)?;
        // HEAD is GET without the body, which the server leaves out.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let route = &self.table[*found.value.get(method)?];
        let decoded = |value: &str| percent_decode_str(value).decode_utf8_lossy().into_owned();
        Some((route, found.params.iter().map(|(name, value)| (name.to_owned(), decoded(value))).collect()))
    }

    async fn run(
        &self,
        route: &Route,
        params: Vec<(String, String)>,
        parts: &Parts,
        body: RequestBody,
        arrival: &Arrival,
        facts: &mut Facts,
    ) -> Result<Reply, Failure> {
        let version = || match route.face {
            Face::V1 => Ok(Version::V2021),
            Face::V2 => Version::from_headers(&parts.headers),
        };
        if let Handler::Public(handler) = &route.handler {
            let query = parse_query(parts.uri.query())?;
            let ground = Ground::of_agency(None);
            let asked = self.asked(route, parts, params, query, Sent::nothing(), Version::V2021, ground);
            return Ok(handler((), asked).await?);
        }
        if let Handler::Open(handler) = &route.handler {
            // Before anything is read: what strangers may send is counted, not parsed.
            self.app.count_of_stranger(route.endpoint, arrival.address)?;
            let version = version()?;
            let query = parse_query(parts.uri.query())?;
            let body = Sent::read(route, parts, body, OPEN_BODY_LIMIT).await?;
            let _place = self.enter(&parts.method, Party::Source(Source::of(arrival.address)), facts).await?;
            let asked = self.asked(route, parts, params, query, body, version, Ground::of_agency(None));
            return Ok(handler((), asked).await?);
        }
        let caller = self.authenticate(route, parts, arrival, facts).await?;
        // Before anything is read: whatever the request turns out to be, it counts, and its answer tells what is left.
        facts.limit(self.app.count_request(&caller))?;
        let version = version()?;
        let query = parse_query(parts.uri.query())?;
        let body = Sent::read(route, parts, body, BODY_LIMIT).await?;
        if !body.is_empty() {
            self.app.still_admitted(&caller).await?;
        }
        let params = without_placeholders(route, params)?;
        let named = named_location(route, &params, &query, &body.fields);
        let size = route.size(&body.fields);
        // With everything read: nobody holds a place while we wait for them.
        let _place = self.enter(&parts.method, Party::Agency(caller.authority().agency()), facts).await?;
        let cause = parts.headers.get(CHAIN_HEADER).and_then(|chain| chain.to_str().ok());
        let cause = cause.and_then(|chain| self.app.cause_of(caller.authority().agency(), chain)).unwrap_or_default();
        let authority = caller.authority().with_cause(cause);
        let admitted = self.admit(route, (&caller, authority), (named, size), facts).await?;

        let claim = match self.begin_idempotent(route, parts, &query, &admitted, body.said(), arrival).await? {
            None => None,
            Some(Replay::New(claim)) => Some(claim),
            Some(Replay::Answered(status, answer)) => {
                facts.repeat = Some(names::REPLAYED);
                return Ok(Reply::replayed(status, &answer, version));
            }
            Some(Replay::Lost(claim)) => {
                facts.repeat = Some(names::RECOVERED);
                Some(claim)
            }
        };
        let admitted = admitted.with_seen(seen(route, &parts.headers)?);
        let ground = self.ground(route, &admitted, &body.fields).await?;
        let asked =
            Asked { is_kept: claim.is_some(), ..self.asked(route, parts, params, query, body, version, ground) };
        let reply = handle(route, admitted.with_claim(claim.clone()), asked).await?;
        if let Some(claim) = claim {
            let kept = reply.for_replay(arrival.id.as_str());
            self.app.finish_idempotent(&claim, reply.status, &kept).await?;
        }
        Ok(reply)
    }

    /// Waits for a place to work.
    async fn enter(&self, method: &Method, party: Party, facts: &mut Facts) -> Result<Place<'_>, Failure> {
        match self.requests.of(method).enter(party).await {
            Ok(place) => {
                facts.answered.waited = place.waited;
                Ok(place)
            }
            Err(crowded) => {
                facts.crowded = Some(crowded);
                Err(Error::Overloaded(Crowded::COME_BACK).into())
            }
        }
    }

    fn asked(
        &self,
        route: &Route,
        parts: &Parts,
        mut params: Vec<(String, String)>,
        query: Map<String, Value>,
        body: Sent,
        version: Version,
        ground: Ground,
    ) -> Asked {
        if route.access() == Access::Location {
            params.retain(|(name, _)| name != "locationId");
        }
        let way = Way { base_url: Some(Arc::clone(&self.base_url)), ..Way::of(route.face, version) };
        Asked {
            app: self.app.clone(),
            params,
            query,
            headers: sent::headers(route, &parts.headers),
            body,
            ground,
            way,
            is_kept: false,
        }
    }

    /// Where the input of a call is read.
    async fn ground(&self, route: &Route, admitted: &Admitted, body: &Map<String, Value>) -> Result<Ground, Failure> {
        Ok(match admitted {
            Admitted::Location(context) => ground_in(&self.app, route, context, body).await?,
            _ => Ground::of_agency(Some(admitted.authority().agency())),
        })
    }

    async fn authenticate(
        &self,
        route: &Route,
        parts: &Parts,
        arrival: &Arrival,
        facts: &mut Facts,
    ) -> Result<KeyCaller, Failure> {
        let presented = credential::from_request(&parts.headers, parts.uri.query())?;
        let origin = cors::origin(&parts.headers, &self.own_origin);
        let request = RequestFacts { origin, ..arrival.facts(&parts.headers, route.endpoint) };
        let caller = self.app.authenticate(presented, &request).await;
        // For the log: a caller that was verified brings its id, so only a refusal is read once more.
        facts.answered.key = match &caller {
            Ok(caller) => Some(caller.key().id),
            Err(_) => PresentedKey::parse(presented).map(|key| key.id),
        };
        let caller = caller?;
        facts.is_for_site = origin.map(|origin| caller.key().allowed_origins.has(origin));
        let scopes = caller.key().grant.scopes;
        facts.usage = Some((caller.usage(), route.endpoint, route.scope.map(|scope| scopes.by_which(scope))));
        facts.key_ends_at = Some(self.ends_at(&caller));
        facts.retiring = retiring(&caller);
        Ok(caller)
    }

    /// When the secret that was sent stops if nothing happens: an old one with its overlap.
    fn ends_at(&self, caller: &KeyCaller) -> UtcMs {
        let key = caller.key();
        let deletes_at = self.app.to_utc(key.inactivity.deletes_at, self.app.now());
        let retires_at = retiring(caller).map(|(_, retires_at)| retires_at);
        [key.grant.expires_at, retires_at].into_iter().flatten().fold(deletes_at, UtcMs::min)
    }

    /// What the caller needs for the route: its scope, and the agency or the location that it acts on.
    async fn admit(
        &self,
        route: &Route,
        (caller, authority): (&KeyCaller, Authority),
        (named, size): (Named, u32),
        facts: &mut Facts,
    ) -> Result<Admitted, Failure> {
        let reach = &authority.grant().reach;
        // The kind before the scope: no scope helps a key of the wrong kind, and some cannot be given to it.
        match (&route.handler, route.face, named) {
            (Handler::Agency(_), ..) if !reach.has_agency() => {
                return Err(Error::WrongKind(ErrorCode::AgencyKeyNeeded).into());
            }
            (Handler::Location(_), Face::V1, Named::Nothing) if reach.has_agency() => {
                return Err(Error::WrongKind(ErrorCode::LocationKeyNeeded).into());
            }
            _ => {}
        }
        if let Some(scope) = route.scope {
            if !scope.suits(caller.key().kind()) {
                // To add it on the key's page, as the usual hint has it, is what nobody can.
                let hint = format!("A location key cannot hold {scope}. Create an agency key with it.");
                return Err(Failure { hint: Some(hint), ..Error::MissingScope(scope).into() });
            }
            // Each operation asks again; asking here keeps the input of strangers out of the parsers.
            authority.require(scope)?;
        }
        match named {
            Named::NoText => return Err(Error::invalid("locationId", "must be a string").into()),
            Named::Two => {
                let problem = "must be the same in the query and in the body";
                return Err(Error::invalid("locationId", problem).into());
            }
            Named::TwoInQuery => {
                return Err(Error::invalid("locationId", "must be the same as location_id in the query").into());
            }
            Named::NotThePath => return Err(Error::invalid("locationId", "must be the one in the path").into()),
            Named::Malformed | Named::Location(_) | Named::Nothing => {}
        }
        Ok(match &route.handler {
            Handler::Location(_) => {
                let named = match named {
                    Named::Location(location) => Some(location),
                    Named::Nothing => None,
                    _ => return Err(Error::NoAccess.into()),
                };
                let context = self.app.enter_location(authority, named).await?;
                facts.limit(self.app.count_request_in(caller, context.location(), size))?;
                Admitted::Location(context)
            }
            Handler::Agency(_) => Admitted::Agency(authority.in_agency()?),
            Handler::Either(_) => Admitted::Either(authority),
            Handler::Open(_) | Handler::Public(_) => unreachable!("open routes are answered before a key is asked for"),
        })
    }

    async fn begin_idempotent(
        &self,
        route: &Route,
        parts: &Parts,
        query: &Map<String, Value>,
        admitted: &Admitted,
        body: &[u8],
        arrival: &Arrival,
    ) -> Result<Option<Replay>, Failure> {
        if !route.heeds_idempotency_key() || !parts.headers.contains_key(IDEMPOTENCY_KEY) {
            return Ok(None);
        }
        if !route.shapes.is_kept {
            let problem = "is taken only where the answer is JSON, which alone is kept for a repeat";
            return Err(Error::invalid(IDEMPOTENCY_KEY, problem).into());
        }
        let Some(key) = IdempotencyKey::sent(&parts.headers, IDEMPOTENCY_KEY)? else { return Ok(None) };
        // What is asked of whom: the path, not its template, since the same key on two contacts is two requests, and the query
        // in whatever order its parameters stand.
        let mut query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        query.sort_unstable();
        let location = match admitted {
            Admitted::Location(context) => context.location().to_string(),
            Admitted::Agency(_) | Admitted::Either(_) => String::new(),
        };
        let path = parts.uri.path().trim_end_matches('/');
        let asked = format!("{} {path}?{} {location}", route.method, query.join("&"));
        Ok(Some(self.app.begin_idempotent(admitted.authority(), &asked, &key, body, arrival.id).await?))
    }
}

/// Of an old secret inside its overlap: since when there is a newer one, and when the overlap ends.
fn retiring(caller: &KeyCaller) -> Option<(UtcMs, UtcMs)> {
    let key = caller.key();
    match caller.slot() {
        SecretSlot::Current => None,
        SecretSlot::Previous => key.previous.as_ref().map(|previous| (key.current.created_at, previous.retires_at)),
    }
}

/// Where the input of a call in a location is read. What its rules do not ask for is not looked up, and which custom fields there
/// are only where a body names some.
pub(crate) async fn ground_in(
    app: &App,
    route: &Route,
    context: &LocationContext,
    body: &Map<String, Value>,
) -> Result<Ground, Error> {
    let agency = context.authority().agency();
    if !route.asks_where() && route.asks_fields().is_none() {
        return Ok(Ground::of_agency(Some(agency)).with_location(context.location()));
    }
    let ground =
        Ground::of_location(agency, &app.location_of(context).await?.profile).with_location(context.location());
    // Of many in one body, one that does is enough.
    let names =
        |one: &Map<String, Value>| ["customFields", "customField", "clear"].iter().any(|name| one.contains_key(*name));
    let lists = body.values().filter_map(Value::as_array).flatten();
    let names_some = names(body) || lists.filter_map(Value::as_object).any(names);
    match route.asks_fields().filter(|_| names_some) {
        Some(model) => Ok(ground.with_fields(app.fields_of(context, model).await?)),
        None => Ok(ground),
    }
}

/// A caller who may call a route, in the context that its handler takes.
enum Admitted {
    Location(LocationContext),
    Agency(AgencyContext),
    Either(Authority),
}

impl Admitted {
    fn authority(&self) -> &Authority {
        match self {
            Self::Location(context) => context.authority(),
            Self::Agency(context) => context.authority(),
            Self::Either(authority) => authority,
        }
    }

    fn with_seen(self, seen: Option<Seen>) -> Self {
        let Some(seen) = seen else { return self };
        match self {
            Self::Location(context) => Self::Location(context.with_seen(seen)),
            Self::Agency(context) => Self::Agency(context.with_seen(seen)),
            Self::Either(authority) => Self::Either(authority.with_seen(seen)),
        }
    }

    fn with_claim(self, claim: Option<Arc<Claim>>) -> Self {
        let Some(claim) = claim else { return self };
        match self {
            Self::Location(context) => Self::Location(context.with_claim(claim)),
            Self::Agency(context) => Self::Agency(context.with_claim(claim)),
            Self::Either(authority) => Self::Either(authority.with_claim(claim)),
        }
    }
}

/// What the caller says that it has seen of what it wants to change. Where that is not looked at, saying it must not pass for a
/// protection. API 1.0 never looked at it.
fn seen(route: &Route, headers: &HeaderMap) -> Result<Option<Seen>, Failure> {
    match route.seen {
        Some(read) => Ok(read(headers)),
        None if route.face == Face::V2 && route.method != Method::GET && headers.contains_key(header::IF_MATCH) => {
            Err(Error::invalid("If-Match", "is looked at only where one thing is changed").into())
        }
        None => Ok(None),
    }
}

async fn handle(route: &Route, admitted: Admitted, asked: Asked) -> Result<Reply, Failure> {
    Ok(match (&route.handler, admitted) {
        (Handler::Location(handler), Admitted::Location(context)) => handler(context, asked).await?,
        (Handler::Agency(handler), Admitted::Agency(context)) => handler(context, asked).await?,
        (Handler::Either(handler), Admitted::Either(authority)) => handler(authority, asked).await?,
        _ => unreachable!("a caller is admitted as the handler takes it"),
    })
}

impl Facts {
    /// Notes what is left of a limit; an error if the request was one too many.
    fn limit(&mut self, status: Option<RateStatus>) -> Result<(), Failure> {
        self.rate = status.or(self.rate);
        match status.and_then(|status| status.retry_after) {
            Some(wait) => Err(Error::TooManyRequests(wait).into()),
            None => Ok(()),
        }
    }
}

/// The location that a request names.
#[derive(Clone, Copy)]
enum Named {
    Nothing,
    Location(LocationId),
    /// By something that is no id, and so nobody's.
    Malformed,
    /// By a list, as in `locationId=a&locationId=b`, or another thing that is no text.
    NoText,
    /// By the query one and by the body another.
    Two,
    /// By each of its names in the query another.
    TwoInQuery,
    /// By the path one and elsewhere another.
    NotThePath,
}

/// The path's parameters, none of which is a parameter's own name: some generated clients forget to put the id in its place.
/// Where nothing depends on the id, it is as if there was none.
fn without_placeholders(route: &Route, mut params: Vec<(String, String)>) -> Result<Vec<(String, String)>, Failure> {
    let is_placeholder = |value: &str| value.len() > 2 && value.starts_with('{') && value.ends_with('}');
    if route.infers_location {
        params.retain(|(name, value)| name != "locationId" || !is_placeholder(value));
    }
    match params.iter().find(|(_, value)| is_placeholder(value)) {
        None => Ok(params),
        Some((name, value)) => {
            let message = format!("The path has {} where the {name} belongs", echo(value));
            let hint = "The client sent the name of the parameter instead of its value: some versions of the official clients do \
                        so for this call. Use another version, or put the id into the path yourself.";
            Err(Failure { hint: Some(hint.to_owned()), ..Failure::new(ErrorCode::PlaceholderInPath, message) })
        }
    }
}

/// In the path, the query or the body. On API 1.0 the key chooses.
fn named_location(
    route: &Route,
    params: &[(String, String)],
    query: &Map<String, Value>,
    body: &Map<String, Value>,
) -> Named {
    let in_path = params.iter().find(|(name, _)| name == "locationId").map(|(_, value)| value.as_str());
    let mut elsewhere = Vec::new();
    // The contract's search for opportunities calls it so.
    for (fields, name, is_body) in
        [(query, "locationId", false), (query, "location_id", false), (body, "locationId", true)]
    {
        match fields.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.trim().is_empty() => {}
            Some(Value::String(text)) => elsewhere.push((text.trim(), is_body)),
            Some(_) => return Named::NoText,
        }
    }
    if let Some(pair) = elsewhere.windows(2).find(|pair| pair[0].0 != pair[1].0) {
        return if pair[1].1 { Named::Two } else { Named::TwoInQuery };
    }
    let named = match (route.face, in_path.map(str::trim), elsewhere.first().map(|(text, _)| *text)) {
        (Face::V1, ..) => None,
        (Face::V2, Some(in_path), Some(other)) if in_path != other => return Named::NotThePath,
        (Face::V2, in_path, other) => in_path.or(other),
    };
    named.map_or(Named::Nothing, |text| LocationId::parse(text).map_or(Named::Malformed, Named::Location))
}

/// Header names of our own, made once: parsing them for every answer shows in a profile.
mod names {
    use http::HeaderName;

    pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    pub(super) const LIMIT_DAILY: HeaderName = HeaderName::from_static("x-ratelimit-limit-daily");
    pub(super) const DAILY_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-daily-remaining");
    pub(super) const INTERVAL: HeaderName = HeaderName::from_static("x-ratelimit-interval-milliseconds");
    pub(super) const MAX: HeaderName = HeaderName::from_static("x-ratelimit-max");
    pub(super) const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
    pub(super) const DAILY_RESET: HeaderName = HeaderName::from_static("x-ratelimit-daily-reset");
    pub(super) const KEY_EXPIRES_AT: HeaderName = HeaderName::from_static("keystead-key-expires-at");
    pub(super) const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
    pub(super) const SUNSET: HeaderName = HeaderName::from_static("sunset");
    pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
    pub(super) const RECOVERED: HeaderName = HeaderName::from_static("idempotent-recovered");
}

fn respond(reply: Reply, arrival: &Arrival, facts: &Facts, base_url: &str) -> Response<Payload> {
    let status = reply.status;
    let tag = reply.tag.as_ref().map(|tag| format!("\"{tag}\""));
    let more = reply.headers.clone();
    let (body, kind) = reply.finish(arrival.id.as_str());
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.reserve(16);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Ok(id) = HeaderValue::from_str(arrival.id.as_str()) {
        headers.insert(names::REQUEST_ID, id);
    }
    if let Some(rate) = facts.rate {
        if let Some(daily) = rate.daily {
            headers.insert(names::LIMIT_DAILY, daily.limit.into());
            headers.insert(names::DAILY_REMAINING, daily.remaining.into());
            headers.insert(names::DAILY_RESET, rate.daily_reset_ms.into());
        }
        if let Some(interval) = rate.interval {
            headers.insert(names::INTERVAL, HeaderValue::from_static("10000"));
            headers.insert(names::MAX, interval.limit.into());
            headers.insert(names::REMAINING, interval.remaining.into());
        }
    }
    headers.extend(more);
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    if let Some(wait) = facts.retry_after {
        headers.insert(header::RETRY_AFTER, keystead_http::retry_after(wait));
    }
    if let Some(ends_at) = facts.key_ends_at
        && let Ok(value) = HeaderValue::from_bytes(&ends_at.iso_bytes())
    {
        headers.insert(names::KEY_EXPIRES_AT, value);
    }
    if let Some((since, until)) = facts.retiring {
        say_deprecated(headers, since, until, base_url);
    }
    if let Some(repeat) = &facts.repeat {
        headers.insert(repeat, HeaderValue::from_static("true"));
    }
    if status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// That what the request was made with is replaced since, and ends: as RFC 9745 and RFC 8594 have it, for clients and proxies
/// that warn of such things by themselves.
fn say_deprecated(headers: &mut HeaderMap, since: UtcMs, until: UtcMs, base_url: &str) {
    let fields = [
        (names::DEPRECATION, format!("@{}", since.0.div_euclid(1_000))),
        (names::SUNSET, until.to_http_date()),
        (header::LINK, format!("<{base_url}/docs/api-keys>; rel=\"deprecation\"; type=\"text/html\"")),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.append(name, value);
        }
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
