//! Where settings come from: the command line, then the environment, then the file. Each is a text until it is known whose
//! it is, and what cannot be read is told with its place.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, parser::ValueSource};
use toml::de::{DeTable, DeValue};

use super::Options;
use crate::failure::Failure;

/// All variables of Keystead begin so.
const PREFIX: &str = "KEYSTEAD_";
/// These belong to the tests of Keystead, which may run beside it.
const TESTS: &str = "KEYSTEAD_TEST_";
/// What is read if it is there.
const DEFAULT_FILE: &str = "keystead.toml";
/// The setting that cannot stand in the file.
const FILE: &str = "config";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Option,
    /// A variable of the environment.
    Variable(String),
    /// A line of the configuration file.
    Line(PathBuf, usize),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("command line"),
            Self::Variable(name) => f.write_str(name),
            Self::Line(file, line) => write!(f, "{}, line {line}", file.display()),
        }
    }
}

/// A setting that there is.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its name in the file.
    pub name: String,
    /// Its option, without the dashes.
    pub option: String,
    /// Its variable.
    pub variable: Option<String>,
    /// Whether its value is nobody else's business.
    pub is_secret: bool,
}

/// What was set, and where.
#[derive(Clone, Default)]
pub struct Settings {
    /// The values.
    pub options: Options,
    /// By name; what is not here has its default.
    pub sources: BTreeMap<String, Source>,
}

/// A text that somebody gave for a setting.
struct Given {
    setting: Setting,
    source: Source,
    text: String,
}

/// All options alone, to read a text for one of them as the command line would.
fn options_only() -> Command {
    Options::augment_args(Command::new("settings").no_binary_name(true)).mut_args(without_variable)
}

/// The same option; its variable is named in the help, and read here.
pub(crate) fn without_variable(option: Arg) -> Arg {
    let Some(variable) = option.get_env().map(|name| name.to_string_lossy().into_owned()) else { return option };
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    option.help(format!("{help} [env: {variable}]")).env(None::<&'static str>)
}

/// Every setting that there is.
pub(crate) fn all() -> Vec<Setting> {
    let command = Options::augment_args(Command::new("settings").disable_help_flag(true));
    let settings = command.get_arguments().filter(|option| !matches!(option.get_action(), ArgAction::Help));
    settings
        .map(|option| Setting {
            name: option.get_id().to_string(),
            option: option.get_long().unwrap_or_default().to_owned(),
            variable: option.get_env().map(|name| name.to_string_lossy().into_owned()),
            is_secret: option.is_hide_env_values_set(),
        })
        .collect()
}

impl Settings {
    /// Reads the environment and the file besides the command line. Every problem is told, not the first alone.
    pub fn gather(matches: &ArgMatches) -> Result<Self, Failure> {
        let known = all();
        let mut problems = Vec::new();
        let variables = variables(&known, &mut problems);
        let from_line = matches.get_one::<PathBuf>(FILE).cloned();
        let from_variable = variables.iter().find(|given| given.setting.name == FILE);
        let file = from_line.or_else(|| from_variable.map(|given| PathBuf::from(&given.text)));
        let lines = lines(file.as_deref(), &known, &mut problems);
        let mut settings = Self::default();
        for given in lines.into_iter().chain(variables) {
            settings.take(given, &mut problems);
        }
        if !problems.is_empty() {
            return Err(Failure::usage(problems.join("; ")));
        }
        let told = settings.options.update_from_arg_matches(matches);
        told.map_err(|error| Failure::usage(error.to_string()))?;
        let given =
            known.iter().filter(|setting| matches.value_source(&setting.name) == Some(ValueSource::CommandLine));
        settings.sources.extend(given.map(|setting| (setting.name.clone(), Source::Option)));
        Ok(settings)
    }

    /// The option of a setting, where it stands on the command line.
    pub(crate) fn option_given(&self, name: &str) -> Option<String> {
        let is_given = self.sources.get(name) == Some(&Source::Option);
        is_given.then(|| format!("--{}", name.replace('_', "-")))
    }

    fn take(&mut self, given: Given, problems: &mut Vec<String>) {
        let Given { setting, source, text } = given;
        let read = options_only().try_get_matches_from([format!("--{}={text}", setting.option)]);
        match read.and_then(|matches| self.options.update_from_arg_matches(&matches)) {
            Ok(()) => drop(self.sources.insert(setting.name, source)),
            Err(error) => {
                let reason =
                    std::error::Error::source(&error).map_or_else(|| "is not readable".to_owned(), ToString::to_string);
                problems.push(match source {
                    Source::Variable(name) => format!("{name} {reason}"),
                    place => format!("{place}: {} {reason}", setting.name),
                });
            }
        }
    }
}

fn variables(known: &[Setting], problems: &mut Vec<String>) -> Vec<Given> {
    let mut given = Vec::new();
    let mut names: Vec<_> = std::env::vars_os().collect();
    names.sort();
    for (name, value) in names {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX) && !name.starts_with(TESTS)) else {
            continue;
        };
        let setting = known.iter().find(|setting| setting.variable.as_deref() == Some(name));
        match (setting, value.into_string()) {
            (None, _) => {
                let names = known.iter().filter_map(|setting| setting.variable.as_deref());
                problems.push(format!("{name} is no setting{}", suggestion(name, names)));
            }
            (Some(_), Err(_)) => problems.push(format!("{name} is not UTF-8")),
            // As a file for containers writes what is not set.
            (Some(_), Ok(text)) if text.is_empty() => {}
            (Some(setting), Ok(text)) => {
                let source = Source::Variable(name.to_owned());
                given.push(Given { setting: setting.clone(), source, text });
            }
        }
    }
    given
}

