//! What rows of a file say of contacts, in the words of API 2.0.

use std::io::Read;

use encoding_rs::Encoding;
use keystead_core::{
    ColumnField, ContactRow, ContactRows, Error, FileHead, RowContact, RowReader, RowsOf, Violation, WhenDuplicate,
};
use keystead_http::spreadsheet::{Row, Rows, Unreadable};
use keystead_model::{
    contact_upsert::LeftOut, custom_field::CustomField, data_type::DataType, import::Import, invalid, text::echo,
};
use serde_json::{Map, Value, json};

use super::{
    columns::{self, CUSTOM, Holds},
    head,
};
use crate::{
    reader::Reader,
    shape::Ground,
    v2::{
        contacts::{input::Upsert, shapes::left_out},
        failure::Problem,
    },
};

/// Reads the files of imports.
pub struct Spreadsheets;

impl RowReader for Spreadsheets {
    fn open(&self, import: &Import, of: RowsOf, file: Box<dyn Read + Send>) -> Result<ContactRows, String> {
        let rows = Rows::open(file, encoding(import.plan.encoding.as_deref())?)?.after(import.line.unsigned_abs());
        let reading = Reading::new(import, of);
        Ok(Box::new(rows.map(move |Row { line, cells }| {
            let line = i64::try_from(line).unwrap_or(i64::MAX);
            match cells {
                Ok(cells) => reading.contact(line, cells),
                Err(Unreadable { problem, seen }) => ContactRow { line, cells: seen, contact: Err(problem) },
            }
        })))
    }

    fn again(&self, import: &Import, of: RowsOf, rows: Vec<(i64, Vec<String>)>) -> Vec<ContactRow> {
        let reading = Reading::new(import, of);
        rows.into_iter().map(|(line, cells)| reading.contact(line, cells)).collect()
    }

    fn head(&self, file: Box<dyn Read + Send>, encoding: Option<&str>, custom: &[CustomField]) -> FileHead {
        head::read(file, encoding, custom)
    }

    fn fields(&self, custom: &[CustomField]) -> Vec<ColumnField> {
        columns::titled(custom)
    }

    fn explain(&self, error: Error) -> String {
        match error {
            Error::Invalid(wrong) => in_words(wrong, &[]),
            other => Problem::of(other).sentence(),
        }
    }

    fn left_out(&self, fields: Vec<LeftOut>) -> Vec<String> {
        left_out(fields).map(told).collect()
    }
}

/// A field that was left out, and why.
fn told(left_out: String) -> String {
    format!("left out: {left_out}")
}

/// The encoding of a label.
pub(super) fn encoding(label: Option<&str>) -> Result<Option<&'static Encoding>, String> {
    let Some(label) = label else { return Ok(None) };
    let known = Encoding::for_label(label.as_bytes());
    known.map(Some).ok_or_else(|| "is not known; try windows-1252 or utf-16le".to_owned())
}

/// What a column is.
enum Column {
    Own(String, Holds),
    Custom(Box<CustomField>),
    /// Its field is not there any more.
    Gone(String),
}

impl Column {
    /// What people call a custom field.
    fn custom_title(&self) -> Option<&str> {
        match self {
            Self::Custom(field) => Some(field.content.name.as_str()),
            Self::Own(..) | Self::Gone(_) => None,
        }
    }
}

/// What is wrong with the cells of a row, for whoever mends the file: programs are told by the names of fields, people by what they
/// call them. Those of `custom` fields are numbered in a body.
fn in_words(wrong: Vec<Violation>, custom: &[&str]) -> String {
    let said = wrong.into_iter().map(|Violation { field, problem }| {
        let number = field.strip_prefix(CUSTOM).and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        let own = field.split('.').next().and_then(columns::title);
        let called = number.and_then(|number| custom.get(number).copied()).or(own).unwrap_or(&field);
        format!("{called} {}", invalid::in_words(&problem))
    });
    said.collect::<Vec<_>>().join("; ")
}

struct Reading {
    columns: Vec<Option<Column>>,
    ground: Ground,
    takes_unidentified: bool,
}

impl Reading {
    fn new(import: &Import, of: RowsOf) -> Self {
        let fields = columns::fields();
        let custom = |id: &str| of.fields.iter().find(|field| field.id.as_str() == id).cloned();
        let column = |field: &str| match field.strip_prefix(CUSTOM) {
            Some(id) => custom(id).map(Box::new).map(Column::Custom),
            None => fields.get(field).map(|holds| Column::Own(field.to_owned(), *holds)),
        };
        let columns = import.plan.columns.iter().map(|named| {
            let field = named.field.as_deref()?;
            // What is gone since the file was sent is left out.
            Some(column(field).unwrap_or_else(|| Column::Gone(echo(&named.name))))
        });
        let columns = columns.collect();
        let ground = Ground::of_location(of.agency, &of.profile).with_fields(of.fields);
        Self { columns, ground, takes_unidentified: import.plan.takes_unidentified }
    }

