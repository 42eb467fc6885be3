//! What every page has: headers that browsers enforce, and the refusal of requests that other sites make.

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{Web, flash};

/// No inline script or style, no other host, no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) async fn guard(State(web): State<Web>, request: Request<Body>, next: Next) -> Response {
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    let is_asset = request.uri().path().starts_with("/assets/");
    if changes && !is_from_here(request.headers(), &web.base_url) {
        return (StatusCode::FORBIDDEN, "This request came from another site, so it was not carried out.\n")
            .into_response();
    }
    let has_flash = flash::is_carried(&web, request.headers());
    let mut response = next.run(request).await;
    if has_flash {
        flash::forget(&web, &mut response);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    if !is_asset {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if web.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// Browsers say where a request comes from; a program that says nothing has no cookie to abuse, so it must say it.
fn is_from_here(headers: &HeaderMap, base_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text("origin") else { return false };
    let host = text("host").unwrap_or_default();
    origin == base_url || origin.strip_prefix("http://") == Some(host) || origin.strip_prefix("https://") == Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_here(pairs: &[(&'static str, &str)]) -> bool {
        let headers =
            pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect();
        is_from_here(&headers, "https://crm.example")
    }

    #[test]
    fn only_the_own_origin_may_change_things() {
        assert!(from_here(&[("sec-fetch-site", "same-origin")]));
        assert!(!from_here(&[("sec-fetch-site", "same-site")]));
        assert!(!from_here(&[("sec-fetch-site", "cross-site"), ("origin", "https://crm.example")]));
        assert!(!from_here(&[("sec-fetch-site", "none")]));
        assert!(from_here(&[("origin", "https://crm.example")]));
        assert!(from_here(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(!from_here(&[("origin", "https://evil.example"), ("host", "crm.example")]));
        assert!(!from_here(&[("origin", "null")]));
        assert!(!from_here(&[]));
    }
}
