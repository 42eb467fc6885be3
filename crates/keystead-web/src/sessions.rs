//! Sign-in, sign-out, one's own account.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, StatusCode, header};
use keystead_core::SessionToken;
use serde::Deserialize;

use crate::{
    Web,
    failure::Failure,
    flash::{Done, Flash, lead},
    form::{Fields, Problems},
    page::{Frame, render, render_with},
    place::{Guest, Visitor, cookie_name, facts},
};

#[derive(Template)]
#[template(path = "sessions/sign_in.html")]
struct SignIn {
    frame: Frame,
    next: String,
    /// Whether the session ended when something was to be done.
    lost: bool,
    email: String,
    problems: Problems,
}

#[derive(Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
    lost: Option<String>,
}

/// Only pages of this app: everything else would make the sign-in a springboard to other sites.
fn safe_next(next: Option<String>) -> String {
    let is_ours = |next: &String| {
        (next == "/app" || next.starts_with("/app/"))
            && !next.contains(['\\', '\r', '\n', '\t'])
            && !next.contains("//")
    };
    next.filter(is_ours).unwrap_or_else(|| "/app".to_owned())
}

pub(crate) async fn form(State(web): State<Web>, Query(query): Query<Next>, guest: Guest) -> Result<Response, Failure> {
    if web.app.needs_setup().await? {
        return Ok(Redirect::to("/app/setup").into_response());
    }
    let (next, lost) = (safe_next(query.next), query.lost.is_some());
    if crate::place::session(&web, &guest.headers).await?.is_some() {
        return Ok(back(&web, &next, lost));
    }
    let frame = Frame::bare("Sign in").saying(Flash::of(&web, &guest.headers));
    Ok(render(&SignIn { frame, next, lost, email: String::new(), problems: Problems::default() }))
}

/// To the page that somebody came from, which says whether something was lost.
fn back(web: &Web, next: &str, lost: bool) -> Response {
    if lost { lead(web, next, Done::Nothing, "") } else { Redirect::to(next).into_response() }
}

pub(crate) async fn sign_in(
    State(web): State<Web>,
    guest: Guest,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::from(pairs);
    let (next, lost) = (safe_next(fields.text("next").map(str::to_owned)), fields.text("lost").is_some());
    let (email, password) = (fields.text("email").unwrap_or_default(), fields.raw("password").unwrap_or_default());
    match web.app.sign_in(email, password, &facts(&guest.arrival, &guest.headers)).await {
        Ok(signed_in) => Ok(with_cookie(&web, &signed_in.token, back(&web, &next, lost))),
        Err(error) => {
            let mut problems = Problems::default();
            problems.take(error)?;
            let page = SignIn { frame: Frame::bare("Sign in"), next, lost, email: fields.shown("email"), problems };
            Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// The answer with the session's cookie.
pub(crate) fn with_cookie(web: &Web, token: &SessionToken, mut response: Response) -> Response {
    let secure = if web.is_https() { "; Secure" } else { "" };
    let age = keystead_model::session::SESSION_MS / 1000;
    let cookie =
        format!("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", cookie_name(web), token.expose());
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Nobody is signed out by a link: whoever comes here by one is led to where they belong.
pub(crate) async fn still_here(_: Visitor) -> Redirect {
    Redirect::to("/app")
}

pub(crate) async fn sign_out(State(web): State<Web>, visitor: Visitor) -> Result<Response, Failure> {
    web.app.sign_out(&visitor.signed_in).await?;
    let mut response = lead(&web, "/app/sign-in", Done::SignedOut, "");
    let secure = if web.is_https() { "; Secure" } else { "" };
    let cookie = format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}", cookie_name(&web));
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

#[derive(Template)]
#[template(path = "sessions/account.html")]
struct Account {
    frame: Frame,
    name: String,
    email: String,
    role: &'static str,
    is_operator: bool,
    problems: Problems,
}

fn account_page(visitor: &Visitor, problems: Problems) -> Account {
    let user = &visitor.signed_in.user;
    Account {
        frame: Frame::bare("Your account").saying(visitor.flash.clone()),
        name: user.display_name(),
        email: user.email.as_str().to_owned(),
        role: user.role.title(),
        is_operator: user.is_operator,
        problems,
    }
}

pub(crate) async fn account(visitor: Visitor) -> Response {
    render(&account_page(&visitor, Problems::default()))
}

pub(crate) async fn change_password(
    State(web): State<Web>,
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::from(pairs);
    let (old, new) = (fields.raw("current").unwrap_or_default(), fields.raw("password").unwrap_or_default());
    match web.app.change_password(&visitor.signed_in, old, new, &visitor.facts()).await {
        Ok(token) => Ok(with_cookie(&web, &token, lead(&web, "/app/account", Done::PasswordChanged, ""))),
        Err(error) => {
            let mut problems = Problems::default();
            problems.take(error)?;
            Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &account_page(&visitor, problems)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn a_sign_in_leads_only_to_pages_of_the_app() {
        for ours in ["/app", "/app/agency/locations?x=1"] {
            assert_eq!(safe_next(Some(ours.to_owned())), ours);
        }
        for theirs in [
            "https://evil.example",
            "//evil.example",
            "/\\evil",
            "/application",
            "/app//evil.example",
            "javascript:x",
            "/app/\r\nX: y",
        ] {
            assert_eq!(safe_next(Some(theirs.to_owned())), "/app", "{theirs}");
        }
    }
}
