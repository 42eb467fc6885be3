//! `keystead contacts import FILE`: rows of a file become contacts, or change those that have their addresses.
//!
//! Each row is an upsert of its own, many in one transaction: what is wrong with one leaves the others as they are, and a file that
//! is run again, whole or after a kill, changes what it made before instead of making it twice.

use std::{
    collections::HashMap,
    fs::File,
    io::Read,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::{ArgMatches, Args, Command, FromArgMatches};
use encoding_rs::Encoding;
use indicatif::{ProgressBar, ProgressStyle};
use keystead_api::Words;
use keystead_core::{App, Authority};
use keystead_model::LocationId;
use serde_json::{Map, Value, json};

use super::{
    super::output::{self, note, say},
    custom_fields, route,
    spreadsheet::{Cells, Row, Rows},
};
use crate::failure::Failure;

/// Rows of the first transaction, and the most of any: `POST /contacts/bulk/upsert` takes no more.
const FIRST: usize = 50;
const MOST: usize = 500;
/// How long a transaction is to take: whoever else writes waits for it.
const TURN: Duration = Duration::from_millis(30);
/// Rows with problems that people see; a file has all of them.
const SHOWN: usize = 20;

/// What is asked of an import, besides where.
#[derive(Args)]
struct Import {
    /// CSV with the names of its columns in the first row; - for standard input
    file: PathBuf,
    /// Say what would become of each row, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// What a column is: Column=field, or Column= to leave it out. Columns that are named like a field need none
    #[arg(long, value_name = "COLUMN=FIELD")]
    map: Vec<String>,
    /// Encoding of the file, if it is not UTF-8 or UTF-16: windows-1252
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Import also rows that have neither e-mail address nor phone number, each time anew
    #[arg(long)]
    unidentified: bool,
    /// Write the rows that were refused into this file, with what is wrong
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
}

pub(super) fn command() -> Command {
    let about = "Make contacts of the rows of a file, or change those that are there";
    super::common(Import::augment_args(Command::new("import")).about(about))
}

/// What a column is.
#[derive(Clone, PartialEq)]
enum Column {
    Field(String),
    /// A field that takes several.
    List(String),
    /// Id and data type.
    Custom(String, String),
    LeftOut,
}

/// What became of the rows so far.
#[derive(Default)]
struct Tally {
    rows: usize,
    created: usize,
    updated: usize,
    failed: usize,
}

struct Importing<'a> {
    app: &'a App,
    authority: Authority,
    location: LocationId,
    options: Import,
    as_json: bool,
    tally: Tally,
    errors: Option<Cells<File>>,
    bar: ProgressBar,
    /// Rows of the next transaction.
    most: usize,
}

pub(super) async fn run(
    app: &App,
    authority: Authority,
    location: LocationId,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let options = Import::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    let encoding = options.encoding.as_deref().map(encoding).transpose()?;
    let file: Box<dyn Read> = match options.file.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(open(&options.file)?),
    };
    let mut rows = Rows::open(file, encoding)?;
    let fields = custom_fields(app, &authority, location).await?;
    let columns = columns(rows.head(), &options.map, &fields)?;
    let mut errors = None;
    if let Some(path) = &options.errors {
        let file = File::create(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let mut cells = Cells::new(file);
        cells.write(rows.head().iter().map(String::as_str).chain(["Problem"]))?;
        errors = Some(cells);
    }
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {pos} rows, {per_sec} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let as_json = matches.get_flag("json");
    let tally = Tally::default();
    let mut importing = Importing { app, authority, location, options, as_json, tally, errors, bar, most: FIRST };
    let mut batch = Vec::with_capacity(MOST);
    loop {
        let row = rows.next();
        let is_over = row.is_none();
        batch.extend(row);
        if batch.len() >= importing.most || is_over {
            importing.send(std::mem::take(&mut batch), &columns).await?;
        }
        if is_over {
            return importing.finish();
        }
    }
}

fn open(path: &PathBuf) -> Result<File, Failure> {
    File::open(path).map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))
}

fn encoding(name: &str) -> Result<&'static Encoding, Failure> {
    let known = Encoding::for_label(name.as_bytes());
    known.ok_or_else(|| Failure::usage(format!("--encoding {name} is not known; try windows-1252 or utf-16le")))
}

