//! Files that people have sent: what is known of each, and its bytes in pieces.

use keystead_model::{
    ContactId, CustomFieldId, LocationId, UtcMs,
    custom_field::OwnerKind,
    file::{FileId, StoredFile},
    form::Submission,
    id::Id,
    import::ImportId,
};

use crate::{Result, Row, Tx, filter::Filter, table::Table};

/// Bytes of a piece: what one statement carries.
pub const PIECE: usize = 64 * 1024;

static FILES: Table = Table::new("files", &["location_id", "id"]);
static PIECES: Table = Table::new("file_pieces", &["location_id", "file_id", "number"]);

pub(crate) const COLUMNS: &str = "d.id, d.uuid, d.name, d.kind, d.size, d.secret";

pub(crate) fn read(row: &mut Row<'_>) -> Result<StoredFile> {
    Ok(StoredFile {
        id: row.column()?,
        uuid: row.column()?,
        name: row.column()?,
        kind: row.column()?,
        size: row.column()?,
        secret: row.column()?,
    })
}

/// What a location has stored: files, and their bytes.
pub fn stored(tx: &mut Tx<'_>, location: LocationId) -> Result<(i64, i64)> {
    let sql =
        "SELECT CAST(count(*) AS BIGINT), CAST(COALESCE(sum(size), 0) AS BIGINT) FROM files WHERE location_id = ?1";
    tx.query_one(sql, &[&location], |row| Ok((row.column()?, row.column()?)))
}

/// What a file is for that comes as an answer, before and after the submission is there.
pub const OF_SUBMISSION: &str = "submission";

/// Adds a file whose bytes are still to come, and what it is for, where that is known.
pub fn begin(
    tx: &mut Tx<'_>,
    location: LocationId,
    file: &StoredFile,
    owner_kind: Option<&str>,
    now: UtcMs,
) -> Result<()> {
    let StoredFile { id, uuid, name, kind, size, secret } = file;
    FILES.insert(
        tx,
        &[
            ("location_id", &location),
            ("id", id),
            ("uuid", uuid),
            ("name", name),
            ("kind", kind),
            ("size", size),
            ("secret", secret),
            ("is_whole", &false),
            ("owner_kind", &owner_kind),
            ("created_at", &now),
        ],
    )
}

/// Adds the bytes that follow on those that are there.
pub fn add_piece(tx: &mut Tx<'_>, location: LocationId, id: FileId, number: i64, bytes: &[u8]) -> Result<()> {
    PIECES.insert(tx, &[("location_id", &location), ("file_id", &id), ("number", &number), ("bytes", &bytes)])
}

/// Notes that all bytes of a file are there. Until then nobody sees it.
pub fn complete(tx: &mut Tx<'_>, location: LocationId, id: FileId) -> Result<()> {
    tx.execute("UPDATE files SET is_whole = TRUE WHERE location_id = ?1 AND id = ?2", &[&location, &id])?;
    Ok(())
}

/// Files that are nobody's yet or this owner's in this field, by their ids or the last parts of their addresses.
pub fn find_all<T>(
    tx: &mut Tx<'_>,
    location: LocationId,
    (kind, owner): (OwnerKind, Id<T>),
    field: CustomFieldId,
    names: &[String],
) -> Result<Vec<StoredFile>> {
    let kind = kind.as_str();
    let mut conditions = Filter::new();
    conditions.and("d.location_id = @ AND d.is_whole", &[&location]);
    conditions.and(
        "(d.owner_id IS NULL OR d.owner_kind = @ AND d.owner_id = @ AND d.field_id = @)",
        &[&kind, &owner, &field],
    );
    let places: Vec<String> = names.iter().map(|name| conditions.bind(name)).collect();
    let places = places.join(", ");
    conditions.and(&format!("(d.id IN ({places}) OR d.secret IN ({places}))"), &[]);
    let sql = format!("SELECT {COLUMNS} FROM files d WHERE {}", conditions.sql());
    tx.query(&sql, &conditions.values(), read)
}

/// Files that were sent by one request, of which its instant and its events tell.
pub fn sent_by(tx: &mut Tx<'_>, location: LocationId, request_id: &str, at: UtcMs) -> Result<Vec<StoredFile>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM files d JOIN events e ON e.subject = d.id AND e.request_id = ?3
         WHERE d.location_id = ?1 AND d.created_at = ?2 AND d.is_whole ORDER BY e.id"
    );
    tx.query(&sql, &[&location, &at, &request_id], read)
}

