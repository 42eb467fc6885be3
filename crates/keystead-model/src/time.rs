//! The two kinds of time, which never convert into each other.
//!
//! [`UtcMs`] is what people see or chose: when something was last used, when it expires. [`ServiceMs`] is what the
//! 90-day rule decides by: time during which the service was up and could write. It never runs faster than real time
//! and has no relation to a calendar.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

use jiff::{
    Span, SpanTotal, Timestamp, Unit,
    civil::{Date, DateTime, Time},
    fmt::{rfc2822, rfc2822::DateTimePrinter, temporal::Pieces},
    tz::{Offset, TimeZone},
};

use crate::{Invalid, text::TimeZoneName};

/// Milliseconds since 1970-01-01T00:00:00Z, as people and the wire contract tell time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UtcMs(pub i64);

/// Milliseconds of service time: how long this instance has been up and writing since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ServiceMs(pub i64);

/// A point in time as people and programs write it. One without a zone means the zone of whoever it belongs to, which its
/// reader does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// With its offset from UTC: `2027-01-31T12:00:00+01:00`, or milliseconds since 1970.
    Instant(UtcMs),
    /// A date and a time of day without a zone: `2027-01-31T12:00:00`.
    Civil(DateTime),
    /// A day: `2027-01-31`.
    Day(Date),
}

impl Moment {
    /// Reads ISO 8601.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new("must be a valid ISO 8601 date string");
        let read = Pieces::parse(text.trim()).ok().filter(|pieces| pieces.time_zone_annotation().is_none());
        let pieces = read.ok_or_else(refused)?;
        let Some(time) = pieces.time() else { return Ok(Self::Day(pieces.date())) };
        let civil = pieces.date().to_datetime(time);
        let Some(offset) = pieces.to_numeric_offset() else { return Ok(Self::Civil(civil)) };
        let instant = at_offset(civil, offset);
        // No clock is a day away from another.
        if offset.seconds().abs() >= DAY_SECONDS || !(UtcMs::MIN..=UtcMs::MAX).contains(&instant) {
            Err(refused())
        } else {
            Ok(Self::Instant(instant))
        }
    }

    /// The instant, of a day its first.
    pub fn start(self, zone: &TimeZoneName) -> UtcMs {
        match self {
            Self::Instant(instant) => instant,
            Self::Civil(civil) => place(civil, &zone.to_zone()),
            Self::Day(day) => place(day.at(0, 0, 0, 0), &zone.to_zone()),
        }
    }

    /// The instant, of a day the first after it: for ranges that do not hold their end.
    pub fn end(self, zone: &TimeZoneName) -> UtcMs {
        match self {
            Self::Day(day) => match day.tomorrow() {
                Ok(tomorrow) => Self::Day(tomorrow).start(zone),
                Err(_) => UtcMs(Self::Day(day).start(zone).0 + DAY_MS),
            },
            Self::Instant(_) | Self::Civil(_) => self.start(zone),
        }
    }

    /// The instant, of a day its last: for what ends with that day and is shown with its date.
    pub fn last(self, zone: &TimeZoneName) -> UtcMs {
        match self {
            Self::Day(_) => UtcMs(self.end(zone).0 - 1),
            Self::Instant(_) | Self::Civil(_) => self.start(zone),
        }
    }
}

/// Where a civil time is in a zone. One that a clock skips is as much later, one that it shows twice is the first.
fn place(civil: DateTime, zone: &TimeZone) -> UtcMs {
    match zone.to_timestamp(civil) {
        Ok(instant) => UtcMs(instant.as_millisecond()),
        // The last day of the year 9999 is no timestamp of the library's, since some zone is already beyond it.
        Err(_) => {
            let near = if civil.year() < 1970 { Timestamp::MIN } else { Timestamp::MAX };
            at_offset(civil, zone.to_offset(near)).min(UtcMs::MAX)
        }
    }
}

fn at_offset(civil: DateTime, offset: Offset) -> UtcMs {
    let days = civil.date().duration_since(EPOCH).as_secs() / 86_400;
    let time = civil.time().duration_since(Time::MIN).as_millis();
    UtcMs(days * DAY_MS + i64::try_from(time).unwrap_or_default() - i64::from(offset.seconds()) * 1000)
}

/// A number below is a time in seconds: as milliseconds since 1970 it would be before March 1973.
pub const SECONDS: i64 = 100_000_000_000;
/// What is wrong with one.
pub const IN_SECONDS: &str = "must be in milliseconds since 1970; this looks like seconds";

