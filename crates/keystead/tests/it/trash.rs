//! What belongs to a contact, and goes with it when the trash is emptied.

use std::{collections::BTreeSet, time::Duration};

use keystead_store::{
    Error, Tx,
    catalog::{self, Belonging, Merging},
};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

use crate::things::belongings;

/// Tables that hold what belongs to contacts, as the database has them.
async fn tables_of_contacts(app: &TestApp) -> BTreeSet<String> {
    let read = |tx: &mut Tx<'_>| catalog::belonging_to(tx, "contacts", catalog::NAMING_CONTACT);
    app.second_store().read::<_, Error, _>(read).await.unwrap().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_adds_what_belongs_to_a_contact_decides_what_becomes_of_it() {
    let app = TestApp::start().await;
    let known = catalog::OF_CONTACT.iter().map(|of| of.table).chain(catalog::ERASED_OF_CONTACT.iter().copied());
    let known: BTreeSet<String> = known.map(str::to_owned).collect();
    assert_eq!(tables_of_contacts(&app).await, known, "the trash is emptied of what stands in these lists");
    // By its name, by that of an owner, by a reference, and by a reference to what refers.
    for table in [
        "CREATE TABLE owned (owner_kind TEXT, owner_id TEXT)",
        "CREATE TABLE named (contact_id TEXT)",
        "CREATE TABLE referring (at TEXT, who TEXT, FOREIGN KEY (at, who) REFERENCES contacts (location_id, id))",
        "CREATE TABLE further (at TEXT, who TEXT, what TEXT,
             FOREIGN KEY (at, who, what) REFERENCES notes (location_id, contact_id, id))",
    ] {
        app.sql(table).await;
    }
    let found = tables_of_contacts(&app).await;
    let new: Vec<&String> = found.difference(&known).collect();
    assert_eq!(new, ["further", "named", "owned", "referring"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_contact_is_left_when_the_trash_is_emptied() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let mut contacts = Vec::new();
    for name in ["gone", "stays"] {
        let new = json!({"name": name, "email": format!("{name}@example.com"), "tags": ["vip"]});
        let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
        let id = made["contact"]["id"].as_str().unwrap().to_owned();
        belongings(&app, &key, &id).await;
        contacts.push(id);
    }
    let told = async |contact: &str| -> Vec<Value> {
        let read = app.get("/events").key(&key).query(&[("subject", contact)]).send().await.expect(200);
        read["events"].as_array().unwrap().clone()
    };
    let rows = async |contact: &str| {
        let mut rows = Vec::new();
        let itself = Belonging { table: "contacts", naming: "id = ?2", column: "id", merging: Merging::Follow };
        for Belonging { table, naming, .. } in catalog::OF_CONTACT.iter().copied().chain([itself]) {
            let sql = format!("SELECT count(*) FROM {table} WHERE location_id = ?1 AND {naming}");
            let (location, contact) = (app.ids.location, contact.to_owned());
            let count = move |tx: &mut Tx<'_>| tx.query_one(&sql, &[&location, &contact], |row| row.column());
            let count: i64 = app.second_store().read::<_, Error, _>(count).await.unwrap();
            rows.push((table, count));
        }
        rows
    };
    for contact in &contacts {
        assert!(rows(contact).await.iter().all(|(_, count)| *count > 0), "{:?}", rows(contact).await);
    }
    app.delete(&format!("/contacts/{}", contacts[0])).key(&key).send().await.expect(200);
    app.clock.advance(Duration::from_secs(29 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 0, "it can still be brought back");
    app.clock.advance(Duration::from_secs(2 * 86_400));
    assert_eq!(app.app.purge_contacts().await.unwrap(), 1);
    assert!(rows(&contacts[0]).await.iter().all(|(_, count)| *count == 0), "{:?}", rows(&contacts[0]).await);
    assert!(rows(&contacts[1]).await.iter().all(|(_, count)| *count > 0));
    // What happened stays, and says nothing of the contact any more.
    let told_of_gone = told(&contacts[0]).await;
    let what = "made, noted, a task, an opportunity, its file, one that recurs, enrolled, a file, a source, a submission, deleted, \
                the opportunity with it; of a link its own address, who clicked, and what that started";
    assert_eq!(told_of_gone.len(), 15, "{what}: {told_of_gone:#?}");
    for event in &told_of_gone {
        assert_eq!(event["erased"], true);
        assert!(event["before"].is_null() && event["after"].is_null(), "{event}");
    }
    assert!(told(&contacts[1]).await.iter().all(|event| event["erased"] == false && event["after"].is_object()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_listed_and_brought_back_by_api() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let make = async |name: &str| {
        let new = json!({"firstName": name, "email": format!("{name}@example.com")});
        app.post("/contacts/").key(&key).json(&new).send().await.expect(201)["contact"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (first, second) = (make("ada").await, make("bob").await);
    for id in [&first, &second] {
        app.delete(&format!("/contacts/{id}")).key(&key).send().await.expect(200);
        app.clock.advance(std::time::Duration::from_secs(1));
    }
    let trash = app.get("/contacts/trash").key(&key).send().await.expect(200);
    let ids: Vec<&str> = trash["contacts"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(
        (ids, &trash["total"]),
        (vec![second.as_str(), first.as_str()], &json!(2)),
        "the last one first: {trash}"
    );
    let days = |name: &str| trash["contacts"][0][name].as_str().unwrap()[..10].to_owned();
    assert!(days("dateDeleted") < days("dateErased"));
    let back = app.post(&format!("/contacts/trash/{first}/restore")).key(&key).send().await.expect(200);
    assert_eq!((&back["contact"]["firstName"], &back["opportunitiesLeft"]), (&json!("ada"), &json!(0)));
    app.get(&format!("/contacts/{first}")).key(&key).send().await.expect(200);
    let again = app.post(&format!("/contacts/trash/{first}/restore")).key(&key).send().await;
    assert_eq!(again.status, 400, "what is not in the trash cannot leave it: {}", again.text);
    // Whoever has the address by now keeps it.
    make("bob").await;
    let taken = app.post(&format!("/contacts/trash/{second}/restore")).key(&key).send().await;
    assert!(taken.status == 400 && taken.text.contains("duplicate"), "{}", taken.text);
}
