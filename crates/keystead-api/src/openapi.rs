//! The OpenAPI documents (3.1): made of the route table, and of nothing else.

use std::{collections::BTreeSet, sync::LazyLock};

use http::{Method, StatusCode};
use keystead_core::{Error, ErrorCode};
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    failure::Failure,
    reader::TOLERATED_IN_QUERIES,
    reply::{Content, Reply},
    route::{Access, Face, Route},
    routes::routes,
    shape::{
        Output, Way, Written,
        outline::Outline,
        output::{Answer, Definitions},
        word,
    },
    v1,
    v2::{self, Version},
};

/// Which of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// API 2.0 in the shapes of every version before v3.
    V2,
    /// API 2.0 as `Version: v3` asks for it.
    V3,
    /// API 1.0.
    V1,
}

impl Document {
    const ALL: [Self; 3] = [Self::V2, Self::V3, Self::V1];
}

static DOCUMENTS: LazyLock<[Value; 3]> = LazyLock::new(|| Document::ALL.map(make));
static TEXTS: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| Document::ALL.map(|which| document(which).to_string().into_bytes()));

/// A document, made once.
pub fn document(which: Document) -> &'static Value {
    &DOCUMENTS[which as usize]
}

/// A document as it is served.
pub(crate) struct Served(Document);

impl Output for Served {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        Reply { status, ..Reply::of(TEXTS[self.0 as usize].clone(), Content::Json) }
    }

    fn describe(_: &mut Definitions) -> Answer {
        let (schema, example) = (json!({"type": "object"}), json!({"openapi": "3.1.0"}));
        Answer::Json { schema, example, is_tagged: false, found: None }
    }
}

pub(crate) async fn v2(_: Call) -> Result<Served, Error> {
    Ok(Served(Document::V2))
}

pub(crate) async fn v3(_: Call) -> Result<Served, Error> {
    Ok(Served(Document::V3))
}

pub(crate) async fn v1(_: Call) -> Result<Served, Error> {
    Ok(Served(Document::V1))
}

fn make(which: Document) -> Value {
    of_table(which, &routes())
}

/// As API 2.0, for tests of what no route of ours has.
#[cfg(test)]
pub(crate) fn describe(table: &[Route]) -> Value {
    of_table(Document::V2, table)
}

fn of_table(which: Document, routes: &[Route]) -> Value {
    let (title, way) = match which {
        Document::V2 => ("Keystead API 2.0", Way::of(Face::V2, Version::V2021)),
        Document::V3 => ("Keystead API 2.0, Version: v3", Way::of(Face::V2, Version::V3)),
        Document::V1 => ("Keystead API 1.0", Way::of(Face::V1, Version::V2021)),
    };
    let mut definitions = Definitions::of(way.clone());
    let mut paths = Map::new();
    let (mut statuses, mut nouns) = (BTreeSet::new(), Vec::new());
    let table: Vec<&Route> = routes.iter().filter(|route| route.face == way.face).collect();
    for route in table.iter().copied() {
        let mut operation = operation(route, which, &mut definitions, &mut statuses);
        link(&mut operation, route, &table);
        let noun = operation["tags"][0].clone();
        if !nouns.contains(&noun) {
            nouns.push(noun);
        }
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let responses: Map<String, Value> =
        statuses.into_iter().map(|status| (component(status), failure(status, &mut definitions))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This instance"}],
        "tags": nouns.iter().map(|noun| json!({"name": noun})).collect::<Vec<_>>(),
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key: the whole `ks_…` text"},
            },
            "parameters": common_parameters(which),
            "headers": headers(),
            "responses": responses,
            "schemas": definitions.schemas,
        },
    })
}

const ABOUT: &str = "Each path is served with and without a slash at its end, and HEAD like GET. Optional fields may be null, \
                     which means that they are absent.";