/// Whether a number that is to be the milliseconds of some day, also of one before 1973, is rather seconds: the first moments of
/// days are a quarter of an hour everywhere.
pub fn looks_like_seconds(number: i64) -> bool {
    (1..SECONDS).contains(&number) && number % 900_000 != 0
}

/// Reads an ISO 8601 duration of at most `max`: `P7D`, `P2W`, `PT360H`. Months and years have no length of their own.
pub fn parse_duration(text: &str, max: Duration) -> Option<Duration> {
    let span: Span = text.trim().strip_prefix(['P', 'p']).and_then(|_| text.trim().parse().ok())?;
    let length = span.total(SpanTotal::from(Unit::Millisecond).days_are_24_hours()).ok()?;
    (0.0..=max.as_millis() as f64).contains(&length).then(|| Duration::from_millis(length as u64))
}

const DAY_SECONDS: i32 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl UtcMs {
    /// The beginning of the year 0, before which there are no dates.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// The end of the year 9999, beyond which there are no dates.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// ISO 8601 in UTC with milliseconds, `2026-11-25T18:28:33.120Z`, as the wire contract writes instants.
    pub fn to_iso(self) -> String {
        String::from_utf8_lossy(&self.iso_bytes()).into_owned()
    }

    /// The same as ASCII, without an allocation.
    pub fn iso_bytes(self) -> [u8; 24] {
        let utc = self.to_civil();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        // By hand: several of these stand in every answer, and a formatter costs more than all the rest of it.
        let mut put = |at: usize, digits: usize, mut number: i32| {
            for slot in text[at..at + digits].iter_mut().rev() {
                *slot = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        put(0, 4, i32::from(utc.year()).max(0));
        put(5, 2, utc.month().into());
        put(8, 2, utc.day().into());
        put(11, 2, utc.hour().into());
        put(14, 2, utc.minute().into());
        put(17, 2, utc.second().into());
        put(20, 3, utc.millisecond().into());
        text
    }

    /// Reads what [`UtcMs::to_iso`] writes, and every other instant of ISO 8601 with an offset.
    pub fn read_iso(text: &str) -> Option<Self> {
        match Moment::parse(text).ok()? {
            Moment::Instant(instant) => Some(instant),
            Moment::Civil(_) | Moment::Day(_) => None,
        }
    }

    /// `Wed, 25 Nov 2026 18:28:33 GMT`, as HTTP writes dates in headers.
    pub fn to_http_date(self) -> String {
        let timestamp = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX);
        DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).unwrap_or_default()
    }

    /// Reads [`UtcMs::to_http_date`].
    pub fn read_http_date(text: &str) -> Option<Self> {
        let read = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
        Some(Self(read.as_millisecond()))
    }

    /// `2026-11-25`, the day in UTC.
    pub fn to_day(self) -> String {
        self.to_iso()[..10].to_owned()
    }

    /// Date and time as a clock of `zone` shows them.
    pub fn in_zone(self, zone: &TimeZone) -> DateTime {
        let near = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX);
        let offset = i64::from(zone.to_offset(near).seconds()) * 1000;
        Self(self.0.saturating_add(offset)).to_civil()
    }

    /// The civil date and time in UTC; what lies beyond the years 0 to 9999 is shown as their bound.
    fn to_civil(self) -> DateTime {
        match Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => Offset::UTC.to_datetime(timestamp),
            Err(_) => {
                let day = Span::new().try_days(self.0.div_euclid(DAY_MS)).and_then(|days| EPOCH.checked_add(days));
                let time = Time::MIN.saturating_add(Span::new().milliseconds(self.0.rem_euclid(DAY_MS)));
                let beyond = if self.0 < 0 { DateTime::MIN } else { DateTime::MAX };
                day.map_or(beyond, |day| day.to_datetime(time))
            }
        }
    }
}

impl serde::Serialize for UtcMs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.iso_bytes()).unwrap_or_default())
    }
}

