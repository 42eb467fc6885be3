//! How the values of a payload are named: `payload.customer.email`, `payload.people[0]`, `payload["First name"]`.

use serde_json::{Map, Value};

use super::mapping::check;
use crate::{
    Invalid,
    link::{Piece, pieces_with},
    text::echo,
};

/// The parts of a template.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece<'_>>, Invalid> {
    pieces_with(template, |name| steps(name).map(drop))
}

/// Whether a key needs no quotes.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// The way through a payload that a name says.
fn steps(name: &str) -> Result<Vec<String>, Invalid> {
    let refused = || {
        let example =
            "such as {{payload.customer.email}}, or {{payload[\"First name\"]}} for a key with other characters";
        Invalid::new(format!("has {}, which names nothing of a payload; write a path {example}", echo(name)))
    };
    let (mut rest, mut steps) = (name.strip_prefix("payload").ok_or_else(refused)?, Vec::new());
    while !rest.is_empty() {
        let (step, after) = step(rest).ok_or_else(refused)?;
        steps.push(step);
        rest = after;
    }
    if steps.is_empty() { Err(refused()) } else { Ok(steps) }
}

/// The first step of a way, and what follows it.
fn step(way: &str) -> Option<(String, &str)> {
    if let Some(key) = way.strip_prefix('.') {
        let (key, after) = key.split_at(key.find(['.', '[']).unwrap_or(key.len()));
        return is_plain(key).then(|| (key.to_owned(), after));
    }
    let inner = way.strip_prefix('[')?;
    if !inner.starts_with('"') {
        let (key, after) = inner.split_once(']')?;
        return is_plain(key).then(|| (key.to_owned(), after));
    }
    // Quoted as in JSON.
    let mut quoted = serde_json::Deserializer::from_str(inner).into_iter::<String>();
    let key = quoted.next()?.ok()?;
    Some((key, inner[quoted.byte_offset()..].strip_prefix(']')?))
}

/// The name of what a value has under a key.
fn below(name: &str, key: &str) -> String {
    if is_plain(key) { format!("{name}.{key}") } else { format!("{name}[{}]", Value::from(key)) }
}

/// What a payload has there; nothing of what is null.
fn found<'p>(name: &str, payload: &'p Map<String, Value>) -> Option<&'p Value> {
    let steps = steps(name).ok()?;
    let (first, rest) = steps.split_first()?;
    let step = |value: &'p Value, step: &String| match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    };
    rest.iter().try_fold(payload.get(first)?, step).filter(|value| !value.is_null())
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

/// What a template gives where a field takes one text. Several say how one of them is named.
pub(super) fn filled_as_one(template: &str, payload: &Map<String, Value>) -> Result<Option<Value>, Invalid> {
    let Some(value) = filled(template, payload) else { return Ok(None) };
    let several = |what: &str, key: &str| {
        // Only one field by itself is anything but a text.
        let name = pieces(template).ok().and_then(|pieces| match pieces[..] {
            [Piece::Field(name)] => Some(name),
            _ => None,
        });
        let example = format!("{{{{{}}}}}", below(name.unwrap_or("payload"), key));
        Invalid::new(format!("takes one value, and {} is {what}; map one of them, such as {example}", echo(template)))
    };
    match value {
        Value::Array(mut list) if list.len() < 2 && !list.iter().any(|one| one.is_array() || one.is_object()) => {
            Ok(list.pop().filter(|one| !one.is_null()).map(as_text))
        }
        Value::Array(list) => Err(several(&format!("a list of {}", list.len()), "0")),
        Value::Object(fields) => match fields.keys().next() {
            Some(key) => Err(several("an object with fields of its own", key)),
            None => Ok(None),
        },
        one => Ok(Some(as_text(one))),
    }
}

/// A truth as it is written.
fn as_text(value: Value) -> Value {
    if value.is_boolean() { value.to_string().into() } else { value }
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

/// What a payload has where a template says so, and of which no text can be made: objects, and what is null in a list.
pub(super) fn no_texts(template: &str, payload: &Map<String, Value>) -> Vec<String> {
    fn rest(value: &Value) -> Vec<String> {
        match value {
            Value::Array(list) => list.iter().flat_map(rest).collect(),
            Value::Null | Value::Object(_) => vec![echo(&value.to_string())],
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Vec::new(),
        }
    }
    let field = |piece| match piece {
        Piece::Field(name) => found(name, payload),
        Piece::Text(_) => None,
    };
    pieces(template).unwrap_or_default().into_iter().filter_map(field).flat_map(rest).collect()
}

/// How the values of a payload are named, with each value; at most `most`.
pub fn paths_of(payload: &Map<String, Value>, most: usize) -> Vec<(String, String)> {
    fn walk(name: &str, value: &Value, most: usize, paths: &mut Vec<(String, String)>) {
        match value {
            _ if paths.len() >= most => {}
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| walk(&below(name, key), value, most, paths));
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(place, value)| walk(&format!("{name}.{place}"), value, most, paths));
            }
            Value::Null => {}
            value => {
                let field = format!("{{{{{name}}}}}");
                // One of thousands of characters is none that a mapping takes.
                if check(&Value::from(field.as_str())).is_ok() {
                    paths.push((field, texts_of(value.clone()).concat()));
                }
            }
        }
    }
    let mut paths = Vec::new();
    payload.iter().for_each(|(key, value)| walk(&below("payload", key), value, most, &mut paths));
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
        let payload = object(json!({
            "a": {"b": [{"c": 1}, "x"], "d e": 2, "": 3}, "n": null, "t": true, "First Name": "Ada", "a.b": {"@type": 4}, "$id/x:y": 5,
            "}}{{": 6, "\"]": 7, "\\\n": 8, "Größe": 9,
        }));
        let paths = paths_of(&payload, 20);
        let paths: Vec<(&str, &str)> = paths.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        assert_eq!(
            paths,
            [
                ("{{payload.a.b.0.c}}", "1"),
                ("{{payload.a.b.1}}", "x"),
                ("{{payload.a[\"d e\"]}}", "2"),
                ("{{payload.a[\"\"]}}", "3"),
                ("{{payload.t}}", "true"),
                ("{{payload[\"First Name\"]}}", "Ada"),
                ("{{payload[\"a.b\"][\"@type\"]}}", "4"),
                ("{{payload[\"$id/x:y\"]}}", "5"),
                ("{{payload[\"}}{{\"]}}", "6"),
                ("{{payload[\"\\\"]\"]}}", "7"),
                ("{{payload[\"\\\\\\n\"]}}", "8"),
                ("{{payload.Größe}}", "9"),
            ]
        );
        for (path, value) in paths {
            assert_eq!(texts_of(filled(path, &payload).unwrap()), [value], "{path}");
            let twice = format!("{path} and {path}");
            assert_eq!(texts_of(filled(&twice, &payload).unwrap()), [format!("{value} and {value}")], "{twice}");
        }
        assert_eq!(paths_of(&payload, 2).len(), 2);
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused() {
        for path in [
            "payload",
            "payload.",
            "payload..a",
            "payloads.a",
            "contact.email",
            "payload.a]",
            "payload.a[0",
            "payload[]",
            "payload[a b]",
            "payload.a b",
            "payload.a/b",
            "payload['a']",
            "payload[\"a\"",
            "payload[\"a]",
            "payload[\"a\"]b",
            "payload[\"a\" ]",
        ] {
            let problem = check(&format!("{{{{{path}}}}}").into()).expect_err(path).0;
            assert!(problem.contains("{{payload.") || problem.contains("without its"), "{problem}");
        }
    }
}
