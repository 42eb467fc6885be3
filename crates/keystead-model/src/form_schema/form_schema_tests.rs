use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::*;
use crate::text::Country;

fn read(json: &Json) -> Result<FormSchema, Vec<Wrong>> {
    FormSchema::read(&FormDefinition::new(json.as_object().unwrap().clone()).unwrap())
}

fn wrong(json: &Json) -> Vec<String> {
    let said = read(json).expect_err(&json.to_string());
    said.into_iter().map(|(place, problem)| format!("{place} {problem}")).collect()
}

fn of_fields(fields: Json) -> FormSchema {
    read(&json!({"pages": [{"fields": fields}]})).unwrap()
}

fn judged(schema: &FormSchema, answers: &Json) -> Result<Json, Vec<String>> {
    let (kept, wrong) = schema.judge(answers.as_object().unwrap(), Country::US);
    let said: Vec<String> = wrong.into_iter().map(|(key, problem)| format!("{key} {problem}")).collect();
    if said.is_empty() { Ok(Json::Object(kept)) } else { Err(said) }
}

#[test]
fn a_whole_definition_is_read() {
    let schema = read(&json!({"slug": "contact-us", "title": "Write to us", "submit": "Send", "pages": [
        {"title": "You", "fields": [
            {"key": "email", "type": "email", "label": "E-mail", "required": true, "width": 50, "mapsTo": "contact.email"},
            {"key": "budget", "type": "number", "label": "Budget", "min": 0},
        ]},
        {"fields": [
            {"key": "why", "type": "textarea", "label": "Why?", "visibleIf": {"field": "budget", "op": "gt", "value": 1000}},
            {"key": "utm_source", "type": "hidden", "from": "query:utm_source"},
            {"key": "consent", "type": "consent", "textVersion": 2, "required": true, "label": "You may write to me."},
        ]}],
        "contact": {"matchBy": ["phone", "email"], "onMatch": "update", "tags": ["web-lead"]},
        "after": {"message": "Thank you, {{ answer.email }}", "redirect": "https://example.com/thanks?m={{answer.email}}"},
        "spam": {"honeypot": false, "minSeconds": 3, "rate": "20/min/ip", "onSuspect": "quarantine"},
        "embed": {"allowedOrigins": ["https://example.com", "http://localhost:3000"]}, "style": {"accent": "plum"}}))
    .unwrap();
    assert_eq!(schema.slug.as_ref().unwrap().as_str(), "contact-us");
    assert_eq!(
        schema.fields().map(|field| field.kind.as_str()).collect::<Vec<_>>(),
        ["email", "number", "textarea", "hidden", "consent"]
    );
    assert_eq!(schema.contact.match_by, [IdentityKind::Phone, IdentityKind::Email]);
    assert_eq!((schema.contact.on_match, schema.accent), (OnMatch::Update, Accent::Plum));
    assert_eq!(schema.spam, SpamRule { has_honeypot: false, min_seconds: 3, per_source: 20, per_form: 600 });
    let answers = BTreeMap::from([("email".to_owned(), "a b&c=\"<@x".to_owned())]);
    assert_eq!(schema.after.message.unwrap().text(&answers), "Thank you, a b&c=\"<@x");
    let redirect = schema.after.redirect.unwrap();
    assert_eq!(redirect.url(&answers), "https://example.com/thanks?m=a%20b%26c%3D%22%3C%40x");
    assert_eq!(redirect.url(&BTreeMap::new()), "https://example.com/thanks?m=");
    let up = Thanks::address("https://example.com/a/{{answer.email}}/b", |_| true).unwrap();
    let answers = BTreeMap::from([("email".to_owned(), "..".to_owned())]);
    assert_eq!(up.url(&answers), "https://example.com/a//b", "no answer leads up");
    assert_eq!(FormSchema::empty().contact.on_match, OnMatch::FillEmpty);
}

