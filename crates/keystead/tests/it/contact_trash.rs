//! The trash of contacts: what is in it, bringing it back with all that belongs to it, and erasing for good.

use std::time::Duration;

use keystead_core::App;
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    app::{Browser, flash},
    things::belongings,
};

async fn contact(app: &TestApp, key: &TestKey, fields: Value) -> String {
    let made = app.post("/contacts/").key(key).json(&fields).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

async fn events(app: &TestApp, key: &TestKey, subject: &str) -> Vec<Value> {
    let read = app.get("/events").key(key).query(&[("subject", subject)]).send().await.expect(200);
    read["events"].as_array().unwrap().clone()
}

async fn opportunities(app: &TestApp, key: &TestKey, contact: &str) -> Vec<Value> {
    let at = format!("/opportunities/search?location_id={}&contact_id={contact}", app.ids.location);
    app.get(&at).key(key).send().await.expect(200)["opportunities"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_comes_back_as_it_was() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let fields = json!({"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+14155550123", "tags": ["vip"]});
    let id = contact(&app, &key, fields).await;
    belongings(&app, &key, &id).await;
    let url = format!("/contacts/{id}");
    let before = app.get(&url).key(&key).send().await.expect(200)["contact"].clone();
    let owned = opportunities(&app, &key, &id).await;
    let counts = async || {
        let tag = app.number("SELECT contacts FROM tags WHERE name = 'vip'").await;
        let all = app.number("SELECT CAST(sum(contacts) AS BIGINT) FROM contact_counts").await;
        let stages = app.number("SELECT CAST(sum(opportunities) AS BIGINT) FROM opportunity_totals").await;
        let terms = app.number("SELECT CAST(count(*) AS BIGINT) FROM contact_terms").await;
        (tag, all, stages, terms)
    };
    let counted = counts().await;
    app.delete(&url).key(&key).send().await.expect(200);
    let mut browser = Browser::signed_in(&app).await;
    let trash = format!("/app/locations/{}/contacts/trash", app.ids.location);
    let page = browser.get(&trash).await;
    assert!(page.text.contains("Ada Lovelace") && page.text.contains("in 30 days"), "{}", page.text);
    let (at, page) = browser.post(&format!("{trash}/{id}/restore"), &[]).await;
    assert_eq!(flash(&page).as_deref(), Some("“Ada Lovelace” is restored, with all that belongs to it."));
    assert!(at.ends_with(&id), "{at}");
    assert!(browser.get(&trash).await.text.contains("No contact is in the trash"));
    let mut after = app.get(&url).key(&key).send().await.expect(200)["contact"].clone();
    assert!(after["dateUpdated"].as_str() > before["dateUpdated"].as_str(), "whoever follows by it hears of it");
    for changed in ["dateUpdated", "lastActivity"] {
        after[changed] = before[changed].clone();
    }
    assert_eq!(after, before);
    assert_eq!(counts().await, counted);
    let ids = |all: &[Value]| all.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&opportunities(&app, &key, &id).await), ids(&owned));
    let found = app.get("/contacts/search/duplicate?email=ada@example.com").key(&key).send().await.expect(200);
    assert_eq!(found["contact"]["id"], id.as_str());
    let kinds: Vec<Value> = events(&app, &key, &id).await.iter().map(|event| event["type"].clone()).collect();
    let told = |kind: &str| kinds.contains(&json!(kind));
    assert!(told("contact.restored") && told("opportunity.restored"), "{kinds:?}");
    // Twice is once: it is not there any more.
    assert_eq!(browser.post(&format!("{trash}/{id}/restore"), &[]).await.1.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_said_and_nothing_comes_back() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let gone = contact(&app, &key, json!({"name": "Old", "email": "ada@example.com"})).await;
    app.delete(&format!("/contacts/{gone}")).key(&key).send().await.expect(200);
    contact(&app, &key, json!({"name": "New One", "email": "ada@example.com"})).await;
    let mut browser = Browser::signed_in(&app).await;
    let trash = format!("/app/locations/{}/contacts/trash", app.ids.location);
    let (_, page) = browser.post(&format!("{trash}/{gone}/restore"), &[]).await;
    let said = "New One has its e-mail address by now";
    assert!(page.status == 409 && page.text.contains(said) && page.text.contains(">Old<"), "{}", page.text);
    app.sql("UPDATE locations SET allow_duplicate_contact = TRUE").await;
    let (_, page) = browser.post(&format!("{trash}/{gone}/restore"), &[]).await;
    assert_eq!(page.status, 200, "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn opportunities_come_back_where_they_still_can() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = contact(&app, &key, json!({"name": "Ada"})).await;
    let pipeline = async |name: &str| {
        let new = json!({"name": name, "stages": [{"name": "First"}, {"name": "Second"}]});
        app.post("/opportunities/pipelines").key(&key).json(&new).send().await.expect(201)["pipeline"].clone()
    };
    let (kept, deleted) = (pipeline("Kept").await, pipeline("Deleted").await);
    for pipeline in [&kept, &deleted] {
        let new = json!({"name": pipeline["name"], "contactId": id, "pipelineId": pipeline["id"], "status": "open",
            "pipelineStageId": pipeline["stages"][1]["id"], "monetaryValue": 5});
        app.post("/opportunities/").key(&key).json(&new).send().await.expect(201);
    }
    app.delete(&format!("/contacts/{id}")).key(&key).send().await.expect(200);
    let url = |pipeline: &Value| format!("/opportunities/pipelines/{}", pipeline["id"].as_str().unwrap());
    app.delete(&url(&deleted)).key(&key).send().await.expect(200);
    let first = json!({"name": "Kept", "stages": [kept["stages"][0]]});
    app.put(&url(&kept)).key(&key).json(&first).send().await.expect(200);
    let mut browser = Browser::signed_in(&app).await;
    let trash = format!("/app/locations/{}/contacts/trash", app.ids.location);
    let (_, page) = browser.post(&format!("{trash}/{id}/restore"), &[]).await;
    assert!(flash(&page).unwrap().contains("whose pipelines were deleted meanwhile did not come back"));
    let back = opportunities(&app, &key, &id).await;
    assert_eq!((back.len(), &back[0]["name"]), (1, &json!("Kept")));
    assert_eq!(back[0]["pipelineStageId"], kept["stages"][0]["id"], "its stage is gone: it begins anew");
}

/// Whether a text stands anywhere in the database.
async fn is_kept(app: &TestApp, text: &str) -> bool {
    let tables = [
        "SELECT CAST(count(*) AS BIGINT) FROM events WHERE replace(COALESCE(before_json, '') || COALESCE(after_json, ''), '@@', '')
             <> COALESCE(before_json, '') || COALESCE(after_json, '')",
        "SELECT CAST(count(*) AS BIGINT) FROM contacts WHERE replace(COALESCE(last_name, ''), '@@', '') <> COALESCE(last_name, '')",
        "SELECT CAST(count(*) AS BIGINT) FROM notes WHERE replace(body, '@@', '') <> body",
        "SELECT CAST(count(*) AS BIGINT) FROM opportunities WHERE replace(name, '@@', '') <> name",
    ];
    for sql in tables {
        if app.number(&sql.replace("@@", text)).await > 0 {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_contact_is_gone_with_whoever_was_merged_into_it_and_the_chain_holds() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = contact(&app, &key, json!({"name": "Ada Xyzzy", "email": "ada@example.com"})).await;
    belongings(&app, &key, &id).await;
    let note = json!({"body": "About Xyzzy"});
    app.post(&format!("/contacts/{id}/notes")).key(&key).json(&note).send().await.expect(201);
    let merged = contact(&app, &key, json!({"name": "A Xyzzy", "email": "a@example.com"})).await;
    let before = contact(&app, &key, json!({"name": "Older Xyzzy"})).await;
    let other = contact(&app, &key, json!({"name": "Bob Plugh"})).await;
    let (node, admin) = (&app.app, app.admin().await);
    let context = node.enter_location(admin, Some(app.ids.location)).await.unwrap();
    let parse = |id: &str| keystead_model::ContactId::parse(id).unwrap();
    for (into, from) in [(&merged, &before), (&id, &merged)] {
        App::merge_contacts(node, &context, parse(into), parse(from)).await.unwrap();
    }
    assert!(is_kept(&app, "Xyzzy").await);
    let mut browser = Browser::signed_in(&app).await;
    let page = format!("/app/locations/{}/contacts/{id}/erase", app.ids.location);
    let (_, wrong) = browser.post(&page, &[("name", "Ada")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("not the contact’s name"), "{}", wrong.text);
    let (_, done) = browser.post(&page, &[("name", " ada  xyzzy ")]).await;
    assert_eq!(flash(&done).as_deref(), Some("The contact is erased for good, with all that belonged to it."));
    assert!(!is_kept(&app, "Xyzzy").await && is_kept(&app, "Plugh").await);
    for gone in [&id, &merged, &before] {
        let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM contacts WHERE id = '{gone}'");
        assert_eq!(app.number(&sql).await, 0);
    }
    assert!(events(&app, &key, &id).await.iter().all(|event| event["erased"] == true && event["after"].is_null()));
    assert!(events(&app, &key, &other).await.iter().all(|event| event["erased"] == false));
    // That somebody erased it is sealed.
    let operator = app.operator().await;
    let verified = node.verify_audit(&operator, None).await.unwrap();
    assert!(verified.problems.is_empty(), "{:?}", verified.problems);
    let told = format!(
        "SELECT CAST(count(*) AS BIGINT) FROM events WHERE action = 'audit.erased' AND chained AND subject = '{id}'"
    );
    assert_eq!(app.number(&told).await, 1);
    assert_eq!(browser.get(&page).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_trash_is_erased_before_its_time() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = contact(&app, &key, json!({"name": "Ada Xyzzy"})).await;
    app.delete(&format!("/contacts/{id}")).key(&key).send().await.expect(200);
    let mut browser = Browser::signed_in(&app).await;
    let contacts = format!("/app/locations/{}/contacts", app.ids.location);
    let (at, page) = browser.post(&format!("{contacts}/{id}/erase"), &[("name", "Ada Xyzzy")]).await;
    assert!(at.ends_with("/trash") && page.text.contains("No contact is in the trash"), "{at}");
    assert!(!is_kept(&app, "Xyzzy").await);
    app.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 0);
}
