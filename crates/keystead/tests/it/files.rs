//! Files in custom fields: sent, answered, read by their address, and gone with what they belong to.

use std::time::Duration;

use keystead_model::{grant::Reach, scope::Preset};
use keystead_testkit::{Answer, Part, TestApp, TestKey};
use serde_json::{Value, json};

async fn field(app: &TestApp, key: &TestKey, body: Value) -> String {
    let call = app.post(&format!("/locations/{}/customFields", app.ids.location)).key(key);
    call.json(&body).send().await.expect(201)["customField"]["id"].as_str().unwrap().to_owned()
}

async fn contact(app: &TestApp, key: &TestKey) -> String {
    let made = app.post("/contacts/").key(key).json(&json!({"name": "Ada"})).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

async fn send(app: &TestApp, key: &TestKey, contact: &str, parts: &[Part<'_>]) -> Answer {
    let call = app.post("/forms/upload-custom-files").key(key).query(&[("contactId", contact)]);
    call.multipart(parts).send().await
}

async fn upload(app: &TestApp, key: &TestKey, parts: &[Part<'_>]) -> Answer {
    app.post(&format!("/locations/{}/customFields/upload", app.ids.location)).key(key).multipart(parts).send().await
}

/// Reads an address as whoever was given it, without a key.
async fn download(app: &TestApp, url: &Value) -> Answer {
    let url = url.as_str().unwrap();
    let path = url.find("/documents/").map(|start| &url[start..]).unwrap();
    app.get(path).send().await
}

/// The files that a contact has in its one field.
async fn files_of(app: &TestApp, key: &TestKey, contact: &str) -> Vec<Value> {
    let one = app.get(&format!("/contacts/{contact}")).key(key).send().await.expect(200);
    match one["contact"]["customFields"].as_array().unwrap().as_slice() {
        [] => Vec::new(),
        [held] => held["value"].as_object().unwrap().values().cloned().collect(),
        more => panic!("{more:?}"),
    }
}

async fn rows(app: &TestApp) -> (i64, i64) {
    let count = |table: &str| format!("SELECT CAST(count(*) AS BIGINT) FROM {table}");
    (app.number(&count("files")).await, app.number(&count("file_pieces")).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_answered_and_read_again() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = field(&app, &key, json!({"name": "Contract", "dataType": "FILE_UPLOAD"})).await;
    let contact = contact(&app, &key).await;
    // More than the pieces of one transaction, and not a whole number of them.
    let text: String = (0..300_000).map(|number: u32| format!("{number:06}")).collect();
    let uuid = "f31175d4-2b06-4fc6-b7bc-74cd814c68cb";
    let part = format!("{id}_{uuid}");
    let sent = send(&app, &key, &contact, &[(&part, Some(("Vertrag \u{e4}.pdf", "application/pdf")), &text)]).await;
    let held = sent.expect(200)["contact"]["customFields"].clone();
    let file = held[0]["value"][uuid].clone();
    let meta = json!({
        "fieldname": id, "originalname": "Vertrag \u{e4}.pdf", "encoding": "7bit", "mimetype": "application/pdf",
        "size": text.len(), "uuid": uuid,
    });
    assert_eq!((&held[0]["id"], &file["meta"]), (&json!(id), &meta));
    assert!(file["url"].as_str().unwrap().starts_with("http"), "{file}");
    assert_eq!(files_of(&app, &key, &contact).await, std::slice::from_ref(&file));
    let older = app.get(&format!("/v1/contacts/{contact}")).key(&key).send().await.expect(200);
    assert_eq!(older["contact"]["customField"], json!([{"id": id, "value": {uuid: file}}]));
    let read = download(&app, &file["url"]).await;
    assert_eq!((read.status, read.text == text), (200, true));
    for (name, expected) in [
        ("content-type", "application/pdf"),
        ("content-length", &*text.len().to_string()),
        ("content-disposition", "attachment; filename=\"Vertrag _.pdf\"; filename*=UTF-8''Vertrag%20%C3%A4%2Epdf"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(read.header(name), expected, "{name}");
    }
    // Nobody guesses it, and the id alone opens nothing.
    let url = file["url"].as_str().unwrap();
    for other in
        [format!("{}x", &url[..url.len() - 1]), format!("/documents/download/{}", file["documentId"].as_str().unwrap())]
    {
        assert_eq!(download(&app, &json!(other)).await.status, 404);
    }
    let told = app.get(&format!("/events?subject={contact}")).key(&key).send().await;
    assert!(!told.text.contains(url.rsplit('/').next().unwrap()), "addresses are told to nobody by events");
    assert_eq!(told.expect(200)["events"][1]["after"], json!({format!("customFields.{id}"): ["Vertrag \u{e4}.pdf"]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_would_run_is_bytes() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = field(&app, &key, json!({"name": "Any", "dataType": "FILE_UPLOAD"})).await;
    for (name, kind) in [("x.html", "text/html"), ("x.svg", "image/svg+xml"), ("x.js", "text/javascript")] {
        let sent =
            upload(&app, &key, &[("id", None, &id), ("files", Some((name, kind)), "<script>")]).await.expect(200);
        let read = download(&app, &sent["meta"][0]["url"]).await;
        assert_eq!(read.header("content-type"), "application/octet-stream", "{name}");
        assert!(read.header("content-disposition").starts_with("attachment"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_is_named_by_a_value_or_taken_away() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"name": "Papers", "dataType": "FILE_UPLOAD", "isMultipleFile": true, "maxNumberOfFiles": 2});
    let id = field(&app, &key, new).await;
    let (ada, bob) = (contact(&app, &key).await, contact(&app, &key).await);
    let parts = [
        ("id", None, id.as_str()),
        ("maxFiles", None, "15"),
        ("files", Some(("a.txt", "text/plain")), "first"),
        ("files", Some(("a.txt", "text/plain")), "second"),
    ];
    let sent = upload(&app, &key, &parts).await.expect(200);
    assert_eq!(sent["uploadedFiles"], json!({"a.txt": sent["meta"][0]["url"], "a.txt (2)": sent["meta"][1]["url"]}));
    let value = |file: &Value| json!({file["uuid"].as_str().unwrap(): {"meta": file, "url": file["url"], "documentId": file["documentId"]}});
    let give = async |contact: &str, value: Value| {
        let body = json!({"customFields": [{"id": id, "field_value": value}]});
        app.put(&format!("/contacts/{contact}")).key(&key).json(&body).send().await
    };
    give(&ada, value(&sent["meta"][0])).await.expect(200);
    let held = files_of(&app, &key, &ada).await;
    assert_eq!(held[0]["documentId"], sent["meta"][0]["documentId"]);
    // It is hers, and stays when she is changed by what was answered.
    let refused = give(&bob, value(&sent["meta"][0])).await.expect(422);
    assert!(
        refused["message"][0].as_str().unwrap().starts_with("customFields (contact.papers) names a file"),
        "{refused}"
    );
    give(&ada, json!({"x": held[0]})).await.expect(200);
    give(&bob, sent["meta"][1]["url"].clone()).await.expect(200);
    assert_eq!(files_of(&app, &key, &bob).await[0]["documentId"], sent["meta"][1]["documentId"]);
    let forgotten = upload(&app, &key, &parts[..3]).await.expect(200)["meta"][0].clone();
    assert_eq!(rows(&app).await, (3, 3));
    app.clock.advance(Duration::from_secs(23 * 3600));
    assert_eq!(app.app.purge_files().await.unwrap(), 0);
    app.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(app.app.purge_files().await.unwrap(), 1);
    assert_eq!(rows(&app).await, (2, 2), "those that somebody has stay");
    assert_eq!(download(&app, &forgotten["url"]).await.status, 404);
    assert_eq!(give(&bob, value(&forgotten)).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_with_their_value_their_contact_and_their_field() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = field(&app, &key, json!({"name": "Contract", "dataType": "FILE_UPLOAD"})).await;
    let part = format!("{id}_1");
    let file = |text: &'static str| [(part.as_str(), Some(("a.txt", "text/plain")), text)];
    let ada = contact(&app, &key).await;
    send(&app, &key, &ada, &file("first")).await.expect(200);
    let first = files_of(&app, &key, &ada).await.remove(0);
    send(&app, &key, &ada, &file("second")).await.expect(200);
    let second = files_of(&app, &key, &ada).await;
    assert_eq!((second.len(), rows(&app).await), (1, (1, 1)), "a field for one file has the new one");
    assert_eq!(download(&app, &first["url"]).await.status, 404);
    assert_eq!(download(&app, &second[0]["url"]).await.text, "second");
    let clear = json!({"clear": [format!("customFields.{id}")]});
    app.put(&format!("/contacts/{ada}")).key(&key).json(&clear).send().await.expect(200);
    assert_eq!(rows(&app).await, (0, 0));
    // In the trash nobody reads it; with the trash it goes.
    send(&app, &key, &ada, &file("third")).await.expect(200);
    let third = files_of(&app, &key, &ada).await.remove(0);
    app.delete(&format!("/contacts/{ada}")).key(&key).send().await.expect(200);
    assert_eq!((download(&app, &third["url"]).await.status, rows(&app).await), (404, (1, 1)));
    app.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 1);
    assert_eq!(rows(&app).await, (0, 0));
    // With its field at once, whatever is left to be taken.
    let bob = contact(&app, &key).await;
    send(&app, &key, &bob, &file("fourth")).await.expect(200);
    let fourth = files_of(&app, &key, &bob).await.remove(0);
    app.delete(&format!("/locations/{}/customFields/{id}", app.ids.location)).key(&key).send().await.expect(200);
    assert_eq!(download(&app, &fourth["url"]).await.status, 404);
    while app.app.purge_field_values().await.unwrap() > 0 {}
    while app.app.purge_files().await.unwrap() > 0 {}
    assert_eq!(rows(&app).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_stand_beside_each_other_up_to_their_limit() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let new = json!({"name": "Photos", "dataType": "FILE_UPLOAD", "isMultipleFile": true, "maxNumberOfFiles": 2,
        "acceptedFormat": ["png"]});
    let id = field(&app, &key, new).await;
    let ada = contact(&app, &key).await;
    let png = Some(("a.PNG", "image/png"));
    let part = |number: u32| format!("{id}_00000000-0000-4000-8000-00000000000{number}");
    let (one, two, three) = (part(1), part(2), part(3));
    send(&app, &key, &ada, &[(&one, png, "1")]).await.expect(200);
    send(&app, &key, &ada, &[(&two, png, "2")]).await.expect(200);
    // Sent again, it takes its own place.
    send(&app, &key, &ada, &[(&two, png, "2 again")]).await.expect(200);
    let held = files_of(&app, &key, &ada).await;
    assert_eq!(held.len(), 2);
    assert_eq!(download(&app, &held[1]["url"]).await.text, "2 again");
    for (parts, about) in [
        (vec![(three.as_str(), png, "3")], "takes no more than 2 files"),
        (vec![(&*one, png, "1"), (&*two, png, "2"), (&*three, png, "3")], "is one too many"),
        (vec![(&*one, Some(("a.exe", "image/png")), "1")], "takes files whose names end with .png"),
        (vec![("nonsense", png, "1")], "names no custom field"),
        (vec![("00000000000000000000_x", png, "1"), ("y", png, "1")], "names no custom field"),
        (vec![], "files should not be empty"),
        (vec![("colour", None, "blue"), (&*one, png, "1")], "property colour should not exist"),
    ] {
        let refused = send(&app, &key, &ada, &parts).await.expect(422);
        assert!(refused["message"].to_string().contains(about), "{about}: {refused}");
    }
    assert_eq!(files_of(&app, &key, &ada).await, held);
    let missing = send(&app, &key, "00000000000000000000", &[(&one, png, "1")]).await;
    assert!(missing.status == 400 && missing.text.contains("Contact with id"), "{}", missing.text);
    let unnamed = app.post("/forms/upload-custom-files").key(&key).multipart(&[(&one, png, "1")]).send().await;
    assert!(unnamed.status == 422 && unnamed.text.contains("contactId"), "{}", unnamed.text);
    for (parts, about) in [
        (vec![("files", png, "1")], "id should not be empty"),
        (vec![("id", None, "nobody"), ("files", png, "1")], "id names no contact"),
        (vec![("id", None, &*ada), ("maxFiles", None, "1"), ("a", png, "1"), ("b", png, "2")], "maxFiles"),
        (vec![("id", None, &*id), ("files", Some(("a.gif", "image/gif")), "1")], ".png"),
        (vec![("id", None, &*ada), ("files", None, "no file")], "files must be files"),
        (vec![("id", None, &*ada)], "files should not be empty"),
    ] {
        let refused = upload(&app, &key, &parts).await.expect(422);
        assert!(refused["message"].to_string().contains(about), "{about}: {refused}");
    }
    assert_eq!(files_of(&app, &key, &ada).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_stay_in_their_location() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let id = field(&app, &key, json!({"name": "Contract", "dataType": "FILE_UPLOAD"})).await;
    let ours = upload(&app, &key, &[("id", None, &id), ("files", Some(("a", "text/plain")), "x")]).await.expect(200);
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let call = app.post(&format!("/locations/{sibling}/customFields")).key(&theirs);
    let new = json!({"name": "Contract", "dataType": "FILE_UPLOAD"});
    let their_field = call.json(&new).send().await.expect(201)["customField"]["id"].clone();
    let body = json!({"name": "Eve", "customFields": [{"id": their_field, "value": ours["meta"][0]["url"]}]});
    assert_eq!(app.post("/contacts/").key(&theirs).json(&body).send().await.status, 422);
    let call = app.post(&format!("/locations/{sibling}/customFields/upload")).key(&theirs);
    let foreign = call.multipart(&[("id", None, &id), ("files", Some(("a", "text/plain")), "x")]).send().await;
    assert!(foreign.status == 422 && foreign.text.contains("id names no contact"), "{}", foreign.text);
    // A suspended location shows nothing.
    let operator = app.operator().await;
    app.app
        .set_location_state(&operator, app.ids.location, keystead_model::agency::TenantState::Suspended)
        .await
        .unwrap();
    assert_eq!(download(&app, &ours["meta"][0]["url"]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_upload_has_its_effect_once() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key).await;
    let parts: &[Part<'_>] = &[("id", None, &ada), ("files", Some(("a.txt", "text/plain")), "x")];
    let path = format!("/locations/{}/customFields/upload", app.ids.location);
    let send = async || app.post(&path).key(&key).header("Idempotency-Key", "once").multipart(parts).send().await;
    let (first, second) = (send().await.expect(200), send().await);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.expect(200)["meta"], first["meta"]);
    assert_eq!(rows(&app).await, (1, 1));
}
