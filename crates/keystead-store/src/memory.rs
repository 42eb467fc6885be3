//! A SQLite database in memory, on the calling thread: the simulation runs the real SQL on it.

use std::time::Duration;

use rusqlite::Connection;

use crate::{Error, Result, Tx, deadline, migrations};

/// A migrated database that is gone when it is dropped.
pub struct Memory {
    connection: Connection,
}

impl Memory {
    /// An empty one with the newest schema.
    pub fn open() -> Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        deadline::watch(&mut connection)?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.execute_batch("PRAGMA foreign_keys = ON")?;
        let memory = Self { connection };
        memory.write(migrations::create)?;
        Ok(memory)
    }

    /// Runs `closure` in a transaction, which is kept if it answers `Ok`.
    pub fn write<T, E: From<Error>>(
        &self,
        closure: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .map_err(Error::from)?;
        let outcome = closure(&mut Tx::sqlite(&self.connection));
        let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.connection.prepare_cached(end).and_then(|mut end| end.execute([])).map_err(Error::from)?;
        outcome
    }

    /// Runs `closure` without a transaction.
    pub fn read<T, E>(
        &self,
        closure: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        closure(&mut Tx::sqlite(&self.connection))
    }

    /// A copy, as a backup is one.
    pub fn copy(&self) -> Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        rusqlite::backup::Backup::new(&self.connection, &mut connection)?.run_to_completion(
            1_000_000,
            Duration::ZERO,
            None,
        )?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.execute_batch("PRAGMA foreign_keys = ON")?;
        Ok(Self { connection })
    }
}
