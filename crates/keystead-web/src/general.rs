//! Settings > General: what the agency is called, and what it asks of its keys.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_model::{
    Invalid,
    agency::{Agency, AgencyPatch, TenantName},
    key_policy::{AgencyKeyMakers, KeyPolicy, parse_days},
    scope::Scope,
    text::EmailAddress,
};

use crate::{
    Web,
    api_keys::contact_field,
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind},
    page::{Frame, render},
    place::Here,
};

#[derive(Template)]
#[template(path = "general/form.html")]
struct General {
    frame: Frame,
    form: Form,
    has_mail: bool,
}

fn page(web: &Web, here: &Here, form: Form) -> General {
    General { frame: Frame::of(here, "General", "general"), form, has_mail: web.has_mail }
}

fn fields(here: &Here) -> Vec<Field> {
    const UNLIMITED: &str = "Empty: a key may be without an expiry, and ends only when it is unused.";
    let days = |name, label, noun| {
        Field::typed("number", name, label).called(noun).with("min=1 max=3650 inputmode=numeric").half()
    };
    let fields = [
        Field::line("name", "Name of the agency")
            .needed("Enter the name of your agency")
            .with("maxlength=120 autocomplete=organization"),
        days("keyLongestDays", "Longest expiry, in days", "The longest expiry").hint(UNLIMITED),
        days("keyDefaultDays", "Expiry if none is chosen, in days", "The expiry if none is chosen")
            .hint("Empty: none, or the longest where there is one."),
        Field::new(Kind::Radios, "agencyKeysBy", "Who makes agency keys").of([
            Choice::new(AgencyKeyMakers::Members.as_str(), "Admins, and keys with full access")
                .when("Within what they may do themselves."),
            Choice::new(AgencyKeyMakers::Operators.as_str(), "Operators of the instance only")
                .when("Everybody else makes location keys."),
        ]),
        contact_field("keysContact", "Gets the mails about all keys, besides the admins.")
            .with("maxlength=254 placeholder=\"security@example.com\""),
    ];
    fields.into_iter().chain(Field::confirmation(here)).collect()
}

/// The form as it stands.
fn form_of(here: &Here, agency: &Agency) -> Form {
    let KeyPolicy { longest_days, default_days, agency_keys_by, contact } = &agency.keys;
    let days = |days: Option<u32>| days.map(|days| days.to_string()).unwrap_or_default();
    let pairs = [
        ("name", agency.profile.name.to_string()),
        ("keyLongestDays", days(*longest_days)),
        ("keyDefaultDays", days(*default_days)),
        ("agencyKeysBy", agency_keys_by.as_str().to_owned()),
        ("keysContact", contact.as_ref().map(|contact| contact.as_str().to_owned()).unwrap_or_default()),
    ];
    Form::filled(fields(here), pairs).opened_on(agency)
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let context = here.authority().clone().in_agency()?;
    let agency = web.app.get_agency(&context).await?;
    Ok(render(&page(&web, &here, form_of(&here, &agency))))
}

fn read(form: &mut Form) -> AgencyPatch {
    let keys = KeyPolicy {
        longest_days: form.read("keyLongestDays", parse_days),
        default_days: form.read("keyDefaultDays", parse_days),
        agency_keys_by: form.text("agencyKeysBy").and_then(AgencyKeyMakers::parse).unwrap_or_default(),
        contact: form.read("keysContact", EmailAddress::parse),
    };
    if let Err(Invalid(problem)) = keys.check() {
        form.violate("keyDefaultDays", &problem);
    }
    AgencyPatch { name: form.read("name", TenantName::parse), keys: Some(keys), ..AgencyPatch::default() }
}

pub(crate) async fn save(State(web): State<Web>, mut here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::LocationsWrite)?;
    let mut form = Form::new(fields(&here), sent);
    let patch = read(&mut form);
    let before = web.app.get_agency(&here.authority().clone().in_agency()?).await?;
    if patch.keys.as_ref() != Some(&before.keys) {
        form.confirm(&web, &mut here).await?;
    }
    let context = here.authority().clone().in_agency()?;
    let careful = context.with_seen(form.seen::<Agency>());
    match form.edit(web.app.update_agency(&careful, before.id, patch)).await? {
        Edit::Saved((saved, _)) => {
            let name = saved.profile.name.as_str();
            return Ok(lead(&web, &here.url("/settings/general"), Done::AgencySaved, name));
        }
        Edit::Overtaken => form.overtaken("agency", &before, &form_of(&here, &before)),
        Edit::Wrong => {}
    }
    let page = page(&web, &here, form);
    Ok(page.form.again(&page))
}
