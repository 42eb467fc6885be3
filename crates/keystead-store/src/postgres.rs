//! The PostgreSQL driver: threads that each own a connection.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use ::postgres::Client;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{
    Durations, Error, LaneFigures, Result, StoreFigures, Tx, postgres_url::Target, sqlite::guarded, tx::Session,
};

/// Closures that wait for a connection; one more is refused.
const QUEUE: usize = 4096;
/// Tries of a transaction before its caller is told that others got in the way.
const TRIES: u32 = 24;

type Work = Box<dyn FnOnce(&mut Link) + Send>;

/// Work on its way to a connection.
struct Job {
    work: Work,
    queued: Instant,
}

/// Where work waits for the connections of a lane.
#[derive(Clone)]
struct Queue {
    name: &'static str,
    jobs: Receiver<Job>,
    waited: Arc<Durations>,
}

impl Queue {
    fn new(name: &'static str) -> (Sender<Job>, Self) {
        let (sender, jobs) = bounded(QUEUE);
        (sender, Self { name, jobs, waited: Arc::default() })
    }

    fn run(&self, link: &mut Link, Job { work, queued }: Job) {
        self.waited.add(queued.elapsed());
        work(link);
    }

    fn figures(&self) -> LaneFigures {
        LaneFigures { name: self.name, waiting: self.jobs.len(), waited: self.waited.distribution() }
    }
}

/// How a closure's transaction is isolated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// As if the closure were alone; run again where PostgreSQL finds that it was not.
    Serializable,
    /// For transactions that are serial by a lock that they take first, and for single conditional statements.
    ReadCommitted,
    /// Reads of one state.
    Snapshot,
}

impl Isolation {
    fn begin(self) -> &'static str {
        match self {
            Self::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Self::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// Which connections a closure may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Those of all work.
    General,
    /// Lookups for authentication have connections of their own: slow work elsewhere must not lock clients out.
    Lookup,
    /// The change feed has one: its news must not wait behind anything.
    Feed,
    /// Probes of whether the database answers have one: they ask about the database, not about who uses it.
    Probe,
}

/// Connections for look-ups, of which there are always two; more while some wait.
const LOOKUPS: usize = 2;
const MOST_LOOKUPS: usize = 8;
/// A connection for look-ups that was not needed for so long ends.
const IDLE: Duration = Duration::from_secs(60);

pub(crate) struct Postgres {
    server: Arc<Server>,
    general: Sender<Job>,
    lookups: Sender<Job>,
    /// Connections for look-ups beyond those that there always are.
    more_lookups: Arc<AtomicUsize>,
    feed: Sender<Job>,
    probe: Sender<Job>,
    queues: [Queue; 4],
}

impl Postgres {
    /// Connects once, to tell a wrong address from a slow one, then starts the threads.
    pub(crate) fn open(url: &str, connections: usize) -> Result<Arc<Self>> {
        let target = Target::parse(url)?;
        // On a thread of its own: a client panics where an async runtime drives the thread, even when it is dropped.
        let first = target.clone();
        thread::spawn(move || connect(&first).map(drop))
            .join()
            .map_err(|_| Error::Unavailable("connecting failed".to_owned()))??;
        let server = Arc::new(Server {
            target,
            failed_at: Mutex::default(),
            is_full: AtomicBool::new(false),
            commits: AtomicU64::default(),
            retries: AtomicU64::default(),
        });
        let lane = |name, connections| -> Result<(Sender<Job>, Queue)> {
            let (sender, queue) = Queue::new(name);
            for number in 0..connections {
                spawn(&format!("postgres-{name}-{number}"), &server, queue.clone())?;
            }
            Ok((sender, queue))
        };
        let (general, of_all) = lane("general", connections)?;
        let (lookups, of_lookups) = lane("lookup", LOOKUPS)?;
        let (feed, of_feed) = lane("feed", 1)?;
        let (probe, of_probe) = lane("probe", 1)?;
        let queues = [of_all, of_lookups, of_feed, of_probe];
        Ok(Arc::new(Self { server, general, lookups, more_lookups: Arc::default(), feed, probe, queues }))
    }

    /// What was counted and timed.
    pub(crate) fn figures(&self) -> StoreFigures {
        let commits = self.server.commits.load(Relaxed);
        StoreFigures {
            lanes: self.queues.iter().map(Queue::figures).collect(),
            commits,
            writes: commits,
            retries: self.server.retries.load(Relaxed),
        }
    }

    /// Whether the last write found no space.
    pub(crate) fn is_full(&self) -> bool {
        self.server.is_full.load(Relaxed)
    }

    /// Hands a closure to a connection.
    pub(crate) fn submit(&self, lane: Lane, work: Work) -> Result<()> {
        let queue = match lane {
            Lane::General => &self.general,
            Lane::Lookup => &self.lookups,
            Lane::Feed => &self.feed,
            Lane::Probe => &self.probe,
        };
        let job = Job { work, queued: Instant::now() };
        queue.try_send(job).map_err(|_| Error::Unavailable("too many requests wait for PostgreSQL".to_owned()))?;
        if lane == Lane::Lookup && !queue.is_empty() {
            self.add_lookups();
        }
        Ok(())
    }

