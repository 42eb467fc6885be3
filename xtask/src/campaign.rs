//! `cargo xtask campaign NAME`: attacks on a release build, in full; their figures stand in `docs/campaigns.md`.

use std::{process::Command, thread::available_parallelism};

use clap::Args;

use crate::{
    postgres::Cluster,
    run::{Outcome, cargo, has, root, run},
};

#[derive(Args)]
pub(crate) struct Campaign {
    /// slow-clients, overload, guesses, scale, strangers or webhooks, and what it is told; see `cargo xtask campaign -- NAME --help`
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// On a throwaway PostgreSQL instead of SQLite
    #[arg(long)]
    postgres: bool,
}

impl Campaign {
    pub(crate) fn run(self) -> Outcome {
        run(&mut cargo(&["build", "--release", "--package", "keystead", "--package", "campaign"]))?;
        let cluster = if self.postgres { Some(Cluster::start()?) } else { None };
        // The attackers have a core of their own, where there are two: else they would slow down what they measure.
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        let campaign = root().join("target/release/campaign");
        let mut command = if cores > 1 && has("taskset") {
            let mut command = Command::new("taskset");
            command.args(["-c", &(cores - 1).to_string()]).arg(campaign);
            if !self.postgres {
                command.args(["--server-cores", &format!("0-{}", cores - 2)]);
            }
            command
        } else {
            Command::new(campaign)
        };
        command.arg("--binary").arg(root().join("target/release/keystead"));
        if let Some(cluster) = &cluster {
            command.args(["--database-url", &cluster.url()]);
        }
        run(command.args(self.arguments))
    }
}
