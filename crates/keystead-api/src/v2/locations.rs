//! Locations of API 2.0.

use std::sync::LazyLock;

use keystead_core::{AgencyContext, Authority, Error, LocationContext};
use keystead_model::{
    Invalid, LocationId,
    agency::TenantName,
    contact::IdentityKind,
    location::{
        Location, LocationCursor, LocationFilter, LocationPatch, LocationProfile, LocationSettings, SOCIAL_NAMES,
    },
    page::Window,
    text::{EmailAddress, Line, normalized_email, time_zone_names},
};
use serde_json::{Map, Value, json};

use super::samples;
use crate::{
    call::Call,
    reader::{PLACES, Reader},
    shape::{
        Bare, Envelope, Fields, Ground, Input, Many, One, Tagged, Word, Written,
        word::{self, OwnCompany, QueriedEmail},
    },
};

/// A location as search, create and update answer: its profile, each member where it has a value.
pub(crate) struct Profile(pub(crate) Location);

impl Written for Profile {
    const NAME: &'static str = "LocationProfile";

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
        fields.opt("deletedAt", self.0.deletion.as_ref().map(|deletion| &deletion.at));
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.0))
    }
}

/// What decides first who a contact is.
impl Word for IdentityKind {
    const EXAMPLE: &'static str = "email";

    fn schema() -> Value {
        word::one_of(["email", "phone"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be one of email, phone"))
    }
}

impl Written for LocationSettings {
    const NAME: &'static str = "LocationSettings";

    fn sample() -> Self {
        Self::default()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self {
            allow_duplicate_contact,
            phone_first,
            allow_duplicate_opportunity,
            allow_facebook_name_merge,
            disable_contact_timezone,
        } = self;
        fields.put("allowDuplicateContact", allow_duplicate_contact);
        let first = if *phone_first { IdentityKind::Phone } else { IdentityKind::Email };
        fields.one_of("duplicateContactPriority", first.as_str(), &["email", "phone"]);
        fields.put("allowDuplicateOpportunity", allow_duplicate_opportunity);
        fields.put("allowFacebookNameMerge", allow_facebook_name_merge);
        fields.put("disableContactTimezone", disable_contact_timezone);
    }
}

/// Links to social pages, by name. Both APIs have the same inside of a location.
pub(crate) struct Social(pub(crate) Vec<(String, String)>);

impl Written for Social {
    const NAME: &'static str = "SocialLinks";

    fn sample() -> Self {
        Self(Vec::new())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        for name in SOCIAL_NAMES {
            let link = self.0.iter().find(|(known, _)| known == name);
            fields.opt(name, link.map(|(_, link)| link));
        }
    }
}

/// The business behind a location.
pub(crate) struct Business<'l>(pub(crate) &'l Location);

impl Written for Business<'_> {
    const NAME: &'static str = "LocationBusiness";

    fn sample() -> Self {
        Self(&SAMPLE)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let profile = &self.0.profile;
        fields.put("name", &profile.name);
        fields.opt("address", profile.address.as_ref());
        fields.opt("city", profile.city.as_ref());
        fields.opt("state", profile.state.as_ref());
        fields.put("country", &profile.country);
        fields.opt("postalCode", profile.postal_code.as_ref());
        fields.opt("website", profile.website.as_ref());
        fields.put("timezone", &profile.timezone);
        fields.opt("logoUrl", profile.logo_url.as_ref());
        fields.opt("email", profile.email.as_ref());
    }
}

static SAMPLE: LazyLock<Location> = LazyLock::new(samples::location);

/// An object of the contract in which there is nothing here.
pub(crate) struct Nothing;

impl Written for Nothing {
    const NAME: &'static str = "Nothing";

    fn sample() -> Self {
        Self
    }

    fn write(&self, _: &mut Fields<'_>) {}
}

/// A location as get answers.
pub(crate) struct Full(pub(crate) Location);

impl Written for Full {
    const NAME: &'static str = "Location";

    fn sample() -> Self {
        Self(samples::location())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self(location) = self;
        Profile(location.clone()).write(fields);
        fields.put("business", &Business(location));
        fields.put("reseller", &Nothing);
        fields.put("permissions", &Nothing);
        fields.put("dateAdded", &location.created_at);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.0))
    }
}

