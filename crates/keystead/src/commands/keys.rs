//! `keystead keys …`.

use std::{collections::BTreeSet, time::Duration};

use clap::{Args, Subcommand};
use keystead_api::v2::api_keys::{
    WantedKey, changed_shape, idle_within, in_state, parse_kind, parse_location, parse_old_ends, parse_preset,
    parse_rate_limit, receipt, shape, with_warnings,
};
use keystead_core::{AgencyContext, App, ChangedKey, CreatedKey, KeyFilter, Receipt, warning_of_namesakes};
use keystead_model::{
    KeyId, LocationId,
    api_key::{DEFAULT_OVERLAP, KeyAbout, KeyAboutPatch, KeyDescription, KeyLabels, KeyName, KeyPatch, parse_overlap},
    grant::Reach,
    ip_range::IpRanges,
    key_kind::KeyKind,
    origin::Origins,
    page::Window,
    scope::ScopeSet,
    text::EmailAddress,
    time::{DAY_MS, Moment},
};
use serde_json::{Value, json};

use super::{
    init::valid,
    operator,
    output::{self, note, say},
    with_app,
};
use crate::{config::Config, failure::Failure};

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make a key and show its secret once
    Create(Create),
    /// List keys
    List(List),
    /// Show a key
    Get(One),
    /// Change a key's name, scopes, addresses, locations, expiry or limit
    Update(Update),
    /// Give a key a new secret, cancel that, or finish it
    Rotate(Rotate),
    /// Switch a key off
    Deactivate(One),
    /// Switch a key on again
    Reactivate(One),
    /// Delete a key; it can be restored for 30 days
    Delete(One),
    /// Bring a deleted key back, with the same secret
    Restore(One),
    /// Restart a key's 90 days without a use
    Keep(One),
    /// Take from a key the scopes that it has not used in 30 days
    Reduce(One),
    /// Make a new key in place of a lost one
    Replace(Replace),
    /// List keys that are deleted soon unless they are used
    Idle(Idle),
    /// Look for keys in files and folders, without any server; ends with an error if there are some
    Scan(super::scan::Scan),
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
pub(super) struct One {
    /// Public id of the key: the second part of its text
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Create {
    /// agency or location
    #[arg(long)]
    kind: String,
    /// Location of a location key
    #[arg(long)]
    location_id: Option<String>,
    /// Descriptive name
    #[arg(long)]
    name: String,
    /// full-access, read-only, forms-intake, workflow-automation or integration
    #[arg(long, conflicts_with = "scopes", required_unless_present = "scopes")]
    preset: Option<String>,
    /// Scopes, separated by commas
    #[arg(long, value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// What the key is for
    #[arg(long)]
    description: Option<String>,
    /// Words to find it by, separated by commas
    #[arg(long, value_delimiter = ',')]
    labels: Vec<String>,
    /// Who hears of it by mail, besides the admins
    #[arg(long, value_name = "ADDRESS")]
    contact_email: Option<String>,
    /// Addresses or CIDR ranges that it may be used from, separated by commas
    #[arg(long, value_delimiter = ',')]
    allowed_ips: Vec<String>,
    /// Sites whose pages may use it in browsers, as https://shop.example.com, separated by commas
    #[arg(long, value_delimiter = ',')]
    allowed_origins: Vec<String>,
    /// Locations that an agency key may act in, separated by commas
    #[arg(long, value_delimiter = ',')]
    allowed_locations: Option<Vec<String>>,
    /// When it ends: a day (its end), or a time, in the location's zone unless it names another; without this it ends only when
    /// it is unused for 90 days
    #[arg(long, value_name = "DAY|TIME")]
    expires_at: Option<String>,
    /// Requests per 10 seconds; without this as many as the instance allows
    #[arg(long, value_name = "N")]
    key_rate_limit: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct List {
    /// agency or location
    #[arg(long)]
    kind: Option<String>,
    /// Keys of one location
    #[arg(long)]
    location_id: Option<String>,
    /// Keys in a state: active, deactivated, expired, deleted or suspended (with their location or agency); without it all
    /// that are not deleted
    #[arg(long)]
    state: Option<String>,
    /// Deleted keys instead: the same as --state deleted
    #[arg(long, conflicts_with = "state")]
    deleted: bool,
    /// Keys with this in their names, ids, last four or masked forms, as the app finds them
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// At most so many, newest first
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Update {
    /// Public id of the key
    id: String,
    /// New name
    #[arg(long)]
    name: Option<String>,
    /// New description; an empty text takes it away
    #[arg(long)]
    description: Option<String>,
    /// New labels, separated by commas; an empty text takes them away
    #[arg(long, value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// New address that hears of it by mail; an empty text takes it away
    #[arg(long, value_name = "ADDRESS")]
    contact_email: Option<String>,
    /// New scopes, separated by commas
    #[arg(long, value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// New addresses or ranges, separated by commas; an empty text allows all
    #[arg(long, value_delimiter = ',')]
    allowed_ips: Option<Vec<String>>,
    /// New sites whose pages may use it, separated by commas; an empty text takes them away
    #[arg(long, value_delimiter = ',')]
    allowed_origins: Option<Vec<String>>,
    /// New locations of an agency key, separated by commas, or all
    #[arg(long, value_delimiter = ',')]
    allowed_locations: Option<Vec<String>>,
    /// New expiry, or never
    #[arg(long, value_name = "DAY|TIME|never")]
    expires_at: Option<String>,
    /// New limit of requests per 10 seconds, or default
    #[arg(long, value_name = "N")]
    key_rate_limit: Option<String>,
    /// The key's version; if it has another by now, nothing is changed
    #[arg(long)]
    version: Option<i64>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Rotate {
    /// Public id of the key
    id: String,
    /// How long the old secret goes on: PT0S to P30D
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["cancel", "finish"])]
    overlap: Option<String>,
    /// The key's version, needed while a rotation is running
    #[arg(long, conflicts_with_all = ["cancel", "finish"])]
    version: Option<i64>,
    /// Take a running rotation back
    #[arg(long, conflicts_with = "finish")]
    cancel: bool,
    /// End the old secret of a running rotation now
    #[arg(long)]
    finish: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Replace {
    /// Public id of the lost key
    id: String,
    /// When the lost key stops: now, or first_use of the new one
    #[arg(long, default_value = "now")]
    old_ends: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Idle {
    /// Time within which the deletion is due: days, or a duration such as P2W or PT36H; at most 91 days
    #[arg(long, default_value = "15", value_name = "DAYS|DURATION", value_parser = within, allow_negative_numbers = true)]
    within: i64,
    #[command(flatten)]
    common: Common,
}

/// Days, or what the API takes, in milliseconds.
fn within(text: &str) -> Result<i64, String> {
    let days = text.trim().parse().ok().filter(|days| (0..=91).contains(days)).map(|days: i64| days * DAY_MS);
    days.map_or_else(|| idle_within(text), Ok).map_err(|_| {
        "must be a number of days from 0 to 91, or an ISO 8601 duration such as P15D, P2W or PT36H".to_owned()
    })
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.trim().parse().ok().filter(|count| *count > 0).ok_or_else(|| "must be a number, from 1 on".to_owned())
}

fn id(text: &str) -> Result<KeyId, Failure> {
    KeyId::parse(text)
        .ok_or_else(|| Failure::usage("that is no key's id; it has 12 letters and digits, as in ks_location_<id>_…"))
}

fn moment(text: &str) -> Result<Moment, Failure> {
    valid("--expires-at", Moment::parse(text))
}

fn rate_limit(text: &str) -> Result<u32, Failure> {
    valid("--key-rate-limit", parse_rate_limit(text))
}

fn labels(texts: &[String]) -> Result<KeyLabels, Failure> {
    valid("--labels", KeyLabels::parse(texts.iter().map(String::as_str)))
}

fn contact(text: &str) -> Result<EmailAddress, Failure> {
    valid("--contact-email", EmailAddress::parse(text))
}

/// What is changed, or taken away by an empty text.
fn cleared<T>(
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, Failure>,
) -> Result<Option<Option<T>>, Failure> {
    match text.map(str::trim) {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) => parse(text).map(|read| Some(Some(read))),
    }
}

fn ranges(texts: &[String]) -> Result<IpRanges, Failure> {
    valid("--allowed-ips", IpRanges::parse(texts.iter().map(String::as_str)))
}

fn origins(texts: &[String]) -> Result<Origins, Failure> {
    valid("--allowed-origins", Origins::parse(texts.iter().map(String::as_str)))
}

fn chosen(texts: &[String]) -> Result<BTreeSet<LocationId>, Failure> {
    texts.iter().map(|text| valid("--allowed-locations", parse_location(text))).collect()
}

impl Keys {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        if let Self::Scan(scan) = self {
            return scan.run();
        }
        with_app(config, async |app| match self {
            Self::Scan(_) => Ok(()),
            Self::Create(create) => create.run(app).await,
            Self::List(list) => list.run(app).await,
            Self::Get(one) => {
                let context = operator(app, one.common.agency_id.as_deref()).await?;
                let key = app.get_key(context.authority(), id(&one.id)?).await?;
                show(&one.common, json!({"apiKey": shape(app, &key)}));
                Ok(())
            }
            Self::Update(update) => update.run(app).await,
            Self::Rotate(rotate) => rotate.run(app).await,
            Self::Deactivate(one) => {
                one.change(app, async |context, id| app.deactivate_key(context.authority(), id).await).await
            }
            Self::Reactivate(one) => {
                one.change(app, async |context, id| app.reactivate_key(context.authority(), id).await).await
            }
            Self::Delete(one) => {
                one.change(app, async |context, id| app.delete_key(context.authority(), id).await).await
            }
            Self::Restore(one) => {
                one.change(app, async |context, id| app.restore_key(context.authority(), id).await).await
            }
            Self::Keep(one) => one.change(app, async |context, id| app.keep_key(context.authority(), id).await).await,
            Self::Reduce(one) => {
                one.change(app, async |context, id| app.reduce_key(context.authority(), id).await).await
            }
            Self::Replace(replace) => replace.run(app).await,
            Self::Idle(idle) => idle.run(app).await,
        })
        .await
    }
}

impl One {
    async fn change(
        self,
        app: &App,
        operation: impl AsyncFnOnce(&AgencyContext, KeyId) -> keystead_core::Result<ChangedKey>,
    ) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let done = operation(&context, id(&self.id)?).await?;
        show_changed(app, &self.common, &done)
    }
}

impl Create {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let wanted = WantedKey {
            name: Some(valid("--name", KeyName::parse(&self.name))?),
            kind: Some(valid("--kind", parse_kind(&self.kind))?),
            location: self
                .location_id
                .as_deref()
                .map(|text| valid("--location-id", parse_location(text)))
                .transpose()?,
            scopes: self.scopes,
            preset: self.preset.as_deref().map(|text| valid("--preset", parse_preset(text))).transpose()?,
            about: KeyAbout {
                description: self
                    .description
                    .as_deref()
                    .map(|text| valid("--description", KeyDescription::parse(text)))
                    .transpose()?,
                labels: labels(&self.labels)?,
                contact: self.contact_email.as_deref().map(contact).transpose()?,
            },
            allowed_locations: self.allowed_locations.as_deref().map(chosen).transpose()?,
            allowed_ips: Some(ranges(&self.allowed_ips)?),
            expires_at: self.expires_at.as_deref().map(moment).transpose()?,
            rate_limit: self.key_rate_limit.as_deref().map(rate_limit).transpose()?,
            allowed_origins: Some(origins(&self.allowed_origins)?),
        };
        let made = app.create_key(context.authority(), wanted.into_new(app, context.authority()).await?).await?;
        show_created(app, &self.common, &made)
    }
}

