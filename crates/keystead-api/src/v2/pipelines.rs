//! Pipelines and lost reasons of a location in API 2.0.

use keystead_core::{Error, LocationContext};
use keystead_model::{
    Invalid, LostReasonId, PipelineId, StageId,
    page::Window,
    pipeline::{
        ColorRenderMode, LostReason, LostReasonFilter, MAX_STAGES, Pipeline, PipelineContent, PipelinePatch, Stage,
        StageDraft,
    },
    text::Line,
};
use serde_json::{Map, Value};

use super::{Version, samples, succeeded::Succeeded};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Envelope, Fields, Ground, Input, Many, One, Tagged, Word, Written, word::one_of},
};

impl Envelope for Pipeline {
    const ONE: &'static str = "pipeline";
    const MANY: &'static str = "pipelines";
}

impl Written for Pipeline {
    const NAME: &'static str = "Pipeline";

    fn sample() -> Self {
        samples::pipeline()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, content, stages, created_at: _, updated_at: _ } = self;
        let PipelineContent { name, show_in_funnel, show_in_pie_chart, color_render_mode, use_opportunity_probability } =
            content;
        let stages: Vec<Placed<'_>> =
            (0i64..).zip(stages).map(|(position, stage)| Placed { position, stage }).collect();
        fields.put("id", id);
        fields.put("name", name);
        fields.put("stages", &stages);
        fields.put("showInFunnel", show_in_funnel);
        fields.put("showInPieChart", show_in_pie_chart);
        fields.one_of("colorRenderMode", color_render_mode.as_str(), &ColorRenderMode::NAMES);
        fields.put("locationId", location);
        if fields.version() == Version::V3 {
            fields.put("useOpportunityProbability", use_opportunity_probability);
        }
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// A stage in its place.
struct Placed<'p> {
    position: i64,
    stage: &'p Stage,
}

static SAMPLE: std::sync::LazyLock<Pipeline> = std::sync::LazyLock::new(samples::pipeline);

impl Written for Placed<'_> {
    const NAME: &'static str = "Stage";

    fn sample() -> Self {
        Self { position: 0, stage: &SAMPLE.stages[0] }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Stage { id, name, probability } = self.stage;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("position", &self.position);
        fields.opt("probability", probability.as_ref());
    }
}

impl Word for ColorRenderMode {
    const EXAMPLE: &'static str = "dot";

    fn schema() -> Value {
        one_of(Self::NAMES)
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be one of dot, bg-tint, none"))
    }
}

/// A new pipeline.
pub(crate) struct NewPipeline(PipelineContent, Vec<StageDraft>);

impl Input for NewPipeline {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let stages = reader.required("stages", |reader| stages(reader, false));
        let patch = settings(reader);
        let (mut content, stages) = (PipelineContent::named(name?), stages?);
        patch.apply(&mut content);
        Some(Self(content, stages))
    }
}

impl Input for PipelinePatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.word("name");
        let stages = stages(reader, true);
        Some(Self { name, stages, ..settings(reader) })
    }

    /// The stages of an example are new: nobody knows the ids of those that are there.
    fn settle(example: &mut Map<String, Value>) {
        for stage in example.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten() {
            stage.as_object_mut().map(|stage| stage.remove("id"));
        }
    }
}

/// Everything but its name and its stages.
fn settings(reader: &mut Reader<'_>) -> PipelinePatch {
    PipelinePatch {
        show_in_funnel: reader.truth("showInFunnel"),
        show_in_pie_chart: reader.truth("showInPieChart"),
        color_render_mode: reader.word("colorRenderMode"),
        use_opportunity_probability: reader.truth("useOpportunityProbability"),
        ..PipelinePatch::default()
    }
}

/// All stages, in the order of their positions where they have some. Those of a new pipeline have no ids yet.
fn stages(reader: &mut Reader<'_>, are_known: bool) -> Option<Vec<StageDraft>> {
    let stages = reader.each("stages", MAX_STAGES, |stage, index| {
        let id: Option<StageId> = if are_known { stage.word("id") } else { None };
        let name: Option<Line<200>> = stage.required("name", |stage| stage.word("name"));
        let probability = stage.integer("probability", 0..=100);
        let position = stage.integer("position", 0..=i64::MAX);
        let place = position.unwrap_or_else(|| i64::try_from(index).unwrap_or(i64::MAX));
        Some((place, StageDraft { id, name: name?, probability }))
    })?;
    let mut stages: Vec<(i64, StageDraft)> = stages.into_iter().flatten().collect();
    stages.sort_by_key(|(place, _)| *place);
    Some(stages.into_iter().map(|(_, stage)| stage).collect())
}

