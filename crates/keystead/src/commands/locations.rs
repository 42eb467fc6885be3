//! `keystead locations …`.

use clap::{Args, Subcommand};
use keystead_api::v2::api_keys::parse_location;
use keystead_core::App;
use keystead_model::{
    agency::{TenantName, TenantState},
    location::{Location, LocationFilter, LocationPatch, LocationProfile},
    page::Window,
    text::{Country, TimeZoneName},
};
use serde_json::{Value, json};

use super::{
    init::valid,
    operator,
    output::{self, say},
    with_app,
};
use crate::{config::Config, failure::Failure};

#[derive(Subcommand)]
pub(super) enum Locations {
    /// List locations
    List {
        /// Those that were deleted and can be restored
        #[arg(long)]
        deleted: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Make a location
    Create(Create),
    /// Change a location's name, country or time zone
    Update(Update),
    /// Refuse a location's keys until it is resumed
    Suspend(One),
    /// End a suspension
    Resume(One),
    /// Delete a location: its keys are refused at once, and for 30 days it can be restored
    Delete(One),
    /// Bring a deleted location back, with everything in it
    Restore(One),
}

#[derive(Args)]
pub(super) struct Common {
    /// Agency, where there are several
    #[arg(long)]
    agency_id: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Create {
    /// Name
    #[arg(long)]
    name: String,
    /// Country, ISO 3166-1 alpha-2
    #[arg(long, default_value = "US")]
    country: String,
    /// Time zone
    #[arg(long, default_value = "UTC")]
    timezone: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Update {
    /// Id of the location
    id: String,
    /// New name
    #[arg(long, required_unless_present_any = ["country", "timezone"])]
    name: Option<String>,
    /// New country, ISO 3166-1 alpha-2
    #[arg(long)]
    country: Option<String>,
    /// New time zone
    #[arg(long)]
    timezone: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct One {
    /// Id of the location
    id: String,
    #[command(flatten)]
    common: Common,
}

impl Locations {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        with_app(config, async |app| match self {
            Self::List { deleted, common } => list(app, deleted, &common).await,
            Self::Create(create) => create.run(app).await,
            Self::Update(update) => update.run(app).await,
            Self::Suspend(one) => one.set(app, TenantState::Suspended).await,
            Self::Resume(one) => one.set(app, TenantState::Active).await,
            Self::Delete(one) => one.set(app, TenantState::Deleted).await,
            Self::Restore(one) => one.restore(app).await,
        })
        .await
    }
}

fn shape(location: &Location) -> Value {
    json!({
        "id": location.id,
        "companyId": location.agency,
        "name": location.profile.name.as_str(),
        "country": location.profile.country.as_str(),
        "timezone": location.profile.timezone.as_str(),
        "state": location.state.as_str(),
        "deletedAt": location.deletion.map(|deletion| deletion.at),
    })
}

/// Locations read at a time.
const PAGE: i64 = 500;

async fn list(app: &App, deleted: bool, common: &Common) -> Result<(), Failure> {
    let context = operator(app, common.agency_id.as_deref()).await?;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let window = Window::after(after, PAGE);
        let filter = LocationFilter { deleted, ..LocationFilter::default() };
        let page = app.list_locations(context.authority(), filter, window).await?;
        after = page.next(Location::cursor);
        rows.extend(page.rows);
        if after.is_none() {
            break;
        }
    }
    if common.json {
        for location in &rows {
            output::json(&shape(location));
        }
        return Ok(());
    }
    let cells = rows
        .iter()
        .map(|location| {
            vec![location.id.to_string(), location.profile.name.to_string(), location.state.as_str().to_owned()]
        })
        .collect::<Vec<_>>();
    output::table(&["ID", "NAME", "STATE"], &cells);
    Ok(())
}

impl Create {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let mut profile = LocationProfile::named(valid("--name", TenantName::parse(&self.name))?);
        profile.country = valid("--country", Country::parse(&self.country))?;
        profile.timezone = valid("--timezone", TimeZoneName::parse(&self.timezone))?;
        let location = app.create_location(&context, profile).await?;
        if self.common.json {
            output::json(&shape(&location));
        } else {
            say!("{}", location.id);
        }
        Ok(())
    }
}

impl Update {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let id = valid("the id", parse_location(&self.id))?;
        let patch = LocationPatch {
            name: self.name.map(|name| valid("--name", TenantName::parse(&name))).transpose()?,
            country: self.country.map(|code| valid("--country", Country::parse(&code))).transpose()?,
            timezone: self.timezone.map(|zone| valid("--timezone", TimeZoneName::parse(&zone))).transpose()?,
            ..LocationPatch::default()
        };
        let location = app.update_location(&context, id, patch).await?;
        if self.common.json {
            output::json(&shape(&location));
        } else {
            say!("{id} is {}", location.profile.name);
        }
        Ok(())
    }
}

impl One {
    async fn restore(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let location = app.restore_location(&context, valid("the id", parse_location(&self.id))?).await?;
        if self.common.json {
            output::json(&shape(&location));
        } else {
            say!("{} is {}", location.id, location.state.as_str());
        }
        Ok(())
    }

    async fn set(self, app: &App, state: TenantState) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let id = valid("the id", parse_location(&self.id))?;
        app.set_location_state(&context, id, state).await?;
        if self.common.json {
            output::json(&json!({"id": id, "state": state.as_str()}));
        } else {
            say!("{id} is {}", state.as_str());
        }
        Ok(())
    }
}
