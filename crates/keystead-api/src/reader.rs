//! Reading fields out of a JSON object or a query, reporting every violation at once.
//!
//! Whoever reads asks for each field by name; what nobody asked for is a violation too (the contract's whitelist). An
//! empty text and null mean absent, as real clients send them.

use keystead_core::{Error, Violation};
use keystead_model::{Invalid, UtcMs, text::echo};
use serde_json::{Map, Value};

/// Fields that are being read.
pub(crate) struct Reader {
    fields: Map<String, Value>,
    asked: Vec<&'static str>,
    violations: Vec<Violation>,
    /// In a query everything is text, so numbers and truths are read from text too.
    from_query: bool,
    /// What stands before a field's name in messages: `dndSettings.`.
    path: String,
}

/// What every list takes, also where the contract does not name it.
const TOLERATED_IN_QUERIES: &[&str] = &["locationId", "limit", "skip", "page", "order", "sortBy", "sort"];

impl Reader {
    pub(crate) fn body(fields: Map<String, Value>) -> Self {
        Self { fields, asked: Vec::new(), violations: Vec::new(), from_query: false, path: String::new() }
    }

    pub(crate) fn query(fields: Map<String, Value>) -> Self {
        Self { from_query: true, ..Self::body(fields) }
    }

    /// The value of a field, if it is there and not empty.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        match self.fields.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            some => some,
        }
    }

    /// Whether the field was sent as null, which takes a thing away where that means something.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(Value::is_null)
    }

    pub(crate) fn violate(&mut self, name: &str, problem: impl Into<String>) {
        self.violations.push(Violation { field: format!("{}{name}", self.path), problem: problem.into() });
    }

    fn refuse<T>(&mut self, name: &str, problem: impl Into<String>) -> Option<T> {
        self.violate(name, problem);
        None
    }

    /// A text, as it was sent.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => self.refuse(name, "must be a string"),
        }
    }

    /// A text with a rule.
    pub(crate) fn parse<T>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        let text = self.text(name)?;
        self.checked(name, parse(&text))
    }

    /// A text with a rule whose absence and emptiness differ: `Some(None)` empties it.
    pub(crate) fn clearable<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        if let Some(Value::String(text)) = self.fields.get(name)
            && text.trim().is_empty()
        {
            self.take(name);
            return Some(None);
        }
        self.parse(name, parse).map(Some)
    }

    /// Something that must be there.
    pub(crate) fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.violations.len();
        let value = read(self);
        if value.is_none() && self.violations.len() == before {
            self.violate(name, "should not be empty");
        }
        value
    }

    fn checked<T>(&mut self, name: &str, outcome: Result<T, Invalid>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(Invalid(problem)) => self.refuse(name, problem),
        }
    }

    /// A truth.
    pub(crate) fn truth(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(truth) => Some(truth),
            Value::String(text) if self.from_query && text == "true" => Some(true),
            Value::String(text) if self.from_query && text == "false" => Some(false),
            _ => self.refuse(name, "must be a boolean value"),
        }
    }

    /// A whole number; clients also send `20.0`.
    pub(crate) fn integer(&mut self, name: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let number = match self.take(name)? {
            Value::Number(number) => whole(&number),
            Value::String(text) if self.from_query => {
                text.parse::<i64>().ok().or_else(|| whole(&text.parse::<serde_json::Number>().ok()?))
            }
            _ => None,
        };
        match number {
            None => self.refuse(name, "must be an integer number"),
            Some(number) if number < *range.start() => {
                self.refuse(name, format!("must not be less than {}", range.start()))
            }
            Some(number) if number > *range.end() => {
                self.refuse(name, format!("must not be greater than {}", range.end()))
            }
            some => some,
        }
    }

    /// An instant: ISO 8601, or milliseconds since 1970.
    pub(crate) fn instant(&mut self, name: &'static str) -> Option<UtcMs> {
        let instant = match self.take(name)? {
            Value::String(text) => UtcMs::parse_iso(&text).or_else(|| {
                // Queries carry cursors as text.
                if self.from_query { whole(&text.parse().ok()?).map(UtcMs) } else { None }
            }),
            Value::Number(number) => whole(&number).map(UtcMs),
            _ => None,
        };
        match instant {
            Some(instant) if (0..=253_402_300_799_999).contains(&instant.0) => Some(instant),
            _ => self.refuse(name, "must be a valid ISO 8601 date string"),
        }
    }

    /// A list of texts, or one text for a list of one.
    pub(crate) fn texts(&mut self, name: &'static str, max: usize) -> Option<Vec<String>> {
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

    /// A list of texts with a rule.
    pub(crate) fn parse_list<T>(
        &mut self,
        name: &'static str,
        max: usize,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<Vec<T>> {
        let texts = self.texts(name, max)?;
        let parsed: Result<Vec<T>, Invalid> =
            texts.iter().filter(|text| !text.trim().is_empty()).map(|text| parse(text)).collect();
        match parsed {
            Ok(list) => Some(list),
            Err(Invalid(problem)) => self.refuse(name, format!("each value in it {problem}")),
        }
    }

    /// A list of anything, for what is accepted and looked at elsewhere.
    pub(crate) fn list(&mut self, name: &'static str, max: usize) -> Option<Vec<Value>> {
        match self.take(name)? {
            Value::Array(list) if list.len() <= max => Some(list),
            Value::Array(_) => self.refuse(name, format!("must contain no more than {max} elements")),
            _ => self.refuse(name, "must be an array"),
        }
    }

    /// An object inside, read by `read`; its violations carry this field's name.
    pub(crate) fn object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        match self.take(name)? {
            Value::Object(fields) => {
                let mut inner = Self::body(fields);
                inner.from_query = self.from_query;
                inner.path = format!("{}{name}.", self.path);
                let value = read(&mut inner);
                inner.whitelist(&[]);
                self.violations.append(&mut inner.violations);
                Some(value)
            }
            _ => self.refuse(name, "must be an object"),
        }
    }

    /// Passes over fields that the contract has and we have no use for.
    pub(crate) fn ignore(&mut self, names: &[&'static str]) {
        for name in names {
            self.take(name);
        }
    }

    /// For API 1.0, which never had a whitelist.
    pub(crate) fn pass_over_unknown(&mut self) {
        self.fields.clear();
    }

    fn whitelist(&mut self, tolerated: &[&str]) {
        let unknown: Vec<String> =
            self.fields.keys().filter(|name| !tolerated.contains(&name.as_str())).cloned().collect();
        for name in unknown {
            let field = format!("property {}{}", self.path, echo(&name));
            self.violations.push(Violation { field, problem: "should not exist".to_owned() });
        }
    }

    /// What has been read, unless anything was wrong or unknown.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.whitelist(if self.from_query { TOLERATED_IN_QUERIES } else { &[] });
        if self.violations.is_empty() { Ok(()) } else { Err(Error::Invalid(self.violations)) }
    }
}