    /// Another connection for look-ups, which ends when it is not needed any more.
    fn add_lookups(&self) {
        let below = |count: usize| (count < MOST_LOOKUPS - LOOKUPS).then_some(count + 1);
        if self.more_lookups.fetch_update(Relaxed, Relaxed, below).is_err() {
            return;
        }
        let [_, queue, ..] = &self.queues;
        let (server, queue, count) = (Arc::clone(&self.server), queue.clone(), Arc::clone(&self.more_lookups));
        let work = move || {
            let mut link = Link { server, session: None };
            while let Ok(job) = queue.jobs.recv_timeout(IDLE) {
                queue.run(&mut link, job);
            }
            count.fetch_sub(1, Relaxed);
        };
        if thread::Builder::new().name("postgres-lookup-more".to_owned()).spawn(work).is_err() {
            self.more_lookups.fetch_sub(1, Relaxed);
        }
    }
}

/// A connection besides those of a store. A copy's statements may take long.
pub(crate) fn connect_alone(url: &str) -> Result<Client> {
    let mut client = connect(&Target::parse(url)?)?;
    client.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
    Ok(client)
}

fn connect(target: &Target) -> Result<Client> {
    target.config.connect(target.tls.clone()).map_err(|error| match Error::from(error) {
        Error::Unavailable(text) if text.contains("certificate") => Error::Unavailable(format!(
            "{text}; name a CA of your own with sslrootcert=FILE in the database URL, or say sslmode=disable where nobody else \
             can read the connection"
        )),
        other => other,
    })
}

fn spawn(name: &str, server: &Arc<Server>, queue: Queue) -> Result<()> {
    let server = Arc::clone(server);
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let mut link = Link { server, session: None };
            while let Ok(job) = queue.jobs.recv() {
                queue.run(&mut link, job);
            }
        })
        .map(drop)
        .map_err(|error| Error::Unavailable(format!("no thread: {error}")))
}

/// The server that all connections lead to.
struct Server {
    target: Target,
    /// When connecting last failed: the callers of the next moment are refused at once instead of waiting in turn. One
    /// mark for all: where one connection gets through again, none refuses any more.
    failed_at: Mutex<Option<Instant>>,
    is_full: AtomicBool,
    commits: AtomicU64,
    retries: AtomicU64,
}

impl Server {
    fn connect(&self) -> Result<Client> {
        let is_down = |at: Instant| at.elapsed() < Duration::from_millis(200);
        if self.failed_at().is_some_and(is_down) {
            return Err(Error::Unavailable("PostgreSQL cannot be reached".to_owned()));
        }
        let connected = connect(&self.target);
        *self.failed_at() = connected.is_err().then(Instant::now);
        connected.map_err(|error| match error {
            // A refused password or a missing database is as final as it is unavailable.
            Error::Statement(text) => Error::Unavailable(text),
            other => other,
        })
    }

    fn failed_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thread's connection, made when it is needed and made anew when it is dead.
pub(crate) struct Link {
    server: Arc<Server>,
    session: Option<Session>,
}

impl Link {
    fn session(&mut self) -> Result<&mut Session> {
        self.session.take_if(|session| session.client.is_closed());
        match &mut self.session {
            Some(session) => Ok(session),
            none => Ok(none.insert(Session::new(self.server.connect()?))),
        }
    }

    /// Runs `closure` in a transaction, again where it lost against others.
    pub(crate) fn transact<T, E: From<Error>>(
        &mut self,
        isolation: Isolation,
        mut closure: impl FnMut(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        for attempt in 0..TRIES {
            let session = self.session()?;
            if let Err(error) = session.client.batch_execute(isolation.begin()) {
                self.session = None;
                // A connection that died while it was idle is only noticed here: once more on a new one.
                if attempt == 0 {
                    continue;
                }
                return Err(Error::from(error).into());
            }
            let mut tx = Tx::postgres(session);
            let outcome = guarded(|| closure(&mut tx));
            let (retry, is_full) = (tx.retry, tx.is_full);
            let ended = session.client.batch_execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" });
            if isolation != Isolation::Snapshot && (is_full || (outcome.is_ok() && ended.is_ok())) {
                self.server.is_full.store(is_full, Relaxed);
            }
            match (outcome, ended) {
                (Ok(value), Ok(())) => {
                    if isolation != Isolation::Snapshot {
                        self.server.commits.fetch_add(1, Relaxed);
                    }
                    return Ok(value);
                }
                (Ok(_), Err(error)) if crate::error::is_retryable(&error) => {}
                (Ok(_), Err(error)) => {
                    self.session = None;
                    return Err(Error::from(error).into());
                }
                (Err(error), ended) => {
                    if ended.is_err() {
                        self.session = None;
                    }
                    if !retry {
                        return Err(error);
                    }
                }
            }
            // Not a failure: it is run again. Whoever wants to know how often reads the figures.
            self.server.retries.fetch_add(1, Relaxed);
            thread::sleep(backoff(attempt));
        }
        Err(Error::Contended(format!("{TRIES} tries")).into())
    }

    /// Runs one short statement without a transaction around it.
    pub(crate) fn look_up<T, E: From<Error>>(
        &mut self,
        mut closure: impl FnMut(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let session = self.session()?;
        let first = guarded(|| closure(&mut Tx::postgres(session)));
        if first.is_err() && session.client.is_closed() {
            let session = self.session()?;
            return guarded(|| closure(&mut Tx::postgres(session)));
        }
        first
    }
}

/// Grows to some 30 ms, with jitter from the clock: two losers must not meet again.
fn backoff(attempt: u32) -> Duration {
    let ceiling = 1_000u64 << attempt.min(5);
    let noise = u64::from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos());
    Duration::from_micros(ceiling / 2 + noise % ceiling)
}
