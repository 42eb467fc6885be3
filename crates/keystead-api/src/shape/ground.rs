//! Where an input is read: some words mean what they mean only there.

use std::cell::Cell;

use keystead_model::{
    AgencyId, LocationId,
    custom_field::{CustomField, OwnerKind},
    location::LocationProfile,
    text::{Country, TimeZoneName},
};

/// What the rules of words may depend on.
pub(crate) struct Ground {
    agency: Option<AgencyId>,
    location: Option<LocationId>,
    country: Country,
    zone: TimeZoneName,
    fields: Vec<CustomField>,
    /// Whether a rule asked where it is, so that it must be known before such an input is read.
    is_asked: Cell<bool>,
    /// Whose custom fields were asked for, likewise.
    asked_fields: Cell<Option<OwnerKind>>,
}

impl Ground {
    /// On an agency, or on nothing at all.
    pub(crate) fn of_agency(agency: Option<AgencyId>) -> Self {
        Self {
            agency,
            location: None,
            country: Country::US,
            zone: TimeZoneName::utc(),
            fields: Vec::new(),
            is_asked: Cell::new(false),
            asked_fields: Cell::new(None),
        }
    }

    /// In a location.
    pub(crate) fn of_location(agency: AgencyId, profile: &LocationProfile) -> Self {
        Self { country: profile.country, zone: profile.timezone.clone(), ..Self::of_agency(Some(agency)) }
    }

    /// With the location of the call.
    pub(crate) fn with_location(self, location: LocationId) -> Self {
        Self { location: Some(location), ..self }
    }

    /// With the custom fields whose values may be named.
    pub(crate) fn with_fields(self, fields: Vec<CustomField>) -> Self {
        Self { fields, ..self }
    }

    /// The custom fields of a model.
    pub(crate) fn fields(&self, model: OwnerKind) -> &[CustomField] {
        self.asked_fields.set(Some(model));
        &self.fields
    }

    /// Whose custom fields were asked for.
    pub(crate) fn asked_fields(&self) -> Option<OwnerKind> {
        self.asked_fields.get()
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

    /// The location of the call, if it is in one.
    pub(crate) fn location(&self) -> Option<LocationId> {
        self.location
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
