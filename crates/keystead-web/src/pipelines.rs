//! The pipelines of a location, and the stages of each in their order.
//!
//! The buttons that add, move and remove stages change the form alone: what they make of it is shown again, and nothing is saved
//! before Save. So they work without a script, and together with a name that is being written.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Beside, Error, LocationContext, StageSums, error::Noun};
use keystead_model::{
    Invalid, PipelineId, StageId,
    opportunity::OpportunityFilter,
    opportunity_field::OpportunityField,
    page::Window,
    pipeline::{MAX_STAGES, Pipeline, PipelineContent, PipelinePatch, StageDraft},
    scope::Scope,
    sort::SortKey,
    text::Line,
};

use crate::{
    Web,
    ask::Ask,
    failure::Failure,
    flash::{Done, lead},
    form::{Edit, Field, Fields, Form, Kind},
    lost_reasons::{self, Reason},
    page::{Frame, render},
    place::Here,
    show::grouped,
};

const SECTION: &str = "pipelines";
pub(crate) const PATH: &str = "/settings/pipelines";

struct Row {
    name: String,
    stages: String,
    opportunities: i64,
    board_url: String,
    url: String,
}

#[derive(Template)]
#[template(path = "pipelines/list.html")]
struct List {
    frame: Frame,
    rows: Vec<Row>,
    reasons: Vec<Reason>,
    /// The form of a new reason.
    form: Form,
    may_write: bool,
    new_url: String,
    reasons_url: String,
}

/// How many opportunities are in each stage of a pipeline.
async fn counts(web: &Web, context: &LocationContext, id: PipelineId) -> Result<HashMap<String, i64>, Error> {
    let filter = OpportunityFilter { pipeline: Some(id), ..OpportunityFilter::default() };
    let newest = vec![SortKey { field: OpportunityField::CreatedAt, ascending: false }];
    let (_, sums) = web.app.search_opportunities(context, filter, newest, Window::first(1), Beside::default()).await?;
    Ok(sums.into_iter().map(|StageSums { stage, count, .. }| (stage.to_string(), count)).collect())
}

pub(crate) async fn list(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    Ok(render(&list_page(&web, &here, &context, lost_reasons::form()).await?))
}

/// The list again with a form that has to be mended.
pub(crate) async fn again(web: &Web, here: &Here, context: &LocationContext, form: Form) -> Result<Response, Failure> {
    let page = list_page(web, here, context, form).await?;
    Ok(page.form.again(&page))
}

async fn list_page(web: &Web, here: &Here, context: &LocationContext, form: Form) -> Result<List, Error> {
    let mut rows = Vec::new();
    for pipeline in web.app.list_pipelines(context).await? {
        let stages: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
        rows.push(Row {
            name: pipeline.content.name.as_str().to_owned(),
            stages: stages.join(" → "),
            opportunities: counts(web, context, pipeline.id).await?.values().sum(),
            board_url: here.url(&format!("/opportunities?status=any&pipeline={}", pipeline.id)),
            url: here.url(&format!("{PATH}/{}", pipeline.id)),
        });
    }
    Ok(List {
        frame: Frame::of(here, "Pipelines", SECTION),
        rows,
        reasons: lost_reasons::reasons(web, here, context).await?,
        form,
        may_write: here.authority().grant().allows(Scope::OpportunitiesWrite),
        new_url: here.url(&format!("{PATH}/new")),
        reasons_url: here.url(&format!("{PATH}/lost-reasons")),
    })
}

/// A stage in the form, as it was written.
#[derive(Clone, Default)]
struct Draft {
    id: String,
    name: String,
    probability: String,
    problem: String,
    /// How many opportunities are in it: then it stays.
    count: i64,
    /// Whether it has the focus after a button changed the form.
    has_focus: bool,
}

/// The fields of each stage, which come once for every one of them.
const STAGE_ID: &str = "stageId";
const STAGE_NAME: &str = "stageName";
const STAGE_PROBABILITY: &str = "stageProbability";
/// The field of the buttons that change the form alone.
const CHANGE: &str = "change";

