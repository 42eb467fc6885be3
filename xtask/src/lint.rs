//! `cargo xtask lint`: format, clippy, and the borders between the rooms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::run::{Outcome, cargo, output, run as process, timed};

/// Which rooms each room may use (ARCHITECTURE.md). What is not listed is refused.
const ROOMS: &[(&str, &[&str])] = &[
    ("keystead-model", &[]),
    ("keystead-store", &["keystead-model"]),
    ("keystead-outbound", &["keystead-model"]),
    ("keystead-core", &["keystead-store", "keystead-outbound", "keystead-model"]),
    ("keystead-http", &["keystead-core", "keystead-model"]),
    ("keystead-api", &["keystead-http", "keystead-core", "keystead-model"]),
    ("keystead-web", &["keystead-http", "keystead-core", "keystead-model"]),
    ("keystead-jobs", &["keystead-core", "keystead-model"]),
];

/// Which rooms may use a crate that belongs to one of them.
const GUARDED: &[(&str, &[&str])] = &[
    ("rusqlite", &["keystead-store"]),
    ("postgres", &["keystead-store", "keystead-testkit"]),
    ("tokio-postgres-rustls", &["keystead-store"]),
    ("axum", &["keystead-web", "keystead", "hello"]),
    ("reqwest", &["keystead-testkit"]),
    ("lettre", &["keystead-outbound"]),
    ("hickory-resolver", &["keystead-outbound"]),
    // Reading an address as browsers do is a rule; calling one is not.
    ("url", &["keystead-outbound", "keystead-model"]),
    ("argon2", &["keystead-core"]),
    ("rlibphonenumber", &["keystead-model"]),
];

/// What must not come in through any dependency: C libraries that a user would have to install or build.
const KEPT_OUT: &[&str] = &["openssl-sys", "aws-lc-sys", "native-tls"];

/// Licences that dependencies may have.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "MPL-2.0",
    "CC0-1.0",
    "Unlicense",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
];

/// Everything that `lint` checks.
pub(crate) fn run() -> Outcome {
    timed("format", || process(&mut cargo(&["fmt", "--all", "--check"])))?;
    timed("borders", borders)?;
    timed("clippy", || {
        process(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
    })?;
    Ok(())
}

fn borders() -> Outcome {
    let text = output(&mut cargo(&["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut problems = Vec::new();
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        if KEPT_OUT.contains(&name) {
            problems.push(format!("{name} came in; find it with `cargo tree --invert {name}`"));
        }
        if !members.contains(package["id"].as_str().unwrap_or_default()) {
            let licence = package["license"].as_str().unwrap_or_default();
            if !is_allowed(licence) {
                problems.push(format!("{name} has the licence {licence:?}"));
            }
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // What only tests use crosses no border.
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            let used = dependency["name"].as_str().unwrap_or_default();
            if let Some(allowed) = rooms.get(name)
                && used.starts_with("keystead")
                && !allowed.contains(&used)
            {
                problems.push(format!("{name} must not use {used}"));
            }
            if let Some((_, owners)) = GUARDED.iter().find(|(guarded, _)| *guarded == used)
                && !owners.contains(&name)
            {
                problems.push(format!("{name} must not use {used}, which belongs to {}", owners.join(", ")));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// `MIT OR Apache-2.0` needs one of them, `MIT AND Zlib` both; the older form has a slash for OR.
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let one = |licence: &str| LICENCES.contains(&licence.trim());
    plain.split(" AND ").all(|part| part.split(" OR ").any(one))
}
