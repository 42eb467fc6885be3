//! What strangers do most: open trigger links and answer forms, from many addresses at once.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    Outcome,
    figures::{Times, head, row},
    server::{Place, Server},
};

#[derive(Args)]
pub(crate) struct Strangers {
    /// Connections at once
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// What a browser of today says, so that a click is looked at like a person's.
const BROWSER: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
                       Accept-Language: en-US\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
/// Requests of one address: the server counts what comes from each.
const OF_AN_ADDRESS: usize = 200;
/// Numbers of connections that come from one address.
const NUMBERS: usize = 100;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A stranger's question for a page.
fn get(path: String) -> impl Fn(u64) -> Vec<u8> {
    move |_| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{BROWSER}\r\n").into_bytes()
}

impl Strangers {
    pub(crate) async fn run(self, place: &Place) -> Outcome {
        head(&[
            "at 64 connections",
            "per second",
            "p50, ms",
            "p99, ms",
            "CPU of the server for each, µs",
            "not as it should be",
        ]);
        // A server each: clicks are judged for a minute after they came.
        self.forms(place).await?;
        self.links(place).await
    }

    async fn links(&self, place: &Place) -> Outcome {
        let server = place.start(&[])?;
        let mut owner = server.connect(1).await?;
        let contact =
            text(&owner.post("/contacts/", &server.key, &json!({"firstName": "Ada"})).await?["contact"]["id"]);
        let asked = json!({"name": "L", "redirectTo": "https://example.com/a"});
        let link = owner.post("/links/", &server.key, &asked).await?["link"].clone();
        let (slug, id) = (text(&link["slug"]), text(&link["id"]));
        let token = text(
            &owner.post(&format!("/links/{id}/tokens"), &server.key, &json!({"contactId": contact})).await?["url"],
        );
        let token = token.rsplit('/').next().unwrap_or_default().to_owned();
        self.measure(&server, "a link", 302, get(format!("/l/{slug}"))).await?;
        self.measure(&server, "a contact’s own link", 302, get(format!("/l/{slug}/{token}"))).await
    }

    async fn forms(&self, place: &Place) -> Outcome {
        let server = place.start(&[])?;
        let mut owner = server.connect(1).await?;
        let fields = json!([
            {"key": "name", "label": "Name", "required": true, "mapsTo": "contact.first_name"},
            {"key": "email", "type": "email", "label": "E-mail", "mapsTo": "contact.email"},
        ]);
        let definition = json!({"pages": [{"fields": fields}], "spam": {
            // Connections of one address answer far more often than a person would.
            "minSeconds": 0, "honeypot": false, "rate": "10000/min/ip", "formRate": "1000000/min",
        }});
        let form = text(
            &owner.post("/forms/", &server.key, &json!({"name": "F", "definition": definition})).await?["form"]["id"],
        );
        owner.post(&format!("/forms/{form}/publish"), &server.key, &json!({})).await?;
        self.measure(&server, "nothing (`/healthz`)", 200, get("/healthz".to_owned())).await?;
        self.measure(&server, "the page of a form", 200, get(format!("/f/{form}"))).await?;
        self.measure(&server, "answers to a form, each of somebody new", 200, |number| {
            let fields = format!("name=Ada&email=ada{number}%40example.com&_id=click-{number}");
            let length = fields.len();
            format!(
                "POST /f/{form} HTTP/1.1\r\nHost: x\r\n{BROWSER}Content-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {length}\r\n\r\n{fields}"
            )
            .into_bytes()
        })
        .await
    }

    async fn measure(&self, server: &Server, name: &str, status: u16, ask: impl Fn(u64) -> Vec<u8>) -> Outcome {
        let (times, wrong) = (Times::default(), AtomicU64::new(0));
        let (number, address) = (AtomicU64::new(0), AtomicUsize::new(0));
        let (begun, cpu) = (Instant::now(), server.cpu());
        let until = begun + Duration::from_secs(self.seconds);
        let client = async || {
            while Instant::now() < until {
                let from = address.fetch_add(1, Relaxed) * NUMBERS;
                let mut connection = server.connect(from).await?;
                for _ in 0..OF_AN_ADDRESS {
                    if Instant::now() >= until {
                        break;
                    }
                    let asked = Instant::now();
                    let answer = connection.ask(&ask(number.fetch_add(1, Relaxed))).await;
                    times.add(asked.elapsed());
                    if answer.map_err(|error| error.to_string())?.status != status {
                        wrong.fetch_add(1, Relaxed);
                    }
                }
            }
            Ok::<(), String>(())
        };
        let outcomes = join_all((0..self.connections).map(|_| client())).await;
        outcomes.into_iter().collect::<Outcome<Vec<()>>>()?;
        let count = times.count() as f64;
        row(&[
            name.to_owned(),
            format!("{:.0}", count / begun.elapsed().as_secs_f64()),
            format!("{:.1}", times.at(0.5)),
            format!("{:.1}", times.at(0.99)),
            format!("{:.0}", server.cpu().saturating_sub(cpu).as_secs_f64() * 1e6 / count),
            wrong.load(Relaxed).to_string(),
        ]);
        Ok(())
    }
}
