//! Light, dark, or whatever the device has.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::HeaderMap;

use crate::{Web, cookies::Cookie, form::Fields, place::Visitor, sessions::safe_next};

/// How the app looks to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the device has it.
    System,
    Light,
    Dark,
}

/// A browser keeps the choice for a year.
const SECONDS: i64 = 365 * 24 * 60 * 60;

impl Theme {
    /// All of them, with what they are called and their icon.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 3] =
        [(Self::System, "System", "screen"), (Self::Light, "Light", "sun"), (Self::Dark, "Dark", "moon")];

    /// The name, in the cookie and as a class of the page.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().map(|(theme, ..)| theme).find(|theme| theme.name() == name)
    }

    /// What a browser has chosen.
    pub(crate) fn of(web: &Web, headers: &HeaderMap) -> Self {
        Cookie::Theme.of(web, headers).and_then(Self::parse).unwrap_or(Self::System)
    }
}

/// Whoever comes by the address alone has chosen nothing.
pub(crate) async fn back(_: Visitor) -> Redirect {
    Redirect::to("/app")
}

pub(crate) async fn choose(State(web): State<Web>, _: Visitor, Form(pairs): Form<Vec<(String, String)>>) -> Response {
    let fields = Fields::from(pairs);
    let theme = fields.text("theme").and_then(Theme::parse).unwrap_or(Theme::System);
    let mut response = Redirect::to(&safe_next(fields.text("next").map(str::to_owned))).into_response();
    Cookie::Theme.set(&web, &mut response, theme.name(), SECONDS);
    response
}
