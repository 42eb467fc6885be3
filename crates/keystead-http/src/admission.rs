//! How many requests are worked on at a time, and whose turn it is when there are too many.
//!
//! A database does only so much a second. If everything that comes were begun, everything would be late; so what is too
//! much waits a moment, and then is told to come back. A line that moves is served in its order. Where the oldest has waited
//! for half of its patience, the newest goes first: it can still be answered in time, while the others would be late anyway.
//! Parties take turns, so that one of them cannot crowd out the others, and has at most a share of the places besides.
//!
//! While there is room, a request costs a hash and a few atomics. The lock belongs to those who wait.

use std::{
    collections::{BTreeMap, VecDeque, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    ops::Bound,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http::Method;
use keystead_core::{Durations, Figure, Source};
use keystead_model::AgencyId;
use tokio::{sync::oneshot, time::Instant};

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// All keys of an agency.
    Agency(AgencyId),
    /// Everybody at one source who has not shown who they are.
    Source(Source),
}

/// How much at a time.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Requests that are worked on.
    pub working: usize,
    /// Of one party.
    pub of_one: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// How long one waits before it is told to come back.
    pub patience: Duration,
}

impl Places {
    /// For so many at a time: a party may have three quarters, and twice as many wait for a second.
    pub fn of(working: usize) -> Self {
        Self { working, of_one: working - working / 4, waiting: working * 2, patience: Duration::from_secs(1) }
    }
}

/// There is no place, and will be none soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded {
    /// When a place was asked for.
    pub since: Instant,
}

impl Crowded {
    /// When to come back.
    pub const COME_BACK: Duration = Duration::from_secs(2);
}

/// No refusal is held back longer.
const LONGEST_HELD: Duration = Duration::from_secs(5);

/// Lanes that parties are spread over. Two parties that share one share its turns, too; at random, so that nobody can
/// choose whose lane to crowd.
const LANES: usize = 1024;

/// The doorkeeper of the work.
pub struct Admission {
    places: Places,
    working: AtomicUsize,
    lanes: Box<[AtomicUsize]>,
    hasher: RandomState,
    waiting: AtomicUsize,
    line: Mutex<Line>,
    /// Refusals that are held back.
    held: AtomicUsize,
    refused: AtomicUsize,
    waited: Durations,
}

/// The doorkeepers of what programs ask. What only reads has places of its own: on PostgreSQL each of these needs a connection,
/// while the writes of a location share one.
pub struct Requests {
    /// Of requests that only read.
    pub reads: Admission,
    /// Of all others.
    pub writes: Admission,
}

impl Requests {
    /// Who decides about a request with this method.
    pub fn of(&self, method: &Method) -> &Admission {
        if [Method::GET, Method::HEAD].contains(method) { &self.reads } else { &self.writes }
    }
}

/// Those who wait, by lane, the oldest first.
#[derive(Default)]
struct Line {
    lanes: BTreeMap<usize, VecDeque<Waiter>>,
    /// The lane that had its turn last.
    last: usize,
    next_ticket: u64,
}

struct Waiter {
    ticket: u64,
    since: Instant,
    /// Gets the place; dropped when the waiter has to go.
    called: oneshot::Sender<()>,
}

impl Admission {
    /// With no request yet.
    pub fn new(places: Places) -> Self {
        Self {
            places,
            working: AtomicUsize::new(0),
            lanes: (0..LANES).map(|_| AtomicUsize::new(0)).collect(),
            hasher: RandomState::new(),
            waiting: AtomicUsize::new(0),
            line: Mutex::default(),
            held: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            waited: Durations::default(),
        }
    }

