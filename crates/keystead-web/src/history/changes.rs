//! What changed, in words: names of fields as pages call them, and values as people say them.

use std::collections::{BTreeSet, HashMap};

use keystead_core::{CUSTOM_FIELD, EventNames};
use keystead_model::{
    LocationId, UserId, UtcMs,
    event::{Event, Subject},
    opportunity::Status,
};
use serde_json::{Map, Value as Json};

use crate::{
    contacts,
    show::{self, Zone},
};

/// A field before and after; of what was made or is gone only one of both.
pub(crate) struct Change {
    pub(crate) field: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// What the ids in values are called.
pub(super) struct Words<'w> {
    pub(super) zone: &'w Zone,
    pub(super) users: &'w HashMap<UserId, String>,
    pub(super) locations: &'w HashMap<LocationId, String>,
    pub(super) names: &'w EventNames,
}

/// What pages call fields whose own name is another.
const FIELDS: &[(&str, &str)] = &[
    ("api_key", "API key"),
    ("allowedIps", "Allowed from"),
    ("allowedOrigins", "Sites that may use it"),
    ("allowedLocations", "Acts in"),
    ("expiresAt", "Expiry"),
    ("rateLimit", "Limit"),
    ("lastFour", "Secret ends with"),
    ("previousRetiresAt", "Old secret ends"),
    ("locationIds", "Locations"),
    ("isOperator", "Operator"),
    ("muted", "Not told"),
    ("timezone", "Time zone"),
    ("timeZone", "Time zone"),
    ("dnd", "Do not disturb"),
    ("logoUrl", "Logo"),
    ("contactId", "Contact"),
    ("from", "The other one"),
    ("pipelineId", "Pipeline"),
    ("pipelineStageId", "Stage"),
    ("assignedTo", "Assigned to"),
    ("monetaryValue", "Value"),
    ("lostReasonId", "Lost because"),
    ("businessId", "Business"),
    ("workflowId", "Workflow"),
    ("campaignId", "Campaign"),
    ("formId", "Form"),
    ("userId", "By"),
    ("forecastExpectedCloseDate", "Expected to close"),
    ("forecastOriginalCloseDate", "Expected to close at first"),
    ("forecastProbability", "Probability"),
    ("forecastSlippageCount", "Times it was moved later"),
    ("lcPhone", "Numbers by location"),
];

/// `allowDuplicateContact` as `Allow duplicate contact`.
pub(crate) fn field_in_words(name: &str) -> String {
    if let Some((_, known)) = FIELDS.iter().find(|(known, _)| *known == name) {
        return (*known).to_owned();
    }
    let mut words = String::with_capacity(name.len() + 4);
    for (index, letter) in name.chars().enumerate() {
        match letter {
            '_' | '.' => words.push(' '),
            _ if index == 0 => words.extend(letter.to_uppercase()),
            _ if letter.is_uppercase() => {
                words.push(' ');
                words.extend(letter.to_lowercase());
            }
            _ => words.push(letter),
        }
    }
    words
}

/// Members of a list that are said; the others are counted.
const SAID: usize = 12;

