//! Values on their way into a statement and out of a row, the same for both databases.

use bytes::BytesMut;
use keystead_model::{ServiceMs, UtcMs, id::Id};
use postgres_types::{IsNull, Type, to_sql_checked};

use crate::{Error, Result};

/// A value to bind to a statement's `?n`.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// BOOLEAN.
    Bool(bool),
    /// TEXT.
    Text(&'a str),
    /// BYTEA or BLOB.
    Bytes(&'a [u8]),
}

impl Value<'_> {
    /// The same, to be kept.
    pub(crate) fn into_owned(self) -> OwnedValue {
        match self {
            Value::Null => OwnedValue::Null,
            Value::Int(number) => OwnedValue::Int(number),
            Value::Bool(truth) => OwnedValue::Bool(truth),
            Value::Text(text) => OwnedValue::Text(text.to_owned()),
            Value::Bytes(bytes) => OwnedValue::Bytes(bytes.to_vec()),
        }
    }
}

/// A [`Value`] that is kept.
#[derive(Clone, Debug)]
pub(crate) enum OwnedValue {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl postgres_types::ToSql for OwnedValue {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_value().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Value<'_> as postgres_types::ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

/// What can be bound.
pub trait ToValue {
    /// As a value.
    fn to_value(&self) -> Value<'_>;
}

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        *self
    }
}
impl ToValue for OwnedValue {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(*number),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}
impl ToValue for i64 {
    fn to_value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}
impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}
impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}
impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}
impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}
impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}
impl ToValue for UtcMs {
    fn to_value(&self) -> Value<'_> {
        Value::Int(self.0)
    }
}
impl ToValue for ServiceMs {
    fn to_value(&self) -> Value<'_> {
        Value::Int(self.0)
    }
}
impl<T> ToValue for Id<T> {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::KeyId {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl<const MAX: usize> ToValue for keystead_model::text::Line<MAX> {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl<const MAX: usize> ToValue for keystead_model::text::Prose<MAX> {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::tag::TagName {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::text::EmailAddress {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::text::Country {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::text::TimeZoneName {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::decimal::Decimal {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_stored())
    }
}
impl<const MAX: usize> ToValue for keystead_model::json_object::JsonObject<MAX> {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::publication::Publication {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::form::SubmissionState {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::recurrence::Unit {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::recurrence::Weekday {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::template::TemplateKind {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::saved_view::ViewedList {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::link::Destination {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::link::Slug {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::link::LinkStatus {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::link::FirePolicy {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::click::Verdict {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::inbound_webhook::ContactMapping {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::click::TokenSource {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::actor::Signature {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::uuid::Uuid {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl ToValue for keystead_model::condition::Value {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text.as_str()),
            Self::Code(text) => Value::Text(text),
            Self::Number(number) => number.to_value(),
            Self::Date(date) => Value::Text(date.as_str()),
            Self::Instant(at) => at.to_value(),
            Self::Truth(truth) => Value::Bool(*truth),
        }
    }
}
impl ToValue for keystead_model::phone::PhoneNumber {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}
impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}
impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Bool(truth) => ValueRef::Integer(i64::from(*truth)),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl postgres_types::ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(ty, out),
            (Self::Int(number), _) => number.to_sql(ty, out),
            (Self::Bool(truth), _) => truth.to_sql(ty, out),
            (Self::Text(text), _) => text.to_sql(ty, out),
            (Self::Bytes(bytes), _) => bytes.to_sql(ty, out),
        }
    }

    // The value's own type is known only when it is written, where a mismatch is refused by PostgreSQL.
    fn accepts(ty: &Type) -> bool {
        [Type::INT4, Type::INT8, Type::BOOL, Type::TEXT, Type::VARCHAR, Type::BYTEA, Type::UNKNOWN].contains(ty)
    }

