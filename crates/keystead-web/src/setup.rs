//! The first-run wizard.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use keystead_core::{Credentials, Setup};
use keystead_model::{
    agency::TenantName,
    location::LocationProfile,
    text::{EmailAddress, TimeZoneName},
    user::PersonName,
};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::{
    Web,
    choices::{country, read_country, time_zone},
    failure::Failure,
    form::{Field, Fields, Form, new_password},
    page::{Frame, render, render_with},
    place::{Guest, facts},
    sessions::begun,
};

#[derive(Template)]
#[template(path = "setup/form.html")]
struct Wizard {
    frame: Frame,
    token: String,
    form: Form,
}

#[derive(Template)]
#[template(path = "setup/closed.html")]
struct Closed {
    frame: Frame,
}

#[derive(Deserialize)]
pub(crate) struct Token {
    token: Option<String>,
}

impl Web {
    async fn knows_token(&self, token: Option<&str>) -> bool {
        let known = self.app.setup_token().await;
        token.is_some_and(|token| token.as_bytes().ct_eq(known.as_bytes()).into())
    }
}

pub(crate) async fn form(State(web): State<Web>, Query(query): Query<Token>) -> Result<Response, Failure> {
    if !web.app.needs_setup().await? {
        return Ok(Redirect::to("/app/sign-in").into_response());
    }
    if !web.knows_token(query.token.as_deref()).await {
        return Ok(render_with(StatusCode::FORBIDDEN, &Closed { frame: Frame::bare("Set up Keystead") }));
    }
    Ok(render(&wizard(query.token.unwrap_or_default(), Form::filled(fields(), first()))))
}

fn wizard(token: String, form: Form) -> Wizard {
    Wizard { frame: Frame::bare("Set up Keystead"), token, form }
}

/// What stands in it at first.
fn first() -> [(&'static str, String); 2] {
    [("country", "US".to_owned()), ("timezone", "UTC".to_owned())]
}

fn fields() -> Vec<Field> {
    const ZONE: &str = "Its days are counted in it, and times that programs send without a zone are read in it. Pages tell times in the zone of whoever looks.";
    vec![
        Field::line("firstName", "First name").with("autocomplete=given-name").half(),
        Field::line("lastName", "Last name").with("autocomplete=family-name").half(),
        Field::typed("email", "email", "E-mail address")
            .needed("Enter your e-mail address")
            .hint("You sign in with it.")
            .with("autocomplete=username"),
        new_password(),
        Field::line("agency", "Name of the agency").needed("Enter the name of your agency"),
        Field::line("location", "Name of the location")
            .needed("Enter the name of a location")
            .hint("A client or a branch; contacts belong to a location."),
        country("country").needed("Choose a country").hint("For phone numbers without a prefix.").half(),
        time_zone("timezone")
            .needed("Choose a time zone")
            .hint(ZONE)
            .with("maxlength=80 data-choices=zones data-guess-zone")
            .half(),
    ]
}

pub(crate) async fn submit(State(web): State<Web>, guest: Guest, sent: Fields) -> Result<Response, Failure> {
    let mut form = Form::new(fields(), sent);
    let token = form.sent.shown("token");
    if !web.knows_token(Some(&token)).await {
        return Ok(render_with(StatusCode::FORBIDDEN, &Closed { frame: Frame::bare("Set up Keystead") }));
    }
    let email = form.read("email", EmailAddress::parse);
    let names = (form.read("firstName", PersonName::parse), form.read("lastName", PersonName::parse));
    let (agency, location) = (form.read("agency", TenantName::parse), form.read("location", TenantName::parse));
    let (country, timezone) = (form.read("country", read_country), form.read("timezone", TimeZoneName::parse));
    let password = form.sent.raw("password").unwrap_or_default().to_owned();
    let setup = (|| {
        let (location, country, timezone) = (location?, country?, timezone?);
        let location = LocationProfile { country, timezone, ..LocationProfile::named(location) };
        let (agency, admin_email, admin_password) = (agency?, email.clone()?, password.clone());
        Some(Setup { agency, location, admin_email, admin_names: names, admin_password })
    })();
    let Some(made) = form.run_with(setup, async |setup| web.app.set_up(setup).await).await? else {
        let page = wizard(token, form);
        return Ok(page.form.again(&page));
    };
    let email = form.text("email").unwrap_or_default();
    let credentials = Credentials { email, password: &password, agency: Some(made.agency), browser: None };
    let signed_in = web.app.sign_in(credentials, &facts(&guest.arrival, &guest.headers)).await?;
    // The next step of the wizard is the first key; leaving here loses nothing.
    let next = format!("/app/locations/{}/settings/keys/new?preset=full-access&first=1", made.location);
    Ok(begun(&web, &guest.headers, &signed_in, Redirect::to(&next).into_response()))
}
