//! Storing what this node has noted of uses: activity, which keeps keys alive, and counts, which are figures.

use std::sync::Arc;

use keystead_store::{api_keys, key_usage};

use crate::{App, Result};

/// Uses stored in one transaction: it stays well below the 50 ms that a writer may take.
const BATCH: usize = 200;

impl App {
    /// Stores the uses that wait. Called every 30 s and before the end.
    pub async fn flush_uses(&self) -> Result<usize> {
        let uses = self.uses.take_all();
        let count = uses.len();
        for batch in uses.chunks(BATCH) {
            let batch: Arc<[_]> = batch.into();
            let written = Arc::clone(&batch);
            let stored = self
                .store
                .write_serial(move |tx| {
                    written.iter().map(|key_use| api_keys::flush_use(tx, key_use)).collect::<Result<Vec<_>, _>>()
                })
                .await;
            match stored {
                Ok(stored) => {
                    for (key_use, active_at) in batch.iter().zip(stored) {
                        if let (Some(active_at), Some(known)) = (active_at, self.keys.get(key_use.id)) {
                            known.stored(active_at, known.key.current.hash == Some(key_use.secret_hash));
                        }
                    }
                }
                Err(error) => {
                    self.uses.give_back(&uses);
                    return Err(error.into());
                }
            }
        }
        self.flush_counts().await?;
        Ok(count)
    }

    /// Adds what was counted to the sums. Counts that cannot be stored are lost: they are figures, not activity.
    async fn flush_counts(&self) -> Result<()> {
        for batch in self.uses.take_counted().chunks(BATCH) {
            let batch: Arc<[_]> = batch.into();
            self.store.write_serial(move |tx| key_usage::add_all(tx, &batch)).await?;
        }
        Ok(())
    }
}
