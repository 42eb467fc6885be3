//! Locations.

use keystead_model::{
    LocationId, ServiceMs,
    agency::TenantState,
    event::EventKind,
    grant::Reach,
    inactivity::RESTORE_WINDOW_MS,
    location::{Deletion, Location, LocationCursor, LocationFilter, LocationPatch, LocationProfile, LocationSettings},
    page::{Page, Window},
    pipeline::Pipeline,
    scope::Scope,
    text::{EmailAddress, Line, TimeZoneName},
};
use keystead_store::{
    changes::{self, Change},
    locations, pipelines, service_clock,
};

use serde_json::json;

use crate::{
    AgencyContext, App, Authority, Error, ErrorCode, LocationContext, Result,
    agencies::already,
    error::Noun,
    events::{Described, Fields, Happened, fields, put, tell, tell_by_system},
    idempotency::Lost,
    operate::{InAgency, InLocation},
    webhooks,
};

impl App {
    /// The context of a location: the named one, or the only one that the authority reaches.
    ///
    /// A location that is not the authority's and one that does not exist answer the same.
    pub async fn enter_location(&self, authority: Authority, named: Option<LocationId>) -> Result<LocationContext> {
        let reach = &authority.grant().reach;
        let Some(location) = named.or_else(|| reach.only_location()) else {
            return Err(Error::invalid("locationId", "can't be undefined"));
        };
        if !reach.has_location(location) {
            return Err(Error::NoAccess);
        }
        // A location key was verified together with its location; everybody else names one that may not exist.
        let is_verified = authority.key_id().is_some() && !reach.has_agency();
        let context = LocationContext::new(authority, location);
        if !is_verified {
            let is_suspended = self.location_of(&context).await?.state == TenantState::Suspended;
            if is_suspended && context.authority.key_id().is_some() {
                return Err(Error::Refused(keystead_model::api_key::Refusal::TenantSuspended));
            }
        }
        Ok(context)
    }

    /// Locations that the authority reaches, by name.
    pub async fn list_locations(
        &self,
        authority: &Authority,
        mut filter: LocationFilter,
        window: Window<LocationCursor>,
    ) -> Result<Page<Location>> {
        authority.require(Scope::LocationsRead)?;
        if let Reach::Chosen(set) | Reach::Locations(set) = &authority.grant().reach {
            let among = filter.among.unwrap_or_else(|| set.iter().copied().collect());
            filter.among = Some(among.into_iter().filter(|id| set.contains(id)).collect());
        }
        let agency = authority.agency();
        Ok(self.store.read(move |tx| locations::list(tx, agency, &filter, &window)).await?)
    }

    /// How many locations the agency has.
    pub async fn count_locations(&self, context: &AgencyContext) -> Result<i64> {
        let agency = context.authority.agency();
        Ok(self.store.look_up(move |tx| locations::count(tx, agency, None)).await?)
    }

    /// One location.
    pub async fn get_location(&self, authority: &Authority, id: LocationId) -> Result<Location> {
        authority.require(Scope::LocationsRead)?;
        self.find_location(authority, id).await
    }

    /// The location of a context, whatever its scopes: its country and settings decide how other input is read.
    ///
    /// It is read once in a request.
    pub async fn location_of(&self, context: &LocationContext) -> Result<Location> {
        if let Some(known) = context.known.get() {
            return Ok(known.clone());
        }
        let found = self.find_location(&context.authority, context.location).await?;
        Ok(context.known.get_or_init(|| found).clone())
    }

    /// The zone of whoever a key with this reach belongs to: of a location its own, of an agency UTC.
    pub async fn zone_of(&self, authority: &Authority, reach: &Reach) -> Result<TimeZoneName> {
        let location = match reach {
            Reach::Locations(_) => reach.only_location(),
            Reach::Agency | Reach::Chosen(_) => None,
        };
        let Some(location) = location else { return Ok(TimeZoneName::utc()) };
        match self.find_location(authority, location).await {
            Ok(location) => Ok(location.profile.timezone),
            // That it is not theirs is for the operation to say.
            Err(Error::NoAccess) => Ok(TimeZoneName::utc()),
            Err(error) => Err(error),
        }
    }

    /// A deleted location that the authority reached, for those who look for it.
    pub async fn get_deleted_location(&self, authority: &Authority, id: LocationId) -> Result<Location> {
        authority.require(Scope::LocationsRead)?;
        if !authority.grant().reach.has_location(id) {
            return Err(Error::NoAccess);
        }
        let agency = authority.agency();
        self.store.look_up(move |tx| locations::find_deleted(tx, agency, id)).await?.ok_or(Error::NoAccess)
    }

    pub(crate) async fn find_location(&self, authority: &Authority, id: LocationId) -> Result<Location> {
        if !authority.grant().reach.has_location(id) {
            return Err(Error::NoAccess);
        }
        let agency = authority.agency();
        self.store.look_up(move |tx| locations::find(tx, agency, id)).await?.ok_or(Error::NoAccess)
    }

