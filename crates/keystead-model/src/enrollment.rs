//! Enrollments: that somebody wants a contact in a workflow or a campaign. They are kept, and nothing acts on them yet.

use crate::{CampaignId, ContactId, UtcMs, WorkflowId, id::Id, uuid::Uuid};

/// What a contact can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolledIn {
    /// A workflow.
    Workflow(WorkflowId),
    /// A campaign.
    Campaign(CampaignId),
}

impl EnrolledIn {
    /// The stored name of what it is.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Workflow(_) => "workflow",
            Self::Campaign(_) => "campaign",
        }
    }

    /// The stored id.
    pub fn id(self) -> Id<()> {
        match self {
            Self::Workflow(id) => id.of_anything(),
            Self::Campaign(id) => id.of_anything(),
        }
    }

    /// The field that names it on the wire, and its id there.
    pub fn named(self) -> (&'static str, String) {
        match self {
            Self::Workflow(id) => ("workflowId", Uuid::of(id).to_string()),
            Self::Campaign(id) => ("campaignId", id.to_string()),
        }
    }

    /// What is stored by this name and id.
    pub fn from_stored(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "workflow" => Id::parse(id).map(Self::Workflow),
            "campaign" => Id::parse(id).map(Self::Campaign),
            _ => None,
        }
    }
}

/// That a contact is to be in something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// Who.
    pub contact: ContactId,
    /// In what.
    pub into: EnrolledIn,
    /// The time that it is about, such as that of an appointment.
    pub event_at: Option<UtcMs>,
    /// When it was first asked for.
    pub created_at: UtcMs,
}
