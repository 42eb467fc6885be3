//! Holds every answer of the suite against our own documents: no undocumented status, no undocumented field.

use keystead_api::{Document, document};
use serde_json::{Map, Value};

/// In what an answer differs from its document; nothing for what is no operation of the APIs.
pub(crate) fn undocumented(method: &str, path: &str, version: Option<&str>, status: u16, body: &str) -> Vec<String> {
    let document = document(match (path.starts_with("/v1/"), version) {
        (true, _) => Document::V1,
        (false, Some("v3")) => Document::V3,
        (false, _) => Document::V2,
    });
    let Some((template, operation)) = find(document, method, path) else { return Vec::new() };
    let name = format!("{method} {template}");
    let answer = &operation["responses"][status.to_string()];
    let referred = answer["$ref"].as_str().and_then(|pointer| document.pointer(pointer.trim_start_matches('#')));
    let response = referred.unwrap_or(answer);
    let Some(content) = response["content"].as_object() else {
        return vec![format!("{name}: the status {status} is not documented: {body}")];
    };
    if method == "HEAD" || !content.contains_key("application/json") {
        return Vec::new();
    }
    let Ok(value) = serde_json::from_str::<Value>(body) else {
        return vec![format!("{name}: {status} is no JSON: {body}")];
    };
    let mut found = Vec::new();
    check(document, &content["application/json"]["schema"], &value, "", &mut found);
    found.iter().map(|problem| format!("{name}: {status}: {problem}")).collect()
}

/// The operation whose path has the same segments; literal ones win.
fn find<'d>(document: &'d Value, method: &str, path: &str) -> Option<(&'d str, &'d Value)> {
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_ascii_lowercase() };
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let fits = |template: &str| {
        let wanted: Vec<&str> = template.trim_matches('/').split('/').collect();
        wanted.len() == segments.len()
            && wanted.iter().zip(&segments).all(|(wanted, segment)| wanted.starts_with('{') || wanted == segment)
    };
    let paths = document["paths"].as_object()?.iter().filter(|(template, _)| fits(template));
    let (template, operations) = paths.min_by_key(|(template, _)| template.matches('{').count())?;
    Some((template, operations.get(&method)?))
}

/// As much of JSON Schema as our documents use.
fn check(document: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let schema = document.pointer(pointer.trim_start_matches('#')).unwrap_or(&Value::Bool(false));
        return check(document, schema, value, place, found);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut problems = Vec::new();
            check(document, choice, value, place, &mut problems);
            problems.is_empty()
        });
        if !fits {
            found.push(format!("{place} fits none of its documented forms: {value}"));
        }
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_kind(kind, value)) {
        found.push(format!("{place} is documented as {kinds:?}, is {value}"));
        return;
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        found.push(format!("{place} is documented as one of {values:?}, is {value}"));
    }
    if let Some(expected) = schema.get("const")
        && expected != value
    {
        found.push(format!("{place} is documented as {expected}, is {value}"));
    }
    if let (Value::Object(fields), true) = (value, kinds.contains(&"object")) {
        check_object(document, schema, fields, place, found);
    }
    for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            check(document, &schema["items"], entry, &format!("{place}.{index}"), found);
        }
    }
}

fn check_object(document: &Value, schema: &Value, fields: &Map<String, Value>, place: &str, found: &mut Vec<String>) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            found.push(format!("{place}.{name} is documented, and missing"));
        }
    }
    for (name, value) in fields {
        let place = format!("{place}.{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(true) | Value::Null) => {}
            (Value::Null, more @ Value::Object(_)) => check(document, more, value, &place, found),
            (Value::Null, _) => found.push(format!("{place} is not documented")),
            (known, _) => check(document, known, value, &place, found),
        }
    }
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::undocumented;

    #[test]
    fn what_is_not_documented_is_found() {
        let check = |status, body: &str| undocumented("GET", "/locations/x/tags/y/", None, status, body);
        let tag = r#"{"tag":{"id":"y","name":"vip","locationId":"x","count":0},"traceId":"t"}"#;
        assert_eq!(check(200, tag), Vec::<String>::new());
        assert!(check(200, &tag.replace("\"vip\"", "5"))[0].contains(".tag.name"));
        assert!(check(200, &tag.replace("\"name\"", "\"title\""))[0].contains(".tag.name"));
        assert!(check(200, &tag.replace("\"traceId\"", "\"trace\""))[0].contains("traceId"));
        assert!(check(201, tag)[0].contains("201"));
        assert!(check(404, r#"{"statusCode":404}"#)[0].contains("message"));
        assert!(undocumented("GET", "/app/sign-in", None, 200, "<html>").is_empty(), "no operation");
        assert!(!undocumented("DELETE", "/v1/tags/x", None, 200, "null").is_empty());
        assert!(undocumented("DELETE", "/v1/tags/x", None, 200, "\"\"").is_empty());
    }
}
