//! Workflows and campaigns of a location, in both APIs.

use keystead_model::{grant::Reach, scope::Preset};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_drafted_changed_listed_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let definition =
        json!({"triggers": [{"type": "contact.created"}], "steps": [{"id": "end", "type": "end", "n": 1.5}]});
    let new = json!({"name": "Welcome", "locationId": app.ids.location.as_str(), "definition": definition});
    let made = app.post("/workflows/").key(&key).json(&new).send().await.expect(201)["workflow"].clone();
    let id = made["id"].as_str().unwrap();
    assert!(id.len() == 36 && id.matches('-').count() == 4, "{id}");
    assert_eq!((&made["status"], &made["version"]), (&json!("draft"), &json!(1)));
    assert_eq!((&made["definition"], &made["locationId"]), (&definition, &new["locationId"]));
    let one = format!("/workflows/{id}");
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["workflow"], made);
    let upper = format!("/workflows/{}", id.to_uppercase());
    assert_eq!(app.get(&upper).key(&key).send().await.expect(200)["workflow"], made);
    // What is not named stays.
    let change = json!({"name": "Welcome back"});
    let changed = app.put(&one).key(&key).json(&change).send().await.expect(200)["workflow"].clone();
    assert_eq!((&changed["name"], &changed["definition"]), (&change["name"], &definition));
    // Lists have it without its definition.
    let mut listed = changed.clone();
    listed.as_object_mut().unwrap().remove("definition");
    assert_eq!(app.get("/workflows/").key(&key).send().await.expect(200)["workflows"], json!([listed]));
    let v3 = app.get("/workflows/").key(&key).header("Version", "v3").send().await.expect(200);
    assert_eq!(v3["workflows"], json!([listed]));
    let older = app.get("/v1/workflows/").key(&key).send().await.expect(200);
    assert_eq!((&older["workflow"], &older["workflows"]), (&json!([listed]), &json!([listed])));
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200)["succeded"], true);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
    assert_eq!(app.get("/workflows/").key(&key).send().await.expect(200)["workflows"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_name_a_workflow_as_the_wire_does() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let call = || app.post("/workflows/").key(&key).header("Idempotency-Key", "once").json(&json!({"name": "Welcome"}));
    let made = call().send().await.expect(201)["workflow"].clone();
    assert_eq!(call().send().await.expect(201)["workflow"], made);
    let id = made["id"].as_str().unwrap();
    app.put(&format!("/workflows/{id}")).key(&key).json(&json!({"name": "Other"})).send().await.expect(200);
    let told = app.get(&format!("/events?subject={id}")).key(&key).send().await.expect(200);
    let kinds: Vec<&Value> = told["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["workflow.created", "workflow.updated"], "{told}");
    assert_eq!(
        (&told["events"][1]["before"], &told["events"][1]["after"]),
        (&json!({"name": "Welcome"}), &json!({"name": "Other"}))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_workflows_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for (body, about) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x", "definition": []}), "definition"),
        (json!({"name": "x", "definition": "{}"}), "definition"),
        (json!({"name": "x", "definition": {"a": "x".repeat(65_536)}}), "definition"),
        (json!({"name": "x", "definition": {"a": "\u{0}"}}), "definition"),
        (json!({"name": "x", "definition": {"key": key.secret}}), "definition"),
        (json!({"name": "x", "status": "published"}), "status"),
        (json!({"name": "x", "version": 7}), "version"),
        (json!({"name": "x", "id": "78559bb3-b920-461e-b010-7b2a2816d2a9"}), "id"),
    ] {
        let refused = app.post("/workflows/").key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{body}: {}", refused.text);
        assert!(!refused.text.contains(&key.secret));
    }
    assert_eq!(app.get("/workflows/").key(&key).send().await.expect(200)["workflows"], json!([]));
    for id in
        ["78559bb3-b920-461e-b010-7b2a2816d2a9", "0aQ7cXk2Tm9Rb4Vw6Yz1", "x", "ffffffff-ffff-8fff-bfff-ffffffffffff"]
    {
        let refused = app.get(&format!("/workflows/{id}")).key(&key).send().await;
        assert_eq!((refused.status, &refused.json()["code"]), (404, &json!("not_found")), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_made_changed_listed_by_status_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"name": "Spring", "locationId": app.ids.location.as_str()});
    let made = app.post("/campaigns/").key(&key).json(&new).send().await.expect(201)["campaign"].clone();
    assert_eq!(made["status"], "draft");
    let one = format!("/campaigns/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["campaign"], made);
    let change = json!({"status": "published"});
    let changed = app.put(&one).key(&key).json(&change).send().await.expect(200)["campaign"].clone();
    assert_eq!((&changed["status"], &changed["name"]), (&json!("published"), &json!("Spring")));
    for (path, expected) in [
        ("/campaigns/", json!([changed])),
        ("/campaigns/?status=all", json!([changed])),
        ("/campaigns/?status=published", json!([changed])),
        ("/campaigns/?status=draft", json!([])),
        ("/v1/campaigns/", json!([changed])),
        ("/v1/campaigns/?status=draft", json!([])),
    ] {
        assert_eq!(app.get(path).key(&key).send().await.expect(200)["campaigns"], expected, "{path}");
    }
    assert_eq!(app.get("/campaigns/?status=lost").key(&key).send().await.status, 422);
    for body in [json!({}), json!({"name": "x", "status": "running"}), json!({"name": "x", "definition": {}})] {
        assert_eq!(app.post("/campaigns/").key(&key).json(&body).send().await.status, 422, "{body}");
    }
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200)["succeeded"], true);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_location_has_is_like_what_nobody_has() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    for (path, noun) in [("/workflows", "workflow"), ("/campaigns", "campaign")] {
        let made = app.post(path).key(&key).json(&json!({"name": "x"})).send().await.expect(201);
        let one = format!("{path}/{}", made[noun]["id"].as_str().unwrap());
        assert_eq!(app.get(&one).key(&theirs).send().await.status, 404, "{one}");
        assert_eq!(app.put(&one).key(&theirs).json(&json!({"name": "y"})).send().await.status, 404, "{one}");
        assert_eq!(app.delete(&one).key(&theirs).send().await.status, 404, "{one}");
        assert_eq!(app.get(&one).key(&key).send().await.expect(200)[noun]["name"], "x");
    }
}
