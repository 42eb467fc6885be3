//! Users: the people of an agency. In the app a user of an agency is called a member.

use std::collections::BTreeSet;

use crate::{
    AgencyId, LocationId, UserId, UtcMs,
    actor::Actor,
    grant::{Grant, Reach},
    id::Id,
    ip_range::IpRanges,
    key_kind::KeyKind,
    scope::{Class, Scope, ScopeSet},
    text::{EmailAddress, Line},
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
                scopes.with(Scope::UsersRead).with(Scope::UsersWrite)
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
                    locations/customFields.readonly locations/customFields.write forms.readonly forms.write \
                    businesses.readonly businesses.write locations/tasks.readonly locations/tasks.write \
                    workflows.readonly workflows.write campaigns.readonly campaigns.write links.readonly links.write";
        assert_eq!(Role::AccountUser.scopes().to_names(), data);
        assert_eq!(Role::AgencyUser.scopes().to_names(), format!("{data} companies.readonly"));
        let keys = format!("{data} api-keys.readonly api-keys.write");
        assert_eq!(Role::AccountAdmin.scopes().to_names(), format!("{keys} users.readonly users.write"));
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
