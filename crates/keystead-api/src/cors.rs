//! Pages of other sites: which of them may use a key, and what a browser is told before and after.
//!
//! A browser keeps an answer from a page that may not have it, but only once the request has had its effect: so what a key's
//! list lacks is refused before (`ApiKey::admits_origin`).

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;

use crate::reply::Payload;

/// The methods that pages may use.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// The headers that pages may send, by name: `*` would not stand for `Authorization`.
const HEADERS: &str = "authorization, content-type, version, idempotency-key, if-match, if-none-match";
/// The headers that pages may read.
const EXPOSED: &str = "X-RateLimit-Limit-Daily, X-RateLimit-Daily-Remaining, X-RateLimit-Interval-Milliseconds, X-RateLimit-Max, \
                       X-RateLimit-Remaining, X-RateLimit-Daily-Reset, Retry-After, X-Request-Id, ETag, Keystead-Key-Expires-At";
/// Seconds for which a browser need not ask again.
const REMEMBERED: &str = "600";

/// The site whose page has sent a request, if it is another one's than `own`. What is no text, or comes twice, is a site that is on
/// no list.
pub(crate) fn origin<'r>(headers: &'r HeaderMap, own: &str) -> Option<&'r str> {
    let mut sent = headers.get_all(header::ORIGIN).iter();
    let first = sent.next()?;
    let text = if sent.next().is_none() { first.to_str().unwrap_or_default() } else { "" };
    (text != own).then_some(text)
}

/// Whether a browser asks what it may send, before it sends that.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a browser is told that has asked. Nothing else is looked at: neither a key, nor whether there is such a route.
pub(crate) fn permitted(origin: &str) -> Response<Payload> {
    let mut response = Response::new(Payload::Left(Full::default()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let told = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        (header::VARY, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ];
    allow(headers, origin);
    headers.extend(told.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// Lets a page of `origin` read the answer.
pub(crate) fn expose(headers: &mut HeaderMap, origin: &str) {
    allow(headers, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

fn allow(headers: &mut HeaderMap, origin: &str) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}