#[test]
fn everything_that_is_wrong_is_said_with_its_place() {
    let field = |more: Json| {
        let mut field = json!({"key": "a"});
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"pages": [{"fields": [field]}]})
    };
    let several = json!({"slug": "No", "nonsense": 1, "pages": [
        {"fields": [{"key": "b", "visibleIf": {"field": "later", "op": "exists"}}, {"type": "emoji"}, 5]},
        "x",
        {"fields": [{"key": "later"}, {"key": "later"}, {"key": "__proto__"}, {"key": "eventData"}]},
    ], "after": {"message": "Hello {{contact.first_name}}", "redirect": "javascript:alert(1)"}, "contact": {"matchBy": ["name"]}});
    let said = wrong(&several);
    for place in [
        "nonsense should not exist",
        "slug must be 1 to 64 small letters",
        "pages.0.fields.0.visibleIf field names nothing that is known here: later; a field can depend on earlier ones only",
        "pages.0.fields.1.type must be one of text, textarea",
        "pages.0.fields.1.key must be a string",
        "pages.0.fields.2 must be an object",
        "pages.1 must be an object",
        "pages.2.fields.1.key is that of another field: later",
        "pages.2.fields.2.key must be 1 to 64 letters",
        "pages.2.fields.3.key must be another one",
        "contact.matchBy.0 must be email or phone",
        "after.message may say {{answer.<key>}} only, and not contact.first_name",
        "after.redirect must be an address",
    ] {
        assert!(said.iter().any(|said| said.starts_with(place)), "{place}: {said:#?}");
    }
    assert_eq!(said.len(), 13, "{said:#?}");
    for (definition, problem) in [
        (field(json!({"type": "select"})), "pages.0.fields.0.options must have at least one element"),
        (field(json!({"type": "radio", "options": ["a", "a"]})), "pages.0.fields.0.options.1 stands there twice"),
        (field(json!({"type": "email", "options": ["a"]})), "pages.0.fields.0.options should not exist"),
        (field(json!({"type": "number", "min": 2, "max": 1})), "pages.0.fields.0.max must not be below min"),
        (field(json!({"type": "number", "min": "x"})), "pages.0.fields.0.min must be a number"),
        (field(json!({"type": "hidden"})), "pages.0.fields.0.from must say where it comes from"),
        (field(json!({"type": "hidden", "from": "utm"})), "pages.0.fields.0.from must be such as query:utm_source"),
        (field(json!({"type": "heading", "required": true})), "pages.0.fields.0.required should not exist"),
        (
            field(json!({"type": "file", "mapsTo": "contact.city"})),
            "pages.0.fields.0.mapsTo should not exist where files",
        ),
        (field(json!({"type": "file", "accept": ["p f"]})), "pages.0.fields.0.accept.0 must be endings of file names"),
        (field(json!({"type": "file", "accept": ["pdf", "*.PDF"]})), "pages.0.fields.0.accept.1 stands there twice"),
        (field(json!({"type": "text", "accept": ["pdf"]})), "pages.0.fields.0.accept should not exist"),
        (field(json!({"width": 70})), "pages.0.fields.0.width must be 50 or 100"),
        (field(json!({"width": 33})), "pages.0.fields.0.width must be 50 or 100"),
        (field(json!({"visibleIf": {"field": "a", "op": "exists"}})), "pages.0.fields.0.visibleIf field names nothing"),
        (json!({"after": {"message": "{{answer.x}}"}}), "after.message names no field of this form: x"),
        (json!({"after": {"message": "{{answer"}}), "after.message has a {{ without its }}"),
        (json!({"after": {"redirect": "https://example.com/{{custom_values.x}}"}}), "after.redirect may say"),
        (json!({"after": {"redirect": "{{custom_values.x}}"}}), "after.redirect may say"),
        (json!({"after": {"redirect": "https://good@evil.example"}}), "after.redirect must not have a user name"),
        (json!({"after": {"redirect": "//evil.example"}}), "after.redirect must be an address"),
        (json!({"spam": {"rate": "10/min"}}), "spam.rate must be such as 10/min/ip"),
        (json!({"spam": {"rate": "0/min/ip"}}), "spam.rate must be such as 10/min/ip"),
        (json!({"spam": {"onSuspect": "refuse"}}), "spam.onSuspect must be one of quarantine"),
        (json!({"embed": {"allowedOrigins": ["*"]}}), "embed.allowedOrigins.0 must be the beginning of an address"),
        (json!({"embed": {"allowedOrigins": ["https://a.example/x"]}}), "embed.allowedOrigins.0 must be"),
        (json!({"embed": {"allowedOrigins": ["https://*.example.com"]}}), "embed.allowedOrigins.0 must be"),
        (json!({"embed": {"allowedOrigins": ["https://u@a.example"]}}), "embed.allowedOrigins.0 must be"),
        (json!({"embed": {"allowedOrigins": ["null"]}}), "embed.allowedOrigins.0 must be"),
        (json!({"slug": "embed"}), "slug must be another one"),
        (json!({"style": {"accent": "red"}}), "style.accent must be one of plain"),
        (json!({"pages": [{"fields": []}, {"fields": [], "x": 1}]}), "pages.1.x should not exist"),
        (json!({"pages": vec![json!({"fields": []}); 21]}), "pages must not have more than 20 elements"),
    ] {
        let said = wrong(&definition);
        assert!(said.len() == 1 && said[0].starts_with(problem), "{definition}: {said:?}");
    }
}

