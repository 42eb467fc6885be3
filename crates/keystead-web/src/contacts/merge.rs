//! Two contacts that turn out to be one person: finding the other one, comparing them, merging.

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext, error::Noun};
use keystead_model::{
    ContactId,
    contact::{Contact, ContactFilter},
    page::Window,
    scope::Scope,
    search,
};

use super::{addresses, name, show::facts, wanted};
use crate::{
    Web,
    failure::Failure,
    flash::{Done, lead},
    form::{Fields, Form},
    list::Asked,
    page::{Frame, render},
    place::Here,
};

/// Contacts that a search for the other one shows.
const SHOWN: i64 = 10;

struct Candidate {
    name: String,
    addresses: String,
    url: String,
}

/// What is known of either.
struct Compared {
    label: String,
    kept: String,
    other: String,
}

struct Other {
    id: ContactId,
    name: String,
    rows: Vec<Compared>,
    /// Where the other one is kept instead.
    swapped_url: String,
}

#[derive(Template)]
#[template(path = "contacts/merge.html")]
struct Merger {
    frame: Frame,
    name: String,
    page_url: String,
    merge_url: String,
    query: String,
    found: Vec<Candidate>,
    other: Option<Other>,
    form: Form,
}

pub(crate) async fn merge_form(State(web): State<Web>, asked: Asked, here: Here) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    here.authority().require(Scope::ContactsWrite)?;
    let form = Form::new(Vec::new(), Fields::default());
    let other = match asked.text("with").map(named).transpose()? {
        Some(id) => Some(web.app.get_contact(&context, id).await?),
        None => None,
    };
    let query = asked.text("q").map_or_else(|| name(&contact), str::to_owned);
    Ok(render(&page(&web, &here, &context, &contact, other.as_ref(), query, form).await?))
}

fn named(text: &str) -> Result<ContactId, Error> {
    ContactId::parse(text).ok_or_else(|| Error::NotFound(Noun::Contact, text.to_owned()))
}

async fn page(
    web: &Web,
    here: &Here,
    context: &LocationContext,
    contact: &Contact,
    other: Option<&Contact>,
    query: String,
    form: Form,
) -> Result<Merger, Error> {
    let merge_url = here.url(&format!("/contacts/{}/merge", contact.id));
    let found = match other {
        Some(_) => Vec::new(),
        None => {
            let search = Some(search::asked(&query, here.place()?.profile.country));
            let filter = ContactFilter { search, ..ContactFilter::default() };
            web.app.list_contacts(context, filter, Window::first(SHOWN)).await?.page.rows
        }
    };
    let candidate = |candidate: &Contact| Candidate {
        name: name(candidate),
        addresses: addresses(candidate),
        url: format!("{merge_url}?with={}", candidate.id),
    };
    Ok(Merger {
        frame: Frame::of(here, "Merge contacts", "contacts"),
        name: name(contact),
        page_url: here.url(&format!("/contacts/{}", contact.id)),
        found: found.iter().filter(|candidate| candidate.id != contact.id).map(candidate).collect(),
        other: other.map(|other| Other {
            id: other.id,
            name: name(other),
            rows: compared(contact, other),
            swapped_url: here.url(&format!("/contacts/{}/merge?with={}", other.id, contact.id)),
        }),
        merge_url,
        query,
        form,
    })
}

/// What both say of themselves, side by side.
fn compared(kept: &Contact, other: &Contact) -> Vec<Compared> {
    let tags = |contact: &Contact| contact.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>().join(", ");
    let mut rows = vec![Compared { label: "Name".to_owned(), kept: name(kept), other: name(other) }];
    let sides = [facts(kept), facts(other)];
    let mut labels: Vec<&str> = Vec::new();
    for fact in sides.iter().flatten().filter(|fact| !fact.label.is_empty()) {
        if !labels.contains(&fact.label.as_str()) {
            labels.push(&fact.label);
        }
    }
    let said = |side: usize, label: &str| {
        let values = sides[side].iter().filter(|fact| fact.label == label).map(|fact| fact.value.as_str());
        values.collect::<Vec<_>>().join(", ")
    };
    rows.extend(labels.iter().map(|label| Compared {
        label: (*label).to_owned(),
        kept: said(0, label),
        other: said(1, label),
    }));
    rows.push(Compared { label: "Tags".to_owned(), kept: tags(kept), other: tags(other) });
    rows
}

pub(crate) async fn merge(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    let mut form = Form::new(Vec::new(), sent);
    let Some(from) = form.text("from").map(named).transpose()? else {
        form.generally("Choose the other contact");
        let page = page(&web, &here, &context, &contact, None, name(&contact), form).await?;
        return Ok(page.form.again(&page));
    };
    let other = web.app.get_contact(&context, from).await?;
    match form.run(web.app.merge_contacts(&context, contact.id, from)).await? {
        Some(merged) => {
            let url = here.url(&format!("/contacts/{}", merged.id));
            Ok(lead(&web, &url, Done::ContactsMerged, &name(&merged)))
        }
        None => {
            let page = page(&web, &here, &context, &contact, Some(&other), String::new(), form).await?;
            Ok(page.form.again(&page))
        }
    }
}
