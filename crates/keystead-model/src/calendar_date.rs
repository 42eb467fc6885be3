//! Calendar dates without a time, such as a birthday.

use jiff::civil::Date;

use crate::{
    Invalid,
    text::TimeZoneName,
    time::{Moment, UtcMs},
};

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalendarDate(Date);

impl CalendarDate {
    /// Reads `YYYY-MM-DD`, `YYYY/MM/DD`, `MM/DD/YYYY`, `MM-DD-YYYY` and the same with `.` or `_`, as the wire
    /// contract has them; also the date of an ISO instant, since clients send what they read elsewhere.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new("must be a date, such as 1990-09-25");
        let text = text.trim();
        let day = match text.split_once('T') {
            Some((day, _)) if Moment::parse(text).is_ok() => day,
            Some(_) => return Err(refused()),
            None => text,
        };
        let mut parts = day.split(['-', '/', '.', '_']);
        let mut next = || parts.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()) && part.len() <= 4);
        let (Some(first), Some(second), Some(third), None) = (next(), next(), next(), next()) else {
            return Err(refused());
        };
        let (year, month, day) = if first.len() == 4 { (first, second, third) } else { (third, first, second) };
        if year.len() != 4 {
            return Err(refused());
        }
        let number = |part: &str| part.parse::<i16>().map_err(|_| refused());
        let small = |part: &str| part.parse::<i8>().map_err(|_| refused());
        Date::new(number(year)?, small(month)?, small(day)?)
            .ok()
            .filter(|date| date.year() >= 1)
            .map(Self)
            .ok_or_else(refused)
    }

    /// What `02/03/1990` and the like may be: with the month first, as the contract has it, and with the day first, as most of the world
    /// writes it. Both are `None` of what is written in any other way.
    pub fn either_way(text: &str) -> [Option<Self>; 2] {
        let parts: Vec<&str> = text.trim().split(['-', '/', '.', '_']).collect();
        let [first, second, year] = parts[..] else { return [None, None] };
        if year.len() != 4 || first.len() > 2 {
            return [None, None];
        }
        [[first, second, year], [second, first, year]].map(|parts| Self::parse(&parts.join("/")).ok())
    }

    /// The day that it is in a zone at some instant.
    pub fn of(at: UtcMs, zone: &TimeZoneName) -> Self {
        Self(at.in_zone(&zone.to_zone()).date())
    }

    /// `YYYY-MM-DD`, which is the stored form too.
    pub fn to_iso(self) -> String {
        self.0.to_string()
    }

    /// Its beginning in UTC.
    pub fn to_utc(self) -> UtcMs {
        const EPOCH: Date = Date::constant(1970, 1, 1);
        UtcMs(self.0.duration_since(EPOCH).as_secs() * 1000)
    }

    /// The day as a moment: from its first instant to its last in some zone.
    pub const fn to_moment(self) -> Moment {
        Moment::Day(self.0)
    }

    /// How many days later it is than `earlier`; negative if it is the earlier one.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.duration_since(earlier.0).as_secs() / 86_400
    }

    /// 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// 1 to 31.
    pub fn day(self) -> i8 {
        self.0.day()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        for text in ["1990-09-25", "1969-12-31", "0001-01-01", "9999-12-31"] {
            assert_eq!(CalendarDate::parse(text).unwrap().to_utc().to_iso(), format!("{text}T00:00:00.000Z"));
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_read_in_both() {
        for (text, month_first, day_first) in [
            ("02/03/1990", Some("1990-02-03"), Some("1990-03-02")),
            (" 2.3.1990", Some("1990-02-03"), Some("1990-03-02")),
            ("25/09/1990", None, Some("1990-09-25")),
            ("09-25-1990", Some("1990-09-25"), None),
            ("30/02/1990", None, None),
            ("1990-02-03", None, None),
            ("1990-02-03T00:00:00.000Z", None, None),
            ("02/03/90", None, None),
            ("x/y/1990", None, None),
            ("", None, None),
        ] {
            let read = CalendarDate::either_way(text).map(|day| day.map(CalendarDate::to_iso));
            assert_eq!(read.each_ref().map(Option::as_deref), [month_first, day_first], "{text}");
        }
    }

    #[test]
    fn the_contracts_spellings_are_read() {
        for text in [
            "1990-09-25",
            "1990/09/25",
            "09/25/1990",
            "09-25-1990",
            "1990.09.25",
            "09_25_1990",
            "1990-09-25T00:00:00.000Z",
        ] {
            assert_eq!(CalendarDate::parse(text).unwrap().to_iso(), "1990-09-25", "{text}");
        }
        for refused in
            ["", "0000-00-00", "2025-02-29", "1990-13-01", "25/09/1990", "90-09-25", "1990-09", "1990-09-25-1"]
        {
            assert!(CalendarDate::parse(refused).is_err(), "{refused:?}");
        }
    }
}
