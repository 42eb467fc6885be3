//! Adding a contact, and changing one.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext};
use keystead_model::{
    Invalid, UserId,
    calendar_date::CalendarDate,
    contact::{Contact, ContactPatch, DuplicateContact, IdentityKind},
    custom_field::CustomField,
    location::LocationProfile,
    phone::PhoneNumber,
    scope::Scope,
    tag::TagName,
    text::{EmailAddress, Line, TimeZoneName},
};

use super::{fields_of, name, wanted};
use crate::{
    Web,
    choices::{country, owner, read_country, time_zone},
    failure::Failure,
    flash::{Done, lead},
    form::{Choice, Edit, Field, Fields, Form, Kind, SEEN},
    page::{Frame, render},
    place::Here,
    value_fields,
};

#[derive(Template)]
#[template(path = "contacts/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    crumbs: Vec<(String, String)>,
    form: Form,
    has_custom: bool,
    owner: Option<Owner>,
    cancel_url: String,
}

/// The fields of a contact that every location has.
const OWN: &[&str] = &[
    "firstName",
    "lastName",
    "email",
    "phone",
    "additionalEmails",
    "additionalPhones",
    "companyName",
    "assignedTo",
    "tags",
    "source",
    "dateOfBirth",
    "timezone",
    "website",
    "address1",
    "city",
    "state",
    "postalCode",
    "country",
    "dnd",
    SEEN,
];

/// What a form of contacts needs to know.
struct Known {
    custom: Vec<CustomField>,
    owners: Vec<Choice>,
}

impl Known {
    async fn of(web: &Web, here: &Here, context: &LocationContext, current: Option<UserId>) -> Result<Self, Error> {
        Ok(Self { custom: fields_of(web, context).await?, owners: owner::choices(web, here, current).await? })
    }

    fn fields(&self) -> Vec<Field> {
        const DISTURB: &str = "No workflow and no campaign writes to them or calls them.";
        let mut fields = vec![
            Field::line("firstName", "First name").with("maxlength=100 autocomplete=off").half(),
            Field::line("lastName", "Last name").with("maxlength=100 autocomplete=off").half(),
            Field::typed("email", "email", "E-mail address").with("autocomplete=off").half(),
            Field::typed("tel", "phone", "Phone").with("autocomplete=off").half(),
            Field::new(Kind::Lines(2), "additionalEmails", "More e-mail addresses").hint("One a line.").half(),
            Field::new(Kind::Lines(2), "additionalPhones", "More phone numbers").hint("One a line.").half(),
            Field::line("companyName", "Company").with("maxlength=200").half(),
            Field::new(Kind::Select, "assignedTo", "Owner").of(self.owners.clone()).half(),
            Field::line("source", "Source").with("maxlength=200").half(),
            Field::typed("date", "dateOfBirth", "Birthday").half(),
            time_zone("timezone").half(),
            Field::typed("url", "website", "Web site").with("maxlength=500").half(),
            Field::line("address1", "Street").with("maxlength=200").half(),
            Field::line("city", "City").with("maxlength=100").half(),
            Field::line("state", "State or province").with("maxlength=100").half(),
            Field::line("postalCode", "Postal code").with("maxlength=20").half(),
            country("country"),
            Field::new(Kind::Check, "dnd", "Do not disturb").hint(DISTURB),
        ];
        fields.extend(value_fields::fields(&self.custom));
        fields
    }

    /// Of one that is new also its tags: on its page they are added and taken away one by one.
    fn fields_of_new(&self) -> Vec<Field> {
        let mut fields = self.fields();
        fields.insert(8, Field::line("tags", "Tags").hint("Several are separated by commas."));
        fields
    }
}