#[test]
fn each_kind_takes_its_answers() {
    let choices = json!(["Gold", "Silver"]);
    for (field, good, kept, bad) in [
        (json!({"maxLength": 3}), json!(" ab\u{a0}"), json!("ab"), json!(["abcd", "a\nb", ["a", "b"], {}, true])),
        (json!({"type": "textarea"}), json!("a\r\nb\n"), json!("a\nb"), json!(["\u{0}", "x".repeat(5_001)])),
        (json!({"type": "email"}), json!("Ada@example.com"), json!("Ada@example.com"), json!(["ada@", "x"])),
        (json!({"type": "phone"}), json!("(415) 555-0123"), json!("(415) 555-0123"), json!(["12", "x"])),
        (
            json!({"type": "number", "min": 0, "max": "1.5"}),
            json!("1.50"),
            json!("1.50"),
            json!(["-0.1", "1.500000001", "1e0", "１", ".5", 2, true]),
        ),
        (json!({"type": "number"}), json!(-3.5), json!("-3.5"), json!(["1,5", "+1"])),
        (json!({"type": "money"}), json!("12.50"), json!("12.50"), json!(["12.505"])),
        (
            json!({"type": "date", "min": "2026-01-01"}),
            json!("2026-01-01"),
            json!("2026-01-01"),
            json!(["2025-12-31", "2026-02-30", "x"]),
        ),
        (json!({"type": "time"}), json!("23:59"), json!("23:59"), json!(["24:00", "1:00", "10:60", "10:00:00", "10"])),
        (json!({"type": "select", "options": choices}), json!("Gold"), json!("Gold"), json!(["gold", "x"])),
        (json!({"type": "radio", "options": choices}), json!(["Silver"]), json!("Silver"), json!([["Gold", "Silver"]])),
        (
            json!({"type": "multi", "options": choices}),
            json!(["Silver", "Gold", "Gold"]),
            json!(["Silver", "Gold"]),
            json!(["Bronze", ["Gold", "x"], 5]),
        ),
        (json!({"type": "checkbox"}), json!("on"), json!(true), json!(["yes", 1])),
        (json!({"type": "consent"}), json!(true), json!(true), json!(["yes"])),
        (
            json!({"type": "url"}),
            json!("https://example.com"),
            json!("https://example.com"),
            json!(["javascript:1", "x"]),
        ),
        (json!({"type": "rating", "max": 3}), json!("3"), json!("3"), json!(["0", "4", "1.5"])),
        (json!({"type": "hidden", "from": "query:u"}), json!("a\u{7}b"), json!("ab"), json!([])),
    ] {
        let mut whole = json!({"key": "a", "required": field["type"] != "hidden"});
        whole.as_object_mut().unwrap().extend(field.as_object().unwrap().clone());
        let schema = of_fields(json!([whole]));
        assert_eq!(judged(&schema, &json!({"a": good})), Ok(json!({"a": kept})), "{field}");
        for bad in bad.as_array().unwrap() {
            let said = judged(&schema, &json!({"a": bad})).expect_err(&format!("{field}: {bad}"));
            assert!(said[0].starts_with("a must"), "{said:?}");
        }
        if field["type"] != "hidden" {
            for nothing in [json!({}), json!({"a": null}), json!({"a": ""}), json!({"a": []})] {
                let is_list_of_truth = ["checkbox", "consent"].contains(&field["type"].as_str().unwrap_or_default());
                if is_list_of_truth && nothing["a"].is_array() {
                    continue;
                }
                assert_eq!(
                    judged(&schema, &nothing),
                    Err(vec!["a should not be empty".to_owned()]),
                    "{field} {nothing}"
                );
            }
        }
    }
    let constant = of_fields(json!([{"key": "a", "type": "hidden", "value": "ours"}]));
    assert_eq!(judged(&constant, &json!({"a": "theirs"})), Ok(json!({"a": "ours"})));
}

