//! Settings > API keys: the pages that the product is named for.

use std::collections::HashMap;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use keystead_core::{CreatedKey, Error, KeyFilter, KeyQuery, Replay, error::Noun};
use keystead_model::{
    KeyId, LocationId, UserId, UtcMs,
    actor::Actor,
    api_key::{ApiKey, DeleteReason, KeyDescription, KeyKind, KeyName, KeyPatch, KeyState, NewKey, parse_overlap},
    audit::AuditRow,
    grant::{Grant, Reach},
    ip_range::IpRanges,
    scope::{Preset, Scope, ScopeSet},
    time::DAY_MS,
};
use serde::Deserialize;

use crate::{
    Web,
    failure::Failure,
    form::{Fields, Problems},
    page::{Frame, render, render_with},
    place::Here,
    show,
};

/// What a status means, in words and in colour.
pub(crate) struct Status {
    pub(crate) text: String,
    pub(crate) class: &'static str,
}

/// A key in a list.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) place: String,
    pub(crate) access: String,
    pub(crate) masked: String,
    pub(crate) used: String,
    pub(crate) used_exactly: String,
    pub(crate) used_for: String,
    pub(crate) status: Status,
    pub(crate) creator: String,
    pub(crate) created: String,
}

/// The preset that has exactly these scopes, else their number.
fn access(key: &ApiKey) -> String {
    let scopes = key.grant.scopes;
    match Preset::ALL.iter().find(|preset| preset.scopes(key.kind()) == scopes) {
        Some(preset) => preset.title().to_owned(),
        None => format!("{} scope{}", scopes.len(), if scopes.len() == 1 { "" } else { "s" }),
    }
}

fn status(web: &Web, key: &ApiKey, now: UtcMs) -> Status {
    let status = |text: String, class| Status { text, class };
    match &key.state {
        KeyState::Deleted { at, reason: DeleteReason::Inactive, .. } => {
            status(format!("Deleted {}, unused for 90 days", show::day(*at)), "off")
        }
        KeyState::Deleted { at, .. } => status(format!("Deleted {}", show::day(*at)), "off"),
        KeyState::Deactivated { at, .. } => status(format!("Deactivated {}", show::day(*at)), "off"),
        KeyState::Active => {
            let deletes_at = web.app.to_utc(key.inactivity.deletes_at, now);
            if key.grant.expires_at.is_some_and(|at| at <= now) {
                status("Expired".to_owned(), "bad")
            } else if let Some(previous) = key.overlap(now) {
                status(format!("Rotating, old secret ends {}", show::until(previous.retires_at, now)), "warn")
            } else if deletes_at - now < 15 * DAY_MS {
                status(format!("Idle, deletes {}", show::until(deletes_at, now)), "warn")
            } else {
                status("Active".to_owned(), "good")
            }
        }
    }
}

fn creator(actor: Actor, names: &HashMap<UserId, String>) -> String {
    match actor {
        Actor::User(id) => names.get(&id).cloned().unwrap_or_else(|| "A former member".to_owned()),
        Actor::Key(id) => format!("Key {id}"),
        Actor::Operator => "Operator".to_owned(),
        Actor::System => "Keystead".to_owned(),
    }
}

/// Keys as rows of a list.
pub(crate) async fn rows(web: &Web, here: &Here, keys: &[ApiKey]) -> Result<Vec<Row>, Error> {
    let now = web.app.now();
    let names = web.app.user_names(here.authority()).await?;
    let place = |key: &ApiKey| match &key.grant.reach {
        Reach::Agency => "All locations".to_owned(),
        Reach::Chosen(set) => format!("{} chosen location{}", set.len(), if set.len() == 1 { "" } else { "s" }),
        Reach::Locations(set) => {
            let known = here.locations().iter().find(|location| set.contains(&location.id));
            known.map_or_else(
                || set.first().map(LocationId::to_string).unwrap_or_default(),
                |location| location.profile.name.to_string(),
            )
        }
    };
    Ok(keys
        .iter()
        .map(|key| Row {
            name: key.name.to_string(),
            url: here.url(&format!("/settings/keys/{}", key.id)),
            place: place(key),
            access: access(key),
            masked: key.masked(),
            used: key.last_use.as_ref().map_or_else(|| "Never used".to_owned(), |last| show::ago(last.at, now)),
            used_exactly: key.last_use.as_ref().map(|last| show::instant(last.at)).unwrap_or_default(),
            used_for: key.last_use.as_ref().map(|last| format!("{} · {}", last.ip, last.endpoint)).unwrap_or_default(),
            status: status(web, key, now),
            creator: creator(key.created_by, &names),
            created: show::day(key.created_at),
        })
        .collect())
}

