//! Reading fields out of a JSON object or a query, reporting every violation at once.
//!
//! Whoever reads asks for each field by name; what nobody asked for is a violation too (the contract's whitelist). An
//! empty text and null mean absent, as real clients send them: typed ones send null for whatever nobody set, so that what is to
//! be taken away must be named (`clear`).

use keystead_core::{Error, Violation};
use keystead_model::{
    Invalid, UtcMs,
    text::{TimeZoneName, echo},
    time::Moment,
};
use serde_json::{Map, Value};

/// Fields that are being read.
pub(crate) struct Reader {
    fields: Map<String, Value>,
    asked: Vec<&'static str>,
    violations: Vec<Violation>,
    /// How many more there are than are listed.
    unlisted: usize,
    /// In a query everything is text, so numbers and truths are read from text too.
    from_query: bool,
    /// What stands before a field's name in messages: `dndSettings.`.
    path: String,
    /// Of an update: the fields that are to be emptied, as far as nobody has asked for them yet.
    clear: Vec<String>,
    /// Fields that can be emptied so.
    clearable: Vec<&'static str>,
}

/// Violations that are listed; of more than that only the number is told.
const LISTED: usize = 50;

/// What every query may have, also where the contract does not name it and it changes nothing.
const TOLERATED_IN_QUERIES: &[&str] = &["locationId", "limit", "order", "sortBy", "sort"];
/// What leads further into a list. Where there is no list there is nowhere to go; a list must follow it or refuse it.
pub(crate) const PLACES: &[&str] = &["skip", "page"];
/// Longest value of `clear`.
const MAX_CLEAR: usize = 100;

/// A number below is a time in seconds: as milliseconds it would be before March 1973.
const SECONDS: i64 = 100_000_000_000;
const NO_DATE: &str = "must be a valid ISO 8601 date string";

impl Reader {
    pub(crate) fn body(fields: Map<String, Value>) -> Self {
        Self {
            fields,
            asked: Vec::new(),
            violations: Vec::new(),
            unlisted: 0,
            from_query: false,
            path: String::new(),
            clear: Vec::new(),
            clearable: Vec::new(),
        }
    }

