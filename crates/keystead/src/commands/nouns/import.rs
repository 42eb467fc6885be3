//! `keystead contacts import FILE`: rows of a file become contacts, or change those that have their addresses.
//!
//! The file goes into the database, and the queue works on it: a server, or where there is none this process.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{ArgMatches, Args, Command, FromArgMatches};
use indicatif::{ProgressBar, ProgressStyle};
use keystead_api::v2::imports::{ImportOptions, Spreadsheets};
use keystead_core::{App, Authority, LocationContext, NewFile, NewImport, RowReader, Violation};
use keystead_http::spreadsheet::Cells;
use keystead_jobs::import_worker;
use keystead_model::{
    LocationId,
    custom_field::OwnerKind,
    import::{Import, ImportState, ImportTally, ProblemRow},
    job::JobKind,
    page::Window,
};
use serde_json::json;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use super::{
    super::output::{self, note, say},
    unwritten,
};
use crate::failure::Failure;

/// Rows with problems that people see; a file has all of them.
const SHOWN: usize = 20;
/// Rows with problems that are read at a time.
const PAGE: i64 = 500;
/// How often it is looked how far an import is.
const LOOKS: Duration = Duration::from_millis(200);
/// How long an import may wait for a server before this process works on it.
const HEAD_START: Duration = Duration::from_secs(1);
/// How long work may go on after the import is over, or somebody has stopped it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked of an import, besides where.
#[derive(Args)]
struct Options {
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
    /// Write the rows that were refused, or of which something was left out, into this file, which must not be there yet, with why
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
}

pub(super) fn command() -> Command {
    let about = "Make contacts of the rows of a file, or change those that are there";
    super::common(Options::augment_args(Command::new("import")).about(about))
}

pub(super) async fn run(
    app: &App,
    authority: Authority,
    location: LocationId,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let options = Options::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    let context = app.enter_location(authority, Some(location)).await?;
    let mut file = open(&options)?;
    let custom = app.fields_of(&context, OwnerKind::Contact).await?;
    let asked = ImportOptions {
        mapping: mapping(&options.map)?,
        encoding: options.encoding.clone(),
        is_trial: options.dry_run,
        takes_unidentified: options.unidentified,
    };
    let plan = asked.plan(&mut file, &custom).map_err(|wrong| wrong_file(&options, &wrong))?;
    file.rewind().map_err(|error| unreadable(&options, &error))?;
    let size = file.metadata().map_err(|error| unreadable(&options, &error))?.len();
    let mut errors = None;
    if let Some(path) = &options.errors {
        // What is there already may be all that somebody has of it.
        let file =
            File::create_new(path).map_err(|error| Failure::usage(format!("--errors {}: {error}", path.display())))?;
        let mut cells = Cells::new(file);
        cells.write(plan.head_with_problem()).map_err(unwritten)?;
        errors = Some(cells);
    }
    let name = options.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let file = NewFile { part: "file".to_owned(), name, kind: None, size, bytes: Box::new(file) };
    // From here on there is something to stop.
    let listen = |kind| signal(kind).map_err(|error| Failure::new(format!("no signal handler: {error}")));
    let signals = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let import = app.start_import(&context, NewImport { file, plan }).await?;
    let as_json = matches.get_flag("json");
    let mut watching = Watching { app, context, import, as_json, errors, shown: 0, line: 0, bar: bar() };
    watching.until_it_is_over(signals).await?;
    watching.finish(&options)
}

/// The file, as one that can be read twice.
fn open(options: &Options) -> Result<File, Failure> {
    if options.file.to_str() != Some("-") {
        return File::open(&options.file).map_err(|error| unreadable(options, &error));
    }
    let spooled = tempfile::tempfile().and_then(|mut file| {
        io::copy(&mut io::stdin().lock(), &mut file)?;
        file.rewind()?;
        Ok(file)
    });
    spooled.map_err(|error| unreadable(options, &error))
}

fn unreadable(options: &Options, error: &io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {error}", options.file.display()))
}

fn mapping(maps: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |map: &String| {
        let (column, field) = map.split_once('=')?;
        Some((column.trim().to_owned(), field.to_owned()))
    };
    let wrong = |map| Failure::usage(format!("--map {map} must be Column=field"));
    maps.iter().map(|map| pair(map).ok_or_else(|| wrong(map))).collect()
}

/// What is wrong with a file, as somebody at a terminal says it.
fn wrong_file(options: &Options, wrong: &[Violation]) -> Failure {
    let line = |Violation { field, problem }: &Violation| match (field.as_str(), field.strip_prefix("mapping.")) {
        ("encoding", _) => format!("--encoding {} {problem}", options.encoding.as_deref().unwrap_or_default()),
        (_, Some(column)) => format!("--map {column} {problem}"),
        _ => format!("the file {problem}"),
    };
    let lines: Vec<String> = wrong.iter().map(line).collect();
    let about_columns = wrong.iter().any(|wrong| wrong.field == "file" && wrong.problem.contains("column"));
    let hint = if about_columns { " (--map \"Column=field\", or --map \"Column=\" to leave it out)" } else { "" };
    Failure::usage(format!("{}{hint}", lines.join("\n")))
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} rows, {per_sec} {wide_msg}");
    let bar = ProgressBar::new_spinner();
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}

