//! What is done from the page of a contact, and from the list to several of them.

use axum::{extract::State, response::Response};
use jiff::civil::Date;
use keystead_core::{Error, TagChange, error::Noun};
use keystead_model::{
    ContactId, Invalid, UserId,
    id::Id,
    note::{Note, NoteContent},
    tag::TagName,
    task::{Task, TaskContent, TaskPatch},
    text::{Line, Prose},
    time::Moment,
};

use super::{name, show::page, trash::joined, wanted};
use crate::{
    Web,
    choices::owner,
    failure::Failure,
    flash::{Done, lead, lead_back},
    form::{Choice, Field, Fields, Form, Kind},
    history::Before,
    list::Asked,
    place::Here,
    show::counted,
};

/// The form for a note.
pub(super) fn note_fields() -> Vec<Field> {
    vec![
        Field::new(Kind::Lines(3), "body", "Note").needed("Write something").with("maxlength=65000"),
        Field::new(Kind::Check, "pinned", "Keep it at the top"),
    ]
}

/// The form for a task.
pub(super) fn task_fields(owners: Vec<Choice>) -> Vec<Field> {
    vec![
        Field::line("title", "Task").needed("Say what is to be done").with("maxlength=300"),
        Field::typed("date", "dueDate", "Due on").needed("Choose a day").half(),
        Field::typed("time", "time", "At").half(),
        Field::new(Kind::Select, "assignedTo", "For").of(owners),
    ]
}

/// A part of a contact that the address names.
fn part<T>(here: &Here, name: &str, noun: Noun) -> Result<Id<T>, Error> {
    let text = here.visitor.param(name);
    Id::parse(text).ok_or_else(|| Error::NotFound(noun, text.to_owned()))
}

pub(crate) async fn add_note(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    let mut form = Form::new(note_fields(), sent);
    let content = form.read("body", Prose::parse).map(|body| NoteContent {
        body,
        title: None,
        color: None,
        pinned: form.is_checked("pinned"),
        user: Some(here.visitor.signed_in.user.id),
    });
    let add = async |content| web.app.create::<Note>(&context, contact.id, content).await;
    if form.run_with(content, add).await?.is_some() {
        return Ok(lead(&web, &here.url(&format!("/contacts/{}", contact.id)), Done::NoteAdded, &name(&contact)));
    }
    let page = page((&web, &here, &context), contact, (Some(form), None), Before::default()).await?;
    Ok(page.note.again(&page))
}

pub(crate) async fn delete_note(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    web.app.delete::<Note>(&context, contact.id, part(&here, "note", Noun::Note)?).await?;
    Ok(lead(&web, &here.url(&format!("/contacts/{}", contact.id)), Done::NoteDeleted, &name(&contact)))
}

pub(crate) async fn add_task(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    let owners = owner::choices(&web, &here, None).await?;
    let mut form = Form::new(task_fields(owners), sent);
    let member = |text: &str| UserId::parse(text).ok_or_else(|| Invalid::new("must be a member of this location"));
    let (title, assigned_to) = (form.read("title", Line::parse), form.read("assignedTo", member));
    let day =
        form.read("dueDate", |text| text.parse::<Date>().map_err(|_| Invalid::new("must be a day, as 2026-12-24")));
    let time = form.text("time").map(str::to_owned);
    // By the clock that the page shows.
    let zone = here.zone().to_name();
    let due_at = day.and_then(|day| {
        // Without a time it is due by the end of its day.
        let moment = format!("{day}T{}", time.as_deref().unwrap_or("23:59"));
        match Moment::parse(&moment) {
            Ok(moment) => Some(moment.start(&zone)),
            Err(_) => {
                form.say("time", "Enter a time, such as 14:30");
                None
            }
        }
    });
    let content = title.zip(due_at).map(|(title, due_at)| TaskContent {
        title,
        body: None,
        due_at,
        completed: false,
        assigned_to,
    });
    let add = async |content| web.app.create::<Task>(&context, contact.id, content).await;
    if let Some(task) = form.run_with(content, add).await? {
        let url = here.url(&format!("/contacts/{}", contact.id));
        return Ok(lead(&web, &url, Done::TaskAdded, task.content.title.as_str()));
    }
    let page = page((&web, &here, &context), contact, (None, Some(form)), Before::default()).await?;
    Ok(page.task.again(&page))
}