fn drafts_in(sent: &Fields, counts: &HashMap<String, i64>) -> Vec<Draft> {
    let [ids, names, probabilities] = [STAGE_ID, STAGE_NAME, STAGE_PROBABILITY].map(|name| sent.all(name));
    let at = |values: &[&str], index: usize| values.get(index).copied().unwrap_or_default().to_owned();
    let draft = |(index, name): (usize, &&str)| {
        let (id, probability) = (at(&ids, index), at(&probabilities, index));
        let count = counts.get(&id).copied().unwrap_or(0);
        Draft { id, name: (*name).to_owned(), probability, problem: String::new(), count, has_focus: false }
    };
    names.iter().enumerate().map(draft).collect()
}

fn drafts_of(pipeline: &Pipeline, counts: &HashMap<String, i64>) -> Vec<Draft> {
    let draft = |stage: &keystead_model::pipeline::Stage| Draft {
        id: stage.id.to_string(),
        name: stage.name.as_str().to_owned(),
        probability: stage.probability.map(|probability| probability.to_string()).unwrap_or_default(),
        problem: String::new(),
        count: counts.get(&stage.id.to_string()).copied().unwrap_or(0),
        has_focus: false,
    };
    pipeline.stages.iter().map(draft).collect()
}

/// Does what a button says with the stages; the one that it is about has the focus then.
fn change(drafts: &mut Vec<Draft>, text: &str) {
    let (what, row) = text.split_once('-').unwrap_or((text, ""));
    let row = row.parse().ok().filter(|row| *row < drafts.len());
    let focus = match (what, row) {
        ("add", _) if drafts.len() < MAX_STAGES => {
            drafts.push(Draft::default());
            Some(drafts.len() - 1)
        }
        ("up", Some(row)) if row > 0 => {
            drafts.swap(row, row - 1);
            Some(row - 1)
        }
        ("down", Some(row)) if row + 1 < drafts.len() => {
            drafts.swap(row, row + 1);
            Some(row + 1)
        }
        ("remove", Some(row)) if drafts.len() > 1 => {
            drafts.remove(row);
            Some(row.min(drafts.len() - 1))
        }
        _ => row,
    };
    if let Some(draft) = focus.and_then(|row| drafts.get_mut(row)) {
        draft.has_focus = true;
    }
}

/// How many of a hundred are won: `25`, `25 %`.
pub(crate) fn parse_probability(text: &str) -> Result<i64, Invalid> {
    let number = text.trim_end_matches('%').trim().parse().ok().filter(|number| (0..=100).contains(number));
    number.ok_or_else(|| Invalid::new("must be a whole number from 0 to 100"))
}

/// The stages as they are to be; what is wrong is said beside each.
fn read_stages(form: &mut Form, drafts: &mut [Draft]) -> Vec<StageDraft> {
    let mut read = Vec::new();
    for (index, draft) in drafts.iter_mut().enumerate() {
        let name = match draft.name.trim() {
            "" => Err("Enter a name for the stage".to_owned()),
            text => Line::parse(text).map_err(|Invalid(problem)| format!("The name of the stage {problem}")),
        };
        let probability = match draft.probability.trim() {
            "" => Ok(None),
            text => parse_probability(text).map(Some).map_err(|Invalid(problem)| format!("The probability {problem}")),
        };
        match (name, probability) {
            (Ok(name), Ok(probability)) => {
                read.push(StageDraft { id: StageId::parse(draft.id.trim()).ok(), name, probability });
            }
            (Err(problem), _) | (_, Err(problem)) => {
                draft.problem.clone_from(&problem);
                form.say(&format!("stage-{index}"), problem);
            }
        }
    }
    read
}

fn fields() -> Vec<Field> {
    const OWN: &str = "Else that of its stage counts always.";
    vec![
        Field::line("name", "Name").needed("Enter a name").with("maxlength=200"),
        Field::new(Kind::Check, "useOpportunityProbability", "An opportunity’s own probability counts").hint(OWN),
    ]
}

