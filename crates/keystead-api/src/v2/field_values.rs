//! Values of custom fields on the wire, whoever has them: how they are sent, and how they are answered.

use std::sync::Arc;

use keystead_model::{
    CustomFieldId, Invalid,
    custom_field::{FieldName, OwnerKind},
    data_type::DataType,
    field_value::{self, FieldValue, FieldValues, Held, ValueField},
    text::echo,
};
use serde_json::{Value, json};

use super::samples;
use crate::{
    reader::Reader,
    route::Face,
    shape::{Fields, Written, held::HeldValue, word},
};

/// Custom fields in one body.
const MAX: usize = 1_000;
/// Under which names a value is sent: the older contract's, v3's, and the one under which it is answered.
const NAMES: [&str; 3] = ["field_value", "fieldValue", "value"];

/// What was sent for custom fields, and what was understood and cannot be written, since no field is called so.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) values: Vec<FieldValues>,
    pub(crate) skipped: Vec<String>,
}

/// `customFields: [{id | key, field_value}]`, and on updates `clear: ["customFields.<id>"]`.
pub(crate) fn read(reader: &mut Reader<'_>, model: OwnerKind) -> Sent {
    let mut sent = Sent::default();
    cleared(reader, model, "customFields.<id>", &mut sent);
    reader.each("customFields", MAX, |field, index| {
        let (id, key): (Option<String>, Option<String>) = (field.word("id"), field.word("key"));
        field.one_of("", &["id", "key"], "must have an id or a key", id.is_some() || key.is_some());
        let values = NAMES.map(|name| (name, field.anything(name, any_value(), json!("Gold"))));
        let Some(known) = known(field, model, id.as_deref(), key.as_deref()) else {
            // As with ids, the keys of what is elsewhere name nothing here.
            let named = id.or(key);
            sent.skipped.extend(named.map(|name| format!("customFields.{index} ({})", echo(&name))));
            return;
        };
        let Some((name, value)) = values.into_iter().find_map(|(name, value)| Some((name, value?))) else { return };
        take(field, name, model, &known, &value, &mut sent);
    });
    sent
}

/// API 1.0's `customField: {<id>: value}`; what it answers, `[{id, value}]`, is read as well.
pub(crate) fn read_map(reader: &mut Reader<'_>, model: OwnerKind) -> Sent {
    let mut sent = Sent::default();
    cleared(reader, model, "customField.<id>", &mut sent);
    let schema = json!({"type": ["object", "array"], "description": "Values by the ids of their fields"});
    let values: Vec<(String, Value)> = match reader.anything("customField", schema, json!({word::THING: "Gold"})) {
        Some(Value::Object(values)) => values.into_iter().collect(),
        Some(Value::Array(list)) => {
            let named = |entry: &Value| Some((entry["id"].as_str()?.to_owned(), entry["value"].clone()));
            list.iter().filter_map(named).collect()
        }
        Some(Value::String(text)) if text.trim().is_empty() => Vec::new(),
        Some(_) => {
            reader.violate("customField", "must be an object of values by the ids of their fields");
            Vec::new()
        }
        None => Vec::new(),
    };
    for (name, value) in values {
        match known(reader, model, Some(&name), Some(&name)) {
            Some(known) if !value.is_null() => take(reader, "customField", model, &known, &value, &mut sent),
            Some(_) => {}
            None => sent.skipped.push(format!("customField ({})", echo(&name))),
        }
    }
    sent
}

fn any_value() -> Value {
    json!({"description": "A text, a number, a list of chosen options, or files, as the field's dataType has it; empty for none"})
}

/// What an update empties, by ids or keys.
fn cleared(reader: &mut Reader<'_>, model: OwnerKind, pattern: &'static str, sent: &mut Sent) {
    for name in reader.cleared(pattern) {
        match known(reader, model, Some(&name), Some(&name)) {
            Some(field) if sent.values.iter().any(|before| before.field == field) => {}
            Some(field) => sent.values.push(FieldValues { field, values: Vec::new() }),
            None => sent.skipped.push(format!("clear ({})", echo(&name))),
        }
    }
}

/// The field of an id; of a key, where no field has the id.
fn known(reader: &Reader<'_>, model: OwnerKind, id: Option<&str>, key: Option<&str>) -> Option<CustomFieldId> {
    let fields = reader.ground().fields(model);
    let id = id.and_then(|id| CustomFieldId::parse(id.trim())).map(FieldName::Id);
    let key = key.map(|key| FieldName::of_key(model, key));
    let found = [id, key].into_iter().flatten().find_map(|name| name.find(model, fields));
    found.map(|field| field.id)
}

fn take(reader: &mut Reader<'_>, name: &str, model: OwnerKind, field: &CustomFieldId, value: &Value, sent: &mut Sent) {
    let ground = reader.ground();
    let Some(known) = FieldName::Id(*field).find(model, ground.fields(model)) else { return };
    let said = field_value::read(known, value, ground.country(), ground.zone()).and_then(|values| {
        match sent.values.iter().find(|before| before.field == *field) {
            None => sent.values.push(FieldValues { field: *field, values }),
            Some(before) if before.values == values => {}
            // Which of them was meant nobody can know.
            Some(_) => return Err(Invalid::new("must not have two values, or a value and stand in clear")),
        }
        Ok(())
    });
    if let Err(Invalid(problem)) = said {
        reader.violate(&format!("{name} ({})", known.field_key()), problem);
    }
}

/// What was understood and not written, where there is such.
pub(crate) fn skipped(fields: &mut Fields<'_>, skipped: &Vec<String>) {
    fields.opt("skipped", Some(skipped).filter(|skipped| !skipped.is_empty()));
}

/// `{id, value}`; API 2.0 says the key, too.
impl Written for Held {
    const NAME: &'static str = "CustomFieldValue";

    fn sample() -> Self {
        let key = "contact.membership".to_owned();
        let field = ValueField { id: samples::id(word::THING), key, data_type: DataType::Text, labels: Vec::new() };
        Self { field: Arc::new(field), values: vec![FieldValue::Text("Gold".to_owned())] }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("id", &self.field.id);
        fields.put("value", &HeldValue(self));
        if fields.face() == Face::V2 {
            fields.put("fieldKey", &self.field.key);
        }
    }
}