pub(crate) async fn list(context: LocationContext, call: Call) -> Result<Many<Pipeline>, Error> {
    call.app.list_pipelines(&context).await.map(Many)
}

pub(crate) async fn create(
    context: LocationContext,
    call: Call<(), Bare, NewPipeline>,
) -> Result<One<Pipeline>, Error> {
    let NewPipeline(content, stages) = call.body;
    call.app.create_pipeline(&context, content, stages).await.map(One)
}

pub(crate) async fn get(context: LocationContext, call: Call<PipelineId>) -> Result<One<Pipeline>, Error> {
    call.app.get_pipeline(&context, call.path).await.map(One)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<PipelineId, Bare, PipelinePatch>,
) -> Result<One<Pipeline>, Error> {
    call.app.update_pipeline(&context, call.path, call.body).await.map(One)
}

pub(crate) async fn delete(context: LocationContext, call: Call<PipelineId>) -> Result<Succeeded, Error> {
    call.app.delete_pipeline(&context, call.path).await?;
    Ok(Succeeded)
}

impl Envelope for LostReason {
    const ONE: &'static str = "lostReason";
    const MANY: &'static str = "lostReasons";
}

impl Written for LostReason {
    const NAME: &'static str = "LostReason";

    fn sample() -> Self {
        samples::lost_reason()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, name, created_at, updated_at, deleted_at: _ } = self;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("locationId", location);
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// Some lost reasons.
pub(crate) struct LostReasons {
    reasons: Vec<LostReason>,
    total: i64,
}

impl Written for LostReasons {
    fn sample() -> Self {
        Self { reasons: vec![LostReason::sample()], total: 1 }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("lostReasons", &self.reasons);
        fields.put("total", &self.total);
    }
}

/// Which of them are asked for.
pub(crate) struct Wanted {
    filter: LostReasonFilter,
    window: Window<LostReasonId>,
}

impl Input for Wanted {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let filter = LostReasonFilter {
            name: query.word("name"),
            query: query.word("query"),
            deleted: query.truth("deleted").unwrap_or(false),
        };
        // They are always counted.
        query.truth("getCount");
        let limit = query.integer("limit", 1..=1_000).unwrap_or(100);
        let page = query.integer("page", 1..=1_000_000).unwrap_or(1);
        let skip = query.integer("skip", 0..=i64::MAX).unwrap_or((page - 1) * limit);
        Some(Self { filter, window: Window::skip(skip, limit) })
    }
}

/// The name of one.
pub(crate) struct Named(Line<200>);

impl Input for Named {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        reader.required("name", |reader| reader.word("name")).map(Self)
    }
}

/// Another name for one.
pub(crate) struct Renamed(Line<200>);

impl Input for Renamed {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("name", |reader| reader.word("name")).map(Self)
    }
}

pub(crate) async fn list_lost_reasons(context: LocationContext, call: Call<(), Wanted>) -> Result<LostReasons, Error> {
    let found = call.app.list_lost_reasons(&context, call.query.filter, call.query.window).await?;
    Ok(LostReasons { reasons: found.page.rows, total: found.total })
}

pub(crate) async fn create_lost_reason(
    context: LocationContext,
    call: Call<(), Bare, Named>,
) -> Result<One<LostReason>, Error> {
    call.app.create_lost_reason(&context, call.body.0).await.map(One)
}

pub(crate) async fn rename_lost_reason(
    context: LocationContext,
    call: Call<LostReasonId, Bare, Renamed>,
) -> Result<One<LostReason>, Error> {
    call.app.rename_lost_reason(&context, call.path, call.body.0).await.map(One)
}

pub(crate) async fn delete_lost_reason(context: LocationContext, call: Call<LostReasonId>) -> Result<Succeeded, Error> {
    call.app.delete_lost_reason(&context, call.path).await?;
    Ok(Succeeded)
}
