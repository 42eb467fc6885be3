//! Open tasks of a location, in the order in which they are due.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use keystead_core::{Error, LocationContext};
use keystead_model::{
    ContactId, UserId, UtcMs,
    contact::Contact,
    page::Window,
    saved_view::ViewedList,
    scope::Scope,
    task::{Task, TaskSearch},
    time::DAY_MS,
};

use crate::{
    Web,
    choices::owner,
    contacts,
    failure::Failure,
    list::{Asked, Listing, PAGE},
    page::{Frame, render},
    place::Here,
    saved_views::{Viewed, Views},
    show::{Zone, since},
};

struct Row {
    title: String,
    body: String,
    contact: String,
    contact_url: String,
    due: String,
    due_exactly: String,
    is_late: bool,
    owner: String,
    done_url: String,
}

/// Tasks that are due at about the same time.
struct Group {
    title: &'static str,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "tasks/list.html")]
struct Tasks {
    frame: Frame,
    views: Views,
    groups: Vec<Group>,
    list: Listing,
    /// Whether there was no time to find them.
    is_cut: bool,
    may_write: bool,
}

const LATE: &str = "Late";
const TODAY: &str = "Today";

/// When a task is due, as people plan.
fn term(due: UtcMs, now: UtcMs, zone: &Zone) -> &'static str {
    let (day, today, week) = (zone.iso_day(due), zone.iso_day(now), zone.iso_day(UtcMs(now.0 + 7 * DAY_MS)));
    match () {
        () if due < now => LATE,
        () if day == today => TODAY,
        () if day <= week => "In the next seven days",
        () => "Later",
    }
}

/// What is kept of the list under a name.
pub(crate) const VIEWED: Viewed = Viewed {
    list: ViewedList::Tasks,
    section: "tasks",
    all: "All tasks",
    path: "/tasks",
    always: &[],
    kept: &[("q", ""), ("owner", "")],
};

pub(crate) async fn list(State(web): State<Web>, mut asked: Asked, here: Here) -> Result<Response, Failure> {
    let context = here.enter(&web).await?;
    let views = Views::of(&web, &here, &context, (&VIEWED, &mut asked)).await?;
    let owner = asked.text("owner").and_then(UserId::parse);
    let search = TaskSearch {
        completed: Some(false),
        assigned_to: owner.into_iter().collect(),
        part: asked.text("q").map(str::to_owned),
        ..TaskSearch::default()
    };
    let window = Window::skip(asked.skipped(), PAGE);
    let (tasks, has_more, is_cut) = match web.app.search_tasks(&context, search, window).await {
        Ok(found) => (found.rows, found.has_more, false),
        Err(Error::Invalid(_)) => (Vec::new(), false, true),
        Err(error) => return Err(error.into()),
    };
    let members = owner::choices(&web, &here, owner).await?;
    let members = members.into_iter().filter(|member| !member.value.is_empty());
    let owners = members.map(|member| (member.value, member.words)).collect();
    let list = Listing::new(here.url("/tasks"), &asked, tasks.len(), has_more, None);
    Ok(render(&Tasks {
        frame: Frame::of(&here, "Tasks", "tasks"),
        views,
        groups: groups(&web, &here, &context, tasks).await?,
        list: list.filtered(&asked, ("owner", "Owner", "user"), Some(owners)),
        is_cut,
        may_write: here.authority().grant().allows(Scope::ContactsWrite),
    }))
}

async fn groups(web: &Web, here: &Here, context: &LocationContext, tasks: Vec<Task>) -> Result<Vec<Group>, Error> {
    let mut ids: Vec<ContactId> = tasks.iter().map(|task| task.contact).collect();
    ids.sort_unstable();
    ids.dedup();
    let contacts: HashMap<ContactId, Contact> =
        web.app.contacts_of(context, ids).await?.into_iter().map(|contact| (contact.id, contact)).collect();
    let names = web.app.user_names(here.authority()).await?;
    let (zone, now) = (here.zone(), web.app.now());
    let mut groups: Vec<Group> = Vec::new();
    for task in tasks {
        // One that went to the trash between the two reads is not there any more.
        let Some(contact) = contacts.get(&task.contact) else { continue };
        let title = term(task.content.due_at, now, &zone);
        let row = row(here, &task, contact, &names, (&zone, now, title));
        match groups.last_mut().filter(|group| group.title == title) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { title, rows: vec![row] }),
        }
    }
    Ok(groups)
}

fn row(
    here: &Here,
    task: &Task,
    contact: &Contact,
    names: &HashMap<UserId, String>,
    (zone, now, term): (&Zone, UtcMs, &str),
) -> Row {
    let content = &task.content;
    let due = match term {
        LATE => format!("{} late", since(content.due_at, now)),
        TODAY => zone.time(content.due_at),
        _ => format!("{}, {}", zone.day(content.due_at), zone.time(content.due_at)),
    };
    Row {
        title: content.title.as_str().to_owned(),
        body: content.body.as_ref().map(|body| body.as_str().to_owned()).unwrap_or_default(),
        contact: contacts::name(contact),
        contact_url: here.url(&format!("/contacts/{}", contact.id)),
        due,
        due_exactly: zone.exactly(content.due_at),
        is_late: term == LATE,
        owner: content.assigned_to.and_then(|id| names.get(&id).cloned()).unwrap_or_default(),
        done_url: here.url(&format!("/contacts/{}/tasks/{}/finish", contact.id, task.id)),
    }
}

#[cfg(test)]
mod tests {
    use keystead_model::text::TimeZoneName;

    use super::*;

    #[test]
    fn days_are_those_of_the_location() {
        // 25 November 2026, 22:00 UTC: in Kolkata it is the 26th already.
        let now = UtcMs(1_795_644_000_000);
        let zone = |name: &str| Zone::of(&TimeZoneName::parse(name).unwrap());
        let hours = |hours: i64| UtcMs(now.0 + hours * 3_600_000);
        for (due, utc, kolkata) in [
            (-1, "Late", "Late"),
            (0, "Today", "Today"),
            (1, "Today", "Today"),
            (3, "In the next seven days", "Today"),
            (7 * 24, "In the next seven days", "In the next seven days"),
            (7 * 24 + 3, "Later", "In the next seven days"),
            (30 * 24, "Later", "Later"),
        ] {
            assert_eq!(term(hours(due), now, &zone("UTC")), utc, "{due}");
            assert_eq!(term(hours(due), now, &zone("Asia/Kolkata")), kolkata, "{due}");
        }
    }
}
