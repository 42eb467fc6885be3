//! One of each thing that automates, for tests that try every route.

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

/// New ones in a location, each by the name that its id has in paths. All texts of theirs are `text`, and what is for a contact is
/// for this one.
pub(crate) async fn automation(app: &TestApp, key: &TestKey, text: &str, contact: &str) -> Vec<(&'static str, String)> {
    let at = app.ids.location.as_str();
    let daily = json!({"intervalType": "daily", "interval": 1, "startDate": "2030-01-01", "dueAfterSeconds": 600});
    let recurring = json!({"title": text, "contactIds": [contact], "rruleOptions": daily});
    let mut made = Vec::new();
    for (name, path, noun, new) in [
        ("{workflowId}", "/workflows/".to_owned(), "workflow", json!({"name": text, "definition": {"note": text}})),
        ("{campaignId}", "/campaigns/".to_owned(), "campaign", json!({"name": text})),
        ("{recurringTaskId}", format!("/locations/{at}/recurring-tasks"), "recurringTask", recurring),
        ("{linkId}", "/links/".to_owned(), "link", json!({"name": text, "redirectTo": "https://example.com/"})),
    ] {
        let answer = app.post(&format!("{path}?locationId={at}")).key(key).json(&new).send().await.expect(201);
        made.push((name, id(&answer[noun])));
    }
    made
}

fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}
