//! A transaction: what query functions are written against.

use std::time::Duration;

use keystead_model::job::JobKind;

use crate::{
    Error, Result, Row, ToValue, deadline,
    late::LateTable,
    session::{Failed, Session},
};

/// An open transaction, or one statement on its own, on either database.
///
/// SQL is written once, with `?1 … ?n`; PostgreSQL gets `$1 … $n`.
pub struct Tx<'c> {
    connection: Connection<'c>,
    /// Whether a statement failed in a way that running the whole transaction again may mend.
    pub(crate) retry: bool,
    /// Whether a statement failed since there is no space left.
    pub(crate) is_full: bool,
    /// Kinds of jobs that it adds.
    work: Vec<JobKind>,
    /// Whether a savepoint is made before what may have to be undone alone.
    saves: bool,
    /// Whether something was changed, or may have been, since the attempt began that is under way.
    has_changed: bool,
    /// Whether something has to be undone for which no savepoint was made: nothing of the transaction may be kept.
    pub(crate) is_lost: bool,
}

enum Connection<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut Session),
}

impl<'c> Tx<'c> {
    pub(crate) fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self::over(Connection::Sqlite(connection))
    }

    pub(crate) fn postgres(session: &'c mut Session) -> Self {
        Self::over(Connection::Postgres(session))
    }

    fn over(connection: Connection<'c>) -> Self {
        Self {
            connection,
            retry: false,
            is_full: false,
            work: Vec::new(),
            saves: true,
            has_changed: false,
            is_lost: false,
        }
    }

    /// Without savepoints, which cost more than most of what they would undo: whoever runs this transaction runs it again, with
    /// them, where it [`is_lost`](Self::is_lost).
    pub(crate) fn hopeful(mut self) -> Self {
        self.saves = false;
        self
    }

    /// Whether the transaction can go on after its closure ended, and was refused unless `is_kept`.
    pub(crate) fn can_go_on(&self, is_kept: bool) -> bool {
        self.saves || !self.is_lost && (is_kept || !self.has_changed)
    }

    /// Notes that there is work of a kind, once this is committed.
    pub(crate) fn note_work(&mut self, kind: JobKind) {
        if !self.work.contains(&kind) {
            self.work.push(kind);
        }
    }

    /// What was noted.
    pub(crate) fn take_work(&mut self) -> Vec<JobKind> {
        std::mem::take(&mut self.work)
    }

    /// Whether this is PostgreSQL, for the few statements that cannot be the same.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Locks the rows of a SELECT until the transaction ends. SQLite has one writer, so it has nothing to lock.
    pub(crate) fn for_update(&self) -> &'static str {
        if self.is_postgres() { " FOR UPDATE" } else { "" }
    }

    /// Whatever follows in a transaction that is lost would be in vain.
    fn require_hope(&self) -> Result<()> {
        if self.is_lost { Err(Error::Unavailable("it has to run again".to_owned())) } else { Ok(()) }
    }

    /// Runs a statement; the number of rows that it changed.
    pub fn execute(&mut self, sql: &str, values: &[&dyn ToValue]) -> Result<u64> {
        self.require_hope()?;
        let outcome = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let done = connection.prepare_cached(sql).and_then(|mut statement| {
                    statement.execute(rusqlite::params_from_iter(values.iter().map(|value| value.to_value())))
                });
                done.map(|changed| changed as u64).map_err(|error| self.noted(error.into()))
            }
            Connection::Postgres(session) => {
                let outcome = session.execute(sql, values);
                outcome.map_err(|failed| self.failed(failed, sql))
            }
        };
        // Of what changes no rows but the schema, the database counts none.
        let counts = ["INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| sql.starts_with(verb));
        self.has_changed |= !(counts && matches!(outcome, Ok(0)));
        outcome
    }

    /// Runs a statement whose result nobody looks at. On PostgreSQL it travels with the next one; if it fails, so does that
    /// one, or the commit.
    pub fn later(&mut self, sql: &str, values: &[&dyn ToValue]) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(_) => self.execute(sql, values).map(drop),
            Connection::Postgres(session) => {
                self.has_changed = true;
                let outcome = session.later(sql, values);
                outcome.map_err(|failed| self.failed(failed, sql))
            }
        }
    }

    /// Adds a row to a table that is written late.
    pub(crate) fn late(&mut self, table: &'static LateTable, row: &[&dyn ToValue]) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(_) => self.execute(table.statement(), row).map(drop),
            Connection::Postgres(session) => {
                self.has_changed = true;
                session.late(table, row);
                Ok(())
            }
        }
    }

    /// Runs a step whose changes are undone if it fails, while the transaction goes on.
    pub fn attempt<T, E: From<Error>>(
        &mut self,
        step: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        const UNDO: &str = "ROLLBACK TO attempt; RELEASE attempt";
        if !self.saves {
            let before = std::mem::take(&mut self.has_changed);
            let outcome = step(self);
            self.is_lost |= outcome.is_err() && self.has_changed;
            self.has_changed |= before;
            return outcome;
        }
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                connection.execute_batch("SAVEPOINT attempt").map_err(Error::from)?;
                let outcome = step(self);
                match self.batch(if outcome.is_ok() { "RELEASE attempt" } else { UNDO }) {
                    // What ended the whole transaction (a full disk does) is what has to be told.
                    Err(_) if outcome.is_err() => {}
                    ended => ended?,
                }
                outcome
            }
            Connection::Postgres(session) => {
                session.batch_later("SAVEPOINT attempt");
                let (mark, retry) = (session.mark(), self.retry);
                let outcome = step(self);
                // Waited for: what fails in the attempt must not be found out after it.
                let released = if outcome.is_ok() { self.batch("RELEASE attempt") } else { Ok(()) };
                if outcome.is_ok() && released.is_ok() {
                    return outcome;
                }
                self.session().undo(mark);
                self.batch(UNDO)?;
                self.retry = retry;
                released?;
                outcome
            }
        }
    }

    fn session(&mut self) -> &mut Session {
        match &mut self.connection {
            Connection::Postgres(session) => session,
            Connection::Sqlite(_) => unreachable!("a transaction stays where it is"),
        }
    }

    /// Runs reads that have to end within `time`; else they are broken off, and [`Error::TooLong`].
    pub fn within<T>(&mut self, time: Duration, step: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let outcome = deadline::within(time, || step(self));
        if let (Connection::Postgres(session), true) = (&mut self.connection, outcome.is_ok()) {
            session.batch_later("SET LOCAL statement_timeout TO DEFAULT");
        }
        outcome
    }

    /// Runs a query and maps each row.
    pub fn query<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToValue],
        map: impl FnMut(&mut Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some(left) = deadline::left() else { return self.read(sql, values, map) };
        if left.is_zero() {
            return Err(Error::TooLong);
        }
        // PostgreSQL counts in whole milliseconds; it must not give up before time is over, which tells why it did.
        let milliseconds = left.as_millis() + 1;
        if let Connection::Postgres(session) = &mut self.connection {
            session.batch_later(&format!("SET LOCAL statement_timeout = {milliseconds}"));
        }
        self.read(sql, values, map).map_err(|error| match error {
            Error::Unavailable(_) if deadline::left().is_some_and(|left| left.is_zero()) => Error::TooLong,
            error => error,
        })
    }

    fn read<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToValue],
        mut map: impl FnMut(&mut Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.require_hope()?;
        self.has_changed |= !sql.starts_with("SELECT");
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let mut read = || {
                    let mut statement = connection.prepare_cached(sql)?;
                    let mut rows =
                        statement.query(rusqlite::params_from_iter(values.iter().map(|value| value.to_value())))?;
                    let mut mapped = Vec::new();
                    while let Some(row) = rows.next()? {
                        mapped.push(map(&mut Row::sqlite(row))?);
                    }
                    Ok(mapped)
                };
                read().map_err(|error| self.noted(error))
            }
            Connection::Postgres(session) => {
                let outcome = session.query(sql, values);
                let rows = outcome.map_err(|failed| self.failed(failed, sql))?;
                rows.iter().map(|row| map(&mut Row::postgres(row))).collect()
            }
        }
    }

    /// Runs a query for at most one row.
    pub fn query_opt<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToValue],
        map: impl FnMut(&mut Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.query(sql, values, map)?.into_iter().next())
    }

    /// Runs a query for exactly one row.
    pub fn query_one<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToValue],
        map: impl FnMut(&mut Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.query_opt(sql, values, map)?
            .ok_or_else(|| Error::Statement("a row is missing that must be there".to_owned()))
    }

    /// Runs several statements without values, as a migration has them.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.has_changed = true;
        match &mut self.connection {
            Connection::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Connection::Postgres(session) => {
                let outcome = session.script(sql);
                outcome.map_err(|failed| self.failed(failed, sql))
            }
        }
    }

    /// Whether there is space left concerns everybody, not only who meets it.
    fn noted(&mut self, error: Error) -> Error {
        self.is_full |= matches!(error, Error::Full(_));
        error
    }

    fn failed(&mut self, Failed { error, retry }: Failed, sql: &str) -> Error {
        self.retry |= retry;
        // PostgreSQL takes nothing more in a transaction of which a statement failed.
        self.is_lost |= !self.saves;
        match self.noted(error) {
            Error::Statement(text) => {
                Error::Statement(format!("{text}; in {}", sql.split_whitespace().collect::<Vec<_>>().join(" ")))
            }
            other => other,
        }
    }
}
