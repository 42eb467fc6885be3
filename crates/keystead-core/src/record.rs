//! What every operation writes beside its effect, in the same transaction: its audit row.

use keystead_model::{
    AgencyId, KeyId, LocationId, UtcMs,
    actor::Actor,
    audit::{Action, NewAudit},
    key_secret::mask_keys,
};
use keystead_store::{Tx, audit};
use serde_json::Value as Json;

use crate::{Authority, Result, idempotency, operate::InLocation};

/// What one operation did to one thing.
pub(crate) struct Change<'c> {
    pub(crate) action: Action,
    pub(crate) location: Option<LocationId>,
    pub(crate) subject: &'c str,
    pub(crate) before: Option<Json>,
    pub(crate) after: Option<Json>,
}

/// Writes the audit row of a change by `authority`.
pub(crate) fn record(tx: &mut Tx<'_>, authority: &Authority, change: Change<'_>) -> Result<()> {
    idempotency::about(tx, authority, change.subject)?;
    let (ip, request) = (authority.address().map(|address| address.to_string()), authority.request);
    let request = request.map(|id| id.to_string());
    audit::insert(tx, &row(authority.agency(), authority.actor(), authority.now(), (ip, request), &change))?;
    Ok(())
}

impl InLocation<'_, '_> {
    /// Writes the audit row of a change of data. What people wrote is in the data, not in the log.
    pub(crate) fn record(&mut self, action: Action, subject: &str) -> Result<()> {
        let change = Change { action, location: Some(self.context.location), subject, before: None, after: None };
        record(self.tx, &self.context.authority, change)
    }
}

/// Writes the audit rows of changes that Keystead makes by itself, each in its agency.
pub(crate) fn record_by_system(
    tx: &mut Tx<'_>,
    at: UtcMs,
    changes: &[(AgencyId, Change<'_>)],
) -> keystead_store::Result<()> {
    changes
        .iter()
        .try_for_each(|(agency, change)| audit::insert(tx, &row(*agency, Actor::System, at, (None, None), change)))
}

/// Writes the audit row of something that nobody is signed in for: a sign-in, a reset.
pub(crate) fn record_unsigned(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    actor: Actor,
    ip: Option<String>,
    now: UtcMs,
    action: Action,
    subject: &str,
) -> keystead_store::Result<()> {
    let change = Change { action, location: None, subject, before: None, after: None };
    audit::insert(tx, &row(agency, actor, now, (ip, None), &change))
}

/// Every audit row is made here, with the address and the request where there are any.
fn row(
    agency: AgencyId,
    actor: Actor,
    at: UtcMs,
    (ip, request_id): (Option<String>, Option<String>),
    change: &Change<'_>,
) -> NewAudit {
    let Change { action, location, subject, before, after } = change;
    // No flow puts a secret here; the mask is the second lock.
    let text = |document: &Option<Json>| document.as_ref().map(|text| mask_keys(&text.to_string()).into_owned());
    NewAudit {
        agency,
        location: *location,
        at,
        actor,
        ip,
        request_id,
        action,
        subject: (*subject).to_owned(),
        before: text(before),
        after: text(after),
    }
}

/// Writes into the log that a key's authority was ended: what `db restore --revocations` reads, since an older backup
/// knows nothing of it. Only after the commit: a closure may run twice, or be rolled back.
pub(crate) fn log_revocation(key: KeyId, action: Action, sequence: i64) {
    tracing::info!(key = key.as_str(), action, sequence, "authority was ended");
}
