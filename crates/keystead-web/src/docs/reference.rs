//! The reference of the APIs: their OpenAPI documents as pages, made here and shown without a request to anybody else.

use std::fmt::Write;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::{Map, Value};

use super::pages;
use crate::{
    Web,
    failure::{Failure, not_found},
    page::{Frame, render},
};

/// The documents: name in addresses, and title.
const APIS: &[(&str, &str)] = &[("2.0", "API 2.0"), ("v3", "API 2.0, Version: v3"), ("1.0", "API 1.0")];

/// How deep objects inside of objects are shown.
const DEPTH: usize = 4;

#[derive(Template)]
#[template(path = "docs/reference.html")]
struct Overview {
    frame: Frame,
    pages: Vec<(&'static str, &'static str)>,
    here: String,
    apis: &'static [(&'static str, &'static str)],
    api: String,
    title: &'static str,
    nouns: Vec<(String, Vec<Line>)>,
}

/// An operation in the overview.
struct Line {
    method: String,
    path: String,
    summary: String,
    anchor: String,
}

#[derive(Template)]
#[template(path = "docs/operations.html")]
struct OfNoun {
    frame: Frame,
    pages: Vec<(&'static str, &'static str)>,
    here: String,
    api: String,
    title: &'static str,
    noun: String,
    operations: Vec<Operation>,
}

/// An operation, in full.
struct Operation {
    line: Line,
    needs: String,
    parameters: Vec<Row>,
    /// Parameters that change nothing.
    passed_over: String,
    body: Vec<Row>,
    body_example: Option<String>,
    status: String,
    answer: Vec<Row>,
    answer_example: Option<String>,
    refusals: Vec<String>,
}

/// A field or a parameter.
struct Row {
    name: String,
    place: String,
    kind: String,
    is_required: bool,
    note: String,
}

/// `/docs/reference`: of the API that new programs use.
pub(crate) async fn index(state: State<Web>) -> Result<Response, Failure> {
    overview(state, Path("2.0".to_owned())).await
}

/// `/docs/reference/{api}`.
pub(crate) async fn overview(State(web): State<Web>, Path(api): Path<String>) -> Result<Response, Failure> {
    let Some((document, title)) = find(&web, &api) else { return Ok(not_found().await) };
    let nouns = names_of(document).into_iter().map(|noun| {
        let lines = operations(document, &noun).map(|(path, method, operation)| line(path, method, operation));
        (noun.clone(), lines.collect())
    });
    let nouns = nouns.collect();
    let frame = Frame::bare(&format!("Reference of {title}"));
    Ok(render(&Overview { frame, pages: pages(), here: "reference".to_owned(), apis: APIS, api, title, nouns }))
}

/// `/docs/reference/{api}/{noun}`.
pub(crate) async fn noun(
    State(web): State<Web>,
    Path((api, noun)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let Some((document, title)) = find(&web, &api) else { return Ok(not_found().await) };
    let operations: Vec<Operation> = operations(document, &noun)
        .map(|(path, method, operation)| described(document, path, method, operation))
        .collect();
    if operations.is_empty() {
        return Ok(not_found().await);
    }
    let frame = Frame::bare(&format!("{noun} of {title}"));
    Ok(render(&OfNoun { frame, pages: pages(), here: "reference".to_owned(), api, title, noun, operations }))
}

fn find(web: &Web, api: &str) -> Option<(&'static Value, &'static str)> {
    let (name, title) = APIS.iter().find(|(name, _)| *name == api)?;
    Some(((web.reference)(name), title))
}

fn names_of(document: &Value) -> Vec<String> {
    document["tags"].as_array().into_iter().flatten().map(|tag| text(&tag["name"])).collect()
}

/// Path, method and operation of everything about a noun.
fn operations<'d>(document: &'d Value, noun: &str) -> impl Iterator<Item = (&'d str, &'d str, &'d Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, methods)| {
        methods
            .as_object()
            .into_iter()
            .flatten()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.filter(move |(_, _, operation)| operation["tags"][0] == noun)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn line(path: &str, method: &str, operation: &Value) -> Line {
    Line {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        anchor: text(&operation["operationId"]),
    }
}

/// What a value is, or what it refers to.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let referred = value["$ref"].as_str().and_then(|pointer| document.pointer(pointer.trim_start_matches('#')));
    referred.unwrap_or(value)
}

