//! Sign-in, sign-out, one's own account.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::HeaderMap;
use keystead_core::{Credentials, SignedIn};
use keystead_model::{
    AgencyId,
    key_secret::{contains_secret, mask_keys},
};
use serde::Deserialize;

use crate::{
    Web,
    cookies::Cookie,
    failure::Failure,
    flash::{Done, Flash, lead},
    form::{Fields, Problems},
    page::{Frame, render},
    place::{Guest, Visitor, facts},
};

#[derive(Template)]
#[template(path = "sessions/sign_in.html")]
struct SignIn {
    frame: Frame,
    next: String,
    /// Whether the session ended when something was to be done.
    lost: bool,
    /// Of whoever is a member of several agencies: the one that the address names.
    agency: Option<AgencyId>,
    email: String,
    problems: Problems,
}

#[derive(Deserialize)]
pub(crate) struct SignInQuery {
    next: Option<String>,
    lost: Option<String>,
    agency: Option<String>,
}

/// Only pages of this app: everything else would make the sign-in a springboard to other sites.
pub(crate) fn safe_next(next: Option<String>) -> String {
    let is_ours = |next: &String| {
        (next == "/app" || next.starts_with("/app/"))
            // An address holds only visible ASCII: anything else never came from a page of ours.
            && next.bytes().all(|byte| byte.is_ascii_graphic())
            && !next.contains('\\')
            && !next.contains("//")
            && !next.contains("%00")
            // It would stand in one more history and one more log.
            && !contains_secret(next)
    };
    next.filter(is_ours).unwrap_or_else(|| "/app".to_owned())
}

pub(crate) async fn form(
    State(web): State<Web>,
    Query(query): Query<SignInQuery>,
    guest: Guest,
) -> Result<Response, Failure> {
    if web.app.needs_setup().await? {
        return Ok(Redirect::to("/app/setup").into_response());
    }
    let (next, lost) = (safe_next(query.next), query.lost.is_some());
    if crate::place::session(&web, &guest.headers).await?.is_some() {
        return Ok(back(&web, &next, lost));
    }
    let frame = Frame::bare("Sign in").saying(Flash::of(&web, &guest.headers));
    let agency = query.agency.as_deref().and_then(AgencyId::parse);
    Ok(render(&SignIn { frame, next, lost, agency, email: String::new(), problems: Problems::default() }))
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
    let agency = fields.text("agency").and_then(AgencyId::parse);
    let credentials = Credentials {
        email: fields.text("email").unwrap_or_default(),
        password: fields.raw("password").unwrap_or_default(),
        agency,
        browser: Cookie::Browser.of(&web, &guest.headers),
    };
    match web.app.sign_in(credentials, &facts(&guest.arrival, &guest.headers)).await {
        Ok(signed_in) => Ok(begun(&web, &guest.headers, &signed_in, back(&web, &next, lost))),
        Err(error) => {
            let mut problems = Problems::default();
            problems.take(error)?;
            // A key that was pasted into the wrong field is not shown.
            let (frame, email) = (Frame::bare("Sign in"), mask_keys(&fields.shown("email")).into_owned());
            let page = SignIn { frame, next, lost, agency, email, problems };
            Ok(page.problems.shown_in(&page))
        }
    }
}

/// How long a browser is known, in seconds.
const BROWSER_SECONDS: i64 = 400 * 24 * 60 * 60;

/// The answer for somebody who has just signed in with a browser that sent `headers`.
pub(crate) fn begun(web: &Web, headers: &HeaderMap, signed_in: &SignedIn, mut response: Response) -> Response {
    Cookie::Session.set(web, &mut response, signed_in.token.expose(), keystead_model::session::SESSION_MS / 1000);
    let known = web.app.remember_browser(Cookie::Browser.of(web, headers), signed_in.user.id);
    Cookie::Browser.set(web, &mut response, &known, BROWSER_SECONDS);
    response
}

/// Nobody is signed out by a link: whoever comes here by one is led to where they belong.
pub(crate) async fn still_here(_: Visitor) -> Redirect {
    Redirect::to("/app")
}

pub(crate) async fn sign_out(State(web): State<Web>, visitor: Visitor) -> Result<Response, Failure> {
    web.app.sign_out(&visitor.signed_in).await?;
    let mut response = lead(&web, "/app/sign-in", Done::SignedOut, "");
    Cookie::Session.set(&web, &mut response, "", 0);
    Ok(response)
}

#[derive(Template)]
#[template(path = "sessions/account.html")]
struct Account {
    frame: Frame,
    name: String,
    email: String,
    role: &'static str,
    agency: String,
    /// Where they sign in to this agency, whatever others they are a member of.
    sign_in_url: String,
    is_operator: bool,
    problems: Problems,
}

fn account_page(web: &Web, visitor: &Visitor, problems: Problems) -> Account {
    let user = &visitor.signed_in.user;
    Account {
        frame: Frame::bare("Your account").saying(visitor.flash.clone()),
        name: user.display_name(),
        email: user.email.as_str().to_owned(),
        role: user.role.title(),
        agency: visitor.signed_in.agency.profile.name.to_string(),
        sign_in_url: format!("{}/app/sign-in?agency={}", web.base_url, user.agency),
        is_operator: user.is_operator,
        problems,
    }
}

pub(crate) async fn account(State(web): State<Web>, visitor: Visitor) -> Response {
    render(&account_page(&web, &visitor, Problems::default()))
}

pub(crate) async fn change_password(
    State(web): State<Web>,
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::from(pairs);
    let (old, new) = (fields.raw("current").unwrap_or_default(), fields.raw("password").unwrap_or_default());
    match web.app.change_password(&visitor.signed_in, old, new, &visitor.facts()).await {
        Ok(signed_in) => {
            let done = lead(&web, "/app/account", Done::PasswordChanged, "");
            Ok(begun(&web, &visitor.headers, &signed_in, done))
        }
        Err(error) => {
            let mut problems = Problems::default();
            problems.take(error)?;
            let page = account_page(&web, &visitor, problems);
            Ok(page.problems.shown_in(&page))
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
            "/app/\0",
            "/app/?q=%00",
            "/app/a b",
            "/app/\u{1}",
            "/app/\u{e9}",
        ] {
            assert_eq!(safe_next(Some(theirs.to_owned())), "/app", "{theirs}");
        }
    }
}
