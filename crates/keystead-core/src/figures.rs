//! What a server counts and measures of itself, for whoever watches it.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use keystead_model::{
    UtcMs,
    job::{JobCounts, JobKind},
};
use keystead_store::{Distribution, LaneFigures, Migrations, StoreFigures, Tx, delivery_pause, instance, mails, queue};

use crate::{App, Swept};

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its name in the system that reads it: `keystead_commits`, without `_total`.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// What tells it from others of the name.
    pub labels: Vec<(&'static str, String)>,
    /// How much.
    pub reading: Reading,
}

/// How much a figure is.
#[derive(Clone, Debug)]
pub enum Reading {
    /// What only grows.
    Counter(f64),
    /// What goes up and down.
    Gauge(f64),
    /// How long something took.
    Durations(Distribution),
}

impl Figure {
    /// What only grows.
    pub fn counter(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, labels: Vec::new(), reading: Reading::Counter(value) }
    }

    /// What goes up and down.
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, labels: Vec::new(), reading: Reading::Gauge(value) }
    }

    /// How long something took.
    pub fn durations(name: &'static str, help: &'static str, distribution: Distribution) -> Self {
        Self { name, help, labels: Vec::new(), reading: Reading::Durations(distribution) }
    }

    /// With a label.
    #[must_use]
    pub fn of(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((label, value.into()));
        self
    }
}

/// What the application counts, besides the store.
#[derive(Default)]
pub(crate) struct Counted {
    swept: Mutex<Swept>,
    tasks: Mutex<BTreeMap<&'static str, TaskFigures>>,
    feed_head: AtomicI64,
    feed_applied: AtomicI64,
    clicks_lost: AtomicI64,
}

/// A task that runs by the clock.
#[derive(Clone, Copy, Default)]
struct TaskFigures {
    runs: u64,
    failures: u64,
    succeeded_at: UtcMs,
    took: Duration,
}

impl Counted {
    pub(crate) fn swept(&self, swept: Swept) {
        *self.swept.lock().unwrap_or_else(PoisonError::into_inner) += swept;
    }

    /// Somebody was led on whose click could not be kept.
    pub(crate) fn click_lost(&self) {
        self.clicks_lost.fetch_add(1, Relaxed);
    }

    pub(crate) fn followed(&self, head: i64, applied: i64) {
        self.feed_head.store(head, Relaxed);
        self.feed_applied.store(applied, Relaxed);
    }
}

/// A database that does not answer within this has no figures.
const ANSWER_TIME: Duration = Duration::from_secs(2);

impl App {
    /// Notes how a task that runs by the clock went.
    pub fn note_task(&self, task: &'static str, succeeded: bool, took: Duration) {
        let mut tasks = self.counted.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tasks.entry(task).or_default();
        known.runs += 1;
        known.took = took;
        if succeeded {
            known.succeeded_at = self.clock.now();
        } else {
            known.failures += 1;
        }
    }

