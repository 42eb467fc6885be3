//! The database fails in the middle of a sweep: by errors of the database itself, with a full disk or read-only.

use std::time::{Duration, Instant};

use keystead_core::{App, Error, Result, Swept};
use keystead_store::{FromCell, Store};
use keystead_testkit::{TestApp, TestDatabase, TestKey, authenticate};

/// Idle keys, besides the one that they are copied from.
const KEYS: i64 = 5000;

/// An instance, and a node on its database whose connections the test has, too.
struct Failing {
    app: TestApp,
    node: App,
    store: Store,
    /// Others, to look on.
    looking: Store,
    /// One of the idle keys.
    idle: TestKey,
    /// A key that is in use.
    used: TestKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// There is room for a part of what the sweep writes.
    Full,
    /// Nothing can be written any more, soon after the sweep's first commit.
    ReadOnly,
}

impl Failing {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let (idle, used) = (app.location_key().await, app.location_key().await);
        let columns = "kind, agency_id, location_id, name, name_lower, scopes, allowed_ips, state, created_by_kind,
            created_at, secret_hash, secret_pepper_version, secret_last_four, secret_created_at, stage, deletes_at,
            ladder_since, held, version, active_at";
        let id = if TestDatabase::is_postgres() { "lpad(CAST(n AS TEXT), 12, '0')" } else { "printf('%012d', n)" };
        app.sql(&format!(
            "INSERT INTO api_keys (id, {columns})
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {KEYS})
             SELECT {id}, {columns} FROM api_keys, numbers WHERE api_keys.id = '{}'",
            idle.id
        ))
        .await;
        let store = app.second_store();
        let node = app.node_over(store.clone()).await;
        let looking = app.second_store();
        Self { app, node, store, looking, idle, used }
    }

    async fn ask<T: FromCell + Send + 'static>(&self, sql: &str) -> T {
        let sql = sql.to_owned();
        self.looking.read(move |tx| tx.query_one(&sql, &[], |row| row.column())).await.unwrap()
    }

    /// Sets something of SQLite's one writing connection.
    async fn set(&self, setting: String) {
        let set = self.store.write(move |tx| tx.query(&setting, &[], |_| Ok(())).map(drop));
        set.await.unwrap();
    }

    async fn begin(&self, fault: Fault, table: &str) {
        match (fault, TestDatabase::is_postgres()) {
            (Fault::Full, true) => {
                // The error of a full disk, since the server's disk is shared with others.
                self.app
                    .sql(&format!(
                        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                             IF (SELECT count(*) FROM {table}) >= {} THEN
                                 RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
                             END IF;
                             RETURN NEW;
                         END $$",
                        self.ask::<i64>(&format!("SELECT CAST(count(*) AS BIGINT) FROM {table}")).await + KEYS / 3
                    ))
                    .await;
                self.app
                    .sql(&format!("CREATE TRIGGER fill BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fill()"))
                    .await;
            }
            (Fault::Full, false) => {
                let pages: i64 = self.ask("PRAGMA page_count").await;
                let free: i64 = self.ask("PRAGMA freelist_count").await;
                self.set(format!("PRAGMA max_page_count = {}", pages - free + 60)).await;
            }
            (Fault::ReadOnly, _) => {
                let before: i64 = self.ask(&format!("SELECT CAST(count(*) AS BIGINT) FROM {table}")).await;
                let count = format!("SELECT CAST(count(*) AS BIGINT) FROM {table}");
                let begun = Instant::now();
                while self.ask::<i64>(&count).await == before {
                    assert!(begun.elapsed() < Duration::from_secs(20), "the sweep does nothing");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                if TestDatabase::is_postgres() {
                    self.set_read_only("on");
                } else {
                    // It may have to run again with what shares its transaction, and by then nothing can begin.
                    let set = self.store.write(|tx| tx.query("PRAGMA query_only = 1", &[], |_| Ok(())).map(drop));
                    assert!(matches!(set.await, Ok(()) | Err(keystead_store::Error::Unavailable(_))));
                }
            }
        }
    }

    /// As when a standby has taken over, and nobody has told the clients.
    fn set_read_only(&self, on: &str) {
        self.app.database.on_server(&format!("ALTER DATABASE {{}} SET default_transaction_read_only = {on}"));
        self.app.database.on_server("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'");
    }

    async fn end(&mut self, fault: Fault, table: &str) {
        match (fault, TestDatabase::is_postgres()) {
            (Fault::Full, true) => {
                self.app.sql(&format!("DROP TRIGGER fill ON {table}")).await;
                self.app.sql("DROP FUNCTION fill").await;
            }
            (Fault::Full, false) => self.set("PRAGMA max_page_count = 4294967294".to_owned()).await,
            (Fault::ReadOnly, true) => self.set_read_only("off"),
            (Fault::ReadOnly, false) => {
                // No transaction begins any more that could take it back: the node has to start anew.
                self.store = self.app.second_store();
                self.node = self.app.node_over(self.store.clone()).await;
            }
        }
    }

    /// Sweeps into a fault, and looks at what goes on meanwhile.
    async fn sweep_into(&self, fault: Fault, table: &str) -> Result<Swept> {
        if fault == Fault::Full {
            self.begin(fault, table).await;
            return self.node.sweep().await;
        }
        tokio::join!(self.node.sweep(), self.begin(fault, table)).0
    }

    /// While nothing can be written, nobody's use is noted, no time passes, and callers are told to come again.
    async fn nothing_is_decided(&self) {
        if self.ask::<bool>(&format!("SELECT state = 'active' FROM api_keys WHERE id = '{}'", self.idle.id)).await {
            let refused = authenticate(&self.node, &self.idle).await.map(drop).expect_err("its use cannot be noted");
            assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
        }
        let now: i64 = self.ask("SELECT now_ms FROM service_clock").await;
        self.app.clock.advance(Duration::from_secs(61));
        self.node.tick_service_clock().await.expect_err("it cannot be written");
        assert_eq!(self.ask::<i64>("SELECT now_ms FROM service_clock").await, now);
    }
}

