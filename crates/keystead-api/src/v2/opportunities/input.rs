//! Reading an opportunity from a body.

use keystead_core::Known;
use keystead_model::{
    ContactId, Invalid, LostReasonId, OpportunityId, PipelineId,
    custom_field::OwnerKind,
    opportunity::{FollowersChange, MAX_FOLLOWERS, OpportunityPatch, Status},
};
use serde_json::{Map, Value};

use crate::{
    reader::Reader,
    shape::{Ground, Input, Word, word::one_of},
    v2::field_values::{self, Sent},
};

impl Word for Status {
    const EXAMPLE: &'static str = "open";

    fn schema() -> Value {
        one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be one of open, won, lost, abandoned"))
    }
}

/// A new opportunity.
pub(crate) struct NewOpportunity {
    pub(crate) contact: ContactId,
    pub(crate) pipeline: PipelineId,
    pub(crate) patch: OpportunityPatch,
    pub(crate) skipped: Vec<String>,
}

impl Input for NewOpportunity {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let pipeline = reader.required("pipelineId", |reader| reader.word("pipelineId"));
        let contact = reader.required("contactId", |reader| reader.word("contactId"));
        let name = reader.required("name", |reader| reader.word("name"));
        let status = reader.required("status", |reader| reader.word("status"));
        let (patch, skipped) = rest(reader);
        let patch = OpportunityPatch { name, status, ..patch };
        Some(Self { contact: contact?, pipeline: pipeline?, patch, skipped })
    }

    fn settle(example: &mut Map<String, Value>) {
        is_not_lost(example);
    }
}

/// A change of one, and what of it names nothing.
pub(crate) struct OpportunityChange(pub(crate) OpportunityPatch, pub(crate) Vec<String>);

impl Input for OpportunityChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (name, status) = (reader.word("name"), reader.word("status"));
        let pipeline = reader.word("pipelineId");
        let (patch, skipped) = rest(reader);
        Some(Self(OpportunityPatch { name, status, pipeline, ..patch }, skipped))
    }

    fn settle(example: &mut Map<String, Value>) {
        is_not_lost(example);
    }
}

/// Only what is lost has a reason for it, and examples are open.
fn is_not_lost(example: &mut Map<String, Value>) {
    example.remove("lostReasonId");
}

/// What every input of an opportunity may hold, and what of that names no custom field.
fn rest(reader: &mut Reader<'_>) -> (OpportunityPatch, Vec<String>) {
    let Sent { values: custom_fields, skipped } = field_values::read(reader, OwnerKind::Opportunity);
    let patch = OpportunityPatch {
        custom_fields,
        stage: reader.word("pipelineStageId"),
        value: reader.removable("monetaryValue", |reader| reader.decimal("monetaryValue")),
        assigned_to: reader.removable_word("assignedTo"),
        source: reader.clearable("source"),
        lost_reason: reader.removable_word("lostReasonId"),
        close_date: reader.removable_word("forecastExpectedCloseDate"),
        probability: reader.removable("forecastProbability", |reader| reader.integer("forecastProbability", 0..=100)),
        ..OpportunityPatch::default()
    };
    (patch, skipped)
}

/// How one stands from now on.
pub(crate) struct StatusChange {
    pub(crate) status: Status,
    pub(crate) lost_reason: Option<Option<LostReasonId>>,
}

impl Input for StatusChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let status = reader.required("status", |reader| reader.word("status"));
        let lost_reason = reader.removable_word("lostReasonId");
        Some(Self { status: status?, lost_reason })
    }

    fn settle(example: &mut Map<String, Value>) {
        is_not_lost(example);
    }
}

/// One that may be there.
pub(crate) struct Upsert {
    pub(crate) known: Known,
    pub(crate) pipeline: PipelineId,
    pub(crate) patch: OpportunityPatch,
    pub(crate) skipped: Vec<String>,
}

impl Input for Upsert {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let pipeline = reader.required("pipelineId", |reader| reader.word("pipelineId"));
        let id: Option<OpportunityId> = reader.word("id");
        let contact: Option<ContactId> = reader.word("contactId");
        let is_known = id.is_some() || contact.is_some();
        reader.one_of("contactId", &["id", "contactId"], "or id should not be empty", is_known);
        let (name, status) = (reader.word("name"), reader.word("status"));
        let followers = followers(reader);
        let (patch, skipped) = rest(reader);
        let patch = OpportunityPatch { name, status, contact, followers, ..patch };
        let known = id.map(Known::Opportunity).or(contact.map(Known::OfContact));
        Some(Self { known: known?, pipeline: pipeline?, patch, skipped })
    }

    /// Named is the contact, and not an opportunity of it.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("id");
        is_not_lost(example);
    }
}

fn followers(reader: &mut Reader<'_>) -> FollowersChange {
    let removes_all = reader.truth("isRemoveAllFollowers").unwrap_or(false);
    let users = reader.words("followers", MAX_FOLLOWERS).unwrap_or_default();
    match reader.word("followersActionType").unwrap_or(Action::Add) {
        Action::Add => FollowersChange { removes_all, add: users, remove: Vec::new() },
        Action::Remove => FollowersChange { removes_all, add: Vec::new(), remove: users },
    }
}

/// What followers do.
enum Action {
    Add,
    Remove,
}

impl Word for Action {
    const EXAMPLE: &'static str = "add";

    fn schema() -> Value {
        one_of(["add", "remove"])
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        match text {
            "add" => Ok(Self::Add),
            "remove" => Ok(Self::Remove),
            _ => Err(Invalid::new("must be one of add, remove")),
        }
    }
}
