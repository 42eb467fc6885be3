//! `keystead serve`.

use keystead_core::{Clock, Entropy};
use tokio::signal::unix::{SignalKind, signal};

use crate::{config::Config, failure::Failure, serve::Server};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    log_to_stderr();
    let server = Server::bind(config, Clock::System, Entropy::System).await?;
    let address = server.address()?;
    println!("Keystead listens on http://{address}");
    match server.setup_url() {
        Some(url) => println!("Set it up in your browser: {url}"),
        None => println!("Sign in: {}/app", config.public_url.clone().unwrap_or_else(|| format!("http://{address}"))),
    }
    server.run(stop_signal()?).await
}

/// JSON lines on standard error, with request and key ids and never a secret.
pub(super) fn log_to_stderr() {
    let _ =
        tracing_subscriber::fmt().json().flatten_event(true).with_target(false).with_writer(std::io::stderr).try_init();
}

/// Done at SIGTERM or SIGINT.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::new(format!("no signal handler: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
