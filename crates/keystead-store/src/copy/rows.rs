//! The rows of a table on their way from one database to another, and a digest of them all.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::{Error, Result, Row, ToValue, Tx, catalog, value::OwnedValue};

/// Rows fetched, and written, at a time.
const BATCH: usize = 50;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Bool,
    Text,
    Bytes,
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

pub(super) fn columns(tx: &mut Tx<'_>, table: &str) -> Result<Vec<Column>> {
    let sql = if tx.is_postgres() {
        "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
         WHERE table_schema = current_schema() AND CAST(table_name AS TEXT) = ?1 ORDER BY ordinal_position"
    } else {
        "SELECT name, type FROM pragma_table_info(?1) ORDER BY cid"
    };
    tx.query(sql, &[&table], |row| {
        let (name, kind): (String, String) = (row.column()?, row.column()?);
        let kind = match kind.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Kind::Int,
            "boolean" => Kind::Bool,
            "text" => Kind::Text,
            "bytea" | "blob" => Kind::Bytes,
            other => return Err(Error::unreadable(format!("a column of type {other}"))),
        };
        Ok(Column { name, kind })
    })
}

fn read(row: &mut Row<'_>, columns: &[Column]) -> Result<Vec<OwnedValue>> {
    columns
        .iter()
        .map(|column| {
            Ok(match column.kind {
                Kind::Int => row.column::<Option<i64>>()?.map_or(OwnedValue::Null, OwnedValue::Int),
                Kind::Bool => row.column::<Option<bool>>()?.map_or(OwnedValue::Null, OwnedValue::Bool),
                Kind::Text => row.column::<Option<String>>()?.map_or(OwnedValue::Null, OwnedValue::Text),
                Kind::Bytes => row.column::<Option<Vec<u8>>>()?.map_or(OwnedValue::Null, OwnedValue::Bytes),
            })
        })
        .collect()
}

/// The content of a table, whatever the order of its rows: their number, and the sum of their digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) rows: u64,
    sum: [u64; 4],
}

impl Content {
    pub(super) fn add_all(&mut self, rows: &[Vec<OwnedValue>]) {
        for row in rows {
            self.add(row);
        }
    }

    fn add(&mut self, row: &[OwnedValue]) {
        let mut hash = Sha256::new();
        for value in row {
            let (tag, bytes): (u8, Cow<'_, [u8]>) = match value {
                OwnedValue::Null => (0, [].as_slice().into()),
                OwnedValue::Int(number) => (1, number.to_be_bytes().to_vec().into()),
                OwnedValue::Bool(truth) => (2, vec![u8::from(*truth)].into()),
                OwnedValue::Text(text) => (3, text.as_bytes().into()),
                OwnedValue::Bytes(bytes) => (4, bytes.as_slice().into()),
            };
            hash.update([tag]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        let digest: [u8; 32] = hash.finalize().into();
        for (sum, part) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let part = part.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            *sum = sum.wrapping_add(part);
        }
        self.rows += 1;
    }

    /// The digest of all rows, in hexadecimal.
    pub(super) fn digest(&self) -> String {
        self.sum.iter().map(|part| format!("{part:016x}")).collect()
    }
}

/// Reads a table from its beginning to its end, in batches.
pub(super) fn each_batch(
    tx: &mut Tx<'_>,
    table: &str,
    columns: &[Column],
    mut take: impl FnMut(Vec<Vec<OwnedValue>>) -> Result<()>,
) -> Result<()> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let names = names.join(", ");
    if tx.is_postgres() {
        tx.batch(&format!("DECLARE read_{table} NO SCROLL CURSOR FOR SELECT {names} FROM {table}"))?;
        loop {
            let rows = tx.query(&format!("FETCH {BATCH} FROM read_{table}"), &[], |row| read(row, columns))?;
            if rows.is_empty() {
                return tx.batch(&format!("CLOSE read_{table}"));
            }
            take(rows)?;
        }
    }
    let key = catalog::key_of(tx, table)?;
    let places: Vec<usize> =
        key.iter().filter_map(|name| columns.iter().position(|column| column.name == *name)).collect();
    let (key, bound) =
        (key.join(", "), (1..=places.len()).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", "));
    let mut after: Vec<OwnedValue> = Vec::new();
    loop {
        let beyond = if after.is_empty() { String::new() } else { format!(" WHERE ({key}) > ({bound})") };
        let sql = format!("SELECT {names} FROM {table}{beyond} ORDER BY {key} LIMIT {BATCH}");
        let values: Vec<&dyn ToValue> = after.iter().map(|value| value as &dyn ToValue).collect();
        let rows = tx.query(&sql, &values, |row| read(row, columns))?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = places.iter().map(|place| last[*place].clone()).collect();
        take(rows)?;
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, table: &str, columns: &[Column], rows: &[Vec<OwnedValue>]) -> Result<()> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut place = 0;
    let tuples: Vec<String> = rows
        .iter()
        .map(|_| {
            let places: Vec<String> = columns
                .iter()
                .map(|_| {
                    place += 1;
                    format!("?{place}")
                })
                .collect();
            format!("({})", places.join(", "))
        })
        .collect();
    // Numbers that the old database gave stay.
    let overriding = if tx.is_postgres() { " OVERRIDING SYSTEM VALUE" } else { "" };
    let sql = format!("INSERT INTO {table} ({}){overriding} VALUES {}", names.join(", "), tuples.join(", "));
    let values: Vec<&dyn ToValue> = rows.iter().flatten().map(|value| value as &dyn ToValue).collect();
    tx.execute(&sql, &values)?;
    Ok(())
}
