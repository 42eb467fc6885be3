//! Contacts on the wire. Absent fields are left out; lists are never null.

use keystead_model::{
    contact::{Contact, ContactProfile, DND_CHANNELS, Dnd, DndSettings, DndStatus},
    contact_upsert::{LeftOut, WhyLeftOut},
    field_value::Held,
};

use crate::{
    shape::{Envelope, Fields, Tagged, Written},
    v2::{Version, field_values::skipped, samples},
};

/// A contact as get, update and upsert answer.
impl Written for Contact {
    const NAME: &'static str = "Contact";

    fn sample() -> Self {
        samples::contact()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let profile = &self.profile;
        let name = profile.full_name();
        fields.put("id", &self.id);
        fields.opt("name", name.as_ref());
        fields.put("locationId", &self.location);
        names_and_addresses(fields, profile, name.as_ref(), "address1");
        fields.opt("timezone", profile.timezone.as_ref());
        fields.opt("gender", profile.gender.as_ref());
        fields.put("dnd", &profile.dnd);
        fields.put("dndSettings", &profile.dnd_settings);
        fields.opt("inboundDndSettings", profile.inbound_dnd.clone().map(Inbound).as_ref());
        fields.one_of("type", Contact::TYPE, &[Contact::TYPE]);
        fields.opt("dateOfBirth", profile.date_of_birth.as_ref());
        fields.put("dateAdded", &self.created_at);
        fields.put("dateUpdated", &self.updated_at);
        fields.put("lastActivity", &self.updated_at);
        fields.put("tags", &self.tags);
        fields.put("customFields", &held(self));
        fields.opt("assignedTo", profile.assigned_to.as_ref());
        fields.opt("businessId", profile.business.as_ref());
        fields.put("followers", &profile.followers);
        fields.put("additionalEmails", &profile.additional_emails);
        fields.put("additionalPhones", &profile.additional_phones);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// A contact as create answers: before v3 in a shape of its own.
pub(crate) struct Created(Contact);

impl Written for Created {
    const NAME: &'static str = "CreatedContact";

    fn sample() -> Self {
        Self(samples::contact())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(contact) = self;
        if fields.version() == Version::V3 {
            return contact.write(fields);
        }
        let born = contact.profile.date_of_birth;
        fields.put("id", &contact.id);
        fields.put("dateAdded", &contact.created_at);
        fields.put("dateUpdated", &contact.updated_at);
        fields.put("deleted", &false);
        fields.put("tags", &contact.tags);
        fields.one_of("type", Contact::TYPE, &[Contact::TYPE]);
        fields.put("customFields", &held(contact));
        fields.put("locationId", &contact.location);
        names_and_addresses(fields, &contact.profile, contact.profile.full_name().as_ref(), "address1");
        fields.put("bounceEmail", &false);
        fields.put("unsubscribeEmail", &false);
        fields.put("dnd", &contact.profile.dnd);
        fields.put("dndSettings", &contact.profile.dnd_settings);
        fields.opt("dateOfBirth", born.as_ref());
        fields.opt("birthMonth", born.map(|born| i64::from(born.month())).as_ref());
        fields.opt("birthDay", born.map(|born| i64::from(born.day())).as_ref());
        fields.put("lastSessionActivityAt", &contact.created_at);
        fields.put::<[String]>("offers", &[]);
        fields.put::<[String]>("products", &[]);
        fields.opt("assignedTo", contact.profile.assigned_to.as_ref());
        fields.opt("businessId", contact.profile.business.as_ref());
        fields.put("additionalEmails", &contact.profile.additional_emails);
        fields.put("additionalPhones", &contact.profile.additional_phones);
    }
}

/// A contact as a row of a list.
pub(crate) struct Listed(pub(crate) Contact);

impl Written for Listed {
    const NAME: &'static str = "ListedContact";

    fn sample() -> Self {
        Self(samples::contact())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(contact) = self;
        let name = contact.profile.full_name();
        fields.put("id", &contact.id);
        fields.put("locationId", &contact.location);
        fields.opt("contactName", name.as_ref());
        names_and_addresses(fields, &contact.profile, name.as_ref(), "address1");
        fields.opt("timezone", contact.profile.timezone.as_ref());
        fields.one_of("type", Contact::TYPE, &[Contact::TYPE]);
        fields.put("dnd", &contact.profile.dnd);
        fields.put("dndSettings", &contact.profile.dnd_settings);
        fields.put("dateAdded", &contact.created_at);
        fields.put("dateUpdated", &contact.updated_at);
        fields.opt("dateOfBirth", contact.profile.date_of_birth.as_ref());
        fields.put("customFields", &held(contact));
        fields.put("tags", &contact.tags);
        fields.put::<[String]>("attributions", &[]);
        fields.put("followers", &contact.profile.followers);
        fields.opt("assignedTo", contact.profile.assigned_to.as_ref());
        fields.opt("businessId", contact.profile.business.as_ref());
        fields.put("additionalEmails", &contact.profile.additional_emails);
        fields.put("additionalPhones", &contact.profile.additional_phones);
    }
}

/// What all shapes have, with the street under the name that a shape has for it.
pub(super) fn names_and_addresses(
    fields: &mut Fields<'_>,
    profile: &ContactProfile,
    full_name: Option<&String>,
    street: &'static str,
) {
    let (first, last) = (profile.first_name.as_ref(), profile.last_name.as_ref());
    fields.opt("firstName", first);
    fields.opt("firstNameLowerCase", first.map(|name| name.as_str().to_lowercase()).as_ref());
    fields.opt("lastName", last);
    fields.opt("lastNameLowerCase", last.map(|name| name.as_str().to_lowercase()).as_ref());
    fields.opt("fullNameLowerCase", full_name.map(|name| name.to_lowercase()).as_ref());
    fields.opt("email", profile.email.as_ref());
    fields.opt("emailLowerCase", profile.email.as_ref().map(|email| email.normalized()).as_ref());
    fields.opt("phone", profile.phone.as_ref());
    fields.opt("companyName", profile.company_name.as_ref());
    fields.opt(street, profile.address1.as_ref());
    fields.opt("city", profile.city.as_ref());
    fields.opt("state", profile.state.as_ref());
    fields.opt("postalCode", profile.postal_code.as_ref());
    fields.opt("country", profile.country.as_ref());
    fields.opt("website", profile.website.as_ref());
    fields.opt("source", profile.source.as_ref());
}

/// What a contact has in custom fields.
pub(crate) fn held(contact: &Contact) -> Vec<Held> {
    contact.custom_fields.iter().cloned().collect()
}

/// By channel, under the names of either version.
impl Written for DndSettings {
    const NAME: &'static str = "DndSettings";

    fn sample() -> Self {
        Self::default()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        for ((older, v3), dnd) in DND_CHANNELS.iter().zip(self) {
            fields.opt(if fields.version() == Version::V3 { v3 } else { older }, dnd.as_ref());
        }
    }
}

impl Written for Dnd {
    const NAME: &'static str = "Dnd";

    fn sample() -> Self {
        Self { status: DndStatus::Active, message: None, code: None }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { status, message, code } = self;
        fields.one_of("status", status.as_str(), &["active", "inactive", "permanent"]);
        fields.opt("message", message.as_ref());
        fields.opt("code", code.as_ref());
    }
}

struct Inbound(Dnd);

impl Written for Inbound {
    const NAME: &'static str = "InboundDndSettings";

    fn sample() -> Self {
        Self(Dnd::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("all", &self.0);
    }
}

/// `{"contact": …}`, as get answers.
impl Envelope for Contact {
    const ONE: &'static str = "contact";
    const MANY: &'static str = "contacts";
}

/// What create answers.
pub(crate) struct Made {
    contact: Created,
    skipped: Vec<String>,
}

impl Made {
    pub(crate) fn new(contact: Contact, skipped: Vec<String>) -> Self {
        Self { contact: Created(contact), skipped }
    }
}

impl Written for Made {
    fn sample() -> Self {
        Self { contact: Created::sample(), skipped: Vec::new() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("contact", &self.contact);
        skipped(fields, &self.skipped);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.contact.0))
    }
}

/// What update answers.
pub(crate) struct Updated {
    pub(crate) contact: Contact,
    pub(crate) skipped: Vec<String>,
}

impl Written for Updated {
    fn sample() -> Self {
        Self { contact: samples::contact(), skipped: Vec::new() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        // v3 has the right spelling only.
        if fields.version() == Version::V2021 {
            fields.put("succeded", &true);
        }
        fields.put("succeeded", &true);
        fields.put("contact", &self.contact);
        skipped(fields, &self.skipped);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.contact))
    }
}

/// What upsert answers.
pub(crate) struct Upserted {
    pub(crate) is_new: bool,
    pub(crate) contact: Contact,
    pub(crate) skipped: Vec<String>,
}

impl Written for Upserted {
    fn sample() -> Self {
        Self { is_new: true, contact: samples::contact(), skipped: Vec::new() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("new", &self.is_new);
        fields.put("contact", &self.contact);
        skipped(fields, &self.skipped);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.contact))
    }
}

