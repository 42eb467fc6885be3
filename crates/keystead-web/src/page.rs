//! Giving a template its frame.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use crate::{assets, flash::Flash, theme::Theme, zone::Clock};

/// What every page's frame needs.
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) css: String,
    pub(crate) js: String,
    pub(crate) icon: String,
    /// What was done on the page before.
    pub(crate) flash: Option<Flash>,
    /// The shell around pages of those who are signed in.
    pub(crate) shell: Option<Shell>,
}

/// Switcher, navigation, and who is signed in.
pub(crate) struct Shell {
    pub(crate) place_kind: &'static str,
    pub(crate) place_name: String,
    pub(crate) is_agency: bool,
    pub(crate) base: String,
    pub(crate) navigation: Vec<NavGroup>,
    /// What is searched for on this page, to be searched for again.
    pub(crate) query: String,
    pub(crate) theme: Theme,
    /// This page, for what leads back to it.
    pub(crate) here: String,
    pub(crate) agency: Option<SwitchTo>,
    pub(crate) locations: Vec<SwitchTo>,
    pub(crate) user_name: String,
    pub(crate) user_email: String,
    pub(crate) initials: String,
    pub(crate) is_notices: bool,
    /// By which the page tells times, named once at its end.
    pub(crate) clock: Clock,
    /// Why nothing of this place works, where that is so.
    pub(crate) suspended: Option<&'static str>,
    /// Notices not seen.
    pub(crate) unseen: i64,
    /// Keys that are deleted within a day.
    pub(crate) last_day: Vec<SwitchTo>,
}

/// Parts of a place under one heading.
pub(crate) struct NavGroup {
    pub(crate) heading: &'static str,
    pub(crate) links: Vec<NavLink>,
}

/// A part of a place.
pub(crate) struct NavLink {
    pub(crate) title: &'static str,
    pub(crate) url: String,
    pub(crate) icon: &'static str,
    pub(crate) is_here: bool,
}

/// A place in the switcher.
pub(crate) struct SwitchTo {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) is_here: bool,
}

impl Frame {
    /// For pages of nobody in particular.
    pub(crate) fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            css: assets::url("app.css"),
            js: assets::url("app.js"),
            icon: assets::url("icon.svg"),
            flash: None,
            shell: None,
        }
    }

    /// With what was done on the page before.
    pub(crate) fn saying(self, flash: Option<Flash>) -> Self {
        Self { flash, ..self }
    }
}

/// Renders a page.
pub(crate) fn render(page: &impl Template) -> Response {
    render_with(StatusCode::OK, page)
}

/// Renders a page with another status: 422 for a form that has to be mended.
pub(crate) fn render_with(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a template failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
