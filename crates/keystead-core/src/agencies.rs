//! Agencies. Only the operator makes, suspends and resumes them.

use keystead_model::{
    AgencyId,
    agency::{Agency, TenantName, TenantState},
    event::EventKind,
    scope::Scope,
};
use keystead_store::{
    agencies,
    changes::{self, Change},
    service_clock,
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

    /// Changes the agency's name.
    pub async fn rename_agency(&self, context: &AgencyContext, name: TenantName) -> Result<()> {
        let run = move |operation: &mut InAgency<'_, '_>| operation.rename_agency(&name);
        // Nothing but an agency admin, or the operator, holds this scope in a session.
        self.operate(context, Scope::LocationsWrite, run, |_, _| Ok(())).await
    }

    /// Suspends or resumes an agency, by the operator. Its keys are refused meanwhile and start their 90 days anew.
    pub async fn set_agency_state(&self, context: &AgencyContext, state: TenantState) -> Result<()> {
        let authority = &context.authority;
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
    fn rename_agency(&mut self, name: &TenantName) -> Result<()> {
        let id = self.context.authority.agency();
        let before = agencies::find(self.tx, id)?.ok_or(Error::NoAccess)?;
        agencies::rename(self.tx, id, name)?;
        let after = Agency { name: name.clone(), ..before.clone() };
        self.tell(Happened::changed(EventKind::AgencyUpdated, &before, &after))?;
        Ok(())
    }
}

impl Described for Agency {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn describe(&self) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(self.name.as_str()));
        fields
    }
}

pub(crate) fn already(state: TenantState) -> Error {
    Error::Conflict(ErrorCode::Conflict, format!("It is already {}", state.as_str()))
}
