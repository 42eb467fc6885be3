//! Filters as the contract writes them, and the condition that they are, over whatever noun. Whether a field is there is known only
//! with the custom fields of the location, so they are read in two steps: their form, then their meaning.

use keystead_core::{Error, ErrorCode, Violation};
use keystead_model::{
    Invalid, UtcMs,
    condition::{Condition, Kind, MAX_DEPTH, MAX_LISTED, MAX_TESTS, Op, Test, Value as Compared, value_of},
    phone::PhoneNumber,
    text::{Country, TimeZoneName, echo},
    time::{IN_SECONDS, Moment, looks_like_seconds},
};
use serde_json::{Map, Value, json};

use super::{CustomKinds, Searched, is_custom, snake};
use crate::reader::Reader;

/// Filters that have the right form, all of which must hold.
pub(crate) struct Filters {
    parts: Vec<Part>,
    country: Country,
    zone: TimeZoneName,
}

enum Part {
    Group { is_any: bool, parts: Vec<Part> },
    Filter { field: String, operator: String, value: Value, place: String },
}

impl Filters {
    /// `filters` of a body about `F`.
    pub(crate) fn read<F: Searched>(reader: &mut Reader<'_>) -> Self {
        let (country, zone) = (reader.ground().country(), reader.ground().zone().clone());
        let schema = json!({
            "type": "array",
            "items": {"type": "object"},
            "description": "Each {field, operator, value}, or {group: OR or AND, filters}. Operators are eq, not_eq, contains, \
                            not_contains, exists, not_exists and, of dates and numbers, range with gt, gte, lt or lte",
        });
        let mut reading = Reading { reader, tests: 0 };
        let parts = match reading.reader.any("filters", schema, F::filters_example()) {
            Some(list) => reading.parts(list, "filters", 1),
            None => Vec::new(),
        };
        Self { parts, country, zone }
    }

    /// Whether one asks for a custom field.
    pub(super) fn name_custom_fields(&self) -> bool {
        fn names_some(parts: &[Part]) -> bool {
            parts.iter().any(|part| match part {
                Part::Group { parts, .. } => names_some(parts),
                Part::Filter { field, .. } => is_custom(field),
            })
        }
        names_some(&self.parts)
    }

    /// The condition, where the location has these custom fields.
    pub(crate) fn resolve<F: Searched>(&self, custom: &CustomKinds) -> Result<Condition<F>, Error> {
        let mut resolving = Resolving { filters: self, custom, violations: Vec::new(), fixes: Vec::new() };
        let parts = resolving.all(&self.parts)?;
        let Resolving { violations, fixes, .. } = resolving;
        match (violations.is_empty(), fixes.is_empty()) {
            (true, _) => Ok(Condition::All(parts)),
            (false, true) => Err(Error::Invalid(violations)),
            (false, false) => Err(Error::Unsuited(violations, fixes.join(" "))),
        }
    }
}

/// Looks at the form.
struct Reading<'r, 'g> {
    reader: &'r mut Reader<'g>,
    tests: usize,
}

impl Reading<'_, '_> {
    fn parts(&mut self, list: Value, place: &str, depth: usize) -> Vec<Part> {
        let Value::Array(list) = list else {
            self.reader.violate(place, "must be an array");
            return Vec::new();
        };
        if depth > MAX_DEPTH {
            self.reader.violate(place, format!("is deeper than {MAX_DEPTH}"));
            return Vec::new();
        }
        if depth > 1 && list.is_empty() {
            self.reader.violate(place, "should not be empty");
        }
        let parts = list.into_iter().enumerate();
        parts.filter_map(|(index, part)| self.part(part, &format!("{place}.{index}"), depth)).collect()
    }

    fn part(&mut self, part: Value, place: &str, depth: usize) -> Option<Part> {
        let Value::Object(mut part) = part else {
            self.reader.violate(place, "must be an object with field and operator, or group and filters");
            return None;
        };
        if let Some(parts) = part.remove("filters") {
            let is_any = match self.text(&mut part, "group", place)?.to_ascii_uppercase().as_str() {
                "OR" => true,
                "AND" => false,
                _ => {
                    self.reader.violate(&format!("{place}.group"), "must be OR or AND");
                    return None;
                }
            };
            self.whitelist(&part, place);
            return Some(Part::Group { is_any, parts: self.parts(parts, &format!("{place}.filters"), depth + 1) });
        }
        self.tests += 1;
        if self.tests == MAX_TESTS + 1 {
            self.reader
                .violate("filters", format!("must contain no more than {MAX_TESTS} filters, with those in groups"));
        }
        let value = part.remove("value").unwrap_or(Value::Null);
        self.value_beside(part.get("operator"), &value, place);
        let (field, operator) = (self.text(&mut part, "field", place), self.text(&mut part, "operator", place));
        self.whitelist(&part, place);
        Some(Part::Filter { field: field?, operator: operator?, value, place: format!("{place}.value") })
    }

