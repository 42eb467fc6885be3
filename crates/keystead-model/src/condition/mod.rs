//! Conditions: what must hold of a thing, in one grammar for whoever filters, branches or shows by one.
//!
//! A condition knows nothing of what it is about. Whoever has one says which fields there are ([`Field`]) and what they hold
//! ([`Facts`]); [`Condition::evaluate`] answers whether it holds, and why.

mod evaluate;
mod json;
mod value;

pub(crate) use self::value::plain;
pub use self::{
    evaluate::{Facts, Step, Trace},
    json::{MAX_DEPTH, MAX_LISTED, MAX_TESTS, MAX_TEXT, value_of},
    value::{ComparedText, Date, Kind, Value},
};

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition<F> {
    /// All of these; of none, it holds.
    All(Vec<Condition<F>>),
    /// One of these; of none, it does not hold.
    Any(Vec<Condition<F>>),
    /// The opposite of this.
    Not(Box<Condition<F>>),
    /// What is asked of one field.
    Test(Test<F>),
}

/// Holds of everything.
impl<F> Default for Condition<F> {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl<F> Condition<F> {
    /// All of these, the parts of those that are lists of what must hold side by side.
    pub fn flat(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition {
                Self::All(inner) => parts.extend(inner),
                part => parts.push(part),
            }
        }
        Self::All(parts)
    }
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test<F> {
    /// The field.
    pub field: F,
    /// What is asked.
    pub op: Op,
}

/// What can be asked of a field. A field may hold several values: then one of them must suit, or with [`Op::NotEq`] and
/// [`Op::NotContains`] none. Of a field that holds nothing, only [`Op::NotExists`] is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// It holds something.
    Exists,
    /// It holds nothing.
    NotExists,
    /// It is this.
    Eq(Value),
    /// It is something else.
    NotEq(Value),
    /// It is one of these.
    In(Vec<Value>),
    /// This is a part of it.
    Contains(Value),
    /// It is something that this is no part of.
    NotContains(Value),
    /// It begins so.
    Begins(Value),
    /// It is greater, or later.
    Gt(Value),
    /// It is greater, or later, or this.
    Gte(Value),
    /// It is smaller, or earlier.
    Lt(Value),
    /// It is smaller, or earlier, or this.
    Lte(Value),
}

impl Op {
    /// All names, in the order in which an error lists them.
    pub(crate) const NAMES: [&'static str; 12] =
        ["eq", "not_eq", "in", "contains", "not_contains", "begins", "gt", "gte", "lt", "lte", "exists", "not_exists"];

    /// Its name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::NotExists => "not_exists",
            Self::Eq(_) => "eq",
            Self::NotEq(_) => "not_eq",
            Self::In(_) => "in",
            Self::Contains(_) => "contains",
            Self::NotContains(_) => "not_contains",
            Self::Begins(_) => "begins",
            Self::Gt(_) => "gt",
            Self::Gte(_) => "gte",
            Self::Lt(_) => "lt",
            Self::Lte(_) => "lte",
        }
    }
}

/// A field that conditions of some noun may ask for.
pub trait Field {
    /// Its name in JSON.
    fn name(&self) -> String;

    /// What it holds.
    fn kind(&self) -> Kind;

    /// Whether its texts are so long that an order looks at their beginnings alone, see [`crate::sort::LONG`].
    fn is_long(&self) -> bool {
        false
    }

    /// How a code of it is compared, for those that have a spelling of their own.
    fn compared(&self, text: &str) -> String {
        text.to_owned()
    }

    /// The forms in which a part of it may stand in what is compared, for those that have several.
    fn parts(&self, part: Value) -> Vec<Value> {
        vec![part]
    }
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
