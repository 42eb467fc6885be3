//! What is counted of a key's use.

use std::time::Duration;

use keystead_model::{
    grant::Reach,
    scope::{Scope, ScopeSet},
};
use keystead_testkit::TestApp;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_day_class_route_and_scope() {
    let app = TestApp::start().await;
    let admin = app.agency_key().await;
    let scopes = ScopeSet::EMPTY.with(Scope::ContactsRead).with(Scope::TagsRead);
    let key = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    for _ in 0..3 {
        app.get("/contacts/").key(&key).send().await.expect(200);
    }
    app.clock.advance(Duration::from_secs(86_400));
    app.app.poll_changes().await.unwrap();
    app.get("/contacts/").key(&key).send().await.expect(200);
    assert_eq!(
        app.post("/contacts/").key(&key).json(&json!({"name": "x"})).send().await.status,
        401,
        "no scope for it"
    );
    assert_eq!(app.get("/contacts/0000000000000000000A").key(&key).send().await.status, 400);
    // A wrong secret, and a key that is switched off, are failed attempts.
    let wrong = key.secret.replace(&key.secret[30..40], "0000000000");
    assert_eq!(app.get("/contacts/").header("Authorization", &wrong).send().await.status, 401);
    let operator = app.operator().await;
    app.app.deactivate_key(operator.authority(), key.id).await.unwrap();
    assert_eq!(app.get("/contacts/").key(&key).send().await.status, 401);

    // What this server has counted and not stored yet belongs to it, and is not counted twice afterwards.
    let path = format!("/api-keys/{}/usage", key.id);
    let read = async || app.get(&path).key(&admin).send().await.expect(200)["usage"].clone();
    let waiting = read().await;
    app.app.flush_uses().await.unwrap();
    app.app.flush_uses().await.unwrap();
    let usage = read().await;
    assert_eq!(waiting, usage);
    assert_eq!((&usage["requests"], &usage["failedAttempts"]), (&json!(6), &json!(1)), "{usage}");
    assert_eq!(usage["endpoints"][0], json!({"endpoint": "GET /contacts", "requests": 4}));
    let steps = usage["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 31);
    let last = &steps[30];
    assert_eq!((&last["2xx"], &last["4xx"], &steps[29]["2xx"]), (&json!(1), &json!(2), &json!(3)));
    let scopes = usage["scopes"].as_array().unwrap();
    assert!(scopes.contains(&json!({"scope": "contacts.readonly", "requests": 5})), "{scopes:?}");
    assert!(scopes.contains(&json!({"scope": "locations/tags.readonly", "requests": 0})), "granted, never used");
    let hours = app
        .get(&format!("{path}?by=hour&startAt=2026-11-26T00:00:00Z&endAt=2026-11-27T00:00:00Z"))
        .key(&admin)
        .send()
        .await
        .expect(200);
    assert_eq!(hours["usage"]["steps"].as_array().unwrap().len(), 24);
    assert_eq!(hours["usage"]["requests"], 3);
    for bad in ["by=week", "startAt=2026-11-27&endAt=2026-11-26", "startAt=2020-01-01", "color=red"] {
        assert_eq!(app.get(&format!("{path}?{bad}")).key(&admin).send().await.status, 422, "{bad}");
    }
}
