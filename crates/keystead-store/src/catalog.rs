//! What the database itself says of its tables: for whatever concerns all of them, and would miss the next one in a list.

use std::collections::BTreeSet;

use keystead_model::{ContactId, LocationId};

use crate::{Error, Result, Tx};

/// A table whose rows go with what they name.
#[derive(Clone, Copy, Debug)]
pub struct Belonging {
    /// The table.
    pub table: &'static str,
    /// How a row names by `?2` what it goes with, beside its `location_id`.
    pub naming: &'static str,
    /// The column in which it does.
    pub column: &'static str,
    /// What becomes of it where what it goes with becomes a part of another.
    pub merging: Merging,
}

/// What becomes of rows of a contact that is merged into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merging {
    /// They become rows of the other.
    Go,
    /// They do where the other has none with the same in these columns; else they stay with the contact in the trash.
    GoUnlessAlike(&'static [&'static str]),
    /// They follow from what the other is then, and are written with it.
    Follow,
}

const fn by_contact(table: &'static str) -> Belonging {
    Belonging { table, naming: "contact_id = ?2", column: "contact_id", merging: Merging::Go }
}

/// Rows that follow from the contact itself.
const fn of_itself(table: &'static str) -> Belonging {
    Belonging { merging: Merging::Follow, ..by_contact(table) }
}

/// What belongs to an opportunity with the contact.
const OF_OPPORTUNITY: &str = "owner_kind = 'opportunity'
    AND owner_id IN (SELECT id FROM opportunities WHERE location_id = ?1 AND contact_id = ?2)";

/// What goes with a contact, each before those that it refers to. A test holds this against the catalog, so that whoever adds a
/// table which belongs to contacts decides what becomes of it.
pub const OF_CONTACT: &[Belonging] = &[
    Belonging { naming: "owner_kind = 'contact' AND owner_id = ?2", ..of_itself("field_values") },
    Belonging { naming: OF_OPPORTUNITY, ..of_itself("field_values") },
    Belonging {
        naming: "file_id IN (SELECT id FROM files WHERE location_id = ?1 AND owner_kind = 'contact' AND owner_id = ?2)",
        ..of_itself("file_pieces")
    },
    Belonging {
        naming: "file_id IN (SELECT f.id FROM files f JOIN opportunities o ON o.location_id = f.location_id
            AND o.id = f.owner_id WHERE f.location_id = ?1 AND f.owner_kind = 'opportunity' AND o.contact_id = ?2)",
        ..of_itself("file_pieces")
    },
    Belonging {
        naming: "file_id IN (SELECT f.id FROM files f JOIN submissions s ON s.location_id = f.location_id
            AND s.id = f.owner_id WHERE f.location_id = ?1 AND f.owner_kind = 'submission' AND s.contact_id = ?2)",
        ..of_itself("file_pieces")
    },
    Belonging { naming: "owner_kind = 'contact' AND owner_id = ?2", ..of_itself("files") },
    Belonging { naming: OF_OPPORTUNITY, ..of_itself("files") },
    Belonging {
        naming: "owner_kind = 'submission'
            AND owner_id IN (SELECT id FROM submissions WHERE location_id = ?1 AND contact_id = ?2)",
        ..of_itself("files")
    },
    by_contact("opportunities"),
    Belonging { merging: Merging::GoUnlessAlike(&["kind", "object_id"]), ..by_contact("enrollments") },
    by_contact("recurring_tasks"),
    by_contact("submissions"),
    by_contact("inbound_payloads"),
    by_contact("link_tokens"),
    by_contact("clicks"),
    Belonging { merging: Merging::GoUnlessAlike(&["link_id"]), ..by_contact("link_fires") },
    Belonging {
        naming: "delivery_id IN (SELECT d.id FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id
            WHERE m.location_id = ?1 AND m.contact_id = ?2)",
        ..of_itself("webhook_attempts")
    },
    Belonging {
        naming: "message_id IN (SELECT id FROM webhook_messages WHERE location_id = ?1 AND contact_id = ?2)",
        ..of_itself("webhook_deliveries")
    },
    of_itself("webhook_messages"),
    by_contact("tasks"),
    by_contact("notes"),
    of_itself("contact_tags"),
    of_itself("contact_identities"),
    of_itself("contact_terms"),
];