fn lines(file: Option<&Path>, known: &[Setting], problems: &mut Vec<String>) -> Vec<Given> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => return Vec::new(),
        Err(error) => {
            problems.push(format!("{} cannot be read: {error}", path.display()));
            return Vec::new();
        }
    };
    let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => {
            let line = line_of(error.span().map_or(0, |span| span.start));
            problems.push(format!("{}, line {line}: {}", path.display(), error.message()));
            return Vec::new();
        }
    };
    let mut given = Vec::new();
    for (name, value) in table.get_ref() {
        let source = Source::Line(path.to_owned(), line_of(name.span().start));
        // As the option is written, or the field.
        let spelled = name.get_ref().replace('-', "_");
        let names = || known.iter().map(|setting| setting.name.as_str()).filter(|name| *name != FILE);
        let setting = known.iter().find(|setting| setting.name == spelled && spelled != FILE);
        match (setting, text_of(value.get_ref())) {
            (None, _) => {
                problems.push(format!("{source}: {} is no setting{}", name.get_ref(), suggestion(&spelled, names())));
            }
            (Some(setting), None) => {
                problems.push(format!(
                    "{source}: {} must be a text, a number, true or false, or a list of texts",
                    setting.name
                ));
            }
            (Some(setting), Some(text)) => {
                // TOML refuses a name that stands twice, but not one that is spelled in two ways.
                if let Some(other) = given.iter().find(|given: &&Given| given.setting.name == setting.name) {
                    problems.push(format!("{source}: {} is set already ({}); keep one", setting.name, other.source));
                }
                given.push(Given { setting: setting.clone(), source, text });
            }
        }
    }
    given
}

/// A value as its option would be written.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Array(list) => {
            let texts = list.iter().map(|value| value.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()?.join(",")
        }
        DeValue::Datetime(_) | DeValue::Table(_) => return None,
    })
}

/// What may have been meant.
fn suggestion<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let like = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let best = like.max_by(|(one, _), (other, _)| one.total_cmp(other)).filter(|(likeness, _)| *likeness > 0.85);
    best.map_or_else(String::new, |(_, known)| format!("; did you mean {known}?"))
}
