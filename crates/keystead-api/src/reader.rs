//! Reading fields out of a JSON object or a query, reporting every violation at once.
//!
//! Whoever reads asks for each field by name; what nobody asked for is a violation too (the contract's whitelist). An
//! empty text and null mean absent, as real clients send them: typed ones send null for whatever nobody set, so that what is to
//! be taken away must be named (`clear`).
//!
//! A reader can also be asked to describe: then there are no fields, it notes each that is asked for, and gives its example.

mod compound;
mod places;
mod removal;
mod values;

use keystead_core::Violation;
use keystead_http::Upload;
use keystead_model::{Invalid, LocationId, json_object::JsonObject, text::echo};
use serde_json::{Map, Value, json};

use crate::shape::{Ground, Word, outline::Outline};

pub(crate) use self::places::{PLACES, Slice};

/// Fields that are being read.
pub(crate) struct Reader<'g> {
    ground: &'g Ground,
    fields: Map<String, Value>,
    asked: Vec<&'static str>,
    violations: Vec<Violation>,
    /// How many more there are than are listed.
    unlisted: usize,
    source: Source,
    /// Headers that nobody has asked for yet.
    headers: Map<String, Value>,
    /// Files of a form, likewise.
    files: Vec<(String, Upload)>,
    /// What stands before a field's name in messages: `dndSettings.`.
    path: String,
    /// Of an update: the fields that are to be emptied, as far as nobody has asked for them yet.
    clear: Vec<String>,
    /// Fields that can be emptied so.
    clearable: Vec<&'static str>,
    /// Whether it reads one of many things of a body.
    is_one_of_many: bool,
    /// Of a reader that describes.
    sketch: Option<Sketch>,
}

/// Where fields stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Json,
    Query,
    Form,
}

impl Source {
    /// Where everything is text, numbers and truths are read from text, too.
    fn is_text(self) -> bool {
        self != Self::Json
    }
}

/// What is noted while a shape is described.
struct Sketch {
    outline: Outline,
    headers: Outline,
    /// Whether every field is there, or only those that must be.
    is_everything: bool,
    /// Whether the field that is asked for must be there.
    is_required: bool,
    is_update: bool,
}

/// Violations that are listed; of more than that only the number is told.
const LISTED: usize = 50;

/// What every query may have, also where the contract does not name it and it changes nothing.
pub(crate) const TOLERATED_IN_QUERIES: &[&str] = &["locationId", "limit", "order", "sortBy", "sort"];
/// Longest value of `clear`.
const MAX_CLEAR: usize = 100;

/// What stands for any id in the name of what can be emptied.
const ANY: &str = "<id>";

impl<'g> Reader<'g> {
    pub(crate) fn body(fields: Map<String, Value>, ground: &'g Ground) -> Self {
        Self {
            ground,
            fields,
            asked: Vec::new(),
            violations: Vec::new(),
            unlisted: 0,
            source: Source::Json,
            headers: Map::new(),
            files: Vec::new(),
            path: String::new(),
            clear: Vec::new(),
            clearable: Vec::new(),
            is_one_of_many: false,
            sketch: None,
        }
    }

    /// The body of an update, which may name fields in `clear` that are to be emptied.
    pub(crate) fn update(fields: Map<String, Value>, ground: &'g Ground) -> Self {
        let mut reader = Self::body(fields, ground);
        reader.clear = match reader.fields.get("clear") {
            Some(Value::String(name)) if !name.trim().is_empty() => {
                let problem = format!("must be a list, such as [{}]", json!(echo(name)));
                reader.take("clear");
                reader.refuse("clear", problem)
            }
            _ => reader.texts("clear", MAX_CLEAR),
        }
        .unwrap_or_default();
        reader
    }

    pub(crate) fn query(fields: Map<String, Value>, ground: &'g Ground) -> Self {
        Self { source: Source::Query, ..Self::body(fields, ground) }
    }

    pub(crate) fn form(fields: Map<String, Value>, files: Vec<(String, Upload)>, ground: &'g Ground) -> Self {
        Self { source: Source::Form, files, ..Self::body(fields, ground) }
    }

