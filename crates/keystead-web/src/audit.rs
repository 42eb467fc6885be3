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
    event::Event,
    key_search::KeySearch,
    page::{Page as Rows, Window},
    text::TimeZoneName,
    time::Moment,
};
use serde::Deserialize;

use crate::{
    Web,
    api_keys::creator,
    failure::Failure,
    page::{Frame, render},
    place::Here,
    show::UTC,
};

/// Kinds of actions to choose from.
const KINDS: &[(&str, &str)] = &[
    ("", "Everything"),
    ("api_key.", "API keys"),
    ("session.", "Sign-in"),
    ("user.", "Members"),
    ("location.", "Locations"),
    ("agency.", "Agency"),
    ("contact.", "Contacts"),
];

struct Row {
    id: i64,
    when: String,
    who: String,
    action: String,
    subject: String,
    ip: String,
    changes: Vec<Change>,
    sealed: String,
}

/// A field before and after.
struct Change {
    field: String,
    before: String,
    after: String,
}

struct Kind {
    value: &'static str,
    title: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "audit/list.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    kinds: Vec<Kind>,
    subject: String,
    from: String,
    until: String,
    base: String,
    csv_url: String,
    next_url: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct AuditQuery {
    action: Option<String>,
    subject: Option<String>,
    from: Option<String>,
    until: Option<String>,
    before: Option<i64>,
}

const PAGE: i64 = 50;
/// Rows of a download that are read at a time, while those before them are sent.
const EXPORTED: i64 = 1_000;

/// Rows about a key are found by the key, too; only its id is used, and shown again.
fn without_secret(mut query: AuditQuery) -> AuditQuery {
    if let Some(KeySearch::Id(id)) = query.subject.as_deref().map(KeySearch::parse) {
        query.subject = Some(id.to_string());
    }
    query
}

fn filter(query: &AuditQuery) -> AuditFilter {
    let utc = TimeZoneName::utc();
    let text =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    AuditFilter {
        action: text(&query.action),
        subject: text(&query.subject),
        actor: None,
        location: None,
        from: text(&query.from).and_then(|day| Moment::parse(&day).ok()).map(|day| day.start(&utc)),
        // The day itself belongs to it.
        until: text(&query.until).and_then(|day| Moment::parse(&day).ok()).map(|day| day.end(&utc)),
    }
}

fn changes(row: &Event) -> Vec<Change> {
    let fields = |text: &Option<String>| match text.as_deref().map(serde_json::from_str::<serde_json::Value>) {
        Some(Ok(serde_json::Value::Object(fields))) => fields,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (fields(&row.before), fields(&row.after));
    let shown = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => "–".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| Change { field: name.clone(), before: shown(before.get(name)), after: shown(after.get(name)) })
        .collect()
}

fn address(here: &Here, path: &str, query: &AuditQuery) -> String {
    let pair = |name: &str, value: &Option<String>| {
        let value = percent_encoding::utf8_percent_encode(
            value.as_deref().unwrap_or_default(),
            percent_encoding::NON_ALPHANUMERIC,
        );
        format!("{name}={value}")
    };
    let pairs = [
        pair("action", &query.action),
        pair("subject", &query.subject),
        pair("from", &query.from),
        pair("until", &query.until),
    ];
    format!("{}?{}", here.url(path), pairs.join("&"))
}

pub(crate) async fn list(
    State(web): State<Web>,
    Query(query): Query<AuditQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let query = without_secret(query);
    let context = here.authority().clone().in_agency()?;
    let found = web.app.list_audit(&context, filter(&query), Window::after(query.before, PAGE)).await?;
    let names = web.app.user_names(here.authority()).await?;
    let chosen = query.action.as_deref().unwrap_or_default();
    let page = Page {
        frame: Frame::of(&here, "Audit log", "audit"),
        rows: found
            .rows
            .iter()
            .map(|row| Row {
                id: row.number,
                when: UTC.instant(row.at),
                who: creator(row.actor, &names),
                action: row.kind.clone(),
                subject: row.subject.clone(),
                ip: match &row.ip {
                    None if row.erased => "erased".to_owned(),
                    ip => ip.clone().unwrap_or_default(),
                },
                changes: changes(row),
                sealed: row.position.map(|position| format!("no. {position}")).unwrap_or_default(),
            })
            .collect(),
        kinds: KINDS.iter().map(|(value, title)| Kind { value, title, chosen: *value == chosen }).collect(),
        subject: query.subject.clone().unwrap_or_default(),
        from: query.from.clone().unwrap_or_default(),
        until: query.until.clone().unwrap_or_default(),
        base: here.url("/audit"),
        csv_url: address(&here, "/audit.csv", &query),
        next_url: found.next(|last| format!("{}&before={}", address(&here, "/audit", &query), last.number)),
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
    let query = without_secret(query);
    let context = here.authority().clone().in_agency()?;
    let filter = filter(&query);
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
