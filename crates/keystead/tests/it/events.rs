//! Events: one for each change, none without it, and a list whose readers miss nothing.

use std::{collections::BTreeSet, time::Duration};

use keystead_core::{App, Authority, EventQuery, LocationContext};
use keystead_model::{
    UtcMs,
    actor::Actor,
    contact::ContactPatch,
    event::{Cause, Event, EventId, EventKind, NewEvent},
    grant::Reach,
    id::Id,
    page::{Start, Window},
    scope::{Preset, Scope, ScopeSet},
    text::{EmailAddress, Line},
};
use keystead_store::{Error as StoreError, Tx, events};
use keystead_testkit::TestApp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

async fn context(app: &TestApp) -> LocationContext {
    app.app.enter_location(app.admin().await, Some(app.ids.location)).await.unwrap()
}

/// All events of the location, read in small pages.
async fn all(app: &App, authority: &Authority, query: EventQuery) -> Vec<Event> {
    let (mut events, mut query) = (Vec::new(), query);
    loop {
        let page = app.list_events(authority, query.clone()).await.unwrap();
        assert!(page.events.len() as i64 <= query.window.limit);
        events.extend(page.events);
        query.window.start = Start::After(page.next);
        if !page.has_more {
            return events;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_data_is_told_with_what_changed() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let cursor = app.get("/events").key(&key).send().await.expect(200)["meta"]["nextCursor"].clone();
    let new = json!({"firstName": "Ada", "email": "ada@example.com", "tags": ["vip"]});
    let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    let contact = made["contact"]["id"].as_str().unwrap().to_owned();
    let path = format!("/contacts/{contact}");
    let change = json!({"firstName": "Augusta", "city": "London", "tags": []});
    app.put(&path).key(&key).json(&change).send().await.expect(200);
    let note = app.post(&format!("{path}/notes")).key(&key).json(&json!({"body": "Called"})).send().await.expect(201);
    let note = note["note"]["id"].as_str().unwrap().to_owned();
    let body = json!({"body": "Called twice"});
    app.put(&format!("{path}/notes/{note}")).key(&key).json(&body).send().await.expect(200);
    app.delete(&format!("{path}/notes/{note}")).key(&key).send().await.expect(200);
    let task = json!({"title": "Call", "dueDate": "2026-12-01T00:00:00Z", "completed": false});
    let task = app.post(&format!("{path}/tasks")).key(&key).json(&task).send().await.expect(201);
    let task = task["task"]["id"].as_str().unwrap().to_owned();
    let done = json!({"completed": true});
    app.put(&format!("{path}/tasks/{task}/completed")).key(&key).json(&done).send().await.expect(200);
    app.delete(&path).key(&key).send().await.expect(200);

    let read = app.get("/events").key(&key).query(&[("cursor", cursor.as_str().unwrap())]).send().await.expect(200);
    let told: Vec<(&str, &Value, &Value)> = read["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), &event["before"], &event["after"]))
        .collect();
    let ada = json!({"firstName": "Ada", "email": "ada@example.com", "tags": ["vip"]});
    let augusta = json!({"firstName": "Augusta", "email": "ada@example.com", "city": "London"});
    let called = json!({"title": "Call", "dueDate": "2026-12-01T00:00:00.000Z", "completed": false});
    assert_eq!(
        told,
        [
            ("contact.created", &Value::Null, &ada),
            ("tag.created", &Value::Null, &json!({"name": "vip"})),
            (
                "contact.updated",
                &json!({"firstName": "Ada", "tags": ["vip"]}),
                &json!({"firstName": "Augusta", "city": "London"})
            ),
            ("note.created", &Value::Null, &json!({"body": "Called"})),
            ("note.updated", &json!({"body": "Called"}), &json!({"body": "Called twice"})),
            ("note.deleted", &json!({"body": "Called twice"}), &Value::Null),
            ("task.created", &Value::Null, &called),
            ("task.updated", &json!({"completed": false}), &json!({"completed": true})),
            ("contact.deleted", &augusta, &Value::Null),
        ]
    );
    // A tag that a contact brought is there because of it.
    let (first, second) = (&read["events"][0], &read["events"][1]);
    assert_eq!(first["cause"], json!({"rootEventId": null, "depth": 0}));
    assert_eq!(second["cause"], json!({"rootEventId": first["id"], "depth": 1}));
    assert_eq!(first["actor"], json!({"type": "key", "id": key.id.as_str()}));
    assert_eq!(first["subject"], json!({"type": "contact", "id": contact}));
    // The history of a contact has what belongs to it.
    let asked = [("subject", contact.as_str())];
    let history = app.get("/events").key(&key).query(&asked).send().await.expect(200);
    assert_eq!(history["events"].as_array().unwrap().len(), told.len() - 1, "all but the tag: {history}");
    let rows = app.get("/audit-logs").key(&app.agency_key().await).query(&asked).send().await.expect(200);
    assert_eq!(rows["auditLogs"].as_array().unwrap().len(), told.len() - 1);
    assert_eq!(rows["auditLogs"][0]["before"], augusta);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_is_listed_once_it_is_sealed() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    app.put(&format!("/locations/{}", app.ids.location))
        .key(&agency)
        .json(&json!({"name": "Renamed", "companyId": app.ids.agency.as_str()}))
        .send()
        .await
        .expect(200);
    let types = async |asked: &[(&str, &str)], key: &_| -> Vec<String> {
        let read = app.get("/events").key(key).query(asked).send().await.expect(200);
        read["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    app.app.seal_audit().await.unwrap();
    assert_eq!(types(&[], &key).await, ["api_key.created", "location.updated"]);
    assert_eq!(types(&[("kinds", "location.*")], &key).await, ["location.updated"]);
    // The agency's own: also its keys and all its locations, but no data.
    assert_eq!(types(&[("kinds", "api_key.created")], &agency).await.len(), 2);
    let location = app.ids.location.to_string();
    assert_eq!(types(&[("kinds", "api_key.created"), ("locationId", &location)], &agency).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_in_events_what_they_may_not_read() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    app.post("/contacts/").key(&key).json(&json!({"name": "Secret Person", "tags": ["x"]})).send().await.expect(201);
    let with = async |scopes: &[Scope]| {
        app.key_with(Reach::location(app.ids.location), scopes.iter().copied().collect(), |_| {}).await
    };
    let tags = with(&[Scope::TagsRead]).await;
    let read = app.get("/events").key(&tags).send().await.expect(200);
    let types: BTreeSet<&str> =
        read["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, BTreeSet::from(["tag.created"]));
    for kinds in ["contact.created", "contact.*", "tag.created,note.deleted", "api_key.*"] {
        let refused = app.get("/events").key(&tags).query(&[("kinds", kinds)]).send().await;
        assert_eq!(refused.status, 401, "{kinds}: {}", refused.text);
    }
    assert_eq!(app.get("/events").key(&with(&[Scope::TagsWrite]).await).send().await.status, 401);
    // The log says that it happened; what people wrote is for those who may read contacts.
    let keys = app.key_with(Reach::Agency, [Scope::KeysRead].into_iter().collect::<ScopeSet>(), |_| {}).await;
    let rows = app.get("/audit-logs").key(&keys).query(&[("action", "contact.")]).send().await.expect(200);
    assert_eq!(rows["auditLogs"][0]["action"], "contact.created");
    assert!(!rows.to_string().contains("Secret"), "{rows}");
    // Another location's are nobody's here.
    let sibling = app.location("Sibling").await;
    let refused = app.get("/events").key(&key).query(&[("locationId", sibling.as_str())]).send().await;
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    let elsewhere = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let read = app.get("/events").key(&elsewhere).query(&[("kinds", "contact.*")]).send().await.expect(200);
    assert_eq!(read["events"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_are_answered_with_what_is_wrong() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for (name, value) in [
        ("kinds", "contact.imagined"),
        ("kinds", "session.started"),
        ("kinds", "*"),
        ("cursor", "x"),
        ("cursor", "1-2-3"),
        ("cursor", "-1-2-3-0Vc5K6ZwZGWu6taxhPqZ-0Vc5K6ZwZGWu6taxhPqZ"),
        ("cursor", "1795699024252-1-1-0000000000000000000A-0000000000000000000A"),
        ("limit", "0"),
        ("limit", "101"),
        ("since", "yesterday"),
        ("since", "1795699024"),
    ] {
        let refused = app.get("/events").key(&key).query(&[(name, value)]).send().await;
        assert_eq!(refused.status, 422, "{name}={value}: {}", refused.text);
        assert!(refused.text.contains(name), "{}", refused.text);
    }
}

/// Each of many writers on several nodes, and one who polls meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn who_polls_misses_nothing_and_reads_nothing_twice() {
    let app = TestApp::start().await;
    let (context, admin) = (context(&app).await, app.admin().await);
    let nodes = [app.app.clone(), app.second_node().await, app.second_node().await];
    let mut writers = JoinSet::new();
    for number in 0..120 {
        let (node, context) = (nodes[number % 3].clone(), context.clone());
        writers.spawn(async move {
            let email = EmailAddress::parse(&format!("c{number}@example.com")).unwrap();
            let new = ContactPatch { email: Some(Some(email)), ..ContactPatch::default() };
            let contact = node.create_contact(&context, new).await.unwrap();
            node.delete_contact(&context, contact.id).await.unwrap();
        });
    }
    let location = Some(app.ids.location);
    let kinds = vec!["contact.*".to_owned()];
    let mut query = EventQuery { location, kinds, ..EventQuery::all(Window::first(7)) };
    let mut read: Vec<Event> = Vec::new();
    loop {
        let over = writers.is_empty();
        let page = nodes[1].list_events(&admin, query.clone()).await.unwrap();
        let more = page.has_more;
        read.extend(page.events);
        query.window.start = Start::After(page.next);
        while let Some(done) = writers.try_join_next() {
            done.unwrap();
        }
        if over && !more {
            break;
        }
        tokio::task::yield_now().await;
    }
    let ids: BTreeSet<&str> = read.iter().map(|event| event.id.as_str()).collect();
    assert_eq!((read.len(), ids.len()), (240, 240));
    assert!(read.windows(2).all(|pair| pair[0].number < pair[1].number));
}

/// What got its number first is committed last, unless the others wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_committed_late_is_not_passed_by() {
    let app = TestApp::start().await;
    let (context, admin, location) = (context(&app).await, app.admin().await, app.ids.location);
    let (slow, other) = (app.second_store(), app.second_node().await);
    let (numbered, is_numbered) = tokio::sync::oneshot::channel();
    let numbered = std::sync::Mutex::new(Some(numbered));
    let agency = app.ids.agency;
    let event = move |tx: &mut Tx<'_>| {
        let id: EventId = Id::parse("0000000000000000slow").unwrap();
        let (actor, cause) = (Actor::Operator, Cause::default());
        let (location, contact, ip, request_id, before, after) = (Some(location), None, None, None, None, None);
        let (kind, subject, at) = (EventKind::ContactDeleted, "x".to_owned(), UtcMs(0));
        let event =
            NewEvent { id, kind, agency, location, contact, subject, at, actor, ip, request_id, before, after, cause };
        events::insert(tx, &event)?;
        // It has its number when somebody looks.
        tx.query_one("SELECT CAST(count(*) AS BIGINT) FROM events", &[], |row| row.column::<i64>())?;
        if let Some(numbered) = numbered.lock().unwrap().take() {
            let _ = numbered.send(());
        }
        std::thread::sleep(Duration::from_millis(300));
        Ok::<_, StoreError>(())
    };
    let mut writers = JoinSet::new();
    writers.spawn(async move { slow.write_in(location.of_anything(), event).await.unwrap() });
    is_numbered.await.unwrap();
    writers.spawn(async move {
        let name = Some(Some(Line::parse("Fast").unwrap()));
        let new = ContactPatch { first_name: name, ..ContactPatch::default() };
        other.create_contact(&context, new).await.map(drop).unwrap();
    });
    let kinds = vec!["contact.*".to_owned()];
    let mut query = EventQuery { location: Some(location), kinds, ..EventQuery::all(Window::first(10)) };
    let mut read = Vec::new();
    while read.len() < 2 {
        while let Some(done) = writers.try_join_next() {
            done.unwrap();
        }
        let over = writers.is_empty();
        let page = app.app.list_events(&admin, query.clone()).await.unwrap();
        read.extend(page.events.into_iter().map(|event| event.id));
        query.window.start = Start::After(page.next);
        assert!(!over || read.len() == 2, "one was passed by: {read:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(read[0], "0000000000000000slow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_may_have_missed_something_is_refused() {
    let app = TestApp::start_with(|config| config.limits.data_audit = Some(Duration::from_secs(10 * 86_400))).await;
    let key = app.location_key().await;
    let cursor = async || {
        let read = app.get("/events").key(&key).send().await.expect(200);
        read["meta"]["nextCursor"].as_str().unwrap().to_owned()
    };
    let ask = async |cursor: &str| app.get("/events").key(&key).query(&[("cursor", cursor)]).send().await;
    let old = cursor().await;
    app.let_days_pass(9.0).await;
    ask(&old).await.expect(200);
    app.let_days_pass(2.0).await;
    let refused = ask(&old).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("older than the 10 days"), "{}", refused.text);
    // A page that has more behind it is as old as what it ends with, whenever it was read.
    for number in 0..5 {
        let new = json!({"name": format!("c{number}")});
        app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    }
    app.let_days_pass(8.5).await;
    let asked = [("limit", "2"), ("kinds", "contact.*")];
    let page = app.get("/events").key(&key).query(&asked).send().await.expect(200);
    assert_eq!((page["meta"]["hasMore"].clone(), page["events"].as_array().unwrap().len()), (json!(true), 2));
    let inside = page["meta"]["nextCursor"].as_str().unwrap().to_owned();
    ask(&inside).await.expect(200);
    app.let_days_pass(1.6).await;
    assert_eq!(app.app.trim_audit().await.unwrap(), 5);
    assert_eq!(ask(&inside).await.status, 422, "three were never told");
    // What is about to be forgotten is not begun with; what is sealed is kept, however old.
    app.app.seal_audit().await.unwrap();
    let first = app.get("/events").key(&key).query(&[("limit", "1")]).send().await.expect(200);
    assert_eq!(first["events"][0]["type"], "api_key.created");
    let now = cursor().await;
    ask(&now).await.expect(200);
    app.sql("UPDATE instance SET incarnation = 'another'").await;
    let refused = ask(&now).await;
    assert!(refused.status == 422 && refused.text.contains("another state"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_goes_on_where_it_was_handed_out() {
    let app = TestApp::start().await;
    let key = app.agency_key().await;
    let sibling = app.location("Sibling").await;
    let ask = async |asked: &[(&str, &str)]| app.get("/events").key(&key).query(asked).send().await;
    let here = app.ids.location.to_string();
    let read = ask(&[("locationId", &here)]).await.expect(200);
    let cursor = read["meta"]["nextCursor"].as_str().unwrap();
    ask(&[("locationId", &here), ("cursor", cursor)]).await.expect(200);
    for elsewhere in [vec![("locationId", sibling.as_str()), ("cursor", cursor)], vec![("cursor", cursor)]] {
        let refused = ask(&elsewhere).await;
        assert!(refused.status == 422 && refused.text.contains("where it was handed out"), "{}", refused.text);
    }
    // Data is in locations only, and nobody waits for it elsewhere in vain.
    let refused = ask(&[("kinds", "contact.*")]).await;
    assert!(refused.status == 422 && refused.text.contains("locationId"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_tells_nothing() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let new = json!({"firstName": "Ada", "email": "ada@example.com", "tags": ["vip"]});
    let made = app.post("/contacts/").key(&key).json(&new).send().await.expect(201);
    let path = format!("/contacts/{}", made["contact"]["id"].as_str().unwrap());
    let note = app.post(&format!("{path}/notes")).key(&key).json(&json!({"body": "x"})).send().await.expect(201);
    let note = format!("{path}/notes/{}", note["note"]["id"].as_str().unwrap());
    let task = json!({"title": "x", "dueDate": "2026-12-01T00:00:00Z", "completed": false});
    let made = app.post(&format!("{path}/tasks")).key(&key).json(&task).send().await.expect(201);
    let task_path = format!("{path}/tasks/{}", made["task"]["id"].as_str().unwrap());
    let location = format!("/locations/{}", app.ids.location);
    let named = app.get(&location).key(&agency).send().await.expect(200)["location"]["name"].clone();
    let told = async || {
        app.app.seal_audit().await.unwrap();
        let asked = EventQuery { location: Some(app.ids.location), ..EventQuery::all(Window::first(100)) };
        all(&app.app, &app.admin().await, asked).await.len()
    };
    let before = (told().await, app.get(&path).key(&key).send().await.expect(200)["contact"]["dateUpdated"].clone());
    for (call, body) in [
        (app.put(&path), json!({})),
        (app.put(&path), json!({"firstName": "Ada", "tags": ["vip"]})),
        (app.post("/contacts/upsert"), json!({"email": "ada@example.com", "firstName": "Ada"})),
        (app.put(&note), json!({"body": "x"})),
        (app.put(&task_path), json!({"title": "x"})),
        (app.put(&format!("{task_path}/completed")), json!({"completed": false})),
    ] {
        assert!(call.key(&key).json(&body).send().await.is_ok(), "{body}");
    }
    let body = json!({"name": named, "companyId": app.ids.agency.as_str()});
    app.put(&location).key(&agency).json(&body).send().await.expect(200);
    let kept = app.get(&format!("/api-keys/{}", key.id)).key(&agency).send().await.expect(200);
    let again = json!({"name": kept["apiKey"]["name"]});
    let same = app.patch(&format!("/api-keys/{}", key.id)).key(&agency).json(&again).send().await.expect(200);
    assert_eq!(same["apiKey"]["version"], kept["apiKey"]["version"]);
    let after = (told().await, app.get(&path).key(&key).send().await.expect(200)["contact"]["dateUpdated"].clone());
    assert_eq!(after, before);
    app.put(&path).key(&key).json(&json!({"firstName": "Augusta"})).send().await.expect(200);
    assert_eq!(told().await, before.0 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_tells_nothing_anew() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for _ in 0..2 {
        let call = app.post("/contacts/").key(&key).header("Idempotency-Key", "once");
        call.json(&json!({"name": "Ada", "tags": ["vip"]})).send().await.expect(201);
    }
    let location = Some(app.ids.location);
    let told = all(&app.app, &app.admin().await, EventQuery { location, ..EventQuery::all(Window::first(3)) }).await;
    let kinds: Vec<&str> =
        told.iter().map(|event| event.kind.as_str()).filter(|kind| !kind.starts_with("api_")).collect();
    assert_eq!(kinds, ["contact.created", "tag.created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_stand_in_the_thing_itself() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
    let notes = format!("/contacts/{}/notes", made["contact"]["id"].as_str().unwrap());
    app.post(&notes).key(&key).json(&json!({"body": "é".repeat(5000)})).send().await.expect(201);
    let read = app.get("/events").key(&key).query(&[("kinds", "note.created")]).send().await.expect(200);
    assert_eq!(read["events"][0]["after"]["body"], format!("{}…", "é".repeat(1000)));
}
