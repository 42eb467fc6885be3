//! Many things in one call: an outcome for each, the good ones kept, and each counted.

use std::time::Duration;

use keystead_core::RateLimits;
use keystead_model::{grant::Reach, key_kind::KeyKind, scope::ScopeSet};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

async fn contact(app: &TestApp, key: &TestKey, body: Value) -> String {
    app.clock.advance(Duration::from_millis(1));
    let made = app.post("/contacts/").key(key).json(&body).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

async fn get(app: &TestApp, key: &TestKey, id: &str) -> Value {
    app.get(&format!("/contacts/{id}")).key(key).send().await.expect(200)["contact"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_contact_has_its_outcome_and_the_good_ones_are_kept() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, json!({"name": "Ada Lovelace", "email": "ada@example.com"})).await;
    let bob = contact(&app, &key, json!({"name": "Bob", "phone": "+14155550199"})).await;
    let body = json!({"locationId": app.ids.location.as_str(), "contacts": [
        {"email": "new@example.com", "firstName": "New", "tags": ["fresh"]},
        {"email": "ADA@example.com", "phone": "+14155550199", "city": "London"},
        {"email": "no address", "colour": "blue", "locationId": app.ids.location.as_str()},
        {"city": "Nowhere"},
        "text",
        {"email": "new@example.com", "lastName": "Again"},
        {"email": "last@example.com"},
    ]});
    let mut trial = body.clone();
    trial["dryRun"] = json!(true);
    let tried = app.post("/contacts/bulk/upsert").key(&key).json(&trial).send().await.expect(200);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 2, "a trial changes nothing");
    let events = app.get("/events").key(&key).send().await.expect(200)["events"].as_array().unwrap().len();
    let answer = app.post("/contacts/bulk/upsert").key(&key).json(&body).send().await.expect(200);
    let told = app.get("/events").key(&key).send().await.expect(200)["events"].as_array().unwrap().len();
    assert!(events == 2 && told > 2, "nor does it tell of anything: {events}, {told}");
    let results = answer["results"].as_array().unwrap();
    let of = |answer: &Value| {
        answer["results"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(&tried), of(&answer));
    let statuses: Vec<&str> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["created", "updated", "failed", "failed", "failed", "updated", "created"]);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(4), &json!(3)));
    assert!(results.iter().enumerate().all(|(index, result)| result["index"] == index));
    // What is wrong with one is said as if it had come alone.
    let message = results[2]["error"]["message"].as_array().unwrap();
    assert_eq!(message.len(), 2, "what it says of the location is true: {message:?}");
    assert_eq!(results[2]["error"]["statusCode"], 422);
    assert!(results[3]["error"]["message"][0].as_str().unwrap().contains("email"));
    assert_eq!(results[1]["skipped"], json!([format!("phone (contact {bob} has it)")]));
    assert_eq!((&results[1]["id"], &results[5]["id"]), (&json!(ada), &results[0]["id"]));
    assert_eq!(get(&app, &key, &ada).await["city"], "London");
    let new = get(&app, &key, results[0]["id"].as_str().unwrap()).await;
    assert_eq!(
        (&new["firstName"], &new["lastName"], &new["tags"]),
        (&json!("New"), &json!("Again"), &json!(["fresh"]))
    );
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 4);
    for (body, about) in [
        (json!({}), "contacts"),
        (json!({"contacts": []}), "1 to 500"),
        (json!({"contacts": vec![json!({"email": "x@example.com"}); 501]}), "1 to 500"),
        (json!({"contacts": {}}), "array"),
    ] {
        let refused = app.post("/contacts/bulk/upsert").key(&key).json(&body).send().await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().contains(about), "{refused}");
    }
}

