//! Opening a store, and the three ways to run a closure in it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use keystead_model::{id::Id, job::JobKind};
use tokio::sync::oneshot;

use crate::{
    Error, Migrations, StoreFigures, Tx,
    bells::Bells,
    job::{WriteJob, guarded},
    postgres::{Isolation, Lane, Postgres},
    spent,
    sqlite::Sqlite,
};

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL URL; it may hold a password, so it has no `Debug`.
    Postgres(String),
}

/// How to open it.
pub struct Options {
    /// Connections to PostgreSQL, besides two to eight for lookups, one for the change feed and one for probes.
    pub connections: usize,
    /// Most closures that share one SQLite commit; 1 is a commit for each, as the bench compares.
    pub max_batch: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 10, max_batch: 256 }
    }
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] Error),
    /// Its schema comes from a newer release.
    #[error(
        "the database has schema version {found}, but this release knows only {known}; run the newer release, or restore the backup made before the upgrade"
    )]
    NewerSchema {
        /// Of the database.
        found: i64,
        /// Of this release.
        known: i64,
    },
}

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store {
    driver: Driver,
    bells: Arc<Bells>,
}

#[derive(Clone)]
enum Driver {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Store {
    /// Opens the database, creating an empty SQLite file. Nothing is migrated yet.
    pub fn open(database: &Database, options: &Options) -> Result<Self, OpenError> {
        let driver = match database {
            Database::Sqlite(path) => Driver::Sqlite(Sqlite::open(path, options.max_batch)?),
            Database::Postgres(url) => Driver::Postgres(Postgres::open(url, options.connections)?),
        };
        Ok(Self { driver, bells: Arc::default() })
    }

    /// Waits until a transaction that added a job of this kind is committed by this store; one that nobody has waited for
    /// counts.
    pub async fn work_comes(&self, kind: JobKind) {
        self.bells.heard(kind).await;
    }

    /// The migrations of this release against this database.
    pub fn migrations(&self) -> Migrations<'_> {
        Migrations::new(self)
    }

    /// `"sqlite"` or `"postgres"`.
    pub fn kind(&self) -> &'static str {
        match self.driver {
            Driver::Sqlite(_) => "sqlite",
            Driver::Postgres(_) => "postgres",
        }
    }

    /// Runs `closure` in a transaction and commits it if it answers `Ok`. It is written as if it were alone.
    ///
    /// The closure may run more than once, so it must have no effect but on `tx`; ids and instants are made outside.
    pub async fn write<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.run_write(Isolation::Serializable, closure).await
    }

    /// The same for a transaction that begins with [`crate::changes::next`], whose lock makes it serial, or that is a
    /// single conditional statement. On PostgreSQL it is READ COMMITTED: it sees what was committed before its lock.
    pub async fn write_serial<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.run_write(Isolation::ReadCommitted, closure).await
    }

    /// The same for what changes things of one location, or of one agency itself, and of nothing else: one after another with
    /// everything that is written so under its id, on all servers, many in one commit. A closure is written as if it were
    /// alone there.
    pub async fn write_in<N, T, E, F>(&self, owner: Id<N>, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = asked();
        let job = Box::new(self.pending(closure, reply));
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.submit(job),
            Driver::Postgres(postgres) => postgres.submit_in(owner.of_anything(), job),
        }
        answer.heard().await
    }

    fn pending<F, T, E>(&self, closure: F, reply: Reply<T, E>) -> Pending<F, T, E> {
        Pending { closure, outcome: None, reply, work: Vec::new(), bells: Arc::clone(&self.bells) }
    }

    async fn run_write<T, E, F>(&self, isolation: Isolation, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = asked();
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.submit(Box::new(self.pending(closure, reply))),
            Driver::Postgres(postgres) => {
                let bells = Arc::clone(&self.bells);
                let job = Box::new(move |link: &mut crate::postgres::Link| {
                    let reply = reply.begun();
                    let mut work = Vec::new();
                    let outcome = link.transact(isolation, |tx| {
                        let outcome = closure(tx);
                        work = tx.take_work();
                        outcome
                    });
                    if outcome.is_ok() {
                        bells.ring(&work);
                    }
                    reply.send(outcome);
                });
                postgres.submit(Lane::General, job)?;
            }
        }
        answer.heard().await
    }

    /// Runs `closure` on one state of the database, on a database thread.
    pub async fn read<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = asked();
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.submit_read(Box::new(move |sqlite| {
                let reply = reply.begun();
                reply.send(guarded(|| sqlite.read(true, closure)));
            }))?,
            Driver::Postgres(postgres) => postgres.submit(
                Lane::General,
                Box::new(move |link| {
                    let reply = reply.begun();
                    reply.send(link.transact(Isolation::Snapshot, closure));
                }),
            )?,
        }
        answer.heard().await
    }

    /// Runs one short indexed statement: on SQLite on the calling thread, where it takes microseconds.
    pub async fn look_up<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.run_look_up(Lane::Lookup, closure).await
    }

    /// The same for the change feed, which waits behind nothing: on PostgreSQL it has a connection of its own.
    pub async fn follow<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.run_look_up(Lane::Feed, closure).await
    }

    /// The same for a probe of the database, which has a connection of its own.
    pub async fn probe<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.run_look_up(Lane::Probe, closure).await
    }

    async fn run_look_up<T, E, F>(&self, lane: Lane, closure: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.driver {
            Driver::Sqlite(sqlite) => {
                let begun = Instant::now();
                let outcome = guarded(|| sqlite.read(false, closure));
                spent::add(Duration::ZERO, begun.elapsed());
                outcome
            }
            Driver::Postgres(postgres) => {
                let (reply, answer) = asked();
                postgres.submit(
                    lane,
                    Box::new(move |link| {
                        let reply = reply.begun();
                        reply.send(link.look_up(closure));
                    }),
                )?;
                answer.heard().await
            }
        }
    }

    /// Copies a SQLite database to `target`; PostgreSQL has its own tools and answers `false`.
    pub fn copy_file(&self, target: &Path) -> crate::Result<bool> {
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.copy_to(target).map(|()| true),
            Driver::Postgres(_) => Ok(false),
        }
    }

    /// Whether the last write found no space left; reading goes on.
    pub fn is_full(&self) -> bool {
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.is_full(),
            Driver::Postgres(postgres) => postgres.is_full(),
        }
    }

    /// What was counted and timed so far.
    pub fn figures(&self) -> StoreFigures {
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.figures(),
            Driver::Postgres(postgres) => postgres.figures(),
        }
    }

    /// Waits for the writes that were begun. Call it last, with the last handle.
    pub fn close(self) {
        if let Driver::Sqlite(sqlite) = self.driver {
            sqlite.close();
        }
    }
}