#[derive(Template)]
#[template(path = "pipelines/form.html")]
struct Editor {
    frame: Frame,
    heading: String,
    form: Form,
    drafts: Vec<Draft>,
    delete_url: Option<String>,
    list_url: String,
}

fn editor(here: &Here, existing: Option<&Pipeline>, (form, drafts): (Form, Vec<Draft>)) -> Editor {
    let heading = existing.map_or("Add a pipeline", |pipeline| pipeline.content.name.as_str());
    Editor {
        frame: Frame::of(here, heading, SECTION),
        heading: heading.to_owned(),
        form,
        drafts,
        delete_url: existing.map(|pipeline| here.url(&format!("{PATH}/{}/delete", pipeline.id))),
        list_url: here.url(PATH),
    }
}

pub(crate) async fn new(here: Here) -> Result<Response, Failure> {
    here.place()?;
    here.authority().require(Scope::OpportunitiesWrite)?;
    let drafts = vec![Draft::default(); 3];
    Ok(render(&editor(&here, None, (Form::new(fields(), Vec::new()), drafts))))
}

pub(crate) async fn create(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let context = here.enter(&web).await?;
    let mut drafts = drafts_in(&sent, &HashMap::new());
    let mut form = Form::new(fields(), sent);
    if let Some(text) = form.text(CHANGE).map(str::to_owned) {
        change(&mut drafts, &text);
        return Ok(render(&editor(&here, None, (form, drafts))));
    }
    // Nobody has to fill in all the rows that are there at first.
    if drafts.iter().any(|draft| !draft.name.trim().is_empty()) {
        drafts.retain(|draft| !draft.name.trim().is_empty());
    }
    let (name, stages) = (form.read("name", Line::parse), read_stages(&mut form, &mut drafts));
    let own = form.is_checked("useOpportunityProbability");
    let content = name.map(|name| PipelineContent { use_opportunity_probability: own, ..PipelineContent::named(name) });
    let create = async |content| web.app.create_pipeline(&context, content, stages).await;
    match form.run_with(content, create).await? {
        Some(made) => Ok(lead(&web, &here.url(PATH), Done::PipelineAdded, made.content.name.as_str())),
        None => {
            let page = editor(&here, None, (form, drafts));
            Ok(page.form.again(&page))
        }
    }
}

async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, Pipeline), Error> {
    here.authority().require(Scope::OpportunitiesWrite)?;
    let context = here.enter(web).await?;
    let id: PipelineId = here.id(Noun::Pipeline)?;
    let pipeline = web.app.get_pipeline(&context, id).await?;
    Ok((context, pipeline))
}

/// The form as it stands for a pipeline that is there, but for its stages.
fn form_of(pipeline: &Pipeline) -> Form {
    let content = &pipeline.content;
    let own = if content.use_opportunity_probability { "on" } else { "" };
    let pairs = [("name", content.name.as_str().to_owned()), ("useOpportunityProbability", own.to_owned())];
    Form::filled(fields(), pairs).opened_on(pipeline)
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, pipeline) = wanted(&web, &here).await?;
    let drafts = drafts_of(&pipeline, &counts(&web, &context, pipeline.id).await?);
    Ok(render(&editor(&here, Some(&pipeline), (form_of(&pipeline), drafts))))
}

/// Says of stages that somebody else has changed meanwhile what they are now.
fn stages_overtaken(form: &mut Form, drafts: &[Draft], now: &Pipeline) {
    let written = drafts.iter().map(|draft| (draft.name.trim(), draft.probability.trim()));
    let stands = drafts_of(now, &HashMap::new());
    if !written.eq(stands.iter().map(|stage| (stage.name.as_str(), stage.probability.as_str()))) {
        let said = stands.iter().map(|stage| match stage.probability.as_str() {
            "" => stage.name.clone(),
            probability => format!("{} {probability} %", stage.name),
        });
        let said = said.collect::<Vec<_>>().join(" → ");
        form.say("stages", format!("Stages: meanwhile they are “{said}”"));
    }
}

