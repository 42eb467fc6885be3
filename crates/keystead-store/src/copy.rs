//! Copying a whole database, row by row, between SQLite and PostgreSQL in every direction: for moving, for backups and
//! for restoring them.
//!
//! The source is read in one snapshot, also while it is written to. The target is filled in one transaction, then read
//! back and compared: it holds everything or nothing.

mod rows;

use std::{path::Path, time::Duration};

use keystead_model::UtcMs;

use self::rows::{Content, columns, each_batch, insert};
use crate::{
    Database, Error, Migrations, Result, Tx, catalog, lineage, migrations, postgres, service_clock, session::Session,
    sqlite,
};

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
    pub tables: Vec<(String, u64)>,
    /// The digest of each of them, whatever the order of its rows.
    pub digests: Vec<(String, String)>,
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
    fn source(database: &Database) -> Result<Self> {
        match database {
            Database::Sqlite(path) => Ok(Self::Sqlite(sqlite::open_source(path)?)),
            Database::Postgres(_) => Self::target(database),
        }
    }

    fn target(database: &Database) -> Result<Self> {
        Ok(match database {
            Database::Sqlite(path) => Self::Sqlite(sqlite::open_alone(path, true)?),
            Database::Postgres(url) => Self::Postgres(Box::new(postgres::connect_alone(url)?)),
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

/// Copies `from` into `to`, which must be empty, and compares.
///
/// It blocks, and must run on a thread that drives no async runtime. `progress` hears of every batch.
pub fn copy(
    from: &Database,
    to: &Database,
    clocks: &Clocks,
    now: UtcMs,
    mut progress: impl FnMut(&str, u64),
) -> Result<Copied> {
    fill(Side::source(from)?, to, clocks, now, &mut progress)
}

/// The same out of a backup, which is only read.
pub fn copy_backup(
    from: &Path,
    to: &Database,
    clocks: &Clocks,
    now: UtcMs,
    mut progress: impl FnMut(&str, u64),
) -> Result<Copied> {
    fill(Side::Sqlite(sqlite::open_immutable(from)?), to, clocks, now, &mut progress)
}

fn fill(
    mut source: Side,
    to: &Database,
    clocks: &Clocks,
    now: UtcMs,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<Copied> {
    let mut target = Side::target(to)?;
    source.begin(true)?;
    target.begin(false)?;
    let found = migrations::current(&mut source.tx())?;
    if found != Migrations::known() {
        return Err(Error::Refused(format!(
            "the database to copy has schema version {found}, this release {}; start the server on it once",
            Migrations::known()
        )));
    }
    if migrations::current(&mut target.tx())? != 0 {
        return Err(Error::Refused("the target is not empty; name a new database".to_owned()));
    }
    // Whatever else stands in the target's schema is not ours to copy.
    let others = catalog::tables(&mut target.tx())?;
    migrations::create(&mut target.tx())?;
    let mut tables = catalog::tables(&mut target.tx())?;
    tables.retain(|table| !others.contains(table));
    let mut copied = Copied::default();
    let mut contents = Vec::new();
    for table in &tables {
        let ours = columns(&mut source.tx(), table)?;
        let theirs = columns(&mut target.tx(), table)?;
        if ours
            .iter()
            .map(|column| (&column.name, column.kind))
            .ne(theirs.iter().map(|column| (&column.name, column.kind)))
        {
            return Err(Error::Refused(format!("the table {table} differs in the two databases")));
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
            copied.tables.push((table.clone(), content.rows));
            copied.digests.push((table.clone(), content.digest()));
        }
    }
    for (table, expected) in tables.iter().zip(contents) {
        let columns = columns(&mut target.tx(), table)?;
        let mut content = Content::default();
        each_batch(&mut target.tx(), table, &columns, |rows| {
            content.add_all(&rows);
            Ok(())
        })?;
        if content != expected {
            return Err(Error::Refused(format!(
                "the copy of {table} differs: {} rows instead of {}, or other values",
                content.rows, expected.rows
            )));
        }
    }
    let mut tx = target.tx();
    for (table, column) in catalog::serials(&mut tx)?.iter().filter(|(table, _)| tables.contains(table)) {
        let next = format!("COALESCE((SELECT max({column}) FROM {table}), 0) + 1");
        let sql = format!("SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {next}, FALSE)");
        tx.query(&sql, &[], |row| row.column::<i64>())?;
    }
    if let Clocks::Restart { incarnation } = clocks {
        service_clock::restart_all(&mut tx)?;
        let old: String = tx.query_one("SELECT incarnation FROM instance WHERE id = 1", &[], |row| row.column())?;
        lineage::fork(&mut tx, &old, incarnation, now)?;
        tx.execute("DELETE FROM nodes", &[])?;
        // Nobody is signed in to a database that was elsewhere before.
        tx.execute("DELETE FROM sessions WHERE created_at <= ?1", &[&now])?;
    }
    if tx.is_postgres() {
        // Until autovacuum comes, the planner would take every table for an empty one.
        tx.batch(&format!("ANALYZE {}", tables.join(", ")))?;
    }
    tx.batch("COMMIT")?;
    source.tx().batch("ROLLBACK")?;
    if let Side::Sqlite(connection) = &source {
        // While it was read the WAL could only grow. Whoever uses it must not wait for us: then it is for the next.
        let _ = connection.busy_timeout(Duration::from_millis(100));
        for kind in ["PASSIVE", "TRUNCATE"] {
            let _ = connection.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |_| Ok(()));
        }
    }
    Ok(copied)
}
