//! Webhooks whose receiver fails and whose sender is killed, whose neighbours are silent, and of which there are very many.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    Outcome,
    client::Connection,
    figures::{Times, head, row},
    receiver::{Manner, Receiver},
    server::{Place, Server},
};

#[derive(Args)]
pub(crate) struct Webhooks {
    /// Events of which each must arrive
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// How often the server is killed meanwhile
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// Of ten tries, how many fail at the receiver: 0 to 4
    #[arg(long, default_value_t = 3)]
    failing: u64,
    /// Silent endpoints of one tenant, beside which another tenant's must not wait
    #[arg(long, default_value_t = 200)]
    silent: usize,
    /// Endpoints for the measure of how many deliveries there are in a second
    #[arg(long, default_value_t = 5_000)]
    endpoints: usize,
    /// Deliveries of that measure
    #[arg(long, default_value_t = 50_000)]
    deliveries: usize,
}

/// Clients that make what is told of.
const MAKERS: usize = 8;
/// Endpoints of one location: the most that it may have.
const OF_A_LOCATION: usize = 50;
/// Receivers are on this machine, and fail often: tries follow each other soon.
const SERVE: [&str; 4] =
    ["--webhook-allow", "127.0.0.1/32", "--webhook-retries", "1s,1s,1s,2s,2s,2s,5s,5s,5s,5s,5s,5s,5s,5s,5s,5s"];
/// The most that anybody may wait because of others.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes an endpoint that leads to a receiver.
async fn endpoint(connection: &mut Connection, key: &str, receiver: &Receiver, path: &str) -> Outcome {
    let url = format!("http://{}/{path}", receiver.address);
    let made = connection.post("/webhooks", key, &json!({"url": url, "events": ["contact.created"]})).await?;
    receiver.knows(path, made["secret"].as_str().unwrap_or_default());
    Ok(())
}

/// Keys of so many locations of the first agency.
fn locations(place: &Place, server: &Server, count: usize) -> Outcome<Vec<String>> {
    let mut keys = Vec::new();
    for number in 0..count {
        let name = format!("L{number}");
        #[rustfmt::skip]
        let location = place.json(server.folder(), &["locations", "create", "--agency-id", &server.agency, "--name", &name, "--json"])?;
        #[rustfmt::skip]
        let made = place.json(server.folder(), &["keys", "create", "--agency-id", &server.agency, "--kind", "location", "--location-id", location["id"].as_str().unwrap_or_default(), "--name", "Campaign", "--preset", "full-access", "--json"])?;
        keys.push(made["key"].as_str().unwrap_or_default().to_owned());
    }
    Ok(keys)
}

impl Webhooks {
    pub(crate) async fn run(self, place: &Place) -> Outcome {
        self.arrive(place).await?;
        self.neighbours(place).await?;
        self.many(place).await
    }

