//! Times in words.

use std::fmt::Display;

use jiff::{Span, civil::DateTime, tz::TimeZone};
use keystead_model::{UtcMs, text::TimeZoneName, time::Moment};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `2 minutes ago`.
pub(crate) fn ago(at: UtcMs, now: UtcMs) -> String {
    let passed = now - at;
    if passed < MINUTE { "just now".to_owned() } else { format!("{} ago", length(passed)) }
}

/// `in 12 days`, rounded down: what is left must not be less than what is said. Below two days in hours.
pub(crate) fn until(at: UtcMs, now: UtcMs) -> String {
    let left = at - now;
    // A week that has just begun is 7 days, though some of it is gone when its page is read.
    let (count, unit) = match left {
        ..MINUTE => return "in a moment".to_owned(),
        MINUTE..HOUR => (left / MINUTE, "minute"),
        _ if left + HOUR < 2 * DAY => ((left + MINUTE) / HOUR, "hour"),
        _ => ((left + HOUR) / DAY, "day"),
    };
    format!("in {}", counted(count, unit))
}

/// `3 days`: how long something has lasted.
pub(crate) fn since(at: UtcMs, now: UtcMs) -> String {
    if now - at < MINUTE { "a moment".to_owned() } else { length(now - at) }
}

/// Rounded to the nearest.
fn length(milliseconds: i64) -> String {
    let (count, unit) = match milliseconds + MINUTE / 2 {
        ..HOUR => ((milliseconds + MINUTE / 2) / MINUTE, "minute"),
        HOUR..DAY => ((milliseconds + HOUR / 2) / HOUR, "hour"),
        _ => ((milliseconds + DAY / 2) / DAY, "day"),
    };
    counted(count, unit)
}

/// `107,510`.
pub(crate) fn grouped(number: impl Display) -> String {
    amount(&number.to_string())
}

/// An exact amount as people read it: `4,800`, `1,250.50`.
pub(crate) fn amount(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, parts) = digits.split_once('.').unwrap_or((digits, ""));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match parts.len() {
        0 => format!("{sign}{grouped}"),
        1 => format!("{sign}{grouped}.{parts}0"),
        _ => format!("{sign}{grouped}.{parts}"),
    }
}

/// Of somebody's name or address, for where a picture would be.
pub(crate) fn initials(name: &str) -> String {
    let letters = name.split([' ', '@', '.']).filter_map(|word| word.chars().next()).take(2);
    letters.flat_map(char::to_uppercase).collect()
}

