//! Two contacts become one: nothing of either is lost, and both histories stay.

use std::time::Duration;

use keystead_store::{
    Error, Tx,
    catalog::{self, Belonging, Merging},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    opportunities::{first_pipeline, opportunity},
    things::belongings,
};

async fn contact(app: &TestApp, key: &TestKey, body: Value) -> String {
    let made = app.post("/contacts/").key(key).json(&body).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

/// A new custom field of texts.
async fn field(app: &TestApp, key: &TestKey, new: Value) -> String {
    let path = format!("/locations/{}/customFields", app.ids.location);
    app.post(&path).key(key).json(&new).send().await.expect(201)["customField"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_takes_in_what_the_other_has() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = json!({"firstName": "Ada", "email": "ada@example.com", "tags": ["vip"], "city": "Bern"});
    let ada = contact(&app, &key, ada).await;
    let other = json!({
        "firstName": "Augusta", "lastName": "Lovelace", "email": "augusta@example.com", "phone": "+14155550123",
        "additionalEmails": ["work@example.com"], "tags": ["vip", "lead"], "dnd": true,
    });
    let other = contact(&app, &key, other).await;
    let one = field(&app, &key, json!({"name": "Colour", "dataType": "TEXT"})).await;
    let several = json!({"name": "Days", "dataType": "MULTIPLE_OPTIONS", "options": ["first", "second", "third"]});
    let (two, files) = (field(&app, &key, several).await, json!({"name": "Contract", "dataType": "FILE_UPLOAD"}));
    let files = field(&app, &key, files).await;
    for (contact, values) in [
        (&ada, json!([{"id": one, "value": "mine"}])),
        (&other, json!([{"id": one, "value": "theirs"}, {"id": two, "value": ["first", "second"]}])),
    ] {
        let body = json!({"customFields": values});
        app.put(&format!("/contacts/{contact}")).key(&key).json(&body).send().await.expect(200);
    }
    let upload = app.post("/forms/upload-custom-files").key(&key).query(&[("contactId", &*other)]);
    let part = format!("{files}_1");
    upload.multipart(&[(&part, Some(("a.txt", "text/plain")), "bytes")]).send().await.expect(200);
    for (id, user) in [(&ada, "0000000000000000001U"), (&other, "0000000000000000002U")] {
        let body = json!({"followers": [user]});
        app.post(&format!("/contacts/{id}/followers")).key(&key).json(&body).send().await.expect(201);
        app.post(&format!("/contacts/{id}/notes")).key(&key).json(&json!({"body": user})).send().await.expect(201);
    }
    let task = json!({"title": "Call", "dueDate": "2026-12-01", "completed": false});
    let task = app.post(&format!("/contacts/{other}/tasks")).key(&key).json(&task).send().await.expect(201);

    let path = format!("/contacts/{ada}/merge");
    let merged = app.post(&path).key(&key).json(&json!({"from": other})).send().await.expect(200)["contact"].clone();
    assert_eq!(
        (&merged["id"], &merged["name"], &merged["city"]),
        (&json!(ada), &json!("Ada Lovelace"), &json!("Bern"))
    );
    assert_eq!((&merged["email"], &merged["phone"]), (&json!("ada@example.com"), &json!("+14155550123")));
    assert_eq!(merged["additionalEmails"], json!(["augusta@example.com", "work@example.com"]));
    assert_eq!((&merged["tags"], &merged["dnd"]), (&json!(["vip", "lead"]), &json!(true)));
    assert_eq!(merged["followers"], json!(["0000000000000000001U", "0000000000000000002U"]));
    assert_eq!(&app.get(&format!("/contacts/{ada}")).key(&key).send().await.expect(200)["contact"], &merged);
    let value = |field: &str| {
        let values = merged["customFields"].as_array().unwrap();
        values.iter().find(|value| value["id"] == field).unwrap()["value"].clone()
    };
    assert_eq!((value(&one), value(&two)), (json!("mine"), json!(["first", "second"])));
    let file = value(&files).as_object().unwrap().values().next().unwrap()["url"].as_str().unwrap().to_owned();
    let notes = app.get(&format!("/contacts/{ada}/notes")).key(&key).send().await.expect(200);
    assert_eq!(notes["notes"].as_array().unwrap().len(), 2);
    let tasks = app.get(&format!("/contacts/{ada}/tasks")).key(&key).send().await.expect(200);
    assert_eq!(tasks["tasks"][0]["id"], task["task"]["id"]);
    // The other one is gone, and found by its addresses is the one that has them now.
    assert_eq!(app.get(&format!("/contacts/{other}")).key(&key).send().await.status, 400);
    for query in ["email=augusta%40example.com", "email=work%40example.com", "number=%2B14155550123"] {
        let found = app.get(&format!("/contacts/search/duplicate?{query}")).key(&key).send().await.expect(200);
        assert_eq!(found["contact"]["id"], json!(ada), "{query}");
    }
    let listed = app.get("/contacts/?query=lovelace").key(&key).send().await.expect(200);
    assert_eq!((&listed["meta"]["total"], &listed["contacts"][0]["id"]), (&json!(1), &json!(ada)));
    let refused =
        app.post("/contacts/").key(&key).json(&json!({"name": "x", "email": "work@example.com"})).send().await;
    assert_eq!(refused.expect(400)["meta"]["contactId"], json!(ada));
    // What was taken over is not forgotten with the other one.
    app.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 1);
    let path = format!("/documents/download/{}", file.rsplit('/').next().unwrap());
    assert_eq!(app.get(&path).key(&key).send().await.text, "bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opportunity_that_comes_along_is_changed() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, json!({"name": "Ada"})).await;
    let other = contact(&app, &key, json!({"name": "Augusta"})).await;
    let pipeline = first_pipeline(&app, &key).await;
    let made = opportunity(&app, &key, &pipeline, &other, json!({})).await;
    app.clock.advance(Duration::from_secs(60));
    let path = format!("/contacts/{ada}/merge");
    app.post(&path).key(&key).json(&json!({"from": other})).send().await.expect(200);
    let path = format!("/opportunities/{}", made["id"].as_str().unwrap());
    let found = app.get(&path).key(&key).send().await.expect(200)["opportunity"].clone();
    assert_eq!((&found["contactId"], &found["updatedAt"]), (&json!(ada), &json!(app.app.now().to_iso())));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_histories_stay_as_long_as_the_contact_does() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, json!({"name": "Ada", "email": "ada@example.com"})).await;
    let other = contact(&app, &key, json!({"name": "Augusta", "email": "augusta@example.com"})).await;
    app.post(&format!("/contacts/{other}/notes")).key(&key).json(&json!({"body": "x"})).send().await.expect(201);
    let path = format!("/contacts/{ada}/merge");
    app.post(&path).key(&key).json(&json!({"from": other})).send().await.expect(200);
    let told = async || {
        let read = app.get("/events").key(&key).query(&[("subject", ada.as_str())]).send().await.expect(200);
        read["events"].as_array().unwrap().clone()
    };
    let kinds: Vec<Value> = told().await.iter().map(|event| event["type"].clone()).collect();
    let expected =
        ["contact.created", "contact.created", "note.created", "contact.merged", "contact.updated", "contact.deleted"];
    assert_eq!(kinds, expected, "{:?}", told().await);
    let merged = told().await[3].clone();
    assert_eq!(merged["after"], json!({"from": other}));
    let updated = &told().await[4];
    assert_eq!(updated["after"]["additionalEmails"], json!(["augusta@example.com"]));
    assert_eq!(updated["cause"]["depth"], 1, "{updated}");
    // The other one is forgotten after a while, and what happened to it is not.
    app.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 1);
    assert!(told().await.iter().all(|event| event["erased"] == false), "{:?}", told().await);
    app.delete(&format!("/contacts/{ada}")).key(&key).send().await.expect(200);
    app.clock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 1);
    assert_eq!(told().await.len(), 7);
    assert!(told().await.iter().all(|event| event["erased"] == true), "{:?}", told().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_one_stays_two() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let many = |from: usize| (from..from + 150).map(|number| format!("tag {number}")).collect::<Vec<_>>();
    let ada = contact(&app, &key, json!({"name": "Ada", "tags": many(0)})).await;
    let bob = contact(&app, &key, json!({"name": "Bob", "tags": many(150)})).await;
    let path = format!("/contacts/{ada}/merge");
    for (body, status, about) in [
        (json!({"from": ada}), 422, "another contact"),
        (json!({"from": "0000000000000000000X"}), 400, "not found"),
        (json!({"from": "x"}), 422, "from"),
        (json!({}), 422, "from"),
        (json!({"from": bob}), 422, "no more than 200"),
    ] {
        let refused = app.post(&path).key(&key).json(&body).send().await;
        assert!(refused.status == status && refused.text.contains(about), "{body}: {}", refused.text);
    }
    assert_eq!(app.get(&format!("/contacts/{bob}")).key(&key).send().await.expect(200)["contact"]["name"], "Bob");
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 2);
    // Only as it was seen.
    let call = app.post(&path).key(&key).header("If-Match", "\"stale\"");
    assert_eq!(call.json(&json!({"from": bob})).send().await.status, 412);
}

