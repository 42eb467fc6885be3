//! What every page has: headers that browsers enforce, and the refusal of requests that other sites make, that are too
//! many or too large, or that no database could take.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use keystead_core::{Error, ErrorCode, Source};
use keystead_http::{
    Admission, Answered, Arrival, BodyError, Crowded, Form, FormError, Names, Party, read_body, read_form,
};

use crate::{
    FILE_FORMS, OPEN_FORMS, Web,
    failure::{self, Failure, Lost},
    flash,
    kept::{Kept, SentForm},
    place, sessions,
};

/// No inline script or style, no other host, no frame.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Bytes of a form that anybody may send.
pub(crate) const OPEN_FORM_LIMIT: usize = 64 * 1024;
/// Bytes of a form of whoever is signed in. The longest of ours is a note of 65,000 characters, each of which may be nine bytes there.
const FORM_LIMIT: usize = 640 * 1024;

/// A sign-in has a queue of its own, bounded for each source, and waits so that all refusals take equally long: meanwhile it must
/// not keep a place from pages.
const SIGN_IN: &str = "POST /app/sign-in";

pub(crate) async fn guard(State(web): State<Web>, request: Request<Body>, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let has_flash = flash::is_carried(&web, request.headers());
    let page = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = page.and_then(|page| crate::endpoint(request.method(), page));
    // For a page of what went wrong, which is made when the request is gone.
    let asked = (!is_asset).then(|| asked(&request));
    let admitted = admitted(&web, request).await;
    let sent = admitted.as_ref().ok().and_then(|request| request.extensions().get::<SentForm>()).cloned();
    let (mut response, waited) = match admitted {
        Ok(request) if is_asset || route == Some(SIGN_IN) => (next.run(request).await, Duration::ZERO),
        Ok(request) => match in_turn(&web.admission, request, next).await {
            Ok(made) => made,
            Err(_) => (Failure::from(Error::Overloaded(Crowded::COME_BACK)).into_response(), Duration::ZERO),
        },
        Err(refusal) => (refusal, Duration::ZERO),
    };
    let lost = response.extensions_mut().remove::<Lost>();
    if let (Some(Lost { next }), Some(asked), Some(sent)) = (lost, &asked, &sent)
        && let Some(kept) = Kept::of(&web, asked, sent)
    {
        response = sessions::sign_in_keeping(next, kept);
    }
    if let Some(asked) = asked {
        response = failure::in_shell(&web, asked, response, sent.as_ref()).await;
    }
    if has_flash {
        flash::forget(&web, &mut response);
    }
    let code = response.extensions_mut().remove::<ErrorCode>();
    response.extensions_mut().insert(Answered { route, code, key: None, waited });
    let headers = response.headers_mut();
    // A page that is shown in one of ours says so in a policy of its own.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    if !is_asset {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    say_always(&web, headers);
    response
}

/// What every answer says, whoever it is for.
pub(crate) fn say_always(web: &Web, headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if web.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// A request without its body.
pub(crate) fn asked(request: &Request<Body>) -> http::request::Parts {
    let mut parts = Request::new(()).into_parts().0;
    parts.method.clone_from(request.method());
    parts.uri.clone_from(request.uri());
    parts.headers.clone_from(request.headers());
    parts.extensions.clone_from(request.extensions());
    parts
}

/// The request with its form read, if it may go on.
async fn admitted(web: &Web, request: Request<Body>) -> Result<Request<Body>, Response> {
    if request.uri().query().is_some_and(|query| has_nul(query.as_bytes())) {
        return Err(Failure::from(Error::invalid("the address", "must not contain NUL characters")).into_response());
    }
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return Ok(request);
    }
    if !is_from_here(request.headers(), &web.base_url) {
        let text = "This request does not come from a page of this site, so it was not carried out. Programs use the API: /docs\n";
        return Err((StatusCode::FORBIDDEN, text).into_response());
    }
    // Before anything is read: what strangers may send is counted, not parsed.
    if let (true, Some(arrival)) = (is_open(&request), request.extensions().get::<Arrival>())
        && arrival.address_is_own
    {
        web.app.count_of_stranger("form", arrival.address).map_err(|error| Failure::from(error).into_response())?;
    }
    if let Some(bytes) = file_bytes(&request) {
        return Ok(with_files(web, request, bytes).await);
    }
    let limit =
        if !is_open(&request) && may_be_long(web, request.headers()).await { FORM_LIMIT } else { OPEN_FORM_LIMIT };
    with_form(request, limit).await.map_err(|unread| match unread {
        Unread::Body(BodyError::TooLarge) => {
            failure::not_taken(ErrorCode::BodyTooLarge, "What was sent is longer than any form of ours.")
        }
        Unread::Body(BodyError::TooSlow) => {
            failure::not_taken(ErrorCode::RequestTimeout, "The form did not arrive in time.")
        }
        Unread::Body(BodyError::NoRoom) => Failure::from(Error::Overloaded(Crowded::COME_BACK)).into_response(),
        Unread::Body(BodyError::Broken) => {
            failure::not_taken(ErrorCode::MalformedBody, "The form did not arrive whole.")
        }
        Unread::Nul => Failure::from(Error::invalid("the form", "must not contain NUL characters")).into_response(),
    })
}

