//! Contacts: the people that a location knows.

use crate::{
    ContactId, LocationId, UserId, UtcMs,
    calendar_date::CalendarDate,
    location::set,
    phone::PhoneNumber,
    tag::TagName,
    text::{Country, EmailAddress, Line, TimeZoneName},
};

/// Most tags on one contact.
pub const MAX_TAGS: usize = 200;
/// A deleted contact stays in the trash this long.
pub const TRASH_MS: i64 = 30 * crate::time::DAY_MS;

/// A contact.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// The location that knows it.
    pub location: LocationId,
    /// What people and programs write.
    pub profile: ContactProfile,
    /// Its tags, in the order in which they were added.
    pub tags: Vec<TagName>,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// The part of a contact that people and programs write.
#[derive(Clone, Debug, Default)]
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

/// A change of a contact, and with an empty profile the making of one; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of ContactProfile")]
pub struct ContactPatch {
    pub first_name: Option<Option<Line<100>>>,
    pub last_name: Option<Option<Line<100>>>,
    pub email: Option<EmailAddress>,
    pub phone: Option<PhoneNumber>,
    pub company_name: Option<Option<Line<200>>>,
    pub address1: Option<Option<Line<200>>>,
    pub city: Option<Option<Line<100>>>,
    pub state: Option<Option<Line<100>>>,
    pub postal_code: Option<Option<Line<20>>>,
    pub country: Option<Country>,
    pub website: Option<Option<Line<500>>>,
    pub timezone: Option<TimeZoneName>,
    pub gender: Option<Option<Line<40>>>,
    pub source: Option<Option<Line<200>>>,
    pub date_of_birth: Option<CalendarDate>,
    pub assigned_to: Option<UserId>,
    pub dnd: Option<bool>,
    pub dnd_settings: DndSettings,
    pub inbound_dnd: Option<Dnd>,
    pub additional_emails: Option<Vec<EmailAddress>>,
    pub additional_phones: Option<Vec<PhoneNumber>>,
    /// Replaces all tags.
    pub tags: Option<Vec<TagName>>,
}

impl ContactPatch {
    /// Changes `profile`, and returns the tags that are to replace all others.
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
        } = self;
        set(&mut profile.first_name, first_name);
        set(&mut profile.last_name, last_name);
        set(&mut profile.email, email.map(Some));
        set(&mut profile.phone, phone.map(Some));
        set(&mut profile.company_name, company_name);
        set(&mut profile.address1, address1);
        set(&mut profile.city, city);
        set(&mut profile.state, state);
        set(&mut profile.postal_code, postal_code);
        set(&mut profile.country, country.map(Some));
        set(&mut profile.website, website);
        set(&mut profile.timezone, timezone.map(Some));
        set(&mut profile.gender, gender);
        set(&mut profile.source, source);
        set(&mut profile.date_of_birth, date_of_birth.map(Some));
        set(&mut profile.assigned_to, assigned_to.map(Some));
        set(&mut profile.dnd, dnd);
        for (channel, new) in profile.dnd_settings.iter_mut().zip(dnd_settings) {
            set(channel, new.map(Some));
        }
        set(&mut profile.inbound_dnd, inbound_dnd.map(Some));
        set(&mut profile.additional_emails, additional_emails);
        set(&mut profile.additional_phones, additional_phones);
        tags
    }
}

impl ContactProfile {
    /// Given and family name, as far as they are known.
    pub fn full_name(&self) -> Option<String> {
        match (&self.first_name, &self.last_name) {
            (Some(first), Some(last)) => Some(format!("{first} {last}")),
            (Some(name), None) | (None, Some(name)) => Some(name.to_string()),
            (None, None) => None,
        }
    }

    /// Whether it has what a contact needs at least: an e-mail address, a phone number or a name.
    pub fn is_identifiable(&self) -> bool {
        self.email.is_some() || self.phone.is_some() || self.first_name.is_some() || self.last_name.is_some()
    }

    /// What is unique in a location that forbids duplicates, first priority first.
    pub fn identities(&self) -> Vec<(IdentityKind, String)> {
        let email = self.email.as_ref().map(|email| (IdentityKind::Email, email.normalized()));
        let phone = self.phone.as_ref().map(|phone| (IdentityKind::Phone, phone.as_str().to_owned()));
        email.into_iter().chain(phone).collect()
    }

    /// The words that it is found by, lower-cased: names, company, e-mail (whole and by part), phone digits.
    pub fn search_terms<'a>(&'a self, tags: impl Iterator<Item = &'a TagName>) -> Vec<String> {
        let mut terms = Vec::new();
        let names = [
            self.first_name.as_ref().map(Line::as_str),
            self.last_name.as_ref().map(Line::as_str),
            self.company_name.as_ref().map(Line::as_str),
        ];
        for text in names.into_iter().flatten().chain(tags.map(TagName::as_str)) {
            terms.extend(words(text));
        }
        if let Some(email) = &self.email {
            terms.extend(words(email.as_str()));
            terms.push(email.normalized());
        }
        if let Some(phone) = &self.phone {
            let digits = phone.as_str().trim_start_matches('+');
            terms.push(digits.to_owned());
            // A search by the national number finds it too: country codes have one to three digits.
            terms.extend((1..=3).filter_map(|code| digits.get(code..)).map(str::to_owned));
        }
        for term in &mut terms {
            *term = term.chars().take(64).collect();
        }
        terms.sort_unstable();
        terms.dedup();
        terms
    }
}

/// The words of a text, lower-cased, as contacts are found by them.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The words of a search: an e-mail address stays whole, a phone number becomes its digits.
pub fn search_words(query: &str) -> Vec<String> {
    query
        .split_whitespace()
        .flat_map(|part| {
            if part.contains('@') {
                vec![part.to_lowercase()]
            } else if part.chars().all(|c| c.is_ascii_digit() || "+()-./".contains(c)) {
                vec![part.chars().filter(char::is_ascii_digit).collect()]
            } else {
                words(part).collect()
            }
        })
        .filter(|word: &String| !word.is_empty())
        .map(|word| word.chars().take(64).collect())
        .take(8)
        .collect()
}

/// What a contact is told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ContactOrder {
    /// When they were made.
    #[default]
    Created,
    /// When they were last changed.
    Updated,
}

/// Which contacts to list.
#[derive(Clone, Debug, Default)]
pub struct ContactFilter {
    /// Words that each must begin a word of the contact.
    pub words: Vec<String>,
    /// The column of order.
    pub order: ContactOrder,
    /// Oldest first instead of newest first.
    pub ascending: bool,
}