impl Envelope for Full {
    const ONE: &'static str = "location";
    const MANY: &'static str = "locations";
}

impl Envelope for Profile {
    const ONE: &'static str = "location";
    const MANY: &'static str = "locations";
}

/// Time zones, under both spellings.
pub(crate) struct TimeZones(Vec<String>);

impl Written for TimeZones {
    fn sample() -> Self {
        Self(vec!["Europe/Berlin".to_owned()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("timeZones", &self.0);
        fields.put("timezones", &self.0);
    }
}

/// Whether a snapshot was named, from which the original would fill a location; there are none here. Both APIs ask so.
pub(crate) fn snapshot(reader: &mut Reader<'_>) -> bool {
    reader.passes_over("snapshotId") | reader.passes_over("snapshot")
}

/// A location that was made or changed, and what of the request had no effect.
pub(crate) struct Saved {
    location: Location,
    named_snapshot: bool,
}

impl Written for Saved {
    const NAME: &'static str = "SavedLocation";

    fn sample() -> Self {
        Self { location: samples::location(), named_snapshot: true }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        Profile(self.location.clone()).write(fields);
        let hint = "There are no snapshots here, so the one that was named was passed over: the location has what the request says.";
        fields.opt("hint", self.named_snapshot.then_some(hint));
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.location))
    }
}

/// A new location.
pub(crate) struct NewLocation {
    profile: LocationProfile,
    named_snapshot: bool,
}

impl Input for NewLocation {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.required("name", |reader| reader.word("name"));
        company(reader);
        let (patch, named_snapshot) = (patch(reader), snapshot(reader));
        let mut profile = LocationProfile::named(name?);
        patch.apply(&mut profile);
        Some(Self { profile, named_snapshot })
    }

    fn settle(example: &mut Map<String, Value>) {
        without_company(example);
    }
}

/// A change of one.
pub(crate) struct LocationChange {
    patch: LocationPatch,
    named_snapshot: bool,
}

impl Input for LocationChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        company(reader);
        let name: Option<TenantName> = reader.word("name");
        let named_snapshot = snapshot(reader);
        Some(Self { patch: LocationPatch { name, ..patch(reader) }, named_snapshot })
    }

    fn settle(example: &mut Map<String, Value>) {
        without_company(example);
    }
}

/// The members that create and update have in common.
pub(crate) fn patch(reader: &mut Reader<'_>) -> LocationPatch {
    let mut patch = LocationPatch {
        country: reader.word("country"),
        timezone: reader.word("timezone"),
        phone: reader.clearable("phone"),
        email: reader.removable_word("email"),
        address: reader.clearable("address"),
        city: reader.clearable("city"),
        state: reader.clearable("state"),
        postal_code: reader.clearable("postalCode"),
        website: reader.clearable("website"),
        domain: reader.clearable("domain"),
        logo_url: reader.clearable("logoUrl"),
        first_name: reader.clearable("firstName"),
        last_name: reader.clearable("lastName"),
        social: reader.object("social", social),
        ..LocationPatch::default()
    };
    reader.object("settings", |settings| {
        patch.allow_duplicate_contact = settings.truth("allowDuplicateContact");
        patch.phone_first =
            settings.word("duplicateContactPriority").map(|first: IdentityKind| first == IdentityKind::Phone);
        patch.allow_duplicate_opportunity = settings.truth("allowDuplicateOpportunity");
        patch.allow_facebook_name_merge = settings.truth("allowFacebookNameMerge");
        patch.disable_contact_timezone = settings.truth("disableContactTimezone");
    });
    reader.object("prospectInfo", |info| {
        let first = info.required("firstName", |info| info.word("firstName"));
        let last = info.required("lastName", |info| info.word("lastName"));
        let email: Option<EmailAddress> = info.required("email", |info| info.word("email"));
        patch.first_name = patch.first_name.take().or(first.map(Some));
        patch.last_name = patch.last_name.take().or(last.map(Some));
        patch.email = patch.email.take().or(email.map(Some));
    });
    // Accounts of other companies that the original keeps here; Keystead has no use for them.
    reader.ignore(&["twilio", "mailgun"]);
    patch
}