/// A name without what people write it with: `First name`, `first_name` and `firstName` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Names that other programs give to columns, and what we call them.
const ALIASES: &[(&str, &str)] = &[
    ("givenname", "firstName"),
    ("surname", "lastName"),
    ("familyname", "lastName"),
    ("fullname", "name"),
    ("contactname", "name"),
    ("emailaddress", "email"),
    ("mail", "email"),
    ("phonenumber", "phone"),
    ("mobile", "phone"),
    ("mobilephone", "phone"),
    ("company", "companyName"),
    ("businessname", "companyName"),
    ("organization", "companyName"),
    ("address", "address1"),
    ("street", "address1"),
    ("streetaddress", "address1"),
    ("region", "state"),
    ("zip", "postalCode"),
    ("zipcode", "postalCode"),
    ("postcode", "postalCode"),
    ("birthday", "dateOfBirth"),
    ("birthdate", "dateOfBirth"),
    ("leadsource", "source"),
    ("tag", "tags"),
];
/// Columns of our own exports that say when and under which id something was known: no field of a new one.
const OURS: &[&str] = &["id", "dateadded", "dateupdated"];

/// What each column is. All that are not known are told at once.
fn columns(head: &[String], maps: &[String], custom: &[Value]) -> Result<Vec<Column>, Failure> {
    let schema = route("POST /contacts").body_schema().unwrap_or_default();
    let fields = schema["properties"].as_object().cloned().unwrap_or_default();
    let column = |name: &str| {
        let (name, schema) = fields.iter().find(|(known, _)| plain(known) == plain(name))?;
        match schema["type"].as_str()? {
            "string" | "boolean" if name != "locationId" => Some(Column::Field(name.clone())),
            "array" if schema["items"]["type"] == "string" => Some(Column::List(name.clone())),
            _ => None,
        }
    };
    let of_custom = |name: &str| {
        let is_it = |field: &&Value| {
            ["name", "fieldKey", "id"].iter().any(|member| field[*member].as_str().is_some_and(|text| text == name))
                || plain(field["name"].as_str().unwrap_or_default()) == plain(name)
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        custom.iter().find(is_it).map(|field| Column::Custom(text(&field["id"]), text(&field["dataType"])))
    };
    let named = |name: &str| {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == plain(name)).and_then(|(_, field)| column(field));
        column(name).or(alias).or_else(|| of_custom(name))
    };
    let mut mapped: HashMap<&str, &str> = HashMap::new();
    for map in maps {
        let (from, to) =
            map.split_once('=').ok_or_else(|| Failure::usage(format!("--map {map} must be Column=field")))?;
        if !head.iter().any(|name| name.trim() == from) {
            return Err(Failure::usage(format!("--map {map}: the file has no column {from}")));
        }
        mapped.insert(from, to);
    }
    let mut unknown = Vec::new();
    let mut columns = Vec::with_capacity(head.len());
    for name in head.iter().map(|name| name.trim()) {
        let found = match mapped.get(name) {
            Some(&"") => Some(Column::LeftOut),
            Some(to) => {
                Some(named(to).ok_or_else(|| Failure::usage(format!("--map {name}={to}: there is no field {to}")))?)
            }
            None if name.is_empty() || OURS.contains(&plain(name).as_str()) => Some(Column::LeftOut),
            None => named(name),
        };
        match found {
            Some(column) => columns.push(column),
            None => unknown.push(format!("“{name}”")),
        }
    }
    for (place, column) in columns.iter().enumerate().filter(|(_, column)| **column != Column::LeftOut) {
        if let Some(first) = columns[..place].iter().position(|other| other == column) {
            return Err(Failure::usage(format!(
                "the columns “{}” and “{}” are the same field; leave one out with --map \"Column=\", or give it another name",
                head[first], head[place]
            )));
        }
    }
    if !unknown.is_empty() {
        return Err(Failure::usage(format!(
            "no field is named like {}; say with --map \"Column=field\" which it is, or with --map \"Column=\" that it is left out",
            unknown.join(", ")
        )));
    }
    Ok(columns)
}

/// What a row says of a contact.
fn contact(cells: &[String], columns: &[Column]) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut custom = Vec::new();
    for (cell, column) in cells.iter().map(|cell| cell.trim()).zip(columns).filter(|(cell, _)| !cell.is_empty()) {
        let several = |separators: &[char]| -> Value {
            if let Ok(list @ Value::Array(_)) = serde_json::from_str(cell) {
                return list;
            }
            cell.split(separators).map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
        };
        match column {
            Column::Field(name) if name == "dnd" => {
                let said = match cell.to_lowercase().as_str() {
                    "true" | "yes" | "1" => json!(true),
                    "false" | "no" | "0" => json!(false),
                    other => json!(other),
                };
                fields.insert(name.clone(), said);
            }
            Column::Field(name) => drop(fields.insert(name.clone(), cell.into())),
            Column::List(name) => drop(fields.insert(name.clone(), several(&[',', ';']))),
            Column::Custom(id, kind) => {
                let value = match (kind.as_str(), serde_json::from_str(cell)) {
                    ("TEXTBOX_LIST", Ok(boxes @ Value::Object(_))) => boxes,
                    ("CHECKBOX" | "MULTIPLE_OPTIONS" | "TEXTBOX_LIST", _) => several(&[';']),
                    _ => cell.into(),
                };
                custom.push(json!({"id": id, "value": value}));
            }
            Column::LeftOut => {}
        }
    }
    if !custom.is_empty() {
        fields.insert("customFields".to_owned(), custom.into());
    }
    fields
}

