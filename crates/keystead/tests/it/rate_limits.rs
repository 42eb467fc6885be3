//! Rate limits: what counts, where, and who may raise them.

use keystead_core::{Limits, RateLimits};
use keystead_model::{grant::Reach, key_kind::KeyKind, scope::Preset};
use keystead_testkit::{Answer, TestApp};
use serde_json::json;

/// An instance whose keys may send three requests in ten seconds.
async fn strict() -> TestApp {
    let rate = RateLimits { interval: Some(3), daily: Some(1_000) };
    TestApp::start_with(move |config| config.limits = Limits { rate, ..Limits::default() }).await
}

fn left(answer: &Answer) -> (u16, String) {
    (answer.status, answer.header("x-ratelimit-remaining").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn naming_locations_that_are_not_there_is_no_way_around() {
    let app = strict().await;
    let key = app.location_key().await;
    for number in 0..3 {
        let path = format!("/api-keys/self?locationId={number:020}");
        assert_eq!(app.get(&path).key(&key).send().await.status, 200);
    }
    assert_eq!(app.get("/api-keys/self?locationId=00000000000000000009").key(&key).send().await.status, 429);
    // An agency key: locations that it does not reach, or nobody has, count as one.
    let agency = app.agency_key().await;
    for number in 0..3 {
        let path = format!("/contacts/?locationId={number:020}");
        assert_eq!(app.get(&path).key(&agency).send().await.status, 403);
    }
    assert_eq!(app.get("/contacts/?locationId=00000000000000000009").key(&agency).send().await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_key_has_its_limit_in_each_of_its_locations() {
    let app = strict().await;
    let agency = app.agency_key().await;
    let second = app.location("Second").await;
    for location in [app.ids.location, second] {
        let path = format!("/contacts/?locationId={location}");
        for remaining in ["2", "1", "0"] {
            let answer = app.get(&path).key(&agency).send().await;
            assert_eq!(left(&answer), (200, remaining.to_owned()), "{location}");
        }
        assert_eq!(app.get(&path).key(&agency).send().await.status, 429);
    }
    // None of these was one on the agency itself, but for the refused ones.
    assert_eq!(left(&app.get("/api-keys/self").key(&agency).send().await), (200, "2".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_a_known_key_tells_what_is_left() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let scopes = [keystead_model::scope::Scope::TagsRead].into_iter().collect();
    let narrow = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    let location = app.ids.location;
    for (answer, status) in [
        (app.post("/contacts/").key(&key).body("application/json", "{").send().await, 400),
        (app.post("/contacts/").key(&key).body("text/plain", "x").send().await, 415),
        (app.post("/contacts/").key(&key).body("application/json", "x".repeat(2_000_000)).send().await, 413),
        (app.post("/contacts/").key(&key).json(&json!({"nope": 1})).send().await, 422),
        (app.get("/contacts/").key(&narrow).send().await, 401),
        (app.get("/contacts/").key(&agency).send().await, 422),
        (app.get("/contacts/?locationId=00000000000000000000").key(&key).send().await, 403),
        (app.get("/contacts/%ff?a=%ff").key(&key).send().await, 400),
        (app.get("/contacts/").key(&key).header("Version", "v9").send().await, 400),
        (app.post("/locations/").key(&key).json(&json!({})).send().await, 401),
        (app.get(&format!("/locations/{location}")).key(&key).send().await, 200),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(!answer.header("x-ratelimit-remaining").is_empty(), "{}", answer.text);
        assert!(!answer.header("keystead-key-expires-at").is_empty(), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gives_no_more_requests_than_it_has() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let reach = Reach::location(app.ids.location);
    let all = keystead_model::scope::ScopeSet::all(keystead_model::key_kind::KeyKind::Location);
    let key = app.key_with(reach.clone(), all, |new| new.rate_limit = Some(50)).await;
    let own = format!("/api-keys/{}", key.id);
    for body in [json!({"rateLimit": 51}), json!({"rateLimit": null}), json!({"clear": ["rateLimit"]})] {
        let refused = app.patch(&own).key(&key).json(&body).send().await.expect(403);
        assert_eq!(refused["code"], "escalation", "{body}");
    }
    let lower = app.patch(&own).key(&key).json(&json!({"rateLimit": 40})).send().await.expect(200);
    assert_eq!(lower["apiKey"]["rateLimit"], 40);
    let new = json!({"name": "x", "kind": "location", "preset": "read-only"});
    app.post("/api-keys").key(&key).json(&new).send().await.expect(403);
    let mut limited = new.clone();
    limited["rateLimit"] = json!(40);
    app.post("/api-keys").key(&key).json(&limited).send().await.expect(201);
    // A secret of a key with more would be more, too.
    let other = app.location_key().await;
    let rotate = format!("/api-keys/{}/rotate", other.id);
    assert_eq!(app.post(&rotate).key(&key).json(&json!({})).send().await.expect(403)["code"], "escalation");
    // One without a limit of its own has the instance's, and people may give what they like.
    let usual = app.location_key().await;
    let mut beyond = new;
    beyond["rateLimit"] = json!(1_001);
    app.post("/api-keys").key(&usual).json(&beyond).send().await.expect(403);
    let patch = keystead_model::api_key::KeyPatch { rate_limit: Some(Some(5_000)), ..Default::default() };
    app.app.update_key(operator.authority(), key.id, None, patch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_is_switched_off_by_itself() {
    let rate = RateLimits { interval: None, daily: Some(3) };
    let app = TestApp::start_with(move |config| config.limits = Limits { rate, ..Limits::default() }).await;
    let key = app.location_key().await;
    for remaining in ["2", "1", "0"] {
        let answer = app.get("/api-keys/self").key(&key).send().await;
        assert_eq!((answer.status, answer.header("x-ratelimit-daily-remaining")), (200, remaining));
        assert!(!answer.headers.contains_key("x-ratelimit-remaining"), "nothing is said of what is not limited");
    }
    assert_eq!(app.get("/api-keys/self").key(&key).send().await.status, 429);
    // A key's own limit is its own.
    let limited = app
        .key_with(Reach::location(app.ids.location), Preset::FullAccess.scopes(KeyKind::Location), |new| {
            new.rate_limit = Some(1);
        })
        .await;
    assert_eq!(app.get("/api-keys/self").key(&limited).send().await.status, 200);
    assert_eq!(app.get("/api-keys/self").key(&limited).send().await.status, 429);
}
