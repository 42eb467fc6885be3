//! The first pages: whether anything is wrong, and what there is; only what the visitor may read.

use keystead_model::{
    UtcMs,
    agency::TenantState,
    api_key::{KeyName, NewKey},
    grant::Reach,
    key_kind::KeyKind,
    scope::Preset,
    time::HOUR_MS,
    user::Role,
};
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};
use serde_json::json;

use crate::app::{member, sign_in};

async fn page(app: &TestApp, cookie: &str, path: &str) -> String {
    let page = app.get(path).header("Cookie", cookie).send().await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_wrong_is_one_calm_sentence_and_what_is_wrong_comes_first() {
    let app = TestApp::start().await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let named = async |name: &'static str| {
        let change = move |new: &mut NewKey| new.name = KeyName::parse(name).unwrap();
        app.key_with(Reach::location(app.ids.location), scopes, change).await
    };
    let (_, exposed) = (named("Quiet").await, named("Leaked").await);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let in_location = format!("/app/locations/{}", app.ids.location);
    for path in ["/app/agency", &in_location] {
        let said = page(&app, &cookie, path).await;
        assert!(said.contains("All is well: no key needs anybody.") && !said.contains("Needs attention"), "{said}");
    }
    app.let_days_pass(80.0).await;
    app.post("/api-keys/revoke-exposed").json(&json!({"keys": [exposed.secret]})).send().await.expect(202);
    app.app.sweep().await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    for path in ["/app/agency", &in_location] {
        let said = page(&app, &cookie, path).await;
        assert!(said.contains("2 keys need attention."), "{said}");
        let (leaked, quiet) = (said.find(">Leaked<").unwrap(), said.find(">Quiet<").unwrap());
        assert!(leaked < quiet, "what is urgent comes first");
        assert!(said.contains("2 of 2"), "{said}");
        assert!(said.contains("Rotate Leaked") && said.contains("Keep Quiet"), "what helps is beside it");
    }
    let operator = app.operator().await;
    app.app.set_location_state(&operator, app.ids.location, TenantState::Suspended).await.unwrap();
    let said = page(&app, &cookie, "/app/agency").await;
    assert!(said.contains("One location is suspended.") && said.contains("Suspended, its keys are refused"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_end_soon_are_told_of_at_once_and_counted_as_their_list_does() {
    let app = TestApp::start().await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let ending = async |name: &'static str, hours: i64| {
        let at = UtcMs(app.app.now().0 + hours * HOUR_MS);
        let change = move |new: &mut NewKey| {
            new.name = KeyName::parse(name).unwrap();
            new.grant.expires_at = Some(at);
        };
        app.key_with(Reach::location(app.ids.location), scopes, change).await
    };
    // Their first notices are not due: 5 hours, and 2 days, before the end.
    ending("Tonight", 10).await;
    ending("Friday", 4 * 24).await;
    ending("Next year", 400 * 24).await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    for place in ["/app/agency".to_owned(), format!("/app/locations/{}", app.ids.location)] {
        let said = page(&app, &cookie, &place).await;
        assert!(said.contains("2 keys need attention.") && said.contains("<b>2 of 3</b>"), "{said}");
        let needs = said.split("Needs attention").nth(1).unwrap().split("</section>").next().unwrap();
        let (tonight, friday) = (needs.find(">Tonight<").unwrap(), needs.find(">Friday<").unwrap());
        assert!(tonight < friday && needs.contains("Expires in 10 hours, on 25 Nov 2026, 22:00"), "{needs}");
        assert!(!needs.contains("Next year"));
        let url = format!("{place}/settings/keys?tab=location&q=&show=at-risk");
        assert!(said.contains(&url.replace('&', "&#38;")), "{said}");
        let list = page(&app, &cookie, &url).await;
        assert!(list.contains("Location keys <span class=\"count\">2</span>"), "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_errors_and_refused_attempts_are_summed_by_tenant() {
    let app = TestApp::start().await;
    let gym = app.location("Northside Gym").await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    for _ in 0..3 {
        app.get("/contacts/").key(&key).send().await.expect(200);
    }
    assert_eq!(app.get("/contacts/0000000000000000000A").key(&key).send().await.status, 400);
    app.get("/locations/search").key(&agency).send().await.expect(200);
    let wrong = key.secret.replace(&key.secret[30..40], "0000000000");
    app.get("/contacts/").header("Authorization", &wrong).send().await;
    let operator = app.operator().await;
    app.app.deactivate_key(operator.authority(), key.id).await.unwrap();
    assert_eq!(app.get("/contacts/").key(&key).send().await.status, 401);
    app.app.flush_uses().await.unwrap();
    app.app.flush_uses().await.unwrap();
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let figure = |page: &str, label: &str| {
        let rest = page.split(&format!("<span>{label}</span><b>")).nth(1).unwrap_or_else(|| panic!("{label}: {page}"));
        rest.split("</b>").next().unwrap().to_owned()
    };
    let agency = page(&app, &cookie, "/app/agency").await;
    let location = page(&app, &cookie, &format!("/app/locations/{}", app.ids.location)).await;
    let other = page(&app, &cookie, &format!("/app/locations/{gym}")).await;
    let requests = [&agency, &location, &other].map(|page| figure(page, "Requests, 24 hours"));
    assert_eq!(requests, ["5", "4", "0"], "a location has what its own keys did");
    assert_eq!(figure(&location, "Answered with an error, 24 hours"), "25.0 %");
    assert_eq!(figure(&other, "Answered with an error, 24 hours"), "none");
    assert_eq!([&agency, &other].map(|page| figure(page, "Refused attempts, 24 hours")), ["1", "none"]);
    let refused = agency.split("Refused attempts by key").nth(1).unwrap();
    assert!(refused.split("</section>").next().unwrap().contains(key.id.as_str()), "{refused}");
    assert!(other.contains("None: every call came with a right secret"));
    assert!(agency.contains("<td>25 Nov 2026</td><td>4</td><td>1</td><td>0</td><td>1</td>"), "{agency}");
    // The row of each location.
    let row = agency.split(&format!("/app/locations/{}\"><bdi>Harbour Dental", app.ids.location)).nth(1);
    let row = row.unwrap_or_else(|| panic!("{agency}")).split("</tr>").next().unwrap();
    assert!(row.contains(">4<") && row.contains("25.0 %"), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_shows_what_it_has_and_what_is_to_be_done() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let post =
        async |path: &str, body: serde_json::Value| app.post(path).key(&key).json(&body).send().await.expect(201);
    let contact = post("/contacts/", json!({"firstName": "Ada"})).await["contact"]["id"].as_str().unwrap().to_owned();
    post("/contacts/", json!({"firstName": "Grace"})).await;
    for (title, due, done) in [
        ("Call back", "2026-11-24T09:00:00Z", false),
        ("Send offer", "2026-11-25T20:00:00Z", false),
        ("Long done", "2026-11-20T09:00:00Z", true),
        ("Next week", "2026-12-02T09:00:00Z", false),
    ] {
        let body = json!({"title": title, "dueDate": due, "completed": done});
        post(&format!("/contacts/{contact}/tasks"), body).await;
    }
    let pipelines =
        app.get(&format!("/opportunities/pipelines?locationId={}", app.ids.location)).key(&key).send().await;
    let pipeline = pipelines.expect(200)["pipelines"][0].clone();
    let body = json!({"name": "Implant", "pipelineId": pipeline["id"], "pipelineStageId": pipeline["stages"][0]["id"],
                      "status": "open", "contactId": contact, "locationId": app.ids.location});
    post("/opportunities/", body).await;
    let path = format!("/app/locations/{}", app.ids.location);
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let said = page(&app, &cookie, &path).await;
    for part in [
        "<span>Contacts</span><b>2</b><span class=\"sub\">2 new today",
        "<span>Open opportunities</span><b>1</b>",
        "<span>Tasks due today</span><b>1</b><span class=\"sub\">1 late",
        "Call back",
        "Send offer",
        "New contacts a day",
        "<td>25 Nov 2026</td><td>2</td>",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("Long done") && !said.contains("Next week"));
    // What the visitor may not read is not there, and not said to be empty.
    let user = member(&app, "lu@example.com", Role::AccountUser, &[app.ids.location]).await;
    let said = page(&app, &user, &path).await;
    assert!(said.contains("<span>Contacts</span><b>2</b>"), "{said}");
    for part in ["Requests", "Keys at risk", "Newest keys", "Refused", "All is well", "Create key"] {
        assert!(!said.contains(part), "{part}: {said}");
    }
    let agency_user = member(&app, "au@example.com", Role::AgencyUser, &[]).await;
    let said = page(&app, &agency_user, "/app/agency").await;
    assert!(said.contains("Harbour Dental") && !said.contains("Requests") && !said.contains("All is well"), "{said}");
}

/// 24 rows of the table of hours, the one that has begun among them: not what the hour of yesterday still had.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_24_hours_of_the_table_of_a_key_and_the_day_before_the_24_above() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let hour = std::time::Duration::from_secs(3600);
    app.clock.advance(hour / 2);
    // Around both borders each hour has another number of requests, one more than its own.
    for number in 0..49_u32 {
        for _ in 0..(if [0, 1, 24, 25].contains(&number) { number + 1 } else { 0 }) {
            app.get("/contacts/").key(&key).send().await.expect(200);
        }
        app.app.flush_uses().await.unwrap();
        if number < 48 {
            app.clock.advance(hour);
            app.app.poll_changes().await.unwrap();
        }
    }
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    for place in ["/app/agency".to_owned(), format!("/app/locations/{}", app.ids.location)] {
        let page = page(&app, &cookie, &place).await;
        let tile = page.split("<span>Requests, 24 hours</span><b>").nth(1).unwrap_or_else(|| panic!("{page}"));
        assert!(tile.starts_with("26<") && tile.split("</a>").next().unwrap().contains("27 the day before"), "{tile}");
    }
    let agency = page(&app, &cookie, "/app/agency").await;
    let row = agency.split(&format!("/app/locations/{}\"><bdi>", app.ids.location)).nth(1).unwrap();
    assert!(row.split("</tr>").next().unwrap().contains(">26<"), "{row}");
    let address = format!("/app/agency/settings/keys/{}?by=hours", key.id);
    assert!(page(&app, &cookie, &address).await.contains(">53 in 48 hours"));
}

/// Sums that are kept follow what a migration counted of what was there.
#[tokio::test(flavor = "multi_thread")]
async fn the_sums_of_tenants_are_those_of_their_keys() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    for _ in 0..2 {
        app.get("/contacts/").key(&key).send().await.expect(200);
        app.get("/locations/search").key(&agency).send().await.expect(200);
        app.app.flush_uses().await.unwrap();
        app.clock.advance(std::time::Duration::from_secs(3600));
        app.app.poll_changes().await.unwrap();
    }
    let sum = async |table: &str| app.number(&format!("SELECT CAST(sum(requests) AS BIGINT) FROM {table}")).await;
    assert_eq!((sum("key_usage").await, sum("usage_of_agencies").await, sum("usage_of_locations").await), (4, 4, 2));
    app.let_days_pass(120.0).await;
    app.app.trim_usage().await.unwrap();
    let rows = async |table: &str| app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM {table}")).await;
    assert_eq!((rows("usage_of_agencies").await, rows("usage_of_locations").await), (0, 0));
}