/// Makes a file somebody's.
pub(crate) fn own<T>(
    tx: &mut Tx<'_>,
    location: LocationId,
    (kind, owner): (OwnerKind, Id<T>),
    field: CustomFieldId,
    id: FileId,
) -> Result<()> {
    tx.later(
        "UPDATE files SET owner_kind = ?3, owner_id = ?4, field_id = ?5 WHERE location_id = ?1 AND id = ?2",
        &[&location, &id, &kind.as_str(), &owner, &field],
    )
}

/// Keeps a file for an import. Nobody but that reads it.
pub fn keep_for_import(tx: &mut Tx<'_>, location: LocationId, id: FileId, import: ImportId) -> Result<()> {
    tx.later(
        "UPDATE files SET owner_kind = 'import', owner_id = ?3 WHERE location_id = ?1 AND id = ?2",
        &[&location, &id, &import],
    )
}

/// Keeps a file for an import that is still to come. [`delete_unowned`] takes it when it has waited too long since `now`.
pub fn await_import(tx: &mut Tx<'_>, location: LocationId, id: FileId, now: UtcMs) -> Result<()> {
    tx.later(
        "UPDATE files SET owner_kind = 'import', owner_id = NULL, created_at = ?3 WHERE location_id = ?1 AND id = ?2",
        &[&location, &id, &now],
    )
}

/// A file that waits for its import.
pub fn find_awaiting_import(tx: &mut Tx<'_>, location: LocationId, id: FileId) -> Result<Option<StoredFile>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM files d WHERE d.location_id = ?1 AND d.id = ?2 AND d.owner_kind = 'import' AND d.owner_id IS NULL"
    );
    tx.query_opt(&sql, &[&location, &id], read)
}

/// Lets go of a file of an import, which [`delete_unowned`] takes.
pub fn release(tx: &mut Tx<'_>, location: LocationId, id: FileId) -> Result<()> {
    tx.later(
        "UPDATE files SET owner_kind = NULL, owner_id = NULL, created_at = 0 WHERE location_id = ?1 AND id = ?2",
        &[&location, &id],
    )
}

/// Bytes of the files that those have sent since then whom nobody knows. What a key has submitted names no sender.
pub fn bytes_of_strangers(tx: &mut Tx<'_>, location: LocationId, since: UtcMs) -> Result<i64> {
    let sql = "SELECT CAST(COALESCE(sum(d.size), 0) AS BIGINT) FROM files d
               WHERE d.location_id = ?1 AND d.owner_kind = 'submission' AND d.created_at > ?2
               AND NOT EXISTS (SELECT 1 FROM submissions s
                   WHERE s.location_id = d.location_id AND s.id = d.owner_id AND s.sender IS NULL)";
    tx.query_one(sql, &[&location, &since], |row| row.column())
}

/// Makes a file part of a submission. One with an instant goes then.
pub fn keep_for_submission<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    id: FileId,
    submission: Id<Submission<K>>,
    goes_at: Option<UtcMs>,
) -> Result<()> {
    tx.later(
        "UPDATE files SET is_whole = TRUE, owner_kind = 'submission', owner_id = ?3, goes_at = ?4
         WHERE location_id = ?1 AND id = ?2",
        &[&location, &id, &submission, &goes_at],
    )
}

/// Keeps the files of a submission as long as that.
pub fn keep_on<K>(tx: &mut Tx<'_>, location: LocationId, submission: Id<Submission<K>>) -> Result<()> {
    tx.later(
        "UPDATE files SET goes_at = NULL WHERE location_id = ?1 AND owner_kind = 'submission' AND owner_id = ?2",
        &[&location, &submission],
    )
}

/// The files of a submission that are still there.
pub fn of_submission<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    submission: Id<Submission<K>>,
) -> Result<Vec<StoredFile>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM files d
         WHERE d.location_id = ?1 AND d.owner_kind = 'submission' AND d.owner_id = ?2 AND d.is_whole ORDER BY d.id"
    );
    tx.query(&sql, &[&location, &submission], read)
}

/// Deletes a file and its bytes.
pub fn delete(tx: &mut Tx<'_>, location: LocationId, id: FileId) -> Result<()> {
    tx.later("DELETE FROM file_pieces WHERE location_id = ?1 AND file_id = ?2", &[&location, &id])?;
    tx.later("DELETE FROM files WHERE location_id = ?1 AND id = ?2", &[&location, &id])
}

