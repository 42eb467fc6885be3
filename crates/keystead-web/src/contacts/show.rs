//! The page of a contact, with what belongs to them.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use keystead_core::{Error, LocationContext, SameIn};
use keystead_model::{
    CustomFieldId, UserId, UtcMs, contact::Contact, custom_field::CustomField, event::Subject, field_value::Held,
    link::Link, note::Note, opportunity::Opportunity, page::Window, scope::Scope, task::Task,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    actions::{note_fields, task_fields},
    fields_of, name, standing, wanted,
};
use crate::{
    Web,
    choices::owner,
    failure::Failure,
    form::{Fields, Form},
    history::{Before, History},
    opportunities,
    page::{Frame, render},
    place::Here,
    show::{self, Zone},
    value_fields::written,
};

/// What an address may hold behind its scheme as it is.
const ADDRESS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'@').remove(b'.').remove(b'+').remove(b'-').remove(b'_');

/// Notes and tasks that are shown.
const BESIDE: i64 = 50;
/// Trigger links that are offered; the others have a page of their own.
const LINKS: i64 = 20;

/// Something that is known, and what it is called.
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: String,
    /// Where it leads: a mail program, a phone.
    url: Option<String>,
}

struct NoteShown {
    id: String,
    title: String,
    body: String,
    author: Option<String>,
    when: String,
    exactly: String,
    is_pinned: bool,
}

struct TaskShown {
    id: String,
    title: String,
    due: String,
    who: Option<String>,
    exactly: String,
    is_done: bool,
    is_late: bool,
}

struct Deal {
    name: String,
    url: String,
    value: String,
    pill: (&'static str, String),
}

/// Somebody who may be the same person.
struct Twin {
    name: String,
    url: String,
    /// `Same e-mail address`.
    why: &'static str,
    merge_url: Option<String>,
}

/// A trigger link of which the contact can have one of their own.
struct LinkShown {
    name: String,
    mint_url: String,
    /// So that a page that is loaded again makes no other.
    form_id: String,
}

#[derive(Template)]
#[template(path = "contacts/show.html")]
pub(super) struct Show {
    frame: Frame,
    name: String,
    initials: String,
    list_url: String,
    url: String,
    owner: Option<String>,
    pub(super) note: Form,
    pub(super) task: Form,
    is_task_open: bool,
    may_write: bool,
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
    new_deal_url: Option<String>,
    history: History,
    twins: Vec<Twin>,
    links: Vec<LinkShown>,
    links_url: String,
}

pub(crate) async fn show(
    State(web): State<Web>,
    Query(before): Query<Before>,
    here: Here,
) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    Ok(render(&page((&web, &here, &context), contact, (None, None), before).await?))
}

