//! Contacts: the people that a location knows.

use crate::{
    BusinessId, ContactId, LocationId, UserId, UtcMs,
    calendar_date::CalendarDate,
    condition::Condition,
    contact_field::ContactField,
    field_value::{FieldValues, ValueSet},
    location::set,
    phone::PhoneNumber,
    search::{self, Asked},
    tag::TagName,
    text::{Country, EmailAddress, Line, TimeZoneName},
    time::DAY_MS,
};

/// Most tags on one contact.
pub const MAX_TAGS: usize = 200;
/// Most further e-mail addresses, and most further phone numbers, that a request leaves a contact with, unless it had as many.
pub const MAX_ADDITIONAL: usize = 20;
/// Most of either that a merger leaves a contact with.
pub const MAX_MERGED: usize = 100;
/// Most users who follow one contact.
pub const MAX_FOLLOWERS: usize = 100;
/// A deleted contact stays in the trash this long.
pub const TRASH_MS: i64 = 30 * DAY_MS;

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// The location that knows it.
    pub location: LocationId,
    /// What people and programs write.
    pub profile: ContactProfile,
    /// Its tags, in the order in which they were added.
    pub tags: Vec<TagName>,
    /// What it has in fields that its location has added.
    pub custom_fields: ValueSet,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

impl Contact {
    /// Its type, of which there is one as yet.
    pub const TYPE: &'static str = "lead";
}

/// A contact in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashedContact {
    /// As it was when it was put there.
    pub contact: Contact,
    /// When that was.
    pub trashed_at: UtcMs,
}

impl TrashedContact {
    /// From when on it is gone for good.
    pub const fn gone_at(&self) -> UtcMs {
        UtcMs(self.trashed_at.0 + TRASH_MS)
    }
}

/// The part of a contact that people and programs write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the wire contract's, one to one")]
pub struct ContactProfile {
    pub first_name: Option<Line<100>>,
    pub last_name: Option<Line<100>>,
    pub email: Option<EmailAddress>,
    pub phone: Option<PhoneNumber>,
    pub company_name: Option<Line<200>>,
    pub address1: Option<Line<200>>,
    pub city: Option<Line<100>>,
    pub state: Option<Line<100>>,
    pub postal_code: Option<Line<20>>,
    pub country: Option<Country>,
    pub website: Option<Line<500>>,
    pub timezone: Option<TimeZoneName>,
    pub gender: Option<Line<40>>,
    pub source: Option<Line<200>>,
    pub date_of_birth: Option<CalendarDate>,
    pub assigned_to: Option<UserId>,
    pub dnd: bool,
    pub dnd_settings: DndSettings,
    pub inbound_dnd: Option<Dnd>,
    pub additional_emails: Vec<EmailAddress>,
    pub additional_phones: Vec<PhoneNumber>,
    pub business: Option<BusinessId>,
    pub followers: Vec<UserId>,
}

/// Do-not-disturb of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dnd {
    /// Whether it holds.
    pub status: DndStatus,
    /// Why.
    pub message: Option<Line<500>>,
    /// A code of the sender.
    pub code: Option<Line<100>>,
}

/// State of do-not-disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DndStatus {
    /// Do not disturb.
    Active,
    /// Free to write to.
    Inactive,
    /// Do not disturb, and the contact itself said so.
    Permanent,
}

impl DndStatus {
    /// The wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Permanent => "permanent",
        }
    }

    /// Reads the wire name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Permanent].into_iter().find(|status| status.as_str() == text)
    }
}

/// The channels, in the wire contract's spelling and in that of v3.
pub const DND_CHANNELS: [(&str, &str); 6] =
    [("Call", "call"), ("Email", "email"), ("SMS", "sms"), ("WhatsApp", "whatsApp"), ("GMB", "gmb"), ("FB", "fb")];

/// Do-not-disturb by channel, in the order of [`DND_CHANNELS`].
pub type DndSettings = [Option<Dnd>; 6];