fn operation(route: &Route, which: Document, definitions: &mut Definitions, statuses: &mut BTreeSet<u16>) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [noun(route)],
        "parameters": parameters(route, which),
    });
    if let Some(scope) = route.scope {
        operation["description"] = json!(match scope.whole() {
            None => format!("Needs the scope `{scope}`."),
            Some(whole) => format!(
                "Needs the scope `{whole}`, or `{scope}`, which is a part of it: then the answer says of the contact only what \
                 was sent."
            ),
        });
    }
    if matches!(route.access(), Access::Open | Access::Public) {
        operation["security"] = json!([]);
    }
    if let Some(body) = &route.shapes.body {
        let schema =
            |outline: &Outline| outline.clone().into_schema(true).as_object().map(|schema| lenient(schema, which));
        let kind = if route.takes_json() { "application/json" } else { "multipart/form-data" };
        let mut content = json!({kind: {"schema": schema(&body.outline), "example": body.example}});
        if let Some(form) = &body.as_form {
            content["multipart/form-data"] = json!({"schema": schema(form)});
        }
        operation["requestBody"] = json!({"required": !body.outline.is_optional(), "content": content});
    }
    let mut responses = Map::new();
    let (success, found) = success(route, definitions);
    if let Some(found) = found {
        let mut success = success.clone();
        success["description"] = json!("It was there already");
        responses.insert(found.to_string(), success);
    }
    responses.insert(route.status.to_string(), success);
    for status in refusals(route) {
        statuses.insert(status);
        responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{}", component(status))}));
    }
    operation["responses"] = Value::Object(responses);
    operation
}

/// Says where what was made leads to: to every operation on it.
fn link(operation: &mut Value, made_by: &Route, table: &[&Route]) {
    if made_by.method != Method::POST || !made_by.shapes.path.is_empty() && made_by.path.ends_with('}') {
        return;
    }
    let answer = &mut operation["responses"][made_by.status.to_string()];
    let example = &answer["content"]["application/json"]["example"];
    let in_envelope = example.as_object().and_then(|fields| fields.iter().find(|(_, value)| value["id"].is_string()));
    let pointer = match in_envelope {
        _ if example["id"].is_string() => "/id".to_owned(),
        Some((name, _)) => format!("/{name}/id"),
        None => return,
    };
    let mut links = Map::new();
    for route in table {
        let Some(rest) = route.path.strip_prefix(made_by.path).and_then(|rest| rest.strip_prefix("/{")) else {
            continue;
        };
        let Some((name, after)) = rest.split_once('}') else { continue };
        if after.contains('{') {
            continue;
        }
        let mut parameters = Map::from_iter([(name.to_owned(), json!(format!("$response.body#{pointer}")))]);
        for outer in made_by.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            parameters.insert(outer.to_owned(), json!(format!("$request.path.{outer}")));
        }
        let id = operation_id(route);
        links.insert(id.clone(), json!({"operationId": id, "parameters": parameters}));
    }
    if !links.is_empty() {
        answer["links"] = Value::Object(links);
    }
}

/// API 1.0 passes over what it does not know.
fn lenient(schema: &Map<String, Value>, which: Document) -> Map<String, Value> {
    let mut schema = schema.clone();
    if which == Document::V1 {
        schema.insert("additionalProperties".to_owned(), json!(true));
    }
    schema
}

/// `getContactsByContactId`: what stands in method and path.
fn operation_id(route: &Route) -> String {
    let capital = |word: &str| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_ascii_uppercase().to_string() + characters.as_str()).unwrap_or_default()
    };
    let mut id = route.method.as_str().to_ascii_lowercase();
    for segment in route.path.split('/').filter(|segment| !segment.is_empty() && *segment != "v1") {
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => id.push_str(&format!("By{}", capital(name))),
            // Both spellings of a path are served, and v3's has the plain name.
            None if segment == "removeAll" => id.push_str("RemoveAllOlder"),
            None => segment.split(['-', '.']).for_each(|word| id.push_str(&capital(word))),
        }
    }
    id
}

