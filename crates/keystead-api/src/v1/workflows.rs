//! Workflows of API 1.0.

use keystead_core::{Error, LocationContext};
use keystead_model::workflow::WorkflowHead;

use crate::{
    call::Call,
    reader::Slice,
    shape::{Fields, Written},
};

/// All of them, under the name that was recorded and under the one that they should have.
pub(crate) struct Listed(Vec<WorkflowHead>);

impl Written for Listed {
    fn sample() -> Self {
        Self(vec![WorkflowHead::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("workflow", &self.0);
        fields.put("workflows", &self.0);
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Slice>) -> Result<Listed, Error> {
    Ok(Listed(call.app.list_workflows(&context, call.query.window()).await?.rows))
}
