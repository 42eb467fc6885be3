//! Contacts of API 2.0.

pub(crate) mod input;
pub(crate) mod shapes;

use keystead_core::{Error, LocationContext, Upserted, WhenDuplicate, error::Noun};
use keystead_model::{
    ContactId,
    contact::{ContactFilter, ContactOrder, IdentityKind, MAX_TAGS, search_words},
    page::Cursor,
    phone::PhoneNumber,
    tag::TagName,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use self::shapes::{Answer, Created, Full, ListMeta, Listed};
use super::Version;
use crate::{call::Call, reply::Reply};

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
    let mut reader = call.read_body();
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
    let mut reader = call.read_body();
    reader.ignore(&["locationId"]);
    let makes_another = reader.truth("createNewIfDuplicateAllowed").unwrap_or(false);
    let (patch, mut skipped) = input::contact(&mut reader, location.profile.country);
    reader.finish()?;
    let when = if makes_another { WhenDuplicate::UpdateWhereForbidden } else { WhenDuplicate::Update };
    let Upserted { contact, is_new, skipped: fields } = call.app.upsert_contact(&context, patch, when).await?;
    skipped.0.extend(fields.into_iter().map(str::to_owned));
    let answer = Answer::of(Full(&contact, call.version));
    Ok(Reply::object(200, &Answer { new: Some(is_new), skipped: &skipped.0, ..answer }))
}

pub(crate) async fn list(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let mut query = call.read_query();
    let limit = query.integer("limit", 1..=100).unwrap_or(20);
    let page = query.integer("page", 1..=1_000_000).unwrap_or(1);
    let after_id = query.parse("startAfterId", |text| {
        ContactId::parse(text).ok_or_else(|| keystead_model::Invalid::new("must be the id of a contact"))
    });
    let after_at = query.instant("startAfter");
    let words = query.text("query");
    if after_id.is_some() != after_at.is_some() {
        query.violate("startAfter", "and startAfterId must come together");
    }
    query.finish()?;
    let filter = ContactFilter {
        words: words.as_deref().map(search_words).unwrap_or_default(),
        order: ContactOrder::Created,
        ascending: false,
    };
    let after = after_id.zip(after_at).map(|(id, at)| Cursor { at, id });
    // A page number beyond the window would read everything before it: cursors have no such limit.
    let skip = if after.is_some() { 0 } else { ((page - 1) * limit).min(10_000) };
    let found = call.app.list_contacts(&context, filter, after, skip, limit).await?;
    let next = found.rows.last().filter(|_| found.has_more);
    let next_url = next.map(|last| {
        let query = words.as_deref().map(|words| format!("&query={}", utf8_percent_encode(words, NON_ALPHANUMERIC)));
        format!(
            "{}/contacts/?locationId={}&limit={limit}{}&startAfter={}&startAfterId={}",
            call.base_url,
            context.location(),
            query.unwrap_or_default(),
            last.created_at.0,
            last.id
        )
    });
    let meta = ListMeta {
        total: found.total,
        next_page_url: next_url,
        start_after_id: next.map(|last| last.id),
        start_after: next.map(|last| last.created_at.0),
        current_page: page,
        next_page: next.map(|_| page + 1),
        prev_page: (page > 1).then(|| page - 1),
    };
    let rows: Vec<Listed<'_>> = found.rows.iter().map(|contact| Listed(contact, call.version)).collect();
    Ok(Reply::object(200, &shapes::List { count: rows.len(), contacts: rows, meta }))
}

pub(crate) async fn duplicate(context: LocationContext, mut call: Call) -> Result<Reply, Error> {
    let location = call.app.location_of(&context).await?;
    let mut query = call.read_query();
    let (email, number) = (query.text("email"), query.text("number"));
    if email.is_none() && number.is_none() {
        query.violate("email", "or number should not be empty");
    }
    query.finish()?;
    // What is no address or number matches nothing: clients send it encoded twice.
    let phone = number.and_then(|number| PhoneNumber::parse(&number, location.profile.country).ok());
    let identities = [
        email.map(|email| (IdentityKind::Email, email.trim().to_lowercase())),
        phone.map(|phone| (IdentityKind::Phone, phone.as_str().to_owned())),
    ];
    let found = call.app.find_contact_by_identity(&context, identities.into_iter().flatten().collect()).await?;
    let contact = found.as_ref().map(|contact| Full(contact, call.version));
    Ok(Reply::object(200, &json!({"contact": contact})))
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
