//! Contacts on the wire. Absent fields are left out; lists are never null.

use keystead_model::{
    UserId,
    contact::{Contact, DND_CHANNELS, Dnd, DndSettings},
    tag::TagName,
    text::EmailAddress,
};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::v2::Version;

/// Writes the fields of a contact, each only where it has a value.
struct Fields<M: SerializeMap>(M);

impl<M: SerializeMap> Fields<M> {
    fn put(&mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        self.0.serialize_entry(name, value)
    }

    fn opt<T: Serialize>(&mut self, name: &'static str, value: Option<T>) -> Result<(), M::Error> {
        match value {
            Some(value) => self.put(name, &value),
            None => Ok(()),
        }
    }
}

const EMPTY: [(); 0] = [];

/// `{"contact": …}` with what an operation says beside it.
#[derive(Serialize)]
pub(crate) struct Answer<'a, C> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) succeded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) succeeded: Option<bool>,
    pub(crate) contact: C,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) skipped: &'a [String],
}

impl<C> Answer<'_, C> {
    /// Nothing but the contact.
    pub(crate) fn of(contact: C) -> Self {
        Self { new: None, succeded: None, succeeded: None, contact, skipped: &[] }
    }
}

/// As get, update and upsert answer.
pub(crate) struct Full<'c>(pub(crate) &'c Contact, pub(crate) Version);

/// As create answers in the versions before v3.
pub(crate) struct Created<'c>(pub(crate) &'c Contact);

/// As a row of a list.
pub(crate) struct Listed<'c>(pub(crate) &'c Contact, pub(crate) Version);

/// A list of contacts.
#[derive(Serialize)]
pub(crate) struct List<'c> {
    pub(crate) contacts: Vec<Listed<'c>>,
    pub(crate) meta: ListMeta,
    pub(crate) count: usize,
}

/// Where a list goes on. All members are always there, as the contract has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListMeta {
    pub(crate) total: i64,
    pub(crate) next_page_url: Option<String>,
    pub(crate) start_after_id: Option<String>,
    pub(crate) start_after: Option<i64>,
    pub(crate) current_page: i64,
    pub(crate) next_page: Option<i64>,
    pub(crate) prev_page: Option<i64>,
}

impl Serialize for Full<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(contact, version) = self;
        let mut fields = Fields(serializer.serialize_map(None)?);
        fields.put("id", &contact.id)?;
        fields.opt("name", contact.profile.full_name())?;
        fields.put("locationId", &contact.location)?;
        names_and_addresses(&mut fields, contact)?;
        fields.opt("timezone", contact.profile.timezone.as_ref().map(keystead_model::text::TimeZoneName::as_str))?;
        fields.opt("gender", text(contact.profile.gender.as_ref()))?;
        fields.put("dnd", &contact.profile.dnd)?;
        fields.put("dndSettings", &Channels(&contact.profile.dnd_settings, *version))?;
        fields.opt("inboundDndSettings", contact.profile.inbound_dnd.as_ref().map(Inbound))?;
        fields.put("type", "lead")?;
        fields.opt(
            "dateOfBirth",
            contact.profile.date_of_birth.map(keystead_model::calendar_date::CalendarDate::to_iso),
        )?;
        fields.put("dateAdded", &contact.created_at)?;
        fields.put("dateUpdated", &contact.updated_at)?;
        fields.put("lastActivity", &contact.updated_at)?;
        fields.put("tags", &tags(&contact.tags))?;
        fields.put("customFields", &EMPTY)?;
        fields.opt("assignedTo", contact.profile.assigned_to)?;
        let emails: Vec<&str> = contact.profile.additional_emails.iter().map(EmailAddress::as_str).collect();
        fields.put("additionalEmails", &emails)?;
        let phones: Vec<&str> =
            contact.profile.additional_phones.iter().map(keystead_model::phone::PhoneNumber::as_str).collect();
        fields.put("additionalPhones", &phones)?;
        fields.0.end()
    }
}

