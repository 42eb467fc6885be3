//! `cargo xtask …`: what the project runs, the same by hand and in CI.

mod bench;
mod campaign;
mod clients;
mod contract;
mod documents;
mod lint;
mod packages;
mod postgres;
mod run;
mod test;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Tasks of the project
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests: unit, integration on SQLite and PostgreSQL, browser, real clients
    Test(test::Test),
    /// Measure against a bare axum server
    Bench(bench::Bench),
    /// Attack a release build in full: slow-clients, overload, guesses
    Campaign(campaign::Campaign),
    /// Simulate years of keys and check what is promised of their life (see cargo xtask simulate -- --help)
    #[command(disable_help_flag = true)]
    Simulate {
        /// Handed to the simulation
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Make pictures of every page of the demo, at five widths and in both themes
    Screenshots {
        /// Where they go
        #[arg(default_value = "target/screenshots")]
        folder: PathBuf,
    },
    /// Distil the published contract into `contract/`
    Contract(contract::Contract),
    /// Check format, lints and the borders between the rooms
    Lint,
}

fn main() -> ExitCode {
    let outcome = match Line::parse().task {
        Task::Test(test) => test.run(),
        Task::Bench(bench) => bench.run(),
        Task::Campaign(campaign) => campaign.run(),
        Task::Simulate { arguments } => test::run_simulation(&arguments),
        Task::Screenshots { folder } => clients::run_screenshots(&run::root().join(folder)),
        Task::Contract(contract) => contract.run(),
        Task::Lint => lint::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
