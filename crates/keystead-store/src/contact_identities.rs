//! What contacts are told apart by: who has which e-mail address and which phone number.
//!
//! Whether several may have the same is asked of the location where one is added, and of whoever has it already, however that
//! came about. So nothing stands in the rows that had to follow when a location changes its mind: `sharer` is '' for a contact that
//! had it alone when it was added, which no second one can be then.

use std::sync::LazyLock;

use keystead_model::{
    ContactId, LocationId,
    contact::{Contact, ContactProfile, DuplicateContact, IdentityKind},
};

use crate::{
    Result, ToValue, Tx,
    contacts::{COLUMNS, read, with_custom_fields_of_one},
    filter::rows,
    locations,
};

/// Puts in front what decides in this location, where there are identities of both kinds.
pub fn prioritize(tx: &mut Tx<'_>, location: LocationId, identities: &mut [(IdentityKind, String)]) -> Result<()> {
    if identities.windows(2).any(|pair| pair[0].0 != pair[1].0) && locations::is_phone_first(tx, location)? {
        identities.sort_by_key(|(kind, _)| *kind != IdentityKind::Phone);
    }
    Ok(())
}

/// The first contact that has one of `identities`, as the location prefers them, and is not `own`.
fn find_duplicate(
    tx: &mut Tx<'_>,
    location: LocationId,
    identities: &[(IdentityKind, String)],
    own: ContactId,
) -> Result<Option<DuplicateContact>> {
    let mut identities = identities.to_vec();
    prioritize(tx, location, &mut identities)?;
    for (kind, value) in &identities {
        let found = tx.query_opt(
            "SELECT i.contact_id, c.first_name, c.last_name
             FROM contact_identities i JOIN contacts c ON c.location_id = i.location_id AND c.id = i.contact_id
             WHERE i.location_id = ?1 AND i.kind = ?2 AND i.value = ?3 AND i.contact_id <> ?4 ORDER BY i.sharer LIMIT 1",
            &[&location, &kind.as_str(), value, &own],
            |row| {
                let id: ContactId = row.column()?;
                let profile =
                    ContactProfile { first_name: row.column()?, last_name: row.column()?, ..ContactProfile::default() };
                Ok(DuplicateContact { id, matching: *kind, name: profile.full_name() })
            },
        )?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The newest contact with this e-mail address or phone number, also where duplicates are allowed.
///
/// A CROSS JOIN, since SQLite would else read all contacts by the index of this order.
pub fn find_by_identity(
    tx: &mut Tx<'_>,
    location: LocationId,
    kind: IdentityKind,
    value: &str,
) -> Result<Option<Contact>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {COLUMNS} FROM contact_identities i CROSS JOIN contacts c
             WHERE i.location_id = ?1 AND i.kind = ?2 AND i.value = ?3
               AND c.location_id = i.location_id AND c.id = i.contact_id AND c.trashed_at IS NULL
             ORDER BY c.created_at DESC, c.id DESC LIMIT 1"
        )
    });
    let found = tx.query_opt(&SQL, &[&location, &kind.as_str(), &value], read)?;
    found.map(|contact| with_custom_fields_of_one(tx, contact)).transpose()
}

/// Identities that are new to a contact, and may be its own.
#[must_use]
pub(crate) struct Admitted {
    identities: Vec<(IdentityKind, String)>,
    /// Whether others may have them, too.
    is_shared: bool,
}

/// Whether identities that are new to a contact may be its own: where the location forbids duplicates each belongs to one contact
/// alone, and `Err` in the inner result is who has it. Nothing is written by then, so a refusal leaves nothing to undo.
///
/// Who else has an identity is asked for each of them: NOT EXISTS would let PostgreSQL plan a join of all identities, and keep that
/// plan from when there were none.
pub(crate) fn admit(
    tx: &mut Tx<'_>,
    location: LocationId,
    id: ContactId,
    identities: Vec<(IdentityKind, String)>,
) -> Result<std::result::Result<Admitted, DuplicateContact>> {
    if identities.is_empty() {
        return Ok(Ok(Admitted { identities, is_shared: false }));
    }
    let kinds: Vec<&str> = identities.iter().map(|(kind, _)| kind.as_str()).collect();
    let mut values: Vec<&dyn ToValue> = vec![&location, &id];
    for (kind, (_, value)) in kinds.iter().zip(&identities) {
        values.extend([kind as &dyn ToValue, value]);
    }
    let sql = format!(
        "SELECT l.allow_duplicate_contact, CASE WHEN l.allow_duplicate_contact THEN NULL ELSE (
             SELECT n.column1 FROM (VALUES {}) AS n WHERE (SELECT o.contact_id FROM contact_identities o
                 WHERE o.location_id = ?1 AND o.kind = n.column1 AND o.value = n.column2 AND o.contact_id <> ?2
                 LIMIT 1) IS NOT NULL LIMIT 1) END
         FROM locations l WHERE l.id = ?1",
        rows(2, identities.len(), &["?", "?"])
    );
    let (is_shared, taken): (bool, Option<String>) =
        tx.query_one(&sql, &values, |row| Ok((row.column()?, row.column()?)))?;
    if taken.is_some()
        && let Some(duplicate) = find_duplicate(tx, location, &identities, id)?
    {
        return Ok(Err(duplicate));
    }
    Ok(Ok(Admitted { identities, is_shared }))
}

/// Adds identities to a contact.
pub(crate) fn add(tx: &mut Tx<'_>, location: LocationId, id: ContactId, admitted: &Admitted) -> Result<()> {
    let Admitted { identities, is_shared } = admitted;
    if identities.is_empty() {
        return Ok(());
    }
    let sharer = if *is_shared { id.as_str() } else { "" };
    let kinds: Vec<&str> = identities.iter().map(|(kind, _)| kind.as_str()).collect();
    let mut values: Vec<&dyn ToValue> = vec![&location, &sharer, &id];
    for (kind, (_, value)) in kinds.iter().zip(identities) {
        values.extend([kind as &dyn ToValue, value]);
    }
    let sql = format!(
        "INSERT INTO contact_identities (location_id, kind, value, sharer, contact_id)
         SELECT ?1, n.column1, n.column2, ?2, ?3 FROM (VALUES {}) AS n WHERE TRUE ON CONFLICT DO NOTHING",
        rows(3, identities.len(), &["?", "?"])
    );
    tx.later(&sql, &values)
}

/// Adds an identity that others may have, too.
pub(crate) fn share(
    tx: &mut Tx<'_>,
    location: LocationId,
    id: ContactId,
    identity: (IdentityKind, String),
) -> Result<()> {
    add(tx, location, id, &Admitted { identities: vec![identity], is_shared: true })
}

/// Nothing is told apart by this contact any more.
pub(crate) fn release(tx: &mut Tx<'_>, location: LocationId, id: ContactId) -> Result<()> {
    tx.execute("DELETE FROM contact_identities WHERE location_id = ?1 AND contact_id = ?2", &[&location, &id])?;
    Ok(())
}
