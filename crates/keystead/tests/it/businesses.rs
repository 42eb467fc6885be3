//! Businesses of a location.

use keystead_testkit::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_business_is_made_changed_listed_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({
        "name": "Northwind",
        "locationId": app.ids.location.as_str(),
        "phone": "+1 415 555 0123 ext. 7",
        "city": "Seattle",
        "description": "Since 1987.\nTwo shops.",
    });
    let made = app.post("/businesses/").key(&key).json(&new).send().await.expect(201);
    assert_eq!((&made["success"], &made["buiseness"]), (&json!(true), &made["business"]));
    let made = &made["business"];
    let by = json!({"type": "key", "id": key.id.as_str()});
    assert_eq!((&made["createdBy"], &made["updatedBy"]), (&by, &by));
    for (name, value) in new.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let one = format!("/businesses/{}", made["id"].as_str().unwrap());
    assert_eq!(&app.get(&one).key(&key).send().await.expect(200)["business"], made);
    // What is emptied stays empty, and what is not named stays.
    let change = json!({"clear": ["city"], "website": "https://northwind.example"});
    let second = app.location_key().await;
    let changed = app.put(&one).key(&second).json(&change).send().await.expect(200)["buiseness"].clone();
    assert_eq!(changed["createdBy"], by);
    assert_eq!(changed["updatedBy"], json!({"type": "key", "id": second.id.as_str()}));
    assert_eq!((&changed["city"], &changed["name"]), (&Value::Null, &json!("Northwind")));
    let listed = app.get("/businesses/").key(&key).send().await.expect(200);
    assert_eq!(listed["businesses"], json!([changed]));
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200)["success"], true);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
    assert_eq!(app.get("/businesses/").key(&key).send().await.expect(200)["businesses"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_businesses_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for (body, about) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x", "email": "x"}), "email"),
        (json!({"name": "x", "country": "Atlantis"}), "country"),
        (json!({"name": "x", "createdAt": "2026-01-01"}), "createdAt"),
        (json!({"name": "x", "description": "x".repeat(5_001)}), "description"),
    ] {
        let refused = app.post("/businesses/").key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{body}: {}", refused.text);
    }
    assert_eq!(app.get("/businesses/").key(&key).send().await.expect(200)["businesses"], json!([]));
}