#[test]
fn what_is_hidden_is_neither_needed_nor_kept() {
    let schema = of_fields(json!([
        {"key": "budget", "type": "number"},
        {"key": "why", "required": true, "visibleIf": {"field": "budget", "op": "gt", "value": 1000}},
        {"key": "more", "visibleIf": {"field": "why", "op": "exists"}},
        {"key": "none", "visibleIf": {"field": "budget", "op": "not_exists"}},
    ]));
    assert_eq!(judged(&schema, &json!({"budget": "1000", "why": "x", "more": "y"})), Ok(json!({"budget": "1000"})));
    assert_eq!(judged(&schema, &json!({"budget": "1000.01"})), Err(vec!["why should not be empty".to_owned()]));
    let all = json!({"budget": "2000", "why": "x", "more": "y"});
    assert_eq!(judged(&schema, &all), Ok(all.clone()));
    assert_eq!(judged(&schema, &json!({"why": "x", "more": "y", "none": "z"})), Ok(json!({"none": "z"})));
}

#[test]
fn files_are_answers_as_their_field_takes_them() {
    let schema = of_fields(json!([
        {"key": "cv", "type": "file", "accept": ["PDF"], "required": true},
        {"key": "more", "type": "file", "multiple": true, "visibleIf": {"field": "cv", "op": "contains", "value": "long"}},
    ]));
    let file = |name: &str, size: i64| json!({"name": name, "size": size, "sha256": "00"});
    let all = json!({"cv": [file("Long.pdf", 1)], "more": [file("a", 1), file("b", 10_485_760)]});
    assert_eq!(judged(&schema, &all), Ok(all.clone()));
    let short = json!({"cv": [file("x.PDF", 1)]});
    assert_eq!(judged(&schema, &json!({"cv": short["cv"], "more": all["more"]})), Ok(short.clone()), "it is not asked");
    for (answers, problem) in [
        (json!({}), "cv should not be empty"),
        (json!({"cv": ""}), "cv should not be empty"),
        (json!({"cv": []}), "cv should not be empty"),
        (json!({"cv": "x.pdf"}), "cv must be a file"),
        (json!({"cv": ["x.pdf"]}), "cv must be a file"),
        (json!({"cv": [file("x.pdf", 1), "y"]}), "cv must be a file"),
        (json!({"cv": [file("x.pdf", 1), file("y.pdf", 1)]}), "cv must be one file"),
        (json!({"cv": [file("x.pdf", 0)]}), "cv must not be empty, as x.pdf is"),
        (json!({"cv": [file("x.pdf", 10_485_761)]}), "cv must not be larger than 10 MB, as x.pdf is"),
        (json!({"cv": [file("x.pdf.exe", 1)]}), "cv takes files whose names end with .pdf"),
        (json!({"cv": [file("long.pdf", 1)], "more": vec![file("a", 1); 5]}), "more must not bring more than 5 files"),
    ] {
        let said = judged(&schema, &answers).expect_err(&answers.to_string());
        assert!(said.len() == 1 && said[0].starts_with(problem), "{answers}: {said:?}");
    }
    // The same files are the same answers, wherever they are kept.
    let mut kept = short.clone();
    kept["cv"][0]["id"] = json!("0000000000000000000F");
    assert_eq!(Json::Object(schema.without_places(kept.as_object().unwrap())), short);
}

#[test]
fn a_condition_compares_with_answers_that_there_are() {
    let check = |kind: &str, condition: Json| {
        let definition = json!({"pages": [{"fields": [
            {"key": "level", "label": "Which level?", "type": kind, "options": ["Gold", "Silver"]},
            {"key": "why", "visibleIf": condition},
        ]}]});
        let definition = FormDefinition::new(definition.as_object().unwrap().clone()).unwrap();
        FormSchema::read(&definition).unwrap().check_conditions()
    };
    for kind in ["select", "radio", "multi"] {
        assert_eq!(check(kind, json!({"field": "level", "op": "eq", "value": "Gold"})), vec![], "{kind}");
        assert_eq!(check(kind, json!({"field": "level", "op": "exists"})), vec![], "{kind}");
        for op in ["begins", "contains", "not_contains"] {
            assert_eq!(check(kind, json!({"field": "level", "op": op, "value": "Go"})), vec![], "{kind} {op}");
        }
        let wrong = check(
            kind,
            json!({"any": [
                {"field": "level", "op": "eq", "value": "Silver"}, {"not": {"field": "level", "op": "eq", "value": "Bronze"}},
            ]}),
        );
        let said = "asks whether “Which level?” is Bronze, which is none of its answers: Gold, Silver";
        let wrong: Vec<(&str, &str)> =
            wrong.iter().map(|(place, problem)| (place.as_str(), problem.0.as_str())).collect();
        assert_eq!(wrong, [("pages.0.fields.1.visibleIf", said)], "{kind}");
    }
}
