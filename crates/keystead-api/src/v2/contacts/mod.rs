//! Contacts of API 2.0.

pub(crate) mod bulk;
pub(crate) mod companions;
pub(crate) mod enrollments;
mod export;
pub(crate) mod input;
pub(crate) mod listing;
pub(crate) mod search;
pub(crate) mod shapes;
pub(crate) mod tags;
pub(crate) mod trash;

use keystead_core::{self as core, Error, LocationContext, WhenDuplicate};
use keystead_model::{
    ContactId,
    contact::{Contact, IdentityKind},
    phone::PhoneNumber,
    text::{Country, normalized_email},
};

pub use self::export::Downloads;
pub(crate) use self::export::everything;
use self::{
    input::{ContactChange, NewContact, Upsert},
    listing::Listing,
    shapes::{Appointments, Found, List, Listed, Made, Updated, Upserted, left_out},
};
use super::succeeded::Succeeded;
use crate::{
    call::Call,
    reader::Reader,
    shape::{
        Bare, Input, One,
        word::{QueriedEmail, QueriedPhone},
    },
};

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, NewContact>) -> Result<Made, Error> {
    let NewContact(new, skipped) = call.body;
    Ok(Made::new(call.app.create_contact(&context, new).await?, skipped))
}

pub(crate) async fn erase(context: LocationContext, call: Call<ContactId>) -> Result<Succeeded, Error> {
    call.app.erase_contact(&context, call.path).await?;
    Ok(Succeeded)
}

pub(crate) async fn get(context: LocationContext, call: Call<ContactId>) -> Result<One<Contact>, Error> {
    call.app.get_contact(&context, call.path).await.map(One)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<ContactId, Bare, ContactChange>,
) -> Result<Updated, Error> {
    let ContactChange(patch, skipped) = call.body;
    Ok(Updated { contact: call.app.update_contact(&context, call.path, patch).await?, skipped })
}

pub(crate) async fn delete(context: LocationContext, call: Call<ContactId>) -> Result<Succeeded, Error> {
    call.app.delete_contact(&context, call.path).await?;
    Ok(Succeeded)
}

pub(crate) async fn upsert(context: LocationContext, call: Call<(), Bare, Upsert>) -> Result<Upserted, Error> {
    let Upsert { patch, mut skipped, makes_another } = call.body;
    let when = WhenDuplicate::unless(makes_another);
    let core::Upserted { contact, is_new, skipped: fields, .. } =
        call.app.upsert_contact(&context, patch, when).await?;
    skipped.extend(left_out(fields));
    Ok(Upserted { is_new, contact, skipped })
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Listing>) -> Result<List, Error> {
    let found = call.query.run(&call.app, &context).await?;
    let meta = call.query.meta(&format!("{}/contacts/?locationId={}", call.base_url, context.location()), &found);
    Ok(List { contacts: found.page.map(Listed).rows, meta })
}

/// By what a contact is looked for.
pub(crate) struct Looked(Vec<(IdentityKind, String)>);

impl Input for Looked {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let (email, number) = (query.word("email"), query.word("number"));
        let is_there = email.is_some() || number.is_some();
        query.one_of("email", &["email", "number"], "or number should not be empty", is_there);
        Some(Self(identities(email, number, query.ground().country())))
    }
}

pub(crate) async fn duplicate(context: LocationContext, call: Call<(), Looked>) -> Result<Found, Error> {
    let Looked(mut identities) = call.query;
    if call.app.location_of(&context).await?.profile.settings.phone_first {
        identities.reverse();
    }
    call.app.find_contact_by_identity(&context, identities).await.map(Found)
}

/// What to look contacts up by. What is no address or number matches nothing: clients send it encoded twice.
pub(crate) fn identities(
    email: Option<QueriedEmail>,
    phone: Option<QueriedPhone>,
    country: Country,
) -> Vec<(IdentityKind, String)> {
    let phone = phone.and_then(|QueriedPhone(phone)| PhoneNumber::parse(&phone, country).ok());
    [
        email.map(|QueriedEmail(email)| (IdentityKind::Email, normalized_email(&email))),
        phone.map(|phone| (IdentityKind::Phone, phone.as_str().to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Calendars come later; a contact has no appointments until then.
pub(crate) async fn appointments(context: LocationContext, call: Call<ContactId>) -> Result<Appointments, Error> {
    call.app.get_contact(&context, call.path).await?;
    Ok(Appointments)
}
