//! Reading fields, and describing what is read.

use keystead_model::{
    NoticeId,
    page::{Start, Window},
};
use serde_json::json;

use super::*;

fn ground() -> &'static Ground {
    Box::leak(Box::new(Ground::of_agency(None)))
}

fn reader(value: &Value) -> Reader<'static> {
    Reader::body(value.as_object().unwrap().clone(), ground())
}

fn update(value: &Value) -> Reader<'static> {
    Reader::update(value.as_object().unwrap().clone(), ground())
}

fn text(reader: &mut Reader<'_>, name: &'static str) -> Option<String> {
    reader.word(name)
}

fn problems(violations: Vec<Violation>) -> Vec<String> {
    violations.into_iter().map(|violation| format!("{} {}", violation.field, violation.problem)).collect()
}

#[test]
fn every_violation_is_reported_at_once() {
    let mut reader = reader(&json!({"a": 1, "b": "x", "n": 5.5, "o": {"inner": 1, "more": 2}, "extra": 1}));
    assert_eq!(text(&mut reader, "a"), None);
    assert_eq!(reader.truth("b"), None);
    assert_eq!(reader.integer("n", 0..=9), None);
    reader.object("o", |inner| text(inner, "inner"));
    assert_eq!(reader.required("gone", |reader| text(reader, "gone")), None);
    assert_eq!(
        problems(reader.finish()),
        [
            "a must be a string",
            "b must be a boolean value",
            "n must be an integer number",
            "o.inner must be a string",
            "property o.more should not exist",
            "gone should not be empty",
            "property extra should not exist",
        ]
    );
}

#[test]
fn of_many_violations_only_the_first_are_listed() {
    let extra: Map<String, Value> = (0..1000).map(|number| (format!("x{number}"), json!(1))).collect();
    let inner = json!({"o": extra, "n": 1});
    let mut reader = reader(&inner);
    reader.object("o", |_| ());
    assert_eq!(reader.required("gone", |reader| text(reader, "gone")), None);
    let problems = problems(reader.finish());
    assert_eq!(problems.len(), 51);
    assert_eq!(problems[0], "property o.x0 should not exist");
    assert_eq!(problems[50], "952 more violations are not listed");
}

#[test]
fn nul_is_in_no_text() {
    let mut reader = reader(&json!({"a": "x\u{0}", "b": ["\u{0}"], "c": [{"id": "\u{0}"}], "d": {"\u{0}": 1}}));
    text(&mut reader, "a");
    reader.words::<String>("b", 9);
    reader.each("c", 9, |_, _| ());
    reader.object("d", |_| ());
    let all = ["a", "b", "c", "d"].map(|name| format!("{name} must not contain NUL characters"));
    assert_eq!(problems(reader.finish()), all);
}

#[test]
fn empty_and_null_are_absent_and_whole_numbers_have_many_spellings() {
    let mut reader = reader(&json!({"phone": "", "due": null, "a": 20.0, "b": 2e1, "city": " "}));
    assert_eq!(text(&mut reader, "phone"), None);
    assert_eq!(reader.instant("due"), None);
    assert_eq!(reader.integer("a", 1..=100), Some(20));
    assert_eq!(reader.integer("b", 1..=100), Some(20));
    assert_eq!(reader.clearable::<String>("city"), Some(None));
    assert!(reader.finish().is_empty());

    let mut query =
        Reader::query(json!({"limit": "20.0", "flag": "true", "order": "asc"}).as_object().unwrap().clone(), ground());
    assert_eq!(query.integer("limit", 1..=100), Some(20));
    assert_eq!(query.truth("flag"), Some(true));
    assert!(query.finish().is_empty(), "order is tolerated");
}

