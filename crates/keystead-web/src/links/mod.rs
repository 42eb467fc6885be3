//! Trigger links: the list of them, their pages, and the forms by which they are made and changed.

mod edit;
mod qr;
mod show;

pub(crate) use edit::{create, delete, delete_form, edit, new, update};
pub(crate) use show::{classify, clicks_csv, mint, qr, revoke, show, switch};

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, error::Noun};
pub(crate) use keystead_model::click::Verdict;
use keystead_model::{
    LinkId, UtcMs,
    link::{Link, LinkStatus},
    page::Window,
    scope::Scope,
};

use crate::{
    Web,
    failure::Failure,
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    show::grouped,
};

const SECTION: &str = "links";
const PATH: &str = "/links";

fn may_write(here: &Here) -> bool {
    here.authority().grant().allows(Scope::LinksWrite)
}

fn url(here: &Here, id: LinkId) -> String {
    here.url(&format!("{PATH}/{id}"))
}

/// The address that anybody may open.
fn address(web: &Web, link: &Link) -> String {
    format!("{}/l/{}", web.base_url, link.slug.as_str())
}

/// How it stands: class and words.
fn standing(link: &Link, now: UtcMs) -> (&'static str, &'static str) {
    match link.content.status {
        LinkStatus::Disabled => ("off", "Off"),
        LinkStatus::Active if link.is_open(now) => ("good", "Active"),
        LinkStatus::Active if link.content.expires_at.is_some_and(|end| end <= now) => ("warn", "Ended"),
        LinkStatus::Active => ("warn", "Used up"),
    }
}

async fn wanted(web: &Web, here: &Here) -> Result<(LocationContext, Link), Error> {
    let context = here.enter(web).await?;
    let id: LinkId = here.id(Noun::Link)?;
    let link = web.app.get::<Link>(&context, (), id).await?;
    Ok((context, link))
}

struct Row {
    name: String,
    url: String,
    path: String,
    to: String,
    pill: (&'static str, &'static str),
    people: String,
}

#[derive(Template)]
#[template(path = "links/list.html")]
struct Links {
    frame: Frame,
    rows: Vec<Row>,
    list: Listing,
    may_write: bool,
    new_url: String,
}

pub(crate) async fn list(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let window = Window::skip(asked.skipped(), PAGE);
    let found = match asked.text("q") {
        Some(part) => web.app.search_links(&context, part.to_owned(), window).await?,
        None => web.app.list::<Link>(&context, (), window).await?,
    };
    let now = web.app.now();
    let row = |link: &Link| Row {
        name: link.content.name.as_str().to_owned(),
        url: url(&here, link.id),
        path: format!("/l/{}", link.slug.as_str()),
        to: link.content.redirect_to.as_str().to_owned(),
        pill: standing(link, now),
        people: grouped(link.humans),
    };
    Ok(render(&Links {
        frame: Frame::of(&here, "Trigger links", SECTION),
        rows: found.rows.iter().map(row).collect(),
        list: Listing::new(here.url(PATH), &asked, found.rows.len(), found.has_more, None),
        may_write: may_write(&here),
        new_url: here.url(&format!("{PATH}/new")),
    }))
}
