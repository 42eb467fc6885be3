//! What fields in texts stand for: `{{contact.first_name}}`, `{{custom_values.opening_hours}}`.

use crate::{
    calendar_date::CalendarDate,
    contact::Contact,
    custom_field::{CustomField, OwnerKind},
    text::{EmailAddress, Line},
};

/// The key of a custom value, if a field is one. Both APIs have a name for them.
pub fn custom_value(name: &str) -> Option<&str> {
    let key = name.strip_prefix("custom_values.").or_else(|| name.strip_prefix("custom_value."));
    key.filter(|key| !key.is_empty())
}

/// What a contact has of its own, after `contact.`.
const OWN: [&str; 16] = [
    "id",
    "first_name",
    "last_name",
    "name",
    "full_name",
    "email",
    "phone",
    "company_name",
    "address1",
    "city",
    "state",
    "postal_code",
    "country",
    "website",
    "source",
    "date_of_birth",
];

/// Whether contacts have such a field, of which `fields` are all that their location has added.
pub fn is_of_contacts(fields: &[CustomField], name: &str) -> bool {
    let Some(key) = name.strip_prefix("contact.") else { return false };
    OWN.contains(&key) || fields.iter().any(|field| field.model == OwnerKind::Contact && field.key == key)
}

/// What a contact has in a field: one of its own, or one that its location has added, of which `fields` are all. `None` where it has
/// nothing there.
pub fn of_contact(contact: &Contact, fields: &[CustomField], name: &str) -> Option<String> {
    let key = name.strip_prefix("contact.")?;
    let profile = &contact.profile;
    let line = match key {
        "id" => Some(contact.id.as_str()),
        "first_name" => profile.first_name.as_ref().map(Line::as_str),
        "last_name" => profile.last_name.as_ref().map(Line::as_str),
        "name" | "full_name" => return profile.full_name(),
        "email" => profile.email.as_ref().map(EmailAddress::as_str),
        "phone" => profile.phone.as_ref().map(|phone| phone.as_str()),
        "company_name" => profile.company_name.as_ref().map(Line::as_str),
        "address1" => profile.address1.as_ref().map(Line::as_str),
        "city" => profile.city.as_ref().map(Line::as_str),
        "state" => profile.state.as_ref().map(Line::as_str),
        "postal_code" => profile.postal_code.as_ref().map(Line::as_str),
        "country" => profile.country.as_ref().map(|country| country.as_str()),
        "website" => profile.website.as_ref().map(Line::as_str),
        "source" => profile.source.as_ref().map(Line::as_str),
        "date_of_birth" => return profile.date_of_birth.map(CalendarDate::to_iso),
        _ => return custom(contact, fields, key),
    };
    line.map(str::to_owned)
}

fn custom(contact: &Contact, fields: &[CustomField], key: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.model == OwnerKind::Contact && field.key == key)?;
    let held = contact.custom_fields.iter().find(|held| held.field.id == field.id)?;
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(match held.to_json() {
        serde_json::Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(", "),
        one => text(&one),
    })
}
