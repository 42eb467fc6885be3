//! Custom fields: what a location has added to its contacts or opportunities, and the values of it.

use crate::{
    CustomFieldId,
    calendar_date::CalendarDate,
    condition::{self, Kind},
    decimal::Decimal,
};

/// A field that a location has added. Only its values are known yet.
#[derive(Debug)]
pub enum CustomField {}

/// What kind of thing has values of custom fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A contact.
    Contact,
    /// An opportunity.
    Opportunity,
}

impl OwnerKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Opportunity => "opportunity",
        }
    }
}

/// What kind of values a custom field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Text.
    Text,
    /// A number or an amount of money.
    Number,
    /// A day.
    Date,
}

impl ValueKind {
    /// As conditions see it.
    pub const fn compared(self) -> Kind {
        match self {
            Self::Text => Kind::Text,
            Self::Number => Kind::Number,
            Self::Date => Kind::Date,
        }
    }
}

/// A value of a custom field. What is chosen from a list is several values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// Text.
    Text(String),
    /// A number or an amount of money.
    Number(Decimal),
    /// A day.
    Date(CalendarDate),
}

impl FieldValue {
    /// In the form that is compared; `None` if nothing of a text is left.
    pub fn compared(&self) -> Option<condition::Value> {
        match self {
            Self::Text(text) => condition::Value::text(text),
            Self::Number(number) => Some(condition::Value::Number(*number)),
            Self::Date(date) => Some(condition::Value::Date((*date).into())),
        }
    }
}

/// What somebody has in a custom field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValues {
    /// The field.
    pub field: CustomFieldId,
    /// Its values in their order.
    pub values: Vec<FieldValue>,
}
