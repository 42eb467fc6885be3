//! Which opportunities are looked at, and how: what addresses of the board and the list say.

use keystead_core::Error;
use keystead_model::{
    PipelineId, StageId, UserId,
    condition::{Condition, Op, Test, Value},
    opportunity::{OpportunityFilter, Status},
    opportunity_field::OpportunityField,
    pipeline::Pipeline,
};

use super::may_write;
use crate::{
    Web,
    choices::owner,
    list::{Asked, Choosable},
    place::Here,
};

/// The value that means all of them.
const ANY: &str = "any";

/// What an address asks for.
pub(super) struct View<'a> {
    pub(super) asked: &'a Asked,
    here: &'a Here,
    pub(super) pipelines: &'a [Pipeline],
}

impl<'a> View<'a> {
    pub(super) fn new(asked: &'a Asked, here: &'a Here, pipelines: &'a [Pipeline]) -> Self {
        Self { asked, here, pipelines }
    }

    /// How those stand that are shown; open ones, unless something else is said.
    fn status(&self) -> Option<Status> {
        match self.asked.text("status") {
            Some(ANY) => None,
            told => told.and_then(Status::parse).or(Some(Status::Open)),
        }
    }

    fn owner(&self) -> Option<UserId> {
        self.asked.text("owner").and_then(UserId::parse)
    }

    /// The pipeline: on a board there is always one, that which was made first unless another is named.
    pub(super) fn pipeline(&self) -> Option<&'a Pipeline> {
        let id = self.asked.text("pipeline").and_then(PipelineId::parse);
        let named = id.and_then(|id| self.pipelines.iter().find(|pipeline| pipeline.id == id));
        named.or_else(|| self.pipelines.first().filter(|_| !is_list(self.asked)))
    }

    /// What the database is asked for, but for words.
    pub(super) fn filter(&self) -> OpportunityFilter {
        let owner = self.owner().map(|owner| {
            let op = Op::Eq(Value::Code(owner.to_string()));
            Condition::Test(Test { field: OpportunityField::AssignedTo, op })
        });
        let pipeline = self.pipeline();
        let stage = self.asked.text("stage").and_then(|stage| StageId::parse(stage).ok());
        let stage = stage.filter(|stage| pipeline.is_some_and(|pipeline| pipeline.stage(*stage).is_some()));
        OpportunityFilter {
            pipeline: pipeline.map(|pipeline| pipeline.id),
            stages: stage.map(|stage| vec![stage]),
            status: self.status(),
            condition: Condition::All(owner.into_iter().collect()),
            ..OpportunityFilter::default()
        }
    }

    /// Where they are.
    pub(super) fn base(&self) -> String {
        self.here.url("/opportunities")
    }

    /// Where they are looked at otherwise.
    fn look(&self, words: &str, changes: &[(&str, Option<&str>)], is_here: bool) -> Choosable {
        Choosable { words: words.to_owned(), url: self.asked.with_all(&self.base(), changes), is_here }
    }

    /// Those of a stage, as a list.
    pub(super) fn in_list(&self, pipeline: &Pipeline, stage: StageId) -> String {
        let (pipeline, stage) = (pipeline.id.to_string(), stage.to_string());
        let changes = [("view", Some("list")), ("pipeline", Some(pipeline.as_str())), ("stage", Some(stage.as_str()))];
        self.asked.with_all(&self.base(), &changes)
    }

    fn statuses(&self) -> Vec<Choosable> {
        let chosen = self.status();
        let statuses = [
            ("Open", None, Some(Status::Open)),
            ("Won", Some("won"), Some(Status::Won)),
            ("Lost", Some("lost"), Some(Status::Lost)),
            ("Abandoned", Some("abandoned"), Some(Status::Abandoned)),
            ("All", Some(ANY), None),
        ];
        statuses.map(|(words, value, status)| self.look(words, &[("status", value)], chosen == status)).into()
    }

    /// Whose are shown.
    async fn owners(&self, web: &Web) -> Result<Vec<Choosable>, Error> {
        let (own, chosen) = (self.here.visitor.signed_in.user.id, self.owner());
        let mut looks = vec![
            self.look("All owners", &[("owner", None)], chosen.is_none()),
            self.look("Mine", &[("owner", Some(own.as_str()))], chosen == Some(own)),
        ];
        let members = owner::choices(web, self.here, chosen).await?;
        let others = members.iter().filter(|member| !member.value.is_empty() && member.value != own.as_str());
        looks.extend(others.map(|member| {
            let is_here = chosen.is_some_and(|chosen| chosen.as_str() == member.value);
            self.look(&member.words, &[("owner", Some(&member.value))], is_here)
        }));
        Ok(looks)
    }

    fn in_pipeline(&self, pipeline: Option<&Pipeline>) -> Choosable {
        let words = pipeline.map_or("All pipelines", |pipeline| pipeline.content.name.as_str());
        let id = pipeline.map(|pipeline| pipeline.id.to_string());
        let is_here = pipeline.map(|pipeline| pipeline.id) == self.pipeline().map(|pipeline| pipeline.id);
        self.look(words, &[("pipeline", id.as_deref()), ("stage", None)], is_here)
    }
}

/// Whether a list is asked for, and not a board.
pub(super) fn is_list(asked: &Asked) -> bool {
    asked.text("view") == Some("list")
}

/// What stands above board and list: which are looked at, and how.
pub(super) struct Controls {
    pub(super) pipelines: Vec<Choosable>,
    pub(super) statuses: Vec<Choosable>,
    pub(super) owners: Vec<Choosable>,
    pub(super) board: Choosable,
    pub(super) list: Choosable,
    pub(super) add_url: Option<String>,
    pub(super) pipelines_url: String,
}

impl Controls {
    pub(super) async fn of(web: &Web, view: &View<'_>) -> Result<Self, Error> {
        let View { asked, here, pipelines } = view;
        let is_list = is_list(asked);
        let all = is_list.then(|| view.in_pipeline(None));
        let of = view.pipeline().map(|pipeline| format!("?pipeline={}", pipeline.id)).unwrap_or_default();
        Ok(Self {
            pipelines: all
                .into_iter()
                .chain(pipelines.iter().map(|pipeline| view.in_pipeline(Some(pipeline))))
                .collect(),
            statuses: view.statuses(),
            owners: view.owners(web).await?,
            board: view.look("Board", &["view", "q", "sort", "stage"].map(|name| (name, None)), !is_list),
            list: view.look("List", &[("view", Some("list"))], is_list),
            add_url: may_write(here).then(|| here.url(&format!("/opportunities/new{of}"))),
            pipelines_url: here.url("/settings/pipelines"),
        })
    }
}

/// Which of some looks it is.
pub(super) fn chosen(looks: &[Choosable]) -> &str {
    looks.iter().find(|look| look.is_here).map_or("", |look| look.words.as_str())
}