    /// A row as a contact.
    fn contact(&self, line: i64, cells: Vec<String>) -> ContactRow {
        let is_empty = cells.iter().all(|cell| cell.trim().is_empty());
        let contact = if is_empty { Ok(None) } else { self.read(&cells).map(Some) };
        ContactRow { line, cells, contact }
    }

    fn read(&self, cells: &[String]) -> Result<RowContact, String> {
        let (fields, gone) = self.fields(cells);
        if !self.takes_unidentified && !["email", "phone"].iter().any(|name| fields.contains_key(*name)) {
            let problem = "has neither e-mail address nor phone number, by which it would be known again when the file is \
                           imported again; such rows are imported where that is asked for";
            return Err(problem.to_owned());
        }
        let titles: Vec<&str> = self.filled(cells).filter_map(|(_, column)| column.custom_title()).collect();
        let said = |wrong: Vec<Violation>| in_words(wrong, &titles);
        let Upsert { patch, makes_another, skipped } = Reader::one_of_many(fields, &self.ground).map_err(said)?;
        let left_out = gone.into_iter().chain(skipped).map(told).collect();
        Ok(RowContact { patch, when: WhenDuplicate::unless(makes_another), left_out })
    }

    /// The cells that say something, with what their columns are.
    fn filled<'c>(&'c self, cells: &'c [String]) -> impl Iterator<Item = (&'c str, &'c Column)> {
        let cells = cells.iter().map(|cell| cell.trim()).zip(&self.columns);
        cells.filter_map(|(cell, column)| column.as_ref().filter(|_| !cell.is_empty()).map(|column| (cell, column)))
    }

    /// The fields of a body that says the same, and what it cannot say.
    fn fields(&self, cells: &[String]) -> (Map<String, Value>, Vec<String>) {
        let (mut fields, mut custom, mut gone) = (Map::new(), Vec::new(), Vec::new());
        for (cell, column) in self.filled(cells) {
            match column {
                Column::Own(name, holds) => {
                    fields.insert(name.clone(), own(cell, *holds));
                }
                Column::Custom(field) => {
                    custom.push(json!({"id": field.id.as_str(), "value": value(cell, field)}));
                }
                Column::Gone(name) => gone.push(format!("{name} (its custom field was deleted)")),
            }
        }
        if !custom.is_empty() {
            fields.insert("customFields".to_owned(), custom.into());
        }
        (fields, gone)
    }
}

fn own(cell: &str, holds: Holds) -> Value {
    match (holds, cell.to_lowercase().as_str()) {
        (Holds::Text, _) => cell.into(),
        (Holds::Truth, "true" | "yes" | "1") => true.into(),
        (Holds::Truth, "false" | "no" | "0") => false.into(),
        (Holds::Truth, other) => other.into(),
        (Holds::List, _) => several(cell, &[',', ';']),
        // What is no JSON is refused as what it is.
        (Holds::Object, _) => serde_json::from_str(cell).unwrap_or_else(|_| cell.into()),
    }
}

fn value(cell: &str, field: &CustomField) -> Value {
    match (field.data_type, serde_json::from_str(cell)) {
        (DataType::TextboxList, Ok(boxes @ Value::Object(_))) => boxes,
        (DataType::Checkbox | DataType::MultipleOptions, _) => match several(cell, &[';']) {
            // Options may have a comma, and are separated by it where none of them is the whole.
            Value::Array(parts) => parts.into_iter().flat_map(|part| options(part, field)).collect(),
            other => other,
        },
        (DataType::TextboxList, _) => several(cell, &[';']),
        _ => cell.into(),
    }
}

/// The options that stand in a part of a cell.
fn options(part: Value, field: &CustomField) -> Vec<Value> {
    let is_known = |text: &str| field.content.options.iter().any(|option| option.as_str() == text);
    match part.as_str() {
        Some(text) if text.contains(',') && !is_known(text) => {
            text.split(',').map(str::trim).map(Value::from).collect()
        }
        _ => vec![part],
    }
}

/// Several texts in a cell, as JSON or separated.
fn several(cell: &str, separators: &[char]) -> Value {
    if let Ok(list @ Value::Array(_)) = serde_json::from_str(cell) {
        return list;
    }
    cell.split(separators).map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
}