fn stopped() -> Error {
    Error::Unavailable("the database thread has ended".to_owned())
}

/// A question to the database: who answers it, and who hears the answer.
fn asked<T, E>() -> (Reply<T, E>, Answer<T, E>) {
    let (sender, receiver) = oneshot::channel();
    let asked = Instant::now();
    (Reply { asked, queued: None, sender }, Answer { asked, receiver })
}

struct Reply<T, E> {
    asked: Instant,
    queued: Option<Duration>,
    sender: oneshot::Sender<(Result<T, E>, Duration)>,
}

impl<T, E> Reply<T, E> {
    /// Its turn has come.
    fn begun(mut self) -> Self {
        self.begin();
        self
    }

    fn begin(&mut self) {
        self.queued.get_or_insert_with(|| self.asked.elapsed());
    }

    fn send(self, answer: Result<T, E>) {
        // Nobody may be there any more.
        let _ = self.sender.send((answer, self.queued.unwrap_or_else(|| self.asked.elapsed())));
    }
}

struct Answer<T, E> {
    asked: Instant,
    receiver: oneshot::Receiver<(Result<T, E>, Duration)>,
}

impl<T, E: From<Error>> Answer<T, E> {
    async fn heard(self) -> Result<T, E> {
        let Ok((answer, queued)) = self.receiver.await else { return Err(stopped().into()) };
        spent::add(queued, self.asked.elapsed().saturating_sub(queued));
        answer
    }
}

/// A closure, its result and its caller.
struct Pending<F, T, E> {
    closure: F,
    outcome: Option<Result<T, E>>,
    reply: Reply<T, E>,
    /// Kinds of jobs that it adds.
    work: Vec<JobKind>,
    bells: Arc<Bells>,
}

impl<F, T, E> WriteJob for Pending<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.reply.begin();
        let outcome = guarded(|| (self.closure)(tx));
        let keep = outcome.is_ok();
        self.work = tx.take_work();
        self.outcome = Some(outcome);
        keep
    }

    fn settle(self: Box<Self>, lost: Option<Error>) {
        if lost.is_none() && matches!(self.outcome, Some(Ok(_))) {
            self.bells.ring(&self.work);
        }
        self.reply.send(match (lost, self.outcome) {
            // Others got in its way each time: what it said then was about them.
            (Some(error @ Error::Contended(_)), _) => Err(error.into()),
            // The closure's own refusal stands whatever became of the others.
            (_, Some(Err(error))) => Err(error),
            (Some(error), _) => Err(error.into()),
            (None, Some(Ok(value))) => Ok(value),
            (None, None) => Err(stopped().into()),
        });
    }
}
