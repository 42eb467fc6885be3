//! What opportunities have in custom fields: sent in every form, answered in every shape, told, and gone with them.

use std::time::Duration;

use keystead_testkit::{Answer, TestApp, TestKey};
use serde_json::{Value, json};

use crate::opportunities::{contact, first_pipeline, opportunity};

/// New fields of opportunities, in the order of their ids, which is that of their making.
async fn fields(app: &TestApp, key: &TestKey) -> [String; 5] {
    let mut made = Vec::new();
    for (name, more) in [
        ("Colour", json!({"dataType": "TEXT"})),
        ("Margin", json!({"dataType": "MONETORY"})),
        ("Rooms", json!({"dataType": "CHECKBOX", "options": ["Bath", "Kitchen", "Hall"]})),
        ("Moves", json!({"dataType": "DATE"})),
        ("Plan", json!({"dataType": "FILE_UPLOAD"})),
    ] {
        let mut new = json!({"name": name, "model": "opportunity"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("/locations/{}/customFields", app.ids.location);
        let field = app.post(&path).key(key).json(&new).send().await.expect(201)["customField"].clone();
        assert_eq!(field["model"], "opportunity");
        made.push(field["id"].as_str().unwrap().to_owned());
        app.clock.advance(Duration::from_millis(1));
    }
    made.try_into().unwrap()
}

fn path(opportunity: &Value) -> String {
    format!("/opportunities/{}", opportunity["id"].as_str().unwrap())
}

async fn held(app: &TestApp, key: &TestKey, path: &str) -> Value {
    app.get(path).key(key).send().await.expect(200)["opportunity"]["customFields"].clone()
}

async fn change(app: &TestApp, key: &TestKey, path: &str, body: Value) -> Answer {
    app.put(path).key(key).json(&body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_answered_in_every_shape() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let [colour, margin, rooms, moves, _] = fields(&app, &key).await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let sent = json!([
        {"id": colour, "field_value": "blue"},
        {"key": "margin", "fieldValue": "1200.55"},
        {"key": "opportunity.rooms", "field_value": ["Bath", "Hall"]},
        {"id": moves, "value": "12/20/2026"},
    ]);
    let expected = json!([
        {"id": colour, "fieldValue": "blue"}, {"id": margin, "fieldValue": 1200.55},
        {"id": rooms, "fieldValue": ["Bath", "Hall"]}, {"id": moves, "fieldValue": "2026-12-20"},
    ]);
    let made = opportunity(&app, &key, &pipeline, &ada, json!({"customFields": sent})).await;
    assert_eq!(made["customFields"], expected);
    for version in ["2021-07-28", "v3"] {
        let get = async |path: &str| app.get(path).key(&key).header("Version", version).send().await.expect(200);
        assert_eq!(get(&path(&made)).await["opportunity"]["customFields"], expected, "{version}");
        for query in ["", "?q=kitchen", "?status=open"] {
            let listed = get(&format!("/opportunities/search{query}")).await;
            assert_eq!(listed["opportunities"][0]["customFields"], expected, "{version} {query}");
        }
        let found = app.post("/opportunities/search").key(&key).header("Version", version).json(&json!({}));
        assert_eq!(found.send().await.expect(200)["opportunities"][0]["customFields"], expected, "{version}");
    }
    // An upsert finds it, and makes another elsewhere; what nobody names stays.
    let upsert =
        json!({"pipelineId": pipeline["id"], "contactId": ada, "customFields": [{"id": colour, "field_value": "red"}]});
    let changed = app.post("/opportunities/upsert").key(&key).json(&upsert).send().await.expect(200);
    assert_eq!((&changed["new"], &changed["opportunity"]["id"]), (&json!(false), &made["id"]));
    assert_eq!(changed["opportunity"]["customFields"][0]["fieldValue"], "red");
    assert_eq!(changed["opportunity"]["customFields"].as_array().unwrap().len(), 4);
    let mut upsert = upsert;
    upsert["contactId"] = json!(contact(&app, &key, "Bob").await);
    let fresh = app.post("/opportunities/upsert").key(&key).json(&upsert).send().await.expect(200);
    assert_eq!(fresh["opportunity"]["customFields"], json!([{"id": colour, "fieldValue": "red"}]));
    // What is answered can be sent back and says the same.
    let again = json!({"customFields": changed["opportunity"]["customFields"]});
    let same = change(&app, &key, &path(&made), again).await.expect(200)["opportunity"].clone();
    assert_eq!(same, changed["opportunity"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_emptied_stays_empty() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let [colour, margin, rooms, moves, _] = fields(&app, &key).await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let full = json!([
        {"id": colour, "field_value": "blue"}, {"id": margin, "field_value": 5}, {"id": rooms, "field_value": ["Hall"]},
        {"id": moves, "field_value": "2026-12-20"},
    ]);
    let at = path(&opportunity(&app, &key, &pipeline, &ada, json!({"customFields": full})).await);
    let upsert = |mut body: Value| {
        body["pipelineId"] = pipeline["id"].clone();
        body["contactId"] = json!(ada);
        body
    };
    for (body, left) in [
        (json!({"customFields": [{"id": colour, "field_value": null}]}), 4),
        (json!({"customFields": [{"id": colour, "field_value": ""}]}), 3),
        (json!({"customFields": [{"id": rooms, "fieldValue": []}]}), 2),
        (json!({"clear": [format!("customFields.{margin}")]}), 1),
        (json!({"name": "Bath", "clear": ["customFields.opportunity.moves"]}), 0),
    ] {
        let answer = change(&app, &key, &at, body.clone()).await.expect(200);
        assert_eq!(answer["opportunity"]["customFields"].as_array().unwrap().len(), left, "{body}");
        assert_eq!(held(&app, &key, &at).await.as_array().unwrap().len(), left, "{body}");
    }
    let body = upsert(json!({"customFields": full}));
    app.post("/opportunities/upsert").key(&key).json(&body).send().await.expect(200);
    let body = upsert(json!({"clear": [format!("customFields.{margin}"), "customFields.colour"]}));
    app.post("/opportunities/upsert").key(&key).json(&body).send().await.expect(200);
    assert_eq!(held(&app, &key, &at).await.as_array().unwrap().len(), 2);
    app.delete(&at).key(&key).send().await.expect(200);
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM field_values").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_and_what_names_nothing_is_said() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let [colour, margin, rooms, ..] = fields(&app, &key).await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let path_of_fields = format!("/locations/{}/customFields", app.ids.location);
    let new = json!({"name": "Colour", "dataType": "TEXT"});
    let call = app.post(&path_of_fields).key(&key).json(&new);
    let of_contacts = call.send().await.expect(201)["customField"]["id"].clone();
    let new = |values: Value| json!({"pipelineId": pipeline["id"], "contactId": ada, "name": "x", "status": "open", "customFields": values});
    let wrong = json!([{"id": margin, "field_value": "much"}, {"id": rooms, "field_value": ["Cellar"]}]);
    let refused = app.post("/opportunities/").key(&key).json(&new(wrong)).send().await;
    let told = refused.expect(422)["message"].to_string();
    assert!(told.contains("(opportunity.margin)") && told.contains("(opportunity.rooms)"), "{told}");
    assert_eq!(app.get("/opportunities/search").key(&key).send().await.expect(200)["meta"]["total"], 0);
    // Fields of contacts and of others are none of opportunities.
    let values = json!([
        {"id": of_contacts, "field_value": "x"}, {"id": "6dvNaf7VhkQ9snc5vnjJ", "field_value": "x"},
        {"id": "6dvNaf7VhkQ9snc5vnjJ", "key": "colour", "field_value": "by key"},
    ]);
    let made = app.post("/opportunities/").key(&key).json(&new(values.clone())).send().await.expect(201);
    assert_eq!(made["skipped"].as_array().unwrap().len(), 2, "{made}");
    assert_eq!(made["opportunity"]["customFields"], json!([{"id": colour, "fieldValue": "by key"}]));
    let at = path(&made["opportunity"]);
    let changed = change(&app, &key, &at, json!({"customFields": values})).await.expect(200);
    assert_eq!(changed["skipped"].as_array().unwrap().len(), 2, "{changed}");
    let upsert = json!({"pipelineId": pipeline["id"], "contactId": ada, "customFields": values});
    let upserted = app.post("/opportunities/upsert").key(&key).json(&upsert).send().await.expect(200);
    assert_eq!(upserted["skipped"].as_array().unwrap().len(), 2, "{upserted}");
    // A field that is gone takes what was in it along, and the tag is another one.
    let tag = app.get(&at).key(&key).send().await.header("etag").to_owned();
    app.delete(&format!("{path_of_fields}/{colour}")).key(&key).send().await.expect(200);
    assert_eq!(held(&app, &key, &at).await, json!([]));
    let stale = app.put(&at).key(&key).header("If-Match", &tag).json(&json!({"name": "y"})).send().await;
    assert_eq!(stale.status, 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_what_changed_in_which_field() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let [colour, margin, ..] = fields(&app, &key).await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, "Ada").await;
    let values = json!([{"id": colour, "field_value": "blue"}]);
    let made = opportunity(&app, &key, &pipeline, &ada, json!({"customFields": values})).await;
    let at = path(&made);
    let changed = json!({"customFields": [{"id": colour, "field_value": "red"}, {"id": margin, "field_value": 5.5}]});
    change(&app, &key, &at, changed.clone()).await.expect(200);
    // The same again is no change.
    change(&app, &key, &at, changed).await.expect(200);
    app.delete(&at).key(&key).send().await.expect(200);
    let told = app.get("/events?kinds=opportunity.*").key(&key).send().await.expect(200)["events"].clone();
    let told = told.as_array().unwrap();
    let (colour, margin) = (format!("customFields.{colour}"), format!("customFields.{margin}"));
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0]["after"][&colour], "blue");
    assert_eq!(told[1]["before"], json!({&colour: "blue"}));
    assert_eq!(told[1]["after"], json!({&colour: "red", &margin: 5.5}));
    assert_eq!((&told[2]["before"][&colour], &told[2]["before"][&margin]), (&json!("red"), &json!(5.5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_with_their_opportunity() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let [.., plan] = fields(&app, &key).await;
    let pipeline = first_pipeline(&app, &key).await;
    let (ada, bob) = (contact(&app, &key, "Ada").await, contact(&app, &key, "Bob").await);
    let hers = path(&opportunity(&app, &key, &pipeline, &ada, json!({})).await);
    let his = path(&opportunity(&app, &key, &pipeline, &bob, json!({})).await);
    let upload = async |at: &str| {
        let id = at.rsplit('/').next().unwrap();
        let call = app.post(&format!("/locations/{}/customFields/upload", app.ids.location)).key(&key);
        let parts = [("id", None, id), ("files", Some(("plan.pdf", "application/pdf")), "bytes")];
        call.multipart(&parts).send().await.expect(200)["meta"][0].clone()
    };
    let give = async |at: &str, file: &Value| {
        let body = json!({"customFields": [{"id": plan, "field_value": file["url"]}]});
        change(&app, &key, at, body).await
    };
    let download = async |file: &Value| {
        let url = file["url"].as_str().unwrap();
        app.get(&url[url.find("/documents/").unwrap()..]).send().await.status
    };
    let (first, second) = (upload(&hers).await, upload(&his).await);
    for (at, file) in [(&hers, &first), (&his, &second)] {
        give(at, file).await.expect(200);
        let held = held(&app, &key, at).await;
        let uuid = file["uuid"].as_str().unwrap();
        assert_eq!(held[0]["fieldValue"][uuid]["documentId"], file["documentId"], "{held}");
        assert_eq!(download(file).await, 200);
    }
    // It is hers.
    assert_eq!(give(&his, &first).await.status, 422);
    app.delete(&hers).key(&key).send().await.expect(200);
    assert_eq!(download(&first).await, 404);
    let files = "SELECT CAST(count(*) AS BIGINT) FROM files";
    assert_eq!((app.number(files).await, download(&second).await), (1, 200));
    // In the trash nobody reads it; with the trash it goes.
    app.delete(&format!("/contacts/{bob}")).key(&key).send().await.expect(200);
    assert_eq!((app.number(files).await, download(&second).await), (1, 404));
    app.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 1);
    for table in ["files", "file_pieces", "field_values"] {
        assert_eq!(app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM {table}")).await, 0, "{table}");
    }
}