#[test]
fn what_is_to_be_emptied_is_named() {
    let body = json!({"clear": ["phone", "city", "id"], "email": null, "city": "", "state": ""});
    let mut reader = update(&body);
    assert_eq!(reader.removable("phone", |reader| text(reader, "phone")), Some(None));
    assert_eq!(reader.removable("email", |reader| text(reader, "email")), None);
    assert_eq!(reader.clearable::<String>("city"), Some(None));
    assert_eq!(reader.clearable::<String>("state"), Some(None));
    assert_eq!(
        problems(reader.finish()),
        ["clear has id, which cannot be cleared; it may name phone, email, city, state"]
    );
    let mut reader = update(&json!({"clear": "phone"}));
    reader.removable("phone", |reader| text(reader, "phone"));
    assert_eq!(problems(reader.finish()), ["clear must be a list, such as [\"phone\"]"]);
    let body = json!({"clear": ["phone"], "phone": "1"});
    let mut reader = update(&body);
    reader.removable("phone", |reader| text(reader, "phone"));
    assert_eq!(problems(reader.finish()), ["phone must not have a value and stand in clear"]);
    let mut reader = self::reader(&json!({"clear": ["phone"]}));
    reader.removable("phone", |reader| text(reader, "phone"));
    assert_eq!(problems(reader.finish()), ["property clear should not exist"]);
}

#[test]
fn a_list_follows_what_leads_further_or_refuses_it() {
    let query = |value: Value| Reader::query(value.as_object().unwrap().clone(), ground());
    let slice = |value: Value| match query(value).slice().window::<()>() {
        Window { start: Start::Skip(rows), limit } => {
            (0..10).skip(rows.try_into().unwrap()).take(limit.try_into().unwrap()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(slice(json!({})), (0..10).collect::<Vec<_>>());
    assert_eq!(slice(json!({"limit": "3", "skip": "4"})), [4, 5, 6]);
    assert_eq!(slice(json!({"limit": "4", "page": "3"})), [8, 9]);
    assert_eq!(slice(json!({"skip": "8"})), [8, 9]);
    assert!(problems(query(json!({"skip": "8"})).finish())[0].contains("skip"));
    let mut refusing = query(json!({"page": "2"}));
    refusing.window(|id: NoticeId| id);
    assert!(problems(refusing.finish())[0].contains("cursor"));
}

#[test]
fn a_description_has_every_field_that_is_read() {
    let read = |reader: &mut Reader<'_>| {
        let title: Option<String> = reader.required("title", |reader| reader.word("title"));
        let older = reader.object("older", |inner| inner.truth("a"));
        // With everything there nobody asks for the newer one.
        older.or_else(|| reader.object("newer", |inner| inner.required("b", |inner| inner.truth("b"))));
        reader.clearable::<String>("city");
        title
    };
    let describe = |is_everything| {
        let mut reader = Reader::describing(ground(), is_everything, Source::Json, true);
        assert!(read(&mut reader).is_some(), "what must be there is there");
        reader.into_outline()
    };
    let outline = describe(true).join(describe(false));
    assert_eq!(json!(outline.example()), json!({"title": "text", "older": {"a": true}, "city": "text"}));
    let schema = outline.into_schema(true);
    let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["title", "older", "city", "clear", "newer"]);
    assert_eq!(schema["required"], json!(["title"]));
    assert_eq!(schema["properties"]["newer"]["required"], json!(["b"]));
    assert_eq!(schema["properties"]["clear"]["items"]["enum"], json!(["city"]));
    assert_eq!(schema["properties"]["city"]["type"], json!(["string", "null"]));
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_list_of_nothing_but_empty_texts_is_not_an_empty_list() {
    struct Any;
    impl Word for Any {
        const EXAMPLE: &'static str = "a";
        fn schema() -> Value {
            json!({"type": "string"})
        }
        fn parse(_: &str, _: &Ground) -> Result<Self, Invalid> {
            Ok(Self)
        }
    }
    let read = |value: Value| {
        let mut reader = self::reader(&json!({"list": value}));
        let list = reader.words::<Any>("list", 5).map(|list| list.len());
        (list, problems(reader.finish()).len())
    };
    assert_eq!(read(json!([])), (Some(0), 0));
    assert_eq!(read(json!(["a", ""])), (Some(1), 0));
    assert_eq!(read(json!([""])), (None, 1));
    assert_eq!(read(json!([" ", ""])), (None, 1));
    assert_eq!(read(json!("")), (None, 0), "which says nothing");
}
