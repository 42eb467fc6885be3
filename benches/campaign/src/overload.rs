//! What becomes of requests, of another agency and of the probes, when ten and a hundred times too much is asked.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use clap::Args;
use tokio::task::JoinSet;

use crate::{
    Outcome,
    client::{Connection, request},
    figures::{Times, head, row},
    server::{Place, Server},
};

#[derive(Args)]
pub(crate) struct Overload {
    /// Seconds of each overload
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Connections of each overload
    #[arg(long, value_delimiter = ',', default_values_t = [640, 3200, 8000])]
    connections: Vec<usize>,
    /// What is asked: create, list or self
    #[arg(long, value_delimiter = ',', default_values_t = ["create".to_owned(), "list".to_owned(), "self".to_owned()])]
    of: Vec<String>,
}

/// Connections that reach what the server can do.
const PEAK: usize = 64;

/// How clients of a load behave.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// The next request follows the answer at once, whatever it was.
    Greedy,
    /// Comes back when it was told to.
    Polite,
    /// One request in each of these intervals, whatever the last one took.
    Every(Duration),
}

/// What came of a load.
#[derive(Default)]
struct Load {
    admitted: Times,
    refused: AtomicUsize,
    without_retry_after: AtomicUsize,
    broken: AtomicUsize,
}

impl Overload {
    pub(crate) async fn run(self, place: &Place) -> Outcome {
        let server = place.start(&[])?;
        for of in &self.of {
            self.campaign(&server, of).await?;
        }
        Ok(())
    }