impl List {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let state = if self.deleted { Some("deleted") } else { self.state.as_deref() };
        let filter = KeyFilter {
            kind: self.kind.as_deref().map(|text| valid("--kind", parse_kind(text))).transpose()?,
            locations: self
                .location_id
                .as_deref()
                .map(|text| valid("--location-id", parse_location(text)).map(|location| vec![location]))
                .transpose()?,
            query: self.query,
            ..state.map(|state| valid("--state", in_state(state, app.now()))).transpose()?.unwrap_or_default()
        };
        let mut table = output::Table::new(&["NAME", "KIND", "LOCATION", "KEY", "STATE", "LAST USED", "CREATED"]);
        let cells = |row: &Value| {
            ["name", "kind", "locationId", "maskedKey", "state", "lastUsedAt", "createdAt"]
                .map(|name| cell(row, name))
                .to_vec()
        };
        each_page(app, &context, filter, self.limit.unwrap_or(usize::MAX), |rows| {
            if self.common.json {
                rows.iter().for_each(output::json);
            } else {
                table.add(&rows.iter().map(cells).collect::<Vec<_>>());
            }
        })
        .await?;
        if !self.common.json {
            table.add(&[]);
        }
        Ok(())
    }
}

/// A cell of a key's row: keys of a suspended tenant are refused, whatever their own state.
fn cell(row: &Value, name: &str) -> String {
    match name {
        "state" if row["state"] == "active" && row["suspended"] == true => "suspended".to_owned(),
        _ => output::cell(row, name),
    }
}

