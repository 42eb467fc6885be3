//! Inbound webhooks: who may send, what is kept of it, and what contacts it makes.

use std::time::Duration;

use keystead_core::{Limits, RateLimits};
use keystead_model::{
    agency::TenantState,
    grant::Reach,
    scope::{Scope, ScopeSet},
};
use keystead_outbound::signing::{SigningKey, WebhookSecret, sign};
use keystead_testkit::{Answer, TestApp, TestKey};
use serde_json::{Value, json};

/// An inbound webhook, and who may change it.
struct Hook<'a> {
    app: &'a TestApp,
    key: TestKey,
    id: String,
    path: String,
    secret: Option<String>,
}

impl<'a> Hook<'a> {
    async fn new(app: &'a TestApp, more: Value) -> Self {
        Self::by(app, app.location_key().await, more).await
    }

    async fn by(app: &'a TestApp, key: TestKey, more: Value) -> Self {
        let mut new = json!({"name": "Web shop"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = app.post("/inbound-webhooks").key(&key).json(&new).send().await.expect(201);
        let id = made["inboundWebhook"]["id"].as_str().unwrap().to_owned();
        let secret = made["signingSecret"].as_str().map(str::to_owned);
        Self { app, key, id, path: path_of(&made), secret }
    }

    /// What is sent to it.
    async fn send(&self, body: &Value) -> Answer {
        self.app.clock.advance(Duration::from_millis(1));
        self.app.post(&self.path).json(body).send().await
    }

    /// The same under an id.
    async fn send_as(&self, id: &str, body: &Value) -> Answer {
        self.app.clock.advance(Duration::from_millis(1));
        self.app.post(&self.path).header("webhook-id", id).json(body).send().await
    }

    fn at(&self, rest: &str) -> String {
        format!("/inbound-webhooks/{}{rest}", self.id)
    }

    async fn payloads(&self) -> Vec<Value> {
        let payloads = self.app.get(&self.at("/payloads?limit=100")).key(&self.key).send().await.expect(200);
        payloads["payloads"].as_array().unwrap().clone()
    }

    async fn change(&self, change: &Value) -> Answer {
        self.app.patch(&self.at("")).key(&self.key).json(change).send().await
    }

    async fn rotate(&self, how: &Value) -> Value {
        self.app.post(&self.at("/rotate-token")).key(&self.key).json(how).send().await.expect(200)
    }
}

fn path_of(made: &Value) -> String {
    let url = made["url"].as_str().unwrap();
    url[url.find("/hooks/").unwrap()..].to_owned()
}

async fn contacts(app: &TestApp, key: &TestKey) -> Vec<Value> {
    let found =
        app.get("/contacts/").query(&[("locationId", app.ids.location.as_str())]).key(key).send().await.expect(200);
    found["contacts"].as_array().unwrap().clone()
}

fn mapping() -> Value {
    json!({"contact": {
        "email": "{{payload.customer.email}}", "phone": "{{payload.customer.phone}}", "firstName": "{{payload.customer.names[0]}}",
        "tags": ["from {{payload.source}}", "{{payload.labels}}"],
    }})
}

fn order(email: &str) -> Value {
    json!({"source": "shop", "labels": ["new"], "customer": {"email": email, "names": ["Ada", "Byron"]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_kept_and_makes_contacts_as_its_owner_says() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, json!({})).await;
    let taken = hook.send(&order("ada@example.com")).await.expect(202);
    assert_eq!(taken, json!({"received": 1}));
    let kept = hook.payloads().await;
    assert_eq!((kept.len(), &kept[0]["outcome"], &kept[0]["body"]), (1, &json!("kept"), &order("ada@example.com")));
    assert!(contacts(&app, &hook.key).await.is_empty(), "nobody said what is to become of it");
    // What was there before the mapping is mapped again.
    hook.change(&mapping()).await.expect(200);
    let replay = hook.at(&format!("/payloads/{}/replay", kept[0]["id"].as_str().unwrap()));
    let replayed = app.post(&replay).key(&hook.key).json(&json!({})).send().await.expect(200)["payload"].clone();
    assert_eq!(replayed["outcome"], "created");
    hook.send(&order("ADA@example.com")).await.expect(202);
    let form = [("customer", "x"), ("source", "form")];
    app.clock.advance(Duration::from_millis(1));
    let refused = app.post(&hook.path).form(&form).send().await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "email", "{refused}");
    let outcomes: Vec<Value> = hook.payloads().await.into_iter().map(|payload| payload["outcome"].clone()).collect();
    assert_eq!(outcomes, ["refused", "updated", "created"]);
    let made = contacts(&app, &hook.key).await;
    assert_eq!(made.len(), 1);
    assert_eq!((&made[0]["email"], &made[0]["firstName"]), (&json!("ada@example.com"), &json!("Ada")));
    assert_eq!(made[0]["tags"], json!(["from shop", "new"]));
    // Tags are added to those that somebody has.
    let id = made[0]["id"].as_str().unwrap();
    app.post(&format!("/contacts/{id}/tags")).key(&hook.key).json(&json!({"tags": ["vip"]})).send().await.expect(201);
    hook.send(&order("ada@example.com")).await.expect(202);
    let tags = app.get(&format!("/contacts/{id}")).key(&hook.key).send().await.expect(200)["contact"]["tags"].clone();
    assert_eq!(tags, json!(["from shop", "new", "vip"]));
    // It follows from what came in, and is told so.
    let events =
        app.get("/events?kinds=contact.created,inbound_webhook.received").key(&hook.key).send().await.expect(200);
    let events = events["events"].as_array().unwrap().clone();
    let made = events.iter().find(|event| event["type"] == "contact.created").unwrap();
    let root =
        events.iter().find(|event| event["id"] == made["cause"]["rootEventId"]).unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!(root["type"], "inbound_webhook.received");
    assert!(!root.to_string().contains("ada@example.com"), "it says which, and not what");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_not_the_address_is_told_nothing() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, json!({})).await;
    let other = Hook::new(&app, json!({})).await;
    let (_, token) = hook.path.rsplit_once('/').unwrap();
    // But for the id of the request.
    let said = |answer: &Answer| {
        let mut said = answer.json();
        assert!(said.as_object_mut().unwrap().remove("traceId").is_some_and(|trace| trace.is_string()), "{said}");
        (answer.status, said)
    };
    let unknown = app.post("/hooks/0000000000000000000A/x").json(&json!({})).send().await;
    let nowhere = said(&unknown);
    assert_eq!((nowhere.0, &nowhere.1["code"]), (404, &json!("not_found")));
    let shortened = &hook.path[..hook.path.len() - 1];
    for path in [
        format!("/hooks/{}/{token}", other.id),
        format!("/hooks/{}/", hook.id),
        format!("/hooks/{}/{token}x", hook.id),
        format!("/hooks/{}/{token}/x", hook.id),
        format!("/hooks/x/{token}"),
        format!("/hooks/{token}"),
        shortened.to_owned(),
        "/hooks".to_owned(),
    ] {
        let answer = app.post(&path).json(&json!({"a": 1})).send().await;
        assert_eq!(said(&answer), nowhere, "{path}");
    }
    for method in [http::Method::GET, http::Method::PUT, http::Method::DELETE, http::Method::OPTIONS] {
        let answer = app.call(method.clone(), &hook.path).send().await;
        let elsewhere = app.call(method.clone(), "/hooks/0000000000000000000A/x").send().await;
        assert_eq!((said(&answer), answer.header("allow")), (said(&elsewhere), elsewhere.header("allow")), "{method}");
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
    }
    // Whoever has the token is no stranger, and told to keep what they have while it is suspended. Others are told nothing of it.
    let operator = app.operator().await;
    app.app.set_location_state(&operator, app.ids.location, TenantState::Suspended).await.unwrap();
    let suspended = hook.send(&json!({})).await;
    assert_eq!((suspended.status, suspended.header("retry-after")), (503, "3600"), "{}", suspended.text);
    assert_eq!(
        (&suspended.json()["code"], &suspended.json()["statusCode"]),
        (&json!("tenant_suspended"), &json!(503)),
        "{}",
        suspended.text
    );
    assert_eq!(said(&app.post(&format!("{}x", hook.path)).json(&json!({})).send().await), nowhere);
    app.app.set_location_state(&operator, app.ids.location, TenantState::Active).await.unwrap();
    app.app.set_agency_state(&operator, TenantState::Suspended).await.unwrap();
    assert_eq!(hook.send(&json!({})).await.status, 503);
    app.app.set_agency_state(&operator, TenantState::Active).await.unwrap();
    hook.send(&json!({})).await.expect(202);
    app.delete(&hook.at("")).key(&hook.key).send().await.expect(200);
    assert_eq!(said(&hook.send(&json!({})).await), nowhere);
    assert_eq!(app.number("SELECT count(*) FROM inbound_payloads").await, 0, "what came in goes with it");
    other.send(&json!({})).await.expect(202);
    // The address is known by its digest alone.
    let shown = app.get(&other.at("")).key(&other.key).send().await;
    let (_, token) = other.path.rsplit_once('/').unwrap();
    assert!(shown.is_ok() && !shown.text.contains(token));
    assert!(token.len() >= 22, "128 bits and more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_rotated_goes_on_for_as_long_as_is_said() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, json!({})).await;
    let made = hook.rotate(&json!({"overlap": "PT1H"})).await;
    assert!(made["signingSecret"].is_null() && !made["inboundWebhook"]["previousUrlUntil"].is_null());
    let second = path_of(&made);
    assert_ne!(second, hook.path);
    hook.send(&json!({"by": "old"})).await.expect(202);
    app.post(&second).json(&json!({"by": "new"})).send().await.expect(202);
    // The old one was promised its hour: a third address does not end it.
    let third = app.post(&hook.at("/rotate-token")).key(&hook.key).json(&json!({"overlap": "PT1H"})).send().await;
    assert!(third.status == 409 && third.text.contains("Two addresses are taken until"), "{}", third.text);
    hook.send(&json!({"by": "old"})).await.expect(202);
    app.let_days_pass(0.1).await;
    assert_eq!(hook.send(&json!({})).await.status, 404, "its time is over");
    let third = path_of(&hook.rotate(&json!({"overlap": "PT0S"})).await);
    assert_eq!(app.post(&second).json(&json!({})).send().await.status, 404, "it leaked");
    app.post(&third).json(&json!({})).send().await.expect(202);
}

fn signed(secret: &str, id: &str, seconds: i64, body: &str) -> Vec<(String, String)> {
    let secret = WebhookSecret::parse(secret).unwrap();
    let headers = sign(id, seconds, body.as_bytes(), &[secret], &SigningKey::of(&[1; 32]));
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

/// What is wrong with it, its headers, and its body.
type Unsigned<'a> = (&'a str, Vec<(String, String)>, &'a str);

async fn send_signed(app: &TestApp, path: &str, headers: &[(String, String)], body: &str) -> Answer {
    let call = app.post(path).body("application/json", body.to_owned());
    headers.iter().fold(call, |call, (name, value)| call.header(name, value)).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_signed_is_taken_signed_and_new_alone() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, json!({"signed": true})).await;
    let secret = hook.secret.clone().unwrap();
    let now = app.app.now().0 / 1_000;
    let body = r#"{ "a": 1 }"#;
    let send = async |headers: &[(String, String)], body: &str| send_signed(&app, &hook.path, headers, body).await;
    send(&signed(&secret, "msg_1", now, body), body).await.expect(202);
    let again = send(&signed(&secret, "msg_1", now, body), body).await.expect(202);
    assert_eq!(again, json!({"received": 1, "repeated": true}));
    let strange = WebhookSecret::of(&[9; 32]).expose().to_string();
    let good = signed(&secret, "msg_2", now, body);
    let without = |name: &str| good.iter().filter(|(known, _)| known != name).cloned().collect::<Vec<_>>();
    let other_id =
        signed(&secret, "msg_3", now, body).into_iter().chain([("webhook-id".to_owned(), "msg_4".to_owned())]);
    let unsigned: [Unsigned<'_>; 9] = [
        ("by another secret", signed(&strange, "msg_2", now, body), body),
        ("another body", good.clone(), r#"{"a":1}"#),
        ("too old", signed(&secret, "msg_2", now - 301, body), body),
        ("from later", signed(&secret, "msg_2", now + 301, body), body),
        ("without an id", without("webhook-id"), body),
        ("without a time", without("webhook-timestamp"), body),
        ("without a signature", without("webhook-signature"), body),
        ("under another id", other_id.filter(|(name, value)| name != "webhook-id" || value == "msg_4").collect(), body),
        ("not at all", Vec::new(), body),
    ];
    for (what, headers, body) in unsigned {
        let answer = send(&headers, body).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
    }
    assert_eq!(hook.payloads().await.len(), 1, "nothing of these is kept");
    send(&signed(&secret, "msg_5", now - 299, body), body).await.expect(202);
    // A rotation gives both; what was signed before goes to the address before.
    let made = hook.rotate(&json!({"overlap": "PT1H"})).await;
    let (path, new) = (path_of(&made), made["signingSecret"].as_str().unwrap().to_owned());
    assert_ne!(new, secret);
    send(&signed(&secret, "msg_6", now, body), body).await.expect(202);
    assert_eq!(send_signed(&app, &path, &signed(&secret, "msg_7", now, body), body).await.status, 401);
    send_signed(&app, &path, &signed(&new, "msg_7", now, body), body).await.expect(202);
    // And ends it, if that is wanted.
    let made = hook.rotate(&json!({"signed": false, "overlap": "PT0S"})).await;
    assert!(made["signingSecret"].is_null() && made["inboundWebhook"]["signed"] == false);
    app.post(&path_of(&made)).json(&json!({})).send().await.expect(202);
    let stored = app.database.everything_stored();
    assert!(!stored.windows(new.len()).any(|part| part == new.as_bytes()), "secrets are sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_has_its_effect_once_within_a_day() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, mapping()).await;
    let other = Hook::new(&app, json!({})).await;
    hook.send_as("evt_1", &order("ada@example.com")).await.expect(202);
    let again = hook.send_as("evt_1", &order("ada@example.com")).await.expect(202);
    assert_eq!(again, json!({"received": 1, "repeated": true}));
    let other_body = hook.send_as("evt_1", &order("eve@example.com")).await;
    assert_eq!(other_body.expect(422)["code"], "idempotency_mismatch", "nobody is to believe that it was taken");
    let plain = Hook::new(&app, json!({})).await;
    plain.send_as("evt_1", &json!({"n": 1})).await.expect(202);
    let by_key = async |body: &Value| app.post(&plain.path).header("Idempotency-Key", "evt_1").json(body).send().await;
    assert!(by_key(&json!({"n": 2})).await.expect(202)["repeated"].is_null(), "the headers have ids of their own");
    assert_eq!(by_key(&json!({"n": 2})).await.expect(202)["repeated"], true);
    assert_eq!(by_key(&json!({"n": 3})).await.expect(422)["code"], "idempotency_mismatch");
    assert_eq!(plain.payloads().await.len(), 2);
    let refused = hook.send_as("evt_2", &json!({"customer": {"email": "nonsense"}})).await.expect(422);
    let mut again = hook.send_as("evt_2", &json!({"customer": {"email": "nonsense"}})).await.expect(422);
    assert_eq!(again.as_object_mut().unwrap().remove("repeated"), Some(json!(true)));
    again["traceId"] = refused["traceId"].clone();
    assert_eq!(again, refused, "what was refused stays refused");
    assert_eq!(hook.payloads().await.len(), 2);
    assert!(other.send_as("evt_1", &json!({})).await.expect(202)["repeated"].is_null(), "ids are those of one address");
    app.let_days_pass(1.1).await;
    assert!(hook.send_as("evt_1", &order("ada@example.com")).await.expect(202)["repeated"].is_null());
    // Several at the same time are one.
    let phone = json!({"customer": {"phone": "+14155550123"}});
    let one = || app.post(&hook.path).header("webhook-id", "evt_3").json(&phone).send();
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let new = [a, b, c, d].iter().filter(|answer| answer.expect(202)["repeated"].is_null()).count();
    assert_eq!(new, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_a_payload_is_what_names_a_request() {
    let app = TestApp::start().await;
    let (open, signing) = (Hook::new(&app, json!({})).await, Hook::new(&app, json!({"signed": true})).await);
    let (longest, too_long) = ("x".repeat(255), "x".repeat(256));
    let send = async |path: &str, headers: &[(&str, &str)]| {
        let call = app.post(path).json(&json!({"a": 1}));
        headers.iter().fold(call, |call, (name, value)| call.header(name, value)).send().await
    };
    let tags = format!("/locations/{}/tags", app.ids.location);
    let rule = "must have 1 to 255 printable ASCII characters";
    for name in ["Idempotency-Key", "webhook-id"] {
        for id in ["", "  ", "Bestellung-é", "a\tb", &too_long] {
            for path in [&open.path, &signing.path, &tags] {
                // A route of the API knows no webhook-id.
                if *path == tags && name == "webhook-id" {
                    continue;
                }
                let answer = app.post(path).key(&open.key).header(name, id).json(&json!({"name": "a"})).send().await;
                assert_eq!(answer.status, 422, "{path} {name} {id}: {}", answer.text);
                assert!(answer.text.contains(&format!("{name} {rule}")), "{path} {name} {id}: {}", answer.text);
            }
        }
        assert!(send(&open.path, &[(name, "a"), (name, "b")]).await.text.contains("must be sent once"));
        assert!(send(&open.path, &[(name, &longest)]).await.expect(202)["repeated"].is_null());
    }
    assert_eq!(open.payloads().await.len(), 2, "nothing of the others was kept");
    // What is no text is told as what it is.
    let now = app.app.now().0 / 1_000;
    let wrong = [("webhook-id", "a"), ("webhook-timestamp", "é"), ("webhook-signature", "v1,x")];
    assert!(send(&signing.path, &wrong).await.text.contains("webhook-timestamp must be seconds"));
    let now = now.to_string();
    let wrong = [("webhook-id", "a"), ("webhook-timestamp", now.as_str()), ("webhook-signature", "v1,é")];
    assert!(send(&signing.path, &wrong).await.text.contains("webhook-signature is not that"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_taken_piece_by_piece_and_what_is_no_payload_is_refused_whole() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, mapping()).await;
    let list = json!([order("a@example.com"), order("nonsense"), order("b@example.com")]);
    let answer = hook.send(&list).await.expect(422);
    assert_eq!((&answer["received"], &answer["errors"][0]["field"]), (&json!(3), &json!("1.email")), "{answer}");
    let outcomes: Vec<Value> = hook.payloads().await.into_iter().map(|payload| payload["outcome"].clone()).collect();
    assert_eq!(outcomes, ["created", "refused", "created"]);
    assert_eq!(hook.payloads().await[1]["problems"][0]["field"], "email");
    let before = hook.payloads().await;
    let many = |many: usize| Value::from(vec![json!({"n": 1}); many]);
    let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let long = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length));
    for (body, status) in [
        (many(101).to_string(), 422),
        (deep(200), 422),
        ("[1]".to_owned(), 422),
        ("1".to_owned(), 422),
        (String::new(), 422),
        ("{".to_owned(), 422),
        ("{\"a\":\"\0\"}".to_owned(), 422),
        (long(256 * 1024), 413),
    ] {
        let answer = app.post(&hook.path).body("application/json", body.clone()).send().await;
        assert_eq!(answer.status, status, "{}: {}", &body[..body.len().min(50)], answer.text);
        assert!(answer.json()["message"].is_string() && answer.json()["code"].is_string(), "{}", answer.text);
        assert!(answer.json()["traceId"].is_string(), "{}", answer.text);
    }
    let parts = app.post(&hook.path).body("multipart/form-data; boundary=x", "--x--".to_owned()).send().await;
    assert_eq!((parts.status, &parts.json()["code"]), (415, &json!("media_type")), "{}", parts.text);
    let coded = app.post(&hook.path).header("Content-Encoding", "gzip").json(&json!({})).send().await;
    assert_eq!(coded.status, 415, "{}", coded.text);
    assert_eq!(hook.payloads().await, before, "nothing of them is kept");
    let plain = Hook::new(&app, json!({})).await;
    for body in [deep(100), long(200 * 1024), r#"{"a\u0000":"\u0000"}"#.to_owned(), "[]".to_owned()] {
        app.clock.advance(Duration::from_millis(1));
        app.post(&plain.path).body("text/plain", body).send().await.expect(202);
    }
    assert_eq!(plain.payloads().await[0]["body"], json!({"a\0": "\0"}));
    // What somebody writes into a field that does not take it.
    let nul = hook.send(&json!({"customer": {"email": "a@example.com", "names": ["A\0"]}})).await.expect(422);
    assert_eq!(nul["errors"][0]["field"], "firstName", "{nul}");
    // The last fifty are kept.
    plain.send(&many(100)).await.expect(202);
    plain.send(&json!({"last": true})).await.expect(202);
    let kept = plain.payloads().await;
    assert_eq!((kept.len(), &kept[0]["body"], &kept[49]["body"]), (50, &json!({"last": true}), &json!({"n": 1})));
    // Nothing that looks like a key is.
    let secret = &plain.key.secret;
    plain.send(&json!({"note": format!("my key is {secret}")})).await.expect(202);
    let kept = plain.payloads().await;
    assert!(!kept[0].to_string().contains(secret.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_sent_as_a_form_is_told_to_be_that() {
    let app = TestApp::start().await;
    let (plain, mapped) = (Hook::new(&app, json!({})).await, Hook::new(&app, mapping()).await);
    let hint = "The body looks like JSON; send Content-Type: application/json";
    let send = async |hook: &Hook<'_>, kind: &str, body: &str| {
        app.clock.advance(Duration::from_millis(1));
        app.post(&hook.path).body(kind, body.to_owned()).send().await
    };
    let (form, json) = ("application/x-www-form-urlencoded", order("ada@example.com").to_string());
    assert_eq!(send(&plain, form, &json).await.expect(202)["hint"], hint);
    assert_eq!(send(&mapped, form, &json).await.json()["hint"], hint);
    assert!(send(&plain, "application/json", &json).await.expect(202)["hint"].is_null());
    assert!(send(&plain, form, "a=1").await.expect(202)["hint"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_no_more_than_whoever_set_it_up_may() {
    let app = TestApp::start().await;
    let here = Reach::location(app.ids.location);
    let (hooks, both) = (
        ScopeSet::EMPTY.with(Scope::WebhooksWrite),
        ScopeSet::EMPTY.with(Scope::WebhooksWrite).with(Scope::ContactsWrite),
    );
    let narrow = app.key_with(here.clone(), hooks, |_| {}).await;
    let wide = app.key_with(here, both, |_| {}).await;
    // Who may not write contacts has none made by a program.
    let mut new = mapping();
    new["name"] = json!("Shop");
    let refused = app.post("/inbound-webhooks").key(&narrow).json(&new).send().await;
    assert_eq!((refused.status, &refused.json()["required"]), (401, &json!("contacts.write")), "{}", refused.text);
    let hook = Hook::by(&app, wide.clone(), mapping()).await;
    let by_narrow = |path: String, body: Value| app.post(&path).key(&narrow).json(&body).send();
    assert_eq!(by_narrow(hook.at("/rotate-token"), json!({})).await.status, 401, "the address makes contacts");
    hook.send(&order("ada@example.com")).await.expect(202);
    let reader = app.location_key().await;
    let payloads = app.get(&hook.at("/payloads")).key(&reader).send().await.expect(200);
    let payload = payloads["payloads"][0]["id"].as_str().unwrap();
    assert_eq!(by_narrow(hook.at(&format!("/payloads/{payload}/replay")), json!({})).await.status, 401);
    // Its name is for anybody to change, and changes on whose authority it writes for nobody.
    let patch = |change: Value| app.patch(&hook.at("")).key(&narrow).json(&change).send();
    assert_eq!(patch(json!({"contact": {"email": "{{payload.a}}"}})).await.status, 401);
    patch(json!({"name": "The shop"})).await.expect(200);
    hook.send(&order("bob@example.com")).await.expect(202);
    assert_eq!(contacts(&app, &reader).await.len(), 2);
    // It ends with them; what comes is kept, and can be taken by somebody else.
    app.post(&format!("/api-keys/{}/deactivate", wide.id)).key(&reader).send().await.expect(200);
    let refused = hook.send(&order("cleo@example.com")).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "contact");
    assert_eq!(contacts(&app, &reader).await.len(), 2);
    let payloads = app.get(&hook.at("/payloads")).key(&reader).send().await.expect(200);
    let replay = hook.at(&format!("/payloads/{}/replay", payloads["payloads"][0]["id"].as_str().unwrap()));
    let replayed = app.post(&replay).key(&reader).json(&json!({})).send().await.expect(200);
    assert_eq!(replayed["payload"]["outcome"], "created");
    let mut change = mapping();
    change["contact"]["city"] = json!("{{payload.city}}");
    app.patch(&hook.at("")).key(&reader).json(&change).send().await.expect(200);
    hook.send(&order("dora@example.com")).await.expect(202);
    assert_eq!(contacts(&app, &reader).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_the_mapping_of_one_that_is_gone_takes_it_over() {
    let app = TestApp::start().await;
    let here = Reach::location(app.ids.location);
    let scopes = |scopes: &[Scope]| scopes.iter().fold(ScopeSet::EMPTY, |set, scope| set.with(*scope));
    let maker = app.key_with(here.clone(), scopes(&[Scope::WebhooksWrite, Scope::ContactsWrite]), |_| {}).await;
    let narrow = app.key_with(here.clone(), scopes(&[Scope::WebhooksWrite]), |_| {}).await;
    let heir = app.location_key().await;
    let other = app.location_key().await;
    let hook = Hook::by(&app, maker.clone(), mapping()).await;
    let by = async |key: &TestKey, change: Value| app.patch(&hook.at("")).key(key).json(&change).send().await;
    let writer = |answer: &Value| answer["inboundWebhook"]["writesAs"]["id"].as_str().unwrap().to_owned();
    // As long as its maker may, saying it again changes nothing.
    assert_eq!(writer(&by(&heir, mapping()).await.expect(200)), maker.id.to_string());
    app.post(&format!("/api-keys/{}/deactivate", maker.id)).key(&heir).send().await.expect(200);
    assert_eq!(hook.send(&order("ada@example.com")).await.status, 422);
    // Nothing but the mapping lends anybody's rights, and whoever has none has none to lend.
    let both = mapping().as_object().unwrap().clone().into_iter().chain([("name".to_owned(), json!("Till"))]).collect();
    assert_eq!(by(&narrow, Value::Object(both)).await.status, 401);
    assert_eq!(writer(&by(&heir, json!({"name": "Till"})).await.expect(200)), maker.id.to_string());
    let rotate = app.post(&hook.at("/rotate-token")).key(&heir).json(&json!({"overlap": "PT1H"})).send().await;
    assert_eq!(writer(&rotate.expect(200)), maker.id.to_string());
    assert_eq!(hook.send(&order("ada@example.com")).await.status, 422);
    assert_eq!(writer(&by(&heir, mapping()).await.expect(200)), heir.id.to_string());
    hook.send(&order("ada@example.com")).await.expect(202);
    assert_eq!(writer(&by(&other, mapping()).await.expect(200)), heir.id.to_string(), "it is somebody's again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_mapped_must_be_there() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let fields = format!("/locations/{}/customFields", app.ids.location);
    let field =
        app.post(&fields).key(&key).json(&json!({"name": "Level", "dataType": "TEXT"})).send().await.expect(201);
    let field = field["customField"]["id"].as_str().unwrap().to_owned();
    let workflow = app.post("/workflows/").key(&key).json(&json!({"name": "Welcome"})).send().await.expect(201);
    let workflow = workflow["workflow"]["id"].clone();
    let hook = Hook::by(&app, key, json!({"workflowId": workflow})).await;
    let nobody = "00524467-c9ad-8104-b33e-f2de040a0a62";
    for (change, field) in [
        (json!({"workflowId": nobody}), "workflowId"),
        (json!({"contact": {"colour": "x"}}), "contact.colour"),
        (json!({"contact": {"email": "{{payload.a"}}), "contact.email"),
        (json!({"contact": {"customFields.nothing": "x"}}), "contact.customFields.nothing"),
        (json!({"contact": []}), "contact"),
    ] {
        let answer = hook.change(&change).await;
        assert!(answer.expect(422)["message"][0].as_str().unwrap().starts_with(field), "{}", answer.text);
    }
    let custom = format!("customFields.{field}");
    hook.change(&json!({"contact": {"name": "{{payload.who}}", custom: "{{payload.level}}"}})).await.expect(200);
    hook.send(&json!({"who": "Ada King", "level": "Gold"})).await.expect(202);
    let made = contacts(&app, &hook.key).await;
    let id = made[0]["id"].as_str().unwrap();
    let contact = app.get(&format!("/contacts/{id}")).key(&hook.key).send().await.expect(200)["contact"].clone();
    assert_eq!((&contact["lastName"], &contact["customFields"][0]["value"]), (&json!("King"), &json!("Gold")));
    // A workflow that is deleted is no longer what it is for.
    app.delete(&format!("/workflows/{}", workflow.as_str().unwrap())).key(&hook.key).send().await.expect(200);
    let shown = app.get(&hook.at("")).key(&hook.key).send().await.expect(200);
    assert!(shown["inboundWebhook"]["workflowId"].is_null());
    assert!(hook.change(&json!({"contact": null})).await.expect(200)["inboundWebhook"]["contact"].is_null());
    hook.send(&json!({"who": "Bob"})).await.expect(202);
    assert_eq!(contacts(&app, &hook.key).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_a_contact_are_filled_and_never_replaced() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, mapping()).await;
    let send = async |email: Option<&str>, phone: Option<&str>| {
        let answer = hook.send(&json!({"customer": {"email": email, "phone": phone}})).await.expect(202);
        assert_eq!(answer, json!({"received": 1}), "senders do not learn who is there");
        hook.payloads().await.swap_remove(0)
    };
    let ada = send(Some("ada@example.com"), None).await["contactId"].clone();
    let get = async |id: &Value| {
        let path = format!("/contacts/{}", id.as_str().unwrap());
        app.get(&path).key(&hook.key).send().await.expect(200)["contact"].clone()
    };
    // What is empty is filled.
    let filled = send(Some("ada@example.com"), Some("+14155550101")).await;
    assert_eq!((&filled["contactId"], &filled["problems"]), (&ada, &json!([])));
    assert_eq!(get(&ada).await["phone"], "+14155550101");
    // Whoever knows the one address makes the other theirs by no payload.
    for (email, phone, field) in
        [("eve@example.com", "+14155550101", "email"), ("ada@example.com", "+14155550666", "phone")]
    {
        let taken = send(Some(email), Some(phone)).await;
        assert_eq!((&taken["contactId"], &taken["outcome"]), (&ada, &json!("updated")), "{taken}");
        let said = format!("{field} is not written: the contact has another, which stays");
        assert_eq!(taken["problems"], json!([{"field": field, "message": said}]), "{taken}");
        let now = get(&ada).await;
        assert_eq!((&now["email"], &now["phone"]), (&json!("ada@example.com"), &json!("+14155550101")));
        assert!(now["additionalEmails"].as_array().is_none_or(Vec::is_empty), "{now}");
        assert!(now["additionalPhones"].as_array().is_none_or(Vec::is_empty), "{now}");
    }
    // Where two are meant, it is said whose the other address is.
    let bob = send(None, Some("+14155550202")).await["contactId"].clone();
    let both = send(Some("ada@example.com"), Some("+14155550202")).await;
    assert_eq!(both["contactId"], ada);
    let said = format!("phone is not written: contact {} has it", bob.as_str().unwrap());
    assert_eq!(both["problems"], json!([{"field": "phone", "message": said}]));
    assert_eq!(contacts(&app, &hook.key).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_any_characters_and_names_of_forms_are_mapped() {
    let app = TestApp::start().await;
    let hook = Hook::new(
        &app,
        json!({"contact": {
            "email": r#"{{payload["E-Mail: work"]}}"#, "firstName": "{{payload.customer.name}}", "tags": "{{payload.tags}}",
        }}),
    )
    .await;
    let form = [("E-Mail: work", "ada@example.com"), ("customer[name]", "Ada"), ("tags[]", "a"), ("tags[]", "b")];
    app.post(&hook.path).form(&form).send().await.expect(202);
    let made = contacts(&app, &hook.key).await;
    assert_eq!((&made[0]["email"], &made[0]["firstName"]), (&json!("ada@example.com"), &json!("Ada")));
    assert_eq!(made[0]["tags"], json!(["a", "b"]));
    let refused = hook.change(&json!({"contact": {"email": "{{payload.E-Mail: work}}"}})).await.expect(422);
    let said = refused["message"][0].as_str().unwrap();
    assert!(said.starts_with("contact.email ") && said.contains("{{payload[\"First name\"]}}"), "{said}");
    let list = hook.send(&json!({"E-Mail: work": ["a@example.com", "b@example.com"]})).await.expect(422);
    let said = list["errors"][0]["message"].as_str().unwrap();
    assert!(said.contains("is a list of 2") && said.contains(r#"{{payload["E-Mail: work"].0}}"#), "{said}");
    let empty = hook.change(&json!({"contact": {}})).await.expect(422);
    assert_eq!(empty["message"][0], "contact must have 1 to 100 fields");
    for change in [json!({"name": "  "}), json!({"clear": "workflowId"})] {
        assert_eq!(hook.change(&change).await.status, 422, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_field_that_is_deleted_is_told_with_each_payload() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let fields = format!("/locations/{}/customFields", app.ids.location);
    let field =
        app.post(&fields).key(&key).json(&json!({"name": "Level", "dataType": "TEXT"})).send().await.expect(201);
    let custom = format!("customFields.{}", field["customField"]["id"].as_str().unwrap());
    let hook =
        Hook::by(&app, key, json!({"contact": {"email": "{{payload.mail}}", &custom: "{{payload.level}}"}})).await;
    let field = custom.strip_prefix("customFields.").unwrap();
    app.delete(&format!("{fields}/{field}")).key(&hook.key).send().await.expect(200);
    hook.send(&json!({"mail": "ada@example.com", "level": "Gold"})).await.expect(202);
    let payload = hook.payloads().await.swap_remove(0);
    assert_eq!(
        (&payload["outcome"], &payload["problems"][0]["field"]),
        (&json!("created"), &json!(custom)),
        "{payload}"
    );
    assert!(payload["problems"][0]["message"].as_str().unwrap().contains("is not there any more"), "{payload}");
    // Its name may be changed; what is mapped anew must be there, all of it.
    hook.change(&json!({"name": "The shop"})).await.expect(200);
    let change = json!({"contact": {"email": "{{payload.email}}", &custom: "{{payload.level}}"}});
    let refused = hook.change(&change).await.expect(422);
    assert!(refused["message"][0].as_str().unwrap().starts_with(&format!("contact.{custom} ")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_of_a_payload_is_told_with_it() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let fields = format!("/locations/{}/customFields", app.ids.location);
    let field =
        app.post(&fields).key(&key).json(&json!({"name": "Since", "dataType": "DATE"})).send().await.expect(201);
    let since = format!("customFields.{}", field["customField"]["id"].as_str().unwrap());
    let mapping = json!({"contact": {
        "email": "{{payload.mail}}", "dateOfBirth": "{{payload.born}}", &since: "{{payload.since}}", "tags": "{{payload.tags}}",
    }});
    let hook = Hook::by(&app, key, mapping).await;
    let send = async |mail: &str, born: &str, since: &str| {
        let body = json!({"mail": mail, "born": born, "since": since, "tags": [1, true, null, {"a": 1}]});
        hook.send(&body).await.expect(202);
        hook.payloads().await.swap_remove(0)
    };
    let payload = send("ada@example.com", "02/03/1990", "04-05-2020").await;
    let told: Vec<&str> = payload["problems"].as_array().unwrap().iter().filter_map(|p| p["field"].as_str()).collect();
    assert_eq!(
        (&payload["outcome"], told),
        (&json!("created"), vec!["dateOfBirth", since.as_str(), "tags"]),
        "{payload}"
    );
    send("eve@example.com", "25/09/1990", "13.05.2020").await;
    let made = contacts(&app, &hook.key).await;
    let of = |mail: &str| made.iter().find(|contact| contact["email"] == mail).unwrap();
    assert!(of("ada@example.com")["dateOfBirth"].is_null(), "{made:?}");
    assert!(of("eve@example.com")["dateOfBirth"].as_str().unwrap().starts_with("1990-09-25"), "{made:?}");
    assert_eq!(of("ada@example.com")["tags"], json!(["1", "true"]));
    assert_eq!(of("ada@example.com")["customFields"], json!([]));
    assert!(of("eve@example.com")["customFields"][0]["value"].to_string().contains("2020-05-13"), "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_say_of_people_is_for_those_who_may_read_contacts() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, json!({})).await;
    hook.send(&order("ada@example.com")).await.expect(202);
    let scopes = ScopeSet::EMPTY.with(Scope::WebhooksRead).with(Scope::WebhooksWrite);
    let narrow = app.key_with(Reach::location(app.ids.location), scopes, |_| {}).await;
    let seen = app.get(&hook.at("/payloads")).key(&narrow).send().await.expect(200);
    assert!(seen["payloads"][0]["body"].is_null() && seen["payloads"][0]["outcome"] == "kept", "{seen}");
    let replay = hook.at(&format!("/payloads/{}/replay", seen["payloads"][0]["id"].as_str().unwrap()));
    let replayed = app.post(&replay).key(&narrow).json(&json!({})).send().await.expect(200);
    assert!(replayed["payload"]["body"].is_null(), "{replayed}");
    // What is wrong with a value repeats it.
    let tier = json!({"name": "Tier", "dataType": "SINGLE_OPTIONS", "options": ["Gold"]});
    let fields = format!("/locations/{}/customFields", app.ids.location);
    let tier = app.post(&fields).key(&hook.key).json(&tier).send().await.expect(201)["customField"]["id"].clone();
    let tier = format!("customFields.{}", tier.as_str().unwrap());
    let mapping = json!({"contact": {"email": "{{payload.mail}}", &tier: "{{payload.tier}}"}});
    let mapped = Hook::new(&app, mapping).await;
    mapped.send(&json!({"mail": "ada@example.com", "tier": "s3cret"})).await;
    let known = mapped.payloads().await[0].clone();
    assert!(known["problems"].to_string().contains("s3cret"), "{known}");
    let seen = app.get(&mapped.at("/payloads")).key(&narrow).send().await.expect(200)["payloads"][0].clone();
    assert_eq!((&seen["problems"], &seen["outcome"]), (&json!([]), &json!("refused")), "{seen}");
    let replay = mapped.at(&format!("/payloads/{}/replay", seen["id"].as_str().unwrap()));
    let replayed = app.post(&replay).key(&narrow).json(&json!({})).send().await;
    assert!(!replayed.text.contains("s3cret"), "{}", replayed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_go_with_their_contact_and_after_a_month() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, mapping()).await;
    hook.send_as("one", &order("ada@example.com")).await.expect(202);
    hook.send(&order("bob@example.com")).await.expect(202);
    let payloads = hook.payloads().await;
    let ada = payloads[1]["contactId"].as_str().unwrap();
    let dossier = app.get(&format!("/contacts/{ada}/everything")).key(&hook.key).send().await.expect(200);
    assert_eq!(dossier["inboundPayloads"][0]["body"], order("ada@example.com"), "{dossier}");
    app.post(&format!("/contacts/{ada}/erase")).key(&hook.key).json(&json!({})).send().await.expect(200);
    let left = hook.payloads().await;
    assert_eq!((left.len(), &left[0]["id"]), (1, &payloads[0]["id"]));
    app.let_days_pass(29.0).await;
    app.app.trim_inbound().await.unwrap();
    assert_eq!(hook.payloads().await.len(), 1);
    assert_eq!(app.number("SELECT count(*) FROM inbound_receipts").await, 0);
    app.let_days_pass(1.1).await;
    app.app.trim_inbound().await.unwrap();
    assert!(hook.payloads().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_at_an_address_shuts_nobody_out_who_shares_it() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app, json!({})).await;
    let guess = async |count: usize| {
        let mut last = 0;
        for _ in 0..count {
            last = app.post(&format!("{}x", hook.path)).json(&json!({})).send().await.status;
        }
        last
    };
    assert_eq!(guess(600).await, 404);
    for path in [format!("{}x", hook.path), format!("{}/x", hook.path), "/hooks/x/y".to_owned(), "/hooks".to_owned()] {
        assert_eq!(app.post(&path).json(&json!({})).send().await.status, 429, "{path}");
    }
    // Beyond that many they are looked up one at a time.
    assert_eq!(guess(30).await, 429);
    hook.send(&json!({"a": 1})).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_takes_as_much_in_as_a_key_may_ask_for() {
    let rate = RateLimits { interval: Some(3), daily: None };
    let app = TestApp::start_with(move |config| config.limits = Limits { rate, ..Limits::default() }).await;
    let hook = Hook::new(&app, json!({})).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(hook.send(&json!({})).await);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [202, 202, 202, 429, 429]);
    assert!(!answers[4].header("retry-after").is_empty());
    let wait = Duration::from_secs(answers[4].header("retry-after").parse().unwrap());
    assert!(wait <= Duration::from_secs(10), "{wait:?}");
}
