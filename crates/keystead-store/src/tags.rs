//! Tags of a location, and which contact has which.

use keystead_model::{
    ContactId, LocationId, TagId, UtcMs,
    page::{Page, Window},
    tag::{Tag, TagFilter, TagName},
};

use crate::{
    Result, Row, ToValue, Tx,
    filter::{Filter, rows},
    list::Order,
};

fn read(row: &mut Row<'_>) -> Result<Tag> {
    Ok(Tag { id: row.column()?, location: row.column()?, name: row.column()?, contacts: row.column()? })
}

/// Adds tags to a contact that does not have them, behind those that it has. Names that the location does not have yet get a
/// tag: the answer is which these are. Its id follows from its name, so that a closure that runs twice makes the same tag.
pub(crate) fn add_to_contact<'t>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    names: impl Iterator<Item = &'t TagName>,
    now: UtcMs,
) -> Result<Vec<Tag>> {
    let new: Vec<(TagId, &TagName)> = names.map(|name| (derived_id(location, name, now), name)).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<&dyn ToValue> = vec![&location, &now];
    values.extend(new.iter().flat_map(|(id, name)| [id as &dyn ToValue, name]));
    let sql = format!(
        "INSERT INTO tags (location_id, id, name, created_at)
         SELECT ?1, n.column1, n.column2, ?2 FROM (VALUES {}) AS n WHERE TRUE ON CONFLICT DO NOTHING
         RETURNING id, location_id, name, contacts",
        rows(2, new.len(), &["?", "?"])
    );
    let made = tx.query(&sql, &values, read)?;
    let places: Vec<i64> = (1..=new.len() as i64).collect();
    let mut values: Vec<&dyn ToValue> = vec![&location, &contact];
    values.extend(new.iter().zip(&places).flat_map(|((_, name), place)| [place as &dyn ToValue, name]));
    let sql = format!(
        "INSERT INTO contact_tags (location_id, contact_id, position, name)
         SELECT ?1, ?2, n.column1 + (SELECT COALESCE(max(position), 0) FROM contact_tags
             WHERE location_id = ?1 AND contact_id = ?2), n.column2
         FROM (VALUES {}) AS n WHERE TRUE ON CONFLICT DO NOTHING",
        rows(2, new.len(), &["CAST(? AS BIGINT)", "?"])
    );
    tx.later(&sql, &values)?;
    count(tx, location, new.iter().map(|(_, name)| *name), 1)?;
    Ok(made)
}

/// Removes tags from a contact.
pub(crate) fn remove_from_contact<'t>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    names: impl Iterator<Item = &'t TagName>,
) -> Result<()> {
    let names: Vec<&TagName> = names.collect();
    for name in &names {
        tx.later(
            "DELETE FROM contact_tags WHERE location_id = ?1 AND contact_id = ?2 AND name = ?3",
            &[&location, &contact, *name],
        )?;
    }
    count(tx, location, names.into_iter(), -1)
}

/// Notes that a contact has tags that it did not have, or has them no longer.
fn count<'t>(
    tx: &mut Tx<'_>,
    location: LocationId,
    names: impl Iterator<Item = &'t TagName>,
    difference: i64,
) -> Result<()> {
    let names: Vec<&TagName> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut tags = Filter::new();
    let difference = tags.own(difference);
    tags.and("location_id = @", &[&location]);
    tags.and_one_of("name", names.iter());
    let sql = format!("UPDATE tags SET contacts = contacts + CAST({difference} AS BIGINT) WHERE {}", tags.sql());
    tx.later(&sql, &tags.values())
}

/// Notes that a contact goes to the trash or comes from there, where nothing counts.
pub(crate) fn count_of_contact(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    difference: i64,
) -> Result<()> {
    tx.later(
        "UPDATE tags SET contacts = contacts + CAST(?3 AS BIGINT) WHERE location_id = ?1 AND name IN
             (SELECT name FROM contact_tags WHERE location_id = ?1 AND contact_id = ?2)",
        &[&location, &contact, &difference],
    )
}

/// How many contacts have the tag of this name.
pub(crate) fn count_contacts(tx: &mut Tx<'_>, location: LocationId, name: &str) -> Result<i64> {
    let sql = "SELECT contacts FROM tags WHERE location_id = ?1 AND name = ?2";
    Ok(tx.query_opt(sql, &[&location, &name], |row| row.column())?.unwrap_or_default())
}

const INSERT: &str =
    "INSERT INTO tags (location_id, id, name, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

fn derived_id(location: LocationId, name: &TagName, now: UtcMs) -> TagId {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut counter = 0u64;
    TagId::generate(now, |pool| {
        for chunk in pool.chunks_mut(8) {
            let mut hasher = DefaultHasher::new();
            (location, name, now, counter).hash(&mut hasher);
            counter += 1;
            chunk.copy_from_slice(&hasher.finish().to_le_bytes()[..chunk.len()]);
        }
    })
}

/// Adds a tag; `false` if the location has one of this name.
pub fn insert(tx: &mut Tx<'_>, tag: &Tag, now: UtcMs) -> Result<bool> {
    let Tag { id, location, name, contacts: _ } = tag;
    Ok(tx.execute(INSERT, &[location, id, name, &now])? == 1)
}

/// One tag.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: TagId) -> Result<Option<Tag>> {
    tx.query_opt(
        "SELECT id, location_id, name, contacts FROM tags WHERE location_id = ?1 AND id = ?2",
        &[&location, &id],
        read,
    )
}

/// The tag of a name.
pub fn find_by_name(tx: &mut Tx<'_>, location: LocationId, name: &TagName) -> Result<Option<Tag>> {
    let sql = "SELECT id, location_id, name, contacts FROM tags WHERE location_id = ?1 AND name = ?2";
    tx.query_opt(sql, &[&location, name], read)
}

/// The tags of a location that suit, by name.
pub fn list(tx: &mut Tx<'_>, location: LocationId, filter: &TagFilter, window: &Window<TagName>) -> Result<Page<Tag>> {
    let part = filter.part.as_deref().map(str::to_lowercase);
    let mut conditions = Filter::new();
    conditions.and("location_id = @", &[&location]);
    if let Some(part) = &part {
        conditions.and_any_holds(&["name"], part);
    }
    conditions.page(tx, "SELECT id, location_id, name, contacts FROM tags", Order::ascending(&["name"]), window, read)
}

/// Renames a tag here and on every contact. The new name must be free.
pub fn rename(tx: &mut Tx<'_>, tag: &Tag, name: &TagName) -> Result<()> {
    tx.execute("UPDATE tags SET name = ?3 WHERE location_id = ?1 AND id = ?2", &[&tag.location, &tag.id, name])?;
    tx.execute(
        "UPDATE contact_tags SET name = ?3 WHERE location_id = ?1 AND name = ?2",
        &[&tag.location, &tag.name, name],
    )?;
    Ok(())
}

/// Deletes a tag here and from every contact.
pub fn delete(tx: &mut Tx<'_>, tag: &Tag) -> Result<()> {
    tx.execute("DELETE FROM contact_tags WHERE location_id = ?1 AND name = ?2", &[&tag.location, &tag.name])?;
    tx.execute("DELETE FROM tags WHERE location_id = ?1 AND id = ?2", &[&tag.location, &tag.id])?;
    Ok(())
}