/// Done, or, said again, not done.
pub(crate) async fn finish_task(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    let id: Id<Task> = part(&here, "task", Noun::Task)?;
    let task = web.app.get::<Task>(&context, contact.id, id).await?;
    let completed = !task.content.completed;
    let patch = TaskPatch { completed: Some(completed), ..TaskPatch::default() };
    web.app.update::<Task>(&context, contact.id, id, patch).await?;
    // From the list of tasks it leads back there.
    let url = here.came_from("/tasks").unwrap_or_else(|| here.url(&format!("/contacts/{}", contact.id)));
    let done = if completed { Done::TaskFinished } else { Done::TaskReopened };
    Ok(lead_back(&web, &url, done, task.content.title.as_str(), &format!("{}/tasks/{id}", contact.id)))
}

/// Adds the tags of a line, or takes one away.
pub(crate) async fn change_tags(State(web): State<Web>, here: Here, sent: Fields) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    let url = here.url(&format!("/contacts/{}", contact.id));
    let (change, done) = match sent.text("remove") {
        Some(tag) => (TagName::parse(tag).map(|tag| TagChange::Remove(vec![tag])), Done::TagRemoved),
        None => (tags(sent.text("add").unwrap_or_default()).map(TagChange::Add), Done::TagsAdded),
    };
    let change = change.map_err(|problem| Error::invalid("tags", problem.0))?;
    web.app.change_contact_tags(&context, contact.id, change).await?;
    Ok(lead(&web, &url, done, &name(&contact)))
}

/// Tags on a line, separated by commas.
fn tags(text: &str) -> Result<Vec<TagName>, Invalid> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(TagName::parse).collect()
}

pub(crate) async fn trash(State(web): State<Web>, here: Here) -> Result<Response, Failure> {
    let (context, contact) = wanted(&web, &here).await?;
    web.app.delete_contact(&context, contact.id).await?;
    let id = contact.id.to_string();
    Ok(lead_back(&web, &here.url("/contacts"), Done::ContactTrashed, &name(&contact), &id))
}

/// What is done to those that are chosen in a list.
pub(crate) async fn bulk(State(web): State<Web>, asked: Asked, here: Here, sent: Fields) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    // What the list was asked for, so that whoever changed some of it sees what became of them.
    let url = asked.whole(&here.url("/contacts"));
    let ids: Vec<ContactId> = sent.all("id").into_iter().filter_map(ContactId::parse).collect();
    let tags = tags(sent.text("tags").unwrap_or_default()).map_err(|problem| Error::invalid("tags", problem.0))?;
    let action = sent.text("do").unwrap_or_default();
    if ids.is_empty() || (tags.is_empty() && action != "trash") {
        return Ok(lead(&web, &url, Done::NothingChosen, ""));
    }
    let (done, outcomes): (Done, Vec<bool>) = match action {
        "trash" => {
            let mut gone = Vec::new();
            for id in ids {
                if web.app.delete_contact(&context, id).await.is_ok() {
                    gone.push(id);
                }
            }
            if gone.is_empty() {
                return Ok(lead(&web, &url, Done::ChosenGone, ""));
            }
            let count = counted(i64::try_from(gone.len()).unwrap_or(i64::MAX), "contact");
            return Ok(lead_back(&web, &url, Done::ContactsTrashed, &count, &joined(&gone)));
        }
        other => {
            let is_removal = other == "untag";
            let change = if is_removal { TagChange::Remove(tags) } else { TagChange::Add(tags) };
            let changed = web.app.change_tags_of_contacts(&context, ids, change).await?;
            let done = if is_removal { Done::ContactsUntagged } else { Done::ContactsTagged };
            (done, changed.iter().map(Result::is_ok).collect())
        }
    };
    let count = outcomes.iter().filter(|is_done| **is_done).count();
    if count == 0 {
        return Ok(lead(&web, &url, Done::ChosenGone, ""));
    }
    Ok(lead(&web, &url, done, &counted(i64::try_from(count).unwrap_or(i64::MAX), "contact")))
}
