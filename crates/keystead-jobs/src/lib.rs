//! The hands of Keystead: what runs by the clock. Each job calls one method of [`App`].

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use keystead_core::{App, Mailer, OutboundClient, Result, RowReader};
use keystead_model::UtcMs;
use tokio::sync::watch;

mod aftermath;
mod deliveries;
mod imports;
mod mails;
mod queue;

pub use aftermath::aftermath_worker;
pub use deliveries::delivery_worker;
pub use imports::import_worker;
pub use mails::mail_worker;
pub use queue::Worker;

/// This server, as it shows itself to the operator.
#[derive(Clone)]
pub struct ThisNode {
    /// Chosen at its start.
    pub id: String,
    /// Where it listens.
    pub address: String,
    /// When it was started.
    pub started_at: UtcMs,
}

/// What the jobs need to know of the world: who this server is, how mails go out and where their links lead, and how files of rows
/// are read.
#[derive(Clone)]
pub struct Outside {
    /// This server.
    pub node: ThisNode,
    /// `None` leaves them in the outbox, for the operator to see.
    pub mailer: Option<Mailer>,
    /// `https://crm.example.com`, without a slash at its end.
    pub base_url: String,
    /// Reads the rows of imports.
    pub rows: Arc<dyn RowReader>,
    /// Calls webhooks.
    pub client: OutboundClient,
}

/// How long work on the queue that is under way may go on after a stop: much less than a stop may take, since what is aborted is
/// given back then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs all scheduled work until `stop` turns true.
pub async fn run(app: App, outside: Outside, stop: watch::Receiver<bool>) {
    let every = |length, task: Task, job: fn(App) -> Job| repeat(app.clone(), stop.clone(), length, task, job);
    let mail = |app: App| {
        let base_url = outside.base_url.clone();
        boxed(async move { app.queue_mails(&base_url).await.map(drop) })
    };
    let mails = async {
        if let Some(mailer) = &outside.mailer {
            mail_worker(&app, mailer, &outside.base_url).run(stop.clone(), PATIENCE).await;
        }
    };
    let lives = |app: App| {
        let ThisNode { id, address, started_at } = outside.node.clone();
        boxed(async move { app.note_node(id, address, started_at).await })
    };
    // Whoever looks at a server that has just begun finds it there. If it fails, the next one tells.
    let begun = async {
        let _ = lives(app.clone()).await;
    };
    tokio::join!(
        begun,
        mails,
        import_worker(&app, &outside.rows).run(stop.clone(), PATIENCE),
        aftermath_worker(&app).run(stop.clone(), PATIENCE),
        delivery_worker(&app, &outside.client).run(stop.clone(), PATIENCE),
        every(Duration::from_secs(5), ("service_clock", "tick the service clock"), |app| boxed(async move {
            app.tick_service_clock().await.map(drop)
        })),
        every(Duration::from_secs(30), ("uses", "store uses of keys"), |app| boxed(async move {
            app.flush_uses().await.map(drop)
        })),
        every(Duration::from_secs(60), ("sweep", "take the steps of idle keys"), |app| boxed(async move {
            app.sweep().await.map(drop)
        })),
        every(Duration::from_secs(2), ("journal", "keep the journal of revocations"), |app| boxed(async move {
            app.keep_journal().await
        })),
        every(Duration::from_secs(2), ("exposed_keys", "end keys that were found in public"), |app| boxed(
            async move { app.end_exposed_keys().await.map(drop) }
        )),
        every(Duration::from_secs(2), ("recurring_tasks", "make tasks that come again"), |app| boxed(async move {
            while app.make_recurring_tasks().await? > 0 {}
            Ok(())
        })),
        every(Duration::from_secs(2), ("clicks", "tell clicks of people from others"), |app| boxed(async move {
            while app.judge_clicks().await? > 0 {}
            Ok(())
        })),
        every(Duration::from_secs(2), ("seal", "seal the audit log"), |app| boxed(async move {
            app.seal_audit().await.map(drop)
        })),
        repeat(app.clone(), stop.clone(), Duration::from_secs(60), ("mails", "write mails"), mail),
        repeat(app.clone(), stop.clone(), Duration::from_secs(10), ("node", "say that this server lives"), lives),
        every(Duration::from_secs(60), ("tally", "tell by count what goes on"), |_| boxed(async {
            keystead_core::tally::settle();
            Ok(())
        })),
        every(Duration::from_secs(60 * 60), ("audit_heads", "log the ends of the audit chains"), |app| boxed(
            async move { app.log_audit_heads().await }
        )),
        every(Duration::from_secs(10 * 60), ("trim", "forget what is old"), |app| boxed(async move {
            app.trim_changes().await?;
            app.trim_sessions().await?;
            app.trim_idempotent().await?;
            while app.trim_notices().await? > 0 {}
            app.trim_usage().await?;
            app.trim_mails().await?;
            app.trim_jobs().await?;
            while app.trim_webhooks().await? > 0 {}
            while app.trim_inbound().await? > 0 {}
            app.trim_audit().await?;
            while app.trim_imports().await? > 0 {}
            while app.trim_clicks().await? {}
            while app.purge_contacts().await? > 0 {}
            while app.purge_field_values().await? > 0 {}
            while app.purge_files().await? > 0 {}
            while app.purge_locations().await? > 0 {}
            Ok(())
        })),
    );
}

/// What a job is called, in figures and in the log.
type Task = (&'static str, &'static str);
type Job = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send>>;

fn boxed(job: impl Future<Output = Result<()>> + Send + 'static) -> Job {
    Box::pin(job)
}

/// Runs a job again and again; one that fails is logged when that begins and when it ends.
async fn repeat(app: App, mut stop: watch::Receiver<bool>, every: Duration, task: Task, job: impl Fn(App) -> Job) {
    let (short, name) = task;
    let mut failing = false;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            () = tokio::time::sleep(every) => {}
        }
        let begun = Instant::now();
        let outcome = job(app.clone()).await;
        app.note_task(short, outcome.is_ok(), begun.elapsed());
        if failing != outcome.is_err() {
            failing = outcome.is_err();
            match outcome {
                Err(error) => tracing::error!(job = name, %error, cause = error.cause(), "a job fails"),
                Ok(()) => tracing::info!(job = name, "a job works again"),
            }
        }
    }
}
