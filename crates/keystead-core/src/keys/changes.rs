//! The change feed on this node: a poll every 250 ms on its own thread, applied to the cache.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use keystead_store::{
    Error,
    changes::{self, Change},
};

use crate::{App, Result, journal::Position};

/// How often a node asks. Four times within the bound of one second that revocation promises.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// Changes applied at a time; more are fetched at once.
const BATCH: i64 = 1000;
/// How long changes are kept. A node that was away longer empties its cache.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

impl App {
    /// Starts the thread that reads the change feed every 250 ms. It ends with the last handle.
    pub fn start_polling(&self) {
        if self.is_polling.swap(true, Ordering::Relaxed) {
            return;
        }
        let inner = Arc::downgrade(&self.inner);
        // A thread and a runtime of its own: a busy server must not delay the news of a revocation.
        let poll = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let mut failing = false;
                loop {
                    tokio::time::sleep(POLL_EVERY).await;
                    let Some(inner) = inner.upgrade() else { return };
                    let outcome = Self { inner }.poll_changes().await;
                    if failing != outcome.is_err() {
                        failing = outcome.is_err();
                        match outcome {
                            Err(error) => {
                                tracing::error!(%error, cause = error.cause(), "the change feed cannot be read");
                            }
                            Ok(()) => tracing::info!("the change feed is read again"),
                        }
                    }
                }
            });
        };
        if let Err(error) = std::thread::Builder::new().name("change-feed".to_owned()).spawn(poll) {
            tracing::error!(%error, "no thread for the change feed");
        }
    }

    /// Reads head, feed and service clock once, and applies what is new.
    pub async fn poll_changes(&self) -> Result<()> {
        let sent = self.clock.monotonic();
        let place = self.applied_sequence().await;
        let asked = self.store.follow(move |tx| {
            let poll = changes::poll(tx)?;
            let mark = if poll.head == place { poll.mark.clone() } else { changes::mark(tx, place)? };
            Ok::<_, Error>((poll, mark))
        });
        let (poll, mark) = asked.await?;
        self.service_clock.seen(poll.clock, self.clock.monotonic());
        let mut cursor = self.feed.lock().await;
        let head = poll.head;
        let is_rewritten = cursor.through == place && cursor.is_other_than(mark.as_deref());
        let is_set_back = cursor.incarnation == poll.incarnation && (head < cursor.through || is_rewritten);
        let has_gap = poll.oldest.is_some_and(|oldest| oldest > cursor.through + 1 && head > cursor.through);
        if cursor.incarnation != poll.incarnation || is_set_back || has_gap {
            self.keys.clear();
            // A database that was set back while it was used: what was ended since must not come to life.
            if is_set_back {
                self.keep_journal_now().await?;
            }
            self.read_origins().await?;
            *cursor = Position::of(poll);
            self.counted.followed(head, head);
            self.fence.polled(sent);
            return Ok(());
        }
        if cursor.through < head || !self.origins.are_read() {
            self.read_origins().await?;
        }
        while cursor.through < head {
            let after = cursor.through;
            let batch = self.store.follow(move |tx| changes::after(tx, after, BATCH)).await?;
            if batch.is_empty() {
                break;
            }
            for (seq, change) in batch {
                match change {
                    Some(Change::Key(id)) => self.keys.invalidate(id),
                    Some(Change::Member(_)) => {}
                    // A tenant's state is part of the entries of all its keys; this is rare enough for a clean sweep. So
                    // is what only a newer release knows: it may concern any of them.
                    Some(Change::Location(_) | Change::Agency(_)) | None => self.keys.clear(),
                }
                cursor.through = seq;
            }
        }
        if cursor.through == head {
            cursor.mark = poll.mark;
        } else {
            let place = cursor.through;
            cursor.mark = self.store.follow(move |tx| changes::mark(tx, place)).await?;
        }
        self.counted.followed(head, cursor.through);
        self.fence.polled(sent);
        Ok(())
    }

    /// The last change that this node has applied.
    pub async fn applied_sequence(&self) -> i64 {
        self.feed.lock().await.through
    }

    /// Forgets changes that every node has seen long ago.
    pub async fn trim_changes(&self) -> Result<u64> {
        let before = keystead_model::UtcMs(self.clock.now().0 - i64::try_from(KEEP.as_millis()).unwrap_or(i64::MAX));
        Ok(self.store.write_serial(move |tx| changes::trim(tx, before)).await?)
    }
}
