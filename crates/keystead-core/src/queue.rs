//! The queue of what is done outside of requests: mails, imports, and what follows from a change in many rows.
//!
//! Whoever works on a kind of jobs takes a turn: in one transaction it says what became of those that it had, and takes others.
//! A job is its taker's for its [`lease`](JobKind::lease); work that has not ended [`MARGIN`] before that is given up, so that no two servers are
//! ever at the same job. What was done once may still be done again, where a server ends between the doing and the saying.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use keystead_model::{
    UtcMs,
    id::Id,
    job::{Job, JobKind},
    text::echo,
    time::DAY_MS,
};
use keystead_store::{Tx, delivery_pause, departures, mails, queue, ripples};
use tokio::time::Instant;

use crate::{App, Clock, Error, Result, imports, operate::Ids, tally::Happening, webhooks};

/// Work ends so long before its lease, whatever the clocks do meanwhile.
pub const MARGIN: Duration = Duration::from_secs(10);
/// Jobs of one turn.
pub const BATCH: usize = 50;
/// Owners who are served in one turn.
const OWNERS: usize = 10;
/// How often other servers' work is looked for.
const LOOKS: Duration = Duration::from_millis(250);
/// Jobs that were given up are kept so long.
const KEPT_MS: i64 = 30 * DAY_MS;

/// Who is served next of each kind's owners, on this server.
#[derive(Default)]
pub(crate) struct Lines([Mutex<Line>; JobKind::ALL.len()]);

#[derive(Clone, Default)]
struct Line {
    /// Owners who had something due when it was looked.
    owners: VecDeque<Id<()>>,
    /// After whom to look on.
    after: Option<Id<()>>,
    /// Whether anybody had something due since it was begun from the front.
    is_anyone_due: bool,
    /// Whose jobs this server has taken and not settled, and how long they are its own.
    under_way: HashMap<Id<()>, (Id<()>, Instant)>,
}

