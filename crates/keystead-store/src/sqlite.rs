//! The SQLite driver: one writer thread whose closures share durable commits, and a stock of read connections.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{Durations, Error, LaneFigures, Result, StoreFigures, Tx, deadline, job::WriteJob, migrations};

/// Below this version of SQLite a rare race can corrupt a WAL database.
const OLDEST_SAFE: i32 = 3_051_003;
/// Pages of the WAL at which a checkpoint copies them, some 16 MB: whoever writes much changes the same pages again and again, and
/// each checkpoint flushes the whole.
const CHECKPOINT_PAGES: i64 = 4000;
/// Bytes of the WAL that are kept for what comes next.
const WAL_LIMIT: i64 = 32 * 1024 * 1024;
/// Closures that wait for the writer; one more is refused.
const QUEUE: usize = 4096;
/// How long a stop waits for the last commit.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);
/// How often it is looked whether another process still writes, and how long.
const LOCK_LOOK: Duration = Duration::from_micros(300);
const LOCK_WITHIN: Duration = Duration::from_secs(5);
/// A batch is committed when it has taken this long, so that its first caller does not wait for ever.
const BATCH_TIME: Duration = Duration::from_millis(10);

/// A closure on its way to a reader thread.
type ReadJob = Box<dyn FnOnce(&Sqlite) + Send>;

/// A closure in a queue, and since when.
struct Queued<J>(J, Instant);

/// What the threads count and time.
#[derive(Default)]
struct Counts {
    commits: AtomicU64,
    writes: AtomicU64,
    retries: AtomicU64,
    writes_waited: Durations,
    reads_waited: Durations,
    /// Whether the last write found no space.
    is_full: AtomicBool,
}

pub(crate) struct Sqlite {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: Sender<Queued<Box<dyn WriteJob>>>,
    /// Ends with the writer thread, after its last commit.
    writer_ended: Receiver<()>,
    reads: Sender<Queued<ReadJob>>,
    counts: Arc<Counts>,
}

impl Sqlite {
    /// Opens or creates the file and starts the threads.
    pub(crate) fn open(path: &Path, max_batch: usize) -> Result<Arc<Self>> {
        if rusqlite::version_number() < OLDEST_SAFE {
            return Err(Error::Statement(format!("SQLite {} is too old", rusqlite::version())));
        }
        let connection = open_connection(path, true)?;
        let (writer, jobs) = bounded(QUEUE);
        let (ended, writer_ended) = bounded(0);
        let (reads, read_jobs) = bounded::<Queued<ReadJob>>(QUEUE);
        let store = Arc::new(Self {
            path: path.to_owned(),
            readers: Mutex::default(),
            writer,
            writer_ended,
            reads,
            counts: Arc::default(),
        });
        let counts = Arc::clone(&store.counts);
        spawn("sqlite-writer", move || {
            Writer { connection, jobs, max_batch, counts }.run();
            drop(ended);
        })?;
        for number in 0..2 {
            let jobs = read_jobs.clone();
            // Weak, so that dropping the store ends its own threads.
            let store = Arc::downgrade(&store);
            spawn(&format!("sqlite-reader-{number}"), move || {
                while let Ok(Queued(job, since)) = jobs.recv() {
                    let Some(store) = store.upgrade() else { return };
                    store.counts.reads_waited.add(since.elapsed());
                    job(&store);
                }
            })?;
        }
        Ok(store)
    }

    /// Hands a closure to the writer.
    pub(crate) fn submit(&self, job: Box<dyn WriteJob>) {
        if let Err(refused) = self.writer.try_send(Queued(job, Instant::now())) {
            refused.into_inner().0.settle(Some(Error::Unavailable("too many writes are waiting".to_owned())));
        }
    }

    /// Hands a closure to a reader thread.
    pub(crate) fn submit_read(&self, job: ReadJob) -> Result<()> {
        self.reads
            .try_send(Queued(job, Instant::now()))
            .map_err(|_| Error::Unavailable("too many reads are waiting".to_owned()))
    }

    /// Runs a closure on a read connection, on the calling thread. With `snapshot`, all its statements see one state.
    pub(crate) fn read<T, E: From<Error>>(
        &self,
        snapshot: bool,
        closure: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let stocked = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match stocked {
            Some(connection) => connection,
            None => open_connection(&self.path, false)?,
        };
        let run = |sql| connection.prepare_cached(sql)?.execute([]);
        if snapshot {
            run("BEGIN").map_err(Error::from)?;
        }
        let outcome = closure(&mut Tx::sqlite(&connection));
        if snapshot {
            run("ROLLBACK").map_err(Error::from)?;
        }
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        outcome
    }

