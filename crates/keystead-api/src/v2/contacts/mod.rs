//! Contacts of API 2.0.

pub(crate) mod input;
pub(crate) mod listing;
pub(crate) mod shapes;

use keystead_core::{Error, LocationContext, Upserted, WhenDuplicate, error::Noun};
use keystead_model::{
    ContactId,
    contact::{IdentityKind, MAX_TAGS},
    phone::PhoneNumber,
    tag::TagName,
    text::{Country, normalized_email},
};
use serde_json::json;

use self::shapes::{Answer, Created, Full, Listed};
use super::Version;
use crate::{call::Call, reader::Reader, reply::Reply};

/// `Contact with id … not found`, also for a text that is no id.
pub(crate) fn contact_id(call: &Call, name: &str) -> Result<ContactId, Error> {
    call.id(name, |text| Error::NotFound(Noun::Contact, text.to_owned()))
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let location = call.app.location_of(&context).await?;
    let mut reader = call.read_body();
    reader.ignore(&["locationId"]);
    let (new, skipped) = input::contact(&mut reader, location.profile.country);
    reader.finish()?;
    let contact = call.app.create_contact(&context, new).await?;
    Ok(match call.version {
        Version::V2021 => Reply::object(201, &Answer { skipped: &skipped.0, ..Answer::of(Created(&contact)) }),
        Version::V3 => Reply::object(201, &Answer { skipped: &skipped.0, ..Answer::of(Full(&contact, Version::V3)) }),
    })
}

pub(crate) async fn get(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let contact = call.app.get_contact(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::object(200, &Answer::of(Full(&contact, call.version))))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let id = contact_id(&call, "contactId")?;
    let location = call.app.location_of(&context).await?;
    let mut reader = call.read_update();
    let (patch, skipped) = input::contact(&mut reader, location.profile.country);
    reader.finish()?;
    let contact = call.app.update_contact(&context, id, patch).await?;
    let answer = Answer::of(Full(&contact, call.version));
    // v3 has the right spelling only.
    let succeded = (call.version == Version::V2021).then_some(true);
    Ok(Reply::object(200, &Answer { succeded, succeeded: Some(true), skipped: &skipped.0, ..answer }))
}

pub(crate) async fn delete(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    call.app.delete_contact(&context, contact_id(&call, "contactId")?).await?;
    Ok(succeeded())
}

/// The contract's spelling and the right one.
pub(crate) fn succeeded() -> Reply {
    Reply::object(200, &json!({"succeded": true, "succeeded": true}))
}

pub(crate) async fn upsert(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let location = call.app.location_of(&context).await?;
    let mut reader = call.read_update();
    reader.ignore(&["locationId"]);
    let makes_another = reader.truth("createNewIfDuplicateAllowed").unwrap_or(false);
    let (patch, mut skipped) = input::contact(&mut reader, location.profile.country);
    reader.finish()?;
    let when = if makes_another { WhenDuplicate::UpdateWhereForbidden } else { WhenDuplicate::Update };
    let Upserted { contact, is_new, skipped: fields } = call.app.upsert_contact(&context, patch, when).await?;
    skipped.0.extend(fields.into_iter().map(|(field, other)| format!("{field} (contact {other} has it)")));
    let answer = Answer::of(Full(&contact, call.version));
    Ok(Reply::object(200, &Answer { new: Some(is_new), skipped: &skipped.0, ..answer }))
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let mut query = call.read_query();
    let listing = listing::read(&mut query);
    query.finish()?;
    let found = listing.run(&call.app, &context).await?;
    let meta = listing.meta(&format!("{}/contacts/?locationId={}", call.base_url, context.location()), &found);
    let rows: Vec<Listed<'_>> = found.rows.iter().map(|contact| Listed(contact, call.version)).collect();
    Ok(Reply::object(200, &shapes::List { count: rows.len(), contacts: rows, meta }))
}

pub(crate) async fn duplicate(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let location = call.app.location_of(&context).await?;
    let mut query = call.read_query();
    let (email, number) = (query_email(&mut query, "email"), query_phone(&mut query, "number"));
    if email.is_none() && number.is_none() {
        query.violate("email", "or number should not be empty");
    }
    query.finish()?;
    let country = location.profile.country;
    let found = call.app.find_contact_by_identity(&context, identities(email, number, country)).await?;
    let contact = found.as_ref().map(|contact| Full(contact, call.version));
    Ok(Reply::object(200, &json!({"contact": contact})))
}

/// An e-mail address in a query. People and programs forget to encode a plus sign, which then arrives as a space.
pub(crate) fn query_email(query: &mut Reader, name: &'static str) -> Option<String> {
    query.text(name).map(|email| email.trim().replace(' ', "+"))
}

/// A phone number in a query, whose plus sign likewise arrives as a space.
pub(crate) fn query_phone(query: &mut Reader, name: &'static str) -> Option<String> {
    query.text(name).map(|phone| phone.strip_prefix(' ').map_or(phone.clone(), |digits| format!("+{digits}")))
}

/// What to look contacts up by. What is no address or number matches nothing: clients send it encoded twice.
pub(crate) fn identities(
    email: Option<String>,
    phone: Option<String>,
    country: Country,
) -> Vec<(IdentityKind, String)> {
    let phone = phone.and_then(|phone| PhoneNumber::parse(&phone, country).ok());
    [
        email.map(|email| (IdentityKind::Email, normalized_email(&email))),
        phone.map(|phone| (IdentityKind::Phone, phone.as_str().to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(crate) async fn add_tags(context: LocationContext, call: Call) -> Result<Reply, Error> {
    let (id, tags, call) = tags_of(call)?;
    let (added, all) = call.app.add_contact_tags(&context, id, tags).await?;
    Ok(Reply::object(201, &json!({"tags": names(&all), "tagsAdded": names(&added)})))
}

pub(crate) async fn remove_tags(context: LocationContext, call: Call) -> Result<Reply, Error> {
    let (id, tags, call) = tags_of(call)?;
    let (removed, rest) = call.app.remove_contact_tags(&context, id, tags).await?;
    Ok(Reply::object(200, &json!({"tags": names(&rest), "tagsRemoved": names(&removed)})))
}

fn tags_of(mut call: Call) -> Result<(ContactId, Vec<TagName>, Call), Error> {
    call.no_query()?;
    let id = contact_id(&call, "contactId")?;
    let mut reader = call.read_body();
    let tags = reader.required("tags", |reader| reader.parse_list("tags", MAX_TAGS, TagName::parse));
    reader.finish()?;
    Ok((id, tags.unwrap_or_default(), call))
}

pub(crate) fn names(tags: &[TagName]) -> Vec<&str> {
    tags.iter().map(TagName::as_str).collect()
}

/// Calendars come later; a contact has no appointments until then.
pub(crate) async fn appointments(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    call.app.get_contact(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::object(200, &json!({"events": []})))
}