    /// Everything that this server knows of itself. What the database must be asked for is left out while it does not
    /// answer.
    pub async fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![
            Figure::gauge("keystead_build_info", "The release, its database and schema", 1.0)
                .of("release", env!("CARGO_PKG_VERSION"))
                .of("database", self.database_kind())
                .of("schema", Migrations::known().to_string()),
            Figure::gauge("keystead_cached_keys", "API keys in this server's cache", self.keys.len() as f64),
            Figure::counter(
                "keystead_clicks_lost",
                "Clicks on trigger links that could not be kept; who made them was led on",
                self.counted.clicks_lost.load(Relaxed) as f64,
            ),
        ];
        store_figures(self.store.figures(), &mut figures);
        self.feed_figures(&mut figures);
        self.task_figures(&mut figures);
        if let Ok(Ok(asked)) = tokio::time::timeout(ANSWER_TIME, self.store.probe(asked_figures)).await {
            figures.extend(asked);
        }
        figures
    }

    fn feed_figures(&self, figures: &mut Vec<Figure>) {
        let (head, applied) = (self.counted.feed_head.load(Relaxed), self.counted.feed_applied.load(Relaxed));
        let age = self.fence.age(self.clock.monotonic());
        let service = self.service_now().0 as f64 / 1000.0;
        figures.extend([
            Figure::gauge(
                "keystead_feed_lag_changes",
                "Changes that this server has not applied",
                (head - applied) as f64,
            ),
            Figure::gauge(
                "keystead_feed_age_seconds",
                "Since the change feed was last read; after a second the cache is not believed",
                age.as_secs_f64(),
            ),
            Figure::gauge("keystead_service_clock_seconds", "The service clock, by which unused keys age", service),
            Figure::gauge(
                "keystead_sweep_paused",
                "Whether the operator has paused the deletion of unused keys",
                f64::from(u8::from(self.service_clock.is_paused())),
            ),
        ]);
    }

    fn task_figures(&self, figures: &mut Vec<Figure>) {
        let tasks = self.counted.tasks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut each = |name, help, reading: fn(&TaskFigures) -> Reading| {
            figures.extend(tasks.iter().map(|(task, runs)| Figure {
                name,
                help,
                labels: vec![("task", (*task).to_owned())],
                reading: reading(runs),
            }));
        };
        each("keystead_task_runs", "Runs of what is done by the clock", |task| Reading::Counter(task.runs as f64));
        each("keystead_task_failures", "Those that failed", |task| Reading::Counter(task.failures as f64));
        each("keystead_task_seconds", "How long the last run took", |task| Reading::Gauge(task.took.as_secs_f64()));
        each("keystead_task_last_success_timestamp_seconds", "When it last succeeded; 0 is never", |task| {
            Reading::Gauge(task.succeeded_at.0 as f64 / 1000.0)
        });
        if let Some(seal) = tasks.get("seal").filter(|seal| seal.succeeded_at.0 > 0) {
            let lag = (self.clock.now() - seal.succeeded_at).max(0) as f64 / 1000.0;
            let help = "Since this server last sealed all that the audit log held";
            figures.push(Figure::gauge("keystead_seal_lag_seconds", help, lag));
        }
        let Swept { notices, deleted, held, released, expiries, retiring, destroyed } =
            *self.counted.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = [
            ("notice", notices),
            ("deletion", deleted),
            ("hold", held),
            ("release", released),
            ("expiry", expiries),
            ("retiring", retiring),
            ("destruction", destroyed),
        ];
        figures.extend(steps.map(|(step, count)| {
            Figure::counter("keystead_sweep_steps", "Steps that the sweep took", count as f64).of("step", step)
        }));
    }
}

/// What only the database knows.
fn asked_figures(tx: &mut Tx<'_>) -> keystead_store::Result<Vec<Figure>> {
    let size = Figure::gauge("keystead_database_bytes", "Size of the database", instance::size(tx)? as f64);
    let mails = mails::count_by_state(tx)?.into_iter().map(|(state, count)| {
        Figure::gauge("keystead_mails", "Mails of the outbox", count as f64).of("state", state.as_str())
    });
    let pause = Figure::gauge(
        "keystead_deliveries_paused",
        "Whether nothing is sent to webhooks: after a restore or a copy, or as an operator wants it",
        f64::from(u8::from(delivery_pause::since(tx)?.is_some())),
    );
    let mut figures: Vec<Figure> = mails.chain([size, pause]).collect();
    for kind in JobKind::ALL {
        let JobCounts { waiting, taken, given_up } = queue::count(tx, kind)?;
        let states = [("waiting", waiting), ("taken", taken), ("given_up", given_up)];
        figures.extend(states.map(|(state, count)| {
            let figure = Figure::gauge("keystead_jobs", "Jobs of the queue", count as f64);
            figure.of("kind", kind.as_str()).of("state", state)
        }));
    }
    Ok(figures)
}

fn store_figures(store: StoreFigures, figures: &mut Vec<Figure>) {
    let StoreFigures { lanes, commits, writes, retries } = store;
    figures.extend([
        Figure::counter("keystead_commits", "Durable commits", commits as f64),
        Figure::counter("keystead_writes", "Writes that were committed, many of them together", writes as f64),
        Figure::counter(
            "keystead_database_retries",
            "Transactions that were run again, since others got in their way or one of several was to be undone alone",
            retries as f64,
        ),
    ]);
    let waiting = |lane: &LaneFigures| {
        let help = "Work that waits for the database, by the way to it";
        Figure::gauge("keystead_database_waiting", help, lane.waiting as f64).of("lane", lane.name)
    };
    figures.extend(lanes.iter().map(waiting));
    figures.extend(lanes.into_iter().map(|lane| {
        let help = "How long work waited for the database";
        Figure::durations("keystead_database_wait_seconds", help, lane.waited).of("lane", lane.name)
    }));
}
