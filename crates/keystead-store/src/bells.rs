//! Wakes whoever works on jobs, when the transaction that made work is committed.

use keystead_model::job::JobKind;
use tokio::sync::Notify;

/// A bell for each kind of work, on this server. Others look for themselves now and then.
#[derive(Default)]
pub(crate) struct Bells([Notify; JobKind::ALL.len()]);

impl Bells {
    fn of(&self, kind: JobKind) -> &Notify {
        &self.0[kind as usize]
    }

    /// It rings for whoever waits, or else for whoever waits next.
    pub(crate) fn ring(&self, kinds: &[JobKind]) {
        for kind in kinds {
            self.of(*kind).notify_one();
        }
    }

    pub(crate) async fn heard(&self, kind: JobKind) {
        self.of(kind).notified().await;
    }
}