/// Keys read at a time.
const PAGE: i64 = 500;

/// At most `limit` of the keys that a filter finds, as on the wire, page by page.
async fn each_page(
    app: &App,
    context: &AgencyContext,
    filter: KeyFilter,
    limit: usize,
    mut take: impl FnMut(&[Value]),
) -> Result<(), Failure> {
    let mut after = None;
    let mut left = limit;
    while left > 0 {
        let window = Window::after(after, PAGE.min(left.try_into().unwrap_or(PAGE)));
        let page = app.list_keys(context.authority(), filter.clone(), window).await?;
        after = page.next(|last| (last.created_at, last.id));
        left = if after.is_some() { left - page.rows.len() } else { 0 };
        take(&page.rows.iter().map(|key| json!(shape(app, key))).collect::<Vec<_>>());
    }
    Ok(())
}

impl Replace {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let ends = valid("--old-ends", parse_old_ends(&self.old_ends))?;
        let replaced = app.replace_key(context.authority(), id(&self.id)?, ends).await?;
        show_created(app, &self.common, &replaced.made)
    }
}

impl Idle {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let deletes_before = Some(app.service_now().plus(self.within));
        let filter = KeyFilter { deletes_before, ..KeyFilter::default() };
        let deletes_at = |row: &Value| output::cell(&row["inactivity"], "deletesAt");
        let cells = |row: &Value| {
            let [name, key, state, used] =
                ["name", "maskedKey", "state", "lastUsedAt"].map(|name| output::cell(row, name));
            vec![name, key, state, used, deletes_at(row)]
        };
        // Sorted as a whole, so only what is printed of each is kept.
        let (mut lines, mut rows) = (Vec::new(), Vec::new());
        each_page(app, &context, filter, usize::MAX, |page| {
            if self.common.json {
                lines.extend(page.iter().map(|row| (deletes_at(row), row.to_string())));
            } else {
                rows.extend(page.iter().map(cells));
            }
        })
        .await?;
        if self.common.json {
            lines.sort();
            for (_, line) in lines {
                say!("{line}");
            }
            return Ok(());
        }
        rows.sort_by(|one, other| one.last().cmp(&other.last()));
        output::table(&["NAME", "KEY", "STATE", "LAST USED", "NOT DELETED BEFORE"], &rows);
        if app.deletions_are_paused() {
            note!("Deletions are paused: none of these is deleted until they go on, and then as much later.");
        }
        Ok(())
    }
}