/// A change of a contact, and with an empty profile the making of one; `None` leaves a thing as it is, `Some(None)` takes it
/// away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of ContactProfile")]
pub struct ContactPatch {
    pub first_name: Option<Option<Line<100>>>,
    pub last_name: Option<Option<Line<100>>>,
    pub email: Option<Option<EmailAddress>>,
    pub phone: Option<Option<PhoneNumber>>,
    pub company_name: Option<Option<Line<200>>>,
    pub address1: Option<Option<Line<200>>>,
    pub city: Option<Option<Line<100>>>,
    pub state: Option<Option<Line<100>>>,
    pub postal_code: Option<Option<Line<20>>>,
    pub country: Option<Option<Country>>,
    pub website: Option<Option<Line<500>>>,
    pub timezone: Option<Option<TimeZoneName>>,
    pub gender: Option<Option<Line<40>>>,
    pub source: Option<Option<Line<200>>>,
    pub date_of_birth: Option<Option<CalendarDate>>,
    pub assigned_to: Option<Option<UserId>>,
    pub dnd: Option<bool>,
    pub dnd_settings: DndSettings,
    pub inbound_dnd: Option<Option<Dnd>>,
    pub additional_emails: Option<Vec<EmailAddress>>,
    pub additional_phones: Option<Vec<PhoneNumber>>,
    /// Replaces all tags.
    pub tags: Option<Vec<TagName>>,
    /// Replaces what is in these custom fields; files are named, and looked for where the change happens.
    pub custom_fields: Vec<FieldValues>,
}

impl ContactPatch {
    /// Changes `profile`, and returns the tags that are to replace all others. Custom fields are looked up where they are changed.
    pub fn apply(self, profile: &mut ContactProfile) -> Option<Vec<TagName>> {
        let Self {
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
            tags,
            custom_fields: _,
        } = self;
        set(&mut profile.first_name, first_name);
        set(&mut profile.last_name, last_name);
        set(&mut profile.company_name, company_name);
        set(&mut profile.address1, address1);
        set(&mut profile.city, city);
        set(&mut profile.state, state);
        set(&mut profile.postal_code, postal_code);
        set(&mut profile.country, country);
        set(&mut profile.website, website);
        set(&mut profile.timezone, timezone);
        set(&mut profile.gender, gender);
        set(&mut profile.source, source);
        set(&mut profile.date_of_birth, date_of_birth);
        set(&mut profile.assigned_to, assigned_to);
        set(&mut profile.dnd, dnd);
        for (channel, new) in profile.dnd_settings.iter_mut().zip(dnd_settings) {
            set(channel, new.map(Some));
        }
        set(&mut profile.inbound_dnd, inbound_dnd);
        set(&mut profile.additional_emails, additional_emails);
        set(&mut profile.additional_phones, additional_phones);
        put_first(&mut profile.email, &mut profile.additional_emails, email, EmailAddress::normalized);
        put_first(&mut profile.phone, &mut profile.additional_phones, phone, |phone| phone.as_str().to_owned());
        tags
    }

    /// What it would tell a contact apart by, as far as it names such things.
    pub fn identities(&self) -> Vec<(IdentityKind, String)> {
        let mut profile = ContactProfile::default();
        self.clone().apply(&mut profile);
        profile.identities()
    }
}

/// Changes the first of several addresses. One that was among the others changes places with it, and where none is left in
/// the first place the first of the others moves there; so nothing is lost, and nothing stands twice.
pub(crate) fn put_first<T: Clone>(
    first: &mut Option<T>,
    others: &mut Vec<T>,
    new: Option<Option<T>>,
    compared: impl Fn(&T) -> String,
) {
    if let Some(new) = new {
        let known = new.as_ref().and_then(|new| others.iter().position(|other| compared(other) == compared(new)));
        let old = std::mem::replace(first, new);
        if let (Some(place), Some(old)) = (known, old) {
            others[place] = old;
        }
    }
    let mut seen: Vec<String> = first.iter().map(&compared).collect();
    others.retain(|other| {
        let other = compared(other);
        let is_new = !seen.contains(&other);
        seen.push(other);
        is_new
    });
    if first.is_none() && !others.is_empty() {
        *first = Some(others.remove(0));
    }
}

impl ContactProfile {
    /// Given and family name, as far as they are known.
    pub fn full_name(&self) -> Option<String> {
        match (&self.first_name, &self.last_name) {
            (Some(first), Some(last)) => Some([first.as_str(), " ", last.as_str()].concat()),
            (Some(name), None) | (None, Some(name)) => Some(name.as_str().to_owned()),
            (None, None) => None,
        }
    }

    /// Whether it has what a contact needs at least: an e-mail address, a phone number or a name.
    pub fn is_identifiable(&self) -> bool {
        self.email.is_some() || self.phone.is_some() || self.first_name.is_some() || self.last_name.is_some()
    }

    /// What a contact is told apart by: in a location that forbids duplicates no other has it. First priority first.
    pub fn identities(&self) -> Vec<(IdentityKind, String)> {
        let emails = self.email.iter().chain(&self.additional_emails);
        let phones = self.phone.iter().chain(&self.additional_phones);
        let emails = emails.map(|email| (IdentityKind::Email, email.normalized()));
        let mut identities = Vec::new();
        for identity in emails.chain(phones.map(|phone| (IdentityKind::Phone, phone.as_str().to_owned()))) {
            if !identities.contains(&identity) {
                identities.push(identity);
            }
        }
        identities
    }

