//! The agency's audit log: who did what, when, from where, with what changed.

use std::future::ready;

use askama::Template;
use axum::{
    body::Body,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header;
use keystead_core::{AuditFilter, Error};
use keystead_model::{
    LocationId, UtcMs,
    actor::Actor,
    event::{Event, EventKind},
    key_search::KeySearch,
    page::{Page as Rows, Window},
    time::{DAY_MS, Moment},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::{
    Web,
    failure::Failure,
    history::{Told, told},
    page::{Frame, render},
    place::Here,
    show::Zone,
};

/// What events are about: how their kinds begin, and what that is called.
const ABOUT: &[(&str, &str)] = &[
    ("api_key.", "API keys"),
    ("session.", "Sign-in"),
    ("user.", "Members"),
    ("location.", "Locations"),
    ("agency.", "The agency"),
    ("instance.", "This instance"),
    ("contact.", "Contacts"),
    ("note.", "Notes"),
    ("task.", "Tasks"),
    ("opportunity.", "Opportunities"),
    ("import.", "Imports"),
];

/// Times to choose from: name in addresses, words, milliseconds.
const WHEN: &[(&str, &str, i64)] =
    &[("day", "Last 24 hours", DAY_MS), ("week", "Last 7 days", 7 * DAY_MS), ("month", "Last 30 days", 30 * DAY_MS)];

/// Those who act and are nobody's name: value in addresses, words, what events call them.
const OTHERS: &[(&str, &str, Actor)] =
    &[("system", "Keystead itself", Actor::System), ("operator", "The operator", Actor::Operator)];

/// A choice of a chip's menu.
struct Choice {
    words: String,
    url: String,
    is_chosen: bool,
}

/// A filter: a menu of what it can be, and how it is taken away where it is on.
struct Chip {
    title: &'static str,
    /// What it is; empty where it is off.
    chosen: String,
    /// What it is called while it is off.
    off: &'static str,
    without: String,
    choices: Vec<Choice>,
    /// Whether it can also be from one day until another.
    has_days: bool,
}

#[derive(Template)]
#[template(path = "audit/list.html")]
struct Page {
    frame: Frame,
    events: Vec<Told>,
    query: AuditQuery,
    chips: Vec<Chip>,
    /// The chip that adds what becomes of data, or takes it away; none where another filter decides that.
    data: Option<(bool, String)>,
    is_filtered: bool,
    base: String,
    csv_url: String,
    next_url: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct AuditQuery {
    action: Option<String>,
    subject: Option<String>,
    actor: Option<String>,
    location: Option<String>,
    when: Option<String>,
    from: Option<String>,
    until: Option<String>,
    /// Whether what becomes of data is listed, too.
    data: Option<String>,
    before: Option<i64>,
}

const PAGE: i64 = 50;
/// Rows of a download that are read at a time, while those before them are sent.
const EXPORTED: i64 = 1_000;

impl AuditQuery {
    /// Rows about a key are found by the key, too; only its id is used, and shown again.
    fn without_secret(mut self) -> Self {
        if let Some(KeySearch::Id(id)) = self.subject.as_deref().map(KeySearch::parse) {
            self.subject = Some(id.to_string());
        }
        for text in [
            &mut self.action,
            &mut self.subject,
            &mut self.actor,
            &mut self.location,
            &mut self.when,
            &mut self.from,
            &mut self.until,
            &mut self.data,
        ] {
            *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        self
    }

    /// Whether only what is sealed is meant. Whoever asks about something wants all that became of it.
    fn is_of_administration(&self) -> bool {
        let asks_for_data = self.action.as_deref().is_some_and(|action| {
            EventKind::ALL.iter().any(|kind| kind.as_str().starts_with(action) && !kind.class().is_sealed())
        });
        self.subject.is_none() && !asks_for_data && self.data.as_deref() != Some("1")
    }

    /// Days are those of the zone that the page shows.
    fn filter(&self, now: UtcMs, zone: &Zone) -> AuditFilter {
        let zone = zone.to_name();
        let day = |text: &Option<String>| text.as_deref().and_then(|day| Moment::parse(day).ok());
        let since =
            WHEN.iter().find(|(name, ..)| Some(*name) == self.when.as_deref()).map(|(.., ms)| UtcMs(now.0 - ms));
        let other = OTHERS.iter().find(|(name, ..)| Some(*name) == self.actor.as_deref());
        AuditFilter {
            action: self.action.clone(),
            subject: self.subject.clone(),
            actor: self.actor.clone().filter(|_| other.is_none()),
            actor_kind: other.map(|(.., actor)| actor.kind()),
            sealed_only: false,
            location: self.location.as_deref().and_then(LocationId::parse),
            from: day(&self.from).map(|day| day.start(&zone)).or(since),
            // The day itself belongs to it.
            until: day(&self.until).map(|day| day.end(&zone)),
        }
    }

    /// Name and value of all that is asked for, as addresses and forms have them.
    fn parts(&self) -> Vec<(&'static str, &str)> {
        let parts = [
            ("action", &self.action),
            ("subject", &self.subject),
            ("actor", &self.actor),
            ("location", &self.location),
            ("when", &self.when),
            ("from", &self.from),
            ("until", &self.until),
            ("data", &self.data),
        ];
        parts.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }

    /// The address of what is asked for.
    fn address(&self, here: &Here, path: &str) -> String {
        let pair = |(name, value): (&str, &str)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        let pairs: Vec<String> = self.parts().into_iter().map(pair).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", here.url(path), pairs.join("&"))
    }

    /// One part, as its field shows it.
    fn part(&self, name: &str) -> &str {
        self.parts().into_iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// A chip that sets one part of a query to one of several values.
fn chip(
    (title, off): (&'static str, &'static str),
    values: &[(String, String)],
    chosen: Option<&str>,
    url: impl Fn(Option<String>) -> String,
) -> Chip {
    let words = |value: &str| values.iter().find(|(known, _)| known == value).map(|(_, words)| words.clone());
    Chip {
        title,
        chosen: chosen.map(|value| words(value).unwrap_or_else(|| value.to_owned())).unwrap_or_default(),
        off,
        without: url(None),
        choices: values
            .iter()
            .map(|(value, words)| Choice {
                words: words.clone(),
                url: url(Some(value.clone())),
                is_chosen: Some(value.as_str()) == chosen,
            })
            .collect(),
        has_days: false,
    }
}

async fn chips(web: &Web, here: &Here, query: &AuditQuery) -> Result<Vec<Chip>, Error> {
    let names = web.app.user_names(here.authority()).await?;
    let mut members: Vec<(String, String)> = names.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    members.sort_by(|a, b| (a.1.to_lowercase(), &a.0).cmp(&(b.1.to_lowercase(), &b.0)));
    members.extend(OTHERS.iter().map(|(value, words, _)| ((*value).to_owned(), (*words).to_owned())));
    let about: Vec<(String, String)> =
        ABOUT.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
    let set = |change: fn(&mut AuditQuery, Option<String>)| {
        move |value: Option<String>| {
            let mut changed = query.clone();
            change(&mut changed, value);
            changed.address(here, "/audit")
        }
    };
    Ok(vec![
        chip(("Who", "anybody"), &members, query.actor.as_deref(), set(|query, value| query.actor = value)),
        chip(("About", "everything"), &about, query.action.as_deref(), set(|query, value| query.action = value)),
        chip(
            ("Where", "everywhere"),
            &here.places(),
            query.location.as_deref(),
            set(|query, value| query.location = value),
        ),
        when(here, query),
    ])
}

/// The chip of time: some lengths, and from one day until another.
fn when(here: &Here, query: &AuditQuery) -> Chip {
    let zone = here.zone();
    let values: Vec<(String, String)> =
        WHEN.iter().map(|(value, words, _)| ((*value).to_owned(), (*words).to_owned())).collect();
    let url = |value: Option<String>| {
        AuditQuery { when: value, from: None, until: None, ..query.clone() }.address(here, "/audit")
    };
    let mut chip = Chip { has_days: true, ..chip(("When", "at any time"), &values, query.when.as_deref(), url) };
    let day = |text: &Option<String>| {
        let day = text.as_deref().and_then(|day| Moment::parse(day).ok())?;
        Some(zone.day(day.start(&zone.to_name())))
    };
    match (day(&query.from), day(&query.until)) {
        (Some(from), Some(until)) => chip.chosen = format!("{from} to {until}"),
        (Some(from), None) => chip.chosen = format!("since {from}"),
        (None, Some(until)) => chip.chosen = format!("until {until}"),
        (None, None) => {}
    }
    chip
}

pub(crate) async fn list(
    State(web): State<Web>,
    Query(query): Query<AuditQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let query = query.without_secret();
    let context = here.authority().clone().in_agency()?;
    let zone = here.zone();
    let is_of_administration = query.is_of_administration();
    let filter = AuditFilter { sealed_only: is_of_administration, ..query.filter(web.app.now(), &zone) };
    let found = web.app.list_audit(&context, filter, Window::after(query.before, PAGE)).await?;
    let with_data = query.data.as_deref() == Some("1");
    let other = AuditQuery { data: (!with_data).then(|| "1".to_owned()), ..query.clone() };
    // What a view leaves out its download leaves out, too; one without any filter has everything.
    let exported = AuditQuery { data: is_of_administration.then(|| "0".to_owned()), ..query.clone() };
    let page = Page {
        frame: Frame::of(&here, "Audit log", "audit"),
        events: told(&web, &here, &found.rows).await?,
        chips: chips(&web, &here, &query).await?,
        data: (with_data || is_of_administration).then(|| (with_data, other.address(&here, "/audit"))),
        is_filtered: query.address(&here, "") != here.url(""),
        base: here.url("/audit"),
        csv_url: exported.address(&here, "/audit.csv"),
        next_url: found.next(|last| {
            let address = query.address(&here, "/audit");
            let mark = if address.contains('?') { '&' } else { '?' };
            format!("{address}{mark}before={}", last.number)
        }),
        query,
    };
    Ok(render(&page))
}

/// A cell that a spreadsheet takes as text, whatever it begins with.
fn cell(text: &str) -> String {
    let text = text.replace('"', "\"\"");
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("\"'{text}\""),
        _ => format!("\"{text}\""),
    }
}

/// The whole log that the query finds, however long, in one file.
pub(crate) async fn csv(
    State(web): State<Web>,
    Query(query): Query<AuditQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let query = query.without_secret();
    let context = here.authority().clone().in_agency()?;
    let sealed_only = query.data.as_deref() == Some("0");
    let filter = AuditFilter { sealed_only, ..query.filter(web.app.now(), &here.zone()) };
    // Read before anything is sent: whoever may not see the log is told so.
    let first = web.app.list_audit(&context, filter.clone(), Window::after(query.before, EXPORTED)).await?;
    let rows = stream::try_unfold(Some(first), move |rows: Option<Rows<Event>>| {
        let (app, context, filter) = (web.app.clone(), context.clone(), filter.clone());
        async move {
            let Some(rows) = rows else { return Ok(None) };
            let next = match rows.next(|last| last.number) {
                Some(last) => Some(app.list_audit(&context, filter, Window::after(Some(last), EXPORTED)).await?),
                None => None,
            };
            Ok::<_, Error>(Some((lines(&rows.rows), next)))
        }
    });
    const WHAT: &str = "a download of the audit log broke off";
    let rows = rows.inspect_err(|error| tracing::error!(cause = error.cause(), "{WHAT}: {error}"));
    let names = "id,at,actor,actor_id,action,subject,location,ip,request,before,after,position\r\n".to_owned();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit-log.csv\""),
    ];
    Ok((headers, Body::from_stream(stream::once(ready(Ok(names))).chain(rows))).into_response())
}

fn lines(rows: &[Event]) -> String {
    let mut text = String::new();
    for row in rows {
        let position = row.position.map(|position| position.to_string()).unwrap_or_default();
        let location = row.location.map(|location| location.to_string()).unwrap_or_default();
        let cells = [
            row.number.to_string().as_str(),
            &row.at.to_iso(),
            row.actor.kind(),
            row.actor.id().unwrap_or_default(),
            &row.kind,
            &row.subject,
            &location,
            row.ip.as_deref().unwrap_or_default(),
            row.request_id.as_deref().unwrap_or_default(),
            row.before.as_deref().unwrap_or_default(),
            row.after.as_deref().unwrap_or_default(),
            &position,
        ]
        .map(cell);
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_formulas() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("say \"hi\", you"), "\"say \"\"hi\"\", you\"");
        assert_eq!(cell(""), "\"\"");
    }
}
