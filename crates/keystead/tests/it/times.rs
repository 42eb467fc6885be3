//! In which zone times are shown: that of whoever looks, and for reports the location's own.

use keystead_core::{AuditFilter, Steps};
use keystead_model::{UtcMs, event::EventKind, page::Window, text::TimeZoneName};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};

use crate::app::{from_here, sign_in};

/// A location in India, as the admin's form makes it.
async fn in_india(app: &TestApp, cookie: &str) {
    let url = format!("/app/agency/locations/{}", app.ids.location);
    let fields = [("name", "Harbour Dental"), ("country", "IN"), ("timezone", "Asia/Kolkata")];
    assert_eq!(from_here(app.post(&url)).header("Cookie", cookie).form(&fields).send().await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_those_of_whoever_looks() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    in_india(&app, &cookie).await;
    let in_location = format!("/app/locations/{}/settings/keys/{}", app.ids.location, key.id);
    let in_agency = format!("/app/agency/settings/keys/{}", key.id);
    let said = async |path: &str, zone: &str| {
        let cookie = if zone.is_empty() { cookie.clone() } else { format!("{cookie}; keystead-zone={zone}") };
        let page = app.get(path).header("Cookie", &cookie).send().await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.text.matches("Times are those of").count(), 1, "the zone is named once");
        page.text
    };
    // The browser says nothing: a location has its own, the agency UTC.
    let page = said(&in_location, "").await;
    assert!(
        page.contains("not before 23 Feb 2027, 18:30") && page.contains("Asia/Kolkata, the location’s zone"),
        "{page}"
    );
    let page = said(&in_agency, "").await;
    assert!(page.contains("not before 23 Feb 2027, 13:00") && page.contains("UTC, since your browser"), "{page}");
    // It says one.
    for path in [&in_location, &in_agency] {
        let page = said(path, "Europe/Berlin").await;
        assert!(page.contains("not before 23 Feb 2027, 14:00"), "{page}");
        assert!(page.contains("Europe/Berlin, your browser’s zone. UTC on hover."), "{page}");
        assert!(page.contains("23 Feb 2027, 14:00 Europe/Berlin (23 Feb 2027, 13:00 UTC)"), "{page}");
    }
    // Browsers go on saying names that the database has for the past's sake alone.
    for (old, told) in [("Asia/Calcutta", "18:30"), ("Europe/Kiev", "15:00"), ("US/Pacific", "05:00")] {
        let page = said(&in_agency, old).await;
        assert!(page.contains(&format!("not before 23 Feb 2027, {told}")), "{old}: {page}");
        assert!(page.contains(", your browser’s zone"), "{old}: {page}");
    }
    // What no database of zones knows is none.
    for made_up in ["Mars/Base", "../../etc/passwd", "<script>", "%00"] {
        assert!(said(&in_agency, made_up).await.contains("UTC, since your browser"));
    }
    // What a member has chosen is theirs everywhere.
    let choose = async |zone: &str| {
        let call = from_here(app.post("/app/account/time-zone")).header("Cookie", &cookie);
        call.form(&[("timeZone", zone)]).send().await
    };
    let refused = choose("Berlin").await;
    assert!(
        refused.status == 422 && refused.text.contains("The time zone must be a time zone by its name"),
        "{}",
        refused.text
    );
    assert!(refused.text.contains("value=\"Berlin\""), "what was typed stays");
    assert_eq!(choose("america/new york").await.status, 303);
    for (path, browser) in [(&in_location, ""), (&in_agency, "Europe/Berlin")] {
        let page = said(path, browser).await;
        assert!(page.contains("not before 23 Feb 2027, 08:00"), "{page}");
        assert!(page.contains("America/New_York, the zone that you have chosen"), "{page}");
    }
    // It is told, and only once.
    assert_eq!(choose("America/New_York").await.status, 303);
    let filter = AuditFilter { action: Some(EventKind::UserUpdated.as_str().to_owned()), ..AuditFilter::default() };
    let told = app.app.list_audit(&app.operator().await, filter, Window::first(9)).await.unwrap().rows;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].after.as_deref(), Some(r#"{"timeZone":"America/New_York"}"#));
    // And taken back.
    assert_eq!(choose("").await.status, 303);
    assert!(said(&in_agency, "Europe/Berlin").await.contains("your browser’s zone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_a_report_are_those_of_the_location() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    in_india(&app, &cookie).await;
    // 25 Nov, 19:00 UTC is the next day in India; an hour that two days share belongs to the one with its middle.
    app.clock.advance(std::time::Duration::from_secs(7 * 3600));
    app.app.poll_changes().await.unwrap();
    app.get("/contacts/").key(&key).send().await.expect(200);
    let page = async |place: &str| {
        let cookie = format!("{cookie}; keystead-zone=Europe/Berlin");
        app.get(&format!("{place}/settings/keys/{}", key.id)).header("Cookie", &cookie).send().await.text
    };
    for place in [format!("/app/locations/{}", app.ids.location), "/app/agency".to_owned()] {
        let said = page(&place).await;
        assert!(said.contains("<td>26 Nov 2026</td><td>1</td>"), "{said}");
        assert!(said.contains("1 in 30 days (days of Asia/Kolkata), at most 1 a day"), "{said}");
    }
    let half_past = UtcMs::read_iso("2026-11-25T18:30:00Z").unwrap();
    let steps = Steps::new(vec![UtcMs(half_past.0 - 86_400_000), half_past], UtcMs(half_past.0 + 86_400_000));
    let report = app.app.key_usage(app.operator().await.authority(), key.id, steps).await.unwrap();
    assert_eq!([report.steps[0].1[2], report.steps[1].1[2]], [0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_location_are_as_many_from_wherever_they_are_looked_at() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    in_india(&app, &cookie).await;
    // Between these it is midnight there, and not in Berlin.
    app.get("/contacts/").key(&key).send().await.expect(200);
    app.clock.advance(std::time::Duration::from_secs(7 * 3600));
    app.app.poll_changes().await.unwrap();
    app.get("/contacts/").key(&key).send().await.expect(200);
    app.app.flush_uses().await.unwrap();
    let page = async |path: &str| {
        let cookie = format!("{cookie}; keystead-zone=Europe/Berlin");
        app.get(path).header("Cookie", &cookie).send().await.text
    };
    let here = page(&format!("/app/locations/{}", app.ids.location)).await;
    assert!(here.contains("<span>Requests, 24 hours</span><b>2</b>"), "{here}");
    let agency = page("/app/agency").await;
    assert!(agency.contains("<span>Requests, 24 hours</span><b>2</b>"), "{agency}");
    let row = agency.split(&format!("/app/locations/{}\"><bdi>Harbour", app.ids.location)).nth(1);
    let row = row.unwrap_or_else(|| panic!("{agency}")).split("</tr>").next().unwrap();
    assert!(row.contains("<td class=\"num from-m\">2</td>"), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_a_filter_are_those_that_are_shown() {
    let app = TestApp::start().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    // 26 Nov, 00:30 in Berlin, and still the 25th in UTC.
    app.clock.advance(std::time::Duration::from_secs(11 * 3600 + 1800));
    let key = app.location_key().await;
    let listed = async |zone: &str, days: &str| {
        let cookie = format!("{cookie}; keystead-zone={zone}");
        let page = app.get(&format!("/app/agency/audit?{days}")).header("Cookie", &cookie).send().await;
        page.text.contains(key.id.as_str())
    };
    assert!(listed("Europe/Berlin", "from=2026-11-26&until=2026-11-26").await);
    assert!(!listed("Europe/Berlin", "until=2026-11-25").await);
    assert!(listed("UTC", "from=2026-11-25&until=2026-11-25").await);
    assert!(!listed("UTC", "from=2026-11-26").await);
    assert!(TimeZoneName::parse("Europe/Berlin").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_sees_where_they_are_signed_in_and_signs_out_one_of_them() {
    let app = TestApp::start().await;
    let sign_in_with = async |agent: &str| {
        let form = [("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD)];
        let answer = from_here(app.post("/app/sign-in")).header("User-Agent", agent).form(&form).send().await;
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    };
    let here = sign_in_with("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0").await;
    let phone = sign_in_with("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Version/18.1 Mobile Safari/604.1").await;
    let account = async |cookie: &str| app.get("/app/account").header("Cookie", cookie).send().await;
    let page = account(&here).await.text;
    assert!(page.contains("Firefox on Linux") && page.contains("Safari on iPhone"), "{page}");
    assert_eq!(page.matches("This browser").count(), 1);
    let name = |page: &str, label: &str| {
        let before = page.split(&format!("aria-label=\"Sign out {label}")).next().unwrap();
        before.rsplit("value=\"").next().unwrap().split('"').next().unwrap().to_owned()
    };
    let end = async |cookie: &str, name: &str| {
        from_here(app.post("/app/account/sign-out")).header("Cookie", cookie).form(&[("session", name)]).send().await
    };
    // Nobody ends a session of somebody else.
    crate::app::member(&app, "other@example.com", keystead_model::user::Role::AgencyAdmin, &[]).await;
    let other = sign_in(&app, "other@example.com", "a long password").await;
    let of_phone = name(&page, "Safari");
    assert_eq!(end(&other, &of_phone).await.status, 303);
    assert_eq!(account(&phone).await.status, 200);
    assert_eq!(end(&here, &of_phone).await.header("location"), "/app/account");
    assert_eq!((account(&phone).await.status, account(&here).await.status), (303, 200));
    assert!(!account(&here).await.text.contains("Safari on iPhone"));
    // This one ends as by the menu.
    let own = name(&account(&here).await.text, "Firefox");
    assert_eq!(end(&here, &own).await.header("location"), "/app/sign-in");
    assert_eq!(account(&here).await.status, 303);
}
