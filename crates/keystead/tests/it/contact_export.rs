//! The contacts that a list shows as files: whatever is searched for, however many they are, and while they change.

use keystead_core::{ContactFormat, InParts};
use keystead_model::{
    contact::{ContactFilter, ContactOrder, ContactPatch},
    text::EmailAddress,
};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

use crate::{app::Browser, callers::downloads};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_shows_is_downloaded_in_its_order() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let field = json!({"name": "Plan", "dataType": "TEXT"});
    let at = format!("/locations/{}/customFields", app.ids.location);
    let field = app.post(&at).key(&key).json(&field).send().await.expect(201)["customField"]["id"].clone();
    for (name, email) in [("=Ada", "ada@example.com"), ("Bob", "bob@example.com"), ("Ada Two", "two@example.com")] {
        let new = json!({"name": name, "email": email, "customFields": [{"id": field, "value": "Gold, or so"}]});
        app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
        app.clock.advance(std::time::Duration::from_millis(5));
    }
    let mut browser = Browser::signed_in(&app).await;
    let contacts = format!("/app/locations/{}/contacts", app.ids.location);
    let list = browser.get(&format!("{contacts}?q=ada&sort=oldest")).await;
    let url = format!("{contacts}/export.csv?q=ada&sort=oldest");
    assert!(list.text.contains(&url.replace('&', "&#38;")), "{}", list.text);
    let csv = browser.get(&url).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"contacts.csv\"");
    let lines: Vec<&str> = csv.text.lines().collect();
    assert!(lines[0].starts_with("Id,First Name,") && lines[0].ends_with(",contact.plan"), "{}", lines[0]);
    assert_eq!(lines.len(), 3, "{}", csv.text);
    assert!(lines[1].contains(",'=Ada,") && lines[1].ends_with(",\"Gold, or so\""), "{}", lines[1]);
    assert!(lines[2].contains("two@example.com"));
    let lines = browser.get(&format!("{contacts}/export.jsonl?sort=newest")).await;
    assert_eq!(lines.header("content-type"), "application/jsonl");
    let all: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let emails: Vec<&str> = all.iter().map(|one| one["email"].as_str().unwrap()).collect();
    assert_eq!(emails, ["two@example.com", "bob@example.com", "ada@example.com"]);
    assert_eq!(all[0]["customFields"][0]["value"], "Gold, or so");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_that_change_meanwhile_none_is_left_out() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let admin = app.admin().await;
    let context = app.app.enter_location(admin, Some(app.ids.location)).await.unwrap();
    for number in 0..1_200 {
        let email = EmailAddress::parse(&format!("p{number}@example.com")).unwrap();
        let new = ContactPatch { email: Some(Some(email)), ..ContactPatch::default() };
        app.app.create_contact(&context, new).await.unwrap();
    }
    let filter = ContactFilter { order: ContactOrder::Updated, ..ContactFilter::default() };
    let mut export = app.app.export_contacts(&context, filter, ContactFormat::JsonLines, downloads()).await.unwrap();
    let mut text = export.next().await.unwrap().unwrap();
    // One that was not read yet changes.
    let found = app.get("/contacts/search/duplicate?email=p600@example.com").key(&key).send().await.expect(200);
    let unread = found["contact"]["id"].clone();
    app.clock.advance(std::time::Duration::from_secs(1));
    let url = format!("/contacts/{}", unread.as_str().unwrap());
    app.put(&url).key(&key).json(&json!({"city": "Bath"})).send().await.expect(200);
    while let Some(more) = export.next().await.unwrap() {
        text.extend(more);
    }
    let text = String::from_utf8(text).unwrap();
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1_200);
    assert!(all.iter().any(|one| one["id"] == unread && one["city"] == "Bath"));
}
