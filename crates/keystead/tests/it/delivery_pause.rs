//! A database that was restored or copied sends nothing to webhooks before somebody lets it go on.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use http::Method;
use keystead_core::{App, OutboundClient, Overdue, queue::Turn};
use keystead_jobs::delivery_worker;
use keystead_model::job::JobKind;
use keystead_store::{
    Database,
    copy::{Clocks, copy},
};
use keystead_testkit::{TestApp, TestDatabase};
use serde_json::{Value, json};

use crate::{
    instance::Running,
    revocations::{Key, World, parsed},
    webhooks::{Receiver, allowed, contact, endpoint},
};

/// A receiver that answers as `status` says.
async fn receiver(status: &Arc<AtomicU16>) -> Receiver {
    let status = Arc::clone(status);
    Receiver::answering(move |_, _| (status.load(Ordering::Relaxed), Duration::ZERO)).await
}

/// What a receiver was told of contacts, by their addresses.
fn told(receiver: &Receiver) -> Vec<Value> {
    receiver.sent().iter().map(|sent| sent.json()["email"].clone()).collect()
}

impl World {
    fn serve_with_webhooks(&self) -> Running {
        self.serve_with(&["--webhook-allow", "127.0.0.1/32", "--webhook-retries", "1s,1s,1s,1s,1s"])
    }

