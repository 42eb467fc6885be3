//! Charts, drawn by the server, each with a table that says the same.

use keystead_core::Steps;
use keystead_model::{UtcMs, time::HOUR_MS};

use crate::show::{Zone, grouped};

/// What a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// 30 days, a bar for each.
    Days,
    /// 48 hours, a bar for each.
    Hours,
}

impl Span {
    /// From an address; days where it says nothing that is known.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        if text == Some("hours") { Self::Hours } else { Self::Days }
    }

    /// Its bars: the days of a zone, or hours.
    pub(crate) fn steps(self, now: UtcMs, zone: &Zone) -> Steps {
        // What has just been counted belongs to it.
        let until = UtcMs(now.0 + 1);
        match self {
            Self::Days => Steps::new(zone.days(now, 30), until),
            Self::Hours => Steps::even(UtcMs(now.0 - 47 * HOUR_MS), until, HOUR_MS),
        }
    }

    pub(crate) fn covers(self) -> &'static str {
        match self {
            Self::Days => "30 days",
            Self::Hours => "48 hours",
        }
    }

    /// What its highest bar is of: `at most 4 an hour`.
    pub(crate) fn per(self) -> &'static str {
        match self {
            Self::Days => "a day",
            Self::Hours => "an hour",
        }
    }

    fn step(self) -> &'static str {
        match self {
            Self::Days => "Day",
            Self::Hours => "From",
        }
    }

    fn short(self, at: UtcMs, zone: &Zone) -> String {
        match self {
            Self::Days => zone.short_day(at),
            Self::Hours => format!("{}, {}", zone.short_day(at), zone.time(at)),
        }
    }

    fn long(self, at: UtcMs, zone: &Zone) -> String {
        match self {
            Self::Days => zone.day(at),
            Self::Hours => zone.instant(at),
        }
    }
}

/// Something that is counted: what its table calls it, and how it is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) drawn: Drawn,
}

/// How numbers of a series are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drawn {
    /// As full bars.
    Full,
    /// As hollow bars on the others: what went wrong.
    Hollow,
    /// In the table alone.
    Not,
}

/// The bar of a step: its place and width in per cent, its heights in pixels.
pub(crate) struct Bar {
    pub(crate) x: String,
    pub(crate) width: String,
    pub(crate) full_y: i64,
    pub(crate) full_height: i64,
    pub(crate) hollow_y: i64,
    pub(crate) hollow_height: i64,
}

/// A step that has something, in the table.
pub(crate) struct Line {
    pub(crate) when: String,
    pub(crate) counts: Vec<String>,
}

/// A chart and its table.
pub(crate) struct Chart {
    /// What it shows, for whoever does not see it.
    pub(crate) label: String,
    pub(crate) bars: Vec<Bar>,
    pub(crate) lines: Vec<Line>,
    pub(crate) series: Vec<Series>,
    pub(crate) step: &'static str,
    pub(crate) first: String,
    pub(crate) last: String,
    /// What the line at the top stands for.
    pub(crate) most: String,
    pub(crate) half: String,
}

/// The line that bars stand on, and the highest they go.
const BASE: i64 = 126;
const HEIGHT: i64 = 120;

/// The least number for the line at the top that is at least `most` and easy to read: 1, 2, 4, 6, 8 or 10, and so on.
fn nice(most: i64) -> i64 {
    let mut unit = 1;
    while most > unit * 10 {
        unit *= 10;
    }
    [1, 2, 4, 6, 8, 10].into_iter().map(|factor| factor * unit).find(|top| *top >= most).unwrap_or(unit * 10)
}

/// `40k`, beside the lines of a chart.
fn short(number: i64) -> String {
    match number {
        ..10_000 => grouped(number),
        10_000..1_000_000 => format!("{}k", grouped(number / 1_000)),
        _ => format!("{}.{}M", grouped(number / 1_000_000), number / 100_000 % 10),
    }
}

