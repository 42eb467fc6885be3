//! The cookies of the app: none that says who somebody is can be read by a script, and each is bound to this host alone where
//! that is possible.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

use crate::Web;

/// A cookie of the app.
#[derive(Clone, Copy)]
pub(crate) enum Cookie {
    /// The token of a session.
    Session,
    /// Whom the browser has signed in before; it outlives the sign-out.
    Browser,
    /// Who was signed in last; it outlives their session, and opens nothing.
    Member,
    /// What was just done.
    Flash,
    /// Light or dark, where somebody has chosen.
    Theme,
    /// The zone of the browser, as its script says.
    Zone,
}

impl Cookie {
    fn name(self, web: &Web) -> &'static str {
        match (self, web.is_https()) {
            (Self::Session, true) => "__Host-keystead",
            (Self::Session, false) => "keystead",
            (Self::Browser, true) => "__Host-keystead-browser",
            (Self::Browser, false) => "keystead-browser",
            (Self::Member, true) => "__Host-keystead-member",
            (Self::Member, false) => "keystead-member",
            (Self::Flash, true) => "__Host-keystead-flash",
            (Self::Flash, false) => "keystead-flash",
            (Self::Theme, true) => "__Host-keystead-theme",
            (Self::Theme, false) => "keystead-theme",
            (Self::Zone, _) => "keystead-zone",
        }
    }

    /// Its value in a request.
    pub(crate) fn of<'r>(self, web: &Web, headers: &'r HeaderMap) -> Option<&'r str> {
        let name = self.name(web);
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Leaves it with the browser; for no seconds it is taken away.
    pub(crate) fn set(self, web: &Web, response: &mut Response, value: &str, seconds: i64) {
        let secure = if web.is_https() { "; Secure" } else { "" };
        let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", self.name(web));
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}
