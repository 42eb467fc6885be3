//! `cargo xtask bench --writes`: creates of contacts on both databases, on one server and three, in one location and eight.
//!
//! Here nothing is pinned: servers, databases and load share the machine, and what counts is the CPU of a create, of the servers
//! and of PostgreSQL together. PostgreSQL flushes its commits to the disk, as SQLite does.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    postgres::{Cluster, free_port},
    run::{Outcome, output, root},
};

/// What is measured.
struct Case {
    on_postgres: bool,
    servers: usize,
    locations: usize,
    connections: usize,
}

const CASES: &[Case] = &[
    Case { on_postgres: false, servers: 1, locations: 1, connections: 1 },
    Case { on_postgres: false, servers: 1, locations: 1, connections: 8 },
    Case { on_postgres: false, servers: 1, locations: 1, connections: 64 },
    Case { on_postgres: true, servers: 1, locations: 1, connections: 1 },
    Case { on_postgres: true, servers: 1, locations: 1, connections: 8 },
    Case { on_postgres: true, servers: 1, locations: 1, connections: 64 },
    Case { on_postgres: true, servers: 1, locations: 8, connections: 64 },
    Case { on_postgres: true, servers: 3, locations: 1, connections: 64 },
    Case { on_postgres: true, servers: 3, locations: 8, connections: 64 },
];

const LOCATIONS: usize = 8;

/// Contacts as they come: a name, an address and a phone number. `KEYS` stands for keys of the locations.
const CREATE: &str = "local keys = {KEYS}\nmath.randomseed(os.time() + tonumber(tostring({}):sub(8), 16) % 100000)\n\
local run, n = math.random(1, 1000000000), 0\n\
request = function()\n  n = n + 1\n\
  local body = string.format('{\"firstName\":\"Ada\",\"lastName\":\"L%d\",\"email\":\"a%d.%d@example.com\",\"phone\":\"+1415%07d\"}', n, run, n, (run + n) % 10000000)\n\
  return wrk.format('POST', nil, {['Content-Type'] = 'application/json', ['Authorization'] = 'Bearer ' .. keys[n % #keys + 1]}, body)\nend\n";

/// One instance, on a database of its own.
struct Instance {
    servers: Vec<Child>,
    ports: Vec<u16>,
    keys: Vec<String>,
    cluster: Option<Cluster>,
}

