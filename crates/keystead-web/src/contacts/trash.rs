//! The trash of contacts, and erasing one for good.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use http::StatusCode;
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    ContactId, UtcMs,
    contact::{Contact, DuplicateContact, IdentityKind, TrashedContact},
    page::Window,
    scope::Scope,
};
use serde::Deserialize;

use super::{addresses, name};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Field, Fields, Form, same_name},
    page::{Frame, render},
    place::Here,
    show::{self, counted},
};

/// Rows of a page.
const PAGE: i64 = 50;

struct Row {
    name: String,
    initials: String,
    addresses: String,
    deleted: String,
    deleted_exactly: String,
    gone: String,
    gone_exactly: String,
    restore_url: String,
    erase_url: String,
}

#[derive(Template)]
#[template(path = "contacts/trash.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    total: i64,
    form: Form,
    may_write: bool,
    contacts_url: String,
    next_url: Option<String>,
}

#[derive(Default, Deserialize)]
pub(crate) struct TrashQuery {
    /// When the last one of the page before was deleted, and which it was.
    after: Option<String>,
}

impl TrashQuery {
    fn after(&self) -> Option<(UtcMs, ContactId)> {
        let (at, id) = self.after.as_deref()?.split_once('.')?;
        Some((UtcMs(at.parse().ok()?), ContactId::parse(id)?))
    }
}

async fn page(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    asked: &TrashQuery,
    form: Form,
) -> Result<Page, Error> {
    let found = web.app.list_trashed_contacts(context, Window::after(asked.after(), PAGE)).await?;
    let next =
        |last: &TrashedContact| here.url(&format!("/contacts/trash?after={}.{}", last.trashed_at.0, last.contact.id));
    Ok(Page {
        frame: Frame::of(here, "Trash", "contacts"),
        next_url: found.page.next(next),
        rows: found.page.rows.iter().map(|trashed| row(web, here, trashed)).collect(),
        total: found.total,
        form,
        may_write: here.authority().grant().allows(Scope::ContactsWrite),
        contacts_url: here.url("/contacts"),
    })
}

fn row(web: &Web, here: &Here, trashed: &TrashedContact) -> Row {
    let (now, zone, contact) = (web.app.now(), here.zone(), &trashed.contact);
    Row {
        name: name(contact),
        initials: show::initials(&name(contact)),
        addresses: addresses(contact),
        deleted: show::ago(trashed.trashed_at, now),
        deleted_exactly: zone.exactly(trashed.trashed_at),
        gone: show::until(trashed.gone_at(), now),
        gone_exactly: zone.exactly(trashed.gone_at()),
        restore_url: here.url(&format!("/contacts/trash/{}/restore", contact.id)),
        erase_url: here.url(&format!("/contacts/{}/erase", contact.id)),
    }
}

pub(crate) async fn trashed(
    State(web): State<Web>,
    Query(asked): Query<TrashQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    Ok(render(&page(&web, &here, &context, &asked, Form::default()).await?))
}

pub(crate) async fn restore(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    if let Some(ids) = several(here.visitor.param("id")) {
        return restore_several(&web, &here, &context, ids).await;
    }
    let id: ContactId = here.id(Noun::Contact)?;
    match web.app.restore_contact(&context, id).await {
        Ok(restored) => {
            let done = if restored.left == 0 { Done::ContactRestored } else { Done::ContactRestoredInPart };
            Ok(lead(&web, &here.url(&format!("/contacts/{id}")), done, &name(&restored.contact)))
        }
        Err(Error::Duplicate(other)) => {
            let mut form = Form::default();
            form.generally(stands_in_the_way(&other));
            let page = page(&web, &here, &context, &TrashQuery::default(), form).await?;
            Ok(page.form.again_as(StatusCode::CONFLICT, &page))
        }
        Err(error) => Err(error.into()),
    }
}

/// Several contacts as one part of an address, so that what was done to them at once is undone at once.
pub(super) fn joined(ids: &[ContactId]) -> String {
    ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join("-")
}

fn several(text: &str) -> Option<Vec<ContactId>> {
    text.contains('-').then(|| text.split('-').filter_map(ContactId::parse).collect())
}

async fn restore_several(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    ids: Vec<ContactId>,
) -> Result<Response, Failure> {
    let (mut back, mut left) = (0_i64, 0);
    for id in ids {
        match web.app.restore_contact(context, id).await {
            Ok(_) => back += 1,
            // What is not in the trash any more, or has become somebody else's meanwhile, stays as it is.
            Err(Error::NotFound(..) | Error::Duplicate(_)) => left += 1,
            Err(error) => return Err(error.into()),
        }
    }
    let done = if left == 0 { Done::ContactsRestored } else { Done::ContactsRestoredInPart };
    let url = here.url(if left == 0 { "/contacts" } else { "/contacts/trash" });
    Ok(lead(web, &url, done, &counted(back, "contact")))
}

fn stands_in_the_way(other: &DuplicateContact) -> String {
    let what = match other.matching {
        IdentityKind::Email => "e-mail address",
        IdentityKind::Phone => "phone number",
    };
    let who = other.name.as_deref().unwrap_or("Another contact");
    format!(
        "It was not restored: {who} has its {what} by now, and this location allows no duplicates. Change or delete that one \
         first, or allow duplicates."
    )
}

#[derive(Template)]
#[template(path = "contacts/erase.html")]
struct EraseForm {
    frame: Frame,
    name: String,
    is_trashed: bool,
    form: Form,
    back_url: String,
    everything_url: String,
}

/// A contact, and whether it is in the trash.
async fn wanted(web: &Web, here: &Here, context: &LocationContext) -> Result<(Contact, bool), Error> {
    let id: ContactId = here.id(Noun::Contact)?;
    match web.app.get_contact(context, id).await {
        Err(Error::NotFound(Noun::Contact, _)) => {
            web.app.get_trashed_contact(context, id).await.map(|trashed| (trashed.contact, true))
        }
        found => found.map(|contact| (contact, false)),
    }
}

fn erase_fields(sent: Fields) -> Form {
    Form::new(vec![Field::same_name("Type the contact’s name to erase it")], sent)
}

fn erase_page(here: &Here, contact: &Contact, is_trashed: bool, form: Form) -> EraseForm {
    let contact_url = here.url(&format!("/contacts/{}", contact.id));
    EraseForm {
        frame: Frame::of(here, "Erase", "contacts"),
        name: name(contact),
        is_trashed,
        form,
        back_url: if is_trashed { here.url("/contacts/trash") } else { contact_url.clone() },
        everything_url: format!("{contact_url}/everything.json"),
    }
}

pub(crate) async fn erase_form(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let (contact, is_trashed) = wanted(&web, &here, &context).await?;
    Ok(render(&erase_page(&here, &contact, is_trashed, erase_fields(Fields::default()))))
}

pub(crate) async fn erase(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let (contact, is_trashed) = wanted(&web, &here, &context).await?;
    let mut form = erase_fields(sent);
    form.read("name", same_name(&name(&contact), "contact"));
    if form.run(web.app.erase_contact(&context, contact.id)).await?.is_some() {
        let url = here.url(if is_trashed { "/contacts/trash" } else { "/contacts" });
        return Ok(lead(&web, &url, Done::ContactErased, ""));
    }
    let page = erase_page(&here, &contact, is_trashed, form);
    Ok(page.form.again(&page))
}
