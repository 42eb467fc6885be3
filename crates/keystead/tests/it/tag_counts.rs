//! How many contacts have a tag: exact after every change of either.

use keystead_model::{LocationId, tag::TagName};
use keystead_store::{Error, Tx};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

/// What the tags say, each held against a count of what contacts have.
async fn counts(app: &TestApp, key: &TestKey) -> Vec<(String, i64)> {
    let location: LocationId = app.ids.location;
    let recount = move |tx: &mut Tx<'_>| {
        let sql = "SELECT t.name, t.contacts, (SELECT CAST(count(*) AS BIGINT) FROM contact_tags h JOIN contacts c
                 ON c.location_id = h.location_id AND c.id = h.contact_id
                 WHERE h.location_id = t.location_id AND h.name = t.name AND c.trashed_at IS NULL)
             FROM tags t WHERE t.location_id = ?1";
        tx.query(sql, &[&location], |row| Ok((row.column::<TagName>()?, row.column::<i64>()?, row.column::<i64>()?)))
    };
    for (name, kept, counted) in app.second_store().read::<_, Error, _>(recount).await.unwrap() {
        assert_eq!(kept, counted, "{}", name.as_str());
    }
    let listed = app.get(&format!("/locations/{location}/tags")).key(key).send().await.expect(200);
    let count = |tag: &Value| (tag["name"].as_str().unwrap().to_owned(), tag["count"].as_i64().unwrap());
    listed["tags"].as_array().unwrap().iter().map(count).collect()
}

fn expected(counts: &[(&str, i64)]) -> Vec<(String, i64)> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_follow_every_change() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let tags = format!("/locations/{}/tags", app.ids.location);
    let made = app.post(&tags).key(&key).json(&json!({"name": "none"})).send().await.expect(200);
    assert_eq!(made["tag"]["count"], 0);
    let mut contacts = Vec::new();
    for (name, tags) in [("Ada", json!(["vip", "new"])), ("Bob", json!(["vip", "VIP", "vip "])), ("Eve", json!([]))] {
        let new = json!({"name": name, "email": format!("{name}@example.com"), "tags": tags});
        let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
        contacts.push(format!("/contacts/{}", made["contact"]["id"].as_str().unwrap()));
    }
    assert_eq!(counts(&app, &key).await, expected(&[("new", 1), ("none", 0), ("vip", 2)]));
    let [ada, bob, eve] = &contacts[..] else { panic!() };
    // Again what is there already, and away what is not.
    for path in [eve, eve, ada] {
        let add = json!({"tags": ["vip", "vip"]});
        app.post(&format!("{path}/tags")).key(&key).json(&add).send().await.expect(201);
    }
    assert_eq!(counts(&app, &key).await, expected(&[("new", 1), ("none", 0), ("vip", 3)]));
    for _ in 0..2 {
        let remove = json!({"tags": ["vip", "new", "unknown"]});
        app.delete(&format!("{ada}/tags")).key(&key).json(&remove).send().await.expect(200);
    }
    assert_eq!(counts(&app, &key).await, expected(&[("new", 0), ("none", 0), ("vip", 2)]));
    app.put(bob).key(&key).json(&json!({"tags": ["new", "other"]})).send().await.expect(200);
    assert_eq!(counts(&app, &key).await, expected(&[("new", 1), ("none", 0), ("other", 1), ("vip", 1)]));
    let upsert = json!({"email": "EVE@example.com", "tags": ["other"]});
    app.post("/contacts/upsert").key(&key).json(&upsert).send().await.expect(200);
    assert_eq!(counts(&app, &key).await, expected(&[("new", 1), ("none", 0), ("other", 2), ("vip", 0)]));
    // A tag that is called otherwise is had by as many; its ETag does not follow the count.
    let all = app.get(&tags).key(&key).send().await.expect(200);
    let other = all["tags"].as_array().unwrap().iter().find(|tag| tag["name"] == "other").unwrap();
    let other = format!("{tags}/{}", other["id"].as_str().unwrap());
    let seen = app.get(&other).key(&key).send().await;
    app.put(ada).key(&key).json(&json!({"tags": ["other"]})).send().await.expect(200);
    let rename = app.put(&other).key(&key).header("If-Match", seen.header("etag")).json(&json!({"name": "another"}));
    assert_eq!(rename.send().await.expect(200)["tag"]["count"], 3);
    app.delete(eve).key(&key).send().await.expect(200);
    assert_eq!(counts(&app, &key).await, expected(&[("another", 2), ("new", 1), ("none", 0), ("vip", 0)]));
    app.delete(&other).key(&key).send().await.expect(200);
    app.post(&format!("{ada}/tags")).key(&key).json(&json!({"tags": ["another"]})).send().await.expect(201);
    assert_eq!(counts(&app, &key).await, expected(&[("another", 1), ("new", 1), ("none", 0), ("vip", 0)]));
}
