//! Whether a condition holds, and why.

use std::cmp::Ordering;

use super::{Condition, Op, Test, Value};

/// What the fields of a thing hold.
pub trait Facts<F> {
    /// The values of a field; none if it is missing.
    fn values(&self, field: &F) -> Vec<Value>;
}

/// Whether a part of a condition held, and what of it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace<'c, F> {
    /// Whether it held.
    pub holds: bool,
    /// What it was.
    pub step: Step<'c, F>,
}

/// A part of a condition, as it was evaluated. Every part is, also where the others had decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'c, F> {
    /// See [`Condition::All`].
    All(Vec<Trace<'c, F>>),
    /// See [`Condition::Any`].
    Any(Vec<Trace<'c, F>>),
    /// See [`Condition::Not`].
    Not(Box<Trace<'c, F>>),
    /// A test, and what the field held.
    Test(&'c Test<F>, Vec<Value>),
}

impl<F> Condition<F> {
    /// Whether it holds of `facts`, and why.
    pub fn evaluate(&self, facts: &impl Facts<F>) -> Trace<'_, F> {
        let (holds, step) = match self {
            Self::All(all) => {
                let traces = parts(all, facts);
                (traces.iter().all(|trace| trace.holds), Step::All(traces))
            }
            Self::Any(any) => {
                let traces = parts(any, facts);
                (traces.iter().any(|trace| trace.holds), Step::Any(traces))
            }
            Self::Not(part) => {
                let trace = part.evaluate(facts);
                (!trace.holds, Step::Not(Box::new(trace)))
            }
            Self::Test(test) => {
                let found = facts.values(&test.field);
                (test.op.holds(&found), Step::Test(test, found))
            }
        };
        Trace { holds, step }
    }
}

fn parts<'c, F>(parts: &'c [Condition<F>], facts: &impl Facts<F>) -> Vec<Trace<'c, F>> {
    parts.iter().map(|part| part.evaluate(facts)).collect()
}

impl Op {
    /// Whether it is true of a field that holds `found`.
    fn holds(&self, found: &[Value]) -> bool {
        let is = |orders: &[Ordering], value: &Value| {
            found.iter().any(|found| found.order(value).is_some_and(|order| orders.contains(&order)))
        };
        match self {
            Self::NotExists => found.is_empty(),
            Self::Exists => !found.is_empty(),
            Self::Eq(value) => found.contains(value),
            Self::NotEq(value) => !found.is_empty() && !found.contains(value),
            Self::In(values) => found.iter().any(|found| values.contains(found)),
            Self::Contains(part) => found.iter().any(|found| found.contains(part)),
            Self::NotContains(part) => !found.is_empty() && !found.iter().any(|found| found.contains(part)),
            Self::Begins(part) => found
                .iter()
                .any(|found| matches!((found.as_str(), part.as_str()), (Some(a), Some(b)) if a.starts_with(b))),
            Self::Gt(value) => is(&[Ordering::Greater], value),
            Self::Gte(value) => is(&[Ordering::Greater, Ordering::Equal], value),
            Self::Lt(value) => is(&[Ordering::Less], value),
            Self::Lte(value) => is(&[Ordering::Less, Ordering::Equal], value),
        }
    }
}

impl Value {
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            Self::Code(text) => Some(text),
            Self::Number(_) | Self::Date(_) | Self::Instant(_) | Self::Truth(_) => None,
        }
    }

    fn contains(&self, part: &Self) -> bool {
        matches!((self.as_str(), part.as_str()), (Some(text), Some(part)) if text.contains(part))
    }

    fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}
