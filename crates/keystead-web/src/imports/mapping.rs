//! What the columns of a file become, as people choose it.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{ColumnField, Error, FileHead, HeadColumn, LocationContext, error::Noun};
use keystead_model::{
    custom_field::OwnerKind,
    file::{FileId, StoredFile},
    import::{Import, ImportColumn, ImportId, ImportPlan},
    scope::Scope,
};
use serde::Deserialize;

use super::url_of;
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Field, Fields, Form, Kind},
    page::{Frame, render},
    place::Here,
};

/// Columns among whose fields people choose; a longer file is for programs.
const COLUMNS: usize = 200;

/// Encodings to choose from, and what people know them by.
const ENCODINGS: &[(&str, &str)] = &[
    ("utf-8", "UTF-8 or UTF-16"),
    ("windows-1252", "Western European (Windows)"),
    ("macintosh", "Western European (Mac)"),
    ("windows-1250", "Central European (Windows)"),
    ("iso-8859-2", "Central European (ISO)"),
    ("windows-1251", "Cyrillic (Windows)"),
    ("koi8-u", "Cyrillic (KOI8)"),
    ("windows-1253", "Greek"),
    ("windows-1254", "Turkish"),
    ("windows-1255", "Hebrew"),
    ("windows-1256", "Arabic"),
    ("windows-1257", "Baltic"),
    ("windows-1258", "Vietnamese"),
    ("windows-874", "Thai"),
    ("shift_jis", "Japanese (Shift JIS)"),
    ("euc-jp", "Japanese (EUC)"),
    ("gbk", "Chinese, simplified (GBK)"),
    ("big5", "Chinese, traditional (Big5)"),
    ("euc-kr", "Korean"),
    ("utf-16le", "UTF-16, little endian"),
    ("utf-16be", "UTF-16, big endian"),
];

/// A column, for which a field is chosen.
struct Column {
    /// The name of its form field.
    field: String,
    name: String,
    values: String,
}

struct Encoding {
    label: String,
    title: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "imports/mapping.html")]
struct Page {
    frame: Frame,
    file_name: String,
    form: Form,
    encodings: Vec<Encoding>,
    encoding: String,
    /// What is wrong with the whole file.
    unreadable: Option<String>,
    columns: Vec<Column>,
    own: Vec<ColumnField>,
    custom: Vec<ColumnField>,
    takes_unidentified: bool,
    contacts_url: String,
    imports_url: String,
}

/// A file that waits, and what can be said of it.
struct Waiting {
    file: StoredFile,
    encoding: String,
    columns: Result<Vec<HeadColumn>, String>,
    fields: Vec<ColumnField>,
}

impl Waiting {
    /// The file of the address; `None` if it is not kept any more.
    async fn find(
        web: &Web,
        here: &Here,
        context: &LocationContext,
        encoding: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let id: FileId = here.id(Noun::File)?;
        let file = match web.app.get_import_file(context, id).await {
            Err(Error::NotFound(Noun::File, _)) => return Ok(None),
            found => found?,
        };
        let label = encoding.map(str::to_owned);
        let head = web.app.read_import_head(context, id, label, web.rows.clone()).await?;
        let FileHead { encoding: read_in, columns } = head;
        let too_many = |count| {
            format!(
                "has {count} columns, and at most {COLUMNS} can be chosen here; leave out those that you do not need, and send it again"
            )
        };
        let columns = columns.and_then(|columns| match columns.len() {
            count if count > COLUMNS => Err(too_many(count)),
            _ => Ok(columns),
        });
        let fields = web.rows.fields(&web.app.fields_of(context, OwnerKind::Contact).await?);
        // Where a label means nothing it is chosen anew.
        let encoding = read_in.unwrap_or_else(|| "utf-8".to_owned());
        Ok(Some(Self { file, encoding, columns, fields }))
    }

    /// The form that chooses them.
    fn form(&self, sent: impl Into<Fields>) -> Form {
        let columns = 0..self.columns.as_deref().unwrap_or_default().len();
        Form::new(columns.map(|index| Field::new(Kind::Select, field_of(index), "")).collect(), sent)
    }

