//! The two kinds of time, which never convert into each other (design: two clocks, two types).
//!
//! [`UtcMs`] is what people see or chose: when something was last used, when it expires. [`ServiceMs`] is what the
//! 90-day rule decides by: time during which the service was up and could write. It never runs faster than real time
//! and has no relation to a calendar.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

/// Milliseconds since 1970-01-01T00:00:00Z, as people and the wire contract tell time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UtcMs(pub i64);

/// Milliseconds of service time: how long this instance has been up and writing since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ServiceMs(pub i64);

/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl UtcMs {
    /// ISO 8601 in UTC with milliseconds, `2026-11-25T18:28:33.120Z`, as the wire contract writes instants.
    pub fn to_iso(self) -> String {
        String::from_utf8_lossy(&self.iso_bytes()).into_owned()
    }

    /// The same as ASCII, without an allocation.
    pub fn iso_bytes(self) -> [u8; 24] {
        let utc = jiff::tz::Offset::UTC.to_datetime(self.to_timestamp());
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

    /// `2026-11-25`, the day in UTC.
    pub fn to_day(self) -> String {
        self.to_iso()[..10].to_owned()
    }

    /// Reads ISO 8601 with an offset; a plain day counts as its midnight in UTC.
    pub fn parse_iso(text: &str) -> Option<Self> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant.as_millisecond()));
        }
        let midnight = text.parse::<jiff::civil::Date>().ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self(midnight.timestamp().as_millisecond()))
    }

    /// For formatting; an instant outside jiff's range (year ±9999) is shown as its bound.
    pub fn to_timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
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

    #[test]
    fn iso_is_read_back() {
        assert_eq!(UtcMs::parse_iso("2025-11-25T18:28:33.007Z"), Some(UtcMs(1_764_095_313_007)));
        assert_eq!(UtcMs::parse_iso("2025-11-25T19:28:33.007+01:00"), Some(UtcMs(1_764_095_313_007)));
        assert_eq!(UtcMs::parse_iso("1970-01-02"), Some(UtcMs(DAY_MS)));
        assert_eq!(UtcMs::parse_iso("0000-00-00"), None);
        assert_eq!(UtcMs::parse_iso("soon"), None);
    }
}
