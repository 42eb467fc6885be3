//! Contacts, and how many there are.

use std::sync::LazyLock;

use keystead_model::{
    BusinessId, ContactId, LocationId, UserId, UtcMs,
    calendar_date::CalendarDate,
    condition::ComparedText,
    contact::{Contact, ContactOrder, ContactProfile, DuplicateContact},
    custom_field::OwnerKind,
    field_value::ValueSet,
    id::Id,
    phone::PhoneNumber,
    tag::{Tag, TagName},
    text::{EmailAddress, Line},
};

use crate::{
    Error, Result, Row, Tx, contact_identities, contact_search, dnd, field_values,
    filter::Filter,
    late,
    table::{self, Table},
    tags,
};

pub(crate) const COLUMNS: &str =
    "c.id, c.location_id, c.first_name, c.last_name, c.email, c.phone, c.company_name, c.address1,
    c.city, c.region, c.postal_code, c.country, c.website, c.timezone, c.gender, c.source, c.date_of_birth,
    c.assigned_to, c.dnd, c.dnd_settings, c.inbound_dnd, c.additional_emails, c.additional_phones, c.business_id,
    c.followers, c.created_at, c.updated_at, (SELECT string_agg(t.name, '
') FROM (SELECT s.name FROM contact_tags s WHERE s.location_id = c.location_id AND s.contact_id = c.id
    ORDER BY s.position) AS t)";

/// A contact without its custom fields, which [`with_custom_fields`] reads.
pub(crate) fn read(row: &mut Row<'_>) -> Result<Contact> {
    let (id, location) = (row.column()?, row.column()?);
    Ok(Contact {
        id,
        location,
        profile: ContactProfile {
            first_name: row.column()?,
            last_name: row.column()?,
            email: row.column()?,
            phone: row.column()?,
            company_name: row.column()?,
            address1: row.column()?,
            city: row.column()?,
            state: row.column()?,
            postal_code: row.column()?,
            country: row.column()?,
            website: row.column()?,
            timezone: row.column()?,
            gender: row.column()?,
            source: row.column()?,
            date_of_birth: row.column()?,
            assigned_to: row.column()?,
            dnd: row.column()?,
            dnd_settings: dnd::read_settings(row.column()?)?,
            inbound_dnd: row.column::<Option<String>>()?.map(|text| dnd::read(&text)).transpose()?,
            additional_emails: read_list(row.column()?, |text| EmailAddress::from_stored(text.to_owned())),
            additional_phones: read_list(row.column()?, |text| PhoneNumber::from_stored(text.to_owned())),
            business: row.column()?,
            followers: read_ids(row.column()?)?,
        },
        custom_fields: ValueSet::default(),
        created_at: row.column()?,
        updated_at: row.column()?,
        tags: match row.column::<Option<String>>()? {
            None => Vec::new(),
            Some(names) => names.split('\n').map(|name| TagName::from_stored(name.to_owned())).collect(),
        },
    })
}

fn read_list<T>(text: Option<String>, read: impl Fn(&str) -> T) -> Vec<T> {
    text.unwrap_or_default().split_whitespace().map(read).collect()
}

fn read_ids<T>(text: Option<String>) -> Result<Vec<Id<T>>> {
    let read = |text| Id::parse(text).ok_or_else(|| Error::unreadable("an id"));
    text.unwrap_or_default().split_whitespace().map(read).collect()
}

