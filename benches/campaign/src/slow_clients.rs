//! Clients that send and read slowly, or do nothing: whether they can hold anything up, and for how long.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use clap::Args;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
};

use crate::{
    Outcome,
    client::{Connection, connect, request},
    figures::{Times, head, row},
    server::{Place, Server},
};

#[derive(Args)]
pub(crate) struct SlowClients {
    /// Slow connections of each attack; the last should be more than the server's 10,000
    #[arg(long, value_delimiter = ',', default_values_t = [5000, 10_050])]
    connections: Vec<usize>,
    /// Seconds of the measure without them
    #[arg(long, default_value_t = 15)]
    calm: u64,
}

/// How a client is slow.
#[derive(Clone, Copy, PartialEq)]
enum Slowness {
    Silent,
    Head,
    PageBody,
    ApiBody,
    Reader,
    Idle,
}

/// Those who do not read look so late whether they were left.
const READERS_LOOK_AFTER: Duration = Duration::from_secs(35);

const ALL: [(Slowness, &str); 6] = [
    (Slowness::Silent, "connects and sends nothing"),
    (Slowness::Head, "sends a byte of its headers every 3 s"),
    (Slowness::PageBody, "sends a byte of a sign-in every 3 s"),
    (Slowness::ApiBody, "sends a byte of a contact every 3 s, with a key"),
    (Slowness::Reader, "asks for 400 style sheets and reads nothing for 35 s"),
    (Slowness::Idle, "does nothing after an answer"),
];

/// What the client of this number is. Of those who read nothing there are a hundred, since the answers that fill all
/// buffers are work: here is asked what waiting costs.
fn kind_of(number: usize) -> usize {
    let kind = number % ALL.len();
    if ALL[kind].0 == Slowness::Reader && number >= 600 { 0 } else { kind }
}

/// What honest clients see.
#[derive(Default)]
struct Others {
    api: Times,
    /// With a new connection for each request.
    probes: Times,
    failed: AtomicUsize,
}

impl SlowClients {
    pub(crate) async fn run(self, place: &Place) -> Outcome {
        let server = place.start(&["--metrics-token", "campaign"])?;
        let sheet = style_sheet(server.address).await?;
        let calm = others(&server, Duration::from_secs(self.calm)).await;
        println!(
            "Without them: p99 of the API {:.1} ms, of /healthz over new connections {:.1} ms.\n",
            calm.api.at(0.99),
            calm.probes.at(0.99)
        );
        for connections in self.connections {
            attack(&server, connections, &calm, &sheet).await;
        }
        println!("{} lines in the server's log.", server.log_lines());
        Ok(())
    }
}

/// The address of the style sheet.
async fn style_sheet(server: SocketAddr) -> Outcome<String> {
    let mut connection = Connection::open(server, 0).await.map_err(|error| error.to_string())?;
    let page = connection.ask(b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n").await.map_err(|error| error.to_string())?;
    let found = page.text.split('"').find(|text| text.ends_with("/app.css"));
    found.map(str::to_owned).ok_or_else(|| "a page without a style sheet".to_owned())
}

/// How many connections the server has.
async fn open_at_server(server: SocketAddr) -> Option<String> {
    let mut connection = Connection::open(server, 0).await.ok()?;
    let ask = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer campaign\r\n\r\n";
    let metrics = connection.ask(ask).await.ok()?;
    let line = metrics.text.lines().find_map(|line| line.strip_prefix("keystead_connections "))?;
    line.parse::<f64>().ok().map(|count| format!("{:.0}", count - 1.0))
}

async fn attack(server: &Server, connections: usize, calm: &Others, sheet: &str) {
    println!("\n### {connections} slow connections\n");
    let begun = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let closed: Arc<Vec<Times>> = Arc::new(ALL.iter().map(|_| Times::default()).collect());
    let mut clients = JoinSet::new();
    for number in 0..connections {
        let kind = kind_of(number);
        let slowness = ALL[kind].0;
        let (closed, stop, address) = (Arc::clone(&closed), Arc::clone(&stop), server.address);
        let (key, sheet) = (server.key.clone(), sheet.to_owned());
        clients.spawn(async move {
            tokio::time::sleep(Duration::from_micros(200 * number as u64)).await;
            let opened = Instant::now();
            if slow(address, number, slowness, &key, &sheet, &stop).await {
                closed[kind].add(opened.elapsed());
            }
        });
    }
    let seen = others(server, Duration::from_secs(40)).await;
    let memory = server.megabytes();
    // Those who did nothing have 75 seconds.
    while !clients.is_empty() && begun.elapsed() < Duration::from_secs(150) {
        let _ = tokio::time::timeout(Duration::from_millis(200), clients.join_next()).await;
    }
    let left = clients.len();
    stop.store(true, Relaxed);
    clients.shutdown().await;
    println!(
        "Others meanwhile: p99 of the API {:.1} ms ({:.1} ×), of /healthz over new connections {:.1} ms ({:.1} ×), \
         {} of {} failed; {memory} MB.\n",
        seen.api.at(0.99),
        seen.api.at(0.99) / calm.api.at(0.99),
        seen.probes.at(0.99),
        seen.probes.at(0.99) / calm.probes.at(0.99),
        seen.failed.load(Relaxed),
        seen.api.count() + seen.probes.count() + seen.failed.load(Relaxed)
    );
    head(&["a client that", "connections closed", "the first after, s", "the last after, s"]);
    for (kind, (_, name)) in ALL.iter().enumerate() {
        let times = &closed[kind];
        row(&[
            (*name).to_owned(),
            times.count().to_string(),
            format!("{:.0}", times.at(0.0) / 1000.0),
            format!("{:.0}", times.at(1.0) / 1000.0),
        ]);
    }
    let open = open_at_server(server.address).await.unwrap_or_default();
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "\nAfter {seconds:.0} s, {open} connections are open at the server; {left} clients believe that theirs is."
    );
}

