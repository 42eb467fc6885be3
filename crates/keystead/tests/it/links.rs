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
        // What follows is ours.
        "slug": made["slug"],
        "status": "active",
        "expiresAt": null,
        "maxClicks": null,
        "fallbackUrl": null,
        "confirm": false,
        "fire": "first_per_contact",
        "clicks": 0,
        "createdAt": "2026-11-25T12:00:00.000Z",
        "updatedAt": "2026-11-25T12:00:00.000Z",
    });
    assert_eq!(made, expected);
    let by_id = format!("/links/id/{id}?locationId={at}");
    assert_eq!(app.get(&by_id).key(&key).send().await.expect(200)["link"], made);
    app.clock.advance(Duration::from_millis(1));
    let second = json!({"name": "Book", "redirectTo": "{{custom_values.booking}}"});
    let of_v1 = app.post("/v1/links/").key(&key).json(&second).send().await.expect(200);
    let names: Vec<&String> = of_v1.as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "name", "redirectTo", "fieldKey", "locationId"], "nothing of ours");
    let second = app.get(&format!("/links/id/{}", of_v1["id"].as_str().unwrap())).key(&key).send().await.expect(200);
    let second = second["link"].clone();
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
    let listed = app.get("/v1/links/").key(&key).send().await.expect(200)["links"].clone();
    assert_eq!((&listed[0], &listed[1]["id"]), (&of_v1, &made["id"]));
    let change = json!({"name": "Sizes", "redirectTo": "https://example.com/sizes"});
    let changed = app.put(&format!("/links/{id}")).key(&key).json(&change).send().await.expect(201)["link"].clone();
    assert_eq!((&changed["name"], &changed["fieldKey"]), (&json!("Sizes"), &made["fieldKey"]));
    assert_eq!(app.get("/links/search?query=wahl").key(&key).send().await.expect(200)["links"], json!([]));
    assert_eq!(app.get("/links/search?query=size").key(&key).send().await.expect(200)["links"], json!([changed]));
    let older = format!("/v1/links/{id}");
    let same = app.put(&older).key(&key).json(&change).send().await.expect(200);
    assert!(names.iter().all(|name| same[*name] == changed[*name]) && same.as_object().unwrap().len() == names.len());
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

#[tokio::test(flavor = "multi_thread")]
async fn a_link_says_how_long_it_leads_somewhere_and_what_a_click_starts() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let base = json!({"name": "Offer", "redirectTo": "https://example.com/"});
    let with = |more: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let all = json!({
        "slug": "Spring-26", "status": "disabled", "expiresAt": "2026-12-31T22:59:00.000Z", "maxClicks": 500,
        "fallbackUrl": "https://example.com/over", "confirm": true, "fire": "daily",
    });
    let made = app.post("/links/").key(&key).json(&with(all.clone())).send().await.expect(201)["link"].clone();
    let said = |link: &Value, all: &Value| {
        for (name, value) in all.as_object().unwrap() {
            let value = if name == "slug" { json!(value.as_str().unwrap().to_lowercase()) } else { value.clone() };
            assert_eq!(link[name], value, "{name}");
        }
    };
    said(&made, &all);
    // Whoever changes one by the contract takes none of that away.
    let path = format!("/links/{}", made["id"].as_str().unwrap());
    let put = async |body: &Value| app.put(&path).key(&key).json(body).send().await;
    said(&put(&json!({"name": "Other", "redirectTo": "https://example.com/"})).await.expect(201)["link"], &all);
    let none = json!({"expiresAt": null, "maxClicks": null, "fallbackUrl": null, "status": "active", "confirm": false});
    said(&put(&with(none.clone())).await.expect(201)["link"], &none);
    for (field, wrong) in [
        ("slug", json!("a b")),
        ("slug", json!("ab")),
        ("slug", json!("../etc")),
        ("status", json!("off")),
        ("expiresAt", json!("soon")),
        ("maxClicks", json!(0)),
        ("maxClicks", json!("many")),
        ("fallbackUrl", json!("javascript:alert(1)")),
        ("confirm", json!("perhaps")),
        ("fire", json!("once")),
    ] {
        let refused = put(&with(json!({field: wrong}))).await;
        assert!(refused.status == 422 && refused.text.contains(field), "{field}: {}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_of_one_link_of_the_instance() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let theirs = app.key(Reach::location(app.location("Sibling").await), Preset::FullAccess).await;
    let new = |slug: &str| json!({"name": "x", "redirectTo": "https://example.com", "slug": slug});
    let made = app.post("/links/").key(&key).json(&new("spring")).send().await.expect(201);
    let refused = app.post("/links/").key(&theirs).json(&new("SPRING")).send().await;
    assert!(refused.status == 400 || refused.status == 409, "{}: {}", refused.status, refused.text);
    assert!(refused.text.contains("choose another slug"), "{}", refused.text);
    assert_eq!(app.get("/links/").key(&theirs).send().await.expect(200)["links"], json!([]));
    let other = app.post("/links/").key(&theirs).json(&new("autumn")).send().await.expect(201);
    let path = |link: &Value| format!("/links/{}", link["link"]["id"].as_str().unwrap());
    assert_eq!(app.put(&path(&other)).key(&theirs).json(&new("spring")).send().await.status, refused.status);
    // A refused change leaves the address that was there.
    assert_eq!(
        app.put(&path(&other)).key(&theirs).json(&new("autumn")).send().await.expect(201)["link"]["slug"],
        "autumn"
    );
    // Whoever gives an address up gives it free.
    app.put(&path(&made)).key(&key).json(&new("summer")).send().await.expect(201);
    app.put(&path(&other)).key(&theirs).json(&new("spring")).send().await.expect(201);
    app.delete(&path(&other)).key(&theirs).send().await.expect(201);
    app.put(&path(&made)).key(&key).json(&new("spring")).send().await.expect(201);
}
