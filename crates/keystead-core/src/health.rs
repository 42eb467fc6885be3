//! What works and what does not at this moment, for whoever watches this server.

use std::{path::Path, time::Duration};

use keystead_store::Migrations;
use tokio::time::Instant;

use crate::{App, journal::unwritten};

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
    pub fn of(folder: &Path) -> Option<Self> {
        let found = rustix::fs::statvfs(folder).ok()?;
        Some(Self {
            free: found.f_bavail.saturating_mul(found.f_frsize),
            total: found.f_blocks.saturating_mul(found.f_frsize),
        })
    }
}

/// Why a server should get no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// The database does not answer.
    Database,
    /// A newer release has migrated the database. What this one does with it is tried by nobody.
    NewerSchema,
}

impl std::fmt::Display for NotReady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Database => "the database does not answer",
            Self::NewerSchema => "a newer release has migrated the database; start this server with it, too",
        })
    }
}

/// A probe of the database is good for so long, so that nobody makes work by asking.
const PROBE_EVERY: Duration = Duration::from_millis(250);
/// A database that takes longer does not answer.
const PROBE_TIME: Duration = Duration::from_secs(3);

impl App {
    /// Whether this server can work: the database answers, and has the schema that it knows. What does not work all the same is
    /// said in sentences, with what does.
    pub async fn ready(&self) -> Result<Vec<String>, NotReady> {
        tokio::time::timeout(PROBE_TIME, self.probe()).await.unwrap_or(Err(NotReady::Database))?;
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

    async fn probe(&self) -> Result<(), NotReady> {
        let mut probed = self.probed.lock().await;
        if probed.is_some_and(|at| at.elapsed() < PROBE_EVERY) {
            return Ok(());
        }
        let schema = self.store.probe(Migrations::version).await.map_err(|_| NotReady::Database)?;
        if schema > Migrations::known() {
            return Err(NotReady::NewerSchema);
        }
        *probed = Some(Instant::now());
        Ok(())
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
