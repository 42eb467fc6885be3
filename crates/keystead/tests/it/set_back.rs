//! A database that was set back loses no revocation, whoever changes it first.

use std::{fs, path::Path, time::Duration};

use keystead_core::{App, Clock, Entropy, InstanceSecret, Journal, Limits};
use keystead_model::{
    api_key::{KeyAbout, KeyName, NewKey},
    grant::{Grant, Reach},
    ip_range::IpRanges,
    key_kind::KeyKind,
    scope::Preset,
};
use keystead_testkit::{TestApp, TestKey, authenticate};
use reqwest::Method;
use serde_json::{Value, json};

use crate::revocations::{Key, World, parsed};

/// Yesterday's database, under a name of its own.
fn keep_yesterday(world: &World) {
    match &world.database {
        Some(database) => database.on_server("CREATE DATABASE {}_yesterday TEMPLATE {}"),
        None => drop(fs::copy(world.instance.data().join("keystead.db"), world.file("yesterday.db")).unwrap()),
    }
}

/// Yesterday's database takes the place of today's, by hand, as a recovery by other means does.
fn set_back(world: &World) {
    match &world.database {
        Some(database) => {
            database.on_server("DROP DATABASE {} WITH (FORCE)");
            database.on_server("CREATE DATABASE {} TEMPLATE {}_yesterday");
        }
        None => {
            let database = world.instance.data().join("keystead.db");
            for ending in ["-wal", "-shm"] {
                let _ = fs::remove_file(format!("{}{ending}", database.display()));
            }
            fs::copy(world.file("yesterday.db"), &database).unwrap();
        }
    }
}

/// What the journal told before it named the changes themselves.
fn without_marks(journal: &Path) {
    let lines = fs::read_to_string(journal).unwrap();
    let lines = lines.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("mark");
        format!("{line}\n")
    });
    fs::write(journal, lines.collect::<String>()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_writes_first_takes_no_revocations_number() {
    let world = World::new("writes-first");
    let keys: Vec<Key> = ["one", "two", "narrowed", "alive"].iter().map(|name| world.key(name)).collect();
    keep_yesterday(&world);
    let location = world.location.clone();
    #[rustfmt::skip]
    let firsts: [&[&str]; 3] = [
        &["keys", "create", "--kind", "location", "--location-id", &location, "--name", "after", "--preset", "read-only"],
        &["users", "set-password", "--email", "a@example.com", "--password-file", "password"],
        &["keys", "keep", &keys[3].id],
    ];
    for (round, first) in firsts.into_iter().enumerate() {
        for key in &keys[..2] {
            world.json(&["keys", "deactivate", &key.id, "--json"]);
        }
        world.json(&["keys", "update", &keys[2].id, "--scopes", "contacts.readonly", "--json"]);
        if round > 0 {
            without_marks(&world.journal());
            let doctor = parsed(&world.run(&["doctor", "--json"]));
            assert!(!doctor["warnings"].to_string().contains("journal"), "an older release's is one: {doctor}");
        }
        set_back(&world);
        let output = world.run(first);
        assert!(output.status.success(), "{first:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stderr).contains("older than its journal"), "{first:?}");
        let server = world.serve();
        for key in &keys[..2] {
            assert_eq!(world.asked(&server, key).await, "key_deactivated", "{first:?}");
        }
        assert_eq!(world.asked(&server, &keys[3]).await, "200");
        let narrowed = world.call(&server, Method::GET, "/api-keys/self", &keys[2], Value::Null).await.1;
        assert_eq!(narrowed["apiKey"]["scopes"], json!(["contacts.readonly"]), "{first:?}");
        drop(server);
        let _ = fs::remove_file(world.journal());
        set_back(&world);
    }
    if let Some(database) = &world.database {
        database.on_server("DROP DATABASE {}_yesterday WITH (FORCE)");
    }
}

/// A node with a journal of its own, that asks for news only when it is told to.
async fn quiet_node(app: &TestApp, journal: &str) -> App {
    let folder = &app.database.folder;
    let secret = InstanceSecret::parse(&fs::read_to_string(folder.join("instance-secret")).unwrap()).unwrap();
    let journal = Journal::at(folder.join(journal));
    let clock = Clock::Test(app.clock.clone());
    App::open(app.second_store(), secret, clock, Entropy::System, Limits::default(), Some(journal)).await.unwrap()
}

/// Keys that somebody makes through a node.
async fn made_by(node: &App, app: &TestApp, count: usize) -> Vec<TestKey> {
    let operator = node.operator_in(app.ids.agency).await.unwrap();
    let mut made = Vec::new();
    for _ in 0..count {
        let grant = Grant {
            agency: app.ids.agency,
            reach: Reach::location(app.ids.location),
            scopes: Preset::FullAccess.scopes(KeyKind::Location),
            allowed_ips: IpRanges::default(),
            expires_at: None,
        };
        let new = NewKey {
            name: KeyName::parse("A test").unwrap(),
            about: KeyAbout::default(),
            grant,
            rate_limit: None,
            allowed_origins: keystead_model::origin::Origins::default(),
        };
        let key = node.create_key(operator.authority(), new).await.unwrap();
        made.push(TestKey { id: key.key.id, secret: key.secret.unwrap().expose().to_owned() });
    }
    made
}

/// The database recovers under running servers, and before one of them has looked, as many changes are made in it as were
/// lost: by numbers alone nothing happened.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_recovery_hides_no_revocation() {
    for (lost, made) in [(1, 1), (3, 3), (3, 1), (1, 4)] {
        for is_own in [true, false] {
            let mut app = TestApp::start().await;
            app.stop().await;
            let node = quiet_node(&app, "own.jsonl").await;
            let other = app.second_node().await;
            let keys = made_by(&node, &app, lost).await;
            node.poll_changes().await.unwrap();
            let head = node.applied_sequence().await;
            app.clock.advance(Duration::from_secs(60));
            let operator = node.operator_in(app.ids.agency).await.unwrap();
            for key in &keys {
                node.deactivate_key(operator.authority(), key.id).await.unwrap();
            }
            node.poll_changes().await.unwrap();
            let undone = "state = 'active', state_at = NULL, state_by_kind = NULL, state_by_id = NULL";
            app.sql(&format!("UPDATE api_keys SET {undone}")).await;
            app.sql(&format!("DELETE FROM changes WHERE seq > {head}")).await;
            app.sql(&format!("UPDATE change_head SET seq = {head}")).await;
            app.clock.advance(Duration::from_secs(60));
            let new = made_by(if is_own { &node } else { &other }, &app, made).await;
            node.poll_changes().await.unwrap();
            for key in &keys {
                assert!(authenticate(&node, key).await.is_err(), "{lost} lost, {made} made, by itself: {is_own}");
            }
            for key in &new {
                authenticate(&node, key).await.unwrap();
            }
        }
    }
}
