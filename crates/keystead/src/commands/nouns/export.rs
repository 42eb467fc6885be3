//! `keystead contacts export`: contacts as rows of a file that spreadsheets read and `import` takes, or as JSON; and what somebody
//! can ask for who is one of them: all that is kept, and that nothing is.

use std::{fs::File, io::Write, path::PathBuf, sync::Arc};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use keystead_api::v2::contacts::Downloads;
use keystead_core::{App, Authority, ContactFormat, InParts};
use keystead_model::{ContactId, LocationId, contact::ContactFilter};
use serde_json::json;

use super::{
    super::output::{self, say},
    unwritten,
};
use crate::failure::Failure;

#[derive(Args)]
struct Export {
    /// File to write, which must not be there yet; standard output without it
    file: Option<PathBuf>,
}

pub(super) fn command() -> Command {
    let about = "Write all contacts as CSV, the oldest first";
    let json = "Write JSON instead, one contact a line";
    super::common(Export::augment_args(Command::new("export")).about(about)).mut_arg("json", |option| option.help(json))
}

pub(super) async fn run(
    app: &App,
    authority: Authority,
    location: LocationId,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let Export { file } = Export::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    let format = if matches.get_flag("json") { ContactFormat::JsonLines } else { ContactFormat::Csv };
    match file {
        None => write(app, authority, location, format, std::io::stdout()).await.map(drop),
        Some(path) => {
            let failed = |error| Failure::new(format!("{}: {error}", path.display()));
            let file = File::create_new(&path).map_err(failed)?;
            let count = write(app, authority, location, format, file).await?;
            say!("{count} contacts are in {}", path.display());
            Ok(())
        }
    }
}

/// `keystead contacts everything`: all that is kept of one.
pub(super) fn everything_command() -> Command {
    let about = "Write all that is kept of a contact as JSON, for whoever it is about";
    let command = super::common(Export::augment_args(Command::new("everything").about(about).arg(id())));
    command.mut_arg("file", |file| file.index(2)).mut_arg("json", |option| option.hide(true))
}

/// `keystead contacts erase`.
pub(super) fn erase_command() -> Command {
    let about = "Delete a contact for good, with all that belongs to it, whether it is in the trash or not";
    super::common(Command::new("erase").about(about).arg(id()))
}

fn id() -> Arg {
    Arg::new("id").index(1).required(true).value_name("CONTACT_ID").help("Its id")
}

fn contact(matches: &ArgMatches) -> Result<ContactId, Failure> {
    let text = matches.get_one::<String>("id").map_or("", String::as_str);
    ContactId::parse(text).ok_or_else(|| Failure::usage(format!("{text} is not the id of a contact")))
}

pub(super) async fn everything(
    app: &App,
    authority: Authority,
    location: LocationId,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let Export { file } = Export::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    let context = app.enter_location(authority, Some(location)).await?;
    let mut dossier = app.export_contact(&context, contact(matches)?, Arc::new(Downloads { base_url: None })).await?;
    write_to(file.as_ref(), &mut dossier).await
}

pub(super) async fn erase(
    app: &App,
    authority: Authority,
    location: LocationId,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let (context, id) = (app.enter_location(authority, Some(location)).await?, contact(matches)?);
    app.erase_contact(&context, id).await?;
    match matches.get_flag("json") {
        true => output::json(&json!({"id": id.as_str(), "erased": true})),
        false => say!("{id} is erased; backups that were made before still hold it"),
    }
    Ok(())
}

/// Writes into a file that is not there yet, or to standard output.
pub(super) async fn write_to(file: Option<&PathBuf>, parts: &mut impl InParts) -> Result<(), Failure> {
    let Some(path) = file else { return write_parts(parts, std::io::stdout()).await };
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    write_parts(parts, File::create_new(path).map_err(failed)?).await
}

async fn write_parts(parts: &mut impl InParts, mut file: impl Write) -> Result<(), Failure> {
    while let Some(bytes) = parts.next().await? {
        file.write_all(&bytes).map_err(unwritten)?;
    }
    file.flush().map_err(unwritten)
}

async fn write(
    app: &App,
    authority: Authority,
    location: LocationId,
    format: ContactFormat,
    file: impl Write,
) -> Result<usize, Failure> {
    let context = app.enter_location(authority, Some(location)).await?;
    let oldest_first = ContactFilter { ascending: true, ..ContactFilter::default() };
    let writer = Arc::new(Downloads { base_url: None });
    let mut export = app.export_contacts(&context, oldest_first, format, writer).await?;
    write_parts(&mut export, file).await?;
    Ok(export.count)
}