/// Why a form was not read.
pub(crate) enum Unread {
    /// It did not come in.
    Body(BodyError),
    /// It holds what no database takes.
    Nul,
}

/// The request with its form read, which may have so many bytes: before there is a place to work, which must not be held while
/// somebody sends it.
pub(crate) async fn with_form(request: Request<Body>, limit: usize) -> Result<Request<Body>, Unread> {
    let (mut parts, body) = request.into_parts();
    let form = read_body(body, limit).await.map_err(Unread::Body)?;
    if has_nul(&form) {
        return Err(Unread::Nul);
    }
    let form = form.into_bytes();
    parts.extensions.insert(SentForm(form.clone()));
    Ok(Request::from_parts(parts, Body::from(form)))
}

/// Whether a form says that it is longer than anybody's, and is that of somebody who is signed in.
async fn may_be_long(web: &Web, headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let is_long = length.is_some_and(|length: usize| length > OPEN_FORM_LIMIT);
    is_long && matches!(place::session(web, headers).await, Ok(Some(_)))
}

/// A form with files, read before its page has a place to work, which must not be held while somebody sends them.
#[derive(Clone)]
pub(crate) struct FileForm(Arc<Mutex<Option<Result<Form, FormError>>>>);

impl FileForm {
    /// The form, once.
    pub(crate) fn take(&self) -> Result<Form, FormError> {
        let form = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        form.unwrap_or_else(|| Err(FormError::Malformed("it was read before".to_owned())))
    }
}

/// How many bytes of files the form of a page may bring.
fn file_bytes(request: &Request<Body>) -> Option<u64> {
    let page = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str)?;
    FILE_FORMS.iter().find(|(known, _)| *known == page).map(|(_, bytes)| *bytes)
}

/// The request with its form read, of whoever is signed in. From others nothing is taken: the page leads them to the sign-in.
async fn with_files(web: &Web, request: Request<Body>, bytes: u64) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    if matches!(place::session(web, &parts.headers).await, Ok(Some(_))) {
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let form = read_form(body, kind, bytes, Names::Refused).await;
        parts.extensions.insert(FileForm(Arc::new(Mutex::new(Some(form)))));
    }
    Request::from_parts(parts, Body::empty())
}

/// Makes the page when there is a place to work, and tells how long it waited for that.
pub(crate) async fn in_turn(
    admission: &Admission,
    request: Request<Body>,
    next: Next,
) -> Result<(Response, Duration), Crowded> {
    let source = request.extensions().get::<Arrival>().map(|arrival| Source::of(arrival.address));
    let place = match source {
        Some(source) => admission.enter(Party::Source(source)).await.map(Some),
        None => Ok(None),
    };
    match place {
        Ok(place) => {
            let waited = place.as_ref().map(|place| place.waited).unwrap_or_default();
            Ok((next.run(request).await, waited))
        }
        Err(crowded) => {
            admission.hold_back(Some(crowded)).await;
            Err(crowded)
        }
    }
}

/// Whether it asks for a page that needs no sign-in.
fn is_open(request: &Request<Body>) -> bool {
    let page = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    page.is_none_or(|page| OPEN_FORMS.contains(&page))
}

/// Whether an address or a form holds the one character that databases do not take, as it is or encoded.
pub(crate) fn has_nul(bytes: &[u8]) -> bool {
    bytes.contains(&0) || bytes.windows(3).any(|three| three == b"%00")
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
