//! Who is connected: how many in all, how many from one source, and who has to go when there is no room.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use keystead_core::Source;
use tokio::{sync::Notify, time::Instant};

use crate::Pace;

/// Whoever keeps us waiting for less than this is not sent away.
const PATIENCE: Duration = Duration::from_secs(1);
/// Connections that are looked at to find one that can go.
const LOOKED_AT: usize = 1_024;

/// What a client that sent too slowly gets to read why.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its client may send the head of a request.
    Head,
    /// A request is answered.
    Answer,
    /// Its last request was answered.
    Idle,
}

/// The place of one connection in the room.
pub(crate) struct Seat {
    number: u64,
    /// Whose connections are counted together; `None` where one address stands for many.
    source: Option<Source>,
    opened: Instant,
    stage: AtomicU8,
    /// Milliseconds from `opened` to the beginning of the stage.
    since: AtomicU64,
    /// The same for a body that is sent or an answer that is read, and one more; 0 where nothing is.
    transfer: AtomicU64,
    /// Bytes of it that are through.
    transferred: AtomicU64,
    sent_away: Notify,
    why: OnceLock<SentAway>,
}

/// Why a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SentAway {
    /// Its client has had its time.
    Late,
    /// Somebody else needs the seat.
    Displaced,
    /// The server ends.
    Closed,
}

