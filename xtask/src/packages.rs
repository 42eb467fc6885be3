//! What the tests in other languages need, from the registries of those languages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::run::{Outcome, has, install, root, run};

/// A folder with tests for Node.js, its packages installed.
pub(crate) fn node_project(name: &str) -> Outcome<PathBuf> {
    if !has("node") || !has("npm") {
        install(&["nodejs", "npm"])?;
    }
    let folder = root().join(name);
    once(&folder.join("package-lock.json"), &folder.join("node_modules"), || {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder))
    })?;
    Ok(folder)
}

/// The folder of the programs of a Python environment of our own, its packages installed.
pub(crate) fn python_programs() -> Outcome<PathBuf> {
    let folder = root().join("clients/python");
    let (requirements, environment) = (folder.join("requirements.txt"), folder.join(".venv"));
    let programs = environment.join("bin");
    once(&requirements, &environment, || {
        let create = || run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        if create().is_err() {
            install(&["python3", "python3-venv"])?;
            create()?;
        }
        run(Command::new(programs.join("pip")).args(["install", "--quiet", "--requirement"]).arg(&requirements))
    })?;
    Ok(programs)
}

/// Installs what `list` names into `place`, unless that was done since it last changed.
fn once(list: &Path, place: &Path, install: impl FnOnce() -> Outcome) -> Outcome {
    let noted = place.join("installed");
    let wanted = fs::read_to_string(list).map_err(|error| format!("{} cannot be read: {error}", list.display()))?;
    if fs::read_to_string(&noted).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(&noted, wanted).map_err(|error| format!("{} cannot be written: {error}", noted.display()))
}
