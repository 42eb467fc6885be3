//! The first run: admin, agency and first location of an empty instance.

use std::collections::BTreeSet;

use keystead_model::{
    AgencyId, LocationId, ServiceMs, UserId,
    actor::Actor,
    agency::{Agency, AgencyProfile, TenantName, TenantState},
    event::EventKind,
    key_policy::KeyPolicy,
    location::{Location, LocationProfile},
    pipeline::Pipeline,
    text::EmailAddress,
    user::{PersonName, Role, User, UserProfile},
};
use keystead_store::{agencies, locations, pipelines, users};

use crate::{
    App, Error, ErrorCode, NewAgency, Result,
    events::{Happened, tell_of},
};

/// What the first run makes.
pub struct Setup {
    /// The agency's name.
    pub agency: TenantName,
    /// The first location.
    pub location: LocationProfile,
    /// The admin, who is also the operator.
    pub admin_email: EmailAddress,
    /// The admin's names.
    pub admin_names: (Option<PersonName>, Option<PersonName>),
    /// The admin's password.
    pub admin_password: String,
}

/// What the first run made.
#[derive(Clone, Copy, Debug)]
pub struct SetupOutcome {
    /// The agency.
    pub agency: AgencyId,
    /// The location.
    pub location: LocationId,
    /// The admin.
    pub user: UserId,
}

impl App {
    /// Whether nobody has set this instance up yet.
    pub async fn needs_setup(&self) -> Result<bool> {
        Ok(!self.store.read(users::any).await?)
    }

    /// The token of the wizard's address: the same on every server of an instance, and another one for every instance. It
    /// is worth nothing once somebody has set it up.
    pub async fn setup_token(&self) -> String {
        let instance = self.feed.lock().await.incarnation.clone();
        self.secret.token("keystead setup", &instance)
    }

    /// Makes agency, location and admin in one transaction, once.
    pub async fn set_up(&self, setup: Setup) -> Result<SetupOutcome> {
        let password_hash = self.passwords.hash(&setup.admin_password, &self.entropy, None).await?;
        let now = self.clock.now();
        let Setup { agency: name, location: profile, admin_email, admin_names, admin_password: _ } = setup;
        let agency = Agency {
            id: self.entropy.id(now),
            profile: AgencyProfile::named(name),
            keys: KeyPolicy::default(),
            state: TenantState::Active,
            resumed_at: ServiceMs(0),
            created_at: now,
        };
        let location = Location {
            id: self.entropy.id(now),
            agency: agency.id,
            state: TenantState::Active,
            resumed_at: ServiceMs(0),
            profile,
            created_at: now,
            updated_at: now,
            deletion: None,
        };
        let admin = User {
            id: self.entropy.id(now),
            agency: agency.id,
            email: admin_email,
            first_name: admin_names.0,
            last_name: admin_names.1,
            role: Role::AgencyAdmin,
            locations: BTreeSet::new(),
            is_operator: true,
            disabled: false,
            created_at: now,
            time_zone: None,
            profile: UserProfile::default(),
            deleted_at: None,
        };
        let outcome = SetupOutcome { agency: agency.id, location: location.id, user: admin.id };
        self.store
            .write(move |tx| {
                if users::any(tx)? {
                    return Err(Error::Conflict(ErrorCode::Conflict, "This instance is set up already".to_owned()));
                }
                agencies::save(tx, &agency)?;
                locations::save(tx, &location)?;
                pipelines::save(tx, &Pipeline::first(location.id, now))?;
                users::insert(tx, &admin, Some(&password_hash))?;
                let subject = admin.id.as_str();
                tell_of(tx, agency.id, Actor::Operator, None, now, Happened::to(EventKind::InstanceSetUp, subject))?;
                Ok(())
            })
            .await?;
        Ok(outcome)
    }

    /// Another agency on the same instance, by the operator.
    pub async fn create_agency(&self, new: NewAgency) -> Result<Agency> {
        let now = self.clock.now();
        let agency = Agency {
            id: self.entropy.id(now),
            profile: AgencyProfile::named(new.name),
            keys: KeyPolicy::default(),
            state: TenantState::Active,
            resumed_at: ServiceMs(0),
            created_at: now,
        };
        let made = agency.clone();
        self.store
            .write(move |tx| {
                agencies::save(tx, &agency)?;
                let subject = agency.id.as_str();
                tell_of(tx, agency.id, Actor::Operator, None, now, Happened::to(EventKind::AgencyCreated, subject))
            })
            .await?;
        Ok(made)
    }
}
