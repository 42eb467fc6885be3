//! Imports of API 2.0: files of rows that become contacts.

mod columns;
mod head;
mod rows;

use std::{collections::BTreeMap, io::Read};

use keystead_core::{Error, IMPORT_BYTES, LocationContext, NewFile, NewImport, Violation};
use keystead_http::{Upload, spreadsheet::Rows};
use keystead_model::{
    Invalid,
    custom_field::{CustomField, OwnerKind},
    import::{Import, ImportColumn, ImportId, ImportPlan, ImportState, ImportTally, ProblemRow},
    page::{Counted, Page, Window},
    text::echo,
};
use serde_json::{Value, json};

pub use self::rows::Spreadsheets;
use super::{page::NextCursor, samples};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Envelope, Fields, Ground, Input, One, Word, Written, word},
};

/// What is asked of an import besides its file.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// What columns are, by their names: a field, or nothing to leave one out. The others are known by their names.
    pub mapping: BTreeMap<String, String>,
    /// The label of the file's encoding, if it is not UTF-8 or UTF-16.
    pub encoding: Option<String>,
    /// It is said what would become of the rows, and nothing changes.
    pub is_trial: bool,
    /// Rows that have neither e-mail address nor phone number are taken, too.
    pub takes_unidentified: bool,
}

impl ImportOptions {
    /// Reads the head of a file, and says what its columns become; else everything that is wrong with it.
    pub fn plan(self, file: impl Read, custom: &[CustomField]) -> Result<ImportPlan, Vec<Violation>> {
        let Self { mapping, encoding, is_trial, takes_unidentified } = self;
        let wrong = |field: &str| {
            let field = field.to_owned();
            move |problem| vec![Violation { field, problem }]
        };
        let label = rows::encoding(encoding.as_deref()).map_err(wrong("encoding"))?;
        let rows = Rows::open(file, label).map_err(wrong("file"))?;
        let columns = columns::columns(rows.head(), &mapping, custom)?;
        Ok(ImportPlan { columns, encoding, is_trial, takes_unidentified })
    }
}

/// What columns are, as JSON.
struct Mapping(BTreeMap<String, String>);

impl Word for Mapping {
    const EXAMPLE: &'static str = r#"{"Member since": ""}"#;

    fn schema() -> Value {
        json!({
            "type": "string", "contentMediaType": "application/json",
            "description": "A JSON object: names of columns, and the field that each is, or an empty text to leave one out. \
                            Columns that are named like a field need none",
        })
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let refused = |_| Invalid::new(r#"must be a JSON object of texts, such as {"Mail": "email", "Notes": ""}"#);
        let mapping: BTreeMap<String, String> = serde_json::from_str(text).map_err(refused)?;
        Ok(Self(mapping.into_iter().map(|(column, field)| (column.trim().to_owned(), field)).collect()))
    }
}

/// The rows of the example.
const EXAMPLE: &str = "First Name,Email,Member since\r\nAda,ada@example.com,2021\r\n";

/// A file, and what is asked of its import.
pub(crate) struct SentImport {
    file: Upload,
    options: ImportOptions,
}

impl Input for SentImport {
    const FILE_BYTES: Option<u64> = Some(IMPORT_BYTES);

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let file = reader.required("file", |reader| reader.file("file", EXAMPLE));
        let mapping = reader.word("mapping").map_or_else(BTreeMap::new, |Mapping(mapping)| mapping);
        let encoding = reader.word("encoding").map(|Label(label)| label);
        let is_trial = reader.truth("dryRun").unwrap_or(false);
        let takes_unidentified = reader.truth("unidentified").unwrap_or(false);
        Some(Self { file: file?, options: ImportOptions { mapping, encoding, is_trial, takes_unidentified } })
    }
}

/// The label of an encoding.
struct Label(String);

impl Word for Label {
    const EXAMPLE: &'static str = "windows-1252";

    fn schema() -> Value {
        word::text(40, "Of the file, if it is not UTF-8 or UTF-16: windows-1252")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let label = text.trim();
        rows::encoding(Some(label)).map_err(Invalid::new)?;
        Ok(Self(label.to_owned()))
    }
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, SentImport>) -> Result<One<Import>, Error> {
    let SentImport { mut file, options } = call.body;
    let custom = call.app.fields_of(&context, OwnerKind::Contact).await?;
    let plan = options.plan(&mut file, &custom).map_err(Error::Invalid)?;
    file.rewind().map_err(|error| Error::Internal(format!("a file that was sent cannot be read again: {error}")))?;
    let (name, kind, size) = (file.name.clone(), file.kind.clone(), file.length);
    let file = NewFile { part: "file".to_owned(), name, kind, size, bytes: Box::new(file) };
    call.app.start_import(&context, NewImport { file, plan }).await.map(One)
}

