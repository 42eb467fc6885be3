//! Which face answers a request: operations, the web app, or the APIs.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version, header, uri::Authority};
use keystead_api::Api;
use keystead_core::{App, Figure, spent, tally::Happening};
use keystead_http::{Admission, Answered, Arrival, Arrivals, Face, Metrics, RequestBody, Requests, expose};
use keystead_model::KeyId;
use subtle::ConstantTimeEq;

use crate::machine::Machine;

/// All faces of an instance.
pub struct Faces {
    /// The application.
    pub app: App,
    /// API 1.0 and 2.0.
    pub api: Arc<Api>,
    /// The web app and the documentation.
    pub web: axum::Router,
    /// Ids and client addresses.
    pub arrivals: Arrivals,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whose turn it is where programs wait.
    pub requests: Arc<Requests>,
    /// Whose turn it is where pages wait.
    pub pages: Arc<Admission>,
    /// Whose turn it is where strangers wait.
    pub strangers: Arc<Admission>,
    /// Whether the server is about to stop.
    pub(crate) draining: AtomicBool,
    /// The process and its disk.
    pub(crate) machine: Machine,
    /// Token of `/metrics`.
    pub metrics_token: Option<String>,
    /// Whether to log every request.
    pub log_requests: bool,
}

/// What operators ask.
const OPERATIONS: [&str; 3] = ["GET /healthz", "GET /readyz", "GET /metrics"];

/// All routes that there are, for those who count.
pub fn endpoints() -> impl Iterator<Item = (Face, &'static str)> {
    let api = keystead_api::routes().into_iter().map(|route| (Face::Api, route.endpoint));
    let web = keystead_web::endpoints().map(|page| (Face::Web, page));
    api.chain(web).chain(OPERATIONS.map(|route| (Face::Operations, route)))
}

/// A request that took longer is told to the operator, with what it was and where its time went.
const SLOW: Duration = Duration::from_secs(1);

