//! Audit rows: who did what, when, from where, with the state before and after.

use crate::{AgencyId, LocationId, UtcMs, actor::Actor};

/// What was done, `api_key.created`; the same names as the events of webhooks and workflows.
pub type Action = &'static str;

/// Whether an action belongs into the sealed chain: keys, sign-in, members and settings. Changes of data are audited, too,
/// but there are too many of them to chain.
pub fn is_security(action: &str) -> bool {
    let noun = action.split('.').next().unwrap_or_default();
    ["api_key", "session", "user", "agency", "location", "instance", "webhook", "audit"].contains(&noun)
}

/// A row that is about to be written.
#[derive(Clone, Debug)]
pub struct NewAudit {
    /// The tenant.
    pub agency: AgencyId,
    /// The location, for what happens inside one.
    pub location: Option<LocationId>,
    /// When.
    pub at: UtcMs,
    /// Who.
    pub actor: Actor,
    /// From which address.
    pub ip: Option<String>,
    /// The id of the request, as the client and the logs have it.
    pub request_id: Option<String>,
    /// What.
    pub action: Action,
    /// To what: its id.
    pub subject: String,
    /// The changed fields before, as JSON; never a secret.
    pub before: Option<String>,
    /// The changed fields after, as JSON; never a secret.
    pub after: Option<String>,
}

/// A row as it is read.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of NewAudit")]
pub struct AuditRow {
    pub id: i64,
    pub location: Option<LocationId>,
    pub at: UtcMs,
    pub actor: Actor,
    pub ip: Option<String>,
    pub action: String,
    pub subject: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub request_id: Option<String>,
    /// Its place in the agency's chain, once it is sealed; never for what is not chained.
    pub position: Option<i64>,
    /// Whether what was personal in it was erased: addresses, and what changed.
    pub erased: bool,
}
