//! The page of a key.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use keystead_core::{Error, NoticeFilter, UsageReport};
use keystead_model::{
    LocationId,
    api_key::{ApiKey, KeyState},
    grant::Reach,
    key_kind::KeyKind,
    notice::NoticeSubject,
    page::Window,
    scope::Scope,
};
use serde::Deserialize;

use super::{
    Row,
    change::is_in_use,
    life::{LifeLine, life_line},
    row,
    scopes::{Line, matrix},
    wanted,
};
use crate::{
    Web,
    chart::{self, Chart, Span, chart},
    failure::Failure,
    form::Form,
    history::{Told, told},
    notices::{Link, link},
    page::{Frame, render},
    place::Here,
    show::{self as words, Zone},
};

/// Whether the key was used since it was made, for the page that waits for its first call.
pub(crate) async fn first_call(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let used = key.current.last_used_at.is_some();
    let text =
        key.last_use.filter(|_| used).map(|last| format!("{} from {}", last.endpoint, last.ip)).unwrap_or_default();
    Ok(([(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// Its requests over some time.
struct Usage {
    span: Span,
    requests: String,
    /// In the day or the hour with most.
    most: String,
    failed: i64,
    /// The zone whose days they are, where that is not the page's.
    days_of: Option<String>,
    chart: Chart,
    /// Routes, most called first.
    endpoints: Vec<(String, String)>,
}

/// Routes that are listed.
const ENDPOINTS: usize = 6;

fn usage_of(here: &Here, report: &UsageReport, span: Span, zone: &Zone) -> Usage {
    let most = report.steps.iter().map(|(_, classes)| classes[1..].iter().sum::<i64>());
    let endpoints = report.endpoints.iter().take(ENDPOINTS);
    Usage {
        span,
        requests: words::grouped(report.requests),
        most: words::grouped(most.max().unwrap_or(0)),
        failed: report.failed,
        days_of: (*zone != here.zone()).then(|| zone.name().to_owned()),
        chart: chart("Requests", chart::REQUESTS, &chart::requests(&report.steps), span, zone),
        endpoints: endpoints.map(|(name, requests)| (name.clone(), words::grouped(*requests))).collect(),
    }
}

struct Rotation {
    previous_last_four: String,
    retires: String,
    retires_exactly: String,
    previous_used: String,
    new_is_used: bool,
}

/// Another key that this one has to do with.
pub(super) struct OtherKey {
    pub(super) name: String,
    pub(super) url: String,
}

impl OtherKey {
    pub(super) fn of(here: &Here, key: &ApiKey) -> Self {
        Self { name: key.name.to_string(), url: here.url(&format!("/settings/keys/{}", key.id)) }
    }
}

#[derive(Template)]
#[template(path = "api_keys/show.html")]
pub(super) struct Page {
    frame: Frame,
    row: Row,
    id: String,
    kind: &'static str,
    description: String,
    labels: Vec<String>,
    contact: String,
    is_deleted: bool,
    is_active: bool,
    /// Whether deactivating it asks first.
    is_in_use: bool,
    /// Whether it was switched off and can be switched on again.
    can_reactivate: bool,
    /// Whether a notice of its inactivity is out.
    is_idle: bool,
    life: LifeLine,
    usage: Usage,
    /// Of a deleted key that can be restored: how long, as the beginning of a sentence.
    restorable: Option<String>,
    /// Of a deleted key: how it comes back.
    restores: &'static str,
    recreate_url: String,
    exposed: bool,
    may_write: bool,
    used_by: String,
    /// Of an agency key that does not act in all locations: those in which it does.
    chosen: Vec<String>,
    addresses: Vec<String>,
    origins: Vec<String>,
    expires: String,
    expires_exactly: String,
    matrix: Vec<Line>,
    /// What it may do nothing with.
    not_granted: String,
    /// What would be taken away, were its scopes reduced to those that it used.
    unused: Option<String>,
    rotation: Option<Rotation>,
    /// The key whose first use ends this one.
    successor: Option<OtherKey>,
    /// The key that this one's first use ends.
    replaced: Option<OtherKey>,
    /// Webhooks that it has set up.
    webhooks: Vec<Link>,
    events: Vec<Told>,
    /// That of the buttons which do something with the key.
    pub(super) button: Form,
    list_url: String,
    secret_created: String,
}

pub(super) async fn key_page(web: &Web, here: &Here, key: &ApiKey, span: Span, button: Form) -> Result<Page, Error> {
    let (now, zone) = (web.app.now(), here.zone());
    let names = web.app.actor_names(here.authority(), [key.created_by]).await?;
    let changes = web.app.list_key_changes(here.authority(), key.id).await?;
    let filter = NoticeFilter { subject: Some(NoticeSubject::Key(key.id)), archived: true, ..NoticeFilter::default() };
    let notices = web.app.list_notices(here.authority(), filter, Window::first(50)).await?.rows;
    let usage =
        async |span: Span, zone: &Zone| web.app.key_usage(here.authority(), key.id, span.steps(now, zone)).await;
    // Those of whoever has the key, so that they read the same from wherever it is looked at.
    let of_days = Zone::of(&web.app.zone_of(here.authority(), &key.grant.reach).await?);
    let of_hours = here.zone();
    let days = usage(Span::Days, &of_days).await?;
    let shown = match span {
        Span::Days => usage_of(here, &days, span, &of_days),
        Span::Hours => usage_of(here, &usage(span, &of_hours).await?, span, &of_hours),
    };
    let reached: Vec<LocationId> = match &key.grant.reach {
        Reach::Agency => Vec::new(),
        Reach::Chosen(set) | Reach::Locations(set) => set.iter().copied().collect(),
    };
    let locations = here.names_of(web, reached.iter().copied()).await?;
    let name_of = |id: &LocationId| locations.get(id).cloned().unwrap_or_else(|| id.to_string());
    let row = row(web, here, key, &names, &locations);
    let matrix = matrix(key.kind(), key.grant.scopes, &days.scopes);
    let other = |key: ApiKey| OtherKey::of(here, &key);
    let successor = match key.state {
        KeyState::Active => {
            let successor = web.app.successor_of_key(here.authority(), key.id).await?;
            successor.filter(|successor| successor.replaces == Some(key.id)).map(other)
        }
        _ => None,
    };
    let replaced = match key.replaces {
        // It may be gone by now.
        Some(lost) => {
            web.app.get_key(here.authority(), lost).await.ok().filter(|lost| lost.state == KeyState::Active).map(other)
        }
        None => None,
    };
    let webhooks = match here.authority().grant().allows(Scope::WebhooksRead) {
        true => web.app.webhooks_set_up_by(here.authority(), key.id).await?,
        false => Vec::new(),
    };
    let webhooks = webhooks.iter().map(|endpoint| link(here, endpoint)).collect();
    Ok(Page {
        frame: Frame::of(here, key.name.as_str(), "keys"),
        row,
        id: key.id.to_string(),
        kind: match key.kind() {
            KeyKind::Agency => "Agency key",
            KeyKind::Location => "Location key",
        },
        description: key.about.description.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default(),
        labels: key.about.labels.iter().map(ToString::to_string).collect(),
        contact: key.about.contact.as_ref().map(|contact| contact.as_str().to_owned()).unwrap_or_default(),
        is_deleted: key.is_deleted(),
        is_idle: key.inactivity.stage.is_some(),
        life: life_line(web, &zone, key, &notices, now),
        restorable: match &key.state {
            KeyState::Deleted { restore_until, .. } if key.current.hash.is_some() => {
                Some(match web.app.deletions_are_paused() {
                    true => "While deletions are paused the time in which the key can be restored stands still. It"
                        .to_owned(),
                    false => format!("Until {} the key", zone.instant(web.app.to_utc(*restore_until, now))),
                })
            }
            _ => None,
        },
        restores: match key.state {
            _ if key.exposed_at.is_some() => {
                "switched off, since its secret was found in public: it needs a rotation before it can be used"
            }
            KeyState::Deleted { was_active: false, .. } => "switched off, as it was, with the same secret",
            _ => "as it was, with the same secret and its full 90 days",
        },
        recreate_url: here.url(&format!("/settings/keys/new?like={}", key.id)),
        exposed: key.exposed_at.is_some(),
        is_active: key.state == KeyState::Active,
        is_in_use: is_in_use(key, now),
        can_reactivate: matches!(key.state, KeyState::Deactivated { .. }) && key.exposed_at.is_none(),
        may_write: here.authority().grant().allows(Scope::KeysWrite),
        used_by: key.last_use.as_ref().and_then(|last| last.user_agent.clone()).unwrap_or_default(),
        chosen: match key.kind() {
            KeyKind::Agency => reached.iter().map(name_of).collect(),
            KeyKind::Location => Vec::new(),
        },
        addresses: key.grant.allowed_ips.to_texts(),
        origins: key.allowed_origins.iter().map(str::to_owned).collect(),
        expires: key.grant.expires_at.map(|at| zone.instant(at)).unwrap_or_default(),
        expires_exactly: key.grant.expires_at.map(|at| zone.exactly(at)).unwrap_or_default(),
        not_granted: not_granted(&matrix),
        unused: unused(key, &days.scopes),
        matrix,
        usage: shown,
        rotation: key.overlap(now).map(|previous| Rotation {
            previous_last_four: previous.secret.last_four.clone(),
            retires: words::until(previous.retires_at, now),
            retires_exactly: zone.exactly(previous.retires_at),
            previous_used: previous
                .secret
                .last_used_at
                .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", words::ago(at, now))),
            new_is_used: key.current.last_used_at.is_some(),
        }),
        successor,
        replaced,
        webhooks,
        events: told(web, here, &changes).await?,
        button,
        list_url: here.url("/settings/keys"),
        secret_created: zone.day(key.current.created_at),
    })
}

/// The resources of a matrix of which nothing is granted.
fn not_granted(matrix: &[Line]) -> String {
    let titles = matrix.iter().filter(|line| !line.is_chosen()).map(|line| line.title.to_lowercase());
    titles.collect::<Vec<_>>().join(", ").replace("api keys", "API keys")
}

/// The scopes that a key holds and did not need in 30 days, if it needed others.
fn unused(key: &ApiKey, used: &BTreeMap<Scope, i64>) -> Option<String> {
    let is_used = |scope: &Scope| used.get(scope).is_some_and(|count| *count > 0);
    let (needed, unused): (Vec<Scope>, Vec<Scope>) = key.grant.scopes.iter().partition(is_used);
    let names = || unused.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    (!needed.is_empty() && !unused.is_empty()).then(names)
}

#[derive(Deserialize)]
pub(crate) struct ShowQuery {
    by: Option<String>,
}

pub(crate) async fn show(
    State(web): State<Web>,
    Query(query): Query<ShowQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let key = wanted(&web, &here).await?;
    let span = Span::parse(query.by.as_deref());
    Ok(render(&key_page(&web, &here, &key, span, Form::of_buttons(&here)).await?))
}
