//! `Idempotency-Key`: one effect, one answer.

use keystead_testkit::TestApp;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_has_its_effect_once() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let create = async |token: &str, name: &str| {
        app.post("/contacts/").key(&key).header("Idempotency-Key", token).json(&json!({"name": name})).send().await
    };
    let first = create("one", "Ada").await;
    let again = create("one", "Ada").await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!((first.expect(201), &first.text), (again.expect(201), &again.text));
    assert_eq!(create("one", "Bob").await.expect(422)["code"], "idempotency_mismatch");
    create("two", "Ada").await.expect(201);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 2);
    let other = app.location_key().await;
    let theirs = app.post("/contacts/").key(&other).header("Idempotency-Key", "one").json(&json!({"name": "Eve"}));
    theirs.send().await.expect(201);
    app.clock.advance(std::time::Duration::from_secs(86_401));
    assert_eq!(create("one", "Carol").await.header("idempotent-replayed"), "", "forgotten after a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_meet_have_one_effect() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let call = app.post("/contacts/").key(&key).header("Idempotency-Key", "race").json(&json!({"name": "Ada"}));
        racing.spawn(call.send());
    }
    let statuses: Vec<u16> = racing.join_all().await.into_iter().map(|answer| answer.status).collect();
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&201));
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_creation_shows_no_secret() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let create = async || {
        let body = json!({"name": "x", "kind": "location", "preset": "read-only"});
        app.post("/api-keys").key(&key).header("Idempotency-Key", "k").json(&body).send().await
    };
    let first = create().await.expect(201);
    let again = create().await;
    assert!(!again.text.contains(first["key"].as_str().unwrap()));
    let again = again.expect(201);
    assert_eq!((&again["key"], &again["secretAlreadyShown"]), (&json!(null), &json!(true)));
    assert_eq!(again["apiKey"]["id"], first["apiKey"]["id"]);
}
