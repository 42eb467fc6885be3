//! Attacks on a real server, in full. They speak HTTP and the command line, so they know nothing of what they attack.
//!
//! `cargo xtask campaign NAME` builds and runs them; `tests/it` has a bounded sample of each.

mod client;
mod figures;
mod guesses;
mod overload;
mod people;
mod receiver;
mod scale;
mod server;
mod slow_clients;
mod strangers;
mod webhooks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a campaign could not be run.
type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
struct Line {
    /// The server to attack
    #[arg(long, global = true, default_value = "target/release/keystead")]
    binary: String,
    /// A PostgreSQL with an empty database, instead of SQLite
    #[arg(long, global = true)]
    database_url: Option<String>,
    /// Cores of the server, as taskset takes them
    #[arg(long, global = true)]
    server_cores: Option<String>,
    /// More arguments for the server
    #[arg(long, global = true, allow_hyphen_values = true, value_delimiter = ' ')]
    serve: Vec<String>,
    #[command(subcommand)]
    campaign: Campaign,
}

#[derive(Subcommand)]
enum Campaign {
    /// Clients that send and read slowly, or do nothing
    SlowClients(slow_clients::SlowClients),
    /// Ten times what the server can do
    Overload(overload::Overload),
    /// Guessing passwords
    Guesses(guesses::Guesses),
    /// A location of very many contacts
    Scale(scale::Scale),
    /// Links that are opened and forms that are answered, by many at once
    Strangers(strangers::Strangers),
    /// Receivers that fail, a sender that is killed, silent neighbours
    Webhooks(webhooks::Webhooks),
}

fn main() -> ExitCode {
    let Line { binary, database_url, server_cores, serve, campaign } = Line::parse();
    let place = server::Place { binary, database_url, server_cores, serve };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let outcome = match (runtime, campaign) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(runtime), Campaign::SlowClients(campaign)) => runtime.block_on(campaign.run(&place)),
        (Ok(runtime), Campaign::Overload(campaign)) => runtime.block_on(campaign.run(&place)),
        (Ok(runtime), Campaign::Guesses(campaign)) => runtime.block_on(campaign.run(&place)),
        (Ok(runtime), Campaign::Scale(campaign)) => runtime.block_on(campaign.run(&place)),
        (Ok(runtime), Campaign::Strangers(campaign)) => runtime.block_on(campaign.run(&place)),
        (Ok(runtime), Campaign::Webhooks(campaign)) => runtime.block_on(campaign.run(&place)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("campaign: {problem}");
            ExitCode::FAILURE
        }
    }
}
