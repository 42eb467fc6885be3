//! Values of custom fields, of whatever has some.

use std::{collections::HashMap, sync::Arc};

use keystead_model::{
    CustomFieldId, LocationId,
    condition::ComparedText,
    custom_field::OwnerKind,
    data_type::ValueKind,
    field_value::{FieldValue, FieldValues, Held, ValueField, ValueSet},
    id::Id,
    sort::LONG,
};

use crate::{
    Error, Result, Row, Tx,
    condition::{Column, Rows},
    custom_fields::{read_type, text_boxes},
    files,
    filter::Filter,
    table::Table,
};

static FIELD_VALUES: Table =
    Table::new("field_values", &["location_id", "owner_kind", "owner_id", "field_id", "position"]);

/// Characters of a text that are indexed, see the migration.
pub(crate) const INDEXED: usize = LONG;

/// Writes what an owner has now, where it had `before`. Files that are new to it become its own; those that it has no more go.
pub fn save<T>(
    tx: &mut Tx<'_>,
    location: LocationId,
    owner: (OwnerKind, Id<T>),
    before: &ValueSet,
    after: &ValueSet,
) -> Result<()> {
    for change in after.since(before) {
        replace(tx, location, owner, &change, !before.get(change.field).is_empty())?;
    }
    let has = |set: &ValueSet, id| set.files().any(|(_, file)| file.id == id);
    for (field, file) in after.files().filter(|(_, file)| !has(before, file.id)) {
        files::own(tx, location, owner, field, file.id)?;
    }
    for (_, file) in before.files().filter(|(_, file)| !has(after, file.id)) {
        files::delete(tx, location, file.id)?;
    }
    Ok(())
}

/// Replaces what an owner has in a field; without values it has nothing there.
fn replace<T>(
    tx: &mut Tx<'_>,
    location: LocationId,
    (kind, owner): (OwnerKind, Id<T>),
    FieldValues { field, values }: &FieldValues,
    is_there: bool,
) -> Result<()> {
    if is_there {
        tx.later(
            "DELETE FROM field_values WHERE location_id = ?1 AND owner_kind = ?2 AND owner_id = ?3 AND field_id = ?4",
            &[&location, &kind.as_str(), &owner, field],
        )?;
    }
    for (position, value) in (0i64..).zip(values) {
        let (text, number, date) = match value {
            // The empty boxes of a list are only their places.
            FieldValue::Text(text) if text.is_empty() => continue,
            FieldValue::Text(text) => (Some(text.as_str()), None, None),
            FieldValue::Number(number) => (None, Some(*number), None),
            FieldValue::Date(date) => (None, None, Some(date.to_iso())),
            FieldValue::File(file) => (Some(file.id.as_str()), None, None),
        };
        let compared = match value {
            FieldValue::File(file) => Some(file.name.as_str()),
            _ => text,
        };
        let folded = compared.and_then(ComparedText::of);
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
                ("number", &number),
                ("date", &date),
            ],
        )?;
    }
    Ok(())
}

/// What each of `owners` has in fields that are there; whoever has nothing is not there.
pub fn of_owners<T>(
    tx: &mut Tx<'_>,
    location: LocationId,
    kind: OwnerKind,
    owners: &[Id<T>],
) -> Result<HashMap<Id<T>, ValueSet>> {
    let (mut found, kind) = (HashMap::new(), kind.as_str());
    if owners.is_empty() {
        return Ok(found);
    }
    let mut conditions = Filter::new();
    conditions.and("v.location_id = @ AND v.owner_kind = @", &[&location, &kind]);
    conditions.and_one_of("v.owner_id", owners);
    let sql = format!(
        "SELECT v.owner_id, v.field_id, v.position, f.field_key, f.data_type, f.text_boxes, v.text, v.number, v.date, {}
         FROM field_values v
         JOIN custom_fields f ON f.location_id = v.location_id AND f.id = v.field_id AND f.model = v.owner_kind
         LEFT JOIN files d ON f.data_type IN ('FILE_UPLOAD', 'SIGNATURE') AND d.location_id = v.location_id AND d.id = v.text
         WHERE {} ORDER BY v.owner_id, v.field_id, v.position",
        files::COLUMNS,
        conditions.sql()
    );
    let mut known: HashMap<CustomFieldId, Arc<ValueField>> = HashMap::new();
    let rows = tx.query(&sql, &conditions.values(), |row| {
        let (owner, id, position) = (row.column::<Id<T>>()?, row.column()?, row.column::<i64>()?);
        let field = read_field(row, kind, id)?;
        let field = Arc::clone(known.entry(id).or_insert_with(|| Arc::new(field)));
        let value = read(row, &field)?;
        Ok((owner, field, usize::try_from(position).unwrap_or_default(), value))
    })?;
    let mut held: Vec<(Id<T>, Held)> = Vec::new();
    for (owner, field, position, value) in rows {
        if held.last().is_none_or(|(last, held)| *last != owner || held.field.id != field.id) {
            held.push((owner, Held { field, values: Vec::new() }));
        }
        let Some((_, Held { field, values })) = held.last_mut() else { continue };
        while !field.labels.is_empty() && values.len() < position {
            values.push(FieldValue::Text(String::new()));
        }
        values.push(value);
    }
    for (owner, held) in held {
        found.entry(owner).or_insert_with(ValueSet::default).set(held);
    }
    Ok(found)
}

/// The same of one owner.
pub fn of_owner<T>(tx: &mut Tx<'_>, location: LocationId, kind: OwnerKind, owner: Id<T>) -> Result<ValueSet> {
    Ok(of_owners(tx, location, kind, &[owner])?.remove(&owner).unwrap_or_default())
}

fn read_field(row: &mut Row<'_>, kind: &str, id: CustomFieldId) -> Result<ValueField> {
    let (key, data_type) = (row.column::<String>()?, read_type(row)?);
    let labels = text_boxes(row.column()?).into_iter().map(|text_box| text_box.label.into_string()).collect();
    Ok(ValueField { id, key: format!("{kind}.{key}"), data_type, labels })
}

fn read(row: &mut Row<'_>, field: &ValueField) -> Result<FieldValue> {
    let (text, number, date) = (row.column()?, row.column()?, row.column()?);
    match (text, number, date) {
        (Some(_), None, None) if field.data_type.is_file() => Ok(FieldValue::File(files::read(row)?)),
        (Some(text), None, None) => Ok(FieldValue::Text(text)),
        (None, Some(number), None) => Ok(FieldValue::Number(number)),
        (None, None, Some(date)) => Ok(FieldValue::Date(date)),
        _ => Err(Error::unreadable("the value of a custom field")),
    }
}

/// Where conditions find the values of a field.
pub(crate) fn column(owner: OwnerKind, field: CustomFieldId, kind: ValueKind) -> Column {
    let (value, index) = match kind {
        ValueKind::Text => ("folded", "field_values_by_text"),
        ValueKind::Number => ("number", "field_values_by_number"),
        ValueKind::Date => ("date", "field_values_by_date"),
    };
    Column::Rows(Rows {
        is_long: kind == ValueKind::Text,
        is_single: kind != ValueKind::Text,
        with: vec![("field_id", field.to_string())],
        in_key: Some(("owner_kind", owner.as_str().to_owned())),
        index: Some(index),
        ..Rows::new("field_values", "owner_id", value)
    })
}
