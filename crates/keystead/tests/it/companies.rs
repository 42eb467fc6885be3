//! Companies: an agency as programs see it.

use keystead_core::NewAgency;
use keystead_model::{
    agency::TenantName,
    grant::Reach,
    key_kind::KeyKind,
    scope::{Preset, ScopeSet},
};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_read_with_its_locations_and_changed() {
    let app = TestApp::start().await;
    let key = app.agency_key().await;
    let path = format!("/companies/{}", app.ids.agency);
    for version in ["2021-07-28", "v3"] {
        let company = app.get(&path).key(&key).header("Version", version).send().await.expect(200)["company"].take();
        let id = app.ids.agency.as_str();
        assert_eq!(company, json!({"id": id, "name": "Northwind Agency", "locationCount": 1}));
    }
    let second = app.location("Second").await;
    let change = json!({
        "name": "Northwind Group",
        "email": "hello@northwind.example",
        "phone": "+1 415 555 0123 ext. 7",
        "website": "https://northwind.example",
        "domain": "app.northwind.example",
        "logoUrl": "https://northwind.example/logo.png",
        "address": "3 Harbour Street",
        "city": "Seattle",
        "state": "WA",
        "postalCode": "98101",
        "country": "US",
        "timezone": "America/Los_Angeles",
    });
    let changed = app.put(&path).key(&key).json(&change).send().await.expect(200)["company"].take();
    let got = app.get(&path).key(&key).send().await.expect(200)["company"].take();
    assert_eq!(changed, got);
    assert_eq!(got["locationCount"], 2);
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&got[name], value, "{name}");
    }
    // What is emptied stays empty, null means that nobody set it, and what is not named stays.
    let change = json!({"clear": ["country", "phone"], "city": "", "website": null});
    app.put(&path).key(&key).json(&change).send().await.expect(200);
    let got = app.get(&path).key(&key).send().await.expect(200)["company"].take();
    for name in ["country", "phone", "city"] {
        assert_eq!(got[name], Value::Null, "{name}");
    }
    assert_eq!((&got["website"], &got["name"]), (&json!("https://northwind.example"), &json!("Northwind Group")));

    // Who reaches some locations sees how many these are, and changes nothing of the agency.
    let chosen = app.key(Reach::Chosen([second].into()), Preset::FullAccess).await;
    assert_eq!(app.get(&path).key(&chosen).send().await.expect(200)["company"]["locationCount"], 1);
    let refused = app.put(&path).key(&chosen).json(&json!({"name": "Mine"})).send().await.expect(403);
    assert_eq!(refused["code"], "not_allowed");
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["company"]["name"], "Northwind Group");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_company_is_like_none_and_a_location_key_has_none() {
    let app = TestApp::start().await;
    let key = app.agency_key().await;
    let other = app.app.create_agency(NewAgency { name: TenantName::parse("Other").unwrap() }).await.unwrap().id;
    let mut answers = Vec::new();
    for id in [other.as_str(), "0aQ7cXkPTm9Rb4Vw6Yz4", "x"] {
        for call in
            [app.get(&format!("/companies/{id}")), app.put(&format!("/companies/{id}")).json(&json!({"name": "x"}))]
        {
            let refused = call.key(&key).send().await.expect(404);
            answers.push(refused["message"].as_str().unwrap().replace(id, "ID"));
        }
    }
    answers.dedup();
    assert_eq!(answers, ["Company with id ID not found"]);
    let path = format!("/companies/{}", app.ids.agency);
    let location_key = app.location_key().await;
    assert_eq!(app.get(&path).key(&location_key).send().await.expect(401)["code"], "agency_key_needed");
    let scopes = ScopeSet::all(KeyKind::Location);
    assert!(!scopes.to_names().contains("companies"));
    for (body, about) in [
        (json!({"name": 1}), "name"),
        (json!({"email": "x"}), "email"),
        (json!({"country": "Atlantis"}), "country"),
        (json!({"timezone": "Moon/Sea"}), "timezone"),
        (json!({"locationCount": 5}), "locationCount"),
        (json!({"clear": ["name"]}), "clear"),
        (json!({"city": "x".repeat(101)}), "city"),
    ] {
        let refused = app.put(&path).key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{body}: {}", refused.text);
    }
}
