//! The clock by which somebody is told times: their own choice, their browser's zone, or that of the place.

use http::HeaderMap;
use keystead_model::{Invalid, location::Location, text::TimeZoneName, user::User};

use crate::{
    Web,
    cookies::Cookie,
    show::{UTC, Zone},
};

/// A zone, and why it is that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) zone: Zone,
    /// In words, after its name.
    pub(crate) why: &'static str,
}

/// What a browser's script says is its zone. What no database of zones knows is none.
pub(crate) fn of_browser(web: &Web, headers: &HeaderMap) -> Option<TimeZoneName> {
    TimeZoneName::parse(Cookie::Zone.of(web, headers)?).ok()
}

impl Clock {
    /// Of somebody on the pages of a place.
    pub(crate) fn of(user: &User, browser: Option<&TimeZoneName>, location: Option<&Location>) -> Self {
        let clock = |name: &TimeZoneName, why| Self { zone: Zone::of(name), why };
        match (&user.time_zone, browser, location) {
            (Some(chosen), ..) => clock(chosen, "the zone that you have chosen"),
            (None, Some(browser), _) => clock(browser, "your browser’s zone"),
            (None, None, Some(location)) => clock(&location.profile.timezone, "the location’s zone"),
            (None, None, None) => Self { zone: UTC, why: "since your browser does not say its zone" },
        }
    }
}

/// Reads a zone as people write it: `america/new york`.
pub(crate) fn read(text: &str) -> Result<TimeZoneName, Invalid> {
    TimeZoneName::parse(&text.replace(' ', "_"))
}

#[cfg(test)]
mod tests {
    use keystead_model::text::TimeZoneName;

    #[test]
    fn what_is_no_zone_is_refused() {
        for made_up in ["", "../../etc/passwd", "Mars/Base", "UTC\u{0}", "<script>", "EST5EDT4,M3.2.0,M11.1.0"] {
            assert!(TimeZoneName::parse(made_up).is_err(), "{made_up}");
        }
    }
}
