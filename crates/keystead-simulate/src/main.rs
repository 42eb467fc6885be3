//! Simulates years of keys, nodes, faults and people on the product's own transitions and SQL, and checks what it promises.
//!
//! The invariants K1 to K11 of docs/simulation.md are checked in real time, which only the simulation knows. A rule counts as proven
//! only if a run without it fails: `--ablate NAME`.

mod invariants;
mod node;
mod rules;
mod scenario;
mod windows;
mod world;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use clap::Parser;

use crate::{
    rules::{Ablation, Rules},
    scenario::run,
    windows::Windows,
};

/// Simulate the life of keys
#[derive(Parser)]
#[command(name = "cargo xtask simulate")]
struct Line {
    /// Runs, each with a seed of its own
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Leave out a rule; ends with an error when that is found out
    #[arg(long, value_name = "NAME")]
    ablate: Option<String>,
    /// Print the rules that can be left out, one name a line
    #[arg(long)]
    list_ablations: bool,
    /// Leave out each rule in turn, and fail if one is not found out
    #[arg(long, conflicts_with = "ablate")]
    all_ablations: bool,
}

fn main() -> ExitCode {
    let line = Line::parse();
    if line.list_ablations {
        for (_, name, what) in Ablation::ALL {
            println!("{name}");
            eprintln!("    {what}");
        }
        return ExitCode::SUCCESS;
    }
    if line.all_ablations {
        return every_ablation(&line);
    }
    let ablation = match line.ablate.as_deref().map(|name| (name, Ablation::parse(name))) {
        None => None,
        Some((_, Some(ablation))) => Some(ablation),
        Some((name, None)) => {
            eprintln!("there is no rule {name}; see --list-ablations");
            return ExitCode::from(2);
        }
    };
    match simulate(line.first_seed, line.seeds, Rules(ablation)) {
        Ok(Found::Nothing { key_years, windows, seconds }) => {
            println!("{} runs, {key_years:.0} key-years in {seconds:.1} s: no violation", line.seeds);
            print_windows(&windows);
            ExitCode::SUCCESS
        }
        Ok(Found::Violation { seed, violations }) => {
            let without = ablation.map_or(String::new(), |ablation| format!(" --ablate {}", ablation.name()));
            println!("seed {seed}: {}", violations.join("; "));
            println!("replay: cargo xtask simulate --seeds 1 --first-seed {seed}{without}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the simulation broke: {error}");
            ExitCode::from(3)
        }
    }
}

/// What a row of runs found.
enum Found {
    Nothing { key_years: f64, windows: Windows, seconds: f64 },
    Violation { seed: u64, violations: Vec<String> },
}

/// Runs the seeds on all cores. Of several violations the one with the lowest seed counts, whoever was faster.
fn simulate(first: u64, seeds: u64, rules: Rules) -> keystead_store::Result<Found> {
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let lowest = AtomicU64::new(u64::MAX);
    let part = |offset: u64| {
        let (mut key_years, mut windows, mut found) = (0.0, Windows::default(), None);
        for seed in (first + offset..first.saturating_add(seeds)).step_by(threads as usize) {
            if seed > lowest.load(Ordering::Relaxed) {
                break;
            }
            let report = run(seed, rules)?;
            if !report.violations.is_empty() {
                lowest.fetch_min(seed, Ordering::Relaxed);
                found = Some((seed, report.violations));
                break;
            }
            key_years += report.key_years;
            windows.add(report.windows);
        }
        Ok((key_years, windows, found))
    };
    let parts = std::thread::scope(|scope| {
        let part = &part;
        let started: Vec<_> = (0..threads).map(|offset| scope.spawn(move || part(offset))).collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("a run panicked"))
            .collect::<keystead_store::Result<Vec<_>>>()
    })?;
    let (mut key_years, mut windows, mut found) = (0.0, Windows::default(), Vec::new());
    for (years, hit, violation) in parts {
        key_years += years;
        windows.add(hit);
        found.extend(violation);
    }
    Ok(match found.into_iter().min_by_key(|(seed, _)| *seed) {
        Some((seed, violations)) => Found::Violation { seed, violations },
        None => Found::Nothing { key_years, windows, seconds: begun.elapsed().as_secs_f64() },
    })
}

fn every_ablation(line: &Line) -> ExitCode {
    let mut missed = 0;
    for (ablation, name, _) in Ablation::ALL {
        match simulate(line.first_seed, line.seeds, Rules(Some(*ablation))) {
            Ok(Found::Violation { seed, violations }) => {
                let runs = seed - line.first_seed + 1;
                println!("{name:<22} found out in run {runs:>3}: {}", violations.first().map_or("", String::as_str));
            }
            Ok(Found::Nothing { .. }) => {
                missed += 1;
                println!("{name:<22} NOT FOUND OUT in {} runs", line.seeds);
            }
            Err(error) => {
                eprintln!("{name}: the simulation broke: {error}");
                return ExitCode::from(3);
            }
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_windows(windows: &Windows) {
    println!("faults in dangerous windows:");
    for (name, count) in windows.named() {
        println!("  {name:<40} {count:>8}");
    }
}
