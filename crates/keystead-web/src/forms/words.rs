//! What is wrong with a form, in the words of the pages on which it is built.

use keystead_core::{Error, Violation};
use serde_json::{Map, Value as Json};

use super::{builder::words_of, field::OPS, settings};

/// The same refusal: instead of places in a definition it names questions and settings, as whoever built them calls them.
pub(super) fn in_words(error: Error, definition: &Map<String, Json>) -> Error {
    let said = |violation: Violation| Violation {
        field: place(&violation.field, definition),
        problem: said(&violation.problem),
    };
    match error {
        Error::Invalid(violations) => Error::Invalid(violations.into_iter().map(said).collect()),
        other => other,
    }
}

fn place(field: &str, definition: &Map<String, Json>) -> String {
    let Some(path) = field.strip_prefix("definition.") else { return field.to_owned() };
    let parts: Vec<&str> = path.split('.').collect();
    let question = |page: &str, index: &str| {
        let field = &definition.get("pages")?[page.parse::<usize>().ok()?]["fields"][index.parse::<usize>().ok()?];
        [&field["label"], &field["key"]].into_iter().find_map(Json::as_str).map(|label| format!("“{label}”"))
    };
    let named = match parts[..] {
        ["pages", page, "fields", index, ..] => question(page, index),
        ["pages", page, ..] => page.parse::<usize>().ok().map(|number| format!("Page {}", number + 1)),
        ["pages"] => Some("The form".to_owned()),
        _ => settings::label_of(path).map(|label| format!("“{label}”")),
    };
    named.unwrap_or_else(|| path.to_owned())
}

fn said(problem: &str) -> String {
    let types = |names: &str| names.split(", ").map(words_of).collect::<Vec<_>>().join(", ");
    if let Some((before, rest)) = problem.split_once("a field of type ")
        && let Some((kind, suiting)) = rest.split_once("; these suit: ")
    {
        return format!("{before}answers of the type “{}”; these suit: {}", words_of(kind), types(suiting));
    }
    if problem.contains("names nothing") {
        return "is shown by an answer that is not asked for before it".to_owned();
    }
    if let Some(names) = problem.strip_prefix("op must be one of ") {
        let words = |name: &str| OPS.iter().find(|(known, _)| *known == name).map(|(_, words)| *words);
        let known: Vec<&str> = names.split(", ").filter_map(words).collect();
        return format!("must ask something else of that answer, which knows: {}", known.join(", "));
    }
    problem.replace("must not be below min", "must not be less than “Not below”")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_and_settings_are_named_as_people_know_them() {
        let definition =
            json!({"pages": [{"fields": [{"key": "a", "label": "How old?"}]}, {"fields": [{"key": "why"}]}]});
        let definition = definition.as_object().unwrap();
        for (field, problem, words) in [
            ("definition.pages", "should ask for something", "The form should ask for something"),
            (
                "definition.pages.0.fields.0.max",
                "must not be below min",
                "“How old?” must not be less than “Not below”",
            ),
            (
                "definition.pages.1.fields.0.visibleIf",
                "field names nothing that is known here: a; a field can depend on earlier ones only",
                "“why” is shown by an answer that is not asked for before it",
            ),
            ("definition.pages.1.title", "must be shorter", "Page 2 must be shorter"),
            (
                "definition.after.message",
                "names no field of this form: x",
                "“What is said afterwards” names no field of this form: x",
            ),
            (
                "mapsTo",
                "cannot be filled by a field of type multi; these suit: text, number",
                "mapsTo cannot be filled by answers of the type “Several of a few”; these suit: Text, Number",
            ),
            (
                "visibleIf",
                "op must be one of eq, not_eq, exists, in",
                "visibleIf must ask something else of that answer, which knows: is, is not, is answered",
            ),
        ] {
            let Error::Invalid(said) = in_words(Error::invalid(field, problem), definition) else { panic!("{field}") };
            assert_eq!(format!("{} {}", said[0].field, said[0].problem), words);
        }
    }
}