    /// Whether it has an e-mail address with an international domain.
    pub fn is_international(&self) -> bool {
        self.email.iter().chain(&self.additional_emails).any(|email| email.international_domain().is_some())
    }

    /// The terms that it is found by: names, company, e-mail addresses (whole and by part), phone numbers.
    pub fn search_terms(&self) -> Vec<String> {
        let mut terms = Vec::new();
        let names = [
            self.first_name.as_ref().map(Line::as_str),
            self.last_name.as_ref().map(Line::as_str),
            self.company_name.as_ref().map(Line::as_str),
        ];
        names.into_iter().flatten().for_each(|name| search::name_terms(name, &mut terms));
        for email in self.email.iter().chain(&self.additional_emails) {
            terms.extend(search::words(email.as_str()));
            terms.extend(email.international_domain().iter().flatten().flat_map(|domain| search::words(domain)));
            terms.push(email.normalized());
        }
        for phone in self.phone.iter().chain(&self.additional_phones) {
            search::phone_terms(phone, &mut terms);
        }
        search::settled(terms)
    }
}

/// What a contact is told apart by.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum IdentityKind {
    /// Its e-mail address.
    Email,
    /// Its phone number.
    Phone,
}

impl IdentityKind {
    /// The stored name, which is also `matchingField` on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Email, Self::Phone].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A contact that stands in the way of a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateContact {
    /// The contact that is there.
    pub id: ContactId,
    /// What they share.
    pub matching: IdentityKind,
    /// Its name.
    pub name: Option<String>,
}

/// Splits a whole name at its first space.
pub fn split_name(name: &str) -> (&str, &str) {
    let name = name.trim();
    name.split_once(char::is_whitespace).map_or((name, ""), |(first, last)| (first, last.trim()))
}

/// What a list of contacts is ordered by.
pub use crate::page::TimeOrder as ContactOrder;

/// A place in a list of contacts: of the last contact before it, the time that the list is ordered by and the id, which decides
/// between contacts of the same time. Either alone will do; by the time alone, others of that time are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactCursor {
    /// When that contact was made or changed.
    pub at: Option<UtcMs>,
    /// That contact.
    pub id: Option<ContactId>,
}

/// Which contacts to list.
#[derive(Clone, Debug, Default)]
pub struct ContactFilter {
    /// What a search asks for, all of it; asked for nothing it finds nothing. `None` is no search.
    pub search: Option<Vec<Asked>>,
    /// What else must hold of them.
    pub condition: Condition<ContactField>,
    /// The column of order.
    pub order: ContactOrder,
    /// Oldest first instead of newest first.
    pub ascending: bool,
}

impl ContactFilter {
    /// Whether it is no filter at all.
    pub fn is_all(&self) -> bool {
        self.search.is_none() && self.condition == Condition::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn profile(first: Option<&str>, others: &[&str]) -> ContactProfile {
        ContactProfile {
            email: first.map(email),
            additional_emails: others.iter().map(|text| email(text)).collect(),
            ..ContactProfile::default()
        }
    }

    fn emails(profile: &ContactProfile) -> Vec<&str> {
        profile.email.iter().chain(&profile.additional_emails).map(EmailAddress::as_str).collect()
    }

    fn changed(mut profile: ContactProfile, patch: ContactPatch) -> ContactProfile {
        patch.apply(&mut profile);
        profile
    }

    #[test]
    fn a_first_address_that_goes_is_followed_by_the_next() {
        let patch = ContactPatch { email: Some(None), ..ContactPatch::default() };
        let first_gone = changed(profile(Some("a@x.example"), &["b@x.example", "c@x.example"]), patch.clone());
        assert_eq!(emails(&first_gone), ["b@x.example", "c@x.example"]);
        assert!(first_gone.email.is_some());
        assert_eq!(changed(profile(Some("a@x.example"), &[]), patch).email, None);
    }

    #[test]
    fn addresses_change_places_and_stand_once() {
        let first = |text| ContactPatch { email: Some(Some(email(text))), ..ContactPatch::default() };
        let known = || profile(Some("a@x.example"), &["b@x.example", "c@x.example"]);
        assert_eq!(emails(&changed(known(), first("C@x.example"))), ["C@x.example", "b@x.example", "a@x.example"]);
        assert_eq!(emails(&changed(known(), first("d@x.example"))), ["d@x.example", "b@x.example", "c@x.example"]);
        let others = Some(["A@x.example", "d@x.example", "D@x.example"].map(email).to_vec());
        let patch = ContactPatch { additional_emails: others, ..ContactPatch::default() };
        assert_eq!(emails(&changed(known(), patch)), ["a@x.example", "d@x.example"]);
    }
}
