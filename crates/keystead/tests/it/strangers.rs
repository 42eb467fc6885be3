//! The authorization matrix: every route of the table × every principal.
//!
//! A route without an entry here fails, so a new one cannot be forgotten.

use std::collections::BTreeMap;

use keystead_api::{Access, routes};
use keystead_model::{
    grant::Reach,
    ip_range::IpRanges,
    scope::{Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::json;

/// Somebody who calls.
struct Principal {
    name: &'static str,
    key: Option<TestKey>,
    /// Whether the caller's own location is theirs.
    reaches_own: bool,
}

async fn principals(app: &TestApp) -> Vec<Principal> {
    let own = Reach::location(app.ids.location);
    let operator = app.operator().await;
    let scopes = |kind| ScopeSet::all(kind);
    let location_scopes = scopes(keystead_model::api_key::KeyKind::Location);
    let sibling = app.location("Sibling").await;
    let deactivated = app.location_key().await;
    app.app.deactivate_key(operator.authority(), deactivated.id).await.unwrap();
    let deleted = app.location_key().await;
    app.app.delete_key(operator.authority(), deleted.id).await.unwrap();
    let expiring = app
        .key_with(own.clone(), location_scopes, |new| {
            new.grant.expires_at = Some(app.app.now() + std::time::Duration::from_secs(1));
        })
        .await;
    app.clock.advance(std::time::Duration::from_secs(2));
    let elsewhere = app
        .key_with(own.clone(), location_scopes, |new| {
            new.grant.allowed_ips = IpRanges::parse(["192.0.2.1"]).unwrap();
        })
        .await;
    let mut wrong = app.location_key().await;
    let other = app.location_key().await;
    // The right id with the secret of another key: form and checksum are made right, the hash is not.
    wrong.secret = forged(&wrong, &other);
    let garbage = TestKey { id: wrong.id, secret: "ks_location_garbage".to_owned() };
    let foreign_agency = app
        .app
        .create_agency(keystead_core::NewAgency { name: keystead_model::agency::TenantName::parse("Other").unwrap() })
        .await
        .unwrap();
    let foreign_operator = app.app.operator_in(foreign_agency.id).await.unwrap();
    let foreign_key = app
        .app
        .create_key(
            foreign_operator.authority(),
            keystead_model::api_key::NewKey {
                name: keystead_model::api_key::KeyName::parse("Foreign").unwrap(),
                description: None,
                grant: keystead_model::grant::Grant {
                    agency: foreign_agency.id,
                    reach: Reach::Agency,
                    scopes: scopes(keystead_model::api_key::KeyKind::Agency),
                    allowed_ips: IpRanges::default(),
                    expires_at: None,
                },
                rate_limit: None,
            },
        )
        .await
        .unwrap();
    let foreign = TestKey { id: foreign_key.key.id, secret: foreign_key.secret.as_ref().unwrap().expose().to_owned() };
    let restricted =
        app.key_with(Reach::Chosen([sibling].into()), scopes(keystead_model::api_key::KeyKind::Agency), |_| {}).await;
    let sibling_key = app.key_with(Reach::location(sibling), location_scopes, |_| {}).await;
    let stranger = |name, key| Principal { name, key, reaches_own: false };
    vec![
        stranger("nobody", None),
        stranger("garbage", Some(garbage)),
        stranger("wrong secret", Some(wrong)),
        stranger("deactivated key", Some(deactivated)),
        stranger("deleted key", Some(deleted)),
        stranger("expired key", Some(expiring)),
        stranger("key for another address", Some(elsewhere)),
        stranger("agency key of another agency", Some(foreign)),
        stranger("agency key restricted to a sibling", Some(restricted)),
        stranger("location key of a sibling", Some(sibling_key)),
        Principal { name: "location key", key: Some(app.location_key().await), reaches_own: true },
        Principal { name: "agency key", key: Some(app.agency_key().await), reaches_own: true },
    ]
}

/// `right`'s text with `other`'s random part, and the checksum that fits.
fn forged(right: &TestKey, other: &TestKey) -> String {
    let kind = keystead_model::api_key::KeyKind::Location;
    let mut characters = other.secret.bytes().skip(25).cycle();
    let secret = keystead_model::key_secret::KeySecret::generate(kind, right.id, |pool| {
        for byte in pool {
            *byte = characters.next().unwrap();
        }
    });
    secret.expose().to_owned()
}

/// What each route of the wire contract that works on one thing is tried with.
fn bodies() -> BTreeMap<&'static str, serde_json::Value> {
    BTreeMap::from([
        ("POST /contacts", json!({"name": "x"})),
        ("POST /contacts/upsert", json!({"name": "x"})),
        ("PUT /contacts/{contactId}", json!({"city": "x"})),
        ("POST /contacts/{contactId}/tags", json!({"tags": ["x"]})),
        ("DELETE /contacts/{contactId}/tags", json!({"tags": ["x"]})),
        ("POST /contacts/{contactId}/notes", json!({"body": "x"})),
        ("PUT /contacts/{contactId}/notes/{id}", json!({"body": "x"})),
        ("POST /contacts/{contactId}/tasks", json!({"title": "x", "dueDate": "2026-12-01", "completed": false})),
        ("PUT /contacts/{contactId}/tasks/{taskId}", json!({"title": "x"})),
        ("PUT /contacts/{contactId}/tasks/{taskId}/completed", json!({"completed": true})),
        ("POST /locations", json!({"name": "x"})),
        ("PUT /locations/{locationId}", json!({"name": "x"})),
        ("POST /locations/{locationId}/tags", json!({"name": "x"})),
        ("PUT /locations/{locationId}/tags/{tagId}", json!({"name": "x"})),
        ("POST /api-keys", json!({"name": "x", "kind": "location", "preset": "read-only"})),
        ("PATCH /api-keys/{id}", json!({"name": "x"})),
        ("POST /api-keys/{id}/rotate", json!({})),
        ("PATCH /notifications/{id}", json!({"state": "read"})),
        ("POST /v1/contacts", json!({"email": "x@example.com"})),
        ("PUT /v1/contacts/{contactId}", json!({"city": "x"})),
        ("POST /v1/contacts/{contactId}/tags", json!({"tags": ["x"]})),
        ("DELETE /v1/contacts/{contactId}/tags", json!({"tags": ["x"]})),
        ("POST /v1/contacts/{contactId}/notes", json!({"body": "x"})),
        ("PUT /v1/contacts/{contactId}/notes/{noteId}", json!({"body": "x"})),
        ("POST /v1/contacts/{contactId}/tasks", json!({"title": "x", "dueDate": "2026-12-01"})),
        ("PUT /v1/contacts/{contactId}/tasks/{taskId}", json!({"title": "x", "dueDate": "2026-12-01"})),
        ("PUT /v1/contacts/{contactId}/tasks/{taskId}/status", json!({"status": "completed"})),
        ("POST /v1/tags", json!({"name": "x"})),
        ("PUT /v1/tags/{tagId}", json!({"name": "x"})),
        ("POST /v1/locations", json!({"businessName": "x"})),
        ("PUT /v1/locations/{locationId}", json!({"businessName": "x"})),
    ])
}

/// A thing of the location that strangers try to reach, with a mark that must never be seen by them.
struct Target {
    contact: String,
    note: String,
    task: String,
    tag: String,
    key: String,
    notice: String,
}

const CANARY: &str = "Canary-4711";

async fn target(app: &TestApp) -> Target {
    let key = app.location_key().await;
    let id = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    let new = json!({"firstName": CANARY, "email": "canary4711@example.com"});
    let contact = id(&app.post("/contacts/").key(&key).json(&new).send().await.expect(201)["contact"]);
    let notes = format!("/contacts/{contact}/notes");
    let note = id(&app.post(&notes).key(&key).json(&json!({"body": CANARY})).send().await.expect(201)["note"]);
    let task = json!({"title": CANARY, "dueDate": "2026-12-01", "completed": false});
    let task =
        id(&app.post(&format!("/contacts/{contact}/tasks")).key(&key).json(&task).send().await.expect(201)["task"]);
    let tags = format!("/locations/{}/tags", app.ids.location);
    let tag = id(&app.post(&tags).key(&key).json(&json!({"name": CANARY})).send().await.expect(200)["tag"]);
    let scopes = ScopeSet::EMPTY.with(Scope::ContactsRead);
    let named = app
        .key_with(Reach::location(app.ids.location), scopes, |new| {
            new.name = keystead_model::api_key::KeyName::parse(CANARY).unwrap();
        })
        .await;
    // Told about, so that there is a notice to reach for.
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    let filter = keystead_core::NoticeFilter { key: Some(named.id), ..keystead_core::NoticeFilter::default() };
    let told = app.app.list_notices(app.operator().await.authority(), filter, None, 1).await.unwrap();
    Target { contact, note, task, tag, key: named.id.to_string(), notice: told[0].id.to_string() }
}

fn fill(path: &str, app: &TestApp, target: &Target) -> String {
    path.replace("{contactId}", &target.contact)
        .replace("{noteId}", &target.note)
        .replace("{taskId}", &target.task)
        .replace("{tagId}", &target.tag)
        .replace("{locationId}", app.ids.location.as_str())
        .replace(
            "{id}",
            match path {
                _ if path.starts_with("/notifications") => &target.notice,
                _ if path.starts_with("/api-keys") => &target.key,
                _ => &target.note,
            },
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stranger_gets_in_anywhere() {
    let app = TestApp::start().await;
    let target = target(&app).await;
    let bodies = bodies();
    for principal in principals(&app).await.iter().filter(|principal| !principal.reaches_own) {
        // What anybody may call answers everybody the same; its own test says so.
        for route in routes().iter().filter(|route| route.access() != Access::Open) {
            let is_bare = ["/deactivate", "/reactivate", "/cancel", "/finish", "/keep", "/restore", "/replace"]
                .iter()
                .any(|end| route.path.ends_with(end));
            let needs_body = match route.method.as_str() {
                "GET" => false,
                "DELETE" => route.path.contains("contact") && route.path.ends_with("/tags"),
                _ => !is_bare,
            };
            let body = bodies.get(route.endpoint);
            assert!(body.is_some() || !needs_body, "{} has no entry in this test", route.endpoint);
            let mut path = fill(route.path, &app, &target);
            if path.starts_with("/contacts") {
                path.push_str(&format!("?locationId={}", app.ids.location));
                if route.path.ends_with("/duplicate") {
                    path.push_str("&email=canary4711%40example.com");
                }
            }
            let mut call = app.call(route.method.clone(), &path);
            if let Some(key) = &principal.key {
                call = call.key(key);
            }
            if let Some(body) = body {
                let mut body = body.clone();
                if route.endpoint == "POST /api-keys" {
                    body["locationId"] = json!(app.ids.location);
                }
                call = call.json(&body);
            }
            let answer = call.send().await;
            let context = format!("{} as {}: {} {}", route.endpoint, principal.name, answer.status, answer.text);
            assert!(!answer.text.contains(CANARY) && !answer.text.contains("canary4711"), "{context}");
            assert!(answer.status < 500, "{context}");
            // Keys that are alive elsewhere may see what is theirs; nothing of this location is.
            let is_alive = ["foreign", "agency key of", "agency key restricted", "location key of"]
                .iter()
                .any(|start| principal.name.starts_with(start));
            let acts_on_own = is_alive
                && (matches!(
                    route.endpoint,
                    "GET /locations/search"
                        | "GET /api-keys"
                        | "GET /api-keys/self"
                        | "GET /notifications"
                        | "GET /audit-logs"
                        | "POST /locations"
                ) || route.path.starts_with("/v1"));
            assert!(acts_on_own || (400..500).contains(&answer.status), "{context}");
        }
    }
    // And nothing was changed by any of them.
    let key = app.location_key().await;
    let contact = app.get(&format!("/contacts/{}", target.contact)).key(&key).send().await.expect(200);
    assert_eq!(contact["contact"]["firstName"], CANARY);
    assert!(contact["contact"].get("city").is_none());
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_a_key_without_its_scope_or_of_the_wrong_kind() {
    let app = TestApp::start().await;
    let target = target(&app).await;
    let bodies = bodies();
    let own = Reach::location(app.ids.location);
    let location_key = app.location_key().await;
    for route in routes() {
        let send = async |key: &TestKey| {
            let call = app.call(route.method.clone(), &fill(route.path, &app, &target)).key(key);
            match bodies.get(route.endpoint) {
                Some(body) => call.json(body).send().await,
                None => call.send().await,
            }
        };
        if let Some(scope) = route.scope {
            let reach = if route.access() == Access::Agency { Reach::Agency } else { own.clone() };
            let kind = if reach.has_agency() {
                keystead_model::api_key::KeyKind::Agency
            } else {
                keystead_model::api_key::KeyKind::Location
            };
            let without = app.key_with(reach, ScopeSet::all(kind).without(scope), |_| {}).await;
            let answer = send(&without).await;
            assert_eq!(answer.status, 401, "{} without {scope}: {}", route.endpoint, answer.text);
            assert_eq!(answer.json()["required"], scope.as_str(), "{}", route.endpoint);
        }
        if route.access() == Access::Agency {
            assert_eq!(send(&location_key).await.status, 401, "{}", route.endpoint);
        }
    }
}
