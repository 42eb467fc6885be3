//! Inbound webhooks: addresses of ours to which other programs send JSON, and what of it makes a contact.

mod body;
mod mapping;
mod path;

pub use self::{
    body::{MOST_AT_ONCE, is_json_in_a_form, payloads_of},
    mapping::{ContactMapping, Problems},
    path::paths_of,
};
use crate::{
    ContactId, InboundPayloadId, InboundWebhookId, LocationId, UtcMs, WorkflowId, actor::Signature, location::set,
    text::Line,
};

/// Somewhere to send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundWebhook {
    /// Its id, which stands in its address.
    pub id: InboundWebhookId,
    /// The location that has it.
    pub location: LocationId,
    /// What its owner writes.
    pub content: InboundContent,
    /// On whose authority contacts are written: that of whoever last said what becomes of payloads.
    pub writer: Signature,
    /// How senders show that they may send.
    pub credentials: InboundCredentials,
    /// When it was made.
    pub created_at: UtcMs,
    /// When its owner last changed it.
    pub updated_at: UtcMs,
}

/// The part of an inbound webhook that its owner writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundContent {
    /// Its name.
    pub name: Line<200>,
    /// The workflow that it is for.
    pub workflow: Option<WorkflowId>,
    /// What of a payload makes a contact; without it, payloads are kept and nothing more.
    pub contact: Option<ContactMapping>,
}

/// What senders have: the end of the address, and what they sign with if they are to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundCredentials {
    /// Digest of the token in the address.
    pub token: [u8; 32],
    /// What signs, sealed for its row.
    pub secret: Option<String>,
    /// Digest of the token before.
    pub previous_token: Option<[u8; 32]>,
    /// What whoever sends with that signs with.
    pub previous_secret: Option<String>,
    /// Until when the token before is taken.
    pub previous_until: Option<UtcMs>,
}

impl InboundCredentials {
    /// With nothing before them.
    pub fn new(token: [u8; 32], secret: Option<String>) -> Self {
        Self { token, secret, previous_token: None, previous_secret: None, previous_until: None }
    }

    /// In the place of others, which are taken until `until`.
    pub fn after(self, before: Self, until: Option<UtcMs>) -> Self {
        let Self { token, secret, .. } = before;
        let previous_secret = secret.filter(|_| until.is_some());
        Self { previous_token: until.map(|_| token), previous_secret, previous_until: until, ..self }
    }
}

/// A change of an inbound webhook; `None` leaves a thing as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of InboundContent")]
pub struct InboundPatch {
    pub name: Option<Line<200>>,
    pub workflow: Option<Option<WorkflowId>>,
    pub contact: Option<Option<ContactMapping>>,
}

impl InboundPatch {
    /// Changes what was written.
    pub fn apply(self, content: &mut InboundContent) {
        let Self { name, workflow, contact } = self;
        set(&mut content.name, name);
        set(&mut content.workflow, workflow);
        set(&mut content.contact, contact);
    }
}

/// What came in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundPayload {
    /// Its id.
    pub id: InboundPayloadId,
    /// Where it came in.
    pub webhook: InboundWebhookId,
    /// Itself, as JSON. What looks like an API key is masked.
    pub body: String,
    /// What became of it.
    pub outcome: InboundOutcome,
    /// What was wrong with it: which field, and the problem.
    pub problems: Vec<(String, String)>,
    /// The contact that it made or changed.
    pub contact: Option<ContactId>,
    /// When it came.
    pub received_at: UtcMs,
}

impl InboundPayload {
    /// The problems as JSON; `None` where there are none.
    pub fn problems_to_json(&self) -> Option<String> {
        (!self.problems.is_empty()).then(|| serde_json::json!(self.problems).to_string())
    }

    /// Reads [`InboundPayload::problems_to_json`].
    pub fn problems_from_json(text: Option<&str>) -> Vec<(String, String)> {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// What became of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboundOutcome {
    /// It was kept, and nothing says what is to be made of it.
    Kept,
    /// It made a contact.
    Created,
    /// It was about a contact that was there.
    Updated,
    /// What it says was not taken.
    Refused,
}

impl InboundOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Created, Self::Updated, Self::Refused];

    /// `"kept"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Refused => "refused",
        }
    }

    /// Reads [`InboundOutcome::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}
