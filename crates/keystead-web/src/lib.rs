//! The web app and the documentation: server-rendered pages that work without JavaScript.
//!
//! No inline script or style, no request to anybody else. Every page of a tenant lives under its address: the agency's
//! under `/app/agency`, a location's under `/app/locations/{location}`.

mod api_keys;
mod ask;
mod assets;
mod audit;
mod chart;
mod choices;
mod contacts;
mod cookies;
mod custom_fields;
mod custom_values;
mod docs;
mod download;
mod failure;
mod flash;
mod form;
mod forms;
mod general;
mod guard;
mod history;
mod imports;
mod inbound_webhooks;
mod kept;
mod links;
mod list;
mod location_choice;
mod locations;
mod lost_reasons;
mod notices;
mod once;
mod opportunities;
mod overview;
mod page;
mod pipelines;
mod place;
mod public;
mod saved_views;
mod search;
mod sections;
mod sessions;
mod setup;
mod show;
mod streams;
mod system;
mod tags;
mod tasks;
#[cfg(test)]
mod template_tests;
mod theme;
mod users;
mod value_fields;
mod webhooks;
mod zone;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use axum::{
    Extension, Router,
    response::Redirect,
    routing::{MethodRouter, get, post},
};
use http::Method;
use keystead_core::{App, ContactWriter, IMPORT_BYTES, RowReader};
use keystead_http::Admission;
use serde_json::Value;
use tokio::sync::watch;

use crate::streams::Streams;

/// How the web app is reached.
pub struct WebOptions {
    /// `https://crm.example.com`, without a slash at its end.
    pub base_url: String,
    /// Turns true when the server ends: streams of events end with it.
    pub ended: watch::Receiver<bool>,
    /// Whether a mail server is set.
    pub has_mail: bool,
    /// What its operator should know of how it is set up, in sentences.
    pub warnings: Vec<String>,
    /// Who may be worked for: pages do not wait for the work of programs.
    pub admission: Arc<Admission>,
    /// The same of what strangers open, for whom nobody who is signed in waits.
    pub strangers: Arc<Admission>,
    /// The OpenAPI document of an API (`2.0`, `v3`, `1.0`), which the reference shows.
    pub reference: fn(&str) -> &'static Value,
    /// Reads files of rows.
    pub rows: Arc<dyn RowReader>,
    /// Writes files of contacts.
    pub downloads: Arc<dyn ContactWriter>,
}

/// The web face.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

/// What its handlers share.
pub struct Inner {
    pub(crate) app: App,
    pub(crate) base_url: String,
    pub(crate) ended: watch::Receiver<bool>,
    pub(crate) has_mail: bool,
    pub(crate) warnings: Vec<String>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) strangers: Arc<Admission>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) reference: fn(&str) -> &'static Value,
    pub(crate) rows: Arc<dyn RowReader>,
    pub(crate) downloads: Arc<dyn ContactWriter>,
}

impl std::ops::Deref for Web {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Web {
    /// Over an application.
    pub fn new(app: App, options: WebOptions) -> Self {
        let WebOptions { base_url, ended, has_mail, warnings, admission, strangers, reference, rows, downloads } =
            options;
        let inner = Inner {
            app,
            base_url,
            ended,
            has_mail,
            warnings,
            admission,
            strangers,
            streams: Arc::default(),
            reference,
            rows,
            downloads,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether browsers reach it by https.
    pub(crate) fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        let routed = |table: Table| {
            table.into_iter().fold(Router::new(), |router, (path, handlers)| router.route(&path, handlers))
        };
        let pages = routed(routes())
            .fallback(failure::not_found)
            .layer(axum::middleware::from_fn_with_state(self.clone(), guard::guard));
        pages.merge(routed(public::routes(self))).with_state(self.clone())
    }
}

/// Paths with what answers them.
type Table = Vec<(String, MethodRouter<Web>)>;

/// Every path of the app, for the test that no page is open to strangers.
pub fn paths() -> Vec<String> {
    routes().into_iter().map(|(path, _)| path).collect()
}

/// Every path of what is there for strangers.
pub fn public_paths() -> Vec<String> {
    public::paths().map(str::to_owned).collect()
}

/// What pages are called where they are counted: `GET /app/agency`.
static ENDPOINTS: LazyLock<HashMap<String, [String; 2]>> = LazyLock::new(|| {
    let both = |path: &String| ["GET", "POST"].map(|method| format!("{method} {path}"));
    paths().into_iter().chain(public_paths()).map(|path| (path.clone(), both(&path))).collect()
});

/// What all pages are called.
pub fn endpoints() -> impl Iterator<Item = &'static str> {
    ENDPOINTS.values().flatten().map(String::as_str)
}

/// What a page is called.
pub(crate) fn endpoint(method: &Method, path: &str) -> Option<&'static str> {
    let [get, post] = ENDPOINTS.get(path)?;
    Some(if method == Method::POST { post } else { get })
}

