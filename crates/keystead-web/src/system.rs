//! The operator's page: servers, database, service clock, outbox.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, Overdue, error::Noun};
use keystead_model::{mail::MailState, time::DAY_MS};

use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    page::{Frame, render},
    place::Here,
    show as words,
};

struct Node {
    address: String,
    release: String,
    behind: i64,
    seen: String,
}

struct MailRow {
    to: String,
    when: String,
    subject: String,
    body: String,
    state: &'static str,
    class: &'static str,
    problem: String,
}

#[derive(Template)]
#[template(path = "system/show.html")]
struct Page {
    frame: Frame,
    warnings: Vec<String>,
    nodes: Vec<Node>,
    mails: Vec<MailRow>,
    mail_server: &'static str,
    release: &'static str,
    database: &'static str,
    schema: i64,
    service: String,
    held: String,
    disk: String,
    paused: bool,
    /// Since when nothing is sent to webhooks, and what waits.
    deliveries_paused: Option<(String, String)>,
    base: String,
}

/// The page is the operator's; to everybody else there is none.
fn for_operator(here: &Here) -> Result<(), Failure> {
    if here.visitor.signed_in.user.is_operator && here.location.is_none() {
        Ok(())
    } else {
        Err(Error::NotFound(Noun::User, String::new()).into())
    }
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    for_operator(&here)?;
    let status = web.app.system_status().await?;
    let (now, zone) = (web.app.now(), here.zone());
    let mut warnings = web.warnings.clone();
    if !here.visitor.facts().address_is_own {
        warnings.push(
            "This page came through a proxy that is not trusted (KEYSTEAD_TRUSTED_PROXIES): everybody who comes that \
             way has its address, in limits, allow-lists and the audit log."
                .to_owned(),
        );
    }
    warnings.extend(status.warnings());
    let mails = web.app.list_mails().await?;
    let page = Page {
        frame: Frame::of(&here, "System", "system"),
        warnings,
        nodes: status
            .nodes
            .iter()
            .map(|node| Node {
                address: node.address.clone(),
                release: node.release.clone(),
                behind: (status.head - node.applied).max(0),
                seen: words::ago(node.seen_at, now),
            })
            .collect(),
        mails: mails
            .into_iter()
            .map(|mail| {
                let (state, class) = match mail.state {
                    MailState::Sent => ("Sent", "good"),
                    MailState::Waiting if mail.attempts > 0 => ("Trying again", "warn"),
                    MailState::Waiting => ("Waiting", "warn"),
                    MailState::Dropped => ("Not needed any more", "off"),
                    MailState::Failed => ("Given up", "bad"),
                };
                MailRow {
                    to: mail.to,
                    when: zone.instant(mail.created_at),
                    subject: mail.subject,
                    body: mail.body,
                    state,
                    class,
                    problem: mail.problem.unwrap_or_default(),
                }
            })
            .collect(),
        mail_server: if web.has_mail { "Sent by the mail server" } else { "No mail server: shown here only" },
        release: env!("CARGO_PKG_VERSION"),
        database: if status.database == "sqlite" { "SQLite" } else { "PostgreSQL" },
        schema: status.schema,
        service: words::counted(status.service_now.0 / DAY_MS, "day"),
        held: words::grouped(status.held),
        disk: status.disk.map_or_else(String::new, |disk| {
            format!("{:.1} GB free of {:.1}", disk.free as f64 / 1e9, disk.total as f64 / 1e9)
        }),
        paused: status.paused,
        deliveries_paused: status
            .deliveries_paused
            .map(|pause| (zone.instant(pause.since), words::counted(pause.waiting, "message"))),
        base: here.url("/settings/system"),
    };
    Ok(render(&page))
}

async fn set_paused(web: &Web, here: &Here, paused: bool) -> Result<Response, Failure> {
    for_operator(here)?;
    web.app.set_sweep_paused(here.authority(), paused).await?;
    let done = if paused { Done::SweepPaused } else { Done::SweepResumed };
    Ok(lead(web, &here.url("/settings/system"), done, ""))
}

pub(crate) async fn pause(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    set_paused(&web, &here, true).await
}

pub(crate) async fn resume(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    set_paused(&web, &here, false).await
}

pub(crate) async fn pause_deliveries(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    for_operator(&here)?;
    web.app.pause_deliveries(here.authority()).await?;
    Ok(lead(&web, &here.url("/settings/system"), Done::DeliveriesPaused, ""))
}

async fn resume_deliveries(web: &Web, here: &Here, overdue: Overdue) -> Result<Response, Failure> {
    for_operator(here)?;
    let done = match web.app.resume_deliveries(here.authority(), overdue).await? {
        None | Some(0) => Done::DeliveriesResumed,
        Some(_) => Done::DeliveriesSkipped,
    };
    Ok(lead(web, &here.url("/settings/system"), done, ""))
}

pub(crate) async fn send_overdue(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    resume_deliveries(&web, &here, Overdue::Send).await
}

pub(crate) async fn skip_overdue(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    resume_deliveries(&web, &here, Overdue::Skip).await
}
