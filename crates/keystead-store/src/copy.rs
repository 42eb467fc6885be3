//! Copying a whole database, row by row, between SQLite and PostgreSQL in every direction: for moving, for backups and
//! for restoring them.
//!
//! The source is read in one snapshot, also while it is written to. The target is filled in one transaction, then read
//! back and compared: it holds everything or nothing.

use keystead_model::UtcMs;
use sha2::{Digest, Sha256};

use crate::{
    Database, Error, Migrations, Result, Row, ToValue, Tx, Value, lineage, migrations, postgres, service_clock, sqlite,
    tx::Session,
};

/// All tables, each after those that it refers to.
const TABLES: &[&str] = &[
    "schema_migrations",
    "instance",
    "instance_secrets",
    "lineage",
    "service_clock",
    "change_head",
    "changes",
    "agencies",
    "locations",
    "users",
    "user_locations",
    "sessions",
    "invitations",
    "api_keys",
    "audit_rows",
    "audit_heads",
    "idempotent_requests",
    "contacts",
    "contact_identities",
    "contact_counts",
    "contact_terms",
    "tags",
    "contact_tags",
    "notes",
    "tasks",
    "notices",
    "notice_readings",
    "muted_topics",
    "mailed_notices",
    "exposure_reports",
    "key_usage",
    "mails",
    "nodes",
];

/// Rows fetched, and written, at a time.
const BATCH: usize = 50;

/// What becomes of the clocks in the copy.
#[derive(Clone, Debug)]
pub enum Clocks {
    /// A backup is the database as it was.
    Keep,
    /// The copy will be used: what was used meanwhile is not known, so everybody's 90 days begin anew, and caches of
    /// the old database are worthless.
    Restart {
        /// Names the new database.
        incarnation: String,
    },
}

/// What was copied: rows of each table that has some.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// Table and rows, in order.
    pub tables: Vec<(&'static str, u64)>,
}

impl Copied {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// A connection of this copy alone.
enum Side {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Session>),
}

impl Side {
    fn open(database: &Database, create: bool) -> Result<Self> {
        Ok(match database {
            Database::Sqlite(path) => Self::Sqlite(sqlite::open_alone(path, create)?),
            Database::Postgres(url) => Self::Postgres(Box::new(Session::new(postgres::connect_alone(url)?))),
        })
    }

    fn tx(&mut self) -> Tx<'_> {
        match self {
            Self::Sqlite(connection) => Tx::sqlite(connection),
            Self::Postgres(session) => Tx::postgres(session),
        }
    }

    fn begin(&mut self, read_only: bool) -> Result<()> {
        let begin = match (&self, read_only) {
            (Self::Sqlite(_), true) => "BEGIN",
            (Self::Sqlite(_), false) => "BEGIN IMMEDIATE",
            (Self::Postgres(_), true) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Self::Postgres(_), false) => "BEGIN",
        };
        self.tx().batch(begin)
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Bool,
    Text,
    Bytes,
}

/// A value on its way.
#[derive(Clone, Debug)]
enum Owned {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl ToValue for Owned {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(*number),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

struct Column {
    name: String,
    kind: Kind,
}

fn columns(tx: &mut Tx<'_>, table: &str) -> Result<Vec<Column>> {
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

fn read(row: &mut Row<'_>, columns: &[Column]) -> Result<Vec<Owned>> {
    columns
        .iter()
        .map(|column| {
            Ok(match column.kind {
                Kind::Int => row.column::<Option<i64>>()?.map_or(Owned::Null, Owned::Int),
                Kind::Bool => row.column::<Option<bool>>()?.map_or(Owned::Null, Owned::Bool),
                Kind::Text => row.column::<Option<String>>()?.map_or(Owned::Null, Owned::Text),
                Kind::Bytes => row.column::<Option<Vec<u8>>>()?.map_or(Owned::Null, Owned::Bytes),
            })
        })
        .collect()
}

/// The content of a table, whatever the order of its rows: their number, and the sum of their digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Content {
    rows: u64,
    sum: [u64; 4],
}

impl Content {
    fn add_all(&mut self, rows: &[Vec<Owned>]) {
        for row in rows {
            self.add(row);
        }
    }