impl Importing<'_> {
    /// Has one transaction's rows upserted, and notes what became of each.
    async fn send(&mut self, rows: Vec<Row>, columns: &[Column]) -> Result<(), Failure> {
        let (mut sent, mut refused) = (Vec::with_capacity(rows.len()), Vec::new());
        let mut contacts = Vec::with_capacity(rows.len());
        for Row { line, cells } in rows {
            self.tally.rows += 1;
            let cells = match cells {
                Ok(cells) if cells.iter().all(|cell| cell.trim().is_empty()) => continue,
                Ok(cells) => cells,
                Err(problem) => {
                    refused.push((line, Vec::new(), problem));
                    continue;
                }
            };
            let contact = contact(&cells, columns);
            if !self.options.unidentified && !["email", "phone"].iter().any(|name| contact.contains_key(*name)) {
                let problem = "has neither e-mail address nor phone number, by which it would be known again when the file is run \
                               again; --unidentified imports it all the same";
                refused.push((line, cells, problem.to_owned()));
                continue;
            }
            contacts.push(Value::Object(contact));
            sent.push((line, cells));
        }
        if !contacts.is_empty() {
            self.upsert(contacts, sent, &mut refused).await?;
        }
        refused.sort_by_key(|(line, ..)| *line);
        for (line, cells, problem) in refused {
            self.refuse(line, &cells, &problem)?;
        }
        self.bar.set_position(self.tally.rows as u64);
        Ok(())
    }

    async fn upsert(
        &mut self,
        contacts: Vec<Value>,
        sent: Vec<(u64, Vec<String>)>,
        refused: &mut Vec<(u64, Vec<String>, String)>,
    ) -> Result<(), Failure> {
        let mut body = Map::new();
        body.insert("contacts".to_owned(), contacts.into());
        body.insert("dryRun".to_owned(), self.options.dry_run.into());
        body.insert("addTags".to_owned(), true.into());
        let words = Words { body, ..Words::default() };
        let begun = Instant::now();
        let answer = route("POST /contacts/bulk/upsert")
            .call(self.app, self.authority.clone(), Some(self.location), words)
            .await?;
        let fitting = sent.len() as f64 * TURN.as_secs_f64() / begun.elapsed().as_secs_f64();
        // Not more than double: one that was quick by chance says little of the next.
        self.most = (fitting as usize).min(self.most * 2).clamp(1, MOST);
        for ((line, cells), outcome) in sent.into_iter().zip(answer["results"].as_array().into_iter().flatten()) {
            match outcome["status"].as_str() {
                Some("created") => self.tally.created += 1,
                Some("updated") => self.tally.updated += 1,
                _ => {
                    let message = match &outcome["error"]["message"] {
                        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
                        message => message.as_str().unwrap_or("was refused").to_owned(),
                    };
                    refused.push((line, cells, message));
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, cells: &[String], problem: &str) -> Result<(), Failure> {
        self.tally.failed += 1;
        if self.as_json {
            output::json(&json!({"line": line, "problem": problem}));
        } else if self.tally.failed <= SHOWN {
            self.bar.suspend(|| note!("line {line}: {problem}"));
        }
        match &mut self.errors {
            Some(errors) => errors.write(cells.iter().map(String::as_str).chain([problem])),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        let Self { options, as_json, tally, errors, bar, .. } = self;
        bar.finish_and_clear();
        errors.map_or(Ok(()), Cells::finish)?;
        let Tally { rows, created, updated, failed } = tally;
        if as_json {
            output::json(&json!({
                "rows": rows, "created": created, "updated": updated, "failed": failed, "dryRun": options.dry_run,
            }));
        } else {
            let would = if options.dry_run { "would be " } else { "" };
            say!("{rows} rows: {created} {would}created, {updated} {would}updated, {failed} refused");
        }
        if failed == 0 {
            return Ok(());
        }
        Err(Failure::found(match options.errors {
            Some(path) => format!("{failed} rows were refused; they are in {}", path.display()),
            None if failed > SHOWN && !as_json => {
                format!(
                    "{failed} rows were refused, of which {SHOWN} are shown; --errors FILE writes all of them into a file"
                )
            }
            None => format!("{failed} rows were refused"),
        }))
    }
}
