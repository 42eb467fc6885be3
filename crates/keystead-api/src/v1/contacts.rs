//! Contacts of API 1.0.

use keystead_core::{Error, LocationContext, WhenDuplicate};
use keystead_model::{
    ContactId,
    contact::{Contact, ContactPatch, MAX_TAGS},
    phone::PhoneNumber,
    tag::TagName,
    text::{Country, EmailAddress, Line, TimeZoneName},
};
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    reader::Reader,
    reply::Reply,
    v2::contacts::{contact_id, identities, input, listing, names, query_email, query_phone},
};

fn shape(contact: &Contact) -> Value {
    let profile = &contact.profile;
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(contact.id));
    fields.insert("locationId".to_owned(), json!(contact.location));
    let full_name = profile.full_name();
    let born = profile.date_of_birth.map(keystead_model::calendar_date::CalendarDate::to_iso);
    let email_lower = profile.email.as_ref().map(EmailAddress::normalized);
    let texts = [
        ("contactName", full_name.as_deref()),
        ("firstName", profile.first_name.as_ref().map(Line::as_str)),
        ("lastName", profile.last_name.as_ref().map(Line::as_str)),
        ("companyName", profile.company_name.as_ref().map(Line::as_str)),
        ("email", profile.email.as_ref().map(EmailAddress::as_str)),
        ("emailLowerCase", email_lower.as_deref()),
        ("phone", profile.phone.as_ref().map(PhoneNumber::as_str)),
        ("source", profile.source.as_ref().map(Line::as_str)),
        ("assignedTo", profile.assigned_to.as_ref().map(keystead_model::UserId::as_str)),
        ("address1", profile.address1.as_ref().map(Line::as_str)),
        ("city", profile.city.as_ref().map(Line::as_str)),
        ("state", profile.state.as_ref().map(Line::as_str)),
        ("postalCode", profile.postal_code.as_ref().map(Line::as_str)),
        ("country", profile.country.as_ref().map(Country::as_str)),
        ("website", profile.website.as_ref().map(Line::as_str)),
        ("timezone", profile.timezone.as_ref().map(TimeZoneName::as_str)),
        ("dateOfBirth", born.as_deref()),
    ];
    fields.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))));
    fields.insert("dnd".to_owned(), json!(profile.dnd));
    fields.insert("type".to_owned(), json!("lead"));
    fields.insert("dateAdded".to_owned(), json!(contact.created_at));
    fields.insert("dateUpdated".to_owned(), json!(contact.updated_at));
    fields.insert("lastActivity".to_owned(), json!(contact.updated_at.0));
    fields.insert("tags".to_owned(), json!(names(&contact.tags)));
    fields.insert("customField".to_owned(), json!([]));
    Value::Object(fields)
}

/// API 1.0 was never strict: what it does not know it passes over.
fn read(reader: &mut Reader, country: Country) -> ContactPatch {
    let patch = input::common(reader, country);
    reader.pass_over_unknown();
    patch
}

pub(crate) async fn create(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let location = call.app.location_of(&context).await?;
    let mut reader = call.read_body();
    let patch = read(&mut reader, location.profile.country);
    if patch.identities().is_empty() {
        reader.violate("email or phone", "should not be empty");
    }
    reader.finish()?;
    let done = call.app.upsert_contact(&context, patch, WhenDuplicate::UpdateWhereForbidden).await?;
    Ok(Reply::bare(&json!({"contact": shape(&done.contact)})))
}

pub(crate) async fn get(context: LocationContext, call: Call) -> Result<Reply, Error> {
    let contact = call.app.get_contact(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::bare(&json!({"contact": shape(&contact)})))
}

pub(crate) async fn update(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let id = contact_id(&call, "contactId")?;
    let location = call.app.location_of(&context).await?;
    let mut reader = call.read_update();
    let patch = read(&mut reader, location.profile.country);
    reader.finish()?;
    let contact = call.app.update_contact(&context, id, patch).await?;
    Ok(Reply::bare(&json!({"contact": shape(&contact)})))
}

pub(crate) async fn delete(context: LocationContext, call: Call) -> Result<Reply, Error> {
    call.app.delete_contact(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::empty_text())
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let mut query = call.read_query();
    let listing = listing::read(&mut query);
    query.pass_over_unknown();
    query.finish()?;
    let found = listing.run(&call.app, &context).await?;
    let meta = listing.meta(&format!("{}/v1/contacts/?{}", call.base_url, listing.order()), &found);
    let rows: Vec<Value> = found.rows.iter().map(shape).collect();
    Ok(Reply::bare(&json!({"contacts": rows, "meta": meta})))
}

pub(crate) async fn lookup(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let location = call.app.location_of(&context).await?;
    let mut query = call.read_query();
    let (email, phone) = (query_email(&mut query, "email"), query_phone(&mut query, "phone"));
    query.pass_over_unknown();
    query.finish()?;
    let identities = identities(email, phone, location.profile.country);
    match call.app.find_contact_by_identity(&context, identities).await? {
        Some(contact) => Ok(Reply::bare(&json!({"contacts": [shape(&contact)]}))),
        None => Err(Error::invalid("email or phone", "matches no contact")),
    }
}

pub(crate) async fn add_tags(context: LocationContext, call: Call) -> Result<Reply, Error> {
    let (id, tags, call) = tags_of(call)?;
    let (_, all) = call.app.add_contact_tags(&context, id, tags).await?;
    Ok(Reply::bare(&json!({"tags": names(&all)})))
}

pub(crate) async fn remove_tags(context: LocationContext, call: Call) -> Result<Reply, Error> {
    let (id, tags, call) = tags_of(call)?;
    let (_, rest) = call.app.remove_contact_tags(&context, id, tags).await?;
    Ok(Reply::bare(&json!({"tags": names(&rest)})))
}

fn tags_of(mut call: Call) -> Result<(ContactId, Vec<TagName>, Call), Error> {
    let id = contact_id(&call, "contactId")?;
    let mut reader = call.read_body();
    let tags = reader.required("tags", |reader| reader.parse_list("tags", MAX_TAGS, TagName::parse));
    reader.pass_over_unknown();
    reader.finish()?;
    Ok((id, tags.unwrap_or_default(), call))
}

pub(crate) async fn appointments(context: LocationContext, call: Call) -> Result<Reply, Error> {
    call.app.get_contact(&context, contact_id(&call, "contactId")?).await?;
    Ok(Reply::bare(&json!({"events": []})))
}
