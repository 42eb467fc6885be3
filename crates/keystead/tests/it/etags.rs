//! `ETag` and `If-Match`: nothing is written over what somebody else has changed meanwhile.

use keystead_api::routes;
use keystead_model::{
    grant::Reach,
    key_kind::KeyKind,
    scope::{Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

async fn contact(app: &TestApp, key: &TestKey) -> String {
    let made = app.post("/contacts/").key(key).json(&json!({"name": "Ada"})).send().await.expect(201);
    format!("/contacts/{}", made["contact"]["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_changed_only_as_it_was_seen() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = contact(&app, &key).await;
    let tag = app.get(&path).key(&key).send().await.header("etag").to_owned();
    assert!(tag.len() > 10 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let v3 = app.get(&path).key(&key).header("Version", "v3").send().await;
    assert_eq!(v3.header("etag"), tag, "it is the same thing in each version");
    assert_eq!(app.call("HEAD".parse().unwrap(), &path).key(&key).send().await.header("etag"), tag);

    let put = async |tag: &str, city: &str| {
        let call = app.put(&path).key(&key).header("If-Match", tag);
        call.json(&json!({"city": city})).send().await
    };
    let changed = put(&tag, "London").await;
    let newer = changed.header("etag").to_owned();
    assert_eq!((changed.status, newer == tag), (200, false));
    assert_eq!(app.get(&path).key(&key).send().await.header("etag"), newer);
    // Stale, weak, nobody's, empty, and among others that do not fit.
    for other in [&tag, &format!("W/{newer}"), "\"x\"", "", "\"a\", \"b\""] {
        let refused = put(other, "Paris").await.expect(412);
        assert_eq!((&refused["code"], &refused["statusCode"]), (&json!("precondition_failed"), &json!(412)), "{other}");
    }
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["contact"]["city"], "London");
    assert_eq!(put("*", "Rome").await.status, 200);
    let newest = app.get(&path).key(&key).send().await.header("etag").to_owned();
    assert_eq!(put(&format!("\"x\", {newest}"), "Bern").await.status, 200);
    assert_eq!(put(&newest, "Oslo").await.status, 412);
    assert_eq!(app.delete(&path).key(&key).header("If-Match", &newest).send().await.status, 412);
    let newest = app.get(&path).key(&key).send().await.header("etag").to_owned();
    assert_eq!(app.delete(&path).key(&key).header("If-Match", &newest).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_have_seen_the_same_one_is_refused() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let path = contact(&app, &key).await;
    for round in 0..10 {
        let tag = app.get(&path).key(&key).send().await.header("etag").to_owned();
        let mut both = tokio::task::JoinSet::new();
        for who in 0..2 {
            let body = json!({"city": format!("{round} {who}")});
            both.spawn(app.put(&path).key(&key).header("If-Match", &tag).json(&body).send());
        }
        let mut statuses: Vec<u16> = both.join_all().await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_takes_if_match_looks_at_it() {
    let app = TestApp::start_with(|config| config.limits.rate = keystead_core::RateLimits::OFF).await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    let id = |answer: &Value, name: &str| answer[name]["id"].as_str().unwrap().to_owned();
    let path = contact(&app, &key).await;
    let note = app.post(&format!("{path}/notes")).key(&key).json(&json!({"body": "x"})).send().await.expect(201);
    let task = json!({"title": "x", "dueDate": "2026-12-01", "completed": false});
    let task = app.post(&format!("{path}/tasks")).key(&key).json(&task).send().await.expect(201);
    let tags = format!("/locations/{}/tags", app.ids.location);
    let tag = app.post(&tags).key(&key).json(&json!({"name": "x"})).send().await.expect(200);
    let scopes = ScopeSet::EMPTY.with(Scope::ContactsRead);
    let idle = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    let notices = app.get("/notifications").key(&agency).send().await.expect(200);
    let notice = notices["notifications"][0]["id"].as_str().unwrap();
    let at = app.ids.location.as_str();
    let new = json!({"name": "x", "value": "x"});
    let call = app.post(&format!("/locations/{at}/customValues?locationId={at}")).key(&agency);
    let custom_value = id(&call.json(&new).send().await.expect(201), "customValue");
    let new = json!({"name": "x", "dataType": "TEXT"});
    let call = app.post(&format!("/locations/{at}/customFields?locationId={at}")).key(&agency);
    let custom_field = id(&call.json(&new).send().await.expect(201), "customField");
    let new = json!({"name": "x", "locationId": at});
    let business = app.post("/businesses/").key(&agency).json(&new).send().await.expect(201);
    let automation = crate::things::automation(&app, &key, "x", path.rsplit('/').next().unwrap()).await;
    let user = app.app.create_user(app.operator().await.authority(), crate::callers::new_account()).await.unwrap().id;
    let agency = app.key_with(Reach::Agency, ScopeSet::all(KeyKind::Agency), |_| {}).await;
    let contact = path.rsplit('/').next().unwrap();
    let sales = crate::things::Sales::new(&app, &key, "x", contact).await;
    let mut looked_at = 0;
    for route in routes().iter().filter(|route| route.takes_if_match()) {
        let path = route
            .path
            .replace("{locationId}", app.ids.location.as_str())
            .replace("{contactId}", path.rsplit('/').next().unwrap())
            .replace("{taskId}", &id(&task, "task"))
            .replace("{tagId}", &id(&tag, "tag"))
            .replace("{version}", "1")
            .replace("{userId}", user.as_str())
            .replace("{pipelineId}", &sales.pipeline)
            .replace("{lostReasonId}", &sales.lost_reason)
            .replace("{opportunityId}", &sales.opportunity)
            .replace("{businessId}", &id(&business, "business"))
            .replace(
                "{id}",
                match route.path {
                    path if path.starts_with("/api-keys") => idle.id.as_str(),
                    path if path.starts_with("/notifications") => notice,
                    path if path.contains("/customValues/") => &custom_value,
                    path if path.contains("/customFields/") => &custom_field,
                    _ => note["note"]["id"].as_str().unwrap(),
                },
            );
        let path = automation.iter().fold(path, |path, (name, id)| path.replace(name, id));
        let call = app.call(route.method.clone(), &format!("{path}?locationId={}", app.ids.location)).key(&agency);
        let call = call.header("If-Match", "\"stale\"");
        let answer = match route.sample_body() {
            Some(body) => call.json(&body).send().await,
            None => call.send().await,
        };
        assert_eq!(answer.expect(412)["code"], "precondition_failed", "{}", route.endpoint);
        looked_at += 1;
    }
    assert!(looked_at > 15, "{looked_at}");
    // Nothing of it happened.
    assert_eq!(app.get(&path).key(&key).send().await.expect(200)["contact"]["name"], "Ada");
    let known = app.get(&format!("/api-keys/{}", idle.id)).key(&agency).send().await;
    assert_eq!(known.header("etag"), "\"1\"", "of a key it is its version");
    assert_eq!(known.expect(200)["apiKey"]["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_looks_at_it_it_is_refused() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let made = app.post("/contacts/").key(&key).header("If-Match", "\"x\"").json(&json!({"name": "Ada"})).send().await;
    assert!(made.expect(422)["message"][0].as_str().unwrap().starts_with("If-Match"));
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 0);
    assert_eq!(app.get("/contacts/").key(&key).header("If-Match", "\"x\"").send().await.status, 200);
    // API 1.0 never knew it.
    let older = app.post("/v1/contacts/").key(&key).header("If-Match", "\"x\"");
    let older = older.json(&json!({"email": "ada@example.com"})).send().await;
    assert_eq!((older.status, older.header("etag")), (200, ""));
}
