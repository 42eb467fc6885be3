//! Conditions as JSON: `{"all": […]}`, `{"any": […]}`, `{"not": {…}}` and `{"field": …, "op": …, "value": …}`.

use serde_json::{Map, Value as Json, json};

use super::{Condition, Field, Kind, Op, Test, Value};
use crate::{Invalid, UtcMs, calendar_date::CalendarDate, decimal::Decimal, text::echo};

/// How deep a condition may go.
pub const MAX_DEPTH: usize = 8;
/// Tests in one condition.
pub const MAX_TESTS: usize = 100;
/// Values that one test may name.
pub const MAX_LISTED: usize = 100;
/// Characters of a text that a test compares with, in the form that is compared.
pub const MAX_TEXT: usize = 500;
/// Digits that a JSON number keeps on every way here.
const MAX_DIGITS: usize = 15;

impl<F: Field> Condition<F> {
    /// Reads a condition over the fields that `known` finds by their names. An error says where in it something is wrong.
    pub fn read(json: &Json, known: &dyn Fn(&str) -> Option<F>) -> Result<Self, Invalid> {
        let mut reading = Reading { known, tests: 0 };
        reading.condition(json, "", 1)
    }

    /// As [`Condition::read`] reads it.
    pub fn to_json(&self) -> Json {
        let list = |parts: &[Self]| parts.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::All(parts) => json!({"all": list(parts)}),
            Self::Any(parts) => json!({"any": list(parts)}),
            Self::Not(part) => json!({"not": part.to_json()}),
            Self::Test(Test { field, op }) => {
                let mut test = json!({"field": field.name(), "op": op.name()});
                match op {
                    Op::Exists | Op::NotExists => {}
                    Op::In(values) => test["value"] = values.iter().map(written).collect(),
                    Op::Eq(value)
                    | Op::NotEq(value)
                    | Op::Contains(value)
                    | Op::NotContains(value)
                    | Op::Begins(value)
                    | Op::Gt(value)
                    | Op::Gte(value)
                    | Op::Lt(value)
                    | Op::Lte(value) => test["value"] = written(value),
                }
                test
            }
        }
    }
}

fn written(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text.as_str()),
        Value::Code(text) => json!(text),
        Value::Number(number) => json!(number.to_string()),
        Value::Date(date) => json!(date.as_str()),
        Value::Instant(at) => json!(at.to_iso()),
        Value::Truth(truth) => json!(truth),
    }
}

struct Reading<'k, F> {
    known: &'k dyn Fn(&str) -> Option<F>,
    tests: usize,
}

/// What is wrong, and where.
fn wrong<T>(place: &str, problem: impl AsRef<str>) -> Result<T, Invalid> {
    let problem = problem.as_ref();
    Err(Invalid::new(if place.is_empty() { problem.to_owned() } else { format!("{place} {problem}") }))
}

fn inner(place: &str, name: impl std::fmt::Display) -> String {
    if place.is_empty() { name.to_string() } else { format!("{place}.{name}") }
}

impl<F: Field> Reading<'_, F> {
    fn condition(&mut self, json: &Json, place: &str, depth: usize) -> Result<Condition<F>, Invalid> {
        let Some(object) = json.as_object() else {
            return wrong(place, "must be an object with all, any, not, or field and op");
        };
        if depth > MAX_DEPTH {
            return wrong(place, format!("is deeper than {MAX_DEPTH}"));
        }
        if object.contains_key("field") {
            return self.test(object, place).map(Condition::Test);
        }
        let mut fields = object.iter();
        let (Some((name, part)), None) = (fields.next(), fields.next()) else {
            return wrong(place, "must have one of all, any, not, or field and op");
        };
        let place = inner(place, name);
        match name.as_str() {
            "all" => self.list(part, &place, depth).map(Condition::All),
            "any" => self.list(part, &place, depth).map(Condition::Any),
            "not" => self.condition(part, &place, depth + 1).map(|part| Condition::Not(Box::new(part))),
            other => {
                wrong("", format!("property {} should not exist; say all, any, not, or field and op", echo(other)))
            }
        }
    }

    fn list(&mut self, json: &Json, place: &str, depth: usize) -> Result<Vec<Condition<F>>, Invalid> {
        let Some(parts) = json.as_array() else { return wrong(place, "must be an array of conditions") };
        if parts.is_empty() {
            return wrong(place, "should not be empty");
        }
        let parts = parts.iter().enumerate();
        parts.map(|(index, part)| self.condition(part, &inner(place, index), depth + 1)).collect()
    }

    fn test(&mut self, object: &Map<String, Json>, place: &str) -> Result<Test<F>, Invalid> {
        self.tests += 1;
        if self.tests > MAX_TESTS {
            return wrong(place, format!("is one test too many; {MAX_TESTS} may be made"));
        }
        if let Some(other) = object.keys().find(|name| !["field", "op", "value"].contains(&name.as_str())) {
            return wrong(place, format!("property {} should not exist; a test has field, op and value", echo(other)));
        }
        let text = |name: &str| match object.get(name).and_then(Json::as_str) {
            Some(text) => Ok(text),
            None => wrong(&inner(place, name), "must be a string"),
        };
        let (name, op) = (text("field")?, text("op")?);
        let Some(field) = (self.known)(name) else {
            return wrong(&inner(place, "field"), format!("names nothing that is known here: {}", echo(name)));
        };
        let ops = field.kind().ops();
        if !(ops.contains(&op) || ["exists", "not_exists"].contains(&op)) {
            let known: Vec<&str> =
                Op::NAMES.into_iter().filter(|name| ops.contains(name) || name.ends_with("exists")).collect();
            return wrong(&inner(place, "op"), format!("must be one of {} for {}", known.join(", "), echo(name)));
        }
        let (place, value) = (inner(place, "value"), object.get("value"));
        let one = |make: fn(Value) -> Op| match value {
            Some(json) => value_of(&field, json, &place).map(make),
            None => wrong(&place, format!("is missing; {op} compares with it")),
        };
        let op = match op {
            "exists" | "not_exists" if value.is_some_and(|value| !value.is_null()) => {
                return wrong(&place, format!("should not exist; {op} compares with nothing"));
            }
            "exists" => Op::Exists,
            "not_exists" => Op::NotExists,
            "in" => Op::In(listed(&field, value, &place)?),
            "eq" => one(Op::Eq)?,
            "not_eq" => one(Op::NotEq)?,
            "contains" => one(Op::Contains)?,
            "not_contains" => one(Op::NotContains)?,
            "begins" => one(Op::Begins)?,
            "gt" => one(Op::Gt)?,
            "gte" => one(Op::Gte)?,
            "lt" => one(Op::Lt)?,
            _ => one(Op::Lte)?,
        };
        Ok(Test { field, op })
    }
}

