//! Serving an instance until somebody stops it.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

use keystead_api::{
    Api, Document, document,
    v2::{contacts::Downloads, imports::Spreadsheets},
};
use keystead_core::{App, Clock, Entropy, Guard, Mailer, OutboundClient};
use keystead_http::{Admission, Arrivals, Connections, Metrics, Places, Requests, TrustedProxies};
use keystead_jobs::{Outside, ThisNode};
use keystead_store::Database;
use keystead_web::{Web, WebOptions};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, time::Instant};

use crate::{
    config::Config,
    data_dir::{self, DirectoryLock},
    faces::{Faces, endpoints},
    failure::Failure,
    instance,
    machine::Machine,
    open_files,
};

/// Pages that are made at a time.
const PAGES_AT_ONCE: usize = 32;
/// The same of what strangers open, each of whom may write a row: as many as share a commit.
const STRANGERS_AT_ONCE: usize = WRITES_AT_ONCE;

/// How much longer than requests jobs may take to end.
const JOBS_END_WITHIN: Duration = Duration::from_secs(1);
/// How long storing what waits and closing the database may take.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

/// A server whose socket is open and whose instance is ready.
pub struct Server {
    listener: TcpListener,
    faces: Arc<Faces>,
    app: App,
    setup_url: Option<String>,
    ending: watch::Sender<bool>,
    outside: Outside,
    connections: Connections,
    proxies: TrustedProxies,
    drain: Duration,
    _lock: Option<DirectoryLock>,
}

/// How many requests of programs are worked on at a time.
///
/// On SQLite, as many as make its shared commits worth while. On PostgreSQL the same for writes, since those of a location share a
/// connection; of reads what keeps its connections busy, and an agency may have fewer than there are, so that its slowest
/// statements leave some to the others.
fn requests(config: &Config) -> Requests {
    let of_one = keystead_store::Options::default().connections - 2;
    let reads = match (config.requests_at_once, &config.database) {
        (Some(working), _) => Places::of(working),
        (None, Database::Sqlite(_)) => Places::of(WRITES_AT_ONCE),
        (None, Database::Postgres(_)) => Places { of_one, ..Places::of(2 * of_one) },
    };
    let writes = Places::of(config.requests_at_once.unwrap_or(WRITES_AT_ONCE));
    Requests { reads: Admission::new(reads), writes: Admission::new(writes) }
}

const WRITES_AT_ONCE: usize = 128;