    /// What was counted and timed.
    pub(crate) fn figures(&self) -> StoreFigures {
        let Counts { commits, writes, retries, writes_waited, reads_waited, .. } = &*self.counts;
        let lane = |name, waiting, waited: &Durations| LaneFigures { name, waiting, waited: waited.distribution() };
        StoreFigures {
            lanes: vec![lane("write", self.writer.len(), writes_waited), lane("read", self.reads.len(), reads_waited)],
            commits: commits.load(Ordering::Relaxed),
            writes: writes.load(Ordering::Relaxed),
            retries: retries.load(Ordering::Relaxed),
        }
    }

    /// Whether the last write found no space.
    pub(crate) fn is_full(&self) -> bool {
        self.counts.is_full.load(Ordering::Relaxed)
    }

    /// Copies the whole database into a new file, also while it is written to.
    pub(crate) fn copy_to(&self, target: &Path) -> Result<()> {
        let source = open_connection(&self.path, false)?;
        let mut copy = Connection::open(target)?;
        rusqlite::backup::Backup::new(&source, &mut copy)?.run_to_completion(1000, Duration::ZERO, None)?;
        copy.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// Waits until everything that was handed to the writer is committed, and ends it. For a graceful stop.
    pub(crate) fn close(self: Arc<Self>) {
        let ended = self.writer_ended.clone();
        drop(self);
        // The writer ends when the last handle is gone; a handle that is still used elsewhere must not hold the stop.
        if ended.recv_timeout(CLOSED_WITHIN) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the database was not closed in time: something still uses it, or its disk is slow");
        }
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map(drop)
        .map_err(|error| Error::Unavailable(format!("no thread: {error}")))
}

/// A connection besides those of a store. Unless `create`, the file must be there.
pub(crate) fn open_alone(path: &Path, create: bool) -> Result<Connection> {
    if !create && !path.exists() {
        return Err(Error::Refused(format!("{} does not exist", path.display())));
    }
    open_connection(path, create)
}

/// Whether the database of this header was ever served from: all of those keep their journal as a WAL.
pub(crate) fn is_in_use(header: &[u8; 100]) -> bool {
    header[18..20] == [2, 2]
}

/// Whether a file can be a database of Keystead. It is only looked at: one that is empty, or somebody else's, stays as it is.
pub fn may_be_ours(path: &Path) -> bool {
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => false,
        // Why it cannot be read is told by whoever opens it.
        Err(_) => true,
        Ok(()) if is_in_use(&header) || header[..16] != *b"SQLite format 3\0" => true,
        Ok(()) => {
            let schema = open_source(path).and_then(|connection| migrations::current(&mut Tx::sqlite(&connection)));
            // Why it cannot be read is told as well.
            schema.is_err() || schema.is_ok_and(|schema| schema > 0)
        }
    }
}

/// A connection to a file that is copied. Only one that is in use, or was, is opened as its server opens it; every other
/// stays as it is, byte for byte.
pub(crate) fn open_source(path: &Path) -> Result<Connection> {
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    if read.is_ok() && !is_in_use(&header) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        return Ok(Connection::open_with_flags(path, flags)?);
    }
    open_alone(path, false)
}

/// A connection to a file that nobody writes to, and that stays as it is, byte for byte.
pub(crate) fn open_immutable(path: &Path) -> Result<Connection> {
    let escaped = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?)
}

/// Waits for another process, a command that writes much beside the server: SQLite's own way looks again more and more seldom, up
/// to each 100 ms, and meets only by chance the moment between two commits.
fn wait_for_lock(looks: i32) -> bool {
    thread::sleep(LOCK_LOOK);
    LOCK_LOOK * looks.unsigned_abs() < LOCK_WITHIN
}

fn open_connection(path: &Path, write: bool) -> Result<Connection> {
    let create = if write { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // A misspelled "column" must be an error, not a string.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // A plan is one for all values. Else SQLite makes it anew whenever a LIMIT is bound, which took a third of a list's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.busy_handler(Some(wait_for_lock))?;
    // FULL: with NORMAL a power cut loses commits that were acknowledged.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -16000; PRAGMA mmap_size = 268435456;",
    )?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // What a long read let the WAL grow to is given back with the next checkpoint after it.
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    if !write {
        connection.execute_batch("PRAGMA query_only = ON")?;
        deadline::watch(&mut connection)?;
    }
    Ok(connection)
}

struct Writer {
    connection: Connection,
    jobs: Receiver<Queued<Box<dyn WriteJob>>>,
    max_batch: usize,
    counts: Arc<Counts>,
}

impl Writer {
    fn run(self) {
        while let Ok(first) = self.jobs.recv() {
            let mut batch = self.commit(vec![self.begun(first)], Some(&self.jobs), Undoing::All);
            if let Err((jobs, Broken::Lost)) = batch {
                self.counts.retries.fetch_add(1, Ordering::Relaxed);
                batch = self.commit(jobs, None, Undoing::Each);
            }
            match batch {
                // Nothing of the batch was kept: each closure gets a transaction of its own, so that the one that
                // broke it fails alone.
                Err((jobs, _)) if jobs.len() > 1 => {
                    for job in jobs {
                        settle(self.commit(vec![job], None, Undoing::Each));
                    }
                }
                batch => settle(batch),
            }
        }
    }

