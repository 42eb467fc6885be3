//! What a trial of an import keeps of the rows that it has tried, so that a later one finds what they would have made.

use std::collections::BTreeSet;

use keystead_model::{LocationId, contact::IdentityKind, import::ImportId};

use crate::{
    Error, Result, Tx,
    table::{Named, Table},
};

static ROWS: Table = Table::new("tried_rows", &["location_id", "import_id", "line"]);
static IDENTITIES: Table = Table::new("tried_identities", &["location_id", "import_id", "kind", "value"]);

/// Rows about one person that are given: each is tried again for every later one, and hundreds about the same person are a
/// shared number, of which the first say who has it.
const GIVEN: i64 = 100;

/// Rows about whoever has one of `identities`, with their lines, in the order of the file.
pub fn about(
    tx: &mut Tx<'_>,
    location: LocationId,
    import: ImportId,
    identities: &[(IdentityKind, String)],
) -> Result<Vec<(i64, Vec<String>)>> {
    let mut rows = Vec::new();
    for person in persons(tx, location, import, identities)? {
        let sql = "SELECT line, cells FROM tried_rows
                   WHERE location_id = ?1 AND import_id = ?2 AND person = ?3 ORDER BY line LIMIT ?4";
        rows.extend(tx.query(sql, &[&location, &import, &person, &GIVEN], |row| {
            let (line, cells) = (row.column()?, serde_json::from_str(&row.column::<String>()?));
            Ok((line, cells.map_err(|_| Error::unreadable("the cells of a row"))?))
        })?);
    }
    rows.sort_unstable();
    Ok(rows)
}

fn persons(
    tx: &mut Tx<'_>,
    location: LocationId,
    import: ImportId,
    identities: &[(IdentityKind, String)],
) -> Result<BTreeSet<i64>> {
    let sql = "SELECT person FROM tried_identities
               WHERE location_id = ?1 AND import_id = ?2 AND kind = ?3 AND value = ?4";
    let mut persons = BTreeSet::new();
    for (kind, value) in identities {
        persons.extend(tx.query_opt(sql, &[&location, &import, &kind.as_str(), value], |row| row.column::<i64>())?);
    }
    Ok(persons)
}

/// Keeps a row that is about whoever has `identities`: where those are of several persons, they are one from now on.
pub fn keep(
    tx: &mut Tx<'_>,
    location: LocationId,
    import: ImportId,
    (line, cells): (i64, &[String]),
    identities: &[(IdentityKind, String)],
) -> Result<()> {
    let mut persons = persons(tx, location, import, identities)?;
    let person = persons.pop_first().unwrap_or(line);
    for other in persons {
        for table in [&ROWS, &IDENTITIES] {
            let sql = format!(
                "UPDATE {} SET person = ?3 WHERE location_id = ?1 AND import_id = ?2 AND person = ?4",
                table.name()
            );
            tx.execute(&sql, &[&location, &import, &person, &other])?;
        }
    }
    for (kind, value) in identities {
        let kind = kind.as_str();
        let row: [Named<'_>; 5] = [
            ("location_id", &location),
            ("import_id", &import),
            ("kind", &kind),
            ("value", value),
            ("person", &person),
        ];
        IDENTITIES.save(tx, &row)?;
    }
    let cells = serde_json::Value::from(cells).to_string();
    let row: [Named<'_>; 5] =
        [("location_id", &location), ("import_id", &import), ("line", &line), ("person", &person), ("cells", &cells)];
    ROWS.insert(tx, &row)
}

/// Forgets what trials that are over have kept, at most so many rows of each table. Answers how many.
pub fn trim(tx: &mut Tx<'_>, most: i64) -> Result<u64> {
    let mut gone = 0;
    for (table, key) in [(&ROWS, "line"), (&IDENTITIES, "kind, value")] {
        let name = table.name();
        let sql = format!(
            "SELECT i.location_id, i.id FROM imports i WHERE i.ended_at IS NOT NULL AND EXISTS (
                 SELECT 1 FROM {name} t WHERE t.location_id = i.location_id AND t.import_id = i.id) LIMIT 1"
        );
        let due: Option<(LocationId, ImportId)> = tx.query_opt(&sql, &[], |row| Ok((row.column()?, row.column()?)))?;
        let Some((location, id)) = due else { continue };
        let sql = format!(
            "DELETE FROM {name} WHERE location_id = ?1 AND import_id = ?2 AND ({key}) IN (
                 SELECT {key} FROM {name} WHERE location_id = ?1 AND import_id = ?2 LIMIT ?3)"
        );
        gone += tx.execute(&sql, &[&location, &id, &most])?;
    }
    Ok(gone)
}
