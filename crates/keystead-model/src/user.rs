//! Users: the people of an agency. In the app a user of an agency is called a member.

use std::collections::BTreeSet;

use crate::{
    AgencyId, LocationId, UserId, UtcMs,
    actor::Actor,
    grant::{Grant, Reach},
    id::Id,
    ip_range::IpRanges,
    key_kind::KeyKind,
    location::set,
    scope::{Class, Scope, ScopeSet},
    text::{EmailAddress, Line, TimeZoneName},
};

/// A person's given or family name.
pub type PersonName = Line<100>;

/// What a member may do: the wire contract's `type` and `role` together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything in the agency.
    AgencyAdmin,
    /// The data of all locations; no settings, keys, members.
    AgencyUser,
    /// Data, location keys and members of their locations.
    AccountAdmin,
    /// The data of their locations only.
    AccountUser,
}

impl Role {
    /// All, most powerful first.
    pub const ALL: &[Role] = &[Self::AgencyAdmin, Self::AgencyUser, Self::AccountAdmin, Self::AccountUser];

    /// `type` on the wire: `agency` or `account`.
    pub const fn user_type(self) -> &'static str {
        match self {
            Self::AgencyAdmin | Self::AgencyUser => "agency",
            Self::AccountAdmin | Self::AccountUser => "account",
        }
    }

    /// `role` on the wire: `admin` or `user`.
    pub const fn role(self) -> &'static str {
        match self {
            Self::AgencyAdmin | Self::AccountAdmin => "admin",
            Self::AgencyUser | Self::AccountUser => "user",
        }
    }

    /// Reads the two wire names.
    pub fn parse(user_type: &str, role: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.user_type() == user_type && known.role() == role)
    }

    /// One word for forms and the CLI: `agency-admin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgencyAdmin => "agency-admin",
            Self::AgencyUser => "agency-user",
            Self::AccountAdmin => "account-admin",
            Self::AccountUser => "account-user",
        }
    }

    /// Reads [`Role::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::AgencyAdmin => "Agency admin",
            Self::AgencyUser => "Agency user",
            Self::AccountAdmin => "Location admin",
            Self::AccountUser => "Location user",
        }
    }

    /// What it may do, in one sentence.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::AgencyAdmin => "Everything: settings, keys, members and the data of all locations.",
            Self::AgencyUser => "The data of all locations; no settings, keys or members.",
            Self::AccountAdmin => "Data, keys and members of the chosen locations.",
            Self::AccountUser => "The data of the chosen locations only.",
        }
    }

    /// The role of a type and a role on the wire.
    pub const fn of(is_account: bool, is_admin: bool) -> Self {
        match (is_account, is_admin) {
            (true, true) => Self::AccountAdmin,
            (true, false) => Self::AccountUser,
            (false, true) => Self::AgencyAdmin,
            (false, false) => Self::AgencyUser,
        }
    }

    /// Whether it is an admin's.
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::AgencyAdmin | Self::AccountAdmin)
    }

    /// Whether it is bound to chosen locations.
    pub const fn is_account(self) -> bool {
        matches!(self, Self::AccountAdmin | Self::AccountUser)
    }

    /// Whether it may see and invite members.
    pub fn manages_members(self) -> bool {
        self.scopes().contains(Scope::UsersWrite)
    }

    /// Whether somebody who manages members and has this reach may give it, change it and take it: the roles of an agency are
    /// for whoever reaches all of that.
    pub fn is_within(self, reach: &Reach) -> bool {
        self.is_account() || *reach == Reach::Agency
    }

    /// The same where it is bound to `locations`.
    pub fn is_within_at(self, reach: &Reach, locations: &BTreeSet<LocationId>) -> bool {
        let reaches_all = !locations.is_empty() && locations.iter().all(|location| reach.has_location(*location));
        self.is_within(reach) && (!self.is_account() || reaches_all)
    }

    fn scopes(self) -> ScopeSet {
        let data = ScopeSet::of(&[Class::Data]);
        match self {
            Self::AgencyAdmin => ScopeSet::of(&[Class::Data, Class::Administration, Class::Keys]),
            Self::AgencyUser => data,
            Self::AccountAdmin => {
                let scopes = ScopeSet::of(&[Class::Data, Class::Keys]).suiting(KeyKind::Location);
                [Scope::UsersRead, Scope::UsersWrite, Scope::WebhooksRead, Scope::WebhooksWrite]
                    .into_iter()
                    .fold(scopes, ScopeSet::with)
            }
            // What only an agency key can hold is about the agency, which they do not reach.
            Self::AccountUser => data.suiting(KeyKind::Location),
        }
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The one agency that they belong to.
    pub agency: AgencyId,
    /// Unique in the instance.
    pub email: EmailAddress,
    /// Given name.
    pub first_name: Option<PersonName>,
    /// Family name.
    pub last_name: Option<PersonName>,
    /// What they may do.
    pub role: Role,
    /// The locations of an account role.
    pub locations: BTreeSet<LocationId>,
    /// Whether they also run the instance.
    pub is_operator: bool,
    /// A disabled user cannot sign in.
    pub disabled: bool,
    /// When they were made.
    pub created_at: UtcMs,
    /// The zone in which they are shown times, if they have chosen one.
    pub time_zone: Option<TimeZoneName>,
    /// What programs keep with them.
    pub profile: UserProfile,
    /// When they were deleted: they are kept for the log, and can do nothing.
    pub deleted_at: Option<UtcMs>,
}

