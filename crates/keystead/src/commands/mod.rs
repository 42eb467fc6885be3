//! The command line: a door like the others. Each command calls the operations that the APIs call.

mod agencies;
mod audit;
mod config;
mod db;
mod deliveries;
mod demo;
mod doctor;
mod init;
mod keys;
mod locations;
mod nouns;
mod output;
mod scan;
mod secret;
mod serve;
mod sweep;
mod users;

use std::{io::IsTerminal, process::ExitCode};

use clap::{
    Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{ContextKind, ErrorKind},
};
use keystead_core::{AgencyContext, App, Clock, Entropy};
use keystead_model::AgencyId;

use self::output::note;
use crate::{
    config::{Config, Options, Settings, sources},
    failure::Failure,
    instance,
};

/// Keystead: a self-hosted CRM API platform whose heart is its API keys
#[derive(Parser)]
#[command(name = "keystead", version, about, disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (what happens without a command)
    Serve,
    /// Show the product with believable data, on a throwaway directory
    Demo,
    /// Set up an empty instance without a browser
    Init(init::Init),
    /// Make, list, change, rotate and end API keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Make, list, change, suspend and resume locations
    #[command(subcommand)]
    Locations(locations::Locations),
    /// Make, list, suspend and resume agencies
    #[command(subcommand)]
    Agencies(agencies::Agencies),
    /// List, invite, change and disable members; reset passwords, name operators
    #[command(subcommand)]
    Users(users::Users),
    /// Pause the deletion of idle keys, or go on with it
    #[command(subcommand)]
    Sweep(sweep::Sweep),
    /// Pause what is sent to all webhooks, or let it go on after a restore or a copy
    #[command(subcommand)]
    Deliveries(deliveries::Deliveries),
    /// Add a version to the instance secret
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Say what should be looked at
    Doctor(doctor::Doctor),
    /// Say how it is set up, and by whom: options, variables, lines of the file
    #[command(subcommand)]
    Config(config::Configuration),
    /// Copy, back up and restore the database
    #[command(subcommand)]
    Db(db::Db),
    /// Verify the audit log
    #[command(subcommand)]
    Audit(audit::Audit),
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let command = nouns::augment(Line::command());
    let about = command.get_about().cloned();
    let command = Options::augment_args(command).about(about.unwrap_or_default()).mut_args(sources::without_variable);
    let command = without_server_settings(command);
    let matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return refuse(&error),
    };
    let settings = match Settings::gather(&matches) {
        Ok(settings) => settings,
        Err(failure) => return fail(&failure),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::new(format!("no runtime: {error}"))),
    };
    let done = match nouns::Chosen::of(&matches) {
        Some(chosen) => runtime.block_on(async { chosen.run(&settings.options.clone().resolve()?).await }),
        None => {
            let line = Line::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
            runtime.block_on(run(line.command.unwrap_or(Command::Serve), settings))
        }
    };
    // Whatever still waits for a disk that does not answer must not hold the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

/// Settings that every command heeds; the others are the server's.
const OF_ALL: &[&str] = &["data_dir", "database_url", "secret_file", "log_level", "config"];
/// Commands that are about the server.
const OF_SERVER: &[&str] = &["serve", "demo", "init", "doctor", "config"];

/// Leaves what only the server heeds out of the help of commands that are about other things. It is taken there all the same.
fn without_server_settings(line: clap::Command) -> clap::Command {
    let is_of_server = |option: &&Arg| option.is_global_set() && !OF_ALL.contains(&option.get_id().as_str());
    // What a command has already is not taken over from the line.
    let hidden: Vec<Arg> = line.get_arguments().filter(is_of_server).map(|option| option.clone().hide(true)).collect();
    line.mut_subcommands(|command| {
        if OF_SERVER.contains(&command.get_name()) {
            return command;
        }
        command
            .args(&hidden)
            .after_help("keystead --help has the settings of the server, which may be given here, too.")
    })
}