pub(crate) async fn get(context: LocationContext, call: Call<ImportId>) -> Result<One<Import>, Error> {
    call.app.get_import(&context, call.path).await.map(One)
}

pub(crate) async fn stop(context: LocationContext, call: Call<ImportId>) -> Result<One<Import>, Error> {
    call.app.stop_import(&context, call.path).await.map(One)
}

/// Which part of a list of imports is asked for.
pub(crate) struct Listing(Window<ImportId>);

impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.window(|Cursor(id)| id)))
    }
}

/// The id of the last import of the page before.
struct Cursor(ImportId);

impl Word for Cursor {
    const EXAMPLE: &'static str = word::THING;

    fn schema() -> Value {
        word::id("The nextCursor of the page before")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        ImportId::parse(text).map(Self).ok_or_else(|| Invalid::new("must be the nextCursor of a list of imports"))
    }
}

pub(crate) async fn list(context: LocationContext, call: Call<(), Listing>) -> Result<Listed, Error> {
    call.app.list_imports(&context, call.query.0).await.map(Listed)
}

/// A page of imports.
pub(crate) struct Listed(Counted<Import>);

impl Written for Listed {
    fn sample() -> Self {
        Self(Counted { page: Page { rows: vec![samples::import()], has_more: false }, total: 1 })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Counted { page, total } = &self.0;
        fields.put("imports", &page.rows);
        let total = Some(*total);
        fields.put("meta", &NextCursor { total, ..NextCursor::of(page, |import| import.id.to_string()) });
    }
}

/// Which rows with a problem are asked for.
pub(crate) struct ProblemRows(Window<i64>);

impl Input for ProblemRows {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.window(|Line(line)| line)))
    }
}

/// The line of the last row of the page before.
struct Line(i64);

impl Word for Line {
    const EXAMPLE: &'static str = "2";

    fn schema() -> Value {
        word::text(19, "The nextCursor of the page before")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let line = text.parse().ok().filter(|line| *line >= 0);
        line.map(Self).ok_or_else(|| Invalid::new("must be the nextCursor of a list of rows with problems"))
    }
}

pub(crate) async fn problems(
    context: LocationContext,
    call: Call<ImportId, ProblemRows>,
) -> Result<ProblemList, Error> {
    call.app.list_problem_rows(&context, call.path, call.query.0).await.map(ProblemList)
}

/// A page of rows with problems.
pub(crate) struct ProblemList(Page<ProblemRow>);

impl Written for ProblemList {
    fn sample() -> Self {
        Self(Page { rows: vec![ProblemRow::sample()], has_more: false })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("rows", &self.0.rows);
        fields.put("meta", &NextCursor::of(&self.0, |row| row.line.to_string()));
    }
}

impl Written for ProblemRow {
    const NAME: &'static str = "ProblemRow";

    fn sample() -> Self {
        let cells = vec!["Ada".to_owned(), "no address".to_owned()];
        Self { line: 2, is_refused: true, problem: "E-mail address must be an e-mail address".to_owned(), cells }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { line, is_refused, problem, cells } = self;
        fields.put("line", line);
        fields.put("refused", is_refused);
        fields.put("problem", problem);
        fields.put("cells", cells);
    }
}

impl Envelope for Import {
    const ONE: &'static str = "import";
    const MANY: &'static str = "imports";
}

impl Written for Import {
    const NAME: &'static str = "Import";

    fn sample() -> Self {
        samples::import()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, file_name, file: _, plan, state, tally, line: _, problem, .. } = self;
        let ImportTally { rows, created, updated, unchanged, incomplete, refused } = tally;
        fields.put("id", id);
        fields.put("locationId", location);
        fields.put("fileName", &echo(file_name));
        fields.one_of("state", state.as_str(), &ImportState::ALL.map(ImportState::as_str));
        fields.put("dryRun", &plan.is_trial);
        fields.put("columns", &plan.columns);
        fields.put("rows", rows);
        fields.put("created", created);
        fields.put("updated", updated);
        fields.put("unchanged", unchanged);
        fields.put("incomplete", incomplete);
        fields.put("refused", refused);
        fields.opt("problem", problem.as_ref());
        fields.put("createdAt", &self.created_at);
        fields.opt("startedAt", self.started_at.as_ref());
        fields.opt("endedAt", self.ended_at.as_ref());
    }
}

impl Written for ImportColumn {
    const NAME: &'static str = "ImportColumn";

    fn sample() -> Self {
        Self { name: "E-Mail".to_owned(), field: Some("email".to_owned()) }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("name", &self.name);
        fields.or_null("field", self.field.as_ref());
    }
}
