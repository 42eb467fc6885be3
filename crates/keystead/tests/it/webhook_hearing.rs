//! Webhooks that would be silent without a word, and what locations hear of their members.

use std::{collections::HashMap, time::Duration};

use keystead_model::{
    grant::Reach,
    key_kind::KeyKind,
    scope::{Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

use crate::{
    settings_pages::Scene,
    webhooks::{Receiver, allowed, contact, endpoint, with},
};

async fn instance() -> TestApp {
    TestApp::start_with(|config| config.limits.webhooks.allowed = allowed()).await
}

/// A key with every scope that a location has.
async fn everything(app: &TestApp) -> TestKey {
    app.key_with(Reach::location(app.ids.location), ScopeSet::all(KeyKind::Location), |_| {}).await
}

async fn taking() -> Receiver {
    Receiver::answering(|_, _| (200, Duration::ZERO)).await
}

/// What a webhook that a key makes is said to hear.
async fn made(app: &TestApp, key: &TestKey, path: &str, events: &[&str]) -> Value {
    let new = json!({"url": format!("https://hooks.example.com{path}"), "events": events});
    app.post("/webhooks").key(key).json(&new).send().await.expect(201)["webhook"].clone()
}

fn reasons(webhook: &Value) -> HashMap<String, Vec<&str>> {
    let unheard = webhook["unheard"].as_array().unwrap();
    let names = |one: &Value| format!("{} {}", one["reason"].as_str().unwrap(), one["scope"].as_str().unwrap_or("-"));
    let events = |one: &'_ Value| -> Vec<String> {
        one["events"].as_array().unwrap().iter().map(|event| event.as_str().unwrap().to_owned()).collect()
    };
    let leak = |events: Vec<String>| events.into_iter().map(|event| &*event.leak()).collect();
    unheard.iter().map(|one| (names(one), leak(events(one)))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_says_what_it_never_hears_and_why() {
    let app = TestApp::start().await;
    let full = everything(&app).await;
    let whole = made(&app, &full, "/full", &["contact.*", "user.created"]).await;
    assert_eq!((&whole["hears"], &whole["unheard"]), (&json!("all"), &json!([])));
    // By all events those are meant that come to a location.
    assert_eq!(made(&app, &full, "/star", &["*"]).await["hears"], "all");
    let deaf = with(&app, &[Scope::WebhooksWrite, Scope::WebhooksRead]).await;
    let silent = made(&app, &deaf, "/deaf", &["contact.created", "note.created", "opportunity.created"]).await;
    assert_eq!(silent["hears"], "none");
    let why = reasons(&silent);
    assert_eq!(why["scope_missing contacts.readonly"], ["contact.created", "note.created"]);
    assert_eq!(why["scope_missing opportunities.readonly"], ["opportunity.created"]);
    let of_agency = made(&app, &full, "/agency", &["agency.updated", "contact.created"]).await;
    assert_eq!(
        (&of_agency["hears"], &reasons(&of_agency)["of_agency -"][..]),
        (&json!("some"), &["agency.updated"][..])
    );
    // What its maker loses it loses, and what the maker gains it does not.
    let maker = with(&app, &[Scope::WebhooksWrite, Scope::WebhooksRead, Scope::ContactsRead]).await;
    let id = made(&app, &maker, "/narrowed", &["contact.created", "tag.created"]).await;
    assert_eq!(id["hears"], "some");
    let shown = async |id: &Value| {
        let path = format!("/webhooks/{}", id["id"].as_str().unwrap());
        app.get(&path).key(&full).send().await.expect(200)["webhook"].clone()
    };
    let scopes = json!({"scopes": ["webhooks.write", "webhooks.readonly", "locations/tags.readonly"]});
    app.patch(&format!("/api-keys/{}", maker.id)).key(&full).json(&scopes).send().await.expect(200);
    assert_eq!((&shown(&id).await["hears"], reasons(&shown(&id).await).len()), (&json!("none"), 2));
    app.post(&format!("/api-keys/{}/deactivate", maker.id)).key(&full).send().await.expect(200);
    let ended = shown(&id).await;
    assert_eq!(reasons(&ended).keys().collect::<Vec<_>>(), ["listener_ended -"]);
    // Whoever takes it over, it hears what they may read.
    let path = format!("/webhooks/{}", id["id"].as_str().unwrap());
    let taken = app.patch(&path).key(&full).json(&json!({"takeOver": true})).send().await.expect(200);
    assert_eq!(taken["webhook"]["hears"], "all");
    let listed = app.get("/webhooks?limit=100").key(&full).send().await.expect(200);
    let of = |id: &Value| {
        let found = listed["webhooks"].as_array().unwrap().iter().find(|one| one["id"] == id["id"]);
        found.unwrap()["hears"].clone()
    };
    assert_eq!((of(&silent), of(&whole)), (json!("none"), json!("all")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agencys_webhook_says_where_it_does_not_hear() {
    let app = TestApp::start().await;
    let agency = app.agency_key().await;
    let id = made(&app, &agency, "/a", &["contact.created", "agency.updated"]).await;
    assert_eq!(id["hears"], "all");
    let operator = app.operator().await;
    let reach = Some(Reach::Chosen([app.ids.location].into()));
    let patch = keystead_model::api_key::KeyPatch { reach, ..keystead_model::api_key::KeyPatch::default() };
    app.app.update_key(operator.authority(), agency.id, None, patch).await.unwrap();
    let whole = app.app.get_webhook(operator.authority(), id["id"].as_str().unwrap().parse_id()).await.unwrap();
    assert_eq!(whole.hears().as_str(), "some");
    let why: Vec<(&str, &str)> = whole.unheard.iter().map(|one| (one.why.as_str(), one.events[0].as_str())).collect();
    assert_eq!(why, [("some_locations_only", "contact.created")]);
}

trait ParseId {
    fn parse_id<T>(&self) -> keystead_model::id::Id<T>;
}

impl ParseId for str {
    fn parse_id<T>(&self) -> keystead_model::id::Id<T> {
        keystead_model::id::Id::parse(self).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_in_words_what_a_webhook_never_hears() {
    let scene = Scene::new().await;
    let deaf = with(&scene.app, &[Scope::WebhooksWrite]).await;
    let id = made(&scene.app, &deaf, "/deaf", &["contact.created"]).await;
    let path = format!("/settings/webhooks/{}", id["id"].as_str().unwrap());
    let page = scene.get(&path).await;
    assert!(page.contains("Hears nothing") && page.contains("lacks contacts.readonly"), "{page}");
    assert!(page.contains("contact.created</p>"), "{page}");
    assert!(scene.get("/settings/webhooks").await.contains("Hears nothing"));
    // Saved by somebody who may read it and says so, it hears.
    let change = [
        ("url", "https://hooks.example.com/deaf"),
        ("description", "Now"),
        ("which", "chosen"),
        ("events", "contact.created"),
    ];
    let edit = format!("{path}/edit");
    scene.said(&edit, &change).await;
    assert!(scene.get(&path).await.contains("lacks contacts.readonly"));
    let page = scene.get(&edit).await;
    assert!(page.contains("Let it hear what I may read") && page.contains("as far as whoever set it up may read that"));
    scene.said(&edit, &[&change[..], &[("takeOver", "on")]].concat()).await;
    assert!(!scene.get(&path).await.contains("lacks contacts.readonly"));
    assert!(!scene.get(&edit).await.contains("Let it hear what I may read"), "it does already");
    // While nothing is sent to any, all of them say so.
    let operator = scene.app.operator().await;
    scene.app.app.pause_deliveries(operator.authority()).await.unwrap();
    assert!(scene.get(&path).await.contains("Nothing is sent to any webhook since"));
    let shown = scene.stored(&format!("/webhooks/{}", id["id"].as_str().unwrap()), "webhook").await;
    assert!(shown["deliveriesPausedSince"].is_string(), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_makes_two_webhooks_of_one() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let (one, other) =
        (made(&app, &key, "/a", &["contact.created"]).await, made(&app, &key, "/b", &["contact.created"]).await);
    let path = format!("/webhooks/{}", other["id"].as_str().unwrap());
    let same = json!({"url": "https://hooks.example.com/a"});
    let refused = app.patch(&path).key(&key).json(&same).send().await.expect(409);
    assert!(refused["message"].to_string().contains(one["id"].as_str().unwrap()), "{refused}");
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["webhook"]["url"], other["url"], "nothing is changed");
    let apart = json!({"url": "https://hooks.example.com/a", "events": ["note.created"]});
    app.patch(&path).key(&key).json(&apart).send().await.expect(200);
    let events = json!({"events": ["contact.created"]});
    app.patch(&path).key(&key).json(&events).send().await.expect(409);
    app.patch(&path).key(&key).json(&json!({"description": "Same as before"})).send().await.expect(200);
    // Another owner's is none of it.
    let agency = app.agency_key().await;
    let own = made(&app, &agency, "/c", &["contact.created"]).await;
    let path = format!("/webhooks/{}", own["id"].as_str().unwrap());
    app.patch(&path).key(&agency).json(&same).send().await.expect(200);
}

/// Whoever renames a webhook means to rename it: somebody else's, that leads elsewhere, would hear with their ears.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_lends_their_rights_without_meaning_it() {
    let (app, receiver) = (instance().await, taking().await);
    let (full, deaf) = (everything(&app).await, with(&app, &[Scope::WebhooksWrite, Scope::WebhooksRead]).await);
    let (id, _) = endpoint(&app, &deaf, &receiver, &["contact.created"]).await;
    let change = async |key: &TestKey, change: Value| {
        app.patch(&format!("/webhooks/{id}")).key(key).json(&change).send().await.expect(200)["webhook"].clone()
    };
    let same = json!({"url": receiver.url, "events": ["contact.created"]});
    for harmless in [
        json!({"description": "x"}),
        json!({"appId": "x"}),
        json!({"headers": {"X-A": "b"}}),
        json!({"enabled": false}),
        json!({"enabled": true}),
        json!({"signingKeyVersion": 1}),
        same.clone(),
        json!({"takeOver": false}),
    ] {
        let changed = change(&full, harmless.clone()).await;
        assert_eq!((&changed["hears"], &changed["listensAs"]["id"]), (&json!("none"), &json!(deaf.id)), "{harmless}");
    }
    // Nor does whoever may read less silence it.
    assert_eq!(change(&full, json!({"takeOver": true})).await["hears"], "all");
    assert_eq!(change(&deaf, json!({"description": "y"})).await["hears"], "all");
    assert_eq!(change(&deaf, json!({"events": ["contact.*"]})).await["hears"], "none", "it was pointed at something");
    change(&full, json!({"events": ["contact.created"]})).await;
    // Where whoever it listened as has ended, it is had by whoever says again what it is told.
    app.post(&format!("/api-keys/{}/deactivate", full.id)).key(&app.agency_key().await).send().await.expect(200);
    let other = everything(&app).await;
    assert_eq!(change(&other, json!({"description": "z"})).await["hears"], "none");
    assert_eq!(change(&other, same).await["hears"], "all");
}

/// As tools subscribe each time that a flow is switched on.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_subscribes_again_has_a_webhook_that_works() {
    let (app, receiver) = (instance().await, taking().await);
    let first = everything(&app).await;
    let (id, _) = endpoint(&app, &first, &receiver, &["contact.created"]).await;
    app.patch(&format!("/webhooks/{id}")).key(&first).json(&json!({"enabled": false})).send().await.expect(200);
    app.post(&format!("/api-keys/{}/deactivate", first.id)).key(&app.agency_key().await).send().await.expect(200);
    let second = everything(&app).await;
    let new =
        json!({"url": receiver.url, "events": ["contact.created"], "description": "Flow", "headers": {"X-A": "b"}});
    let again = app.post("/webhooks").key(&second).json(&new).send().await.expect(200)["webhook"].clone();
    assert_eq!((&again["id"], &again["hears"], &again["state"]), (&json!(id), &json!("all"), &json!("enabled")));
    assert_eq!((&again["description"], &again["headers"]), (&json!("Flow"), &json!(["x-a"])));
    contact(&app, &second, 1).await;
    assert_eq!(receiver.has_taken(1).await[0].header("x-a"), "b");
    // What is not said stays.
    let less = json!({"url": receiver.url, "events": ["contact.created"]});
    let again = app.post("/webhooks").key(&second).json(&less).send().await.expect(200)["webhook"].clone();
    assert_eq!((&again["description"], &again["headers"]), (&json!("Flow"), &json!(["x-a"])));
}

/// Their values are shown to nobody: also not to a receiver that whoever may change the webhook puts in place of another.
#[tokio::test(flavor = "multi_thread")]
async fn headers_stay_with_the_host_for_which_they_were_given() {
    let app = instance().await;
    let key = everything(&app).await;
    let new = json!({"url": "https://hooks.example.com/a", "events": ["*"], "headers": {"X-Token": "hunter2"}});
    let made = app.post("/webhooks").key(&key).json(&new).send().await.expect(201)["webhook"].clone();
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    let change = async |change: Value| app.patch(&path).key(&key).json(&change).send().await;
    change(json!({"url": "https://hooks.example.com/b"})).await.expect(200);
    for elsewhere in ["https://hooks.example.org/b", "https://sub.hooks.example.com/b", "http://hooks.example.com/b"] {
        let refused = change(json!({"url": elsewhere})).await.expect(422);
        assert!(refused["message"].to_string().contains("headers must be given again"), "{elsewhere} {refused}");
    }
    assert_eq!(change(json!({"description": "x"})).await.expect(200)["webhook"]["url"], "https://hooks.example.com/b");
    let moved =
        change(json!({"url": "https://hooks.example.org/b", "headers": {"X-Token": "other"}})).await.expect(200);
    assert_eq!(moved["webhook"]["headers"], json!(["x-token"]));
    change(json!({"url": "https://hooks.example.net/b", "headers": {}})).await.expect(200);
    change(json!({"url": "https://hooks.example.com/b"})).await.expect(200);
}

/// What a receiver took, by type: the bodies, in order.
fn bodies(receiver: &Receiver) -> Vec<Value> {
    receiver.sent().iter().map(|sent| sent.json()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_hears_of_its_members_and_of_no_others() {
    let (app, here, there, all) = (instance().await, taking().await, taking().await, taking().await);
    let second = app.location("Second").await;
    let agency = app.key_with(Reach::Agency, ScopeSet::all(KeyKind::Agency), |_| {}).await;
    let (key, other) =
        (everything(&app).await, app.key_with(Reach::location(second), ScopeSet::all(KeyKind::Location), |_| {}).await);
    endpoint(&app, &key, &here, &["user.*"]).await;
    endpoint(&app, &other, &there, &["user.*"]).await;
    endpoint(&app, &agency, &all, &["user.*"]).await;
    let blind = with(&app, &[Scope::WebhooksWrite, Scope::ContactsRead]).await;
    let unheard = taking().await;
    let (blind, _) = endpoint(&app, &blind, &unheard, &["*"]).await;
    let first = app.ids.location.as_str();
    let new = json!({
        "companyId": app.ids.agency, "firstName": "Grace", "lastName": "Hopper", "email": "grace@example.com",
        "password": "correct horse battery", "type": "account", "role": "user", "locationIds": [first],
        "permissions": {}, "scopes": [],
    });
    let user = app.post("/users/").key(&agency).json(&new).send().await.expect(201)["id"].clone();
    let path = format!("/users/{}", user.as_str().unwrap());
    let put = async |change: Value| {
        app.put(&path).key(&agency).json(&change).send().await.expect(200);
    };
    put(json!({"lastName": "Murray"})).await;
    put(json!({"locationIds": [first, second.as_str()]})).await;
    put(json!({"lastName": "Brewster"})).await;
    put(json!({"locationIds": [second.as_str()]})).await;
    put(json!({"lastName": "Hopper"})).await;
    app.delete(&path).key(&agency).send().await.expect(200);
    contact(&app, &key, 1).await;
    unheard.has_taken(1).await;
    let types = |receiver: &Receiver| -> Vec<String> {
        let mut told = bodies(receiver);
        told.sort_by_key(|body| body["sequence"].as_i64());
        told.iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect()
    };
    here.has_taken(5).await;
    there.has_taken(4).await;
    all.has_taken(7).await;
    assert_eq!(types(&here), ["UserCreate", "UserUpdate", "UserUpdate", "UserUpdate", "UserDelete"]);
    assert_eq!(types(&there), ["UserCreate", "UserUpdate", "UserUpdate", "UserUpdate", "UserDelete"][..].to_vec());
    let of_blind = format!("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = '{blind}'");
    assert_eq!(app.number(&of_blind).await, 1, "nor is anything put on its way");
    assert_eq!(bodies(&unheard).len(), 1, "who may not read users hears of none: {:?}", bodies(&unheard));
    // Of where else somebody is a member nothing is said, and each message is one of its own.
    for (receiver, own, foreign) in [(&here, first, second.as_str()), (&there, second.as_str(), first)] {
        for sent in receiver.sent() {
            let body = sent.json();
            assert_eq!(body["locationId"], own);
            assert!(!body.to_string().contains(foreign), "{body}");
            assert!(body["id"] == user && sent.id() == body["webhookId"]);
        }
    }
    let ids: std::collections::HashSet<String> =
        [&here, &there, &all].iter().flat_map(|receiver| receiver.sent()).map(|sent| sent.id().to_owned()).collect();
    assert_eq!(ids.len(), here.sent().len() + there.sent().len() + all.sent().len());
}

/// As tools ask for it that show what a trigger gives.
#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_an_event_is_a_list_with_what_would_arrive() {
    let (app, receiver) = (instance().await, taking().await);
    let key = everything(&app).await;
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    for event in ["contact.created", "tag.created", "opportunity.updated", "user.created"] {
        let sample = app.get(&format!("/webhooks/samples?event={event}")).key(&key).send().await.expect(200);
        let [sample] = &sample.as_array().unwrap()[..] else { panic!("{sample}") };
        app.post(&format!("/webhooks/{id}/test")).key(&key).json(&json!({"event": event})).send().await.expect(201);
        let tried = receiver.has_taken(1).await.pop().unwrap().json();
        let fields = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        receiver.forget();
        let mut sampled = fields(sample);
        // An example that is sent has none: nothing is missing where it was.
        sampled.retain(|name| name != "sequence");
        assert_eq!((sampled, &sample["type"]), (fields(&tried), &tried["type"]), "{event}");
        assert_eq!(sample["sequence"], 1);
        assert!(sample["webhookId"].as_str().unwrap().starts_with("msg_test_"));
    }
    // Of what is ours it is as it was the last time, to those who may see that.
    let sample = async |key: &TestKey, event: &str| {
        app.get(&format!("/webhooks/samples?event={event}")).key(key).send().await.expect(200)[0].clone()
    };
    assert!(sample(&key, "form.submitted").await["data"]["after"]["answers"]["email"].is_string());
    assert_eq!(sample(&key, "tag.created").await["data"]["after"], Value::Null);
    let tag = json!({"name": "vip"});
    app.post(&format!("/locations/{}/tags", app.ids.location)).key(&key).json(&tag).send().await.expect(200);
    assert_eq!(sample(&key, "tag.created").await["data"]["after"]["name"], "vip");
    assert_eq!(sample(&with(&app, &[Scope::WebhooksRead]).await, "tag.created").await["data"]["after"], Value::Null);
    assert_eq!(app.get("/webhooks/samples").key(&key).send().await.status, 422);
    assert_eq!(app.get("/webhooks/samples?event=session.started").key(&key).send().await.status, 422);
    let sibling = app.location("Sibling").await;
    let foreign = format!("/webhooks/samples?event=contact.created&locationId={sibling}");
    assert_eq!(app.get(&foreign).key(&key).send().await.status, 403);
}