/// Addresses, numbers and ids hold no white space, so a list of them is one text.
fn write_list<'a>(entries: impl Iterator<Item = &'a str>) -> Option<String> {
    let text = entries.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Adds a contact with its tags, terms and identities, and counts it. Answers which of the tags its location did not have.
///
/// `Err` in the inner result is the contact that stands in the way; nothing is written then.
pub fn insert(tx: &mut Tx<'_>, contact: &Contact) -> Result<std::result::Result<Vec<Tag>, DuplicateContact>> {
    let Contact { id, location, profile, tags: names, custom_fields, created_at, updated_at: _ } = contact;
    let identities = match contact_identities::admit(tx, *location, *id, profile.identities())? {
        Ok(admitted) => admitted,
        Err(duplicate) => return Ok(Err(duplicate)),
    };
    save(tx, contact)?;
    contact_identities::add(tx, *location, *id, &identities)?;
    let made = tags::add_to_contact(tx, *location, *id, names.iter(), *created_at)?;
    contact_search::insert(tx, *location, *id, profile.search_terms().iter())?;
    field_values::save(tx, *location, (OwnerKind::Contact, *id), &ValueSet::default(), custom_fields)?;
    count(tx, *location, *id, 1)?;
    Ok(Ok(made))
}

/// Replaces what a contact was by what it is now. Answers which of its tags its location did not have.
///
/// `Err` in the inner result is another contact that has an identity which is new to this one; nothing is written then.
pub fn update(
    tx: &mut Tx<'_>,
    before: &Contact,
    after: &Contact,
) -> Result<std::result::Result<Vec<Tag>, DuplicateContact>> {
    let (location, id) = (after.location, after.id);
    // What it has already it keeps, also where another has it from a time when that was allowed.
    let (known, wanted) = (before.profile.identities(), after.profile.identities());
    let new = wanted.iter().filter(|wanted| !known.contains(wanted)).cloned().collect();
    let new = match contact_identities::admit(tx, location, id, new)? {
        Ok(admitted) => admitted,
        Err(duplicate) => return Ok(Err(duplicate)),
    };
    save(tx, after)?;
    for (kind, value) in known.iter().filter(|known| !wanted.contains(known)) {
        tx.later(
            "DELETE FROM contact_identities WHERE location_id = ?1 AND kind = ?2 AND value = ?3 AND contact_id = ?4",
            &[&location, &kind.as_str(), value, &id],
        )?;
    }
    contact_identities::add(tx, location, id, &new)?;
    let gone = before.tags.iter().filter(|tag| !after.tags.contains(tag));
    tags::remove_from_contact(tx, location, id, gone)?;
    let new = after.tags.iter().filter(|tag| !before.tags.contains(tag));
    let made = tags::add_to_contact(tx, location, id, new, after.updated_at)?;
    let (known, wanted) = (before.profile.search_terms(), after.profile.search_terms());
    contact_search::remove(tx, location, id, known.iter().filter(|term| !wanted.contains(term)))?;
    contact_search::insert(tx, location, id, wanted.iter().filter(|term| !known.contains(term)))?;
    field_values::save(tx, location, (OwnerKind::Contact, id), &before.custom_fields, &after.custom_fields)?;
    Ok(Ok(made))
}

static CONTACTS: Table = Table::new("contacts", &["location_id", "id"]).keeping(&["created_at"]);

/// Adds a contact's row or replaces it.
fn save(tx: &mut Tx<'_>, contact: &Contact) -> Result<()> {
    let ContactProfile {
        first_name,
        last_name,
        email,
        phone,
        company_name,
        address1,
        city,
        state,
        postal_code,
        country,
        website,
        timezone,
        gender,
        source,
        date_of_birth,
        assigned_to,
        dnd,
        dnd_settings,
        inbound_dnd,
        additional_emails,
        additional_phones,
        business,
        followers,
    } = &contact.profile;
    CONTACTS.save(
        tx,
        &[
            ("location_id", &contact.location),
            ("id", &contact.id),
            ("first_name", first_name),
            ("last_name", last_name),
            ("email", email),
            ("phone", phone),
            ("company_name", company_name),
            ("address1", address1),
            ("city", city),
            ("region", state),
            ("postal_code", postal_code),
            ("country", country),
            ("website", website),
            ("timezone", timezone),
            ("gender", gender),
            ("source", source),
            ("date_of_birth", &date_of_birth.map(CalendarDate::to_iso)),
            ("assigned_to", assigned_to),
            ("dnd", dnd),
            ("dnd_settings", &dnd::write_settings(dnd_settings)),
            ("inbound_dnd", &inbound_dnd.as_ref().map(dnd::write)),
            ("additional_emails", &write_list(additional_emails.iter().map(EmailAddress::as_str))),
            ("additional_phones", &write_list(additional_phones.iter().map(PhoneNumber::as_str))),
            ("business_id", business),
            ("followers", &write_list(followers.iter().map(UserId::as_str))),
            ("created_at", &contact.created_at),
            ("updated_at", &contact.updated_at),
            ("first_name_folded", &compared(first_name.as_ref())),
            ("last_name_folded", &compared(last_name.as_ref())),
            ("company_name_folded", &compared(company_name.as_ref())),
            ("city_folded", &compared(city.as_ref())),
            ("region_folded", &compared(state.as_ref())),
            ("source_folded", &compared(source.as_ref())),
        ],
    )
}

/// A text in the form that conditions compare.
pub(crate) fn compared<const MAX: usize>(line: Option<&Line<MAX>>) -> Option<String> {
    line.and_then(|line| ComparedText::of(line.as_str())).map(ComparedText::into_string)
}

/// Put together once: this statement runs for most requests.
static FIND: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {COLUMNS} FROM contacts c WHERE c.location_id = ?1 AND c.id = ?2 AND c.trashed_at IS NULL")
});

