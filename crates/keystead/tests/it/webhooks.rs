//! Webhooks, taken by a real receiver.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, response::IntoResponse};
use http::{HeaderMap, StatusCode, header};
use keystead_core::{Allowed, Guard, OutboundClient};
use keystead_jobs::delivery_worker;
use keystead_model::{
    grant::Reach,
    job::JobKind,
    key_kind::KeyKind,
    scope::{Scope, ScopeSet},
};
use keystead_testkit::{TestApp, TestKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the guide shows.
#[expect(unreachable_pub, reason = "it stands for itself")]
#[path = "../../../keystead-web/guides/samples/webhook.rs"]
mod sample;
#[expect(unreachable_pub, reason = "it stands for itself")]
#[path = "../../../keystead-web/guides/samples/signing-key.rs"]
pub(crate) mod signing_key_sample;

/// What anybody may send in a header: no base64, too little of it, no ASCII, and no number that is a time.
const MALFORMED: [&str; 12] =
    ["", "A", "v1,", "v1,A", "v1,AAAA", "====", "é", "v1,é", "²", "99999999999999999999", "-1", "-9223372036854775808"];

/// What a receiver was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) status: u16,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("{name} in {:?}", self.headers)).to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether it was signed with this secret, as Standard Webhooks says. Its time is that of the test's clock.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let now = self.header("webhook-timestamp").parse().unwrap();
        let header = |name: &str| self.headers.get(name)?.to_str().ok();
        let is_signed = |body: &str, now| sample::is_from_keystead(header, body.as_bytes(), secret, now);
        assert!(!is_signed(&self.body, now + 301) && !is_signed(&format!("{} ", self.body), now));
        is_signed(&self.body, now)
    }
}

type Answering = Arc<dyn Fn(usize, &Sent) -> (u16, Duration) + Send + Sync>;

/// Takes what it is sent, and answers as it is told.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    sent: Arc<Mutex<Vec<Sent>>>,
    answering: Answering,
}

impl Receiver {
    async fn start() -> Self {
        Self::answering(|_, _| (200, Duration::ZERO)).await
    }

    /// One that answers the n-th message so, after so long.
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    pub(crate) async fn answering(answer: impl Fn(usize, &Sent) -> (u16, Duration) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, sent: Arc::default(), answering: Arc::new(answer) };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.sent.lock().unwrap().clear();
    }

    fn taken(&self) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| sent.status == 200).collect()
    }

    /// Waits until it has taken so many messages.
    pub(crate) async fn has_taken(&self, count: usize) -> Vec<Sent> {
        until(|| self.taken().len() >= count, || format!("{:#?}", self.sent())).await;
        self.taken()
    }

    /// Waits until it was tried so often.
    async fn was_tried(&self, count: usize) -> Vec<Sent> {
        until(|| self.sent().len() >= count, || format!("{:#?}", self.sent())).await;
        self.sent()
    }
}

async fn until(is_so: impl Fn() -> bool, else_say: impl Fn() -> String) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it did not come: {}", else_say());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let mut sent = Sent { headers, body: String::from_utf8(body.to_vec()).unwrap(), status: 0 };
    let number = receiver.sent.lock().unwrap().len();
    let (status, wait) = (receiver.answering)(number, &sent);
    sent.status = status;
    receiver.sent.lock().unwrap().push(sent);
    tokio::time::sleep(wait).await;
    let retry = (status == 503).then_some("600");
    let headers: HeaderMap = retry.into_iter().map(|wait| (header::RETRY_AFTER, wait.parse().unwrap())).collect();
    (StatusCode::from_u16(status).unwrap(), headers, "said")
}

/// An instance that may call this machine.
pub(crate) async fn instance() -> TestApp {
    TestApp::start_with(|config| config.limits.webhooks.allowed = allowed()).await
}

pub(crate) fn allowed() -> Allowed {
    Allowed::parse("127.0.0.1/32").unwrap()
}

