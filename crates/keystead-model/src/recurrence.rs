//! When something comes again: every so many hours, days, weeks, months or years from a start on.
//!
//! Hours are absolute; everything longer goes by the calendar of a zone, and keeps the time of day that its clock showed at the
//! start. The interval counts from the week, month or year of the start. A day that a month does not have is its last one, so the
//! 31st is the last day of every month.

use jiff::{
    Span,
    civil::{Date, DateTime},
};

use crate::{
    Invalid, UtcMs,
    text::TimeZoneName,
    time::{DAY_MS, HOUR_MS, Moment},
};

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// What is counted.
    pub unit: Unit,
    /// Every so many of them; at least one.
    pub interval: i64,
    /// Nothing comes before it. It is the first time itself, where the day suits.
    pub start: UtcMs,
    /// Nothing comes after it.
    pub end: Option<UtcMs>,
    /// Of months and years, 1 to 31; else the start's.
    pub day_of_month: Option<i64>,
    /// Of weeks; else the start's.
    pub day_of_week: Option<Weekday>,
    /// Of years, 1 to 12; else the start's.
    pub month_of_year: Option<i64>,
}

macro_rules! names {
    ($(#[$about:meta])* $type:ident, $problem:literal, $($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$doc])* $variant,)*
        }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire, which is also how it is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Reads the name.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let known = Self::ALL.iter().copied().find(|known| known.as_str() == text);
                known.ok_or_else(|| Invalid::new($problem))
            }
        }
    };
}

names! {
    /// What an interval counts.
    Unit, "must be yearly, monthly, weekly, daily or hourly",
    /// Years.
    Yearly = "yearly";
    /// Months.
    Monthly = "monthly";
    /// Weeks, which begin on Monday.
    Weekly = "weekly";
    /// Days.
    Daily = "daily";
    /// Hours.
    Hourly = "hourly";
}

names! {
    /// A day of the week.
    Weekday, "must be MO, TU, WE, TH, FR, SA or SU",
    /// Monday.
    Monday = "MO";
    /// Tuesday.
    Tuesday = "TU";
    /// Wednesday.
    Wednesday = "WE";
    /// Thursday.
    Thursday = "TH";
    /// Friday.
    Friday = "FR";
    /// Saturday.
    Saturday = "SA";
    /// Sunday.
    Sunday = "SU";
}

impl Recurrence {
    /// What does not go together: the field, and what is wrong with it.
    pub fn contradictions(&self) -> Vec<(&'static str, Invalid)> {
        let goes_with = |is_there: bool, units: &[Unit], field, problem: &str| {
            (is_there && !units.contains(&self.unit)).then(|| (field, Invalid::new(problem)))
        };
        let monthly = [Unit::Monthly, Unit::Yearly];
        let ends = self.end.is_some_and(|end| end < self.start);
        [
            goes_with(self.day_of_month.is_some(), &monthly, "dayOfMonth", "goes with monthly and yearly only"),
            goes_with(self.day_of_week.is_some(), &[Unit::Weekly], "dayOfWeek", "goes with weekly only"),
            goes_with(self.month_of_year.is_some(), &[Unit::Yearly], "monthOfYear", "goes with yearly only"),
            ends.then(|| ("endDate", Invalid::new("must not be before startDate"))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The last time until `at`; `None` if it has not come yet.
    pub fn last_until(&self, zone: &TimeZoneName, at: UtcMs) -> Option<UtcMs> {
        let at = self.end.map_or(at, |end| at.min(end));
        let period = self.period_until(zone, at)?;
        self.place(zone, period).filter(|time| *time >= self.start)
    }

    /// The first time after `at`; `None` if it does not come again.
    pub fn first_after(&self, zone: &TimeZoneName, at: UtcMs) -> Option<UtcMs> {
        let after = at.max(UtcMs(self.start.0 - 1));
        let period = self.period_until(zone, after).map_or(0, |period| period + 1);
        self.place(zone, period).filter(|time| self.end.is_none_or(|end| *time <= end))
    }

    /// The last period whose time is not after `at`.
    fn period_until(&self, zone: &TimeZoneName, at: UtcMs) -> Option<i64> {
        let shortest = match self.unit {
            Unit::Hourly => HOUR_MS,
            Unit::Daily => DAY_MS,
            Unit::Weekly => 7 * DAY_MS,
            Unit::Monthly => 28 * DAY_MS,
            Unit::Yearly => 365 * DAY_MS,
        };
        let is_until = |period: i64| self.place(zone, period).is_some_and(|time| time <= at);
        if !is_until(0) {
            return None;
        }
        // Times grow with their periods. The first may be up to one before the start, and clocks change by hours.
        let mut beyond = (at - self.start).max(0) / (shortest * self.interval) + 3;
        let mut until = 0;
        while beyond - until > 1 {
            let middle = until + (beyond - until) / 2;
            if is_until(middle) { until = middle } else { beyond = middle }
        }
        Some(until)
    }

    /// The time of a period, counted from that of the start; `None` beyond the calendar. That of the first may be before the start.
    fn place(&self, zone: &TimeZoneName, period: i64) -> Option<UtcMs> {
        let count = period.checked_mul(self.interval)?;
        if self.unit == Unit::Hourly {
            let time = self.start.0.checked_add(count.checked_mul(HOUR_MS)?)?;
            return Some(UtcMs(time)).filter(|time| *time <= UtcMs::MAX);
        }
        let start = self.start.in_zone(&zone.to_zone());
        let date = self.day(start, count)?;
        Some(Moment::Civil(date.to_datetime(start.time())).start(zone))
    }

    fn day(&self, start: DateTime, count: i64) -> Option<Date> {
        let date = start.date();
        let days = |days: i64| date.checked_add(Span::new().try_days(days).ok()?).ok();
        let month = |first: Date, months: i64| first.checked_add(Span::new().try_months(months).ok()?).ok();
        match self.unit {
            Unit::Hourly => None,
            Unit::Daily => days(count),
            Unit::Weekly => {
                let from_monday = i64::from(date.weekday().to_monday_zero_offset());
                let day = self.day_of_week.map_or(from_monday, |day| day as i64);
                days(count.checked_mul(7)? + day - from_monday)
            }
            Unit::Monthly => self.in_month(date, month(date.first_of_month(), count)?),
            Unit::Yearly => {
                let named = self.month_of_year.map_or(date.month(), |month| month as i8);
                let first = Date::new(date.year(), named, 1).ok()?;
                self.in_month(date, month(first, count.checked_mul(12)?)?)
            }
        }
    }

    /// The rule's day in a month, of which this is the first.
    fn in_month(&self, start: Date, first: Date) -> Option<Date> {
        let day = self.day_of_month.map_or(start.day(), |day| day as i8);
        Date::new(first.year(), first.month(), day.min(first.days_in_month())).ok()
    }
}

#[cfg(test)]
#[path = "recurrence_tests.rs"]
mod tests;
