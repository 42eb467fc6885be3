//! Workflows of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    json_object::JsonObject,
    publication::Publication,
    workflow::{Workflow, WorkflowContent, WorkflowHead, WorkflowPatch},
};

use super::samples;
use crate::{
    call::Call,
    reader::{Reader, Slice},
    shape::{Envelope, Fields, Input, Many, Tagged, Written},
};

impl Envelope for WorkflowHead {
    const ONE: &'static str = "workflow";
    const MANY: &'static str = "workflows";
}

impl Written for WorkflowHead {
    const NAME: &'static str = "Workflow";

    fn sample() -> Self {
        samples::workflow().head
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id: _, uuid, location, name, status, version, created_at, updated_at } = self;
        fields.put("id", uuid);
        fields.put("name", name);
        fields.one_of("status", status.as_str(), &Publication::ALL.map(Publication::as_str));
        fields.put("version", version);
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
        fields.put("locationId", location);
    }
}

impl Envelope for Workflow {
    const ONE: &'static str = WorkflowHead::ONE;
    const MANY: &'static str = WorkflowHead::MANY;
}

/// By itself it is shown with its definition.
impl Written for Workflow {
    const NAME: &'static str = "WholeWorkflow";

    fn sample() -> Self {
        samples::workflow()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        self.head.write(fields);
        fields.put("definition", &self.definition);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

impl Input for WorkflowContent {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let definition = reader.json_object("definition").unwrap_or_else(JsonObject::empty);
        Some(Self { name: name?, definition })
    }
}

impl Input for WorkflowPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { name: reader.word("name"), definition: reader.json_object("definition") })
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Slice>) -> Result<Many<WorkflowHead>, Error> {
    Ok(Many(call.app.list_workflows(&context, call.query.window()).await?.rows))
}