/// What an upsert left out, and why.
pub(crate) fn left_out(fields: Vec<LeftOut>) -> impl Iterator<Item = String> {
    fields.into_iter().map(|LeftOut { field, why }| match &why {
        // Of several it is said which.
        WhyLeftOut::BelongsTo(address, _) if field.starts_with("additional") => format!("{field} ({address}: {why})"),
        WhyLeftOut::NoRoom(address) => format!("{field} ({address}: {why})"),
        _ => format!("{field} ({why})"),
    })
}

/// `{"contact": …}` or `{"contact": null}`.
pub(crate) struct Found(pub(crate) Option<Contact>);

impl Written for Found {
    fn sample() -> Self {
        Self(Some(samples::contact()))
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.or_null("contact", self.0.as_ref());
    }
}

/// A list of contacts.
pub(crate) struct List {
    pub(crate) contacts: Vec<Listed>,
    pub(crate) meta: ListMeta,
}

impl Written for List {
    fn sample() -> Self {
        Self { contacts: vec![Listed::sample()], meta: ListMeta::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("contacts", &self.contacts);
        fields.put("meta", &self.meta);
        fields.put("count", &self.contacts.len());
    }
}

/// Where a list goes on. All members are always there, as the contract has it.
pub(crate) struct ListMeta {
    pub(crate) total: i64,
    pub(crate) next_page_url: Option<String>,
    pub(crate) start_after_id: Option<String>,
    pub(crate) start_after: Option<i64>,
    pub(crate) current_page: i64,
    pub(crate) next_page: Option<i64>,
    pub(crate) prev_page: Option<i64>,
}

impl Written for ListMeta {
    const NAME: &'static str = "ListMeta";

    fn sample() -> Self {
        Self {
            total: 1,
            next_page_url: None,
            start_after_id: None,
            start_after: None,
            current_page: 1,
            next_page: None,
            prev_page: None,
        }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("total", &self.total);
        fields.or_null("nextPageUrl", self.next_page_url.as_ref());
        fields.or_null("startAfterId", self.start_after_id.as_ref());
        fields.or_null("startAfter", self.start_after.as_ref());
        fields.put("currentPage", &self.current_page);
        fields.or_null("nextPage", self.next_page.as_ref());
        fields.or_null("prevPage", self.prev_page.as_ref());
    }
}

/// Appointments of a contact: there are no calendars yet.
pub(crate) struct Appointments;

impl Written for Appointments {
    fn sample() -> Self {
        Self
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put::<[String]>("events", &[]);
    }
}
