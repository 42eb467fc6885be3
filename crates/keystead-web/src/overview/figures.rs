//! Numbers of a place, each with what it counts and where more is.

use keystead_core::{CountedUpTo, Error, KeyFilter, Steps};
use keystead_model::{
    UtcMs,
    opportunity::Status,
    scope::Scope,
    time::{DAY_MS, HOUR_MS},
};

use crate::{
    Web,
    api_keys::at_risk_url,
    chart::{self, Chart, Drawn, Series, Span, chart},
    place::Here,
    show::grouped,
};

/// A number.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) number: String,
    pub(super) detail: String,
    /// Where more of it is; empty where nothing is.
    pub(super) url: String,
    /// Whether it is one that somebody should look at.
    pub(super) is_bad: bool,
}

impl Figure {
    pub(super) fn new(label: &'static str, number: impl Into<String>) -> Self {
        Self { label, number: number.into(), detail: String::new(), url: String::new(), is_bad: false }
    }
}

/// `5,000 or more`, where counting ended.
pub(super) fn counted(counted: CountedUpTo) -> String {
    let CountedUpTo { count, is_cut } = counted;
    if is_cut { format!("{} or more", grouped(count)) } else { grouped(count) }
}

/// Of a hundred, as people say it: `0.4 %`, `none`.
pub(super) fn share(part: i64, whole: i64) -> String {
    match (part, part * 1000 / whole.max(1)) {
        (0, _) => "none".to_owned(),
        (_, 0) => "under 0.1 %".to_owned(),
        (_, thousandths) => format!("{}.{} %", thousandths / 10, thousandths % 10),
    }
}

/// What requests there were, by day.
pub(super) struct Requests {
    pub(super) chart: Chart,
    pub(super) figures: Vec<Figure>,
    /// A key, the requests that were refused with it, where it is, and the length of its bar in per cent.
    pub(super) refused: Vec<(String, String, String, i64)>,
}

/// When the last 24 hours began: the same instant for whoever looks, from wherever, which no day is. Sums are kept by hours, so
/// these are 24 of them with the one that has just begun, as in the table of a key.
pub(super) fn a_day_ago(now: UtcMs) -> UtcMs {
    UtcMs((now.0 - DAY_MS).div_euclid(HOUR_MS) * HOUR_MS + HOUR_MS)
}

pub(super) async fn requests(web: &Web, here: &Here) -> Result<Requests, Error> {
    let (now, zone) = (web.app.now(), here.report_zone());
    let location = here.location.as_ref().map(|location| location.id);
    let days = web.app.usage_in(here.authority(), location, Span::Days.steps(now, &zone)).await?;
    let since = a_day_ago(now);
    let two_days = Steps::new(vec![UtcMs(since.0 - DAY_MS), since], UtcMs(now.0 + 1));
    let steps = web.app.usage_in(here.authority(), location, two_days).await?;
    let of = |step: usize| steps.get(step).map_or([0; 6], |(_, classes)| *classes);
    let answered = |[_, one, two, three, four, five]: [i64; 6]| one + two + three + four + five;
    let [failed, .., four, five] = of(1);
    let (before, requests) = (answered(of(0)), answered(of(1)));
    let whose = if location.is_none() { "with all keys, " } else { "" };
    let figures = vec![
        Figure {
            detail: format!("{whose}{} the day before", grouped(before)),
            ..Figure::new("Requests, 24 hours", grouped(requests))
        },
        Figure {
            detail: match (four, five) {
                (0, 0) => "every request was answered well".to_owned(),
                _ => format!("{} of the callers’, {} of this server’s", grouped(four), grouped(five)),
            },
            is_bad: five > 0,
            ..Figure::new("Answered with an error, 24 hours", share(four + five, requests))
        },
        Figure {
            detail: "wrong secrets, refused addresses, ended keys".to_owned(),
            is_bad: failed > 0,
            ..Figure::new("Refused attempts, 24 hours", if failed == 0 { "none".to_owned() } else { grouped(failed) })
        },
    ];
    let mut refused = Vec::new();
    for (id, count) in web.app.refused_attempts(here.authority(), location, since).await? {
        if let Ok(key) = web.app.get_key(here.authority(), id).await {
            refused.push((key.name.to_string(), count, here.url(&format!("/settings/keys/{id}"))));
        }
    }
    let most = refused.iter().map(|(_, count, _)| *count).max().unwrap_or(1).max(1);
    let refused =
        refused.into_iter().map(|(name, count, url)| (name, grouped(count), url, (count * 100 / most).max(1)));
    Ok(Requests {
        chart: chart("Requests a day", chart::REQUESTS, &chart::requests(&days), Span::Days, &zone),
        figures,
        refused: refused.collect(),
    })
}

/// How many keys there are, and how many of them call for somebody.
pub(super) async fn keys(web: &Web, here: &Here, at_risk: i64) -> Result<Figure, Error> {
    let filter =
        KeyFilter { locations: here.location.as_ref().map(|location| vec![location.id]), ..KeyFilter::default() };
    let count = web.app.count_keys(here.authority(), filter).await?;
    Ok(Figure {
        detail: "idle, expiring, expired or exposed".to_owned(),
        url: at_risk_url(here),
        is_bad: at_risk > 0,
        ..Figure::new("Keys at risk", format!("{} of {}", grouped(at_risk), grouped(count)))
    })
}