    /// Makes a location.
    pub async fn create_location(&self, context: &AgencyContext, profile: LocationProfile) -> Result<Location> {
        context.authority.require(Scope::LocationsWrite)?;
        if context.authority.grant().reach != Reach::Agency {
            return Err(Error::NoAccess);
        }
        let run = move |operation: &mut InAgency<'_, '_>| operation.create_location(profile.clone());
        let recover = |operation: &mut InAgency<'_, '_>, lost: &Lost| {
            let agency = operation.context.authority.agency();
            locations::find(operation.tx, agency, lost.id()?)?.ok_or(Error::NoAccess)
        };
        self.operate(context, Scope::LocationsWrite, run, recover).await
    }

    /// Changes a location.
    pub async fn update_location(
        &self,
        context: &AgencyContext,
        id: LocationId,
        patch: LocationPatch,
    ) -> Result<Location> {
        context.authority.require(Scope::LocationsWrite)?;
        if !context.authority.grant().reach.has_location(id) {
            return Err(Error::NoAccess);
        }
        // With what is written in it: its settings decide what may be.
        let context = LocationContext::new(context.authority.clone(), id);
        let run = move |operation: &mut InLocation<'_, '_>| operation.update_location(patch.clone());
        self.operate(&context, Scope::LocationsWrite, run, |operation, _| operation.location()).await
    }

    /// Suspends or resumes a location. Its keys are refused meanwhile and start their 90 days anew.
    pub async fn set_location_state(&self, context: &AgencyContext, id: LocationId, state: TenantState) -> Result<()> {
        let authority = &context.authority;
        authority.require(Scope::LocationsWrite)?;
        if !authority.grant().reach.has_location(id) {
            return Err(Error::NoAccess);
        }
        if state == TenantState::Deleted {
            return self.delete_location(context, id).await.map(drop);
        }
        if state == TenantState::Active {
            authority.require_fresh()?;
        }
        let changed = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    changes::next(tx, Change::Location(id), authority.now())?;
                    let service = service_clock::read(tx)?.now;
                    locations::find(tx, authority.agency(), id)?
                        .ok_or_else(|| Error::NotFound(Noun::Location, id.to_string()))?;
                    if locations::set_state(tx, id, state, service)? == 0 {
                        return Err(already(state));
                    }
                    let is_active = state == TenantState::Active;
                    let kind = if is_active { EventKind::LocationResumed } else { EventKind::LocationSuspended };
                    tell(tx, authority, Happened::to(kind, id.as_str()).at(Some(id)))
                },
                |_, _| Ok(()),
            )
            .await;
        self.keys.clear();
        changed?;
        self.journaled().await;
        Ok(())
    }
}

/// Rows of a deleted location that are removed at a time, so that others wait only briefly.
const PURGE: i64 = 2_000;

impl App {
    /// Deletes a location: its keys are refused at once, and it is not there for anybody. For 30 days it can be restored.
    pub async fn delete_location(&self, context: &AgencyContext, id: LocationId) -> Result<Location> {
        let authority = &context.authority;
        authority.require(Scope::LocationsWrite)?;
        if !authority.grant().reach.has_location(id) {
            return Err(Error::NoAccess);
        }
        let agency = authority.agency();
        let deleted = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    changes::next(tx, Change::Location(id), authority.now())?;
                    let location = locations::find(tx, authority.agency(), id)?.ok_or(Error::NoAccess)?;
                    authority.expect(&location)?;
                    let restore_until = service_clock::read(tx)?.now.plus(RESTORE_WINDOW_MS);
                    let deletion = Deletion { at: authority.now(), restore_until };
                    locations::delete(tx, id, deletion)?;
                    tell(tx, authority, Happened::gone(EventKind::LocationDeleted, &location))?;
                    Ok(Location { state: TenantState::Deleted, deletion: Some(deletion), ..location })
                },
                move |tx, _| locations::find_deleted(tx, agency, id)?.ok_or(Error::NoAccess),
            )
            .await;
        self.keys.clear();
        let deleted = deleted?;
        self.journaled().await;
        Ok(deleted)
    }

    /// Brings a deleted location back as it was, with all that is in it. The 90 days of its keys start anew.
    pub async fn restore_location(&self, context: &AgencyContext, id: LocationId) -> Result<Location> {
        let authority = &context.authority;
        authority.require(Scope::LocationsWrite)?;
        authority.require_fresh()?;
        if !authority.grant().reach.has_location(id) {
            return Err(Error::NoAccess);
        }
        let agency = authority.agency();
        let restored = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    changes::next(tx, Change::Location(id), authority.now())?;
                    let service = service_clock::read(tx)?.now;
                    if locations::find(tx, authority.agency(), id)?.is_some() {
                        return Err(Error::Conflict(ErrorCode::Conflict, "The location is not deleted".to_owned()));
                    }
                    locations::find_deleted(tx, authority.agency(), id)?.ok_or(Error::NoAccess)?;
                    if locations::restore(tx, id, service)? == 0 {
                        let message = "The 30 days in which the location could be restored are over".to_owned();
                        return Err(Error::Conflict(ErrorCode::Conflict, message));
                    }
                    let location = locations::find(tx, authority.agency(), id)?.ok_or(Error::NoAccess)?;
                    tell(tx, authority, Happened::made(EventKind::LocationRestored, &location))?;
                    Ok(location)
                },
                move |tx, _| locations::find(tx, agency, id)?.ok_or(Error::NoAccess),
            )
            .await;
        self.keys.clear();
        let restored = restored?;
        self.journaled().await;
        Ok(restored)
    }

    /// Removes a part of what belongs to a location that was deleted and cannot be restored any more, and at last the location.
    /// Returns how many rows that were; there is nothing more to remove when there were none.
    pub async fn purge_locations(&self) -> Result<u64> {
        let due = self.store.look_up(|tx| {
            let clock = service_clock::read(tx)?;
            // While the operator has paused deletions nothing is lost by the clock.
            if clock.paused { Ok(None) } else { locations::to_purge(tx, clock.now) }
        });
        let Some((id, agency, name)) = due.await? else { return Ok(0) };
        let now = self.clock.now();
        let removed = self.store.write_in(id.of_anything(), move |tx| {
            let removed = locations::purge(tx, id, PURGE)?;
            if locations::state(tx, id)?.is_none() && removed > 0 {
                let before = fields(json!({"name": name.as_str()}));
                let happened = Happened::to(EventKind::LocationPurged, id.as_str()).at(Some(id));
                tell_by_system(tx, now, [(agency, happened.with(Some(before), None))])?;
            }
            Ok::<_, Error>(removed)
        });
        removed.await
    }
}