/// What a route is about: the last segment of its path that names things.
fn noun(route: &Route) -> &'static str {
    const NOUNS: &[&str] = &[
        "contacts",
        "notes",
        "tasks",
        "tags",
        "pipelines",
        "lost-reason",
        "opportunities",
        "locations",
        "customFields",
        "custom-fields",
        "timezones",
        "api-keys",
        "audit-logs",
        "notifications",
        "openapi",
    ];
    let segments: Vec<&str> = route.path.split('/').collect();
    // The tags of a contact are the contact's.
    let is_contacts = segments.contains(&"contacts") && segments.last() == Some(&"tags");
    let found = segments.iter().rev().find_map(|segment| NOUNS.iter().find(|noun| *noun == segment));
    if is_contacts { "contacts" } else { found.copied().unwrap_or("other") }
}

fn parameters(route: &Route, which: Document) -> Vec<Value> {
    let mut parameters = Vec::new();
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parts = route.shapes.path.iter();
    for name in names {
        let is_context = route.access() == Access::Location && name == "locationId";
        let schema = if is_context {
            word::id("The id of the location")
        } else {
            parts.next().map(|part| part.schema.clone()).unwrap_or_default()
        };
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    let mut known = Vec::new();
    for (name, schema, is_required) in route.shapes.query.outline.fields() {
        known.push(name);
        let mut parameter = json!({"name": name, "in": "query", "required": is_required, "schema": schema});
        if schema["deprecated"] == true {
            parameter["deprecated"] = json!(true);
        }
        parameters.push(parameter);
    }
    for (name, schema, is_required) in route.shapes.query.headers.fields() {
        parameters.push(json!({"name": name, "in": "header", "required": is_required, "schema": schema}));
    }
    if which != Document::V1 && route.access() != Access::Public {
        if route.access() == Access::Location && !route.path.contains("{locationId}") {
            known.push("locationId");
            parameters.push(reference("parameters", "locationId"));
        }
        for name in TOLERATED_IN_QUERIES.iter().filter(|name| !known.contains(*name)) {
            parameters.push(reference("parameters", if *name == "locationId" { "anyLocationId" } else { name }));
        }
        parameters.push(reference("parameters", "Version"));
    }
    if route.heeds_idempotency_key() && route.shapes.is_kept {
        parameters.push(reference("parameters", "Idempotency-Key"));
    }
    if route.takes_if_match() {
        parameters.push(reference("parameters", "If-Match"));
    }
    parameters
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// What many routes may be sent.
fn common_parameters(which: Document) -> Map<String, Value> {
    let query = |name: &str, description: &str| json!({"name": name, "in": "query", "description": description, "schema": {"type": "string"}});
    let mut parameters = Map::new();
    let key = json!({"type": "string", "minLength": 1, "maxLength": 255});
    parameters.insert(
        "Idempotency-Key".to_owned(),
        json!({
            "name": "Idempotency-Key", "in": "header", "schema": key,
            "description": "The same request with the same key has its effect once, and gets the same answer for 24 hours",
        }),
    );
    if which == Document::V1 {
        return parameters;
    }
    let description =
        "The ETag of what the caller has seen: if it was changed since, the answer is 412 and nothing is stored";
    parameters.insert(
        "If-Match".to_owned(),
        json!({"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": description}),
    );
    let location = "The location that the request is for; a key of one location need not name it";
    parameters.insert("locationId".to_owned(), query("locationId", location));
    for name in TOLERATED_IN_QUERIES {
        let mut parameter = query(name, "Accepted, as clients send it with every request; it changes nothing here");
        parameter["deprecated"] = json!(true);
        let component = if *name == "locationId" { "anyLocationId" } else { name };
        parameters.insert(component.to_owned(), parameter);
    }
    let (versions, required) = match which {
        Document::V3 => (json!({"type": "string", "const": "v3"}), true),
        _ => (json!({"type": "string", "enum": Version::OLDER}), false),
    };
    let description = "Chooses the shapes of answers; 2021-07-28 without it";
    parameters.insert(
        "Version".to_owned(),
        json!({"name": "Version", "in": "header", "required": required, "schema": versions, "description": description}),
    );
    parameters
}

/// What every answer to a key tells besides.
fn headers() -> Value {
    let header = |kind: &str, description: &str| json!({"schema": {"type": kind}, "description": description});
    json!({
        "X-Request-Id": header("string", "The request's id, as in the server's log"),
        "ETag": header("string", "What the thing is now; another after every change"),
        "X-RateLimit-Max": header("integer", "Requests in an interval"),
        "X-RateLimit-Remaining": header("integer", "What is left of them"),
        "X-RateLimit-Interval-Milliseconds": header("integer", "The interval"),
        "X-RateLimit-Limit-Daily": header("integer", "Requests in a day"),
        "X-RateLimit-Daily-Remaining": header("integer", "What is left of them"),
        "X-RateLimit-Daily-Reset": header("integer", "Milliseconds until the next day"),
        "Keystead-Key-Expires-At": header("string", "When the key, or the old secret that was sent, ends if nothing happens"),
        "Deprecation": header("string", "Since when there is a newer secret than the one that was sent (RFC 9745)"),
        "Sunset": header("string", "When the old secret that was sent ends (RFC 8594)"),
    })
}

/// The answer of a success, and its status where what it answers was there already.
fn success(route: &Route, definitions: &mut Definitions) -> (Value, Option<u16>) {
    let description = StatusCode::from_u16(route.status).ok().and_then(|status| status.canonical_reason());
    let names: &[&str] = match route.access() {
        Access::Open | Access::Public => &["X-Request-Id"],
        _ => &[
            "X-Request-Id",
            "X-RateLimit-Max",
            "X-RateLimit-Remaining",
            "Keystead-Key-Expires-At",
            "Deprecation",
            "Sunset",
        ],
    };
    let mut headers: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), reference("headers", name))).collect();
    let mut found = None;
    let content = match (route.shapes.answer)(definitions) {
        Answer::Json { schema, example, is_tagged, found: status } => {
            found = status;
            if is_tagged {
                headers.insert("ETag".to_owned(), reference("headers", "ETag"));
            }
            json!({"application/json": {"schema": schema, "example": example}})
        }
        Answer::Other(kind, schema) => json!({kind: {"schema": schema}}),
    };
    (json!({"description": description, "headers": headers, "content": content}), found)
}

