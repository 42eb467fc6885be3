//! Keys in browsers: which sites' pages may use one, and that nothing happens for those of others.

use std::time::{Duration, Instant};

use http::Method;
use keystead_model::{
    grant::Reach,
    key_kind::KeyKind,
    scope::{Preset, Scope},
};
use keystead_testkit::{Answer, TestApp, TestKey};
use serde_json::json;

const SHOP: &str = "https://shop.example.com";

async fn key(app: &TestApp, scopes: &[Scope], origins: &[&str]) -> TestKey {
    let new = |new: &mut keystead_model::api_key::NewKey| {
        new.allowed_origins = keystead_model::origin::Origins::parse(origins.iter().copied()).unwrap();
    };
    app.key_with(Reach::location(app.ids.location), scopes.iter().copied().collect(), new).await
}

async fn preflight(app: &TestApp, path: &str, origin: &str) -> Answer {
    let call = app.call(Method::OPTIONS, path).header("Origin", origin);
    call.header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization")
        .send()
        .await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.headers.get("access-control-allow-origin").map(|origin| origin.to_str().unwrap())
}

async fn contacts(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM contacts").await
}

/// Whether a key was used.
async fn uses(app: &TestApp, key: &TestKey) -> i64 {
    app.number(&format!("SELECT count(*) FROM api_keys WHERE id = '{}' AND secret_used_at IS NOT NULL", key.id)).await
}

