//! A key that takes in contacts, for forms: it brings some, and learns nothing of those that are there.

use keystead_model::{grant::Reach, key_kind::KeyKind, scope::Preset};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

async fn intake_key(app: &TestApp) -> TestKey {
    app.key(Reach::location(app.ids.location), Preset::FormsIntake).await
}

/// Somebody who is there already, with more than any form sends.
async fn known(app: &TestApp, key: &TestKey) -> String {
    let body = json!({
        "firstName": "Ada", "lastName": "Lovelace", "email": "ada@x.example", "phone": "+14155550123",
        "city": "Hidden Town", "source": "hidden source", "dateOfBirth": "1815-12-10", "gender": "hidden gender",
        "additionalEmails": ["hidden@x.example"], "tags": ["hidden tag", "newsletter"], "dnd": true,
    });
    let made = app.post("/contacts/").key(key).json(&body).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

fn assert_hides(answer: &Value) {
    let text = answer.to_string();
    for hidden in ["idden", "Lovelace", "4155550123", "1815"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_by_an_intake_answers_only_what_was_sent() {
    let app = TestApp::start().await;
    let (full, intake) = (app.location_key().await, intake_key(&app).await);
    let id = known(&app, &full).await;
    app.clock.advance(std::time::Duration::from_secs(3_600));
    let sent = json!({"email": "ada@x.example", "companyName": "Engines", "tags": ["newsletter"]});
    let answer = app.post("/contacts/upsert").key(&intake).json(&sent).send().await.expect(200);
    assert_hides(&answer);
    let contact = &answer["contact"];
    assert_eq!((&contact["id"], &answer["new"]), (&json!(id), &json!(false)));
    assert_eq!((&contact["email"], &contact["companyName"]), (&json!("ada@x.example"), &json!("Engines")));
    assert_eq!((&contact["tags"], &contact["dnd"]), (&json!(["newsletter"]), &json!(false)));
    assert_eq!((contact.get("firstName"), &contact["additionalEmails"]), (None, &json!([])));
    // When it was made is what it had, too.
    assert_eq!(contact["dateAdded"], contact["dateUpdated"]);
    // It was written, and the rest is as it was.
    let seen = app.get(&format!("/contacts/{id}")).key(&full).send().await.expect(200)["contact"].clone();
    assert_eq!((&seen["companyName"], &seen["city"]), (&json!("Engines"), &json!("Hidden Town")));
    assert_ne!(seen["dateAdded"], contact["dateAdded"]);
    // So it is on API 1.0, and where a repeat is recovered.
    let v1 = app.post("/v1/contacts/").key(&intake).json(&json!({"email": "ada@x.example", "firstName": "A."}));
    let v1 = v1.header("Idempotency-Key", "one").send().await.expect(200);
    assert_hides(&v1);
    assert_eq!((&v1["contact"]["id"], &v1["contact"]["firstName"]), (&json!(id), &json!("A.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_in_the_way_is_not_described_to_an_intake() {
    let app = TestApp::start().await;
    let (full, intake) = (app.location_key().await, intake_key(&app).await);
    let id = known(&app, &full).await;
    let twice = json!({"email": "ada@x.example"});
    let refused = app.post("/contacts/").key(&intake).json(&twice).send().await.expect(400);
    assert_hides(&refused);
    assert_eq!((&refused["code"], &refused["meta"]["contactId"]), (&json!("duplicate_contact"), &json!(id)));
    let seen = app.post("/contacts/").key(&full).json(&twice).send().await.expect(400);
    assert_eq!(seen["meta"]["contactName"], "Ada Lovelace");
    let new = json!({"email": "new@x.example", "firstName": "New", "tags": ["newsletter"]});
    let made = app.post("/contacts/").key(&intake).json(&new).send().await.expect(201);
    assert_eq!((&made["contact"]["email"], &made["contact"]["firstName"]), (&json!("new@x.example"), &json!("New")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intake_reads_changes_and_finds_nobody() {
    let app = TestApp::start().await;
    let (full, intake) = (app.location_key().await, intake_key(&app).await);
    let id = known(&app, &full).await;
    let one = format!("/contacts/{id}");
    let location = app.ids.location;
    for call in [
        app.get("/contacts/"),
        app.get(&one),
        app.get(&format!("/contacts/search/duplicate?locationId={location}&email=ada@x.example")),
        app.post("/contacts/search").json(&json!({"pageLimit": 10})),
        app.put(&one).json(&json!({"firstName": "Not"})),
        app.delete(&one),
        app.post(&format!("{one}/tags")).json(&json!({"tags": ["x"]})),
        app.post(&format!("{one}/notes")).json(&json!({"body": "x"})),
        app.post("/contacts/bulk/upsert").json(&json!({"contacts": [{"email": "ada@x.example"}]})),
        app.get("/events"),
        app.get("/v1/contacts/"),
        app.get(&format!("/v1{one}")),
    ] {
        let refused = call.key(&intake).send().await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        assert_hides(&refused.json());
    }
    // Whoever writes contacts gives that part of it away, and nobody else gets more by it.
    let made = json!({"name": "A form", "kind": "location", "scopes": ["contacts.intake"]});
    app.post("/api-keys").key(&full).json(&made).send().await.expect(201);
    let scopes = Preset::FormsIntake.scopes(KeyKind::Location).with(keystead_model::scope::Scope::KeysWrite);
    let maker = app.key_with(Reach::location(location), scopes, |_| {}).await;
    let more = json!({"name": "More", "kind": "location", "scopes": ["contacts.write"]});
    let refused = app.post("/api-keys").key(&maker).json(&more).send().await.expect(403);
    assert_eq!(refused["code"], "escalation");
}

#[tokio::test(flavor = "multi_thread")]
async fn use_is_counted_under_the_scope_that_a_key_holds() {
    let app = TestApp::start().await;
    let (full, intake) = (app.location_key().await, intake_key(&app).await);
    for (key, email, scope) in [(&full, "a@x.example", "contacts.write"), (&intake, "b@x.example", "contacts.intake")] {
        app.post("/contacts/").key(key).json(&json!({"email": email})).send().await.expect(201);
        let usage = app.get(&format!("/api-keys/{}/usage", key.id)).key(&full).send().await.expect(200);
        let counted = json!({"scope": scope, "requests": 1});
        assert!(usage["usage"]["scopes"].as_array().unwrap().contains(&counted), "{usage}");
    }
}