impl InAgency<'_, '_> {
    fn create_location(&mut self, profile: LocationProfile) -> Result<Location> {
        let now = self.now();
        let location = Location {
            id: self.new_id(),
            agency: self.context.authority.agency(),
            state: TenantState::Active,
            resumed_at: ServiceMs(0),
            profile,
            created_at: now,
            updated_at: now,
            deletion: None,
        };
        locations::save(self.tx, &location)?;
        let cause = self.tell(Happened::made(EventKind::LocationCreated, &location))?;
        let pipeline = Pipeline::first(location.id, now);
        pipelines::save(self.tx, &pipeline)?;
        self.following(cause, |operation| operation.tell(Happened::made(EventKind::PipelineCreated, &pipeline)))?;
        Ok(location)
    }
}

impl InLocation<'_, '_> {
    fn location(&mut self) -> Result<Location> {
        locations::find(self.tx, self.context.authority.agency(), self.context.location)?.ok_or(Error::NoAccess)
    }

    fn update_location(&mut self, patch: LocationPatch) -> Result<Location> {
        let before = self.location()?;
        self.context.authority.expect(&before)?;
        let mut location = before.clone();
        patch.apply(&mut location.profile);
        if location.profile == before.profile {
            return Ok(before);
        }
        location.updated_at = self.now();
        locations::save(self.tx, &location)?;
        self.tell(Happened::changed(EventKind::LocationUpdated, &before, &location))?;
        Ok(location)
    }
}

impl Described for Location {
    fn flat(&self) -> Option<Fields> {
        Some(webhooks::location(self))
    }

    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn location(&self) -> Option<LocationId> {
        Some(self.id)
    }

    fn describe(&self) -> Fields {
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
        } = &self.profile;
        let LocationSettings {
            allow_duplicate_contact,
            phone_first,
            allow_duplicate_opportunity,
            allow_facebook_name_merge,
            disable_contact_timezone,
        } = settings;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "country", Some(country.as_str()));
        put(&mut fields, "timezone", Some(timezone.as_str()));
        put(&mut fields, "phone", phone.as_ref().map(Line::as_str));
        put(&mut fields, "email", email.as_ref().map(EmailAddress::as_str));
        put(&mut fields, "address", address.as_ref().map(Line::as_str));
        put(&mut fields, "city", city.as_ref().map(Line::as_str));
        put(&mut fields, "state", state.as_ref().map(Line::as_str));
        put(&mut fields, "postalCode", postal_code.as_ref().map(Line::as_str));
        put(&mut fields, "website", website.as_ref().map(Line::as_str));
        put(&mut fields, "domain", domain.as_ref().map(Line::as_str));
        put(&mut fields, "logoUrl", logo_url.as_ref().map(Line::as_str));
        put(&mut fields, "firstName", first_name.as_ref().map(Line::as_str));
        put(&mut fields, "lastName", last_name.as_ref().map(Line::as_str));
        for (name, setting) in [
            ("allowDuplicateContact", allow_duplicate_contact),
            ("phoneFirst", phone_first),
            ("allowDuplicateOpportunity", allow_duplicate_opportunity),
            ("allowFacebookNameMerge", allow_facebook_name_merge),
            ("disableContactTimezone", disable_contact_timezone),
        ] {
            put(&mut fields, name, setting.then_some(true));
        }
        let social: Fields = social.iter().map(|(name, url)| (name.clone(), url.as_str().into())).collect();
        put(&mut fields, "social", Some(social).filter(|social| !social.is_empty()));
        fields
    }
}
