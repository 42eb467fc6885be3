//! What follows in many rows from one change: contacts that show something else, and what was a user's who is deleted.

use std::time::{Duration, Instant};

use keystead_core::{NewAccount, RateLimits};
use keystead_model::{UserId, UtcMs, grant::Reach, scope::Preset, text::EmailAddress, user::Role};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    callers::new_account,
    opportunities::{first_pipeline, opportunity},
};

/// Lets everything follow that has to.
pub(crate) async fn settled(app: &TestApp) {
    app.clock.advance(Duration::from_secs(1));
    let begun = Instant::now();
    while app.number("SELECT CAST(count(*) AS BIGINT) FROM jobs WHERE kind = 'aftermath'").await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it goes on for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left =
        "SELECT CAST(count(*) AS BIGINT) FROM (SELECT id FROM ripples UNION ALL SELECT user_id FROM departures) AS l";
    assert_eq!(app.number(left).await, 0);
}

async fn contact(app: &TestApp, key: &TestKey, body: Value) -> String {
    let made = app.post("/contacts/").key(key).json(&body).send().await.expect(201);
    format!("/contacts/{}", made["contact"]["id"].as_str().unwrap())
}

async fn get(app: &TestApp, key: &TestKey, path: &str) -> Value {
    let found = app.get(path).key(key).send().await.expect(200);
    found.as_object().unwrap().values().find(|value| value["id"].is_string()).unwrap().clone()
}

/// Many contacts like this, in the order in which they are listed.
async fn contacts(app: &TestApp, key: &TestKey, count: usize, like: Value) {
    let all: Vec<usize> = (0..count).collect();
    for page in all.chunks(500) {
        let like = |number: &usize| {
            let mut body = like.clone();
            body["email"] = json!(format!("many{number}@example.com"));
            body
        };
        let body = json!({"contacts": page.iter().map(like).collect::<Vec<_>>()});
        let answer = app.post("/contacts/bulk/upsert").key(key).json(&body).send().await.expect(200);
        assert_eq!(answer["failed"], 0, "{answer}");
    }
}

fn now(app: &TestApp) -> String {
    app.app.now().to_iso()
}

