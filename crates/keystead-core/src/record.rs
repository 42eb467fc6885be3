//! What every operation writes beside its effect, in the same transaction: its audit row and its idempotency claim.

use keystead_model::{
    LocationId, UtcMs,
    actor::Actor,
    audit::{Action, NewAudit},
    key_secret::mask_keys,
};
use keystead_store::{Tx, audit};
use serde_json::Value as Json;

use crate::{Authority, Result, idempotency};

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
    if let Some(claim) = &authority.claim {
        idempotency::claim(tx, claim, authority.now())?;
    }
    let Change { action, location, subject, before, after } = change;
    // No flow puts a secret here; the mask is the second lock.
    let text = |document: Option<Json>| document.map(|document| mask_keys(&document.to_string()).into_owned());
    audit::insert(
        tx,
        &NewAudit {
            agency: authority.agency(),
            location,
            at: authority.now(),
            actor: authority.actor(),
            ip: authority.address().map(|address| address.to_string()),
            request_id: authority.request.map(|id| id.to_string()),
            action,
            subject: subject.to_owned(),
            before: text(before),
            after: text(after),
        },
    )?;
    Ok(())
}

/// Writes the audit row of a change that Keystead makes by itself.
pub(crate) fn record_change_by_system(
    tx: &mut Tx<'_>,
    agency: keystead_model::AgencyId,
    at: UtcMs,
    change: Change<'_>,
) -> keystead_store::Result<()> {
    let Change { action, location, subject, before, after } = change;
    audit::insert(
        tx,
        &NewAudit {
            agency,
            location,
            at,
            actor: Actor::System,
            ip: None,
            request_id: None,
            action,
            subject: subject.to_owned(),
            before: before.map(|document| document.to_string()),
            after: after.map(|document| document.to_string()),
        },
    )
}

/// Writes the audit row of something that nobody is signed in for: a sign-in, a reset.
pub(crate) fn record_unsigned(
    tx: &mut Tx<'_>,
    agency: keystead_model::AgencyId,
    actor: Actor,
    ip: Option<String>,
    now: UtcMs,
    action: Action,
    subject: &str,
) -> keystead_store::Result<()> {
    audit::insert(
        tx,
        &NewAudit {
            agency,
            location: None,
            at: now,
            actor,
            ip,
            request_id: None,
            action,
            subject: subject.to_owned(),
            before: None,
            after: None,
        },
    )
}
