//! API keys through API 2.0.

use std::time::Duration;

use keystead_core::KeyFilter;
use keystead_model::{
    KeyId, LocationId,
    agency::TenantState,
    api_key::{KeyName, NewKey},
    grant::Reach,
    key_kind::KeyKind,
    page::Window,
    scope::{Preset, Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};

fn made(answer: &Value) -> TestKey {
    TestKey {
        id: KeyId::parse(answer["apiKey"]["id"].as_str().unwrap()).unwrap(),
        secret: answer["key"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_shown_once_and_works_on_both_apis() {
    let app = TestApp::start().await;
    let agency = app.agency_key().await;
    let new = json!({"name": "Zapier", "kind": "location", "locationId": app.ids.location, "preset": "integration"});
    let answer = app.post("/api-keys").key(&agency).json(&new).send().await.expect(201);
    let key = made(&answer);
    assert_eq!(answer["apiKey"]["state"], "active");
    assert_eq!(answer["apiKey"]["createdBy"], json!({"type": "key", "id": agency.id}));
    let path = format!("/api-keys/{}", key.id);
    let read = app.get(&path).key(&agency).send().await;
    assert!(!read.text.contains(&key.secret));
    assert_eq!(read.expect(200)["apiKey"]["lastUsedAt"], Value::Null);
    for path in ["/contacts/", "/contacts", "/v1/contacts/", "/v1/contacts", "/api-keys/self"] {
        assert_eq!(app.get(path).key(&key).send().await.status, 200, "{path}");
    }
    let used = app.get(&path).key(&agency).send().await.expect(200);
    assert_eq!(used["apiKey"]["lastUsedEndpoint"], "GET /contacts", "the first use is stored at once");
    app.app.flush_uses().await.unwrap();
    let used = app.get(&path).key(&agency).send().await.expect(200);
    assert_eq!(used["apiKey"]["lastUsedEndpoint"], "GET /api-keys/self");
    assert_eq!(used["apiKey"]["lastUsedIp"], "127.0.0.1");
    let listed = app.get("/api-keys?kind=location&query=zap").key(&agency).send().await.expect(200);
    assert_eq!((&listed["meta"]["total"], &listed["apiKeys"][0]["id"]), (&json!(1), &json!(key.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_key_is_told_why_and_a_wrong_secret_nothing() {
    let app = TestApp::start().await;
    let (agency, key) = (app.agency_key().await, app.location_key().await);
    let path = format!("/api-keys/{}", key.id);
    app.get("/contacts/").key(&key).send().await.expect(200);

    let off = app.post(&format!("{path}/deactivate")).key(&agency).send().await.expect(200);
    assert_eq!(off["apiKey"]["state"], "deactivated");
    assert!(off["receipt"]["sequence"].as_i64().unwrap() > 0);
    let refused = app.get("/contacts/").key(&key).send().await.expect(401);
    assert_eq!(refused["message"], "Invalid Private Integration token");
    assert_eq!(refused["code"], "key_deactivated");
    let mut forged = key.clone();
    forged.secret = app.location_key().await.secret.replace(&app.ids.location.to_string(), "");
    forged.secret.replace_range(12..24, key.id.as_str());
    let nothing = app.get("/contacts/").key(&forged).send().await.expect(401);
    assert_eq!(nothing["code"], "key_unknown");

    app.post(&format!("{path}/reactivate")).key(&agency).send().await.expect(200);
    app.get("/contacts/").key(&key).send().await.expect(200);
    assert_eq!(app.post(&format!("{path}/reactivate")).key(&agency).send().await.expect(409)["code"], "key_state");

    app.delete(&path).key(&agency).send().await.expect(200);
    let refused = app.get("/contacts/").key(&key).send().await.expect(401);
    assert_eq!(refused["code"], "key_deleted");
    assert!(refused["hint"].as_str().unwrap().starts_with("The key was deleted on 2026-11-25T"));
    let deleted = app.get("/api-keys?state=deleted").key(&agency).send().await.expect(200);
    assert_eq!(deleted["apiKeys"][0]["id"], json!(key.id), "the tombstone stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_overlaps_can_be_finished_cancelled_and_repeated() {
    let app = TestApp::start().await;
    let (agency, old) = (app.agency_key().await, app.location_key().await);
    app.get("/contacts/").key(&old).send().await.expect(200);
    let path = format!("/api-keys/{}", old.id);
    let works = async |key: &TestKey| app.get("/contacts/").key(key).send().await.status == 200;
    let rotate = async |body: Value| app.post(&format!("{path}/rotate")).key(&agency).json(&body).send().await;

    let answer = rotate(json!({"overlap": "PT24H"})).await.expect(200);
    let lost = made(&answer);
    assert_eq!(answer["apiKey"]["rotation"]["retiresAt"], "2026-11-26T12:00:00.000Z");
    assert_eq!(
        rotate(json!({})).await.expect(422)["message"],
        json!(["version is needed while a rotation is running"])
    );
    assert_eq!(rotate(json!({"version": 1})).await.expect(409)["code"], "conflict");
    let answer = rotate(json!({"version": answer["apiKey"]["version"], "overlap": "PT0S"})).await.expect(200);
    let new = made(&answer);
    assert_eq!(answer["apiKey"]["rotation"]["retiresAt"], "2026-11-26T12:00:00.000Z", "the old one keeps its time");
    assert!(!works(&lost).await, "a new secret that nobody used was replaced");
    assert!(works(&old).await && works(&new).await);
    let version = &answer["apiKey"]["version"];
    assert_eq!(rotate(json!({"version": version})).await.expect(409)["code"], "rotation_running");

    app.post(&format!("{path}/rotate/cancel")).key(&agency).send().await.expect(200);
    assert!(works(&old).await && !works(&new).await);
    let newer = made(&rotate(json!({})).await.expect(200));
    app.clock.advance(Duration::from_secs(7 * 86_400 - 1));
    assert!(works(&old).await && works(&newer).await);
    app.clock.advance(Duration::from_secs(2));
    assert!(works(&newer).await);
    let retired = app.get("/contacts/").key(&old).send().await.expect(401);
    assert_eq!(retired["code"], "key_secret_retired");

    let newest = made(&rotate(json!({"overlap": "P1D"})).await.expect(200));
    app.post(&format!("{path}/rotate/finish")).key(&agency).json(&json!({})).send().await.expect(200);
    assert!(works(&newest).await && !works(&newer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_cannot_give_more_than_it_has() {
    let app = TestApp::start().await;
    let other = app.location("Northside Gym").await;
    let full = app.location_key().await;
    let here = app.ids.location;
    let create = async |key: &TestKey, body: Value| app.post("/api-keys").key(key).json(&body).send().await;
    let body =
        |location: LocationId| json!({"name": "x", "kind": "location", "locationId": location, "preset": "read-only"});
    create(&full, body(here)).await.expect(201);
    assert_eq!(create(&full, body(other)).await.expect(403)["code"], "escalation");
    let agency = json!({"name": "x", "kind": "agency", "preset": "read-only"});
    assert_eq!(create(&full, agency).await.expect(403)["code"], "escalation");
    let scopes = ScopeSet::EMPTY.with(Scope::KeysWrite).with(Scope::KeysRead).with(Scope::ContactsRead);
    let narrow = app.key_with(Reach::location(here), scopes, |_| {}).await;
    let refused =
        create(&narrow, json!({"name": "x", "kind": "location", "scopes": ["contacts.write"]})).await.expect(403);
    assert!(refused["message"].as_str().unwrap().contains("contacts.write"));
    create(&narrow, json!({"name": "x", "kind": "location", "scopes": ["contacts.readonly"]})).await.expect(201);
    let path = format!("/api-keys/{}", narrow.id);
    let widened =
        app.patch(&path).key(&narrow).json(&json!({"scopes": ["contacts.write", "api-keys.write"]})).send().await;
    assert_eq!(widened.expect(403)["code"], "escalation");
    assert_eq!(
        app.post(&format!("/api-keys/{}/rotate", full.id)).key(&narrow).send().await.expect(403)["code"],
        "escalation"
    );
    let reader = app.key(Reach::location(here), Preset::ReadOnly).await;
    assert_eq!(create(&reader, body(here)).await.expect(401)["required"], "api-keys.write");
    // But it may always end itself.
    app.post(&format!("/api-keys/{}/deactivate", reader.id)).key(&reader).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_and_addresses_enforced() {
    let app = TestApp::start().await;
    let (agency, key) = (app.agency_key().await, app.location_key().await);
    let path = format!("/api-keys/{}", key.id);
    let patch = async |body: Value| app.patch(&path).key(&agency).json(&body).send().await;
    let changed =
        patch(json!({"name": "Renamed", "allowedIps": ["192.0.2.0/24"], "expiresAt": "2026-12-01T00:00:00Z"}))
            .await
            .expect(200);
    assert_eq!(changed["apiKey"]["name"], "Renamed");
    let refused = app.get("/contacts/").key(&key).send().await.expect(403);
    assert_eq!(refused["code"], "address_not_allowed");
    assert!(refused["hint"].as_str().unwrap().contains("127.0.0.1"));
    patch(json!({"allowedIps": []})).await.expect(200);
    assert_eq!(
        app.get("/contacts/").key(&key).send().await.header("keystead-key-expires-at"),
        "2026-12-01T00:00:00.000Z"
    );
    app.clock.advance(Duration::from_secs(6 * 86_400));
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(401)["code"], "key_expired");
    patch(json!({"expiresAt": null})).await.expect(200);
    app.get("/contacts/").key(&key).send().await.expect(200);
    patch(json!({"scopes": ["locations.readonly"]})).await.expect(200);
    let missing = app.get("/contacts/").key(&key).send().await.expect(401);
    assert_eq!(
        (&missing["message"], &missing["required"]),
        (&json!("The token is not authorized for this scope."), &json!("contacts.readonly"))
    );
    for bad in [
        json!({"name": ""}),
        json!({"allowedIps": ["x"]}),
        json!({"expiresAt": "2020-01-01T00:00:00Z"}),
        json!({"scopes": []}),
        json!({"state": "active"}),
        json!({"name": key.secret}),
        json!({"name": "\u{202e}\u{200b}"}),
    ] {
        let answer = patch(bad.clone()).await;
        assert!(answer.status == 422 || (bad == json!({"name": ""}) && answer.status == 200), "{bad} {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_counted_and_told() {
    let app = TestApp::start().await;
    let scopes = Preset::FullAccess.scopes(KeyKind::Location);
    let key = app.key_with(Reach::location(app.ids.location), scopes, |new| new.rate_limit = Some(3)).await;
    for left in ["2", "1", "0"] {
        let answer = app.get("/contacts/").key(&key).send().await;
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (200, left));
    }
    let refused = app.get("/contacts/").key(&key).send().await;
    assert_eq!((refused.status, refused.header("retry-after"), refused.header("x-ratelimit-max")), (429, "10", "3"));
    assert_eq!(refused.expect(429)["message"], "Too Many Requests");
    app.clock.advance(Duration::from_secs(10));
    app.get("/contacts/").key(&key).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenant_is_refused_and_comes_back() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    app.get("/contacts/").key(&key).send().await.expect(200);
    let operator = app.operator().await;
    app.app.set_location_state(&operator, app.ids.location, TenantState::Suspended).await.unwrap();
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(403)["code"], "tenant_suspended");
    let named = format!("/contacts/?locationId={}", app.ids.location);
    assert_eq!(app.get(&named).key(&agency).send().await.expect(403)["code"], "tenant_suspended");
    app.app.set_location_state(&operator, app.ids.location, TenantState::Active).await.unwrap();
    app.get("/contacts/").key(&key).send().await.expect(200);
    app.app.set_agency_state(&operator, TenantState::Suspended).await.unwrap();
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(403)["code"], "tenant_suspended");
}

/// Whoever still holds a secret that was ended before its time is told that, and until then when it ends.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_secret_tells_its_own_end_and_says_when_it_was_replaced() {
    let app = TestApp::start().await;
    let agency = app.agency_key().await;
    let path = |key: &TestKey, action: &str| format!("/api-keys/{}/{action}", key.id);
    let rotate = async |key: &TestKey, overlap: &str| {
        let rotated = app.post(&path(key, "rotate")).key(&agency).json(&json!({"overlap": overlap})).send().await;
        made(&rotated.expect(200))
    };
    let end = async |key: &TestKey, action: &str| app.post(&path(key, action)).key(&agency).send().await.expect(200);
    let answer = async |key: &TestKey| {
        let answer = app.get("/contacts/").key(key).send().await;
        let code = if answer.is_ok() { String::new() } else { answer.json()["code"].as_str().unwrap().to_owned() };
        (answer.status, code, answer.header("keystead-key-expires-at").to_owned())
    };

    let old = app.location_key().await;
    let new = rotate(&old, "PT24H").await;
    assert_eq!(answer(&old).await, (200, String::new(), "2026-11-26T12:00:00.000Z".to_owned()));
    assert_eq!(answer(&new).await.2, "2027-02-23T13:00:00.000Z", "the new one ends with the key");
    end(&old, "rotate/finish").await;
    assert_eq!(answer(&old).await.1, "key_secret_retired");
    let refused = app.get("/contacts/").key(&old).send().await.expect(401);
    assert!(refused["hint"].as_str().unwrap().contains("2026-11-25T12:00:00"), "{refused}");
    // A clock that goes wrong does not bring it back.
    app.clock.jump(-3_600_000);
    app.app.poll_changes().await.unwrap();
    assert_eq!(answer(&old).await.1, "key_secret_retired");
    assert_eq!(answer(&new).await.0, 200);
    app.clock.jump(3_600_000);

    let lost = app.location_key().await;
    let replacement = rotate(&lost, "PT0S").await;
    assert_eq!(answer(&lost).await.1, "key_secret_retired");
    assert_eq!(answer(&replacement).await.0, 200);

    let kept = app.location_key().await;
    let taken_back = rotate(&kept, "P7D").await;
    assert_eq!(answer(&taken_back).await.0, 200);
    end(&kept, "rotate/cancel").await;
    assert_eq!(answer(&taken_back).await.1, "key_secret_retired");
    assert_eq!(answer(&kept).await.0, 200);

    let leaked = app.location_key().await;
    let safe = rotate(&leaked, "P7D").await;
    app.post("/api-keys/revoke-exposed").json(&json!({"keys": [leaked.secret]})).send().await.expect(202);
    assert_eq!(answer(&leaked).await.1, "key_secret_retired");
    assert_eq!(answer(&safe).await.0, 200);
    // Reported again it is no news.
    app.post("/api-keys/revoke-exposed").json(&json!({"keys": [leaked.secret]})).send().await.expect(202);
}

async fn hint(app: &TestApp, method: &str, path: &str, key: &TestKey) -> String {
    let answer = app.call(method.parse().unwrap(), path).key(key).send().await;
    assert!(!answer.is_ok(), "{method} {path}");
    answer.json()["hint"].as_str().unwrap().to_owned()
}

/// What a hint advises must be possible, and must help.
#[tokio::test(flavor = "multi_thread")]
async fn hints_are_true() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let agency = app.agency_key().await;

    // A path of ours under another method, one of the contract that is not served yet, a prefix that is too much.
    for (method, path, wanted) in [
        ("PATCH", "/contacts/", "answers GET and POST"),
        ("POST", "/v1/contacts/x", "answers DELETE, GET and PUT"),
        ("GET", "/calendars/", "not served by this release"),
        ("GET", "/v1/appointments/", "not served by this release"),
        ("GET", "/v2/contacts/", "Use /contacts/ and a base URL without /v2"),
        ("GET", "/api/v1/contacts/x", "Use /v1/contacts/x and a base URL without /api"),
        ("GET", "/nothing", "spelling"),
    ] {
        let hint = hint(&app, method, path, &key).await;
        assert!(hint.contains(wanted), "{method} {path}: {hint}");
        assert_eq!(hint.contains("base URL"), wanted.contains("base URL"), "{method} {path}: {hint}");
    }

    // A scope is advised only to a key that can hold it.
    let reader = app.key(Reach::location(app.ids.location), Preset::ReadOnly).await;
    let advised = hint(&app, "POST", "/contacts/", &reader).await;
    assert!(advised.contains("Add the scope"), "{advised}");
    for path in ["/locations/", "/v1/locations/"] {
        let advised = hint(&app, "POST", path, &reader).await;
        assert!(advised.contains("agency key") && !advised.contains("Add the scope"), "{path}: {advised}");
    }
    let narrow = ScopeSet::EMPTY.with(Scope::LocationsRead);
    let narrow = app.key_with(Reach::Agency, narrow, |_| {}).await;
    let advised = hint(&app, "GET", "/v1/contacts/", &narrow).await;
    assert!(advised.contains("location key") && !advised.contains("Add the scope"), "{advised}");

    // Whoever has a text can see from its form that it is no key, so the answer may say in which way.
    let with = |secret: String| TestKey { id: key.id, secret };
    let end = key.secret.len();
    let masked = format!("ks_location_{}_…{}", key.id, &key.secret[end - 4..]);
    let mut mistyped = key.secret.clone();
    mistyped.replace_range(40..41, if &key.secret[40..41] == "a" { "b" } else { "a" });
    for (secret, wanted) in [
        (key.secret[..end - 1].to_owned(), "1 character is missing"),
        (key.secret[..30].to_owned(), "33 characters are missing"),
        (format!("{}x", key.secret), "more than the key"),
        (format!("\"{}\"", key.secret), "more than the key"),
        (mistyped, "checksum"),
        (masked.clone(), "shown in lists"),
        (masked.replace('…', "..."), "shown in lists"),
        ("sk_live_something".to_owned(), "ks_location_"),
    ] {
        for path in ["/contacts/", "/v1/contacts/"] {
            let answer = app.get(path).key(&with(secret.clone())).send().await;
            let (code, hint) = (answer.json()["code"].clone(), answer.expect(401)["hint"].clone());
            assert_eq!(code, "key_unknown", "{secret}");
            assert!(hint.as_str().unwrap().contains(wanted), "{secret}: {hint}");
        }
    }

    // A secret that was found in public never works again: reactivating is no advice.
    app.post("/api-keys/revoke-exposed").json(&json!({"keys": [key.secret]})).send().await.expect(202);
    let advised = hint(&app, "GET", "/contacts/", &key).await;
    assert!(advised.contains("found in public") && advised.contains("once an admin has rotated it"), "{advised}");
    app.post(&format!("/api-keys/{}/rotate", key.id)).key(&agency).json(&json!({})).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_found_by_whatever_people_have_of_them() {
    let app = TestApp::start().await;
    let admin = app.agency_key().await;
    let scopes = Preset::ReadOnly.scopes(KeyKind::Location);
    let named = async |name: &str| {
        let change = |new: &mut NewKey| new.name = KeyName::parse(name).unwrap();
        app.key_with(Reach::location(app.ids.location), scopes, change).await
    };
    let (wanted, other) = (named("Spring Campaign (Göteborg)").await, named("Nightly export 50%_").await);
    let find = async |text: &str| {
        let filter = KeyFilter { query: Some(text.to_owned()), ..KeyFilter::default() };
        let operator = app.operator().await;
        let total = app.app.count_keys(operator.authority(), filter.clone()).await.unwrap();
        let found = app.app.list_keys(operator.authority(), filter, Window::first(10)).await.unwrap().rows;
        assert_eq!(found.len() as i64, total, "{text}");
        found.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    let (id, end) = (wanted.id.as_str(), wanted.secret.len());
    let last_four = &wanted.secret[end - 4..];
    for text in [
        "spring",
        "campaign",
        "paign (gö",
        "GÖTEBORG",
        " Spring\u{200b}  Campaign ",
        id,
        &id[3..11],
        &id.to_lowercase(),
        last_four,
        &format!("…{last_four}"),
        &format!("ks_location_{id}_…{last_four}"),
        &format!("ks_location_{id}"),
        &format!("ks_location_{}", &id[..9]),
        &wanted.secret,
        &format!("Authorization: Bearer {}", wanted.secret),
        &wanted.secret[..40],
    ] {
        assert_eq!(find(text).await, [wanted.id], "{text}");
    }
    assert_eq!(find("50%_").await, [other.id], "nothing in it means anything else");
    for text in ["%", "springcampaign", "\u{200b}", &format!("ks_agency_{}", "0".repeat(12)), &wanted.secret[26..]] {
        assert!(find(text).await.iter().all(|id| *id != wanted.id), "{text}");
    }
    // By the API too, where a whole key in an address is refused as leaked.
    for (query, status) in [(format!("ks_location_{id}_%E2%80%A6{last_four}"), 200), (wanted.secret.clone(), 401)] {
        let answer = app.get(&format!("/api-keys?query={query}")).key(&admin).send().await;
        assert_eq!(answer.status, status, "{}", answer.text);
        if status == 200 {
            assert_eq!(answer.json()["apiKeys"][0]["id"], json!(wanted.id));
        }
    }
    // The old secret of a rotation is what somebody may have, too.
    let rotated = app.post(&format!("/api-keys/{id}/rotate")).key(&admin).json(&json!({})).send().await.expect(200);
    let rotated = made(&rotated);
    assert_eq!(find(last_four).await, [wanted.id]);
    assert_eq!(find(&rotated.secret[end - 4..]).await, [wanted.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_need_not_be_unique_but_whoever_repeats_one_is_warned() {
    let app = TestApp::start().await;
    let admin = app.agency_key().await;
    let sibling = app.location("Sibling").await;
    let request = |name: &str, location: LocationId| {
        let new = json!({"name": name, "kind": "location", "locationId": location, "preset": "read-only"});
        app.post("/api-keys").key(&admin).json(&new)
    };
    let create = async |name: &str, location| request(name, location).send().await.expect(201);
    let here = app.ids.location;
    assert!(create("Zapier", here).await.get("warnings").is_none());
    assert!(create("Zapier ", sibling).await.get("warnings").is_none(), "of another owner");
    let once = async || request("ZAPIER\u{200b}", here).header("Idempotency-Key", "a").send().await.expect(201);
    assert_eq!(once().await["warnings"], json!(["Another key of this owner has the same name."]));
    assert_eq!(once().await["warnings"], json!(["Another key of this owner has the same name."]), "repeated, too");
    let third = create("Zap", here).await;
    let path = format!("/api-keys/{}", third["apiKey"]["id"].as_str().unwrap());
    let patch = async |body: Value| app.patch(&path).key(&admin).json(&body).send().await.expect(200);
    let warned = patch(json!({"name": "zapier"})).await;
    assert_eq!(warned["warnings"], json!(["2 other keys of this owner have the same name."]));
    assert!(patch(json!({"description": "x"})).await.get("warnings").is_none(), "its name is as it was");
    // Those that are deleted are no longer in the way, and a replacement is meant to be called the same.
    let replaced = app.post(&format!("{path}/replace")).key(&admin).json(&json!({})).send().await.expect(201);
    assert!(replaced.get("warnings").is_none());
    for key in
        app.get("/api-keys?query=zap&limit=100").key(&admin).send().await.expect(200)["apiKeys"].as_array().unwrap()
    {
        app.delete(&format!("/api-keys/{}", key["id"].as_str().unwrap())).key(&admin).send().await.expect(200);
    }
    assert!(create("zapier", here).await.get("warnings").is_none());
}