/// Somebody who looks how an import goes on.
struct Watching<'a> {
    app: &'a App,
    context: LocationContext,
    import: Import,
    as_json: bool,
    errors: Option<Cells<File>>,
    /// Rows with problems that were shown.
    shown: usize,
    /// The line of the last row that was told of.
    line: i64,
    bar: ProgressBar,
}

impl Watching<'_> {
    /// Tells what becomes of the rows. Whoever interrupts or ends this stops the import.
    async fn until_it_is_over(&mut self, (mut interrupted, mut terminated): (Signal, Signal)) -> Result<(), Failure> {
        let (stop, stopped) = watch::channel(false);
        let (mut working, mut moved_at) = (None, Instant::now());
        while !self.import.state.is_over() {
            tokio::select! {
                () = tokio::time::sleep(LOOKS) => {}
                _ = interrupted.recv() => self.stop().await?,
                _ = terminated.recv() => self.stop().await?,
            }
            let before = self.import.line;
            if let Err(failure) = self.look().await {
                // Nobody looks at it any more.
                self.stop().await?;
                return Err(failure);
            }
            if self.import.line != before {
                moved_at = Instant::now();
            }
            let patience = if self.import.state == ImportState::Waiting { HEAD_START } else { JobKind::Import.lease() };
            if working.is_none() && moved_at.elapsed() > patience {
                let reader: Arc<dyn RowReader> = Arc::new(Spreadsheets);
                #[expect(clippy::disallowed_methods, reason = "the one worker of the command, joined below")]
                let worker = tokio::spawn(import_worker(self.app, &reader).run(stopped.clone(), PATIENCE));
                working = Some(worker);
            }
        }
        stop.send_replace(true);
        if let Some(working) = working {
            working.await.map_err(|error| Failure::new(format!("the work on the import was given up: {error}")))?;
        }
        Ok(())
    }

    /// As somebody who acts now: the context is of when the command began.
    async fn stop(&self) -> Result<(), Failure> {
        let operator = self.app.operator_in(self.context.authority().agency()).await?;
        let context = self.app.enter_location(operator.authority().clone(), Some(self.context.location())).await?;
        self.app.stop_import(&context, self.import.id).await?;
        Ok(())
    }

    async fn look(&mut self) -> Result<(), Failure> {
        self.import = self.app.get_import(&self.context, self.import.id).await?;
        self.bar.set_position(self.import.tally.rows.unsigned_abs());
        loop {
            let window = Window::after(Some(self.line), PAGE);
            let page = self.app.list_problem_rows(&self.context, self.import.id, window).await?;
            for row in &page.rows {
                self.tell(row)?;
            }
            if !page.has_more {
                return Ok(());
            }
        }
    }

    fn tell(&mut self, row: &ProblemRow) -> Result<(), Failure> {
        let ProblemRow { line, is_refused, problem, .. } = row;
        self.line = *line;
        if self.as_json {
            output::json(&json!({"line": line, "refused": is_refused, "problem": problem}));
        } else if self.shown < SHOWN {
            self.shown += 1;
            self.bar.suspend(|| note!("line {line}: {problem}"));
        }
        match &mut self.errors {
            Some(errors) => errors.write(row.with_problem(&self.import.plan)).map_err(unwritten),
            None => Ok(()),
        }
    }

    fn finish(self, options: &Options) -> Result<(), Failure> {
        let Self { import, as_json, errors, bar, .. } = self;
        bar.finish_and_clear();
        errors.map_or(Ok(()), Cells::finish).map_err(unwritten)?;
        let ImportTally { rows, created, updated, unchanged, incomplete, refused } = import.tally;
        if as_json {
            output::json(&json!({
                "rows": rows, "created": created, "updated": updated, "unchanged": unchanged, "incomplete": incomplete,
                "refused": refused, "dryRun": options.dry_run,
            }));
        } else {
            let would = if options.dry_run { "would be " } else { "" };
            let changed = updated - unchanged;
            let left_out = match incomplete {
                0 => String::new(),
                some => format!("; of {} something was left out", rows_of(some)),
            };
            say!(
                "{}: {created} {would}created, {changed} {would}updated, {unchanged} as they were, {refused} refused{left_out}",
                rows_of(rows)
            );
        }
        match import.state {
            ImportState::Stopped if options.dry_run => {
                return Err(Failure::new("the dry run was stopped; nothing was changed"));
            }
            ImportState::Stopped => return Err(Failure::new("the import was stopped; what was imported stays")),
            ImportState::Failed => {
                let problem = import.problem.unwrap_or_default();
                return Err(Failure::new(format!("the import could not go on: the file {problem}")));
            }
            _ if refused + incomplete == 0 => return Ok(()),
            _ => {}
        }
        let problems = format!("{} with problems", rows_of(refused + incomplete));
        Err(Failure::found(match &options.errors {
            Some(path) => format!("{problems}; they are in {}", path.display()),
            None if refused + incomplete > SHOWN as i64 && !as_json => {
                format!("{problems}, of which {SHOWN} are shown; --errors FILE writes all of them into a file")
            }
            None => problems,
        }))
    }
}

fn rows_of(count: i64) -> String {
    format!("{count} {}", if count == 1 { "row" } else { "rows" })
}