    fn add(&mut self, row: &[Owned]) {
        let mut hash = Sha256::new();
        for value in row {
            let (tag, bytes): (u8, std::borrow::Cow<'_, [u8]>) = match value {
                Owned::Null => (0, [].as_slice().into()),
                Owned::Int(number) => (1, number.to_be_bytes().to_vec().into()),
                Owned::Bool(truth) => (2, vec![u8::from(*truth)].into()),
                Owned::Text(text) => (3, text.as_bytes().into()),
                Owned::Bytes(bytes) => (4, bytes.as_slice().into()),
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
}

/// Reads a table from its beginning to its end, in batches.
fn each_batch(
    tx: &mut Tx<'_>,
    table: &str,
    columns: &[Column],
    mut take: impl FnMut(Vec<Vec<Owned>>) -> Result<()>,
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
    let sql = format!("SELECT rowid, {names} FROM {table} WHERE rowid > ?1 ORDER BY rowid LIMIT {BATCH}");
    let mut after = i64::MIN;
    loop {
        let mut last = after;
        let rows = tx.query(&sql, &[&after], |row| {
            last = row.column()?;
            read(row, columns)
        })?;
        if rows.is_empty() {
            return Ok(());
        }
        after = last;
        take(rows)?;
    }
}

fn insert(tx: &mut Tx<'_>, table: &str, columns: &[Column], rows: &[Vec<Owned>]) -> Result<()> {
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

/// Copies `from` into `to`, which must be empty, and compares.
///
/// It blocks, and must run on a thread that drives no async runtime. `progress` hears of every batch.
pub fn copy(
    from: &Database,
    to: &Database,
    clocks: &Clocks,
    now: UtcMs,
    mut progress: impl FnMut(&'static str, u64),
) -> Result<Copied> {
    let mut source = Side::open(from, false)?;
    let mut target = Side::open(to, true)?;
    source.begin(true)?;
    target.begin(false)?;
    let found = migrations::current(&mut source.tx())?;
    if found != Migrations::known() {
        return Err(Error::Statement(format!(
            "the database to copy has schema version {found}, this release {}; start the server on it once",
            Migrations::known()
        )));
    }
    if migrations::current(&mut target.tx())? != 0 {
        return Err(Error::Statement("the target is not empty; name a new database".to_owned()));
    }
    migrations::create(&mut target.tx())?;
    let mut copied = Copied::default();
    let mut contents = Vec::new();
    for table in TABLES {
        let ours = columns(&mut source.tx(), table)?;
        let theirs = columns(&mut target.tx(), table)?;
        if ours
            .iter()
            .map(|column| (&column.name, column.kind))
            .ne(theirs.iter().map(|column| (&column.name, column.kind)))
        {
            return Err(Error::Statement(format!("the table {table} differs in the two databases")));
        }
        let mut content = Content::default();
        each_batch(&mut source.tx(), table, &ours, |rows| {
            content.add_all(&rows);
            insert(&mut target.tx(), table, &theirs, &rows)?;
            progress(table, content.rows);
            Ok(())
        })?;
        contents.push(content);
        if content.rows > 0 {
            copied.tables.push((table, content.rows));
        }
    }
    for (table, expected) in TABLES.iter().zip(contents) {
        let columns = columns(&mut target.tx(), table)?;
        let mut content = Content::default();
        each_batch(&mut target.tx(), table, &columns, |rows| {
            content.add_all(&rows);
            Ok(())
        })?;
        if content != expected {
            return Err(Error::Statement(format!(
                "the copy of {table} differs: {} rows instead of {}, or other values",
                content.rows, expected.rows
            )));
        }
    }
    let mut tx = target.tx();
    if tx.is_postgres() {
        for table in ["audit_rows", "exposure_reports"] {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), COALESCE((SELECT max(id) FROM {table}), 0) + 1, FALSE)"
            );
            tx.query(&sql, &[], |row| row.column::<i64>())?;
        }
    }
    if let Clocks::Restart { incarnation } = clocks {
        service_clock::restart_all(&mut tx)?;
        let old: String = tx.query_one("SELECT incarnation FROM instance WHERE id = 1", &[], |row| row.column())?;
        lineage::fork(&mut tx, &old, incarnation)?;
        tx.execute("DELETE FROM nodes", &[])?;
        // Nobody is signed in to a database that was elsewhere before.
        tx.execute("DELETE FROM sessions WHERE created_at <= ?1", &[&now])?;
    }
    tx.batch("COMMIT")?;
    source.tx().batch("ROLLBACK")?;
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that is forgotten here would be lost by a backup.
    #[test]
    fn every_table_is_copied() {
        let memory = crate::Memory::open().unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name";
        let mut tables: Vec<String> = memory.read(|tx| tx.query(sql, &[], |row| row.column())).unwrap();
        let mut known: Vec<&str> = TABLES.to_vec();
        known.sort_unstable();
        tables.sort_unstable();
        assert_eq!(tables, known);
    }
}
