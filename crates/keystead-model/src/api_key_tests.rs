use std::net::Ipv4Addr;

use super::*;
use crate::{AgencyId, LocationId, time::DAY_MS};

const NOW: UtcMs = UtcMs(1_764_000_000_000);
const SERVICE: ServiceMs = ServiceMs(50 * DAY_MS);
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn secret(last_four: &str) -> StoredSecret {
    StoredSecret {
        hash: Some([last_four.as_bytes()[0]; 32]),
        pepper_version: 1,
        last_four: last_four.to_owned(),
        created_at: NOW,
        last_used_at: None,
    }
}

fn used(mut secret: StoredSecret) -> StoredSecret {
    secret.last_used_at = Some(NOW);
    secret
}

fn key() -> ApiKey {
    let agency = AgencyId::parse("0000000000000000000A").unwrap();
    let location = LocationId::parse("0000000000000000000L").unwrap();
    ApiKey {
        id: KeyId::parse("Hq3vT0bZk9Wd").unwrap(),
        name: KeyName::parse("Marketing Automation").unwrap(),
        about: KeyAbout::default(),
        grant: Grant {
            agency,
            reach: Reach::location(location),
            scopes: ScopeSet::all(KeyKind::Location),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        },
        rate_limit: None,
        allowed_origins: crate::origin::Origins::default(),
        state: KeyState::Active,
        created_by: Actor::Operator,
        created_at: NOW,
        current: used(secret("aaaa")),
        previous: None,
        exposed_at: None,
        last_use: None,
        inactivity: Inactivity::beginning(ServiceMs(0)),
        replaces: None,
        tenant: TenantState::Active,
        version: 1,
    }
}

const WEEK: Duration = DEFAULT_OVERLAP;

#[test]
fn a_deactivated_key_refuses_both_secrets_and_comes_back() {
    let rotated = key().rotate(secret("bbbb"), WEEK, NOW, SERVICE).unwrap();
    let stopped = rotated.clone().deactivate(Actor::Operator, NOW, SERVICE).unwrap();
    for slot in [SecretSlot::Current, SecretSlot::Previous] {
        assert_eq!(stopped.admits(slot, HOME, NOW), Err(Refusal::Deactivated { at: NOW, exposed: false }));
    }
    assert_eq!(stopped.clone().deactivate(Actor::System, NOW, SERVICE), Err(InvalidTransition::AlreadyDeactivated));
    let again = stopped.reactivate(SERVICE).unwrap();
    assert_eq!(again.admits(SecretSlot::Current, HOME, NOW), Ok(()));
    assert_eq!(again.inactivity.active_at, SERVICE);
    assert_eq!(again.version, rotated.version + 2);
}

#[test]
fn both_secrets_work_in_an_overlap_and_only_the_new_one_after_it() {
    let rotated = key().rotate(secret("bbbb"), WEEK, NOW, SERVICE).unwrap();
    assert_eq!(rotated.current.last_four, "bbbb");
    let end = NOW + WEEK;
    let before = UtcMs(end.0 - 1);
    assert_eq!(rotated.admits(SecretSlot::Previous, HOME, before), Ok(()));
    assert_eq!(rotated.admits(SecretSlot::Previous, HOME, end), Err(Refusal::Retired { at: end }));
    assert_eq!(rotated.admits(SecretSlot::Current, HOME, end), Ok(()));
}

#[test]
fn a_lost_rotation_can_be_repeated_without_harm_to_the_old_secret() {
    let first = key().rotate(secret("bbbb"), WEEK, NOW, SERVICE).unwrap();
    let later = NOW + Duration::from_secs(60);
    let second = first.clone().rotate(secret("cccc"), Duration::ZERO, later, SERVICE).unwrap();
    assert_eq!(second.current.last_four, "cccc");
    assert_eq!(second.previous, first.previous, "the secret that clients hold keeps its time");

    let in_use = ApiKey { current: used(first.current.clone()), ..first };
    assert_eq!(in_use.clone().rotate(secret("dddd"), WEEK, later, SERVICE), Err(InvalidTransition::OverlapInUse));
    let after = NOW + WEEK;
    assert!(in_use.rotate(secret("dddd"), WEEK, after, SERVICE).is_ok(), "the overlap is over");
}

#[test]
fn a_rotation_can_be_cancelled_or_finished() {
    let rotated = key().rotate(secret("bbbb"), WEEK, NOW, SERVICE).unwrap();
    let cancelled = rotated.clone().cancel_rotation(NOW, SERVICE).unwrap();
    let names = |key: &ApiKey| (key.current.last_four.clone(), key.previous.as_ref().unwrap().secret.last_four.clone());
    assert_eq!(names(&cancelled), ("aaaa".to_owned(), "bbbb".to_owned()));
    let finished = rotated.clone().finish_rotation(NOW).unwrap();
    assert_eq!(names(&finished), ("bbbb".to_owned(), "aaaa".to_owned()));
    assert_eq!(finished.clone().finish_rotation(NOW), Err(InvalidTransition::NotRotating));
    assert_eq!(rotated.clone().cancel_rotation(NOW + WEEK, SERVICE), Err(InvalidTransition::NotRotating));
    let at_once = key().rotate(secret("bbbb"), Duration::ZERO, NOW, SERVICE).unwrap();
    // What was ended is told so, and a clock that goes back changes nothing.
    for ended in [cancelled, finished, at_once, rotated.expose(SecretSlot::Previous, NOW)] {
        assert_eq!(ended.overlap(NOW), None);
        for now in [UtcMs(0), NOW, NOW + WEEK] {
            assert_eq!(ended.admits(SecretSlot::Previous, HOME, now), Err(Refusal::Retired { at: NOW }));
            assert_eq!(ended.admits(SecretSlot::Current, HOME, now), Ok(()));
        }
    }
}