/// An endpoint and its secret.
pub(crate) async fn endpoint(app: &TestApp, key: &TestKey, receiver: &Receiver, events: &[&str]) -> (String, String) {
    let made =
        app.post("/webhooks").key(key).json(&json!({"url": receiver.url, "events": events})).send().await.expect(201);
    (made["webhook"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

/// Waits until the server has noted that so many messages were taken.
async fn are_delivered(app: &TestApp, count: i64) {
    let begun = Instant::now();
    while app.number("SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered'").await < count {
        assert!(begun.elapsed() < Duration::from_secs(20), "{count} were not delivered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the server has noted how so many tries went: what follows from one is reckoned from then.
pub(crate) async fn are_noted(app: &TestApp, tries: i64) {
    let begun = Instant::now();
    while app.number("SELECT count(*) FROM webhook_attempts").await < tries {
        assert!(begun.elapsed() < Duration::from_secs(20), "{tries} tries were not noted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn contact(app: &TestApp, key: &TestKey, number: usize) -> String {
    let new = json!({"firstName": "Zoë", "email": format!("c{number}@example.com")});
    let made = app.post("/contacts/").key(key).json(&new).send().await.expect(201);
    made["contact"]["id"].as_str().unwrap().to_owned()
}

/// A server of its own that only sends, and what ends it.
async fn sender(app: &TestApp) -> tokio::sync::watch::Sender<bool> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let client = OutboundClient::of_this_machine(Guard::new(allowed())).unwrap();
    let worker = delivery_worker(&app.second_node().await, &client);
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(worker.run(stopped, Duration::from_secs(1)));
    stop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_in_the_contracts_shape_and_signed() {
    let (app, receiver) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    let new = json!({
        "url": receiver.url,
        "events": ["contact.*", "opportunity.*", "note.created", "tag.created", "contact.created"],
        "description": "Newsletter",
        "appId": "6650e1f0a1b2c3d4e5f60718",
        "headers": {"X-Token": "s3cret", "Authorization": "Bearer hunter2"},
    });
    let made = app.post("/webhooks").key(&key).json(&new).send().await.expect(201);
    let (id, secret) = (made["webhook"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let shown = app.get(&format!("/webhooks/{id}")).key(&key).send().await;
    for hidden in ["hunter2", "s3cret", secret] {
        assert!(!shown.text.contains(hidden), "{hidden} in {}", shown.text);
    }
    assert_eq!(shown.json()["webhook"]["headers"], json!(["authorization", "x-token"]));
    let new = json!({"firstName": "Zoë \u{1f600}", "email": "zoe@example.com", "tags": ["new one"], "dateOfBirth": "1990-09-25"});
    let contact = app.post("/contacts/").key(&key).json(&new).send().await.expect(201)["contact"]["id"].clone();
    let contact = contact.as_str().unwrap();
    let sent = receiver.has_taken(2).await;
    let at = app.ids.location.as_str();
    let of = |name: &str| {
        sent.iter().find(|sent| sent.json()["type"] == name).unwrap_or_else(|| panic!("{name}: {sent:#?}"))
    };
    let created = of("ContactCreate");
    let body = created.json();
    assert_eq!((&body["id"], &body["locationId"], &body["tags"]), (&json!(contact), &json!(at), &json!(["new one"])));
    assert_eq!(body["dateOfBirth"], "1990-09-25T00:00:00.000Z");
    assert_eq!((&body["webhookId"], &body["timestamp"]), (&json!(created.id()), &json!("2026-11-25T12:00:00.000Z")));
    assert!(created.body.ends_with(",\"appId\":\"6650e1f0a1b2c3d4e5f60718\"}"), "{}", created.body);
    assert_eq!(created.body, keystead_outbound::json::stringify(&body));
    assert!(created.id().starts_with("msg_") && created.header("content-type") == "application/json");
    assert_eq!((created.header("x-token"), created.header("authorization")), ("s3cret", "Bearer hunter2"));
    let ours = of("tag.created").json();
    assert_eq!(
        (&ours["companyId"], &ours["data"]["after"]["name"]),
        (&json!(app.ids.agency.as_str()), &json!("new one"))
    );
    let public = app.get("/webhooks/public-key").key(&key).send().await.expect(200)["publicKey"].clone();
    let public = public["base64"].as_str().unwrap();
    for sent in &sent {
        assert!(sent.is_signed_with(secret), "{sent:?}");
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            for value in std::iter::once(None).chain(MALFORMED.map(Some)) {
                let header = |known: &str| if known == name { value } else { Some(sent.header(known)) };
                let now = sent.header("webhook-timestamp").parse().unwrap();
                assert!(!sample::is_from_keystead(header, sent.body.as_bytes(), secret, now), "{name} {value:?}");
            }
        }
        for value in MALFORMED {
            assert!(!signing_key_sample::is_signed(value, sent.body.as_bytes(), public), "{value}");
        }
        let is_signed =
            |body: &str| signing_key_sample::is_signed(sent.header("x-ghl-signature"), body.as_bytes(), public);
        assert!(is_signed(&sent.body) && !is_signed(&format!("{} ", sent.body)), "{sent:?}");
    }
    assert_eq!((&body["sequence"], &ours["sequence"]), (&json!(1), &json!(2)), "the tag came with the contact");
    // One change may be several of the contract's events, each a message of its own.
    let change = json!({"dnd": true, "tags": ["new one", "other"]});
    app.put(&format!("/contacts/{contact}")).key(&key).json(&change).send().await.expect(200);
    let sent = receiver.has_taken(6).await;
    let changed: Vec<&Sent> = sent.iter().filter(|sent| sent.json()["dnd"] == true).collect();
    let names: HashSet<String> = changed.iter().map(|sent| sent.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["ContactUpdate", "ContactTagUpdate", "ContactDndUpdate"].map(str::to_owned).into());
    assert_eq!(changed.iter().map(|sent| sent.id()).collect::<HashSet<_>>().len(), 3);
    let numbers: HashSet<Value> = changed.iter().map(|sent| sent.json()["sequence"].clone()).collect();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
    let note = json!({"body": "a note with ks_location_x in it"});
    app.post(&format!("/contacts/{contact}/notes")).key(&key).json(&note).send().await.expect(201);
    app.delete(&format!("/contacts/{contact}")).key(&key).send().await.expect(200);
    let sent = receiver.has_taken(8).await;
    let last: HashSet<String> = sent[6..].iter().map(|sent| sent.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(last, ["NoteCreate", "ContactDelete"].map(str::to_owned).into());
    are_delivered(&app, 8).await;
    let deliveries = app.get(&format!("/webhooks/{id}/deliveries?limit=100")).key(&key).send().await.expect(200);
    let listed = deliveries["deliveries"].as_array().unwrap();
    assert!(listed.len() == 8 && listed.iter().all(|delivery| delivery["state"] == "delivered"), "{deliveries:#}");
    let one = format!("/webhooks/{id}/deliveries/{}", listed[0]["id"].as_str().unwrap());
    let one = app.get(&one).key(&key).send().await.expect(200)["delivery"].clone();
    assert_eq!((&one["attempts"][0]["status"], &one["attempts"][0]["answer"]), (&json!(200), &json!("said")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_comes_again_as_it_was_and_arrives_once() {
    let failed = Arc::new(Mutex::new(HashSet::new()));
    let failing = Arc::clone(&failed);
    // Three of ten, the first time.
    let answer = move |number: usize, sent: &Sent| {
        let is_first = failing.lock().unwrap().insert(sent.id().to_owned());
        (if is_first && number % 10 < 3 { 500 } else { 200 }, Duration::ZERO)
    };
    let (app, receiver) = (instance().await, Receiver::answering(answer).await);
    let key = app.location_key().await;
    let (_, secret) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    for number in 0..40 {
        contact(&app, &key, number).await;
    }
    receiver.was_tried(40).await;
    are_noted(&app, 40).await;
    assert!(receiver.taken().len() < 40, "some have failed");
    while receiver.taken().len() < 40 {
        app.clock.advance(Duration::from_secs(6));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut bodies: HashMap<String, String> = HashMap::new();
    let mut taken = HashSet::new();
    for sent in receiver.sent() {
        let body = bodies.entry(sent.id().to_owned()).or_insert_with(|| sent.body.clone());
        assert_eq!(*body, sent.body, "one id, one body");
        assert!(sent.is_signed_with(&secret));
        assert!(sent.status != 200 || taken.insert(sent.id().to_owned()), "{} was taken twice", sent.id());
    }
    assert_eq!(taken.len(), 40);
    let tries: Vec<Sent> = receiver.sent();
    let failed = tries.iter().find(|sent| sent.status == 500).unwrap();
    let again = tries.iter().rfind(|sent| sent.id() == failed.id()).unwrap();
    assert_ne!(failed.header("webhook-timestamp"), again.header("webhook-timestamp"), "signed anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_endpoint_holds_up_nobody() {
    let silent = Receiver::answering(|_, _| (200, Duration::from_secs(60))).await;
    let (app, receiver) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    endpoint(&app, &key, &silent, &["contact.created"]).await;
    endpoint(&app, &key, &receiver, &["contact.created"]).await;
    let begun = Instant::now();
    for number in 0..60 {
        contact(&app, &key, number).await;
    }
    receiver.has_taken(60).await;
    assert!(
        begun.elapsed() < Duration::from_secs(12),
        "before the silent one has answered once: {:?}",
        begun.elapsed()
    );
    assert!(silent.sent().len() <= 4, "and no more than its share is under way to it");
}

/// Many silent ones of one tenant have no more connections than they leave to all others.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_many_silent_endpoints_holds_up_no_other() {
    let silent = Receiver::answering(|_, _| (200, Duration::from_secs(60))).await;
    let (app, receiver) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    let other = app.location("Other").await;
    let other = app.key_with(Reach::location(other), ScopeSet::all(KeyKind::Location), |_| {}).await;
    // Each may have four under way, and all together more than there are places.
    for number in 0..40 {
        let url = format!("{}?{number}", silent.url);
        let new = json!({"url": url, "events": ["contact.created"]});
        app.post("/webhooks").key(&key).json(&new).send().await.expect(201);
    }
    endpoint(&app, &other, &receiver, &["contact.created"]).await;
    for number in 0..4 {
        contact(&app, &key, number).await;
    }
    silent.was_tried(40).await;
    // Time for as many more as it would take.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    contact(&app, &other, 9).await;
    receiver.has_taken(1).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "before a silent one has answered: {:?}", begun.elapsed());
}

/// What it was about goes on: a message tells what was so then, however late it comes.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_tells_what_was_so_at_first() {
    let receiver = Receiver::answering(|number, _| (if number == 0 { 500 } else { 200 }, Duration::ZERO)).await;
    let app = instance().await;
    let key = app.location_key().await;
    endpoint(&app, &key, &receiver, &["contact.created"]).await;
    let id = contact(&app, &key, 1).await;
    are_noted(&app, 1).await;
    app.put(&format!("/contacts/{id}")).key(&key).json(&json!({"firstName": "Later"})).send().await.expect(200);
    app.clock.advance(Duration::from_secs(6));
    let sent = receiver.has_taken(1).await;
    assert_eq!(sent[0].json()["firstName"], "Zoë");
    assert_eq!(receiver.sent()[0].body, sent[0].body);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_of_an_owner_says_what_is_not_theirs_to_say() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let make = async |name: &str, value: &str| {
        let new = json!({"url": "https://hooks.example.com/a", "events": ["*"], "headers": {name: value}});
        app.post("/webhooks").key(&key).json(&new).send().await
    };
    for name in [
        "Host",
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Expect",
        "Accept-Encoding",
        "User-Agent",
        "Content-Type",
        "content-length",
        "Content-Encoding",
        "Content-Disposition",
        "webhook-id",
        "Webhook-Signature",
        "WEBHOOK-TIMESTAMP",
        "webhook-anything",
        "X-GHL-Signature",
        "x-ghl-x",
        "X-WH-Signature",
        "Keystead-Chain",
        "X-A: b",
        "X-A\r\nX-B",
        "X-A\u{0}",
        "X A",
        "Ä",
        "",
    ] {
        assert_eq!(make(name, "x").await.status, 422, "{name:?}");
    }
    for value in ["a\r\nX-B: b", "a\nX-B: b", "a\rb", "a\u{0}b", "a\u{7f}", "a\tb", "ä", "\u{1f600}", "", " "] {
        assert_eq!(make("X-A", value).await.status, 422, "{value:?}");
    }
    make("X-A", "b; c=\"d\"").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_send_nothing_twice() {
    let (app, receiver) = (instance().await, Receiver::answering(|_, _| (200, Duration::from_millis(20))).await);
    let _others = (sender(&app).await, sender(&app).await);
    let key = app.location_key().await;
    endpoint(&app, &key, &receiver, &["contact.created"]).await;
    for number in 0..120 {
        contact(&app, &key, number).await;
    }
    let sent = receiver.has_taken(120).await;
    let ids: HashSet<&str> = sent.iter().map(Sent::id).collect();
    assert_eq!(ids.len(), sent.len());
    // Nothing is left that would come later.
    are_delivered(&app, 120).await;
    app.clock.advance(JobKind::Delivery.lease() * 2);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(receiver.sent().len(), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_took_and_never_sent_is_sent_by_another() {
    let (mut app, receiver) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    endpoint(&app, &key, &receiver, &["contact.created"]).await;
    let dies = app.second_node().await;
    let other = app.second_node().await;
    contact(&app, &key, 0).await;
    receiver.has_taken(1).await;
    // The server that would send ends with its own.
    let authority = keystead_testkit::authenticate(&other, &key).await.unwrap().authority();
    app.stop().await;
    let context = other.enter_location(authority, None).await.unwrap();
    let new = keystead_model::contact::ContactPatch {
        first_name: Some(Some(keystead_model::text::Line::parse("Ada").unwrap())),
        ..keystead_model::contact::ContactPatch::default()
    };
    other.create_contact(&context, new).await.unwrap();
    assert_eq!(dies.take_turn(JobKind::Delivery, &[], 5).await.unwrap().jobs.len(), 1);
    let _sender = sender(&app).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(receiver.sent().len(), 1, "it is the other's as long as its lease");
    app.clock.advance(JobKind::Delivery.lease() + Duration::from_secs(1));
    let sent = receiver.has_taken(2).await;
    assert_eq!(sent[1].json()["firstName"], "Ada");
}

/// A key with these scopes of the location.
pub(crate) async fn with(app: &TestApp, scopes: &[Scope]) -> TestKey {
    app.key_with(Reach::location(app.ids.location), scopes.iter().copied().collect(), |_| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_hears_what_its_maker_may_read_and_no_more() {
    let (app, deaf, hearing) = (instance().await, Receiver::start().await, Receiver::start().await);
    let key = app.location_key().await;
    let writes = with(&app, &[Scope::WebhooksWrite]).await;
    let reads = with(&app, &[Scope::WebhooksWrite, Scope::ContactsRead]).await;
    endpoint(&app, &writes, &deaf, &["*"]).await;
    let (id, _) = endpoint(&app, &reads, &hearing, &["*"]).await;
    contact(&app, &key, 1).await;
    assert_eq!(hearing.has_taken(1).await[0].json()["type"], "ContactCreate");
    app.post(&format!("/locations/{}/tags", app.ids.location))
        .key(&key)
        .json(&json!({"name": "x"}))
        .send()
        .await
        .expect(200);
    // What it may read less, it hears less.
    let narrower = json!({"scopes": ["webhooks.write", "locations/tags.readonly"]});
    app.patch(&format!("/api-keys/{}", reads.id)).key(&key).json(&narrower).send().await.expect(200);
    contact(&app, &key, 2).await;
    // And it never hears more than its maker held then.
    let tags = format!("/locations/{}/tags", app.ids.location);
    app.post(&tags).key(&key).json(&json!({"name": "y"})).send().await.expect(200);
    let wider = json!({"scopes": ["webhooks.write", "contacts.readonly"]});
    app.patch(&format!("/api-keys/{}", reads.id)).key(&key).json(&wider).send().await.expect(200);
    contact(&app, &key, 3).await;
    let sent = hearing.has_taken(2).await;
    assert_eq!(sent[1].json()["email"], "c3@example.com", "{sent:#?}");
    app.post(&format!("/api-keys/{}/deactivate", reads.id)).key(&key).send().await.expect(200);
    contact(&app, &key, 4).await;
    // Whoever takes it over, it hears what they may read.
    let change = async |key: &TestKey, change: Value| {
        app.patch(&format!("/webhooks/{id}")).key(key).json(&change).send().await.expect(200)["webhook"].clone()
    };
    let mine = change(&writes, json!({"url": hearing.url})).await;
    assert_eq!(mine["listensAs"]["id"], writes.id.to_string(), "whoever it listened as has ended");
    contact(&app, &key, 5).await;
    change(&key, json!({"takeOver": true})).await;
    contact(&app, &key, 6).await;
    let sent = hearing.has_taken(4).await;
    let emails: HashSet<Value> = sent[2..].iter().map(|sent| sent.json()["email"].clone()).collect();
    assert!(
        emails.contains(&json!("c6@example.com")) && sent.iter().all(|sent| sent.json()["email"] != "c5@example.com")
    );
    assert!(sent.iter().all(|sent| sent.json()["email"] != "c4@example.com"));
    assert!(deaf.sent().is_empty(), "{:#?}", deaf.sent());
    // A body tells what it tells: only those read it who may.
    let blind = with(&app, &[Scope::WebhooksRead]).await;
    let listed = app.get(&format!("/webhooks/{id}/deliveries")).key(&blind).send().await.expect(200);
    assert!(
        listed["deliveries"].as_array().unwrap().iter().all(|delivery| delivery["body"].is_null()
            || delivery["event"].as_str().unwrap().starts_with("webhook_endpoint")),
        "{listed:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_beside_the_old_one_for_a_while() {
    let (app, receiver) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    let (id, old) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    let rotate = format!("/webhooks/{id}/rotate-secret");
    let rotated = app.post(&rotate).key(&key).json(&json!({"overlap": "PT1H"})).send().await.expect(200);
    let new = rotated["secret"].as_str().unwrap().to_owned();
    contact(&app, &key, 1).await;
    let sent = receiver.has_taken(1).await;
    assert!(sent[0].is_signed_with(&old) && sent[0].is_signed_with(&new));
    assert_eq!(sent[0].header("webhook-signature").split(' ').count(), 2);
    // The old one was promised its hour: a third secret does not end it.
    let third = app.post(&rotate).key(&key).json(&json!({"overlap": "PT1H"})).send().await;
    assert!(third.status == 409 && third.text.contains("two signatures until"), "{}", third.text);
    app.clock.advance(Duration::from_secs(3600));
    contact(&app, &key, 2).await;
    let sent = receiver.has_taken(2).await;
    assert!(!sent[1].is_signed_with(&old) && sent[1].is_signed_with(&new));
    let rotated = app.post(&rotate).key(&key).json(&json!({"overlap": "PT0S"})).send().await.expect(200);
    contact(&app, &key, 3).await;
    let sent = receiver.has_taken(3).await;
    assert!(!sent[2].is_signed_with(&new) && sent[2].is_signed_with(rotated["secret"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_disabled_and_recovered_later() {
    let (gone, is_back) = (Arc::new(Mutex::new(410)), Duration::from_secs(3601));
    let status = Arc::clone(&gone);
    let receiver = Receiver::answering(move |_, _| (*status.lock().unwrap(), Duration::ZERO)).await;
    let app = instance().await;
    let key = app.location_key().await;
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    let path = format!("/webhooks/{id}");
    contact(&app, &key, 1).await;
    are_noted(&app, 1).await;
    app.clock.advance(is_back);
    receiver.was_tried(2).await;
    let shown = async || app.get(&path).key(&key).send().await.expect(200)["webhook"].clone();
    let begun = Instant::now();
    while shown().await["state"] != "disabled" {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(shown().await["disabledReason"], "gone");
    app.app.seal_audit().await.unwrap();
    let told = app.get("/events?kinds=webhook_endpoint.disabled").key(&key).send().await;
    assert!(told.text.contains("webhook_endpoint.disabled"), "{}", told.text);
    contact(&app, &key, 2).await;
    let recover = format!("{path}/recover");
    let since = json!({"since": "2026-11-25T00:00:00Z"});
    let refused = app.post(&recover).key(&key).json(&since).send().await;
    assert!(refused.status == 409 && refused.text.contains("enable"), "{}", refused.text);
    *gone.lock().unwrap() = 200;
    app.patch(&path).key(&key).json(&json!({"enabled": true})).send().await.expect(200);
    // What was on its way when it was disabled goes on at once.
    receiver.has_taken(1).await;
    are_noted(&app, 3).await;
    let recovered = app.post(&recover).key(&key).json(&since).send().await.expect(200);
    assert_eq!((&recovered["recovered"], &recovered["hasMore"]), (&json!(1), &json!(false)));
    let sent = receiver.has_taken(2).await;
    let emails: HashSet<Value> = sent.iter().map(|sent| sent.json()["email"].clone()).collect();
    assert_eq!(emails, [json!("c1@example.com"), json!("c2@example.com")].into());
    assert_eq!(shown().await["failures"], 0);
}

/// An endpoint that has failed so often that one try tells for all, until its receiver answers otherwise.
struct Failing {
    app: TestApp,
    key: TestKey,
    receiver: Receiver,
    status: Arc<Mutex<u16>>,
    id: String,
}

impl Failing {
    async fn five_times() -> Self {
        let status = Arc::new(Mutex::new(500));
        let answer = Arc::clone(&status);
        let receiver = Receiver::answering(move |_, _| (*answer.lock().unwrap(), Duration::ZERO)).await;
        let app = instance().await;
        let key = app.location_key().await;
        let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
        for number in 0..5 {
            contact(&app, &key, number).await;
        }
        are_noted(&app, 5).await;
        Self { app, key, receiver, status, id }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_failures_in_a_row_one_try_tells_for_all() {
    let Failing { app, key, receiver, status, id } = Failing::five_times().await;
    let shown = app.get(&format!("/webhooks/{id}")).key(&key).send().await.expect(200)["webhook"].clone();
    assert_eq!(shown["failures"], 5);
    // New ones wait with the others, past the first wait of each.
    for number in 5..9 {
        contact(&app, &key, number).await;
    }
    app.clock.advance(Duration::from_secs(50));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(receiver.sent().len(), 5);
    app.clock.advance(Duration::from_secs(12));
    are_noted(&app, 6).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(receiver.sent().len(), 6, "one try");
    *status.lock().unwrap() = 200;
    app.clock.advance(Duration::from_secs(125));
    receiver.has_taken(8).await;
    // The one that told for all waits for its own next try.
    app.clock.advance(Duration::from_secs(400));
    receiver.has_taken(9).await;
}

/// Whoever has mended a receiver wants to know whether it works again.
#[tokio::test(flavor = "multi_thread")]
async fn an_example_is_tried_at_once_while_others_wait() {
    let Failing { app, key, receiver, status, id } = Failing::five_times().await;
    *status.lock().unwrap() = 200;
    app.post(&format!("/webhooks/{id}/test"))
        .key(&key)
        .json(&json!({"event": "note.created"}))
        .send()
        .await
        .expect(201);
    let taken = receiver.has_taken(1).await;
    assert!(taken[0].id().starts_with("msg_test_"), "{taken:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_time_gets_it() {
    let receiver = Receiver::answering(|number, _| (if number == 0 { 503 } else { 200 }, Duration::ZERO)).await;
    let app = instance().await;
    let key = app.location_key().await;
    endpoint(&app, &key, &receiver, &["contact.created"]).await;
    contact(&app, &key, 1).await;
    are_noted(&app, 1).await;
    contact(&app, &key, 2).await;
    app.clock.advance(Duration::from_secs(500));
    contact(&app, &key, 3).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(receiver.sent().len(), 1, "ten minutes, give or take a tenth, whichever message it is");
    app.clock.advance(Duration::from_secs(170));
    receiver.has_taken(3).await;
}

/// A receiver that works again, is another one, or is switched on gets what waits, also where the one before asked for a day.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_when_it_can() {
    for way in ["an example", "another address", "switched off and on"] {
        let receiver = Receiver::answering(|number, _| (if number == 0 { 503 } else { 200 }, Duration::ZERO)).await;
        let app = instance().await;
        let key = app.location_key().await;
        let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
        contact(&app, &key, 1).await;
        are_noted(&app, 1).await;
        contact(&app, &key, 2).await;
        app.clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(receiver.sent().len(), 1);
        let change = async |change: Value| {
            app.patch(&format!("/webhooks/{id}")).key(&key).json(&change).send().await.expect(200);
        };
        match way {
            "an example" => {
                let event = json!({"event": "note.created"});
                app.post(&format!("/webhooks/{id}/test")).key(&key).json(&event).send().await.expect(201);
            }
            "another address" => change(json!({"url": format!("{}/new", receiver.url)})).await,
            _ => {
                change(json!({"enabled": false})).await;
                change(json!({"enabled": true})).await;
            }
        }
        let taken = receiver.has_taken(2 + usize::from(way == "an example")).await;
        assert_eq!(taken.iter().filter(|sent| sent.json()["type"] == "ContactCreate").count(), 2, "{way}");
    }
}

/// A receiver that was left speaks for itself alone.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_address_of_before_asks_for_holds_up_no_other() {
    let old = Receiver::answering(|_, _| (503, Duration::from_millis(900))).await;
    let (app, new) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    let (id, _) = endpoint(&app, &key, &old, &["contact.created"]).await;
    contact(&app, &key, 1).await;
    old.was_tried(1).await;
    app.clock.advance(Duration::from_secs(1));
    app.patch(&format!("/webhooks/{id}")).key(&key).json(&json!({"url": new.url})).send().await.expect(200);
    contact(&app, &key, 2).await;
    new.has_taken(1).await;
    are_noted(&app, 2).await;
    contact(&app, &key, 3).await;
    new.has_taken(2).await;
    let shown = app.get(&format!("/webhooks/{id}")).key(&key).send().await.expect(200)["webhook"].clone();
    assert!(shown["nextProbeAt"].is_null() && shown["failures"] == 0, "{shown}");
}

/// What was under way when a server ended may have arrived: the log says so.
#[tokio::test(flavor = "multi_thread")]
async fn tries_whose_server_ended_stand_in_the_log() {
    let mut app = instance().await;
    let receiver = Receiver::start().await;
    let key = app.location_key().await;
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    app.stop().await;
    let other = app.second_node().await;
    let authority = keystead_testkit::authenticate(&other, &key).await.unwrap().authority();
    let context = other.enter_location(authority.clone(), None).await.unwrap();
    let new = keystead_model::contact::ContactPatch {
        first_name: Some(Some(keystead_model::text::Line::parse("Ada").unwrap())),
        ..keystead_model::contact::ContactPatch::default()
    };
    other.create_contact(&context, new).await.unwrap();
    // One ends without a word, and one is stopped.
    let taken = async || other.take_turn(JobKind::Delivery, &[], 5).await.unwrap().jobs.remove(0);
    taken().await;
    app.clock.advance(JobKind::Delivery.lease() + Duration::from_secs(1));
    let stopped = Arc::new(other.interrupted(taken().await));
    assert_eq!(other.take_turn(JobKind::Delivery, &[stopped], 0).await.unwrap().too_late, 0);
    taken().await;
    app.clock.advance(JobKind::Delivery.lease() + Duration::from_secs(1));
    let _sender = sender(&app).await;
    receiver.has_taken(1).await;
    are_noted(&app, 3).await;
    let page = other
        .list_webhook_deliveries(
            &authority,
            keystead_model::id::Id::parse(&id).unwrap(),
            None,
            keystead_model::page::Window::all(),
        )
        .await
        .unwrap();
    let whole = other
        .get_webhook_delivery(&authority, keystead_model::id::Id::parse(&id).unwrap(), page.rows[0].delivery.id)
        .await
        .unwrap();
    let problems: Vec<(i64, String)> =
        whole.attempts.iter().map(|attempt| (attempt.number, attempt.problem.clone().unwrap_or_default())).collect();
    let [(1, stopped), (2, lost), (3, taken)] = &problems[..] else { panic!("{problems:?}") };
    assert!(stopped.contains("was stopped") && lost.contains("server ended") && taken.is_empty(), "{problems:?}");
    assert_eq!((whole.delivery.tries, whole.delivery.attempts), (1, 3), "it is no fault of the receiver's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_runs_out_fails_and_is_sent_again_on_request() {
    let receiver =
        Receiver::answering(|number, _| ([302, 304, 302].get(number).copied().unwrap_or(200), Duration::ZERO)).await;
    let app = TestApp::start_with(|config| {
        config.limits.webhooks.allowed = allowed();
        config.limits.webhooks.retries = vec![Duration::from_secs(1); 2];
    })
    .await;
    let key = app.location_key().await;
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.created"]).await;
    contact(&app, &key, 1).await;
    for tries in 1..=3 {
        are_noted(&app, tries).await;
        app.clock.advance(Duration::from_secs(2));
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(receiver.sent().len(), 3);
    let failed = app.get(&format!("/webhooks/{id}/deliveries?state=failed")).key(&key).send().await.expect(200);
    let delivery = failed["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/webhooks/{id}/deliveries/{delivery}");
    let shown = app.get(&path).key(&key).send().await.expect(200)["delivery"].clone();
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 3);
    let mut problems: Vec<&str> =
        shown["attempts"].as_array().unwrap().iter().map(|one| one["problem"].as_str().unwrap()).collect();
    problems.sort_unstable();
    assert!(problems[0].contains("leads elsewhere") && problems[1].contains("leads elsewhere"), "{problems:?}");
    assert_eq!(problems[2], "the answer was 304 Not Modified");
    app.post(&format!("{path}/resend")).key(&key).send().await.expect(200);
    let sent = receiver.has_taken(1).await;
    assert_eq!(sent[0].id(), shown["webhookId"], "with the same id");
    // An example has an id that tells what it is.
    app.post(&format!("/webhooks/{id}/test"))
        .key(&key)
        .json(&json!({"event": "opportunity.updated"}))
        .send()
        .await
        .expect(201);
    let sent = receiver.has_taken(2).await;
    assert!(sent[1].id().starts_with("msg_test_") && sent[1].json()["type"] == "OpportunityUpdate", "{:?}", sent[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_called_is_refused_and_the_same_endpoint_is_not_made_twice() {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    let url = "https://hooks.example.com/a";
    for bad in [
        json!({"events": ["*"]}),
        json!({"url": url}),
        json!({"url": url, "events": []}),
        json!({"url": url, "events": ["contact.imagined"]}),
        json!({"url": "http://hooks.example.com/", "events": ["*"]}),
        json!({"url": "https://127.0.0.1/", "events": ["*"]}),
        json!({"url": "https://[::1]/", "events": ["*"]}),
        json!({"url": "https://user:x@hooks.example.com/", "events": ["*"]}),
        json!({"url": "https://hooks.example.com:8443/", "events": ["*"]}),
        json!({"url": "https://localhost/", "events": ["*"]}),
        json!({"url": url, "events": ["*"], "headers": {"Host": "x"}}),
        json!({"url": url, "events": ["*"], "headers": {"Webhook-Id": "x"}}),
        json!({"url": url, "events": ["*"], "headers": {"X-A": 7}}),
        json!({"url": url, "events": ["*"], "headers": ["X-A"]}),
        json!({"url": url, "events": ["*"], "headers": {"X-A": "a\r\nX-B: b"}}),
        json!({"url": url, "events": ["*"], "secret": "whsec_mine"}),
    ] {
        assert_eq!(app.post("/webhooks").key(&key).json(&bad).send().await.status, 422, "{bad}");
    }
    let listed = async || app.get("/webhooks").key(&key).send().await.expect(200)["webhooks"].as_array().unwrap().len();
    assert_eq!(listed().await, 0);
    let new = json!({"url": url, "events": ["note.*", "contact.created"]});
    let made = app.post("/webhooks").key(&key).json(&new).send().await.expect(201);
    let again = json!({"url": url, "events": ["contact.created", "note.*"]});
    let found = app.post("/webhooks").key(&key).json(&again).send().await.expect(200);
    assert_eq!(found["webhook"]["id"], made["webhook"]["id"]);
    assert!(made["secret"].is_string() && found["secret"].is_null());
    assert_eq!(listed().await, 1);
    // The agency's own is another one, and no location key sees it.
    let agency = app.agency_key().await;
    let own = app.post("/webhooks").key(&agency).json(&again).send().await.expect(201)["webhook"].clone();
    assert!(own["locationId"].is_null());
    assert_eq!(listed().await, 1);
    let path = format!("/webhooks/{}", own["id"].as_str().unwrap());
    assert_eq!(app.get(&path).key(&key).send().await.status, 404);
    let sibling = app.location("Sibling").await;
    let theirs = app.key_with(Reach::location(sibling), ScopeSet::all(KeyKind::Location), |_| {}).await;
    let path = format!("/webhooks/{}", made["webhook"]["id"].as_str().unwrap());
    assert_eq!(app.get(&path).key(&theirs).send().await.status, 404);
    let there = json!({"url": url, "events": ["*"], "locationId": app.ids.location});
    assert_eq!(app.post("/webhooks").key(&theirs).json(&there).send().await.status, 403);
    app.delete(&path).key(&key).send().await.expect(200);
    assert_eq!(app.get(&path).key(&key).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_contact_goes_with_them_and_old_messages_go() {
    let (app, receiver) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    endpoint(&app, &key, &receiver, &["contact.*", "note.*"]).await;
    let (erased, kept) = (contact(&app, &key, 1).await, contact(&app, &key, 2).await);
    for contact in [&erased, &kept] {
        app.post(&format!("/contacts/{contact}/notes")).key(&key).json(&json!({"body": "x"})).send().await.expect(201);
    }
    are_delivered(&app, 4).await;
    let count = async |table: &str| app.number(&format!("SELECT count(*) FROM {table}")).await;
    assert_eq!(count("webhook_messages").await, 4);
    let operator = app.operator().await;
    let context = app.app.enter_location(operator.authority().clone(), Some(app.ids.location)).await.unwrap();
    app.app.erase_contact(&context, keystead_model::ContactId::parse(&erased).unwrap()).await.unwrap();
    let told = app.number(&format!("SELECT count(*) FROM webhook_messages WHERE contact_id = '{erased}'")).await;
    assert_eq!(told, 0);
    assert_eq!(app.number(&format!("SELECT count(*) FROM webhook_messages WHERE contact_id = '{kept}'")).await, 2);
    app.clock.advance(Duration::from_secs(31 * 24 * 60 * 60));
    while app.app.trim_webhooks().await.unwrap() > 0 {}
    for table in ["webhook_messages", "webhook_deliveries", "webhook_attempts"] {
        assert_eq!(count(table).await, 0, "{table}");
    }
}

/// Whether a body has nothing but what the contract publishes for its type, each of the published kind, and what every body has.
fn conforms(published: &Value, body: &Value) -> Result<(), String> {
    let name = body["type"].as_str().unwrap();
    let fields = published[name].as_object().ok_or_else(|| format!("{name} is not published"))?;
    for (field, value) in body.as_object().unwrap() {
        let is_ours = match field.as_str() {
            "timestamp" | "webhookId" => value.is_string(),
            "sequence" => value.is_i64(),
            _ => false,
        };
        if is_ours {
            continue;
        }
        let kind = match value {
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::Null => "null",
        };
        if fields.get(field).and_then(Value::as_str) != Some(kind) {
            return Err(format!("{field} of {name} is a {kind}, published is {:?}", fields.get(field)));
        }
    }
    Ok(())
}

/// Every event of the contract that there is here, as the agency hears it of all its locations.
#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_the_contract_has_its_body() {
    let published: Value = serde_json::from_str(include_str!("../../../../contract/webhooks.json")).unwrap();
    let (app, receiver) = (instance().await, Receiver::start().await);
    let key = app.key_with(Reach::Agency, ScopeSet::all(KeyKind::Agency), |_| {}).await;
    endpoint(&app, &key, &receiver, &["*"]).await;
    let at = format!("locationId={}", app.ids.location);
    let call = async |method: &str, path: String, body: Value| {
        let sign = if path.contains('?') { '&' } else { '?' };
        let call = app.call(method.parse().unwrap(), &format!("{path}{sign}{at}")).key(&key);
        let answer = if body.is_null() { call.send().await } else { call.json(&body).send().await };
        assert!(answer.is_ok(), "{method} {path}: {}", answer.text);
        answer.json()
    };
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let user = id(&call(
        "POST",
        "/users/".into(),
        json!({
            "companyId": app.ids.agency, "firstName": "Grace", "lastName": "Hopper", "email": "grace@example.com",
            "password": "correct horse battery", "type": "account", "role": "user", "locationIds": [app.ids.location],
            "permissions": {"campaignsEnabled": true}, "scopes": ["contacts.readonly"],
        }),
    )
    .await);
    let contact = id(&call("POST", "/contacts/".into(), json!({
        "locationId": app.ids.location, "name": "Ada Lovelace", "email": "ada@example.com", "phone": "+14155550123",
        "address1": "1 Way", "city": "London", "country": "GB", "dateOfBirth": "1990-09-25", "source": "web", "tags": ["vip"],
        "website": "https://example.com", "companyName": "Engines", "postalCode": "N1", "state": "x", "assignedTo": user,
    })).await["contact"]);
    let of = |rest: &str| format!("/contacts/{contact}{rest}");
    let silence =
        json!({"dnd": true, "tags": ["a"], "dndSettings": {"SMS": {"status": "active", "message": "no", "code": "1"}}});
    call("PUT", of(""), silence).await;
    let note = id(&call("POST", of("/notes"), json!({"body": "x"})).await["note"]);
    call("PUT", of(&format!("/notes/{note}")), json!({"body": "y"})).await;
    call("DELETE", of(&format!("/notes/{note}")), Value::Null).await;
    let task = json!({"title": "x", "body": "more", "dueDate": "2026-12-01T10:00:00Z", "completed": false, "assignedTo": user});
    let task = id(&call("POST", of("/tasks"), task).await["task"]);
    call("PUT", of(&format!("/tasks/{task}/completed")), json!({"completed": true})).await;
    call("DELETE", of(&format!("/tasks/{task}")), Value::Null).await;
    let pipeline = call("GET", "/opportunities/pipelines".into(), Value::Null).await["pipelines"][0].clone();
    let new = json!({
        "pipelineId": pipeline["id"], "locationId": app.ids.location, "name": "Kitchen", "status": "open", "contactId": contact,
        "pipelineStageId": pipeline["stages"][0]["id"],
    });
    let opportunity = id(&call("POST", "/opportunities/".into(), new).await["opportunity"]);
    let change = json!({"status": "won", "monetaryValue": 12500.5, "assignedTo": user, "pipelineStageId": pipeline["stages"][1]["id"]});
    call("PUT", format!("/opportunities/{opportunity}"), change).await;
    call("DELETE", format!("/opportunities/{opportunity}"), Value::Null).await;
    call("DELETE", of(""), Value::Null).await;
    call("PUT", format!("/users/{user}"), json!({"lastName": "Murray"})).await;
    call("DELETE", format!("/users/{user}"), Value::Null).await;
    let location = call(
        "POST",
        "/locations/".into(),
        json!({"name": "New", "companyId": app.ids.agency, "email": "a@example.com"}),
    )
    .await;
    let change = json!({"name": "Newer", "companyId": app.ids.agency});
    app.put(&format!("/locations/{}", id(&location))).key(&key).json(&change).send().await.expect(200);
    let expected: HashSet<&str> = published.as_object().unwrap().keys().map(String::as_str).collect();
    let seen = || -> HashSet<String> {
        receiver.taken().iter().map(|sent| sent.json()["type"].as_str().unwrap().to_owned()).collect()
    };
    until(
        || expected.iter().all(|name| seen().contains(*name)),
        || format!("{:?}", expected.iter().filter(|name| !seen().contains(**name)).collect::<Vec<_>>()),
    )
    .await;
    for body in receiver.taken().iter().map(Sent::json) {
        let name = body["type"].as_str().unwrap();
        // All others are ours.
        if name.contains('.') {
            assert_eq!(body["companyId"], json!(app.ids.agency), "{body}");
        } else {
            conforms(&published, &body).unwrap_or_else(|problem| panic!("{problem}: {body}"));
        }
    }
}

/// A program that changes a contact whenever it hears that one was changed, and says what it heard.
#[tokio::test(flavor = "multi_thread")]
async fn programs_that_answer_each_other_come_to_an_end() {
    let (app, receiver) = (instance().await, Receiver::start().await);
    let key = app.location_key().await;
    let (id, _) = endpoint(&app, &key, &receiver, &["contact.updated"]).await;
    let ada = contact(&app, &key, 1).await;
    let update = async |chain: Option<&str>, city: &str| {
        let call = app.put(&format!("/contacts/{ada}")).key(&key).json(&json!({"city": city}));
        let call = match chain {
            Some(chain) => call.header("Keystead-Chain", chain),
            None => call,
        };
        call.send().await.expect(200);
    };
    update(None, "0").await;
    for number in 1..=16 {
        let heard = receiver.has_taken(number).await;
        let chain = heard[number - 1].header("keystead-chain").to_owned();
        assert!(chain.split('.').nth(1) == Some(number.to_string().as_str()), "{chain}");
        update(Some(&chain), &number.to_string()).await;
    }
    are_delivered(&app, 16).await;
    let failed = app.get(&format!("/webhooks/{id}/deliveries?state=failed")).key(&key).send().await.expect(200);
    let delivery = failed["deliveries"][0]["id"].as_str().unwrap();
    let shown = app.get(&format!("/webhooks/{id}/deliveries/{delivery}")).key(&key).send().await;
    assert!(shown.text.contains("16 messages led to this one"), "{}", shown.text);
    // The events say with what it began.
    let told = app.get("/events?kinds=contact.updated&limit=100").key(&key).send().await.expect(200);
    let depths: Vec<i64> =
        told["events"].as_array().unwrap().iter().map(|event| event["cause"]["depth"].as_i64().unwrap()).collect();
    assert_eq!(depths, (0..=16).collect::<Vec<i64>>());
    // What somebody else wrote begins anew: a changed number, one of another agency, nonsense.
    let heard = receiver.taken()[15].header("keystead-chain").to_owned();
    for forged in [heard.replacen(".16.", ".1.", 1), format!("{heard}A"), "x".to_owned(), String::new()] {
        let before = receiver.taken().len();
        update(Some(&forged), &format!("{before} anew")).await;
        assert_eq!(receiver.has_taken(before + 1).await[before].header("keystead-chain").split('.').nth(1), Some("1"));
    }
}
