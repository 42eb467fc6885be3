//! `cargo xtask test`.

use std::process::Command;

use clap::Args;

use crate::{
    clients, documents,
    postgres::Cluster,
    run::{Outcome, built, cargo, run, timed},
};

type Part = (&'static str, fn() -> Outcome);

/// What can be left out, and what it is.
const PARTS: &[Part] = &[
    ("unit", unit),
    ("simulation", simulation),
    ("sqlite", sqlite),
    ("postgres", postgres),
    ("browser", clients::run_browser),
    ("clients", clients::run),
    ("documents", documents::run),
];

#[derive(Args)]
pub(crate) struct Test {
    /// Parts to leave out, separated by commas: unit, simulation, sqlite, postgres, browser, clients, documents
    #[arg(long, value_delimiter = ',')]
    skip: Vec<String>,
    /// Only these parts
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

impl Test {
    pub(crate) fn run(self) -> Outcome {
        let known = |name: &String| PARTS.iter().any(|(part, _)| part == name);
        if let Some(unknown) = self.skip.iter().chain(&self.only).find(|name| !known(name)) {
            let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
            return Err(format!("there is no part {unknown}; the parts are {}", names.join(", ")));
        }
        let mut times = Vec::new();
        let mut skipped = Vec::new();
        for (name, part) in PARTS {
            let wanted = self.only.is_empty() || self.only.iter().any(|only| only == name);
            if self.skip.iter().any(|skip| skip == name) || !wanted {
                skipped.push(*name);
            } else {
                times.push(timed(name, part)?);
            }
        }
        println!("\nAll parts passed:");
        for (name, seconds) in times {
            println!("  {name:<10} {seconds:>5} s");
        }
        if !skipped.is_empty() {
            println!("  SKIPPED: {}", skipped.join(", "));
        }
        Ok(())
    }
}

fn unit() -> Outcome {
    run(&mut cargo(&["test", "--workspace", "--lib", "--bins"]))
}

/// The simulation of keys' lives, with arguments of its own.
pub(crate) fn run_simulation(arguments: &[String]) -> Outcome {
    run(Command::new(built()?.join("keystead-simulate")).args(arguments))
}

/// More than 1,000 key-years without a violation, and each rule missed when it is left out.
fn simulation() -> Outcome {
    let arguments = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    run_simulation(&arguments(&["--seeds", "30"]))?;
    run_simulation(&arguments(&["--all-ablations", "--seeds", "100"]))
}

fn sqlite() -> Outcome {
    run(&mut cargo(&["test", "--workspace", "--test", "it"]))
}

fn postgres() -> Outcome {
    let cluster = Cluster::start()?;
    run(cargo(&["test", "--workspace", "--test", "it"]).env("KEYSTEAD_TEST_POSTGRES", cluster.url()))
}