async fn count_changed_at(app: &TestApp, at: UtcMs) -> i64 {
    app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM contacts WHERE updated_at = {}", at.0)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_changed_when_a_tag_or_a_business_of_theirs_is() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let business = json!({"name": "Mill", "locationId": app.ids.location.as_str()});
    let business = app.post("/businesses/").key(&key).json(&business).send().await.expect(201);
    let business = business["business"]["id"].as_str().unwrap().to_owned();
    contacts(&app, &key, 501, json!({"tags": ["vip"]})).await;
    let other = contact(&app, &key, json!({"name": "Other", "tags": ["vips"]})).await;
    let trashed = contact(&app, &key, json!({"name": "Trashed", "tags": ["vip"]})).await;
    let id = |path: &str| path[10..].to_owned();
    let of_business = json!({"locationId": app.ids.location.as_str(), "ids": [id(&other)], "businessId": business});
    app.post("/contacts/bulk/business").key(&key).json(&of_business).send().await.expect(200);
    app.delete(&trashed).key(&key).send().await.expect(200);
    let tags = format!("/locations/{}/tags", app.ids.location);
    let all = app.get(&tags).key(&key).send().await.expect(200);
    let tag = all["tags"].as_array().unwrap().iter().find(|tag| tag["name"] == "vip").unwrap();
    let tag = format!("{tags}/{}", tag["id"].as_str().unwrap());
    let events = async || app.number("SELECT max(id) FROM events").await;

    let before = get(&app, &key, &other).await["dateUpdated"].clone();
    app.clock.advance(Duration::from_secs(60));
    let told = events().await;
    app.put(&tag).key(&key).json(&json!({"name": "gold"})).send().await.expect(200);
    settled(&app).await;
    assert_eq!(count_changed_at(&app, app.app.now()).await, 501);
    // So whoever looks for what is new finds them.
    let new = json!({"pageLimit": 1, "filters": [
        {"field": "dateUpdated", "operator": "range", "value": {"gte": now(&app)}},
        {"field": "tags", "operator": "contains", "value": ["gold"]},
    ]});
    let found = app.post("/contacts/search").key(&key).json(&new).send().await.expect(200);
    assert_eq!(found["total"], 501, "{found}");
    app.clock.advance(Duration::from_secs(60));
    app.delete(&tag).key(&key).send().await.expect(200);
    settled(&app).await;
    assert_eq!(count_changed_at(&app, app.app.now()).await, 501);
    assert_eq!(get(&app, &key, &other).await["dateUpdated"], before, "it has another tag");
    assert_eq!(events().await, told + 2, "the change is one, and so is its event");

    app.clock.advance(Duration::from_secs(60));
    app.delete(&format!("/businesses/{business}")).key(&key).send().await.expect(200);
    settled(&app).await;
    let found = get(&app, &key, &other).await;
    assert_eq!((&found["businessId"], &found["dateUpdated"]), (&Value::Null, &json!(now(&app))));
    assert_eq!(count_changed_at(&app, app.app.now()).await, 1);
    // Nothing follows from what nobody has.
    let made = app.post(&tags).key(&key).json(&json!({"name": "none"})).send().await.expect(200);
    app.delete(&format!("{tags}/{}", made["tag"]["id"].as_str().unwrap())).key(&key).send().await.expect(200);
    assert_eq!(app.number("SELECT CAST(count(*) AS BIGINT) FROM jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_a_value_of_a_field_that_is_gone_is_changed() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let mut had = Vec::new();
    for model in ["contact", "opportunity"] {
        let fields = format!("/locations/{}/customFields", app.ids.location);
        let new = json!({"name": "Level", "dataType": "TEXT", "model": model});
        let field = app.post(&fields).key(&key).json(&new).send().await.expect(201)["customField"]["id"].clone();
        let value = json!([{"id": field, "field_value": "Gold"}]);
        let ada = contact(&app, &key, json!({"name": "Ada"})).await;
        let pipeline = first_pipeline(&app, &key).await;
        let sale = opportunity(&app, &key, &pipeline, &ada[10..], json!({})).await;
        let sale = format!("/opportunities/{}", sale["id"].as_str().unwrap());
        let paths = if model == "contact" { [ada, sale] } else { [sale, ada] };
        app.put(&paths[0]).key(&key).json(&json!({"customFields": value})).send().await.expect(200);
        had.push((format!("{fields}/{}", field.as_str().unwrap()), paths));
    }
    for (field, [with, without]) in &had {
        let at = |found: &Value| found.get("dateUpdated").or(found.get("updatedAt")).unwrap().clone();
        app.clock.advance(Duration::from_secs(60));
        app.delete(field).key(&key).send().await.expect(200);
        while app.app.purge_field_values().await.unwrap() > 0 {}
        assert_eq!(at(&get(&app, &key, with).await), now(&app), "{with}");
        assert_ne!(at(&get(&app, &key, without).await), now(&app), "{without}");
    }
}

async fn user(app: &TestApp, email: &str) -> UserId {
    let new = NewAccount {
        email: EmailAddress::parse(email).unwrap(),
        locations: [app.ids.location].into(),
        role: Role::AccountUser,
        ..new_account()
    };
    app.app.create_user(app.operator().await.authority(), new).await.unwrap().id
}

/// What names users in a location: a contact, an opportunity, a task and a recurring task, all of them for one, whom another
/// follows beside them.
async fn things(app: &TestApp, key: &TestKey, location: &str, [one, other]: [&str; 2]) -> Vec<String> {
    let at = |path: &str| format!("{path}?locationId={location}");
    let ada = json!({"name": "Ada", "locationId": location, "assignedTo": one, "tags": ["kept"]});
    let ada = contact(app, key, ada).await;
    let followers = json!({"followers": [one, other]});
    app.post(&at(&format!("{ada}/followers"))).key(key).json(&followers).send().await.expect(201);
    let pipelines = app.get(&at("/opportunities/pipelines")).key(key).send().await.expect(200);
    let sale = json!({
        "name": "Sale", "locationId": location, "pipelineId": pipelines["pipelines"][0]["id"], "contactId": ada[10..],
        "status": "open", "assignedTo": one, "monetaryValue": 7,
    });
    let sale = app.post("/opportunities/").key(key).json(&sale).send().await.expect(201);
    let sale = format!("/opportunities/{}", sale["opportunity"]["id"].as_str().unwrap());
    app.post(&at(&format!("{sale}/followers"))).key(key).json(&followers).send().await.expect(201);
    let task = json!({"title": "Call", "dueDate": "2026-12-01", "completed": false, "assignedTo": one});
    let task = app.post(&at(&format!("{ada}/tasks"))).key(key).json(&task).send().await.expect(201);
    let task = format!("{ada}/tasks/{}", task["task"]["id"].as_str().unwrap());
    let daily = json!({"intervalType": "daily", "interval": 1, "startDate": "2030-01-01", "dueAfterSeconds": 600});
    let rule = json!({"title": "Call", "contactIds": [ada[10..]], "rruleOptions": daily, "owners": [one]});
    let rules = format!("/locations/{location}/recurring-tasks");
    let rule = app.post(&rules).key(key).json(&rule).send().await.expect(201);
    let rule = format!("{rules}/{}", rule["recurringTask"]["id"].as_str().unwrap());
    [ada, sale, task, rule].iter().map(|path| at(path)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_leaves_what_was_theirs() {
    let app = TestApp::start_with(|config| config.limits.rate = RateLimits::OFF).await;
    let (eve, bob) = (user(&app, "eve@example.com").await, user(&app, "bob@example.com").await);
    let second = app.location("Second").await;
    let places = [app.ids.location, second];
    let mut all = Vec::new();
    for place in places {
        let key = app.key(Reach::location(place), Preset::FullAccess).await;
        let hers = things(&app, &key, place.as_str(), [eve.as_str(), bob.as_str()]).await;
        let his = things(&app, &key, place.as_str(), [bob.as_str(), eve.as_str()]).await;
        all.push((key, hers, his));
    }
    let (key, ..) = &all[0];
    // More than are looked at, and more than are changed, in one go.
    contacts(&app, key, 1_100, json!({})).await;
    app.sql(&format!("UPDATE contacts SET assigned_to = '{eve}' WHERE email < 'many15'")).await;
    let hers = app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM contacts WHERE assigned_to = '{eve}'")).await;
    assert!(hers > 100, "{hers}");
    // Of somebody elsewhere, as integrations bring them; and what is in the trash stays as it is.
    let stranger = contact(&app, key, json!({"name": "Strange", "assignedTo": "0000000000000000001U"})).await;
    let trashed = contact(&app, key, json!({"name": "Trashed", "assignedTo": eve.as_str()})).await;
    app.delete(&trashed).key(key).send().await.expect(200);
    let mut untouched = Vec::new();
    for (key, _, his) in &all {
        for path in &his[2..] {
            untouched.push((key, path, get(&app, key, path).await));
        }
    }
    app.clock.advance(Duration::from_secs(60));
    let told = app.number("SELECT max(id) FROM events").await;
    app.app.delete_user(app.operator().await.authority(), eve).await.unwrap();
    settled(&app).await;

    for (key, hers, his) in &all {
        let mut left = Vec::new();
        for path in hers {
            let thing = get(&app, key, path).await;
            assert!(thing["assignedTo"].is_null(), "{thing}");
            left.push(thing);
        }
        for thing in &left[..2] {
            assert_eq!(thing["followers"], json!([bob.as_str()]), "{thing}");
            let at = thing.get("dateUpdated").or(thing.get("updatedAt")).unwrap();
            assert_eq!(at, &now(&app), "{thing}");
        }
        assert_eq!((&left[0]["tags"], &left[1]["monetaryValue"]), (&json!(["kept"]), &json!(7)));
        for path in &his[..2] {
            let thing = get(&app, key, path).await;
            assert_eq!((&thing["assignedTo"], &thing["followers"]), (&json!(bob.as_str()), &json!([bob.as_str()])));
        }
    }
    for (key, path, before) in untouched {
        assert_eq!(get(&app, key, path).await, before);
    }
    assert_eq!(get(&app, key, &stranger).await["assignedTo"], "0000000000000000001U");
    let left = app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM contacts WHERE assigned_to = '{eve}'")).await;
    assert_eq!(left, 1, "that in the trash");
    // Each tells why: the deletion, by whoever that was, and nobody but Keystead itself did the rest.
    let count = async |such: &str| {
        app.number(&format!("SELECT CAST(count(*) AS BIGINT) FROM events WHERE id > {told} AND {such}")).await
    };
    let root =
        "root = (SELECT event_id FROM events WHERE action = 'user.deleted') AND depth = 1 AND actor_kind = 'system'";
    assert_eq!(count(&format!("action = 'contact.updated' AND {root}")).await, hers + 2);
    assert_eq!(count(&format!("action = 'opportunity.updated' AND {root}")).await, 4);
    assert_eq!(count(&format!("action IN ('task.updated', 'recurring_task.updated') AND {root}")).await, 4);
    assert_eq!(count("action <> 'user.deleted' AND root IS NULL").await, 0);
}

/// As the migration leaves those who were deleted before there was this.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_deleted_earlier_leaves_too_and_a_server_that_ends_leaves_the_rest_to_another() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let eve = user(&app, "eve@example.com").await;
    app.app.delete_user(app.operator().await.authority(), eve).await.unwrap();
    settled(&app).await;
    let all = [
        contact(&app, &key, json!({"name": "Ada", "assignedTo": eve.as_str()})).await,
        contact(&app, &key, json!({"name": "Bob", "assignedTo": eve.as_str()})).await,
    ];
    // One of the two was reached before, by a server that said nothing more: somebody else goes on behind it.
    let (agency, place, reached) = (app.ids.agency, app.ids.location, &all.iter().min().unwrap()[10..]);
    app.sql(&format!("INSERT INTO departures (user_id, agency_id, place, noun, after_id) VALUES ('{eve}', '{agency}', '{place}', 'contacts', '{reached}')")).await;
    let at = app.app.now().0;
    app.sql(&format!("INSERT INTO jobs (id, kind, owner_id, attempts, unsettled, due_at, created_at) VALUES ('{eve}', 'aftermath', '{agency}', 3, 1, {at}, {at})")).await;
    settled(&app).await;
    let mut owners = Vec::new();
    for path in &all {
        owners.push((path[10..].to_owned(), get(&app, &key, path).await["assignedTo"].clone()));
    }
    owners.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!([&owners[0].1, &owners[1].1], [&json!(eve.as_str()), &Value::Null]);
}
