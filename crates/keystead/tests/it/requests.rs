//! Requests that no honest client sends: NUL where text is, two hosts or none, a location named twice.

use keystead_api::routes;
use keystead_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Call, TestApp, raw};
use serde_json::json;

fn from_here(call: Call) -> Call {
    call.header("Sec-Fetch-Site", "same-origin")
}

/// Names that some query has.
const QUERIES: &[&str] = &[
    "query",
    "email",
    "phone",
    "cursor",
    "startAfterId",
    "locationId",
    "action",
    "subject",
    "actor",
    "name",
    "state",
    "kind",
    "companyId",
    "idleWithin",
    "by",
    "startAt",
    "q",
    "after",
    "before",
    "tab",
    "show",
    "next",
    "token",
    "preset",
];

/// Texts that databases and headers do not take, as they stand in an address.
const BROKEN: &[&str] = &["%00", "a%00b", "%01", "%ED%A0%80", "%FF", "%0D%0A", "%2500", "%C0%80"];

#[tokio::test(flavor = "multi_thread")]
async fn no_query_breaks_a_route_or_a_page() {
    let app = TestApp::start_with(|config| config.limits.rate = keystead_core::RateLimits::OFF).await;
    let key = app.agency_key().await;
    let form = [("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD)];
    let signed_in = from_here(app.post("/app/sign-in")).form(&form).send().await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let paths = routes().into_iter().filter(|route| route.method == "GET").map(|route| route.path.to_owned());
    let location = app.ids.location.as_str();
    // A stream of events goes on for a minute.
    let pages = keystead_web::paths().into_iter().filter(|path| !path.ends_with("/stream"));
    for path in paths.chain(pages).chain(keystead_web::public_paths()) {
        let path = path.replace("{location}", location).replace("{locationId}", location);
        for text in BROKEN {
            let broken = path.replace('{', "").replace('}', text);
            let pairs: Vec<String> = QUERIES.iter().map(|name| format!("{name}={text}")).collect();
            let mut addresses = vec![broken.clone(), format!("{path}?{}", pairs.join("&")), format!("{path}?{text}")];
            addresses.extend(QUERIES.iter().map(|name| format!("{path}?{name}={text}")).take(if *text == "%00" {
                99
            } else {
                0
            }));
            for address in addresses {
                let answer = app.get(&address).key(&key).header("Cookie", &cookie).send().await;
                assert!(answer.status < 500, "GET {address}: {} {}", answer.status, answer.text);
            }
        }
    }
    let listed = app.get("/api-keys?query=%00").key(&key).send().await;
    assert_eq!(listed.expect(422)["message"], json!(["query must not contain NUL characters"]));
    let long = "x".repeat(4096);
    for route in ["/api-keys", "/notifications", "/audit-logs"] {
        assert_eq!(app.get(&format!("{route}?cursor={long}")).key(&key).send().await.status, 422, "{route}");
    }
    for path in [format!("/contacts/{}", "x".repeat(10_000)), format!("/app/{}", "x".repeat(10_000))] {
        let answer = app.get(&path).key(&key).header("Cookie", &cookie).send().await;
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    let longest = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000));
    assert!([414, 431].contains(&raw(&app, longest.as_bytes()).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_breaks_a_page() {
    let app = TestApp::start().await;
    let send = async |path: &str, fields: &[(&str, &str)], cookie: &str| {
        from_here(app.post(path)).header("Cookie", cookie).form(fields).send().await
    };
    let signed_in = send("/app/sign-in", &[("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD)], "").await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let names = [
        "email",
        "password",
        "next",
        "token",
        "name",
        "role",
        "location",
        "current",
        "phone",
        "timezone",
        "told",
        "locationId",
        "scopes",
        "allowedIps",
        "labels",
        "timeZone",
    ];
    for path in keystead_web::paths().into_iter().chain(keystead_web::public_paths()) {
        let path = path.replace("{location}", app.ids.location.as_str()).replace(['{', '}'], "");
        for text in ["\0", "a\0b", "\u{1}", "\u{85}", "\u{feff}"] {
            let fields: Vec<(&str, &str)> = names.iter().map(|name| (*name, text)).collect();
            for cookie in ["", &cookie] {
                let answer = send(&path, &fields, cookie).await;
                assert!(answer.status < 500, "POST {path} {text:?}: {} {}", answer.status, answer.text);
            }
        }
    }
    let refused = send("/app/sign-in", &[("email", "a\0@b.co"), ("password", "x")], "").await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    // Where a sign-in leads to is a page of the app, or the app.
    for next in ["/app/\u{1}", "/app/a b", "/app/%00", "/app/?q=%00", "/app/\u{e9}", "/app/\0"] {
        let form = [("email", ADMIN_EMAIL), ("password", ADMIN_PASSWORD), ("next", next)];
        let answer = send("/app/sign-in", &form, "").await;
        assert!(
            answer.status == 422 || (answer.status == 303 && answer.header("location") == "/app"),
            "{next:?}: {} {}",
            answer.status,
            answer.header("location")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_brings_nul_into_the_database() {
    let app = TestApp::start().await;
    let (key, agency) = (app.location_key().await, app.agency_key().await);
    for route in routes().into_iter().filter(|route| route.method != "GET") {
        let path = route.path.replace("{locationId}", app.ids.location.as_str()).replace(['{', '}'], "");
        for name in ["name", "email", "query", "title", "body", "tags", "customFields", "keys", "overlap", "status"] {
            for value in [json!("\0"), json!(["a\0b"]), json!([{"id": "\0", "key": "\0", "value": "a\0"}])] {
                for key in [&key, &agency] {
                    let body = json!({name: value});
                    let answer = app.call(route.method.clone(), &path).key(key).json(&body).send().await;
                    assert!(answer.status < 500, "{} {path} {body}: {} {}", route.method, answer.status, answer.text);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_one_host() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/contacts/", "/v1/contacts/", "/app/sign-in", "/docs"] {
        let status = async |version: &str, hosts: &str| {
            raw(&app, format!("GET {path} HTTP/{version}\r\n{hosts}\r\n").as_bytes()).await
        };
        let right = status("1.1", "Host: a\r\n").await;
        assert!([200, 401].contains(&right), "{path}: {right}");
        assert_eq!(status("1.1", "").await, 400, "{path}");
        for version in ["1.0", "1.1"] {
            assert_eq!(status(version, "Host: a\r\nHost: b\r\n").await, 400, "{path}");
            assert_eq!(status(version, "Host: a\r\nHost: a\r\n").await, 400, "{path}");
        }
        // As the health checks of balancers ask.
        assert_eq!(status("1.0", "").await, right, "{path}");
    }
}

/// Both forms of a path are one, as on the API.
#[tokio::test(flavor = "multi_thread")]
async fn a_slash_at_the_end_changes_nothing() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/readyz", "/docs", "/docs/reference", "/docs/api-keys", "/app/sign-in", "/robots.txt"] {
        let (plain, slashed) = (app.get(path).send().await, app.get(&format!("{path}/")).send().await);
        assert_eq!((slashed.status, slashed.text), (plain.status, plain.text), "{path}");
        assert_eq!(plain.status, 200, "{path}");
    }
    // Whoever has to sign in first comes to the page after it.
    let (plain, slashed) = (app.get("/app").send().await, app.get("/app/?a=b").send().await);
    assert_eq!((plain.status, slashed.status), (303, 303));
    for nothing in ["/docs/nothing/", "/docs//", "/app/nothing/", "/healthz//", "//docs/"] {
        assert_eq!(app.get(nothing).send().await.status, 404, "{nothing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_that_is_named_twice_is_refused() {
    let app = TestApp::start().await;
    let (agency, here) = (app.agency_key().await, app.ids.location);
    let other = app.location("Other").await;
    let location = app.location_key().await;
    for key in [&agency, &location] {
        for query in [
            format!("locationId={here}&locationId={other}"),
            format!("locationId={here}&locationId={here}"),
            format!("locationId[]={here}&locationId[]={here}"),
        ] {
            for path in ["/contacts/", "/contacts/search/duplicate"] {
                let answer = app.get(&format!("{path}?{query}&number=1")).key(key).send().await;
                assert_eq!(answer.expect(422)["message"], json!(["locationId must be a string"]), "{path} {query}");
            }
        }
        for value in [json!([here, other]), json!({"id": here}), json!(5)] {
            let body = json!({"name": "Ada", "locationId": value});
            let answer = app.post("/contacts/").key(key).json(&body).send().await;
            assert_eq!(answer.expect(422)["message"], json!(["locationId must be a string"]), "{value}");
        }
    }
    // Once in the query and once in the body, for whatever route.
    for body in [json!({"name": "Ada", "locationId": other}), json!({"name": "Ada", "locationId": "other"})] {
        for path in ["/contacts/", "/contacts/upsert", "/api-keys"] {
            let answer = app.post(&format!("{path}?locationId={here}")).key(&agency).json(&body).send().await;
            let message = &answer.expect(422)["message"];
            assert_eq!(*message, json!(["locationId must be the same in the query and in the body"]), "{path}");
        }
    }
    let both =
        app.get(&format!("/opportunities/search?location_id={here}&locationId={other}")).key(&agency).send().await;
    assert_eq!(both.expect(422)["message"], json!(["locationId must be the same as location_id in the query"]));
    for path in ["/api-keys/self", "/locations/search", "/v1/locations/"] {
        let answer = app.get(&format!("{path}?locationId={here}&locationId={here}")).key(&agency).send().await;
        assert_eq!(answer.status, 422, "{path}");
    }
    let same = json!({"name": "Ada", "locationId": here});
    app.post(&format!("/contacts/?locationId={here}")).key(&agency).json(&same).send().await.expect(201);
    let listed = app.get(&format!("/contacts/?locationId={here}")).key(&agency).send().await;
    assert_eq!(listed.expect(200)["meta"]["total"], 1, "nothing else was stored");
}
