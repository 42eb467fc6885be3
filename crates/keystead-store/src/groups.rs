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

/// Runs `jobs`, and what `next` gives besides, in the transaction that was begun, and commits. Only with `savepoints` each can be
/// undone alone.
pub(crate) fn run(
    session: &mut Session,
    jobs: &mut Vec<Box<dyn WriteJob>>,
    next: &mut impl FnMut() -> Option<Box<dyn WriteJob>>,
    savepoints: bool,
) -> Result<Group, Broken> {
    let begun = Instant::now();
    let mut group = Group::default();
    for number in 0..GROUP {
        if number == jobs.len() {
            if begun.elapsed() >= GROUP_TIME {
                break;
            }
            let Some(job) = next() else { break };
            jobs.push(job);
        }
        let job = jobs[number].as_mut();
        let (is_kept, retry, is_full) =
            if savepoints { run_in_savepoint(session, job)? } else { run_one(session, job)? };
        group.kept += u64::from(is_kept);
        group.lost.push(!is_kept && retry);
        group.is_full |= is_full;
        session.end_closure();
    }
    match session.commit() {
        Ok(()) => Ok(group),
        Err(failed) if session.is_closed() => Err(Broken::Unknown(failed.error)),
        Err(_) => Err(Broken::Undone),
    }
}

/// Whether a closure's effect is kept, whether it may succeed when it is run again, and whether it found no space.
type Ran = (bool, bool, bool);

fn run_one(session: &mut Session, job: &mut dyn WriteJob) -> Result<Ran, Broken> {
    let mut tx = Tx::postgres(session).hopeful();
    let is_kept = job.run(&mut tx);
    let (can_go_on, ran) = (tx.can_go_on(is_kept), (is_kept, tx.retry, tx.is_full));
    if can_go_on && !session.is_doomed() && !session.is_closed() {
        return Ok(ran);
    }
    let is_gone = session.roll_back().is_err();
    Err(if is_gone { Broken::Undone } else { Broken::Lost })
}

fn run_in_savepoint(session: &mut Session, job: &mut dyn WriteJob) -> Result<Ran, Broken> {
    session.batch_later("SAVEPOINT closure");
    let mark = session.mark();
    let mut tx = Tx::postgres(session);
    let is_kept = job.run(&mut tx);
    let ran = (is_kept, tx.retry, tx.is_full);
    let mut can_go_on = !session.is_doomed() && !session.is_closed();
    if can_go_on && is_kept {
        session.batch_later("RELEASE closure");
    } else if can_go_on {
        session.undo(mark);
        // Waited for: only now is it known whether the connection is still there.
        can_go_on = session.batch("ROLLBACK TO closure; RELEASE closure").is_ok();
    }
    if can_go_on {
        return Ok(ran);
    }
    let _ = session.roll_back();
    Err(Broken::Undone)
}
