//! Agencies. Only the operator makes, suspends and resumes them.

use keystead_model::{
    AgencyId, Invalid,
    agency::{Agency, AgencyPatch, AgencyProfile, TenantName, TenantState},
    event::EventKind,
    grant::Reach,
    key_policy::KeyPolicy,
    scope::Scope,
    text::{Country, EmailAddress, Line, TimeZoneName},
};
use keystead_store::{
    agencies,
    changes::{self, Change},
    locations, service_clock,
};

use crate::{
    AgencyContext, App, Error, ErrorCode, Result,
    error::Noun,
    events::{Described, Fields, Happened, put, tell},
    operate::InAgency,
    users::require_operator,
};

/// An agency that is about to be made.
pub struct NewAgency {
    /// Its name.
    pub name: TenantName,
}

impl App {
    /// All agencies of the instance: for the operator's command line.
    pub async fn list_agencies(&self) -> Result<Vec<Agency>> {
        Ok(self.store.read(agencies::list).await?)
    }

    /// The agency of the context.
    pub async fn get_agency(&self, context: &AgencyContext) -> Result<Agency> {
        self.find_agency(context.authority.agency()).await
    }

    /// An agency by its id, for whoever is signed in to it.
    pub(crate) async fn find_agency(&self, id: AgencyId) -> Result<Agency> {
        let found = self.store.look_up(move |tx| agencies::find(tx, id)).await?;
        found.ok_or_else(|| Error::NotFound(Noun::Location, id.to_string()))
    }

    /// The agency as programs see it, and how many locations of it the authority reaches.
    pub async fn get_company(&self, context: &AgencyContext, id: AgencyId) -> Result<(Agency, i64)> {
        let run = move |operation: &mut InAgency<'_, '_>| operation.company(id);
        self.look_up(context, Scope::CompaniesRead, run).await
    }

    /// Changes what the agency says of itself and what it asks of its keys, for whoever reaches all of it. The latter needs a
    /// recent sign-in.
    pub async fn update_agency(
        &self,
        context: &AgencyContext,
        id: AgencyId,
        patch: AgencyPatch,
    ) -> Result<(Agency, i64)> {
        let run = move |operation: &mut InAgency<'_, '_>| operation.update_agency(id, patch.clone());
        // Nothing but an agency admin, the operator, or a key of theirs holds this scope.
        self.operate(context, Scope::LocationsWrite, run, move |operation, _| operation.company(id)).await
    }

    /// Suspends or resumes an agency, by the operator. Its keys are refused meanwhile and start their 90 days anew.
    pub async fn set_agency_state(&self, context: &AgencyContext, state: TenantState) -> Result<()> {
        let authority = &context.authority;
        if state == TenantState::Deleted {
            let message = "An agency is suspended, and not deleted".to_owned();
            return Err(Error::Conflict(ErrorCode::Conflict, message));
        }
        let id = authority.agency();
        let changed = self
            .operate_serial(
                authority,
                move |tx, authority| {
                    require_operator(tx, authority)?;
                    changes::next(tx, Change::Agency(id), authority.now())?;
                    let service = service_clock::read(tx)?.now;
                    if agencies::set_state(tx, id, state, service)? == 0 {
                        return Err(already(state));
                    }
                    let is_active = state == TenantState::Active;
                    let kind = if is_active { EventKind::AgencyResumed } else { EventKind::AgencySuspended };
                    tell(tx, authority, Happened::to(kind, id.as_str()))
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

impl InAgency<'_, '_> {
    /// The agency, which is the caller's own or nobody's, with the number of its locations that the caller reaches.
    fn company(&mut self, id: AgencyId) -> Result<(Agency, i64)> {
        let grant = self.context.authority.grant();
        let found = if id == grant.agency { agencies::find(self.tx, id)? } else { None };
        let agency = found.ok_or_else(|| Error::NotFound(Noun::Company, id.to_string()))?;
        let among = match &grant.reach {
            Reach::Agency => None,
            Reach::Chosen(set) | Reach::Locations(set) => Some(set),
        };
        Ok((agency, locations::count(self.tx, id, among)?))
    }

    fn update_agency(&mut self, id: AgencyId, patch: AgencyPatch) -> Result<(Agency, i64)> {
        let (before, locations) = self.company(id)?;
        if self.context.authority.grant().reach != Reach::Agency {
            let message = "Only who reaches the whole agency changes it".to_owned();
            return Err(Error::Forbidden(ErrorCode::NotAllowed, message));
        }
        self.context.authority.expect(&before)?;
        let mut after = before.clone();
        patch.apply(&mut after);
        if after.keys != before.keys {
            self.context.authority.require_fresh()?;
            after.keys.check().map_err(|Invalid(problem)| Error::invalid("keyDefaultDays", problem))?;
        }
        if after != before {
            agencies::save(self.tx, &after)?;
            self.tell(Happened::changed(EventKind::AgencyUpdated, &before, &after))?;
        }
        Ok((after, locations))
    }
}

impl Described for Agency {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
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
        } = &self.profile;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "email", email.as_ref().map(EmailAddress::as_str));
        put(&mut fields, "phone", phone.as_ref().map(Line::as_str));
        put(&mut fields, "website", website.as_ref().map(Line::as_str));
        put(&mut fields, "domain", domain.as_ref().map(Line::as_str));
        put(&mut fields, "logoUrl", logo_url.as_ref().map(Line::as_str));
        put(&mut fields, "address", address.as_ref().map(Line::as_str));
        put(&mut fields, "city", city.as_ref().map(Line::as_str));
        put(&mut fields, "state", state.as_ref().map(Line::as_str));
        put(&mut fields, "postalCode", postal_code.as_ref().map(Line::as_str));
        put(&mut fields, "country", country.as_ref().map(Country::as_str));
        put(&mut fields, "timezone", timezone.as_ref().map(TimeZoneName::as_str));
        let KeyPolicy { longest_days, default_days, agency_keys_by, contact } = &self.keys;
        put(&mut fields, "keyLongestDays", *longest_days);
        put(&mut fields, "keyDefaultDays", *default_days);
        put(&mut fields, "agencyKeysBy", Some(agency_keys_by.as_str()));
        put(&mut fields, "keysContact", contact.as_ref().map(EmailAddress::as_str));
        fields
    }
}

pub(crate) fn already(state: TenantState) -> Error {
    Error::Conflict(ErrorCode::Conflict, format!("It is already {}", state.as_str()))
}
