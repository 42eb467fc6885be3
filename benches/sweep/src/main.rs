//! How long a sweep over many keys takes, 5 % of which are due, and what it does to those who write and verify meanwhile.
//!
//! `sweep KEYS`, on SQLite, or on the PostgreSQL of `KEYSTEAD_TEST_POSTGRES`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use keystead_store::Store;
use keystead_testkit::{TestApp, TestKey, authenticate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Latencies of one kind of request, in microseconds.
#[derive(Default)]
struct Latencies(Vec<u128>);

impl Latencies {
    fn at(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let index = (self.0.len() as f64 * share) as usize;
        self.0.get(index.min(self.0.len().saturating_sub(1))).map_or(0.0, |micros| *micros as f64 / 1000.0)
    }
}

#[tokio::main]
async fn main() {
    let keys: i64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let app = TestApp::start().await;
    let template = app.location_key().await;
    let busy = app.location_key().await;
    let store = app.second_store();
    let begun = Instant::now();
    fill(&store, template.id.as_str(), keys).await;
    println!("{keys} keys on {} in {:.1} s, 5 % of them due", store.kind(), begun.elapsed().as_secs_f64());
    let (mut verify, _) = watched(&app, &busy, async { tokio::time::sleep(Duration::from_secs(2)).await }).await;
    let idle = verify.at(0.99);
    println!(
        "| step | keys | s | statements | longest wait of another write, ms | verification p99, ms (idle {idle:.3}) |"
    );
    println!("|---|---|---|---|---|---|");
    for (name, days) in [
        ("15-day notices", 75.05),
        ("7-day notices", 8.0),
        ("1-day notices", 6.0),
        ("deletions", 1.1),
        ("nothing due", 0.0),
    ] {
        app.let_days_pass(days).await;
        set_busy(&app, &busy, &store).await;
        let begun = Instant::now();
        let mut swept = keystead_core::Swept::default();
        let (mut verify, mut writes) =
            watched(&app, &busy, async { swept = app.app.sweep().await.expect("a sweep") }).await;
        let seconds = begun.elapsed().as_secs_f64();
        let touched = swept.notices + swept.deleted;
        // Begin and commit, and a batch of 50 notices takes three statements, of deletions seven, and one more each on
        // PostgreSQL, which locks its rows first. Each page of 1,000 is one.
        let locking = u64::from(store.kind() == "postgres");
        let batches = |count: u64| count.div_ceil(50);
        let statements =
            batches(swept.notices) * (5 + locking) + batches(swept.deleted) * (9 + locking) + touched / 1000 + 1;
        println!(
            "| {name} | {touched} | {seconds:.2} | {statements} | {:.1} | {:.3} |",
            writes.at(1.0),
            verify.at(0.99)
        );
    }
}

/// Keys that live on, and one in twenty that nobody has used since service time began.
async fn fill(store: &Store, template: &str, keys: i64) {
    let id = match store.kind() {
        "sqlite" => "printf('%012d', n)",
        _ => "lpad(CAST(n AS TEXT), 12, '0')",
    };
    let columns = "kind, agency_id, location_id, name, name_lower, scopes, allowed_ips, state, created_by_kind,
        created_at, secret_hash, secret_pepper_version, secret_last_four, secret_created_at, stage, deletes_at, ladder_since,
        held, version";
    for from in (0..keys).step_by(100_000) {
        let to = (from + 100_000).min(keys);
        let sql = format!(
            "INSERT INTO api_keys (id, active_at, {columns})
             WITH RECURSIVE numbers(n) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {to} - 1)
             SELECT {id}, CASE WHEN n % 20 = 0 THEN 0 ELSE 9000000000 END, {columns}
             FROM api_keys, numbers WHERE api_keys.id = '{template}'"
        );
        let filled = store.write_serial::<_, keystead_store::Error, _>(move |tx| tx.execute(&sql, &[]).map(drop)).await;
        filled.expect("keys");
    }
    if store.kind() == "postgres" {
        // As its autovacuum does some time after so many rows.
        let analyzed =
            store.write_serial::<_, keystead_store::Error, _>(|tx| tx.execute("ANALYZE", &[]).map(drop)).await;
        analyzed.expect("statistics");
    }
}

/// The key that is verified meanwhile must not grow old itself.
async fn set_busy(app: &TestApp, busy: &TestKey, store: &Store) {
    let sql = format!("UPDATE api_keys SET active_at = (SELECT now_ms FROM service_clock) WHERE id = '{}'", busy.id);
    store
        .write_serial::<_, keystead_store::Error, _>(move |tx| tx.execute(&sql, &[]).map(drop))
        .await
        .expect("a statement");
    authenticate(&app.app, busy).await.expect("a key");
}

/// Runs `work` while one task verifies a key each millisecond and another writes a row every two.
async fn watched(app: &TestApp, key: &TestKey, work: impl Future<Output = ()>) -> (Latencies, Latencies) {
    let done = Arc::new(AtomicBool::new(false));
    let verifying = {
        let (app, key, done) = (app.app.clone(), key.clone(), Arc::clone(&done));
        async move {
            let mut latencies = Latencies::default();
            while !done.load(Ordering::Relaxed) {
                let begun = Instant::now();
                authenticate(&app, &key).await.expect("a key");
                latencies.0.push(begun.elapsed().as_micros());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            latencies
        }
    };
    let writing = {
        let (app, done) = (app.app.clone(), Arc::clone(&done));
        async move {
            let mut latencies = Latencies::default();
            while !done.load(Ordering::Relaxed) {
                let begun = Instant::now();
                // A write of the server's own that changes nothing.
                app.trim_notices().await.expect("a write");
                latencies.0.push(begun.elapsed().as_micros());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            latencies
        }
    };
    let work = async {
        work.await;
        done.store(true, Ordering::Relaxed);
    };
    #[expect(clippy::disallowed_methods, reason = "two tasks of a bench, joined below")]
    let (verifying, writing) = (tokio::spawn(verifying), tokio::spawn(writing));
    work.await;
    (verifying.await.expect("a task"), writing.await.expect("a task"))
}
