//! Settings > General: what the agency is called, and what it asks of its keys.

use askama::Template;
use axum::{Form, extract::State, response::Response};
use keystead_model::{
    agency::{Agency, AgencyPatch, TenantName},
    key_policy::{AgencyKeyMakers, KeyPolicy, parse_days},
    scope::Scope,
    text::EmailAddress,
};

use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Fields, Problems},
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "general/form.html")]
struct General {
    frame: Frame,
    fields: Fields,
    problems: Problems,
    needs_password: bool,
    has_mail: bool,
}

fn page(web: &Web, here: &Here, fields: Fields, problems: Problems) -> General {
    General {
        frame: Frame::of(here, "General", "general"),
        fields,
        problems,
        needs_password: !here.authority().is_fresh(),
        has_mail: web.has_mail,
    }
}

fn fields_of(agency: &Agency) -> Fields {
    let KeyPolicy { longest_days, default_days, agency_keys_by, contact } = &agency.keys;
    let days = |days: Option<u32>| days.map(|days| days.to_string()).unwrap_or_default();
    let pairs = [
        ("name", agency.profile.name.to_string()),
        ("longest_days", days(*longest_days)),
        ("default_days", days(*default_days)),
        ("agency_keys_by", agency_keys_by.as_str().to_owned()),
        ("contact", contact.as_ref().map(|contact| contact.as_str().to_owned()).unwrap_or_default()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec().into()
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let context = here.authority().clone().in_agency()?;
    let agency = web.app.get_agency(&context).await?;
    Ok(render(&page(&web, &here, fields_of(&agency), Problems::default())))
}

fn read(fields: &Fields, problems: &mut Problems) -> AgencyPatch {
    let keys = KeyPolicy {
        longest_days: problems.optional("longest_days", fields.text("longest_days"), parse_days),
        default_days: problems.optional("default_days", fields.text("default_days"), parse_days),
        agency_keys_by: fields.text("agency_keys_by").and_then(AgencyKeyMakers::parse).unwrap_or_default(),
        contact: problems.optional("contact", fields.text("contact"), EmailAddress::parse),
    };
    AgencyPatch {
        name: problems.required("name", fields.text("name"), TenantName::parse),
        keys: Some(keys),
        ..AgencyPatch::default()
    }
}

pub(crate) async fn save(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let patch = read(&fields, &mut problems);
    let before = web.app.get_agency(&here.authority().clone().in_agency()?).await?;
    if patch.keys.as_ref() != Some(&before.keys) {
        here.confirm(&web, &fields, &mut problems).await?;
    }
    if problems.is_empty() {
        let context = here.authority().clone().in_agency()?;
        match web.app.update_agency(&context, before.id, patch).await {
            Ok((saved, _)) => {
                let name = saved.profile.name.as_str();
                return Ok(lead(&web, &here.url("/settings/general"), Done::AgencySaved, name));
            }
            Err(error) => problems.take(error)?,
        }
    }
    let page = page(&web, &here, fields, problems);
    Ok(page.problems.shown_in(&page))
}
