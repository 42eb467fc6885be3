//! Locations of API 2.0.

use keystead_core::{AgencyContext, Authority, Error, LocationContext, LocationList};
use keystead_model::{
    AgencyId, Invalid, LocationId,
    agency::TenantName,
    location::{Location, LocationFilter, LocationPatch, LocationProfile, SOCIAL_NAMES},
    text::{Country, EmailAddress, Line, TimeZoneName, normalized_email, time_zone_names},
};
use serde_json::{Map, Value, json};

use super::contacts::{input::removable, query_email};
use crate::{call::Call, reader::Reader, reply::Reply};

fn location_id(call: &Call) -> Result<LocationId, Error> {
    call.id("locationId", |_| Error::NoAccess)
}

/// The profile's members by their wire names; absent where there is no value.
pub(crate) fn profile(location: &Location) -> Map<String, Value> {
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
    } = &location.profile;
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(location.id));
    fields.insert("companyId".to_owned(), json!(location.agency));
    let texts = [
        ("name", Some(name.as_str())),
        ("phone", phone.as_ref().map(Line::as_str)),
        ("email", email.as_ref().map(EmailAddress::as_str)),
        ("address", address.as_ref().map(Line::as_str)),
        ("city", city.as_ref().map(Line::as_str)),
        ("state", state.as_ref().map(Line::as_str)),
        ("domain", domain.as_ref().map(Line::as_str)),
        ("country", Some(country.as_str())),
        ("postalCode", postal_code.as_ref().map(Line::as_str)),
        ("website", website.as_ref().map(Line::as_str)),
        ("timezone", Some(timezone.as_str())),
        ("logoUrl", logo_url.as_ref().map(Line::as_str)),
        ("firstName", first_name.as_ref().map(Line::as_str)),
        ("lastName", last_name.as_ref().map(Line::as_str)),
    ];
    fields.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))));
    let settings = json!({
        "allowDuplicateContact": settings.allow_duplicate_contact,
        "allowDuplicateOpportunity": settings.allow_duplicate_opportunity,
        "allowFacebookNameMerge": settings.allow_facebook_name_merge,
        "disableContactTimezone": settings.disable_contact_timezone,
    });
    fields.insert("settings".to_owned(), settings);
    let social: Map<String, Value> = social.iter().map(|(name, link)| (name.clone(), json!(link))).collect();
    fields.insert("social".to_owned(), Value::Object(social));
    fields
}

/// As get answers.
pub(crate) fn full(location: &Location) -> Value {
    let mut fields = profile(location);
    let mut business = Map::new();
    for name in ["name", "address", "city", "state", "country", "postalCode", "website", "timezone", "logoUrl", "email"]
    {
        if let Some(value) = fields.get(name) {
            business.insert(name.to_owned(), value.clone());
        }
    }
    fields.insert("business".to_owned(), Value::Object(business));
    fields.insert("reseller".to_owned(), json!({}));
    fields.insert("permissions".to_owned(), json!({}));
    fields.insert("dateAdded".to_owned(), json!(location.created_at));
    Value::Object(fields)
}

/// The members that create and update have in common.
pub(crate) fn patch(reader: &mut Reader) -> LocationPatch {
    let mut patch = LocationPatch {
        name: reader.parse("name", TenantName::parse),
        country: reader.parse("country", Country::parse),
        timezone: reader.parse("timezone", TimeZoneName::parse),
        phone: reader.clearable("phone", Line::parse),
        email: removable(reader, "email", EmailAddress::parse),
        address: reader.clearable("address", Line::parse),
        city: reader.clearable("city", Line::parse),
        state: reader.clearable("state", Line::parse),
        postal_code: reader.clearable("postalCode", Line::parse),
        website: reader.clearable("website", Line::parse),
        social: reader.object("social", social),
        ..LocationPatch::default()
    };
    reader.object("settings", |settings| {
        patch.allow_duplicate_contact = settings.truth("allowDuplicateContact");
        patch.allow_duplicate_opportunity = settings.truth("allowDuplicateOpportunity");
        patch.allow_facebook_name_merge = settings.truth("allowFacebookNameMerge");
        patch.disable_contact_timezone = settings.truth("disableContactTimezone");
    });
    reader.object("prospectInfo", |info| {
        patch.first_name = info.required("firstName", |info| info.parse("firstName", Line::parse)).map(Some);
        patch.last_name = info.required("lastName", |info| info.parse("lastName", Line::parse)).map(Some);
        let email = info.required("email", |info| info.parse("email", EmailAddress::parse));
        patch.email = patch.email.take().or(email.map(Some));
    });
    // Accounts of other companies that the original keeps here; Keystead has no use for them.
    reader.ignore(&["snapshotId", "snapshot", "twilio", "mailgun"]);
    patch
}

fn social(reader: &mut Reader) -> Vec<(String, String)> {
    let link = |text: &str| Line::<500>::parse(text);
    SOCIAL_NAMES.iter().filter_map(|name| Some(((*name).to_owned(), reader.parse(name, link)?.into_string()))).collect()
}

fn company(reader: &mut Reader, own: AgencyId) {
    reader.parse("companyId", |text| {
        if AgencyId::parse(text) == Some(own) { Ok(()) } else { Err(Invalid::new("is not the company of this key")) }
    });
}

pub(crate) async fn create(context: AgencyContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let mut reader = call.read_body();
    let name = reader.required("name", |reader| reader.parse("name", TenantName::parse));
    company(&mut reader, context.authority().agency());
    let patch = patch(&mut reader);
    reader.finish()?;
    let mut profile = LocationProfile::named(name.ok_or_else(|| Error::invalid("name", "should not be empty"))?);
    patch.apply(&mut profile);
    let location = call.app.create_location(&context, profile).await?;
    Ok(Reply::object(200, &self::profile(&location)))
}

pub(crate) async fn get(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let location = call.app.get_location(&authority, location_id(&call)?).await?;
    Ok(Reply::object(200, &json!({"location": full(&location)})))
}

pub(crate) async fn update(context: AgencyContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let id = location_id(&call)?;
    let mut reader = call.read_update();
    company(&mut reader, context.authority().agency());
    let patch = patch(&mut reader);
    reader.finish()?;
    let location = call.app.update_location(&context, id, patch).await?;
    Ok(Reply::object(200, &profile(&location)))
}

pub(crate) async fn search(authority: Authority, mut call: Call) -> Result<Reply, Error> {
    let own = authority.agency();
    let mut query = call.read_query();
    company(&mut query, own);
    let limit = query.integer("limit", 1..=1000).unwrap_or(10);
    let page = query.integer("page", 1..=1_000_000);
    let list = LocationList {
        filter: LocationFilter {
            email: query_email(&mut query, "email").map(|email| normalized_email(&email)),
            query: None,
        },
        among: None,
        descending: query.text("order").is_some_and(|order| order.eq_ignore_ascii_case("desc")),
        skip: query.integer("skip", 0..=1_000_000).unwrap_or_else(|| (page.unwrap_or(1) - 1) * limit),
        limit,
    };
    query.finish()?;
    let rows = call.app.list_locations(&authority, list).await?;
    let rows: Vec<Map<String, Value>> = rows.iter().map(profile).collect();
    Ok(Reply::object(200, &json!({"locations": rows})))
}

pub(crate) async fn timezones(_: LocationContext, mut call: Call) -> Result<Reply, Error> {
    call.no_query()?;
    let names = time_zone_names();
    Ok(Reply::object(200, &json!({"timeZones": names, "timezones": names})))
}
