//! Sign-in, sign-out, one's own account.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use keystead_core::{Credentials, SignedIn};
use keystead_model::{
    AgencyId,
    key_secret::{contains_secret, mask_keys},
    session::OpenSession,
    text::echo,
    user::User,
};
use serde::Deserialize;

use crate::{
    Web,
    choices::time_zone,
    cookies::Cookie,
    failure::Failure,
    flash::{Done, Flash, lead},
    form::{Field, Fields, Form, new_password},
    kept::{self, Kept},
    page::{Frame, render, render_with},
    place::{Guest, Visitor, facts},
    show,
    zone::{self, Clock},
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
    form: Form,
    /// What was to be done.
    kept: Option<Kept>,
}

fn sign_in_fields() -> Vec<Field> {
    vec![
        Field::typed("email", "email", "E-mail address")
            .needed("Enter your e-mail address")
            .with("autocomplete=username autofocus"),
        Field::typed("password", "password", "Password")
            .needed("Enter your password")
            .with("autocomplete=current-password"),
    ]
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
            && !next.contains("/.")
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
    let form = Form::new(sign_in_fields(), Fields::default());
    Ok(render(&SignIn { frame, next, lost, agency, form, kept: None }))
}

/// The page for somebody whose session ended while they sent something, which waits in it.
pub(crate) fn sign_in_keeping(next: String, kept: Kept) -> Response {
    let form = Form::new(sign_in_fields(), Fields::default());
    let frame = Frame::bare("Sign in");
    let page = SignIn { frame, next: safe_next(Some(next)), lost: true, agency: None, form, kept: Some(kept) };
    render_with(StatusCode::UNAUTHORIZED, &page)
}

/// To the page that somebody came from, which says whether something was lost.
fn back(web: &Web, next: &str, lost: bool) -> Response {
    if lost { lead(web, next, Done::Nothing, "") } else { Redirect::to(next).into_response() }
}

pub(crate) async fn sign_in(State(web): State<Web>, guest: Guest, sent: Fields) -> Result<Response, Failure> {
    let mut form = Form::new(sign_in_fields(), sent);
    let (next, lost) = (safe_next(form.text("next").map(str::to_owned)), form.is_checked("lost"));
    let agency = form.text("agency").and_then(AgencyId::parse);
    let email = form.read("email", |text| Ok(text.to_owned()));
    let typed = email.zip(form.read_password("password"));
    let sign_in = async |(email, password): (String, String)| {
        let browser = Cookie::Browser.of(&web, &guest.headers);
        let credentials = Credentials { email: &email, password: &password, agency, browser };
        web.app.sign_in(credentials, &facts(&guest.arrival, &guest.headers)).await
    };
    let signed_in = form.run_with(typed, sign_in).await?;
    let kept = Kept::sent_with(&form.sent);
    if let Some(signed_in) = signed_in {
        let question = kept.and_then(|kept| kept.question(signed_in.user.id, next.clone()));
        let onward = question.unwrap_or_else(|| back(&web, &next, lost));
        return Ok(begun(&web, &guest.headers, &signed_in, onward));
    }
    // A key that was pasted into the wrong field is not shown.
    form.put("email", mask_keys(&form.sent.shown("email")).into_owned());
    let page = SignIn { frame: Frame::bare("Sign in"), next, lost, agency, form, kept };
    Ok(page.form.again(&page))
}

/// How long a browser is known, in seconds.
const BROWSER_SECONDS: i64 = 400 * 24 * 60 * 60;

/// The answer for somebody who has just signed in with a browser that sent `headers`.
pub(crate) fn begun(web: &Web, headers: &HeaderMap, signed_in: &SignedIn, mut response: Response) -> Response {
    Cookie::Session.set(web, &mut response, signed_in.token.expose(), keystead_model::session::SESSION_MS / 1000);
    let known = web.app.remember_browser(Cookie::Browser.of(web, headers), signed_in.user.id);
    Cookie::Browser.set(web, &mut response, &known, BROWSER_SECONDS);
    kept::note_member(web, &mut response, signed_in.user.id);
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
    sessions: Vec<Row>,
    zone: Form,
    password: Form,
    clock: Clock,
}

fn zone_form(sent: impl Into<Fields>) -> Form {
    const HINT: &str = "Type a city or a region. Empty is automatic: your browser’s zone, else that of the location. Reports of a location count its own days.";
    let field = Field { label: "Show times in".into(), ..time_zone("timeZone") }.called("The time zone");
    Form::new(vec![field.hint(HINT).with("maxlength=64 data-choices=zones placeholder=Automatic")], sent)
}

/// With the zone that they have chosen.
fn zone_form_of(user: &User) -> Form {
    let chosen = user.time_zone.as_ref().map(|zone| ("timeZone".to_owned(), zone.as_str().to_owned()));
    zone_form(chosen.into_iter().collect::<Vec<_>>())
}