struct Tab {
    title: &'static str,
    url: String,
    count: i64,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "api_keys/list.html")]
struct List {
    frame: Frame,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    query: String,
    tab: &'static str,
    next_url: Option<String>,
    new_url: String,
    may_create: bool,
    is_deleted_tab: bool,
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    tab: Option<String>,
    q: Option<String>,
    after: Option<String>,
}

const PAGE: i64 = 50;

fn filter_of(here: &Here, tab: &str) -> KeyFilter {
    let own = here.location.as_ref().map(|location| vec![location.id]);
    let kind = match (tab, &here.location) {
        ("agency", None) => Some(KeyKind::Agency),
        ("deleted", None) => None,
        _ => Some(KeyKind::Location),
    };
    KeyFilter { kind, locations: own, deleted: tab == "deleted", ..KeyFilter::default() }
}

pub(crate) async fn list(
    State(web): State<Web>,
    Query(query): Query<ListQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let titles: &[(&'static str, &'static str)] = match &here.location {
        None => &[("agency", "Agency keys"), ("location", "Location keys"), ("deleted", "Deleted")],
        Some(_) => &[("location", "Location keys"), ("deleted", "Deleted")],
    };
    let wanted = query.tab.as_deref().unwrap_or("location");
    let tab = titles.iter().map(|(name, _)| *name).find(|name| *name == wanted).unwrap_or("location");
    let mut tabs = Vec::new();
    for (name, title) in titles {
        let count = KeyQuery { filter: filter_of(&here, name), after: None, limit: 1 };
        let (_, count) = web.app.list_keys(here.authority(), count).await?;
        tabs.push(Tab { title, url: here.url(&format!("/settings/keys?tab={name}")), count, is_here: *name == tab });
    }
    let text = query.q.unwrap_or_default();
    let searched = text.trim().to_owned();
    let filter = KeyFilter { query: (!searched.is_empty()).then_some(searched), ..filter_of(&here, tab) };
    let after = query.after.as_deref().and_then(|cursor| {
        let (at, id) = cursor.split_once('.')?;
        Some((UtcMs(at.parse().ok()?), KeyId::parse(id)?))
    });
    let (keys, _) = web.app.list_keys(here.authority(), KeyQuery { filter, after, limit: PAGE }).await?;
    let next_url = keys.last().filter(|_| keys.len() as i64 == PAGE).map(|last| {
        let text = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        here.url(&format!("/settings/keys?tab={tab}&q={text}&after={}.{}", last.created_at.0, last.id))
    });
    let page = List {
        frame: Frame::of(&here, "API keys", "keys"),
        rows: rows(&web, &here, &keys).await?,
        tabs,
        query: text,
        tab,
        next_url,
        new_url: here.url("/settings/keys/new"),
        may_create: here.authority().grant().allows(Scope::KeysWrite),
        is_deleted_tab: tab == "deleted",
    };
    Ok(render(&page))
}

/// A scope to tick.
struct ScopeChoice {
    scope: Scope,
    chosen: bool,
    agency_only: bool,
}

struct PresetChoice {
    preset: Preset,
    chosen: bool,
}

struct LocationChoice {
    id: LocationId,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "api_keys/create.html")]
struct Create {
    frame: Frame,
    form_id: String,
    fields: Fields,
    problems: Problems,
    is_agency: bool,
    kind: String,
    presets: Vec<PresetChoice>,
    custom: bool,
    scopes: Vec<ScopeChoice>,
    locations: Vec<LocationChoice>,
    needs_password: bool,
    is_first: bool,
    address: String,
    address_is_private: bool,
    list_url: String,
}

fn scope_choices(chosen: ScopeSet) -> Vec<ScopeChoice> {
    Scope::ALL
        .iter()
        .map(|scope| ScopeChoice {
            scope: *scope,
            chosen: chosen.contains(*scope),
            agency_only: !scope.suits(KeyKind::Location),
        })
        .collect()
}

