//! Lists and objects inside of what is read.

use keystead_core::Violation;
use keystead_model::{Invalid, LocationId, json_object::JsonObject, text::Line};
use serde_json::{Map, Value, json};

use super::{Reader, Source};
use crate::shape::{Ground, Input, Word};

impl Reader<'_> {
    /// A list of texts, or one text for a list of one.
    pub(super) fn texts(&mut self, name: &'static str, max: usize) -> Option<Vec<String>> {
        let list = match self.take(name)? {
            Value::Array(list) => list,
            text @ Value::String(_) => vec![text],
            _ => return self.refuse(name, "must be an array"),
        };
        if list.len() > max {
            return self.refuse(name, format!("must contain no more than {max} elements"));
        }
        let mut texts = Vec::with_capacity(list.len());
        for entry in list {
            match entry {
                Value::String(text) => texts.push(text),
                _ => return self.refuse(name, "each value in it must be a string"),
            }
        }
        Some(texts)
    }

    /// A list of texts with a rule, or one of them.
    pub(crate) fn words<T: Word>(&mut self, name: &'static str, max: usize) -> Option<Vec<T>> {
        let schema = || json!({"type": "array", "items": T::schema(), "maxItems": max});
        if let Some(is_there) = self.describes(name, schema, || json!([T::EXAMPLE])) {
            return is_there.then(|| vec![self.example(name)]);
        }
        let texts = self.texts(name, max)?;
        let said: Vec<&String> = texts.iter().filter(|text| !text.trim().is_empty()).collect();
        // An empty list means something of its own: no limits, or nothing any more.
        if said.is_empty() && !texts.is_empty() && self.source == Source::Json {
            return self.refuse(name, "must have something in it: all of its values are empty; send [] for none");
        }
        let parsed: Result<Vec<T>, Invalid> = said.into_iter().map(|text| T::parse(text, self.ground)).collect();
        match parsed {
            Ok(list) => Some(list),
            Err(Invalid(problem)) => self.refuse(name, format!("each value in it {problem}")),
        }
    }

    /// An object of whatever is in it, which is kept as it is.
    pub(crate) fn json_object<const MAX: usize>(&mut self, name: &'static str) -> Option<JsonObject<MAX>> {
        let schema = || json!({"type": "object", "description": format!("At most {MAX} bytes, kept as it is")});
        if let Some(is_there) = self.describes(name, schema, || json!({})) {
            return is_there.then(JsonObject::empty);
        }
        match self.take(name)? {
            Value::Object(fields) => self.checked(name, JsonObject::new(fields)),
            _ => self.refuse(name, "must be an object"),
        }
    }

    /// A value of any form, which `schema` describes.
    pub(crate) fn any(&mut self, name: &'static str, schema: Value, example: Value) -> Option<Value> {
        if let Some(is_there) = self.describes(name, || schema, || example.clone()) {
            return is_there.then_some(example);
        }
        self.take(name)
    }

    /// An object of texts whose names are the caller's own, in the order of the names.
    pub(crate) fn texts_by_name(&mut self, name: &'static str, max: usize) -> Option<Vec<(String, String)>> {
        let schema = || json!({"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": max});
        if let Some(is_there) = self.describes(name, schema, || json!({LocationId::EXAMPLE: "+14155550123"})) {
            return is_there.then(Vec::new);
        }
        let Value::Object(object) = self.take(name)? else { return self.refuse(name, "must be an object") };
        if object.len() > max {
            return self.refuse(name, format!("must have no more than {max} members"));
        }
        let mut texts = Vec::with_capacity(object.len());
        for (key, value) in object {
            let Value::String(text) = value else { return self.refuse(name, "must have texts only") };
            match (Line::<100>::parse(&key), Line::<100>::parse(&text)) {
                (Ok(key), Ok(text)) => texts.push((key.into_string(), text.into_string())),
                (Err(Invalid(problem)), _) | (_, Err(Invalid(problem))) => {
                    return self.refuse(name, format!("each name and text in it {problem}"));
                }
            }
        }
        texts.sort_unstable();
        Some(texts)
    }

    /// A whole number that the contract calls a text; as a number it is taken, too.
    pub(crate) fn integer_or_text(&mut self, name: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let source = std::mem::replace(&mut self.source, Source::Form);
        let number = self.integer(name, range);
        self.source = source;
        number
    }

    /// A list of objects, each read by `read`; their violations carry this field's name and their place. What an object has
    /// besides is passed over.
    pub(crate) fn each<T>(
        &mut self,
        name: &'static str,
        max: usize,
        mut read: impl FnMut(&mut Self, usize) -> T,
    ) -> Option<Vec<T>> {
        if let Some(sketch) = &self.sketch {
            let mut inner = Self::describing(self.ground, sketch.is_everything, self.source, false);
            let value = read(&mut inner, 0);
            let outline = inner.into_outline();
            let example = json!([outline.example()]);
            let mut item = outline.into_schema(true);
            item["additionalProperties"] = json!(true);
            let schema = || json!({"type": "array", "items": item, "maxItems": max});
            return self.describes(name, schema, || example)?.then(|| vec![value]);
        }
        let list = match self.take(name)? {
            Value::Array(list) if list.len() <= max => list,
            Value::Array(_) => return self.refuse(name, format!("must contain no more than {max} elements")),
            _ => return self.refuse(name, "must be an array"),
        };
        let mut values = Vec::with_capacity(list.len());
        for (index, entry) in list.into_iter().enumerate() {
            // What is no object has no fields.
            let fields = if let Value::Object(fields) = entry { fields } else { Map::new() };
            let path = format!("{}{name}.{index}.", self.path);
            values.push(self.within(path, fields, false, |inner| read(inner, index)));
        }
        Some(values)
    }

    /// A list of objects, each read as an input of its own: what is wrong with one is told apart from the others.
    pub(crate) fn each_alone<I: Input>(
        &mut self,
        name: &'static str,
        max: usize,
    ) -> Option<Vec<Result<I, Vec<Violation>>>> {
        if let Some(sketch) = &self.sketch {
            let inner = Self::describing(self.ground, sketch.is_everything, self.source, I::IS_UPDATE);
            let mut inner = Self { is_one_of_many: true, ..inner };
            let value = I::read(&mut inner);
            let outline = inner.into_outline();
            let mut example = outline.example().clone();
            I::settle(&mut example);
            let schema = json!({"type": "array", "items": outline.into_schema(true), "minItems": 1, "maxItems": max});
            let is_there = self.describes(name, || schema, || json!([example]))?;
            return is_there.then(|| value.map(Ok).into_iter().collect());
        }
        let list = match self.take(name)? {
            Value::Array(list) if (1..=max).contains(&list.len()) => list,
            Value::Array(_) => return self.refuse(name, format!("must contain 1 to {max} elements")),
            _ => return self.refuse(name, "must be an array"),
        };
        let read = |entry| {
            let Value::Object(fields) = entry else {
                let problem = "each value in it must be an object".to_owned();
                return Err(vec![Violation { field: name.to_owned(), problem }]);
            };
            Self::one_of_many(fields, self.ground)
        };
        Some(list.into_iter().map(read).collect())
    }

    /// One of many things, by itself.
    pub(crate) fn one_of_many<I: Input>(fields: Map<String, Value>, ground: &Ground) -> Result<I, Vec<Violation>> {
        let reader = match I::IS_UPDATE {
            true => Reader::update(fields, ground),
            false => Reader::body(fields, ground),
        };
        let mut reader = Reader { is_one_of_many: true, ..reader };
        let input = I::read(&mut reader);
        let violations = reader.finish();
        input.filter(|_| violations.is_empty()).ok_or(violations)
    }

    fn within<T>(
        &mut self,
        path: String,
        fields: Map<String, Value>,
        is_strict: bool,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut inner = Self { source: self.source, path, ..Self::body(fields, self.ground) };
        let value = read(&mut inner);
        if is_strict {
            inner.whitelist(&[]);
        }
        for violation in inner.violations {
            self.list_violation(|_| violation);
        }
        self.unlisted += inner.unlisted;
        value
    }

    /// An object inside, read by `read`; its violations carry this field's name.
    pub(crate) fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if let Some(sketch) = &self.sketch {
            let mut inner = Self::describing(self.ground, sketch.is_everything, self.source, false);
            let value = read(&mut inner);
            let outline = inner.into_outline();
            let example = json!(outline.example());
            let is_there = self.describes(name, || Value::Null, || example)?;
            if let Some(sketch) = &mut self.sketch {
                sketch.outline.add_object(name, outline);
            }
            return is_there.then_some(value);
        }
        match self.take(name)? {
            Value::Object(fields) => Some(self.within(format!("{}{name}.", self.path), fields, true, read)),
            _ => self.refuse(name, "must be an object"),
        }
    }
}