/// What programs keep with a user. None of it has any effect here: what somebody may do is their role's.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UserProfile {
    /// As it was sent.
    pub phone: Option<Line<40>>,
    /// Of that phone.
    pub extension: Option<Line<20>>,
    /// `en_US`.
    pub platform_language: Option<Line<20>>,
    /// Where a picture of them is.
    pub photo_url: Option<Line<1000>>,
    /// Switches by the wire contract's names, [`PERMISSION_NAMES`].
    pub permissions: Vec<(String, bool)>,
    /// Names of scopes, as they were sent.
    pub scopes: Vec<String>,
    /// Likewise, for what is assigned to them.
    pub scopes_of_assigned: Vec<String>,
    /// Phones by the ids of locations.
    pub location_phones: Vec<(String, String)>,
}

/// A change of a user; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the others are those of User and UserProfile")]
pub struct UserPatch {
    pub first_name: Option<Option<PersonName>>,
    pub last_name: Option<Option<PersonName>>,
    /// Whether they are bound to locations: the wire contract's `type`.
    pub is_account: Option<bool>,
    /// The wire contract's `role`.
    pub is_admin: Option<bool>,
    pub locations: Option<BTreeSet<LocationId>>,
    /// What their address should be: only the one that they have, since it is what they sign in with.
    pub email: Option<EmailAddress>,
    /// Whether a password came with it, which is theirs alone to change.
    pub has_password: bool,
    pub phone: Option<Option<Line<40>>>,
    pub extension: Option<Option<Line<20>>>,
    pub platform_language: Option<Option<Line<20>>>,
    pub photo_url: Option<Option<Line<1000>>>,
    pub permissions: Option<Vec<(String, bool)>>,
    pub scopes: Option<Vec<String>>,
    pub scopes_of_assigned: Option<Vec<String>>,
    pub location_phones: Option<Vec<(String, String)>>,
}

impl UserPatch {
    /// Changes `user`. An account user keeps their locations unless others are named; the roles of an agency have none.
    pub fn apply(self, user: &mut User) {
        let Self {
            first_name,
            last_name,
            is_account,
            is_admin,
            locations,
            email: _,
            has_password: _,
            phone,
            extension,
            platform_language,
            photo_url,
            permissions,
            scopes,
            scopes_of_assigned,
            location_phones,
        } = self;
        set(&mut user.first_name, first_name);
        set(&mut user.last_name, last_name);
        let is_account = is_account.unwrap_or(user.role.is_account());
        user.role = Role::of(is_account, is_admin.unwrap_or(user.role.is_admin()));
        set(&mut user.locations, locations);
        if !is_account {
            user.locations.clear();
        }
        let profile = &mut user.profile;
        set(&mut profile.phone, phone);
        set(&mut profile.extension, extension);
        set(&mut profile.platform_language, platform_language);
        set(&mut profile.photo_url, photo_url);
        set(&mut profile.scopes, scopes);
        set(&mut profile.scopes_of_assigned, scopes_of_assigned);
        set(&mut profile.location_phones, location_phones);
        // Those that are not named stay.
        for (name, is_on) in permissions.into_iter().flatten() {
            profile.permissions.retain(|(known, _)| *known != name);
            profile.permissions.push((name, is_on));
        }
        profile.permissions.sort_unstable();
    }
}

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Members of this location.
    pub location: Option<LocationId>,
    /// Bound to locations (`true`), or of the agency.
    pub is_account: Option<bool>,
    /// Admins (`true`), or not.
    pub is_admin: Option<bool>,
    /// Only these.
    pub ids: Option<Vec<UserId>>,
    /// Only those with these addresses as they are compared.
    pub emails: Option<Vec<String>>,
    /// Whose name, address or phone holds this.
    pub query: Option<String>,
    /// Deleted ones instead of those that are not.
    pub deleted: bool,
    /// The order.
    pub order: UserOrder,
    /// The other way round.
    pub descending: bool,
}

/// How a list of users is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UserOrder {
    /// By address.
    #[default]
    Email,
    /// By name.
    Name,
    /// By when they were made.
    Created,
}

