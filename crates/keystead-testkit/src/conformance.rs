//! Holds every successful answer of the suite against the published contract (`contract/`).
//!
//! Published schemas are looser, or wrong, against what the service really sends; where correct answers fail one, the
//! place stands in [`EXEMPT`] with its reason.

use std::sync::LazyLock;

use serde_json::Value;

/// Operations and schemas of one API.
struct Published {
    operations: Vec<Value>,
    schemas: Value,
}

static V2: LazyLock<Published> = LazyLock::new(|| published(include_str!("../../../contract/2.0.json")));
static V3: LazyLock<Published> = LazyLock::new(|| published(include_str!("../../../contract/v3.json")));
static V1: LazyLock<Published> = LazyLock::new(|| published(include_str!("../../../contract/1.0.json")));

/// The service sends lists of chosen options, numbers and files, for which the published text is too narrow; of API 1.0 only texts
/// were recorded.
const VALUES: &str = "a value of a custom field is as the field's dataType has it";
const LIST_OF_SCOPES: &str =
    "a user has a list of scopes, which the schema calls one text with the names of all of them as its enum";

const NESTED: &str = "published as lists of lists, where the service sends lists of things";

/// Operation, place in the answer (`*` for any place in a list), reason. What is beside or in the place is not exempt.
const EXEMPT: &[(&str, &str, &str)] = &[
    ("GET /contacts/{contactId}", ".contact.customFields.*.value", VALUES),
    ("PUT /contacts/{contactId}", ".contact.customFields.*.value", VALUES),
    ("POST /contacts", ".contact.customFields.*.value", VALUES),
    ("POST /contacts/upsert", ".contact.customFields.*.value", VALUES),
    ("GET /contacts", ".contacts.*.customFields.*.value", VALUES),
    ("GET /v1/contacts", ".contacts.*.customField.*.value", VALUES),
    ("POST /v1/contacts", ".contact.customField.*.value", VALUES),
    ("GET /v1/contacts/lookup", ".contacts.*.customField.*.value", VALUES),
    ("GET /v1/contacts/{id}", ".contact.customField.*.value", VALUES),
    ("PUT /v1/contacts/{id}", ".contact.customField.*.value", VALUES),
    (
        "POST /locations/{locationId}/tasks/search",
        ".tasks.*",
        "published as lists in a list; the service sends a list of tasks",
    ),
    (
        "POST /contacts/bulk/tags/update/{type}",
        ".responses.*",
        "typed as texts, where the service sends what became of each contact",
    ),
    ("POST /locations/{locationId}/customFields/upload", ".meta.*", "its example shows objects, as they are answered"),
    ("GET /users/search", ".users.*.scopes", LIST_OF_SCOPES),
    ("POST /users/search/filter-by-email", ".users.*.scopes", LIST_OF_SCOPES),
    ("GET /users", ".users.*.scopes", LIST_OF_SCOPES),
    ("POST /users", ".scopes", LIST_OF_SCOPES),
    ("GET /users/{userId}", ".scopes", LIST_OF_SCOPES),
    ("PUT /users/{userId}", ".scopes", LIST_OF_SCOPES),
    ("GET /opportunities/pipelines", ".pipelines.*.stages.*", NESTED),
    ("GET /opportunities/search", ".opportunities.*.notes.*", NESTED),
    ("GET /opportunities/search", ".opportunities.*.tasks.*", NESTED),
    ("GET /opportunities/search", ".opportunities.*.followers.*", NESTED),
    ("POST /opportunities/search", ".opportunities.*.notes.*", NESTED),
    ("POST /opportunities/search", ".opportunities.*.tasks.*", NESTED),
    ("POST /opportunities/search", ".opportunities.*.followers.*", NESTED),
    ("GET /opportunities/{id}", ".opportunity.followers.*", NESTED),
    ("PUT /opportunities/{id}", ".opportunity.followers.*", NESTED),
    ("POST /opportunities", ".opportunity.followers.*", NESTED),
    ("GET /opportunities/search", ".opportunities.*.customFields.*.fieldValue", VALUES),
    ("POST /opportunities/search", ".opportunities.*.customFields.*.fieldValue", VALUES),
    ("GET /opportunities/{id}", ".opportunity.customFields.*.fieldValue", VALUES),
    ("PUT /opportunities/{id}", ".opportunity.customFields.*.fieldValue", VALUES),
    ("POST /opportunities", ".opportunity.customFields.*.fieldValue", VALUES),
    ("POST /opportunities/upsert", ".opportunity.customFields.*.fieldValue", VALUES),
];

