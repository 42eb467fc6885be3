use serde_json::json;

use super::*;
use crate::{
    LocationId,
    custom_field::{CustomFieldContent, NewCustomField, OwnerKind, TextBox},
    text::Line,
};

fn field(data_type: DataType) -> CustomField {
    let (id, location) = (CustomFieldId::parse("0000000000000000000F"), LocationId::parse("0000000000000000000L"));
    let mut content = CustomFieldContent::named(Line::parse("Some field").unwrap());
    if data_type.has_options() {
        content.options = ["Gold", "Silver"].map(|name| Line::parse(name).unwrap()).to_vec();
    }
    if data_type == DataType::TextboxList {
        let labelled = |label| TextBox { label: Line::parse(label).unwrap(), prefill: None };
        content.text_boxes = ["First", "Second", "Third"].map(labelled).to_vec();
    }
    let new = NewCustomField { model: OwnerKind::Contact, data_type, content };
    CustomField::new(id.unwrap(), location.unwrap(), new, UtcMs(0)).unwrap()
}

fn sent(data_type: DataType, value: Json) -> Result<Vec<FieldValue>, Invalid> {
    let zone = TimeZoneName::parse("America/New_York").unwrap();
    read(&field(data_type), &value, Country::US, &zone)
}

/// As it is told, which says the same again when it is sent.
fn told(data_type: DataType, value: Json) -> Json {
    let values = sent(data_type, value.clone()).unwrap_or_else(|error| panic!("{data_type:?} {value}: {error:?}"));
    let held = Held { field: Arc::new(ValueField::from(&field(data_type))), values };
    if !data_type.is_file() {
        assert_eq!(sent(data_type, held.to_json()).unwrap(), held.values, "{data_type:?} {value}");
    }
    held.to_json()
}

#[test]
fn values_are_read_by_their_kind() {
    for (data_type, value, expected) in [
        (DataType::Text, json!(" as it is "), json!(" as it is ")),
        (DataType::Text, json!(7), json!("7")),
        (DataType::LargeText, json!("two\nlines"), json!("two\nlines")),
        (DataType::Numerical, json!("20.0"), json!(20)),
        (DataType::Numerical, json!(1e3), json!(1000)),
        (DataType::Float, json!(-0.25), json!(-0.25)),
        (DataType::Monetary, json!("12345678901234.123456789"), json!("12345678901234.123456789")),
        (DataType::Monetary, json!("999999999999999.99"), json!("999999999999999.99")),
        (DataType::Phone, json!("(415) 555-0123"), json!("+14155550123")),
        (DataType::Email, json!("Ada@Example.com"), json!("Ada@Example.com")),
        (DataType::Time, json!("9:30 pm"), json!("21:30")),
        (DataType::Time, json!("12 AM"), json!("00:00")),
        (DataType::Time, json!("07:05:09"), json!("07:05:09")),
        (DataType::Date, json!("12/24/2026"), json!("2026-12-24")),
        (DataType::Date, json!("2026-12-24T02:00:00Z"), json!("2026-12-23")),
        (DataType::Date, json!(1_796_122_800_000_i64), json!("2026-12-01")),
        (DataType::Radio, json!("Gold"), json!("Gold")),
        (DataType::SingleOptions, json!(["Silver"]), json!("Silver")),
        (DataType::Checkbox, json!(["Silver", "Gold", "Silver"]), json!(["Silver", "Gold"])),
        (DataType::MultipleOptions, json!("Gold"), json!(["Gold"])),
        (DataType::TextboxList, json!({"Second": "b"}), json!({"Second": "b"})),
        (DataType::TextboxList, json!(["a", "", "c"]), json!({"First": "a", "Third": "c"})),
    ] {
        assert_eq!(told(data_type, value.clone()), expected, "{data_type:?} {value}");
    }
}

