//! Locations of API 1.0.

use keystead_core::{AgencyContext, Authority, Error, LocationContext};
use keystead_model::{
    LocationId,
    agency::TenantName,
    location::{Location, LocationFilter, LocationPatch, LocationProfile},
    page::Window,
    text::{normalized_email, time_zone_names},
};

use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, Envelope, Fields, Input, Many, Written, word::QueriedEmail},
    v2::{
        locations::{Business, Nothing, Social, patch, snapshot},
        samples,
    },
};

/// As many as one answer has; `skip` leads further.
const LIST_LIMIT: i64 = 1000;

/// A location of API 1.0.
pub(crate) struct Shape(Location);

impl Envelope for Shape {
    const ONE: &'static str = "location";
    const MANY: &'static str = "locations";
}

impl Written for Shape {
    const NAME: &'static str = "Location";

    fn sample() -> Self {
        Self(samples::location())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let LocationProfile {
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
            settings,
            social,
        } = &self.0.profile;
        fields.put("id", &self.0.id);
        fields.put("companyId", &self.0.agency);
        fields.put("name", name);
        fields.opt("phone", phone.as_ref());
        fields.opt("email", email.as_ref());
        fields.opt("address", address.as_ref());
        fields.opt("city", city.as_ref());
        fields.opt("state", state.as_ref());
        fields.opt("domain", domain.as_ref());
        fields.put("country", country);
        fields.opt("postalCode", postal_code.as_ref());
        fields.opt("website", website.as_ref());
        fields.put("timezone", timezone);
        fields.opt("logoUrl", logo_url.as_ref());
        fields.opt("firstName", first_name.as_ref());
        fields.opt("lastName", last_name.as_ref());
        fields.put("settings", settings);
        fields.put("social", &Social(social.clone()));
        fields.put("business", &Business(&self.0));
        fields.put("reseller", &Nothing);
        fields.put("permissions", &Nothing);
        fields.put("dateAdded", &self.0.created_at);
    }
}

/// A new location. Its name is `businessName` on its way in and `name` on its way out.
pub(crate) struct NewLocation(LocationProfile);

/// A change of one.
pub(crate) struct LocationChange(LocationPatch);

impl Input for NewLocation {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.required("businessName", |reader| reader.word("businessName"));
        let patch = rest(reader);
        let mut profile = LocationProfile::named(name.clone()?);
        LocationPatch { name, ..patch }.apply(&mut profile);
        Some(Self(profile))
    }
}

impl Input for LocationChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.word("businessName");
        let patch = rest(reader);
        Some(Self(LocationPatch { name: name.or(patch.name.clone()), ..patch }))
    }
}

fn rest(reader: &mut Reader<'_>) -> LocationPatch {
    let name: Option<TenantName> = reader.word("name");
    // API 1.0 passes over what it has no use for, and says nothing of it.
    snapshot(reader);
    LocationPatch { name, ..patch(reader) }
}

/// Time zones.
pub(crate) struct TimeZones(Vec<String>);

impl Written for TimeZones {
    fn sample() -> Self {
        Self(vec!["Europe/Berlin".to_owned()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("timezones", &self.0);
    }
}

pub(crate) async fn list(authority: Authority, call: Call<(), Slice>) -> Result<Many<Shape>, Error> {
    let window = call.query.at_most(LIST_LIMIT).window();
    let found = call.app.list_locations(&authority, LocationFilter::default(), window).await?;
    Ok(Many(found.map(Shape).rows))
}

/// The address of a location.
pub(crate) struct Email(String);

impl Input for Email {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.required("email", |query| query.word("email")).map(|QueriedEmail(email)| Self(normalized_email(&email)))
    }
}

pub(crate) async fn lookup(context: AgencyContext, call: Call<(), Email>) -> Result<Shape, Error> {
    let filter = LocationFilter { email: Some(call.query.0), ..LocationFilter::default() };
    let found = call.app.list_locations(context.authority(), filter, Window::first(1)).await?;
    found.rows.into_iter().next().map(Shape).ok_or_else(|| Error::invalid("email", "matches no location"))
}

pub(crate) async fn create(context: AgencyContext, call: Call<(), Bare, NewLocation>) -> Result<Shape, Error> {
    call.app.create_location(&context, call.body.0).await.map(Shape)
}

pub(crate) async fn get(authority: Authority, call: Call<LocationId>) -> Result<Shape, Error> {
    call.app.get_location(&authority, call.path).await.map(Shape)
}

pub(crate) async fn update(
    context: AgencyContext,
    call: Call<LocationId, Bare, LocationChange>,
) -> Result<Shape, Error> {
    call.app.update_location(&context, call.path, call.body.0).await.map(Shape)
}

/// That it is deleted.
pub(crate) struct Deleted;

impl Written for Deleted {
    fn sample() -> Self {
        Self
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("msg", "Success");
    }
}

pub(crate) async fn delete(context: AgencyContext, call: Call<LocationId>) -> Result<Deleted, Error> {
    call.app.delete_location(&context, call.path).await?;
    Ok(Deleted)
}

pub(crate) async fn timezones(_: LocationContext, _: Call) -> Result<TimeZones, Error> {
    Ok(TimeZones(time_zone_names()))
}
