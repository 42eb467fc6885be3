//! Where an input is read: some words mean what they mean only there.

use std::cell::Cell;

use keystead_model::{
    AgencyId,
    location::LocationProfile,
    text::{Country, TimeZoneName},
};

/// What the rules of words may depend on.
pub(crate) struct Ground {
    agency: Option<AgencyId>,
    country: Country,
    zone: TimeZoneName,
    /// Whether a rule asked where it is, so that it must be known before such an input is read.
    is_asked: Cell<bool>,
}

impl Ground {
    /// On an agency, or on nothing at all.
    pub(crate) fn of_agency(agency: Option<AgencyId>) -> Self {
        Self { agency, country: Country::US, zone: TimeZoneName::utc(), is_asked: Cell::new(false) }
    }

    /// In a location.
    pub(crate) fn of_location(agency: AgencyId, profile: &LocationProfile) -> Self {
        Self {
            agency: Some(agency),
            country: profile.country,
            zone: profile.timezone.clone(),
            is_asked: Cell::new(false),
        }
    }

    /// Whose phone numbers are written without a prefix.
    pub(crate) fn country(&self) -> Country {
        self.is_asked.set(true);
        self.country
    }

    /// Whose clock shows a time without a zone.
    pub(crate) fn zone(&self) -> &TimeZoneName {
        self.is_asked.set(true);
        &self.zone
    }

    /// The caller's agency.
    pub(crate) fn agency(&self) -> Option<AgencyId> {
        self.agency
    }

    /// Whether country or zone were asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked.get()
    }
}
