//! Lists: what leads through them, what is found in them, and HEAD.

use std::time::Duration;

use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, TestKey};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::sign_in;

/// Contacts `0` to `count - 1`, each made a little later.
async fn contacts(app: &TestApp, key: &TestKey, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let made = json!({"name": format!("Number {number}")});
        let made = app.post("/contacts/").key(key).json(&made).send().await.expect(201);
        ids.push(made["contact"]["id"].as_str().unwrap().to_owned());
        app.clock.advance(Duration::from_millis(5));
    }
    ids
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["contacts"].as_array().expect("contacts");
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_cursor_leads_on() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let mut newest = contacts(&app, &key, 7).await;
    newest.reverse();
    for face in ["", "/v1"] {
        let read = async |query: &str| app.get(&format!("{face}/contacts/?{query}")).key(&key).send().await.expect(200);
        let first = read("limit=3").await;
        let (at, id) = (&first["meta"]["startAfter"], first["meta"]["startAfterId"].as_str().unwrap());
        assert_eq!(ids(&first), newest[..3]);
        assert_eq!(ids(&read(&format!("limit=3&startAfterId={id}")).await), newest[3..6], "by the id alone");
        assert_eq!(ids(&read(&format!("limit=3&startAfter={at}")).await), newest[3..6], "by the time alone");
        // Of a contact that is gone, the id still tells its place.
        let gone = json!({"name": "gone"});
        let gone = app.post("/contacts/").key(&key).json(&gone).send().await.expect(201);
        let gone = gone["contact"]["id"].as_str().unwrap();
        app.delete(&format!("/contacts/{gone}")).key(&key).send().await.expect(200);
        assert_eq!(ids(&read(&format!("limit=3&startAfterId={gone}")).await), newest[..3]);
        app.clock.advance(Duration::from_millis(5));
        for bad in ["startAfterId=x", "startAfterId=00000000000000000000x", "startAfter=soon"] {
            app.get(&format!("{face}/contacts/?{bad}")).key(&key).send().await.expect(422);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_goes_on_in_the_order_that_it_was_made_for() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let oldest = contacts(&app, &key, 7).await;
    let touched = format!("/contacts/{}", oldest[0]);
    app.put(&touched).key(&key).json(&json!({"city": "x"})).send().await.expect(200);
    let mut by_update: Vec<String> = oldest[1..].to_vec();
    by_update.push(oldest[0].clone());
    let mut newest = oldest.clone();
    newest.reverse();
    let mut updated_last = by_update.clone();
    updated_last.reverse();
    for (query, expected) in [
        ("order=asc", &oldest),
        ("order=desc", &newest),
        ("sortBy=date_updated&order=asc", &by_update),
        ("sortBy=date_updated", &updated_last),
    ] {
        let mut seen = Vec::new();
        let mut path = format!("/v1/contacts/?limit=3&{query}");
        loop {
            let page = app.get(&path).key(&key).send().await.expect(200);
            seen.extend(ids(&page));
            assert!(!ids(&page).is_empty(), "a cursor leads to no empty page");
            let (at, id) = (&page["meta"]["startAfter"], &page["meta"]["startAfterId"]);
            let Some(id) = id.as_str() else { break };
            // As a known client does it: the cursor and nothing else.
            path = format!("/v1/contacts/?limit=2&startAfter={at}&startAfterId={id}");
        }
        assert_eq!(&seen, expected, "{query}");
    }
    let page = app.get("/v1/contacts/?limit=3&order=asc").key(&key).send().await.expect(200);
    let next = page["meta"]["nextPageUrl"].as_str().unwrap();
    let path = next.split_once("/v1").map(|(_, path)| format!("/v1{path}")).unwrap();
    assert_eq!(ids(&app.get(&path).key(&key).send().await.expect(200)), oldest[3..6]);
    let id = page["meta"]["startAfterId"].as_str().unwrap();
    let mixed = format!("/v1/contacts/?sortBy=date_updated&startAfterId={id}");
    app.get(&mixed).key(&key).send().await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_and_page_work_or_are_refused() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let mut newest = contacts(&app, &key, 5).await;
    newest.reverse();
    for face in ["", "/v1"] {
        let read = async |query: &str| app.get(&format!("{face}/contacts/?{query}")).key(&key).send().await;
        assert_eq!(ids(&read("limit=2&skip=2").await.expect(200)), newest[2..4]);
        let page = read("limit=2&page=3").await.expect(200);
        assert_eq!((ids(&page), &page["meta"]["currentPage"]), (newest[4..].to_vec(), &json!(3)));
        assert!(page["meta"]["nextPage"].is_null());
        for beyond in ["limit=100&page=102", "skip=10001", "page=1000000"] {
            let refused = read(beyond).await.expect(422);
            assert!(refused.to_string().contains("startAfter"), "{refused}");
        }
        let path = format!("{face}/contacts/{}", newest[0]);
        for number in 0..3 {
            let note = json!({"body": number.to_string()});
            app.post(&format!("{path}/notes")).key(&key).json(&note).send().await;
            app.clock.advance(Duration::from_millis(5));
        }
        let notes = app.get(&format!("{path}/notes?limit=1&skip=1")).key(&key).send().await.expect(200);
        assert_eq!(notes["notes"].as_array().unwrap().len(), 1);
        assert_eq!(notes["notes"][0]["body"], "1");
    }
    for path in ["/api-keys", "/audit-logs", "/notifications"] {
        for query in ["skip=20", "page=2"] {
            let refused = app.get(&format!("{path}?{query}")).key(&agency).send().await.expect(422);
            assert!(refused["message"][0].as_str().unwrap().contains("cursor"), "{refused}");
        }
    }
    // Full pages to the end, and no cursor to an empty one.
    for path in ["/api-keys", "/audit-logs"] {
        let all = app.get(&format!("{path}?limit=100")).key(&agency).send().await.expect(200);
        let member = if path == "/api-keys" { "apiKeys" } else { "auditLogs" };
        let count = all[member].as_array().unwrap().len();
        let page = app.get(&format!("{path}?limit={count}")).key(&agency).send().await.expect(200);
        assert!(page["meta"]["nextCursor"].is_null(), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_as_they_are_searched() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let maria = json!({
        "firstName": "María José", "lastName": "O’Brien", "companyName": "The Grand Budapest Hotel",
        "email": "maria@mail.example.com", "phone": "(201) 555-0150", "tags": ["VIP Gäste"],
    });
    app.post("/contacts/").key(&key).json(&maria).send().await.expect(201);
    app.post("/contacts/").key(&key).json(&json!({"name": "Bob"})).send().await.expect(201);
    let count = async |query: &str| {
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let found = app.get(&format!("/contacts/?query={query}")).key(&key).send().await.expect(200);
        assert_eq!(found["meta"]["total"], found["contacts"].as_array().unwrap().len());
        let v1 = app.get(&format!("/v1/contacts/?query={query}")).key(&key).send().await.expect(200);
        assert_eq!(v1["meta"]["total"], found["meta"]["total"]);
        found["meta"]["total"].as_i64().unwrap()
    };
    for query in [
        "maria",
        "MARÍA",
        "mari\u{301}a",
        "jose maria",
        "o'brien",
        "obrien",
        "budapest",
        "hotel grand",
        "vip",
        "gaste",
        "@mail.example.com",
        "(201) 555-0150",
        "201-555-0150",
        "555-0150",
        "0150",
        "+1 201",
        "12015550150",
        "maria 0150",
    ] {
        assert_eq!(count(query).await, 1, "{query}");
    }
    for query in ["-", "%", "\u{1f389}", "mariana", "0151", "NEAR(maria", "maria bob"] {
        assert_eq!(count(query).await, 0, "{query}");
    }
    assert_eq!(count("  ").await, 2, "an empty search is none");

    // A tag that is renamed is searched by its new name.
    let tags = app.get(&format!("/locations/{}/tags", app.ids.location)).key(&key).send().await.expect(200);
    let tag = format!("/locations/{}/tags/{}", app.ids.location, tags["tags"][0]["id"].as_str().unwrap());
    app.put(&tag).key(&key).json(&json!({"name": "patron"})).send().await.expect(200);
    assert_eq!((count("patron").await, count("vip").await), (1, 0));
    app.delete(&tag).key(&key).send().await.expect(200);
    assert_eq!(count("patron").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_suspended_tenants_are_found_by_that() {
    let app = TestApp::start().await;
    let agency = app.agency_key().await;
    let second = app.location("Second").await;
    let scopes = keystead_model::scope::Preset::ReadOnly.scopes(keystead_model::key_kind::KeyKind::Location);
    let rests = app.key_with(keystead_model::grant::Reach::location(second), scopes, |_| {}).await;
    let operator = app.operator().await;
    let suspended = keystead_model::agency::TenantState::Suspended;
    app.app.set_location_state(&operator, second, suspended).await.unwrap();
    let found = app.get("/api-keys?state=suspended").key(&agency).send().await.expect(200);
    assert_eq!((&found["meta"]["total"], &found["apiKeys"][0]["id"]), (&json!(1), &json!(rests.id)));
    let refused = app.get("/api-keys?state=paused").key(&agency).send().await.expect(422);
    assert!(refused.to_string().contains("suspended"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_its_body() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    contacts(&app, &key, 1).await;
    for path in ["/contacts/", "/v1/contacts/", "/api-keys/self", "/healthz", "/readyz", "/docs/api-keys", "/nowhere"] {
        let get = app.get(path).key(&key).send().await;
        let head = app.call(Method::HEAD, path).key(&key).send().await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    // It is no way around what a GET needs.
    assert_eq!(app.call(Method::HEAD, "/contacts/").send().await.status, 401);
}

/// A page that is exactly full, with nothing after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_last_page_that_is_full_leads_nowhere() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cookie = sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await;
    let (agency, location, id) = (app.ids.agency, app.ids.location, &key.id);
    let add = async |number: u32| {
        app.sql(&format!(
            "INSERT INTO events (agency_id, at, actor_kind, action, subject, chained)
             VALUES ('{agency}', {number}, 'system', 'api_key.updated', 'somebody', FALSE)"
        ))
        .await;
        app.sql(&format!(
            "INSERT INTO notices (id, agency_id, location_id, subject_kind, subject_id, kind, stage, episode, recorded_at)
             VALUES ('{number:020}', '{agency}', '{location}', 'key', '{id}', 'exposed', 0, {number}, {number})"
        ))
        .await;
    };
    for number in 1..=50 {
        add(number).await;
    }
    let pages = ["/app/agency/audit?subject=somebody", "/app/agency/notices?archived=1"];
    let leads = async || {
        let mut leads = Vec::new();
        for path in pages {
            leads.push(app.get(path).header("Cookie", &cookie).send().await.text.contains("before="));
        }
        leads
    };
    assert_eq!(leads().await, [false, false]);
    add(51).await;
    assert_eq!(leads().await, [true, true]);
}
