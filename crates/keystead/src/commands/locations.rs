//! `keystead locations …`.

use clap::{Args, Subcommand};
use keystead_api::{Words, v2::api_keys::parse_location};
use keystead_core::{AgencyContext, App};
use keystead_model::{
    Invalid, LocationId,
    agency::{TenantName, TenantState},
    location::{Location, LocationFilter},
    page::Window,
    text::{Country, TimeZoneName},
};
use serde_json::{Map, Value, json};

use super::{
    init::valid,
    nouns::{BodyOf, Taken, one, route},
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
    /// Change a location
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
    others: BodyOf<Made>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Update {
    /// Id of the location
    id: String,
    /// New name
    #[arg(long)]
    name: Option<String>,
    /// New country, ISO 3166-1 alpha-2
    #[arg(long)]
    country: Option<String>,
    /// New time zone
    #[arg(long)]
    timezone: Option<String>,
    #[command(flatten)]
    others: BodyOf<Changed>,
    #[command(flatten)]
    common: Common,
}

pub(super) struct Made;

impl Taken for Made {
    const ENDPOINT: &'static str = "POST /locations";
    const BESIDE: &'static [&'static str] = OWN;
}

pub(super) struct Changed;

impl Taken for Changed {
    const ENDPOINT: &'static str = "PUT /locations/{locationId}";
    const BESIDE: &'static [&'static str] = OWN;
}

/// What has an option of its own here, and the company, which is the agency that is chosen.
const OWN: &[&str] = &["name", "country", "timezone", "companyId"];

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

/// Adds what an option of its own says to what is said of a location, if it is one.
fn put<T>(
    body: &mut Map<String, Value>,
    name: &str,
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<(), Failure> {
    if let Some(text) = text {
        valid(&format!("--{name}"), parse(&text))?;
        body.insert(name.to_owned(), text.into());
    }
    Ok(())
}

/// What a route makes of a location that is said so.
async fn call<R: Taken>(
    app: &App,
    context: &AgencyContext,
    path: Vec<String>,
    body: Map<String, Value>,
) -> Result<Location, Failure> {
    let words = Words { path, body, ..Words::default() };
    let answer = route(R::ENDPOINT).call(app, context.authority().clone(), None, words).await?;
    let id = LocationId::parse(one(&answer)["id"].as_str().unwrap_or_default());
    let id = id.ok_or_else(|| Failure::new("the location is not answered"))?;
    Ok(app.get_location(context.authority(), id).await?)
}

impl Create {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let BodyOf(mut body, _) = self.others;
        put(&mut body, "name", Some(self.name), TenantName::parse)?;
        put(&mut body, "country", Some(self.country), Country::parse)?;
        put(&mut body, "timezone", Some(self.timezone), TimeZoneName::parse)?;
        let location = call::<Made>(app, &context, Vec::new(), body).await?;
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
        let BodyOf(mut body, _) = self.others;
        put(&mut body, "name", self.name, TenantName::parse)?;
        put(&mut body, "country", self.country, Country::parse)?;
        put(&mut body, "timezone", self.timezone, TimeZoneName::parse)?;
        if body.is_empty() {
            return Err(Failure::usage("says nothing to change; see keystead locations update --help"));
        }
        let location = call::<Changed>(app, &context, vec![id.to_string()], body).await?;
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
