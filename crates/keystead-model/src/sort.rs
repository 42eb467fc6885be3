//! Orders by what things hold in fields, whatever the noun, and places in them.

use serde_json::{Value as Json, json};

use crate::{
    UtcMs,
    calendar_date::CalendarDate,
    condition::{Facts, Field, Kind, Value},
    decimal::Decimal,
    page::TimeOrder,
};

/// Fields that one order has at most: as many as the wire contract's.
pub const MAX_KEYS: usize = 2;
/// Characters of a long text that an order looks at.
pub const LONG: usize = 64;

/// A field that things are ordered by. What holds nothing there comes last in either direction, and of several values the one counts
/// that comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey<F> {
    /// The field.
    pub field: F,
    /// Smallest first instead of greatest first.
    pub ascending: bool,
}

/// A place in such an order: what the thing before it holds in each field, and its id, which decides between things that hold the
/// same and goes the way of the last field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortPlace<I> {
    /// What it holds that is ordered by.
    pub values: Vec<Option<Value>>,
    /// Its id.
    pub id: I,
}

/// A field of what can be listed by time, too.
pub trait Timed: Field + Copy + PartialEq {
    /// The field of such an order.
    fn of(order: TimeOrder) -> Self;
}

/// The order by time that these keys are, and whether it begins with the oldest; `None` if they are another.
pub fn time_order<F: Timed>(keys: &[SortKey<F>]) -> Option<(TimeOrder, bool)> {
    let [SortKey { field, ascending }] = keys else { return None };
    let order = [TimeOrder::Created, TimeOrder::Updated].into_iter().find(|order| F::of(*order) == *field)?;
    Some((order, *ascending))
}

impl<F: Field> SortKey<F> {
    /// What of these facts the order looks at.
    pub fn value(&self, facts: &impl Facts<F>) -> Option<Value> {
        let values = facts.values(&self.field).into_iter();
        let values = values.map(|value| if self.field.is_long() { value.beginning(LONG) } else { value });
        if self.ascending { values.min_by(Value::in_order) } else { values.max_by(Value::in_order) }
    }

    /// A value of a place, as it is sent on: [`SortKey::parse`] reads it.
    pub fn to_json(value: Option<&Value>) -> Json {
        match value {
            None => Json::Null,
            Some(Value::Text(text)) => json!(text.as_str()),
            Some(Value::Code(text)) => json!(text),
            Some(Value::Number(number)) => json!(number.to_string()),
            Some(Value::Date(date)) => json!(date.as_str()),
            Some(Value::Instant(UtcMs(at))) => json!(at),
            Some(Value::Truth(truth)) => json!(truth),
        }
    }

    /// What was sent on; `None` if no thing holds such a value there. Texts are taken as they are, since they are in the form that is
    /// compared; a moment may be a text, too.
    pub fn parse(&self, json: &Json) -> Option<Option<Value>> {
        let value = match (self.field.kind(), json) {
            (_, Json::Null) => return Some(None),
            (Kind::Text | Kind::Code, Json::String(text)) => Value::Code(text.clone()),
            (Kind::Number, Json::String(text)) => Value::Number(Decimal::parse(text).ok()?),
            (Kind::Date, Json::String(text)) => Value::Date(CalendarDate::parse(text).ok()?.into()),
            (Kind::Truth, Json::Bool(truth)) => Value::Truth(*truth),
            (Kind::Instant, at) => {
                let at = UtcMs(at.as_i64().or_else(|| at.as_str()?.parse().ok())?);
                Value::Instant(Some(at).filter(|at| (UtcMs(0)..=UtcMs::MAX).contains(at))?)
            }
            _ => return None,
        };
        Some(Some(value))
    }
}