    /// What asks whether there is anything compares with nothing: some clients send true or an empty text there, and whoever sends
    /// something else means something else.
    fn value_beside(&mut self, operator: Option<&Value>, value: &Value, place: &str) {
        let (operator, opposite) = match operator.and_then(Value::as_str) {
            Some("exists") => ("exists", "not_exists"),
            Some("not_exists") => ("not_exists", "exists"),
            _ => return,
        };
        let problem = match value {
            Value::Null | Value::Bool(true) => return,
            Value::String(text) if text.trim().is_empty() || text == "true" => return,
            Value::Bool(false) => format!("contradicts {operator}; say {opposite} instead"),
            Value::String(text) if text == "false" => format!("contradicts {operator}; say {opposite} instead"),
            _ => format!("should not exist; {operator} compares with nothing"),
        };
        self.reader.violate(&format!("{place}.value"), problem);
    }

    fn text(&mut self, part: &mut Map<String, Value>, name: &str, place: &str) -> Option<String> {
        match part.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
            None | Some(Value::Null | Value::String(_)) => {
                self.reader.violate(&format!("{place}.{name}"), "should not be empty");
                None
            }
            Some(_) => {
                self.reader.violate(&format!("{place}.{name}"), "must be a string");
                None
            }
        }
    }

    fn whitelist(&mut self, rest: &Map<String, Value>, place: &str) {
        for name in rest.keys() {
            self.reader.violate(&format!("property {place}.{}", echo(name)), "should not exist");
        }
    }
}

/// The refusal of a field that there is not, in the words that clients match.
pub(super) fn unknown(field: &str) -> Error {
    Error::Conflict(ErrorCode::FieldUnknown, format!("Invalid field {}", echo(&shown(field))))
}

fn shown(field: &str) -> String {
    if is_custom(field) { field.to_owned() } else { snake(field) }
}

/// Looks for the meaning.
struct Resolving<'f> {
    filters: &'f Filters,
    custom: &'f CustomKinds,
    violations: Vec<Violation>,
    /// Which operators would suit, one sentence for each field.
    fixes: Vec<String>,
}

/// The operators that suit a field of this kind.
const fn operators(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Text | Kind::Code => &["eq", "not_eq", "contains", "not_contains", "exists", "not_exists"],
        Kind::Number => &["eq", "not_eq", "range", "exists", "not_exists"],
        Kind::Date | Kind::Instant => &["range", "exists", "not_exists"],
        Kind::Truth => &["eq", "not_eq", "exists", "not_exists"],
    }
}