/// The names of [`UserProfile::permissions`] that the wire contract has.
pub const PERMISSION_NAMES: &[&str] = &[
    "campaignsEnabled",
    "campaignsReadOnly",
    "contactsEnabled",
    "workflowsEnabled",
    "workflowsReadOnly",
    "triggersEnabled",
    "funnelsEnabled",
    "websitesEnabled",
    "opportunitiesEnabled",
    "dashboardStatsEnabled",
    "bulkRequestsEnabled",
    "appointmentsEnabled",
    "reviewsEnabled",
    "onlineListingsEnabled",
    "phoneCallEnabled",
    "conversationsEnabled",
    "assignedDataOnly",
    "adwordsReportingEnabled",
    "membershipEnabled",
    "facebookAdsReportingEnabled",
    "attributionsReportingEnabled",
    "settingsEnabled",
    "tagsEnabled",
    "leadValueEnabled",
    "marketingEnabled",
    "agentReportingEnabled",
    "botService",
    "socialPlanner",
    "bloggingEnabled",
    "invoiceEnabled",
    "affiliateManagerEnabled",
    "contentAiEnabled",
    "refundsEnabled",
    "recordPaymentEnabled",
    "cancelSubscriptionEnabled",
    "paymentsEnabled",
    "communitiesEnabled",
    "exportPaymentsEnabled",
];

impl User {
    /// As somebody sees them who reaches `reach`: of other locations than those nobody learns. `None` if they are none of theirs.
    pub fn seen_within(&self, reach: &Reach) -> Option<Self> {
        if *reach == Reach::Agency {
            return Some(self.clone());
        }
        let mut seen = self.clone();
        seen.locations.retain(|location| reach.has_location(*location));
        seen.profile
            .location_phones
            .retain(|(location, _)| LocationId::parse(location).is_some_and(|location| reach.has_location(location)));
        (self.role.is_account() && !seen.locations.is_empty()).then_some(seen)
    }
}

impl User {
    /// What they may do, in the shape that operations ask.
    pub fn grant(&self) -> Grant {
        let reach = match self.role {
            Role::AgencyAdmin | Role::AgencyUser => Reach::Agency,
            Role::AccountAdmin | Role::AccountUser => Reach::Locations(self.locations.clone()),
        };
        Grant {
            agency: self.agency,
            reach,
            scopes: self.role.scopes(),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        }
    }

    /// Their name, or their address where they have none.
    pub fn display_name(&self) -> String {
        let names: Vec<&str> =
            [&self.first_name, &self.last_name].into_iter().flatten().map(PersonName::as_str).collect();
        if names.is_empty() { self.email.as_str().to_owned() } else { names.join(" ") }
    }
}

/// A user who is about to be made.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of User")]
pub struct NewUser {
    pub email: EmailAddress,
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
    pub role: Role,
    pub locations: BTreeSet<LocationId>,
}

/// An invitation that was not accepted yet.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Public id, for withdrawing it.
    pub id: Id<Invitation>,
    /// The agency that invites.
    pub agency: AgencyId,
    /// Who it is for.
    pub user: NewUser,
    /// Who made it.
    pub invited_by: Actor,
    /// From then on its link does nothing.
    pub expires_at: UtcMs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_scope_of_administration_reaches_only_the_admins_of_an_agency_by_itself() {
        for role in Role::ALL {
            for scope in [Scope::NewRead, Scope::NewWrite] {
                assert_eq!(role.scopes().contains(scope), *role == Role::AgencyAdmin, "{role:?} {scope}");
            }
        }
    }

    #[test]
    fn plain_members_have_the_data() {
        let data = "contacts.readonly contacts.write locations.readonly locations/tags.readonly locations/tags.write \
                    locations/customValues.readonly locations/customValues.write \
                    locations/customFields.readonly locations/customFields.write \
                    opportunities.readonly opportunities.write \
                    businesses.readonly businesses.write locations/tasks.readonly locations/tasks.write \
                    workflows.readonly workflows.write campaigns.readonly campaigns.write links.readonly links.write \
                    forms.readonly forms.write surveys.readonly surveys.write locations/templates.readonly \
                    locations/templates.write";
        assert_eq!(Role::AccountUser.scopes().to_names(), data);
        assert_eq!(Role::AgencyUser.scopes().to_names(), format!("{data} companies.readonly"));
        let keys = format!("{data} api-keys.readonly api-keys.write");
        let managed = "users.readonly users.write webhooks.readonly webhooks.write";
        assert_eq!(Role::AccountAdmin.scopes().to_names(), format!("{keys} {managed}"));
    }

    #[test]
    fn admins_manage_members_as_far_as_they_reach() {
        let [here, there] = [1, 2].map(|seed| LocationId::parse(&format!("{seed:020}")).unwrap());
        let manage = [Role::AgencyAdmin, Role::AccountAdmin];
        assert_eq!(Role::ALL.iter().filter(|role| role.manages_members()).copied().collect::<Vec<_>>(), manage);
        let none = BTreeSet::new();
        for role in Role::ALL {
            assert!(role.is_within(&Reach::Agency));
            for reach in [Reach::location(here), Reach::Chosen([here].into())] {
                assert_eq!(role.is_within_at(&reach, &[here].into()), role.is_account(), "{role:?} {reach:?}");
                assert!(!role.is_within_at(&reach, &[here, there].into()), "{role:?} {reach:?}");
                assert!(!role.is_within_at(&reach, &none), "{role:?} {reach:?}");
            }
            assert_eq!(role.is_within_at(&Reach::Agency, &none), !role.is_account(), "{role:?}");
        }
    }
}
