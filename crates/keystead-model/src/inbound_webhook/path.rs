//! How the values of a payload are named.

use serde_json::{Map, Value};

use super::mapping::check;
use crate::link::{Piece, pieces};

/// The way through a payload that `payload.customer.0.email` or `payload.customer[0].email` names.
pub(super) fn steps(name: &str) -> Option<Vec<&str>> {
    let way = name.strip_prefix("payload")?;
    let way = way.strip_prefix(['.', '['])?;
    let steps: Vec<&str> = way.split(['.', '[']).map(|step| step.strip_suffix(']').unwrap_or(step)).collect();
    steps.iter().all(|step| !step.is_empty()).then_some(steps)
}

/// What a payload has there; nothing of what is null.
fn found<'p>(name: &str, payload: &'p Map<String, Value>) -> Option<&'p Value> {
    let steps = steps(name)?;
    let (first, rest) = steps.split_first()?;
    let step = |value: &'p Value, step: &&str| match value {
        Value::Object(fields) => fields.get(*step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    };
    rest.iter().try_fold(payload.get(*first)?, step).filter(|value| !value.is_null())
}

/// A template with what a payload has. What is nothing but one field is that value itself, as it is; `None` where there are fields
/// and the payload has nothing for any.
pub(super) fn filled(template: &str, payload: &Map<String, Value>) -> Option<Value> {
    let pieces = pieces(template).ok()?;
    if let [Piece::Field(name)] = pieces[..] {
        return found(name, payload).cloned();
    }
    let (mut text, mut fields, mut missing) = (String::new(), 0, 0);
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Field(name) => {
                let value = found(name, payload).map(|value| texts_of(value.clone()).join(", "));
                fields += 1;
                missing += usize::from(value.is_none());
                text.push_str(&value.unwrap_or_default());
            }
        }
    }
    (fields == 0 || missing < fields).then(|| Value::from(text.trim()))
}

/// A value as texts: of a list each. An object is none.
pub(super) fn texts_of(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Array(list) => list.into_iter().flat_map(texts_of).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

/// How the values of a payload are named, with each value, as far as a mapping can name it; at most `most`.
pub fn paths_of(payload: &Map<String, Value>, most: usize) -> Vec<(String, String)> {
    fn walk(name: &str, value: &Value, most: usize, paths: &mut Vec<(String, String)>) {
        match value {
            _ if paths.len() >= most => {}
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| walk(&format!("{name}.{key}"), value, most, paths));
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(place, value)| walk(&format!("{name}.{place}"), value, most, paths));
            }
            Value::Null => {}
            value => {
                let field = format!("{{{{{name}}}}}");
                // A key with other characters in it cannot be named.
                if check(&Value::from(field.as_str())).is_ok() {
                    paths.push((field, texts_of(value.clone()).concat()));
                }
            }
        }
    }
    let mut paths = Vec::new();
    payload.iter().for_each(|(key, value)| walk(&format!("payload.{key}"), value, most, &mut paths));
    paths
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn paths_lead_to_the_values_that_they_are_told_with() {
        let payload = object(json!({"a": {"b": [{"c": 1}, "x"], "d e": 2}, "n": null, "t": true}));
        let paths = paths_of(&payload, 10);
        let paths: Vec<(&str, &str)> = paths.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        assert_eq!(paths, [("{{payload.a.b.0.c}}", "1"), ("{{payload.a.b.1}}", "x"), ("{{payload.t}}", "true")]);
        for (path, value) in paths {
            assert_eq!(texts_of(filled(path, &payload).unwrap()), [value], "{path}");
        }
        assert_eq!(paths_of(&payload, 2).len(), 2);
    }
}
