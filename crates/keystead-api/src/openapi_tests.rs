//! What the documents must have. That they are OpenAPI is asked of a public validator.

use super::*;

fn documents() -> [&'static Value; 3] {
    Document::ALL.map(document)
}

#[test]
fn every_route_of_the_table_is_in_its_documents() {
    for (which, found) in Document::ALL.into_iter().zip(documents()) {
        let face = if which == Document::V1 { Face::V1 } else { Face::V2 };
        for route in routes() {
            let operation = &found["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
            assert_eq!(operation.is_object(), route.face == face, "{} in {which:?}", route.endpoint);
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_a_parameter_for_each_place_in_their_path() {
    for found in documents() {
        let mut names = BTreeSet::new();
        for (path, operations) in found["paths"].as_object().unwrap() {
            for operation in operations.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} stands twice");
                let parameters = operation["parameters"].as_array().unwrap();
                let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
                let schemas: Vec<&Value> = in_path.map(|parameter| &parameter["schema"]).collect();
                assert_eq!(schemas.len(), path.matches('{').count(), "{path}");
                assert!(
                    schemas.iter().all(|schema| schema.is_object()),
                    "{path} has a place that its handler does not take"
                );
            }
        }
    }
}

#[test]
fn every_place_in_a_path_is_taken() {
    for route in routes() {
        let places = route.path.split('/').filter(|part| part.starts_with('{'));
        let in_context = |place: &&str| route.access() == Access::Location && *place == "{locationId}";
        let taken = places.filter(|place| !in_context(place)).count();
        assert_eq!(taken, route.shapes.path.len(), "{}", route.endpoint);
    }
}

#[test]
fn nothing_refers_to_what_is_not_there() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some_and(Value::is_object), "{reference}");
                }
                fields.values().for_each(|value| walk(document, value));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(document, value)),
            _ => {}
        }
    }
    for found in documents() {
        walk(found, found);
    }
}

/// The reference names each operation by its summary, also for those who hear it.
#[test]
fn no_two_operations_of_an_api_are_called_the_same() {
    let mut known = BTreeSet::new();
    for route in routes() {
        assert!(known.insert((route.face == Face::V1, route.summary)), "{}: {}", route.endpoint, route.summary);
    }
}