impl Add<Duration> for UtcMs {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub for UtcMs {
    /// Milliseconds; negative if `earlier` is the later one.
    type Output = i64;
    fn sub(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl ServiceMs {
    /// `milliseconds` later.
    pub fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

impl Sub for ServiceMs {
    /// Milliseconds of service time; negative if `earlier` is the later one.
    type Output = i64;
    fn sub(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_has_milliseconds_and_z() {
        assert_eq!(UtcMs(1_764_095_313_007).to_iso(), "2025-11-25T18:28:33.007Z");
        assert_eq!(UtcMs(0).to_iso(), "1970-01-01T00:00:00.000Z");
    }

    fn zone(name: &str) -> TimeZoneName {
        TimeZoneName::parse(name).unwrap()
    }

    #[test]
    fn a_moment_without_a_zone_is_one_of_the_zone_that_it_is_placed_in() {
        for (text, name, start, end) in [
            ("2025-11-25T18:28:33.007Z", "Asia/Tokyo", "2025-11-25T18:28:33.007Z", None),
            ("2025-11-25T19:28:33.007+01:00", "Asia/Tokyo", "2025-11-25T18:28:33.007Z", None),
            ("2027-01-01T10:30:00", "UTC", "2027-01-01T10:30:00.000Z", None),
            ("2027-01-01T10:30", "America/New_York", "2027-01-01T15:30:00.000Z", None),
            ("2027-01-01 10:30:00", "Asia/Tokyo", "2027-01-01T01:30:00.000Z", None),
            ("2027-01-01", "UTC", "2027-01-01T00:00:00.000Z", Some("2027-01-02T00:00:00.000Z")),
            ("2027-01-01", "Asia/Tokyo", "2026-12-31T15:00:00.000Z", Some("2027-01-01T15:00:00.000Z")),
            // The days on which clocks change have 23 and 25 hours.
            ("2027-03-28", "Europe/Berlin", "2027-03-27T23:00:00.000Z", Some("2027-03-28T22:00:00.000Z")),
            ("2027-10-31", "Europe/Berlin", "2027-10-30T22:00:00.000Z", Some("2027-10-31T23:00:00.000Z")),
            ("2027-03-28T02:30:00", "Europe/Berlin", "2027-03-28T01:30:00.000Z", None),
            ("2027-10-31T02:30:00", "Europe/Berlin", "2027-10-31T00:30:00.000Z", None),
            ("9999-12-31", "UTC", "9999-12-31T00:00:00.000Z", None),
            ("9999-12-31", "America/New_York", "9999-12-31T05:00:00.000Z", None),
            ("9999-12-31T23:59:59", "UTC", "9999-12-31T23:59:59.000Z", None),
            ("9999-12-31T23:59:59.9999999Z", "Asia/Tokyo", "9999-12-31T23:59:59.999Z", None),
            ("20270101T103000Z", "Asia/Tokyo", "2027-01-01T10:30:00.000Z", None),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.start(&zone(name)).to_iso(), start, "{text} in {name}");
            if let Some(end) = end {
                assert_eq!(moment.end(&zone(name)).to_iso(), end, "the end of {text} in {name}");
            }
        }
        let evening = Moment::parse("2027-01-31").unwrap().last(&zone("Europe/Berlin"));
        assert_eq!(evening.in_zone(&zone("Europe/Berlin").to_zone()).to_string(), "2027-01-31T23:59:59.999");
        assert_eq!(evening.in_zone(&zone("Asia/Tokyo").to_zone()).to_string(), "2027-02-01T07:59:59.999");
        let last = |text| Moment::parse(text).unwrap().last(&zone("Europe/Berlin")).to_iso();
        assert_eq!(last("2027-01-31"), "2027-01-31T22:59:59.999Z");
        assert_eq!(last("2027-01-31T12:00:00"), "2027-01-31T11:00:00.000Z");
        assert_eq!(
            Moment::parse("9999-12-31").unwrap().last(&TimeZoneName::utc()).to_iso(),
            "9999-12-31T23:59:59.999Z"
        );
    }

    #[test]
    fn durations_have_many_spellings() {
        let days =
            |text| parse_duration(text, Duration::from_secs(90 * 86_400)).map(|length| length.as_secs() / 86_400);
        for (text, expected) in [("P15D", 15), ("P2W", 14), ("PT360H", 15), ("P1DT24H", 2), ("p15d", 15), ("PT0S", 0)] {
            assert_eq!(days(text), Some(expected), "{text}");
        }
        for text in ["", "15", "P", "P1M", "P1Y", "-P7D", "P91D", "P99999999999D", "15 days"] {
            assert_eq!(days(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "soon",
            "0000-00-00",
            "2025-02-29",
            "2027-01-01T",
            "2027-01-01T25:00:00",
            "2027-01-01T10:30:00 o'clock",
            "2027-01-01T10:30:00+99:00",
            "2027-01-01T10:30:00+25:00",
            "2027-01-01T10:30:00-24:00",
            "9999-12-31T23:59:59-05:00",
            "2027-1-1",
            "01/02/2027",
            "1e9",
        ] {
            assert!(Moment::parse(text).is_err(), "{text:?}");
        }
    }
}