/// The page, perhaps with a form that has to be mended.
pub(super) async fn page(
    (web, here, context): (&Web, &Here, &LocationContext),
    contact: Contact,
    (note, task): (Option<Form>, Option<Form>),
    before: Before,
) -> Result<Show, Error> {
    let id = contact.id;
    let notes = web.app.list::<Note>(context, id, Window::first(BESIDE)).await?.rows;
    let tasks = web.app.list::<Task>(context, id, Window::first(BESIDE)).await?.rows;
    let grant = here.authority().grant();
    let deals = match grant.allows(Scope::OpportunitiesRead) {
        true => web.app.opportunities_of(context, vec![id]).await?,
        false => Vec::new(),
    };
    let fields = fields_of(web, context).await?;
    let members = web.app.user_names(here.authority()).await?;
    let named = |id: Option<UserId>| id.map(|id| members.get(&id).cloned().unwrap_or_else(|| "Somebody".to_owned()));
    let (zone, now) = (here.zone(), web.app.now());
    let own_name = name(&contact);
    let may_write = grant.allows(Scope::ContactsWrite);
    let is_task_open = task.is_some();
    let url = here.url(&format!("/contacts/{id}"));
    let history = History::of(web, here, context, (Subject::Contact, id.to_string()), (&url, before)).await?;
    let twins = web.app.possible_duplicates(context, &contact).await?;
    let twin = |(other, same): &(Contact, SameIn)| Twin {
        name: name(other),
        url: here.url(&format!("/contacts/{}", other.id)),
        why: match same {
            SameIn::Email => "Same e-mail address",
            SameIn::Phone => "Same phone number",
            SameIn::Name => "Same name",
        },
        merge_url: may_write.then(|| format!("{url}/merge?with={}", other.id)),
    };
    let links = match grant.allows(Scope::LinksRead) && grant.allows(Scope::LinksWrite) {
        true => web.app.list::<Link>(context, (), Window::first(LINKS)).await?.rows,
        false => Vec::new(),
    };
    let link = |link: Link| LinkShown {
        name: link.content.name.as_str().to_owned(),
        mint_url: here.url(&format!("/links/{}/tokens", link.id)),
        form_id: web.app.entropy().token(),
    };
    Ok(Show {
        links: links.into_iter().filter(|link| link.is_open(now)).map(link).collect(),
        links_url: here.url("/links"),
        history,
        twins: twins.iter().map(twin).collect(),
        frame: Frame::of(here, &own_name, "contacts"),
        initials: show::initials(&own_name),
        list_url: here.url("/contacts"),
        url,
        id: id.to_string(),
        added: zone.instant(contact.created_at),
        updated: show::ago(contact.updated_at, now),
        dnd: contact.profile.dnd,
        owner: named(contact.profile.assigned_to),
        tags: contact.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        facts: facts(&contact),
        custom: custom(&contact, &fields),
        notes: notes.into_iter().map(|note| shown_note(note, &zone, now, &named)).collect(),
        tasks: tasks.into_iter().map(|task| shown_task(task, &zone, now, &named)).collect(),
        deals: deals.into_iter().map(|deal| shown_deal(here, deal)).collect(),
        new_deal_url: grant
            .allows(Scope::OpportunitiesWrite)
            .then(|| here.url(&format!("/opportunities/new?contact={id}"))),
        note: note.unwrap_or_else(|| Form::new(note_fields(), Fields::default())),
        task: match task {
            Some(task) => task,
            None => Form::new(task_fields(owner::choices(web, here, None).await?), Fields::default()),
        },
        is_task_open,
        may_write,
        name: own_name,
    })
}

fn custom(contact: &Contact, fields: &[CustomField]) -> Vec<Fact> {
    let names: HashMap<CustomFieldId, &str> =
        fields.iter().map(|field| (field.id, field.content.name.as_str())).collect();
    let fact = |held: &Held| Fact {
        label: names.get(&held.field.id).map_or_else(|| held.field.key.clone(), |name| (*name).to_owned()),
        value: held.values.iter().map(written).collect::<Vec<_>>().join(", "),
        url: None,
    };
    contact.custom_fields.iter().map(fact).collect()
}

fn shown_note(note: Note, zone: &Zone, now: UtcMs, named: &impl Fn(Option<UserId>) -> Option<String>) -> NoteShown {
    NoteShown {
        id: note.id.to_string(),
        title: note.content.title.map(|title| title.as_str().to_owned()).unwrap_or_default(),
        body: note.content.body.as_str().to_owned(),
        author: named(note.content.user),
        when: show::ago(note.created_at, now),
        exactly: zone.exactly(note.created_at),
        is_pinned: note.content.pinned,
    }
}

fn shown_task(task: Task, zone: &Zone, now: UtcMs, named: &impl Fn(Option<UserId>) -> Option<String>) -> TaskShown {
    TaskShown {
        id: task.id.to_string(),
        title: task.content.title.as_str().to_owned(),
        due: zone.instant(task.content.due_at),
        exactly: zone.exactly(task.content.due_at),
        who: named(task.content.assigned_to),
        is_late: !task.content.completed && task.content.due_at < now,
        is_done: task.content.completed,
    }
}

fn shown_deal(here: &Here, deal: Opportunity) -> Deal {
    Deal {
        name: deal.content.name.as_str().to_owned(),
        url: opportunities::url(here, deal.id),
        value: show::amount(&deal.content.value.to_string()),
        pill: standing(deal.content.status),
    }
}

pub(super) fn facts(contact: &Contact) -> Vec<Fact> {
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