/// More addresses than a request may give a contact go on with it, and are no trap.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_merger_left_can_be_sent_back() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let person = |name: &str, number: u32| {
        let emails: Vec<String> = (0..20).map(|at| format!("{name}.{at}@example.com")).collect();
        let phones: Vec<String> = (0..20).map(|at| format!("+1415555{:04}", number + at + 1)).collect();
        json!({
            "name": name, "email": format!("{name}@example.com"), "phone": format!("+1415555{number:04}"),
            "additionalEmails": emails, "additionalPhones": phones,
        })
    };
    let ada = contact(&app, &key, person("ada", 100)).await;
    let (path, merge) = (format!("/contacts/{ada}"), format!("/contacts/{ada}/merge"));
    for (name, number) in [("bob", 200), ("cleo", 300), ("dan", 400)] {
        let other = contact(&app, &key, person(name, number)).await;
        app.post(&merge).key(&key).json(&json!({"from": other})).send().await.expect(200);
    }
    let get = async || app.get(&path).key(&key).send().await.expect(200)["contact"].clone();
    let whole = get().await;
    for (field, new) in [("additionalEmails", "new@example.com"), ("additionalPhones", "+14155559999")] {
        let all = whole[field].as_array().unwrap().clone();
        assert_eq!(all.len(), 83, "{field}");
        // What was answered says the same again, by whichever way.
        let first = whole[if field == "additionalEmails" { "email" } else { "phone" }].clone();
        let known = if field == "additionalEmails" { "email" } else { "phone" };
        let same = json!({field: all, "city": "Bern"});
        app.put(&path).key(&key).json(&same).send().await.expect(200);
        app.put(&format!("/v1{path}")).key(&key).json(&same).send().await.expect(200);
        let upsert = json!({known: first, field: all});
        let upserted = app.post("/contacts/upsert").key(&key).json(&upsert).send().await.expect(200);
        assert_eq!((&upserted["new"], &upserted["skipped"]), (&json!(false), &Value::Null), "{upserted}");
        let many = json!({"contacts": [upsert]});
        let many = app.post("/contacts/bulk/upsert").key(&key).json(&many).send().await.expect(200);
        assert_eq!(many["results"][0]["status"], "updated", "{many}");
        assert_eq!(get().await[field], json!(all));
        // One can be another, or go; and then as many are there again only by a merger.
        let mut others = all.clone();
        others[40] = json!(new);
        let put = async |list: &[Value]| app.put(&path).key(&key).json(&json!({field: list})).send().await;
        assert_eq!(put(&others).await.expect(200)["contact"][field], json!(others));
        others.push(json!(if field == "additionalEmails" { "more@example.com" } else { "+14155559998" }));
        let refused = put(&others).await.expect(422);
        assert!(refused["message"].to_string().contains(&format!("{field} must contain no more than 83 elements")));
        for (left, status) in [(82, 200), (83, 422), (21, 200), (20, 200), (21, 422), (3, 200), (20, 200)] {
            assert_eq!(put(&others[..left]).await.status, status, "{field}: {left}");
        }
    }
    // Others have no more than before, whoever sends them.
    let more = json!((0..21).map(|at| format!("x{at}@example.com")).collect::<Vec<_>>());
    for path in ["/contacts/", "/contacts/upsert", "/v1/contacts/"] {
        let body = json!({"name": "Eve", "email": "eve@example.com", "additionalEmails": more});
        let refused = app.post(path).key(&key).json(&body).send().await;
        assert!(refused.status == 422 && refused.text.contains("no more than 20 elements"), "{path}: {}", refused.text);
    }
}

