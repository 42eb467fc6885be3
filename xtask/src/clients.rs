//! Unmodified official clients against a real server: what `clients/` holds is run with their registries' packages.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    postgres::free_port,
    run::{Outcome, cargo, has, install, output, root, run as process},
};

/// A server on a throwaway directory, ended with its owner.
struct Server {
    child: Child,
    url: String,
    folder: std::path::PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn run() -> Outcome {
    if !has("node") || !has("npm") {
        install(&["nodejs", "npm"])?;
    }
    let folder = root().join("clients/node");
    if !folder.join("node_modules").exists() {
        process(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder))?;
    }
    process(&mut cargo(&["build", "--package", "keystead"]))?;
    let binary = root().join("target/debug/keystead");
    let (server, environment) = start(&binary)?;
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec"]).current_dir(&folder).env("KEYSTEAD_URL", &server.url);
    for (name, value) in environment {
        command.env(name, value);
    }
    process(&mut command)
}

/// Sets up an instance by the command line, as a newcomer would, and serves it.
fn start(binary: &Path) -> Outcome<(Server, Vec<(&'static str, String)>)> {
    let folder = std::env::temp_dir().join(format!("keystead-clients-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let data = folder.join("data").display().to_string();
    let password = folder.join("password").display().to_string();
    let write = |text: &[u8]| fs::File::create(&password).and_then(|mut file| file.write_all(text));
    write(b"correct horse battery\n").map_err(|error| error.to_string())?;
    let answer = |arguments: &[&str]| -> Outcome<Value> {
        let text = output(Command::new(binary).args(arguments).args(["--data-dir", &data, "--json"]))?;
        serde_json::from_str(&text).map_err(|error| format!("{arguments:?} answered no JSON: {error}"))
    };
    let ids = answer(&[
        "init",
        "--agency",
        "Northwind Agency",
        "--location",
        "Harbour Dental",
        "--admin-email",
        "admin@example.com",
        "--admin-password-file",
        &password,
    ])?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (agency, location) = (text(&ids["agencyId"]), text(&ids["locationId"]));
    let location_key = answer(&[
        "keys",
        "create",
        "--kind",
        "location",
        "--location-id",
        &location,
        "--name",
        "SDK",
        "--preset",
        "full-access",
    ])?;
    let agency_key = answer(&["keys", "create", "--kind", "agency", "--name", "SDK", "--preset", "full-access"])?;
    let port = free_port()?;
    let child = Command::new(binary)
        .args(["serve", "--data-dir", &data, "--listen", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("the server cannot be started: {error}"))?;
    let server = Server { child, url: format!("http://127.0.0.1:{port}"), folder };
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > Duration::from_secs(20) {
            return Err("the server does not listen".to_owned());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let environment = vec![
        ("KEYSTEAD_AGENCY_ID", agency),
        ("KEYSTEAD_LOCATION_ID", location),
        ("KEYSTEAD_LOCATION_KEY", text(&location_key["key"])),
        ("KEYSTEAD_AGENCY_KEY", text(&agency_key["key"])),
    ];
    Ok((server, environment))
}
