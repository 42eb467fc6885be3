//! Moving, backing up and restoring a database, and using what comes out.

use std::collections::BTreeMap;

use keystead_core::App;
use keystead_model::UtcMs;
use keystead_store::{
    Database, Options, Store, catalog,
    copy::{Clocks, Copied, copy},
};
use keystead_testkit::{TestApp, TestDatabase, TestKey};
use serde_json::json;

async fn copied(from: &Database, to: &Database, clocks: Clocks) -> Result<Copied, String> {
    let (from, to) = (from.clone(), to.clone());
    let work = move || copy(&from, &to, &clocks, UtcMs(i64::MAX / 2), |_, _| {}).map_err(|error| error.to_string());
    tokio::task::spawn_blocking(|| std::thread::spawn(work).join().expect("joins")).await.expect("joins")
}

fn restart() -> Clocks {
    Clocks::Restart { incarnation: "another".to_owned() }
}

async fn authenticate(app: &App, key: &TestKey) -> Result<(), &'static str> {
    keystead_testkit::authenticate(app, key).await.map(drop).map_err(|error| error.code().as_str())
}

/// Rows of every table.
async fn counts(database: &Database) -> BTreeMap<String, i64> {
    let store = Store::open(database, &Options::default()).unwrap();
    let counted = store.read::<_, keystead_store::Error, _>(|tx| {
        let mut counts = BTreeMap::new();
        for table in catalog::tables(tx)? {
            let rows = tx.query_one(&format!("SELECT count(*) FROM {table}"), &[], |row| row.column())?;
            counts.insert(table, rows);
        }
        Ok(counts)
    });
    counted.await.unwrap()
}

/// Each column that the database numbers, with the next number, and the last that was given.
async fn numbers(database: &Database) -> Vec<(String, String, i64, i64)> {
    let store = Store::open(database, &Options::default()).unwrap();
    let read = store.write_serial::<_, keystead_store::Error, _>(|tx| {
        let mut numbers = Vec::new();
        for (table, column) in catalog::serials(tx)? {
            let next = format!("SELECT nextval(pg_get_serial_sequence('{table}', '{column}'))");
            let last = format!("SELECT COALESCE(max({column}), 0) FROM {table}");
            let next = tx.query_one(&next, &[], |row| row.column())?;
            numbers.push((table, column, next, tx.query_one(&last, &[], |row| row.column())?));
        }
        assert!(!TestDatabase::is_postgres() || numbers.len() > 1, "{numbers:?}");
        Ok(numbers)
    });
    read.await.unwrap()
}