/// The body of the single route is one of many as it is; of elsewhere it is like of nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn each_may_name_the_location_of_the_call() {
    let app = TestApp::start().await;
    let sibling = app.location("Sibling").await;
    let own = app.ids.location.as_str();
    let named = [
        json!(own),
        json!(""),
        json!(null),
        json!(sibling.as_str()),
        json!("0000000000000000000X"),
        json!("x"),
        json!(7),
    ];
    let contact =
        |(number, location): (usize, &Value)| json!({"email": format!("{number}@example.com"), "locationId": location});
    let contacts: Vec<Value> = named.iter().enumerate().map(contact).collect();
    for key in [app.location_key().await, app.agency_key().await] {
        let body = json!({"locationId": own, "contacts": contacts});
        let answer = app.post("/contacts/bulk/upsert").key(&key).json(&body).send().await.expect(200);
        let results = answer["results"].as_array().unwrap();
        assert!(results[..3].iter().all(|result| result["status"] != "failed"), "{answer}");
        for result in &results[3..] {
            assert_eq!(
                result["error"]["message"],
                json!(["locationId must be that of the call, or left out"]),
                "{answer}"
            );
        }
    }
    let key = app.key(Reach::location(sibling), keystead_model::scope::Preset::FullAccess).await;
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_among_many_fails_alone() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    contact(&app, &key, json!({"name": "Ada", "email": "ada@example.com"})).await;
    let twin = contact(&app, &key, json!({"name": "Twin", "email": "twin@example.com"})).await;
    // Found by its own address, and then given that of another.
    let body = json!({"contacts": [
        {"name": "x", "email": "x@example.com"},
        {"email": "twin@example.com", "additionalEmails": ["y@example.com"]},
    ]});
    let answer = app.post("/contacts/bulk/upsert").key(&key).json(&body).send().await.expect(200);
    assert_eq!(answer["failed"], 0);
    assert_eq!(get(&app, &key, &twin).await["additionalEmails"], json!(["y@example.com"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_many_has_its_effect_once() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let body = json!({"contacts": [{"name": "Ada"}, {"name": "Bob"}]});
    let send = async || {
        let call = app.post("/contacts/bulk/upsert").key(&key).header("Idempotency-Key", "once").json(&body);
        let mut answer = call.send().await.expect(200);
        answer.as_object_mut().unwrap().remove("traceId");
        answer
    };
    assert_eq!(send().await, send().await);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_many_contacts_are_changed_in_one_call() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, json!({"name": "Ada", "tags": ["old"]})).await;
    let bob = contact(&app, &key, json!({"name": "Bob"})).await;
    let update = async |kind: &str, body: Value| {
        let path = format!("/contacts/bulk/tags/update/{kind}");
        app.post(&path).key(&key).json(&body).send().await
    };
    let location = app.ids.location.as_str();
    let body = json!({"contacts": [ada, "0000000000000000000X", "nothing", bob], "tags": ["VIP", "old"], "locationId": location});
    let answer = update("add", body).await.expect(201);
    assert_eq!((&answer["succeded"], &answer["errorCount"]), (&json!(false), &json!(2)));
    let expected = json!({"contactId": ada, "message": "Tags added", "type": "success", "oldTags": ["old"], "tagsAdded": ["vip"], "tagsRemoved": []});
    assert_eq!(answer["responses"][0], expected);
    for (index, id) in [(1, "0000000000000000000X"), (2, "nothing")] {
        let failed = &answer["responses"][index];
        assert_eq!((&failed["contactId"], &failed["type"]), (&json!(id), &json!("error")));
        assert_eq!(failed["message"], format!("Contact with id {id} not found"));
    }
    assert_eq!(get(&app, &key, &bob).await["tags"], json!(["vip", "old"]));
    let body = json!({"contacts": [ada, bob], "tags": ["old", "never"]});
    let answer = update("remove", body).await.expect(201);
    assert_eq!((&answer["succeded"], &answer["responses"][1]["tagsRemoved"]), (&json!(true), &json!(["old"])));
    update("remove", json!({"contacts": [ada, bob], "removeAllTags": true})).await.expect(201);
    assert_eq!(get(&app, &key, &ada).await["tags"], json!([]));
    for body in [
        json!({"contacts": [ada], "tags": ["x"], "removeAllTags": true}),
        json!({"contacts": [ada]}),
        json!({"contacts": [], "tags": ["x"]}),
        json!({"tags": ["x"]}),
        json!({"contacts": vec!["x"; 501], "tags": ["x"]}),
    ] {
        let refused = update("add", body.clone()).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.text);
    }
    // Some clients send the name of the place.
    let refused = update("%7Btype%7D", json!({"contacts": [ada], "tags": ["x"]})).await.expect(400);
    assert_eq!(refused["code"], "placeholder_in_path");
    let refused = update("rename", json!({"contacts": [ada], "tags": ["x"]})).await.expect(400);
    assert!(refused["message"].as_str().unwrap().contains("add or remove"), "{refused}");
    let events = app.get("/events?kinds=contact.updated").key(&key).send().await.expect(200);
    assert_eq!(events["events"].as_array().unwrap().len(), 6, "one for each contact that was changed: {events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_tasks_and_custom_values_come_in_many() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (ada, bob) =
        (contact(&app, &key, json!({"name": "Ada"})).await, contact(&app, &key, json!({"name": "Bob"})).await);
    let body = json!({"notes": [
        {"contactId": ada, "body": "First"}, {"contactId": "0000000000000000000X", "body": "Lost"},
        {"contactId": bob}, {"contactId": bob, "body": "Second", "pinned": true}, {"body": "x"},
    ]});
    let answer = app.post("/contacts/bulk/notes").key(&key).json(&body).send().await.expect(200);
    let statuses: Vec<&Value> = answer["results"].as_array().unwrap().iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, ["created", "failed", "failed", "created", "failed"]);
    assert_eq!(answer["results"][1]["error"]["message"], "Contact with id 0000000000000000000X not found");
    let notes = app.get(&format!("/contacts/{bob}/notes")).key(&key).send().await.expect(200);
    assert_eq!((&notes["notes"][0]["body"], &notes["notes"][0]["id"]), (&json!("Second"), &answer["results"][3]["id"]));
    let task = json!({"contactId": ada, "title": "Call", "dueDate": "2026-12-01", "completed": false});
    let answer = app.post("/contacts/bulk/tasks").key(&key).json(&json!({"tasks": [task]})).send().await.expect(200);
    let tasks = app.get(&format!("/contacts/{ada}/tasks")).key(&key).send().await.expect(200);
    assert_eq!(tasks["tasks"][0]["id"], answer["results"][0]["id"]);
    // Values are known by their names.
    let values = format!("/locations/{}/customValues", app.ids.location);
    let put = async |list: Value| {
        let body = json!({"customValues": list});
        app.post(&format!("{values}/bulk")).key(&key).json(&body).send().await.expect(200)
    };
    let first = put(json!([{"name": "Opening hours", "value": "9 to 5"}, {"name": "x"}])).await;
    assert_eq!((&first["results"][0]["status"], &first["results"][1]["status"]), (&json!("created"), &json!("failed")));
    let second = put(json!([{"name": "Opening hours", "value": "8 to 6"}, {"name": "Motto", "value": "Smile"}])).await;
    assert_eq!(second["results"][0]["id"], first["results"][0]["id"]);
    assert_eq!(second["results"][0]["status"], "updated");
    let listed = app.get(&values).key(&key).send().await.expect(200);
    assert_eq!(listed["customValues"].as_array().unwrap().len(), 2);
    assert!(listed["customValues"].as_array().unwrap().iter().any(|value| value["value"] == "8 to 6"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_counts_by_how_many_it_brings() {
    let rate = RateLimits { interval: Some(10), daily: None };
    let app = TestApp::start_with(move |config| config.limits.rate = rate).await;
    for (key, location) in [(app.location_key().await, None), (app.agency_key().await, Some(app.ids.location))] {
        let path =
            location.map_or("/contacts/bulk/upsert".to_owned(), |id| format!("/contacts/bulk/upsert?locationId={id}"));
        let many = |count: usize| json!({"contacts": vec![json!({"email": "same@example.com"}); count]});
        let send = async |count| app.post(&path).key(&key).json(&many(count)).send().await;
        let first = send(6).await;
        assert_eq!((first.status, first.header("x-ratelimit-remaining")), (200, "4"), "{}", first.text);
        let refused = send(5).await;
        assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (429, "3"), "{}", refused.text);
        assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
        let fits = send(3).await;
        assert_eq!((fits.status, fits.header("x-ratelimit-remaining")), (200, "0"));
        app.clock.advance(Duration::from_secs(10));
        // What is longer than any limit of the key takes a whole one.
        let long = send(12).await;
        assert_eq!((long.status, long.header("x-ratelimit-remaining")), (200, "0"));
        assert_eq!(send(1).await.status, 429);
        app.clock.advance(Duration::from_secs(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_work_for_a_business_until_it_is_gone() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, json!({"name": "Ada"})).await;
    let bob = contact(&app, &key, json!({"name": "Bob"})).await;
    let business = app.post("/businesses/").key(&key).json(&json!({"name": "Northwind"})).send().await.expect(201);
    let business = business["business"]["id"].as_str().unwrap().to_owned();
    let set = async |ids: Value, business: Value| {
        let body = json!({"locationId": app.ids.location.as_str(), "ids": ids, "businessId": business});
        app.post("/contacts/bulk/business").key(&key).json(&body).send().await
    };
    let answer = set(json!([ada, "0000000000000000000X", bob]), json!(business)).await.expect(200);
    assert_eq!((&answer["success"], &answer["ids"]), (&json!(true), &json!([ada, bob])));
    // In every shape.
    assert_eq!(get(&app, &key, &ada).await["businessId"], business.as_str());
    let older = app.get(&format!("/v1/contacts/{ada}")).key(&key).send().await.expect(200);
    assert_eq!(older["contact"]["businessId"], business.as_str());
    let listed = app.get("/contacts/").key(&key).send().await.expect(200);
    assert_eq!(listed["contacts"][0]["businessId"], business.as_str());
    let filter = json!({"filters": [{"field": "businessId", "operator": "eq", "value": business}]});
    let found = app.post("/contacts/search").key(&key).json(&filter).send().await.expect(200);
    assert_eq!((&found["total"], &found["contacts"][0]["businessId"]), (&json!(2), &json!(business)));
    let of = async |query: &str| {
        let answer = app.get(&format!("/contacts/business/{business}{query}")).key(&key).send().await.expect(200);
        let names = answer["contacts"].as_array().unwrap().iter().map(|contact| contact["firstName"].clone());
        (names.collect::<Vec<_>>(), answer["count"].clone())
    };
    assert_eq!(of("").await, (vec![json!("Bob"), json!("Ada")], json!(2)));
    assert_eq!(of("?limit=1&skip=1").await, (vec![json!("Ada")], json!(2)));
    assert_eq!(of("?query=bo").await, (vec![json!("Bob")], json!(1)));
    assert_eq!(set(json!([bob]), Value::Null).await.expect(200)["ids"], json!([bob]));
    assert_eq!(of("").await.1, 1);
    assert_eq!(set(json!([ada]), json!("0000000000000000000X")).await.status, 422);
    assert_eq!(app.post("/contacts/bulk/business").key(&key).json(&json!({"ids": [ada]})).send().await.status, 422);
    let tag = app.get(&format!("/contacts/{ada}")).key(&key).send().await.header("etag").to_owned();
    app.delete(&format!("/businesses/{business}")).key(&key).send().await.expect(200);
    assert_eq!(get(&app, &key, &ada).await["businessId"], Value::Null);
    let call = app.put(&format!("/contacts/{ada}")).key(&key).header("If-Match", &tag);
    assert_eq!(call.json(&json!({"city": "x"})).send().await.status, 412, "it was changed since");
    assert_eq!(of("").await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_follow_a_contact() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = contact(&app, &key, json!({"name": "Ada"})).await;
    let path = format!("/contacts/{id}/followers");
    let (one, two) = ("0000000000000000001U", "0000000000000000002U");
    let body = json!({"followers": [one, two, one]});
    let answer = app.post(&path).key(&key).json(&body).send().await.expect(201);
    assert_eq!((&answer["followers"], &answer["followersAdded"]), (&json!([one, two]), &json!([one, two])));
    let again = app.post(&path).key(&key).json(&json!({"followers": [one]})).send().await.expect(201);
    assert_eq!((&again["followers"], &again["followersAdded"]), (&json!([one, two]), &json!([])));
    assert_eq!(get(&app, &key, &id).await["followers"], json!([one, two]));
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["contacts"][0]["followers"], json!([one, two]));
    let found = app.post("/contacts/search").key(&key).json(&json!({})).send().await.expect(200);
    assert_eq!(found["contacts"][0]["followers"], json!([one, two]));
    let body = json!({"followers": [two, "0000000000000000003U"]});
    let answer = app.delete(&path).key(&key).json(&body).send().await.expect(200);
    assert_eq!((&answer["followers"], &answer["followersRemoved"]), (&json!([one]), &json!([two])));
    for body in [json!({}), json!({"followers": "?"}), json!({"followers": [1]})] {
        assert_eq!(app.post(&path).key(&key).json(&body).send().await.status, 422, "{body}");
    }
    let many: Vec<String> = (0..100).map(|number| format!("{number:020}")).collect();
    assert_eq!(app.post(&path).key(&key).json(&json!({"followers": many})).send().await.status, 422, "one too many");
    assert_eq!(get(&app, &key, &id).await["followers"], json!([one]));
    let events = app.get("/events?kinds=contact.updated").key(&key).send().await.expect(200);
    assert_eq!(events["events"][0]["after"], json!({"followers": [one, two]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_of_others_are_like_none() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = contact(&app, &key, json!({"name": "Ada"})).await;
    let sibling = app.location("Sibling").await;
    let other = app.key_with(Reach::location(sibling), ScopeSet::all(KeyKind::Location), |_| {}).await;
    let body = json!({"contacts": [id], "tags": ["x"]});
    let answer = app.post("/contacts/bulk/tags/update/add").key(&other).json(&body).send().await.expect(201);
    assert_eq!(answer["responses"][0]["message"], format!("Contact with id {id} not found"));
    let body = json!({"notes": [{"contactId": id, "body": "x"}]});
    let answer = app.post("/contacts/bulk/notes").key(&other).json(&body).send().await.expect(200);
    assert_eq!(answer["results"][0]["error"]["message"], format!("Contact with id {id} not found"));
    let body = json!({"ids": [id], "businessId": null});
    assert_eq!(app.post("/contacts/bulk/business").key(&other).json(&body).send().await.expect(200)["ids"], json!([]));
    assert_eq!(get(&app, &key, &id).await["tags"], json!([]));
}

/// Tags of one that is made anew are its own, whoever has the same address.
#[tokio::test(flavor = "multi_thread")]
async fn tags_are_added_to_those_of_whom_a_row_changes_and_of_nobody_else() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let allowed = json!({"settings": {"allowDuplicateContact": true}});
    app.put(&format!("/locations/{}", app.ids.location)).key(&agency).json(&allowed).send().await.expect(200);
    let ada = contact(&app, &key, json!({"name": "Ada", "email": "ada@example.com", "tags": ["vip"]})).await;
    app.clock.advance(Duration::from_millis(1));
    let rows = json!([
        {"email": "ada@example.com", "tags": ["met"]},
        {"email": "ada@example.com", "tags": ["new"], "createNewIfDuplicateAllowed": true},
    ]);
    let body = json!({"contacts": rows, "addTags": true});
    let answer = app.post("/contacts/bulk/upsert").key(&key).json(&body).send().await.expect(200);
    let results = answer["results"].as_array().unwrap();
    assert_eq!((&results[0]["status"], &results[1]["status"]), (&json!("updated"), &json!("created")));
    assert_eq!(get(&app, &key, &ada).await["tags"], json!(["vip", "met"]));
    assert_eq!(get(&app, &key, results[1]["id"].as_str().unwrap()).await["tags"], json!(["new"]));
}