/// Draws steps, each with its number of every series.
pub(crate) fn chart(what: &str, series: &[Series], steps: &[(UtcMs, Vec<i64>)], span: Span, zone: &Zone) -> Chart {
    let sum = |counts: &[i64], drawn: Drawn| -> i64 {
        counts.iter().zip(series).filter(|(_, series)| series.drawn == drawn).map(|(count, _)| count).sum()
    };
    let sums: Vec<(i64, i64)> =
        steps.iter().map(|(_, counts)| (sum(counts, Drawn::Full), sum(counts, Drawn::Hollow))).collect();
    let top = nice(sums.iter().map(|(full, hollow)| full + hollow).max().unwrap_or(0));
    // Whatever is there is seen, if only as a line.
    let scaled = |count: i64| if count == 0 { 0 } else { (count * HEIGHT / top).max(2) };
    // In hundredths of a per cent.
    let width = 10_000 / (steps.len() as i64).max(1);
    let percent = |hundredths: i64| format!("{}.{:02}%", hundredths / 100, hundredths % 100);
    let bar = |(index, (full, hollow)): (usize, &(i64, i64))| {
        let (full_height, hollow_height) = (scaled(*full), scaled(*hollow));
        Bar {
            x: percent(index as i64 * width + width / 8),
            width: percent(width * 3 / 4),
            full_y: BASE - full_height,
            full_height,
            hollow_y: BASE - full_height - hollow_height,
            hollow_height,
        }
    };
    let used = steps.iter().rev().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
    let edge = |step: Option<&(UtcMs, Vec<i64>)>| step.map(|(at, _)| span.short(*at, zone)).unwrap_or_default();
    Chart {
        label: format!("{what}, {}; the table below has the numbers", span.covers()),
        bars: sums.iter().enumerate().map(bar).collect(),
        lines: used
            .map(|(at, counts)| Line {
                when: span.long(*at, zone),
                counts: counts.iter().copied().map(grouped).collect(),
            })
            .collect(),
        series: series.to_vec(),
        step: span.step(),
        first: edge(steps.first()),
        last: edge(steps.last()),
        most: short(top),
        half: if top > 1 { short(top / 2) } else { String::new() },
    }
}

/// Requests as every chart of them has them.
pub(crate) const REQUESTS: &[Series] = &[
    Series { name: "Answered", drawn: Drawn::Full },
    Series { name: "4xx", drawn: Drawn::Hollow },
    Series { name: "5xx", drawn: Drawn::Hollow },
    Series { name: "Failed", drawn: Drawn::Not },
];

/// The numbers of [`REQUESTS`] from those by class of the answer.
pub(crate) fn requests(steps: &[(UtcMs, [i64; 6])]) -> Vec<(UtcMs, Vec<i64>)> {
    let counts = |[failed, one, two, three, four, five]: [i64; 6]| vec![one + two + three, four, five, failed];
    steps.iter().map(|(at, classes)| (*at, counts(*classes))).collect()
}

#[cfg(test)]
mod tests {
    use keystead_model::{
        text::TimeZoneName,
        time::{DAY_MS, MINUTE_MS},
    };

    use super::*;
    use crate::show::UTC;

    #[test]
    fn bars_stand_on_the_line_and_the_smallest_is_seen() {
        let steps = [(UtcMs(0), [1, 0, 1000, 0, 0, 0]), (UtcMs(DAY_MS), [0, 0, 0, 0, 1, 0]), (UtcMs(2), [0; 6])];
        let drawn = chart("Requests", REQUESTS, &requests(&steps), Span::Days, &UTC);
        for bar in &drawn.bars {
            assert_eq!(bar.full_y + bar.full_height, BASE);
            assert_eq!(bar.hollow_y + bar.hollow_height, bar.full_y);
        }
        let heights = (drawn.bars[0].full_height, drawn.bars[1].hollow_height, drawn.bars[2].full_height);
        assert_eq!(heights, (HEIGHT, 2, 0));
        assert_eq!(drawn.lines.len(), 2, "days without any are left out of the table");
        assert_eq!(drawn.lines[1].counts, ["1,000", "0", "0", "1"]);
    }

    #[test]
    fn lines_stand_for_numbers_that_are_easy_to_read() {
        for (most, top) in [(0, 1), (1, 1), (3, 4), (7, 8), (10, 10), (11, 20), (1001, 2000), (61_204, 80_000)] {
            assert_eq!(nice(most), top, "{most}");
        }
        assert_eq!([999, 40_000, 2_500_000].map(short), ["999", "40k", "2.5M"]);
    }

    /// The days of a zone whose clock is put forward or back are no 24 hours.
    #[test]
    fn days_are_those_of_the_zone() {
        let zone = Zone::of(&TimeZoneName::parse("Europe/Berlin").unwrap());
        let now = UtcMs::read_iso("2026-10-26T12:00:00Z").unwrap();
        let days = zone.days(now, 3);
        let told: Vec<String> = days.iter().map(|day| day.to_iso()).collect();
        assert_eq!(told, ["2026-10-23T22:00:00.000Z", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]);
        assert_eq!(zone.tomorrow(now).to_iso(), "2026-10-26T23:00:00.000Z");
        assert!(days.windows(2).all(|pair| pair[1] - pair[0] >= 24 * HOUR_MS - MINUTE_MS));
    }
}
