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
async fn files_from_an_intake_tell_nothing_else_of_the_contact_and_take_nothing_away() {
    let app = TestApp::start().await;
    let (full, intake) = (app.location_key().await, intake_key(&app).await);
    let id = known(&app, &full).await;
    let mut fields = Vec::new();
    for (name, several) in [("Contract", false), ("Letters", true)] {
        let new = json!({"name": name, "dataType": "FILE_UPLOAD", "isMultipleFile": several});
        let made =
            app.post(&format!("/locations/{}/customFields", app.ids.location)).key(&full).json(&new).send().await;
        fields.push(made.expect(201)["customField"]["id"].as_str().unwrap().to_owned());
    }
    let send = async |key: &TestKey, field: usize, part: &str, name: &str| {
        let part = format!("{}_{part}", fields[field]);
        let call = app.post("/forms/upload-custom-files").key(key).query(&[("contactId", &id)]);
        call.multipart(&[(&part, Some((name, "text/plain")), name)]).send().await
    };
    let uuid = "f31175d4-2b06-4fc6-b7bc-74cd814c68cb";
    let names = |contact: &Value| {
        let held =
            contact["customFields"].as_array().unwrap().iter().flat_map(|held| held["value"].as_object().unwrap());
        held.map(|(_, file)| file["meta"]["originalname"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // What somebody else put there is not told.
    let seen = send(&full, 1, uuid, "hidden.txt").await.expect(200);
    assert_eq!(
        (names(&seen["contact"]), &seen["contact"]["city"]),
        (vec!["hidden.txt".to_owned()], &json!("Hidden Town"))
    );
    for (field, name) in [(0, "mine.txt"), (1, "also mine.txt")] {
        let told = send(&intake, field, "1", name).await.expect(200);
        assert_hides(&told);
        assert_eq!((&told["contact"]["id"], names(&told["contact"])), (&json!(id), vec![name.to_owned()]));
    }
    // So it is where a repeat is recovered.
    let again = async || {
        let part = format!("{}_2", fields[1]);
        let call = app.post("/forms/upload-custom-files").key(&intake).query(&[("contactId", &id)]);
        let call = call.header("Idempotency-Key", "one");
        call.multipart(&[(&part, Some(("once.txt", "text/plain")), "once")]).send().await.expect(200)
    };
    for _ in 0..2 {
        let told = again().await;
        assert_hides(&told);
        assert_eq!(names(&told["contact"]), ["once.txt"]);
    }
    // What is there stays, whichever way it would be replaced.
    for (field, part) in [(0, "3"), (1, uuid)] {
        let refused = send(&intake, field, part, "instead.txt").await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        assert_hides(&refused.json());
    }
    let now = app.get(&format!("/contacts/{id}")).key(&full).send().await.expect(200)["contact"].clone();
    let mut there = names(&now);
    there.sort();
    assert_eq!(there, ["also mine.txt", "hidden.txt", "mine.txt", "once.txt"]);
    let replaced = send(&full, 0, "3", "instead.txt").await.expect(200);
    assert!(names(&replaced["contact"]).contains(&"instead.txt".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_read_what_is_submitted_is_not_told_it_by_deciding_about_it() {
    let app = TestApp::start().await;
    let (full, intake) = (app.location_key().await, intake_key(&app).await);
    let definition = json!({"pages": [{"fields": [{"key": "secret"}]}], "spam": {"minSeconds": 0, "rate": "1/min/ip"}});
    let (path, form) = crate::form_versions::published(&app, &full, &definition).await;
    for number in 0..3 {
        app.post(&format!("/f/{form}")).form(&[("secret", &*format!("hidden {number}"))]).send().await;
    }
    let held = app.get("/events?kinds=form.held").key(&full).send().await.expect(200);
    let held: Vec<&str> =
        held["events"].as_array().unwrap().iter().map(|event| event["subject"]["id"].as_str().unwrap()).collect();
    for (id, act) in held.iter().zip(["accept", "discard"]) {
        let told = app.post(&format!("{path}/submissions/{id}/{act}")).key(&intake).send().await.expect(200);
        assert_hides(&told);
        assert_eq!(told["submission"]["id"], json!(id));
    }
    assert_eq!(held.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_a_contact_is_made_by_those_who_may_read_contacts() {
    use keystead_model::scope::{Scope, ScopeSet};
    let app = TestApp::start().await;
    let full = app.location_key().await;
    let id = known(&app, &full).await;
    let reach = Reach::location(app.ids.location);
    let scopes = ScopeSet::EMPTY.with(Scope::LinksRead).with(Scope::LinksWrite);
    let narrow = app.key_with(reach.clone(), scopes, |_| {}).await;
    let wide = app.key_with(reach, scopes.with(Scope::ContactsRead), |_| {}).await;
    // Where it leads would tell whoever opens it what they may not read.
    let link = json!({"name": "A", "redirectTo": "https://a.example/?to={{contact.city}}"});
    let made = app.post("/links/").key(&narrow).json(&link).send().await.expect(201);
    let tokens = format!("/links/{}/tokens", made["link"]["id"].as_str().unwrap());
    let refused = app.post(&tokens).key(&narrow).json(&json!({"contactId": id})).send().await;
    assert_eq!(refused.status, 401, "{}", refused.text);
    app.post(&tokens).key(&wide).json(&json!({"contactId": id})).send().await.expect(201);
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
