//! How many jobs the queue takes and settles in a second, where the work itself is nothing, and how long a job waits.
//!
//! `queue FOLDER` for SQLite in it, or `queue postgres://…` for an empty database.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use keystead_core::{
    App, Clock, Entropy, InstanceSecret, Limits,
    queue::{Outcome, Settled},
};
use keystead_jobs::Worker;
use keystead_model::{
    id::Id,
    job::{Job, JobKind},
};
use keystead_store::{Database, Error, Options, Store, queue};
use tokio::sync::watch;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KIND: JobKind = JobKind::Mail;
/// Jobs of a round.
const JOBS: usize = 50_000;
/// Jobs that are waited for one by one.
const WAITED: usize = 1000;
const PLACES: usize = 100;

/// A server.
struct Node {
    app: App,
    store: Store,
}

impl Node {
    async fn start(database: &Database) -> Self {
        let secret = InstanceSecret::parse(&InstanceSecret::line(1, &[7; 32])).expect("a secret");
        let store = Store::open(database, &Options::default()).expect("a database");
        store.migrations().apply(Clock::System.now()).await.expect("the schema");
        let app = App::open(store.clone(), secret, Clock::System, Entropy::System, Limits::default(), None).await;
        Self { app: app.expect("a node"), store }
    }

    fn id(&self) -> Id<()> {
        self.app.entropy().id(self.app.now())
    }

    async fn add(&self, owner: Id<()>, ids: Vec<Id<()>>) {
        let added =
            self.store.write_in(owner, move |tx| ids.iter().try_for_each(|id| queue::add(tx, KIND, *id, owner, None)));
        added.await.unwrap_or_else(|error: Error| panic!("{error}"));
    }

    async fn fill(&self, owners: usize) {
        for owner in (0..owners).map(|_| self.id()) {
            for _ in 0..(JOBS / owners).div_ceil(500) {
                let ids = (0..500.min(JOBS / owners)).map(|_| self.id()).collect();
                self.add(owner, ids).await;
            }
        }
        if self.store.kind() == "postgres" {
            // As its autovacuum does some time after so many rows.
            let analyzed = self.store.write_serial::<_, Error, _>(|tx| tx.execute("ANALYZE", &[]).map(drop));
            analyzed.await.expect("statistics");
        }
    }

    fn idler(&self) -> Worker {
        Worker::new(self.app.clone(), KIND, PLACES, |_, job, _| async move { Ok(Settled::new(job, Outcome::Done)) })
    }
}

#[tokio::main]
async fn main() {
    let database = match std::env::args().nth(1) {
        Some(url) if url.starts_with("postgres://") => Database::Postgres(url),
        folder => Database::Sqlite(PathBuf::from(folder.unwrap_or_default()).join("queue.db")),
    };
    let nodes = [Node::start(&database).await, Node::start(&database).await];
    let kind = nodes[0].store.kind();
    println!("| {kind} | servers | owners | jobs/s |");
    println!("|---|---|---|---|");
    for (servers, owners) in [(1, 1), (1, 100), (2, 100)] {
        nodes[0].fill(owners).await;
        let begun = Instant::now();
        match servers {
            1 => nodes[0].idler().drain().await.expect("no failure"),
            _ => {
                let (one, two) = tokio::join!(nodes[0].idler().drain(), nodes[1].idler().drain());
                one.and(two).expect("no failure");
            }
        }
        println!("| empty jobs | {servers} | {owners} | {:.0} |", JOBS as f64 / begun.elapsed().as_secs_f64());
    }
    println!("\n| {kind} | p50, ms | p99, ms | longest, ms |\n|---|---|---|---|");
    waits("idle, the server that commits", &nodes[0], &nodes[0], 0).await;
    waits("idle, another server", &nodes[0], &nodes[1], 0).await;
    waits("somebody else has 10,000 jobs of 10 ms", &nodes[0], &nodes[0], 10_000).await;
}

/// How long single jobs wait, from before they are written until work on them begins.
async fn waits(name: &str, writes: &Node, works: &Node, backlog: usize) {
    let crowd = writes.id();
    for _ in 0..backlog / 500 {
        writes.add(crowd, (0..500).map(|_| writes.id()).collect()).await;
    }
    let begun = Arc::new(Mutex::new(HashMap::<Id<()>, Instant>::new()));
    let waited = Arc::new(Mutex::new(Vec::new()));
    let (begins, waits) = (Arc::clone(&begun), Arc::clone(&waited));
    let worker = Worker::new(works.app.clone(), KIND, PLACES, move |_, job: Job, _| {
        let since = begins.lock().expect("a lock").remove(&job.id);
        if let Some(since) = since {
            waits.lock().expect("a lock").push(since.elapsed());
        }
        async move {
            if since.is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(Settled::new(job, Outcome::Done))
        }
    });
    let (stop, stopped) = watch::channel(false);
    #[expect(clippy::disallowed_methods, reason = "one task of a bench, joined below")]
    let worker = tokio::spawn(worker.run(stopped, Duration::from_secs(5)));
    let count = if backlog > 0 { 100 } else { WAITED };
    for number in 0..count {
        tokio::time::sleep(Duration::from_millis(5 + number as u64 % 7)).await;
        let id = writes.id();
        begun.lock().expect("a lock").insert(id, Instant::now());
        writes.add(id, vec![id]).await;
    }
    while waited.lock().expect("a lock").len() < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.send(true).expect("a worker");
    worker.await.expect("a worker");
    let left = works.store.write_serial::<_, Error, _>(|tx| tx.execute("DELETE FROM jobs", &[]));
    left.await.expect("no failure");
    let mut waited = waited.lock().expect("a lock");
    waited.sort_unstable();
    let at = |share: f64| waited[((count as f64 * share) as usize).min(count - 1)].as_secs_f64() * 1000.0;
    println!("| {name} | {:.1} | {:.1} | {:.1} |", at(0.5), at(0.99), at(1.0));
}