    /// Every event arrives, however often the receiver fails and the sender is killed.
    async fn arrive(&self, place: &Place) -> Outcome {
        let receiver = Receiver::start(Manner::Fails(self.failing)).await?;
        let mut server = place.start(&SERVE)?;
        place.join(&mut server, &SERVE)?;
        endpoint(&mut server.connect(1).await?, &server.key, &receiver, "hook").await?;
        let made: Mutex<Vec<String>> = Mutex::default();
        let (left, is_over) = (AtomicUsize::new(self.events), AtomicBool::new(false));
        let (address, key) = (server.address, server.key.clone());
        let maker = async |number: usize| {
            let mut connection = None;
            while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                loop {
                    if connection.is_none() {
                        connection = Connection::open(address, 10 + number).await.ok();
                    }
                    let Some(open) = &mut connection else {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    };
                    // What was not answered may be there or not: only what was is asked for later.
                    match open.post("/contacts/", &key, &json!({"firstName": "Ada", "lastName": "Lovelace"})).await {
                        Ok(contact) => {
                            let id = contact["contact"]["id"].as_str().unwrap_or_default().to_owned();
                            made.lock().unwrap_or_else(PoisonError::into_inner).push(id);
                            break;
                        }
                        Err(_) => connection = None,
                    }
                }
            }
        };
        let begun = Instant::now();
        let killer = async {
            let mut killed = 0;
            let step = (self.events / (self.kills + 1)).max(1);
            while killed < self.kills && !is_over.load(Relaxed) {
                let done = made.lock().unwrap_or_else(PoisonError::into_inner).len();
                if done < step * (killed + 1) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    continue;
                }
                place.kill_and_start(&mut server, &SERVE)?;
                killed += 1;
            }
            Ok::<usize, String>(killed)
        };
        let makers = async {
            join_all((0..MAKERS).map(maker)).await;
            is_over.store(true, Relaxed);
        };
        let ((), killed) = tokio::join!(makers, killer);
        let killed = killed?;
        let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
        let wait = Instant::now();
        let missing = loop {
            let missing = made.iter().filter(|id| receiver.seen().taken_at(id).is_none()).count();
            if missing == 0 || wait.elapsed() > Duration::from_secs(300) {
                break missing;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let took = begun.elapsed().as_secs_f64();
        let seen = receiver.seen();
        let tries = receiver.tries.load(Relaxed);
        println!("## Arriving\n");
        head(&[
            "events",
            "kills",
            "tries",
            "failed at the receiver",
            "missing",
            "wrong",
            "taken again",
            "two tries at once",
            "most tries of one",
            "seconds",
        ]);
        row(&[
            made.len().to_string(),
            killed.to_string(),
            tries.to_string(),
            format!("{} %", self.failing * 10),
            missing.to_string(),
            seen.wrong.len().to_string(),
            seen.taken_again.to_string(),
            seen.at_once.to_string(),
            seen.most_tries().to_string(),
            format!("{took:.0}"),
        ]);
        println!();
        match (missing, seen.wrong.first()) {
            (0, None) => Ok(()),
            (0, Some(wrong)) => Err(wrong.clone()),
            _ => Err(format!("{missing} events are missing")),
        }
    }

    /// Silent endpoints of one tenant, and dead ones, hold up nobody else.
    async fn neighbours(&self, place: &Place) -> Outcome {
        println!("## Beside silent and dead endpoints\n");
        head(&["beside", "p50, ms", "p99, ms", "longest, ms"]);
        for (name, silent, dead) in [
            ("nobody", 0, 0),
            ("a silent one", 1, 0),
            ("a dead one", 0, 1),
            ("silent ones of one tenant", self.silent, 0),
        ] {
            let quiet = Receiver::start(Manner::Silent(Duration::from_secs(60))).await?;
            let receiver = Receiver::start(Manner::Fails(0)).await?;
            let server = place.start(&SERVE)?;
            let mut connection = server.connect(1).await?;
            let places = locations(place, &server, (silent + dead).div_ceil(OF_A_LOCATION).max(1))?;
            for number in 0..silent {
                endpoint(&mut connection, &places[number / OF_A_LOCATION], &quiet, &format!("quiet{number}")).await?;
            }
            for number in 0..dead {
                // Nobody listens there.
                let url = json!({"url": format!("http://127.0.0.1:9/{number}"), "events": ["contact.created"]});
                connection.post("/webhooks", &places[number / OF_A_LOCATION], &url).await?;
            }
            endpoint(&mut connection, &server.neighbour, &receiver, "hook").await?;
            // All have something to send before the neighbour has.
            for place in &places {
                for _ in 0..20 {
                    connection.post("/contacts/", place, &json!({"firstName": "Ada"})).await?;
                }
            }
            let times = Times::default();
            for _ in 0..200 {
                let begun = Instant::now();
                let made = connection.post("/contacts/", &server.neighbour, &json!({"firstName": "Bob"})).await?;
                let id = made["contact"]["id"].as_str().unwrap_or_default();
                while receiver.seen().taken_at(id).is_none() && begun.elapsed() < Duration::from_secs(60) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                times.add(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            row(&[
                if silent > 1 { format!("{silent} {name}") } else { name.to_owned() },
                format!("{:.0}", times.at(0.5)),
                format!("{:.0}", times.at(0.99)),
                format!("{:.0}", times.at(1.0)),
            ]);
            if times.at(0.99) > PATIENCE.as_secs_f64() * 1000.0 {
                println!();
                return Err(format!("beside {name} others wait {:.0} ms", times.at(0.99)));
            }
        }
        println!();
        Ok(())
    }

    /// How many deliveries there are in a second, to very many endpoints.
    async fn many(&self, place: &Place) -> Outcome {
        let receiver = Receiver::start(Manner::Fails(0)).await?;
        let mut server = place.start(&SERVE)?;
        place.join(&mut server, &SERVE)?;
        let keys = locations(place, &server, self.endpoints.div_ceil(OF_A_LOCATION))?;
        // Only now: a connection that waited for them would have been closed.
        let mut connection = server.connect(1).await?;
        for number in 0..self.endpoints {
            endpoint(&mut connection, &keys[number / OF_A_LOCATION], &receiver, &format!("hook{number}")).await?;
        }
        let keys = Arc::new(keys);
        let events = self.deliveries / OF_A_LOCATION.min(self.endpoints);
        let begun = Instant::now();
        let mut by_key: HashMap<usize, usize> = HashMap::new();
        for event in 0..events {
            *by_key.entry(event % keys.len()).or_default() += 1;
            connection.post("/contacts/", &keys[event % keys.len()], &json!({"firstName": "Ada"})).await?;
        }
        let made = begun.elapsed();
        let wanted: usize =
            by_key.iter().map(|(key, events)| events * OF_A_LOCATION.min(self.endpoints - key * OF_A_LOCATION)).sum();
        while receiver.tries.load(Relaxed) < wanted as u64 && begun.elapsed() < Duration::from_secs(600) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let took = begun.elapsed();
        let seen = receiver.seen();
        println!("## Very many\n");
        head(&[
            "endpoints",
            "events",
            "written in, s",
            "deliveries",
            "taken in, s",
            "deliveries/s",
            "wrong",
            "memory, MB",
        ]);
        row(&[
            self.endpoints.to_string(),
            events.to_string(),
            format!("{:.1}", made.as_secs_f64()),
            wanted.to_string(),
            format!("{:.1}", took.as_secs_f64()),
            format!("{:.0}", wanted as f64 / took.as_secs_f64()),
            seen.wrong.len().to_string(),
            server.megabytes().to_string(),
        ]);
        println!();
        seen.wrong.first().map_or(Ok(()), |wrong| Err(wrong.clone()))
    }
}