/// The form as it stands for a contact that exists.
fn form_of(contact: &Contact, known: &Known) -> Form {
    let profile = &contact.profile;
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: Option<&str>| {
        pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    };
    put("firstName", profile.first_name.as_ref().map(Line::as_str));
    put("lastName", profile.last_name.as_ref().map(Line::as_str));
    put("email", profile.email.as_ref().map(EmailAddress::as_str));
    put("phone", profile.phone.as_ref().map(PhoneNumber::as_str));
    put("additionalEmails", Some(&lines(profile.additional_emails.iter().map(EmailAddress::as_str))));
    put("additionalPhones", Some(&lines(profile.additional_phones.iter().map(PhoneNumber::as_str))));
    put("companyName", profile.company_name.as_ref().map(Line::as_str));
    put("assignedTo", profile.assigned_to.as_ref().map(UserId::as_str));
    put("source", profile.source.as_ref().map(Line::as_str));
    put("dateOfBirth", profile.date_of_birth.map(|day| day.to_iso()).as_deref());
    put("timezone", profile.timezone.as_ref().map(TimeZoneName::as_str));
    put("website", profile.website.as_ref().map(Line::as_str));
    put("address1", profile.address1.as_ref().map(Line::as_str));
    put("city", profile.city.as_ref().map(Line::as_str));
    put("state", profile.state.as_ref().map(Line::as_str));
    put("postalCode", profile.postal_code.as_ref().map(Line::as_str));
    put("country", profile.country.as_ref().map(|country| country.as_str()));
    put("dnd", profile.dnd.then_some("on"));
    pairs.extend(value_fields::pairs(&known.custom, &contact.custom_fields));
    Form::new(known.fields(), pairs).opened_on(contact)
}

fn lines<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}

/// What is written between commas or on lines of their own.
fn several<T>(text: &str, separators: &[char], parse: impl Fn(&str) -> Result<T, Invalid>) -> Result<Vec<T>, Invalid> {
    text.split(separators).map(str::trim).filter(|part| !part.is_empty()).map(parse).collect()
}

/// The contact that a form says: every field of it is meant, an empty one to be empty.
fn read(form: &mut Form, known: &Known, of: &LocationProfile) -> ContactPatch {
    let home = of.country;
    let emails = |text: &str| several(text, &['\n', ',', ' '], EmailAddress::parse);
    let phones = |text: &str| several(text, &['\n', ','], |text| PhoneNumber::parse(text, home));
    let member = |text: &str| UserId::parse(text).ok_or_else(|| Invalid::new("must be a member of this location"));
    let custom_fields = value_fields::read(form, &known.custom, of);
    ContactPatch {
        first_name: Some(form.read("firstName", Line::parse)),
        last_name: Some(form.read("lastName", Line::parse)),
        email: Some(form.read("email", EmailAddress::parse)),
        phone: Some(form.read("phone", |text| PhoneNumber::parse(text, home))),
        additional_emails: Some(form.read("additionalEmails", emails).unwrap_or_default()),
        additional_phones: Some(form.read("additionalPhones", phones).unwrap_or_default()),
        company_name: Some(form.read("companyName", Line::parse)),
        assigned_to: Some(form.read("assignedTo", member)),
        tags: form.read("tags", |text| several(text, &[','], TagName::parse)),
        source: Some(form.read("source", Line::parse)),
        date_of_birth: Some(form.read("dateOfBirth", CalendarDate::parse)),
        timezone: Some(form.read("timezone", TimeZoneName::parse)),
        website: Some(form.read("website", Line::parse)),
        address1: Some(form.read("address1", Line::parse)),
        city: Some(form.read("city", Line::parse)),
        state: Some(form.read("state", Line::parse)),
        postal_code: Some(form.read("postalCode", Line::parse)),
        country: Some(form.read("country", read_country)),
        dnd: Some(form.is_checked("dnd")),
        custom_fields,
        ..ContactPatch::default()
    }
}

