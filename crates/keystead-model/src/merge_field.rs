//! What fields in texts stand for: `{{contact.first_name}}`, `{{custom_values.opening_hours}}`.

use crate::{
    calendar_date::CalendarDate,
    contact::Contact,
    custom_field::{CustomField, OwnerKind},
    text::Line,
};

/// The key of a custom value, if a field is one. Both APIs have a name for them.
pub fn custom_value(name: &str) -> Option<&str> {
    let key = name.strip_prefix("custom_values.").or_else(|| name.strip_prefix("custom_value."));
    key.filter(|key| !key.is_empty())
}

/// What a contact has of its own, by the name after `contact.`.
type Own = fn(&Contact) -> Option<String>;
const OWN: [(&str, Own); 16] = [
    ("id", |contact| Some(contact.id.to_string())),
    ("first_name", |contact| line(contact.profile.first_name.as_ref())),
    ("last_name", |contact| line(contact.profile.last_name.as_ref())),
    ("name", |contact| contact.profile.full_name()),
    ("full_name", |contact| contact.profile.full_name()),
    ("email", |contact| Some(contact.profile.email.as_ref()?.as_str().to_owned())),
    ("phone", |contact| Some(contact.profile.phone.as_ref()?.as_str().to_owned())),
    ("company_name", |contact| line(contact.profile.company_name.as_ref())),
    ("address1", |contact| line(contact.profile.address1.as_ref())),
    ("city", |contact| line(contact.profile.city.as_ref())),
    ("state", |contact| line(contact.profile.state.as_ref())),
    ("postal_code", |contact| line(contact.profile.postal_code.as_ref())),
    ("country", |contact| Some(contact.profile.country.as_ref()?.as_str().to_owned())),
    ("website", |contact| line(contact.profile.website.as_ref())),
    ("source", |contact| line(contact.profile.source.as_ref())),
    ("date_of_birth", |contact| contact.profile.date_of_birth.map(CalendarDate::to_iso)),
];

fn line<const MAX: usize>(line: Option<&Line<MAX>>) -> Option<String> {
    line.map(|line| line.as_str().to_owned())
}

fn own(key: &str) -> Option<Own> {
    OWN.iter().find(|(name, _)| *name == key).map(|(_, own)| *own)
}

fn custom<'f>(fields: &'f [CustomField], key: &str) -> Option<&'f CustomField> {
    fields.iter().find(|field| field.model == OwnerKind::Contact && field.key == key)
}

/// Whether contacts have such a field, of which `fields` are all that their location has added.
pub fn is_of_contacts(fields: &[CustomField], name: &str) -> bool {
    let Some(key) = name.strip_prefix("contact.") else { return false };
    own(key).is_some() || custom(fields, key).is_some()
}

/// What a contact has in a field: one of its own, or one that its location has added, of which `fields` are all. `None` where it has
/// nothing there.
pub fn of_contact(contact: &Contact, fields: &[CustomField], name: &str) -> Option<String> {
    let key = name.strip_prefix("contact.")?;
    if let Some(own) = own(key) {
        return own(contact);
    }
    let field = custom(fields, key)?;
    let held = contact.custom_fields.iter().find(|held| held.field.id == field.id)?;
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(match held.to_json() {
        serde_json::Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(", "),
        one => text(&one),
    })
}
