//! The change feed on this node: a poll every 250 ms on its own thread, applied to the cache.

use std::time::Duration;

use keystead_store::changes::{self, Change, Poll};

use crate::{App, Result, journal::Position};

/// How often a node asks. Four times within the bound of one second that revocation promises.
pub(crate) const POLL_EVERY: Duration = Duration::from_millis(250);
/// Changes applied at a time; more are fetched at once.
const BATCH: i64 = 1000;
/// How long changes are kept. A node that was away longer empties its cache.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// How far this node has read.
#[derive(Default)]
pub(crate) struct FeedCursor {
    pub(crate) incarnation: String,
    pub(crate) seq: i64,
}

impl FeedCursor {
    /// The same as a place in the history of the database.
    pub(crate) fn position(&self) -> Position {
        Position { incarnation: self.incarnation.clone(), through: self.seq }
    }
}

impl App {
    /// Reads head, feed and service clock once, and applies what is new.
    pub async fn poll_changes(&self) -> Result<()> {
        let sent = self.clock.monotonic();
        let Poll { incarnation, head, clock, oldest } = self.store.follow(changes::poll).await?;
        self.service_clock.seen(clock, self.clock.monotonic());
        let mut cursor = self.feed.lock().await;
        let lost = cursor.incarnation != incarnation
            || head < cursor.seq
            || oldest.is_some_and(|oldest| oldest > cursor.seq + 1 && head > cursor.seq);
        if lost {
            self.keys.clear();
            // A database that was set back while it was used: what was ended since must not come to life.
            if cursor.incarnation == incarnation && head < cursor.seq {
                self.keep_journal_now().await?;
            }
            *cursor = FeedCursor { incarnation, seq: head };
            self.counted.followed(head, head);
            self.fence.polled(sent);
            return Ok(());
        }
        while cursor.seq < head {
            let after = cursor.seq;
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
                cursor.seq = seq;
            }
        }
        self.counted.followed(head, cursor.seq);
        self.fence.polled(sent);
        Ok(())
    }

    /// The last change that this node has applied.
    pub async fn applied_sequence(&self) -> i64 {
        self.feed.lock().await.seq
    }

    /// Forgets changes that every node has seen long ago.
    pub async fn trim_changes(&self) -> Result<u64> {
        let before = keystead_model::UtcMs(self.clock.now().0 - i64::try_from(KEEP.as_millis()).unwrap_or(i64::MAX));
        Ok(self.store.write_serial(move |tx| changes::trim(tx, before)).await?)
    }
}
