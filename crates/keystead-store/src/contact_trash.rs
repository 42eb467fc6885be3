//! The trash of contacts: what is in it is found by nothing, and gone after a while.

use std::sync::LazyLock;

use keystead_model::{
    ContactId, LocationId, UtcMs,
    contact::{Contact, DuplicateContact, TrashedContact},
    page::{Counted, Page, Window},
};

use crate::{
    Result, Row, Tx,
    catalog::{self, Belonging},
    contact_identities, contact_search,
    contacts::{COLUMNS, count, read, with_custom_fields, with_custom_fields_of_one},
    events,
    filter::Filter,
    list::Order,
    tags,
};

static SELECT: LazyLock<String> = LazyLock::new(|| format!("SELECT {COLUMNS}, c.trashed_at FROM contacts c"));

fn read_trashed(row: &mut Row<'_>) -> Result<TrashedContact> {
    Ok(TrashedContact { contact: read(row)?, trashed_at: row.column()? })
}

/// What is in the trash of a location, the last that was put there first, and how much that is.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    window: &Window<(UtcMs, ContactId)>,
) -> Result<Counted<TrashedContact>> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM contacts WHERE location_id = ?1 AND trashed_at IS NOT NULL";
    let total = tx.query_one(sql, &[&location], |row| row.column())?;
    let mut filter = Filter::new();
    filter.and("c.location_id = @ AND c.trashed_at IS NOT NULL", &[&location]);
    let page = filter.page(tx, &SELECT, Order::descending(&["c.trashed_at", "c.id"]), window, read_trashed)?;
    let times: Vec<UtcMs> = page.rows.iter().map(|trashed| trashed.trashed_at).collect();
    let contacts = with_custom_fields(tx, location, page.rows.into_iter().map(|trashed| trashed.contact).collect())?;
    let rows = contacts.into_iter().zip(times).map(|(contact, trashed_at)| TrashedContact { contact, trashed_at });
    Ok(Counted { page: Page { rows: rows.collect(), has_more: page.has_more }, total })
}

/// One that is in the trash.
pub fn find(tx: &mut Tx<'_>, location: LocationId, id: ContactId) -> Result<Option<TrashedContact>> {
    let sql = format!("{} WHERE c.location_id = ?1 AND c.id = ?2 AND c.trashed_at IS NOT NULL", *SELECT);
    let Some(TrashedContact { contact, trashed_at }) = tx.query_opt(&sql, &[&location, &id], read_trashed)? else {
        return Ok(None);
    };
    Ok(Some(TrashedContact { contact: with_custom_fields_of_one(tx, contact)?, trashed_at }))
}

/// Takes a contact out of the trash, changed at its time of change.
///
/// `Err` in the inner result is another contact that has an identity of it now; nothing is written then.
pub fn restore(tx: &mut Tx<'_>, contact: &Contact) -> Result<std::result::Result<(), DuplicateContact>> {
    let (location, id) = (contact.location, contact.id);
    let identities = match contact_identities::admit(tx, location, id, contact.profile.identities())? {
        Ok(admitted) => admitted,
        Err(duplicate) => return Ok(Err(duplicate)),
    };
    tx.execute(
        "UPDATE contacts SET trashed_at = NULL, updated_at = ?3 WHERE location_id = ?1 AND id = ?2",
        &[&location, &id, &contact.updated_at],
    )?;
    contact_identities::add(tx, location, id, &identities)?;
    contact_search::insert(tx, location, id, contact.profile.search_terms().iter())?;
    tags::count_of_contact(tx, location, id, 1)?;
    count(tx, location, id, 1)?;
    Ok(Ok(()))
}

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
    tags::count_of_contact(tx, location, id, -1)?;
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
    due.iter().try_for_each(|(location, id)| erase(tx, *location, *id))?;
    Ok(due.len())
}

/// Deletes a contact that is in the trash, with all that belongs to it, and what its events say of it.
pub fn erase(tx: &mut Tx<'_>, location: LocationId, id: ContactId) -> Result<()> {
    for Belonging { table, naming, .. } in catalog::OF_CONTACT {
        tx.execute(&format!("DELETE FROM {table} WHERE location_id = ?1 AND {naming}"), &[&location, &id])?;
    }
    tx.execute("DELETE FROM contacts WHERE location_id = ?1 AND id = ?2", &[&location, &id])?;
    events::erase_contact(tx, location, id)
}