impl Drop for Instance {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

pub(super) fn measure(folder: &Path, seconds: u32, rounds: usize) -> Outcome {
    println!(
        "| database | servers | locations | connections | creates/s | CPU µs a create | of it the servers' | begun again |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (number, case) in CASES.iter().enumerate() {
        let folder = folder.join(number.to_string());
        let instance = Instance::start(&folder, case)?;
        let mut figures = Vec::new();
        for _ in 0..rounds {
            figures.push(instance.round(&folder, case, seconds)?);
        }
        figures.sort_by(|one, other| f64::total_cmp(&one.0, &other.0));
        let (rate, cpu, own) = figures[figures.len() / 2];
        println!(
            "| {} | {} | {} | {} | {rate:.0} | {cpu:.0} | {own:.0} | {} |",
            if case.on_postgres { "PostgreSQL" } else { "SQLite" },
            case.servers,
            case.locations,
            case.connections,
            instance.retries()?
        );
    }
    Ok(())
}

impl Instance {
    fn start(folder: &Path, case: &Case) -> Outcome<Self> {
        let cluster = if case.on_postgres { Some(Cluster::durable()?) } else { None };
        let binary = root().join("target/release/keystead").display().to_string();
        let data = |number: usize| folder.join(format!("node-{number}"));
        for number in 0..case.servers {
            fs::create_dir_all(data(number)).map_err(|error| error.to_string())?;
        }
        let password = folder.join("password").display().to_string();
        fs::write(&password, "correct horse battery").map_err(|error| error.to_string())?;
        let command = |number: usize| {
            let mut command = Command::new(&binary);
            if let Some(cluster) = &cluster {
                command.args(["--database-url", &cluster.url()]);
            }
            command.arg("--data-dir").arg(data(number));
            command
        };
        let answer = |arguments: &[&str]| -> Outcome<Value> {
            let text = output(command(0).args(arguments).arg("--json"))?;
            serde_json::from_str(&text).map_err(|error| error.to_string())
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        #[rustfmt::skip]
        let first = answer(&["init", "--agency", "Bench", "--location", "L", "--admin-email", "a@example.com", "--admin-password-file", &password])?;
        let mut keys = Vec::new();
        for number in 0..LOCATIONS.min(case.locations) {
            let location = match number {
                0 => text(&first["locationId"]),
                _ => text(&answer(&["locations", "create", "--name", "L"])?["id"]),
            };
            #[rustfmt::skip]
            let key = answer(&["keys", "create", "--kind", "location", "--location-id", &location, "--name", "Bench", "--preset", "full-access"])?;
            keys.push(text(&key["key"]));
        }
        let (mut servers, mut ports) = (Vec::new(), Vec::new());
        for number in 0..case.servers {
            if number > 0 {
                let secret = |number| data(number).join("instance-secret");
                fs::copy(secret(0), secret(number)).map_err(|error| error.to_string())?;
            }
            let port = free_port()?;
            let listen = format!("127.0.0.1:{port}");
            let mut serve = command(number);
            serve.args(["serve", "--listen", &listen, "--rate-limit", "off", "--metrics-token", "bench"]);
            let server = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            servers.push(server.map_err(|error| format!("{binary} cannot be started: {error}"))?);
            ports.push(port);
        }
        let instance = Self { servers, ports, keys, cluster };
        for port in &instance.ports {
            let begun = Instant::now();
            while std::net::TcpStream::connect(("127.0.0.1", *port)).is_err() {
                if begun.elapsed() > Duration::from_secs(20) {
                    return Err("a server does not listen".to_owned());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(instance)
    }

    /// Creates a second, and microseconds of CPU for each: of all processes, and of the servers.
    fn round(&self, folder: &Path, case: &Case, seconds: u32) -> Outcome<(f64, f64, f64)> {
        let script = folder.join("create.lua");
        let keys = self.keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ");
        fs::write(&script, CREATE.replace("KEYS", &keys)).map_err(|error| error.to_string())?;
        let before = (self.cpu_of_servers(), self.cpu_of_database());
        let loads: Vec<_> = self
            .ports
            .iter()
            .map(|port| {
                let connections = (case.connections / case.servers).max(1);
                Command::new("wrk")
                    .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s"])
                    .arg(&script)
                    .arg(format!("http://127.0.0.1:{port}/contacts/"))
                    .stdout(Stdio::piped())
                    .spawn()
            })
            .collect();
        let mut done = 0.0;
        for load in loads {
            let answer = load.and_then(Child::wait_with_output).map_err(|error| format!("wrk: {error}"))?;
            let text = String::from_utf8_lossy(&answer.stdout).into_owned();
            if let Some(failed) = text.lines().find(|line| line.contains("Non-2xx")) {
                return Err(format!("creates failed: {}", failed.trim()));
            }
            let line = text.lines().find(|line| line.contains("requests in")).unwrap_or_default();
            done += line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
        }
        let micros = |ticks: u64| ticks as f64 * 10_000.0 / done.max(1.0);
        let (own, database) = (micros(self.cpu_of_servers() - before.0), micros(self.cpu_of_database() - before.1));
        Ok((done / f64::from(seconds), own + database, own))
    }

    /// Ticks of 10 ms that the servers have spent.
    fn cpu_of_servers(&self) -> u64 {
        self.servers.iter().map(|server| ticks(server.id())).sum()
    }

    /// The same of PostgreSQL.
    fn cpu_of_database(&self) -> u64 {
        self.cluster.as_ref().map_or(0, |cluster| cluster.processes().map(ticks).sum())
    }

    /// Transactions that were run again since the start.
    fn retries(&self) -> Outcome<u64> {
        let mut retries = 0;
        for port in &self.ports {
            let url = format!("http://127.0.0.1:{port}/metrics");
            let text = output(Command::new("curl").args(["-s", "-H", "Authorization: Bearer bench", &url]))?;
            let line =
                text.lines().find(|line| line.starts_with("keystead_database_retries_total")).unwrap_or_default();
            retries += line.rsplit(' ').next().and_then(|count| count.parse::<f64>().ok()).unwrap_or(0.0) as u64;
        }
        Ok(retries)
    }
}

fn ticks(process: u32) -> u64 {
    super::cpu(process).map_or(0, |(user, system)| user + system)
}
