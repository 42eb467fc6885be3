//! `Idempotency-Key`: one effect, one answer.

use std::time::Duration;

use keystead_testkit::{Call, TestApp, TestKey};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::things::{Sales, automation};

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
    app.clock.advance(Duration::from_secs(86_401));
    assert_eq!(create("one", "Carol").await.header("idempotent-replayed"), "", "forgotten after a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_is_answered_in_the_shape_that_it_asks_for() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let create = async |version: &str| {
        let call = app.post("/contacts/").key(&key).header("Idempotency-Key", "one").header("Version", version);
        call.json(&json!({"name": "Ada", "dndSettings": {"Call": {"status": "active"}}})).send().await
    };
    let first = create("2021-07-28").await;
    let v3 = create("v3").await;
    assert_eq!(v3.header("idempotent-replayed"), "true");
    let (older, newer) = (&first.expect(201)["contact"], &v3.expect(201)["contact"]);
    assert_eq!(older["id"], newer["id"]);
    assert_eq!((older["deleted"].is_boolean(), newer["deleted"].is_null()), (true, true), "{newer}");
    assert_eq!(older["dndSettings"]["Call"]["status"], "active");
    assert_eq!(newer["dndSettings"]["call"]["status"], "active");
    assert_eq!(v3.json()["traceId"], first.json()["traceId"], "of the request that had the effect");
    assert_eq!(create("2021-07-28").await.text, first.text);
    assert_eq!(create("v3").await.text, v3.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_meet_have_one_effect() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let mut racing = JoinSet::new();
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

#[tokio::test(flavor = "multi_thread")]
async fn equal_requests_that_meet_are_one_effect_and_conflicts_on_every_kind_of_route() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let contact = app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
    let contact = format!("/contacts/{}", contact["contact"]["id"].as_str().unwrap());
    let tags = format!("/locations/{}/tags", app.ids.location);
    let key_body = json!({"name": "x", "kind": "location", "locationId": app.ids.location, "preset": "read-only"});
    for (number, (caller, path, body)) in [
        // What the effect of the first would refuse to the second: a duplicate, a name that is taken, a state.
        (&key, "/contacts/", json!({"email": "one@example.com"})),
        (&key, tags.as_str(), json!({"name": "vip"})),
        (&key, &format!("{contact}/notes"), json!({"body": "x"})),
        // What changes nothing the second time.
        (&key, &format!("{contact}/tags"), json!({"tags": ["vip"]})),
        (&agency, "/locations/", json!({"name": "Second"})),
        (&agency, "/api-keys", key_body),
    ]
    .into_iter()
    .enumerate()
    {
        let mut racing = JoinSet::new();
        for _ in 0..8 {
            let call = app.post(path).key(caller).header("Idempotency-Key", &format!("race {number}")).json(&body);
            racing.spawn(call.send());
        }
        let answers = racing.join_all().await;
        let fresh = answers.iter().filter(|answer| answer.is_ok() && answer.header("idempotent-replayed").is_empty());
        assert_eq!(fresh.count(), 1, "{path}");
        for answer in answers.iter().filter(|answer| !answer.is_ok()) {
            assert_eq!(answer.expect(409)["code"], "idempotency_in_flight", "{path}");
        }
    }
    // One that has no effect holds its key as well.
    let same = async |tag: &str| {
        let body = json!({"tags": [tag]});
        app.post(&format!("{contact}/tags")).key(&key).header("Idempotency-Key", "same").json(&body).send().await
    };
    same("vip").await.expect(201);
    assert_eq!(same("vip").await.header("idempotent-replayed"), "true");
    assert_eq!(same("other").await.expect(422)["code"], "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_whom_belongs_to_the_claim() {
    let app = TestApp::start().await;
    let agency = app.agency_key().await;
    let (first, second) = (app.ids.location, app.location("Second").await);
    let create = async |query: &str, caller: &TestKey| {
        let call = app.post(&format!("/contacts/{query}")).key(caller).header("Idempotency-Key", "one");
        call.json(&json!({"name": "Ada"})).send().await
    };
    let one = create(&format!("?locationId={first}"), &agency).await.expect(201);
    let two = create(&format!("?locationId={second}"), &agency).await;
    assert_eq!(
        (two.header("idempotent-replayed"), two.expect(201)["contact"]["locationId"].as_str().unwrap()),
        ("", second.as_str())
    );
    assert_ne!(one["contact"]["id"], two.json()["contact"]["id"]);
    let again = create(&format!("?locationId={first}"), &agency).await;
    assert_eq!((again.header("idempotent-replayed"), &again.json()["contact"]["id"]), ("true", &one["contact"]["id"]));
    for keys in [["a", "b"], ["a", "a"]] {
        let call =
            app.post("/contacts/").key(&agency).header("Idempotency-Key", keys[0]).header("Idempotency-Key", keys[1]);
        call.json(&json!({"name": "Ada", "locationId": first})).send().await.expect(422);
    }
    for bad in ["", &"x".repeat(256), "é"] {
        let call = app.post("/contacts/").key(&agency).header("Idempotency-Key", bad);
        call.json(&json!({"name": "Ada", "locationId": first})).send().await.expect(422);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_asks_again_what_its_caller_may() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let create = async || {
        let call = app.post("/contacts/").key(&key).header("Idempotency-Key", "one").json(&json!({"name": "Ada"}));
        call.send().await
    };
    create().await.expect(201);
    let path = format!("/api-keys/{}", key.id);
    let narrowed = json!({"scopes": ["contacts.readonly"]});
    app.patch(&path).key(&agency).json(&narrowed).send().await.expect(200);
    let refused = create().await.expect(401);
    assert_eq!((&refused["code"], &refused["required"]), (&json!("scope_missing"), &json!("contacts.write")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_recovered_from_what_it_made() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let contact = app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
    let contact = format!("/contacts/{}", contact["contact"]["id"].as_str().unwrap());
    let rotated = app.location_key().await;
    let rotate = format!("/api-keys/{}/rotate", rotated.id);
    let key_body = json!({"name": "x", "kind": "location", "locationId": app.ids.location, "preset": "read-only"});
    let tags = format!("/locations/{}/tags", app.ids.location);
    let cases = [
        ("POST", &key, "/contacts/", json!({"email": "one@example.com"}), "/contact/id"),
        ("POST", &key, "/v1/contacts/", json!({"email": "two@example.com"}), "/contact/id"),
        ("PUT", &key, contact.as_str(), json!({"city": "London"}), "/contact/id"),
        ("POST", &key, &format!("{contact}/notes"), json!({"body": "x"}), "/note/id"),
        ("POST", &key, &format!("{contact}/tags"), json!({"tags": ["a"]}), "/tags"),
        ("POST", &key, tags.as_str(), json!({"name": "b"}), "/tag/id"),
        ("POST", &agency, "/api-keys", key_body, "/apiKey/id"),
        ("POST", &agency, rotate.as_str(), json!({}), "/apiKey/id"),
    ];
    for (number, (method, caller, path, body, same)) in cases.into_iter().enumerate() {
        let send = async || {
            let call = app.call(method.parse().unwrap(), path).key(caller);
            call.header("Idempotency-Key", &format!("lost {number}")).json(&body).send().await
        };
        let first = send().await;
        assert!(first.is_ok(), "{}", first.text);
        // As a crash between effect and answer leaves it.
        app.sql("UPDATE idempotent_requests SET status = 0, answer = ''").await;
        assert_eq!(send().await.expect(409)["code"], "idempotency_in_flight", "it may still be running");
        app.clock.advance(Duration::from_secs(10));
        let again = send().await;
        assert_eq!(
            (again.status, again.header("idempotent-recovered")),
            (first.status, "true"),
            "{path}: {}",
            again.text
        );
        let (first, again) = (first.json(), again.json());
        assert_eq!(again.pointer(same), first.pointer(same), "{path}: {again}");
        assert!(again["key"].is_null(), "nobody can show a secret again");
    }
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 3);

    // What became of it meanwhile is told, too.
    let send = async || {
        let call = app.post("/contacts/upsert").key(&key).header("Idempotency-Key", "u");
        call.json(&json!({"email": "three@example.com"})).send().await
    };
    let first = send().await.expect(200);
    app.sql("UPDATE idempotent_requests SET status = 0, answer = ''").await;
    app.clock.advance(Duration::from_secs(10));
    let path = format!("/contacts/{}", first["contact"]["id"].as_str().unwrap());
    app.put(&path).key(&key).json(&json!({"city": "Rome"})).send().await.expect(200);
    let again = send().await.expect(200);
    assert_eq!((&again["contact"]["city"], &again["new"]), (&json!("Rome"), &json!(true)));
    app.delete(&path).key(&key).send().await.expect(200);
    assert_eq!(send().await.expect(400)["message"], format!("Contact with id {} not found", &path[10..]));
}

/// What a request with this key answers, and what it answers again after its first answer was lost.
async fn lost(app: &TestApp, token: &str, call: impl Fn() -> Call) -> [Value; 2] {
    let send = async || {
        let answer = call().header("Idempotency-Key", token).send().await;
        assert!(answer.is_ok(), "{token}: {}", answer.text);
        let mut answer = answer.json();
        answer.as_object_mut().unwrap().remove("traceId");
        answer
    };
    let first = send().await;
    app.sql("UPDATE idempotent_requests SET status = 0, answer = ''").await;
    app.clock.advance(Duration::from_secs(10));
    [first, send().await]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_says_what_the_request_itself_did() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let post = |path: &str, body: Value| app.post(path).key(&key).json(&body);
    let made = post("/contacts/", json!({"email": "ada@example.com", "tags": ["old"]})).send().await.expect(201);
    let id = made["contact"]["id"].as_str().unwrap();
    // At the very instant at which it was made, by another request.
    let [first, again] = lost(&app, "upsert", || post("/contacts/upsert", json!({"email": "ada@example.com"}))).await;
    assert_eq!((&first["new"], &again["new"]), (&json!(false), &json!(false)));
    let sales = Sales::new(&app, &key, "x", id).await;
    let all = automation(&app, &key, "x", id).await;
    let of = |name: &str| all.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    let users = json!([made["contact"]["id"], "0000000000000000000X"]);
    let cases = [
        (format!("/contacts/{id}/tags"), json!({"tags": ["a", "old"]}), "/tagsAdded/0"),
        (format!("/contacts/{id}/followers"), json!({"followers": users}), "/followersAdded/1"),
        (format!("/opportunities/{}/followers", sales.opportunity), json!({"followers": users}), "/followersAdded/1"),
        (format!("/contacts/{id}/workflow/{}", of("{workflowId}")), json!({}), "/enrollment/dateAdded"),
    ];
    for (path, body, telling) in &cases {
        let [first, again] = lost(&app, path, || post(path, body.clone())).await;
        assert!(first.pointer(telling).is_some(), "{path}: {first}");
        assert_eq!(first, again, "{path}");
    }
    let upload = |name: &str| {
        let call = app.post(&format!("/locations/{}/customFields/upload", app.ids.location)).key(&key);
        call.multipart(&[("id", None, id), ("files", Some((name, "text/plain")), name)])
    };
    upload("of another request").send().await.expect(200);
    let [first, again] = lost(&app, "upload", || upload("mine")).await;
    assert_eq!((first["meta"].as_array().unwrap().len(), &first), (1, &again));
    // What was ended meanwhile is not said to be there.
    let path = format!("/contacts/{id}/campaigns/{}", of("{campaignId}"));
    let enroll = async || post(&path, json!({})).header("Idempotency-Key", "ended").send().await;
    enroll().await.expect(201);
    app.sql("UPDATE idempotent_requests SET status = 0, answer = ''").await;
    app.clock.advance(Duration::from_secs(10));
    app.delete(&path).key(&key).send().await.expect(200);
    assert_eq!(enroll().await.expect(409)["code"], "idempotency_in_flight");
}