fn is_private(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

fn create_page(web: &Web, here: &Here, fields: Fields, problems: Problems, is_first: bool) -> Create {
    let preset = fields.text("preset").unwrap_or("integration");
    let chosen = fields.all("scope").into_iter().filter_map(Scope::parse).collect();
    let location = fields.text("location").and_then(LocationId::parse);
    Create {
        frame: Frame::of(here, "Create a key", "keys"),
        form_id: web.app.entropy().token(),
        is_agency: here.location.is_none(),
        kind: fields.text("kind").unwrap_or("location").to_owned(),
        presets: Preset::ALL
            .iter()
            .map(|known| PresetChoice { preset: *known, chosen: known.as_str() == preset })
            .collect(),
        custom: preset == "custom",
        scopes: scope_choices(chosen),
        locations: here
            .locations()
            .iter()
            .map(|known| LocationChoice {
                id: known.id,
                name: known.profile.name.to_string(),
                chosen: Some(known.id) == location,
            })
            .collect(),
        needs_password: !here.authority().is_fresh(),
        is_first,
        address: here.visitor.arrival.address.to_string(),
        address_is_private: is_private(here.visitor.arrival.address),
        list_url: here.url("/settings/keys"),
        fields,
        problems,
    }
}

#[derive(Deserialize)]
pub(crate) struct NewQuery {
    preset: Option<String>,
    kind: Option<String>,
    first: Option<String>,
}

pub(crate) async fn new(
    State(web): State<Web>,
    Query(query): Query<NewQuery>,
    here: Here,
) -> Result<Response, Failure> {
    here.authority().require(Scope::KeysWrite)?;
    let mut pairs = Vec::new();
    pairs.extend(query.preset.map(|preset| ("preset".to_owned(), preset)));
    pairs.extend(query.kind.map(|kind| ("kind".to_owned(), kind)));
    Ok(render(&create_page(&web, &here, pairs.into(), Problems::default(), query.first.is_some())))
}

fn read_new(here: &Here, fields: &Fields, problems: &mut Problems) -> Option<NewKey> {
    let name = problems.required("name", fields.text("name"), KeyName::parse);
    let description = problems.optional("description", fields.text("description"), KeyDescription::parse);
    let kind = match &here.location {
        Some(_) => KeyKind::Location,
        None => fields.text("kind").and_then(KeyKind::parse).unwrap_or(KeyKind::Location),
    };
    let reach = match (&here.location, kind) {
        (Some(location), _) => Some(Reach::location(location.id)),
        (None, KeyKind::Agency) => Some(Reach::Agency),
        (None, KeyKind::Location) => match fields.text("location").and_then(LocationId::parse) {
            Some(location) => Some(Reach::location(location)),
            None => {
                problems.add("location", "choose the location that the key acts in");
                None
            }
        },
    };
    let scopes = match fields.text("preset") {
        Some("custom") => ScopeSet::parse(fields.all("scope"), kind).unwrap_or_else(|problem| {
            problems.add("scope", problem.0);
            ScopeSet::EMPTY
        }),
        other => other.and_then(Preset::parse).map_or(ScopeSet::EMPTY, |preset| preset.scopes(kind)),
    };
    if scopes.is_empty() {
        problems.add("scope", "choose what the key may do");
    }
    let allowed_ips = problems.optional("allowed_ips", fields.text("allowed_ips"), read_ips).unwrap_or_default();
    let expires_at = problems.optional("expires_at", fields.text("expires_at"), read_day);
    let grant = Grant { agency: here.authority().agency(), reach: reach?, scopes, allowed_ips, expires_at };
    problems.is_empty().then_some(NewKey { name: name?, description, grant, rate_limit: None })
}

fn read_ips(text: &str) -> Result<IpRanges, keystead_model::Invalid> {
    IpRanges::parse(text.split([',', ' ', '\n', '\r', '\t']))
}

fn read_day(text: &str) -> Result<UtcMs, keystead_model::Invalid> {
    UtcMs::parse_iso(text).ok_or_else(|| keystead_model::Invalid::new("must be a day, such as 2027-01-31"))
}

#[derive(Template)]
#[template(path = "api_keys/reveal.html")]
struct Reveal {
    frame: Frame,
    name: String,
    about: String,
    secret: String,
    env: String,
    snippets: Vec<Snippet>,
    poll_url: String,
    key_url: String,
    rotated: bool,
}

struct Snippet {
    id: &'static str,
    title: &'static str,
    code: String,
}

#[derive(Template)]
#[template(path = "api_keys/shown.html")]
struct AlreadyShown {
    frame: Frame,
    key_url: String,
    rotate_url: String,
}

fn snippets(base: &str, key: &str) -> Vec<Snippet> {
    let snippet = |id, title, code| Snippet { id, title, code };
    vec![
        snippet("curl", "curl", format!("curl {base}/api-keys/self \\\n  -H \"Authorization: Bearer {key}\"")),
        snippet(
            "javascript",
            "JavaScript",
            format!(
                "const {{ HighLevel }} = require('@gohighlevel/api-client');\nHighLevel.BASE_URL = '{base}';\nconst client = new HighLevel({{ privateIntegrationToken: '{key}' }});"
            ),
        ),
        snippet(
            "python",
            "Python",
            format!(
                "import urllib.request\n\nrequest = urllib.request.Request(\"{base}/api-keys/self\",\n    headers={{\"Authorization\": \"Bearer {key}\"}})\nprint(urllib.request.urlopen(request).read().decode())"
            ),
        ),
        snippet(
            "rust",
            "Rust",
            format!(
                "let answer = reqwest::Client::new()\n    .get(\"{base}/api-keys/self\")\n    .bearer_auth(\"{key}\")\n    .send()\n    .await?;"
            ),
        ),
    ]
}

fn reveal(web: &Web, here: &Here, made: &CreatedKey, rotated: bool) -> Response {
    let secret = made.secret.expose();
    let id = made.key.id;
    let variable: String = made
        .key
        .name
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    let kind = match made.key.kind() {
        KeyKind::Agency => "Agency key".to_owned(),
        KeyKind::Location => "Location key".to_owned(),
    };
    let page = Reveal {
        frame: Frame::of(here, "Store your key", "keys"),
        name: made.key.name.to_string(),
        about: format!("{kind} · {}", access(&made.key)),
        secret: secret.to_owned(),
        env: format!(
            "# {}\nKEYSTEAD_URL={}\n{}_KEY={secret}\n",
            made.key.name,
            web.base_url,
            variable.trim_matches('_')
        ),
        snippets: snippets(&web.base_url, secret),
        poll_url: here.url(&format!("/settings/keys/{id}/first-call")),
        key_url: here.url(&format!("/settings/keys/{id}")),
        rotated,
    };
    render(&page)
}

/// Runs what makes a secret once for each form that was sent: a form that is sent again shows no secret.
async fn once(
    web: &Web,
    here: &Here,
    fields: &Fields,
    route: &str,
) -> Result<Result<keystead_core::Authority, Response>, Failure> {
    let form_id = fields.text("form_id").unwrap_or("none");
    let arrival = &here.visitor.arrival;
    match web.app.begin_idempotent(here.authority(), route, form_id, form_id.as_bytes(), arrival.id).await? {
        Replay::New(claim) => Ok(Ok(here.authority().clone().with_claim(claim))),
        Replay::Answered(_, id) => {
            let key_url = here.url(&format!("/settings/keys/{id}"));
            let page = AlreadyShown {
                frame: Frame::of(here, "Already shown", "keys"),
                rotate_url: format!("{key_url}/rotate"),
                key_url,
            };
            Ok(Err(render(&page)))
        }
    }
}

async fn remember(web: &Web, authority: &keystead_core::Authority, id: KeyId) -> Result<(), Error> {
    match authority.claim() {
        Some(claim) => web.app.finish_idempotent(claim, 200, id.as_str()).await,
        None => Ok(()),
    }
}

pub(crate) async fn create(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let new = read_new(&here, &fields, &mut problems);
    confirm(&web, &mut here, &fields, &mut problems).await?;
    if let (Some(new), true) = (new, problems.is_empty()) {
        let authority = match once(&web, &here, &fields, "app create key").await? {
            Ok(authority) => authority,
            Err(already) => return Ok(already),
        };
        match web.app.create_key(&authority, new).await {
            Ok(made) => {
                remember(&web, &authority, made.key.id).await?;
                return Ok(reveal(&web, &here, &made, false));
            }
            Err(error) => problems.take(error)?,
        }
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &create_page(&web, &here, fields, problems, false)))
}

