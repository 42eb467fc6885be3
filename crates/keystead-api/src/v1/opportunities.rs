//! Pipelines and opportunities of API 1.0.

use keystead_core::{Error, LocationContext, Violation, WholeOpportunity, Whose, error::Noun};
use keystead_model::{
    ContactId, OpportunityId, PipelineId, UserId,
    condition::{Op, Value as Compared},
    contact::{ContactPatch, MAX_MERGED},
    opportunity::{Opportunity, OpportunityCursor, OpportunityFilter, OpportunityPatch, Status},
    opportunity_field::OpportunityField,
    pipeline::{Pipeline, Stage},
};

use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, EmptyString, Envelope, Fields, Input, Many, Written},
    v2::{
        by_time::ByTime,
        contacts::{input::common, shapes::ListMeta},
        opportunities::{
            search::{Asked, words},
            shapes::{Embedded, core},
        },
    },
};

/// A pipeline of API 1.0.
pub(crate) struct PipelineShape(Pipeline);

impl Envelope for PipelineShape {
    const ONE: &'static str = "pipeline";
    const MANY: &'static str = "pipelines";
}

impl Written for PipelineShape {
    const NAME: &'static str = "Pipeline";

    fn sample() -> Self {
        Self(Pipeline::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let stages: Vec<StageShape<'_>> = self.0.stages.iter().map(StageShape).collect();
        fields.put("id", &self.0.id);
        fields.put("name", &self.0.content.name);
        fields.put("stages", &stages);
    }
}

/// A stage of API 1.0.
struct StageShape<'p>(&'p Stage);

static SAMPLE: std::sync::LazyLock<Pipeline> = std::sync::LazyLock::new(Pipeline::sample);

impl Written for StageShape<'_> {
    const NAME: &'static str = "Stage";

    fn sample() -> Self {
        Self(&SAMPLE.stages[0])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("id", &self.0.id);
        fields.put("name", &self.0.name);
    }
}

pub(crate) async fn pipelines(context: LocationContext, call: Call) -> Result<Many<PipelineShape>, Error> {
    let pipelines = call.app.list_pipelines(&context).await?;
    Ok(Many(pipelines.into_iter().map(PipelineShape).collect()))
}

/// An opportunity of API 1.0.
pub(crate) struct Shape(WholeOpportunity);

impl Written for Shape {
    const NAME: &'static str = "Opportunity";

    fn sample() -> Self {
        Self(WholeOpportunity::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        core(fields, &self.0);
        fields.put("contact", &Embedded(&self.0.contact));
    }
}

/// A new opportunity, and whose it is.
pub(crate) struct NewOpportunity(Whose, OpportunityPatch);

impl Input for NewOpportunity {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.required("title", |reader| reader.word("title"));
        let status: Option<Status> = reader.required("status", |reader| reader.word("status"));
        let stage = reader.required("stageId", |reader| reader.word("stageId"));
        let (whose, patch) = rest(reader);
        reader.one_of("contactId or email", &["contactId", "email", "phone"], "should not be empty", whose.is_some());
        let patch = OpportunityPatch { name, status, stage, ..patch };
        (patch.name.is_some() && status.is_some() && stage.is_some()).then_some(())?;
        Some(Self(whose?, patch))
    }
}

/// A change of one.
pub(crate) struct OpportunityChange(Option<Whose>, OpportunityPatch);

impl Input for OpportunityChange {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.word("title");
        let status = reader.word("status");
        let stage = reader.word("stageId");
        let (whose, patch) = rest(reader);
        Some(Self(whose, OpportunityPatch { name, status, stage, ..patch }))
    }
}

/// Whose it is, if that is said, and the fields that need not be there. What else is said of a contact counts for one that is named
/// by its address or number.
fn rest(reader: &mut Reader<'_>) -> (Option<Whose>, OpportunityPatch) {
    let value = reader.removable("monetaryValue", |reader| reader.decimal("monetaryValue"));
    let assigned_to = reader.removable_word("assignedTo");
    let contact: Option<ContactId> = reader.word("contactId");
    let person: ContactPatch = common(reader, MAX_MERGED);
    let source = person.source.clone();
    let is_named = !person.identities().is_empty();
    let whose = contact.map(Whose::Contact).or(is_named.then(|| Whose::Person(Box::new(person))));
    (whose, OpportunityPatch { value, assigned_to, source, ..OpportunityPatch::default() })
}

/// How one stands, and where.
pub(crate) struct StatusChange(OpportunityPatch);

impl Input for StatusChange {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let status: Option<Status> = reader.required("status", |reader| reader.word("status"));
        let stage = reader.word("stageId");
        Some(Self(OpportunityPatch { status: Some(status?), stage, ..OpportunityPatch::default() }))
    }
}

