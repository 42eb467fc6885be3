//! Bad input: a documented 4xx with the contract's body, nothing stored, never a 5xx.

use keystead_api::{Access, routes};
use keystead_core::RateLimits;
use keystead_model::{KeyId, key_kind::KeyKind, key_secret::KeySecret};
use keystead_testkit::{TestApp, TestKey, raw};
use serde_json::{Value, json};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_key_header_is_a_401_with_a_body() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let secret = &key.secret;
    let mut headers: Vec<Vec<u8>> = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer\t",
        "Basic dXNlcjpwYXNz",
        "Bearer null",
        "Bearer undefined",
        "ks_",
        "ks_location_",
        "Bearer ks_location_Hq3vT0bZk9Wd_…x9Qa",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    headers.push(format!("Bearer {}", key.id).into_bytes());
    headers.push(format!("Bearer {}", secret.replace("ks_location", "ks_agency")).into_bytes());
    headers.push(format!("Bearer {}", secret.to_uppercase()).into_bytes());
    headers.push(format!("Bearer {}", secret.replace('_', "%5F")).into_bytes());
    headers.push(format!("Bearer {}", secret.replace('a', "а")).into_bytes().into_iter().chain(*b"\xd0\xb0").collect());
    headers.push(format!("Bearer {secret}x").into_bytes());
    headers.push(format!("Bearer {secret} {secret}").into_bytes());
    headers.push(b"Bearer \xff\xfe".to_vec());
    headers.push([b"Bearer ".to_vec(), vec![b'x'; 8000]].concat());
    for position in 0..secret.len() {
        let mut changed = secret.clone().into_bytes();
        changed[position] = if changed[position] == b'Q' { b'R' } else { b'Q' };
        headers.push([b"Bearer ".to_vec(), changed].concat());
    }
    for header in headers {
        let request =
            [b"GET /contacts/ HTTP/1.1\r\nHost: x\r\nAuthorization: ".to_vec(), header.clone(), b"\r\n\r\n".to_vec()];
        assert_eq!(raw(&app, &request.concat()).await, 401, "{}", String::from_utf8_lossy(&header));
    }
    let twice =
        format!("GET /contacts/ HTTP/1.1\r\nHost: x\r\nAuthorization: {secret}\r\nAuthorization: other\r\n\r\n");
    assert_eq!(raw(&app, twice.as_bytes()).await, 401);
    let huge = format!("GET /contacts/ HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\r\n", "x".repeat(64 * 1024));
    assert!([431, 400].contains(&raw(&app, huge.as_bytes()).await));
    for broken in ["a\0b", "a\rb"] {
        let request = format!("GET /contacts/ HTTP/1.1\r\nHost: x\r\nAuthorization: {broken}\r\n\r\n");
        assert_eq!(raw(&app, request.as_bytes()).await, 400, "{broken:?}");
    }
    let leaked = app.get(&format!("/contacts/?key={secret}")).send().await;
    assert!(!leaked.text.contains(secret.as_str()));
    assert_eq!(leaked.expect(401)["code"], "key_in_url");
    let cookie = app.get("/contacts/").header("Cookie", &format!("key={secret}")).send().await;
    assert_eq!(cookie.expect(401)["code"], "key_missing");
    let in_path = app.get(&format!("/contacts/{secret}/x/y/z")).key(&key).send().await;
    assert_eq!(in_path.status, 404);
    assert!(!in_path.text.contains(secret.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_older_programs_put_around_a_body_is_no_fault() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for (body, encoding) in [("\u{feff}{\"name\":\"a\"}", None), ("{\"name\":\"b\"}", Some("identity"))] {
        let mut call = app.post("/contacts/").key(&key);
        if let Some(encoding) = encoding {
            call = call.header("Content-Encoding", encoding);
        }
        call.body("application/json; charset=utf-8", body).send().await.expect(201);
    }
    let packed = app.post("/contacts/").key(&key).header("Content-Encoding", "gzip");
    packed.body("application/json", "{\"name\":\"c\"}").send().await.expect(415);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_body_is_a_4xx_and_stores_nothing() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let post = async |kind: &str, body: Vec<u8>| app.post("/contacts/").key(&key).body(kind, body).send().await;
    let json_type = "application/json";
    for body in [
        "[]",
        "null",
        "1",
        "\"x\"",
        "{",
        "{\"name\":}",
        "{\"name\":\"a\"} x",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{'name':'a'}",
        "{\"name\":1e400}",
        "{\"name\":\"\\ud800\"}",
        "\u{feff}\u{feff}{\"name\":\"a\"}",
        "{\"name\":NaN}",
        "{\"name\":\"a\",}",
    ] {
        assert_eq!(post(json_type, body.into()).await.expect(400)["code"], "malformed_body", "{body}");
    }
    assert_eq!(post(json_type, b"{\"name\":\"\xff\"}".to_vec()).await.status, 400);
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(2000), "]".repeat(2000));
    assert_eq!(post(json_type, deep.into()).await.status, 400);
    for (name, value) in [
        ("firstName", json!(5)),
        ("firstName", json!(["a"])),
        ("firstName", json!({"a": 1})),
        ("firstName", json!(true)),
        ("firstName", json!("a\u{0}b")),
        ("firstName", json!("x".repeat(101))),
        ("email", json!("nonsense")),
        ("email", json!(5)),
        ("phone", json!("nonsense")),
        ("dnd", json!("yes")),
        ("tags", json!("a\u{0}")),
        ("tags", json!([1])),
        ("tags", json!([["a"]])),
        ("country", json!("Atlantis")),
        ("timezone", json!("Mars/Base")),
        ("dateOfBirth", json!("2025-02-29")),
        ("dateOfBirth", json!("0000-00-00")),
        ("dndSettings", json!([])),
        ("dndSettings", json!({"SMS": {"status": "maybe"}})),
        ("dndSettings", json!({"Fax": {"status": "active"}})),
        ("assignedTo", json!("me")),
        ("customFields", json!({})),
        ("customFields", json!([{}])),
        ("id", json!("x")),
        ("agencyId", json!("x")),
        ("createdAt", json!(1)),
        ("scopes", json!(["a"])),
        ("__proto__", json!({})),
        ("additionalEmails", json!(["x"])),
        ("source", json!(2)),
        ("firstName", json!(format!("my key is {}", key.secret))),
    ] {
        let body = json!({"name": "Ada", name: value});
        let answer = app.post("/contacts/").key(&key).json(&body).send().await;
        assert!(!answer.text.contains(&key.secret));
        let answer = answer.expect(422);
        let first = answer["message"][0].as_str().unwrap();
        assert!(first.contains(name), "{name}: {first}");
        assert_eq!(answer["statusCode"], 422);
    }
    let all = json!({"firstName": 1, "dnd": 2, "x": 3});
    let answer = app.post("/contacts/").key(&key).json(&all).send().await.expect(422);
    assert_eq!(answer["message"].as_array().unwrap().len(), 3, "every violation at once");
    assert_eq!(app.post("/contacts/").key(&key).json(&json!({})).send().await.status, 422);
    assert_eq!(post("text/plain", b"{\"name\":\"a\"}".to_vec()).await.expect(415)["code"], "media_type");
    assert_eq!(post(json_type, vec![b' '; 2 << 20]).await.expect(413)["code"], "body_too_large");
    let zipped = app.post("/contacts/").key(&key).header("Content-Encoding", "gzip").body(json_type, "x");
    assert_eq!(zipped.send().await.status, 415);
    assert_eq!(app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_paths_and_queries_are_4xx() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let contact = |id: &str| format!("/contacts/{id}");
    for id in ["x", "00000000000000000000", "..%2F..%2Fetc", "%00", &"a".repeat(5000), "%7BcontactId%7D", "%2540"] {
        assert_eq!(app.get(&contact(id)).key(&key).send().await.status, 400, "{id}");
    }
    for query in [
        "limit=0",
        "limit=-1",
        "limit=1000000000",
        "limit=x",
        "limit=1.5",
        "startAfter=soon",
        "startAfterId=x&startAfter=1",
        "skip=-1",
        "page=102&limit=100",
        "foo=1",
        "startAfter=99999999999999999&startAfterId=00000000000000000000",
    ] {
        let answer = app.get(&format!("/contacts/?{query}")).key(&key).send().await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.text);
    }
    assert_eq!(app.get("/contacts/?query=%ff").key(&key).send().await.status, 400);
    for fine in [
        "limit=20.0",
        "limit=100",
        "query=%25_%5C%22*",
        "query=NEAR(",
        "order=x&sort=y&sortBy=z&skip=3&page=1",
        "locationId=",
    ] {
        assert_eq!(app.get(&format!("/contacts/?{fine}")).key(&key).send().await.status, 200, "{fine}");
    }
    for foreign in ["00000000000000000000", "x", "%00"] {
        let answer = app.get(&format!("/contacts/?locationId={foreign}")).key(&key).send().await.expect(403);
        assert_eq!(answer["message"], "The token does not have access to this location.");
    }
    let agency = app.agency_key().await;
    let unnamed = app.get("/contacts/").key(&agency).send().await.expect(422);
    assert_eq!(unnamed["message"], json!(["locationId can't be undefined"]));
    for (method, path) in [("GET", "/nothing"), ("PATCH", "/contacts/"), ("POST", "/contacts/x"), ("HEAD", "/nothing")]
    {
        let answer = app.call(method.parse().unwrap(), path).key(&key).send().await;
        assert_eq!(answer.status, 404);
        if method != "HEAD" {
            assert_eq!(answer.json()["message"], format!("Cannot {method} {path}"));
        }
    }
    let version = app.get("/contacts/").key(&key).header("Version", "2030-01-01").send().await.expect(400);
    assert_eq!(version["code"], "version_unknown");
    for known in ["legacy", "2021-04-15", "2021-07-28", "2023-02-21", "v3"] {
        let twice = app.get("/contacts/").key(&key).header("Version", known).header("Version", known);
        assert_eq!(twice.send().await.status, 200, "{known}");
    }
    for (sent, message) in [
        (&[""][..], "The Version header is empty; leave it out, or use 2021-07-28"),
        (&[" "], "The Version header is empty"),
        (&["v3", "2021-07-28"], "The Version header is sent twice and says two things; send it once"),
        (&["2021-07-28", "x"], "The Version header is sent twice"),
    ] {
        let call = sent.iter().fold(app.get("/contacts/").key(&key), |call, sent| call.header("Version", sent));
        let refused = call.send().await.expect(400);
        assert_eq!(refused["code"], "version_unknown");
        assert!(refused["message"].as_str().unwrap().starts_with(message), "{sent:?}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_http_is_closed_or_refused() {
    let app = TestApp::start().await;
    for request in [
        &b"GARBAGE\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /contacts/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /contacts/ HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET /contacts/ HTTP/1.1\r\nBad Header: x\r\n\r\n",
    ] {
        let status = raw(&app, request).await;
        assert!(status == 0 || (400..500).contains(&status), "{status} {}", String::from_utf8_lossy(request));
    }
    let still_here: Value = app.get("/nothing").send().await.expect(404);
    assert_eq!(still_here["code"], "route_unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_made_up_keys_locks_nobody_out() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    // Once the feed has told of the new key, it stays in the cache; a cached key never waits.
    app.app.poll_changes().await.unwrap();
    app.get("/contacts/").key(&key).send().await.expect(200);
    let mut flood = JoinSet::new();
    for number in 0..400u32 {
        let mut counter = number;
        let random = |pool: &mut [u8]| {
            for byte in pool {
                counter = counter.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (counter >> 24) as u8;
            }
        };
        let mut random = random;
        let id = KeyId::generate(&mut random);
        let kind = KeyKind::Location;
        let secret = KeySecret::generate(kind, id, random);
        let made_up = TestKey { id, secret: secret.expose().to_owned() };
        flood.spawn(app.get("/contacts/").key(&made_up).send());
    }
    for _ in 0..10 {
        assert_eq!(app.get("/contacts/").key(&key).send().await.status, 200);
    }
    for answer in flood.join_all().await {
        assert!([401, 429].contains(&answer.status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_kind_is_refused_on_every_route() {
    let app = TestApp::start_with(|config| config.limits.rate = RateLimits::OFF).await;
    let key = app.agency_key().await;
    let part = |name: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n1\r\n");
    let form = |parts: Vec<String>| format!("{}--x--\r\n", parts.concat());
    let bodies = [
        ("multipart/form-data; boundary=x", form(vec![part("name")])),
        ("multipart/form-data", form(vec![part("name")])),
        ("multipart/form-data; boundary=x", form((0..1000).map(|number| part(&format!("f{number}"))).collect())),
        ("multipart/form-data; boundary=x", form(vec![part("../../etc/passwd")])),
        ("multipart/form-data; boundary=x", "--x\r\n".to_owned()),
        ("application/x-www-form-urlencoded", "name=Ada".to_owned()),
        ("text/xml", "<name>Ada</name>".to_owned()),
        ("application/json-patch", "[]".to_owned()),
    ];
    for route in routes().iter().filter(|route| route.method != "GET" && route.access() != Access::Open) {
        let mut path = route.path.replace("{locationId}", app.ids.location.as_str());
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            path.replace_range(start..=end, "00000000000000000000");
        }
        // What takes a form is refused everything else.
        let is_form = |kind: &str| kind.starts_with("multipart/") && route.file_bytes().is_some();
        let json = [("application/json", "{}".to_owned())];
        let json = if route.file_bytes().is_some() && !route.takes_json() { &json[..] } else { &[] };
        for (kind, body) in bodies.iter().filter(|(kind, _)| !is_form(kind)).chain(json) {
            let call = app.call(route.method.clone(), &path).key(&key);
            let refused = call.body(kind, body.clone()).send().await.expect(415);
            assert_eq!(refused["code"], "media_type", "{} {kind}", route.endpoint);
        }
    }
    assert_eq!(
        app.get(&format!("/contacts/?locationId={}", app.ids.location)).key(&key).send().await.expect(200)["meta"]["total"],
        0
    );
}
