//! An upsert adds to a contact what it is told apart by, and never takes any of it away.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::opportunities::first_pipeline;

async fn upsert(app: &TestApp, key: &TestKey, body: Value) -> Value {
    app.post("/contacts/upsert").key(key).json(&body).send().await.expect(200)
}

async fn create(app: &TestApp, key: &TestKey, body: Value) -> Value {
    app.post("/contacts/").key(key).json(&body).send().await.expect(201)["contact"]["id"].clone()
}

fn emails(contact: &Value) -> Vec<&str> {
    let others = contact["additionalEmails"].as_array().unwrap();
    contact.get("email").into_iter().chain(others).map(|email| email.as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_adds_addresses_and_takes_none_away() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = create(&app, &key, json!({"email": "a@x.example", "additionalEmails": ["b@x.example"]})).await;
    let again = json!({"email": "B@x.example", "additionalEmails": ["c@x.example"]});
    let first = upsert(&app, &key, again.clone()).await["contact"].clone();
    assert_eq!(first["id"], made);
    assert_eq!(emails(&first), ["a@x.example", "b@x.example", "c@x.example"]);
    app.clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        assert_eq!(upsert(&app, &key, again.clone()).await["contact"], first);
    }
    // Found by a further one, with a first one that is new: the one that was first is one of the others.
    let renamed = json!({"email": "new@x.example", "additionalEmails": ["c@x.example"]});
    let renamed = upsert(&app, &key, renamed).await;
    assert_eq!((&renamed["new"], &renamed["contact"]["id"]), (&json!(false), &made));
    assert_eq!(emails(&renamed["contact"]), ["new@x.example", "a@x.example", "b@x.example", "c@x.example"]);
    // A row with the telephone of somebody whose e-mail address is another one; the next row is that contact's, too.
    let phoned = create(&app, &key, json!({"email": "p@x.example", "phone": "+14155550123"})).await;
    let rows = json!({"contacts": [
        {"email": "q@x.example", "phone": "+14155550123"},
        {"email": "p@x.example", "phone": "+14155550124", "additionalEmails": ["a@x.example", "r@x.example"]},
    ]});
    let results = app.post("/contacts/bulk/upsert").key(&key).json(&rows).send().await.expect(200);
    for result in results["results"].as_array().unwrap() {
        assert_eq!((&result["status"], &result["id"]), (&json!("updated"), &phoned), "{results}");
    }
    let others = format!("additionalEmails (a@x.example: contact {} has it)", made.as_str().unwrap());
    assert_eq!(results["results"][1]["skipped"], json!([others]));
    let row = json!({"email": "p@x.example", "phone": "+14155550123"});
    let v1 = app.post("/v1/contacts/").key(&key).json(&row).send().await.expect(200)["contact"].clone();
    assert_eq!(emails(&v1), ["q@x.example", "p@x.example", "r@x.example"]);
    assert_eq!((&v1["phone"], &v1["additionalPhones"]), (&json!("+14155550124"), &json!(["+14155550123"])));
    // To take one away is said of the contact itself.
    let cleared = upsert(&app, &key, json!({"phone": "+14155550123", "clear": ["email"]})).await;
    assert_eq!(cleared["skipped"], json!(["email (an upsert takes no address away)"]));
    assert_eq!(emails(&cleared["contact"]), ["q@x.example", "p@x.example", "r@x.example"]);
    let path = format!("/contacts/{}", phoned.as_str().unwrap());
    let replaced = app.put(&path).key(&key).json(&json!({"additionalEmails": []})).send().await.expect(200);
    assert_eq!(emails(&replaced["contact"]), ["q@x.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let others: Vec<String> = (0..19).map(|number| format!("n{number}@x.example")).collect();
    create(&app, &key, json!({"email": "first@x.example", "additionalEmails": others})).await;
    let more =
        json!({"email": "first@x.example", "additionalEmails": ["n3@x.example", "last@x.example", "over@x.example"]});
    let over = "(over@x.example: a contact has at most 20 further ones)";
    let added = upsert(&app, &key, more).await;
    assert_eq!(added["skipped"], json!([format!("additionalEmails {over}")]));
    let full = added["contact"].clone();
    assert_eq!(emails(&full).len(), 21);
    // There is no room for the first one among the others, and so it stays the first.
    let renamed = upsert(&app, &key, json!({"email": "over@x.example", "additionalEmails": ["n3@x.example"]})).await;
    assert_eq!((&renamed["contact"], &renamed["skipped"]), (&full, &json!([format!("email {over}")])));
}

/// Everything that `listed` contacts are told apart by.
fn identities(contacts: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let of = |contact: &Value| {
        let first = ["email", "phone"].into_iter().filter_map(|field| contact.get(field));
        let others =
            ["additionalEmails", "additionalPhones"].into_iter().flat_map(|field| contact[field].as_array().unwrap());
        let all = first.chain(others).map(|identity| identity.as_str().unwrap().to_lowercase());
        (contact["id"].as_str().unwrap().to_owned(), all.collect())
    };
    contacts["contacts"].as_array().unwrap().iter().map(of).collect()
}

/// Some of a few addresses, which ones by `dice`, so that they meet in every way.
fn any_row(mut dice: impl FnMut(usize) -> usize) -> Value {
    let emails =
        ["a@x.example", "b@x.example", "C@x.example", "c@x.example", "d@x.example", "e@x.example", "f@x.example"];
    let phones = ["+14155550120", "+14155550121", "+14155550122", "+14155550123"];
    let mut row = json!({});
    for (first, others, all) in [("email", "additionalEmails", &emails[..]), ("phone", "additionalPhones", &phones[..])]
    {
        if dice(3) > 0 {
            row[first] = json!(all[dice(all.len())]);
        }
        if dice(2) > 0 {
            row[others] = (0..=dice(3)).map(|_| all[dice(all.len())]).collect();
        }
    }
    if row == json!({}) { json!({"email": emails[dice(emails.len())]}) } else { row }
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_only_grow_and_a_repeated_upsert_changes_nothing() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let location = format!("/locations/{}", app.ids.location);
    let list = async || app.get("/contacts/?limit=100").key(&key).send().await.expect(200);
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut dice = |sides: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % sides as u64).unwrap()
    };
    let mut known = BTreeMap::new();
    for round in 0..120 {
        if round == 60 {
            // From here on several may have the same.
            let allow = json!({"settings": {"allowDuplicateContact": true}});
            app.put(&location).key(&agency).json(&allow).send().await.expect(200);
            for number in 0..4 {
                create(&app, &key, any_row(&mut dice)).await;
                app.clock.advance(Duration::from_millis(number + 5));
            }
            known = identities(&list().await);
        }
        let row = any_row(&mut dice);
        let first = upsert(&app, &key, row.clone()).await;
        app.clock.advance(Duration::from_millis(5));
        let again = upsert(&app, &key, row.clone()).await;
        assert_eq!((&again["new"], &again["contact"]), (&json!(false), &first["contact"]), "{round}: {row}");
        assert_eq!(again["skipped"], first["skipped"], "{round}: {row}");
        let now = identities(&list().await);
        for (id, before) in &known {
            assert!(before.is_subset(&now[id]), "{round}: {row} takes from {before:?}, which leaves {:?}", now[id]);
        }
        known = now;
    }
}

/// API 1.0 makes an opportunity for a person, whom the location may know by telephone before it knows them by e-mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_keeps_the_tags_of_whom_the_location_prefers() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    create(&app, &key, json!({"email": "a@x.example", "tags": ["by email"]})).await;
    let bob = create(&app, &key, json!({"phone": "+14155550123", "tags": ["by phone"]})).await;
    let phone_first = json!({"settings": {"duplicateContactPriority": "phone"}});
    app.put(&format!("/locations/{}", app.ids.location)).key(&agency).json(&phone_first).send().await.expect(200);
    let pipeline = first_pipeline(&app, &key).await;
    let at = format!("/v1/pipelines/{}/opportunities", pipeline["id"].as_str().unwrap());
    let new = json!({"title": "x", "status": "open", "stageId": pipeline["stages"][0]["id"], "tags": ["new"],
        "email": "a@x.example", "phone": "+14155550123"});
    let made = app.post(&at).key(&key).json(&new).send().await.expect(200);
    assert_eq!((&made["contact"]["id"], &made["contact"]["tags"]), (&bob, &json!(["by phone", "new"])));
}
