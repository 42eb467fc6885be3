//! No secret anywhere but in the answer that creates it.

use keystead_testkit::{ADMIN_PASSWORD, TestApp};
use serde_json::json;

/// Plants secrets in every flow, then looks for them in everything that was written.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_disk() {
    let mut app = TestApp::start().await;
    let key = app.location_key().await;
    let made = app
        .post("/api-keys")
        .key(&key)
        .json(&json!({"name": "x", "kind": "location", "preset": "full-access"}))
        .header("Idempotency-Key", "a");
    let made = made.send().await.expect(201);
    let second = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api-keys/{}/rotate", made["apiKey"]["id"].as_str().unwrap());
    let rotated =
        app.post(&path).key(&key).header("Idempotency-Key", &second).json(&json!({})).send().await.expect(200);
    let third = rotated["key"].as_str().unwrap().to_owned();
    let secrets = [key.secret.clone(), second, third];
    for secret in &secrets {
        let leaks = app
            .get(&format!("/contacts/{secret}"))
            .key(&key)
            .header("User-Agent", secret)
            .header("Referer", secret)
            .send()
            .await;
        assert!(!leaks.text.contains(secret.as_str()));
        app.get(&format!("/{secret}?a={secret}")).header("User-Agent", secret).send().await;
        app.post("/contacts/").key(&key).json(&json!({"name": "x", secret.as_str(): 1})).send().await.expect(422);
        app.get("/api-keys/self").key(&key).header("User-Agent", secret).send().await.expect(200);
    }
    app.app.flush_uses().await.unwrap();
    app.stop().await;
    let bytes = app.database.everything_stored();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(key.id.as_str()), "the search finds what is there");
    for secret in &secrets {
        // The part that is secret: the id before it is public.
        assert!(!holds(&secret[secret.len() - 38..]));
    }
    assert!(!holds(ADMIN_PASSWORD));
}

/// The 38 characters after the last underscore are the secret; however the rest is encoded, they must not come back.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_echoes_a_key_however_it_is_encoded() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let tail = &key.secret[key.secret.len() - 38..];
    // The last ones are `\u005f`, `&#95;` and `%u005f`, as an address carries them.
    for underscore in ["_", "%5F", "%5f", "%255F", "%25255f", "%5Cu005f", "%26%2395%3B", "%25u005f"] {
        let encoded = key.secret.replace('_', underscore);
        for path in [
            format!("/{encoded}"),
            format!("/contacts/{encoded}"),
            format!("/contacts/{encoded}/notes"),
            format!("/v1/contacts/{encoded}"),
            format!("/app/{encoded}"),
            format!("/app/invite/{encoded}"),
            format!("/docs/errors/{encoded}"),
        ] {
            let answer = app.get(&path).key(&key).header("Referer", &path).send().await;
            assert!(!answer.text.contains(tail), "{path}: {}", answer.text);
            assert!((300..500).contains(&answer.status), "{path}: {}", answer.status);
        }
        for query in [format!("key={encoded}"), format!("{encoded}=1"), format!("query=a&x={encoded}&limit=2")] {
            let answer = app.get(&format!("/contacts/?{query}")).key(&key).send().await;
            assert!(!answer.text.contains(tail), "{query}: {}", answer.text);
            assert_eq!(answer.expect(401)["code"], "key_in_url", "{query}");
        }
        let named = json!({"name": encoded.replace("%5C", "\\").replace("%26%2395%3B", "&#95;")});
        let refused = app.post("/contacts/").key(&key).json(&named).send().await.expect(422);
        assert!(refused["message"][0].as_str().unwrap().contains("must not contain an API key"), "{refused}");
    }
}

/// Whoever is led to the sign-in comes back to the page, but not with what opens a door.
#[tokio::test(flavor = "multi_thread")]
async fn no_detour_repeats_a_secret() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let tail = &key.secret[key.secret.len() - 38..];
    let token = "Zx4-9qTnUe_2yWc7RkPdV5mLhB0sJgA1fOiX8tEuQ6Y";
    for page in ["/app/agency/settings/keys?query=", "/app/agency/audit?subject=", "/app/agency/settings/keys/"] {
        let led = app.get(&format!("{page}{}", key.secret)).send().await;
        let to = led.header("location").to_owned();
        assert!(to.starts_with("/app/sign-in?next=") && !to.contains(tail), "{to}");
    }
    for next in [format!("/app/agency?x={}", key.secret), format!("/app/invite/{token}")] {
        let page = app.get(&format!("/app/sign-in?next={next}")).send().await;
        assert!(!page.text.contains(tail) && !page.text.contains(token), "{next}");
    }
    let page = app.post("/app/sign-in").form(&[("email", &key.secret), ("password", "x")]).send().await;
    assert!(!page.text.contains(tail));
    for path in [format!("/APP/invite/{token}"), format!("/x/app/invite/{token}"), format!("/contacts/?{token}=1")] {
        let answer = app.get(&path).key(&key).send().await;
        assert!(!answer.text.contains(token), "{path}: {}", answer.text);
    }
    // What is only long comes back.
    let long = "a".repeat(64);
    assert!(app.get(&format!("/{long}")).send().await.text.contains(&long));
}