/// `1 day`, `2 days`.
pub(crate) fn counted(count: i64, unit: &str) -> String {
    format!("{} {unit}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A clock by which times are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    zone: TimeZone,
    /// Its name; none for UTC.
    name: Option<TimeZoneName>,
}

/// For what has no other.
pub(crate) const UTC: Zone = Zone { zone: TimeZone::UTC, name: None };

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Zone {
    /// That of a name. A zone that the time zone database does not have any more is told in UTC.
    pub(crate) fn of(name: &TimeZoneName) -> Self {
        let zone = name.to_zone();
        let is_utc = zone == TimeZone::UTC || ["UTC", "Etc/UTC"].contains(&name.as_str());
        if is_utc { UTC } else { Self { zone, name: Some(name.clone()) } }
    }

    pub(crate) fn is_utc(&self) -> bool {
        self.name.is_none()
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        self.name.as_ref().map_or("UTC", TimeZoneName::as_str)
    }

    /// Its name, for what is read by it.
    pub(crate) fn to_name(&self) -> TimeZoneName {
        self.name.clone().unwrap_or_else(TimeZoneName::utc)
    }

    /// When the last `count` days began, that of `now` among them.
    pub(crate) fn days(&self, now: UtcMs, count: i64) -> Vec<UtcMs> {
        let (today, zone) = (self.civil(now).date(), self.to_name());
        let day = |back: i64| today.checked_sub(Span::new().days(back)).ok();
        (0..count).rev().filter_map(day).map(|day| Moment::Day(day).start(&zone)).collect()
    }

    /// When the day after that of `now` begins.
    pub(crate) fn tomorrow(&self, now: UtcMs) -> UtcMs {
        Moment::Day(self.civil(now).date()).end(&self.to_name())
    }

    fn civil(&self, at: UtcMs) -> DateTime {
        at.in_zone(&self.zone)
    }

    /// `12 Mar 2026`.
    pub(crate) fn day(&self, at: UtcMs) -> String {
        format!("{} {}", self.short_day(at), self.civil(at).year())
    }

    /// `2026-03-12`, as forms take it.
    pub(crate) fn iso_day(&self, at: UtcMs) -> String {
        self.civil(at).date().to_string()
    }

    /// `12 Mar`, where the year is plain.
    pub(crate) fn short_day(&self, at: UtcMs) -> String {
        let civil = self.civil(at);
        format!("{} {}", civil.day(), MONTHS[usize::from(civil.month().unsigned_abs() - 1) % 12])
    }

    /// `14:05`.
    pub(crate) fn time(&self, at: UtcMs) -> String {
        let civil = self.civil(at);
        format!("{:02}:{:02}", civil.hour(), civil.minute())
    }

    /// `12 Mar 2026, 14:05`, on pages that name their zone.
    pub(crate) fn instant(&self, at: UtcMs) -> String {
        format!("{}, {}", self.day(at), self.time(at))
    }

    /// `12 Mar 2026, 14:05 UTC`, for what is read without its page.
    pub(crate) fn named(&self, at: UtcMs) -> String {
        format!("{} {}", self.instant(at), self.name())
    }

    /// The same, and in UTC where that is another: for whoever looks closer.
    pub(crate) fn exactly(&self, at: UtcMs) -> String {
        match self.is_utc() {
            true => self.named(at),
            false => format!("{} ({})", self.named(at), UTC.named(at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words() {
        let now = UtcMs(1_795_608_000_000);
        assert_eq!(ago(now, now), "just now");
        assert_eq!(ago(UtcMs(now.0 - MINUTE), now), "1 minute ago");
        assert_eq!(ago(UtcMs(now.0 - 3 * HOUR), now), "3 hours ago");
        for (left, wanted) in [
            (59_999, "in a moment"),
            (34 * 60_000, "in 34 minutes"),
            (HOUR, "in 1 hour"),
            (DAY - 1, "in 24 hours"),
            (36 * HOUR, "in 36 hours"),
            (47 * HOUR, "in 2 days"),
            (7 * DAY - 5 * MINUTE, "in 7 days"),
            (7 * DAY - 2 * HOUR, "in 6 days"),
            (12 * DAY + 20 * HOUR, "in 12 days"),
        ] {
            assert_eq!(until(UtcMs(now.0 + left), now), wanted, "{left}");
        }
        assert_eq!(
            (UTC.instant(now).as_str(), UTC.named(now).as_str()),
            ("25 Nov 2026, 12:00", "25 Nov 2026, 12:00 UTC")
        );
        assert_eq!([0, 999, 1_000, 107_510, -1_234_567].map(grouped), ["0", "999", "1,000", "107,510", "-1,234,567"]);
        assert_eq!(UTC.exactly(now), UTC.named(now));
        let amounts = ["0", "0.5", "-1234567.891", "999999999999999.25", "1000"].map(amount);
        assert_eq!(amounts, ["0", "0.50", "-1,234,567.891", "999,999,999,999,999.25", "1,000"]);
    }

    #[test]
    fn a_location_has_its_own_clock() {
        let zone = |name: &str| Zone::of(&TimeZoneName::parse(name).unwrap());
        let late = UtcMs(1_795_651_200_000 - MINUTE);
        assert_eq!(UTC.named(late), "25 Nov 2026, 23:59 UTC");
        assert_eq!(zone("Asia/Kolkata").named(late), "26 Nov 2026, 05:29 Asia/Kolkata");
        assert_eq!(zone("Europe/Berlin").exactly(late), "26 Nov 2026, 00:59 Europe/Berlin (25 Nov 2026, 23:59 UTC)");
        assert_eq!(zone("America/New_York").short_day(late), "25 Nov");
        // In summer it is another offset.
        assert_eq!(zone("Europe/Berlin").time(UtcMs(late.0 - 150 * DAY)), "01:59");
        for same in ["UTC", "Etc/UTC"] {
            assert_eq!(zone(same).exactly(late), UTC.named(late));
        }
        assert!(Zone::of(&TimeZoneName::from_stored("Gone/Zone".to_owned())).is_utc());
    }
}
