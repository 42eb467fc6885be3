//! One pipeline as a board: a column for each stage, a card for each opportunity.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Beside, Error, LocationContext, StageSums};
use keystead_model::{
    UserId,
    decimal::nanos_to_text,
    opportunity::{OpportunityFilter, Status},
    opportunity_field::OpportunityField,
    page::Window,
    pipeline::{Pipeline, Stage},
    sort::SortKey,
};

use super::{
    Card, Cards, SECTION, may_write,
    view::{Controls, View},
};
use crate::{
    Web,
    failure::Failure,
    list::Asked,
    page::{Frame, render},
    place::Here,
    show::{amount, grouped},
};

/// Cards of a column; the list has the others.
const CARDS: i64 = 50;

struct Column {
    stage: Stage,
    count: i64,
    value: String,
    cards: Vec<Card>,
    /// How many more there are, and where.
    more: Option<(i64, String)>,
    add_url: String,
}

#[derive(Template)]
#[template(path = "opportunities/board.html")]
struct Board {
    frame: Frame,
    summary: String,
    controls: Controls,
    columns: Vec<Column>,
    statuses: [Status; 4],
    may_write: bool,
}

pub(super) async fn board(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let pipelines = web.app.list_pipelines(&context).await?;
    let view = View::new(&asked, &here, &pipelines);
    let (mut columns, mut total) = (Vec::new(), (0, 0));
    if let Some(pipeline) = view.pipeline() {
        // Of a board each stage is shown, whichever a list was of before.
        let filter = OpportunityFilter { stages: None, ..view.filter() };
        let sums = sums(&web, &context, filter.clone()).await?;
        let names = web.app.user_names(here.authority()).await?;
        total = sums.iter().fold((0, 0), |(count, value), sum| (count + sum.count, value + sum.value));
        for (stage, sum) in pipeline.stages.iter().zip(&sums) {
            columns.push(column(&web, (&here, &context), (&view, pipeline, &filter), (stage, sum), &names).await?);
        }
    }
    let controls = Controls::of(&web, &view).await?;
    let summary = match total {
        _ if pipelines.is_empty() => String::new(),
        (0, _) => "None of this kind is in this pipeline.".to_owned(),
        (1, value) => format!("One opportunity, worth {}.", amount(&nanos_to_text(value))),
        (count, value) => {
            format!("{} opportunities, worth {} together.", grouped(count), amount(&nanos_to_text(value)))
        }
    };
    let frame = Frame::of(&here, "Opportunities", SECTION);
    let (statuses, may_write) = (Status::ALL, may_write(&here));
    Ok(render(&Board { frame, summary, controls, columns, statuses, may_write }))
}

/// What is in each stage, of what the filter lets through.
async fn sums(web: &Web, context: &LocationContext, filter: OpportunityFilter) -> Result<Vec<StageSums>, Error> {
    let newest = vec![SortKey { field: OpportunityField::CreatedAt, ascending: false }];
    let (_, sums) = web.app.search_opportunities(context, filter, newest, Window::first(1), Beside::default()).await?;
    Ok(sums)
}

async fn column(
    web: &Web,
    (here, context): (&Here, &LocationContext),
    (view, pipeline, filter): (&View<'_>, &Pipeline, &OpportunityFilter),
    (stage, sum): (&Stage, &StageSums),
    names: &HashMap<UserId, String>,
) -> Result<Column, Error> {
    let cards = Cards { here, names, now: web.app.now() };
    let mut shown = Vec::new();
    if sum.count > 0 {
        let filter = OpportunityFilter { stages: Some(vec![stage.id]), ..filter.clone() };
        let found = web.app.list_opportunities(context, filter, Window::first(CARDS), Beside::default()).await?;
        shown = found.page.rows.iter().map(|whole| cards.card(&whole.opportunity, &whole.contact)).collect();
    }
    let left = sum.count - i64::try_from(shown.len()).unwrap_or_default();
    Ok(Column {
        stage: stage.clone(),
        count: sum.count,
        value: amount(&nanos_to_text(sum.value)),
        cards: shown,
        more: (left > 0).then(|| (left, view.in_list(pipeline, stage.id))),
        add_url: here.url(&format!("/opportunities/new?pipeline={}&stage={}", pipeline.id, stage.id)),
    })
}
