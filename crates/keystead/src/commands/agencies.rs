//! `keystead agencies …`.

use clap::{Args, Subcommand};
use keystead_core::{App, NewAgency};
use keystead_model::agency::{TenantName, TenantState};
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
    /// Refuse all keys of an agency until it is resumed
    Suspend(One),
    /// End a suspension
    Resume(One),
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

impl One {
    async fn set(self, app: &App, state: TenantState) -> Result<(), Failure> {
        let context = operator(app, Some(&self.id)).await?;
        app.set_agency_state(&context, state).await?;
        say!("{} is {}", self.id, state.as_str());
        Ok(())
    }
}