    /// Its page.
    fn page(self, here: &Here, form: Form, takes_unidentified: bool) -> Page {
        let Self { file, encoding, columns, fields } = self;
        let (columns, unreadable) = match columns {
            Ok(columns) => (columns, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        let column = |(index, HeadColumn { name, values, .. }): (usize, HeadColumn)| Column {
            field: field_of(index),
            name,
            values: values.join(" · "),
        };
        let (custom, own) = fields.into_iter().partition(|field| field.is_custom);
        Page {
            frame: Frame::of(here, "Import contacts", "contacts"),
            file_name: file.name,
            form,
            encodings: encodings(&encoding),
            encoding,
            unreadable,
            columns: columns.into_iter().enumerate().map(column).collect(),
            own,
            custom,
            takes_unidentified,
            contacts_url: here.url("/contacts"),
            imports_url: here.url("/contacts/imports"),
        }
    }

    /// What its columns become by their names.
    fn guessed(&self) -> Vec<String> {
        let columns = self.columns.as_deref().unwrap_or_default();
        columns.iter().map(|column| column.field.clone().unwrap_or_default()).collect()
    }

    /// What was chosen as the columns of a plan; else what is wrong with it.
    fn columns_of(&self, chosen: &[String], takes_unidentified: bool, form: &mut Form) -> Vec<ImportColumn> {
        let columns = self.columns.as_deref().unwrap_or_default();
        let mut taken = BTreeSet::new();
        for (index, field) in chosen.iter().enumerate().filter(|(_, field)| !field.is_empty()) {
            let Some(known) = self.fields.iter().find(|known| known.name == *field) else {
                form.say(&field_of(index), "that field is not there any more; choose another");
                continue;
            };
            if !taken.insert(field.as_str()) {
                let title = &known.title;
                form.say(&field_of(index), format!("another column becomes “{title}” already; leave one of them out"));
            }
        }
        if taken.is_empty() && form.is_right() {
            form.generally("Choose what at least one column becomes.");
        } else if !takes_unidentified && !["email", "phone"].iter().any(|field| taken.contains(field)) {
            form.generally(
                "No column becomes an e-mail address or a phone number, by which contacts are told apart: no row would be \
                 imported. Choose one, or also import rows without them.",
            );
        }
        let column = |(column, field): (&HeadColumn, &String)| ImportColumn {
            name: column.name.clone(),
            field: Some(field.clone()).filter(|field| !field.is_empty()),
        };
        columns.iter().zip(chosen).map(column).collect()
    }
}

fn field_of(index: usize) -> String {
    format!("column-{index}")
}

fn encodings(chosen: &str) -> Vec<Encoding> {
    let other = (!ENCODINGS.iter().any(|(label, _)| *label == chosen)).then_some((chosen, chosen));
    let shown = |(label, title): (&str, &str)| Encoding {
        label: label.to_owned(),
        title: title.to_owned(),
        is_chosen: label == chosen,
    };
    ENCODINGS.iter().copied().chain(other).map(shown).collect()
}

#[derive(Deserialize)]
pub(crate) struct MappingQuery {
    encoding: Option<String>,
    /// An import whose mapping is to be changed.
    like: Option<String>,
}

pub(crate) async fn mapping(
    State(web): State<Web>,
    Query(asked): Query<MappingQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let like = match asked.like.as_deref().and_then(ImportId::parse) {
        Some(id) => Some(web.app.get_import(&context, id).await?),
        None => None,
    };
    let encoding = asked.encoding.as_deref().or_else(|| like.as_ref().map(encoding_of));
    let Some(waiting) = Waiting::find(&web, &here, &context, encoding).await? else { return Ok(gone(&web, &here)) };
    let guessed = waiting.guessed();
    let chosen = match &like {
        Some(like) if like.plan.columns.len() == guessed.len() => fields_of(&like.plan),
        _ => guessed,
    };
    let takes_unidentified = like.is_some_and(|like| like.plan.takes_unidentified);
    let chosen = chosen.into_iter().enumerate().map(|(index, field)| (field_of(index), field));
    let form = waiting.form(chosen.collect::<Vec<_>>());
    Ok(render(&waiting.page(&here, form, takes_unidentified)))
}

fn encoding_of(import: &Import) -> &str {
    import.plan.encoding.as_deref().unwrap_or("utf-8")
}

fn fields_of(plan: &ImportPlan) -> Vec<String> {
    plan.columns.iter().map(|column| column.field.clone().unwrap_or_default()).collect()
}

pub(super) fn gone(web: &Web, here: &Here) -> Response {
    lead(web, &here.url("/contacts/imports/new"), Done::ImportFileGone, "")
}

/// Tries the file, or imports it.
pub(crate) async fn start(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let found = Waiting::find(&web, &here, &context, sent.text("encoding")).await?;
    let Some(waiting) = found else { return Ok(gone(&web, &here)) };
    let mut form = waiting.form(sent);
    let count = waiting.guessed().len();
    let chosen: Vec<String> = (0..count).map(|index| form.sent.shown(&field_of(index))).collect();
    let takes_unidentified = form.is_checked("unidentified");
    let columns = waiting.columns_of(&chosen, takes_unidentified, &mut form);
    let encoding = Some(waiting.encoding.clone()).filter(|label| label != "utf-8");
    let is_trial = form.text("do") != Some("import");
    let plan = ImportPlan { columns, encoding, is_trial, takes_unidentified };
    match form.run(web.app.import_file(&context, waiting.file.id, plan)).await {
        Ok(Some(import)) => Ok(begun(&web, &here, &import)),
        Ok(None) => {
            let page = waiting.page(&here, form, takes_unidentified);
            Ok(page.form.again(&page))
        }
        Err(Error::NotFound(Noun::File, _)) => Ok(gone(&web, &here)),
        Err(error) => Err(error.into()),
    }
}

/// Leads to an import that has begun.
pub(super) fn begun(web: &Web, here: &Here, import: &Import) -> Response {
    let done = if import.plan.is_trial { Done::ImportTried } else { Done::ImportStarted };
    lead(web, &url_of(here, import.id), done, &import.file_name)
}
