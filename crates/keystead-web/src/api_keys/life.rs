//! The life line: from the last activity over the three notices to the deletion, or from its making to the expiry that its
//! owner chose, whichever is ahead.

use keystead_model::{
    UtcMs,
    api_key::{ApiKey, KeyState},
    inactivity::{Stage, expiry_notice_lead},
    notice::{Notice, NoticeKind},
    time::DAY_MS,
};

use super::status::End;
use crate::{
    Web,
    show::{self as words, Zone},
};

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
    /// Beginning, three notices and end; none where nothing happens to the key as things stand.
    pub(super) marks: Vec<Mark>,
    pub(super) now_x: i64,
    /// Whether nothing happens to it because of something that has to be mended.
    pub(super) is_stuck: bool,
    pub(super) summary: String,
    /// When that is, for whoever looks closer.
    pub(super) summary_exactly: String,
    /// The same in a few words, and exactly, for the details.
    pub(super) end: String,
    pub(super) end_exactly: String,
}

/// Where the beginning, the notices and the end stand, of 680 units.
const PLACES: [i64; 5] = [14, 240, 390, 530, 664];

pub(super) fn life_line(web: &Web, zone: &Zone, key: &ApiKey, notices: &[Notice], now: UtcMs) -> LifeLine {
    let stands_still = |is_stuck, end: &str, summary: &str| LifeLine {
        marks: Vec::new(),
        now_x: 0,
        is_stuck,
        summary: summary.to_owned(),
        summary_exactly: String::new(),
        end: end.to_owned(),
        end_exactly: String::new(),
    };
    match End::of(web, key, now) {
        End::Suspended => stands_still(
            false,
            "nothing while it is suspended",
            "Its location or agency is suspended: calls with it are refused, and nothing is deleted meanwhile. When it goes on, \
             the key has its full 90 days again.",
        ),
        End::Held => stands_still(
            true,
            "nothing while it is held",
            "Nobody is there who could be told: this key’s owner has no admin who can sign in. Nothing happens to it until \
             somebody has.",
        ),
        End::Paused => stands_still(
            false,
            "nothing while deletions are paused",
            "The operator has paused deletions: no key is deleted for inactivity, and nobody’s 90 days run.",
        ),
        End::Expires(at) => until_expiry(zone, key, notices, at, now),
        End::Deletes(at) => until_deletion(web, zone, key, notices, at, now),
    }
}

/// The ladder to the end that its owner chose. No notice of inactivity comes before it.
fn until_expiry(zone: &Zone, key: &ApiKey, notices: &[Notice], expires_at: UtcMs, now: UtcMs) -> LifeLine {
    let is_scaled = expires_at - key.created_at < 30 * DAY_MS;
    let stage_mark = |stage: Stage| {
        let title = match stage {
            _ if !is_scaled => format!("{}-day notice", stage.days()),
            Stage::Fifteen => "First notice".to_owned(),
            Stage::Seven => "Second notice".to_owned(),
            Stage::One => "Last notice".to_owned(),
        };
        let at = UtcMs(expires_at.0 - expiry_notice_lead(stage, key.created_at, expires_at));
        (title, at, sent(notices, NoticeKind::Expiring(stage), expires_at.0))
    };
    let begun = Instant { title: "Created", at: key.created_at };
    let end = Instant { title: "Expiry", at: expires_at };
    let (until, exactly) = (words::until(expires_at, now), zone.instant(expires_at));
    LifeLine {
        summary: format!(
            "It expires {until}, on {exactly}, as its owner chose: calls with it are refused then, and its 90 days until the \
             deletion begin."
        ),
        summary_exactly: zone.exactly(expires_at),
        end: "not deleted before it expires".to_owned(),
        end_exactly: String::new(),
        ..drawn(zone, begun, Stage::ALL.map(stage_mark), end, now)
    }
}

fn until_deletion(web: &Web, zone: &Zone, key: &ApiKey, notices: &[Notice], deletes_at: UtcMs, now: UtcMs) -> LifeLine {
    let inactivity = &key.inactivity;
    let utc = |instant| web.app.to_utc(instant, now);
    let begun = utc(inactivity.idle_since);
    let was_used = key.last_use.as_ref().is_some_and(|last| (last.at - begun).abs() < 3_600_000);
    let stage_mark = |stage: Stage| {
        let sent = sent(notices, NoticeKind::Inactivity(stage), inactivity.idle_since.0);
        (format!("{}-day notice", stage.days()), utc(inactivity.stage_due_at(stage)), sent)
    };
    let begun = Instant { title: if was_used { "Last used" } else { "Clock started" }, at: begun };
    let (until, exactly) = (words::until(deletes_at, now), zone.instant(deletes_at));
    let why = match key.state {
        KeyState::Active if key.grant.expires_at.is_some_and(|at| at <= now) => {
            "A key that has expired cannot be used. Unless it is kept or its expiry is moved, it"
        }
        KeyState::Active => "If nobody uses it, it",
        _ => "A key that is switched off is unused, too. It",
    };
    LifeLine {
        summary: format!("{why} is deleted {until}, not before {exactly}."),
        summary_exactly: zone.exactly(deletes_at),
        end: format!("deleted {until}"),
        end_exactly: format!("not before {exactly}"),
        ..drawn(zone, begun, Stage::ALL.map(stage_mark), Instant { title: "Deletion", at: deletes_at }, now)
    }
}

struct Instant {
    title: &'static str,
    at: UtcMs,
}

/// The marks of a ladder: of each stage its title, when it is due, and when its notice was sent.
fn drawn(
    zone: &Zone,
    begun: Instant,
    stages: [(String, UtcMs, Option<UtcMs>); 3],
    end: Instant,
    now: UtcMs,
) -> LifeLine {
    let mark = |place: usize, title: &str, text: String, at: UtcMs, class| Mark {
        title: title.to_owned(),
        text,
        exactly: zone.exactly(at),
        class,
        x: PLACES[place],
        anchor: ["start", "middle", "middle", "middle", "end"][place],
    };
    let mut instants = vec![begun.at];
    let mut marks = vec![mark(0, begun.title, zone.short_day(begun.at), begun.at, "begun")];
    for (place, (title, due, sent)) in (1..).zip(&stages) {
        let (at, verb, class) = match sent {
            Some(at) => (*at, "sent", "sent"),
            None if *due <= now => (*due, "passed", "due"),
            None => (*due, "due", "due"),
        };
        instants.push(at);
        marks.push(mark(place, title, format!("{verb} {}", zone.short_day(at)), at, class));
    }
    instants.push(end.at);
    marks.push(mark(4, end.title, zone.short_day(end.at), end.at, "end"));
    let now_x = place(&instants, now);
    let (summary, summary_exactly, end, end_exactly) = Default::default();
    LifeLine { marks, now_x, is_stuck: false, summary, summary_exactly, end, end_exactly }
}

/// When a notice of a run of events was recorded.
fn sent(notices: &[Notice], kind: NoticeKind, episode: i64) -> Option<UtcMs> {
    let mine = |notice: &&Notice| notice.kind == kind && notice.episode == episode;
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
