//! The instance as its operator sees it: servers, database, service clock, and what should be looked at.

use keystead_model::{ServiceMs, UtcMs, job::JobKind, page::Window, time::MINUTE_MS};
use keystead_store::{
    Migrations, changes,
    nodes::{self, NodeRow},
    queue, sweep,
};

use crate::{App, DeliveryPause, DiskSpace, Result, journal::unwritten};

/// What the operator sees.
#[derive(Clone, Debug)]
pub struct SystemStatus {
    /// `"sqlite"` or `"postgres"`.
    pub database: &'static str,
    /// Version of the schema.
    pub schema: i64,
    /// The last change that was made.
    pub head: i64,
    /// Service time.
    pub service_now: ServiceMs,
    /// Ticks of the service clock.
    pub epoch: i64,
    /// Whether automatic deletions are paused.
    pub paused: bool,
    /// Whether nothing is sent to webhooks.
    pub deliveries_paused: Option<DeliveryPause>,
    /// Servers on this database.
    pub nodes: Vec<NodeRow>,
    /// Keys that wait for an admin who could be told.
    pub held: usize,
    /// Mails that were given up and are still kept.
    pub mails_given_up: i64,
    /// The space of the disk that holds the data directory.
    pub disk: Option<DiskSpace>,
    /// What is wrong with this server's disk and journal, in sentences.
    pub local: Vec<String>,
}

impl SystemStatus {
    /// What the operator should look at, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.held > 0 {
            let (keys, are) = if self.held == 1 { ("key", "is") } else { ("keys", "are") };
            warnings.push(format!(
                "{} {keys} {are} held: nobody is there who could be told of their deletion. Add or enable an admin.",
                self.held
            ));
        }
        if self.paused {
            warnings.push("Deletions of unused keys are paused (keystead sweep resume).".to_owned());
        }
        if let Some(DeliveryPause { since, waiting }) = self.deliveries_paused {
            let (messages, wait) = if waiting == 1 { ("message", "waits") } else { ("messages", "wait") };
            warnings.push(format!(
                "Nothing is sent to webhooks since {}, when this database was restored or copied, or an operator paused it: \
                 {waiting} {messages} {wait}. If no other server sends them, let it go on (keystead deliveries resume).",
                since.to_iso()
            ));
        }
        if self.mails_given_up > 0 {
            let (mails, were) = if self.mails_given_up == 1 { ("mail", "was") } else { ("mails", "were") };
            warnings.push(format!(
                "{} {mails} {were} given up within the last 30 days: Settings > System says what the mail server answered. Look \
                 at the notices of those who did not get them.",
                self.mails_given_up
            ));
        }
        warnings.extend(self.local.iter().cloned());
        warnings
    }
}

/// A server that was not heard of for so long is gone.
const GONE_MS: i64 = 2 * MINUTE_MS;

impl App {
    /// Looks at the instance.
    pub async fn system_status(&self) -> Result<SystemStatus> {
        let database = self.database_kind();
        let mut local = self.disk_warnings();
        local.extend(self.journal.as_ref().and_then(|journal| journal.problem()).as_deref().map(unwritten));
        let disk = self.disk_space();
        Ok(self
            .store
            .read(move |tx| {
                let poll = changes::poll(tx)?;
                Ok::<_, keystead_store::Error>(SystemStatus {
                    database,
                    schema: Migrations::known(),
                    head: poll.head,
                    service_now: poll.clock.now,
                    epoch: poll.clock.epoch,
                    paused: poll.clock.paused,
                    deliveries_paused: DeliveryPause::find(tx)?,
                    nodes: nodes::list(tx)?,
                    mails_given_up: queue::count(tx, JobKind::Mail)?.given_up,
                    held: sweep::held(tx, &Window::first(1000))?.rows.len(),
                    disk,
                    local: local.clone(),
                })
            })
            .await?)
    }

    /// Says that this server lives. Called every ten seconds.
    pub async fn note_node(&self, id: String, address: String, started_at: UtcMs) -> Result<()> {
        let (applied, seen_at) = (self.applied_sequence().await, self.clock.now());
        let release = env!("CARGO_PKG_VERSION").to_owned();
        let node = NodeRow { id, address, release, applied, started_at, seen_at };
        self.store
            .write_serial(move |tx| {
                nodes::note(tx, &node)?;
                nodes::forget(tx, UtcMs(seen_at.0 - GONE_MS))?;
                Ok(())
            })
            .await
    }
}
