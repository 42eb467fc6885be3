//! Workflows of a location.

use keystead_model::{
    UtcMs, WorkflowId,
    enrollment::EnrolledIn,
    event::EventKind,
    page::{Page, Window},
    publication::Publication,
    scope::Scope,
    uuid::Uuid,
    workflow::{Workflow, WorkflowContent, WorkflowHead, WorkflowPatch},
};
use keystead_store::{enrollments, inbound_webhooks, workflows};

use crate::{
    App, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, put, text},
    operate::InLocation,
    resource::{MOST_MADE_BY_HAND, Made, Resource},
};

impl App {
    /// The workflows of a location without their definitions, newest first.
    pub async fn list_workflows(
        &self,
        context: &LocationContext,
        window: Window<WorkflowId>,
    ) -> Result<Page<WorkflowHead>> {
        self.read(context, Scope::WorkflowsRead, move |operation| {
            Ok(workflows::list(operation.tx, operation.context.location, &window)?)
        })
        .await
    }
}

impl Resource for Workflow {
    type Content = WorkflowContent;
    type Patch = WorkflowPatch;

    const NOUN: Noun = Noun::Workflow;
    const SCOPES: (Scope, Scope) = (Scope::WorkflowsRead, Scope::WorkflowsWrite);
    const KINDS: [EventKind; 3] = [EventKind::WorkflowCreated, EventKind::WorkflowUpdated, EventKind::WorkflowDeleted];
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

    fn new(made: Made<Self>, content: WorkflowContent) -> Self {
        let Made { id, location, parent: (), now } = made;
        let WorkflowContent { name, definition } = content;
        let head = WorkflowHead {
            id,
            uuid: Uuid::of(id),
            location,
            name,
            status: Publication::Draft,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        Self { head, definition }
    }

    fn change(&mut self, patch: WorkflowPatch) {
        patch.apply(self);
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.head.updated_at
    }

    fn name_of(id: WorkflowId) -> String {
        Uuid::of(id).to_string()
    }

    fn leave(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        inbound_webhooks::leave_workflow(operation.tx, self.head.location, self.head.id)?;
        Ok(enrollments::leave(operation.tx, self.head.location, EnrolledIn::Workflow(self.head.id))?)
    }
}

impl Described for Workflow {
    fn subject(&self) -> &str {
        self.head.uuid.as_str()
    }

    fn describe(&self) -> Fields {
        let WorkflowHead { name, status, version, .. } = &self.head;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "status", Some(status.as_str()));
        put(&mut fields, "version", Some(*version));
        put(&mut fields, "definition", Some(text(self.definition.as_str())));
        fields
    }
}
