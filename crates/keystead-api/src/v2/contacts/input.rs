//! Reading a contact from a body, the same for create, update and upsert, and for both APIs.

use keystead_model::{
    Invalid, UserId,
    calendar_date::CalendarDate,
    contact::{ContactPatch, DND_CHANNELS, Dnd, DndSettings, DndStatus, MAX_TAGS, split_name},
    phone::PhoneNumber,
    tag::TagName,
    text::{Country, EmailAddress, Line, TimeZoneName},
};
use serde_json::Value;

use crate::reader::Reader;

/// Custom fields in one body.
const MAX_CUSTOM_FIELDS: usize = 500;
/// Further addresses or numbers of one contact.
const MAX_ADDITIONAL: usize = 20;

/// Parts of the input that were understood and not written.
#[derive(Default)]
pub(crate) struct Skipped(pub(crate) Vec<String>);

/// The fields of API 2.0.
pub(crate) fn contact(reader: &mut Reader, country: Country) -> (ContactPatch, Skipped) {
    let mut patch = common(reader, country);
    patch.gender = reader.clearable("gender", Line::parse);
    patch.dnd_settings = reader.object("dndSettings", dnd_settings).unwrap_or_default();
    patch.inbound_dnd = reader.removable("inboundDndSettings", |reader| {
        reader.object("inboundDndSettings", |inner| inner.object("all", dnd).flatten()).flatten()
    });
    patch.assigned_to = removable(reader, "assignedTo", user_id);
    patch.additional_emails = reader.parse_list("additionalEmails", MAX_ADDITIONAL, EmailAddress::parse);
    patch.additional_phones =
        reader.parse_list("additionalPhones", MAX_ADDITIONAL, |text| PhoneNumber::parse(text, country));
    let skipped = custom_fields(reader);
    (patch, skipped)
}

/// The fields that both APIs have.
pub(crate) fn common(reader: &mut Reader, country: Country) -> ContactPatch {
    let mut patch = ContactPatch {
        email: removable(reader, "email", EmailAddress::parse),
        phone: removable(reader, "phone", |text| PhoneNumber::parse(text, country)),
        company_name: reader.clearable("companyName", Line::parse),
        address1: reader.clearable("address1", Line::parse),
        city: reader.clearable("city", Line::parse),
        state: reader.clearable("state", Line::parse),
        postal_code: reader.clearable("postalCode", Line::parse),
        country: removable(reader, "country", Country::parse),
        website: reader.clearable("website", Line::parse),
        timezone: removable(reader, "timezone", TimeZoneName::parse),
        source: reader.clearable("source", Line::parse),
        date_of_birth: removable(reader, "dateOfBirth", CalendarDate::parse),
        dnd: reader.truth("dnd"),
        tags: reader.parse_list("tags", MAX_TAGS, TagName::parse).map(without_repeats),
        ..ContactPatch::default()
    };
    // A whole name is split at its first space, and has no family name where there is none; given and family name win over it.
    let whole = reader.text("name");
    let named = whole.is_some();
    let (first, last) = whole.as_deref().map_or(("", ""), split_name);
    let mut part = |text: &str| match Line::parse(text) {
        Ok(line) => Some(line),
        Err(Invalid(problem)) => {
            if !text.is_empty() {
                reader.violate("name", problem);
            }
            None
        }
    };
    let (first, last) = (part(first), part(last));
    patch.first_name = over(reader.clearable("firstName", Line::parse), named.then_some(first));
    patch.last_name = over(reader.clearable("lastName", Line::parse), named.then_some(last));
    patch
}

/// A part of a name, over that part of the whole name. Forms send empty parts beside a whole name, which is not emptied by them.
fn over(part: Option<Option<Line<100>>>, whole: Option<Option<Line<100>>>) -> Option<Option<Line<100>>> {
    match part {
        None | Some(None) => whole.or(part),
        Some(Some(_)) => part,
    }
}

/// A text with a rule that an update takes away by naming it.
pub(crate) fn removable<T>(
    reader: &mut Reader,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Option<Option<T>> {
    reader.removable(name, |reader| reader.parse(name, parse))
}

fn without_repeats(tags: Vec<TagName>) -> Vec<TagName> {
    let mut unique: Vec<TagName> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !unique.contains(&tag) {
            unique.push(tag);
        }
    }
    unique
}

/// Channels under the names of either version.
fn dnd_settings(reader: &mut Reader) -> DndSettings {
    DND_CHANNELS.map(|(older, v3)| reader.object(older, dnd).flatten().or_else(|| reader.object(v3, dnd).flatten()))
}

fn dnd(reader: &mut Reader) -> Option<Dnd> {
    let message = reader.parse("message", Line::parse);
    let code = reader.parse("code", Line::parse);
    let status = reader.required("status", |reader| {
        reader.parse("status", |text| {
            DndStatus::parse(text).ok_or_else(|| Invalid::new("must be one of active, inactive, permanent"))
        })
    })?;
    Some(Dnd { status, message, code })
}

pub(crate) fn user_id(text: &str) -> Result<UserId, Invalid> {
    UserId::parse(text.trim()).ok_or_else(|| Invalid::new("must be the id of a user"))
}

/// No location has custom fields yet. As with every unknown field's id, the values are passed over, and the answer
/// says so.
fn custom_fields(reader: &mut Reader) -> Skipped {
    let mut skipped = Skipped::default();
    for (index, field) in reader.list("customFields", MAX_CUSTOM_FIELDS).unwrap_or_default().iter().enumerate() {
        let named = ["id", "key"].into_iter().find_map(|name| field.get(name)).and_then(Value::as_str);
        match named {
            Some(name) => skipped.0.push(format!("customFields.{index} ({})", keystead_model::text::echo(name))),
            None => reader.violate(&format!("customFields.{index}"), "must have an id or a key"),
        }
    }
    skipped
}
