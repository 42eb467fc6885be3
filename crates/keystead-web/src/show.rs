//! Times in words.

use keystead_model::{UtcMs, text::TimeZoneName};

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

/// Rounded to the nearest.
fn length(milliseconds: i64) -> String {
    let (count, unit) = match milliseconds + MINUTE / 2 {
        ..HOUR => ((milliseconds + MINUTE / 2) / MINUTE, "minute"),
        HOUR..DAY => ((milliseconds + HOUR / 2) / HOUR, "hour"),
        _ => ((milliseconds + DAY / 2) / DAY, "day"),
    };
    counted(count, unit)
}

/// `1 day`, `2 days`.
pub(crate) fn counted(count: i64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `12 Mar 2026`.
pub(crate) fn day(at: UtcMs) -> String {
    day_of(&at.to_iso())
}

fn day_of(iso: &str) -> String {
    let month = iso.get(5..7).and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    format!("{} {} {}", iso[8..10].trim_start_matches('0'), names[(month - 1) % 12], &iso[..4])
}

/// `12 Mar`, where the year is plain.
pub(crate) fn short_day(at: UtcMs) -> String {
    let day = day(at);
    day.rsplit_once(' ').map_or(day.clone(), |(short, _)| short.to_owned())
}

/// `14:05`, in UTC.
pub(crate) fn time(at: UtcMs) -> String {
    at.to_iso()[11..16].to_owned()
}

/// `12 Mar 2026, 14:05 UTC`.
pub(crate) fn instant(at: UtcMs) -> String {
    format!("{}, {} UTC", day(at), time(at))
}

/// `12 Mar 2026, 14:05 Europe/Berlin`.
pub(crate) fn instant_in(at: UtcMs, zone: &TimeZoneName) -> String {
    let clock = at.to_clock(zone);
    format!("{}, {} {}", day_of(&clock), &clock[11..16], zone.as_str())
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
        assert_eq!(instant(now), "25 Nov 2026, 12:00 UTC");
        let tokyo = TimeZoneName::parse("Asia/Tokyo").unwrap();
        assert_eq!(instant_in(UtcMs(now.0 + 4 * HOUR), &tokyo), "26 Nov 2026, 01:00 Asia/Tokyo");
    }
}