/// With which statuses a route can refuse.
fn refusals(route: &Route) -> BTreeSet<u16> {
    // A query that is not UTF-8, or has what nobody knows.
    let mut statuses = BTreeSet::from([400, 422, 429, 500, 503, 507]);
    if route.access() == Access::Public {
        return BTreeSet::from([400, 422]);
    }
    // Whatever the method, a body is read.
    statuses.extend([408, 413]);
    if route.access() != Access::Open {
        statuses.extend([401, 403]);
    }
    if route.method != Method::GET {
        statuses.extend([409, 415]);
    }
    if route.takes_if_match() {
        statuses.insert(412);
    }
    for part in &route.shapes.path {
        let failure = Failure::from((part.missing)("x"));
        statuses.insert(match route.face {
            Face::V1 => v1::failure::render(&failure).status,
            Face::V2 => v2::failure::render(&failure).status,
        });
    }
    statuses
}

fn component(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Failure");
    reason.split(' ').collect()
}

/// An answer that refuses: which codes it has is told by the table of the codes.
fn failure(status: u16, definitions: &mut Definitions) -> Value {
    let codes: Vec<String> = ErrorCode::ALL
        .iter()
        .filter(|code| code.status() == status)
        .map(|code| format!("`{}`: {}", code.as_str(), code.title()))
        .collect();
    let schema = match definitions.way.face {
        Face::V2 => {
            if !definitions.schemas.contains_key(v2::failure::Refusal::NAME)
                && let Answer::Json { schema, .. } = <v2::failure::Refusal as Output>::describe(definitions)
            {
                definitions.schemas.insert(v2::failure::Refusal::NAME.to_owned(), schema);
            }
            reference("schemas", v2::failure::Refusal::NAME)
        }
        Face::V1 => v1::failure::schema(),
    };
    json!({
        "description": if codes.is_empty() { "Refused".to_owned() } else { codes.join("; ") },
        "content": {"application/json": {"schema": schema}},
    })
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
