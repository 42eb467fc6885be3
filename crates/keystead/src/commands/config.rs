//! `keystead config …`: what is set, where, and whether it is right.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::output::{self, say};
use crate::{
    config::{Config, Settings, sources},
    failure::Failure,
    secret_file,
};

#[derive(Subcommand)]
pub(super) enum Configuration {
    /// Show every setting, its value and where it comes from; secrets are masked
    Show {
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Read everything as the server would, and say what is wrong or should be looked at
    Check,
}

impl Configuration {
    pub(super) fn run(self, settings: &Settings, config: &Config) -> Result<(), Failure> {
        match self {
            Self::Show { json } => {
                show(json, settings, config);
                Ok(())
            }
            Self::Check => check(config),
        }
    }
}

fn show(as_json: bool, settings: &Settings, config: &Config) {
    let values = config.shown();
    let rows = sources::all().into_iter().filter_map(|setting| {
        let (_, value) = values.iter().find(|(name, _)| *name == setting.name)?;
        let source = settings.sources.get(&setting.name).map_or_else(|| "default".to_owned(), ToString::to_string);
        Some((setting.name, value.clone(), source))
    });
    if as_json {
        let rows = rows.map(|(name, value, source)| (name, json!({"value": value, "source": source})));
        output::json(&Value::Object(rows.collect::<Map<_, _>>()));
        return;
    }
    let rows: Vec<Vec<String>> =
        rows.map(|(name, value, source)| vec![name, value.unwrap_or_else(|| "-".to_owned()), source]).collect();
    output::table(&["SETTING", "VALUE", "FROM"], &rows);
}

fn check(config: &Config) -> Result<(), Failure> {
    if let Some((url, from)) = &config.smtp {
        keystead_core::Mailer::new(url, from).map_err(Failure::usage)?;
    }
    match config.secret_file.try_exists() {
        Ok(false) if config.has_database_file() => return Err(secret_file::missing(&config.secret_file)),
        // A new instance makes one.
        Ok(false) => {}
        Ok(true) | Err(_) => drop(secret_file::read(&config.secret_file)?),
    }
    if config.data_dir.exists() && !config.data_dir.is_dir() {
        return Err(Failure::new(format!("the data directory {} is no directory", config.data_dir.display())));
    }
    let warnings = config.warnings();
    for warning in &warnings {
        say!("! {warning}");
    }
    match warnings.len() {
        0 => say!("The configuration is right."),
        1 => return Err(Failure::found("the configuration can be read; one thing should be looked at")),
        count => {
            return Err(Failure::found(format!("the configuration can be read; {count} things should be looked at")));
        }
    }
    Ok(())
}