impl Update {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let id = id(&self.id)?;
        let known = app.get_key(context.authority(), id).await?;
        let scopes = self
            .scopes
            .as_deref()
            .map(|names| valid("--scopes", ScopeSet::parse(names.iter().map(String::as_str), known.kind())))
            .transpose()?;
        let reach = match self.allowed_locations.as_deref() {
            Some(_) if known.kind() == KeyKind::Location => {
                return Err(Failure::usage("--allowed-locations belongs to agency keys"));
            }
            Some([all]) if all == "all" => Some(Reach::Agency),
            Some(texts) => Some(Reach::Chosen(chosen(texts)?)),
            None => None,
        };
        let about = KeyAboutPatch {
            description: cleared(self.description.as_deref(), |text| {
                valid("--description", KeyDescription::parse(text))
            })?,
            labels: self.labels.as_deref().map(labels).transpose()?,
            contact: cleared(self.contact_email.as_deref(), contact)?,
        };
        let expires_at = match self.expires_at.as_deref() {
            Some("never") => Some(None),
            Some(text) => {
                let zone = app.zone_of(context.authority(), &known.grant.reach).await?;
                Some(Some(moment(text)?.last(&zone)))
            }
            None => None,
        };
        let rate_limit = match self.key_rate_limit.as_deref() {
            Some("default") => Some(None),
            Some(text) => Some(Some(rate_limit(text)?)),
            None => None,
        };
        let patch = KeyPatch {
            name: self.name.as_deref().map(|text| valid("--name", KeyName::parse(text))).transpose()?,
            about,
            scopes,
            reach,
            allowed_ips: self.allowed_ips.as_deref().map(ranges).transpose()?,
            expires_at,
            rate_limit,
            allowed_origins: self.allowed_origins.as_deref().map(origins).transpose()?,
        };
        let done = app.update_key(context.authority(), id, self.version, patch).await?;
        show_changed(app, &self.common, &done)
    }
}

