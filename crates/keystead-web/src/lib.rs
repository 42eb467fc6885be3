//! The web app, public pages and the documentation.

use keystead_core::App;

/// How the web app is reached.
pub struct WebOptions {
    /// Without a slash at its end.
    pub base_url: String,
}

/// The web face.
pub struct Web {
    app: App,
    options: WebOptions,
    setup_token: String,
}

impl Web {
    /// Over an application.
    pub fn new(app: App, options: WebOptions) -> Self {
        let setup_token = app.entropy().token();
        Self { app, options, setup_token }
    }

    /// The token of the first-run wizard of this start.
    pub fn setup_token(&self) -> &str {
        &self.setup_token
    }

    /// Its routes.
    pub fn router(&self) -> axum::Router {
        let _ = (&self.app, &self.options);
        axum::Router::new()
    }
}
