//! The PostgreSQL driver: threads that each own a connection.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{
    Durations, Error, LaneFigures, Result, StoreFigures, Tx,
    groups::{self, Groups, Owner},
    job::{WriteJob, guarded},
    postgres_url::{IDLE_MAX, Target},
    session::{Failed, Session},
};

/// Closures that wait for a connection; one more is refused.
pub(crate) const QUEUE: usize = 4096;
/// Tries of a transaction before its caller is told that others got in the way.
const TRIES: u32 = 24;

type Work = Box<dyn FnOnce(&mut Link) + Send>;

/// Work on its way to a connection.
pub(crate) struct Job {
    work: Work,
    queued: Instant,
}

impl Job {
    pub(crate) fn new(work: Work) -> Self {
        Self { work, queued: Instant::now() }
    }
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
    groups: Arc<Groups>,
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
            writes: AtomicU64::default(),
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
        let groups = Arc::new(Groups::new(general.clone()));
        Ok(Arc::new(Self { server, general, lookups, more_lookups: Arc::default(), feed, probe, queues, groups }))
    }

    /// What was counted and timed.
    pub(crate) fn figures(&self) -> StoreFigures {
        StoreFigures {
            lanes: self.queues.iter().map(Queue::figures).chain([self.groups.figures()]).collect(),
            commits: self.server.commits.load(Relaxed),
            writes: self.server.writes.load(Relaxed),
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
        queue
            .try_send(Job::new(work))
            .map_err(|_| Error::Unavailable("too many requests wait for PostgreSQL".to_owned()))?;
        if lane == Lane::Lookup && !queue.is_empty() {
            self.add_lookups();
        }
        Ok(())
    }

    /// Hands a closure to the queue of its owner.
    pub(crate) fn submit_in(&self, owner: Owner, job: Box<dyn WriteJob>) {
        self.groups.submit(owner, job);
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
pub(crate) fn connect_alone(url: &str) -> Result<Session> {
    let mut session = connect(&Target::parse(url)?)?;
    let unlimited = session.batch("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0");
    unlimited.map_err(|failed| failed.error)?;
    Ok(session)
}

fn connect(target: &Target) -> Result<Session> {
    Session::connect(target).map_err(|error| match error {
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
    writes: AtomicU64,
    retries: AtomicU64,
}

impl Server {
    fn connect(&self) -> Result<Session> {
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

    fn count(&self, writes: u64) {
        self.commits.fetch_add(1, Relaxed);
        self.writes.fetch_add(writes, Relaxed);
    }

    fn failed_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.failed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a closure that runs alone was not kept.
enum Refused {
    ByClosure,
    ByDatabase(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::ByDatabase(error)
    }
}

/// One thread's connection, made when it is needed and made anew when it is dead.
pub(crate) struct Link {
    server: Arc<Server>,
    session: Option<Session>,
}

impl Link {
    fn session(&mut self) -> Result<&mut Session> {
        self.session.take_if(|session| session.is_closed());
        match &mut self.session {
            Some(session) => Ok(session),
            none => Ok(none.insert(self.server.connect()?)),
        }
    }

    /// A connection with a transaction that has begun so.
    fn begin(&mut self, begin: &str) -> std::result::Result<&mut Session, Failed> {
        let session = self.session()?;
        if let Err(failed) = session.batch(begin) {
            let has_died = session.is_closed();
            self.session = None;
            if !has_died {
                return Err(failed);
            }
            // A connection that died while it was idle is only noticed here: once more on a new one.
            if let Err(failed) = self.session()?.batch(begin) {
                self.session = None;
                return Err(failed);
            }
        }
        self.session().map_err(Failed::from)
    }

    /// Runs `closure` in a transaction, again where it lost against others.
    pub(crate) fn transact<T, E: From<Error>>(
        &mut self,
        isolation: Isolation,
        closure: impl FnMut(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.transact_after(isolation.begin(), isolation != Isolation::Snapshot, closure)
    }

    /// Runs `closure` in a transaction that begins so.
    fn transact_after<T, E: From<Error>>(
        &mut self,
        begin: &str,
        writes: bool,
        mut closure: impl FnMut(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        for attempt in 0..TRIES {
            let session = match self.begin(begin) {
                Ok(session) => session,
                Err(Failed { error, .. }) => return Err(error.into()),
            };
            let begun = Instant::now();
            let mut tx = Tx::postgres(session);
            let outcome = guarded(|| closure(&mut tx));
            let (mut retry, mut is_full) = (tx.retry, tx.is_full);
            let ended = if outcome.is_ok() { session.commit() } else { session.roll_back() };
            if outcome.is_err() && session.is_closed() && attempt == 0 && begun.elapsed() < IDLE_MAX {
                // It died before anybody said that it is to be kept, and not because of what the closure did.
                self.session = None;
                continue;
            }
            if let Err(failed) = &ended {
                retry |= failed.retry;
                is_full |= matches!(failed.error, Error::Full(_));
            }
            let is_kept = outcome.is_ok() && ended.is_ok();
            if writes && (is_full || is_kept) {
                self.server.is_full.store(is_full, Relaxed);
            }
            match (outcome, ended) {
                (Ok(value), Ok(())) => {
                    if writes {
                        self.server.count(1);
                    }
                    return Ok(value);
                }
                (Ok(_), Err(failed)) if !failed.retry => {
                    self.session = None;
                    return Err(failed.error.into());
                }
                (Ok(_), Err(_)) => {}
                (Err(error), ended) => {
                    if ended.is_err() {
                        self.session = None;
                    }
                    if !retry {
                        return Err(error);
                    }
                }
            }
            self.lost(attempt);
        }
        Err(Error::Contended(format!("{TRIES} tries")).into())
    }

    /// Waits before a transaction is run again. That is not a failure: whoever wants to know how often reads the figures.
    fn lost(&self, attempt: u32) {
        self.server.retries.fetch_add(1, Relaxed);
        thread::sleep(backoff(attempt));
    }

    /// Runs closures of one owner, which `next` gives, one after another in one transaction, and answers them when it is
    /// committed.
    pub(crate) fn run_group(&mut self, owner: Owner, mut next: impl FnMut() -> Option<Box<dyn WriteJob>>) {
        let begin = groups::begin(owner);
        let mut jobs: Vec<Box<dyn WriteJob>> = Vec::new();
        let mut committed = match self.begin(&begin) {
            Ok(session) => groups::run(session, &mut jobs, &mut next, false),
            Err(failed) => {
                // One for each try to reach a server that may be there again for the next.
                if let Some(job) = next() {
                    job.settle(Some(failed.error));
                }
                return;
            }
        };
        if matches!(committed, Err(groups::Broken::Lost)) {
            self.server.retries.fetch_add(1, Relaxed);
            committed = match self.begin(&begin) {
                Ok(session) => groups::run(session, &mut jobs, &mut next, true),
                Err(_) => Err(groups::Broken::Undone),
            };
        }
        match committed {
            Ok(group) => {
                self.server.count(group.kept);
                self.server.is_full.store(group.is_full, Relaxed);
                // What is committed is answered before anything is run again, which may take its time.
                let mut again = Vec::new();
                for (job, is_lost) in jobs.into_iter().zip(group.lost) {
                    if is_lost { again.push(job) } else { job.settle(None) }
                }
                for job in again {
                    self.lost(0);
                    self.run_alone(&begin, job);
                }
            }
            Err(groups::Broken::Unknown(error)) => {
                self.session = None;
                for job in jobs {
                    job.settle(Some(error.clone()));
                }
            }
            // Nothing of it was kept: each gets a transaction of its own, so that the one that broke it fails alone.
            Err(groups::Broken::Undone | groups::Broken::Lost) => {
                if jobs.len() > 1 {
                    self.server.retries.fetch_add(1, Relaxed);
                }
                for job in jobs {
                    self.run_alone(&begin, job);
                }
            }
        }
    }

    fn run_alone(&mut self, begin: &str, mut job: Box<dyn WriteJob>) {
        // A refusal of the closure rolls back; its own outcome says why.
        let outcome: std::result::Result<(), Refused> =
            self.transact_after(begin, true, |tx| if job.run(tx) { Ok(()) } else { Err(Refused::ByClosure) });
        job.settle(match outcome {
            Ok(()) | Err(Refused::ByClosure) => None,
            Err(Refused::ByDatabase(error)) => Some(error),
        });
    }

    /// Runs one short statement without a transaction around it.
    pub(crate) fn look_up<T, E: From<Error>>(
        &mut self,
        mut closure: impl FnMut(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let session = self.session()?;
        let first = guarded(|| closure(&mut Tx::postgres(session)));
        if first.is_err() && session.is_closed() {
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
