//! Workflows: what is to be done once something has happened. So far they are drafted and kept; none runs.

use crate::{
    LocationId, UtcMs, WorkflowId, json_object::JsonObject, location::set, publication::Publication, text::Line,
    uuid::Uuid,
};

/// Bytes of a definition.
pub const DEFINITION_MAX: usize = 64 * 1024;

/// What is to be done when, as its author has it.
pub type Definition = JsonObject<DEFINITION_MAX>;

/// A workflow without its definition, which may be long: what lists have of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowHead {
    /// Its id.
    pub id: WorkflowId,
    /// The same as the wire has it.
    pub uuid: Uuid,
    /// The location that has it.
    pub location: LocationId,
    /// Its name.
    pub name: Line<200>,
    /// Whether it is in use.
    pub status: Publication,
    /// The version that is being written, which the next publishing makes.
    pub version: i64,
    /// When it was made.
    pub created_at: UtcMs,
    /// When it was last changed.
    pub updated_at: UtcMs,
}

/// A workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// All but the definition.
    pub head: WorkflowHead,
    /// What is to be done when.
    pub definition: Definition,
}

/// The part of a workflow that its author writes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Workflow")]
pub struct WorkflowContent {
    pub name: Line<200>,
    pub definition: Definition,
}

/// A change of a workflow; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of Workflow")]
pub struct WorkflowPatch {
    pub name: Option<Line<200>>,
    pub definition: Option<Definition>,
}

impl WorkflowPatch {
    /// Changes `workflow`.
    pub fn apply(self, workflow: &mut Workflow) {
        let Self { name, definition } = self;
        set(&mut workflow.head.name, name);
        set(&mut workflow.definition, definition);
    }
}