    to_sql_checked!();
}

/// A value read from a row.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// An integer, and on SQLite a boolean.
    Int(i64),
    /// A boolean of PostgreSQL.
    Bool(bool),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What can be read from a row.
pub trait FromCell: Sized {
    /// From the cell; an unexpected type is an error.
    fn from_cell(cell: Cell<'_>) -> Result<Self>;
}

fn mismatch<T>(expected: &str, found: Cell<'_>) -> Result<T> {
    Err(Error::unreadable(match found {
        Cell::Text(_) | Cell::Bytes(_) => format!("expected {expected}, found text or bytes"),
        other => format!("expected {expected}, found {other:?}"),
    }))
}

impl FromCell for i64 {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Int(number) => Ok(number),
            other => mismatch("an integer", other),
        }
    }
}
impl FromCell for bool {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Bool(truth) => Ok(truth),
            Cell::Int(number) => Ok(number != 0),
            other => mismatch("a boolean", other),
        }
    }
}
impl FromCell for String {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Text(text) => Ok(text.to_owned()),
            other => mismatch("text", other),
        }
    }
}
impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Bytes(bytes) => Ok(bytes.to_vec()),
            other => mismatch("bytes", other),
        }
    }
}

impl<const N: usize> FromCell for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Bytes(bytes) => {
                bytes.try_into().map_err(|_| Error::unreadable(format!("expected {N} bytes, found {}", bytes.len())))
            }
            other => mismatch("bytes", other),
        }
    }
}
impl FromCell for UtcMs {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        i64::from_cell(cell).map(Self)
    }
}
impl FromCell for ServiceMs {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        i64::from_cell(cell).map(Self)
    }
}
impl<T> FromCell for Id<T> {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Text(text) => Self::parse(text).ok_or_else(|| Error::unreadable("a malformed id")),
            other => mismatch("an id", other),
        }
    }
}
impl FromCell for keystead_model::KeyId {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Text(text) => Self::parse(text).ok_or_else(|| Error::unreadable("a malformed key id")),
            other => mismatch("a key id", other),
        }
    }
}
impl<const MAX: usize> FromCell for keystead_model::text::Line<MAX> {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl<const MAX: usize> FromCell for keystead_model::text::Prose<MAX> {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::tag::TagName {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::text::EmailAddress {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::text::Country {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "a country", Self::from_stored)
    }
}
impl FromCell for keystead_model::text::TimeZoneName {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::phone::PhoneNumber {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::decimal::Decimal {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "a decimal number", Self::from_stored)
    }
}
impl<const MAX: usize> FromCell for keystead_model::json_object::JsonObject<MAX> {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::publication::Publication {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "status", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::form::SubmissionState {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "state of a submission", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::form::Handling {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "handling of a submission", Self::from_stored)
    }
}
impl FromCell for keystead_model::recurrence::Unit {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "unit of a rule", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::recurrence::Weekday {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "day of a week", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::template::TemplateKind {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "kind of a template", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::saved_view::ViewedList {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "list of a view", Self::parse)
    }
}
impl FromCell for keystead_model::link::Destination {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::link::Slug {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        String::from_cell(cell).map(Self::from_stored)
    }
}
impl FromCell for keystead_model::link::LinkStatus {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "status of a link", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::link::FirePolicy {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "how often a link starts something", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::click::Verdict {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "verdict of a click", Self::parse)
    }
}
impl FromCell for keystead_model::click::TokenSource {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "source of a personal link", Self::parse)
    }
}
impl FromCell for keystead_model::actor::Signature {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "whoever wrote something", Self::from_stored)
    }
}
impl FromCell for keystead_model::uuid::Uuid {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "a UUID", |text| Self::parse(text).ok())
    }
}
impl FromCell for keystead_model::calendar_date::CalendarDate {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        parsed(cell, "a date", |text| Self::parse(text).ok())
    }
}
impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Null => Ok(None),
            some => T::from_cell(some).map(Some),
        }
    }
}

fn parsed<T>(cell: Cell<'_>, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    match cell {
        Cell::Text(text) => parse(text).ok_or_else(|| Error::unreadable(format!("a stored value is no {expected}"))),
        other => mismatch(expected, other),
    }
}

/// A row of a result. Columns are read in the order in which the statement names them.
pub struct Row<'r> {
    source: Source<'r>,
    next: usize,
}

#[derive(Clone, Copy)]
enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Self { source: Source::Sqlite(row), next: 0 }
    }

    pub(crate) fn postgres(row: &'r tokio_postgres::Row) -> Self {
        Self { source: Source::Postgres(row), next: 0 }
    }

    /// The next column.
    pub fn column<T: FromCell>(&mut self) -> Result<T> {
        let cell = self.cell()?;
        self.next += 1;
        T::from_cell(cell).map_err(|error| match error {
            Error::Unreadable(what) => Error::Unreadable(format!("column {}: {what}", self.next)),
            other => other,
        })
    }

    /// Passes over columns that are not read.
    pub(crate) fn pass(&mut self, columns: usize) {
        self.next += columns;
    }

    fn cell(&self) -> Result<Cell<'r>> {
        match self.source {
            Source::Sqlite(row) => {
                use rusqlite::types::ValueRef;
                Ok(match row.get_ref(self.next)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(number) => Cell::Int(number),
                    ValueRef::Text(text) => {
                        Cell::Text(std::str::from_utf8(text).map_err(|_| Error::unreadable("text is not UTF-8"))?)
                    }
                    ValueRef::Blob(bytes) => Cell::Bytes(bytes),
                    ValueRef::Real(_) => return Err(Error::unreadable("a real number")),
                })
            }
            Source::Postgres(row) => {
                let column = row.columns().get(self.next).ok_or_else(|| Error::unreadable("too few columns"))?;
                let cell = match *column.type_() {
                    Type::INT8 => row.try_get::<_, Option<i64>>(self.next)?.map(Cell::Int),
                    Type::INT4 => row.try_get::<_, Option<i32>>(self.next)?.map(|number| Cell::Int(number.into())),
                    Type::BOOL => row.try_get::<_, Option<bool>>(self.next)?.map(Cell::Bool),
                    Type::TEXT | Type::VARCHAR => row.try_get::<_, Option<&str>>(self.next)?.map(Cell::Text),
                    Type::BYTEA => row.try_get::<_, Option<&[u8]>>(self.next)?.map(Cell::Bytes),
                    ref other => return Err(Error::unreadable(format!("the type {other}"))),
                };
                Ok(cell.unwrap_or(Cell::Null))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use keystead_model::{decimal::Decimal, uuid::Uuid};

    use super::*;
    use crate::Memory;

    fn read_again<T: ToValue + FromCell>(value: &T) -> Result<T> {
        let memory = Memory::open()?;
        memory.read(|tx| tx.query_one("SELECT CAST(?1 AS TEXT)", &[value], |row| row.column()))
    }

    #[test]
    fn numbers_and_ids_are_read_as_they_were_written() {
        let number = Decimal::parse("-12.5").unwrap();
        assert_eq!(read_again(&number).unwrap(), number);
        let id = Uuid::parse("01234567-89ab-cdef-0123-456789abcdef").unwrap();
        assert_eq!(read_again(&id).unwrap(), id);
        let memory = Memory::open().unwrap();
        for sql in ["SELECT '12.5'", "SELECT 12"] {
            assert!(memory.read(|tx| tx.query_one(sql, &[], |row| row.column::<Decimal>())).is_err(), "{sql}");
        }
    }
}
