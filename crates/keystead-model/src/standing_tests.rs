use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::{
    AgencyId, KeyId, LocationId, UserId,
    api_key::{KeyAbout, KeyName, NewKey, Refusal, SecretSlot},
    grant::Grant,
    scope::Scope,
    text::EmailAddress,
    user::UserProfile,
};

const NOW: UtcMs = UtcMs(1_764_000_000_000);
const SERVICE: ServiceMs = ServiceMs(1_000);
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn location(number: u8) -> LocationId {
    LocationId::parse(&format!("{number:020}")).unwrap()
}

fn secret(byte: u8) -> StoredSecret {
    StoredSecret {
        hash: Some([byte; 32]),
        pepper_version: 1,
        last_four: "abcd".to_owned(),
        created_at: NOW,
        last_used_at: Some(NOW),
    }
}

fn key_with(grant: Grant) -> ApiKey {
    let new = NewKey {
        name: KeyName::parse("A key").unwrap(),
        about: KeyAbout::default(),
        grant,
        rate_limit: None,
        allowed_origins: crate::origin::Origins::default(),
    };
    ApiKey::create(KeyId::parse("Hq3vT0bZk9Wd").unwrap(), new, secret(1), Actor::Operator, NOW, SERVICE)
}

fn key() -> ApiKey {
    key_with(Grant {
        agency: AgencyId::parse("0000000000000000000A").unwrap(),
        reach: Reach::Agency,
        scopes: [Scope::ContactsRead, Scope::ContactsWrite].into_iter().collect(),
        allowed_ips: IpRanges::default(),
        expires_at: None,
    })
}

fn after(change: impl FnOnce(ApiKey) -> ApiKey) -> ApiKey {
    let now = change(key());
    key().confined(&KeyStanding::of(&now), Actor::System, NOW, SERVICE).expect("it is narrowed")
}

#[test]
fn a_key_within_its_standing_is_left_alone() {
    assert_eq!(key().confined(&KeyStanding::of(&key()), Actor::System, NOW, SERVICE), None);
    let wider = Grant { scopes: key().grant.scopes.with(Scope::TagsRead), ..key().grant };
    assert_eq!(key().confined(&KeyStanding::of(&key_with(wider)), Actor::System, NOW, SERVICE), None);
}

#[test]
fn an_end_is_an_end() {
    let stopped = after(|key| key.deactivate(Actor::Operator, NOW, SERVICE).unwrap());
    assert!(matches!(stopped.state, KeyState::Deactivated { .. }));
    let deleted = after(|key| key.delete(Actor::Operator, DeleteReason::Inactive, NOW, SERVICE).unwrap());
    assert!(matches!(deleted.state, KeyState::Deleted { reason: DeleteReason::Inactive, was_active: true, .. }));
    let exposed = after(|key| key.expose(SecretSlot::Current, NOW));
    assert!(exposed.exposed_at.is_some() && exposed.reactivate(SERVICE).is_err(), "it needs a rotation");
}

#[test]
fn a_rotated_secret_keeps_its_time_and_no_more() {
    let week = Duration::from_secs(7 * 86_400);
    let rotated = after(|key| key.rotate(secret(2), week, NOW, SERVICE).unwrap());
    assert_eq!(rotated.state, KeyState::Active);
    assert_eq!(rotated.current.hash, None, "the new secret is not known here");
    assert_eq!(rotated.overlap(NOW).unwrap().retires_at, NOW + week);
    assert!(rotated.admits(SecretSlot::Previous, HOME, NOW + week).is_err());
    let again = rotated.rotate(secret(3), week, NOW, SERVICE).unwrap();
    assert_eq!(again.overlap(NOW).unwrap().retires_at, NOW + week, "the next rotation does not lengthen it");

    let over = after(|key| key.rotate(secret(2), Duration::ZERO, NOW, SERVICE).unwrap());
    assert!(matches!(over.state, KeyState::Deactivated { .. }));
    assert_eq!(over.current.hash, None);
    let back = over.reactivate(SERVICE).unwrap();
    let refused = back.admits(SecretSlot::Previous, HOME, UtcMs(0)).unwrap_err();
    assert!(matches!(refused, Refusal::Retired { .. }), "whatever the clock says: {refused:?}");
    assert!(back.cancel_rotation(NOW, SERVICE).is_err());
}

#[test]
fn what_cannot_be_narrowed_is_switched_off() {
    let here = |texts: &[&str]| IpRanges::parse(texts.iter().copied()).unwrap();
    let at = |ranges: IpRanges| key_with(Grant { allowed_ips: ranges, ..key().grant });
    let moved =
        at(here(&["192.0.2.1"])).confined(&KeyStanding::of(&at(here(&["192.0.2.2"]))), Actor::System, NOW, SERVICE);
    let moved = moved.unwrap();
    assert!(matches!(moved.state, KeyState::Deactivated { .. }));
    assert!(!moved.grant.allowed_ips.is_open(), "never a list that allows all");
}

