//! What a route answers, as people see it, and how its lists go on.

use keystead_api::Route;
use serde_json::{Map, Value};

use super::{
    super::output::{say, text},
    arguments::kebab,
};

/// Members beside a thing that nothing shows again.
const SHOWN_ONCE: &[&str] = &["secret", "signingSecret", "url"];

/// What stands beside a thing and is shown once, each by its name.
pub(super) fn shown_once(answer: &Value) -> Vec<(&'static str, &str)> {
    if answer.get("id").is_some() {
        return Vec::new();
    }
    SHOWN_ONCE.iter().filter_map(|name| Some((*name, answer.get(name)?.as_str()?))).collect()
}

/// The things of a list.
pub(super) fn items(answer: &Value) -> &[Value] {
    if let Some(items) = answer.as_array() {
        return items;
    }
    let lists = answer.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_array);
    lists.into_iter().next().map_or(&[], Vec::as_slice)
}

/// The one thing of an answer: what is in its envelope, or the answer itself.
pub(in crate::commands) fn one(answer: &Value) -> &Value {
    let has_id = |value: &&Value| value.get("id").is_some();
    match answer.as_object() {
        Some(fields) if !fields.contains_key("id") => fields.values().find(has_id).unwrap_or(answer),
        _ => answer,
    }
}

/// Prints what a thing has, a line for each field, without the envelope of what has no id.
pub(super) fn show(thing: &Value) {
    let enveloped = thing.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.values().next());
    let thing = enveloped.filter(|inner| inner.is_object()).unwrap_or(thing);
    let has_something = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let fields: Vec<(String, &Value)> = thing
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| has_something(value))
        .map(|(name, value)| (kebab(name).replace('-', " "), value))
        .collect();
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in fields {
        match value {
            // Its lines as they are, so that they can be copied.
            Value::String(lines) if lines.contains('\n') => say!("{name}\n{}", lines.trim_end_matches('\n')),
            Value::Array(items) if items.iter().all(Value::is_object) => {
                say!("{name}");
                for item in items {
                    say!("  {}", on_one_line(item));
                }
            }
            _ => say!("{name:<width$}  {}", text(value)),
        }
    }
}

/// The fields of a thing beside each other; as JSON where one of them has fields of its own.
fn on_one_line(thing: &Value) -> String {
    let fields = thing.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let (names, texts): (Vec<&String>, Vec<String>) = fields.map(|(name, value)| (name, text(value))).unzip();
    if texts.iter().any(|text| text.starts_with(['{', '['])) {
        return thing.to_string();
    }
    let pairs = names.iter().zip(texts).map(|(name, text)| format!("{} {text}", kebab(name).replace('-', " ")));
    pairs.collect::<Vec<_>>().join("; ")
}

/// The queries of one page of a list after another.
pub(super) struct Pages {
    query: Option<Map<String, Value>>,
    way: Way,
    /// Things that a page can have.
    size: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// After the last thing, which `meta` names.
    Cursor,
    /// Past so many.
    Skip,
    /// By the number of the page.
    Page,
    /// From where the page before says.
    Next,
    /// Everything at once.
    Whole,
}

impl Pages {
    /// All pages of what `query` asks for.
    pub(super) fn of(route: &Route, query: Map<String, Value>) -> Self {
        let schema = route.query_schema();
        let has = |name: &str| schema["properties"].get(name).is_some_and(|field| field["deprecated"].is_null());
        let ways = [("startAfterId", Way::Cursor), ("skip", Way::Skip), ("cursor", Way::Next), ("page", Way::Page)];
        let way = ways.iter().find(|(name, _)| has(name)).map_or(Way::Whole, |(_, way)| *way);
        let most = schema["properties"]["limit"]["maximum"].as_u64().unwrap_or(100);
        Self { query: Some(query), way, size: usize::try_from(most).unwrap_or(100) }
    }

    /// What to ask for next, where `left` things are still wanted. `None` at the end.
    pub(super) fn next(&self, left: usize) -> Option<Map<String, Value>> {
        let mut query = self.query.clone().filter(|_| left > 0)?;
        if self.way != Way::Whole {
            query.insert("limit".to_owned(), self.size.min(left).to_string().into());
        }
        Some(query)
    }

    /// Goes past a page that had `found` things.
    pub(super) fn turn(&mut self, answer: &Value, found: usize) {
        let Some(query) = &mut self.query else { return };
        let meta = &answer["meta"];
        let goes_on = match self.way {
            Way::Cursor if found > 0 && !meta["startAfterId"].is_null() => {
                for name in ["startAfter", "startAfterId"] {
                    query.insert(name.to_owned(), text(&meta[name]).into());
                }
                true
            }
            Way::Skip if found == self.size => {
                let past = query.get("skip").and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0);
                query.insert("skip".to_owned(), (past + found).to_string().into());
                true
            }
            Way::Next if !meta["nextCursor"].is_null() => {
                query.insert("cursor".to_owned(), text(&meta["nextCursor"]).into());
                true
            }
            Way::Page if found > 0 && !meta["nextPage"].is_null() => {
                query.insert("page".to_owned(), text(&meta["nextPage"]).into());
                true
            }
            _ => false,
        };
        if !goes_on {
            self.query = None;
        }
    }
}