impl Words<'_> {
    fn field_name(&self, name: &str) -> String {
        let custom = name.strip_prefix(CUSTOM_FIELD);
        match custom.map(|id| self.names.of(Subject::CustomField, id)) {
            Some(Some(field)) => field.name.clone(),
            Some(None) => "A custom field that is gone".to_owned(),
            None => field_in_words(name),
        }
    }

    fn text(&self, text: &str) -> String {
        if let Some(instant) = UtcMs::read_iso(text).filter(|_| text.len() >= 20) {
            return self.zone.instant(instant);
        }
        let user = UserId::parse(text).and_then(|id| self.users.get(&id));
        let location = LocationId::parse(text).and_then(|id| self.locations.get(&id));
        user.or(location).cloned().unwrap_or_else(|| text.to_owned())
    }

    fn value(&self, field: &str, value: Option<&Json>) -> String {
        let none = if field == "allowedIps" { "any address" } else { "none" };
        match value {
            None | Some(Json::Null) => none.to_owned(),
            Some(Json::Bool(is_so)) => if *is_so { "yes" } else { "no" }.to_owned(),
            Some(Json::String(text)) if text.is_empty() => none.to_owned(),
            Some(Json::String(text)) => match (field, self.names.in_field(field, text)) {
                (_, Some(name)) if !name.is_empty() => name.to_owned(),
                ("status", _) => Status::parse(text).map_or_else(|| text.clone(), |one| contacts::standing(one).1),
                _ => self.text(text),
            },
            Some(Json::Array(list)) if list.is_empty() => none.to_owned(),
            Some(Json::Array(list)) => {
                let mut said: Vec<String> = list.iter().take(SAID).map(|one| self.value(field, Some(one))).collect();
                if list.len() > SAID {
                    said.push(format!("and {} more", list.len() - SAID));
                }
                said.join(", ")
            }
            Some(Json::Number(number)) if field == "monetaryValue" => show::amount(&number.to_string()),
            Some(Json::Number(number)) => number.to_string(),
            Some(Json::Object(fields)) => {
                let said =
                    fields.iter().take(SAID).map(|(name, value)| format!("{name}: {}", self.value("", Some(value))));
                said.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Only of a list what came and what went.
    fn both(&self, field: &str, before: Option<&Json>, after: Option<&Json>) -> (String, String) {
        if let (Some(Json::Array(was)), Some(Json::Array(is))) = (before, after)
            && !was.is_empty()
            && !is.is_empty()
        {
            let only = |some: &[Json], others: &[Json]| {
                Json::Array(some.iter().filter(|one| !others.contains(one)).cloned().collect())
            };
            let (gone, come) = (only(was, is), only(is, was));
            if gone != come {
                return (self.value("", Some(&gone)), self.value("", Some(&come)));
            }
        }
        (self.value(field, before), self.value(field, after))
    }

    /// The fields that changed. What was empty and stayed so, and what is the same, is not said.
    pub(super) fn changes(&self, event: &Event) -> Vec<Change> {
        let (before, after) = (fields(event.before.as_deref()), fields(event.after.as_deref()));
        let (is_new, is_gone) = (event.before.is_none(), event.after.is_none());
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let is_empty = |value: Option<&Json>| match value {
            None | Some(Json::Null) => true,
            Some(Json::String(text)) => text.is_empty(),
            Some(Json::Array(list)) => list.is_empty(),
            Some(_) => false,
        };
        let change = |name: &String| {
            let (was, is) = (before.get(name), after.get(name));
            if was == is || (is_empty(was) && is_empty(is)) {
                return None;
            }
            let (was, is) = match (is_new, is_gone) {
                (true, _) => (None, Some(self.value(name, is))),
                (_, true) => (Some(self.value(name, was)), None),
                _ => {
                    let (was, is) = self.both(name, was, is);
                    (Some(was), Some(is))
                }
            };
            Some(Change { field: self.field_name(name), before: was, after: is })
        };
        names.into_iter().filter_map(change).collect()
    }
}

/// The fields of what an event tells; none where it tells nothing that is understood.
pub(super) fn fields(text: Option<&str>) -> Map<String, Json> {
    match text.map(serde_json::from_str::<Json>) {
        Some(Ok(Json::Object(fields))) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use keystead_model::actor::Actor;

    use super::*;
    use crate::show::UTC;

    fn said(before: Option<&str>, after: Option<&str>) -> Vec<String> {
        let event = Event {
            number: 1,
            id: String::new(),
            location: None,
            contact: None,
            at: UtcMs(0),
            actor: Actor::System,
            ip: None,
            kind: "api_key.updated".to_owned(),
            subject: "x".to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            request_id: None,
            root: None,
            depth: 0,
            position: None,
            erased: false,
        };
        let words =
            Words { zone: &UTC, users: &HashMap::new(), locations: &HashMap::new(), names: &EventNames::default() };
        let say = |text: Option<String>| text.unwrap_or_default();
        let changes = words.changes(&event);
        changes.into_iter().map(|it| format!("{}: {} > {}", it.field, say(it.before), say(it.after))).collect()
    }

    #[test]
    fn changes_are_said_in_words_and_what_stayed_is_not() {
        let was = r#"{"name":"A","allowedIps":[],"expiresAt":null,"scopes":["a","b"],"dnd":false,"city":null}"#;
        let is = r#"{"name":"A","allowedIps":["192.0.2.0/24"],"expiresAt":"2027-01-31T23:59:59.999Z","scopes":["b","c"],"dnd":true,"city":""}"#;
        assert_eq!(
            said(Some(was), Some(is)),
            [
                "Allowed from: any address > 192.0.2.0/24",
                "Do not disturb: no > yes",
                "Expiry: none > 31 Jan 2027, 23:59",
                "Scopes: a > c",
            ]
        );
        assert_eq!(said(None, Some(r#"{"firstName":"Ada","tags":[]}"#)), ["First name:  > Ada"]);
        assert_eq!(said(Some(r#"{"firstName":"Ada"}"#), None), ["First name: Ada > "]);
        assert!(said(Some("no JSON"), None).is_empty() && said(None, None).is_empty());
    }
}
