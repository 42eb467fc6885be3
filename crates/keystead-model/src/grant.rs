//! What a principal may do, in one shape for keys, members and the operator.
//!
//! Every operation asks the grant, never who is calling; and a key can be given only what lies within the giver's grant.

use std::collections::BTreeSet;

use crate::{
    AgencyId, LocationId, UtcMs,
    ip_range::IpRanges,
    key_kind::KeyKind,
    scope::{Scope, ScopeSet},
};

/// The locations that a grant reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The agency itself and every location of it, also future ones.
    Agency,
    /// The agency itself, and only these locations.
    Chosen(BTreeSet<LocationId>),
    /// These locations, and nothing of the agency (a location key, an account member).
    Locations(BTreeSet<LocationId>),
}

/// Why a key cannot have the reach that somebody wants for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReach {
    /// An agency key acts in chosen locations, and is not bound to one.
    OneOfAgencyKey,
    /// A location key acts in one location, and has none to choose.
    ChosenOfLocationKey,
    /// Nothing says in which location a location key is to act.
    NoLocation,
    /// An agency key is to act in chosen locations, and none is chosen.
    NoneChosen,
}

impl Reach {
    /// What a new key of `kind` reaches, for which somebody who reaches `giver` names one location or chooses some.
    pub fn of_new_key(
        kind: KeyKind,
        one: Option<LocationId>,
        chosen: Option<BTreeSet<LocationId>>,
        giver: &Self,
    ) -> Result<Self, NoReach> {
        match (kind, one, chosen) {
            (KeyKind::Agency, Some(_), _) => Err(NoReach::OneOfAgencyKey),
            (KeyKind::Agency, None, Some(chosen)) if chosen.is_empty() => Err(NoReach::NoneChosen),
            (KeyKind::Agency, None, Some(chosen)) => Ok(Self::Chosen(chosen)),
            (KeyKind::Agency, None, None) => Ok(match giver {
                // A maker that reaches only chosen locations makes keys for these.
                Self::Chosen(chosen) => Self::Chosen(chosen.clone()),
                Self::Agency | Self::Locations(_) => Self::Agency,
            }),
            (KeyKind::Location, _, Some(_)) => Err(NoReach::ChosenOfLocationKey),
            (KeyKind::Location, one, None) => {
                one.or_else(|| giver.only_location()).map(Self::location).ok_or(NoReach::NoLocation)
            }
        }
    }

    /// One location only.
    pub fn location(id: LocationId) -> Self {
        Self::Locations(BTreeSet::from([id]))
    }

    /// Whether things of the agency itself are reached.
    pub fn has_agency(&self) -> bool {
        !matches!(self, Self::Locations(_))
    }

    /// Whether `location`, known to be of the same agency, is reached.
    pub fn has_location(&self, location: LocationId) -> bool {
        match self {
            Self::Agency => true,
            Self::Chosen(set) | Self::Locations(set) => set.contains(&location),
        }
    }

    /// The location to take when a request names none.
    pub fn only_location(&self) -> Option<LocationId> {
        match self {
            Self::Chosen(set) | Self::Locations(set) if set.len() == 1 => set.first().copied(),
            _ => None,
        }
    }

    /// Whether everything that `self` reaches is reached by `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Agency, _) => *other == Self::Agency,
            (Self::Chosen(_), Self::Locations(_)) => false,
            (Self::Chosen(set) | Self::Locations(set), _) => set.iter().all(|location| other.has_location(*location)),
        }
    }
}

/// The authority of a principal, or of a key that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The tenant.
    pub agency: AgencyId,
    /// Where.
    pub reach: Reach,
    /// What.
    pub scopes: ScopeSet,
    /// From which addresses.
    pub allowed_ips: IpRanges,
    /// Until when; `None` is without end.
    pub expires_at: Option<UtcMs>,
}

