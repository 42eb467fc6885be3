//! Companies of API 2.0: an agency as programs see it.

use keystead_core::{AgencyContext, Error};
use keystead_model::{
    AgencyId,
    agency::{Agency, AgencyPatch, AgencyProfile},
};

use super::samples;
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Envelope, Fields, Input, One, Written},
};

/// An agency, with how many of its locations the key reaches.
pub(crate) struct Company(Agency, i64);

impl Envelope for Company {
    const ONE: &'static str = "company";
    const MANY: &'static str = "companies";
}

impl Written for Company {
    const NAME: &'static str = "Company";

    fn sample() -> Self {
        Self(samples::agency(), 12)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(Agency { id, profile, .. }, locations) = self;
        let AgencyProfile {
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
        } = profile;
        fields.put("id", id);
        fields.put("name", name);
        fields.opt("email", email.as_ref());
        fields.opt("logoUrl", logo_url.as_ref());
        fields.opt("phone", phone.as_ref());
        fields.opt("website", website.as_ref());
        fields.opt("domain", domain.as_ref());
        fields.opt("address", address.as_ref());
        fields.opt("city", city.as_ref());
        fields.opt("postalCode", postal_code.as_ref());
        fields.opt("country", country.as_ref());
        fields.opt("state", state.as_ref());
        fields.opt("timezone", timezone.as_ref());
        fields.put("locationCount", locations);
    }
}

impl Input for AgencyPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            name: reader.word("name"),
            email: reader.removable_word("email"),
            phone: reader.clearable("phone"),
            website: reader.clearable("website"),
            domain: reader.clearable("domain"),
            logo_url: reader.clearable("logoUrl"),
            address: reader.clearable("address"),
            city: reader.clearable("city"),
            state: reader.clearable("state"),
            postal_code: reader.clearable("postalCode"),
            country: reader.removable_word("country"),
            timezone: reader.removable_word("timezone"),
            // What an agency asks of its keys no program changes.
            keys: None,
        })
    }
}

pub(crate) async fn get(context: AgencyContext, call: Call<AgencyId>) -> Result<One<Company>, Error> {
    let (agency, locations) = call.app.get_company(&context, call.path).await?;
    Ok(One(Company(agency, locations)))
}

pub(crate) async fn update(
    context: AgencyContext,
    call: Call<AgencyId, Bare, AgencyPatch>,
) -> Result<One<Company>, Error> {
    let (agency, locations) = call.app.update_agency(&context, call.path, call.body).await?;
    Ok(One(Company(agency, locations)))
}