    /// A job that has waited long enough.
    fn begun(&self, Queued(job, since): Queued<Box<dyn WriteJob>>) -> Box<dyn WriteJob> {
        self.counts.writes_waited.add(since.elapsed());
        job
    }

    /// Runs the given closures and, from `more`, whatever else is waiting, and commits them together.
    fn commit(
        &self,
        mut jobs: Vec<Box<dyn WriteJob>>,
        more: Option<&Receiver<Queued<Box<dyn WriteJob>>>>,
        undoing: Undoing,
    ) -> BatchOutcome {
        if let Err(error) = self.connection.execute_batch("BEGIN IMMEDIATE") {
            return Err((jobs, Broken::By(error.into())));
        }
        let begun = Instant::now();
        let mut next = 0;
        let mut is_full = false;
        while next < jobs.len() {
            let ran = match undoing {
                Undoing::All => self.run_one(jobs[next].as_mut()),
                Undoing::Each => self.run_in_savepoint(jobs[next].as_mut()),
            };
            match ran {
                Ok(found_none) => is_full |= found_none,
                Err(broken) => {
                    let _ = self.connection.execute_batch("ROLLBACK");
                    return Err(self.judged(jobs, broken));
                }
            }
            next += 1;
            if let Some(more) = more
                && next == jobs.len()
                && next < self.max_batch
                && begun.elapsed() < BATCH_TIME
                && let Ok(job) = more.try_recv()
            {
                jobs.push(self.begun(job));
            }
        }
        match self.connection.execute_batch("COMMIT") {
            Ok(()) => {
                self.counts.commits.fetch_add(1, Ordering::Relaxed);
                self.counts.writes.fetch_add(jobs.len() as u64, Ordering::Relaxed);
                self.counts.is_full.store(is_full, Ordering::Relaxed);
                Ok(jobs)
            }
            Err(error) => {
                let _ = self.connection.execute_batch("ROLLBACK");
                Err(self.judged(jobs, Broken::By(error.into())))
            }
        }
    }

    fn judged(&self, jobs: Vec<Box<dyn WriteJob>>, broken: Broken) -> (Vec<Box<dyn WriteJob>>, Broken) {
        if matches!(broken, Broken::By(Error::Full(_))) {
            self.counts.is_full.store(true, Ordering::Relaxed);
        }
        (jobs, broken)
    }

    /// Runs a closure; whether it found no space. An error means that nothing of the transaction may be kept.
    fn run_one(&self, job: &mut dyn WriteJob) -> std::result::Result<bool, Broken> {
        let mut tx = Tx::sqlite(&self.connection).hopeful();
        let is_kept = job.run(&mut tx);
        self.check_transaction()?;
        if tx.can_go_on(is_kept) { Ok(tx.is_full) } else { Err(Broken::Lost) }
    }

    /// The same for one that is undone alone.
    fn run_in_savepoint(&self, job: &mut dyn WriteJob) -> std::result::Result<bool, Broken> {
        let step = |sql| self.connection.prepare_cached(sql).and_then(|mut step| step.execute([])).map_err(Error::from);
        step("SAVEPOINT closure")?;
        let mut tx = Tx::sqlite(&self.connection);
        let is_kept = job.run(&mut tx);
        self.check_transaction()?;
        if !is_kept {
            step("ROLLBACK TO closure")?;
        }
        step("RELEASE closure")?;
        Ok(tx.is_full)
    }

    /// A full disk or an interrupt ends the transaction behind our back. Without this check what the next closure does would
    /// commit on its own: seen to lose the first closure of a batch and keep the third.
    fn check_transaction(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Err(Error::Full("SQLite ended the transaction".to_owned()));
        }
        Ok(())
    }
}

fn settle(batch: BatchOutcome) {
    let (jobs, lost) = match batch {
        Ok(jobs) => (jobs, None),
        Err((jobs, Broken::By(error))) => (jobs, Some(error)),
        Err((jobs, Broken::Lost)) => (jobs, Some(Error::Unavailable("it was not run again".to_owned()))),
    };
    for job in jobs {
        job.settle(lost.clone());
    }
}

/// What is undone of a batch when one of its closures has to be.
#[derive(Clone, Copy)]
enum Undoing {
    /// All, and all are run again. It is rare that a closure is refused after it changed something: a savepoint for each, into
    /// which SQLite copies every page that changes, took most of the time of a batch.
    All,
    /// Each alone, by its savepoint.
    Each,
}

/// Why nothing of a batch is kept.
enum Broken {
    /// Something of it has to be undone alone.
    Lost,
    By(Error),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::By(error)
    }
}

type BatchOutcome = std::result::Result<Vec<Box<dyn WriteJob>>, (Vec<Box<dyn WriteJob>>, Broken)>;

#[cfg(test)]
#[path = "sqlite_tests.rs"]
mod tests;
