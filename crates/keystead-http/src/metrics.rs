//! Counters for Prometheus. The hot path touches one atomic of its own face and class.

use std::time::Duration;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Who answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// API 2.0 and API 1.0.
    Api,
    /// The web app and the documentation.
    Web,
    /// Health, readiness, metrics.
    Operations,
}

const FACES: [(&str, Face); 3] = [("api", Face::Api), ("web", Face::Web), ("operations", Face::Operations)];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// All counters of a process.
pub struct Metrics {
    registry: Registry,
    requests: Vec<[Counter; 5]>,
    seconds: Vec<Histogram>,
    /// Open connections.
    pub connections: Gauge,
    cached_keys: Gauge,
    commits: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("keystead");
        let requests = Family::<Vec<(String, String)>, Counter>::default();
        registry.register("requests", "Requests answered, by face and status class", requests.clone());
        let seconds = Family::<Vec<(String, String)>, Histogram>::new_with_constructor(|| {
            Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0])
        });
        registry.register("request_seconds", "Time to answer, by face", seconds.clone());
        let (connections, cached_keys, commits) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("connections", "Open connections", connections.clone());
        registry.register("cached_keys", "API keys in this node's cache", cached_keys.clone());
        registry.register("commits", "Durable commits of the embedded database", commits.clone());
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let by_class = |face: &str| {
            CLASSES.map(|class| requests.get_or_create(&vec![label("face", face), label("class", class)]).clone())
        };
        Self {
            requests: FACES.iter().map(|(face, _)| by_class(face)).collect(),
            seconds: FACES.iter().map(|(face, _)| seconds.get_or_create(&vec![label("face", face)]).clone()).collect(),
            connections,
            cached_keys,
            commits,
            registry,
        }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, face: Face, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.requests[face as usize][class].inc();
        self.seconds[face as usize].observe(took.as_secs_f64());
    }

    /// The text that Prometheus reads.
    pub fn encode(&self, app: &keystead_core::App) -> String {
        self.cached_keys.set(i64::try_from(app.cached_keys()).unwrap_or(i64::MAX));
        self.commits.set(app.commits().map_or(0, |commits| i64::try_from(commits).unwrap_or(i64::MAX)));
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}
