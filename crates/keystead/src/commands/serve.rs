//! `keystead serve`.

use keystead_core::{Clock, Entropy};
use keystead_store::Migrations;
use tokio::signal::unix::{SignalKind, signal};

use super::output::announce;
use crate::{config::Config, failure::Failure, serve::Server};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    log_to_stderr(config.log_level);
    let stop = stop_signal()?;
    let server = Server::bind(config, Clock::System, Entropy::System).await?;
    let address = server.address()?;
    tracing::info!(
        release = env!("CARGO_PKG_VERSION"), %address, database = server.app().database_kind(),
        schema = Migrations::known(), data_dir = %config.data_dir.display(), process = std::process::id(),
        "the server has started"
    );
    announce(&format!("Keystead listens on http://{address}"));
    announce(&match server.setup_url() {
        Some(url) => format!("Set it up in your browser: {url}"),
        None => format!("Sign in: {}/app", config.public_url.clone().unwrap_or_else(|| format!("http://{address}"))),
    });
    let stopped = server.run(async {
        let signal = stop.await;
        tracing::info!(signal, "the server stops: requests under way may finish");
    });
    stopped.await?;
    tracing::info!("the server has stopped");
    Ok(())
}

/// JSON lines on standard error, with request and key ids and never a secret.
pub(super) fn log_to_stderr(level: tracing::Level) {
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_target(false);
    let _ = lines.with_max_level(level).with_writer(std::io::stderr).try_init();
}

/// Done at SIGTERM or SIGINT, with its name. SIGHUP, which a closed terminal sends too, ends nothing, nor does what those send
/// who rotate logs.
fn stop_signal() -> Result<impl Future<Output = &'static str>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::new(format!("no signal handler: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut hangup = listen(SignalKind::hangup())?;
    let (mut first, mut second) = (listen(SignalKind::user_defined1())?, listen(SignalKind::user_defined2())?);
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return "SIGTERM",
                _ = interrupt.recv() => return "SIGINT",
                _ = hangup.recv() => tracing::info!("SIGHUP is ignored: settings are read at the start"),
                _ = first.recv() => tracing::info!("SIGUSR1 is ignored: there is no log file to open anew"),
                _ = second.recv() => tracing::info!("SIGUSR2 is ignored: there is no log file to open anew"),
            }
        }
    })
}