impl Rotate {
    async fn run(self, app: &App) -> Result<(), Failure> {
        let context = operator(app, self.common.agency_id.as_deref()).await?;
        let id = id(&self.id)?;
        if self.cancel {
            show_changed(app, &self.common, &app.cancel_key_rotation(context.authority(), id).await?)
        } else if self.finish {
            show_changed(app, &self.common, &app.finish_key_rotation(context.authority(), id).await?)
        } else {
            let overlap: Duration = match self.overlap.as_deref() {
                Some(text) => valid("--overlap", parse_overlap(text))?,
                None => DEFAULT_OVERLAP,
            };
            let made = app.rotate_key(context.authority(), id, self.version, overlap).await?;
            show_created(app, &self.common, &made)
        }
    }
}

fn show(common: &Common, answer: Value) {
    if common.json {
        output::json(&answer);
        return;
    }
    let Value::Object(key) = &answer["apiKey"] else { return };
    let rows: Vec<Vec<String>> = key
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| vec![name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)])
        .collect();
    output::table(&["FIELD", "VALUE"], &rows);
}

fn show_changed(app: &App, common: &Common, done: &ChangedKey) -> Result<(), Failure> {
    show(common, changed_shape(app, done));
    warn(common, done.namesakes);
    journaled(&done.receipt)
}

/// A change that holds, but that a restore would undo, is one that somebody should look at.
fn journaled(receipt: &Receipt) -> Result<(), Failure> {
    if receipt.is_journaled {
        return Ok(());
    }
    Err(Failure::found(
        "this is done, but it could not be noted in the journal of revocations: until that can be written (see keystead \
         doctor), the restore of an older backup would undo it",
    ))
}

/// For people; programs read it in the answer.
fn warn(common: &Common, namesakes: i64) {
    if let (false, Some(warning)) = (common.json, warning_of_namesakes(namesakes)) {
        note!("Warning: {warning}");
    }
}

fn show_created(app: &App, common: &Common, made: &CreatedKey) -> Result<(), Failure> {
    let secret = made.secret.as_ref().map_or("", |secret| secret.expose());
    if common.json {
        let answer = json!({
            "apiKey": shape(app, &made.key),
            "key": secret,
            "receipt": receipt(&made.receipt),
        });
        output::json(&with_warnings(answer, made.namesakes));
    } else {
        say!("{secret}");
        note!("Store it now: it cannot be shown again. Key {} “{}”.", made.key.id, made.key.name);
        warn(common, made.namesakes);
    }
    journaled(&made.receipt)
}