impl Serialize for Created<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(contact) = self;
        let mut fields = Fields(serializer.serialize_map(None)?);
        fields.put("id", &contact.id)?;
        fields.put("dateAdded", &contact.created_at)?;
        fields.put("dateUpdated", &contact.updated_at)?;
        fields.put("deleted", &false)?;
        fields.put("tags", &tags(&contact.tags))?;
        fields.put("type", "lead")?;
        fields.put("customFields", &EMPTY)?;
        fields.put("locationId", &contact.location)?;
        names_and_addresses(&mut fields, contact)?;
        fields.put("bounceEmail", &false)?;
        fields.put("unsubscribeEmail", &false)?;
        fields.put("dnd", &contact.profile.dnd)?;
        fields.put("dndSettings", &Channels(&contact.profile.dnd_settings, Version::V2021))?;
        if let Some(born) = contact.profile.date_of_birth {
            fields.put("dateOfBirth", &born.to_iso())?;
            fields.put("birthMonth", &born.month())?;
            fields.put("birthDay", &born.day())?;
        }
        fields.put("lastSessionActivityAt", &contact.created_at)?;
        fields.put("offers", &EMPTY)?;
        fields.put("products", &EMPTY)?;
        fields.opt("assignedTo", contact.profile.assigned_to)?;
        fields.0.end()
    }
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(contact, version) = self;
        let mut fields = Fields(serializer.serialize_map(None)?);
        fields.put("id", &contact.id)?;
        fields.put("locationId", &contact.location)?;
        fields.opt("contactName", contact.profile.full_name())?;
        names_and_addresses(&mut fields, contact)?;
        fields.opt("timezone", contact.profile.timezone.as_ref().map(keystead_model::text::TimeZoneName::as_str))?;
        fields.put("type", "lead")?;
        fields.put("dnd", &contact.profile.dnd)?;
        fields.put("dndSettings", &Channels(&contact.profile.dnd_settings, *version))?;
        fields.put("dateAdded", &contact.created_at)?;
        fields.put("dateUpdated", &contact.updated_at)?;
        fields.opt(
            "dateOfBirth",
            contact.profile.date_of_birth.map(keystead_model::calendar_date::CalendarDate::to_iso),
        )?;
        fields.put("customFields", &EMPTY)?;
        fields.put("tags", &tags(&contact.tags))?;
        fields.put("attributions", &EMPTY)?;
        fields.put("followers", &Vec::<UserId>::new())?;
        fields.opt("assignedTo", contact.profile.assigned_to)?;
        fields.0.end()
    }
}

fn names_and_addresses<M: SerializeMap>(fields: &mut Fields<M>, contact: &Contact) -> Result<(), M::Error> {
    let profile = &contact.profile;
    let first = text(profile.first_name.as_ref());
    let last = text(profile.last_name.as_ref());
    fields.opt("firstName", first)?;
    fields.opt("firstNameLowerCase", first.map(str::to_lowercase))?;
    fields.opt("lastName", last)?;
    fields.opt("lastNameLowerCase", last.map(str::to_lowercase))?;
    fields.opt("fullNameLowerCase", profile.full_name().map(|name| name.to_lowercase()))?;
    fields.opt("email", profile.email.as_ref().map(EmailAddress::as_str))?;
    fields.opt("emailLowerCase", profile.email.as_ref().map(EmailAddress::normalized))?;
    fields.opt("phone", profile.phone.as_ref().map(keystead_model::phone::PhoneNumber::as_str))?;
    fields.opt("companyName", text(profile.company_name.as_ref()))?;
    fields.opt("address1", text(profile.address1.as_ref()))?;
    fields.opt("city", text(profile.city.as_ref()))?;
    fields.opt("state", text(profile.state.as_ref()))?;
    fields.opt("postalCode", text(profile.postal_code.as_ref()))?;
    fields.opt("country", profile.country.as_ref().map(keystead_model::text::Country::as_str))?;
    fields.opt("website", text(profile.website.as_ref()))?;
    fields.opt("source", text(profile.source.as_ref()))
}

fn text<const MAX: usize>(line: Option<&keystead_model::text::Line<MAX>>) -> Option<&str> {
    line.map(keystead_model::text::Line::as_str)
}

fn tags(tags: &[TagName]) -> Vec<&str> {
    tags.iter().map(TagName::as_str).collect()
}

struct Channels<'c>(&'c DndSettings, Version);

impl Serialize for Channels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(settings, version) = self;
        let mut map = serializer.serialize_map(None)?;
        for ((older, v3), dnd) in DND_CHANNELS.iter().zip(settings.iter()) {
            if let Some(dnd) = dnd {
                map.serialize_entry(if *version == Version::V3 { v3 } else { older }, &Channel(dnd))?;
            }
        }
        map.end()
    }
}

struct Channel<'c>(&'c Dnd);

impl Serialize for Channel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Dnd { status, message, code } = self.0;
        let mut fields = Fields(serializer.serialize_map(None)?);
        fields.put("status", status.as_str())?;
        fields.opt("message", text(message.as_ref()))?;
        fields.opt("code", text(code.as_ref()))?;
        fields.0.end()
    }
}

struct Inbound<'c>(&'c Dnd);

impl Serialize for Inbound<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("all", &Channel(self.0))?;
        map.end()
    }
}