    /// What is measured of it, told apart from others by `queue`.
    pub fn figures(&self, queue: &'static str) -> Vec<Figure> {
        let gauge = |name, help, count: &AtomicUsize| Figure::gauge(name, help, count.load(SeqCst) as f64);
        let figures = vec![
            gauge("keystead_queue_working", "Requests that are worked on", &self.working),
            gauge("keystead_queue_waiting", "Requests that wait for a place to work", &self.waiting),
            gauge("keystead_queue_held", "Refusals that are held back", &self.held),
            Figure::gauge("keystead_queue_places", "Requests that may be worked on", self.places.working as f64),
            Figure::counter(
                "keystead_queue_refused",
                "Requests that waited for a place and were refused",
                self.refused.load(SeqCst) as f64,
            ),
            Figure::durations(
                "keystead_queue_wait_seconds",
                "How long those waited for a place that did not get one at once, and got one",
                self.waited.distribution(),
            ),
        ];
        figures.into_iter().map(|figure| figure.of("queue", queue)).collect()
    }

    /// Waits for a place. The request is worked on until what is answered is dropped.
    pub async fn enter(&self, party: Party) -> Result<Place<'_>, Crowded> {
        let lane = self.hasher.hash_one(party) as usize % LANES;
        if self.try_take(lane) {
            return Ok(Place { admission: self, lane, waited: Duration::ZERO });
        }
        // Boxed: what is rare must not make the future of every request large.
        Box::pin(self.wait(lane)).await
    }

    /// Holds back the answer to somebody who was refused, because it is crowded or for another reason that is ours, for
    /// as long as those wait who may still be let in: whoever repeats it at once would keep us busy with refusing.
    ///
    /// The more are refused the longer, so that there are no more than a thousand refusals a second.
    pub async fn hold_back(&self, crowded: Option<Crowded>) {
        let held = Held::one_more(&self.held);
        let pause = Duration::from_millis(held.count as u64).clamp(self.places.patience, LONGEST_HELD);
        let since = crowded.map_or_else(Instant::now, |crowded| crowded.since);
        tokio::time::sleep_until(since + pause).await;
    }

    async fn wait(&self, lane: usize) -> Result<Place<'_>, Crowded> {
        let begun = Instant::now();
        let Some(mut turn) = self.queue(lane) else {
            return Ok(Place { admission: self, lane, waited: Duration::ZERO });
        };
        if let Ok(Ok(())) = tokio::time::timeout(self.places.patience, &mut turn.called).await {
            turn.is_over = true;
            let waited = begun.elapsed();
            self.waited.add(waited);
            return Ok(Place { admission: self, lane, waited });
        }
        self.refused.fetch_add(1, SeqCst);
        Err(Crowded { since: begun })
    }

    /// Takes a place in the line; `None` where a place to work was free.
    fn queue(&self, lane: usize) -> Option<Turn<'_>> {
        let mut line = self.line();
        // Counted before the last look: whoever frees a place afterwards sees that somebody waits.
        let waiting = self.waiting.fetch_add(1, SeqCst);
        if self.try_take(lane) {
            self.waiting.fetch_sub(1, SeqCst);
            return None;
        }
        if waiting >= self.places.waiting && line.send_oldest_away() {
            self.waiting.fetch_sub(1, SeqCst);
        }
        line.next_ticket += 1;
        let (ticket, (called, call)) = (line.next_ticket, oneshot::channel());
        line.lanes.entry(lane).or_default().push_back(Waiter { ticket, since: Instant::now(), called });
        Some(Turn { admission: self, lane, ticket, called: call, is_over: false })
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_take(&self, lane: usize) -> bool {
        if !self.try_take_in_lane(lane) {
            return false;
        }
        let taken =
            self.working.fetch_update(SeqCst, SeqCst, |count| (count < self.places.working).then_some(count + 1));
        if taken.is_err() {
            self.lanes[lane].fetch_sub(1, SeqCst);
        }
        taken.is_ok()
    }

    fn try_take_in_lane(&self, lane: usize) -> bool {
        let share = |count: usize| (count < self.places.of_one).then_some(count + 1);
        self.lanes[lane].fetch_update(SeqCst, SeqCst, share).is_ok()
    }

    fn give_back(&self, lane: usize) {
        self.lanes[lane].fetch_sub(1, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            // Handed on, not freed: whoever comes now would be faster than those whose turn it is.
            return self.call_next(true);
        }
        self.working.fetch_sub(1, SeqCst);
        if self.waiting.load(SeqCst) > 0 {
            self.call_next(false);
        }
    }

    /// Gives the place in hand to the one whose turn it is, and those that are free to others who wait.
    fn call_next(&self, mut in_hand: bool) {
        let mut line = self.line();
        loop {
            let takes = |lane| if in_hand { self.try_take_in_lane(lane) } else { self.try_take(lane) };
            let Some(lane) = line.turn(takes) else { break };
            self.waiting.fetch_sub(1, SeqCst);
            let next = line.pop(lane, self.places.patience / 2);
            in_hand = next.is_none_or(|called| called.send(()).is_err());
            if in_hand {
                // Gone in this moment: the place goes to the next.
                self.lanes[lane].fetch_sub(1, SeqCst);
            }
        }
        if in_hand {
            self.working.fetch_sub(1, SeqCst);
        }
    }
}

