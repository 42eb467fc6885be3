//! The trash of contacts: what is in it is found by nothing, and gone after a while.

use keystead_model::{ContactId, LocationId, UtcMs};

use crate::{
    Result, Tx,
    catalog::{self, Belonging},
    contact_identities, contact_search,
    contacts::count,
    events, tags,
};

/// Puts a contact into the trash; `false` if it was not there.
pub fn trash(tx: &mut Tx<'_>, location: LocationId, id: ContactId, now: UtcMs) -> Result<bool> {
    let trashed = tx.execute(
        "UPDATE contacts SET trashed_at = ?3 WHERE location_id = ?1 AND id = ?2 AND trashed_at IS NULL",
        &[&location, &id, &now],
    )?;
    if trashed == 0 {
        return Ok(false);
    }
    contact_identities::release(tx, location, id)?;
    contact_search::forget(tx, location, id)?;
    tags::discount(tx, location, id)?;
    count(tx, location, id, -1)?;
    Ok(true)
}

/// Empties the trash of what was put there before `before`, at most `limit` contacts. Returns how many.
pub fn purge(tx: &mut Tx<'_>, before: UtcMs, limit: i64) -> Result<usize> {
    let due: Vec<(LocationId, ContactId)> = tx.query(
        "SELECT location_id, id FROM contacts WHERE trashed_at < ?1 ORDER BY trashed_at LIMIT ?2",
        &[&before, &limit],
        |row| Ok((row.column()?, row.column()?)),
    )?;
    for (location, id) in &due {
        for Belonging { table, naming, .. } in catalog::OF_CONTACT {
            tx.execute(&format!("DELETE FROM {table} WHERE location_id = ?1 AND {naming}"), &[location, id])?;
        }
        tx.execute("DELETE FROM contacts WHERE location_id = ?1 AND id = ?2", &[location, id])?;
        events::erase_contact(tx, *location, *id)?;
    }
    Ok(due.len())
}
