//! Custom values of a location, in both APIs.

use std::time::Duration;

use keystead_model::{grant::Reach, scope::Preset};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_made_changed_listed_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = format!("/locations/{}/customValues", app.ids.location);
    let new = json!({"name": "Öffnungszeiten (Winter)", "value": "9 bis 17 Uhr"});
    let made = app.post(&path).key(&key).json(&new).send().await.expect(201)["customValue"].clone();
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let expected = json!({
        "id": made["id"],
        "name": "Öffnungszeiten (Winter)",
        "fieldKey": "{{ custom_values.offnungszeiten_winter }}",
        "value": "9 bis 17 Uhr",
        "locationId": app.ids.location.as_str(),
    });
    assert_eq!(made, expected);
    // What stands for it in texts stays when it is called otherwise.
    let change = json!({"name": "Hours", "value": "10 bis 18 Uhr"});
    let changed = app.put(&one).key(&key).json(&change).send().await.expect(200)["customValue"].clone();
    assert_eq!((&changed["name"], &changed["fieldKey"]), (&json!("Hours"), &expected["fieldKey"]));
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["customValue"], changed);
    app.clock.advance(Duration::from_millis(1));
    let second = json!({"name": "Phone", "value": "+1"});
    app.post(&path).key(&key).json(&second).send().await.expect(201);
    let names = async || -> Vec<Value> {
        let listed = app.get(&path).key(&key).send().await.expect(200);
        listed["customValues"].as_array().unwrap().iter().map(|value| value["name"].clone()).collect()
    };
    assert_eq!(names().await, ["Phone", "Hours"]);
    let deleted = app.delete(&one).key(&key).send().await.expect(200);
    assert_eq!(deleted["succeded"], true);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
    assert_eq!(names().await, ["Phone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_stand_for_the_same_in_texts() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = format!("/locations/{}/customValues", app.ids.location);
    let make = async |name: &str| app.post(&path).key(&key).json(&json!({"name": name, "value": "x"})).send().await;
    make("Support e-mail").await.expect(201);
    for same in ["Support e-mail", "SUPPORT  E.MAIL", "support é mail"] {
        let refused = make(same).await;
        assert!(refused.status == 409 && refused.text.contains("support_e_mail"), "{same}: {}", refused.text);
    }
    // Another location has its own.
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let new = json!({"name": "Support e-mail", "value": "x"});
    let call = app.post(&format!("/locations/{sibling}/customValues"));
    call.key(&theirs).json(&new).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_values_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = format!("/locations/{}/customValues", app.ids.location);
    for (body, about) in [
        (json!({}), "name"),
        (json!({"name": "x"}), "value"),
        (json!({"name": "", "value": "x"}), "name"),
        (json!({"name": "a\nb", "value": "x"}), "name"),
        (json!({"name": "x".repeat(201), "value": "x"}), "name"),
        (json!({"name": "x", "value": "x".repeat(10_001)}), "value"),
        (json!({"name": "x", "value": {"a": 1}}), "value"),
        (json!({"name": "x", "value": "x", "fieldKey": "mine"}), "fieldKey"),
        (json!({"name": "x", "value": "x", "locationId": "0000000000000000000A"}), "locationId"),
    ] {
        let refused = app.post(&path).key(&key).json(&body).send().await;
        assert!((400..=422).contains(&refused.status), "{body}: {}", refused.text);
        assert!(refused.text.contains(about) || refused.status == 403, "{body}: {}", refused.text);
    }
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["customValues"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_api_has_its_own_shapes() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"name": "Phone", "value": "+1"});
    let made = app.post("/v1/custom-values/").key(&key).json(&new).send().await.expect(200);
    assert_eq!(made["fieldKey"], "{{ custom_value.phone }}");
    let listed = app.get("/v1/custom-values/").key(&key).send().await.expect(200);
    assert_eq!((&listed["customValues"], &listed["customFields"]), (&json!([made]), &json!([made])));
    let one = format!("/v1/custom-values/{}", made["id"].as_str().unwrap());
    let change = json!({"name": "Phone", "value": "+2"});
    assert_eq!(app.put(&one).key(&key).json(&change).send().await.expect(200)["value"], "+2");
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["value"], "+2");
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200), "");
    let gone = app.get(&one).key(&key).send().await;
    assert!(gone.status == 422 && gone.text.contains("custom value"), "{}", gone.text);
}

/// What people make one by one has an end, which is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_location_has_no_more_than_so_many() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = format!("/locations/{}/customValues", app.ids.location);
    let bulk = format!("{path}/bulk");
    let value = |number: usize| json!({"name": format!("Value {number}"), "value": "x"});
    for from in (0..2_000).step_by(100) {
        let many: Vec<Value> = (from..from + 100).map(value).collect();
        app.post(&bulk).key(&key).json(&json!({"customValues": many})).send().await.expect(200);
        // Each value counts against the key's limit.
        app.clock.advance(Duration::from_secs(10));
    }
    let refused = app.post(&path).key(&key).json(&value(2_000)).send().await;
    assert!(refused.status == 422 && refused.text.contains("there are 2000 of this kind already"), "{}", refused.text);
}
