//! A location: one client of an agency, and the owner of contacts and everything else in the CRM.

use crate::{
    AgencyId, LocationId, ServiceMs, UtcMs,
    agency::{TenantName, TenantState},
    text::{Country, EmailAddress, Line, TimeZoneName},
};

/// What a location is and how it behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// The agency that it belongs to.
    pub agency: AgencyId,
    /// Whether it works.
    pub state: TenantState,
    /// When it last resumed from a suspension.
    pub resumed_at: ServiceMs,
    /// What its owner may change.
    pub profile: LocationProfile,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
    /// Of one that is deleted.
    pub deletion: Option<Deletion>,
}

/// When a location was deleted, and how long it can be brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When.
    pub at: UtcMs,
    /// Until then it can be restored; afterwards it goes with everything in it.
    pub restore_until: ServiceMs,
}

/// The part of a location that its owner writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationProfile {
    /// Its name.
    pub name: TenantName,
    /// Country for phone numbers without a prefix.
    pub country: Country,
    /// Its clock.
    pub timezone: TimeZoneName,
    /// Phone as it was sent: a business may list an extension or a short number.
    pub phone: Option<Line<40>>,
    /// Address for mail.
    pub email: Option<EmailAddress>,
    /// Street.
    pub address: Option<Line<200>>,
    /// City.
    pub city: Option<Line<100>>,
    /// State or province.
    pub state: Option<Line<100>>,
    /// Postal code.
    pub postal_code: Option<Line<20>>,
    /// Web site.
    pub website: Option<Line<500>>,
    /// Own domain.
    pub domain: Option<Line<253>>,
    /// Logo.
    pub logo_url: Option<Line<1000>>,
    /// Its contact person.
    pub first_name: Option<Line<100>>,
    /// Its contact person.
    pub last_name: Option<Line<100>>,
    /// Behaviour.
    pub settings: LocationSettings,
    /// Links to its social pages by the wire contract's names (`facebookUrl`, …).
    pub social: Vec<(String, String)>,
}

/// Settings of a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LocationSettings {
    /// Whether two contacts may share an e-mail address or a phone number.
    pub allow_duplicate_contact: bool,
    /// Whether a phone number decides before an e-mail address who a contact is, where they are of two contacts.
    pub phone_first: bool,
    /// The same for opportunities.
    pub allow_duplicate_opportunity: bool,
    /// Kept for clients that read it.
    pub allow_facebook_name_merge: bool,
    /// Kept for clients that read it.
    pub disable_contact_timezone: bool,
}

/// The names of [`LocationProfile::social`] that the wire contract has.
pub const SOCIAL_NAMES: &[&str] = &[
    "facebookUrl",
    "googlePlus",
    "linkedIn",
    "foursquare",
    "twitter",
    "yelp",
    "instagram",
    "youtube",
    "pinterest",
    "blogRss",
    "googlePlacesId",
];

impl LocationProfile {
    /// A location that only has a name.
    pub fn named(name: TenantName) -> Self {
        Self {
            name,
            country: Country::US,
            timezone: TimeZoneName::utc(),
            phone: None,
            email: None,
            address: None,
            city: None,
            state: None,
            postal_code: None,
            website: None,
            domain: None,
            logo_url: None,
            first_name: None,
            last_name: None,
            settings: LocationSettings::default(),
            social: Vec::new(),
        }
    }
}

/// A change of a location; `None` leaves a thing as it is, `Some(None)` empties it.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of LocationProfile")]
pub struct LocationPatch {
    pub name: Option<TenantName>,
    pub country: Option<Country>,
    pub timezone: Option<TimeZoneName>,
    pub phone: Option<Option<Line<40>>>,
    pub email: Option<Option<EmailAddress>>,
    pub address: Option<Option<Line<200>>>,
    pub city: Option<Option<Line<100>>>,
    pub state: Option<Option<Line<100>>>,
    pub postal_code: Option<Option<Line<20>>>,
    pub website: Option<Option<Line<500>>>,
    pub domain: Option<Option<Line<253>>>,
    pub logo_url: Option<Option<Line<1000>>>,
    pub first_name: Option<Option<Line<100>>>,
    pub last_name: Option<Option<Line<100>>>,
    pub allow_duplicate_contact: Option<bool>,
    pub phone_first: Option<bool>,
    pub allow_duplicate_opportunity: Option<bool>,
    pub allow_facebook_name_merge: Option<bool>,
    pub disable_contact_timezone: Option<bool>,
    pub social: Option<Vec<(String, String)>>,
}

impl LocationPatch {
    /// Changes `profile`.
    pub fn apply(self, profile: &mut LocationProfile) {
        let Self {
            name,
            country,
            timezone,
            phone,
            email,
            address,
            city,
            state,
            postal_code,
            website,
            domain,
            logo_url,
            first_name,
            last_name,
            allow_duplicate_contact,
            phone_first,
            allow_duplicate_opportunity,
            allow_facebook_name_merge,
            disable_contact_timezone,
            social,
        } = self;
        set(&mut profile.name, name);
        set(&mut profile.country, country);
        set(&mut profile.timezone, timezone);
        set(&mut profile.phone, phone);
        set(&mut profile.email, email);
        set(&mut profile.address, address);
        set(&mut profile.city, city);
        set(&mut profile.state, state);
        set(&mut profile.postal_code, postal_code);
        set(&mut profile.website, website);
        set(&mut profile.domain, domain);
        set(&mut profile.logo_url, logo_url);
        set(&mut profile.first_name, first_name);
        set(&mut profile.last_name, last_name);
        set(&mut profile.settings.allow_duplicate_contact, allow_duplicate_contact);
        set(&mut profile.settings.phone_first, phone_first);
        set(&mut profile.settings.allow_duplicate_opportunity, allow_duplicate_opportunity);
        set(&mut profile.settings.allow_facebook_name_merge, allow_facebook_name_merge);
        set(&mut profile.settings.disable_contact_timezone, disable_contact_timezone);
        set(&mut profile.social, social);
    }
}

/// Sets `place` if there is a new value.
pub(crate) fn set<T>(place: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *place = new;
    }
}

/// Which locations to list.
#[derive(Clone, Debug, Default)]
pub struct LocationFilter {
    /// With this address for mail, in lower case.
    pub email: Option<String>,
    /// A name that begins so, in lower case.
    pub query: Option<String>,
    /// Only those among these.
    pub among: Option<Vec<LocationId>>,
    /// Names from Z to A.
    pub descending: bool,
    /// Deleted ones instead of those that are not.
    pub deleted: bool,
}

/// A place in a list of locations: the name of the last one before it as names are compared, and its id.
pub type LocationCursor = (String, LocationId);

impl Location {
    /// Where it stands in a list.
    pub fn cursor(&self) -> LocationCursor {
        (self.profile.compared_name(), self.id)
    }
}

impl LocationProfile {
    /// The name as it is compared.
    pub fn compared_name(&self) -> String {
        self.name.as_str().to_lowercase()
    }
}
