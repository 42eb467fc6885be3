//! The chart of a key's requests, drawn by the server, with a table that says the same.

use keystead_core::UsageReport;
use keystead_model::{
    UtcMs,
    time::{DAY_MS, HOUR_MS},
};

use crate::show::{UTC, Zone};

/// What a chart shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// 30 days, a bar for each. Sums are kept by hours of UTC, which the days of other zones do not always begin with.
    Days,
    /// 48 hours, a bar for each.
    Hours,
}

impl Span {
    /// From an address; days where it says nothing that is known.
    pub(super) fn parse(text: Option<&str>) -> Self {
        if text == Some("hours") { Self::Hours } else { Self::Days }
    }

    /// The length of a bar in milliseconds.
    pub(super) const fn step(self) -> i64 {
        match self {
            Self::Days => DAY_MS,
            Self::Hours => HOUR_MS,
        }
    }

    /// When the first bar begins.
    pub(super) const fn from(self, now: UtcMs) -> UtcMs {
        let bars = match self {
            Self::Days => 30,
            Self::Hours => 48,
        };
        UtcMs(now.0 - (bars - 1) * self.step())
    }

    fn short(self, at: UtcMs, zone: &Zone) -> String {
        match self {
            Self::Days => UTC.short_day(at),
            Self::Hours => format!("{}, {}", zone.short_day(at), zone.time(at)),
        }
    }

    fn long(self, at: UtcMs, zone: &Zone) -> String {
        match self {
            Self::Days => UTC.day(at),
            Self::Hours => zone.instant(at),
        }
    }
}

/// The bar of a day or an hour, in units of the drawing.
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) good_y: i64,
    pub(super) good_height: i64,
    pub(super) bad_y: i64,
    pub(super) bad_height: i64,
    pub(super) width: i64,
}

/// A day or an hour that had requests.
pub(super) struct Line {
    pub(super) when: String,
    pub(super) good: i64,
    pub(super) client_errors: i64,
    pub(super) server_errors: i64,
    pub(super) failed: i64,
}

/// A route and how often it was called.
pub(super) struct Endpoint {
    pub(super) name: String,
    pub(super) requests: i64,
}

pub(super) struct Chart {
    span: Span,
    pub(super) bars: Vec<Bar>,
    pub(super) lines: Vec<Line>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) requests: i64,
    pub(super) failed: i64,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) most: i64,
    /// Whether its days are others than those of the page's clock.
    pub(super) in_utc: bool,
}

/// Width and height of the drawing, as in its template.
const WIDTH: i64 = 672;
const HEIGHT: i64 = 100;
/// Routes that are listed.
const ENDPOINTS: usize = 6;

pub(super) fn chart(report: &UsageReport, span: Span, zone: &Zone) -> Chart {
    let sums = |classes: &[i64; 6]| (classes[1] + classes[2] + classes[3], classes[4] + classes[5]);
    let most = report.steps.iter().map(|(_, classes)| sums(classes)).map(|(good, bad)| good + bad).max().unwrap_or(0);
    // Whatever is there is seen, if only as a line.
    let scaled = |count: i64| if count == 0 { 0 } else { (count * HEIGHT / most.max(1)).max(2) };
    let step = WIDTH / (report.steps.len() as i64).max(1);
    let bars = report
        .steps
        .iter()
        .enumerate()
        .map(|(index, (_, classes))| {
            let (good, bad) = sums(classes);
            let (good_height, bad_height) = (scaled(good), scaled(bad));
            Bar {
                x: index as i64 * step,
                good_y: HEIGHT - bad_height - good_height + 6,
                good_height,
                bad_y: HEIGHT - bad_height + 6,
                bad_height,
                width: step * 3 / 4,
            }
        })
        .collect();
    let used = report.steps.iter().rev().filter(|(_, classes)| classes.iter().any(|count| *count > 0));
    let edge = |step: Option<&(UtcMs, [i64; 6])>| step.map(|(at, _)| span.short(*at, zone)).unwrap_or_default();
    Chart {
        span,
        bars,
        lines: used
            .map(|(at, classes)| Line {
                when: span.long(*at, zone),
                good: sums(classes).0,
                client_errors: classes[4],
                server_errors: classes[5],
                failed: classes[0],
            })
            .collect(),
        endpoints: report
            .endpoints
            .iter()
            .take(ENDPOINTS)
            .map(|(name, requests)| Endpoint { name: name.clone(), requests: *requests })
            .collect(),
        requests: report.requests,
        failed: report.failed,
        first: edge(report.steps.first()),
        last: edge(report.steps.last()),
        most,
        in_utc: span == Span::Days && !zone.is_utc(),
    }
}

impl Chart {
    pub(super) fn is_hourly(&self) -> bool {
        self.span == Span::Hours
    }

    pub(super) fn per(&self) -> &'static str {
        if self.is_hourly() { "an hour" } else { "a day" }
    }

    pub(super) fn covers(&self) -> &'static str {
        if self.is_hourly() { "48 hours" } else { "30 days" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_the_line_and_the_smallest_is_seen() {
        let steps =
            vec![(UtcMs(0), [1, 0, 1000, 0, 0, 0]), (UtcMs(86_400_000), [0, 0, 0, 0, 1, 0]), (UtcMs(2), [0; 6])];
        let drawn =
            chart(&UsageReport { steps, requests: 1001, failed: 1, ..UsageReport::default() }, Span::Days, &UTC);
        for bar in &drawn.bars {
            assert_eq!(bar.bad_y + bar.bad_height, HEIGHT + 6);
            assert_eq!(bar.good_y + bar.good_height, bar.bad_y);
        }
        assert_eq!((drawn.bars[0].good_height, drawn.bars[1].bad_height, drawn.bars[2].good_height), (HEIGHT, 2, 0));
        assert_eq!(drawn.lines.len(), 2, "days without any are left out of the table");
    }
}
