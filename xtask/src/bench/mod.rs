//! `cargo xtask bench`: CPU per request and requests per second, each target's rounds paired with a bare axum server's.
//!
//! The server has one core and the load generator the other. The machines are shared and noisy: quote ratios.

mod writes;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::Value;

use crate::{
    postgres::{Cluster, free_port},
    run::{Outcome, cargo, has, install, output, root, run},
};

#[derive(Args)]
pub(crate) struct Bench {
    /// Seconds of each round
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Rounds of each target
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Contacts in the location that is listed
    #[arg(long, default_value_t = 100_000)]
    contacts: i64,
    /// Creates on both databases, on one server and three, instead
    #[arg(long)]
    writes: bool,
    /// Jobs of the queue on both databases instead
    #[arg(long)]
    queue: bool,
}

/// A server on one core.
struct Pinned {
    child: Child,
    port: u16,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One round: requests per second, and microseconds of CPU per request in user mode and in all.
#[derive(Clone, Copy, Default)]
struct Round {
    rate: f64,
    user: f64,
    total: f64,
    failed: u64,
}

/// A request to measure.
struct Target {
    name: &'static str,
    path: String,
    connections: u32,
    script: Option<&'static str>,
    fails_on_purpose: bool,
}

const CREATE: &str = "local n = 0\nmath.randomseed(os.time())\nlocal run = math.random(1, 1000000000)\n\
request = function()\n  n = n + 1\n  return wrk.format('POST', nil, nil, '{\"name\":\"Bench ' .. run .. ' ' .. n .. '\"}')\nend\n";

impl Bench {
    pub(crate) fn run(self) -> Outcome {
        if !self.queue && !has("wrk") {
            install(&["wrk"])?;
        }
        run(&mut cargo(&[
            "build",
            "--release",
            "--package",
            "keystead",
            "--package",
            "hello",
            "--package",
            "authenticate",
            "--package",
            "queue",
        ]))?;
        let folder = std::env::temp_dir().join(format!("keystead-bench-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let outcome = match (self.writes, self.queue) {
            (true, _) => writes::measure(&folder, self.seconds, self.rounds),
            (_, true) => measure_queue(&folder),
            _ => self.measure(&folder),
        };
        let _ = fs::remove_dir_all(&folder);
        outcome
    }

    fn measure(&self, folder: &Path) -> Outcome {
        let binary = root().join("target/release/keystead").display().to_string();
        let data = folder.join("data").display().to_string();
        let password = folder.join("password").display().to_string();
        fs::write(&password, "correct horse battery").map_err(|error| error.to_string())?;
        let answer = |arguments: &[&str]| -> Outcome<Value> {
            let text = output(Command::new(&binary).args(arguments).args(["--data-dir", &data, "--json"]))?;
            serde_json::from_str(&text).map_err(|error| error.to_string())
        };
        #[rustfmt::skip]
        let ids = answer(&["init", "--agency", "Bench", "--location", "Bench", "--admin-email", "a@example.com", "--admin-password-file", &password])?;
        let location = ids["locationId"].as_str().unwrap_or_default().to_owned();
        #[rustfmt::skip]
        let key = answer(&["keys", "create", "--kind", "location", "--location-id", &location, "--name", "Bench", "--preset", "full-access"])?;
        let secret = key["key"].as_str().unwrap_or_default().to_owned();

        let hello_port = free_port()?;
        let hello_binary = root().join("target/release/hello").display().to_string();
        let hello = pinned(&[&hello_binary, &hello_port.to_string()], hello_port)?;
        let serve = |extra: &[&str]| -> Outcome<Pinned> {
            let port = free_port()?;
            let listen = format!("127.0.0.1:{port}");
            let mut arguments = vec![
                binary.as_str(),
                "serve",
                "--data-dir",
                &data,
                "--listen",
                &listen,
                "--rate-limit",
                "4000000000",
                "--daily-rate-limit",
                "4000000000",
            ];
            arguments.extend(extra);
            pinned(&arguments, port)
        };
        let mut server = serve(&[])?;
        let create = folder.join("create.lua");
        fs::write(&create, CREATE).map_err(|error| error.to_string())?;
        self.fill(&server, &secret, &create)?;
        let listed = curl(&server, "/contacts/?limit=1", &secret)?;
        let contact = listed["contacts"][0]["id"].as_str().unwrap_or_default().to_owned();

        let hello_target = |connections| Target {
            name: "hello",
            path: "/".to_owned(),
            connections,
            script: None,
            fails_on_purpose: false,
        };
        let read = |name, path: &str, connections| Target {
            name,
            path: path.to_owned(),
            connections,
            script: None,
            fails_on_purpose: false,
        };
        let targets = [
            read("GET /api-keys/self", "/api-keys/self", 1),
            read("GET /api-keys/self", "/api-keys/self", 64),
            read("GET /contacts/{id}", &format!("/contacts/{contact}"), 1),
            read("GET /contacts/{id}", &format!("/contacts/{contact}"), 64),
            read("GET /contacts/ (20 rows)", "/contacts/", 1),
            read("GET /contacts/ (20 rows)", "/contacts/", 64),
            Target { script: Some("create"), ..read("POST /contacts/", "/contacts/", 1) },
            Target { script: Some("create"), ..read("POST /contacts/", "/contacts/", 64) },
            Target { fails_on_purpose: true, ..read("right id, wrong secret", "/api-keys/self", 64) },
        ];
        println!("| target | connections | requests/s | CPU µs | of it user | × hello |");
        println!("|---|---|---|---|---|---|");
        let mut create_rate = 0.0;
        for target in targets {
            let mut pairs = Vec::new();
            for _ in 0..self.rounds {
                let base = self.round(&hello, &hello_target(target.connections), "", &create)?;
                let key = if target.fails_on_purpose { wrong(&secret) } else { secret.clone() };
                pairs.push((base, self.round(&server, &target, &key, &create)?));
            }
            let median = |pick: &dyn Fn(&(Round, Round)) -> f64| {
                let mut figures: Vec<f64> = pairs.iter().map(pick).collect();
                figures.sort_by(f64::total_cmp);
                figures[figures.len() / 2]
            };
            if !target.fails_on_purpose && pairs.iter().any(|(_, round)| round.failed > 0) {
                return Err(format!("{} failed during the bench", target.name));
            }
            let rate = median(&|(_, round)| round.rate);
            if target.script.is_some() && target.connections == 64 {
                create_rate = rate;
            }
            println!(
                "| {} | {} | {:.0} | {:.1} | {:.1} | {:.2} |",
                target.name,
                target.connections,
                rate,
                median(&|(_, round)| round.total),
                median(&|(_, round)| round.user),
                median(&|(base, round)| round.total / base.total),
            );
        }
        let base = self.round(&hello, &hello_target(64), "", &create)?;
        println!("| hello itself | 64 | {:.0} | {:.1} | {:.1} | 1 |", base.rate, base.total, base.user);
        drop(server);
        server = serve(&["--commit-batch", "1"])?;
        let alone = Target { script: Some("create"), ..read("POST /contacts/", "/contacts/", 64) };
        let alone = self.round(&server, &alone, &secret, &create)?;
        println!(
            "| POST /contacts/, a commit each | 64 | {:.0} | {:.1} | {:.1} | |",
            alone.rate, alone.total, alone.user
        );
        println!("\nSharing commits makes {:.1} × the creates of a commit for each.", create_rate / alone.rate);
        print!("{}", output(&mut Command::new(root().join("target/release/authenticate")))?);
        Ok(())
    }

    fn fill(&self, server: &Pinned, secret: &str, create: &Path) -> Outcome {
        loop {
            let total = curl(server, "/contacts/?limit=1", secret)?["meta"]["total"].as_i64().unwrap_or(0);
            if total >= self.contacts {
                return Ok(());
            }
            println!("{total} of {} contacts", self.contacts);
            let target = Target {
                name: "fill",
                path: "/contacts/".to_owned(),
                connections: 64,
                script: Some("create"),
                fails_on_purpose: false,
            };
            self.round(server, &target, secret, create)?;
        }
    }

    fn round(&self, server: &Pinned, target: &Target, secret: &str, create: &Path) -> Outcome<Round> {
        let before = cpu(server.child.id())?;
        let mut command = Command::new("taskset");
        command.args(["-c", "1", "wrk", "-t1", &format!("-c{}", target.connections), &format!("-d{}s", self.seconds)]);
        if !secret.is_empty() {
            command.args(["-H", &format!("Authorization: Bearer {secret}")]);
        }
        if target.script.is_some() {
            command.args(["-H", "Content-Type: application/json", "-s"]).arg(create);
        }
        command.arg(format!("http://127.0.0.1:{}{}", server.port, target.path));
        let text = output(&mut command)?;
        let after = cpu(server.child.id())?;
        let number = |line: &str| line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or(0.0);
        let line = |needle: &str| text.lines().find(|line| line.contains(needle)).unwrap_or_default();
        let requests = number(line("requests in")).max(1.0);
        // wrk counts what is not 2xx or 3xx in a line of its own.
        let failed = line("Non-2xx").rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        let ticks = |ticks: u64| ticks as f64 * 10_000.0 / requests;
        Ok(Round {
            rate: number(line("Requests/sec")),
            user: ticks(after.0 - before.0),
            total: ticks(after.0 + after.1 - before.0 - before.1),
            failed,
        })
    }
}

/// On SQLite, and on a PostgreSQL that flushes its commits to the disk.
fn measure_queue(folder: &Path) -> Outcome {
    let bench = || Command::new(root().join("target/release/queue"));
    run(bench().arg(folder))?;
    let cluster = Cluster::durable()?;
    run(bench().arg(cluster.url()))
}

/// The same id with another secret of the right form.
fn wrong(secret: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let body = format!("{}{}", &secret[..secret.len() - 38], "0".repeat(32));
    let mut crc = u32::MAX;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut number = !crc;
    let mut sum = [b'0'; 6];
    for digit in sum.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    format!("{body}{}", String::from_utf8_lossy(&sum))
}

fn pinned(arguments: &[&str], port: u16) -> Outcome<Pinned> {
    let child = Command::new("taskset")
        .args(["-c", "0"])
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("taskset cannot be started: {error}"))?;
    let server = Pinned { child, port };
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err(format!("{} does not listen", arguments[0]));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}

/// Ticks of 10 ms in user mode and in the kernel, of all threads.
fn cpu(process: u32) -> Outcome<(u64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).map_err(|error| error.to_string())?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = after_name.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    match fields.as_slice() {
        [_, _, _, _, _, _, _, _, _, _, _, user, system, ..] => Ok((*user, *system)),
        _ => Err("the kernel tells no CPU time".to_owned()),
    }
}

fn curl(server: &Pinned, path: &str, secret: &str) -> Outcome<Value> {
    let url = format!("http://127.0.0.1:{}{path}", server.port);
    let text = output(Command::new("curl").args(["-s", "-H", &format!("Authorization: Bearer {secret}"), &url]))?;
    serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))
}
