//! The fields of a route's body that take a text, found in its schema.

use keystead_api::Route;
use serde_json::{Map, Value};

/// Where a text goes in a body; a number is a place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field(Vec<String>);

/// All of them, also inside of lists and objects.
pub(crate) fn fields_of(route: &Route) -> Vec<Field> {
    let mut found = Vec::new();
    if let Some(schema) = route.body_schema() {
        find(&schema, &[], &mut found);
    }
    found
}

fn find(schema: &Value, path: &[String], found: &mut Vec<Field>) {
    let below = |name: &str| [path, &[name.to_owned()]].concat();
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if schema["deprecated"] == true {
        return;
    }
    if let Some(choices) = schema["anyOf"].as_array().filter(|_| !kinds.contains(&"object")) {
        let takes_text = |choice: &Value| choice["type"] == "string" || choice["enum"].is_array();
        return match choices.iter().find(|choice| takes_text(choice)) {
            Some(_) => found.push(Field(path.to_vec())),
            None => choices.iter().for_each(|choice| find(choice, path, found)),
        };
    }
    if kinds.contains(&"array") {
        return find(&schema["items"], &below("0"), found);
    }
    if !kinds.contains(&"object") {
        if kinds.is_empty() || kinds.contains(&"string") {
            found.push(Field(path.to_vec()));
        }
        return;
    }
    match schema["properties"].as_object() {
        Some(fields) => fields.iter().for_each(|(name, schema)| find(schema, &below(name), found)),
        // Whatever the caller calls it.
        None => found.push(Field(below("anything"))),
    }
}

impl Field {
    /// Puts a value there.
    pub(crate) fn set(&self, body: &mut Value, value: Value) {
        let place = self.0.iter().fold(body, |at, name| match name.parse::<usize>() {
            Ok(_) => {
                if at.as_array().is_none_or(Vec::is_empty) {
                    *at = Value::from(vec![Value::Null]);
                }
                &mut at[0]
            }
            Err(_) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                &mut at[name.as_str()]
            }
        });
        *place = value;
    }

    /// The name of a field that is no part of another one.
    pub(crate) fn top(&self) -> Option<&str> {
        match &self.0[..] {
            [name] => Some(name),
            [name, place] if place == "0" => Some(name),
            _ => None,
        }
    }

    /// Whether a refusal that speaks of `name` is about it, or about something that it is a part of.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let own = self.0.join(".");
        let is_part = |part: &str, of: &str| part.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'));
        own == name || is_part(&own, name) || is_part(name, &own)
    }

    /// Whether it is a part of the same thing as `name`.
    pub(crate) fn is_beside(&self, name: &str) -> bool {
        let parent = self.0[..self.0.len() - 1].join(".");
        !parent.is_empty() && name.rsplit_once('.').is_some_and(|(other, _)| other == parent)
    }

    /// Its name, without what it is a part of.
    pub(crate) fn last(&self) -> &str {
        self.0.iter().rfind(|name| name.parse::<usize>().is_err()).map_or("", String::as_str)
    }

    /// Whether it is about something that must be there, or that only others may change.
    pub(crate) fn is_reference(&self) -> bool {
        let name = self.last();
        let is_id = name.ends_with("Id") || name.ends_with("Ids") || name.ends_with("_id");
        is_id
            || ["id", "ids", "contacts", "followers", "assignedTo", "from", "key", "searchAfter", "email", "password"]
                .contains(&name)
    }
}