/// One slow client; whether the server closed its connection.
async fn slow(
    address: SocketAddr,
    number: usize,
    slowness: Slowness,
    key: &str,
    sheet: &str,
    stop: &AtomicBool,
) -> bool {
    let window = (slowness == Slowness::Reader).then_some(4096);
    let Ok(mut stream) = connect(address, number, window).await else { return false };
    let form = "POST /app/sign-in HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n";
    let first = match slowness {
        Slowness::Silent => Vec::new(),
        Slowness::Head => b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_vec(),
        Slowness::PageBody => form.as_bytes().to_vec(),
        Slowness::ApiBody => {
            let head = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n";
            format!("POST /contacts/ HTTP/1.1\r\n{head}Authorization: Bearer {key}\r\n\r\n{{").into_bytes()
        }
        // Cheap for the server to answer, and more than the buffers of both sides hold.
        Slowness::Reader => format!("GET {sheet} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(400).into_bytes(),
        Slowness::Idle => b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
    };
    if stream.write_all(&first).await.is_err() {
        return true;
    }
    let drips = matches!(slowness, Slowness::Head | Slowness::PageBody | Slowness::ApiBody);
    let mut buffer = [0; 512];
    while !stop.load(Relaxed) {
        if slowness == Slowness::Reader {
            // Whoever reads is not slow: only in the end is looked whether there is an end.
            tokio::time::sleep(READERS_LOOK_AFTER).await;
            let mut rest = Vec::new();
            let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
            return read.is_ok();
        }
        match tokio::time::timeout(Duration::from_secs(3), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(_)) => {}
            Err(_) if drips && stream.write_all(b"x").await.is_err() => return true,
            Err(_) => {}
        }
    }
    false
}

/// What eight programs and a prober see for some time.
async fn others(server: &Server, time: Duration) -> Arc<Others> {
    let seen: Arc<Others> = Arc::default();
    let until = Instant::now() + time;
    let mut clients = JoinSet::new();
    for number in 0..8 {
        let (seen, key, address) = (Arc::clone(&seen), server.neighbour.clone(), server.address);
        clients.spawn(async move {
            let mut connection = None;
            while Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let begun = Instant::now();
                if connection.is_none() {
                    connection = Connection::open(address, 90_000 + number).await.ok();
                }
                let Some(open) = &mut connection else {
                    seen.failed.fetch_add(1, Relaxed);
                    continue;
                };
                match open.ask(&request("GET", "/contacts/", &key, "")).await {
                    Ok(answer) if answer.status == 200 => seen.api.add(begun.elapsed()),
                    _ => {
                        seen.failed.fetch_add(1, Relaxed);
                        connection = None;
                    }
                }
            }
        });
    }
    let (shared, address) = (Arc::clone(&seen), server.address);
    clients.spawn(async move {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let begun = Instant::now();
            let asked = async {
                let mut open = Connection::open(address, 95_000).await?;
                open.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await
            };
            match asked.await {
                Ok(answer) if answer.status == 200 => shared.probes.add(begun.elapsed()),
                _ => {
                    shared.failed.fetch_add(1, Relaxed);
                }
            }
        }
    });
    clients.join_all().await;
    seen
}
