//! One of each thing that automates, for tests that try every route.

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

/// New ones in a location, each by the name that its id has in paths. All texts of theirs are `text`.
pub(crate) async fn automation(app: &TestApp, key: &TestKey, text: &str) -> Vec<(&'static str, String)> {
    let at = app.ids.location.as_str();
    let mut made = Vec::new();
    for (name, path, noun, new) in [
        ("{workflowId}", "/workflows/".to_owned(), "workflow", json!({"name": text, "definition": {"note": text}})),
        ("{campaignId}", "/campaigns/".to_owned(), "campaign", json!({"name": text})),
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
