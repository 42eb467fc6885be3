//! Writes of locations, and of agencies themselves, on PostgreSQL: one after another for each, many in a transaction.
//!
//! What two writes of a location do at once would have to be told apart by PostgreSQL, which makes one of them begin anew.
//! So they queue by whose they are, and one connection at a time works on a queue: it takes the lock of the owner, which holds
//! on all servers, runs what waits, and answers all after one commit. Every statement sees what was committed before the lock,
//! so a closure is as alone as on SQLite. Where one has to be undone after it changed something, all are run again, each in a
//! savepoint.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::Sender;
use keystead_model::id::Id;

use crate::{
    Durations, Error, LaneFigures, Tx,
    job::WriteJob,
    postgres::{Job, Link, QUEUE},
    session::Session,
};

/// Closures of a transaction. PostgreSQL keeps so many savepoints at hand.
const GROUP: usize = 60;
/// A group is committed when it has taken this long, so that its first caller does not wait for ever.
const GROUP_TIME: Duration = Duration::from_millis(50);

/// Whose writes stand in a queue: a location's or an agency's.
pub(crate) type Owner = Id<()>;

/// The queues of all owners that have one.
pub(crate) struct Groups {
    /// An owner is here while a connection works on its queue or is about to.
    queues: Mutex<HashMap<Owner, VecDeque<Queued>>>,
    waiting: AtomicUsize,
    waited: Durations,
    connections: Sender<Job>,
}

struct Queued(Box<dyn WriteJob>, Instant);

impl Groups {
    pub(crate) fn new(connections: Sender<Job>) -> Self {
        Self { queues: Mutex::default(), waiting: AtomicUsize::new(0), waited: Durations::default(), connections }
    }

    pub(crate) fn figures(&self) -> LaneFigures {
        LaneFigures { name: "location", waiting: self.waiting.load(Relaxed), waited: self.waited.distribution() }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Owner, VecDeque<Queued>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn submit(self: &Arc<Self>, owner: Owner, job: Box<dyn WriteJob>) {
        if self.waiting.fetch_add(1, Relaxed) >= QUEUE {
            self.waiting.fetch_sub(1, Relaxed);
            return job.settle(Some(Error::Unavailable("too many writes are waiting".to_owned())));
        }
        let queued = Queued(job, Instant::now());
        match self.queues().entry(owner) {
            Entry::Occupied(mut queue) => return queue.get_mut().push_back(queued),
            Entry::Vacant(queue) => {
                queue.insert(VecDeque::from([queued]));
            }
        }
        self.call(owner);
    }

    /// Has a connection work on the queue of an owner, behind whatever waits for one.
    fn call(self: &Arc<Self>, owner: Owner) {
        let groups = Arc::clone(self);
        let work = Box::new(move |link: &mut Link| {
            link.run_group(owner, || groups.next(owner));
            groups.go_on(owner);
        });
        if self.connections.try_send(Job::new(work)).is_err() {
            let refused = self.queues().remove(&owner).unwrap_or_default();
            for Queued(job, _) in refused {
                self.waiting.fetch_sub(1, Relaxed);
                job.settle(Some(Error::Unavailable("too many requests wait for PostgreSQL".to_owned())));
            }
        }
    }

    fn next(&self, owner: Owner) -> Option<Box<dyn WriteJob>> {
        let Queued(job, since) = self.queues().get_mut(&owner)?.pop_front()?;
        self.waiting.fetch_sub(1, Relaxed);
        self.waited.add(since.elapsed());
        Some(job)
    }

    /// After a group: others get the connection first, if more has come.
    fn go_on(self: &Arc<Self>, owner: Owner) {
        {
            let mut queues = self.queues();
            if queues.get(&owner).is_none_or(VecDeque::is_empty) {
                queues.remove(&owner);
                return;
            }
        }
        self.call(owner);
    }
}

/// What a transaction of an owner begins with. The lock is a number made from the id; two that share one only wait for each
/// other. An id holds nothing that would end the text.
pub(crate) fn begin(owner: Owner) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(hashtextextended('{}', 0))",
        owner.as_str()
    )
}

/// A group that was committed.
#[derive(Default)]
pub(crate) struct Group {
    /// Closures whose effect is there.
    pub(crate) kept: u64,
    /// Of each closure, whether it was undone but may succeed when it is run again.
    pub(crate) lost: Vec<bool>,
    /// Whether one of them found no space.
    pub(crate) is_full: bool,
}

/// Why a group was not committed.
pub(crate) enum Broken {
    /// One closure has to be undone alone.
    Lost,
    /// Nothing of it was kept.
    Undone,
    /// The connection broke in the commit: nobody knows.
    Unknown(Error),
}

/// Runs what `next` gives in the transaction that was begun, and commits.
pub(crate) fn run(
    session: &mut Session,
    jobs: &mut Vec<Box<dyn WriteJob>>,
    next: &mut impl FnMut() -> Option<Box<dyn WriteJob>>,
) -> Result<Group, Broken> {
    let begun = Instant::now();
    let mut group = Group::default();
    while jobs.len() < GROUP
        && begun.elapsed() < GROUP_TIME
        && let Some(mut job) = next()
    {
        let mut tx = Tx::postgres(session).hopeful();
        let is_kept = job.run(&mut tx);
        let (can_go_on, retry, is_full) = (tx.can_go_on(is_kept), tx.retry, tx.is_full);
        jobs.push(job);
        if !can_go_on || session.is_doomed() || session.is_closed() {
            let has_ended = session.roll_back().is_err();
            return Err(if has_ended { Broken::Undone } else { Broken::Lost });
        }
        group.add(is_kept, retry, is_full);
        session.end_closure();
    }
    group.commit(session)
}

/// Runs the closures in the transaction that was begun, each so that it can be undone alone, and commits.
pub(crate) fn run_again(session: &mut Session, jobs: &mut [Box<dyn WriteJob>]) -> Result<Group, Broken> {
    let mut group = Group::default();
    let mut before = "";
    for job in jobs {
        session.batch_later(&format!("{before}SAVEPOINT closure"));
        let mark = session.mark();
        let mut tx = Tx::postgres(session);
        let is_kept = job.run(&mut tx);
        let (retry, is_full) = (tx.retry, tx.is_full);
        if session.is_doomed() || session.is_closed() {
            let _ = session.roll_back();
            return Err(Broken::Undone);
        }
        if is_kept {
            before = "RELEASE closure; ";
        } else {
            session.undo(mark);
            // Waited for: only now is it known whether the connection is still there.
            if session.batch("ROLLBACK TO closure; RELEASE closure").is_err() {
                let _ = session.roll_back();
                return Err(Broken::Undone);
            }
            before = "";
        }
        group.add(is_kept, retry, is_full);
        session.end_closure();
    }
    if !before.is_empty() {
        session.batch_later(before);
    }
    group.commit(session)
}

impl Group {
    fn add(&mut self, is_kept: bool, retry: bool, is_full: bool) {
        self.kept += u64::from(is_kept);
        self.lost.push(!is_kept && retry);
        self.is_full |= is_full;
    }

    fn commit(self, session: &mut Session) -> Result<Self, Broken> {
        match session.commit() {
            Ok(()) => Ok(self),
            Err(failed) if session.is_closed() => Err(Broken::Unknown(failed.error)),
            Err(_) => Err(Broken::Undone),
        }
    }
}
