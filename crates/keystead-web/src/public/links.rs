//! Where trigger links are opened.

use std::collections::HashMap;

use askama::Template;
use axum::{
    body::Body,
    extract::{FromRequestParts, Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use keystead_core::{ErrorCode, Led, Means, Opening};
use keystead_http::Arrival;
use keystead_model::click::{Greeting, Hit, greet};

use crate::{
    Web,
    page::{Frame, render},
    public::{Said, text},
};

/// `/l/{slug}`, and `/l/{slug}/{token}` for somebody who is known.
pub(crate) async fn follow(State(web): State<Web>, request: Request<Body>) -> Response {
    let (mut parts, _) = request.into_parts();
    let text = |name: &str| text(&parts.headers, name);
    match greet(text) {
        Greeting::Hit => {}
        Greeting::Ahead => return not_ahead(),
        Greeting::Office => return once_more(),
    }
    let means = match parts.method {
        Method::GET => Means::Get,
        Method::POST => Means::Post,
        _ => Means::Other,
    };
    let hit = Hit::of(means != Means::Other, web.is_https(), text);
    let referrer = text("referer").and_then(site).map(str::to_owned);
    let Some(arrival) = parts.extensions.get::<Arrival>().copied() else { return Said::Nothing.into_response() };
    let Ok(Path(mut names)) = Path::<HashMap<String, String>>::from_request_parts(&mut parts, &web).await else {
        return Said::Nothing.into_response();
    };
    let Some(slug) = names.remove("slug") else { return Said::Nothing.into_response() };
    let (address, address_is_own) = (arrival.address, arrival.address_is_own);
    let token = names.remove("token");
    match web.app.follow_link(Opening { slug, token, means, hit, address, address_is_own, referrer }).await {
        Ok(Led::To(url)) => led_to(&url),
        Ok(Led::ByButton(url)) => by_button(&url),
        Ok(Led::Over) => Said::Over.into_response(),
        Ok(Led::Later(wait)) => Said::Later(ErrorCode::Overloaded, wait).into_response(),
        Ok(Led::Nowhere) => Said::Nothing.into_response(),
        Err(error) => Said::of(error).into_response(),
    }
}

/// The site of an address.
fn site(address: &str) -> Option<&str> {
    let (_, after) = address.split_once("://")?;
    after.split(['/', '?', '#', '@']).next().filter(|site| !site.is_empty())
}

fn led_to(url: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(url) else { return Said::Nothing.into_response() };
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// A browser that loads ahead keeps what it is led to, and would not come here when it is meant. So it is told to come again.
fn not_ahead() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::VARY, "Sec-Purpose, Purpose, X-Moz, X-Purpose")]).into_response()
}

/// An office program follows where it is led, and hands that to a browser. A page that asks for itself again is handed over as it
/// is, so the browser comes here.
fn once_more() -> Response {
    let page = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0\">\
                <title>One moment</title></head><body></body></html>";
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

#[derive(Template)]
#[template(path = "public/confirm.html")]
struct Confirm<'u> {
    frame: Frame,
    site: &'u str,
}

/// A page with one button, which no program presses that only looks at what a link leads to.
fn by_button(url: &str) -> Response {
    // The answer to the form leads to another site, which a browser takes for a part of sending it.
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' http: https:; \
                          base-uri 'none'; frame-ancestors 'none'";
    let site = site(url).unwrap_or_default();
    let mut response = render(&Confirm { frame: Frame::bare("One more step"), site });
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}