/// Gives what belongs to a contact to another, as [`OF_CONTACT`] says.
pub fn give_to_contact(tx: &mut Tx<'_>, location: LocationId, from: ContactId, to: ContactId) -> Result<()> {
    for Belonging { table, naming, column, merging } in OF_CONTACT {
        let unless = match merging {
            Merging::Follow => continue,
            Merging::Go => String::new(),
            Merging::GoUnlessAlike(columns) => {
                let of_other = naming.replace("?2", "?3");
                let alike: Vec<String> =
                    columns.iter().map(|column| format!("o.{column} = {table}.{column}")).collect();
                let alike = alike.join(" AND ");
                format!(" AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.location_id = ?1 AND {of_other} AND {alike})")
            }
        };
        let sql = format!("UPDATE {table} SET {column} = ?3 WHERE location_id = ?1 AND {naming}{unless}");
        tx.execute(&sql, &[&location, &from, &to])?;
    }
    Ok(())
}

/// Columns that may name a contact: its own, and that of tables whose rows belong to things of several kinds.
pub const NAMING_CONTACT: &[&str] = &["contact_id", "owner_kind"];

/// What tells of a contact and stays without what it says: that something happened is not the contact's alone.
pub const ERASED_OF_CONTACT: &[&str] = &["events"];

/// What tells of a location and stays: the sealed part of the agency's log, which would not be whole without it.
pub const TELLING_OF_LOCATION: &str = "events";

/// A table whose rows go with a location.
#[derive(Clone, Debug)]
pub struct OfLocation {
    /// The table.
    pub table: String,
    /// How a row names the location by `?1`, by itself or through what it refers to.
    pub naming: String,
}

/// What goes with a location, each before those that it refers to: whatever names one in its `location_id`, and whatever refers
/// to such a thing. So the next table is one of them by itself.
pub fn of_location(tx: &mut Tx<'_>) -> Result<Vec<OfLocation>> {
    let naming_themselves = having_column(tx, "location_id")?;
    let tables = belonging_to(tx, "locations", &["location_id"])?;
    let columns = column_references(tx)?;
    tables
        .into_iter()
        .map(|table| {
            let naming = naming(&table, &naming_themselves, &columns, 0)
                .ok_or_else(|| Error::unreadable(format!("how {table} belongs to a location")))?;
            Ok(OfLocation { table, naming })
        })
        .collect()
}

fn naming(
    table: &str,
    naming_themselves: &BTreeSet<String>,
    columns: &[ColumnReference],
    depth: usize,
) -> Option<String> {
    if table == TELLING_OF_LOCATION {
        return Some("location_id = ?1 AND NOT chained".to_owned());
    }
    if naming_themselves.contains(table) {
        return Some("location_id = ?1".to_owned());
    }
    // Nothing is further from its location than this.
    if depth > 5 {
        return None;
    }
    columns.iter().filter(|reference| reference.from == table).find_map(|ColumnReference { column, to, of, .. }| {
        let of_parent = naming(to, naming_themselves, columns, depth + 1)?;
        Some(format!("{column} IN (SELECT {of} FROM {to} WHERE {of_parent})"))
    })
}

/// A column that refers to one of another table.
struct ColumnReference {
    from: String,
    column: String,
    to: String,
    of: String,
}

fn column_references(tx: &mut Tx<'_>) -> Result<Vec<ColumnReference>> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(child.relname AS TEXT), CAST(c.attname AS TEXT), CAST(parent.relname AS TEXT), CAST(p.attname AS TEXT)
         FROM pg_constraint k
         JOIN pg_class child ON child.oid = k.conrelid
         JOIN pg_class parent ON parent.oid = k.confrelid
         JOIN pg_namespace n ON n.oid = child.relnamespace
         JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1]
         JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1]
         WHERE k.contype = 'f' AND n.nspname = current_schema() AND array_length(k.conkey, 1) = 1
         ORDER BY 1, 2"
    } else {
        "SELECT t.name, f.\"from\", f.\"table\", f.\"to\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
         WHERE t.type = 'table' AND f.\"to\" IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM pragma_foreign_key_list(t.name) g WHERE g.id = f.id AND g.seq > 0)
         ORDER BY 1, 2"
    };
    tx.query(sql, &[], |row| {
        Ok(ColumnReference { from: row.column()?, column: row.column()?, to: row.column()?, of: row.column()? })
    })
}

/// The columns of a table's key, on SQLite. Not every table has a `rowid` there.
pub(crate) fn key_of(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    let key: Vec<String> = tx.query(sql, &[&table], |row| row.column())?;
    if key.is_empty() { Err(Error::unreadable(format!("the key of {table}"))) } else { Ok(key) }
}

/// A table whose rows refer to rows of another.
struct Reference {
    from: String,
    to: String,
}

