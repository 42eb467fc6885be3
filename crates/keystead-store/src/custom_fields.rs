//! Custom fields of a location.

use keystead_model::{
    CustomFieldId, LocationId, UtcMs,
    custom_field::{CustomField, CustomFieldContent, Format, OwnerKind, TextBox},
    data_type::DataType,
    id::Id,
    page::Window,
    text::Line,
};

use crate::{
    Error, Result, Row, ToValue, Tx, files,
    filter::{Filter, rows},
    list::Order,
    table::{self, Table},
};

static CUSTOM_FIELDS: Table =
    Table::new("custom_fields", &["location_id", "id"]).keeping(&["model", "field_key", "data_type", "created_at"]);

const COLUMNS: &str =
    "id, location_id, model, field_key, data_type, name, placeholder, position, options, allows_custom_option,
    accepted_formats, is_multiple_file, max_files, text_boxes, created_at, updated_at";

fn read(row: &mut Row<'_>) -> Result<CustomField> {
    Ok(CustomField {
        id: row.column()?,
        location: row.column()?,
        model: OwnerKind::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("a model of fields"))?,
        key: row.column()?,
        data_type: read_type(row)?,
        content: CustomFieldContent {
            name: row.column()?,
            placeholder: row.column()?,
            position: row.column()?,
            options: lines(row.column()?).map(Line::from_stored).collect(),
            allows_custom_option: row.column()?,
            accepted_formats: lines(row.column()?).map(Format::from_stored).collect(),
            is_multiple_file: row.column()?,
            max_files: row.column()?,
            text_boxes: text_boxes(row.column()?),
        },
        created_at: row.column()?,
        updated_at: row.column()?,
    })
}

pub(crate) fn read_type(row: &mut Row<'_>) -> Result<DataType> {
    DataType::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("a kind of custom field"))
}

fn lines(text: Option<String>) -> impl Iterator<Item = String> {
    let lines: Vec<String> = text.iter().flat_map(|text| text.split('\n')).map(str::to_owned).collect();
    lines.into_iter()
}

/// Of texts without control characters, so that they are apart.
fn joined<'t>(texts: impl Iterator<Item = &'t str>) -> Option<String> {
    let text = texts.collect::<Vec<_>>().join("\n");
    Some(text).filter(|text| !text.is_empty())
}

pub(crate) fn text_boxes(text: Option<String>) -> Vec<TextBox> {
    let text_box = |line: String| {
        let (label, prefill) = line.split_once('\t').unwrap_or((&line, ""));
        let prefill = Some(prefill).filter(|prefill| !prefill.is_empty());
        TextBox {
            label: Line::from_stored(label.to_owned()),
            prefill: prefill.map(|prefill| Line::from_stored(prefill.to_owned())),
        }
    };
    lines(text).map(text_box).collect()
}

/// Adds a field, or changes what may change of it; `false` if another has its key.
pub fn save(tx: &mut Tx<'_>, field: &CustomField) -> Result<bool> {
    let CustomField { id, location, model, data_type, key, content, created_at, updated_at } = field;
    let CustomFieldContent {
        name,
        placeholder,
        position,
        options,
        allows_custom_option,
        accepted_formats,
        is_multiple_file,
        max_files,
        text_boxes,
    } = content;
    let taken = "SELECT id FROM custom_fields WHERE location_id = ?1 AND model = ?2 AND field_key = ?3";
    let holder: Option<CustomFieldId> = tx.query_opt(taken, &[location, &model.as_str(), key], |row| row.column())?;
    if holder.is_some_and(|holder| holder != *id) {
        return Ok(false);
    }
    let boxes = text_boxes.iter().map(|TextBox { label, prefill }| {
        prefill.as_ref().map_or_else(|| label.as_str().to_owned(), |prefill| format!("{label}\t{prefill}"))
    });
    let boxes: Vec<String> = boxes.collect();
    CUSTOM_FIELDS.save(
        tx,
        &[
            ("location_id", location),
            ("id", id),
            ("model", &model.as_str()),
            ("field_key", key),
            ("data_type", &data_type.as_str()),
            ("name", name),
            ("placeholder", placeholder),
            ("position", position),
            ("options", &joined(options.iter().map(Line::as_str))),
            ("allows_custom_option", allows_custom_option),
            ("accepted_formats", &joined(accepted_formats.iter().map(Format::as_str))),
            ("is_multiple_file", is_multiple_file),
            ("max_files", max_files),
            ("text_boxes", &joined(boxes.iter().map(String::as_str))),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ],
    )?;
    Ok(true)
}

/// One field.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: CustomFieldId) -> Result<Option<CustomField>> {
    let sql = format!("SELECT {COLUMNS} FROM custom_fields WHERE location_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[&location, &id], read)
}

/// All fields of a location, or those of one model, by their place.
pub fn list(tx: &mut Tx<'_>, location: LocationId, model: Option<OwnerKind>) -> Result<Vec<CustomField>> {
    let model = model.map(OwnerKind::as_str);
    let mut conditions = Filter::new();
    conditions.and("location_id = @", &[&location]);
    if let Some(model) = &model {
        conditions.and("model = @", &[model]);
    }
    let (order, window) = (Order::ascending(&["position", "id"]), Window::<(i64, CustomFieldId)>::all());
    let select = format!("SELECT {COLUMNS} FROM custom_fields");
    Ok(conditions.page(tx, &select, order, &window, read)?.rows)
}