    async fn answered(&self, server: &Running, method: Method, path: &str, key: &Key, body: Value) -> Value {
        let (status, answer) = self.call(server, method, path, key, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    async fn meet(&self, server: &Running, key: &Key, email: &str) {
        self.answered(server, Method::POST, "/contacts/", key, json!({"email": email})).await;
    }

    fn warnings(&self) -> String {
        parsed(&self.run(&["doctor", "--json"]))["warnings"].to_string()
    }
}

async fn until(is_so: impl AsyncFn() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_sends_nothing_again_until_somebody_says_what_becomes_of_it() {
    let status = Arc::new(AtomicU16::new(500));
    let receiver = receiver(&status).await;
    let mut world = World::new("paused");
    let key = world.key("maker");
    let server = world.serve_with_webhooks();
    let new = json!({"url": receiver.url, "events": ["contact.created"]});
    let made = world.answered(&server, Method::POST, "/webhooks", &key, new).await;
    let path = format!("/webhooks/{}", made["webhook"]["id"].as_str().unwrap());
    world.meet(&server, &key, "before@example.com").await;
    until(async || !told(&receiver).is_empty(), "it is tried").await;
    let backup = world.backup("paused.db");
    // After the backup it is taken.
    status.store(200, Ordering::Relaxed);
    let taken = format!("{path}/deliveries?state=delivered");
    let count = async |server: &Running, path: &str| {
        let listed = world.answered(server, Method::GET, path, &key, Value::Null).await;
        listed["deliveries"].as_array().unwrap().len()
    };
    until(async || count(&server, &taken).await == 1, "it is taken").await;
    assert!(!world.warnings().contains("webhooks"));
    drop(server);
    let before = told(&receiver).len();

    let output = world.restore(&backup, &[]);
    assert_eq!(parsed(&output)["deliveriesPaused"], true);
    let server = world.serve_with_webhooks();
    world.meet(&server, &key, "after@example.com").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(told(&receiver).len(), before, "neither what was sent before nor what is new");
    let warnings = world.warnings();
    assert!(warnings.contains("Nothing is sent to webhooks") && warnings.contains("2 messages wait"), "{warnings}");
    assert!(world.run(&["deliveries", "resume"]).status.code() == Some(2), "it asks what becomes of what waits");
    let resumed = world.run(&["deliveries", "resume", "--overdue", "skip"]);
    assert!(String::from_utf8_lossy(&resumed.stdout).contains("1 that were overdue are held"), "{resumed:?}");
    let count = async |server: &Running, path: &str| {
        let listed = world.answered(server, Method::GET, path, &key, Value::Null).await;
        listed["deliveries"].as_array().unwrap().len()
    };
    until(async || count(&server, &taken).await == 1, "what is new is sent").await;
    assert_eq!(told(&receiver)[before..], [json!("after@example.com")]);
    assert_eq!(count(&server, &format!("{path}/deliveries?state=held")).await, 1);
    assert!(!world.warnings().contains("webhooks"));
    // What was skipped is not lost.
    let since = json!({"since": "2000-01-01"});
    let recovered = world.answered(&server, Method::POST, &format!("{path}/recover"), &key, since).await;
    assert_eq!(recovered["recovered"], 1);
    until(async || count(&server, &taken).await == 2, "it is sent on request").await;
}

/// The file of yesterday is copied over that of today.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_set_back_by_hand_sends_nothing_either() {
    if TestDatabase::is_postgres() {
        return;
    }
    let receiver = receiver(&Arc::new(AtomicU16::new(200))).await;
    let world = World::new("paused-by-hand");
    let (key, other) = (world.key("maker"), world.key("other"));
    let server = world.serve_with_webhooks();
    let new = json!({"url": receiver.url, "events": ["contact.created"]});
    world.answered(&server, Method::POST, "/webhooks", &key, new).await;
    drop(server);
    let database = world.instance.data().join("keystead.db");
    let yesterday = world.file("yesterday.db");
    world.json(&[
        "db",
        "copy",
        "--from",
        &format!("sqlite:{}", database.display()),
        "--to",
        &format!("sqlite:{yesterday}"),
        "--json",
    ]);
    assert!(world.run(&["keys", "deactivate", &other.id]).status.success());
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{ending}", database.display()));
    }
    assert!(!world.warnings().contains("webhooks"));
    fs::copy(&yesterday, &database).unwrap();
    let server = world.serve_with_webhooks();
    world.meet(&server, &key, "after@example.com").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(told(&receiver).is_empty());
    assert!(world.warnings().contains("Nothing is sent to webhooks"));
    assert!(world.run(&["deliveries", "resume", "--overdue", "send"]).status.success());
    until(async || told(&receiver) == [json!("after@example.com")], "it goes on").await;
}

async fn copied(from: &Database, to: &Database) {
    let (from, to) = (from.clone(), to.clone());
    let clocks = Clocks::Restart { incarnation: "another".to_owned() };
    let now = keystead_model::UtcMs(0);
    let work = move || copy(&from, &to, &clocks, now, |_, _| {}).map(drop).map_err(|error| error.to_string());
    tokio::task::spawn_blocking(|| std::thread::spawn(work).join().unwrap()).await.unwrap().unwrap();
}

async fn turn(node: &App) -> Turn {
    node.take_turn(JobKind::Delivery, &[], 10).await.unwrap()
}

/// Also what was written while it was copied: the clock of whoever copies is behind here.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_sends_nothing_beside_its_original_and_all_of_it_where_that_is_wanted() {
    let status = Arc::new(AtomicU16::new(500));
    let receiver = receiver(&status).await;
    let app = TestApp::start_with(|config| config.limits.webhooks.allowed = allowed()).await;
    let key = app.location_key().await;
    endpoint(&app, &key, &receiver, &["contact.created"]).await;
    contact(&app, &key, 1).await;
    crate::webhooks::are_noted(&app, 1).await;
    let (place, other) = (TestDatabase::create(), TestDatabase::create());
    for place in [&place, &other] {
        copied(&app.database.database, &place.database).await;
    }
    let node = app.node_on(&place.database).await;
    app.clock.advance(Duration::from_secs(60));
    assert!(turn(&node).await.jobs.is_empty());
    let operator = node.operator_in(app.ids.agency).await.unwrap();
    let pause = node.system_status().await.unwrap().deliveries_paused.unwrap();
    assert_eq!(pause.waiting, 1);
    assert!(node.resume_deliveries(operator.authority(), Overdue::Send).await.unwrap() == Some(0));
    assert!(node.resume_deliveries(operator.authority(), Overdue::Send).await.unwrap().is_none());
    status.store(200, Ordering::Relaxed);
    let before = receiver.sent().len();
    let client = OutboundClient::of_this_machine(keystead_core::Guard::new(allowed())).unwrap();
    delivery_worker(&node, &client).drain().await.unwrap();
    assert!(receiver.sent().len() > before);

    // Skipped, nothing of it is left to take.
    let node = app.node_on(&other.database).await;
    let operator = node.operator_in(app.ids.agency).await.unwrap();
    assert_eq!(node.system_status().await.unwrap().deliveries_paused.unwrap().waiting, 1);
    assert_eq!(node.resume_deliveries(operator.authority(), Overdue::Skip).await.unwrap(), Some(1));
    assert!(turn(&node).await.jobs.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_pauses_deliveries_and_lets_them_go_on() {
    let receiver = receiver(&Arc::new(AtomicU16::new(200))).await;
    let app = TestApp::start_with(|config| config.limits.webhooks.allowed = allowed()).await;
    let (key, operator) = (app.location_key().await, app.operator().await);
    endpoint(&app, &key, &receiver, &["contact.created"]).await;
    assert!(app.app.pause_deliveries(operator.authority()).await.unwrap());
    assert!(!app.app.pause_deliveries(operator.authority()).await.unwrap());
    app.clock.advance(Duration::from_secs(1));
    contact(&app, &key, 1).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(receiver.sent().is_empty());
    // It came after the pause began, so nobody else has sent it.
    assert_eq!(app.app.resume_deliveries(operator.authority(), Overdue::Skip).await.unwrap(), Some(0));
    receiver.has_taken(1).await;
}