    /// With the headers that may be asked for.
    pub(crate) fn with_headers(self, headers: Map<String, Value>) -> Self {
        Self { headers, ..self }
    }

    /// One that describes what is asked of it.
    pub(crate) fn describing(ground: &'g Ground, is_everything: bool, source: Source, is_update: bool) -> Self {
        let (outline, headers) = (Outline::default(), Outline::default());
        let sketch = Sketch { outline, headers, is_everything, is_required: false, is_update };
        Self { source, sketch: Some(sketch), ..Self::body(Map::new(), ground) }
    }

    /// What was asked of it.
    pub(crate) fn into_outline(self) -> Outline {
        self.into_outlines().0
    }

    /// The fields and the headers that were asked of it.
    pub(crate) fn into_outlines(self) -> (Outline, Outline) {
        let Some(Sketch { mut outline, headers, is_update, .. }) = self.sketch else { return Default::default() };
        if is_update && !self.clearable.is_empty() {
            let (patterns, names): (Vec<_>, Vec<_>) = self.clearable.into_iter().partition(|name| name.ends_with(ANY));
            let names = json!({"type": "string", "enum": names});
            let names = match patterns.first().and_then(|pattern| pattern.strip_suffix(ANY)) {
                Some(begin) => {
                    json!({"type": "string", "anyOf": [names, {"type": "string", "pattern": format!("^{begin}")}]})
                }
                None => names,
            };
            outline.add("clear", json!({"type": "array", "items": names, "description": "Fields to empty"}));
        }
        (outline, headers)
    }