fn social(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut links = Vec::new();
    for name in SOCIAL_NAMES {
        if let Some(link) = reader.word::<Line<500>>(name) {
            links.push(((*name).to_owned(), link.into_string()));
        }
    }
    links
}

/// The company of an example is nobody's.
pub(crate) fn without_company(example: &mut Map<String, Value>) {
    example.remove("companyId");
}

pub(crate) fn company(reader: &mut Reader<'_>) {
    let _: Option<OwnCompany> = reader.word("companyId");
}

pub(crate) async fn create(context: AgencyContext, call: Call<(), Bare, NewLocation>) -> Result<Saved, Error> {
    let NewLocation { profile, named_snapshot } = call.body;
    let location = call.app.create_location(&context, profile).await?;
    Ok(Saved { location, named_snapshot })
}

pub(crate) async fn get(authority: Authority, call: Call<LocationId>) -> Result<One<Full>, Error> {
    Ok(One(Full(call.app.get_location(&authority, call.path).await?)))
}

pub(crate) async fn update(
    context: AgencyContext,
    call: Call<LocationId, Bare, LocationChange>,
) -> Result<Saved, Error> {
    let LocationChange { patch, named_snapshot } = call.body;
    let location = call.app.update_location(&context, call.path, patch).await?;
    Ok(Saved { location, named_snapshot })
}

/// That it is deleted, in the contract's words.
pub(crate) struct Deleted(LocationId);

impl Written for Deleted {
    const NAME: &'static str = "DeletedLocation";

    fn sample() -> Self {
        Self(samples::location().id)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("success", &true);
        fields.put("message", &format!("Deleted location with id: {}", self.0));
    }
}

/// What else goes with it: there are no accounts of another company here.
pub(crate) struct DeleteOptions;

impl Input for DeleteOptions {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        query.ignore(PLACES);
        let _: Option<bool> = query.truth("deleteTwilioAccount");
        Some(Self)
    }
}

pub(crate) async fn delete(context: AgencyContext, call: Call<LocationId, DeleteOptions>) -> Result<Deleted, Error> {
    Ok(Deleted(call.app.delete_location(&context, call.path).await?.id))
}

pub(crate) async fn restore(context: AgencyContext, call: Call<LocationId>) -> Result<Profile, Error> {
    call.app.restore_location(&context, call.path).await.map(Profile)
}

/// `asc`, or `desc`; anything else is passed over.
struct IsDescending(bool);

impl Word for IsDescending {
    const EXAMPLE: &'static str = "desc";

    fn schema() -> Value {
        json!({"type": "string", "description": "asc or desc"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Ok(Self(text.eq_ignore_ascii_case("desc")))
    }
}

/// Which locations, and from where on.
pub(crate) struct LocationList {
    filter: LocationFilter,
    window: Window<LocationCursor>,
}

impl Input for LocationList {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        company(query);
        let limit = query.integer("limit", 1..=1000).unwrap_or(10);
        let page = query.integer("page", 1..=1_000_000);
        let email = query.word("email").map(|QueriedEmail(email)| normalized_email(&email));
        let descending = query.word("order").is_some_and(|IsDescending(is_descending)| is_descending);
        let skip = query.integer("skip", 0..=1_000_000);
        let skip = skip.unwrap_or_else(|| (page.unwrap_or(1) - 1) * limit);
        // Ours: those that can be restored.
        let deleted = query.truth("deleted").unwrap_or(false);
        let filter = LocationFilter { email, descending, deleted, ..LocationFilter::default() };
        Some(Self { filter, window: Window::skip(skip, limit) })
    }

    fn settle(example: &mut Map<String, Value>) {
        without_company(example);
    }
}

pub(crate) async fn search(authority: Authority, call: Call<(), LocationList>) -> Result<Many<Profile>, Error> {
    let LocationList { filter, window } = call.query;
    Ok(Many(call.app.list_locations(&authority, filter, window).await?.map(Profile).rows))
}

pub(crate) async fn timezones(_: LocationContext, _: Call) -> Result<TimeZones, Error> {
    Ok(TimeZones(time_zone_names()))
}
