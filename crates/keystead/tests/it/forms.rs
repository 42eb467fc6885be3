//! Forms and surveys, and what is submitted to them.

use std::time::Duration;

use keystead_model::{
    grant::Reach,
    key_kind::KeyKind,
    location::LocationPatch,
    scope::{Preset, Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

async fn form(app: &TestApp, key: &TestKey, definition: Value) -> String {
    let new = json!({"name": "Contact us", "definition": definition});
    let made = app.post("/forms/").key(key).json(&new).send().await.expect(201);
    format!("/forms/{}", made["form"]["id"].as_str().unwrap())
}

async fn submit(app: &TestApp, key: &TestKey, form: &str, answers: Value) -> Value {
    let call = app.post(&format!("{form}/submissions")).key(key).json(&json!({"answers": answers}));
    call.send().await.expect(201)["submission"].clone()
}

async fn contact(app: &TestApp, key: &TestKey, submission: &Value) -> Value {
    let path = format!("/contacts/{}", submission["contactId"].as_str().unwrap());
    app.get(&path).key(key).send().await.expect(200)["contact"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_and_surveys_are_made_changed_listed_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let at = app.ids.location.as_str();
    for (path, one, many) in [("/forms", "form", "forms"), ("/surveys", "survey", "surveys")] {
        let definition = json!({"pages": [{"fields": [{"key": "email", "mapsTo": "contact.email"}]}]});
        let new = json!({"name": "First", "locationId": at, "definition": definition});
        let made = app.post(path).key(&key).json(&new).send().await.expect(201)[one].clone();
        assert_eq!((&made["name"], &made["definition"], &made["locationId"]), (&new["name"], &definition, &json!(at)));
        let by_id = format!("{path}/{}", made["id"].as_str().unwrap());
        assert_eq!(app.get(&by_id).key(&key).send().await.expect(200)[one], made);
        let change = json!({"name": "Renamed"});
        let changed = app.put(&by_id).key(&key).json(&change).send().await.expect(200)[one].clone();
        assert_eq!((&changed["name"], &changed["definition"]), (&change["name"], &definition));
        let head = json!({"id": made["id"], "name": "Renamed", "locationId": at});
        for number in 0..11 {
            app.clock.advance(Duration::from_millis(1));
            app.post(path).key(&key).json(&json!({"name": format!("{number}")})).send().await.expect(201);
        }
        let listed = app.get(path).key(&key).send().await.expect(200);
        assert_eq!((listed[many].as_array().unwrap().len(), &listed["total"]), (10, &json!(12)));
        let rest = app.get(&format!("{path}?skip=10&limit=50&type=any")).key(&key).send().await.expect(200);
        assert_eq!((&rest[many][1], &rest["total"]), (&head, &json!(12)));
        let older = app.get(&format!("/v1{path}/")).key(&key).send().await.expect(200);
        assert_eq!((older[many].as_array().unwrap().len(), &older[many][11]), (12, &head));
        assert_eq!(app.delete(&by_id).key(&key).send().await.expect(200)["succeded"], true);
        assert_eq!(app.get(&by_id).key(&key).send().await.status, 404);
        assert_eq!(app.get(&format!("{path}?limit=51")).key(&key).send().await.status, 422);
        for body in [json!({}), json!({"name": "x", "definition": [1]}), json!({"name": "x", "slug": "y"})] {
            assert_eq!(app.post(path).key(&key).json(&body).send().await.status, 422, "{body}");
        }
    }
    // A form is no survey.
    let form = form(&app, &key, json!({})).await;
    assert_eq!(app.get(&form.replace("/forms", "/surveys")).key(&key).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_make_a_contact_and_later_ones_fill_what_is_empty() {
    let app = TestApp::start().await;
    // Who submits to forms needs nothing else.
    let scopes = ScopeSet::EMPTY.with(Scope::FormsRead).with(Scope::FormsWrite);
    let sender = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    let key = app.location_key().await;
    let definition = json!({"pages": [{"fields": [
        {"key": "mail", "mapsTo": "contact.email"}, {"key": "town", "mapsTo": "contact.city"}, {"key": "why", "label": "Why?"},
    ]}]});
    let form = form(&app, &key, definition).await;
    let answers =
        json!({"mail": "Ada@example.com", "full_name": "Ada Lovelace", "why": "Teeth", "colours": ["red", "blue"]});
    let first = submit(&app, &sender, &form, answers.clone()).await;
    assert_eq!((&first["name"], &first["email"]), (&json!("Ada Lovelace"), &json!("Ada@example.com")));
    assert_eq!(first["formId"], form.rsplit('/').next().unwrap());
    for (name, value) in answers.as_object().unwrap() {
        assert_eq!(&first["others"][name], value, "{name}");
    }
    assert_eq!(first["others"]["fieldsOriSequance"], json!(["mail", "full_name", "why", "colours"]));
    let ada = contact(&app, &key, &first).await;
    assert_eq!(
        (&ada["firstName"], &ada["email"], &ada["source"]),
        (&json!("Ada"), &json!("Ada@example.com"), &json!("Contact us"))
    );
    let one = format!("{form}/submissions/{}", first["id"].as_str().unwrap());
    assert_eq!(app.get(&one).key(&sender).send().await.expect(200)["submission"], first);
    // Whoever knows the address fills what is empty, and adds no address of their own.
    let answers = json!({"mail": "ADA@example.com", "phone": "+14155550199", "full_name": "Eve", "town": "Rome"});
    let second = submit(&app, &sender, &form, answers).await;
    assert_eq!(second["contactId"], first["contactId"]);
    let ada = contact(&app, &key, &second).await;
    assert_eq!((&ada["city"], &ada["firstName"], &ada["phone"]), (&json!("Rome"), &json!("Ada"), &Value::Null));
    let third = submit(&app, &sender, &form, json!({"mail": "ada@example.com", "town": "Paris"})).await;
    assert_eq!(contact(&app, &key, &third).await["city"], "Rome");
    // Nobody says who they are.
    let nobody = submit(&app, &sender, &form, json!({"why": "?"})).await;
    assert_eq!((&nobody["contactId"], &nobody["name"], &nobody["email"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 1);
    assert_eq!(app.get("/contacts/").key(&sender).send().await.status, 401);
    let told = app.get("/events?kinds=form.submitted").key(&sender).send().await.expect(200);
    assert_eq!(
        (told["events"].as_array().unwrap().len(), &told["events"][0]["subject"]["id"]),
        (4, &first["id"]),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_fill_custom_fields_of_the_contact() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let make = async |new: Value| {
        let path = format!("/locations/{}/customFields", app.ids.location);
        app.post(&path).key(&key).json(&new).send().await.expect(201)["customField"].clone()
    };
    let level = make(
        json!({"name": "Level", "dataType": "MULTIPLE_OPTIONS", "options": ["Gold", "Silver"], "model": "contact"}),
    )
    .await;
    let visits = make(json!({"name": "Visits", "dataType": "NUMERICAL", "model": "contact"})).await;
    let definition = json!({"pages": [{"fields": [
        {"key": "mail", "mapsTo": "contact.email"},
        {"key": "card", "type": "multi", "options": ["Gold", "Silver"], "mapsTo": level["fieldKey"]},
        {"key": "often", "mapsTo": visits["id"]},
    ]}]});
    let values = async |submission: &Value| {
        let contact = contact(&app, &key, submission).await;
        let held = contact["customFields"].as_array().unwrap().clone();
        let of = |field: &Value| held.iter().find(|held| held["id"] == field["id"]).map(|held| held["value"].clone());
        (of(&level), of(&visits))
    };
    for path in ["/forms/", "/surveys/"] {
        let new = json!({"name": "Join", "definition": definition});
        let made = app.post(path).key(&key).json(&new).send().await.expect(201);
        let made = made.as_object().unwrap().values().find(|made| made["id"].is_string()).unwrap();
        let form = format!("{path}{}", made["id"].as_str().unwrap());
        let mail = format!("ada{}@example.com", path.len());
        let first = submit(&app, &key, &form, json!({"mail": mail, "card": ["Gold"]})).await;
        assert_eq!(values(&first).await, (Some(json!(["Gold"])), None));
        // What is there stays, whoever knows the address.
        let second = submit(&app, &key, &form, json!({"mail": mail, "card": ["Silver"], "often": "12"})).await;
        assert_eq!(second["contactId"], first["contactId"]);
        assert_eq!(values(&second).await, (Some(json!(["Gold"])), Some(json!(12))));
        // By the name of the field, where the form does not know it.
        let other = json!({"mail": format!("b{mail}"), "visits": 3, level["id"].as_str().unwrap(): "Silver"});
        let third = submit(&app, &key, &form, other).await;
        assert_eq!(values(&third).await, (Some(json!(["Silver"])), Some(json!(3))));
        let wrong = json!({"answers": {"mail": format!("c{mail}"), "card": "Bronze", "often": "many"}});
        let refused = app.post(&format!("{form}/submissions")).key(&key).json(&wrong).send().await.expect(422);
        let text = refused["message"].to_string();
        assert!(text.contains("answers.card") && text.contains("answers.often"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_duplicates_are_allowed_everyone_is_somebody_new() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let patch = LocationPatch { allow_duplicate_contact: Some(true), ..LocationPatch::default() };
    app.app.update_location(&app.operator().await, app.ids.location, patch).await.unwrap();
    let form = form(&app, &key, json!({})).await;
    for _ in 0..2 {
        submit(&app, &key, &form, json!({"email": "ada@example.com"})).await;
    }
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_answers_under_the_same_id_are_taken_once() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let form = form(&app, &key, json!({})).await;
    let path = format!("{form}/submissions");
    let send = |id: &str, email: &str, once: Option<&str>| {
        let body = json!({"submissionId": id, "answers": {"email": email}});
        let call = app.post(&path).key(&key).json(&body);
        match once {
            Some(once) => call.header("Idempotency-Key", once),
            None => call,
        }
    };
    let first = send("a", "ada@example.com", None).send().await.expect(201)["submission"].clone();
    assert_eq!(send("a", "ada@example.com", None).send().await.expect(201)["submission"], first);
    assert_eq!(send("a", "ada@example.com", Some("k")).send().await.expect(201)["submission"], first);
    assert_eq!(send("a", "ada@example.com", Some("k")).send().await.expect(201)["submission"], first);
    // Back, edited and sent again, it carries the old id; another id is another submission; and without one all are.
    for call in [
        send("a", "bob@example.com", None),
        send("b", "ada@example.com", None),
        send("", "ada@example.com", None),
        send("", "ada@example.com", None),
    ] {
        assert_ne!(call.send().await.expect(201)["submission"]["id"], first["id"]);
    }
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        racing.spawn(send("race", "eve@example.com", None).send());
    }
    let ids: std::collections::BTreeSet<String> =
        racing.join_all().await.into_iter().map(|answer| answer.expect(201)["submission"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(app.get("/forms/submissions").key(&key).send().await.expect(200)["meta"]["total"], 6);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_are_listed_by_form_person_and_time() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (one, other) = (form(&app, &key, json!({})).await, form(&app, &key, json!({})).await);
    let old = submit(&app, &key, &one, json!({"email": "old@example.com"})).await;
    app.clock.advance(Duration::from_secs(40 * 86_400));
    let ada =
        submit(&app, &key, &one, json!({"name": "Zoë Brontë", "email": "zoe@example.com", "phone": "(415) 555-0123"}))
            .await;
    app.clock.advance(Duration::from_secs(1));
    let bob = submit(&app, &key, &other, json!({"name": "Bob", "id": "his"})).await;
    let id = |form: &str| form.rsplit('/').next().unwrap().to_owned();
    let day = |at: &Value| at.as_str().unwrap()[..10].to_owned();
    let contact = ada["contactId"].as_str().unwrap();
    for (query, expected) in [
        (String::new(), json!([bob, ada])),
        (format!("formId={}", id(&one)), json!([ada])),
        ("formId=0000000000000000000A".to_owned(), json!([])),
        ("q=ZOE".to_owned(), json!([ada])),
        ("q=bronte".to_owned(), json!([ada])),
        ("q=%28415%29+555-0123".to_owned(), json!([ada])),
        ("q=example.com".to_owned(), json!([ada])),
        (format!("q={contact}"), json!([ada])),
        ("q=%25".to_owned(), json!([])),
        ("startAt=2000-01-01".to_owned(), json!([bob, ada, old])),
        (format!("endAt={0}&startAt={0}", day(&old["createdAt"])), json!([old])),
        (format!("endAt={}", day(&old["createdAt"])), json!([old])),
        ("startAt=9000-01-01".to_owned(), json!([])),
    ] {
        let found = app.get(&format!("/forms/submissions?{query}")).key(&key).send().await.expect(200);
        assert_eq!(found["submissions"], expected, "{query}");
        assert_eq!(found["meta"]["total"], expected.as_array().unwrap().len(), "{query}");
        let older = app.get(&format!("/v1/forms/submissions?{query}")).key(&key).send().await.expect(200);
        assert_eq!(older["meta"], found["meta"], "{query}");
    }
    let pages = [
        ("page=1&limit=1", &bob, json!({"total": 2, "currentPage": 1, "nextPage": 2, "prevPage": null})),
        ("page=2&limit=1", &ada, json!({"total": 2, "currentPage": 2, "nextPage": null, "prevPage": 1})),
    ];
    for (query, expected, meta) in pages {
        let found = app.get(&format!("/forms/submissions?{query}")).key(&key).send().await.expect(200);
        assert_eq!((&found["submissions"], &found["meta"]), (&json!([expected]), &meta));
    }
    // In the older API answers stand beside everything else, and hide nothing of it.
    let older = app.get("/v1/forms/submissions").key(&key).send().await.expect(200);
    let flat = &older["submissions"][0];
    assert_eq!((&flat["id"], &flat["name"], &flat["pageDetails"]), (&bob["id"], &json!("Bob"), &json!({})));
    assert_eq!(older["submissions"][1]["phone"], "(415) 555-0123");
    // Surveys have their own.
    assert_eq!(app.get("/surveys/submissions").key(&key).send().await.expect(200)["submissions"], json!([]));
    let survey = app.post("/surveys/").key(&key).json(&json!({"name": "Happy?"})).send().await.expect(201);
    let survey = format!("/surveys/{}", survey["survey"]["id"].as_str().unwrap());
    let said = submit(&app, &key, &survey, json!({"email": "zoe@example.com", "rating": 5})).await;
    assert_eq!((&said["surveyId"], &said["contactId"]), (&json!(id(&survey)), &ada["contactId"]));
    let found = app.get(&format!("/surveys/submissions?surveyId={}", id(&survey))).key(&key).send().await.expect(200);
    assert_eq!(found["submissions"], json!([said]));
    let older = app.get("/v1/surveys/submissions").key(&key).send().await.expect(200);
    assert_eq!(
        (&older["submissions"][0]["rating"], &older["submissions"][0]["surveyId"]),
        (&json!(5), &said["surveyId"])
    );
    // A form that is deleted leaves what was submitted; a contact in the trash takes it along.
    app.delete(&one).key(&key).send().await.expect(200);
    assert_eq!(app.get("/forms/submissions").key(&key).send().await.expect(200)["meta"]["total"], 2);
    app.delete(&format!("/contacts/{contact}")).key(&key).send().await.expect(200);
    assert_eq!(app.get("/forms/submissions").key(&key).send().await.expect(200)["submissions"], json!([bob]));
    for query in ["limit=0", "limit=101", "page=0", "formId=x", "startAt=soon", "endAt=2025-02-29", "other=1"] {
        let refused = app.get(&format!("/forms/submissions?{query}")).key(&key).send().await;
        assert_eq!(refused.status, 422, "{query}: {}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_answers_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let form = form(&app, &key, json!({})).await;
    let path = format!("{form}/submissions");
    let many: serde_json::Map<String, Value> = (0..201).map(|number| (number.to_string(), json!(1))).collect();
    for (body, about) in [
        (json!({}), "answers"),
        (json!({"answers": []}), "answers"),
        (json!({"answers": {"email": "x"}}), "answers.email must be an email"),
        (json!({"answers": {"phone": "12"}}), "answers.phone"),
        (json!({"answers": {"a": {"b": 1}}}), "answers.a must be"),
        (json!({"answers": {"a": [1]}}), "answers.a must be"),
        (json!({"answers": {"a": "\u{0}"}}), "answers"),
        (json!({"answers": {"a": key.secret}}), "answers"),
        (json!({"answers": {"a": "x".repeat(65_536)}}), "answers"),
        (json!({"answers": many}), "answers"),
        (json!({"answers": {}, "submissionId": "x".repeat(101)}), "submissionId"),
        (json!({"answers": {}, "contactId": "0000000000000000000A"}), "contactId"),
    ] {
        let refused = app.post(&path).key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{about}: {}", refused.text);
        assert!(!refused.text.contains(&key.secret));
    }
    assert_eq!(app.get("/forms/submissions").key(&key).send().await.expect(200)["meta"]["total"], 0);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 0);
    // A form of another location is like none.
    let sibling = app.location("Sibling").await;
    let theirs = app.key_with(Reach::location(sibling), Preset::FullAccess.scopes(KeyKind::Location), |_| {}).await;
    for path in [path.as_str(), "/forms/0000000000000000000A/submissions"] {
        let refused = app.post(path).key(&theirs).json(&json!({"answers": {"email": "a@example.com"}})).send().await;
        assert_eq!((refused.status, &refused.json()["code"]), (404, &json!("not_found")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_takes_too_long_says_what_to_add() {
    let app = TestApp::start_with(|config| config.limits.search = std::time::Duration::ZERO).await;
    let key = app.location_key().await;
    for path in ["/forms/submissions?q=x", "/surveys/submissions"] {
        let refused = app.get(path).key(&key).send().await;
        assert!(refused.status == 422 && refused.text.contains("take too long"), "{path}: {}", refused.text);
        assert!(refused.text.contains("startAt"), "{path}: {}", refused.text);
    }
}