/// Pages whose forms anybody may send.
pub(crate) const OPEN_FORMS: &[&str] = &["/app/setup", "/app/sign-in", "/app/invite/{token}"];

/// Pages whose forms bring files, and how many bytes of them.
pub(crate) const FILE_FORMS: &[(&str, u64)] = &[("/app/locations/{location}/contacts/imports/new", IMPORT_BYTES)];

/// The table of pages.
fn routes() -> Table {
    let own = |path: &str, handlers| (path.to_owned(), handlers);
    let mut routes = vec![
        own("/", get(async || Redirect::to("/app"))),
        own("/app", get(overview::home)),
        own("/app/setup", get(setup::form).post(setup::submit)),
        own("/app/sign-in", get(sessions::form).post(sessions::sign_in)),
        own("/app/sign-out", get(sessions::still_here).post(sessions::sign_out)),
        own("/app/account", get(sessions::account).post(sessions::change_password)),
        own("/app/choices/{list}", get(choices::serve)),
        own("/app/account/time-zone", of_account(post(sessions::set_time_zone))),
        own("/app/account/sign-out", of_account(post(sessions::end_session))),
        own("/app/theme", get(theme::back).post(theme::choose)),
        own("/app/invite/{token}", get(users::invitation).post(users::accept)),
        own("/docs", get(docs::index)),
        own("/docs/{page}", get(docs::page)),
        own("/docs/errors/{code}", get(docs::error)),
        own("/docs/reference", get(docs::reference::index)),
        own("/docs/reference/{api}", get(docs::reference::overview)),
        own("/docs/reference/{api}/{noun}", get(docs::reference::noun)),
        own("/assets/{version}/{file}", assets::route()),
        own("/favicon.ico", get(assets::favicon)),
        own("/robots.txt", get(assets::robots)),
        own("/app/agency", get(overview::agency)),
        own("/app/agency/audit", get(audit::list)),
        own("/app/agency/settings/general", get(general::show).post(general::save)),
        own("/app/agency/settings/system", get(system::show)),
        own("/app/agency/settings/system/pause", action(1, post(system::pause))),
        own("/app/agency/settings/system/resume", action(1, post(system::resume))),
        own("/app/agency/settings/system/deliveries/pause", action(2, post(system::pause_deliveries))),
        own("/app/agency/settings/system/deliveries/send", action(2, post(system::send_overdue))),
        own("/app/agency/settings/system/deliveries/skip", action(2, post(system::skip_overdue))),
        own("/app/agency/audit.csv", get(audit::csv)),
        own("/app/agency/locations", get(locations::list)),
        own("/app/agency/locations/new", get(locations::new).post(locations::create)),
        own("/app/agency/locations/{id}", get(locations::edit).post(locations::update)),
        own("/app/agency/locations/{id}/suspend", get(locations::suspend_form).post(locations::suspend)),
        own("/app/agency/locations/{id}/resume", action(1, post(locations::resume))),
        own("/app/agency/locations/{id}/delete", get(locations::delete_form).post(locations::delete)),
        own("/app/agency/locations/{id}/restore", action(2, post(locations::restore))),
        own("/app/locations/{location}", get(overview::location)),
        own("/app/locations/{location}/contacts", get(contacts::list)),
        own("/app/locations/{location}/contacts/new", get(contacts::new).post(contacts::create)),
        own("/app/locations/{location}/contacts/bulk", action(1, post(contacts::bulk))),
        own("/app/locations/{location}/contacts/{id}", get(contacts::show)),
        own("/app/locations/{location}/contacts/export.csv", get(contacts::export_csv)),
        own("/app/locations/{location}/contacts/export.jsonl", get(contacts::export_json_lines)),
        own("/app/locations/{location}/contacts/{id}/everything.json", get(contacts::everything)),
        own("/app/locations/{location}/contacts/trash", get(contacts::trashed)),
        own("/app/locations/{location}/contacts/trash/{id}/restore", action(2, post(contacts::restore))),
        own("/app/locations/{location}/contacts/{id}/erase", get(contacts::erase_form).post(contacts::erase)),
        own("/app/locations/{location}/contacts/imports", get(imports::list)),
        own("/app/locations/{location}/contacts/imports/new", get(imports::new).post(imports::upload)),
        own("/app/locations/{location}/contacts/imports/files/{id}", get(imports::mapping).post(imports::start)),
        own("/app/locations/{location}/contacts/imports/{id}", get(imports::show)),
        own("/app/locations/{location}/contacts/imports/{id}/progress", get(imports::progress)),
        own("/app/locations/{location}/contacts/imports/{id}/problems.csv", get(imports::problems_csv)),
        own("/app/locations/{location}/contacts/imports/{id}/stop", action(1, post(imports::stop))),
        own("/app/locations/{location}/contacts/imports/{id}/run", action(1, post(imports::run))),
        own("/app/locations/{location}/contacts/{id}/edit", get(contacts::edit).post(contacts::update)),
        own("/app/locations/{location}/contacts/{id}/merge", get(contacts::merge_form).post(contacts::merge)),
        own("/app/locations/{location}/contacts/{id}/notes", action(1, post(contacts::add_note))),
        own("/app/locations/{location}/contacts/{id}/notes/{note}/delete", action(3, post(contacts::delete_note))),
        own("/app/locations/{location}/contacts/{id}/tasks", action(1, post(contacts::add_task))),
        own("/app/locations/{location}/contacts/{id}/tasks/{task}/finish", action(3, post(contacts::finish_task))),
        own("/app/locations/{location}/contacts/{id}/tags", action(1, post(contacts::change_tags))),
        own("/app/locations/{location}/contacts/{id}/trash", action(1, post(contacts::trash))),
        own("/app/locations/{location}/opportunities", get(opportunities::index)),
        own("/app/locations/{location}/opportunities/new", get(opportunities::new).post(opportunities::create)),
        own("/app/locations/{location}/opportunities/{id}", get(opportunities::show).post(opportunities::update)),
        own("/app/locations/{location}/opportunities/{id}/move/{to}", action(2, post(opportunities::move_to))),
        own(
            "/app/locations/{location}/opportunities/{id}/delete",
            get(opportunities::delete_form).post(opportunities::delete),
        ),
        own("/app/locations/{location}/tasks", get(tasks::list)),
        own("/app/locations/{location}/links", get(links::list)),
        own("/app/locations/{location}/links/new", get(links::new).post(links::create)),
        own("/app/locations/{location}/links/{id}", get(links::show)),
        own("/app/locations/{location}/links/{id}/edit", get(links::edit).post(links::update)),
        own("/app/locations/{location}/links/{id}/status", action(1, post(links::switch))),
        own("/app/locations/{location}/links/{id}/clicks.csv", get(links::clicks_csv)),
        own("/app/locations/{location}/links/{id}/qr.svg", get(links::qr)),
        own("/app/locations/{location}/links/{id}/tokens", action(1, post(links::mint))),
        own("/app/locations/{location}/links/{id}/tokens/{token}/revoke", action(3, post(links::revoke))),
        own("/app/locations/{location}/links/{id}/clicks/{click}/classify", action(3, post(links::classify))),
        own("/app/locations/{location}/links/{id}/delete", get(links::delete_form).post(links::delete)),
        own("/app/locations/{location}/forms", get(forms::list)),
        own("/app/locations/{location}/forms/new", get(forms::new).post(forms::create)),
        own("/app/locations/{location}/forms/{id}", get(forms::show)),
        own("/app/locations/{location}/forms/{id}/preview", get(forms::preview)),
        own("/app/locations/{location}/forms/{id}/arrange", action(1, post(forms::arrange))),
        own("/app/locations/{location}/forms/{id}/add", action(1, post(forms::add_field))),
        own("/app/locations/{location}/forms/{id}/pages", action(1, post(forms::add_page))),
        own("/app/locations/{location}/forms/{id}/pages/{page}", get(forms::edit_page).post(forms::update_page)),
        own(
            "/app/locations/{location}/forms/{id}/pages/{page}/delete",
            get(forms::delete_page_form).post(forms::delete_page),
        ),
        own("/app/locations/{location}/forms/{id}/fields/{field}", get(forms::edit_field).post(forms::update_field)),
        own(
            "/app/locations/{location}/forms/{id}/fields/{field}/delete",
            get(forms::delete_field_form).post(forms::delete_field),
        ),
        own("/app/locations/{location}/forms/{id}/settings", get(forms::settings).post(forms::save_settings)),
        own("/app/locations/{location}/forms/{id}/share", get(forms::share)),
        own("/app/locations/{location}/forms/{id}/versions", get(forms::versions)),
        own(
            "/app/locations/{location}/forms/{id}/versions/{version}/restore",
            get(forms::restore_form).post(forms::restore),
        ),
        own("/app/locations/{location}/forms/{id}/publish", action(1, post(forms::publish))),
        own("/app/locations/{location}/forms/{id}/unpublish", action(1, post(forms::unpublish))),
        own("/app/locations/{location}/forms/{id}/delete", get(forms::delete_form).post(forms::delete)),
        own("/app/locations/{location}/submissions", get(forms::submissions)),
        own("/app/locations/{location}/submissions.csv", get(forms::csv)),
        own("/app/locations/{location}/forms/{id}/submissions/{submission}", get(forms::submission)),
        own("/app/locations/{location}/forms/{id}/submissions/{submission}/files/{file}", get(forms::file)),
        own("/app/locations/{location}/forms/{id}/submissions/{submission}/accept", action(1, post(forms::accept))),
        own("/app/locations/{location}/forms/{id}/submissions/{submission}/discard", action(1, post(forms::discard))),
        own(
            "/app/locations/{location}/forms/{id}/submissions/{submission}/offers/{kind}",
            action(2, post(forms::accept_offer)),
        ),
        own("/app/locations/{location}/settings/webhooks/incoming", get(inbound_webhooks::list)),
        own(
            "/app/locations/{location}/settings/webhooks/incoming/new",
            get(inbound_webhooks::new).post(inbound_webhooks::create),
        ),
        own("/app/locations/{location}/settings/webhooks/incoming/{id}", get(inbound_webhooks::show)),
        own(
            "/app/locations/{location}/settings/webhooks/incoming/{id}/edit",
            get(inbound_webhooks::edit).post(inbound_webhooks::update),
        ),
        own(
            "/app/locations/{location}/settings/webhooks/incoming/{id}/rotate",
            get(inbound_webhooks::rotate_form).post(inbound_webhooks::rotate),
        ),
        own(
            "/app/locations/{location}/settings/webhooks/incoming/{id}/payloads/{payload}/replay",
            action(3, post(inbound_webhooks::replay)),
        ),
        own(
            "/app/locations/{location}/settings/webhooks/incoming/{id}/delete",
            get(inbound_webhooks::delete_form).post(inbound_webhooks::delete),
        ),
        own("/app/locations/{location}/views/{viewed}/new", get(saved_views::new).post(saved_views::create)),
        own("/app/locations/{location}/views/{viewed}/{id}", get(saved_views::edit).post(saved_views::update)),
        own("/app/locations/{location}/views/{viewed}/{id}/query", action(1, post(saved_views::keep))),
        own("/app/locations/{location}/views/{viewed}/{id}/delete", action(1, post(saved_views::delete))),
        own("/app/locations/{location}/views/{viewed}/{id}/restore", action(4, post(saved_views::restore))),
        own("/app/locations/{location}/settings/pipelines", get(pipelines::list)),
        own("/app/locations/{location}/settings/pipelines/new", get(pipelines::new).post(pipelines::create)),
        own("/app/locations/{location}/settings/pipelines/{id}", get(pipelines::edit).post(pipelines::update)),
        own(
            "/app/locations/{location}/settings/pipelines/{id}/delete",
            get(pipelines::delete_form).post(pipelines::delete),
        ),
        own("/app/locations/{location}/settings/pipelines/lost-reasons", action(1, post(lost_reasons::create))),
        own(
            "/app/locations/{location}/settings/pipelines/lost-reasons/{id}/delete",
            action(3, post(lost_reasons::delete)),
        ),
        own("/app/locations/{location}/settings/tags", get(tags::list).post(tags::create)),
        own("/app/locations/{location}/settings/tags/{id}", get(tags::edit).post(tags::rename)),
        own("/app/locations/{location}/settings/tags/{id}/delete", get(tags::delete_form).post(tags::delete)),
        own("/app/locations/{location}/settings/custom-fields", get(custom_fields::list)),
        own(
            "/app/locations/{location}/settings/custom-fields/new",
            get(custom_fields::new).post(custom_fields::create),
        ),
        own(
            "/app/locations/{location}/settings/custom-fields/{id}",
            get(custom_fields::edit).post(custom_fields::update),
        ),
        own(
            "/app/locations/{location}/settings/custom-fields/{id}/delete",
            get(custom_fields::delete_form).post(custom_fields::delete),
        ),
        own("/app/locations/{location}/settings/custom-values", get(custom_values::list)),
        own(
            "/app/locations/{location}/settings/custom-values/new",
            get(custom_values::new).post(custom_values::create),
        ),
        own(
            "/app/locations/{location}/settings/custom-values/{id}",
            get(custom_values::edit).post(custom_values::update),
        ),
        own(
            "/app/locations/{location}/settings/custom-values/{id}/delete",
            get(custom_values::delete_form).post(custom_values::delete),
        ),
    ];
    for place in ["/app/agency", "/app/locations/{location}"] {
        routes.extend(place_routes().into_iter().map(|(path, handlers)| (format!("{place}{path}"), handlers)));
    }
    routes
}

