//! Running programs.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

/// A sentence that says what is wrong and what to do.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Runs a command whose output is shown.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown} ended with {status}")),
        Err(error) => Err(format!("{shown} cannot be started: {error}")),
    }
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let shown = format!("{command:?}");
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| format!("{shown} cannot be started: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{shown} ended with {}", output.status))
    }
}

/// Builds all programs. Answers where they are.
pub(crate) fn built() -> Outcome<PathBuf> {
    // With a test among what is built, dependencies have the features that they have in all tests: else they, and everything
    // above them, would be compiled once more.
    run(&mut cargo(&["build", "--workspace", "--bins", "--test", "it"]))?;
    Ok(root().join("target/debug"))
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

/// `cargo`, in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root());
    // What cargo told this task about itself would make it build again what depends on such variables.
    let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| ours.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs one part of a task and prints how long it took.
pub(crate) fn timed(name: &str, part: impl FnOnce() -> Outcome) -> Outcome<(String, u64)> {
    println!("== {name}");
    let begun = Instant::now();
    part().map_err(|problem| format!("{name}: {problem}"))?;
    let seconds = begun.elapsed().as_secs();
    println!("== {name}: {seconds} s");
    Ok((name.to_owned(), seconds))
}

/// Whether a program can be started.
pub(crate) fn has(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Installs Debian packages, where this is Debian and we are root.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root || !has("apt-get") {
        return Err(format!("{} is missing; install it, or leave the part out with --skip", packages.join(" and ")));
    }
    println!("installing {}", packages.join(", "));
    let apt = |arguments: &[&str]| {
        run(Command::new("apt-get")
            .args(["-qq", "-y"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null()))
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}
