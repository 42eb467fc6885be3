use keystead_model::{AgencyId, UserId};

use super::*;

fn location(number: u8) -> LocationId {
    LocationId::parse(&format!("{number:020}")).unwrap()
}

fn entry() -> Entry {
    let key = KeyStanding {
        life: KeyLife::Active,
        is_exposed: false,
        current: SecretMark::parse("00112233445566ff"),
        previous: None,
        scopes: ScopeSet::from_names("contacts.readonly contacts.write"),
        reach: Reach::location(location(1)),
        allowed_ips: IpRanges::default(),
        expires_at: None,
    };
    let narrowed = KeyStanding {
        life: KeyLife::Deleted(DeleteReason::Inactive),
        is_exposed: true,
        current: None,
        previous: SecretMark::parse("ffeeddccbbaa9988").map(|secret| PreviousStanding {
            secret,
            until: UtcMs(1_764_000_000_000),
            ended: true,
        }),
        reach: Reach::Chosen([location(1), location(2)].into()),
        allowed_ips: IpRanges::parse(["192.0.2.0/24", "2001:db8::1"]).unwrap(),
        expires_at: Some(UtcMs(1_764_000_000_001)),
        ..key.clone()
    };
    let agency = KeyStanding { life: KeyLife::Deactivated, reach: Reach::Agency, ..key.clone() };
    let member = MemberStanding {
        disabled: true,
        is_operator: false,
        role: Role::AccountAdmin,
        locations: [location(3)].into(),
        password: Some("c2FsdA".to_owned()),
    };
    let id = |text: &str| KeyId::parse(text).unwrap();
    let agency_id = AgencyId::parse("0000000000000000000A").unwrap();
    let user_id = UserId::parse("0000000000000000000U").unwrap();
    Entry {
        position: Position {
            incarnation: "0Vc5K6YS0ygRARdHs6Hz".to_owned(),
            through: 134,
            mark: Some("1764000000000 Hq3vT0bZk9Wd".to_owned()),
        },
        at: UtcMs(1_764_000_000_000),
        extent: Extent::After(133),
        standings: vec![
            (Change::Key(id("Hq3vT0bZk9Wd")), Standing::Key(key)),
            (Change::Key(id("Hq3vT0bZk9We")), Standing::Key(narrowed)),
            (Change::Key(id("Hq3vT0bZk9Wf")), Standing::Key(agency)),
            (Change::Agency(agency_id), Standing::Tenant(TenantState::Suspended)),
            (Change::Location(location(1)), Standing::Tenant(TenantState::Active)),
            (Change::Member(user_id), Standing::Member(member)),
        ],
    }
}

fn read(line: &str) -> Option<Entry> {
    match Line::read(line) {
        Line::Entry(entry) => Some(entry),
        _ => None,
    }
}

#[test]
fn lines_are_read_back_as_they_were() {
    let entry = entry();
    assert_eq!(entry.write().lines().count(), 1);
    assert_eq!(read(&entry.write()), Some(entry.clone()));
    for extent in [Extent::Whole { parts: 3 }, Extent::Unsaid, Extent::Part] {
        let other = Entry { extent, ..entry.clone() };
        assert_eq!(read(&other.write()), Some(other.clone()));
        assert_eq!(other.end().is_none(), extent == Extent::Part);
    }
}

#[test]
fn a_systems_journal_is_read_however_it_was_printed() {
    let line = entry().write();
    for prefix in ["", "Nov 26 03:09:35 crm keystead[123]: ", "2026-11-26T03:09:35+0100 crm keystead[1]: "] {
        assert!(read(&format!("{prefix}{line}")).is_some(), "{prefix}");
    }
    let exported = json!({"MESSAGE": line.trim_end(), "_PID": "123", "__REALTIME_TIMESTAMP": "1"}).to_string();
    assert_eq!(read(&exported), Some(entry()));
    let log = r#"{"timestamp":"2026-11-26T03:09:35Z","level":"INFO","message":"authority was ended","key":"Hq3vT0bZk9Wd","action":"api_key.deactivated","sequence":134}"#;
    for text in
        [log.to_owned(), format!("Nov 26 03:09:35 crm keystead[123]: {log}"), json!({"MESSAGE": log}).to_string()]
    {
        assert!(matches!(Line::read(&text), Line::Ended(key, 134) if key.as_str() == "Hq3vT0bZk9Wd"), "{text}");
    }
}

#[test]
fn what_is_not_ours_is_passed_over() {
    for text in [
        "Started keystead.service - Keystead.",
        "{}",
        r#"{"message":"authority was ended","key":"short","sequence":1}"#,
        r#"{"level":"INFO","message":"the sweep took its steps"}"#,
        r#"{"MESSAGE":[1,2,3]}"#,
        "systemd[1]: Reloading {",
    ] {
        assert!(matches!(Line::read(text), Line::NotOurs), "{text}");
    }
    assert!(matches!(Line::read("  \n"), Line::Blank));
}

#[test]
fn what_is_ours_and_cannot_be_read_is_no_line_of_others() {
    let line = entry().write();
    let named = |text: &str| match Line::read(text) {
        Line::Unreadable(keys) => keys.len(),
        _ => panic!("{text}"),
    };
    let torn = &line[..line.find("Hq3vT0bZk9We").unwrap() + 20];
    assert_eq!(named(torn), 2);
    assert_eq!(named(&format!("Nov 26 03:09:35 crm keystead[123]: {torn}")), 2);
    let exported = json!({"MESSAGE": torn, "_PID": "123"}).to_string();
    assert_eq!((named(&exported), named(&exported[..exported.len() - 5])), (2, 2));
    assert_eq!(named(&line[..40]), 0);
    assert_eq!(named(&line.replace("revocations/1", "revocations/2")), 3);
    assert_eq!(named(&line.replace("contacts.write", "contacts.wri\u{0}te")), 3, "changed since");
    assert_eq!(named(&line.replacen("\"scopes\"", "\"scropes\"", 1)), 3);
    assert_eq!(named("{\"keystead\":\"revocations/1\"}"), 0);
}

#[test]
fn what_a_newer_release_may_write_opens_no_door() {
    let line = entry().write().replace("\"state\":\"active\"", "\"state\":\"hibernating\"");
    let standings = read(&line).unwrap().standings;
    assert!(matches!(&standings[0].1, Standing::Key(key) if key.life == KeyLife::Deactivated));
    assert!(matches!(&standings[4].1, Standing::Tenant(TenantState::Suspended)));
    let line = entry().write().replace("\"location\":", "\"workflow\":");
    assert_eq!(read(&line).unwrap().standings.len(), 5, "a kind that is not known is passed over");
}
