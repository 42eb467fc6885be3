//! Opportunities as a list.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Beside, Error};
use keystead_model::{
    opportunity::OpportunityFilter, opportunity_field::OpportunityField, page::Window, pipeline::Pipeline,
    saved_view::ViewedList, search, sort::SortKey,
};

use super::{
    Card, Cards, SECTION,
    view::{Controls, View},
};
use crate::{
    Web, contacts,
    failure::Failure,
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    saved_views::{Viewed, Views},
};

struct Row {
    card: Card,
    stage: String,
    pipeline: String,
    pill: (&'static str, String),
}

#[derive(Template)]
#[template(path = "opportunities/list.html")]
struct Opportunities {
    frame: Frame,
    views: Views,
    controls: Controls,
    rows: Vec<Row>,
    list: Listing,
    /// Whether there was no time to find them.
    is_cut: bool,
    all_url: String,
}

/// Name in addresses, words, what decides, and whether the smallest come first.
const SORTS: &[(&str, &str, OpportunityField, bool)] = &[
    ("newest", "Newest first", OpportunityField::CreatedAt, false),
    ("oldest", "Oldest first", OpportunityField::CreatedAt, true),
    ("updated", "Changed last", OpportunityField::UpdatedAt, false),
    ("value", "Highest value first", OpportunityField::Value, false),
    ("name", "By name", OpportunityField::Name, true),
    ("close", "Expected to close first", OpportunityField::CloseDate, true),
];

/// What is kept of the list under a name.
pub(crate) const VIEWED: Viewed = Viewed {
    list: ViewedList::Opportunities,
    section: SECTION,
    all: "Opportunities",
    path: "/opportunities",
    always: &[("view", "list")],
    kept: &[("q", ""), ("pipeline", ""), ("stage", ""), ("status", ""), ("owner", ""), ("sort", SORTS[0].0)],
};

pub(super) async fn list(State(web): State<Web>, mut asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let views = Views::of(&web, &here, &context, (&VIEWED, &mut asked)).await?;
    let pipelines = web.app.list_pipelines(&context).await?;
    let view = View::new(&asked, &here, &pipelines);
    let country = here.place()?.profile.country;
    let filter =
        OpportunityFilter { search: asked.text("q").map(|query| search::asked(query, country)), ..view.filter() };
    let sort = asked.text("sort").unwrap_or_default();
    let (sort, _, field, ascending) = SORTS.iter().find(|(name, ..)| *name == sort).unwrap_or(&SORTS[0]);
    let keys = vec![SortKey { field: *field, ascending: *ascending }];
    let window = Window::skip(asked.skipped(), PAGE);
    // A search that takes too long is said on the page, where it can be narrowed.
    let found = match web.app.search_opportunities(&context, filter, keys, window, Beside::default()).await {
        Ok((found, _)) => Some(found),
        Err(Error::Invalid(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let is_cut = found.is_none();
    let (total, has_more) = found.as_ref().map_or((0, false), |found| (found.total, found.page.has_more));
    let names = web.app.user_names(here.authority()).await?;
    let cards = Cards { here: &here, names: &names, now: web.app.now() };
    let places = places(&pipelines);
    let rows = found.into_iter().flat_map(|found| found.page.rows).map(|whole| {
        let content = &whole.opportunity.content;
        let (pipeline, stage) = places.get(&content.stage).copied().unwrap_or_default();
        Row {
            card: cards.card(&whole.opportunity, &whole.contact),
            stage: stage.to_owned(),
            pipeline: pipeline.to_owned(),
            pill: contacts::standing(content.status),
        }
    });
    let rows: Vec<Row> = rows.collect();
    let orders: Vec<(&str, &str)> = SORTS.iter().map(|(name, words, ..)| (*name, *words)).collect();
    let list = Listing::new(view.base(), &asked, rows.len(), has_more, total).sorted(&asked, &orders, sort);
    let stages = view.pipeline().map(|pipeline| {
        pipeline.stages.iter().map(|stage| (stage.id.to_string(), stage.name.as_str().to_owned())).collect()
    });
    let page = Opportunities {
        frame: Frame::of(&here, "Opportunities", SECTION),
        views,
        controls: Controls::of(&web, &view).await?,
        rows,
        list: match stages {
            Some(stages) => list.filtered(&asked, ("stage", "Stage", "flow"), Some(stages)),
            None => list,
        },
        is_cut,
        all_url: here.url("/opportunities?view=list&status=any"),
    };
    Ok(render(&page))
}

/// The names of pipeline and stage, by stage.
fn places(pipelines: &[Pipeline]) -> HashMap<keystead_model::StageId, (&str, &str)> {
    let stages = |pipeline: &'_ Pipeline| pipeline.stages.len();
    let mut places = HashMap::with_capacity(pipelines.iter().map(stages).sum());
    for pipeline in pipelines {
        for stage in &pipeline.stages {
            places.insert(stage.id, (pipeline.content.name.as_str(), stage.name.as_str()));
        }
    }
    places
}
