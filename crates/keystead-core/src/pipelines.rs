//! Pipelines of a location.

use keystead_model::{
    LocationId, PipelineId, StageId,
    event::EventKind,
    pipeline::{MAX_PIPELINES, MAX_STAGES, Pipeline, PipelineContent, PipelinePatch, Stage, StageDraft},
    scope::Scope,
};
use keystead_store::{
    opportunities::{self, TotalsOf},
    pipelines,
};
use serde_json::json;

use crate::{
    App, Error, ErrorCode, LocationContext, Result,
    error::Noun,
    events::{Described, Fields, Happened, put},
    idempotency::Lost,
    operate::InLocation,
};

impl App {
    /// The pipelines of a location, the oldest first.
    pub async fn list_pipelines(&self, context: &LocationContext) -> Result<Vec<Pipeline>> {
        let run = |operation: &mut InLocation<'_, '_>| Ok(pipelines::list(operation.tx, operation.context.location)?);
        self.read(context, Scope::OpportunitiesRead, run).await
    }

    /// One pipeline.
    pub async fn get_pipeline(&self, context: &LocationContext, id: PipelineId) -> Result<Pipeline> {
        self.read(context, Scope::OpportunitiesRead, move |operation| operation.pipeline(id)).await
    }

    /// Makes a pipeline with these stages.
    pub async fn create_pipeline(
        &self,
        context: &LocationContext,
        content: PipelineContent,
        stages: Vec<StageDraft>,
    ) -> Result<Pipeline> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.create_pipeline(content.clone(), stages.clone());
        let recover = |operation: &mut InLocation<'_, '_>, lost: &Lost| operation.pipeline(lost.id()?);
        self.operate(context, Scope::OpportunitiesWrite, run, recover).await
    }

    /// Changes a pipeline. A stage that opportunities are in cannot be left out.
    pub async fn update_pipeline(
        &self,
        context: &LocationContext,
        id: PipelineId,
        patch: PipelinePatch,
    ) -> Result<Pipeline> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.update_pipeline(id, patch.clone());
        self.operate(context, Scope::OpportunitiesWrite, run, move |operation, _| operation.pipeline(id)).await
    }

    /// Deletes a pipeline that no opportunity is in.
    pub async fn delete_pipeline(&self, context: &LocationContext, id: PipelineId) -> Result<()> {
        let run = move |operation: &mut InLocation<'_, '_>| operation.delete_pipeline(id);
        self.operate(context, Scope::OpportunitiesWrite, run, |_, _| Ok(())).await
    }
}

impl InLocation<'_, '_> {
    pub(crate) fn pipeline(&mut self, id: PipelineId) -> Result<Pipeline> {
        let found = pipelines::find(self.tx, self.context.location, id)?;
        found.ok_or_else(|| Error::NotFound(Noun::Pipeline, id.to_string()))
    }

    fn create_pipeline(&mut self, content: PipelineContent, drafts: Vec<StageDraft>) -> Result<Pipeline> {
        let (id, location, now) = (self.new_id(), self.context.location, self.now());
        if usize::try_from(pipelines::count(self.tx, location)?).is_ok_and(|count| count >= MAX_PIPELINES) {
            return Err(Error::too_many(MAX_PIPELINES, "pipelines"));
        }
        let mut pipeline = Pipeline { id, location, content, stages: Vec::new(), created_at: now, updated_at: now };
        pipeline.stages = self.stages(&pipeline, drafts)?;
        pipelines::save(self.tx, &pipeline)?;
        self.tell(Happened::made(EventKind::PipelineCreated, &pipeline))?;
        Ok(pipeline)
    }

    fn update_pipeline(&mut self, id: PipelineId, patch: PipelinePatch) -> Result<Pipeline> {
        let before = self.pipeline(id)?;
        self.context.authority.expect(&before)?;
        let mut after = before.clone();
        if let Some(drafts) = patch.apply(&mut after.content) {
            after.stages = self.stages(&before, drafts)?;
        }
        if after == before {
            return Ok(before);
        }
        for stage in before.stages.iter().filter(|stage| after.stage(stage.id).is_none()) {
            self.require_unused(&TotalsOf { stage: Some(&[stage.id]), ..TotalsOf::default() }, || {
                format!("the stage {}", stage.name.as_str())
            })?;
        }
        after.updated_at = self.now();
        pipelines::save(self.tx, &after)?;
        self.tell(Happened::changed(EventKind::PipelineUpdated, &before, &after))?;
        Ok(after)
    }

    fn delete_pipeline(&mut self, id: PipelineId) -> Result<()> {
        let pipeline = self.pipeline(id)?;
        self.context.authority.expect(&pipeline)?;
        self.require_unused(&TotalsOf { pipeline: Some(id), ..TotalsOf::default() }, || {
            format!("the pipeline {}", pipeline.content.name.as_str())
        })?;
        pipelines::delete(self.tx, self.context.location, id)?;
        self.tell(Happened::gone(EventKind::PipelineDeleted, &pipeline))?;
        Ok(())
    }

    /// The stages that drafts become: those that are there keep their ids, new ones get theirs.
    fn stages(&mut self, before: &Pipeline, drafts: Vec<StageDraft>) -> Result<Vec<Stage>> {
        if drafts.is_empty() || drafts.len() > MAX_STAGES {
            return Err(Error::invalid("stages", format!("must be 1 to {MAX_STAGES} stages")));
        }
        let mut stages: Vec<Stage> = Vec::with_capacity(drafts.len());
        for (index, StageDraft { id, name, probability }) in drafts.into_iter().enumerate() {
            let refused = |problem: &str| Err(Error::invalid(&format!("stages.{index}.id"), problem));
            let id = match id {
                None => StageId::of(self.new_id::<Stage>()),
                Some(id) if before.stage(id).is_none() => return refused("must be the id of a stage of this pipeline"),
                Some(id) if stages.iter().any(|stage| stage.id == id) => return refused("must not stand twice"),
                Some(id) => id,
            };
            stages.push(Stage { id, name, probability });
        }
        Ok(stages)
    }

    fn require_unused(&mut self, of: &TotalsOf<'_>, what: impl FnOnce() -> String) -> Result<()> {
        let totals = opportunities::totals(self.tx, self.context.location, of)?;
        match totals.iter().map(|total| total.count).sum::<i64>() {
            0 => Ok(()),
            1 => Err(Error::Conflict(ErrorCode::InUse, format!("An opportunity is in {}", what()))),
            count => Err(Error::Conflict(ErrorCode::InUse, format!("{count} opportunities are in {}", what()))),
        }
    }
}

impl Described for Pipeline {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn location(&self) -> Option<LocationId> {
        Some(self.location)
    }

    fn describe(&self) -> Fields {
        let PipelineContent { name, show_in_funnel, show_in_pie_chart, color_render_mode, use_opportunity_probability } =
            &self.content;
        let stages: Vec<_> = self
            .stages
            .iter()
            .map(|Stage { id, name, probability }| {
                let mut fields = Fields::new();
                put(&mut fields, "id", Some(id.as_str()));
                put(&mut fields, "name", Some(name.as_str()));
                put(&mut fields, "probability", *probability);
                json!(fields)
            })
            .collect();
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "showInFunnel", Some(*show_in_funnel));
        put(&mut fields, "showInPieChart", Some(*show_in_pie_chart));
        put(&mut fields, "colorRenderMode", Some(color_render_mode.as_str()));
        put(&mut fields, "useOpportunityProbability", Some(*use_opportunity_probability));
        put(&mut fields, "stages", Some(stages));
        fields
    }
}
