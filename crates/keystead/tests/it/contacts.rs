//! Contacts of API 2.0.

use keystead_testkit::TestApp;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_made_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = app
        .post("/contacts/")
        .key(&key)
        .json(&json!({
            "locationId": app.ids.location, "firstName": "Ada", "lastName": "Lovelace", "email": "Ada@Example.com",
            "phone": "(415) 555-0123", "tags": ["VIP", "vip", "Lead"], "dateOfBirth": "12/10/1815",
            "dndSettings": {"SMS": {"status": "active", "message": "no"}}, "country": "us",
        }))
        .send()
        .await
        .expect(201);
    let contact = &made["contact"];
    assert_eq!(contact["email"], "Ada@Example.com");
    assert_eq!(contact["emailLowerCase"], "ada@example.com");
    assert_eq!(contact["phone"], "+14155550123");
    assert_eq!(contact["tags"], json!(["vip", "lead"]));
    assert_eq!(contact["birthMonth"], 12);
    assert_eq!(contact["dateOfBirth"], "1815-12-10");
    assert!(made["traceId"].is_string());
    let path = format!("/contacts/{}", contact["id"].as_str().unwrap());

    let read = app.get(&path).key(&key).send().await.expect(200);
    assert_eq!(read["contact"]["name"], "Ada Lovelace");
    assert_eq!(read["contact"]["dndSettings"]["SMS"]["status"], "active");
    let v3 = app.get(&path).key(&key).header("Version", "v3").send().await.expect(200);
    assert_eq!(v3["contact"]["dndSettings"]["sms"]["message"], "no");

    let changed = app
        .put(&path)
        .key(&key)
        .json(&json!({"city": "London", "tags": ["new"], "phone": ""}))
        .send()
        .await
        .expect(200);
    assert_eq!(changed["succeded"], true);
    assert_eq!(changed["contact"]["city"], "London");
    assert_eq!(changed["contact"]["tags"], json!(["new"]));
    assert_eq!(changed["contact"]["phone"], "+14155550123", "an empty phone means absent");
    let cleared = app.put(&path).key(&key).json(&json!({"city": ""})).send().await.expect(200);
    assert!(cleared["contact"].get("city").is_none());

    let gone = app.delete(&path).key(&key).send().await.expect(200);
    assert_eq!((&gone["succeded"], &gone["succeeded"]), (&json!(true), &json!(true)));
    let missing = app.get(&path).key(&key).send().await.expect(400);
    assert_eq!(missing["message"], format!("Contact with id {} not found", contact["id"].as_str().unwrap()));
    assert_eq!(app.delete(&path).key(&key).send().await.status, 400);
    let again = json!({"firstName": "Ada", "email": "ada@example.com"});
    app.post("/contacts/").key(&key).json(&again).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_refused_by_name_unless_the_location_allows_them() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let new = json!({"firstName": "Ada", "email": "ada@example.com", "phone": "+14155550123"});
    let first = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    for (twin, field) in [
        (json!({"email": "ADA@example.com"}), "email"),
        (json!({"name": "Somebody Else", "phone": "415-555-0123"}), "phone"),
    ] {
        let refused = app.post("/contacts/").key(&key).json(&twin).send().await.expect(400);
        assert_eq!(refused["message"], "This location does not allow duplicated contacts.");
        assert_eq!(refused["meta"]["contactId"], first["contact"]["id"]);
        assert_eq!(refused["meta"]["matchingField"], field);
    }
    let other = app.post("/contacts/").key(&key).json(&json!({"name": "Bob", "email": "bob@example.com"})).send().await;
    let bob = other.expect(201);
    let path = format!("/contacts/{}", bob["contact"]["id"].as_str().unwrap());
    let refused = app.put(&path).key(&key).json(&json!({"email": "ada@example.com"})).send().await.expect(400);
    assert_eq!(refused["code"], "duplicate_contact");

    let location = format!("/locations/{}", app.ids.location);
    let allow = json!({"companyId": app.ids.agency, "settings": {"allowDuplicateContact": true}});
    app.put(&location).key(&agency).json(&allow).send().await.expect(200);
    app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn upsert_makes_or_changes_and_says_what_it_skipped() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let upsert =
        async |body: serde_json::Value| app.post("/contacts/upsert").key(&key).json(&body).send().await.expect(200);
    let made = upsert(json!({"email": "ada@example.com", "firstName": "Ada"})).await;
    assert_eq!(made["new"], true);
    let changed = upsert(json!({"email": "Ada@example.com", "lastName": "Lovelace"})).await;
    assert_eq!((&changed["new"], &changed["contact"]["id"]), (&json!(false), &made["contact"]["id"]));
    assert_eq!(changed["contact"]["firstName"], "Ada");
    upsert(json!({"phone": "+14155550123", "name": "Bob"})).await;
    let both = upsert(json!({"email": "ada@example.com", "phone": "+14155550123", "city": "London"})).await;
    assert_eq!(both["contact"]["id"], made["contact"]["id"], "e-mail first");
    assert_eq!(both["skipped"], json!(["phone"]));
    assert!(both["contact"].get("phone").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_to_its_end_by_its_own_cursors() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for number in 0..25 {
        let body = json!({"name": format!("Number {number}"), "email": format!("n{number}@example.com")});
        app.post("/contacts/").key(&key).json(&body).send().await.expect(201);
        if number % 3 == 0 {
            app.clock.advance(std::time::Duration::from_millis(5));
        }
    }
    let mut seen = Vec::new();
    let mut path = "/contacts/?limit=10".to_owned();
    loop {
        let page = app.get(&path).key(&key).send().await.expect(200);
        assert_eq!(page["meta"]["total"], 25);
        for row in page["contacts"].as_array().unwrap() {
            seen.push(row["id"].as_str().unwrap().to_owned());
        }
        let (Some(at), Some(id)) = (page["meta"]["startAfter"].as_i64(), page["meta"]["startAfterId"].as_str()) else {
            assert!(page["meta"]["nextPageUrl"].is_null(), "the last page has no cursor");
            break;
        };
        // As clients do it: no location, no limit.
        path = format!("/contacts/?startAfter={at}&startAfterId={id}");
    }
    let mut unique = seen.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (25, 25));

    for (query, found) in
        [("number", 25), ("NUM 7", 1), ("n7@example.com", 1), ("example", 25), ("nobody", 0), ("%", 25)]
    {
        let page = app
            .get(&format!("/contacts/?query={}", query.replace(' ', "%20").replace('%', "%25").replace("%2520", "%20")))
            .key(&key)
            .send()
            .await;
        assert_eq!(page.expect(200)["meta"]["total"], found, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_duplicate_search_answers_null_to_what_it_does_not_find() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"name": "Ada", "email": "ada@example.com", "phone": "+14155550123"});
    let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    let search = async |query: &str| {
        app.get(&format!("/contacts/search/duplicate?{query}")).key(&key).send().await.expect(200)["contact"]["id"]
            .clone()
    };
    let location = app.ids.location;
    for query in ["email=ada%40example.com", "number=%2B14155550123", "number=4155550123&email=no%40example.com"] {
        assert_eq!(search(&format!("locationId={location}&{query}")).await, made["contact"]["id"], "{query}");
    }
    for query in ["email=ada%2540example.com", "number=12", "email=bob%40example.com"] {
        assert!(search(&format!("locationId={location}&{query}")).await.is_null(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_notes_and_tasks_belong_to_their_contact() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = app.post("/contacts/").key(&key).json(&json!({"name": "Ada", "tags": ["a"]})).send().await.expect(201);
    let path = format!("/contacts/{}", made["contact"]["id"].as_str().unwrap());

    let added = app.post(&format!("{path}/tags")).key(&key).json(&json!({"tags": ["B", "a"]})).send().await.expect(201);
    assert_eq!((&added["tags"], &added["tagsAdded"]), (&json!(["a", "b"]), &json!(["b"])));
    let removed =
        app.delete(&format!("{path}/tags")).key(&key).json(&json!({"tags": ["a", "x"]})).send().await.expect(200);
    assert_eq!((&removed["tags"], &removed["tagsRemoved"]), (&json!(["b"]), &json!(["a"])));

    let note = app.post(&format!("{path}/notes")).key(&key).json(&json!({"body": "Called"})).send().await.expect(201);
    let note_path = format!("{path}/notes/{}", note["note"]["id"].as_str().unwrap());
    let note =
        app.put(&note_path).key(&key).json(&json!({"body": "Called twice", "pinned": true})).send().await.expect(200);
    assert_eq!(note["note"]["body"], "Called twice");
    assert_eq!(
        app.get(&format!("{path}/notes")).key(&key).send().await.expect(200)["notes"].as_array().unwrap().len(),
        1
    );
    app.delete(&note_path).key(&key).send().await.expect(200);
    assert_eq!(app.get(&note_path).key(&key).send().await.status, 404);

    let task = json!({"title": "Call back", "dueDate": "2026-12-01T10:00:00.000Z", "completed": false});
    let task = app.post(&format!("{path}/tasks")).key(&key).json(&task).send().await.expect(201);
    let task_path = format!("{path}/tasks/{}", task["task"]["id"].as_str().unwrap());
    let done =
        app.put(&format!("{task_path}/completed")).key(&key).json(&json!({"completed": true})).send().await.expect(200);
    assert_eq!(done["task"]["completed"], true);
    assert_eq!(done["task"]["dueDate"], "2026-12-01T10:00:00.000Z");
    app.delete(&task_path).key(&key).send().await.expect(200);
    let incomplete = app.post(&format!("{path}/tasks")).key(&key).json(&json!({"title": "x"})).send().await.expect(422);
    assert_eq!(incomplete["message"], json!(["dueDate should not be empty", "completed should not be empty"]));
}
