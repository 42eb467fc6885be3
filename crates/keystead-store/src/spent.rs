//! What a piece of work has spent on the database, to tell why it took long: waiting for its turn, and in its turns.

use std::{cell::Cell, future::Future, time::Duration};

tokio::task_local! {
    static SPENT: Cell<Spent>;
}

/// Time of one piece of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Until the database began.
    pub queued: Duration,
    /// From then on to its answers, the commits that were shared included.
    pub worked: Duration,
}

/// Does the work, and counts what it spends.
pub async fn counting<T>(work: impl Future<Output = T>) -> (T, Spent) {
    SPENT
        .scope(Cell::default(), async {
            let done = work.await;
            (done, SPENT.with(Cell::get))
        })
        .await
}

/// Adds what was spent, if somebody counts.
pub(crate) fn add(queued: Duration, worked: Duration) {
    let _ = SPENT.try_with(|spent| {
        let Spent { queued: before, worked: until_now } = spent.get();
        spent.set(Spent { queued: before + queued, worked: until_now + worked });
    });
}
