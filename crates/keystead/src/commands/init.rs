//! `keystead init`: the first run without a browser.

use std::path::{Path, PathBuf};

use clap::Args;
use keystead_core::{Clock, Entropy, Setup};
use keystead_model::{
    Invalid,
    agency::TenantName,
    location::LocationProfile,
    text::{Country, EmailAddress, TimeZoneName},
};
use serde_json::json;

use super::{
    finish, log_for_programs,
    output::{self, say},
};
use crate::{config::Config, failure::Failure, instance};

#[derive(Args)]
pub(super) struct Init {
    /// Name of the agency
    #[arg(long)]
    agency: String,
    /// Name of the first location
    #[arg(long)]
    location: String,
    /// E-mail address of the admin
    #[arg(long)]
    admin_email: String,
    /// File with the admin's password; - for standard input
    #[arg(long, value_name = "FILE")]
    admin_password_file: PathBuf,
    /// Country of the location, ISO 3166-1 alpha-2
    #[arg(long, default_value = "US")]
    country: String,
    /// Time zone of the location
    #[arg(long, default_value = "UTC")]
    timezone: String,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn valid<T>(option: &str, outcome: Result<T, Invalid>) -> Result<T, Failure> {
    outcome.map_err(|Invalid(problem)| Failure::usage(format!("{option} {problem}")))
}

/// Reads a secret from a file or standard input, without the line's end.
pub(super) fn read_secret(path: &Path) -> Result<String, Failure> {
    let text =
        if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let text = text.map_err(|error| Failure::new(format!("{} cannot be read: {error}", path.display())))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

impl Init {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let mut location = LocationProfile::named(valid("--location", TenantName::parse(&self.location))?);
        location.country = valid("--country", Country::parse(&self.country))?;
        location.timezone = valid("--timezone", TimeZoneName::parse(&self.timezone))?;
        let setup = Setup {
            agency: valid("--agency", TenantName::parse(&self.agency))?,
            location,
            admin_email: valid("--admin-email", EmailAddress::parse(&self.admin_email))?,
            admin_names: (None, None),
            admin_password: read_secret(&self.admin_password_file)?,
        };
        log_for_programs(config);
        let app = instance::make(config, Clock::System, Entropy::System, None).await?;
        let made = finish(app, async |app| Ok(app.set_up(setup).await?)).await?;
        if self.json {
            output::json(&json!({"agencyId": made.agency, "locationId": made.location, "userId": made.user}));
        } else {
            say!("Agency {}, location {}, admin {}", made.agency, made.location, made.user);
            say!(
                "Next: keystead keys create --kind location --location-id {} --name NAME --preset full-access",
                made.location
            );
            say!("Keep {} with every backup: without it no key works.", config.secret_file.display());
        }
        Ok(())
    }
}
