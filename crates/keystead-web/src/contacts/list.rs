//! The list of contacts: searched, sorted, and chosen from; with the columns and views that its members choose.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::Error;
use keystead_model::{
    UserId, UtcMs,
    condition::{Condition, Field as _, Op, Test, Value},
    contact::{Contact, ContactFilter, ContactOrder},
    contact_field::ContactField,
    page::Window,
    saved_view::ViewedList,
    scope::Scope,
    search,
    time::DAY_MS,
};

use super::{
    columns::{self, Cell, Columns, Heading, Told},
    fields_of, name,
};
use crate::{
    Web,
    choices::owner,
    failure::Failure,
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    saved_views::{Viewed, Views},
    show,
};

struct Row {
    id: String,
    name: String,
    initials: String,
    /// E-mail address and phone number, where they have no column.
    addresses: String,
    url: String,
    cells: Vec<Cell>,
}

#[derive(Template)]
#[template(path = "contacts/list.html")]
struct Contacts {
    frame: Frame,
    views: Views,
    headings: Vec<Heading>,
    /// Whether somebody chose the columns, so that none is folded away.
    are_chosen: bool,
    rows: Vec<Row>,
    list: Listing,
    /// Columns that are asked for beyond what has room.
    left_out: usize,
    new_url: String,
    bulk_url: String,
    imports_url: String,
    /// As CSV, and as JSON lines.
    export_urls: [String; 2],
    trash_url: String,
    may_write: bool,
}

/// Name in addresses, words, column and direction.
const SORTS: &[(&str, &str, ContactOrder, bool)] = &[
    ("newest", "Newest first", ContactOrder::Created, false),
    ("oldest", "Oldest first", ContactOrder::Created, true),
    ("updated", "Changed last", ContactOrder::Updated, false),
];
/// What is kept of it under a name.
pub(crate) const VIEWED: Viewed = Viewed {
    list: ViewedList::Contacts,
    section: "contacts",
    all: "All contacts",
    path: "/contacts",
    always: &[],
    kept: &[
        ("q", ""),
        ("tag", ""),
        ("added", ""),
        ("dnd", ""),
        ("owner", ""),
        ("sort", SORTS[0].0),
        (columns::COLUMNS, columns::USUAL),
    ],
};
/// Since when contacts were added: value, words and days.
const AGES: &[(&str, &str, i64)] =
    &[("1", "in the last day", 1), ("7", "in the last 7 days", 7), ("30", "in the last 30 days", 30)];

/// What filters of the address ask for. A value that is none finds nothing.
fn condition(asked: &Asked, now: UtcMs) -> Condition<ContactField> {
    let test = |field, op| Condition::Test(Test { field, op });
    let code = |field: ContactField, text: &str| match Value::code(field.compared(text)) {
        Some(value) => test(field, Op::Eq(value)),
        None => Condition::Any(Vec::new()),
    };
    let tag = asked.text("tag").map(|tag| code(ContactField::Tags, tag));
    let owner = asked.text("owner").map(|owner| match owner {
        "nobody" => test(ContactField::AssignedTo, Op::NotExists),
        owner => code(ContactField::AssignedTo, owner),
    });
    let age = asked.text("added").and_then(|wanted| AGES.iter().find(|(value, ..)| *value == wanted));
    let since = |(_, _, days): &(&str, &str, i64)| Value::Instant(UtcMs(now.0 - days * DAY_MS));
    let added = age.map(|age| test(ContactField::CreatedAt, Op::Gte(since(age))));
    let dnd = asked.text("dnd").map(|_| test(ContactField::Dnd, Op::Eq(Value::Truth(true))));
    Condition::All([tag, owner, added, dnd].into_iter().flatten().collect())
}

/// Filters as chips: those that are on, and those that can be added.
async fn filtered(web: &Web, here: &Here, asked: &Asked, list: Listing) -> Result<Listing, Error> {
    let mut owners: Vec<(String, String)> = vec![("nobody".to_owned(), "Nobody".to_owned())];
    let members = owner::choices(web, here, asked.text("owner").and_then(UserId::parse)).await?;
    owners.extend(
        members.into_iter().filter(|choice| !choice.value.is_empty()).map(|choice| (choice.value, choice.words)),
    );
    let ages = AGES.iter().map(|(value, words, _)| ((*value).to_owned(), (*words).to_owned())).collect();
    let disturb = vec![("on".to_owned(), "is on".to_owned())];
    let list = list.filtered(asked, ("tag", "Tag", "tag"), None);
    let list = list.filtered(asked, ("added", "Added", "plus"), Some(ages));
    let list = list.filtered(asked, ("dnd", "Do not disturb", "x"), Some(disturb));
    Ok(list.filtered(asked, ("owner", "Owner", "user"), Some(owners)))
}

/// Which contacts are asked for, in which order; and what that is called.
pub(super) fn filter(here: &Here, asked: &Asked, now: UtcMs) -> Result<(&'static str, ContactFilter), Error> {
    let sort = asked.text("sort").unwrap_or_default();
    let (sort, _, order, ascending) = SORTS.iter().find(|(name, ..)| *name == sort).unwrap_or(&SORTS[0]);
    let country = here.place()?.profile.country;
    let filter = ContactFilter {
        search: asked.text("q").map(|query| search::asked(query, country)),
        condition: condition(asked, now),
        order: *order,
        ascending: *ascending,
    };
    Ok((sort, filter))
}

pub(crate) async fn list(State(web): State<Web>, mut asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let now = web.app.now();
    asked.join(columns::COLUMNS);
    let views = Views::of(&web, &here, &context, (&VIEWED, &mut asked)).await?;
    let fields = fields_of(&web, &context).await?;
    let columns = Columns::asked(&asked, &fields);
    let (sort, filter) = filter(&here, &asked, now)?;
    let found = web.app.list_contacts(&context, filter, Window::skip(asked.skipped(), PAGE)).await?;
    let members = match columns.has_owner() {
        true => web.app.user_names(here.authority()).await?,
        false => HashMap::new(),
    };
    let told = Told { zone: &here.zone(), now, members: &members };
    let rows: Vec<Row> = found.page.rows.iter().map(|contact| row(&here, contact, &columns, &told)).collect();
    let list = Listing::new(here.url("/contacts"), &asked, rows.len(), found.page.has_more, found.total);
    let orders: Vec<(&str, &str)> = SORTS.iter().map(|(name, words, ..)| (*name, *words)).collect();
    let list = filtered(&web, &here, &asked, list.sorted(&asked, &orders, sort).showing(columns.offered())).await?;
    let page = Contacts {
        frame: Frame::of(&here, "Contacts", "contacts"),
        views,
        headings: columns.headings(),
        are_chosen: columns.are_chosen(),
        rows,
        list,
        left_out: columns.left_out,
        new_url: here.url("/contacts/new"),
        bulk_url: asked.whole(&here.url("/contacts/bulk")),
        imports_url: here.url("/contacts/imports"),
        export_urls: ["csv", "jsonl"].map(|kind| asked.whole(&here.url(&format!("/contacts/export.{kind}")))),
        trash_url: here.url("/contacts/trash"),
        may_write: here.authority().grant().allows(Scope::ContactsWrite),
    };
    Ok(render(&page))
}

fn row(here: &Here, contact: &Contact, columns: &Columns<'_>, told: &Told<'_>) -> Row {
    Row {
        id: contact.id.to_string(),
        name: name(contact),
        initials: show::initials(&name(contact)),
        addresses: columns.addresses(contact),
        url: here.url(&format!("/contacts/{}", contact.id)),
        cells: columns.cells(contact, told),
    }
}
