//! The web app and the documentation: server-rendered pages that work without JavaScript.
//!
//! No inline script or style, no request to anybody else. Every page of a tenant lives under its address: the agency's
//! under `/app/agency`, a location's under `/app/locations/{location}`.

mod api_keys;
mod assets;
mod docs;
mod failure;
mod form;
mod guard;
mod locations;
mod overview;
mod page;
mod place;
mod sessions;
mod setup;
mod show;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    response::Redirect,
    routing::{get, post},
};
use keystead_core::App;

/// How the web app is reached.
pub struct WebOptions {
    /// `https://crm.example.com`, without a slash at its end.
    pub base_url: String,
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
    setup_token: String,
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
        let setup_token = app.entropy().token();
        Self { inner: Arc::new(Inner { app, base_url: options.base_url, setup_token }) }
    }

    /// The token of the first-run wizard, new at each start.
    pub fn setup_token(&self) -> &str {
        &self.setup_token
    }

    /// Whether browsers reach it by https.
    pub(crate) fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(async || Redirect::to("/app")))
            .route("/app", get(overview::home))
            .route("/app/setup", get(setup::form).post(setup::submit))
            .route("/app/sign-in", get(sessions::form).post(sessions::sign_in))
            .route("/app/sign-out", post(sessions::sign_out))
            .route("/app/account", get(sessions::account).post(sessions::change_password))
            .route("/app/invite/{token}", get(users::invitation).post(users::accept))
            .nest("/app/agency", agency_routes())
            .nest("/app/locations/{location}", place_routes().route("/", get(overview::location)))
            .route("/docs", get(docs::index))
            .route("/docs/{page}", get(docs::page))
            .route("/docs/errors/{code}", get(docs::error))
            .route("/assets/{version}/{file}", get(assets::serve))
            .route("/favicon.ico", get(assets::favicon))
            .route("/robots.txt", get(assets::robots))
            .fallback(failure::not_found)
            .layer(axum::middleware::from_fn_with_state(self.clone(), guard::guard))
            .with_state(self.clone())
    }
}

/// Pages that only Agency View has.
fn agency_routes() -> Router<Web> {
    place_routes()
        .route("/", get(overview::agency))
        .route("/locations", get(locations::list))
        .route("/locations/new", get(locations::new).post(locations::create))
        .route("/locations/{id}", get(locations::edit).post(locations::update))
        .route("/locations/{id}/suspend", post(locations::suspend))
        .route("/locations/{id}/resume", post(locations::resume))
}

/// Pages that Agency View and every location have.
fn place_routes() -> Router<Web> {
    Router::new()
        .route("/settings/keys", get(api_keys::list))
        .route("/settings/keys/new", get(api_keys::new).post(api_keys::create))
        .route("/settings/keys/{id}", get(api_keys::show))
        .route("/settings/keys/{id}/first-call", get(api_keys::first_call))
        .route("/settings/keys/{id}/edit", get(api_keys::edit).post(api_keys::update))
        .route("/settings/keys/{id}/rotate", get(api_keys::rotate_form).post(api_keys::rotate))
        .route("/settings/keys/{id}/cancel", post(api_keys::cancel_rotation))
        .route("/settings/keys/{id}/finish", post(api_keys::finish_rotation))
        .route("/settings/keys/{id}/deactivate", post(api_keys::deactivate))
        .route("/settings/keys/{id}/reactivate", post(api_keys::reactivate))
        .route("/settings/keys/{id}/delete", get(api_keys::delete_form).post(api_keys::delete))
        .route("/members", get(users::list))
        .route("/members/invite", get(users::invite_form).post(users::invite))
        .route("/members/invitations/{id}/withdraw", post(users::withdraw))
        .route("/members/{id}", get(users::edit).post(users::set_role))
        .route("/members/{id}/disable", post(users::disable))
        .route("/members/{id}/enable", post(users::enable))
}
