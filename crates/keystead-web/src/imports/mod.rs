//! Imports of contacts: files that are sent, what their columns become, and what became of their rows.

mod mapping;
mod problems;
mod progress;

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use keystead_core::{ActorNames, Error, IMPORT_BYTES, NewFile};
use keystead_http::{BodyError, Crowded, FormError};
use keystead_model::{
    import::{Import, ImportId, ImportState, ImportTally},
    page::Window,
    scope::Scope,
};
use serde::Deserialize;

pub(crate) use self::{
    mapping::{mapping, start},
    problems::problems_csv,
    progress::{progress, run, show, stop},
};
use crate::{
    Web,
    api_keys::creator,
    failure::Failure,
    form::{Field, Form},
    guard::FileForm,
    page::{Frame, render},
    place::Here,
    show,
};

/// Imports of a page.
const PAGE: i64 = 50;

/// An import as a row of a list.
struct Row {
    name: String,
    url: String,
    pill: (&'static str, &'static str),
    is_trial: bool,
    became: String,
    by: String,
    when: String,
    exactly: String,
}

/// Where an import stands: class and words.
fn pill(import: &Import) -> (&'static str, &'static str) {
    match import.state {
        ImportState::Waiting => ("off", "Waiting"),
        ImportState::Running => ("mid", "Running"),
        ImportState::Completed if import.tally.refused > 0 => ("warn", "Done, rows refused"),
        ImportState::Completed if import.tally.incomplete > 0 => ("warn", "Done, rows incomplete"),
        ImportState::Completed => ("good", "Done"),
        ImportState::Stopped => ("off", "Stopped"),
        ImportState::Failed => ("bad", "Failed"),
    }
}

/// What became of its rows, in one line.
fn became(import: &Import) -> String {
    let ImportTally { rows: _, created, updated, unchanged, incomplete, refused } = import.tally;
    let counts = [
        (created, "new"),
        (updated - unchanged, "changed"),
        (unchanged, "as they were"),
        (incomplete, "incomplete"),
        (refused, "refused"),
    ];
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{} {what}", show::grouped(*count))).collect();
    if told.is_empty() { "Nothing yet".to_owned() } else { told.join(", ") }
}

#[derive(Template)]
#[template(path = "imports/list.html")]
struct List {
    frame: Frame,
    rows: Vec<Row>,
    may_import: bool,
    contacts_url: String,
    new_url: String,
    next_url: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    after: Option<String>,
}

pub(crate) async fn list(
    State(web): State<Web>,
    Query(asked): Query<ListQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let after = asked.after.as_deref().and_then(ImportId::parse);
    let found = web.app.list_imports(&context, Window::after(after, PAGE)).await?.page;
    let actors = found.rows.iter().map(|import| import.created_by.actor());
    let names = web.app.actor_names(here.authority(), actors).await?;
    let next = found.next(|import| here.url(&format!("/contacts/imports?after={}", import.id)));
    let page = List {
        frame: Frame::of(&here, "Imports", "contacts"),
        rows: found.rows.iter().map(|import| row(&web, &here, import, &names)).collect(),
        may_import: here.authority().grant().allows(Scope::ContactsWrite),
        contacts_url: here.url("/contacts"),
        new_url: here.url("/contacts/imports/new"),
        next_url: next,
    };
    Ok(render(&page))
}

fn row(web: &Web, here: &Here, import: &Import, names: &ActorNames) -> Row {
    Row {
        name: import.file_name.clone(),
        url: url_of(here, import.id),
        pill: pill(import),
        is_trial: import.plan.is_trial,
        became: became(import),
        by: creator(import.created_by.actor(), names),
        when: show::ago(import.created_at, web.app.now()),
        exactly: here.zone().exactly(import.created_at),
    }
}

fn url_of(here: &Here, id: ImportId) -> String {
    here.url(&format!("/contacts/imports/{id}"))
}

#[derive(Template)]
#[template(path = "imports/new.html")]
struct New {
    frame: Frame,
    form: Form,
    contacts_url: String,
    imports_url: String,
}

fn new_page(here: &Here, form: Form) -> New {
    New {
        frame: Frame::of(here, "Import contacts", "contacts"),
        form,
        contacts_url: here.url("/contacts"),
        imports_url: here.url("/contacts/imports"),
    }
}

fn file_form() -> Form {
    let most = IMPORT_BYTES / (1024 * 1024);
    let hint = format!(
        "With the names of its columns in the first row, and at most {most} MB. Spreadsheet programs save as CSV by “Save as” or “Download”."
    );
    let field = Field::typed("file", "file", "CSV file")
        .called("The file")
        .needed("Choose a CSV file that has the names of its columns in the first row")
        .hint(hint)
        .with("accept=\".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain\"");
    Form::new(vec![field], Vec::new())
}

pub(crate) async fn new(here: Here) -> Result<Response, Failure> {
    here.authority().require(Scope::ContactsWrite)?;
    Ok(render(&new_page(&here, file_form())))
}

/// Keeps a file, and leads to where it is said what its columns become.
pub(crate) async fn upload(
    State(web): State<Web>,
    here: Here,
    Extension(sent): Extension<FileForm>,
) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let mut page = new_page(&here, file_form());
    let new = sent_file(sent.take(), &mut page.form)?;
    match page.form.run_with(new, async |new| web.app.upload_import_file(&context, new).await).await? {
        Some(file) => Ok(Redirect::to(&here.url(&format!("/contacts/imports/files/{}", file.id))).into_response()),
        None => Ok(page.form.again(&page)),
    }
}

/// The file of a form, or what is wrong with it.
fn sent_file(sent: Result<keystead_http::Form, FormError>, form: &mut Form) -> Result<Option<NewFile>, Error> {
    match sent {
        Ok(sent) => {
            let Some((part, file)) = sent.files.into_iter().find(|(part, file)| part == "file" && file.length > 0)
            else {
                form.miss("file");
                return Ok(None);
            };
            let (name, kind, size) = (file.name.clone(), file.kind.clone(), file.length);
            return Ok(Some(NewFile { part, name, kind, size, bytes: Box::new(file) }));
        }
        Err(FormError::Body(BodyError::NoRoom)) => return Err(Error::Overloaded(Crowded::COME_BACK)),
        Err(FormError::Body(BodyError::TooLarge)) => {
            let most = IMPORT_BYTES / (1024 * 1024);
            form.say("file", format!("A file has at most {most} MB; import this one in parts"));
        }
        Err(FormError::Body(BodyError::TooSlow | BodyError::Broken)) => {
            form.say("file", "The file did not arrive whole; nothing was kept of it, send it again");
        }
        Err(problem @ (FormError::Malformed(_) | FormError::TooMany(_))) => {
            form.say("file", format!("The form could not be read: {problem}"));
        }
        Err(FormError::Disk(error)) => {
            return Err(Error::Internal(format!("an uploaded file cannot be kept: {error}")));
        }
    }
    Ok(None)
}