/// What is done from a page, by POST alone: the page's address is this one's without its last `up` segments. Whoever comes
/// here otherwise, by the browser's history or after signing in again, is led to the page.
fn action(up: usize, handlers: MethodRouter<Web>) -> MethodRouter<Web> {
    handlers.get(place::to_page).layer(Extension(place::ActionOf(up)))
}

/// The same on the page of one's own account, which is in no place.
fn of_account(handlers: MethodRouter<Web>) -> MethodRouter<Web> {
    handlers.get(sessions::to_account).layer(Extension(place::ActionOf(1)))
}

/// Pages that Agency View and every location have.
fn place_routes() -> Vec<(&'static str, MethodRouter<Web>)> {
    vec![
        ("/search", get(search::page).post(search::search)),
        ("/search/found", get(search::found)),
        ("/settings/keys", get(api_keys::list)),
        ("/settings/keys/find", action(1, post(api_keys::find))),
        ("/settings/keys/new", get(api_keys::new).post(api_keys::create)),
        ("/settings/keys/{id}", get(api_keys::show)),
        ("/settings/keys/{id}/first-call", get(api_keys::first_call)),
        ("/settings/keys/{id}/edit", get(api_keys::edit).post(api_keys::update)),
        ("/settings/keys/{id}/rotate", get(api_keys::rotate_form).post(api_keys::rotate)),
        ("/settings/keys/{id}/cancel", action(1, post(api_keys::cancel_rotation))),
        ("/settings/keys/{id}/finish", action(1, post(api_keys::finish_rotation))),
        ("/settings/keys/{id}/deactivate", get(api_keys::deactivate_form).post(api_keys::deactivate)),
        ("/settings/keys/{id}/reactivate", action(1, post(api_keys::reactivate))),
        ("/settings/keys/{id}/delete", get(api_keys::delete_form).post(api_keys::delete)),
        ("/settings/keys/{id}/reduce", action(1, post(api_keys::reduce))),
        ("/settings/keys/{id}/keep", action(1, post(api_keys::keep))),
        ("/settings/keys/{id}/restore", action(1, post(api_keys::restore))),
        ("/settings/keys/{id}/replace", get(api_keys::replace_form).post(api_keys::replace)),
        ("/settings/webhooks", get(webhooks::list)),
        ("/settings/webhooks/new", get(webhooks::new).post(webhooks::create)),
        ("/settings/webhooks/signing-key", get(webhooks::signing_key).post(webhooks::create_signing_key)),
        ("/settings/webhooks/{id}", get(webhooks::show)),
        ("/settings/webhooks/{id}/edit", get(webhooks::edit).post(webhooks::update)),
        ("/settings/webhooks/{id}/switch", action(1, post(webhooks::switch))),
        ("/settings/webhooks/{id}/signing-key", action(1, post(webhooks::switch_key))),
        ("/settings/webhooks/{id}/deliveries.csv", get(webhooks::csv)),
        ("/settings/webhooks/{id}/rotate-secret", get(webhooks::rotate_form).post(webhooks::rotate)),
        ("/settings/webhooks/{id}/test", action(1, post(webhooks::test))),
        ("/settings/webhooks/{id}/recover", action(1, post(webhooks::recover))),
        ("/settings/webhooks/{id}/deliveries/{delivery}", get(webhooks::delivery)),
        ("/settings/webhooks/{id}/deliveries/{delivery}/resend", action(1, post(webhooks::resend))),
        ("/settings/webhooks/{id}/delete", get(webhooks::delete_form).post(webhooks::delete)),
        ("/notices", get(notices::list)),
        ("/notices/stream", get(notices::stream)),
        ("/notices/preferences", get(notices::preferences).post(notices::set_preferences)),
        ("/notices/{id}/archive", action(2, post(notices::archive))),
        ("/members", get(users::list)),
        ("/members/invite", get(users::invite_form).post(users::invite)),
        ("/members/invitations/{id}/withdraw", action(3, post(users::withdraw))),
        ("/members/{id}", get(users::edit).post(users::set_role)),
        ("/members/{id}/disable", get(users::disable_form).post(users::disable)),
        ("/members/{id}/enable", action(1, post(users::enable))),
    ]
}
