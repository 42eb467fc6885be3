//! What became of an opportunity, in words.

use std::collections::HashMap;

use keystead_core::{Error, EventQuery};
use keystead_model::{OpportunityId, event::Event, opportunity::Status, page::Window};
use serde_json::{Map, Value};

use super::edit::Offered;
use crate::{
    Web, api_keys, contacts,
    place::Here,
    show::{ago, amount},
};

/// Something that was done to it.
pub(super) struct Step {
    pub(super) who: String,
    pub(super) said: Vec<Said>,
    pub(super) when: String,
    pub(super) exactly: String,
}

/// A part of what was done: words, and what was there before and after.
pub(super) struct Said {
    pub(super) words: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// Events that are read at a time, and how often at most: what is older than these is in the audit log.
const READ: i64 = 200;
const TIMES: usize = 10;
/// Steps that a page shows.
const SHOWN: usize = 50;

/// The newest of them first, and whether these are all.
pub(super) async fn of(
    web: &Web,
    here: &Here,
    id: OpportunityId,
    offered: &Offered,
) -> Result<(Vec<Step>, bool), Error> {
    let mut query = EventQuery {
        location: Some(here.place()?.id),
        kinds: vec!["opportunity.*".to_owned()],
        since: None,
        subject: Some(id.to_string()),
        window: Window::first(READ),
    };
    let (mut events, mut has_more) = (Vec::new(), true);
    for _ in 0..TIMES {
        let page = web.app.list_events(here.authority(), query.clone()).await?;
        events.extend(page.events);
        has_more = page.has_more;
        if !has_more {
            break;
        }
        query.window = Window::after(Some(page.next), READ);
    }
    let known = Known::of(web, here, offered).await?;
    let (zone, now) = (here.zone(), web.app.now());
    let is_whole = !has_more && events.len() <= SHOWN;
    let steps = events.iter().rev().take(SHOWN).map(|event| Step {
        who: api_keys::creator(event.actor, &known.users),
        said: said(event, &known),
        when: ago(event.at, now),
        exactly: zone.exactly(event.at),
    });
    Ok((steps.filter(|step| !step.said.is_empty()).collect(), is_whole))
}

/// The names of what events have ids of.
struct Known {
    users: HashMap<keystead_model::UserId, String>,
    names: HashMap<String, String>,
}

impl Known {
    async fn of(web: &Web, here: &Here, offered: &Offered) -> Result<Self, Error> {
        let users = web.app.user_names(here.authority()).await?;
        let mut names: HashMap<String, String> =
            users.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
        for pipeline in &offered.pipelines {
            names.insert(pipeline.id.to_string(), pipeline.content.name.as_str().to_owned());
            names.extend(pipeline.stages.iter().map(|stage| (stage.id.to_string(), stage.name.as_str().to_owned())));
        }
        names.extend(offered.reasons().map(|(id, name)| (id, name.to_owned())));
        names.extend(offered.custom.iter().map(|field| (field.id.to_string(), field.content.name.as_str().to_owned())));
        Ok(Self { users, names })
    }

    /// A value in words.
    fn words(&self, field: &str, value: Option<&Value>) -> String {
        match (field, value) {
            (_, None | Some(Value::Null)) => String::new(),
            ("monetaryValue", Some(value)) => amount(value.as_str().unwrap_or(&value.to_string())),
            ("status", Some(Value::String(name))) => {
                Status::parse(name).map_or_else(|| name.clone(), |status| contacts::standing(status).1)
            }
            (field, Some(Value::String(id))) if field.ends_with("Id") || field == "assignedTo" => {
                self.names.get(id).cloned().unwrap_or_default()
            }
            (_, Some(Value::String(text))) => text.clone(),
            (_, Some(Value::Array(values))) => {
                let each = values.iter().map(|value| self.words("", Some(value)));
                each.collect::<Vec<_>>().join(", ")
            }
            (_, Some(other)) => other.to_string(),
        }
    }

    /// What was changed, of a field that changed.
    fn change(&self, field: &str) -> Option<String> {
        let own = match field {
            "name" => "changed the name",
            "pipelineStageId" => "moved it",
            "pipelineId" => "moved it to another pipeline,",
            "status" => "changed the status",
            "monetaryValue" => "changed the value",
            "assignedTo" => "changed the owner",
            "source" => "changed the source",
            "lostReasonId" => "said why it was lost:",
            "forecastExpectedCloseDate" => "changed the day on which it should close",
            "forecastProbability" => "changed the probability",
            "contactId" => "gave it to another contact",
            "followers" => "changed who follows it",
            _ => {
                let id = field.strip_prefix("customFields.")?;
                let name = self.names.get(id).map_or("a custom field", String::as_str);
                return Some(format!("changed {name}"));
            }
        };
        Some(own.to_owned())
    }
}

fn said(event: &Event, known: &Known) -> Vec<Said> {
    let only = |words: &str| vec![Said { words: words.to_owned(), from: String::new(), to: String::new() }];
    match event.kind.as_str() {
        "opportunity.created" => return only("added it"),
        "opportunity.deleted" => return only("deleted it"),
        _ if event.erased => return only("changed it; what changed was erased"),
        _ => {}
    }
    let fields = |text: &Option<String>| match text.as_deref().map(serde_json::from_str::<Value>) {
        Some(Ok(Value::Object(fields))) => fields,
        _ => Map::new(),
    };
    let (before, after) = (fields(&event.before), fields(&event.after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let changed = names.into_iter().filter_map(|name| {
        let words = known.change(name)?;
        // Who follows is a list of ids, and of contacts the names are not read here.
        let is_told = !["followers", "contactId"].contains(&name.as_str());
        let side = |side: &Map<String, Value>| if is_told { known.words(name, side.get(name)) } else { String::new() };
        Some(Said { words, from: side(&before), to: side(&after) })
    });
    changed.collect()
}
