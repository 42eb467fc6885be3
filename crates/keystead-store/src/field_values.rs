//! Values of custom fields, of whatever has some.

use std::collections::HashMap;

use keystead_model::{
    CustomFieldId, LocationId,
    condition::ComparedText,
    custom_field::{FieldValue, FieldValues, OwnerKind, ValueKind},
    id::Id,
};

use crate::{
    Error, Result, Row, Tx,
    condition::{Column, Rows},
    filter::Filter,
    table::Table,
};

static FIELD_VALUES: Table =
    Table::new("field_values", &["location_id", "owner_kind", "owner_id", "field_id", "position"]);

/// Characters of a text that are indexed, see the migration.
pub(crate) const INDEXED: usize = 64;

/// Replaces what an owner has in a field; without values it has nothing there.
pub fn replace<T>(
    tx: &mut Tx<'_>,
    location: LocationId,
    (kind, owner): (OwnerKind, Id<T>),
    FieldValues { field, values }: &FieldValues,
) -> Result<()> {
    tx.later(
        "DELETE FROM field_values WHERE location_id = ?1 AND owner_kind = ?2 AND owner_id = ?3 AND field_id = ?4",
        &[&location, &kind.as_str(), &owner, field],
    )?;
    for (position, value) in (0i64..).zip(values) {
        let (text, number, date) = match value {
            FieldValue::Text(text) => (Some(text), None, None),
            FieldValue::Number(number) => (None, Some(number), None),
            FieldValue::Date(date) => (None, None, Some(date.to_iso())),
        };
        let folded = text.and_then(|text| ComparedText::of(text));
        FIELD_VALUES.insert(
            tx,
            &[
                ("location_id", &location),
                ("owner_kind", &kind.as_str()),
                ("owner_id", &owner),
                ("field_id", field),
                ("position", &position),
                ("text", &text),
                ("folded", &folded.as_ref().map(ComparedText::as_str)),
                ("number", &number.copied()),
                ("date", &date),
            ],
        )?;
    }
    Ok(())
}

/// What each of `owners` has in its fields, by the field's id; whoever has nothing is not there.
pub fn of_owners<T>(
    tx: &mut Tx<'_>,
    location: LocationId,
    kind: OwnerKind,
    owners: &[Id<T>],
) -> Result<HashMap<Id<T>, Vec<FieldValues>>> {
    let (mut found, kind) = (HashMap::new(), kind.as_str());
    if owners.is_empty() {
        return Ok(found);
    }
    let mut conditions = Filter::new();
    conditions.and("location_id = @ AND owner_kind = @", &[&location, &kind]);
    conditions.and_one_of("owner_id", owners);
    let sql = format!(
        "SELECT owner_id, field_id, text, number, date FROM field_values WHERE {} ORDER BY owner_id, field_id, position",
        conditions.sql()
    );
    let rows = tx.query(&sql, &conditions.values(), |row| Ok((row.column::<Id<T>>()?, row.column()?, read(row)?)))?;
    for (owner, field, value) in rows {
        let fields: &mut Vec<FieldValues> = found.entry(owner).or_default();
        match fields.last_mut().filter(|last| last.field == field) {
            Some(last) => last.values.push(value),
            None => fields.push(FieldValues { field, values: vec![value] }),
        }
    }
    Ok(found)
}

fn read(row: &mut Row<'_>) -> Result<FieldValue> {
    let (text, number, date) = (row.column()?, row.column()?, row.column()?);
    match (text, number, date) {
        (Some(text), None, None) => Ok(FieldValue::Text(text)),
        (None, Some(number), None) => Ok(FieldValue::Number(number)),
        (None, None, Some(date)) => Ok(FieldValue::Date(date)),
        _ => Err(Error::unreadable("the value of a custom field")),
    }
}

/// Where conditions find the values of a field.
pub(crate) fn column(owner: OwnerKind, field: CustomFieldId, kind: ValueKind) -> Column {
    let value = match kind {
        ValueKind::Text => "folded",
        ValueKind::Number => "number",
        ValueKind::Date => "date",
    };
    let with = vec![("owner_kind", owner.as_str().to_owned()), ("field_id", field.to_string())];
    Column::Rows(Rows { table: "field_values", owner: "owner_id", value, is_long: kind == ValueKind::Text, with })
}
