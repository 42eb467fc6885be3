//! API 1.0.

use keystead_testkit::TestApp;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn contacts_have_the_older_shapes() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"email": "ada@example.com", "name": "Ada Lovelace", "customField": {"x": "y"}, "whatever": 1});
    let made = app.post("/v1/contacts/").key(&key).json(&new).send().await;
    assert!(made.header("x-request-id").len() == 36);
    let made = made.expect(200);
    assert!(made.get("traceId").is_none());
    assert_eq!(made["contact"]["contactName"], "Ada Lovelace");
    let again =
        app.post("/v1/contacts").key(&key).json(&json!({"email": "ADA@example.com", "city": "London"})).send().await;
    assert_eq!(again.expect(200)["contact"]["id"], made["contact"]["id"], "a known address updates");

    let found = app.get("/v1/contacts/lookup?email=ada%40example.com").key(&key).send().await.expect(200);
    assert_eq!(found["contacts"][0]["city"], "London");
    let nothing = app.get("/v1/contacts/lookup?phone=%2B14155550100").key(&key).send().await.expect(422);
    assert_eq!(nothing["email or phone"]["rule"], "invalid");
    let mandatory = app.post("/v1/contacts/").key(&key).json(&json!({"name": "Nobody"})).send().await.expect(422);
    assert_eq!(mandatory["email or phone"]["rule"], "required");

    let path = format!("/v1/contacts/{}", made["contact"]["id"].as_str().unwrap());
    let tags = app.post(&format!("{path}/tags/")).key(&key).json(&json!({"tags": ["x"]})).send().await.expect(200);
    assert_eq!(tags, json!({"tags": ["x"]}));
    let task = json!({"title": "Call", "dueDate": "2026-12-01T10:00:00Z", "status": "incompleted"});
    let task = app.post(&format!("{path}/tasks/")).key(&key).json(&task).send().await.expect(200);
    let status = format!("{path}/tasks/{}/status", task["id"].as_str().unwrap());
    let task = app.put(&status).key(&key).json(&json!({"status": "completed"})).send().await.expect(200);
    assert_eq!(task["isCompleted"], true);
    let gone = app.delete(&path).key(&key).send().await;
    assert_eq!((gone.status, gone.text.as_str(), gone.header("content-length")), (200, "", "0"));
    let missing = app.get(&path).key(&key).send().await.expect(422);
    assert_eq!(missing["id"], json!({"message": "The contact id is invalid.", "rule": "invalid"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_chooses_the_location() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let refused = app.get("/v1/contacts/").key(&agency).send().await.expect(401);
    assert_eq!((&refused["msg"], &refused["code"]), (&json!("Api key is invalid."), &json!("location_key_needed")));
    let own = app.get("/v1/locations/").key(&key).send().await.expect(200);
    assert_eq!(own["locations"].as_array().unwrap().len(), 1);
    app.post("/v1/locations/")
        .key(&agency)
        .json(&json!({"businessName": "Northside Gym", "email": "gym@example.com"}))
        .send()
        .await
        .expect(200);
    let all = app.get("/v1/locations/").key(&agency).send().await.expect(200);
    assert_eq!(all["locations"].as_array().unwrap().len(), 2);
    let found = app.get("/v1/locations/lookup?email=GYM%40example.com").key(&agency).send().await.expect(200);
    assert_eq!(found["name"], "Northside Gym");
    let refused = app.post("/v1/locations/").key(&agency).json(&json!({})).send().await.expect(422);
    assert_eq!(refused["businessName"]["rule"], "required");
    assert_eq!(app.get("/v1/nothing").key(&key).send().await.expect(404)["msg"], "Cannot GET /v1/nothing");
}
