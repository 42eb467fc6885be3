//! The contacts of a location, and one of them with what belongs to them.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    ContactId, CustomFieldId,
    contact::{Contact, ContactFilter, ContactOrder},
    custom_field::OwnerKind,
    field_value::FieldValue,
    note::Note,
    opportunity::Status,
    page::Window,
    scope::Scope,
    search::asked,
    task::Task,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::{
    Web,
    failure::Failure,
    page::{Frame, render},
    place::Here,
    show,
};

/// What an address may hold behind its scheme as it is.
const ADDRESS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'@').remove(b'.').remove(b'+').remove(b'-').remove(b'_');

/// Rows of a page.
const PAGE: i64 = 50;
/// Rows that page numbers lead to; what is further is found by a search.
const FURTHEST: i64 = 10_000;
/// Notes and tasks that the page of a contact shows.
const BESIDE: i64 = 50;

/// Who a contact is, in words.
pub(crate) fn name(contact: &Contact) -> String {
    let profile = &contact.profile;
    let named = profile.full_name().or_else(|| profile.company_name.as_ref().map(|name| name.as_str().to_owned()));
    named.or_else(|| first_address(contact)).unwrap_or_else(|| "Nameless contact".to_owned())
}

fn first_address(contact: &Contact) -> Option<String> {
    let profile = &contact.profile;
    let email = profile.email.as_ref().map(|email| email.as_str().to_owned());
    email.or_else(|| profile.phone.as_ref().map(|phone| phone.as_str().to_owned()))
}

/// E-mail address and phone number.
pub(crate) fn addresses(contact: &Contact) -> String {
    let profile = &contact.profile;
    let email = profile.email.as_ref().map(|email| email.as_str());
    let phone = profile.phone.as_ref().map(|phone| phone.as_str());
    [email, phone].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// How an opportunity stands: class and word.
pub(crate) fn standing(status: Status) -> (&'static str, String) {
    match status {
        Status::Open => ("mid", "Open".to_owned()),
        Status::Won => ("good", "Won".to_owned()),
        Status::Lost => ("bad", "Lost".to_owned()),
        Status::Abandoned => ("off", "Abandoned".to_owned()),
    }
}

struct Row {
    name: String,
    initials: String,
    addresses: String,
    company: String,
    url: String,
    tags: Vec<String>,
    more_tags: usize,
    updated: String,
    updated_exactly: String,
}

/// An order that a list can have: its name in addresses, what it is called, whether it is this one, and where it leads.
struct Sort {
    words: &'static str,
    url: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "contacts/list.html")]
struct List {
    frame: Frame,
    rows: Vec<Row>,
    query: String,
    total: i64,
    first: i64,
    last: i64,
    sorts: Vec<Sort>,
    sort: &'static str,
    previous_url: Option<String>,
    next_url: Option<String>,
    /// Whether there are more rows than page numbers lead to.
    is_cut: bool,
}

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    q: Option<String>,
    sort: Option<String>,
    page: Option<i64>,
}

/// Name in addresses, words, column and direction.
const SORTS: &[(&str, &str, ContactOrder, bool)] = &[
    ("newest", "Newest first", ContactOrder::Created, false),
    ("oldest", "Oldest first", ContactOrder::Created, true),
    ("updated", "Changed last", ContactOrder::Updated, false),
];

async fn inside(web: &Web, here: &Here) -> Result<LocationContext, Error> {
    let location = here.location.as_ref().ok_or(Error::NoAccess)?;
    web.app.enter_location(here.authority().clone(), Some(location.id)).await
}

pub(crate) async fn list(
    State(web): State<Web>,
    Query(sent): Query<ListQuery>,
    here: Here,
) -> Result<Response, Failure> {
    let context = inside(&web, &here).await?;
    let country = here.location.as_ref().ok_or(Error::NoAccess)?.profile.country;
    let query: String = sent.q.unwrap_or_default().trim().to_owned();
    let (sort, _, order, ascending) =
        SORTS.iter().find(|(name, ..)| Some(*name) == sent.sort.as_deref()).unwrap_or(&SORTS[0]);
    let page = sent.page.unwrap_or(1).clamp(1, FURTHEST / PAGE);
    let search = (!query.is_empty()).then(|| asked(&query, country));
    let filter = ContactFilter { search, order: *order, ascending: *ascending, ..ContactFilter::default() };
    let skipped = (page - 1) * PAGE;
    let found = web.app.list_contacts(&context, filter, Window::skip(skipped, PAGE)).await?;
    let address = |sort: &str, page: i64| {
        let q = if query.is_empty() {
            String::new()
        } else {
            format!("&q={}", utf8_percent_encode(&query, NON_ALPHANUMERIC))
        };
        here.url(&format!("/contacts?sort={sort}{q}&page={page}"))
    };
    let (zone, now) = (here.zone(), web.app.now());
    let rows: Vec<Row> = found
        .page
        .rows
        .iter()
        .map(|contact| Row {
            name: name(contact),
            initials: show::initials(&name(contact)),
            addresses: addresses(contact),
            company: contact.profile.company_name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            url: here.url(&format!("/contacts/{}", contact.id)),
            tags: contact.tags.iter().take(3).map(|tag| tag.as_str().to_owned()).collect(),
            more_tags: contact.tags.len().saturating_sub(3),
            updated: show::ago(contact.updated_at, now),
            updated_exactly: zone.exactly(contact.updated_at),
        })
        .collect();
    let has_next = found.page.has_more && page < FURTHEST / PAGE;
    let list = List {
        first: if rows.is_empty() { 0 } else { skipped + 1 },
        last: skipped + rows.len() as i64,
        total: found.total,
        sorts: SORTS
            .iter()
            .map(|(name, words, ..)| Sort { words, url: address(name, 1), is_here: name == sort })
            .collect(),
        sort,
        previous_url: (page > 1).then(|| address(sort, page - 1)),
        next_url: has_next.then(|| address(sort, page + 1)),
        is_cut: found.page.has_more && !has_next,
        frame: Frame::of(&here, "Contacts", "contacts"),
        rows,
        query,
    };
    Ok(render(&list))
}