pub(crate) async fn update(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, pipeline) = wanted(&web, &here).await?;
    let mut drafts = drafts_in(&sent, &counts(&web, &context, pipeline.id).await?);
    let mut form = Form::new(fields(), sent);
    let careful = context.clone().with_seen(form.seen::<Pipeline>());
    if let Some(text) = form.text(CHANGE).map(str::to_owned) {
        change(&mut drafts, &text);
        return Ok(render(&editor(&here, Some(&pipeline), (form, drafts))));
    }
    let patch = PipelinePatch {
        name: form.read("name", Line::parse),
        use_opportunity_probability: Some(form.is_checked("useOpportunityProbability")),
        stages: Some(read_stages(&mut form, &mut drafts)),
        ..PipelinePatch::default()
    };
    match form.edit(web.app.update_pipeline(&careful, pipeline.id, patch)).await? {
        Edit::Saved(saved) => {
            return Ok(lead(&web, &here.url(PATH), Done::PipelineSaved, saved.content.name.as_str()));
        }
        Edit::Overtaken => {
            form.overtaken("pipeline", &pipeline, &form_of(&pipeline));
            stages_overtaken(&mut form, &drafts, &pipeline);
        }
        Edit::Wrong => {}
    }
    let page = editor(&here, Some(&pipeline), (form, drafts));
    Ok(page.form.again(&page))
}

async fn question(web: &Web, here: &Here, context: &LocationContext, pipeline: &Pipeline) -> Result<Ask, Error> {
    let count: i64 = counts(web, context, pipeline.id).await?.values().sum();
    let sentence = match count {
        0 => "No opportunity is in it.".to_owned(),
        1 => "One opportunity is in it: move it to another pipeline or delete it first.".to_owned(),
        count => format!("{} opportunities are in it: move them to another pipeline first.", grouped(count)),
    };
    let url = here.url(&format!("{PATH}/{}", pipeline.id));
    let name = pipeline.content.name.as_str();
    Ok(Ask::to_delete(here, SECTION, (name, "Delete pipeline"), vec![sentence], url))
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, pipeline) = wanted(&web, &here).await?;
    Ok(question(&web, &here, &context, &pipeline).await?.shown())
}

pub(crate) async fn delete(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, pipeline) = wanted(&web, &here).await?;
    let done = |()| lead(&web, &here.url(PATH), Done::PipelineDeleted, pipeline.content.name.as_str());
    question(&web, &here, &context, &pipeline)
        .await?
        .answered(web.app.delete_pipeline(&context, pipeline.id), done)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> (String, Option<usize>) {
        let mut drafts: Vec<Draft> =
            ["a", "b", "c"].map(|name| Draft { name: name.to_owned(), ..Draft::default() }).into();
        change(&mut drafts, text);
        let focus = drafts.iter().position(|draft| draft.has_focus);
        (drafts.iter().map(|draft| draft.name.as_str()).collect::<Vec<_>>().join(","), focus)
    }

    #[test]
    fn buttons_change_the_stages_of_the_form() {
        for (text, names, focus) in [
            ("up-1", "b,a,c", Some(0)),
            ("up-0", "a,b,c", Some(0)),
            ("down-1", "a,c,b", Some(2)),
            ("down-2", "a,b,c", Some(2)),
            ("remove-2", "a,b", Some(1)),
            ("remove-0", "b,c", Some(0)),
            ("add", "a,b,c,", Some(3)),
            ("up-9", "a,b,c", None),
            ("made up", "a,b,c", None),
        ] {
            assert_eq!(after(text), (names.to_owned(), focus), "{text}");
        }
        let mut one = vec![Draft::default()];
        change(&mut one, "remove-0");
        assert_eq!(one.len(), 1, "a pipeline has a stage");
    }
}