fn described(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let (passed_over, parameters): (Vec<&Value>, Vec<&Value>) = parameters
        .map(|parameter| resolved(document, parameter))
        .partition(|parameter| parameter["deprecated"] == true);
    let passed_over: Vec<String> = passed_over.iter().map(|parameter| text(&parameter["name"])).collect();
    let parameters = parameters.into_iter().map(|parameter| {
        let mut row = row(document, &text(&parameter["name"]), &parameter["schema"], parameter["required"] == true);
        row.place = text(&parameter["in"]);
        if let Some(description) = parameter["description"].as_str() {
            description.clone_into(&mut row.note);
        }
        row
    });
    let json = |value: &'_ Value| -> Option<Value> { value["content"].get("application/json").cloned() };
    let body = json(&operation["requestBody"]);
    let responses = operation["responses"].as_object();
    let (status, success) = responses
        .and_then(|all| all.iter().next())
        .map_or_else(Default::default, |(status, answer)| (status.clone(), json(answer)));
    let refusals = responses.into_iter().flatten().skip(1).map(|(status, _)| status.clone());
    let rows = |content: &Option<Value>| {
        let mut rows = Vec::new();
        if let Some(content) = content {
            flatten(document, &content["schema"], "", DEPTH, &mut rows);
        }
        rows
    };
    let example = |content: &Option<Value>| {
        let example = content.as_ref()?.get("example")?;
        serde_json::to_string_pretty(example).ok()
    };
    let needs = match operation["security"].as_array() {
        Some(none) if none.is_empty() => "Needs no key.".to_owned(),
        _ => text(&operation["description"]).replace('`', ""),
    };
    Operation {
        line: line(path, method, operation),
        needs,
        parameters: parameters.collect(),
        passed_over: passed_over.join(", "),
        body: rows(&body),
        body_example: example(&body),
        status,
        answer: rows(&success),
        answer_example: example(&success),
        refusals: refusals.collect(),
    }
}

/// The fields of an object, each with the path that leads to it. Of fields that look alike the first is shown whole.
fn flatten(document: &Value, schema: &Value, prefix: &str, depth: usize, rows: &mut Vec<Row>) {
    let schema = object_in(document, schema);
    let Some(fields) = schema["properties"].as_object() else { return };
    let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
    let mut shown: Vec<(&Value, String)> = Vec::new();
    for (name, field) in fields {
        let place = format!("{prefix}{name}");
        let inner = object_in(document, field);
        let has_fields = inner["properties"].as_object().is_some_and(|inner| !inner.is_empty());
        let mut row = row(document, &place, field, required.iter().any(|known| *known == name));
        let like = shown.iter().find(|(known, _)| *known == field).filter(|_| has_fields);
        if let Some((_, like)) = like {
            row.note = format!("Like {like}");
            rows.push(row);
            continue;
        }
        let is_list = resolved(document, field)["type"].as_str() == Some("array") || field["items"].is_object();
        rows.push(row);
        if has_fields && depth > 0 {
            flatten(document, inner, &format!("{place}{}.", if is_list { "[]" } else { "" }), depth - 1, rows);
        }
        shown.push((field, place));
    }
}

/// The object that a schema is, refers to, may be or has as its entries.
fn object_in<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let mut schema = resolved(document, schema);
    if schema["items"].is_object() {
        schema = resolved(document, &schema["items"]);
    }
    if schema["properties"].is_object() {
        return schema;
    }
    let choices = schema["anyOf"].as_array().into_iter().flatten().map(|choice| resolved(document, choice));
    choices.into_iter().find(|choice| choice["properties"].is_object()).unwrap_or(schema)
}

fn row(document: &Value, name: &str, schema: &Value, is_required: bool) -> Row {
    let schema = resolved(document, schema);
    let note = schema["description"].as_str().or(schema["items"]["description"].as_str()).unwrap_or_default();
    Row {
        name: name.to_owned(),
        place: String::new(),
        kind: kind(document, schema),
        is_required,
        note: note.to_owned(),
    }
}

/// A type in words: `string, up to 100`, `one of open, won`, `list of strings`.
fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolved(document, schema);
    if let Some(choices) = schema["anyOf"].as_array() {
        let kinds: Vec<String> = choices.iter().map(|choice| kind(document, choice)).collect();
        return kinds.join(" or ");
    }
    if let Some(value) = schema.get("const") {
        return format!("always {value}");
    }
    let names = |values: &[Value]| values.iter().map(text).collect::<Vec<_>>().join(", ");
    if let Some(values) = schema["enum"].as_array() {
        return format!("one of {}", names(values));
    }
    let mut words = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => names(kinds).replace(", ", " or "),
        _ => "anything".to_owned(),
    };
    if schema["items"].is_object() {
        words = format!("{words} of {}", kind(document, &schema["items"]));
    }
    let bounds: &[(&str, &str)] = &[
        ("format", ""),
        ("maxLength", "up to "),
        ("minimum", "from "),
        ("maximum", "up to "),
        ("maxItems", "at most "),
    ];
    add_bounds(&mut words, schema.as_object(), bounds);
    words
}

fn add_bounds(words: &mut String, schema: Option<&Map<String, Value>>, bounds: &[(&str, &str)]) {
    for (name, before) in bounds {
        match schema.and_then(|schema| schema.get(*name)) {
            Some(Value::String(value)) => drop(write!(words, ", {before}{value}")),
            Some(value) => drop(write!(words, ", {before}{value}")),
            None => {}
        }
    }
}