/// No request could take away what is beyond what one may hold.
#[tokio::test(flavor = "multi_thread")]
async fn mergers_come_to_an_end() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, json!({"name": "Ada", "email": "ada@example.com"})).await;
    let merge = format!("/contacts/{ada}/merge");
    let mut others = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let emails: Vec<String> = (0..20).map(|at| format!("{name}{at}@example.com")).collect();
        let body = json!({"name": name, "email": format!("{name}@example.com"), "additionalEmails": emails});
        others.push(contact(&app, &key, body).await);
    }
    let last = others.pop().unwrap();
    for other in others {
        app.post(&merge).key(&key).json(&json!({"from": other})).send().await.expect(200);
    }
    let refused = app.post(&merge).key(&key).json(&json!({"from": last})).send().await.expect(422);
    let message = refused["message"].to_string();
    assert!(message.contains("both together have 105 further e-mail addresses, and 100 is the most"), "{message}");
    for (contact, many) in [(&ada, 84), (&last, 20)] {
        let read = app.get(&format!("/contacts/{contact}")).key(&key).send().await.expect(200);
        assert_eq!(read["contact"]["additionalEmails"].as_array().unwrap().len(), many);
    }
    // As it says: some go, and then it can be.
    let fewer = json!({"additionalEmails": (0..15).map(|at| format!("e{at}@example.com")).collect::<Vec<_>>()});
    app.put(&format!("/contacts/{last}")).key(&key).json(&fewer).send().await.expect(200);
    let merged = app.post(&merge).key(&key).json(&json!({"from": last})).send().await.expect(200);
    assert_eq!(merged["contact"]["additionalEmails"].as_array().unwrap().len(), 100);
}