pub(crate) async fn create(
    context: LocationContext,
    call: Call<PipelineId, Bare, NewOpportunity>,
) -> Result<Shape, Error> {
    let (pipeline, NewOpportunity(whose, new)) = (call.path, call.body);
    call.app
        .create_opportunity(&context, whose, pipeline, new)
        .await
        .map(Shape)
        .map_err(|error| in_older_words(error, pipeline))
}

pub(crate) async fn get(context: LocationContext, call: Call<(PipelineId, OpportunityId)>) -> Result<Shape, Error> {
    let (pipeline, id) = call.path;
    call.app.get_opportunity(&context, id, Some(pipeline)).await.map(Shape)
}

pub(crate) async fn update(
    context: LocationContext,
    call: Call<(PipelineId, OpportunityId), Bare, OpportunityChange>,
) -> Result<Shape, Error> {
    let ((pipeline, id), OpportunityChange(whose, patch)) = (call.path, call.body);
    let changed = call.app.update_opportunity(&context, id, Some(pipeline), whose, patch).await;
    changed.map(Shape).map_err(|error| in_older_words(error, pipeline))
}

pub(crate) async fn set_status(
    context: LocationContext,
    call: Call<(PipelineId, OpportunityId), Bare, StatusChange>,
) -> Result<EmptyString, Error> {
    let (pipeline, id) = call.path;
    let changed = call.app.update_opportunity(&context, id, Some(pipeline), None, call.body.0).await;
    changed.map(|_| EmptyString).map_err(|error| in_older_words(error, pipeline))
}

pub(crate) async fn delete(
    context: LocationContext,
    call: Call<(PipelineId, OpportunityId)>,
) -> Result<EmptyString, Error> {
    let (pipeline, id) = call.path;
    call.app.delete_opportunity(&context, id, Some(pipeline)).await?;
    Ok(EmptyString)
}

/// The names of fields as this API has them. The pipeline stands in the path: one that is wrong is not there.
fn in_older_words(error: Error, pipeline: PipelineId) -> Error {
    let Error::Invalid(violations) = error else { return error };
    if violations.iter().any(|violation| violation.field == "pipelineId") {
        return Error::NotFound(Noun::Pipeline, pipeline.to_string());
    }
    let older = |violation: Violation| match violation.field.as_str() {
        "pipelineStageId" => Violation { field: "stageId".to_owned(), ..violation },
        "name" => Violation { field: "title".to_owned(), ..violation },
        _ => violation,
    };
    Error::Invalid(violations.into_iter().map(older).collect())
}

/// Some opportunities.
pub(crate) struct List {
    opportunities: Vec<Shape>,
    meta: ListMeta,
}

impl Written for List {
    fn sample() -> Self {
        Self { opportunities: vec![Shape::sample()], meta: ListMeta::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("opportunities", &self.opportunities);
        fields.put("meta", &self.meta);
    }
}

/// Which of a pipeline's are asked for.
pub(crate) struct Search {
    asked: Asked,
    by_time: ByTime<Opportunity>,
}

impl Input for Search {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let mut asked = Asked::default();
        asked.words("query", words(query, "query"));
        asked.stage("stageId", query.word("stageId"));
        asked.status(query.word("status"));
        asked.equals(OpportunityField::AssignedTo, "assignedTo", query.word::<UserId>("assignedTo"));
        asked.campaign(query.word("campaignId"));
        if let Some(value) = query.decimal("monetaryValue") {
            asked.test(OpportunityField::Value, Op::Eq(Compared::Number(value)));
            asked.say("monetaryValue", value);
        }
        let zone = query.ground().zone();
        let (from, to) = (query.moment("startDate"), query.moment("endDate"));
        asked.since(from.map(|moment| moment.start(zone)));
        asked.until(to.map(|moment| moment.last(zone)));
        for (name, at) in [("startDate", from.map(|at| at.start(zone))), ("endDate", to.map(|at| at.last(zone)))] {
            if let Some(at) = at {
                asked.say(name, at.0);
            }
        }
        Some(Self { asked, by_time: ByTime::read(query, None, None, "opportunities") })
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<PipelineId, Search>) -> Result<List, Error> {
    let (Search { asked, by_time }, pipeline) = (call.query, call.path);
    call.app.get_pipeline(&context, pipeline).await?;
    let filter = asked.filter(&call.app, &context).await?;
    let ByTime { order, ascending, .. } = by_time;
    let filter = OpportunityFilter { pipeline: Some(pipeline), order, ascending, ..filter };
    let window = by_time.window(|at, id| OpportunityCursor { at, id });
    let found = call.app.list_opportunities(&context, filter, window, keystead_core::Beside::default()).await?;
    // Its first parameter may be any, and the list has this one.
    let at = format!("{}/v1/pipelines/{pipeline}/opportunities?pipelineId={pipeline}", call.base_url);
    let meta = asked.meta(&by_time, &at, &found);
    Ok(List { opportunities: found.page.map(Shape).rows, meta })
}