/// What is wrong with the command line: in our words where a value is, else as the parser tells it, with its suggestions.
fn refuse(error: &clap::Error) -> ExitCode {
    let option = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    match (error.kind(), option, std::error::Error::source(error)) {
        (ErrorKind::ValueValidation, Some(option), Some(reason)) => {
            let option = option.split([' ', '=', '[']).next().unwrap_or_default();
            fail(&Failure::usage(format!("{option} {reason}")))
        }
        _ => error.exit(),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    note!("keystead: {failure}");
    failure.exit_code()
}

async fn run(command: Command, settings: Settings) -> Result<(), Failure> {
    let config = settings.options.clone().resolve()?;
    match command {
        Command::Serve => serve::run(&config).await,
        Command::Demo => match ["data_dir", "database_url", "secret_file"].map(|name| settings.option_given(name)) {
            [None, None, None] => demo::run(config).await,
            given => Err(Failure::usage(format!(
                "the demo makes a directory of its own, and removes it at its end; {} belongs to keystead serve",
                given.into_iter().flatten().collect::<Vec<_>>().join(", ")
            ))),
        },
        Command::Init(init) => init.run(&config).await,
        Command::Keys(keys) => keys.run(&config).await,
        Command::Locations(locations) => locations.run(&config).await,
        Command::Agencies(agencies) => agencies.run(&config).await,
        Command::Users(users) => users.run(&config).await,
        Command::Sweep(sweep) => sweep.run(&config).await,
        Command::Deliveries(deliveries) => deliveries.run(&config).await,
        Command::Audit(audit) => audit.run(&config).await,
        Command::Secret(secret) => secret.run(&config).await,
        Command::Db(db) => db.run(&config).await,
        Command::Doctor(doctor) => doctor.run(&config).await,
        Command::Config(configuration) => configuration.run(&settings, &config),
    }
}

/// Opens the instance that is there for one command and closes it afterwards.
/// How the instance is reached, as far as it is known at a terminal.
struct Reached {
    base_url: String,
    /// Whether nobody has said it: it is the server that was heard of last, or where one would listen.
    is_guess: bool,
}

impl Reached {
    async fn of(app: &App, config: &Config) -> Result<Self, Failure> {
        if let Some(base_url) = config.public_url.clone() {
            return Ok(Self { base_url, is_guess: false });
        }
        let nodes = app.system_status().await?.nodes;
        let last = nodes.into_iter().max_by_key(|node| node.seen_at);
        let address = last.map_or_else(|| config.listen.to_string(), |node| node.address);
        Ok(Self { base_url: format!("http://{address}"), is_guess: true })
    }

    /// Tells people who were shown an address if it is a guess.
    fn note(&self) {
        if self.is_guess {
            note!(
                "{} is a guess: no public URL is set (KEYSTEAD_PUBLIC_URL). If the instance is reached by another name, put \
                 that in its place.",
                self.base_url
            );
        }
    }
}

async fn with_app<T>(config: &Config, command: impl AsyncFnOnce(&App) -> Result<T, Failure>) -> Result<T, Failure> {
    log_for_programs(config);
    let app = instance::open(config, Clock::System, Entropy::System).await?;
    if app.brought_back().is_some() {
        note!(
            "keystead: the database is older than its journal of revocations; what was ended since is ended again \
             (see the audit log: revocation_reapplied)"
        );
    }
    finish(app, command).await
}

/// For programs: what a command ends belongs into the log that a restore is given. People see none of it.
fn log_for_programs(config: &Config) {
    if !std::io::stderr().is_terminal() {
        serve::log_to_stderr(config.log_level);
    }
}

/// Runs a command on an instance and closes it, however that ends.
async fn finish<T>(app: App, command: impl AsyncFnOnce(&App) -> Result<T, Failure>) -> Result<T, Failure> {
    let outcome = command(&app).await;
    app.close().await?;
    outcome
}

/// What `--agency-id` names.
fn named_agency(text: Option<&str>) -> Result<Option<AgencyId>, Failure> {
    text.map(|text| AgencyId::parse(text).ok_or_else(|| Failure::usage("--agency-id is no agency's id"))).transpose()
}

fn not_set_up() -> Failure {
    Failure::new("this instance is not set up; run keystead init, or open the server's wizard")
}

/// The operator in an agency: the named one, or the only one.
async fn operator(app: &App, agency: Option<&str>) -> Result<AgencyContext, Failure> {
    let id = match named_agency(agency)? {
        Some(id) => id,
        None => {
            let agencies = app.list_agencies().await?;
            match agencies.as_slice() {
                [] => return Err(not_set_up()),
                [only] => only.id,
                _ => {
                    return Err(Failure::usage(
                        "there are several agencies; choose one with --agency-id (see keystead agencies list)",
                    ));
                }
            }
        }
    };
    Ok(app.operator_in(id).await?)
}

/// The operator of any agency, for what concerns all of them.
async fn operator_of_any(app: &App) -> Result<AgencyContext, Failure> {
    let agency = app.list_agencies().await?.first().map(|agency| agency.id).ok_or_else(not_set_up)?;
    Ok(app.operator_in(agency).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command, the route that does the same, and what the command calls some of its fields.
    struct Same(&'static [&'static str], &'static str, &'static [(&'static str, &'static str)]);

    const SAME: &[Same] = &[
        Same(&["keys", "create"], "POST /api-keys", &[("rateLimit", "key-rate-limit")]),
        // What is emptied is said by the option of each: never, default, an empty text.
        Same(&["keys", "update"], "PATCH /api-keys/{id}", &[("rateLimit", "key-rate-limit"), ("clear", "expires-at")]),
        Same(&["locations", "create"], "POST /locations", &[("companyId", "agency-id")]),
        Same(&["locations", "update"], "PUT /locations/{locationId}", &[("companyId", "agency-id")]),
    ];

    #[test]
    fn a_command_takes_whatever_the_api_takes() {
        let mut line = nouns::augment(Line::command());
        line.build();
        for Same(path, endpoint, renamed) in SAME {
            let command = path.iter().fold(&line, |command, name| command.find_subcommand(name).unwrap());
            let has = |option: &str| command.get_arguments().any(|argument| argument.get_long() == Some(option));
            let schema = nouns::route(endpoint).body_schema().unwrap();
            for (name, schema) in schema["properties"].as_object().unwrap() {
                let renamed = renamed.iter().find(|(known, _)| known == name);
                let option = renamed.map_or_else(|| nouns::kebab(name), |(_, option)| (*option).to_owned());
                let is_object = schema["type"] == "object" && has("fields");
                let is_passed_over = schema["deprecated"] == true;
                assert!(has(&option) || is_object || is_passed_over, "{path:?} has nothing for {name}");
            }
        }
    }
}
