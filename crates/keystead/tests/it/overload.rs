//! More than the database can do: some is refused at once with when to come back, and nobody else notices.

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use keystead_core::NewAgency;
use keystead_http::Places;
use keystead_model::{
    agency::TenantName, api_key::NewKey, grant::Reach, key_kind::KeyKind, location::LocationProfile, scope::ScopeSet,
};
use keystead_testkit::{TestApp, TestDatabase, TestKey};
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};

/// A table that nobody can write to; on SQLite the whole database.
struct Blocked {
    end: Option<mpsc::Sender<()>>,
    holder: Option<JoinHandle<()>>,
}

impl Blocked {
    #[expect(clippy::disallowed_methods, reason = "it is joined in the end")]
    async fn begin(app: &TestApp, lock: &'static str) -> Self {
        let store = app.second_store();
        let ((end, ended), (begin, begun)) = (mpsc::channel(), mpsc::channel());
        let ended = Mutex::new(ended);
        let holder = tokio::spawn(async move {
            let held = store.write_serial(move |tx| {
                if TestDatabase::is_postgres() {
                    tx.execute(lock, &[])?;
                }
                let _ = begin.send(());
                let _ = ended.lock().unwrap().recv();
                Ok::<_, keystead_store::Error>(())
            });
            // PostgreSQL may have ended a transaction that does nothing.
            drop(held.await);
        });
        tokio::task::spawn_blocking(move || begun.recv()).await.unwrap().unwrap();
        Self { end: Some(end), holder: Some(holder) }
    }

    async fn end(mut self) {
        drop(self.end.take());
        self.holder.take().unwrap().await.unwrap();
    }
}

/// A key of another agency, and a contact that it has.
async fn neighbour(app: &TestApp) -> TestKey {
    let name = TenantName::parse("Other").unwrap();
    let agency = app.app.create_agency(NewAgency { name: name.clone() }).await.unwrap();
    let operator = app.app.operator_in(agency.id).await.unwrap();
    let location = app.app.create_location(&operator, LocationProfile::named(name)).await.unwrap();
    let scopes = ScopeSet::all(KeyKind::Location);
    let change = |new: &mut NewKey| new.grant.agency = agency.id;
    let key = app.key_by(operator.authority(), Reach::location(location.id), scopes, change).await;
    app.post("/contacts/").key(&key).json(&json!({"name": "Ada"})).send().await.expect(201);
    key
}

const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn too_much_of_one_agency_is_refused_and_nobody_else_notices() {
    let app = TestApp::start_with(|config| config.requests_at_once = Some(AT_ONCE)).await;
    let (key, other) = (app.location_key().await, neighbour(&app).await);
    // Used before, so that no request waits for its first use to be stored.
    app.get("/contacts/").key(&key).send().await.expect(200);
    let blocked = Blocked::begin(&app, "LOCK TABLE contacts IN SHARE ROW EXCLUSIVE MODE").await;
    let places = Places::of(AT_ONCE);
    let mut crowd = JoinSet::new();
    for number in 0..40 {
        let call = app.post("/contacts/").key(&key).json(&json!({"email": format!("a{number}@example.com")}));
        crowd.spawn(call.send());
    }
    let mut refused = 0;
    while refused < 40 - places.of_one {
        let answer = crowd.join_next().await.unwrap().unwrap();
        assert_eq!(answer.expect(503)["code"], "overloaded");
        assert_eq!(answer.header("retry-after"), "2");
        refused += 1;
        // Another agency, pages and probes, while all of this waits.
        if refused % 10 == 1 {
            assert_eq!(app.get("/contacts/").key(&other).send().await.expect(200)["meta"]["total"], 1);
            for page in ["/healthz", "/readyz", "/app/sign-in", "/docs"] {
                assert_eq!(app.get(page).send().await.status, 200, "{page}");
            }
        }
    }
    blocked.end().await;
    let answers = crowd.join_all().await;
    assert_eq!(answers.len(), places.of_one, "so many were worked on, and no more");
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    // PostgreSQL gives up waiting for a lock after two seconds.
    assert!(made == places.of_one || TestDatabase::is_postgres());
    let total = &app.get("/contacts/").key(&key).send().await.expect(200)["meta"]["total"];
    assert_eq!(*total, made, "what was refused was not done");
    app.post("/contacts/").key(&key).json(&json!({"name": "Afterwards"})).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_server_is_ready_is_told_while_keys_cannot_be_looked_up() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let mut keys = Vec::new();
    // More than there are ever connections for look-ups.
    for _ in 0..12 {
        keys.push(app.location_key().await);
    }
    let blocked = Blocked::begin(&app, "LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE").await;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut waiting = JoinSet::new();
    for key in &keys {
        let (call, answered) = (app.get("/api-keys/self").key(key), Arc::clone(&answered));
        waiting.spawn(async move {
            call.send().await;
            answered.fetch_add(1, Ordering::Relaxed);
        });
    }
    // So that they are under way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = app.get("/readyz").send().await.status;
    assert_eq!(answered.load(Ordering::Relaxed), 0, "they wait while the probe is answered");
    blocked.end().await;
    waiting.join_all().await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_look_ups_get_more_connections() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let app = TestApp::start().await;
    let store = app.second_store();
    let all = Arc::new(Barrier::new(8));
    let mut look_ups = JoinSet::new();
    for _ in 0..8 {
        let (store, all) = (store.clone(), Arc::clone(&all));
        look_ups.spawn(async move {
            let meet = move |_: &mut keystead_store::Tx<'_>| Ok::<_, keystead_store::Error>(all.wait().is_leader());
            store.look_up(meet).await.unwrap()
        });
    }
    // Each waits for all others, so this ends only if all of them run at once.
    let met = tokio::time::timeout(Duration::from_secs(30), look_ups.join_all()).await.expect("all at once");
    assert_eq!(met.into_iter().filter(|is_leader| *is_leader).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_a_newer_release_has_overtaken_is_not_ready() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/readyz").send().await.text, "ready\n");
    app.sql("INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, 'future', 0)").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let answer = app.get("/readyz").send().await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("newer release"), "{}", answer.text);
    // What comes all the same is served.
    assert_eq!(app.get("/contacts/").key(&app.location_key().await).send().await.status, 200);
}