#[test]
fn a_member_keeps_what_both_records_allow() {
    let member = |role, locations: &[u8]| User {
        id: UserId::parse("0000000000000000000U").unwrap(),
        agency: key().grant.agency,
        email: EmailAddress::parse("a@example.com").unwrap(),
        first_name: None,
        last_name: None,
        role,
        locations: locations.iter().copied().map(location).collect(),
        is_operator: true,
        disabled: false,
        created_at: NOW,
        time_zone: None,
        profile: UserProfile::default(),
        deleted_at: None,
    };
    let of = |user: &User| MemberStanding {
        disabled: user.disabled,
        is_operator: user.is_operator,
        role: user.role,
        locations: user.locations.clone(),
        password: None,
    };
    let admin = member(Role::AgencyAdmin, &[]);
    assert_eq!(admin.confined(&of(&admin)), None);
    let less = member(Role::AgencyUser, &[]);
    assert_eq!(admin.confined(&of(&less)).map(|user| user.role), Some(Role::AgencyUser));
    assert_eq!(less.confined(&of(&admin)), None, "nobody gains");
    let withdrawn = MemberStanding { disabled: true, is_operator: false, ..of(&admin) };
    let gone = admin.confined(&withdrawn).unwrap();
    assert!(gone.disabled && !gone.is_operator);
    let (one, two) = (member(Role::AccountAdmin, &[1, 2]), member(Role::AccountAdmin, &[2, 3]));
    let both = one.confined(&of(&two)).unwrap();
    assert_eq!((both.locations.len(), both.disabled), (1, false));
    let apart = one.confined(&of(&member(Role::AccountUser, &[3]))).unwrap();
    assert!(apart.disabled, "nothing is left of it");
    let other = less.confined(&of(&one)).unwrap();
    assert!(other.disabled, "an agency user never had the keys of a location");
}

#[test]
fn marks_are_read_back() {
    let mark = SecretMark::of(&secret(0x0a)).unwrap();
    assert_eq!(mark.to_string(), "0a0a0a0a0a0a0a0a");
    assert_eq!(SecretMark::parse(&mark.to_string()), Some(mark));
    for bad in ["", "0a0a", "xx0a0a0a0a0a0a0a", "+a0a0a0a0a0a0a0a0"] {
        assert_eq!(SecretMark::parse(bad), None, "{bad}");
    }
}

prop_compose! {
    fn grants()(
        reach in prop_oneof![
            Just(Reach::Agency),
            proptest::collection::btree_set(0u8..4, 1..4).prop_map(|set| Reach::Chosen(set.into_iter().map(location).collect())),
        ],
        scopes in proptest::collection::vec(proptest::sample::select(Scope::ALL), 1..4),
        ips in proptest::collection::vec(proptest::sample::select(vec!["192.0.2.0/24", "192.0.2.1", "192.0.2.128/25", "2001:db8::/32"]), 0..3),
        expires_at in proptest::option::of(0i64..10),
    ) -> Grant {
        Grant {
            reach,
            scopes: scopes.into_iter().collect(),
            allowed_ips: IpRanges::parse(ips).unwrap(),
            expires_at: expires_at.map(|days| UtcMs(NOW.0 + days)),
            ..key().grant
        }
    }
}

/// A key somewhere in its life.
fn lives() -> impl Strategy<Value = ApiKey> {
    (grants(), proptest::collection::vec(0u8..8, 0..4)).prop_map(|(grant, steps)| {
        let mut fresh = 1;
        steps.into_iter().fold(key_with(grant), |key, step| {
            fresh += 1;
            let week = Duration::from_secs(7 * 86_400);
            let next = match step {
                0 => key.clone().deactivate(Actor::Operator, NOW, SERVICE),
                1 => key.clone().reactivate(SERVICE),
                2 => key.clone().rotate(secret(fresh), week, NOW, SERVICE),
                3 => key.clone().rotate(secret(fresh), Duration::ZERO, NOW, SERVICE),
                4 => key.clone().finish_rotation(NOW),
                5 => key.clone().cancel_rotation(NOW, SERVICE),
                6 => Ok(key.clone().expose(SecretSlot::Current, NOW)),
                _ => key.clone().delete(Actor::Operator, DeleteReason::Requested, NOW, SERVICE),
            };
            next.unwrap_or(key)
        })
    })
}

/// Every secret that gets in, and until when.
fn doors(key: &ApiKey) -> Vec<([u8; 32], UtcMs)> {
    if key.state != KeyState::Active {
        return Vec::new();
    }
    let end = key.grant.expires_at.unwrap_or(UtcMs(i64::MAX));
    let current = key.current.hash.map(|hash| (hash, end));
    let previous = key.previous.as_ref().filter(|old| !old.ended);
    let previous = previous.and_then(|old| Some((old.secret.hash?, old.retires_at.min(end))));
    current.into_iter().chain(previous).collect()
}

proptest! {
    #[test]
    fn a_confined_key_exceeds_neither_what_it_was_nor_its_standing(older in lives(), newer in lives()) {
        let standing = KeyStanding::of(&newer);
        let confined = older.confined(&standing, Actor::System, NOW, SERVICE).unwrap_or_else(|| older.clone());
        let within = |inner: &ApiKey, outer: &ApiKey| doors(inner).iter().all(|(hash, until)| {
            doors(outer).iter().any(|(known, end)| known == hash && until <= end)
        });
        prop_assert!(within(&confined, &older), "it has gained a secret or time");
        prop_assert!(within(&confined, &newer), "{:?} lets in whom {:?} refused", confined, newer);
        if confined.state == KeyState::Active {
            prop_assert_eq!(confined.grant.exceeds(&older.grant), None);
            prop_assert_eq!(confined.grant.exceeds(&newer.grant), None);
        }
        prop_assert_eq!(confined.confined(&standing, Actor::System, NOW, SERVICE), None, "once is enough");
    }
}