/// Something that is known, and what it is called.
struct Fact {
    label: String,
    value: String,
    /// Where it leads: a mail program, a phone.
    url: Option<String>,
}

struct NoteShown {
    title: String,
    body: String,
    when: String,
    exactly: String,
    is_pinned: bool,
}

struct TaskShown {
    title: String,
    due: String,
    exactly: String,
    is_done: bool,
    is_late: bool,
}

struct Deal {
    name: String,
    value: String,
    pill: (&'static str, String),
}

#[derive(Template)]
#[template(path = "contacts/show.html")]
struct Show {
    frame: Frame,
    name: String,
    initials: String,
    list_url: String,
    id: String,
    added: String,
    updated: String,
    dnd: bool,
    tags: Vec<String>,
    facts: Vec<Fact>,
    custom: Vec<Fact>,
    notes: Vec<NoteShown>,
    tasks: Vec<TaskShown>,
    deals: Vec<Deal>,
    zone: String,
}

pub(crate) async fn show(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let context = inside(&web, &here).await?;
    let id: ContactId = here.id(Noun::Contact)?;
    let contact = web.app.get_contact(&context, id).await?;
    let notes = web.app.list::<Note>(&context, id, Window::first(BESIDE)).await?.rows;
    let tasks = web.app.list::<Task>(&context, id, Window::first(BESIDE)).await?.rows;
    let sees_deals = here.authority().grant().allows(Scope::OpportunitiesRead);
    let deals = if sees_deals { web.app.opportunities_of(&context, vec![id]).await? } else { Vec::new() };
    let fields = web.app.fields_of(&context, OwnerKind::Contact).await?;
    let names: HashMap<CustomFieldId, &str> =
        fields.iter().map(|field| (field.id, field.content.name.as_str())).collect();
    let (zone, now) = (here.zone(), web.app.now());
    let custom = contact.custom_fields.iter().map(|held| Fact {
        label: names.get(&held.field.id).map_or_else(|| held.field.key.clone(), |name| (*name).to_owned()),
        value: held.values.iter().map(words).collect::<Vec<_>>().join(", "),
        url: None,
    });
    let page = Show {
        frame: Frame::of(&here, &name(&contact), "contacts"),
        name: name(&contact),
        initials: show::initials(&name(&contact)),
        list_url: here.url("/contacts"),
        id: contact.id.to_string(),
        added: zone.instant(contact.created_at),
        updated: show::ago(contact.updated_at, now),
        dnd: contact.profile.dnd,
        tags: contact.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        facts: facts(&contact),
        custom: custom.collect(),
        notes: notes
            .into_iter()
            .map(|note| NoteShown {
                title: note.content.title.map(|title| title.as_str().to_owned()).unwrap_or_default(),
                body: note.content.body.as_str().to_owned(),
                when: show::ago(note.created_at, now),
                exactly: zone.exactly(note.created_at),
                is_pinned: note.content.pinned,
            })
            .collect(),
        tasks: tasks
            .into_iter()
            .map(|task| TaskShown {
                title: task.content.title.as_str().to_owned(),
                due: zone.instant(task.content.due_at),
                exactly: zone.exactly(task.content.due_at),
                is_late: !task.content.completed && task.content.due_at < now,
                is_done: task.content.completed,
            })
            .collect(),
        deals: deals
            .into_iter()
            .map(|deal| Deal {
                name: deal.content.name.as_str().to_owned(),
                value: deal.content.value.to_string(),
                pill: standing(deal.content.status),
            })
            .collect(),
        zone: zone.name().to_owned(),
    };
    Ok(render(&page))
}

fn words(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Date(date) => date.to_iso(),
        FieldValue::File(file) => file.name.clone(),
    }
}

fn facts(contact: &Contact) -> Vec<Fact> {
    let profile = &contact.profile;
    let mut facts = Vec::new();
    let mut put = |label: &str, value: Option<&str>, scheme: &str| {
        if let Some(value) = value {
            let url = (!scheme.is_empty()).then(|| format!("{scheme}:{}", utf8_percent_encode(value, ADDRESS)));
            facts.push(Fact { label: label.to_owned(), value: value.to_owned(), url });
        }
    };
    put("E-mail", profile.email.as_ref().map(|email| email.as_str()), "mailto");
    profile.additional_emails.iter().for_each(|email| put("Also", Some(email.as_str()), "mailto"));
    put("Phone", profile.phone.as_ref().map(|phone| phone.as_str()), "tel");
    profile.additional_phones.iter().for_each(|phone| put("Also", Some(phone.as_str()), "tel"));
    put("Company", profile.company_name.as_ref().map(|text| text.as_str()), "");
    put("Street", profile.address1.as_ref().map(|text| text.as_str()), "");
    put("City", profile.city.as_ref().map(|text| text.as_str()), "");
    put("State or province", profile.state.as_ref().map(|text| text.as_str()), "");
    put("Postal code", profile.postal_code.as_ref().map(|text| text.as_str()), "");
    put("Country", profile.country.as_ref().map(|country| country.as_str()), "");
    put("Web site", profile.website.as_ref().map(|text| text.as_str()), "");
    put("Born", profile.date_of_birth.map(|day| day.to_iso()).as_deref(), "");
    put("Source", profile.source.as_ref().map(|text| text.as_str()), "");
    put("Time zone", profile.timezone.as_ref().map(|zone| zone.as_str()), "");
    facts
}
