//! Contacts that show something else since what they name was renamed or deleted, and whose time of change follows in portions: a
//! hundred thousand at once would keep everybody else of the location waiting for seconds.

use keystead_model::{BusinessId, ContactId, LocationId, UtcMs, id::Id, tag::TagName};

use crate::{Error, Result, ToValue, Tx, contacts};

/// What names a ripple.
#[derive(Debug)]
pub struct Ripple;

/// Contacts of a portion.
const PORTION: i64 = 500;

/// What contacts name.
#[derive(Clone, Copy, Debug)]
pub enum Named<'n> {
    /// A tag.
    Tag(&'n TagName),
    /// The business that they work for.
    Business(BusinessId),
}

/// Notes the contacts that name something, while they do; `false` if there are none.
pub fn begin(tx: &mut Tx<'_>, location: LocationId, id: Id<Ripple>, named: Named<'_>) -> Result<bool> {
    let (those, name): (&str, &dyn ToValue) = match &named {
        Named::Tag(name) => ("SELECT contact_id FROM contact_tags WHERE location_id = ?1 AND name = ?3", *name),
        Named::Business(business) => {
            ("SELECT id AS contact_id FROM contacts WHERE location_id = ?1 AND business_id = ?3", business)
        }
    };
    let sql = format!(
        "INSERT INTO ripples (location_id, id, number, contacts)
         SELECT ?1, ?2, number, string_agg(contact_id, ' ') FROM (
             SELECT contact_id, (row_number() OVER (ORDER BY contact_id) - 1) / {PORTION} AS number FROM ({those}) AS t) AS n
         GROUP BY number"
    );
    Ok(tx.execute(&sql, &[&location, &id, name])? > 0)
}

/// Lets the next portion follow; `false` if there is none left.
pub fn go_on(tx: &mut Tx<'_>, location: LocationId, id: Id<Ripple>, now: UtcMs) -> Result<bool> {
    let next = "SELECT number, contacts FROM ripples WHERE location_id = ?1 AND id = ?2 ORDER BY number LIMIT 1";
    let next: Option<(i64, String)> =
        tx.query_opt(next, &[&location, &id], |row| Ok((row.column()?, row.column()?)))?;
    let Some((number, text)) = next else { return Ok(false) };
    let ids: Option<Vec<ContactId>> = text.split(' ').map(ContactId::parse).collect();
    contacts::touch(tx, location, &ids.ok_or_else(|| Error::unreadable("an id"))?, now)?;
    tx.later("DELETE FROM ripples WHERE location_id = ?1 AND id = ?2 AND number = ?3", &[&location, &id, &number])?;
    Ok(true)
}

/// Forgets what is left of one that was given up.
pub fn forget(tx: &mut Tx<'_>, id: Id<Ripple>) -> Result<()> {
    tx.later("DELETE FROM ripples WHERE id = ?1", &[&id])
}