/// An operation of the published contract, and how its answers are held against it.
pub struct PublishedOperation {
    /// Its method.
    pub method: &'static str,
    /// Its path, without a slash at the end.
    pub path: String,
    /// Whether the contract says what a success has in it.
    pub is_described: bool,
    /// Places of [`EXEMPT`], and why.
    pub deviations: Vec<(&'static str, &'static str)>,
}

/// What the contract has of an API: `2.0`, `v3` or `1.0`.
pub fn published_operations(api: &str) -> Vec<PublishedOperation> {
    let published = match api {
        "2.0" => &*V2,
        "v3" => &*V3,
        _ => &*V1,
    };
    let operation = |operation: &'static Value| {
        let path = operation["path"].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
        let method = operation["method"].as_str().unwrap_or_default();
        let is_said = |answer: &Value| answer.as_object().map_or(answer.is_array(), |schema| !schema.is_empty());
        let answers = operation["responses"].as_object().into_iter().flatten();
        let is_described = answers.into_iter().any(|(status, answer)| status.starts_with('2') && is_said(answer));
        let name = format!("{method} {path}");
        let exempt = EXEMPT.iter().filter(|(operation, ..)| *operation == name);
        let deviations = exempt.map(|(_, place, reason)| (*place, *reason)).collect();
        PublishedOperation { method, path, is_described, deviations }
    };
    published.operations.iter().map(operation).collect()
}

fn published(text: &str) -> Published {
    let mut document: Value = serde_json::from_str(text).expect("the distilled contract is JSON");
    let operations = document["operations"].as_array().cloned().unwrap_or_default();
    Published { operations, schemas: document["schemas"].take() }
}

/// What an answer of API 2.0 or 1.0 lacks or has of the wrong type; nothing for what the contract does not know.
pub(crate) fn deviations(method: &str, path: &str, version: Option<&str>, status: u16, body: &str) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    let is_v1 = path.starts_with("/v1/");
    let api = match (is_v1, version) {
        (true, _) => &*V1,
        (false, Some("v3")) => &*V3,
        (false, _) => &*V2,
    };
    let Some(operation) = find(api, method, path) else { return Vec::new() };
    let name = format!("{method} {}", operation["path"].as_str().unwrap_or_default().trim_end_matches('/'));
    let Some(expected) = operation["responses"].get(status.to_string()) else {
        let statuses: Vec<&String> =
            operation["responses"].as_object().map(|all| all.keys().collect()).unwrap_or_default();
        return if statuses.is_empty() || is_v1 {
            // Not every answer of API 1.0 was recorded with a body.
            Vec::new()
        } else {
            vec![format!("{name} answered {status}, published are {statuses:?}")]
        };
    };
    let Ok(value) = serde_json::from_str::<Value>(body) else {
        return if is_v1 { Vec::new() } else { vec![format!("{name} answered no JSON")] };
    };
    let mut found = Vec::new();
    if is_v1 {
        let shapes = expected.as_array().cloned().unwrap_or_default();
        // Any of the recorded answers will do: they were recorded with different data.
        let all: Vec<Vec<String>> = shapes
            .iter()
            .map(|shape| {
                let mut problems = Vec::new();
                against_shape(shape, &value, "", &mut problems);
                problems
            })
            .collect();
        found = all.into_iter().min_by_key(Vec::len).unwrap_or_default();
    } else {
        against_schema(api, expected, &value, "", &mut found);
    }
    found.retain(|problem| !EXEMPT.iter().any(|(operation, place, _)| *operation == name && is_at(problem, place)));
    found.iter().map(|problem| format!("{name}: {problem}")).collect()
}

/// Whether a problem is at a place: neither beside it nor in it.
fn is_at(problem: &str, place: &str) -> bool {
    let found = problem.split(' ').next().unwrap_or_default();
    let (found, wanted): (Vec<&str>, Vec<&str>) = (found.split('.').collect(), place.split('.').collect());
    let is_number = |segment: &str| segment.parse::<usize>().is_ok();
    found.len() == wanted.len()
        && found.iter().zip(&wanted).all(|(found, wanted)| found == wanted || *wanted == "*" && is_number(found))
}

/// The operation whose path has the same segments, parameters standing for anything; literal ones win.
fn find<'p>(api: &'p Published, method: &str, path: &str) -> Option<&'p Value> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let fits = |operation: &&Value| {
        let template = operation["path"].as_str().unwrap_or_default();
        let wanted: Vec<&str> = template.trim_matches('/').split('/').collect();
        operation["method"] == method
            && wanted.len() == segments.len()
            // What is done in bulk is ours, but where the contract names it.
            && wanted.iter().zip(&segments).all(|(wanted, segment)| {
                (wanted.starts_with('{') && *segment != "bulk") || wanted == segment
            })
    };
    let parameters = |operation: &&Value| operation["path"].as_str().unwrap_or_default().matches('{').count();
    api.operations.iter().filter(fits).min_by_key(parameters)
}

