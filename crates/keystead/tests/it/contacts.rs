//! Contacts of API 2.0.

use std::time::Duration;

use keystead_testkit::TestApp;
use serde_json::{Value, json};

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
    let bob = upsert(json!({"phone": "+14155550123", "name": "Bob"})).await;
    let both = upsert(json!({"email": "ada@example.com", "phone": "+14155550123", "city": "London"})).await;
    assert_eq!(both["contact"]["id"], made["contact"]["id"], "e-mail first");
    let bob = bob["contact"]["id"].as_str().unwrap();
    assert_eq!(both["skipped"], json!([format!("phone (contact {bob} has it)")]));
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
            app.clock.advance(Duration::from_millis(5));
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
        [("number", 25), ("NUM 7", 1), ("n7@example.com", 1), ("example", 25), ("nobody", 0), ("%", 0)]
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

#[tokio::test(flavor = "multi_thread")]
async fn phones_stay_what_they_were() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for (sent, stored) in [
        ("+4915123456789", "+4915123456789"),
        ("+8613812345678", "+8613812345678"),
        ("+390612345678", "+390612345678"),
        ("+44 (0)7400 123457", "+447400123457"),
        ("(201) 555-0123", "+12015550123"),
        ("(201) 555-0123 x11", "+12015550123;ext=11"),
        ("201-555-0123 ext. 12", "+12015550123;ext=12"),
    ] {
        let made = app.post("/contacts/").key(&key).json(&json!({"phone": sent})).send().await.expect(201);
        assert_eq!(made["contact"]["phone"], stored, "{sent}");
        // What is shown can be sent back.
        let path = format!("/contacts/{}", made["contact"]["id"].as_str().unwrap());
        let again = app.put(&path).key(&key).json(&json!({"phone": stored})).send().await.expect(200);
        assert_eq!(again["contact"]["phone"], stored);
    }
    for sent in ["+1201555016", "+120155501589999", "555-0100"] {
        let refused = app.post("/contacts/").key(&key).json(&json!({"phone": sent})).send().await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().starts_with("phone must be"), "{refused}");
    }
    // Two extensions of one number are two people.
    let upsert = json!({"phone": "201.555.0123 x11", "firstName": "Eleven"});
    let found = app.post("/contacts/upsert").key(&key).json(&upsert).send().await.expect(200);
    assert_eq!((&found["new"], &found["contact"]["phone"]), (&json!(false), &json!("+12015550123;ext=11")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_is_named() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = json!({
        "name": "Di Eff", "email": "di@example.com", "phone": "+14155550123", "dateOfBirth": "1990-09-25",
        "assignedTo": "ve9EPM428h8vShlRW1KT", "city": "Paris", "country": "FR", "timezone": "Europe/Paris",
    });
    let made = app.post("/contacts/").key(&key).json(&made).send().await.expect(201);
    let path = format!("/contacts/{}", made["contact"]["id"].as_str().unwrap());
    let put = async |body: serde_json::Value| app.put(&path).key(&key).json(&body).send().await;
    // What typed clients send for what nobody has set.
    let nulls = json!({"email": null, "phone": null, "dateOfBirth": "", "assignedTo": null, "firstName": null});
    let same = put(nulls).await.expect(200);
    for field in ["email", "phone", "dateOfBirth", "assignedTo", "firstName"] {
        assert!(same["contact"].get(field).is_some(), "{field}");
    }
    let clear = json!({"clear": ["phone", "dateOfBirth", "assignedTo", "city", "country", "timezone"]});
    let cleared = put(clear).await.expect(200);
    for field in ["phone", "dateOfBirth", "assignedTo", "city", "country", "timezone"] {
        assert!(cleared["contact"].get(field).is_none(), "{field}");
    }
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["contact"]["email"], "di@example.com");

    // Forms send empty parts beside a whole name.
    let whole = put(json!({"name": "Di Eff", "firstName": "", "lastName": ""})).await.expect(200);
    assert_eq!((&whole["contact"]["firstName"], &whole["contact"]["lastName"]), (&json!("Di"), &json!("Eff")));
    let solo = put(json!({"name": "Solo"})).await.expect(200);
    assert_eq!((&solo["contact"]["name"], solo["contact"].get("lastName")), (&json!("Solo"), None));
    put(json!({"clear": ["firstName"]})).await.expect(200);
    let refused = put(json!({"clear": ["email"]})).await.expect(422);
    assert_eq!(refused["message"][0], "email or phone or name should not be empty");
    for (body, message) in [
        (json!({"clear": ["id"]}), "clear has id, which cannot be cleared"),
        (json!({"clear": ["phone"], "phone": "+14155550123"}), "phone must not have a value and stand in clear"),
        (json!({"clear": {"phone": true}}), "clear must be an array"),
        (json!({"name": format!("{} x", "a".repeat(101))}), "name must be shorter"),
    ] {
        let refused = put(body).await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().starts_with(message), "{refused}");
    }
    let create = json!({"email": "new@example.com", "clear": ["phone"]});
    let refused = app.post("/contacts/").key(&key).json(&create).send().await.expect(422);
    assert_eq!(refused["message"], json!(["property clear should not exist"]));

    // API 1.0, notes, tasks and locations alike.
    let v1 = app.put(&format!("/v1{path}")).key(&key).json(&json!({"phone": "+14155550124"})).send().await.expect(200);
    assert_eq!(v1["contact"]["phone"], "+14155550124");
    let v1 = app.put(&format!("/v1{path}")).key(&key).json(&json!({"clear": ["phone"]})).send().await.expect(200);
    assert!(v1["contact"].get("phone").is_none());
    let user = "ve9EPM428h8vShlRW1KT";
    let note = json!({"body": "x", "userId": user});
    let note = app.post(&format!("{path}/notes")).key(&key).json(&note).send().await.expect(201);
    let note = format!("{path}/notes/{}", note["note"]["id"].as_str().unwrap());
    let note = app.put(&note).key(&key).json(&json!({"clear": ["userId"]})).send().await.expect(200);
    assert!(note["note"].get("userId").is_none());
    let task = json!({"title": "x", "dueDate": "2027-01-01", "completed": false, "assignedTo": user, "body": "y"});
    let task = app.post(&format!("{path}/tasks")).key(&key).json(&task).send().await.expect(201);
    let task = format!("{path}/tasks/{}", task["task"]["id"].as_str().unwrap());
    let task = app.put(&task).key(&key).json(&json!({"clear": ["assignedTo", "body"]})).send().await.expect(200);
    assert!(task["task"].get("assignedTo").is_none() && task["task"].get("body").is_none());
    let agency = app.agency_key().await;
    let location = format!("/locations/{}", app.ids.location);
    let put = async |body: serde_json::Value| app.put(&location).key(&agency).json(&body).send().await.expect(200);
    assert_eq!(put(json!({"email": "desk@example.com"})).await["email"], "desk@example.com");
    assert!(put(json!({"clear": ["email"]})).await.get("email").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_a_contact_is_its_own() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let post = async |path: &str, body: serde_json::Value| app.post(path).key(&key).json(&body).send().await;
    let ada = json!({
        "firstName": "Ada", "email": "ada@example.com", "phone": "+14155550123",
        "additionalEmails": ["Second@example.com", "third@example.com"], "additionalPhones": ["+4915123456789"],
    });
    let ada = post("/contacts/", ada).await.expect(201)["contact"]["id"].clone();
    let bob = post("/contacts/", json!({"name": "Bob", "phone": "+14155550199"})).await.expect(201);
    let bob = bob["contact"]["id"].clone();
    for (twin, field) in [
        (json!({"email": "second@EXAMPLE.com"}), "email"),
        (json!({"name": "x", "additionalEmails": ["new@example.com", "third@example.com"]}), "email"),
        (json!({"phone": "+49 151 23456789"}), "phone"),
        (json!({"name": "x", "additionalPhones": ["+14155550123"]}), "phone"),
    ] {
        let refused = post("/contacts/", twin).await.expect(400);
        assert_eq!((&refused["meta"]["contactId"], &refused["meta"]["matchingField"]), (&ada, &json!(field)));
    }
    for query in ["email=second@example.com", "number=%2B4915123456789", "number=+49 151 23456789"] {
        let found = app.get(&format!("/contacts/search/duplicate?{query}")).key(&key).send().await.expect(200);
        assert_eq!(found["contact"]["id"], ada, "{query}");
    }
    for query in ["email=Third@example.com", "phone=%2B4915123456789"] {
        let found = app.get(&format!("/v1/contacts/lookup?{query}")).key(&key).send().await.expect(200);
        assert_eq!(found["contacts"][0]["id"], ada, "{query}");
    }
    for query in ["second@example.com", "0049", "6789", "third"] {
        let found = app.get(&format!("/contacts/?query={query}")).key(&key).send().await.expect(200);
        assert_eq!(found["meta"]["total"], i32::from(query != "0049"), "{query}");
    }

    // Who finds her by her second address does not change her first, and what is another's is told.
    let changed = json!({"email": "second@example.com", "city": "London", "additionalPhones": ["+14155550199"]});
    let changed = post("/contacts/upsert", changed).await.expect(200);
    assert_eq!((&changed["contact"]["id"], &changed["new"]), (&ada, &json!(false)));
    assert_eq!(changed["contact"]["email"], "ada@example.com");
    let skipped = changed["skipped"][0].as_str().unwrap();
    assert_eq!(skipped, format!("additionalPhones (+14155550199: contact {} has it)", bob.as_str().unwrap()));

    let path = format!("/contacts/{}", ada.as_str().unwrap());
    let put = async |body: serde_json::Value| app.put(&path).key(&key).json(&body).send().await.expect(200);
    let promoted = put(json!({"clear": ["email"]})).await;
    assert_eq!(promoted["contact"]["email"], "Second@example.com");
    assert_eq!(promoted["contact"]["additionalEmails"], json!(["third@example.com"]));
    let swapped = put(json!({"email": "third@example.com"})).await;
    assert_eq!(swapped["contact"]["additionalEmails"], json!(["Second@example.com"]));
    // What she has no more is free.
    post("/contacts/", json!({"email": "ada@example.com"})).await.expect(201);

    // Where duplicates are allowed, the newest is found; where they are no more, what she has she keeps.
    let location = format!("/locations/{}", app.ids.location);
    let allow = async |allowed: bool| {
        let settings = json!({"settings": {"allowDuplicateContact": allowed}});
        app.put(&location).key(&agency).json(&settings).send().await.expect(200);
    };
    allow(true).await;
    app.clock.advance(Duration::from_millis(5));
    let twin = post("/contacts/", json!({"email": "x@example.com", "additionalEmails": ["third@example.com"]})).await;
    let twin = twin.expect(201)["contact"]["id"].clone();
    let found = app.get("/contacts/search/duplicate?email=third@example.com").key(&key).send().await.expect(200);
    assert_eq!(found["contact"]["id"], twin);
    allow(false).await;
    post("/contacts/", json!({"email": "third@example.com"})).await.expect(400);
    put(json!({"city": "Paris"})).await;
    let twin = format!("/contacts/{}", twin.as_str().unwrap());
    app.put(&twin).key(&key).json(&json!({"city": "Paris"})).send().await.expect(200);
    app.delete(&path).key(&key).send().await.expect(200);
    post("/contacts/", json!({"email": "third@example.com"})).await.expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn international_addresses_are_one_in_every_spelling() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = json!({"email": "Jörg@Müller.example"});
    let made = app.post("/contacts/").key(&key).json(&made).send().await.expect(201);
    assert_eq!(made["contact"]["email"], "Jörg@Müller.example");
    for twin in ["jo\u{308}rg@mu\u{308}ller.example", "JÖRG@xn--mller-kva.example"] {
        let refused = app.post("/contacts/").key(&key).json(&json!({"email": twin})).send().await.expect(400);
        assert_eq!(refused["meta"]["contactId"], made["contact"]["id"], "{twin}");
    }
    for query in ["j%C3%B6rg%40xn--mller-kva.example", "jorg", "muller"] {
        let found = app.get(&format!("/contacts/?query={query}")).key(&key).send().await.expect(200);
        assert_eq!(found["meta"]["total"], 1, "{query}");
    }
    // A plus sign that nobody has encoded.
    app.post("/contacts/").key(&key).json(&json!({"email": "ada+crm@example.com"})).send().await.expect(201);
    let found = app.get("/contacts/search/duplicate?email=ada+crm@example.com").key(&key).send().await.expect(200);
    assert_eq!(found["contact"]["email"], "ada+crm@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_location_says_which_address_decides_first() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let new = async |body: Value| {
        let made = app.post("/contacts/").key(&key).json(&body).send().await.expect(201);
        made["contact"]["id"].clone()
    };
    let ada = new(json!({"name": "Ada", "email": "ada@example.com"})).await;
    let bob = new(json!({"name": "Bob", "phone": "+14155550123"})).await;
    let both = json!({"name": "x", "email": "ada@example.com", "phone": "+14155550123"});
    let search = "/contacts/search/duplicate?email=ada%40example.com&number=%2B14155550123";
    let path = format!("/locations/{}", app.ids.location);
    for (first, other, priority) in [(&ada, &bob, "email"), (&bob, &ada, "phone"), (&ada, &bob, "email")] {
        let change = json!({"settings": {"duplicateContactPriority": priority}});
        app.put(&path).key(&agency).json(&change).send().await.expect(200);
        let read = app.get(&path).key(&key).send().await.expect(200);
        assert_eq!(read["location"]["settings"]["duplicateContactPriority"], priority);
        let refused = app.post("/contacts/").key(&key).json(&both).send().await.expect(400);
        assert_eq!((&refused["meta"]["contactId"], &refused["meta"]["matchingField"]), (first, &json!(priority)));
        let found = app.get(search).key(&key).send().await.expect(200);
        assert_eq!(&found["contact"]["id"], first);
        let upserted = app.post("/contacts/upsert").key(&key).json(&both).send().await.expect(200);
        assert_eq!(&upserted["contact"]["id"], first);
        assert!(upserted["skipped"][0].as_str().unwrap().contains(other.as_str().unwrap()), "{upserted}");
    }
    let refused =
        app.put(&path).key(&agency).json(&json!({"settings": {"duplicateContactPriority": "name"}})).send().await;
    assert!(refused.status == 422 && refused.text.contains("duplicateContactPriority"), "{}", refused.text);
}