/// Some fields of a model, as far as they are there.
pub fn find_all(
    tx: &mut Tx<'_>,
    location: LocationId,
    model: OwnerKind,
    ids: &[CustomFieldId],
) -> Result<Vec<CustomField>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let model = model.as_str();
    let mut conditions = Filter::new();
    conditions.and("location_id = @ AND model = @", &[&location, &model]);
    conditions.and_one_of("id", ids);
    let sql = format!("SELECT {COLUMNS} FROM custom_fields WHERE {}", conditions.sql());
    tx.query(&sql, &conditions.values(), read)
}

/// How many fields a location has.
pub fn count(tx: &mut Tx<'_>, location: LocationId) -> Result<i64> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM custom_fields WHERE location_id = ?1";
    tx.query_one(sql, &[&location], |row| row.column())
}

/// What somebody has chosen in a field besides `options`, of which some one, and how many have that.
pub fn chosen_besides(tx: &mut Tx<'_>, field: &CustomField, options: &[Line<200>]) -> Result<Option<(String, i64)>> {
    let (location, id) = (field.location, field.id);
    let mut conditions = Filter::new();
    // By the index of texts, which has all options.
    conditions.and("location_id = @ AND field_id = @ AND folded IS NOT NULL", &[&location, &id]);
    if !options.is_empty() {
        let known = rows(2, options.len(), &["CAST(? AS TEXT)"]);
        conditions.and(&format!("NOT EXISTS (SELECT 1 FROM (VALUES {known}) AS o WHERE o.column1 = text)"), &[]);
    }
    let mut values = conditions.values();
    values.extend(options.iter().map(|option| option as &dyn ToValue));
    let sql = format!(
        "SELECT text, CAST(count(*) AS BIGINT) FROM field_values WHERE {} GROUP BY text ORDER BY text LIMIT 1",
        conditions.sql()
    );
    tx.query_opt(&sql, &values, |row| Ok((row.column()?, row.column()?)))
}

/// Deletes a field; `false` if it was not there. What stands in it is seen by nobody any more, and goes with
/// [`take_gone_values`].
pub fn delete(tx: &mut Tx<'_>, location: LocationId, id: CustomFieldId) -> Result<bool> {
    if tx.execute("DELETE FROM custom_fields WHERE location_id = ?1 AND id = ?2", &[&location, &id])? == 0 {
        return Ok(false);
    }
    files::disown(tx, location, id)?;
    tx.execute("INSERT INTO gone_fields (location_id, field_id) VALUES (?1, ?2)", &[&location, &id])?;
    Ok(true)
}

/// A field that is gone and of which there may be values.
pub fn gone(tx: &mut Tx<'_>) -> Result<Option<(LocationId, CustomFieldId)>> {
    let sql = "SELECT location_id, field_id FROM gone_fields ORDER BY location_id, field_id LIMIT 1";
    tx.query_opt(sql, &[], |row| Ok((row.column()?, row.column()?)))
}

/// Takes at most `limit` values of a field that is gone, and says of those who had them that they were changed: they have shown
/// nothing there since it went. Returns how many; after the last ones the field is forgotten.
pub fn take_gone_values(
    tx: &mut Tx<'_>,
    location: LocationId,
    field: CustomFieldId,
    limit: i64,
    now: UtcMs,
) -> Result<u64> {
    let mut owners: Vec<(String, Id<()>)> = Vec::new();
    // Each by the index that has such values.
    for such in ["folded IS NOT NULL", "number IS NOT NULL", "date IS NOT NULL"] {
        let key = "owner_kind, owner_id, position";
        let sql = format!(
            "DELETE FROM field_values WHERE location_id = ?1 AND field_id = ?2 AND ({key}) IN (
                 SELECT {key} FROM field_values WHERE location_id = ?1 AND field_id = ?2 AND {such} LIMIT ?3)
             RETURNING owner_kind, owner_id"
        );
        owners.extend(tx.query(&sql, &[&location, &field, &limit], |row| Ok((row.column()?, row.column()?)))?);
    }
    let taken = owners.len() as u64;
    owners.sort_unstable();
    owners.dedup();
    for kind in [OwnerKind::Contact, OwnerKind::Opportunity] {
        let of_kind = owners.iter().filter(|(owner, _)| owner == kind.as_str());
        let ids: Vec<Id<()>> = of_kind.map(|(_, id)| *id).collect();
        let table = match kind {
            OwnerKind::Contact => "contacts",
            OwnerKind::Opportunity => "opportunities",
        };
        table::touch(tx, table, location, &ids, now)?;
    }
    if taken < limit.unsigned_abs() {
        tx.execute("DELETE FROM gone_fields WHERE location_id = ?1 AND field_id = ?2", &[&location, &field])?;
    }
    Ok(taken)
}