    async fn campaign(&self, server: &Server, of: &str) -> Outcome {
        println!("\n### {of}\n");
        if of == "list" {
            load(server, "create", PEAK, Manner::Greedy, Duration::from_secs(2)).await;
        }
        let peak = load(server, of, PEAK, Manner::Greedy, Duration::from_secs(8)).await;
        let rate = peak.admitted.count() as f64 / 8.0;
        let interval = Duration::from_secs_f64(PEAK as f64 / (rate * 0.8));
        let calm = load(server, of, PEAK, Manner::Every(interval), Duration::from_secs(15)).await;
        println!(
            "Peak {rate:.0}/s with {PEAK} connections; at 80 % of it p50 {:.1} ms, p99 {:.1} ms.\n",
            calm.admitted.at(0.5),
            calm.admitted.at(0.99)
        );
        head(&[
            "connections",
            "clients",
            "served/s",
            "of peak",
            "served p50, ms",
            "p99, ms",
            "× 80 %",
            "refused/s",
            "broken",
            "another agency p50 / p99, ms (refused)",
            "/readyz p99, ms",
            "memory, MB",
        ]);
        let seconds = self.seconds as f64;
        for connections in &self.connections {
            for (manner, name) in [(Manner::Greedy, "repeat at once"), (Manner::Polite, "obey Retry-After")] {
                let (stop, most) = (AtomicBool::new(false), AtomicUsize::new(0));
                let crowd = async {
                    let load = load(server, of, *connections, manner, Duration::from_secs(self.seconds)).await;
                    stop.store(true, Relaxed);
                    load
                };
                let (crowd, neighbour, probe, ()) = tokio::join!(
                    crowd,
                    watch(server, of, &server.neighbour, &stop),
                    watch(server, "readyz", "", &stop),
                    memory(server, &stop, &most)
                );
                if crowd.without_retry_after.load(Relaxed) > 0 {
                    return Err("a refusal came without Retry-After".to_owned());
                }
                let served = crowd.admitted.count() as f64 / seconds;
                let p99 = crowd.admitted.at(0.99);
                row(&[
                    connections.to_string(),
                    name.to_owned(),
                    format!("{served:.0}"),
                    format!("{:.0} %", served / rate * 100.0),
                    format!("{:.1}", crowd.admitted.at(0.5)),
                    format!("{p99:.1}"),
                    format!("{:.1}", p99 / calm.admitted.at(0.99)),
                    format!("{:.0}", crowd.refused.load(Relaxed) as f64 / seconds),
                    crowd.broken.load(Relaxed).to_string(),
                    format!(
                        "{:.1} / {:.1} ({} of {})",
                        neighbour.admitted.at(0.5),
                        neighbour.admitted.at(0.99),
                        neighbour.refused.load(Relaxed) + neighbour.broken.load(Relaxed),
                        neighbour.admitted.count() + neighbour.refused.load(Relaxed)
                    ),
                    format!("{:.1}", probe.admitted.at(0.99)),
                    most.load(Relaxed).to_string(),
                ]);
            }
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        let after = load(server, of, PEAK, Manner::Every(interval), Duration::from_secs(15)).await;
        println!(
            "\nTen seconds later, at 80 % of the peak: p99 {:.1} ms, {} refused, {} lines in the log.",
            after.admitted.at(0.99),
            after.refused.load(Relaxed),
            server.log_lines()
        );
        Ok(())
    }
}

/// The request of a kind; `number` makes contacts differ.
fn request_of(of: &str, key: &str, number: usize) -> Vec<u8> {
    match of {
        "create" => {
            let body =
                format!("{{\"firstName\":\"Ada\",\"lastName\":\"L{number}\",\"email\":\"a{number}@example.com\"}}");
            request("POST", "/contacts/", key, &body)
        }
        "list" => request("GET", "/contacts/", key, ""),
        "self" => request("GET", "/api-keys/self", key, ""),
        _ => b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
    }
}

/// Contacts that no load before has made.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

async fn load(server: &Server, of: &str, connections: usize, manner: Manner, time: Duration) -> Arc<Load> {
    let load: Arc<Load> = Arc::default();
    let until = Instant::now() + time;
    let mut clients = JoinSet::new();
    for number in 0..connections {
        let (load, of, key, address) = (Arc::clone(&load), of.to_owned(), server.key.clone(), server.address);
        clients.spawn(async move {
            // Not all in the same moment.
            tokio::time::sleep(Duration::from_micros(100 * number as u64)).await;
            client(&load, address, number, manner, until, &|| request_of(&of, &key, NUMBER.fetch_add(1, Relaxed)))
                .await;
        });
    }
    clients.join_all().await;
    load
}

async fn client(
    load: &Load,
    address: SocketAddr,
    number: usize,
    manner: Manner,
    until: Instant,
    next: &(dyn Fn() -> Vec<u8> + Send + Sync),
) {
    let mut connection = None;
    let mut due = Instant::now();
    while Instant::now() < until {
        let open = match connection.take() {
            Some(open) => open,
            None => match Connection::open(address, number).await {
                Ok(open) => open,
                Err(_) => {
                    load.broken.fetch_add(1, Relaxed);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let open = connection.insert(open);
        let begun = match manner {
            Manner::Every(interval) => {
                due += interval;
                tokio::time::sleep_until(due.into()).await;
                // From when it should have begun: what a late server made wait has waited.
                due
            }
            Manner::Greedy | Manner::Polite => Instant::now(),
        };
        match open.ask(&next()).await {
            Ok(answer) if answer.status < 300 => load.admitted.add(begun.elapsed()),
            Ok(answer) if [429, 503].contains(&answer.status) => {
                load.refused.fetch_add(1, Relaxed);
                if answer.retry_after.is_none() {
                    load.without_retry_after.fetch_add(1, Relaxed);
                }
                if manner == Manner::Polite {
                    tokio::time::sleep(Duration::from_secs(answer.retry_after.unwrap_or(1))).await;
                }
            }
            Ok(_) | Err(_) => {
                load.broken.fetch_add(1, Relaxed);
                connection = None;
            }
        }
    }
}

/// Somebody who asks now and then, beside the crowd.
async fn watch(server: &Server, of: &str, key: &str, stop: &AtomicBool) -> Load {
    let load = Load::default();
    let (of, key) = (of.to_owned(), key.to_owned());
    let far = Instant::now() + Duration::from_secs(1_000_000);
    let next = || request_of(&of, &key, NUMBER.fetch_add(1, Relaxed));
    tokio::select! {
        () = client(&load, server.address, 70_000, Manner::Every(Duration::from_millis(100)), far, &next) => {}
        () = async {
            while !stop.load(Relaxed) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        } => {}
    }
    load
}

async fn memory(server: &Server, stop: &AtomicBool, most: &AtomicUsize) {
    while !stop.load(Relaxed) {
        most.fetch_max(server.megabytes() as usize, Relaxed);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