impl Seat {
    fn new(number: u64, source: Option<Source>) -> Self {
        Self {
            number,
            source,
            opened: Instant::now(),
            stage: AtomicU8::new(Stage::Head as u8),
            since: AtomicU64::new(0),
            transfer: AtomicU64::new(0),
            transferred: AtomicU64::new(0),
            sent_away: Notify::new(),
            why: OnceLock::new(),
        }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What the connection does.
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Head,
            1 => Stage::Answer,
            _ => Stage::Idle,
        }
    }

    /// It does something else from now on.
    pub(crate) fn enter(&self, stage: Stage) {
        self.since.store(self.milliseconds(), Ordering::Relaxed);
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    /// We wait for a body, or for an answer to be read.
    pub(crate) fn transfer_begins(&self) {
        self.transferred.store(0, Ordering::Relaxed);
        self.transfer.store(self.milliseconds() + 1, Ordering::Relaxed);
    }

    /// Some of it is through.
    pub(crate) fn transferred(&self, bytes: u64) {
        self.transferred.fetch_add(bytes, Ordering::Relaxed);
    }

    /// It is through.
    pub(crate) fn transfer_ends(&self) {
        self.transfer.store(0, Ordering::Relaxed);
        if self.stage() == Stage::Idle {
            // The client does nothing only from now on.
            self.enter(Stage::Idle);
        }
    }

    /// How long we have been waiting for the client.
    fn keeps_us_waiting(&self) -> Option<Duration> {
        let begun = match (self.transfer.load(Ordering::Relaxed), self.stage()) {
            (0, Stage::Answer) => return None,
            (0, _) => self.since.load(Ordering::Relaxed),
            (transfer, _) => transfer - 1,
        };
        Some(Duration::from_millis(self.milliseconds().saturating_sub(begun)))
    }

    /// Whether the client has had its time.
    fn is_late(&self, pace: &Pace) -> bool {
        let allowed = match (self.transfer.load(Ordering::Relaxed), self.stage()) {
            (0, Stage::Answer) => return false,
            (0, Stage::Idle) => pace.idle,
            (0, Stage::Head) => pace.head,
            // A body has a timer of its own, and whoever sends it is told: that goes first.
            (_, Stage::Answer) => pace.of_transfer(self.transferred.load(Ordering::Relaxed)) + TOLD_WITHIN,
            (_, _) => pace.of_transfer(self.transferred.load(Ordering::Relaxed)),
        };
        self.keeps_us_waiting().is_some_and(|waiting| waiting >= allowed)
    }

    /// Done when the client has to go.
    pub(crate) async fn sent_away(&self) -> SentAway {
        self.sent_away.notified().await;
        self.why.get().copied().unwrap_or(SentAway::Closed)
    }

    fn send_away(&self, why: SentAway) {
        let _ = self.why.set(why);
        self.sent_away.notify_one();
    }
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSeat {
    /// Its source has as many as it may have.
    TooManyFromSource,
    /// There is none, and nobody who could go; somebody may soon.
    Full,
}

/// All connections.
pub(crate) struct Room {
    seats: usize,
    per_source: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by_number: BTreeMap<u64, Arc<Seat>>,
    by_source: HashMap<Source, usize>,
    /// Where the search for somebody who can go goes on, so that it does not begin with the same ones each time.
    looked_at: u64,
    /// Sent away, and not yet gone.
    leaving: usize,
}

impl Room {
    pub(crate) fn new(seats: usize, per_source: usize) -> Self {
        Self { seats, per_source, taken: Mutex::default(), freed: Notify::new() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat for a connection from `source`; `None` where one address stands for many.
    ///
    /// Where all are taken somebody is sent away who keeps us waiting: whoever works with us never is.
    pub(crate) fn take(self: &Arc<Self>, source: Option<Source>) -> Result<Guest, NoSeat> {
        let mut taken = self.taken();
        if source.is_some_and(|source| taken.by_source.get(&source).is_some_and(|count| *count >= self.per_source)) {
            return Err(NoSeat::TooManyFromSource);
        }
        if taken.by_number.len() >= self.seats {
            taken.send_somebody_away();
            return Err(NoSeat::Full);
        }
        taken.next += 1;
        let seat = Arc::new(Seat::new(taken.next, source));
        taken.by_number.insert(seat.number, Arc::clone(&seat));
        if let Some(source) = source {
            *taken.by_source.entry(source).or_insert(0) += 1;
        }
        Ok(Guest { seat, room: Arc::clone(self) })
    }

    /// Ends the connections whose clients have had their time.
    pub(crate) fn send_away_who_is_late(&self, pace: &Pace) {
        for seat in self.taken().by_number.values().filter(|seat| seat.is_late(pace)) {
            seat.send_away(SentAway::Late);
        }
    }

    /// Ends all connections.
    pub(crate) fn close(&self) {
        self.taken().by_number.values().for_each(|seat| seat.send_away(SentAway::Closed));
    }

    /// Done when nobody is there any more.
    pub(crate) async fn emptied(&self) {
        while !self.taken().by_number.is_empty() {
            self.freed().await;
        }
    }

    /// Done when a seat was freed, or after a moment in which somebody may have begun to keep us waiting.
    pub(crate) async fn freed(&self) {
        let _ = tokio::time::timeout(Duration::from_millis(50), self.freed.notified()).await;
    }
}

impl Taken {
    fn send_somebody_away(&mut self) {
        // One at a time: those who were sent away free their seats in a moment.
        if self.leaving > 0 {
            return;
        }
        let after = (Bound::Excluded(self.looked_at), Bound::Unbounded);
        let all = self.by_number.range(after).chain(&self.by_number).map(|(_, seat)| seat).take(LOOKED_AT);
        for seat in all {
            self.looked_at = seat.number;
            if seat.keeps_us_waiting().is_some_and(|waiting| waiting >= PATIENCE) {
                self.leaving += 1;
                seat.send_away(SentAway::Displaced);
                return;
            }
        }
    }
}

/// Somebody who has a seat; it is freed when they are gone.
pub(crate) struct Guest {
    pub(crate) seat: Arc<Seat>,
    room: Arc<Room>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.by_number.remove(&self.seat.number);
        taken.leaving = 0;
        if let Some(source) = self.seat.source
            && let Some(count) = taken.by_source.get_mut(&source)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_source.remove(&source);
            }
        }
        drop(taken);
        self.room.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_so_many_seats_and_a_proxy_as_many_as_there_are() {
        let room = Arc::new(Room::new(10, 2));
        let source = |text: &str| Some(Source::of(text.parse().unwrap()));
        let mut guests = vec![room.take(source("2001:db8::1")).unwrap(), room.take(source("2001:db8::2")).unwrap()];
        assert_eq!(room.take(source("2001:db8::3")).err(), Some(NoSeat::TooManyFromSource), "the same /64");
        guests.push(room.take(source("2001:db8:1::1")).unwrap());
        guests.pop();
        guests.remove(0);
        guests.push(room.take(source("2001:db8::3")).unwrap());
        for _ in 0..8 {
            guests.push(room.take(None).unwrap());
        }
        assert_eq!(room.take(None).err(), Some(NoSeat::Full));
        drop(guests);
        let taken = room.taken();
        assert!(taken.by_number.is_empty() && taken.by_source.is_empty(), "nothing is kept of those who are gone");
    }
}
