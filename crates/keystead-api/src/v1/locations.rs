//! Locations of API 1.0.

use keystead_core::{AgencyContext, Authority, Error, LocationContext, LocationList};
use keystead_model::{
    LocationId,
    agency::TenantName,
    location::{LocationFilter, LocationPatch, LocationProfile},
    text::{normalized_email, time_zone_names},
};
use serde_json::{Value, json};

use crate::{
    call::Call,
    reader::Reader,
    reply::Reply,
    v2::{
        contacts::query_email,
        locations::{full, patch},
    },
};

/// As many as one answer has; `skip` leads further.
const LIST_LIMIT: i64 = 1000;

fn location_id(call: &Call) -> Result<LocationId, Error> {
    call.id("locationId", |_| Error::NoAccess)
}

/// The name is `businessName` on its way in and `name` on its way out.
fn read(reader: &mut Reader, name_required: bool) -> (Option<TenantName>, LocationPatch) {
    let read_name = |reader: &mut Reader| reader.parse("businessName", TenantName::parse);
    let name = if name_required { reader.required("businessName", read_name) } else { read_name(reader) };
    let mut patch = patch(reader);
    patch.name = name.clone().or(patch.name);
    patch.first_name = patch.first_name.or(reader.clearable("firstName", keystead_model::text::Line::parse));
    patch.last_name = patch.last_name.or(reader.clearable("lastName", keystead_model::text::Line::parse));
    reader.pass_over_unknown();
    (name, patch)
}

pub(crate) async fn list(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    let (skip, limit) = call.lenient_slice()?.window(LIST_LIMIT);
    let list = LocationList { skip, limit, ..LocationList::default() };
    let rows: Vec<Value> = call.app.list_locations(&authority, list).await?.iter().map(full).collect();
    Ok(Reply::bare(&json!({"locations": rows})))
}

pub(crate) async fn lookup(context: AgencyContext, mut call: Call) -> Result<Reply, Error> {
    let mut query = call.read_query();
    let email = query.required("email", |query| query_email(query, "email"));
    query.pass_over_unknown();
    query.finish()?;
    let filter = LocationFilter { email: email.map(|email| normalized_email(&email)), query: None };
    let list = LocationList { filter, limit: 1, ..LocationList::default() };
    match call.app.list_locations(context.authority(), list).await?.first() {
        Some(location) => Ok(Reply::bare(&full(location))),
        None => Err(Error::invalid("email", "matches no location")),
    }
}

pub(crate) async fn create(context: AgencyContext, mut call: Call) -> Result<Reply, Error> {
    let mut reader = call.read_body();
    let (name, patch) = read(&mut reader, true);
    reader.finish()?;
    let name = name.ok_or_else(|| Error::invalid("businessName", "should not be empty"))?;
    let mut profile = LocationProfile::named(name);
    patch.apply(&mut profile);
    Ok(Reply::bare(&full(&call.app.create_location(&context, profile).await?)))
}

pub(crate) async fn get(authority: Authority, call: Call) -> Result<Reply, Error> {
    Ok(Reply::bare(&full(&call.app.get_location(&authority, location_id(&call)?).await?)))
}

pub(crate) async fn update(context: AgencyContext, mut call: Call) -> Result<Reply, Error> {
    let id = location_id(&call)?;
    let mut reader = call.read_update();
    let (_, patch) = read(&mut reader, false);
    reader.finish()?;
    Ok(Reply::bare(&full(&call.app.update_location(&context, id, patch).await?)))
}

pub(crate) async fn timezones(_: LocationContext, call: Call) -> Result<Reply, Error> {
    drop(call);
    Ok(Reply::bare(&json!({"timezones": time_zone_names()})))
}