async fn confirm(web: &Web, here: &mut Here, fields: &Fields, problems: &mut Problems) -> Result<(), Error> {
    if problems.is_empty() && !here.visitor.confirm(web, fields.raw("confirm_password")).await? {
        problems
            .add("confirm_password", "is not your password; it is asked again for what gives a program more authority");
    }
    Ok(())
}

async fn wanted(web: &Web, here: &Here) -> Result<ApiKey, Failure> {
    let text = here.visitor.param("id");
    let missing = || Error::NotFound(Noun::Key, text.to_owned());
    let key = web.app.get_key(here.authority(), KeyId::parse(text).ok_or_else(missing)?).await?;
    let is_here = match (&here.location, &key.grant.reach) {
        (None, _) => true,
        (Some(location), Reach::Locations(set)) => set.contains(&location.id),
        (Some(_), Reach::Agency | Reach::Chosen(_)) => false,
    };
    if is_here { Ok(key) } else { Err(missing().into()) }
}

/// Whether the key was used since it was made, for the page that waits for its first call.
pub(crate) async fn first_call(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let used = key.current.last_used_at.is_some();
    let text =
        key.last_use.filter(|_| used).map(|last| format!("{} from {}", last.endpoint, last.ip)).unwrap_or_default();
    Ok(([(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// A row of the audit trail.
struct Trail {
    what: String,
    who: String,
    when: String,
    when_exactly: String,
    detail: String,
}

struct Rotation {
    previous_last_four: String,
    retires: String,
    retires_exactly: String,
    previous_used: String,
    new_is_used: bool,
}

#[derive(Template)]
#[template(path = "api_keys/show.html")]
struct Page {
    frame: Frame,
    row: Row,
    id: String,
    kind: &'static str,
    description: String,
    is_deleted: bool,
    is_active: bool,
    may_write: bool,
    used_by: String,
    addresses: Vec<String>,
    expires: String,
    deletes_exactly: String,
    deletes: String,
    scopes: Vec<ScopeChoice>,
    rotation: Option<Rotation>,
    trail: Vec<Trail>,
    needs_password: bool,
    problems: Problems,
    list_url: String,
    secret_created: String,
}

async fn key_page(web: &Web, here: &Here, key: &ApiKey, problems: Problems) -> Result<Page, Error> {
    let now = web.app.now();
    let names = web.app.user_names(here.authority()).await?;
    let changes = web.app.list_key_changes(here.authority(), key.id).await?;
    let row = rows(web, here, std::slice::from_ref(key)).await?.remove(0);
    let deletes_at = web.app.to_utc(key.inactivity.deletes_at, now);
    let trail = |change: &AuditRow| Trail {
        what: action(&change.action),
        who: creator(change.actor, &names),
        when: show::ago(change.at, now),
        when_exactly: show::instant(change.at),
        detail: change.ip.clone().map(|ip| format!("from {ip}")).unwrap_or_default(),
    };
    Ok(Page {
        frame: Frame::of(here, key.name.as_str(), "keys"),
        row,
        id: key.id.to_string(),
        kind: match key.kind() {
            KeyKind::Agency => "Agency key",
            KeyKind::Location => "Location key",
        },
        description: key.description.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default(),
        is_deleted: key.is_deleted(),
        is_active: key.state == KeyState::Active,
        may_write: here.authority().grant().allows(Scope::KeysWrite),
        used_by: key.last_use.as_ref().and_then(|last| last.user_agent.clone()).unwrap_or_default(),
        addresses: key.grant.allowed_ips.to_texts(),
        expires: key.grant.expires_at.map(show::instant).unwrap_or_default(),
        deletes_exactly: show::instant(deletes_at),
        deletes: show::until(deletes_at, now),
        scopes: scope_choices(key.grant.scopes).into_iter().filter(|choice| choice.scope.suits(key.kind())).collect(),
        rotation: key.overlap(now).map(|previous| Rotation {
            previous_last_four: previous.secret.last_four.clone(),
            retires: show::until(previous.retires_at, now),
            retires_exactly: show::instant(previous.retires_at),
            previous_used: previous.secret.last_used_at.map_or_else(|| "never".to_owned(), |at| show::ago(at, now)),
            new_is_used: key.current.last_used_at.is_some(),
        }),
        trail: changes.iter().map(trail).collect(),
        needs_password: !here.authority().is_fresh(),
        problems,
        list_url: here.url("/settings/keys"),
        secret_created: show::day(key.current.created_at),
    })
}

/// `api_key.rotation_cancelled` as people say it.
fn action(name: &str) -> String {
    let words = name.strip_prefix("api_key.").unwrap_or(name).replace(['_', '.'], " ");
    let mut characters = words.chars();
    characters.next().map(|first| first.to_uppercase().collect::<String>() + characters.as_str()).unwrap_or_default()
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&key_page(&web, &here, &key, Problems::default()).await?))
}

#[derive(Template)]
#[template(path = "api_keys/edit.html")]
struct Edit {
    frame: Frame,
    name: String,
    fields: Fields,
    problems: Problems,
    scopes: Vec<ScopeChoice>,
    needs_password: bool,
    version: i64,
    key_url: String,
}

fn edit_page(here: &Here, key: &ApiKey, fields: Fields, problems: Problems) -> Edit {
    let chosen: ScopeSet = fields.all("scope").into_iter().filter_map(Scope::parse).collect();
    Edit {
        frame: Frame::of(here, key.name.as_str(), "keys"),
        name: key.name.to_string(),
        scopes: scope_choices(chosen).into_iter().filter(|choice| choice.scope.suits(key.kind())).collect(),
        needs_password: !here.authority().is_fresh(),
        version: key.version,
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
        fields,
        problems,
    }
}

pub(crate) async fn edit(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let mut pairs = vec![
        ("name".to_owned(), key.name.to_string()),
        ("description".to_owned(), key.description.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()),
        ("allowed_ips".to_owned(), key.grant.allowed_ips.to_texts().join("\n")),
        ("expires_at".to_owned(), key.grant.expires_at.map(UtcMs::to_day).unwrap_or_default()),
    ];
    pairs.extend(key.grant.scopes.iter().map(|scope| ("scope".to_owned(), scope.as_str().to_owned())));
    Ok(render(&edit_page(&here, &key, pairs.into(), Problems::default())))
}

pub(crate) async fn update(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let name = problems.required("name", fields.text("name"), KeyName::parse);
    let description = problems.optional("description", fields.text("description"), KeyDescription::parse);
    let scopes = ScopeSet::parse(fields.all("scope"), key.kind()).unwrap_or_default();
    if scopes.is_empty() {
        problems.add("scope", "choose what the key may do");
    }
    let allowed_ips = problems.optional("allowed_ips", fields.text("allowed_ips"), read_ips).unwrap_or_default();
    let day = problems.optional("expires_at", fields.text("expires_at"), read_day);
    // The page shows a day; the same day again leaves the instant as it is.
    let same_day = day.is_some() && key.grant.expires_at.map(UtcMs::to_day) == day.map(UtcMs::to_day);
    let expires_at = if same_day { key.grant.expires_at } else { day };
    let wanted_grant = Grant { scopes, allowed_ips: allowed_ips.clone(), expires_at, ..key.grant.clone() };
    if wanted_grant.exceeds(&key.grant).is_some() {
        confirm(&web, &mut here, &fields, &mut problems).await?;
    }
    if problems.is_empty() {
        let patch = KeyPatch {
            name,
            description: Some(description),
            scopes: Some(scopes),
            reach: None,
            allowed_ips: Some(allowed_ips),
            expires_at: (expires_at != key.grant.expires_at).then_some(expires_at),
            rate_limit: None,
        };
        let version = fields.text("version").and_then(|version| version.parse().ok());
        match web.app.update_key(here.authority(), key.id, version, patch).await {
            Ok(_) => return Ok(Redirect::to(&here.url(&format!("/settings/keys/{}", key.id))).into_response()),
            Err(error) => problems.take(error)?,
        }
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &edit_page(&here, &key, fields, problems)))
}

#[derive(Template)]
#[template(path = "api_keys/rotate.html")]
struct RotateForm {
    frame: Frame,
    name: String,
    form_id: String,
    version: i64,
    is_rotating: bool,
    used: String,
    problems: Problems,
    needs_password: bool,
    key_url: String,
}

fn rotate_page(web: &Web, here: &Here, key: &ApiKey, problems: Problems) -> RotateForm {
    let now = web.app.now();
    RotateForm {
        frame: Frame::of(here, "Rotate", "keys"),
        name: key.name.to_string(),
        form_id: web.app.entropy().token(),
        version: key.version,
        is_rotating: key.overlap(now).is_some(),
        used: key.last_use.as_ref().map_or_else(
            || "It has never been used.".to_owned(),
            |last| format!("It was last used {}, from {}.", show::ago(last.at, now), last.ip),
        ),
        problems,
        needs_password: !here.authority().is_fresh(),
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

pub(crate) async fn rotate_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&rotate_page(&web, &here, &key, Problems::default())))
}

pub(crate) async fn rotate(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    let overlap = problems.required("overlap", fields.text("overlap"), parse_overlap);
    confirm(&web, &mut here, &fields, &mut problems).await?;
    if let (Some(overlap), true) = (overlap, problems.is_empty()) {
        let authority = match once(&web, &here, &fields, "app rotate key").await? {
            Ok(authority) => authority,
            Err(already) => return Ok(already),
        };
        let version = fields.text("version").and_then(|version| version.parse().ok());
        match web.app.rotate_key(&authority, key.id, version, overlap).await {
            Ok(made) => {
                remember(&web, &authority, made.key.id).await?;
                return Ok(reveal(&web, &here, &made, true));
            }
            Err(error) => problems.take(error)?,
        }
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &rotate_page(&web, &here, &key, problems)))
}