impl Line {
    /// The next lane, in turns, for which `takes` says yes.
    fn turn(&mut self, mut takes: impl FnMut(usize) -> bool) -> Option<usize> {
        let after = (Bound::Excluded(self.last), Bound::Unbounded);
        let in_turn = self.lanes.range(after).chain(self.lanes.range(..=self.last));
        let lane = in_turn.map(|(lane, _)| *lane).find(|lane| takes(*lane))?;
        self.last = lane;
        Some(lane)
    }

    /// Who goes next in a lane: the oldest, or the newest where the oldest has waited for longer than this.
    fn pop(&mut self, lane: usize, long: Duration) -> Option<oneshot::Sender<()>> {
        let waiters = self.lanes.get_mut(&lane)?;
        let moves = waiters.front().is_some_and(|oldest| oldest.since.elapsed() <= long);
        let next = if moves { waiters.pop_front() } else { waiters.pop_back() };
        if waiters.is_empty() {
            self.lanes.remove(&lane);
        }
        next.map(|waiter| waiter.called)
    }

    /// Ends the waiting of the one that has waited longest in the longest lane.
    fn send_oldest_away(&mut self) -> bool {
        let longest = self.lanes.iter_mut().max_by_key(|(_, waiters)| waiters.len());
        let Some((&lane, waiters)) = longest else { return false };
        let is_gone = waiters.pop_front().is_some();
        if waiters.is_empty() {
            self.lanes.remove(&lane);
        }
        is_gone
    }

    /// Whether the waiter was still in the line.
    fn remove(&mut self, lane: usize, ticket: u64) -> bool {
        let Some(waiters) = self.lanes.get_mut(&lane) else { return false };
        let before = waiters.len();
        waiters.retain(|waiter| waiter.ticket != ticket);
        let is_removed = waiters.len() < before;
        if waiters.is_empty() {
            self.lanes.remove(&lane);
        }
        is_removed
    }
}

/// A place in the line, left when it is dropped.
struct Turn<'a> {
    admission: &'a Admission,
    lane: usize,
    ticket: u64,
    called: oneshot::Receiver<()>,
    is_over: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if self.admission.line().remove(self.lane, self.ticket) {
            self.admission.waiting.fetch_sub(1, SeqCst);
        } else if self.called.try_recv().is_ok() {
            // Called in the moment of going.
            self.admission.give_back(self.lane);
        }
    }
}

/// A refusal that is held back.
struct Held<'a> {
    all: &'a AtomicUsize,
    count: usize,
}

impl<'a> Held<'a> {
    fn one_more(all: &'a AtomicUsize) -> Self {
        Self { count: all.fetch_add(1, SeqCst) + 1, all }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, SeqCst);
    }
}

/// A place to work.
pub struct Place<'a> {
    admission: &'a Admission,
    lane: usize,
    /// How long it was waited for.
    pub waited: Duration,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.admission.give_back(self.lane);
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
