//! The page of an import: how far it is, what became of its rows, and what can be done with it.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    custom_field::OwnerKind,
    import::{Import, ImportState, ImportTally, ProblemRow},
    page::Window,
    scope::Scope,
};
use serde::Deserialize;

use super::{
    mapping::{begun, gone},
    pill, url_of,
};
use crate::{
    Web,
    api_keys::creator,
    failure::Failure,
    flash::{Done, lead},
    form,
    page::{Frame, render},
    place::Here,
    show,
};

/// Rows with problems of a page, and characters of a row that are shown.
const PAGE: i64 = 50;
const SHOWN: usize = 300;

/// How far an import is.
#[derive(Template)]
#[template(path = "imports/progress.html")]
struct Progress {
    figures: Vec<(String, &'static str)>,
    pill: (&'static str, &'static str),
    sentence: String,
    is_over: bool,
    is_bad: bool,
}

/// A row with what is wrong.
struct WrongRow {
    line: String,
    is_refused: bool,
    problem: String,
    cells: String,
}

#[derive(Template)]
#[template(path = "imports/show.html")]
struct Show {
    frame: Frame,
    name: String,
    is_trial: bool,
    by: String,
    when: String,
    exactly: String,
    progress: Progress,
    progress_url: String,
    url: String,
    may_stop: bool,
    /// Where its mapping can be changed, if its file waits.
    mapping_url: Option<String>,
    columns: Vec<(String, String)>,
    rows: Vec<WrongRow>,
    is_first_page: bool,
    next_url: Option<String>,
    contacts_url: String,
    imports_url: String,
}

fn of(import: &Import) -> Progress {
    let ImportTally { rows, created, updated, unchanged, incomplete, refused } = import.tally;
    let trial = import.plan.is_trial;
    let changed = updated - unchanged;
    let words = [
        (rows, "Rows read"),
        (created, if trial { "Would be new" } else { "New" }),
        (changed, if trial { "Would change" } else { "Changed" }),
        (unchanged, "As they were"),
        (incomplete, "Incomplete"),
        (refused, if trial { "Would be refused" } else { "Refused" }),
    ];
    Progress {
        figures: words.map(|(count, what)| (show::grouped(count), what)).to_vec(),
        pill: pill(import),
        sentence: sentence(import),
        is_over: import.state.is_over(),
        is_bad: import.state == ImportState::Failed,
    }
}

fn sentence(import: &Import) -> String {
    let stays = if import.plan.is_trial { "Nothing was changed." } else { "What was imported stays." };
    match import.state {
        ImportState::Waiting => "It waits for its turn.".to_owned(),
        ImportState::Running if import.plan.is_trial => "Its rows are being tried. Nothing changes by that.".to_owned(),
        ImportState::Running => "Its rows are being imported. It goes on when this page is closed.".to_owned(),
        ImportState::Completed if import.plan.is_trial => "All rows were tried, and nothing was changed.".to_owned(),
        ImportState::Completed => "All rows were read.".to_owned(),
        ImportState::Stopped => format!("It was stopped. {stays}"),
        ImportState::Failed => {
            let problem = import.problem.as_deref().unwrap_or("cannot be read");
            format!("It could not go on: the file {problem}. {stays}")
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct ShowQuery {
    after: Option<i64>,
}

async fn wanted(web: &Web, here: &Here, context: &LocationContext) -> Result<Import, Error> {
    web.app.get_import(context, here.id(Noun::Import)?).await
}

pub(crate) async fn show(
    State(web): State<Web>,
    Query(asked): Query<ShowQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let import = wanted(&web, &here, &context).await?;
    let url = url_of(&here, import.id);
    let found = web.app.list_problem_rows(&context, import.id, Window::after(asked.after, PAGE)).await?;
    let next_url = found.next(|last| format!("{url}?after={}#problems", last.line));
    let names = web.app.actor_names(here.authority(), [import.created_by.actor()]).await?;
    let may_write = here.authority().grant().allows(Scope::ContactsWrite);
    let is_kept = may_write && import.state.is_over() && import.plan.is_trial && waits(&web, &context, &import).await?;
    let mapping_url = here.url(&format!("/contacts/imports/files/{}?like={}", import.file, import.id));
    let page = Show {
        frame: Frame::of(&here, "Import", "contacts"),
        name: import.file_name.clone(),
        is_trial: import.plan.is_trial,
        by: creator(import.created_by.actor(), &names),
        when: show::ago(import.created_at, web.app.now()),
        exactly: here.zone().exactly(import.created_at),
        progress: of(&import),
        progress_url: format!("{url}/progress"),
        may_stop: may_write && !import.state.is_over(),
        mapping_url: is_kept.then_some(mapping_url),
        columns: columns(&web, &context, &import).await?,
        rows: found.rows.iter().map(wrong).collect(),
        is_first_page: asked.after.is_none(),
        next_url,
        contacts_url: here.url("/contacts"),
        imports_url: here.url("/contacts/imports"),
        url,
    };
    Ok(render(&page))
}

/// Whether the file of a trial can still be imported.
async fn waits(web: &Web, context: &LocationContext, import: &Import) -> Result<bool, Error> {
    match web.app.get_import_file(context, import.file).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound(Noun::File, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Names of columns, and what people call the fields that they become.
async fn columns(web: &Web, context: &LocationContext, import: &Import) -> Result<Vec<(String, String)>, Error> {
    let fields = web.rows.fields(&web.app.fields_of(context, OwnerKind::Contact).await?);
    let title = |name: &String| match fields.iter().find(|field| field.name == *name) {
        Some(field) => field.title.clone(),
        None => "A field that is not there any more".to_owned(),
    };
    let column = |column: &keystead_model::import::ImportColumn| {
        let becomes = column.field.as_ref().map_or_else(|| "Left out".to_owned(), title);
        (column.name.clone(), becomes)
    };
    Ok(import.plan.columns.iter().map(column).collect())
}

fn wrong(row: &ProblemRow) -> WrongRow {
    let filled: Vec<&str> = row.cells.iter().map(String::as_str).filter(|cell| !cell.trim().is_empty()).collect();
    let cells = filled.join(" · ");
    let cells = match cells.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &cells[..end]),
        None => cells,
    };
    WrongRow { line: show::grouped(row.line), is_refused: row.is_refused, problem: form::sentence(&row.problem), cells }
}

/// How far an import is, for the page that shows it.
pub(crate) async fn progress(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    Ok(render(&of(&wanted(&web, &here, &context).await?)))
}

pub(crate) async fn stop(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let import = web.app.stop_import(&context, here.id(Noun::Import)?).await?;
    let url = url_of(&here, import.id);
    Ok(lead(&web, &url, Done::ImportStopped, &import.file_name))
}

/// Imports what was tried: the same file with the same mapping.
pub(crate) async fn run(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let tried = wanted(&web, &here, &context).await?;
    let plan = keystead_model::import::ImportPlan { is_trial: false, ..tried.plan };
    match web.app.import_file(&context, tried.file, plan).await {
        Ok(import) => Ok(begun(&web, &here, &import)),
        Err(Error::NotFound(Noun::File, _)) => Ok(gone(&web, &here)),
        Err(error) => Err(error.into()),
    }
}
