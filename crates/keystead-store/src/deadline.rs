//! When a read must have ended: somebody waits for it, and nobody knows beforehand how long a search will take.
//!
//! A closure runs on one thread from its begin to its end, and so does SQLite's handler of progress, so the moment is that
//! thread's.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::Result;

/// Steps of SQLite's machine between two looks at the clock: some tens of microseconds.
const STEPS: i32 = 10_000;

thread_local! {
    static END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Makes statements on a connection heed the deadline of their thread.
pub(crate) fn watch(connection: &mut Connection) -> Result<()> {
    Ok(connection.progress_handler(STEPS, Some(|| left() == Some(Duration::ZERO)))?)
}

/// How long statements of this thread may still take, where that is limited.
pub(crate) fn left() -> Option<Duration> {
    END.get().map(|end| end.saturating_duration_since(Instant::now()))
}

/// Runs `step`, whose statements have to end within `time`.
pub(crate) fn within<T>(time: Duration, step: impl FnOnce() -> T) -> T {
    /// Taken away also where the step panics.
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            END.set(None);
        }
    }
    let _ended = Ended;
    END.set(Some(Instant::now() + time));
    step()
}
