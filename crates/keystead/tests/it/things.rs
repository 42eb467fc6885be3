//! One of each thing that automates, for tests that try every route.

use keystead_model::{
    ContactId, CustomFieldId,
    custom_field::{FieldValue, FieldValues, OwnerKind},
};
use keystead_store::{Error, Tx, field_values};
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

/// One of each thing that belongs to a contact.
pub(crate) async fn belongings(app: &TestApp, key: &TestKey, contact: &str) {
    let task = json!({"title": "x", "dueDate": "2026-12-01", "completed": false});
    for (path, body) in [("notes", json!({"body": "x"})), ("tasks", task)] {
        app.post(&format!("/contacts/{contact}/{path}")).key(key).json(&body).send().await.expect(201);
    }
    automation(app, key, "x", contact).await;
    let campaign = app.post("/campaigns/").key(key).json(&json!({"name": "x"})).send().await.expect(201);
    let path = format!("/contacts/{contact}/campaigns/{}", id(&campaign["campaign"]));
    app.post(&path).key(key).json(&json!({})).send().await.expect(201);
    let (location, owner) = (app.ids.location, (OwnerKind::Contact, ContactId::parse(contact).unwrap()));
    let field = CustomFieldId::parse("0000000000000000000F").unwrap();
    let values = FieldValues { field, values: vec![FieldValue::Text("blue".to_owned())] };
    let write = move |tx: &mut Tx<'_>| field_values::replace(tx, location, owner, &values);
    app.second_store().write::<_, Error, _>(write).await.unwrap();
}
