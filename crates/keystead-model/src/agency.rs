//! An agency: the tenant. On the wire it is a company.

use crate::{
    AgencyId, ServiceMs, UtcMs,
    key_policy::KeyPolicy,
    location::set,
    text::{Country, EmailAddress, Line, TimeZoneName},
};

/// The name of an agency or a location.
pub type TenantName = Line<120>;

/// Whether a tenant works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantState {
    /// It works.
    Active,
    /// Its keys are refused, and none of them is deleted meanwhile.
    Suspended,
    /// The same, and it is not there for anybody until it is brought back. Only locations are deleted.
    Deleted,
}

impl TenantState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// Reads [`TenantState::as_str`]; everything else is suspended, since guessing must not open a door.
    pub fn from_stored(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "deleted" => Self::Deleted,
            _ => Self::Suspended,
        }
    }
}

/// An agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// `companyId` on the wire.
    pub id: AgencyId,
    /// What it says of itself.
    pub profile: AgencyProfile,
    /// What it asks of its keys.
    pub keys: KeyPolicy,
    /// Whether it works.
    pub state: TenantState,
    /// When it last resumed from a suspension.
    pub resumed_at: ServiceMs,
    /// When it was made.
    pub created_at: UtcMs,
}

/// The part of an agency that its admins write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the wire contract's, one to one")]
pub struct AgencyProfile {
    pub name: TenantName,
    pub email: Option<EmailAddress>,
    /// As it was sent: a switchboard has extensions.
    pub phone: Option<Line<40>>,
    pub website: Option<Line<500>>,
    pub domain: Option<Line<253>>,
    pub logo_url: Option<Line<1000>>,
    pub address: Option<Line<200>>,
    pub city: Option<Line<100>>,
    pub state: Option<Line<100>>,
    pub postal_code: Option<Line<20>>,
    pub country: Option<Country>,
    /// Where it works; times without a zone that concern the agency itself are UTC's all the same.
    pub timezone: Option<TimeZoneName>,
}

/// A change of an agency; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of AgencyProfile and Agency")]
pub struct AgencyPatch {
    pub name: Option<TenantName>,
    pub email: Option<Option<EmailAddress>>,
    pub phone: Option<Option<Line<40>>>,
    pub website: Option<Option<Line<500>>>,
    pub domain: Option<Option<Line<253>>>,
    pub logo_url: Option<Option<Line<1000>>>,
    pub address: Option<Option<Line<200>>>,
    pub city: Option<Option<Line<100>>>,
    pub state: Option<Option<Line<100>>>,
    pub postal_code: Option<Option<Line<20>>>,
    pub country: Option<Option<Country>>,
    pub timezone: Option<Option<TimeZoneName>>,
    pub keys: Option<KeyPolicy>,
}

impl AgencyProfile {
    /// An agency of which only the name is known.
    pub const fn named(name: TenantName) -> Self {
        Self {
            name,
            email: None,
            phone: None,
            website: None,
            domain: None,
            logo_url: None,
            address: None,
            city: None,
            state: None,
            postal_code: None,
            country: None,
            timezone: None,
        }
    }
}

impl AgencyPatch {
    /// Changes an agency.
    pub fn apply(self, agency: &mut Agency) {
        let Self {
            name,
            email,
            phone,
            website,
            domain,
            logo_url,
            address,
            city,
            state,
            postal_code,
            country,
            timezone,
            keys,
        } = self;
        set(&mut agency.keys, keys);
        let profile = &mut agency.profile;
        set(&mut profile.name, name);
        set(&mut profile.email, email);
        set(&mut profile.phone, phone);
        set(&mut profile.website, website);
        set(&mut profile.domain, domain);
        set(&mut profile.logo_url, logo_url);
        set(&mut profile.address, address);
        set(&mut profile.city, city);
        set(&mut profile.state, state);
        set(&mut profile.postal_code, postal_code);
        set(&mut profile.country, country);
        set(&mut profile.timezone, timezone);
    }
}
