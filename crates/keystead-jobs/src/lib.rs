//! The hands of Keystead: what runs by the clock. Each job calls one method of [`App`].

use std::{future::Future, time::Duration};

use keystead_core::{App, Result};
use tokio::sync::watch;

/// Runs all scheduled work until `stop` turns true.
pub async fn run(app: App, stop: watch::Receiver<bool>) {
    let every = |length, name, job| repeat(app.clone(), stop.clone(), length, name, job);
    tokio::join!(
        every(Duration::from_secs(5), "tick the service clock", |app| boxed(async move {
            app.tick_service_clock().await.map(drop)
        })),
        every(Duration::from_secs(30), "store uses of keys", |app| boxed(
            async move { app.flush_uses().await.map(drop) }
        )),
        every(Duration::from_secs(60), "take the steps of idle keys", |app| boxed(async move {
            app.sweep().await.map(drop)
        })),
        every(Duration::from_secs(2), "end keys that were found in public", |app| boxed(async move {
            app.end_exposed_keys().await.map(drop)
        })),
        every(Duration::from_secs(2), "seal the audit log", |app| boxed(
            async move { app.seal_audit().await.map(drop) }
        )),
        every(Duration::from_secs(60 * 60), "log the ends of the audit chains", |app| boxed(async move {
            app.log_audit_heads().await
        })),
        every(Duration::from_secs(10 * 60), "forget what is old", |app| boxed(async move {
            app.trim_changes().await?;
            app.trim_sessions().await?;
            app.trim_idempotent().await?;
            while app.trim_notices().await? > 0 {}
            app.trim_usage().await?;
            while app.purge_contacts().await? > 0 {}
            Ok(())
        })),
    );
}

type Job = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send>>;

fn boxed(job: impl Future<Output = Result<()>> + Send + 'static) -> Job {
    Box::pin(job)
}

/// Runs a job again and again; one that fails is logged when that begins and when it ends.
async fn repeat(app: App, mut stop: watch::Receiver<bool>, every: Duration, name: &str, job: fn(App) -> Job) {
    let mut failing = false;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => return,
            () = tokio::time::sleep(every) => {}
        }
        let outcome = job(app.clone()).await;
        if failing != outcome.is_err() {
            failing = outcome.is_err();
            match outcome {
                Err(error) => tracing::error!(job = name, %error, "a job fails"),
                Ok(()) => tracing::info!(job = name, "a job works again"),
            }
        }
    }
}