/// Waits until this server has heard of the sites of keys.
async fn until_permitted(app: &TestApp, origin: &str, is_permitted: bool) {
    let begun = Instant::now();
    while (preflight(app, "/contacts/", origin).await.status == 204) != is_permitted {
        assert!(begun.elapsed() < Duration::from_secs(5), "{origin}: {is_permitted}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_told_what_it_may_send_and_no_key_is_looked_at() {
    let app = TestApp::start().await;
    let unknown = preflight(&app, "/contacts/", SHOP).await;
    let made = key(&app, &[Scope::ContactsRead], &[SHOP, "http://localhost:3000"]).await;
    until_permitted(&app, SHOP, true).await;
    for path in ["/contacts/", "/v1/contacts/", "/no/such/route", "/contacts/search"] {
        let answer = preflight(&app, path, SHOP).await;
        assert_eq!((answer.status, allowed(&answer), answer.text.as_str()), (204, Some(SHOP), ""), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "authorization, content-type, version, idempotency-key, if-match, if-none-match"
        );
        assert_eq!(answer.header("access-control-max-age"), "600");
        let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        assert_eq!(answer.header("vary"), vary);
        for never in ["access-control-allow-credentials", "access-control-allow-private-network"] {
            assert!(!answer.headers.contains_key(never), "{never}");
        }
    }
    for origin in [
        "https://evil.example",
        "null",
        "https://shop.example.com.",
        "https://SHOP.example.com",
        "http://shop.example.com",
        "",
    ] {
        let answer = preflight(&app, "/contacts/", origin).await;
        assert_eq!((answer.status, allowed(&answer)), (404, None), "{origin}");
        assert_eq!(answer.json()["message"], unknown.json()["message"], "{origin}");
    }
    // Without the question it is no preflight, and there is no such route.
    let bare = app.call(Method::OPTIONS, "/contacts/").header("Origin", SHOP).send().await;
    assert_eq!(bare.status, 404);
    // It is no use of any key.
    let used = uses(&app, &made).await;
    assert_eq!(used, 0);
    // Neither the app nor what operators ask knows of sites.
    for path in ["/app/sign-in", "/docs", "/metrics", "/healthz"] {
        assert_eq!(allowed(&preflight(&app, path, SHOP).await), None, "{path}");
        assert_eq!(allowed(&app.get(path).header("Origin", SHOP).send().await), None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_has_no_effect_before_it_is_refused() {
    let app = TestApp::start().await;
    let made = key(&app, &[Scope::ContactsRead, Scope::ContactsWrite], &[SHOP]).await;
    let programs = key(&app, &[Scope::ContactsRead, Scope::ContactsWrite], &[]).await;
    until_permitted(&app, SHOP, true).await;
    let post = async |key: &TestKey, origin: &str| {
        app.post("/contacts/").key(key).header("Origin", origin).json(&json!({"firstName": "Ada"})).send().await
    };
    for origin in ["https://evil.example", "null", "https://shop.example.com:8443", "https://sub.shop.example.com", ""]
    {
        let refused = post(&made, origin).await;
        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("origin_not_allowed")), "{origin}");
        assert_eq!(allowed(&refused), None, "{origin}");
    }
    assert_eq!(contacts(&app).await, 0, "nothing was written");
    let used = uses(&app, &made).await;
    assert_eq!(used, 0, "and the key was not used");
    let answered = post(&made, SHOP).await;
    assert_eq!((answered.status, allowed(&answered)), (201, Some(SHOP)));
    let exposed = answered.header("access-control-expose-headers");
    for name in ["X-RateLimit-Remaining", "Retry-After", "X-Request-Id", "ETag", "Keystead-Key-Expires-At"] {
        assert!(exposed.contains(name), "{name} in {exposed}");
    }
    // A program with the same key, and one whose key has no list, whatever it says of where it comes from.
    assert_eq!(app.get("/contacts/").key(&made).send().await.status, 200);
    for origin in ["https://evil.example", "null", SHOP] {
        let served = post(&programs, origin).await;
        assert_eq!((served.status, allowed(&served)), (201, None), "{origin}");
    }
    // The instance's own pages are no other site's.
    let own = app.url("").trim_end_matches('/').to_owned();
    assert_eq!(app.get("/contacts/").key(&made).header("Origin", &own).send().await.status, 200);
    // What goes wrong is readable, too.
    for (path, status) in [("/contacts/0000000000000000000a", 400), ("/contacts/?limit=x", 422), ("/no/such", 404)] {
        let wrong = app.get(path).key(&made).header("Origin", SHOP).send().await;
        assert_eq!((wrong.status, allowed(&wrong)), (status, Some(SHOP)), "{path}: {}", wrong.text);
    }
    let unknown = app.get("/contacts/").header("Authorization", "Bearer x").header("Origin", SHOP).send().await;
    assert_eq!((unknown.status, allowed(&unknown)), (401, Some(SHOP)));
    let plain = app.get("/contacts/").key(&made).send().await;
    assert_eq!((plain.header("vary"), allowed(&plain)), ("Origin", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_are_given_to_keys_that_may_do_little_and_taken_away_everywhere() {
    let app = TestApp::start().await;
    let admin = app.agency_key().await;
    let new = json!({
        "name": "Shop", "kind": "location", "locationId": app.ids.location, "scopes": ["contacts.readonly"],
        "allowedOrigins": [SHOP],
    });
    let with = |changes: serde_json::Value| {
        let mut new = new.clone();
        new.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        new
    };
    for bad in [
        json!({"allowedOrigins": ["*"]}),
        // Which would be a key without limits.
        json!({"allowedOrigins": [""]}),
        json!({"allowedOrigins": ["https://*.example.com"]}),
        json!({"allowedOrigins": ["null"]}),
        json!({"allowedOrigins": ["https://shop.example.com/"]}),
        json!({"allowedOrigins": ["http://shop.example.com"]}),
        json!({"allowedOrigins": (0..11).map(|n| format!("https://a{n}.example")).collect::<Vec<_>>()}),
        json!({"scopes": ["contacts.readonly", "webhooks.write"]}),
        json!({"scopes": ["contacts.readonly", "users.readonly"]}),
        json!({"scopes": ["api-keys.readonly"]}),
    ] {
        let refused = app.post("/api-keys").key(&admin).json(&with(bad.clone())).send().await;
        assert_eq!(refused.status, 422, "{bad}: {}", refused.text);
        assert!(refused.text.contains("allowedOrigins"), "{bad}: {}", refused.text);
    }
    let anywhere = app.post("/api-keys").key(&admin).json(&with(json!({"allowedIps": [" ", ""]}))).send().await;
    assert!(anywhere.expect(422)["message"][0].as_str().unwrap().starts_with("allowedIps "), "{}", anywhere.text);
    let full: Vec<&str> = Preset::FullAccess.scopes(KeyKind::Location).iter().map(Scope::as_str).collect();
    assert_eq!(app.post("/api-keys").key(&admin).json(&with(json!({"scopes": full}))).send().await.status, 422);
    let agency = json!({"name": "A", "kind": "agency", "scopes": ["contacts.readonly"], "allowedOrigins": [SHOP]});
    assert_eq!(app.post("/api-keys").key(&admin).json(&agency).send().await.status, 422);
    let made = app.post("/api-keys").key(&admin).json(&new).send().await.expect(201);
    assert_eq!(made["apiKey"]["allowedOrigins"], json!([SHOP]));
    let path = format!("/api-keys/{}", made["apiKey"]["id"].as_str().unwrap());
    let more = json!({"scopes": ["contacts.readonly", "webhooks.write"]});
    assert_eq!(app.patch(&path).key(&admin).json(&more).send().await.status, 422, "nor does it get more later");
    until_permitted(&app, SHOP, true).await;
    let call = async |origin: &str| {
        let key = format!("Bearer {}", made["key"].as_str().unwrap());
        app.get("/contacts/").header("Authorization", &key).header("Origin", origin).send().await.status
    };
    assert_eq!((call(SHOP).await, call("https://new.example").await), (200, 403));
    app.patch(&path).key(&admin).json(&json!({"allowedOrigins": ["https://new.example"]})).send().await.expect(200);
    assert_eq!((call(SHOP).await, call("https://new.example").await), (403, 200), "at once");
    until_permitted(&app, "https://new.example", true).await;
    until_permitted(&app, SHOP, false).await;
    app.post(&format!("{path}/deactivate")).key(&admin).send().await.expect(200);
    until_permitted(&app, "https://new.example", false).await;
}
