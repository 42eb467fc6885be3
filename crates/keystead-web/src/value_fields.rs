//! Custom fields in forms: how each is drawn, what stands in it, and what was sent for it.

use keystead_model::{
    Invalid,
    custom_field::CustomField,
    data_type::DataType,
    field_value::{self, FieldValue, FieldValues, ValueSet},
    location::LocationProfile,
};
use serde_json::{Map, Value};

use crate::form::{Choice, Field, Form, Kind};

/// What a field is called in forms, as operations call it.
fn name(field: &CustomField) -> String {
    format!("customFields.{}", field.id)
}

/// A box of a list of texts.
fn name_of_box(field: &CustomField, index: usize) -> String {
    format!("customFields.{}.{index}", field.id)
}

/// Files are shown, and come in elsewhere.
fn is_written(field: &&CustomField) -> bool {
    !field.data_type.is_file()
}

/// The fields of a form for custom fields, in their order.
pub(crate) fn fields(known: &[CustomField]) -> Vec<Field> {
    known.iter().filter(is_written).flat_map(drawn).collect()
}

fn drawn(field: &CustomField) -> Vec<Field> {
    let content = &field.content;
    let label = content.name.as_str().to_owned();
    let options = || content.options.iter().map(|option| Choice::new(option.as_str(), option.as_str()));
    let none = || std::iter::once(Choice::new("", "None"));
    let typed = |kind| Field::typed(kind, name(field), label.clone());
    let drawn = match field.data_type {
        DataType::TextboxList => {
            let one = |(index, text_box): (usize, &keystead_model::custom_field::TextBox)| {
                Field::line(name_of_box(field, index), format!("{label}: {}", text_box.label.as_str()))
            };
            return content.text_boxes.iter().enumerate().map(one).collect();
        }
        DataType::LargeText => Field::new(Kind::Lines(4), name(field), label.clone()),
        DataType::Numerical | DataType::Monetary | DataType::Float => typed("text").with("inputmode=decimal"),
        DataType::Phone => typed("tel"),
        DataType::Email => typed("email"),
        DataType::Date => typed("date"),
        DataType::Time => typed("time"),
        DataType::SingleOptions | DataType::Radio if content.allows_custom_option => {
            Field::new(Kind::Suggest, name(field), label.clone()).of(options())
        }
        DataType::SingleOptions | DataType::Radio => {
            Field::new(Kind::Select, name(field), label.clone()).of(none().chain(options()))
        }
        DataType::Checkbox | DataType::MultipleOptions => {
            Field::new(Kind::Boxes, name(field), label.clone()).of(options())
        }
        DataType::Text | DataType::FileUpload | DataType::Signature => typed("text"),
    };
    vec![drawn]
}

/// What stands in them.
pub(crate) fn pairs(known: &[CustomField], held: &ValueSet) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for field in known.iter().filter(is_written) {
        for (index, value) in held.get(field.id).iter().enumerate() {
            let name = if field.data_type == DataType::TextboxList { name_of_box(field, index) } else { name(field) };
            pairs.push((name, written(value)));
        }
    }
    pairs
}

/// A value as forms and pages have it.
pub(crate) fn written(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Date(date) => date.to_iso(),
        FieldValue::File(file) => file.name.clone(),
    }
}

/// What was sent for them: of each field what it is to hold, nothing where it is to be empty.
pub(crate) fn read(form: &mut Form, known: &[CustomField], of: &LocationProfile) -> Vec<FieldValues> {
    let mut all = Vec::new();
    for field in known.iter().filter(is_written) {
        match field_value::read(field, &sent(form, field), of.country, &of.timezone) {
            Ok(values) => all.push(FieldValues { field: field.id, values }),
            Err(Invalid(problem)) if field.data_type == DataType::TextboxList => {
                form.violate(&name_of_box(field, 0), &problem);
            }
            Err(Invalid(problem)) => form.violate(&name(field), &problem),
        }
    }
    all
}

fn sent(form: &Form, field: &CustomField) -> Value {
    match field.data_type {
        DataType::TextboxList => {
            let boxes = field.content.text_boxes.iter().enumerate();
            let texts = boxes.map(|(index, text_box)| {
                let text = form.text(&name_of_box(field, index)).unwrap_or_default();
                (text_box.label.as_str().to_owned(), Value::from(text))
            });
            Value::Object(texts.collect::<Map<_, _>>())
        }
        kind if kind.is_list() => form.sent.all(&name(field)).into_iter().map(Value::from).collect(),
        _ => form.text(&name(field)).map_or(Value::Null, Value::from),
    }
}
