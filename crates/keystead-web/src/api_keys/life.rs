//! The life line: from the last activity over the three notices to the deletion.

use keystead_model::{
    UtcMs,
    api_key::ApiKey,
    inactivity::{Inactivity, Stage},
    notice::{Notice, NoticeKind},
};

use crate::{Web, show as words};

/// A mark on the line. The axis is not to scale: the last 15 days get most of it.
pub(super) struct Mark {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) exactly: String,
    pub(super) class: &'static str,
    pub(super) x: i64,
    pub(super) anchor: &'static str,
}

/// What the page draws, and lists beside the drawing.
pub(super) struct LifeLine {
    pub(super) marks: Vec<Mark>,
    pub(super) now_x: i64,
    pub(super) held: bool,
    pub(super) summary: String,
}

/// Where the beginning, the notices and the end stand, of 680 units.
const PLACES: [i64; 5] = [14, 240, 390, 530, 664];

pub(super) fn life_line(web: &Web, key: &ApiKey, notices: &[Notice], now: UtcMs) -> LifeLine {
    let inactivity = &key.inactivity;
    let utc = |instant| web.app.to_utc(instant, now);
    let begun = utc(inactivity.idle_since);
    let deletes_at = utc(inactivity.deletes_at);
    let mut instants = vec![begun];
    let used = key.last_use.as_ref().is_some_and(|last| (last.at - begun).abs() < 3_600_000);
    let mut marks = vec![Mark {
        title: if used { "Last used" } else { "Clock started" }.to_owned(),
        text: words::short_day(begun),
        exactly: words::instant(begun),
        class: "begun",
        x: PLACES[0],
        anchor: "start",
    }];
    for (stage, x) in Stage::ALL.into_iter().zip(&PLACES[1..4]) {
        let sent = sent(inactivity, notices, stage);
        let at = sent.unwrap_or_else(|| utc(inactivity.stage_due_at(stage)));
        let (verb, class) = if sent.is_some() { ("sent", "sent") } else { ("due", "due") };
        instants.push(at);
        marks.push(Mark {
            title: format!("{}-day notice", stage.days()),
            text: format!("{verb} {}", words::short_day(at)),
            exactly: words::instant(at),
            class,
            x: *x,
            anchor: "middle",
        });
    }
    instants.push(deletes_at);
    marks.push(Mark {
        title: "Deletion".to_owned(),
        text: words::short_day(deletes_at),
        exactly: words::instant(deletes_at),
        class: "end",
        x: PLACES[4],
        anchor: "end",
    });
    LifeLine {
        marks,
        now_x: place(&instants, now),
        held: inactivity.held,
        summary: format!("{}, not before {}", words::until(deletes_at, now), words::instant(deletes_at)),
    }
}

fn sent(inactivity: &Inactivity, notices: &[Notice], stage: Stage) -> Option<UtcMs> {
    let mine =
        |notice: &&Notice| notice.kind == NoticeKind::Inactivity(stage) && notice.episode == inactivity.idle_since.0;
    notices.iter().find(mine).map(|notice| notice.recorded_at)
}

/// Where an instant stands between the marks.
fn place(instants: &[UtcMs], now: UtcMs) -> i64 {
    for (span, places) in instants.windows(2).zip(PLACES.windows(2)) {
        let ([from, to], [left, right]) = (span, places) else { continue };
        if now <= *to {
            let share = (now - *from).max(0) as f64 / (*to - *from).max(1) as f64;
            return left + ((right - left) as f64 * share.min(1.0)) as i64;
        }
    }
    PLACES[4]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_stands_between_its_neighbours() {
        let instants = [0, 100, 200, 300, 400].map(UtcMs);
        assert_eq!(place(&instants, UtcMs(-5)), PLACES[0]);
        assert_eq!(place(&instants, UtcMs(100)), PLACES[1]);
        assert_eq!(place(&instants, UtcMs(150)), i64::midpoint(PLACES[1], PLACES[2]));
        assert_eq!(place(&instants, UtcMs(900)), PLACES[4]);
    }
}