    /// The body of an update, which may name fields in `clear` that are to be emptied.
    pub(crate) fn update(fields: Map<String, Value>) -> Self {
        let mut reader = Self::body(fields);
        reader.clear = reader.texts("clear", MAX_CLEAR).unwrap_or_default();
        reader
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
            Some(value) if has_nul(&value) => self.refuse(name, "must not contain NUL characters"),
            some => some,
        }
    }

    pub(crate) fn violate(&mut self, name: &str, problem: impl Into<String>) {
        self.list_violation(|path| Violation { field: format!("{path}{name}"), problem: problem.into() });
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

    /// Whether an update names the field in `clear`. Naming it and giving it a value is a contradiction.
    fn is_cleared(&mut self, name: &'static str) -> bool {
        self.clearable.push(name);
        let named = self.clear.len();
        self.clear.retain(|cleared| cleared != name);
        let is_cleared = self.clear.len() < named;
        if is_cleared && self.take(name).is_some() {
            self.violate(name, "must not have a value and stand in clear");
        }
        is_cleared
    }

    /// A value that an update can take away, by naming it in `clear`: `Some(None)` takes it away.
    pub(crate) fn removable<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.is_cleared(name) { Some(None) } else { read(self).map(Some) }
    }

    /// The same for fields of ours, which null takes away, too: no client sends null for what it does not know.
    pub(crate) fn nullable<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        let is_null = self.fields.get(name).is_some_and(Value::is_null);
        self.removable(name, read).or(is_null.then_some(None))
    }

    /// A text with a rule that an update empties by an empty text, or by naming it in `clear`: `Some(None)` empties it.
    pub(crate) fn clearable<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        if let Some(Value::String(text)) = self.fields.get(name)
            && text.trim().is_empty()
        {
            self.take(name);
            self.is_cleared(name);
            return Some(None);
        }
        self.removable(name, |reader| reader.parse(name, parse))
    }

    /// Something that must be there.
    pub(crate) fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.violation_count();
        let value = read(self);
        if value.is_none() && self.violation_count() == before {
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

    /// A point in time: ISO 8601, with or without a zone, or milliseconds since 1970.
    pub(crate) fn moment(&mut self, name: &'static str) -> Option<Moment> {
        let milliseconds = |number: Option<i64>| {
            number.map(|number| Moment::Instant(UtcMs(number))).ok_or_else(|| Invalid::new(NO_DATE))
        };
        let moment = match self.take(name)? {
            // Queries carry cursors as text.
            Value::String(text) if self.from_query && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                milliseconds(text.parse().ok())
            }
            Value::String(text) => Moment::parse(&text),
            Value::Number(number) => match whole(&number) {
                // Nothing is due in 1970, and no cursor leads there.
                Some(seconds) if (1..SECONDS).contains(&seconds) => {
                    Err(Invalid::new("must be in milliseconds since 1970; this looks like seconds"))
                }
                number => milliseconds(number),
            },
            _ => Err(Invalid::new(NO_DATE)),
        };
        let years = UtcMs(0)..=UtcMs::MAX;
        match moment {
            Ok(moment) if years.contains(&moment.start(&TimeZoneName::utc())) => Some(moment),
            Ok(_) => self.refuse(name, NO_DATE),
            Err(Invalid(problem)) => self.refuse(name, problem),
        }
    }

    /// A cursor: milliseconds since 1970, or the same instant as ISO 8601.
    pub(crate) fn instant(&mut self, name: &'static str) -> Option<UtcMs> {
        self.moment(name).map(|moment| moment.start(&TimeZoneName::utc()))
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
                for violation in inner.violations {
                    self.list_violation(|_| violation);
                }
                self.unlisted += inner.unlisted;
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

    /// The part of a list that is asked for by `limit`, and `skip` or `page`; all of it where nothing is.
    pub(crate) fn slice(&mut self) -> Slice {
        let limit = self.integer("limit", 1..=i64::MAX);
        let page = self.integer("page", 1..=i64::MAX).unwrap_or(1);
        let skip = self.integer("skip", 0..=i64::MAX);
        let skip = skip.unwrap_or_else(|| limit.map_or(0, |limit| limit.saturating_mul(page - 1)));
        let whole = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        Slice { skip: whole(skip), limit: limit.map_or(usize::MAX, whole) }
    }

    /// For lists that are read by their cursor only.
    pub(crate) fn no_places(&mut self) {
        // Many clients name the first page, too.
        for (name, first) in PLACES.iter().copied().zip(["0", "1"]) {
            if self.take(name).is_some_and(|place| place != first) {
                self.violate(name, "does not lead through this list; go on with cursor, which is its nextCursor");
            }
        }
    }

    fn whitelist(&mut self, tolerated: &[&str]) {
        for (name, _) in std::mem::take(&mut self.fields) {
            if !tolerated.contains(&name.as_str()) {
                self.list_violation(|path| Violation {
                    field: format!("property {path}{}", echo(&name)),
                    problem: "should not exist".to_owned(),
                });
            }
        }
    }

    /// What has been read, unless anything was wrong or unknown.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.whitelist(if self.from_query { TOLERATED_IN_QUERIES } else { &[] });
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
        if self.violations.is_empty() { Ok(()) } else { Err(Error::Invalid(self.violations)) }
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

/// A part of a list.
pub(crate) struct Slice {
    skip: usize,
    limit: usize,
}

impl Slice {
    /// The part of `rows`.
    pub(crate) fn of<T>(&self, rows: Vec<T>) -> impl Iterator<Item = T> {
        rows.into_iter().skip(self.skip).take(self.limit)
    }

    /// Rows to pass over and rows to read, at most `most`, for lists that are cut by the database.
    pub(crate) fn window(&self, most: i64) -> (i64, i64) {
        let number = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        (number(self.skip), number(self.limit).min(most))
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
    fn of_many_violations_only_the_first_are_listed() {
        let extra: Map<String, Value> = (0..1000).map(|number| (format!("x{number}"), json!(1))).collect();
        let inner = json!({"o": extra, "n": 1});
        let mut reader = reader(&inner);
        reader.object("o", |_| ());
        assert_eq!(reader.required("gone", |reader| reader.text("gone")), None);
        let problems = problems(reader.finish());
        assert_eq!(problems.len(), 51);
        assert_eq!(problems[0], "property o.x0 should not exist");
        assert_eq!(problems[50], "952 more violations are not listed");
    }

    #[test]
    fn nul_is_in_no_text() {
        let mut reader = reader(&json!({"a": "x\u{0}", "b": ["\u{0}"], "c": [{"id": "\u{0}"}], "d": {"\u{0}": 1}}));
        reader.text("a");
        reader.texts("b", 9);
        reader.list("c", 9);
        reader.object("d", |_| ());
        let all = ["a", "b", "c", "d"].map(|name| format!("{name} must not contain NUL characters"));
        assert_eq!(problems(reader.finish()), all);
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
            Reader::query(json!({"limit": "20.0", "flag": "true", "order": "asc"}).as_object().unwrap().clone());
        assert_eq!(query.integer("limit", 1..=100), Some(20));
        assert_eq!(query.truth("flag"), Some(true));
        assert!(query.finish().is_ok(), "order is tolerated");
    }

    #[test]
    fn what_is_to_be_emptied_is_named() {
        let body = json!({"clear": ["phone", "city", "id"], "email": null, "city": "", "state": ""});
        let mut reader = Reader::update(body.as_object().unwrap().clone());
        assert_eq!(reader.removable("phone", |reader| reader.text("phone")), Some(None));
        assert_eq!(reader.removable("email", |reader| reader.text("email")), None);
        assert_eq!(reader.clearable("city", |text| Ok(text.to_owned())), Some(None));
        assert_eq!(reader.clearable("state", |text| Ok(text.to_owned())), Some(None));
        assert_eq!(
            problems(reader.finish()),
            ["clear has id, which cannot be cleared; it may name phone, email, city, state"]
        );
        let body = json!({"clear": "phone", "phone": "1"});
        let mut reader = Reader::update(body.as_object().unwrap().clone());
        reader.removable("phone", |reader| reader.text("phone"));
        assert_eq!(problems(reader.finish()), ["phone must not have a value and stand in clear"]);
        let mut reader = Reader::body(json!({"clear": ["phone"]}).as_object().unwrap().clone());
        reader.removable("phone", |reader| reader.text("phone"));
        assert_eq!(problems(reader.finish()), ["property clear should not exist"]);
    }

    #[test]
    fn a_list_follows_what_leads_further_or_refuses_it() {
        let query = |value: Value| Reader::query(value.as_object().unwrap().clone());
        let slice = |value: Value| query(value).slice().of((0..10).collect()).collect::<Vec<_>>();
        assert_eq!(slice(json!({})), (0..10).collect::<Vec<_>>());
        assert_eq!(slice(json!({"limit": "3", "skip": "4"})), [4, 5, 6]);
        assert_eq!(slice(json!({"limit": "4", "page": "3"})), [8, 9]);
        assert_eq!(slice(json!({"skip": "8"})), [8, 9]);
        assert!(problems(query(json!({"skip": "8"})).finish())[0].contains("skip"));
        let mut refusing = query(json!({"page": "2"}));
        refusing.no_places();
        assert!(problems(refusing.finish())[0].contains("cursor"));
    }
}