/// Shows the key again after a change, or with what stood in the way.
async fn after<T>(web: &Web, here: &Here, key: &ApiKey, outcome: Result<T, Error>) -> Result<Response, Failure> {
    match outcome {
        Ok(_) => Ok(Redirect::to(&here.url(&format!("/settings/keys/{}", key.id))).into_response()),
        Err(error) => {
            let mut problems = Problems::default();
            problems.take(error)?;
            Ok(render_with(StatusCode::CONFLICT, &key_page(web, here, key, problems).await?))
        }
    }
}

pub(crate) async fn deactivate(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let outcome = web.app.deactivate_key(here.authority(), key.id).await;
    after(&web, &here, &key, outcome).await
}

pub(crate) async fn reactivate(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    here.visitor.confirm(&web, Fields::from(pairs).raw("confirm_password")).await?;
    let outcome = web.app.reactivate_key(here.authority(), key.id).await;
    after(&web, &here, &key, outcome).await
}

pub(crate) async fn cancel_rotation(
    State(web): State<Web>,
    mut here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    here.visitor.confirm(&web, Fields::from(pairs).raw("confirm_password")).await?;
    let outcome = web.app.cancel_key_rotation(here.authority(), key.id).await;
    after(&web, &here, &key, outcome).await
}

pub(crate) async fn finish_rotation(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let outcome = web.app.finish_key_rotation(here.authority(), key.id).await;
    after(&web, &here, &key, outcome).await
}