/// Deletes a file that nobody sees yet.
pub fn delete_unseen(tx: &mut Tx<'_>, location: LocationId, id: FileId) -> Result<()> {
    let unseen = "SELECT id FROM files WHERE location_id = ?1 AND id = ?2 AND NOT is_whole";
    let sql = format!("DELETE FROM file_pieces WHERE location_id = ?1 AND file_id IN ({unseen})");
    tx.execute(&sql, &[&location, &id])?;
    tx.execute("DELETE FROM files WHERE location_id = ?1 AND id = ?2 AND NOT is_whole", &[&location, &id])?;
    Ok(())
}

/// Takes away what stands in a field that is gone: nobody sees such files any more, and [`delete_unowned`] takes them.
pub(crate) fn disown(tx: &mut Tx<'_>, location: LocationId, field: CustomFieldId) -> Result<()> {
    tx.later(
        "UPDATE files SET is_whole = FALSE, owner_kind = NULL, owner_id = NULL, created_at = 0
         WHERE location_id = ?1 AND field_id = ?2",
        &[&location, &field],
    )
}

/// The file that somebody may read who knows its secret, and where it is: one of a live location, and of nobody who is in the
/// trash. What came with a submission nobody reads so.
pub fn find_by_secret(tx: &mut Tx<'_>, secret: &str) -> Result<Option<(LocationId, StoredFile)>> {
    let sql = format!(
        "SELECT d.location_id, {COLUMNS} FROM files d
         JOIN locations l ON l.id = d.location_id AND l.state = 'active'
         JOIN agencies a ON a.id = l.agency_id AND a.state = 'active'
         WHERE d.secret = ?1 AND d.is_whole AND (d.owner_kind IS NULL OR d.owner_kind <> 'submission')
         AND NOT EXISTS (SELECT 1 FROM contacts c WHERE d.owner_kind = 'contact'
             AND c.location_id = d.location_id AND c.id = d.owner_id AND c.trashed_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM opportunities o WHERE d.owner_kind = 'opportunity'
             AND o.location_id = d.location_id AND o.id = d.owner_id AND o.trashed_at IS NOT NULL)"
    );
    tx.query_opt(&sql, &[&secret], |row| Ok((row.column()?, read(row)?)))
}

/// Those of a contact, and of its opportunities.
pub fn of_contact(tx: &mut Tx<'_>, location: LocationId, contact: ContactId) -> Result<Vec<StoredFile>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM files d WHERE d.location_id = ?1 AND d.is_whole AND (
             d.owner_kind = 'contact' AND d.owner_id = ?2 OR d.owner_kind = 'opportunity' AND d.owner_id IN (
                 SELECT o.id FROM opportunities o WHERE o.location_id = ?1 AND o.contact_id = ?2)) ORDER BY d.id"
    );
    tx.query(&sql, &[&location, &contact], read)
}

/// A piece of a file; `None` after the last.
pub fn piece(tx: &mut Tx<'_>, location: LocationId, id: FileId, number: i64) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT bytes FROM file_pieces WHERE location_id = ?1 AND file_id = ?2 AND number = ?3";
    tx.query_opt(sql, &[&location, &id, &number], |row| row.column())
}

/// Deletes at most `limit` files whose instant to go has come by `now`. Returns how many.
pub fn delete_going(tx: &mut Tx<'_>, now: UtcMs, limit: i64) -> Result<usize> {
    let sql = "SELECT location_id, id FROM files WHERE goes_at <= ?1 ORDER BY goes_at LIMIT ?2";
    delete_found(tx, sql, now, limit)
}

/// Deletes at most `limit` files that were sent before `before` and are nobody's. Returns how many.
pub fn delete_unowned(tx: &mut Tx<'_>, before: UtcMs, limit: i64) -> Result<usize> {
    let sql =
        "SELECT location_id, id FROM files WHERE owner_id IS NULL AND created_at < ?1 ORDER BY created_at LIMIT ?2";
    delete_found(tx, sql, before, limit)
}

fn delete_found(tx: &mut Tx<'_>, sql: &str, until: UtcMs, limit: i64) -> Result<usize> {
    let due: Vec<(LocationId, FileId)> = tx.query(sql, &[&until, &limit], |row| Ok((row.column()?, row.column()?)))?;
    due.iter().try_for_each(|(location, id)| delete(tx, *location, *id))?;
    Ok(due.len())
}