/// All tables, each after those that it refers to, else by name.
pub fn tables(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
    };
    let mut left: BTreeSet<String> = tx.query(sql, &[], |row| row.column())?.into_iter().collect();
    let references = references(tx)?;
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |table: &String| {
            references
                .iter()
                .any(|reference| reference.from == *table && reference.to != *table && left.contains(&reference.to))
        };
        let next: BTreeSet<String> = left.iter().filter(|table| !waits(table)).cloned().collect();
        if next.is_empty() {
            return Err(Error::unreadable(format!("tables that refer to each other in a circle: {left:?}")));
        }
        left.retain(|table| !next.contains(table));
        ordered.extend(next);
    }
    Ok(ordered)
}

/// The columns that the database numbers by itself, and their tables: only where it must be told how far others have counted.
pub fn serials(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>> {
    if !tx.is_postgres() {
        // SQLite counts on from the largest number that it was ever given.
        return Ok(Vec::new());
    }
    let sql = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
               WHERE table_schema = current_schema() AND is_identity = 'YES'
               ORDER BY table_name, column_name";
    tx.query(sql, &[], |row| Ok((row.column()?, row.column()?)))
}

/// The tables whose rows belong to a row of `table`: those that refer to it or to one that belongs to it, and those that have
/// one of `columns`, which name such a row also where nothing makes sure that it is there. Each before those that it refers to.
pub fn belonging_to(tx: &mut Tx<'_>, table: &str, columns: &[&str]) -> Result<Vec<String>> {
    let mut owners = BTreeSet::from([table.to_owned()]);
    for column in columns {
        owners.extend(having_column(tx, column)?);
    }
    let references = references(tx)?;
    while let Some(new) =
        references.iter().find(|reference| owners.contains(&reference.to) && !owners.contains(&reference.from))
    {
        owners.insert(new.from.clone());
    }
    owners.remove(table);
    let all = tables(tx)?;
    Ok(all.into_iter().rev().filter(|known| owners.contains(known)).collect())
}

/// The tables that have such a column.
fn having_column(tx: &mut Tx<'_>, column: &str) -> Result<BTreeSet<String>> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(c.table_name AS TEXT) FROM information_schema.columns c
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
         WHERE c.table_schema = current_schema() AND CAST(c.column_name AS TEXT) = ?1 AND t.table_type = 'BASE TABLE'"
    } else {
        "SELECT t.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name = ?1"
    };
    Ok(tx.query(sql, &[&column], |row| row.column::<String>())?.into_iter().collect())
}

fn references(tx: &mut Tx<'_>) -> Result<Vec<Reference>> {
    let sql = if tx.is_postgres() {
        "SELECT DISTINCT CAST(child.relname AS TEXT), CAST(parent.relname AS TEXT)
         FROM pg_constraint k
         JOIN pg_class child ON child.oid = k.conrelid
         JOIN pg_class parent ON parent.oid = k.confrelid
         JOIN pg_namespace n ON n.oid = child.relnamespace
         WHERE k.contype = 'f' AND n.nspname = current_schema()"
    } else {
        "SELECT DISTINCT t.name, f.\"table\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'"
    };
    tx.query(sql, &[], |row| Ok(Reference { from: row.column()?, to: row.column()? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    fn names(tx: &mut Tx<'_>, sql: &str) -> BTreeSet<String> {
        tx.query(sql, &[], |row| row.column()).unwrap().into_iter().collect()
    }

    /// A table that is forgotten here would be lost by a backup.
    #[test]
    fn every_table_is_found_after_those_that_it_refers_to() {
        let memory = Memory::open().unwrap();
        memory
            .read(|tx| {
                tx.batch("CREATE TABLE a_file (note BIGINT REFERENCES z_last (id)); CREATE TABLE z_last (id BIGINT)")?;
                let tables = tables(tx)?;
                let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'";
                assert_eq!(tables.iter().cloned().collect::<BTreeSet<_>>(), names(tx, sql));
                assert_eq!(tables.len(), names(tx, sql).len());
                let place = |name: &str| tables.iter().position(|table| table == name).unwrap();
                for Reference { from, to } in references(tx)? {
                    assert!(place(&to) < place(&from), "{from} refers to {to}");
                }
                Ok::<_, Error>(())
            })
            .unwrap();
    }

    #[test]
    fn a_circle_is_refused() {
        let memory = Memory::open().unwrap();
        let sql = "CREATE TABLE a (b BIGINT REFERENCES b (a)); CREATE TABLE b (a BIGINT REFERENCES a (b))";
        let outcome = memory.read(|tx| {
            tx.batch(sql)?;
            tables(tx)
        });
        assert!(outcome.unwrap_err().to_string().contains("circle"));
    }
}
