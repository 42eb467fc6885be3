//! Which contacts are to be in which workflows and campaigns.

use keystead_model::{
    ContactId, LocationId,
    enrollment::{EnrolledIn, Enrollment},
};

use crate::{Error, Result, Row, Tx, table::Table};

static ENROLLMENTS: Table =
    Table::new("enrollments", &["location_id", "contact_id", "kind", "object_id"]).keeping(&["created_at"]);

fn read(row: &mut Row<'_>) -> Result<Enrollment> {
    let (contact, kind, object): (_, String, String) = (row.column()?, row.column()?, row.column()?);
    let into = EnrolledIn::from_stored(&kind, &object).ok_or_else(|| Error::unreadable("an enrollment"))?;
    Ok(Enrollment { contact, into, event_at: row.column()?, created_at: row.column()? })
}

/// Adds one, or changes its time.
pub fn save(tx: &mut Tx<'_>, location: LocationId, enrollment: &Enrollment) -> Result<()> {
    let Enrollment { contact, into, event_at, created_at } = enrollment;
    ENROLLMENTS.save(
        tx,
        &[
            ("location_id", &location),
            ("contact_id", contact),
            ("kind", &into.kind()),
            ("object_id", &into.id()),
            ("event_at", event_at),
            ("created_at", created_at),
        ],
    )
}

/// Those of a contact, in the order in which they were asked for.
pub fn of_contact(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<Vec<Enrollment>> {
    let sql = "SELECT contact_id, kind, object_id, event_at, created_at FROM enrollments
               WHERE location_id = ?1 AND contact_id = ?2 ORDER BY created_at, kind, object_id";
    tx.query(sql, &[&location, &contact], read)
}

/// One of a contact.
pub fn find(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, into: EnrolledIn) -> Result<Option<Enrollment>> {
    let sql = "SELECT contact_id, kind, object_id, event_at, created_at FROM enrollments
               WHERE location_id = ?1 AND contact_id = ?2 AND kind = ?3 AND object_id = ?4";
    tx.query_opt(sql, &[&location, &contact, &into.kind(), &into.id()], read)
}

/// Ends one.
pub fn delete(tx: &mut Tx<'_>, location: LocationId, contact: ContactId, into: EnrolledIn) -> Result<()> {
    let sql = "DELETE FROM enrollments WHERE location_id = ?1 AND contact_id = ?2 AND kind = ?3 AND object_id = ?4";
    tx.later(sql, &[&location, &contact, &into.kind(), &into.id()])
}

/// Ends all of what will be there no more.
pub fn leave(tx: &mut Tx<'_>, location: LocationId, into: EnrolledIn) -> Result<()> {
    let sql = "DELETE FROM enrollments WHERE location_id = ?1 AND kind = ?2 AND object_id = ?3";
    tx.later(sql, &[&location, &into.kind(), &into.id()])
}