impl Resolving<'_> {
    fn all<F: Searched>(&mut self, parts: &[Part]) -> Result<Vec<Condition<F>>, Error> {
        parts.iter().map(|part| self.one(part)).collect()
    }

    fn one<F: Searched>(&mut self, part: &Part) -> Result<Condition<F>, Error> {
        match part {
            Part::Group { is_any: true, parts } => self.all(parts).map(Condition::Any),
            Part::Group { is_any: false, parts } => self.all(parts).map(Condition::All),
            Part::Filter { field, operator, value, place } => {
                let known = self.custom.field(field).ok_or_else(|| unknown(field))?;
                // What is wrong is noted, and the rest looked at.
                Ok(self.filter(known, (field, operator), value, place).unwrap_or_default())
            }
        }
    }

    /// What is negated holds also of what has nothing in the field: whoever wants all without a tag wants those without
    /// any, too.
    fn filter<F: Searched>(
        &mut self,
        field: F,
        (name, operator): (&str, &str),
        value: &Value,
        place: &str,
    ) -> Option<Condition<F>> {
        let operators = operators(field.kind());
        if !operators.contains(&operator) {
            let name = echo(&shown(name));
            let fix = format!("{name} takes {}.", operators.join(", "));
            if !self.fixes.contains(&fix) {
                self.fixes.push(fix);
            }
            return self.violate(&format!("Invalid Operator ({})", echo(operator)), format!("passed for field {name}"));
        }
        let test = |op| Condition::Test(Test { field, op });
        let negated = |part| Condition::Not(Box::new(part));
        match operator {
            "exists" => Some(test(Op::Exists)),
            "not_exists" => Some(test(Op::NotExists)),
            "eq" => self.values(field, value, place).map(|values| test(Op::In(values))),
            "not_eq" => self.values(field, value, place).map(|values| negated(test(Op::In(values)))),
            "range" => self.range(field, value, place),
            _ => {
                let values = self.values(field, value, place)?;
                let parts = values.into_iter().flat_map(|value| field.parts(value));
                let any = Condition::Any(parts.map(|part| test(Op::Contains(part))).collect());
                Some(if operator == "contains" { any } else { negated(any) })
            }
        }
    }

    fn violate<T>(&mut self, place: &str, problem: impl Into<String>) -> Option<T> {
        self.violations.push(Violation { field: place.to_owned(), problem: problem.into() });
        None
    }

    /// One value, or several of which one must suit.
    fn values<F: Searched>(&mut self, field: F, value: &Value, place: &str) -> Option<Vec<Compared>> {
        let list = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        if !(1..=MAX_LISTED).contains(&list.len()) {
            return self.violate(place, format!("must have 1 to {MAX_LISTED} values"));
        }
        let values: Vec<Option<Compared>> = list.iter().map(|value| self.value(field, value, place)).collect();
        values.into_iter().collect()
    }

    fn value<F: Searched>(&mut self, field: F, value: &Value, place: &str) -> Option<Compared> {
        let value = match (field.kind(), value) {
            // Clients send whole numbers for phones and codes, and truths as texts.
            (Kind::Text | Kind::Code, Value::Number(number)) => Value::String(number.to_string()),
            (Kind::Truth, Value::String(text)) if text == "true" || text == "false" => Value::Bool(text == "true"),
            (_, value) => value.clone(),
        };
        if let Some(text) = value.as_str().filter(|_| field.is_phone())
            && let Ok(phone) = PhoneNumber::parse(text, self.filters.country)
        {
            return Compared::code(phone.as_str());
        }
        match value_of(&field, &value, "") {
            Ok(value) => Some(value),
            Err(Invalid(problem)) => self.violate(place, problem),
        }
    }

    fn range<F: Searched>(&mut self, field: F, value: &Value, place: &str) -> Option<Condition<F>> {
        let Some(bounds) = value.as_object().filter(|bounds| !bounds.is_empty()) else {
            return self.violate(place, "must be an object with gt, gte, lt or lte");
        };
        let mut tests = Vec::new();
        for (name, bound) in bounds {
            let place = format!("{place}.{}", echo(name));
            let op: fn(Compared) -> Op = match name.as_str() {
                "gt" => Op::Gt,
                "gte" => Op::Gte,
                "lt" => Op::Lt,
                "lte" => Op::Lte,
                _ => {
                    self.violate::<()>(&place, "should not exist; a range has gt, gte, lt and lte");
                    continue;
                }
            };
            let bound = match field.kind() {
                Kind::Instant => self.moment(name, bound, &place).map(Compared::Instant),
                // A day may come as its first moment, as it is answered.
                Kind::Date => match bound.as_i64() {
                    Some(at) if looks_like_seconds(at) => self.violate(&place, IN_SECONDS),
                    Some(at) => self.value(field, &Value::String(UtcMs(at).to_day()), &place),
                    None => self.value(field, bound, &place),
                },
                _ => self.value(field, bound, &place),
            };
            tests.extend(bound.map(|bound| Condition::Test(Test { field, op: op(bound) })));
        }
        Some(Condition::All(tests))
    }

    /// Milliseconds, an instant, or a time or a day of the location: a range up to a day holds that day, and one after it does
    /// not.
    fn moment(&mut self, bound: &str, value: &Value, place: &str) -> Option<UtcMs> {
        let zone = &self.filters.zone;
        let at = match value {
            Value::String(text) => Moment::parse(text).ok().map(|moment| match bound {
                "gt" | "lte" => moment.last(zone),
                _ => moment.start(zone),
            }),
            value if value.as_i64().is_some_and(looks_like_seconds) => {
                return self.violate(place, IN_SECONDS);
            }
            value => value.as_i64().map(UtcMs),
        };
        match at {
            Some(at) if (UtcMs(0)..=UtcMs::MAX).contains(&at) => Some(at),
            _ => self.violate(place, "must be milliseconds since 1970, or a date such as 2027-01-31T12:00:00Z"),
        }
    }
}
