//! What works and what does not at this moment, for whoever watches this server.

use std::path::Path;

use crate::{App, Result, journal::unwritten};

/// Below this much space of a disk its operator is warned.
const SPARE: u64 = 512 * 1024 * 1024;

/// The space of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that can still be written.
    pub free: u64,
    /// Bytes of the whole disk.
    pub total: u64,
}

impl DiskSpace {
    /// Of the disk that a folder is on; `None` where that cannot be told.
    fn of(folder: &Path) -> Option<Self> {
        let found = rustix::fs::statvfs(folder).ok()?;
        Some(Self {
            free: found.f_bavail.saturating_mul(found.f_frsize),
            total: found.f_blocks.saturating_mul(found.f_frsize),
        })
    }
}

impl App {
    /// Whether requests can be answered: an error if the database does not answer. What does not work all the same is said
    /// in sentences, with what does.
    pub async fn ready(&self) -> Result<Vec<String>> {
        self.store.look_up(keystead_store::changes::poll).await?;
        let mut degraded = Vec::new();
        if self.store.is_full() {
            degraded.push(
                "The disk of the database is full: nothing can be written. Whatever only reads works, with keys that were \
                 used in the last half hour."
                    .to_owned(),
            );
        }
        if let Some(problem) = self.journal.as_ref().and_then(|journal| journal.problem()) {
            degraded.push(unwritten(&problem));
        }
        Ok(degraded)
    }

    /// The space of the disk that holds the data directory.
    pub fn disk_space(&self) -> Option<DiskSpace> {
        DiskSpace::of(self.journal.as_ref()?.folder())
    }

    /// What an operator should look at, of this server.
    pub(crate) fn disk_warnings(&self) -> Vec<String> {
        let space = self.disk_space().filter(|space| space.free < SPARE);
        let spare = space.map(|DiskSpace { free, .. }| {
            format!(
                "The disk of the data directory has {} MB left; without space nothing can be written.",
                free / 1_000_000
            )
        });
        let is_full = self
            .store
            .is_full()
            .then(|| "The disk of the database is full: nothing can be written until there is space again.".to_owned());
        is_full.into_iter().chain(spare).collect()
    }
}
