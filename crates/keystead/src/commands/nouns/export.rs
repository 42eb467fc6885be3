//! `keystead contacts export`: contacts as rows of a file that spreadsheets read and `import` takes.

use std::{fs::File, io::Write, path::PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches};
use keystead_api::{Words, spreadsheet::Cells};
use keystead_core::{App, Authority};
use keystead_model::{LocationId, UtcMs};
use serde_json::{Map, Value, json};

use super::{super::output::say, custom_fields, route, unwritten};
use crate::failure::Failure;

/// Contacts read at a time.
const PAGE: usize = 500;

#[derive(Args)]
struct Export {
    /// File to write, which must not be there yet; standard output without it
    file: Option<PathBuf>,
}

pub(super) fn command() -> Command {
    let about = "Write all contacts as CSV, the oldest first";
    super::common(Export::augment_args(Command::new("export")).about(about)).mut_arg("json", |option| option.hide(true))
}

/// Columns, and the members of a contact in them.
const COLUMNS: &[(&str, &str)] = &[
    ("Id", "id"),
    ("First Name", "firstName"),
    ("Last Name", "lastName"),
    ("Email", "email"),
    ("Phone", "phone"),
    ("Additional Emails", "additionalEmails"),
    ("Additional Phones", "additionalPhones"),
    ("Company Name", "companyName"),
    ("Address1", "address"),
    ("City", "city"),
    ("State", "state"),
    ("Postal Code", "postalCode"),
    ("Country", "country"),
    ("Website", "website"),
    ("Timezone", "timezone"),
    ("Source", "source"),
    ("Date Of Birth", "dateOfBirth"),
    ("Assigned To", "assignedTo"),
    ("Tags", "tags"),
    ("DND", "dnd"),
    ("DND Settings", "dndSettings"),
    ("Inbound DND Settings", "inboundDndSettings"),
    ("Date Added", "dateAdded"),
    ("Date Updated", "dateUpdated"),
];

pub(super) async fn run(
    app: &App,
    authority: Authority,
    location: LocationId,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let Export { file } = Export::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    match file {
        None => write(app, authority, location, std::io::stdout()).await.map(drop),
        Some(path) => {
            let failed = |error| Failure::new(format!("{}: {error}", path.display()));
            let file = File::create_new(&path).map_err(failed)?;
            let count = write(app, authority, location, file).await?;
            say!("{count} contacts are in {}", path.display());
            Ok(())
        }
    }
}

async fn write(app: &App, authority: Authority, location: LocationId, file: impl Write) -> Result<usize, Failure> {
    let fields: Vec<(String, String)> = custom_fields(app, &authority, location)
        .await?
        .iter()
        .filter_map(|field| Some((field["id"].as_str()?.to_owned(), field["fieldKey"].as_str()?.to_owned())))
        .collect();
    let mut cells = Cells::new(file);
    cells
        .write(COLUMNS.iter().map(|(title, _)| *title).chain(fields.iter().map(|(_, key)| key.as_str())))
        .map_err(unwritten)?;
    let search = route("POST /contacts/search");
    let (mut count, mut after) = (0, None);
    loop {
        let mut body = Map::new();
        body.insert("pageLimit".to_owned(), PAGE.into());
        body.insert("sort".to_owned(), json!([{"field": "dateAdded", "direction": "asc"}]));
        if let Some(after) = after {
            body.insert("searchAfter".to_owned(), after);
        }
        let answer = search.call(app, authority.clone(), Some(location), Words { body, ..Words::default() }).await?;
        let contacts = answer["contacts"].as_array().map_or(&[][..], Vec::as_slice);
        for contact in contacts {
            let own = COLUMNS.iter().map(|(_, member)| match (*member, contact[*member].as_i64()) {
                // A search tells the first moment of the day.
                ("dateOfBirth", Some(day)) => UtcMs(day).to_day(),
                (member, _) => text(&contact[member]),
            });
            let custom = fields.iter().map(|(id, _)| custom(contact, id));
            cells.write(own.chain(custom)).map_err(unwritten)?;
        }
        count += contacts.len();
        after = contacts.last().map(|last| last["searchAfter"].clone());
        if contacts.len() < PAGE {
            cells.finish().map_err(unwritten)?;
            return Ok(count);
        }
    }
}

fn custom(contact: &Value, field: &str) -> String {
    let values = contact["customFields"].as_array().into_iter().flatten();
    values.into_iter().find(|value| value["id"] == field).map_or_else(String::new, |value| match &value["value"] {
        // A file is told by where it is.
        Value::Object(files) if files.values().all(|file| file.get("url").is_some()) => {
            files.values().map(|file| text(&file["url"])).collect::<Vec<_>>().join("; ")
        }
        value => text(value),
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // What stands between two must not stand in one of them.
        Value::Array(items) if items.iter().all(|item| !text(item).contains([',', ';', '['])) => {
            items.iter().map(text).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}