impl Server {
    /// Opens the instance and the socket.
    pub async fn bind(config: &Config, clock: Clock, entropy: Entropy) -> Result<Self, Failure> {
        open_files::raise_limit();
        let max = open_files::connections(config.connections.max);
        let connections = Connections { max, ..config.connections.clone() };
        let listener = TcpListener::bind(config.listen).await.map_err(|error| {
            Failure::new(format!(
                "cannot listen on {}: {error}; stop what uses the port, or choose another with --listen",
                config.listen
            ))
        })?;
        data_dir::make(&config.data_dir)?;
        // Before the schema is looked at: one server writes, and another release's must not be changed under it.
        let lock = match config.database {
            Database::Sqlite(_) => Some(DirectoryLock::take(&config.data_dir)?),
            Database::Postgres(_) => None,
        };
        let app = instance::make(config, clock, entropy.clone(), lock.as_ref()).await?;
        // Before anybody is let in: a database that is older than the journal is brought back within it.
        match app.keep_journal().await {
            Err(keystead_core::Error::Full(_)) | Ok(()) => {}
            // There is none, and it cannot be made: that is told wherever an operator looks.
            Err(_) if !config.data_dir.join(instance::JOURNAL).try_exists().unwrap_or(true) => {}
            Err(error) => return Err(Failure::new(format!("the journal of revocations: {}", Failure::from(error)))),
        }
        let address = listener.local_addr().map_err(|error| Failure::new(error.to_string()))?;
        let base_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        app.reached_at(&base_url);
        let mailer = match &config.smtp {
            Some((url, from)) => Some(Mailer::new(url, from).map_err(Failure::new)?),
            None => None,
        };
        let node = ThisNode { id: entropy.token(), address: address.to_string(), started_at: app.now() };
        let guard = Guard::new(config.limits.webhooks.allowed.clone());
        let client = OutboundClient::of_this_machine(guard).map_err(Failure::new)?;
        let outside = Outside { node, mailer, base_url: base_url.clone(), rows: Arc::new(Spreadsheets), client };
        let (ending, ended) = watch::channel(false);
        let (has_mail, warnings) = (config.smtp.is_some(), config.warnings());
        let pages = Arc::new(Admission::new(Places::of(PAGES_AT_ONCE)));
        let strangers = Arc::new(Admission::new(Places::of(STRANGERS_AT_ONCE)));
        let requests = Arc::new(requests(config));
        let options = WebOptions {
            base_url: base_url.clone(),
            ended,
            has_mail,
            warnings,
            admission: Arc::clone(&pages),
            strangers: Arc::clone(&strangers),
            reference,
            rows: Arc::new(Spreadsheets),
            downloads: Arc::new(Downloads { base_url: Some(base_url.as_str().into()) }),
        };
        let web = Web::new(app.clone(), options);
        let setup_url = match app.needs_setup().await? {
            true => Some(format!("{base_url}/app/setup?token={}", app.setup_token().await)),
            false => None,
        };
        let faces = Arc::new(Faces {
            api: Api::new(app.clone(), base_url, Arc::clone(&requests)),
            web: web.router(),
            arrivals: Arrivals::new(config.proxies.clone(), &entropy),
            metrics: Arc::new(Metrics::of(endpoints())),
            requests,
            pages,
            strangers,
            draining: AtomicBool::new(false),
            machine: Machine::new(config.data_dir.clone(), &config.database, app.now()),
            metrics_token: config.metrics_token.clone(),
            log_requests: config.log_requests,
            app: app.clone(),
        });
        Ok(Self {
            listener,
            faces,
            app,
            setup_url,
            ending,
            outside,
            connections,
            proxies: config.proxies.clone(),
            drain: config.drain,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr, Failure> {
        self.listener.local_addr().map_err(|error| Failure::new(error.to_string()))
    }

    /// The address of the first-run wizard, with its token, on an instance that nobody has set up.
    pub fn setup_url(&self) -> Option<&str> {
        self.setup_url.as_deref()
    }

    /// The application, for tests that look behind the doors.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `stop`, and for as long as it is to drain; then finishes the requests under way, stores the uses of
    /// keys, and ends, after [`Server::longest_end`] at the latest.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let Self { listener, faces, app, setup_url: _, ending, outside, connections, proxies, drain, _lock } = self;
        app.start_polling();
        #[expect(clippy::disallowed_methods, reason = "the one task of the scheduler, joined below")]
        let mut jobs = tokio::spawn(keystead_jobs::run(app.clone(), outside, ending.subscribe()));
        let draining = Arc::clone(&faces);
        let (grace, last_words) = (connections.grace, connections.last_words);
        let drained = Arc::new(OnceLock::new());
        let end = Arc::clone(&drained);
        // It owns what it uses: the application that is closed below must be the last of its handles.
        let stop = async move {
            stop.await;
            draining.drain();
            tokio::time::sleep(drain).await;
            let _ = end.set(Instant::now());
            // Jobs begin nothing new, and streams of events do not hold up the end.
            let _ = ending.send(true);
        };
        let metrics: Arc<Metrics> = Arc::clone(&faces.metrics);
        keystead_http::serve(
            listener,
            connections,
            proxies,
            metrics,
            move |request, peer| Arc::clone(&faces).call(request, peer),
            stop,
        )
        .await;
        // Jobs have had the time of the requests. Whatever they do is done by transactions, and goes on with the next start.
        let begun = drained.get().copied().unwrap_or_else(Instant::now);
        if tokio::time::timeout_at(begun + last_words + grace + JOBS_END_WITHIN, &mut jobs).await.is_err() {
            tracing::warn!("jobs that did not finish in time were cut off");
            jobs.abort();
            let _ = jobs.await;
        }
        keystead_core::tally::finish();
        match tokio::time::timeout(CLOSED_WITHIN, app.close()).await {
            Ok(closed) => Ok(closed?),
            Err(_) => Err(Failure::new("the last uses of keys could not be stored: the database does not answer")),
        }
    }

    /// The longest that an end takes after it was drained.
    pub fn longest_end(connections: &Connections) -> Duration {
        connections.last_words + connections.grace + JOBS_END_WITHIN + CLOSED_WITHIN
    }
}

/// The document of an API, by its name in addresses.
fn reference(api: &str) -> &'static Value {
    document(match api {
        "1.0" => Document::V1,
        "v3" => Document::V3,
        _ => Document::V2,
    })
}