/// One contact of a location; what is in the trash is not found.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: ContactId) -> Result<Option<Contact>> {
    let found = tx.query_opt(&FIND, &[&location, &id], read)?;
    found.map(|contact| with_custom_fields_of_one(tx, contact)).transpose()
}

pub(crate) fn with_custom_fields_of_one(tx: &mut Tx<'_>, contact: Contact) -> Result<Contact> {
    let custom_fields = field_values::of_owner(tx, contact.location, OwnerKind::Contact, contact.id)?;
    Ok(Contact { custom_fields, ..contact })
}

/// Some contacts of a location with what is in their custom fields.
pub(crate) fn with_custom_fields(
    tx: &mut Tx<'_>,
    location: LocationId,
    mut contacts: Vec<Contact>,
) -> Result<Vec<Contact>> {
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let mut found = field_values::of_owners(tx, location, OwnerKind::Contact, &ids)?;
    for contact in &mut contacts {
        contact.custom_fields = found.remove(&contact.id).unwrap_or_default();
    }
    Ok(contacts)
}

/// Whether a contact is there and not in the trash.
pub fn exists(tx: &mut Tx<'_>, location: LocationId, id: ContactId) -> Result<bool> {
    tx.query_opt(
        "SELECT id FROM contacts WHERE location_id = ?1 AND id = ?2 AND trashed_at IS NULL",
        &[&location, &id],
        |row| row.column::<ContactId>(),
    )
    .map(|contact| contact.is_some())
}

/// Says of contacts that they were changed, where something changed that they show. One that is in the trash shows nothing.
pub(crate) fn touch(tx: &mut Tx<'_>, location: LocationId, ids: &[ContactId], now: UtcMs) -> Result<()> {
    table::touch(tx, "contacts", location, ids, now)
}

/// Takes a business that will be there no more from its contacts, also from those in the trash.
pub fn leave_business(tx: &mut Tx<'_>, location: LocationId, business: BusinessId) -> Result<()> {
    let sql = "UPDATE contacts SET business_id = NULL WHERE location_id = ?1 AND business_id = ?2";
    tx.later(sql, &[&location, &business])
}

/// How many slots count the contacts of a location.
const SLOTS: u64 = 16;

/// Notes that a location has a contact more, or less.
pub(crate) fn count(tx: &mut Tx<'_>, location: LocationId, id: ContactId, change: i64) -> Result<()> {
    let slot = id.as_str().bytes().last().map_or(0, |digit| u64::from(digit) % SLOTS).cast_signed();
    tx.late(&late::COUNTS, &[&location, &slot, &change])
}

/// How many contacts a location has.
pub fn count_all(tx: &mut Tx<'_>, location: LocationId) -> Result<i64> {
    let sql = "SELECT CAST(COALESCE(sum(contacts), 0) AS BIGINT) FROM contact_counts WHERE location_id = ?1";
    tx.query_one(sql, &[&location], |row| row.column())
}

/// How many contacts were added between two instants and are there, counted no further than `most`.
pub fn count_added(tx: &mut Tx<'_>, location: LocationId, from: UtcMs, until: UtcMs, most: i64) -> Result<i64> {
    tx.query_one(
        "SELECT CAST(count(*) AS BIGINT) FROM (
             SELECT 1 FROM contacts
             WHERE location_id = ?1 AND created_at >= ?2 AND created_at < ?3 AND trashed_at IS NULL
             LIMIT CAST(?4 AS BIGINT)) AS added",
        &[&location, &from, &until, &most],
        |row| row.column(),
    )
}

/// These contacts, in this order, without their custom fields; what is in the trash is not found.
pub fn find_all(tx: &mut Tx<'_>, location: LocationId, ids: &[ContactId]) -> Result<Vec<Contact>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut conditions = Filter::new();
    conditions.and("c.location_id = @ AND c.trashed_at IS NULL", &[&location]);
    conditions.and_one_of("c.id", ids);
    let sql = format!("SELECT {COLUMNS} FROM contacts c WHERE {}", conditions.sql());
    let mut found = tx.query(&sql, &conditions.values(), read)?;
    found.sort_by_key(|contact| ids.iter().position(|id| *id == contact.id));
    Ok(found)
}

/// The column of an order.
pub(crate) fn column(order: ContactOrder) -> &'static str {
    match order {
        ContactOrder::Created => "created_at",
        ContactOrder::Updated => "updated_at",
    }
}

/// The time that a contact has in an order, also in the trash.
pub fn time_of(tx: &mut Tx<'_>, location: LocationId, id: ContactId, order: ContactOrder) -> Result<Option<UtcMs>> {
    let sql = format!("SELECT {} FROM contacts WHERE location_id = ?1 AND id = ?2", column(order));
    tx.query_opt(&sql, &[&location, &id], |row| row.column())
}