fn against_schema(api: &Published, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        return against_schema(api, &api.schemas[name], value, place, found);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        against_schema(api, part, value, place, found);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let fits = choices.iter().any(|schema| {
                let mut problems = Vec::new();
                against_schema(api, schema, value, place, &mut problems);
                problems.is_empty()
            });
            if !fits {
                found.push(format!("{place} fits none of its published forms"));
            }
        }
    }
    let fits = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("number" | "integer") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !fits {
        found.push(format!("{place} should be {}, is {value}", schema["type"]));
        return;
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        found.push(format!("{place} should be one of {values:?}, is {value}"));
    }
    // Null counts as absent.
    let member = |name: &str| value.get(name).filter(|value| !value.is_null());
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if member(name).is_none() {
            found.push(format!("{place}.{name} is missing"));
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = member(name) {
            against_schema(api, schema, value, &format!("{place}.{name}"), found);
        }
    }
    if let (Some(list), false) = (value.as_array(), schema["items"].is_null()) {
        for (index, value) in list.iter().enumerate() {
            against_schema(api, &schema["items"], value, &format!("{place}.{index}"), found);
        }
    }
}

/// A recorded answer: the members that both have must be of the same type.
fn against_shape(shape: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    match (shape, value) {
        (Value::String(kind), value) => {
            let fits = match kind.as_str() {
                "string" => value.is_string(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                _ => true,
            };
            if !fits && !value.is_null() {
                found.push(format!("{place} was recorded as {kind}, is {value}"));
            }
        }
        (Value::Array(shapes), Value::Array(values)) => {
            if let Some(shape) = shapes.first() {
                for (index, value) in values.iter().enumerate() {
                    against_shape(shape, value, &format!("{place}.{index}"), found);
                }
            }
        }
        (Value::Object(shapes), Value::Object(values)) => {
            for (name, shape) in shapes {
                if let Some(value) = values.get(name) {
                    against_shape(shape, value, &format!("{place}.{name}"), found);
                }
            }
            if !shapes.is_empty() && !values.is_empty() && !shapes.keys().any(|name| values.contains_key(name)) {
                found.push(format!("{place} has none of the recorded members"));
            }
        }
        (_, Value::Null) => {}
        (shape, value) => found.push(format!("{place} was recorded as {shape}, is {value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::deviations;

    #[test]
    fn every_exemption_is_of_an_operation() {
        let apis = ["2.0", "v3", "1.0"].into_iter().flat_map(super::published_operations);
        let known: Vec<String> = apis.map(|operation| format!("{} {}", operation.method, operation.path)).collect();
        for (name, place, _) in super::EXEMPT {
            assert!(known.iter().any(|known| known == name), "{name} {place}");
        }
    }

    #[test]
    fn an_exemption_is_of_its_place_alone() {
        let check = |user: &str| deviations("GET", "/users/x", None, 200, user);
        assert_eq!(check(r#"{"scopes":["a"]}"#), Vec::<String>::new());
        assert!(!super::is_at(".scopesAssignedToOnly should be x", ".scopes"), "what begins like it");
        assert!(super::is_at(".a.12.b should be x", ".a.*.b"));
        for other in [".a.x.b should be x", ".a.1.bc is missing", ".a.1 is missing", ".a.1.b.c is missing"] {
            assert!(!super::is_at(other, ".a.*.b"), "{other}");
        }
    }

    #[test]
    fn wrong_answers_are_found() {
        let check = |body: &str| deviations("GET", "/contacts/x/", None, 200, body);
        assert_eq!(check(r#"{"contact":{"id":"x","tags":["a"],"dnd":true}}"#), Vec::<String>::new());
        assert!(!check(r#"{"contact":{"id":5}}"#).is_empty());
        assert!(!check(r#"{"contact":{"tags":"a"}}"#).is_empty());
        assert!(!check(r#"{"contact":[]}"#).is_empty());
        assert!(!deviations("POST", "/contacts/", None, 200, "{}").is_empty(), "201 is published");
        assert!(!deviations("GET", "/v1/contacts/x", None, 200, r#"{"kontakt":{}}"#).is_empty());
        assert!(!deviations("GET", "/v1/contacts/x", None, 200, r#"{"contact":{"id":7}}"#).is_empty());
        assert!(deviations("GET", "/api-keys/self", None, 200, "{}").is_empty(), "ours");
    }
}
