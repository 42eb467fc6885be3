//! The first-run wizard.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use keystead_core::{Credentials, Setup};
use keystead_model::{
    agency::TenantName,
    location::LocationProfile,
    text::{Country, EmailAddress, TimeZoneName, time_zone_names},
    user::PersonName,
};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::{
    Web,
    failure::Failure,
    form::{Fields, Problems},
    page::{Frame, render, render_with},
    place::{Guest, facts},
    sessions::begun,
};

#[derive(Template)]
#[template(path = "setup/form.html")]
struct Wizard {
    frame: Frame,
    token: String,
    fields: Fields,
    problems: Problems,
    zones: Vec<String>,
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
    Ok(render(&wizard(query.token.unwrap_or_default(), Fields::default(), Problems::default())))
}

fn wizard(token: String, fields: Fields, problems: Problems) -> Wizard {
    Wizard { frame: Frame::bare("Set up Keystead"), token, fields, problems, zones: time_zone_names() }
}

pub(crate) async fn submit(
    State(web): State<Web>,
    guest: Guest,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::from(pairs);
    let token = fields.shown("token");
    if !web.knows_token(Some(&token)).await {
        return Ok(render_with(StatusCode::FORBIDDEN, &Closed { frame: Frame::bare("Set up Keystead") }));
    }
    let mut problems = Problems::default();
    let email = problems.required("email", fields.text("email"), EmailAddress::parse);
    let first = problems.optional("first_name", fields.text("first_name"), PersonName::parse);
    let last = problems.optional("last_name", fields.text("last_name"), PersonName::parse);
    let agency = problems.required("agency", fields.text("agency"), TenantName::parse);
    let location = problems.required("location", fields.text("location"), TenantName::parse);
    let country = problems.required("country", fields.text("country"), Country::parse);
    let timezone = problems.required("timezone", fields.text("timezone"), TimeZoneName::parse);
    let password = fields.raw("password").unwrap_or_default().to_owned();
    let (Some(email), Some(agency), Some(location), Some(country), Some(timezone), true) =
        (email, agency, location, country, timezone, problems.is_empty())
    else {
        return Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &wizard(token, fields, problems)));
    };
    let setup = Setup {
        agency,
        location: LocationProfile { country, timezone, ..LocationProfile::named(location) },
        admin_email: email.clone(),
        admin_names: (first, last),
        admin_password: password.clone(),
    };
    match web.app.set_up(setup).await {
        Ok(made) => {
            let credentials =
                Credentials { email: email.as_str(), password: &password, agency: Some(made.agency), browser: None };
            let signed_in = web.app.sign_in(credentials, &facts(&guest.arrival, &guest.headers)).await?;
            // The next step of the wizard is the first key; leaving here loses nothing.
            let next = format!("/app/locations/{}/settings/keys/new?preset=full-access&first=1", made.location);
            Ok(begun(&web, &guest.headers, &signed_in, Redirect::to(&next).into_response()))
        }
        Err(error) => {
            problems.take(error)?;
            Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &wizard(token, fields, problems)))
        }
    }
}
