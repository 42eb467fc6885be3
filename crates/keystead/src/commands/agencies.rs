//! `keystead agencies …`.

use clap::{Args, Subcommand};
use keystead_core::{App, NewAgency};
use keystead_model::{
    agency::{AgencyPatch, TenantName, TenantState},
    key_policy::{AgencyKeyMakers, KeyPolicy, parse_days},
    text::EmailAddress,
};
use serde_json::json;

use super::{
    init::valid,
    operator,
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure};

#[derive(Subcommand)]
pub(super) enum Agencies {
    /// List agencies
    List {
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make another agency
    Create {
        /// Name
        #[arg(long)]
        name: String,
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Change what an agency is called, and what it asks of its keys
    Update(Update),
    /// Refuse all keys of an agency until it is resumed
    Suspend(One),
    /// End a suspension
    Resume(One),
}

#[derive(Args)]
pub(super) struct Update {
    /// Id of the agency
    id: String,
    /// New name
    #[arg(long)]
    name: Option<String>,
    /// Days ahead that a key may expire at most, or none
    #[arg(long, value_name = "DAYS|none")]
    key_longest_days: Option<String>,
    /// Days until a new key expires for which nothing else is chosen, or none
    #[arg(long, value_name = "DAYS|none")]
    key_default_days: Option<String>,
    /// Who makes agency keys: members who may make keys, or operators alone
    #[arg(long, value_name = "members|operators")]
    agency_keys_by: Option<String>,
    /// Address that gets the mails about all keys, or none
    #[arg(long, value_name = "ADDRESS|none")]
    keys_contact: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct One {
    /// Id of the agency
    id: String,
}

impl Agencies {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| match self {
            Self::List { json } => list(app, json).await,
            Self::Create { name, json } => {
                let agency = app.create_agency(NewAgency { name: valid("--name", TenantName::parse(&name))? }).await?;
                if json {
                    output::json(&json!({"id": agency.id, "name": agency.profile.name.as_str()}));
                } else {
                    say!("{}", agency.id);
                }
                Ok(())
            }
            Self::Update(update) => update.run(app).await,
            Self::Suspend(one) => one.set(app, TenantState::Suspended).await,
            Self::Resume(one) => one.set(app, TenantState::Active).await,
        })
        .await
    }
}

async fn list(app: &App, as_json: bool) -> Result<(), Failure> {
    let agencies = app.list_agencies().await?;
    if as_json {
        for agency in &agencies {
            output::json(
                &json!({"id": agency.id, "name": agency.profile.name.as_str(), "state": agency.state.as_str()}),
            );
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = agencies
        .iter()
        .map(|agency| vec![agency.id.to_string(), agency.profile.name.to_string(), agency.state.as_str().to_owned()])
        .collect();
    output::table(&["ID", "NAME", "STATE"], &rows);
    Ok(())
}

/// What is changed, or taken away by `none`.
fn unless_none<T>(
    text: Option<&str>,
    was: Option<T>,
    parse: impl FnOnce(&str) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    match text {
        None => Ok(was),
        Some("none") => Ok(None),
        Some(text) => parse(text).map(Some),
    }
}

impl Update {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, Some(&self.id)).await?;
        let before = app.get_agency(&context).await?;
        let days = |option: &'static str| move |text: &str| valid(option, parse_days(text));
        let was = before.keys.clone();
        let keys = KeyPolicy {
            longest_days: unless_none(self.key_longest_days.as_deref(), was.longest_days, days("--key-longest-days"))?,
            default_days: unless_none(self.key_default_days.as_deref(), was.default_days, days("--key-default-days"))?,
            agency_keys_by: match self.agency_keys_by.as_deref() {
                None => was.agency_keys_by,
                Some(text) => AgencyKeyMakers::parse(text)
                    .ok_or_else(|| Failure::usage("--agency-keys-by must be members or operators"))?,
            },
            contact: unless_none(self.keys_contact.as_deref(), was.contact, |text| {
                valid("--keys-contact", EmailAddress::parse(text))
            })?,
        };
        let name = self.name.as_deref().map(|name| valid("--name", TenantName::parse(name))).transpose()?;
        let patch = AgencyPatch { name, keys: Some(keys), ..AgencyPatch::default() };
        let (saved, _) = app.update_agency(&context, before.id, patch).await?;
        let KeyPolicy { longest_days, default_days, agency_keys_by, contact } = &saved.keys;
        let (name, makers) = (saved.profile.name.as_str(), agency_keys_by.as_str());
        let contact = contact.as_ref().map(EmailAddress::as_str);
        if self.json {
            output::json(&json!({
                "id": saved.id, "name": name, "keyLongestDays": longest_days, "keyDefaultDays": default_days,
                "agencyKeysBy": makers, "keysContact": contact,
            }));
        } else {
            let days = |days: Option<u32>| days.map_or_else(|| "none".to_owned(), |days| format!("{days} days"));
            let rows = [
                ("Name", name.to_owned()),
                ("Longest expiry of keys", days(*longest_days)),
                ("Expiry if none is chosen", days(*default_days)),
                ("Agency keys are made by", makers.to_owned()),
                ("Also told of all keys", contact.unwrap_or("nobody").to_owned()),
            ];
            output::table(&["SETTING", "VALUE"], &rows.map(|(name, value)| vec![name.to_owned(), value]));
        }
        Ok(())
    }
}

impl One {
    async fn set(self, app: &App, state: TenantState) -> Result<(), Failure> {
        let context = operator(app, Some(&self.id)).await?;
        app.set_agency_state(&context, state).await?;
        say!("{} is {}", self.id, state.as_str());
        Ok(())
    }
}