/// An instance with something in every corner, a key that is about to be deleted among it.
async fn lived_in() -> (TestApp, TestKey) {
    let app = TestApp::start().await;
    let key = app.location_key().await;
    for number in 0..120 {
        let contact = json!({"firstName": "Zoë", "email": format!("c{number}@example.com"), "tags": ["a", "b"]});
        app.post("/contacts/").key(&key).json(&contact).send().await.expect(201);
    }
    let listed = app.get("/contacts/?limit=1").key(&key).send().await.expect(200);
    let contact = format!("/contacts/{}", listed["contacts"][0]["id"].as_str().unwrap());
    let task = json!({"title": "x", "dueDate": "2026-12-01", "completed": false});
    for (thing, body) in [("notes", json!({"body": "x"})), ("tasks", task)] {
        app.post(&format!("{contact}/{thing}")).key(&key).json(&body).send().await.expect(201);
    }
    let hash = if TestDatabase::is_postgres() { "'\\x00'" } else { "x'00'" };
    let report = "INSERT INTO exposure_reports (key_id, pepper_version, secret_hash, reported_at)";
    app.sql(&format!("{report} VALUES ('x', 1, {hash}, 0)")).await;
    app.let_days_pass(75.05).await;
    app.app.sweep().await.unwrap();
    app.let_days_pass(8.0).await;
    app.app.sweep().await.unwrap();
    app.app.seal_audit().await.unwrap();
    app.app.flush_uses().await.unwrap();
    (app, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_moves_to_the_other_kind_and_back_and_every_row_with_it() {
    let (app, key) = lived_in().await;
    let folder = TestDatabase::create();
    let sqlite = |name: &str| Database::Sqlite(folder.folder.join(name));
    let there = copied(&app.database.database, &sqlite("there.db"), Clocks::Keep).await.unwrap();
    assert!(there.tables.iter().any(|(table, rows)| *table == "contacts" && *rows == 120), "{there:?}");
    assert!(there.tables.iter().any(|(table, _)| *table == "notices"));
    // On the PostgreSQL suite this is a new PostgreSQL database, else a second file.
    let back = TestDatabase::create();
    let again = copied(&sqlite("there.db"), &back.database, restart()).await.unwrap();
    assert_eq!(there.tables.iter().filter(|(table, _)| *table != "sessions").count(), again.tables.len());
    assert_eq!(again.rows(), there.rows());

    if TestDatabase::is_postgres() {
        let store = Store::open(&back.database, &Options::default()).unwrap();
        let sql = "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE relname = 'contacts'";
        let known: keystead_store::Result<i64> = store.read(move |tx| tx.query_one(sql, &[], |row| row.column())).await;
        assert_eq!(known.unwrap(), 120, "the planner knows what it has, before autovacuum comes");
    }
    let node = app.node_on(&back.database).await;
    authenticate(&node, &key).await.unwrap();
    let operator = node.operator_in(app.ids.agency).await.unwrap();
    let record = node.get_key(operator.authority(), key.id).await.unwrap();
    assert_eq!(record.inactivity.stage, None, "everybody's 90 days begin anew");
    assert!(node.verify_audit(&operator, None).await.unwrap().problems.is_empty(), "the chain is whole");
    // Every table that the database has, not only those that somebody thought of; and numbers go on after the old ones.
    let (before, after) = (counts(&sqlite("there.db")).await, counts(&back.database).await);
    assert!(counts(&app.database.database).await.keys().eq(before.keys()));
    assert!(before.len() > 30 && before.iter().filter(|(_, rows)| **rows > 0).count() > 20, "{before:?}");
    let moves = |counts: &BTreeMap<String, i64>| {
        counts.clone().into_iter().filter(|(table, _)| !["sessions", "nodes", "lineage"].contains(&table.as_str()))
    };
    assert!(moves(&before).eq(moves(&after)), "{before:?} {after:?}");
    for (table, column, next, last) in numbers(&back.database).await {
        assert!(next > last, "{table}.{column} goes on with {next}, after {last}");
    }
    // New rows get numbers after the old ones.
    let new = node.keep_key(operator.authority(), key.id).await.unwrap();
    assert_eq!(new.key.id, key.id);
    assert!(node.verify_audit(&operator, None).await.unwrap().problems.is_empty());
    node.close().await.unwrap();

    let refused = copied(&sqlite("there.db"), &back.database, restart()).await.unwrap_err();
    assert!(refused.contains("not empty"), "{refused}");
    let missing = copied(&sqlite("nowhere.db"), &sqlite("new.db"), restart()).await.unwrap_err();
    assert!(missing.contains("does not exist"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_one_state() {
    let (app, key) = lived_in().await;
    let writing = async {
        for number in 0..150 {
            let contact = json!({"email": format!("later{number}@example.com"), "tags": ["load"]});
            app.post("/contacts/").key(&key).json(&contact).send().await.expect(201);
        }
    };
    let file = Database::Sqlite(app.database.folder.join("backup.db"));
    let (backup, ()) = tokio::join!(copied(&app.database.database, &file, Clocks::Keep), writing);
    backup.unwrap();
    let store = Store::open(&file, &Options::default()).unwrap();
    let counted = store
        .read::<_, keystead_store::Error, _>(|tx| {
            let count = |tx: &mut keystead_store::Tx<'_>, sql: &str| tx.query_one(sql, &[], |row| row.column::<i64>());
            let contacts = count(tx, "SELECT count(*) FROM contacts")?;
            Ok((
                contacts,
                count(tx, "SELECT sum(contacts) FROM contact_counts")?,
                count(tx, "SELECT count(*) FROM contact_identities")?,
            ))
        })
        .await
        .unwrap();
    assert!((120..=270).contains(&counted.0), "{counted:?}");
    assert_eq!((counted.0, counted.0), (counted.1, counted.2), "contacts, their counter and their identities agree");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ended_after_a_backup_is_ended_again() {
    let app = TestApp::start().await;
    let (ended, alive) = (app.location_key().await, app.location_key().await);
    let file = Database::Sqlite(app.database.folder.join("backup.db"));
    copied(&app.database.database, &file, Clocks::Keep).await.unwrap();
    let operator = app.operator().await;
    let receipt = app.app.deactivate_key(operator.authority(), ended.id).await.unwrap().receipt;
    let restored = TestDatabase::create();
    copied(&file, &restored.database, restart()).await.unwrap();
    let node = app.node_on(&restored.database).await;
    authenticate(&node, &ended).await.expect("an old backup knows nothing of it");
    let line = |id, sequence| json!({"message": "authority was ended", "key": id, "sequence": sequence}).to_string();
    let log = app.database.folder.join("log");
    std::fs::write(&log, [line(ended.id, receipt.sequence), line(alive.id, 1)].join("\n")).unwrap();
    let told = node.read_revocations(vec![log]).await.unwrap();
    let again = node.reapply(&told).await.unwrap();
    assert_eq!(again.ended, [ended.id], "and of what it knows nothing is ended twice");
    assert_eq!(authenticate(&node, &ended).await, Err("key_deactivated"));
    authenticate(&node, &alive).await.unwrap();
    node.close().await.unwrap();
}
