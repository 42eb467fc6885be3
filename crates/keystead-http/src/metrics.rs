//! What is counted of requests and connections: by face, route and class, and why they were refused.
//!
//! A request touches three atomics of its own route. The series of a route begin with its first request.

use std::{
    collections::HashMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use keystead_core::{Durations, ErrorCode, Figure};
use keystead_model::KeyId;

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
/// The route of requests that fit none.
const NO_ROUTE: &str = "none";

/// What is known of an answer besides its status.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered {
    /// The route's template, `GET /contacts/{contactId}`, where one fits.
    pub route: Option<&'static str>,
    /// Why it was refused or failed, where that has a name.
    pub code: Option<ErrorCode>,
    /// The key that was used, if one was known.
    pub key: Option<KeyId>,
    /// How long it waited for a place to work.
    pub waited: Duration,
}

/// All counters of a process.
pub struct Metrics {
    /// By face.
    routes: [HashMap<&'static str, Route>; 3],
    refusals: Vec<(ErrorCode, AtomicU64)>,
    pub(crate) connections: ConnectionCounts,
}

/// What is counted of connections.
#[derive(Default)]
pub(crate) struct ConnectionCounts {
    pub(crate) open: AtomicU64,
    /// Not taken, since their source has too many.
    pub(crate) refused: AtomicU64,
    /// Ended, since their clients were late or did nothing.
    pub(crate) late: AtomicU64,
    /// Ended to make room for others.
    pub(crate) displaced: AtomicU64,
}

#[derive(Default)]
struct Route {
    classes: [AtomicU64; 5],
    /// Made by the first request: most routes of an instance are never used.
    took: OnceLock<Box<Durations>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::of([])
    }
}

impl Metrics {
    /// Of a server with these routes.
    pub fn of(routes: impl IntoIterator<Item = (Face, &'static str)>) -> Self {
        let mut by_face: [HashMap<&'static str, Route>; 3] = Default::default();
        let others = FACES.map(|(_, face)| (face, NO_ROUTE));
        for (face, route) in routes.into_iter().chain(others) {
            by_face[face as usize].insert(route, Route::default());
        }
        Self {
            routes: by_face,
            refusals: ErrorCode::ALL.iter().map(|code| (*code, AtomicU64::new(0))).collect(),
            connections: ConnectionCounts::default(),
        }
    }

    /// Counts an answer.
    pub fn answered(&self, face: Face, answered: &Answered, status: u16, took: Duration) {
        let routes = &self.routes[face as usize];
        let route = answered.route.and_then(|route| routes.get(route)).or_else(|| routes.get(NO_ROUTE));
        if let Some(route) = route {
            route.classes[usize::from(status / 100).clamp(1, 5) - 1].fetch_add(1, Relaxed);
            route.took.get_or_init(Box::default).add(took);
        }
        if let Some(code) = answered.code
            && let Some((_, count)) = self.refusals.iter().find(|(known, _)| *known == code)
        {
            count.fetch_add(1, Relaxed);
        }
    }

    /// What was counted.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = self.connections.figures();
        for (name, face) in FACES {
            for (route, Route { classes, took }) in &self.routes[face as usize] {
                let Some(took) = took.get() else { continue };
                let help = "Time to answer, by face and route";
                let took = Figure::durations("keystead_request_seconds", help, took.distribution());
                figures.push(took.of("face", name).of("route", *route));
                for (class, count) in CLASSES.iter().zip(classes) {
                    let count = count.load(Relaxed);
                    if count > 0 {
                        let help = "Requests answered, by face, route and class of status";
                        let counter = Figure::counter("keystead_requests", help, count as f64);
                        figures.push(counter.of("face", name).of("route", *route).of("class", *class));
                    }
                }
            }
        }
        figures.extend(self.refusals.iter().map(|(code, count)| {
            let help = "Requests that were refused or failed, by the code of the answer";
            let refused = Figure::counter("keystead_refusals", help, count.load(Relaxed) as f64);
            refused.of("code", code.as_str()).of("status", code.status().to_string())
        }));
        figures
    }
}

impl ConnectionCounts {
    fn figures(&self) -> Vec<Figure> {
        let Self { open, refused, late, displaced } = self;
        let ended = |reason: &'static str, count: &AtomicU64| {
            let help = "Connections that the server did not take or ended, and why";
            Figure::counter("keystead_connections_ended", help, count.load(Relaxed) as f64).of("reason", reason)
        };
        vec![
            Figure::gauge("keystead_connections", "Open connections", open.load(Relaxed) as f64),
            ended("too_many_from_source", refused),
            ended("late", late),
            ended("displaced", displaced),
        ]
    }
}