/// A stage of a pipeline, and what stands in it.
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) open: String,
    /// Of those that were won; empty where none was.
    pub(super) won: String,
    /// The length of its bar in per cent.
    pub(super) share: i64,
}

/// A pipeline with its stages.
pub(super) struct Pipeline {
    pub(super) name: String,
    pub(super) stages: Vec<Stage>,
    /// Whether nothing in it is open.
    pub(super) is_empty: bool,
}

pub(super) struct Task {
    pub(super) title: String,
    pub(super) due: String,
    pub(super) exactly: String,
    pub(super) url: String,
    pub(super) is_late: bool,
}

/// What a location has: only what the visitor may read.
#[derive(Default)]
pub(super) struct Things {
    pub(super) figures: Vec<Figure>,
    pub(super) contacts: Option<Chart>,
    /// Where counting the contacts of a day ends, if it did on one of them.
    pub(super) contacts_cut: Option<String>,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) tasks: Option<Vec<Task>>,
}

/// Days of the chart of contacts: few, since each of them is counted.
const DAYS: i64 = 30;

pub(super) async fn things(web: &Web, here: &Here) -> Result<Things, Error> {
    let Some(location) = &here.location else { return Ok(Things::default()) };
    let allows = |scope| here.authority().grant().allows(scope);
    let context = web.app.enter_location(here.authority().clone(), Some(location.id)).await?;
    let (now, zone, report_zone) = (web.app.now(), here.zone(), here.report_zone());
    let mut things = Things::default();
    if allows(Scope::ContactsRead) {
        let days = report_zone.days(now, DAYS);
        let (count, by_day) = web.app.contacts_by_day(&context, days, UtcMs(now.0 + 1)).await?;
        let today = by_day.last().map(|(_, today)| *today);
        things.contacts_cut = by_day.iter().find(|(_, day)| day.is_cut).map(|(_, day)| grouped(day.count));
        things.figures.push(Figure {
            detail: match today {
                Some(today) if today.count > 0 => format!("{} new today", counted(today)),
                _ => "none new today".to_owned(),
            },
            url: here.url("/contacts"),
            ..Figure::new("Contacts", grouped(count))
        });
        let series = [Series { name: "New contacts", drawn: Drawn::Full }];
        let steps: Vec<(UtcMs, Vec<i64>)> = by_day.into_iter().map(|(at, day)| (at, vec![day.count])).collect();
        things.contacts = Some(chart("New contacts a day", &series, &steps, Span::Days, &report_zone));
    }
    if allows(Scope::OpportunitiesRead) {
        let totals = web.app.opportunity_totals(&context).await?;
        let open: i64 = totals.iter().filter(|total| total.status == Status::Open).map(|total| total.count).sum();
        things.figures.push(Figure::new("Open opportunities", grouped(open)));
        let of = |stage, status| -> i64 {
            let suits =
                |total: &&keystead_model::opportunity::StageTotal| total.stage == stage && total.status == status;
            totals.iter().filter(suits).map(|total| total.count).sum()
        };
        for pipeline in web.app.list_pipelines(&context).await? {
            let most = pipeline.stages.iter().map(|stage| of(stage.id, Status::Open)).max().unwrap_or(0).max(1);
            let stages = pipeline.stages.iter().map(|stage| {
                let (open, won) = (of(stage.id, Status::Open), of(stage.id, Status::Won));
                Stage {
                    name: stage.name.to_string(),
                    open: grouped(open),
                    won: if won == 0 { String::new() } else { format!("{} won", grouped(won)) },
                    share: if open == 0 { 0 } else { (open * 100 / most).max(1) },
                }
            });
            let is_empty = pipeline.stages.iter().all(|stage| of(stage.id, Status::Open) == 0);
            let name = pipeline.content.name.to_string();
            things.pipelines.push(Pipeline { name, stages: stages.collect(), is_empty });
        }
    }
    if allows(Scope::TasksRead) && allows(Scope::ContactsRead) {
        // Of the day that the reader sees.
        let due = web.app.due_tasks(&context, zone.tomorrow(now)).await?;
        things.figures.push(Figure {
            detail: match due.late.count {
                0 => "none is late".to_owned(),
                _ => format!("{} late", counted(due.late)),
            },
            is_bad: due.late.count > 0,
            ..Figure::new("Tasks due today", counted(due.soon))
        });
        let task = |task: keystead_model::task::Task| Task {
            title: task.content.title.as_str().to_owned(),
            due: zone.instant(task.content.due_at),
            exactly: zone.exactly(task.content.due_at),
            url: here.url(&format!("/contacts/{}", task.contact)),
            is_late: task.content.due_at < now,
        };
        things.tasks = Some(due.first.into_iter().map(task).collect());
    }
    Ok(things)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_said_as_people_say_it() {
        for ((part, whole), said) in [
            ((0, 0), "none"),
            ((0, 9), "none"),
            ((1, 9_000), "under 0.1 %"),
            ((4, 1_000), "0.4 %"),
            ((1, 1), "100.0 %"),
        ] {
            assert_eq!(share(part, whole), said);
        }
    }
}