#[derive(Template)]
#[template(path = "api_keys/delete.html")]
struct DeleteForm {
    frame: Frame,
    name: String,
    used: String,
    problems: Problems,
    key_url: String,
}

fn delete_page(web: &Web, here: &Here, key: &ApiKey, problems: Problems) -> DeleteForm {
    let now = web.app.now();
    DeleteForm {
        frame: Frame::of(here, "Delete", "keys"),
        name: key.name.to_string(),
        used: key.last_use.as_ref().map_or_else(
            || "It has never been used.".to_owned(),
            |last| {
                format!(
                    "It was last used {} ({}), from {}, for {}.",
                    show::ago(last.at, now),
                    show::instant(last.at),
                    last.ip,
                    last.endpoint
                )
            },
        ),
        problems,
        key_url: here.url(&format!("/settings/keys/{}", key.id)),
    }
}

pub(crate) async fn delete_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    Ok(render(&delete_page(&web, &here, &key, Problems::default())))
}

pub(crate) async fn delete(
    State(web): State<Web>,
    here: Here,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let fields = Fields::from(pairs);
    let mut problems = Problems::default();
    if fields.text("name") == Some(key.name.as_str()) {
        match web.app.delete_key(here.authority(), key.id).await {
            Ok(_) => return Ok(Redirect::to(&here.url("/settings/keys?tab=deleted")).into_response()),
            Err(error) => problems.take(error)?,
        }
    } else {
        problems.add("name", "is not the key's name; type it as it stands above");
    }
    Ok(render_with(StatusCode::UNPROCESSABLE_ENTITY, &delete_page(&web, &here, &key, problems)))
}
