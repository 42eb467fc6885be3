//! Templates of a location.

use keystead_model::{grant::Reach, scope::Preset};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_made_changed_listed_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let at = app.ids.location.as_str();
    let path = format!("/locations/{at}/templates");
    let new = json!({"name": "Reminder", "type": "email", "subject": "Tomorrow", "html": "<p>See you, {{contact.name}}.</p>"});
    let mail = app.post(&path).key(&key).json(&new).send().await.expect(201)["template"].clone();
    assert_eq!((&mail["name"], &mail["type"], &mail["originId"]), (&new["name"], &new["type"], &json!(at)));
    assert_eq!(mail["template"], json!({"subject": "Tomorrow", "html": new["html"], "attachments": []}));
    let new = json!({"name": "Short", "type": "sms", "body": "See you", "originId": "elsewhere"});
    let sms = app.post(&path).key(&key).json(&new).send().await.expect(201)["template"].clone();
    assert_eq!(sms["template"], json!({"body": "See you", "attachments": []}));
    let one = format!("{path}/{}", mail["id"].as_str().unwrap());
    assert_eq!(app.get(&one).key(&key).send().await.expect(200)["template"], mail);
    for (query, expected) in [
        (format!("originId={at}"), json!([mail])),
        ("originId=elsewhere".to_owned(), json!([sms])),
        ("originId=nowhere".to_owned(), json!([])),
        (format!("originId={at}&type=email&skip=0&limit=25"), json!([mail])),
        (format!("originId={at}&type=sms"), json!([])),
        (format!("originId={at}&skip=1"), json!([])),
        (format!("originId={at}&deleted=true"), json!([])),
        (format!("originId={at}&deleted=false"), json!([mail])),
    ] {
        let listed = app.get(&format!("{path}?{query}")).key(&key).send().await.expect(200);
        assert_eq!(listed["templates"], expected, "{query}");
        if !query.contains("skip=1") {
            assert_eq!(listed["totalCount"], expected.as_array().unwrap().len(), "{query}");
        }
    }
    let change = json!({"name": "Again", "clear": ["subject"]});
    let changed = app.put(&one).key(&key).json(&change).send().await.expect(200)["template"].clone();
    assert_eq!((&changed["name"], &changed["template"]["subject"]), (&json!("Again"), &Value::Null));
    assert_eq!(changed["template"]["html"], mail["template"]["html"]);
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let stolen = format!("/locations/{sibling}/templates/{}", mail["id"].as_str().unwrap());
    assert_eq!(app.get(&stolen).key(&theirs).send().await.status, 404);
    assert_eq!(app.delete(&one).key(&key).send().await.expect(200)["succeded"], true);
    assert_eq!(app.get(&one).key(&key).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_templates_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = format!("/locations/{}/templates", app.ids.location);
    for (body, about) in [
        (json!({"type": "sms", "body": "x"}), "name"),
        (json!({"name": "x", "body": "x"}), "type"),
        (json!({"name": "x", "type": "fax", "body": "x"}), "type"),
        (json!({"name": "x", "type": "sms"}), "body"),
        (json!({"name": "x", "type": "sms", "body": "x", "subject": "y"}), "subject"),
        (json!({"name": "x", "type": "sms", "body": "x".repeat(100_001)}), "body"),
        (json!({"name": "x", "type": "sms", "body": "x", "deleted": true}), "deleted"),
    ] {
        let refused = app.post(&path).key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains(about), "{body}: {}", refused.text);
    }
    for query in ["", "?originId=x&limit=0", "?originId=x&type=fax", "?originId=x&deleted=maybe"] {
        assert_eq!(app.get(&format!("{path}{query}")).key(&key).send().await.status, 422, "{query}");
    }
    let all = format!("{path}?originId={}", app.ids.location);
    assert_eq!(app.get(&all).key(&key).send().await.expect(200)["totalCount"], 0);
}