#[test]
fn an_end_that_has_come_is_not_moved() {
    let over = key().rotate(secret("bbbb"), WEEK, NOW, SERVICE).unwrap();
    let end = NOW + WEEK;
    let exposed = over.expose(SecretSlot::Previous, end + WEEK);
    assert_eq!(exposed.admits(SecretSlot::Previous, HOME, end), Err(Refusal::Retired { at: end }));
}

#[test]
fn an_exposed_secret_gets_no_overlap_and_no_second_life() {
    let exposed = ApiKey { exposed_at: Some(NOW), ..key() };
    let stopped = exposed.clone().deactivate(Actor::System, NOW, SERVICE).unwrap();
    assert_eq!(stopped.clone().reactivate(SERVICE), Err(InvalidTransition::Exposed));
    let rotated = stopped.rotate(secret("bbbb"), WEEK, NOW, SERVICE).unwrap();
    assert_eq!(rotated.overlap(NOW), None);
    let again = rotated.reactivate(SERVICE).unwrap();
    assert_eq!(again.admits(SecretSlot::Previous, HOME, NOW), Err(Refusal::Retired { at: NOW }));
    // The old secret of a rotation is not the one that was found, and works again when the rotation is taken back.
    let rotating = key().rotate(secret("bbbb"), WEEK, NOW, SERVICE).unwrap().expose(SecretSlot::Current, NOW);
    assert_eq!(rotating.clone().reactivate(SERVICE), Err(InvalidTransition::Exposed));
    let back = rotating.cancel_rotation(NOW, SERVICE).unwrap().reactivate(SERVICE).unwrap();
    assert_eq!(back.admits(SecretSlot::Current, HOME, NOW), Ok(()));
    assert_eq!(back.admits(SecretSlot::Previous, HOME, NOW), Err(Refusal::Retired { at: NOW }));
}

#[test]
fn a_deleted_key_allows_nothing_and_remembers_whether_it_was_active() {
    let deleted = key().delete(Actor::Operator, DeleteReason::Requested, NOW, SERVICE).unwrap();
    let KeyState::Deleted { restore_until, was_active: true, .. } = deleted.state else { panic!("{deleted:?}") };
    assert_eq!(restore_until, SERVICE.plus(RESTORE_WINDOW_MS));
    assert_eq!(
        deleted.admits(SecretSlot::Current, HOME, NOW),
        Err(Refusal::Deleted { at: NOW, reason: DeleteReason::Requested })
    );
    assert_eq!(deleted.clone().deactivate(Actor::System, NOW, SERVICE), Err(InvalidTransition::Deleted));
    assert_eq!(deleted.clone().rotate(secret("b"), WEEK, NOW, SERVICE), Err(InvalidTransition::Deleted));
    assert_eq!(deleted.clone().patch(KeyPatch::default()), Err(InvalidTransition::Deleted));
    assert_eq!(deleted.reactivate(SERVICE), Err(InvalidTransition::Deleted));
}

#[test]
fn expiry_and_addresses_are_checked_last() {
    let mut narrow = key();
    narrow.grant.expires_at = Some(NOW);
    narrow.grant.allowed_ips = IpRanges::parse(["192.0.2.0/24"]).unwrap();
    let before = UtcMs(NOW.0 - 1);
    assert_eq!(narrow.admits(SecretSlot::Current, HOME, NOW), Err(Refusal::Expired { at: NOW }));
    assert_eq!(narrow.admits(SecretSlot::Current, HOME, before), Err(Refusal::AddressNotAllowed { address: HOME }));
    assert_eq!(narrow.admits(SecretSlot::Current, "192.0.2.9".parse().unwrap(), before), Ok(()));
}

#[test]
fn a_suspended_tenant_is_told_when_nothing_else_stands_in_the_way() {
    let suspended = ApiKey { tenant: TenantState::Suspended, ..key() };
    assert_eq!(suspended.admits(SecretSlot::Current, HOME, NOW), Err(Refusal::TenantSuspended));
    let stopped = suspended.deactivate(Actor::Operator, NOW, SERVICE).unwrap();
    assert_eq!(stopped.admits(SecretSlot::Current, HOME, NOW), Err(Refusal::Deactivated { at: NOW, exposed: false }));
}

#[test]
fn overlaps_are_iso_durations_up_to_thirty_days() {
    assert_eq!(parse_overlap("PT0S").unwrap(), Duration::ZERO);
    assert_eq!(parse_overlap("P7D").unwrap(), WEEK);
    assert_eq!(parse_overlap("PT24H").unwrap(), Duration::from_secs(86_400));
    assert_eq!(parse_overlap("P30D").unwrap(), MAX_OVERLAP);
    for refused in ["", "7d!", "P31D", "-P1D", "P1Y", "PT1e9H", "P30DT1S"] {
        assert!(parse_overlap(refused).is_err(), "{refused}");
    }
}