impl Faces {
    /// From now on the server is not ready, and lets each connection end with its next answer.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Answers one request.
    pub async fn call(self: Arc<Self>, request: Request<RequestBody>, peer: SocketAddr) -> Response<Body> {
        let begun = Instant::now();
        let arrival = self.arrivals.arrive(peer.ip(), request.headers());
        let face = face_of(request.uri().path());
        let request = if face == Face::Api { request } else { without_slash(request) };
        let method = self.log_requests.then(|| request.method().clone());
        // Boxed at once: what answers is some 8 kB, and a future is moved several times on its way to whoever polls it.
        let answer = Box::pin(self.answer(face, request, &arrival));
        let ((mut response, answered), spent) = spent::counting(answer).await;
        if self.draining.load(Relaxed) {
            // Said while whoever keeps the connection hears it: one that is closed under a request loses it.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let took = begun.elapsed();
        let status = response.status().as_u16();
        self.metrics.answered(face, &answered, status, took);
        // Of its address only the template: what stands in it may be a token, or somebody's.
        let Answered { route, key, waited, .. } = answered;
        let key = key.as_ref().map(KeyId::as_str);
        if let Some(method) = method {
            tracing::info!(
                request = arrival.id.as_str(), %method, route, key, status, address = %arrival.address,
                micros = took.as_micros(), "request"
            );
        }
        const WHAT: &str = "a slow request";
        if took > SLOW && Happening::new(WHAT, "slow").is_told_up_to(20) {
            tracing::warn!(
                request = arrival.id.as_str(),
                route,
                key,
                status,
                millis = millis(took),
                waited_millis = millis(waited),
                queue_millis = millis(spent.queued),
                database_millis = millis(spent.worked),
                "{WHAT}"
            );
        }
        response
    }

    async fn answer(&self, face: Face, request: Request<RequestBody>, arrival: &Arrival) -> (Response<Body>, Answered) {
        if !names_one_host(&request) {
            let text = "The request must have one Host header; only HTTP/1.0 may do without.\n";
            return (plain(StatusCode::BAD_REQUEST, text), Answered::default());
        }
        match face {
            Face::Api => {
                let (response, answered) = self.api.call(request, *arrival).await;
                (response.map(Body::new), answered)
            }
            // Boxed, so that the future of an API request stays small.
            Face::Web => {
                let mut response = Box::pin(self.web(request, *arrival)).await;
                let answered = response.extensions_mut().remove().unwrap_or_default();
                (response, answered)
            }
            Face::Operations => {
                let route = OPERATIONS.into_iter().find(|route| route.ends_with(request.uri().path()));
                (Box::pin(self.operations(&request)).await, Answered { route, ..Answered::default() })
            }
        }
    }

    async fn web(&self, mut request: Request<RequestBody>, arrival: Arrival) -> Response<Body> {
        request.extensions_mut().insert(arrival);
        let mut router = self.web.clone();
        let response = tower_service::Service::call(&mut router, request.map(Body::new)).await;
        let mut response = response.unwrap_or_else(|never| match never {});
        if let Ok(id) = HeaderValue::from_str(arrival.id.as_str()) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }

    async fn operations(&self, request: &Request<RequestBody>) -> Response<Body> {
        match request.uri().path() {
            "/healthz" => plain(StatusCode::OK, "ok\n"),
            "/readyz" if self.draining.load(Relaxed) => {
                plain(StatusCode::SERVICE_UNAVAILABLE, "the server is about to stop\n")
            }
            "/readyz" => match self.app.ready().await {
                Ok(degraded) if degraded.is_empty() => plain(StatusCode::OK, "ready\n"),
                // What still works is better than what another server could do with the same database.
                Ok(degraded) => plain(StatusCode::OK, format!("degraded\n{}\n", degraded.join("\n"))),
                Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
            },
            _ if self.may_read_metrics(request) => {
                let mut response = Response::new(Body::from(expose(self.figures().await)));
                let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
            _ => plain(StatusCode::NOT_FOUND, "not found\n"),
        }
    }

    /// Everything that is measured.
    async fn figures(&self) -> Vec<Figure> {
        let mut figures = self.app.figures().await;
        figures.extend(self.metrics.figures());
        figures.extend(self.requests.reads.figures("reads"));
        figures.extend(self.requests.writes.figures("writes"));
        figures.extend(self.pages.figures("pages"));
        figures.extend(self.strangers.figures("strangers"));
        figures.extend(self.machine.figures());
        figures
    }

    fn may_read_metrics(&self, request: &Request<RequestBody>) -> bool {
        let Some(token) = &self.metrics_token else { return false };
        let sent =
            request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        sent.is_some_and(|sent| sent.ct_eq(token.as_bytes()).into())
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// Whether it is clear whom the request is for. Balancers ask after our health by HTTP/1.0, which knows no hosts.
fn names_one_host(request: &Request<RequestBody>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.as_bytes().is_empty() || Authority::try_from(host.as_bytes()).is_ok(),
        (None, _) => request.version() < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// The app lives under `/app`, the documentation under `/docs`, what is there for strangers under a letter; everything else is the
/// wire contract's.
fn face_of(path: &str) -> Face {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match first {
        "healthz" | "readyz" | "metrics" => Face::Operations,
        "" | "app" | "docs" | "assets" | "favicon.ico" | "robots.txt" | "l" | "f" | "hooks" => Face::Web,
        _ => Face::Api,
    }
}

/// The same request without a slash at the end of its path: both forms are one. The API sees to that itself, since it tells in its
/// answers what was asked for.
fn without_slash(mut request: Request<RequestBody>) -> Request<RequestBody> {
    let uri = request.uri();
    let Some(path) = uri.path().strip_suffix('/').filter(|path| !path.is_empty()) else { return request };
    let whole = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = whole.try_into().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

fn plain(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
