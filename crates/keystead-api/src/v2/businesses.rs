//! Businesses of a location in API 2.0.

use keystead_model::business::{Business, BusinessContent, BusinessPatch};

use super::{actor::Who, samples};
use crate::{
    reader::Reader,
    shape::{Envelope, Fields, Input, Tagged, Written},
};

impl Envelope for Business {
    const ONE: &'static str = "business";
    const MANY: &'static str = "businesses";
}

impl Written for Business {
    const NAME: &'static str = "Business";

    fn sample() -> Self {
        samples::business()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, content, created_at, updated_at, created_by, updated_by } = self;
        let BusinessContent { name, phone, email, website, address, city, state, postal_code, country, description } =
            content;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("locationId", location);
        fields.opt("phone", phone.as_ref());
        fields.opt("email", email.as_ref());
        fields.opt("website", website.as_ref());
        fields.opt("address", address.as_ref());
        fields.opt("city", city.as_ref());
        fields.opt("state", state.as_ref());
        fields.opt("postalCode", postal_code.as_ref());
        fields.opt("country", country.as_ref());
        fields.opt("description", description.as_ref());
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
        fields.opt("createdBy", created_by.as_ref().map(|by| Who(by.actor())).as_ref());
        fields.opt("updatedBy", updated_by.as_ref().map(|by| Who(by.actor())).as_ref());
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

impl Input for BusinessContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let rest = rest(reader);
        let mut content = Self::named(name?);
        rest.apply(&mut content);
        Some(content)
    }
}

impl Input for BusinessPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { name: reader.word("name"), ..rest(reader) })
    }
}

/// Everything but the name.
fn rest(reader: &mut Reader<'_>) -> BusinessPatch {
    BusinessPatch {
        name: None,
        phone: reader.clearable("phone"),
        email: reader.clearable("email"),
        website: reader.clearable("website"),
        address: reader.clearable("address"),
        city: reader.clearable("city"),
        state: reader.clearable("state"),
        postal_code: reader.clearable("postalCode"),
        country: reader.clearable("country"),
        description: reader.clearable("description"),
    }
}

/// What was written, under the contract's spelling and the right one.
pub(crate) struct Saved(Business);

impl From<Business> for Saved {
    fn from(business: Business) -> Self {
        Self(business)
    }
}

impl Written for Saved {
    const NAME: &'static str = "SavedBusiness";

    fn sample() -> Self {
        Self(Business::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("success", &true);
        fields.put("buiseness", &self.0);
        fields.put("business", &self.0);
    }

    fn tag(&self) -> Option<String> {
        Written::tag(&self.0)
    }
}
