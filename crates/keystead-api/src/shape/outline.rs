//! The outline of an object: its fields' schemas, which of them must be there, and an example.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What is known of an object while its shape is described.
#[derive(Clone, Default)]
pub(crate) struct Outline {
    fields: Map<String, Value>,
    /// Objects among the fields, whose schemas are not made before everything is known of them.
    objects: BTreeMap<String, Outline>,
    required: Vec<String>,
    /// Fields of which at least one must be there.
    alternatives: Vec<Vec<String>>,
    /// What further fields hold, where it may have any.
    others: Option<Value>,
    example: Map<String, Value>,
}

impl Outline {
    pub(crate) fn add(&mut self, name: &str, schema: Value) {
        self.fields.entry(name).or_insert(schema);
    }

    pub(crate) fn add_object(&mut self, name: &str, object: Outline) {
        self.add(name, Value::Null);
        self.objects.entry(name.to_owned()).or_insert(object);
    }

    /// Lets it have further fields of any name, which hold this.
    pub(crate) fn open(&mut self, schema: Value) {
        self.others = Some(schema);
    }

    pub(crate) fn require(&mut self, name: &str) {
        if !self.required.iter().any(|known| known == name) {
            self.required.push(name.to_owned());
        }
    }

    pub(crate) fn require_one_of(&mut self, names: &[&str]) {
        self.alternatives.push(names.iter().map(|name| (*name).to_owned()).collect());
    }

    pub(crate) fn show(&mut self, name: &str, example: Value) {
        self.example.entry(name).or_insert(example);
    }

    pub(crate) fn example(&self) -> &Map<String, Value> {
        &self.example
    }

    /// Whether nothing need be there.
    pub(crate) fn is_optional(&self) -> bool {
        self.required.is_empty() && self.alternatives.is_empty()
    }

    /// Name, schema, and whether it must be there.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &Value, bool)> {
        let is_required = |name: &str| self.required.iter().any(|known| known == name);
        self.fields.iter().map(move |(name, schema)| (name.as_str(), schema, is_required(name)))
    }

    /// Both, where either may be all that is there: what must be there must be in both.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.required.retain(|name| other.required.contains(name));
        for (name, schema) in other.fields {
            self.fields.entry(name).or_insert(schema);
        }
        for (name, object) in other.objects {
            let joined = match self.objects.remove(&name) {
                Some(known) => known.join(object),
                None => object,
            };
            self.objects.insert(name, joined);
        }
        if self.alternatives.is_empty() {
            self.alternatives = other.alternatives;
        }
        self
    }

    /// As a schema. Where `null` means that an optional field is absent, it is said with each.
    pub(crate) fn into_schema(self, is_null_absent: bool) -> Value {
        let Self { fields, mut objects, required, alternatives, others, example: _ } = self;
        let fields: Map<String, Value> = fields
            .into_iter()
            .map(|(name, schema)| {
                let object = objects.remove(&name);
                let schema = object.map_or(schema, |object| object.into_schema(is_null_absent));
                let may_be_null = is_null_absent && !required.contains(&name);
                let schema = if may_be_null { or_null(schema) } else { schema };
                (name, schema)
            })
            .collect();
        let others = others.unwrap_or(Value::Bool(false));
        let mut schema = json!({"type": "object", "properties": fields, "additionalProperties": others});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if let [names] = &alternatives[..] {
            schema["anyOf"] = names.iter().map(|name| json!({"required": [name]})).collect();
        }
        schema
    }
}

/// The same, or null.
pub(crate) fn or_null(mut schema: Value) -> Value {
    if ["type", "enum", "const", "anyOf", "$ref"].iter().all(|word| schema.get(word).is_none()) {
        // It is anything already.
        return schema;
    }
    if let (Some(kind), true) = (schema["type"].as_str().map(str::to_owned), schema["enum"].is_null()) {
        schema["type"] = json!([kind, "null"]);
        return schema;
    }
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.push(json!("null"));
        return schema;
    }
    json!({"anyOf": [schema, {"type": "null"}]})
}