async fn a_sweep_survives(fault: Fault) {
    let mut failing = Failing::start().await;
    let ladder = [(75.05, Some("notices")), (8.0, None), (6.0, None), (1.1, Some("events"))];
    for (number, (days, fails_at)) in (1..).zip(ladder) {
        failing.app.let_days_pass(days).await;
        failing.node.poll_changes().await.unwrap();
        authenticate(&failing.node, &failing.used).await.unwrap();
        let before: i64 = failing.ask("SELECT CAST(count(*) AS BIGINT) FROM notices").await;
        if let Some(table) = fails_at {
            let error = failing.sweep_into(fault, table).await.expect_err("the database fails");
            let expected = if fault == Fault::Full {
                matches!(error, Error::Full(_))
            } else {
                matches!(error, Error::Unavailable(_))
            };
            assert!(expected, "something to try again: {error:?}");
            let told = failing.ask::<i64>("SELECT CAST(count(*) AS BIGINT) FROM notices").await - before;
            assert!((1..KEYS).contains(&told), "in the middle of it: {told}");
            // Whoever was seen lately goes on.
            authenticate(&failing.node, &failing.used).await.unwrap();
            if fault == Fault::ReadOnly {
                failing.nothing_is_decided().await;
            }
            failing.end(fault, table).await;
            failing.node.poll_changes().await.unwrap();
        }
        failing.node.sweep().await.unwrap();
        let notices: i64 = failing.ask("SELECT CAST(count(*) AS BIGINT) FROM notices").await;
        assert_eq!(notices, number * (KEYS + 1), "each of them is told, and once");
    }
    let deleted: i64 = failing.ask("SELECT CAST(count(*) AS BIGINT) FROM api_keys WHERE state = 'deleted'").await;
    let audited = "SELECT CAST(count(DISTINCT subject) AS BIGINT) FROM events WHERE action = 'api_key.deleted'";
    assert_eq!((deleted, failing.ask::<i64>(audited).await), (KEYS + 1, KEYS + 1));
    let rows = "SELECT CAST(count(*) AS BIGINT) FROM events WHERE action = 'api_key.deleted'";
    assert_eq!(failing.ask::<i64>(rows).await, KEYS + 1, "each deletion has one row");
    let fed = "SELECT CAST(count(*) AS BIGINT) FROM changes";
    assert_eq!(failing.ask::<i64>(fed).await, failing.ask::<i64>("SELECT seq FROM change_head").await, "no gap");
    authenticate(&failing.node, &failing.used).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_in_the_middle_of_a_sweep_loses_nothing() {
    a_sweep_survives(Fault::Full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_turns_read_only_in_the_middle_of_a_sweep_loses_nothing() {
    a_sweep_survives(Fault::ReadOnly).await;
}
