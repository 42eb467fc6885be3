//! All that is kept of a contact, as one file.

use std::collections::BTreeSet;

use keystead_model::{
    grant::Reach,
    scope::{Scope, ScopeSet},
};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

use crate::{app::Browser, things::belongings};

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_a_contact_is_in_one_file() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = app.post("/contacts/").key(&key).json(&json!({"name": "Ada", "email": "ada@example.com"})).send().await;
    let id = made.expect(201)["contact"]["id"].as_str().unwrap().to_owned();
    let other = app
        .post("/contacts/")
        .key(&key)
        .json(&json!({"name": "Bob", "email": "bob@example.com"}))
        .send()
        .await
        .expect(201);
    let other = other["contact"]["id"].as_str().unwrap().to_owned();
    for contact in [&id, &other] {
        belongings(&app, &key, contact).await;
    }
    // More than are read at a time.
    for number in 0..450 {
        let note = json!({"body": format!("Note {number}")});
        app.post(&format!("/contacts/{id}/notes")).key(&key).json(&note).send().await.expect(201);
    }
    let mut browser = Browser::signed_in(&app).await;
    let url = format!("/app/locations/{}/contacts/{id}/everything.json", app.ids.location);
    let answer = browser.get(&url).await;
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"contact.json\"");
    let whole: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(whole["contact"]["email"], "ada@example.com");
    let count = |part: &str| whole[part].as_array().unwrap().len();
    let made = [
        "notes",
        "tasks",
        "recurringTasks",
        "opportunities",
        "enrollments",
        "formSubmissions",
        "inboundPayloads",
        "linkTokens",
        "clicks",
        "files",
    ];
    let counts: Vec<usize> = made.iter().map(|part| count(part)).collect();
    assert_eq!(counts, [451, 1, 1, 1, 1, 1, 1, 1, 1, 2], "{made:?}");
    assert!(count("surveySubmissions") == 0 && count("events") > 450, "{}", count("events"));
    assert!(whole["files"][0]["name"].is_string() && whole["files"][0]["url"].is_null());
    let mentions = |part: &str| whole[part].as_array().unwrap().iter().any(|one| one.to_string().contains(&other));
    assert!(made.iter().chain(&["events"]).all(|part| !mentions(part)), "nothing of anybody else");
    assert_eq!(whole["leftOut"], json!([]));
    // A program gets the same, as far as it may read it.
    let by_key = app.get(&format!("/contacts/{id}/everything")).key(&key).send().await;
    assert_eq!(
        (by_key.header("content-type"), by_key.json()["notes"].clone()),
        ("application/json", whole["notes"].clone())
    );
    let some = ScopeSet::EMPTY.with(Scope::ContactsRead);
    let some = app.key_with(Reach::location(app.ids.location), some, |_| {}).await;
    let part = app.get(&format!("/contacts/{id}/everything")).key(&some).send().await.expect(200);
    let left_out = json!([
        "recurringTasks",
        "opportunities",
        "formSubmissions",
        "surveySubmissions",
        "inboundPayloads",
        "linkTokens",
        "clicks",
        "files"
    ]);
    assert_eq!(
        (&part["leftOut"], &part["contact"], &part["opportunities"]),
        (&left_out, &whole["contact"], &json!(null))
    );
    let nouns = |whole: &Value| -> BTreeSet<String> {
        let types = whole["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
        types.map(|name| name.split('.').next().unwrap().to_owned()).collect()
    };
    assert!(nouns(&whole).contains("opportunity") && !nouns(&part).contains("opportunity"), "{:?}", nouns(&part));
    let unknown = url.replace(&id, "0000000000000000000A");
    assert_eq!(browser.get(&unknown).await.status, 404);
}
