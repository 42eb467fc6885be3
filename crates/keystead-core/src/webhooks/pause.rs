//! The pause of all deliveries of the instance, for its operator. A database that was restored or copied begins with one: nothing is
//! sent again that was sent before, and no copy sends beside its original.

use keystead_model::{
    UtcMs,
    event::EventKind,
    job::{JobCounts, JobKind},
};
use keystead_store::{Tx, delivery_pause, queue};
use serde_json::json;

use crate::{
    App, Authority, Error, Result,
    events::{Happened, fields, tell_everywhere},
    users::require_operator,
};

/// That nothing is sent to webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryPause {
    /// Since when.
    pub since: UtcMs,
    /// How many deliveries wait.
    pub waiting: i64,
}

impl DeliveryPause {
    pub(crate) fn find(tx: &mut Tx<'_>) -> keystead_store::Result<Option<Self>> {
        let Some(since) = delivery_pause::since(tx)? else { return Ok(None) };
        let JobCounts { waiting, taken, .. } = queue::count(tx, JobKind::Delivery)?;
        // Of a database that was elsewhere nobody has what was taken there.
        Ok(Some(Self { since, waiting: waiting + taken }))
    }
}

/// What becomes of deliveries that waited when the pause began: another database may have sent them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// They are sent.
    Send,
    /// They are held, and can be recovered.
    Skip,
}

impl Overdue {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Send, Self::Skip];

    /// `"send"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Skip => "skip",
        }
    }

    /// Reads [`Overdue::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|overdue| overdue.as_str() == text)
    }
}

impl App {
    /// Sends nothing to any webhook until somebody lets it go on, for the operator; `false` if that is how it was. What is under way
    /// is finished.
    pub async fn pause_deliveries(&self, authority: &Authority) -> Result<bool> {
        let (authority, now) = (authority.clone(), self.clock.now());
        let paused = self.store.write_serial(move |tx| {
            require_operator(tx, &authority)?;
            if !delivery_pause::begin(tx, now)? {
                return Ok(false);
            }
            let happened = || Happened::to(EventKind::InstanceDeliveriesPaused, "deliveries");
            tell_everywhere(tx, &authority, now, happened)?;
            Ok::<_, Error>(true)
        });
        paused.await
    }

    /// Lets deliveries go on, for the operator, and says what becomes of those that are overdue. Answers how many of these are held
    /// instead; `None` if nothing was paused.
    pub async fn resume_deliveries(&self, authority: &Authority, overdue: Overdue) -> Result<Option<u64>> {
        let (authority, now) = (authority.clone(), self.clock.now());
        let resumed = self.store.write_serial(move |tx| {
            require_operator(tx, &authority)?;
            let Some(since) = delivery_pause::since(tx)? else { return Ok(None) };
            let skipped = match overdue {
                Overdue::Send => 0,
                Overdue::Skip => delivery_pause::skip(tx, since)?,
            };
            delivery_pause::end(tx)?;
            let after = fields(json!({"overdue": overdue.as_str()}));
            let happened =
                || Happened::to(EventKind::InstanceDeliveriesResumed, "deliveries").with(None, Some(after.clone()));
            tell_everywhere(tx, &authority, now, happened)?;
            Ok::<_, Error>(Some(skipped))
        });
        resumed.await
    }
}