fn editor(here: &Here, contact: Option<&Contact>, form: Form, known: &Known) -> Editor {
    let heading = contact.map_or_else(|| "Add a contact".to_owned(), name);
    let list_url = here.url("/contacts");
    let page_url = contact.map(|contact| here.url(&format!("/contacts/{}", contact.id)));
    let mut crumbs = vec![("Contacts".to_owned(), list_url.clone())];
    crumbs.extend(page_url.clone().map(|url| (heading.clone(), url)));
    Editor {
        frame: Frame::of(here, &heading, "contacts"),
        heading,
        crumbs,
        form,
        has_custom: !known.custom.is_empty(),
        owner: None,
        cancel_url: page_url.unwrap_or(list_url),
    }
}

/// Somebody who has an address or a number already that would be another's.
struct Owner {
    name: String,
    url: String,
}

/// What came of saving; where somebody else has the address or the number already, `otherwise`, and the form says so.
fn unless_taken<T>(
    here: &Here,
    form: &mut Form,
    outcome: Result<T, Error>,
    otherwise: T,
) -> Result<(T, Option<Owner>), Error> {
    let DuplicateContact { id, matching, name } = match outcome {
        Ok(done) => return Ok((done, None)),
        Err(Error::Duplicate(duplicate)) => duplicate,
        Err(error) => return Err(error),
    };
    let name = name.unwrap_or_else(|| "Another contact".to_owned());
    let (field, what) = match matching {
        IdentityKind::Email => ("email", "e-mail address"),
        IdentityKind::Phone => ("phone", "phone number"),
    };
    form.say(field, format!("{name} has this {what} already"));
    Ok((otherwise, Some(Owner { name, url: here.url(&format!("/contacts/{id}")) })))
}

pub(crate) async fn new(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let known = Known::of(&web, &here, &context, None).await?;
    Ok(render(&editor(&here, None, Form::new(known.fields_of_new(), Fields::default()), &known)))
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let known = Known::of(&web, &here, &context, None).await?;
    let mut form = Form::new(known.fields_of_new(), sent);
    let new = read(&mut form, &known, &here.place()?.profile);
    if form.is_right() && [&new.first_name, &new.last_name].iter().all(|name| matches!(name, Some(None))) {
        let addresses = (&new.email, &new.phone, &new.company_name);
        if matches!(addresses, (Some(None), Some(None), Some(None))) {
            form.say("firstName", "Enter a name, an e-mail address, a phone number or a company");
        }
    }
    let made = form.run(web.app.create_contact(&context, new)).await;
    let (made, owner) = unless_taken(&here, &mut form, made, None)?;
    if let Some(contact) = made {
        let url = here.url(&format!("/contacts/{}", contact.id));
        return Ok(lead(&web, &url, Done::ContactAdded, &name(&contact)));
    }
    let page = Editor { owner, ..editor(&here, None, form, &known) };
    Ok(page.form.again(&page))
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let known = Known::of(&web, &here, &context, contact.profile.assigned_to).await?;
    Ok(render(&editor(&here, Some(&contact), form_of(&contact, &known), &known)))
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let known = Known::of(&web, &here, &context, contact.profile.assigned_to).await?;
    let mut form = Form::new(known.fields(), sent);
    let patch = read(&mut form, &known, &here.place()?.profile);
    let careful = context.clone().with_seen(form.seen::<Contact>());
    let saved = form.edit(Box::pin(web.app.update_contact(&careful, contact.id, patch))).await;
    let (saved, owner) = unless_taken(&here, &mut form, saved, Edit::Wrong)?;
    match saved {
        Edit::Saved(saved) => {
            let url = here.url(&format!("/contacts/{}", saved.id));
            return Ok(lead(&web, &url, Done::ContactSaved, &name(&saved)));
        }
        Edit::Overtaken => {
            let now = web.app.get_contact(&context, contact.id).await?;
            form.overtaken("contact", &now, &form_of(&now, &known));
        }
        Edit::Wrong => {}
    }
    let page = Editor { owner, ..editor(&here, Some(&contact), form, &known) };
    Ok(page.form.again(&page))
}
