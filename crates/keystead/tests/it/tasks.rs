//! The tasks of a location, searched over all its contacts.

use keystead_model::{grant::Reach, scope::Preset};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

async fn contact(app: &TestApp, key: &TestKey, name: &str) -> String {
    let made = app.post("/contacts/").key(key).json(&json!({"name": name})).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

async fn task(app: &TestApp, key: &TestKey, contact: &str, new: Value) -> Value {
    let call = app.post(&format!("/contacts/{contact}/tasks")).key(key).json(&new);
    call.send().await.expect(201)["task"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_found_by_whom_they_are_for_and_what_they_say() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (ada, bob) = (contact(&app, &key, "Ada").await, contact(&app, &key, "Bob").await);
    let (one, other) = ("0aQ7cXkJTm9Rb4Vw6Yz3", "0aQ7cXkJTm9Rb4Vw6Yz4");
    let new = |title: &str, due: &str, completed: bool, owner: &str| json!({"title": title, "dueDate": due, "completed": completed, "assignedTo": owner});
    let late = task(&app, &key, &ada, new("Größe klären", "2027-03-01", false, one)).await;
    let early = task(&app, &key, &ada, new("Call back", "2027-01-01", true, other)).await;
    let middle = task(&app, &key, &bob, new("Callback", "2027-02-01", false, one)).await;
    let path = format!("/locations/{}/tasks/search", app.ids.location);
    let search = async |body: Value| app.post(&path).key(&key).json(&body).send().await.expect(200)["tasks"].clone();
    for (body, expected) in [
        (json!({}), json!([early, middle, late])),
        (json!({"contactId": [ada]}), json!([early, late])),
        (json!({"contactId": ada}), json!([early, late])),
        (json!({"contactId": [ada, bob]}), json!([early, middle, late])),
        (json!({"contactId": ["0000000000000000000A"]}), json!([])),
        (json!({"completed": true}), json!([early])),
        (json!({"completed": false, "assignedTo": [one]}), json!([middle, late])),
        (json!({"assignedTo": [one, other], "limit": 2}), json!([early, middle])),
        (json!({"limit": 2.0, "skip": 2}), json!([late])),
        (json!({"query": "GROSSE"}), json!([late])),
        (json!({"query": "call"}), json!([early, middle])),
        (json!({"query": "%"}), json!([])),
        (json!({"businessId": "0000000000000000000A"}), json!([])),
    ] {
        assert_eq!(search(body.clone()).await, expected, "{body}");
    }
    // Of whoever works for a business now, and not of who did.
    let new = json!({"name": "Engines"});
    let business = app.post("/businesses/").key(&key).json(&new).send().await.expect(201)["business"]["id"].clone();
    assert_eq!(search(json!({"businessId": business})).await, json!([]));
    let members = json!({"ids": [ada], "businessId": business});
    app.post("/contacts/bulk/business").key(&key).json(&members).send().await.expect(200);
    assert_eq!(search(json!({"businessId": business})).await, json!([early, late]));
    assert_eq!(search(json!({"businessId": business, "completed": true})).await, json!([early]));
    let members = json!({"ids": [ada], "businessId": null});
    app.post("/contacts/bulk/business").key(&key).json(&members).send().await.expect(200);
    assert_eq!(search(json!({"businessId": business})).await, json!([]));
    // One that is called otherwise is found by its new title, and what is in the trash is not found.
    let renamed = json!({"title": "Ring back"});
    let one = format!("/contacts/{bob}/tasks/{}", middle["id"].as_str().unwrap());
    app.put(&one).key(&key).json(&renamed).send().await.expect(200);
    assert_eq!(search(json!({"query": "call"})).await, json!([early]));
    app.delete(&format!("/contacts/{ada}")).key(&key).send().await.expect(200);
    assert_eq!(search(json!({})).await.as_array().unwrap().len(), 1);
    for body in [
        json!({"limit": 0}),
        json!({"limit": 101}),
        json!({"skip": -1}),
        json!({"completed": "yes"}),
        json!({"contactId": ["x"]}),
        json!({"assignedTo": [7]}),
        json!({"dueDate": "2027-01-01"}),
    ] {
        assert_eq!(app.post(&path).key(&key).json(&body).send().await.status, 422, "{body}");
    }
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let found = app.post(&format!("/locations/{sibling}/tasks/search")).key(&theirs).json(&json!({})).send().await;
    assert_eq!(found.expect(200)["tasks"], json!([]));
    assert_eq!(app.post(&path).key(&theirs).json(&json!({})).send().await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_takes_too_long_says_what_to_add() {
    let app = TestApp::start_with(|config| config.limits.search = std::time::Duration::ZERO).await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, "Ada").await;
    task(&app, &key, &ada, json!({"title": "Call", "dueDate": "2027-01-01", "completed": false})).await;
    let path = format!("/locations/{}/tasks/search", app.ids.location);
    let refused = app.post(&path).key(&key).json(&json!({"query": "call"})).send().await.expect(422);
    let message = refused["message"][0].as_str().unwrap();
    assert!(message.contains("take too long") && message.contains("add contactId"), "{message}");
    let all = app.post(&path).key(&key).json(&json!({})).send().await.expect(200);
    assert_eq!(all["tasks"].as_array().unwrap().len(), 1);
}