fn listed<F: Field>(field: &F, json: Option<&Json>, place: &str) -> Result<Vec<Value>, Invalid> {
    let Some(values) = json.and_then(Json::as_array) else { return wrong(place, "must be an array of values") };
    if !(1..=MAX_LISTED).contains(&values.len()) {
        return wrong(place, format!("must have 1 to {MAX_LISTED} values"));
    }
    values.iter().enumerate().map(|(index, value)| value_of(field, value, &inner(place, index))).collect()
}

/// Reads a value in the form in which `field` is compared. An error begins with `place`, unless that is empty.
pub fn value_of<F: Field>(field: &F, json: &Json, place: &str) -> Result<Value, Invalid> {
    let text = || match json.as_str() {
        Some(text) => Ok(text),
        None => wrong(place, "must be a string"),
    };
    // What is compared may be longer than what was sent, and is what is written and read again.
    let some = |sent: &str, value: Option<Value>| match value {
        Some(value) if value.length() <= MAX_TEXT => Ok(value),
        Some(_) if sent.chars().count() <= MAX_TEXT => {
            wrong(place, format!("must be shorter than or equal to {MAX_TEXT} characters, where ß counts as ss"))
        }
        Some(_) => wrong(place, format!("must be shorter than or equal to {MAX_TEXT} characters")),
        None => wrong(place, "should not be empty; exists and not_exists ask whether there is anything"),
    };
    match field.kind() {
        Kind::Text => text().and_then(|text| some(text, Value::text(text))),
        Kind::Code => text().and_then(|text| some(text, Value::code(field.compared(text)))),
        Kind::Number => match number(json) {
            Ok(number) => Ok(Value::Number(number)),
            Err(Invalid(problem)) => wrong(place, problem),
        },
        Kind::Date => match CalendarDate::parse(text()?) {
            Ok(date) => Ok(Value::Date(date.into())),
            Err(Invalid(problem)) => wrong(place, problem),
        },
        Kind::Instant => match json.as_i64().map(UtcMs).or_else(|| json.as_str().and_then(UtcMs::read_iso)) {
            Some(at) if (UtcMs::MIN..=UtcMs::MAX).contains(&at) => Ok(Value::Instant(at)),
            Some(_) => wrong(place, "must be within the years 0 to 9999"),
            None => wrong(place, "must be milliseconds since 1970, or an instant such as 2027-01-31T12:00:00Z"),
        },
        Kind::Truth => match json.as_bool() {
            Some(truth) => Ok(Value::Truth(truth)),
            None => wrong(place, "must be true or false"),
        },
    }
}

/// A number, or its text: a JSON number of more digits would not be what was sent.
fn number(json: &Json) -> Result<Decimal, Invalid> {
    match json {
        Json::String(text) => Decimal::parse(text),
        Json::Number(number) => {
            // Without an exponent, and without zeros that were not sent.
            let text =
                number.as_f64().filter(|_| number.is_f64()).map_or_else(|| number.to_string(), |n| n.to_string());
            let significant = text.trim_matches(['-', '0', '.']);
            if number.is_f64() && significant.bytes().filter(u8::is_ascii_digit).count() > MAX_DIGITS {
                return Err(Invalid::new(format!("has more than {MAX_DIGITS} digits; send it as a string")));
            }
            Decimal::parse(&text)
        }
        _ => Err(Invalid::new("must be a number")),
    }
}