fn password_form(sent: Fields) -> Form {
    let current = Field::typed("password", "current", "Current password").called("This");
    let current = current.needed("Enter your current password").with("autocomplete=current-password");
    let new = Field { label: "New password".into(), ..new_password() };
    let new = new.hint("At least 10 characters; a sentence is best. All other sessions end with it.");
    Form::new(vec![current, new], sent)
}

/// An open session.
struct Row {
    name: String,
    /// The browser and its system, in a few words.
    with: String,
    ip: String,
    begun: String,
    seen: String,
    seen_exactly: String,
    is_this: bool,
}

async fn account_page(web: &Web, visitor: &Visitor, zone: Form, password: Form) -> Result<Account, Failure> {
    let (user, clock, now) = (&visitor.signed_in.user, visitor.clock(None), web.app.now());
    let row = |(open, is_this): (OpenSession, bool)| Row {
        name: open.name,
        with: browser(open.user_agent.as_deref().unwrap_or_default()),
        ip: open.ip.unwrap_or_default(),
        begun: clock.zone.instant(open.session.created_at),
        seen: show::ago(open.session.last_seen_at, now),
        seen_exactly: clock.zone.exactly(open.session.last_seen_at),
        is_this,
    };
    Ok(Account {
        frame: Frame::bare("Your account").saying(visitor.flash.clone()),
        name: user.display_name(),
        email: user.email.as_str().to_owned(),
        role: user.role.title(),
        agency: visitor.signed_in.agency.profile.name.to_string(),
        sign_in_url: format!("{}/app/sign-in?agency={}", web.base_url, user.agency),
        is_operator: user.is_operator,
        sessions: web.app.open_sessions(&visitor.signed_in).await?.into_iter().map(row).collect(),
        zone,
        password,
        clock,
    })
}

pub(crate) async fn account(State(web): State<Web>, visitor: Visitor) -> Result<Response, Failure> {
    let zone = zone_form_of(&visitor.signed_in.user);
    Ok(render(&account_page(&web, &visitor, zone, password_form(Fields::default())).await?))
}

/// Somebody who comes to an address where something of their account is done.
pub(crate) async fn to_account(_: Visitor) -> Redirect {
    Redirect::to("/app/account")
}

pub(crate) async fn set_time_zone(State(web): State<Web>, visitor: Visitor, sent: Fields) -> Result<Response, Failure> {
    let mut form = zone_form(sent);
    let chosen = form.read("timeZone", zone::read);
    if form.run(web.app.set_time_zone(&visitor.authority, chosen.clone())).await?.is_none() {
        let page = account_page(&web, &visitor, form, password_form(Fields::default())).await?;
        return Ok(page.zone.again(&page));
    }
    Ok(match chosen {
        Some(zone) => lead(&web, "/app/account", Done::ZoneChosen, zone.as_str()),
        None => lead(&web, "/app/account", Done::ZoneOfBrowser, ""),
    })
}

/// Signs out another browser; of whoever ends the session that asks, this one.
pub(crate) async fn end_session(State(web): State<Web>, visitor: Visitor, sent: Fields) -> Result<Response, Failure> {
    let name = sent.text("session").unwrap_or_default().to_owned();
    let own = web.app.open_sessions(&visitor.signed_in).await?;
    if own.iter().any(|(open, is_this)| *is_this && open.name == name) {
        return sign_out(State(web), visitor).await;
    }
    Ok(match web.app.end_session(&visitor.signed_in, name).await? {
        Some(ended) => {
            let with = browser(ended.user_agent.as_deref().unwrap_or_default());
            lead(&web, "/app/account", Done::SessionEnded, &with)
        }
        None => lead(&web, "/app/account", Done::SessionWasOver, ""),
    })
}

/// A browser and its system, from what it calls itself: `Firefox on Linux`. Nothing is decided by it.
fn browser(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name)
    };
    // Most call themselves what others are called, too: the most particular name comes first.
    let name = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (name, system) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, _) if user_agent.is_empty() => "A browser that does not say what it is".to_owned(),
        (None, _) => echo(user_agent),
    }
}

pub(crate) async fn change_password(
    State(web): State<Web>,
    visitor: Visitor,
    sent: Fields,
) -> Result<Response, Failure> {
    let mut form = password_form(sent);
    let (old, new) = (form.read_password("current"), form.read_password("password"));
    let change = async |(old, new): (String, String)| {
        web.app.change_password(&visitor.signed_in, &old, &new, &visitor.facts()).await
    };
    match form.run_with(old.zip(new), change).await? {
        Some(signed_in) => {
            let done = lead(&web, "/app/account", Done::PasswordChanged, "");
            Ok(begun(&web, &visitor.headers, &signed_in, done))
        }
        None => {
            let page = account_page(&web, &visitor, zone_form_of(&visitor.signed_in.user), form).await?;
            Ok(page.password.again(&page))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{browser, safe_next};

    #[test]
    fn browsers_are_told_in_a_few_words() {
        for (user_agent, told) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", "A browser that does not say what it is"),
        ] {
            assert_eq!(browser(user_agent), told);
        }
    }

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