/// `20`, `20.0` and `2e1` are the whole number 20.
fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(number) = number.as_i64() {
        return Some(number);
    }
    let number = number.as_f64()?;
    #[expect(clippy::float_cmp, reason = "exactly whole, or not")]
    let is_whole = number.trunc() == number && number.abs() <= 9_007_199_254_740_991.0;
    is_whole.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reader(value: &Value) -> Reader {
        Reader::body(value.as_object().unwrap().clone())
    }

    fn problems(outcome: Result<(), Error>) -> Vec<String> {
        match outcome {
            Err(Error::Invalid(violations)) => {
                violations.into_iter().map(|violation| format!("{} {}", violation.field, violation.problem)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_violation_is_reported_at_once() {
        let mut reader = reader(&json!({"a": 1, "b": "x", "n": 5.5, "o": {"inner": 1, "more": 2}, "extra": 1}));
        assert_eq!(reader.text("a"), None);
        assert_eq!(reader.truth("b"), None);
        assert_eq!(reader.integer("n", 0..=9), None);
        reader.object("o", |inner| inner.text("inner"));
        assert_eq!(reader.required("gone", |reader| reader.text("gone")), None);
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
    fn empty_and_null_are_absent_and_whole_numbers_have_many_spellings() {
        let mut reader = reader(&json!({"phone": "", "due": null, "a": 20.0, "b": 2e1, "city": " "}));
        assert_eq!(reader.text("phone"), None);
        assert_eq!(reader.instant("due"), None);
        assert_eq!(reader.integer("a", 1..=100), Some(20));
        assert_eq!(reader.integer("b", 1..=100), Some(20));
        assert_eq!(reader.clearable("city", |text| Ok(text.to_owned())), Some(None));
        assert!(reader.finish().is_ok());

        let mut query =
            Reader::query(json!({"limit": "20.0", "flag": "true", "page": "2"}).as_object().unwrap().clone());
        assert_eq!(query.integer("limit", 1..=100), Some(20));
        assert_eq!(query.truth("flag"), Some(true));
        assert!(query.finish().is_ok(), "page is tolerated");
    }
}