impl Lines {
    fn of(&self, kind: JobKind) -> MutexGuard<'_, Line> {
        self.0[kind as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a job.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There is nothing left to do.
    Done,
    /// It is tried again, after so long.
    Again(Duration, String),
    /// It is not tried any more, and kept for a while.
    GivenUp(String),
}

/// What is written with the outcome of a job, if it was still its taker's.
type Consequence = Box<dyn Fn(&mut Tx<'_>, UtcMs) -> Result<()> + Send + Sync>;

/// A job, what became of it, and what is written with that.
pub struct Settled {
    job: Job,
    outcome: Outcome,
    consequence: Option<Consequence>,
}

impl Settled {
    /// Nothing but the outcome.
    pub fn new(job: Job, outcome: Outcome) -> Self {
        Self { job, outcome, consequence: None }
    }

    /// What became of it.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The same with what follows from it.
    pub(crate) fn with<E: Into<Error>>(
        self,
        consequence: impl Fn(&mut Tx<'_>, UtcMs) -> std::result::Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        Self { consequence: Some(Box::new(move |tx, now| consequence(tx, now).map_err(Into::into))), ..self }
    }
}

/// Jobs that were taken.
pub struct Turn {
    /// They are the taker's.
    pub jobs: Vec<Job>,
    /// When work on them must have ended.
    pub until: Instant,
    /// Whether there may be more that are due.
    pub has_more: bool,
    /// How many of those that were settled were not the taker's any more: what became of them is somebody else's to say.
    pub too_late: usize,
}

impl App {
    /// Takes a turn: says what became of jobs, and takes at most `most` others that are due.
    pub async fn take_turn(&self, kind: JobKind, settled: &[Arc<Settled>], most: usize) -> Result<Turn> {
        // Before the database is asked what time it is: so the work ends before the lease, not after.
        let begun = Instant::now();
        let (line, told, mut settled) = (self.lines.of(kind).clone(), self.clock.told(), settled.to_vec());
        // Rows that belong to an owner are changed in one order by everybody.
        settled.sort_by_key(|settled| (settled.job.owner, settled.job.id));
        let of_closure = settled.clone();
        let taken = self.store.write_serial(move |tx| {
            let now = queue::begin(tx, told)?;
            let kept = settle(tx, &of_closure, now)?;
            let mut line = line.clone();
            for settled in &of_closure {
                line.under_way.remove(&settled.job.id);
            }
            let (jobs, has_more) = take(tx, kind, &mut line, now, most)?;
            Ok::<_, Error>((kept, line, jobs, has_more))
        });
        let (kept, mut line, jobs, has_more) = taken.await?;
        line.under_way.retain(|_, (_, until)| begun < *until);
        line.under_way.extend(jobs.iter().map(|job| (job.id, (job.owner, begun + kind.lease()))));
        *self.lines.of(kind) = line;
        let too_late = settled.iter().filter(|settled| !kept.contains(&settled.job.id)).count();
        for settled in &settled {
            tell(settled, kept.contains(&settled.job.id));
        }
        Ok(Turn { jobs, until: begun + kind.lease() - MARGIN, has_more, too_late })
    }

    /// Waits until there may be something due: at once for what is committed here, and within a moment for what others
    /// commit, or what is tried again.
    pub async fn work_comes(&self, kind: JobKind) {
        loop {
            tokio::select! {
                () = self.store.work_comes(kind) => return,
                () = tokio::time::sleep(LOOKS) => {}
            }
            if self.has_work(kind).await.unwrap_or(false) {
                return;
            }
        }
    }

    async fn has_work(&self, kind: JobKind) -> Result<bool> {
        let told = self.clock.told();
        let is_due = self.store.read(move |tx| {
            let now = queue::begin(tx, told)?;
            let is_due = queue::next_due(tx, kind)?.is_some_and(|due| due <= now);
            Ok::<_, keystead_store::Error>(is_due && !is_paused(tx, kind)?)
        });
        Ok(is_due.await?)
    }

    /// Gives back a job whose work was broken off, because its server stops: another one takes it at once.
    pub fn interrupted(&self, job: Job) -> Settled {
        let (kind, id) = (job.kind, job.id);
        let settled = Settled::new(job, Outcome::Again(Duration::ZERO, "the server was stopped".to_owned()));
        match kind {
            JobKind::Delivery => settled.with(move |tx, now| webhooks::note_interrupted(tx, id.of(), now)),
            JobKind::Mail | JobKind::Import | JobKind::Aftermath => settled,
        }
    }

    /// Gives up a job that ended everybody who took it.
    pub fn give_up(&self, job: Job) -> Settled {
        let problem = format!("{} servers took it and none said what became of it", job.lost);
        let (id, attempts) = (job.id, job.attempt);
        let consequence = problem.clone();
        match job.kind {
            JobKind::Mail => Settled::new(job, Outcome::GivenUp(problem))
                .with(move |tx, now| mails::give_up(tx, id.of(), attempts, &consequence, now)),
            JobKind::Import => {
                let ids = Ids::seeded(&self.entropy);
                Settled::new(job, Outcome::GivenUp(problem))
                    .with(move |tx, now| imports::give_up(tx, id.of(), &consequence, now, ids.clone()))
            }
            JobKind::Delivery => {
                let notice = self.new_notice();
                Settled::new(job, Outcome::GivenUp(problem))
                    .with(move |tx, now| webhooks::give_up(tx, id.of(), &consequence, notice, now))
            }
            JobKind::Aftermath => Settled::new(job, Outcome::GivenUp(problem)).with(move |tx, _| {
                departures::end(tx, id.of())?;
                ripples::forget(tx, id.of())
            }),
        }
    }

    /// Forgets jobs that were given up long ago. Called by the jobs.
    pub async fn trim_jobs(&self) -> Result<u64> {
        let before = UtcMs(self.clock.now().0 - KEPT_MS);
        Ok(self.store.write_serial(move |tx| queue::trim(tx, before)).await?)
    }
}

impl Clock {
    /// What a test says that the time is; `None` where the database is to be asked.
    pub(crate) fn told(&self) -> Option<UtcMs> {
        match self {
            Self::System => None,
            Self::Test(_) => Some(self.now()),
        }
    }
}

/// Writes what became of jobs, of those that were still their takers'. Answers these.
fn settle(tx: &mut Tx<'_>, settled: &[Arc<Settled>], now: UtcMs) -> Result<HashSet<Id<()>>> {
    let done: Vec<&Job> =
        settled.iter().filter(|settled| matches!(settled.outcome, Outcome::Done)).map(|settled| &settled.job).collect();
    let mut kept: HashSet<Id<()>> = queue::finish(tx, &done)?.into_iter().collect();
    for Settled { job, outcome, .. } in settled.iter().map(|settled| &**settled) {
        let is_kept = match outcome {
            Outcome::Done => continue,
            Outcome::Again(after, problem) => {
                queue::give_back(tx, job, Some(UtcMs(now.0 + spread(job, *after))), problem)?
            }
            Outcome::GivenUp(problem) => queue::give_back(tx, job, None, problem)?,
        };
        if is_kept {
            kept.insert(job.id);
        }
    }
    for settled in settled.iter().filter(|settled| kept.contains(&settled.job.id)) {
        if let Some(consequence) = &settled.consequence {
            consequence(tx, now)?;
        }
    }
    Ok(kept)
}

/// Whether jobs of a kind are paused: nobody takes any.
fn is_paused(tx: &mut Tx<'_>, kind: JobKind) -> keystead_store::Result<bool> {
    match kind {
        JobKind::Delivery => Ok(delivery_pause::since(tx)?.is_some()),
        JobKind::Mail | JobKind::Import | JobKind::Aftermath => Ok(false),
    }
}

/// Takes jobs of the owners in line, a few of each; also answers whether there may be more.
fn take(
    tx: &mut Tx<'_>,
    kind: JobKind,
    line: &mut Line,
    now: UtcMs,
    most: usize,
) -> keystead_store::Result<(Vec<Job>, bool)> {
    if most == 0 || is_paused(tx, kind)? {
        return Ok((Vec::new(), false));
    }
    if line.owners.is_empty() {
        let (owners, next) = queue::owners_due(tx, kind, line.after, now)?;
        line.is_anyone_due = !owners.is_empty() || (line.is_anyone_due && line.after.is_some());
        (line.owners, line.after) = (owners.into(), next);
        if line.owners.is_empty() {
            // Where somebody was due before, it is begun again: others may have come in front of them meanwhile.
            return Ok((Vec::new(), line.after.is_some() || line.is_anyone_due));
        }
    }
    let until = UtcMs(now.0 + kind.lease().as_millis() as i64);
    let under_way: Vec<Id<()>> = line.under_way.values().map(|(owner, _)| *owner).collect();
    let mut rooms = match kind {
        JobKind::Delivery => Some(webhooks::rooms(tx, line.owners.iter().copied(), &under_way, most)?),
        JobKind::Mail | JobKind::Import | JobKind::Aftermath => None,
    };
    let (mut jobs, mut served) = (Vec::new(), 0);
    while served < OWNERS && jobs.len() < most {
        let waiting = (OWNERS - served).min(line.owners.len());
        let Some(owner) = line.owners.pop_front() else { break };
        let share = (most - jobs.len()).div_ceil(waiting);
        let share = rooms.as_ref().map_or(share, |rooms| rooms.of(owner, share));
        if share == 0 {
            // It has as many as it may have; its others wait for one of these to end.
            continue;
        }
        let taken = queue::take(tx, kind, owner, now, until, share as i64)?;
        if let Some(rooms) = &mut rooms {
            rooms.begin(owner, taken.len());
        }
        served += 1;
        jobs.extend(taken);
    }
    // Where nobody in line may have one, it is looked again when one has ended.
    let has_more = served > 0 || !line.owners.is_empty() || line.after.is_some();
    Ok((jobs, has_more))
}

/// Milliseconds that are up to a tenth more or less, so that what failed together is not tried again together.
fn spread(job: &Job, after: Duration) -> i64 {
    let after = after.as_millis() as i64;
    let noise = job.id.as_str().bytes().map(i64::from).sum::<i64>() + job.attempt;
    after + after / 100 * (noise % 21 - 10)
}

fn tell(Settled { job, outcome, .. }: &Settled, is_kept: bool) {
    const GIVEN_UP: &str = "a job was given up";
    const TOO_LATE: &str = "a job was settled after its lease, by which time somebody else had it";
    match outcome {
        _ if !is_kept => {
            if Happening::new(TOO_LATE, job.kind.as_str()).is_told_up_to(20) {
                tracing::warn!(kind = job.kind.as_str(), job = %job.id, attempt = job.attempt, "{TOO_LATE}");
            }
        }
        Outcome::GivenUp(problem) => {
            if Happening::new(GIVEN_UP, job.kind.as_str()).is_told_up_to(20) {
                let problem = echo(problem);
                tracing::error!(kind = job.kind.as_str(), job = %job.id, attempts = job.attempt, problem, "{GIVEN_UP}");
            }
        }
        Outcome::Done | Outcome::Again(..) => {}
    }
}