#[test]
fn what_is_empty_is_no_value() {
    for data_type in DataType::ALL {
        for empty in [json!(""), json!("  "), json!([]), json!(null)] {
            assert_eq!(sent(data_type, empty).unwrap(), [], "{data_type:?}");
        }
    }
}

#[test]
fn what_is_no_such_value_is_refused_with_its_reason() {
    for (data_type, value, about) in [
        (DataType::Text, json!({"a": 1}), "one value, and is an object"),
        (DataType::Text, json!(["a", "b"]), "one value, and is a list"),
        (DataType::Checkbox, json!("Gold, Silver"), "a list of its options, and Gold, Silver is one text"),
        (DataType::Checkbox, json!("Gold, Bronze"), "none of its options: Gold, Silver"),
        (DataType::Text, json!("x".repeat(TEXT + 1)), "5000"),
        (DataType::Text, json!("\u{200b}"), "seen"),
        (DataType::Text, json!("a\u{1}"), "control"),
        (DataType::Numerical, json!("1,5"), "number"),
        (DataType::Numerical, json!(true), "number"),
        (DataType::Monetary, json!(12_345_678_901_234.567), "send it as a text"),
        (DataType::Phone, json!("12"), ""),
        (DataType::Email, json!("nobody"), ""),
        (DataType::Time, json!("25:00"), "time of day"),
        (DataType::Time, json!("13:00 PM"), "time of day"),
        (DataType::Time, json!("1:2"), "time of day"),
        (DataType::Date, json!("2026-02-30"), "date"),
        (DataType::Date, json!(1.5), "date"),
        (DataType::Radio, json!("gold"), "Gold, Silver"),
        (DataType::Radio, json!(["Gold", "Silver"]), "one value"),
        (DataType::Checkbox, json!([["Gold"]]), "list of texts"),
        (DataType::TextboxList, json!({"Fourth": "x"}), "First, Second, Third"),
        (DataType::TextboxList, json!(["a", "b", "c", "d"]), "3"),
        (DataType::FileUpload, json!({"x": {"meta": {}}}), "upload"),
    ] {
        let Invalid(problem) = sent(data_type, value.clone()).expect_err(&format!("{data_type:?} {value}"));
        assert!(problem.contains(about), "{data_type:?} {value}: {problem}");
    }
}

#[test]
fn files_are_named_by_their_id_or_their_address() {
    let named = |name: &str| vec![FieldValue::Text(name.to_owned())];
    for value in [
        json!({"f31175d4-2b06-4fc6-b7bc-74cd814c68cb": {"meta": {}, "url": "https://x.example/a/abc", "documentId": "abc"}}),
        json!({"documentId": "abc"}),
        json!("https://crm.example/documents/download/abc"),
        json!(["abc", "abc"]),
    ] {
        assert_eq!(sent(DataType::FileUpload, value.clone()).unwrap(), named("abc"), "{value}");
    }
}

#[test]
fn what_somebody_has_is_replaced_field_by_field() {
    let at = |id: &str, texts: &[&str]| {
        let mut field = field(DataType::MultipleOptions);
        field.id = CustomFieldId::parse(id).unwrap();
        let values = texts.iter().map(|text| FieldValue::Text((*text).to_owned())).collect();
        Held { field: Arc::new(ValueField::from(&field)), values }
    };
    let (a, b, c) = ("0000000000000000000A", "0000000000000000000B", "0000000000000000000C");
    let before = ValueSet::of([at(b, &["Gold"]), at(a, &["Silver"])]);
    let mut after = before.clone();
    assert_eq!(after.since(&before), []);
    after.set(at(a, &[]));
    after.set(at(b, &["Gold", "Silver"]));
    after.set(at(c, &["Gold"]));
    let changed: Vec<(String, usize)> =
        after.since(&before).into_iter().map(|change| (change.field.to_string(), change.values.len())).collect();
    assert_eq!(changed, [(a.to_owned(), 0), (b.to_owned(), 2), (c.to_owned(), 1)]);
}
