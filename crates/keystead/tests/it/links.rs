//! Trigger links of a location, in both APIs.

use std::time::Duration;

use keystead_model::{grant::Reach, scope::Preset};
use keystead_testkit::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_changed_listed_found_and_deleted() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let at = app.ids.location.as_str();
    let new = json!({"name": "Größe wählen", "redirectTo": "https://example.com/a?b={{contact.id}}", "locationId": at});
    let made = app.post("/links/").key(&key).json(&new).send().await.expect(201)["link"].clone();
    let id = made["id"].as_str().unwrap();
    let expected = json!({
        "id": id,
        "name": "Größe wählen",
        "redirectTo": "https://example.com/a?b={{contact.id}}",
        "fieldKey": format!("{{{{trigger_link.{id}}}}}"),
        "locationId": at,
    });
    assert_eq!(made, expected);
    let by_id = format!("/links/id/{id}?locationId={at}");
    assert_eq!(app.get(&by_id).key(&key).send().await.expect(200)["link"], made);
    app.clock.advance(Duration::from_millis(1));
    let second = json!({"name": "Book", "redirectTo": "{{custom_values.booking}}"});
    let second = app.post("/v1/links/").key(&key).json(&second).send().await.expect(200);
    for (query, expected) in [
        ("", json!([second, made])),
        ("?query=GR%C3%96SSE", json!([made])),
        ("?query=wahl", json!([made])),
        ("?query=oo", json!([second])),
        ("?query=%25", json!([])),
        ("?query=_", json!([])),
        ("?limit=1", json!([second])),
        ("?limit=1&skip=1", json!([made])),
    ] {
        let found = app.get(&format!("/links/search{query}")).key(&key).send().await.expect(200);
        assert_eq!(found["links"], expected, "{query}");
    }
    assert_eq!(app.get("/links/").key(&key).send().await.expect(200)["links"], json!([second, made]));
    assert_eq!(app.get("/v1/links/").key(&key).send().await.expect(200)["links"], json!([second, made]));
    let change = json!({"name": "Sizes", "redirectTo": "https://example.com/sizes"});
    let changed = app.put(&format!("/links/{id}")).key(&key).json(&change).send().await.expect(201)["link"].clone();
    assert_eq!((&changed["name"], &changed["fieldKey"]), (&json!("Sizes"), &made["fieldKey"]));
    assert_eq!(app.get("/links/search?query=wahl").key(&key).send().await.expect(200)["links"], json!([]));
    assert_eq!(app.get("/links/search?query=size").key(&key).send().await.expect(200)["links"], json!([changed]));
    let older = format!("/v1/links/{id}");
    assert_eq!(app.put(&older).key(&key).json(&change).send().await.expect(200), changed);
    let gone = app.delete(&format!("/links/{id}")).key(&key).send().await.expect(201);
    assert_eq!((&gone["succeded"], &gone["succeeded"]), (&json!(true), &json!(true)));
    assert_eq!(app.get(&by_id).key(&key).send().await.status, 404);
    let second = format!("/v1/links/{}", second["id"].as_str().unwrap());
    assert_eq!(app.delete(&second).key(&key).send().await.expect(200), "");
    let gone = app.delete(&second).key(&key).send().await;
    assert!(gone.status == 422 && gone.json()["linkId"]["rule"] == "invalid", "{}", gone.text);
    assert_eq!(app.get("/links/").key(&key).send().await.expect(200)["links"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_mislead_are_refused_and_store_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for to in [
        json!("javascript:alert(1)"),
        json!("data:text/html,x"),
        json!("//evil.example"),
        json!("/\\evil.example"),
        json!("https://good@evil.example"),
        json!("java\tscript:alert(1)"),
        json!("https://example.com/\r\nSet-Cookie: a=b"),
        json!("https://host{{contact.x}}"),
        json!("{{contact.website}}"),
        json!(null),
        json!(7),
        json!(["https://example.com"]),
    ] {
        let new = json!({"name": "x", "redirectTo": to});
        let refused = app.post("/links/").key(&key).json(&new).send().await;
        assert!(refused.status == 422 && refused.text.contains("redirectTo"), "{to}: {}", refused.text);
        let refused = app.post("/v1/links/").key(&key).json(&new).send().await;
        assert!(refused.status == 422 && refused.json()["redirectTo"].is_object(), "{to}: {}", refused.text);
    }
    for body in [
        json!({"redirectTo": "https://example.com"}),
        json!({"name": "x", "redirectTo": "https://example.com", "fieldKey": "mine"}),
        json!({"name": "x".repeat(201), "redirectTo": "https://example.com"}),
    ] {
        assert_eq!(app.post("/links/").key(&key).json(&body).send().await.status, 422, "{body}");
    }
    for query in ["limit=0", "limit=101", "skip=-1", "limit=x"] {
        assert_eq!(app.get(&format!("/links/search?{query}")).key(&key).send().await.status, 422, "{query}");
    }
    assert_eq!(app.get("/links/").key(&key).send().await.expect(200)["links"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_another_location_is_like_none() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let sibling = app.location("Sibling").await;
    let theirs = app.key(Reach::location(sibling), Preset::FullAccess).await;
    let new = json!({"name": "x", "redirectTo": "https://example.com"});
    let made = app.post("/links/").key(&key).json(&new).send().await.expect(201);
    let id = made["link"]["id"].as_str().unwrap();
    let tried = async |id: &str| -> Vec<(u16, Value)> {
        let mut seen = Vec::new();
        for call in [
            app.get(&format!("/links/id/{id}")).key(&theirs),
            app.put(&format!("/links/{id}")).key(&theirs).json(&new),
            app.delete(&format!("/links/{id}")).key(&theirs),
        ] {
            let answer = call.send().await;
            seen.push((answer.status, json!(answer.json()["message"].as_str().unwrap().replace(id, "?"))));
        }
        seen
    };
    assert_eq!(tried(id).await, tried("0000000000000000000A").await);
    assert_eq!(app.get(&format!("/links/id/{id}")).key(&key).send().await.status, 200);
}