    /// Where it reads.
    pub(crate) fn ground(&self) -> &'g Ground {
        self.ground
    }

    /// Of a reader that describes: notes the field, and answers whether it is there.
    fn describes(
        &mut self,
        name: &str,
        schema: impl FnOnce() -> Value,
        example: impl FnOnce() -> Value,
    ) -> Option<bool> {
        let Sketch { outline, is_everything, is_required, .. } = self.sketch.as_mut()?;
        outline.add(name, schema());
        let is_there = *is_everything || *is_required;
        if is_there {
            outline.show(name, example());
        }
        Some(is_there)
    }

    /// The value of a field, if it is there and not empty.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        match self.fields.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(value) if has_nul(&value) => self.refuse(name, "must not contain NUL characters"),
            some => some,
        }
    }

    /// Of a reader that describes: notes a field that means nothing.
    fn notes(&mut self, name: &str, schema: impl FnOnce() -> Value) -> bool {
        let Some(sketch) = &mut self.sketch else { return false };
        sketch.outline.add(name, schema());
        true
    }

    pub(crate) fn violate(&mut self, name: &str, problem: impl Into<String>) {
        if self.sketch.is_some() {
            return;
        }
        // Without a name it is about the object itself.
        let problem = problem.into();
        self.list_violation(|path| {
            let field = format!("{path}{name}");
            Violation { field: field.strip_suffix('.').map_or(field.clone(), str::to_owned), problem }
        });
    }

    fn list_violation(&mut self, violation: impl FnOnce(&str) -> Violation) {
        if self.violations.len() < LISTED {
            self.violations.push(violation(&self.path));
        } else {
            self.unlisted += 1;
        }
    }

    fn violation_count(&self) -> usize {
        self.violations.len() + self.unlisted
    }

    fn refuse<T>(&mut self, name: &str, problem: impl Into<String>) -> Option<T> {
        self.violate(name, problem);
        None
    }

    /// A text, as it was sent.
    fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => self.refuse(name, "must be a string"),
        }
    }

    /// A text with a rule.
    pub(crate) fn word<T: Word>(&mut self, name: &'static str) -> Option<T> {
        if let Some(is_there) = self.describes(name, T::schema, || json!(T::EXAMPLE)) {
            return is_there.then(|| self.example(name));
        }
        let text = self.text(name)?;
        self.checked(name, T::parse(&text, self.ground))
    }

    /// A word's example, read by its own rule.
    fn example<T: Word>(&self, name: &str) -> T {
        T::parse(T::EXAMPLE, self.ground)
            .unwrap_or_else(|Invalid(problem)| panic!("the example of {name}, {:?}, {problem}", T::EXAMPLE))
    }

    /// A header of the request, with a rule; asked for by the input of a query.
    #[cfg_attr(not(test), expect(dead_code, reason = "for routes whose callers say something in a header"))]
    pub(crate) fn header<T: Word>(&mut self, name: &'static str) -> Option<T> {
        if let Some(Sketch { headers, is_everything, is_required, .. }) = &mut self.sketch {
            headers.add(name, T::schema());
            if *is_required {
                headers.require(name);
            }
            let is_there = *is_everything || *is_required;
            return is_there.then(|| self.example(name));
        }
        match self.headers.remove(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => self.checked(name, T::parse(&text, self.ground)),
            _ => self.refuse(name, "must be sent once"),
        }
    }

    /// A file of a form.
    pub(crate) fn file(&mut self, name: &'static str, example: &str) -> Option<Upload> {
        let schema = || json!({"type": "string", "contentMediaType": "application/octet-stream"});
        if let Some(is_there) = self.describes(name, schema, || json!(example)) {
            return is_there.then(|| Upload::of(example.as_bytes()));
        }
        if self.take(name).is_some() {
            return self.refuse(name, "must be a file, in a part with a filename");
        }
        let place = self.files.iter().position(|(known, _)| known == name)?;
        let (_, file) = self.files.swap_remove(place);
        if self.files.iter().any(|(known, _)| known == name) {
            return self.refuse(name, "must be sent once");
        }
        Some(file)
    }

    /// All files of a form that nobody has asked for, with the names of their parts.
    pub(crate) fn files(&mut self, name: &'static str) -> Vec<(String, Upload)> {
        let schema = || {
            let file = json!({"type": "string", "contentMediaType": "application/octet-stream"});
            json!({"type": "array", "items": file, "description": "Every part with a filename is a file, whatever it is called"})
        };
        if self.describes(name, schema, || json!(["The bytes of a file"])).is_some() {
            return Vec::new();
        }
        if self.take(name).is_some() {
            self.violate(name, "must be files, in parts with a filename");
        }
        std::mem::take(&mut self.files)
    }

    /// Whether it reads a form.
    pub(crate) fn is_form(&self) -> bool {
        self.source == Source::Form
    }

    /// Texts and files of a form that nobody has asked for, by the names of their parts; in messages the texts are called `label`.
    pub(crate) fn parts<const MAX: usize>(&mut self, label: &str) -> (Option<JsonObject<MAX>>, Vec<(String, Upload)>) {
        if let Some(Sketch { outline, .. }) = &mut self.sketch {
            let text = json!({"type": "string"});
            let file = json!({"type": "string", "contentMediaType": "application/octet-stream"});
            outline.open(json!({"anyOf": [text, file, {"type": "array", "items": {"anyOf": [text, file]}}]}));
            return (Some(JsonObject::empty()), Vec::new());
        }
        let (texts, files) = (std::mem::take(&mut self.fields), std::mem::take(&mut self.files));
        let files: Vec<_> = files.into_iter().filter(|(_, file)| file.is_chosen()).collect();
        for (name, _) in texts.iter().filter(|(name, _)| files.iter().any(|(known, _)| known == *name)) {
            self.violate(&format!("{label}.{}", echo(name)), "must not be both a text and a file");
        }
        if texts.iter().any(|(name, text)| name.contains('\0') || has_nul(text)) {
            return (self.refuse(label, "must not contain NUL characters"), files);
        }
        (self.checked(label, JsonObject::new(texts)), files)
    }

    /// Any JSON, an empty text too.
    pub(crate) fn anything(&mut self, name: &'static str, schema: Value, example: Value) -> Option<Value> {
        if let Some(is_there) = self.describes(name, || schema, || example.clone()) {
            return is_there.then_some(example);
        }
        self.asked.push(name);
        match self.fields.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) if has_nul(&value) => self.refuse(name, "must not contain NUL characters"),
            some => some,
        }
    }

    /// Refuses a text of nothing but spaces. An empty one says nothing, as real clients send it.
    pub(crate) fn not_blank(&mut self, name: &'static str) {
        let text = self.fields.get(name).and_then(Value::as_str);
        if text.is_some_and(|text| !text.is_empty() && text.trim().is_empty()) {
            self.violate(name, "must not be nothing but spaces; leave it away to keep what is there");
        }
    }

    /// Something that must be there.
    pub(crate) fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if let Some(sketch) = &mut self.sketch {
            let outer = std::mem::replace(&mut sketch.is_required, true);
            let value = read(self);
            if let Some(sketch) = &mut self.sketch {
                sketch.is_required = outer;
                sketch.outline.require(name);
            }
            return value;
        }
        let before = self.violation_count();
        let value = read(self);
        if value.is_none() && self.violation_count() == before {
            self.violate(name, "should not be empty");
        }
        value
    }

    /// Says that at least one of these must be there, as `is_there` tells; in messages they are called `label`.
    pub(crate) fn one_of(&mut self, label: &str, names: &[&str], problem: &str, is_there: bool) {
        match &mut self.sketch {
            Some(sketch) => sketch.outline.require_one_of(names),
            None if is_there => {}
            None => self.violate(label, problem),
        }
    }

    fn checked<T>(&mut self, name: &str, outcome: Result<T, Invalid>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(Invalid(problem)) => self.refuse(name, problem),
        }
    }

    /// A body that may name the location; the dispatcher has taken it. One of many may name that of the call: another one is not
    /// gone into for its sake, whether it is there or not.
    pub(crate) fn names_location(&mut self) {
        self.names_location_as("locationId");
    }

    /// The same by a name of its own.
    pub(crate) fn names_location_as(&mut self, name: &'static str) {
        if self.notes(name, LocationId::schema) {
            return;
        }
        let Some(named) = self.take(name).filter(|_| self.is_one_of_many) else { return };
        let named = named.as_str().and_then(|text| LocationId::parse(text.trim()));
        if named.is_none() || named != self.ground.location() {
            self.violate(name, "must be that of the call, or left out");
        }
    }

    /// Passes over fields that the contract has and we have no use for.
    pub(crate) fn ignore(&mut self, names: &[&'static str]) {
        for name in names {
            self.passes_over(name);
        }
    }

    /// The same for one; whether it is there.
    pub(crate) fn passes_over(&mut self, name: &'static str) -> bool {
        let schema = || json!({"description": "Accepted and passed over", "deprecated": true});
        !self.notes(name, schema) && self.take(name).is_some()
    }

    /// For API 1.0, which never had a whitelist.
    pub(crate) fn pass_over_unknown(&mut self) {
        self.fields.clear();
    }

    fn whitelist(&mut self, tolerated: &[&str]) {
        let files = std::mem::take(&mut self.files).into_iter().map(|(name, _)| name);
        for name in std::mem::take(&mut self.fields).into_iter().map(|(name, _)| name).chain(files) {
            if !tolerated.contains(&name.as_str()) {
                self.list_violation(|path| Violation {
                    field: format!("property {path}{}", echo(&name)),
                    problem: "should not exist".to_owned(),
                });
            }
        }
    }

    /// Everything that was wrong or unknown.
    pub(crate) fn finish(mut self) -> Vec<Violation> {
        self.whitelist(if self.source == Source::Query { TOLERATED_IN_QUERIES } else { &[] });
        for name in std::mem::take(&mut self.clear) {
            let hint = match &self.clearable[..] {
                [] => "nothing can be cleared here".to_owned(),
                names => format!("it may name {}", names.join(", ")),
            };
            self.violate("clear", format!("has {}, which cannot be cleared; {hint}", echo(&name)));
        }
        if self.unlisted > 0 {
            let field = format!("{} more violations", self.unlisted);
            self.violations.push(Violation { field, problem: "are not listed".to_owned() });
        }
        self.violations
    }
}

/// Whether a text in it holds the one character that databases do not take.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
