//! Locations of API 1.0.

use keystead_core::{AgencyContext, Authority, Error, LocationContext, LocationList};
use keystead_model::{
    LocationId,
    agency::TenantName,
    location::{Location, LocationFilter, LocationPatch, LocationProfile},
    text::{normalized_email, time_zone_names},
};

use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Bare, Envelope, Fields, Input, Many, Written, word::QueriedEmail},
    v2::{
        locations::{Full, patch},
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
        // What API 1.0 answered of a location and what API 2.0 does are the same members.
        Full(self.0.clone()).write(fields);
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
    let patch = patch(reader);
    let (first, last) = (reader.clearable("firstName"), reader.clearable("lastName"));
    LocationPatch { name, first_name: patch.first_name.or(first), last_name: patch.last_name.or(last), ..patch }
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
    let (skip, limit) = call.query.window(LIST_LIMIT);
    let list = LocationList { skip, limit, ..LocationList::default() };
    Ok(Many(call.app.list_locations(&authority, list).await?.into_iter().map(Shape).collect()))
}

/// The address of a location.
pub(crate) struct Email(String);

impl Input for Email {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.required("email", |query| query.word("email")).map(|QueriedEmail(email)| Self(normalized_email(&email)))
    }
}

pub(crate) async fn lookup(context: AgencyContext, call: Call<(), Email>) -> Result<Shape, Error> {
    let filter = LocationFilter { email: Some(call.query.0), query: None };
    let list = LocationList { filter, limit: 1, ..LocationList::default() };
    let found = call.app.list_locations(context.authority(), list).await?;
    found.into_iter().next().map(Shape).ok_or_else(|| Error::invalid("email", "matches no location"))
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

pub(crate) async fn timezones(_: LocationContext, _: Call) -> Result<TimeZones, Error> {
    Ok(TimeZones(time_zone_names()))
}
