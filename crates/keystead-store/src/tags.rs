//! Tags of a location, and which contact has which.

use keystead_model::{
    ContactId, LocationId, TagId, UtcMs,
    tag::{Tag, TagName},
};

use crate::{Result, Row, Tx};

fn read(row: &mut Row<'_>) -> Result<Tag> {
    Ok(Tag { id: row.column()?, location: row.column()?, name: row.column()? })
}

/// Makes the tags of a contact these, in this order. Names that the location does not have yet get a tag.
pub(crate) fn set_of_contact(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    names: &[TagName],
    now: UtcMs,
) -> Result<()> {
    let known: Vec<(TagName, i64)> = tx.query(
        "SELECT name, position FROM contact_tags WHERE location_id = ?1 AND contact_id = ?2 ORDER BY position",
        &[&location, &contact],
        |row| Ok((row.column()?, row.column()?)),
    )?;
    for (gone, _) in known.iter().filter(|(name, _)| !names.contains(name)) {
        tx.execute(
            "DELETE FROM contact_tags WHERE location_id = ?1 AND contact_id = ?2 AND name = ?3",
            &[&location, &contact, gone],
        )?;
    }
    let last = known.last().map_or(0, |(_, position)| *position);
    for (position, new) in (last + 1..).zip(names.iter().filter(|name| !known.iter().any(|(known, _)| known == *name)))
    {
        ensure(tx, location, new, now)?;
        tx.execute(
            "INSERT INTO contact_tags (location_id, contact_id, position, name) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
            &[&location, &contact, &position, new],
        )?;
    }
    Ok(())
}

/// The tag of a name, which is made if it is not there. Its id follows from its name, so that a closure that runs
/// twice, and two requests that meet, make the same tag.
fn ensure(tx: &mut Tx<'_>, location: LocationId, name: &TagName, now: UtcMs) -> Result<()> {
    let found =
        tx.query_opt("SELECT id FROM tags WHERE location_id = ?1 AND name = ?2", &[&location, name], |row| {
            row.column::<TagId>()
        })?;
    if found.is_none() {
        let id = derived_id(location, name, now);
        insert(tx, &Tag { id, location, name: name.clone() }, now)?;
    }
    Ok(())
}

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
    let Tag { id, location, name } = tag;
    let added = tx.execute(
        "INSERT INTO tags (location_id, id, name, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        &[location, id, name, &now],
    )?;
    Ok(added == 1)
}

/// One tag.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: TagId) -> Result<Option<Tag>> {
    tx.query_opt("SELECT id, location_id, name FROM tags WHERE location_id = ?1 AND id = ?2", &[&location, &id], read)
}

/// The tag of a name.
pub fn find_by_name(tx: &mut Tx<'_>, location: LocationId, name: &TagName) -> Result<Option<Tag>> {
    let sql = "SELECT id, location_id, name FROM tags WHERE location_id = ?1 AND name = ?2";
    tx.query_opt(sql, &[&location, name], read)
}

/// All tags of a location by name.
pub fn list(tx: &mut Tx<'_>, location: LocationId) -> Result<Vec<Tag>> {
    tx.query("SELECT id, location_id, name FROM tags WHERE location_id = ?1 ORDER BY name", &[&location], read)
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
