//! The chart of a key's requests, drawn by the server, with a table that says the same.

use keystead_core::UsageReport;

use crate::show as words;

/// One day's bar, in units of the drawing.
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) good_y: i64,
    pub(super) good_height: i64,
    pub(super) bad_y: i64,
    pub(super) bad_height: i64,
    pub(super) width: i64,
}

/// One day that had requests.
pub(super) struct Day {
    pub(super) date: String,
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
    pub(super) bars: Vec<Bar>,
    pub(super) days: Vec<Day>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) requests: i64,
    pub(super) failed: i64,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) most: i64,
}

/// Width of a bar and the gap after it, and the height of the drawing.
const STEP: i64 = 22;
const WIDTH: i64 = 16;
const HEIGHT: i64 = 100;
/// Routes that are listed.
const ENDPOINTS: usize = 6;

pub(super) fn chart(report: &UsageReport) -> Chart {
    let sums = |classes: &[i64; 6]| (classes[1] + classes[2] + classes[3], classes[4] + classes[5]);
    let most = report.steps.iter().map(|(_, classes)| sums(classes)).map(|(good, bad)| good + bad).max().unwrap_or(0);
    // Whatever is there is seen, if only as a line.
    let scaled = |count: i64| if count == 0 { 0 } else { (count * HEIGHT / most.max(1)).max(2) };
    let bars = report
        .steps
        .iter()
        .enumerate()
        .map(|(index, (_, classes))| {
            let (good, bad) = sums(classes);
            let (good_height, bad_height) = (scaled(good), scaled(bad));
            Bar {
                x: 4 + index as i64 * STEP,
                good_y: HEIGHT - bad_height - good_height + 6,
                good_height,
                bad_y: HEIGHT - bad_height + 6,
                bad_height,
                width: WIDTH,
            }
        })
        .collect();
    let days = report.steps.iter().rev().filter(|(_, classes)| classes.iter().any(|count| *count > 0));
    let edge = |step: Option<&(keystead_model::UtcMs, [i64; 6])>| {
        step.map(|(at, _)| words::short_day(*at)).unwrap_or_default()
    };
    Chart {
        bars,
        days: days
            .map(|(at, classes)| Day {
                date: words::day(*at),
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
    }
}

impl Chart {
    pub(super) fn width(&self) -> i64 {
        self.bars.len() as i64 * STEP + 4
    }
}

#[cfg(test)]
mod tests {
    use keystead_model::UtcMs;

    use super::*;

    #[test]
    fn bars_stand_on_the_line_and_the_smallest_is_seen() {
        let steps =
            vec![(UtcMs(0), [1, 0, 1000, 0, 0, 0]), (UtcMs(86_400_000), [0, 0, 0, 0, 1, 0]), (UtcMs(2), [0; 6])];
        let drawn = chart(&UsageReport { steps, requests: 1001, failed: 1, ..UsageReport::default() });
        for bar in &drawn.bars {
            assert_eq!(bar.bad_y + bar.bad_height, HEIGHT + 6);
            assert_eq!(bar.good_y + bar.good_height, bar.bad_y);
        }
        assert_eq!((drawn.bars[0].good_height, drawn.bars[1].bad_height, drawn.bars[2].good_height), (HEIGHT, 2, 0));
        assert_eq!(drawn.days.len(), 2, "days without any are left out of the table");
    }
}