impl Grant {
    /// Whether `scope` is granted.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.allows(scope)
    }

    /// The kind of key that has this reach.
    pub fn kind(&self) -> KeyKind {
        if self.reach.has_agency() { KeyKind::Agency } else { KeyKind::Location }
    }

    /// What `self` has and `giver` lacks, as a sentence; `None` where `self` lies within `giver`.
    ///
    /// This is the rule against escalation: kind, locations, scopes, addresses and expiry.
    pub fn exceeds(&self, giver: &Self) -> Option<String> {
        if self.agency != giver.agency || !self.reach.is_within(&giver.reach) {
            return Some("it would reach beyond your own locations".to_owned());
        }
        if !self.scopes.is_within(giver.scopes) {
            let missing: Vec<_> = self.scopes.iter().filter(|scope| !giver.allows(*scope)).map(Scope::as_str).collect();
            return Some(format!("you do not hold {} yourself", missing.join(", ")));
        }
        if !self.allowed_ips.is_within(&giver.allowed_ips) {
            return Some("it would be usable from addresses that you may not call from".to_owned());
        }
        match (self.expires_at, giver.expires_at) {
            (None, Some(_)) => Some("you expire yourself, so it must expire too, no later than you".to_owned()),
            (Some(own), Some(end)) if own > end => Some("it would outlive you".to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(seed: u8) -> LocationId {
        LocationId::parse(&format!("{seed:020}")).unwrap()
    }
    fn grant(reach: Reach) -> Grant {
        Grant {
            agency: AgencyId::parse("0000000000000000000A").unwrap(),
            reach,
            scopes: ScopeSet::all(KeyKind::Agency),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        }
    }

    #[test]
    fn a_new_key_reaches_what_is_named_or_what_its_maker_reaches() {
        let new = Reach::of_new_key;
        let (one, some) = (Reach::location(id(1)), Reach::Chosen([id(1), id(2)].into()));
        let all = Some(BTreeSet::from([id(1), id(2)]));
        for giver in [&Reach::Agency, &some] {
            assert_eq!(new(KeyKind::Agency, None, None, giver), Ok(giver.clone()));
            assert_eq!(new(KeyKind::Agency, None, all.clone(), giver), Ok(some.clone()));
            assert_eq!(new(KeyKind::Location, Some(id(1)), None, giver), Ok(one.clone()));
            assert_eq!(new(KeyKind::Location, None, None, giver), Err(NoReach::NoLocation));
            assert_eq!(new(KeyKind::Location, Some(id(1)), all.clone(), giver), Err(NoReach::ChosenOfLocationKey));
            assert_eq!(new(KeyKind::Agency, Some(id(1)), None, giver), Err(NoReach::OneOfAgencyKey));
            assert_eq!(new(KeyKind::Agency, None, Some(BTreeSet::new()), giver), Err(NoReach::NoneChosen));
        }
        assert_eq!(new(KeyKind::Location, None, None, &one), Ok(one.clone()));
        assert_eq!(new(KeyKind::Agency, None, None, &one), Ok(Reach::Agency), "which exceeds its maker");
    }

    #[test]
    fn nothing_exceeds_itself_and_more_exceeds_less() {
        let agency = grant(Reach::Agency);
        let chosen = grant(Reach::Chosen([id(1), id(2)].into()));
        let one = grant(Reach::location(id(1)));
        for grant in [&agency, &chosen, &one] {
            assert_eq!(grant.exceeds(grant), None);
            assert_eq!(grant.exceeds(&agency), None);
        }
        assert_eq!(one.exceeds(&chosen), None);
        assert!(agency.exceeds(&chosen).is_some());
        assert!(chosen.exceeds(&one).is_some(), "an agency key is more than a location key");
        assert!(grant(Reach::Chosen([id(1)].into())).exceeds(&one).is_some());
        assert!(grant(Reach::location(id(3))).exceeds(&chosen).is_some());

        let narrow = Grant { scopes: ScopeSet::EMPTY.with(Scope::ContactsRead), ..agency.clone() };
        assert!(agency.exceeds(&narrow).unwrap().contains("api-keys.write"));
        let here = Grant { allowed_ips: IpRanges::parse(["192.0.2.1"]).unwrap(), ..agency.clone() };
        assert!(agency.exceeds(&here).is_some());
        assert_eq!(here.exceeds(&agency), None);
        let short = Grant { expires_at: Some(UtcMs(10)), ..agency.clone() };
        assert!(agency.exceeds(&short).is_some());
        assert!(Grant { expires_at: Some(UtcMs(11)), ..agency.clone() }.exceeds(&short).is_some());
        assert_eq!(short.exceeds(&agency), None);
    }
}