/// Both had one in the pipeline, and neither is anybody's to throw away.
#[tokio::test(flavor = "multi_thread")]
async fn opportunities_of_both_stay_also_in_one_pipeline() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let pipeline = first_pipeline(&app, &key).await;
    let ada = contact(&app, &key, json!({"name": "Ada"})).await;
    let other = contact(&app, &key, json!({"name": "Augusta"})).await;
    let older = opportunity(&app, &key, &pipeline, &ada, json!({"monetaryValue": 1})).await;
    app.clock.advance(Duration::from_secs(1));
    let newer = opportunity(&app, &key, &pipeline, &other, json!({"monetaryValue": 2})).await;
    let path = format!("/contacts/{ada}/merge");
    app.post(&path).key(&key).json(&json!({"from": other})).send().await.expect(200);
    let listed = app.get(&format!("/opportunities/search?contact_id={ada}")).key(&key).send().await.expect(200);
    let of = |opportunity: &Value| (opportunity["id"].clone(), opportunity["contact"]["id"].clone());
    let found: Vec<_> = listed["opportunities"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(found, [(newer["id"].clone(), json!(ada)), (older["id"].clone(), json!(ada))]);
    // Each goes on; an upsert means the newest, and a third is refused until one of them is gone from there.
    let at = format!("/opportunities/{}", older["id"].as_str().unwrap());
    app.put(&at).key(&key).json(&json!({"status": "won"})).send().await.expect(200);
    let upsert = json!({"pipelineId": pipeline["id"], "contactId": ada, "name": "Bath"});
    let upserted = app.post("/opportunities/upsert").key(&key).json(&upsert).send().await.expect(200);
    assert_eq!((&upserted["new"], &upserted["opportunity"]["id"]), (&json!(false), &newer["id"]));
    let third = json!({"pipelineId": pipeline["id"], "contactId": ada, "name": "x", "status": "open"});
    assert_eq!(app.post("/opportunities/").key(&key).json(&third).send().await.status, 400);
}

/// Whatever belongs to contacts goes along, also what others have added since.
#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_other_goes_along() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let ada = contact(&app, &key, json!({"name": "Ada"})).await;
    let other = json!({"name": "Bob", "email": "bob@example.com", "tags": ["vip"]});
    let other = contact(&app, &key, other).await;
    belongings(&app, &key, &other).await;
    let count = async |belonging: &Belonging, contact: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {} WHERE location_id = ?1 AND {}", belonging.table, belonging.naming);
        let (location, contact) = (app.ids.location, contact.to_owned());
        let count = move |tx: &mut Tx<'_>| tx.query_one(&sql, &[&location, &contact], |row| row.column());
        app.second_store().read::<_, Error, _>(count).await.unwrap()
    };
    for belonging in catalog::OF_CONTACT {
        assert!(count(belonging, &other).await > 0, "give the other one something in {}", belonging.table);
    }
    let path = format!("/contacts/{ada}/merge");
    app.post(&path).key(&key).json(&json!({"from": other})).send().await.expect(200);
    // What webhooks are told of the survivor is sent like all else.
    crate::things::tried(&app).await;
    for belonging in catalog::OF_CONTACT {
        assert!(count(belonging, &ada).await > 0, "{}", belonging.table);
        let is_left = count(belonging, &other).await > 0;
        // What the other one was tagged with tells nothing of anybody any more.
        assert!(!is_left || belonging.merging == Merging::Follow, "{} stays with nobody", belonging.table);
    }
}
