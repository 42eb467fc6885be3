//! Tests against a real server: unmodified clients in Node.js and Python, and the pages in a browser.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    packages::{node_project, python_programs},
    postgres::free_port,
    run::{Outcome, built, has, install, output, root, run as process},
};

/// A server on a throwaway directory, ended with its owner.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gently, so that a demo removes its own folder.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What is run, each on a server of its own so that all find the same: the test, the client that it is to use (`clients/README.md`
/// lists them), and how many requests a key may send a day.
const TESTS: &[(&str, &str, &str)] = &[
    ("expectation.test.js", "none", "off"),
    ("stories.test.js", "node-3", "off"),
    ("stories.test.js", "node-2", "off"),
    ("stories.test.js", "older", "off"),
    ("stories.py", "python", "off"),
    ("models.py", "python", "off"),
    ("habits.test.js", "none", "off"),
    ("limits.test.js", "none", "20"),
    ("guides.test.js", "none", "off"),
    ("webhooks.test.js", "none", "off"),
    ("webhooks.py", "python", "off"),
];

/// The part `clients`. A failure of one does not keep the others from being told.
pub(crate) fn run() -> Outcome {
    let folder = node_project("clients/node")?;
    let python = python_programs()?.join("python");
    let binary = server_program()?;
    let mut failed = Vec::new();
    for (test, client, daily_limit) in TESTS {
        let (server, mut environment) = start_limited(&binary, daily_limit)?;
        environment.push(("KEYSTEAD_CLIENT", (*client).to_owned()));
        let outcome = if *client == "python" {
            let mut command = Command::new(&python);
            command.arg(root().join("clients/python").join(test)).env("KEYSTEAD_URL", &server.url).envs(environment);
            process(&mut command)
        } else {
            node_tests(&folder, &[test], &server, environment)
        };
        if outcome.is_err() {
            failed.push(format!("{test} ({client})"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// What is tested on one demo, one after another.
const OF_THE_DEMO: &[&str] = &[
    "old-keys.test.js",
    "finding.test.js",
    "keys.test.js",
    "overview.test.js",
    "contacts.test.js",
    "views.test.js",
    "imports.test.js",
    "inbound-webhooks.test.js",
    "links.test.js",
    "opportunities.test.js",
    "webhooks.test.js",
    "forms.test.js",
    "whole-way.test.js",
    "weight.test.js",
];

/// The part `browser`: pages in a real browser, from an empty instance on.
pub(crate) fn run_browser() -> Outcome {
    install_browser()?;
    let folder = node_project("browser")?;
    let binary = server_program()?;
    let server = Server::start(&binary)?;
    let setup_url = server.setup_url()?;
    node_tests(&folder, &["app.test.js"], &server, vec![("KEYSTEAD_SETUP_URL", setup_url)])?;
    drop(server);
    let server = Server::start(&binary)?;
    let setup_url = server.setup_url()?;
    node_tests(&folder, &["long-names.test.js"], &server, vec![("KEYSTEAD_SETUP_URL", setup_url)])?;
    drop(server);
    // Keys that have grown old are in the demo.
    let demo = Server::run(&binary, "demo", new_folder()?, "off")?;
    node_tests(&folder, OF_THE_DEMO, &demo, Vec::new())
}

/// Every page of the demo as pictures, in a folder.
pub(crate) fn run_screenshots(folder: &Path) -> Outcome {
    install_browser()?;
    let project = node_project("browser")?;
    let demo = Server::run(&server_program()?, "demo", new_folder()?, "off")?;
    let mut command = Command::new("node");
    command.arg("screenshots.js").current_dir(project).env("KEYSTEAD_URL", &demo.url);
    process(command.env("KEYSTEAD_SCREENSHOTS", folder))
}

fn install_browser() -> Outcome {
    if ["chromium", "chromium-browser", "google-chrome"].iter().any(|program| has(program)) {
        return Ok(());
    }
    install(&["chromium"])
}

/// The program of the server.
pub(crate) fn server_program() -> Outcome<PathBuf> {
    Ok(built()?.join("keystead"))
}

fn node_tests(folder: &Path, files: &[&str], server: &Server, environment: Vec<(&'static str, String)>) -> Outcome {
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]).args(files).current_dir(folder);
    command.env("KEYSTEAD_URL", &server.url).envs(environment);
    process(&mut command)
}

/// Sets up an instance by the command line, as a newcomer would, and serves it.
pub(crate) fn start_set_up(binary: &Path) -> Outcome<(Server, Vec<(&'static str, String)>)> {
    start_limited(binary, "off")
}

/// The same, where a key may send so many requests a day.
fn start_limited(binary: &Path, daily_limit: &str) -> Outcome<(Server, Vec<(&'static str, String)>)> {
    let folder = new_folder()?;
    let data = folder.join("data").display().to_string();
    let password = folder.join("password").display().to_string();
    fs::write(&password, "correct horse battery\n").map_err(|error| error.to_string())?;
    let answer = |arguments: &[&str]| -> Outcome<Value> {
        let text = output(Command::new(binary).args(arguments).args(["--data-dir", &data, "--json"]))?;
        serde_json::from_str(&text).map_err(|error| format!("{arguments:?} answered no JSON: {error}"))
    };
    #[rustfmt::skip]
    let ids = answer(&[
        "init", "--agency", "Northwind Agency", "--location", "Harbour Dental", "--admin-email", "admin@example.com",
        "--admin-password-file", &password,
    ])?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (agency, location) = (text(&ids["agencyId"]), text(&ids["locationId"]));
    // No preset has users, and whoever makes one needs all that a user may do.
    let with_users = |key: &Value| {
        let scopes: Vec<&str> =
            key["apiKey"]["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let scopes = format!("{},users.readonly,users.write", scopes.join(","));
        answer(&["keys", "update", &text(&key["apiKey"]["id"]), "--scopes", &scopes])
    };
    #[rustfmt::skip]
    let location_key = answer(&[
        "keys", "create", "--kind", "location", "--location-id", &location, "--name", "SDK", "--preset", "full-access",
    ])?;
    let agency_key = answer(&["keys", "create", "--kind", "agency", "--name", "SDK", "--preset", "full-access"])?;
    with_users(&location_key)?;
    with_users(&agency_key)?;
    let spare_key = answer(&["keys", "create", "--kind", "agency", "--name", "Spare", "--preset", "read-only"])?;
    let environment = vec![
        ("KEYSTEAD_AGENCY_ID", agency),
        ("KEYSTEAD_LOCATION_ID", location),
        ("KEYSTEAD_LOCATION_KEY", text(&location_key["key"])),
        ("KEYSTEAD_AGENCY_KEY", text(&agency_key["key"])),
        ("KEYSTEAD_SPARE_KEY_ID", text(&spare_key["apiKey"]["id"])),
    ];
    Ok((Server::run(binary, "serve", folder, daily_limit)?, environment))
}

fn new_folder() -> Outcome<PathBuf> {
    let folder = std::env::temp_dir().join(format!("keystead-clients-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

impl Server {
    /// On an empty directory.
    fn start(binary: &Path) -> Outcome<Self> {
        Self::run(binary, "serve", new_folder()?, "off")
    }

    fn run(binary: &Path, command: &str, folder: PathBuf, daily_limit: &str) -> Outcome<Self> {
        let port = free_port()?;
        let printed = fs::File::create(folder.join("stdout")).map_err(|error| error.to_string())?;
        let mut run = Command::new(binary);
        run.args([command, "--listen", &format!("127.0.0.1:{port}")]);
        // A demo has a folder of its own.
        if command != "demo" {
            run.arg("--data-dir").arg(folder.join("data"));
        }
        let child = run
            // What tests send is more than a client does.
            .env("KEYSTEAD_RATE_LIMIT", "off")
            .env("KEYSTEAD_DAILY_RATE_LIMIT", daily_limit)
            // Receivers of webhooks are here, too.
            .env("KEYSTEAD_WEBHOOK_ALLOW", "127.0.0.1/32")
            // The browser's, which the server would take for a setting of its own.
            .env_remove("KEYSTEAD_SCREENSHOTS")
            .stdout(printed)
            .spawn()
            .map_err(|error| format!("the server cannot be started: {error}"))?;
        let server = Self { child, url: format!("http://127.0.0.1:{port}"), folder };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() || server.printed().is_empty() {
            if begun.elapsed() > Duration::from_secs(60) {
                return Err("the server does not listen".to_owned());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn printed(&self) -> String {
        fs::read_to_string(self.folder.join("stdout")).unwrap_or_default()
    }

    /// What the server printed for whoever sets it up.
    fn setup_url(&self) -> Outcome<String> {
        let printed = self.printed();
        let url = printed.split_whitespace().find(|word| word.contains("/app/setup?token="));
        url.map(str::to_owned).ok_or_else(|| format!("the server printed no address of its wizard: {printed}"))
    }
}
