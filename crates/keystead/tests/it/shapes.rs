//! What routes say of themselves: documents for anybody, and samples that they take.

use keystead_api::{Access, Document, document, routes};
use keystead_core::RateLimits;
use keystead_testkit::TestApp;
use serde_json::Value;

use crate::targets::location_for;

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_are_served_to_anybody() {
    let app = TestApp::start().await;
    for (path, which) in
        [("/openapi/2.0.json", Document::V2), ("/openapi/v3.json", Document::V3), ("/openapi/1.0.json", Document::V1)]
    {
        let answer = app.get(path).send().await;
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(&answer.expect(200), document(which), "{path}");
        let head = app.call("HEAD".parse().unwrap(), path).send().await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
    }
    assert_eq!(app.get("/openapi/2.0.json?colour=blue").send().await.status, 422);
    assert_eq!(app.post("/openapi/2.0.json").send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_is_taken() {
    let app = TestApp::start_with(|config| config.limits.rate = RateLimits::OFF).await;
    let key = app.agency_key().await;
    let at = format!("/opportunities/pipelines?locationId={}", app.ids.location);
    let pipeline = app.get(&at).key(&key).send().await.expect(200)["pipelines"][0].clone();
    let mut taken = 0;
    for route in routes().iter().filter(|route| !matches!(route.access(), Access::Open | Access::Public)) {
        // What is deleted is not what all others are tried with.
        let place = location_for(&app, route.endpoint).await.unwrap_or(app.ids.location);
        let mut path = route.path.replace("{locationId}", place.as_str());
        // What is not there is missed after the sample was read.
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            let id = if path.contains("/api-keys") { "Hq3vT0bZk9Wd" } else { "00000000000000000000" };
            path.replace_range(start..=end, id);
        }
        let query = route.sample_query();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let encode = |text: String| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let mut pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encode(text(value)))).collect();
        let is_v1 = route.path.starts_with("/v1/");
        if !is_v1 {
            pairs.push(format!("locationId={place}"));
        }
        let key = if is_v1 && route.access() == Access::Location { &app.location_key().await } else { &key };
        let mut call = app.call(route.method.clone(), &format!("{path}?{}", pairs.join("&"))).key(key);
        if route.file_bytes().is_some() && !route.takes_json() {
            let file = Some(("a.txt", "text/plain"));
            let (id, file) = (("id", None, "00000000000000000000"), ("files", file, "bytes"));
            let has_id = route.sample_body().is_some_and(|body| body.get("id").is_some());
            call = match route.path {
                "/imports" => call.multipart(&[("file", Some(("a.csv", "text/csv")), crate::imports::PERSON)]),
                _ if has_id => call.multipart(&[id, file]),
                _ => call.multipart(&[file]),
            };
        } else if let Some(mut body) = route.sample_body() {
            for (name, value) in [
                ("locationId", &Value::from(place.as_str())),
                // What is put into a pipeline of nobody is refused for that.
                ("pipelineId", &pipeline["id"]),
                ("pipelineStageId", &pipeline["stages"][0]["id"]),
                ("stageId", &pipeline["stages"][0]["id"]),
            ] {
                if body.get(name).is_some() {
                    body[name] = value.clone();
                }
            }
            call = call.json(&body);
        }
        let answer = call.send().await;
        // API 1.0 says with the same status that a thing is not there.
        let is_missed = is_v1 && (answer.text.contains("id is invalid") || answer.text.contains("matches no"));
        // So does whoever is told by a form what files are for.
        let is_missed = is_missed || answer.text.contains("id names no contact");
        assert!(answer.status != 422 || is_missed, "{}: {}", route.endpoint, answer.text);
        assert!(answer.status < 500, "{}: {}", route.endpoint, answer.text);
        taken += usize::from(answer.is_ok());
    }
    assert!(taken > 20, "most samples find nothing to work on, but those of lists and creations do: {taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_shows_every_operation() {
    let app = TestApp::start().await;
    let index = app.get("/docs/reference").send().await;
    assert_eq!(index.status, 200);
    assert!(index.header("content-security-policy").contains("default-src 'none'"), "{:?}", index.headers);
    for (api, which) in [("2.0", Document::V2), ("v3", Document::V3), ("1.0", Document::V1)] {
        let overview = app.get(&format!("/docs/reference/{api}")).send().await.text;
        let document = document(which);
        for noun in document["tags"].as_array().unwrap() {
            let noun = noun["name"].as_str().unwrap();
            let page = app.get(&format!("/docs/reference/{api}/{noun}")).send().await;
            assert_eq!(page.status, 200, "{api} {noun}");
            assert!(!page.text.contains("://") || !page.text.contains("src=\"http"), "nothing from elsewhere");
            for (path, operations) in document["paths"].as_object().unwrap() {
                for (method, operation) in operations.as_object().unwrap() {
                    if operation["tags"][0] == noun {
                        let shown = format!("{} {path}", method.to_uppercase());
                        assert!(overview.contains(&shown) && page.text.contains(&shown), "{api}: {shown}");
                    }
                }
            }
        }
    }
    let contacts = app.get("/docs/reference/2.0/contacts").send().await.text;
    for shown in ["dndSettings.Call.status", "one of active, inactive, permanent", "Needs the scope contacts.write."] {
        assert!(contacts.contains(shown), "{shown}");
    }
    for nothing in ["/docs/reference/3.0", "/docs/reference/2.0/nothing", "/docs/reference/1.0/api-keys"] {
        assert_eq!(app.get(nothing).send().await.status, 404, "{nothing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_answers_like_get() {
    let app = TestApp::start_with(|config| config.limits.rate = RateLimits::OFF).await;
    let key = app.agency_key().await;
    for route in routes().iter().filter(|route| route.method == "GET") {
        let mut path = route.path.replace("{locationId}", app.ids.location.as_str());
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            path.replace_range(start..=end, "00000000000000000000");
        }
        let path = format!("{path}?locationId={}", app.ids.location);
        let got = app.get(&path).key(&key).send().await;
        let head = app.call("HEAD".parse().unwrap(), &path).key(&key).send().await;
        assert_eq!((head.status, head.text.as_str()), (got.status, ""), "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(head.header(name), got.header(name), "{name} of {path}");
        }
    }
}
