//! A transaction: what query functions are written against.

use std::collections::HashMap;

use ::postgres::{Client, Statement};

use crate::{Error, Result, Row, ToValue, Value, error::is_retryable};

/// An open transaction, or one statement on its own, on either database.
///
/// SQL is written once, with `?1 … ?n`; PostgreSQL gets `$1 … $n`.
pub struct Tx<'c> {
    connection: Connection<'c>,
    /// Whether a statement failed in a way that running the whole transaction again may mend.
    pub(crate) retry: bool,
    /// Whether a statement failed since there is no space left.
    pub(crate) is_full: bool,
}

enum Connection<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut Session),
}

/// A PostgreSQL connection and the statements prepared on it. Lives and dies on one thread.
pub(crate) struct Session {
    pub(crate) client: Client,
    statements: HashMap<String, Statement>,
}

/// Statements kept per connection; beyond, all are forgotten, since run-time filters must not grow without end.
const MAX_STATEMENTS: usize = 500;

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, statements: HashMap::new() }
    }

    fn prepare(&mut self, sql: &str) -> std::result::Result<Statement, ::postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        let statement = self.client.prepare(&dollars(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// `?1` becomes `$1`. No statement of ours has a question mark in a literal.
fn dollars(sql: &str) -> String {
    sql.replace('?', "$")
}

impl<'c> Tx<'c> {
    pub(crate) fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self { connection: Connection::Sqlite(connection), retry: false, is_full: false }
    }

    pub(crate) fn postgres(session: &'c mut Session) -> Self {
        Self { connection: Connection::Postgres(session), retry: false, is_full: false }
    }

    /// Whether this is PostgreSQL, for the few statements that cannot be the same.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Locks the rows of a SELECT until the transaction ends. SQLite has one writer, so it has nothing to lock.
    pub(crate) fn for_update(&self) -> &'static str {
        if self.is_postgres() { " FOR UPDATE" } else { "" }
    }

    /// Runs a statement; the number of rows that it changed.
    pub fn execute(&mut self, sql: &str, values: &[&dyn ToValue]) -> Result<u64> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let done = connection.prepare_cached(sql).and_then(|mut statement| {
                    statement.execute(rusqlite::params_from_iter(values.iter().map(|value| value.to_value())))
                });
                done.map(|changed| changed as u64).map_err(|error| self.noted(error.into()))
            }
            Connection::Postgres(session) => {
                let outcome = session.prepare(sql).and_then(|statement| {
                    let values: Vec<Value<'_>> = values.iter().map(|value| value.to_value()).collect();
                    let values: Vec<&(dyn postgres_types::ToSql + Sync)> =
                        values.iter().map(|value| value as &(dyn postgres_types::ToSql + Sync)).collect();
                    session.client.execute(&statement, &values)
                });
                outcome.map_err(|error| self.postgres_error(error, sql))
            }
        }
    }

    /// Runs a query and maps each row.
    pub fn query<T>(
        &mut self,
        sql: &str,
        values: &[&dyn ToValue],
        mut map: impl FnMut(&mut Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
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
                let outcome = session.prepare(sql).and_then(|statement| {
                    let values: Vec<Value<'_>> = values.iter().map(|value| value.to_value()).collect();
                    let values: Vec<&(dyn postgres_types::ToSql + Sync)> =
                        values.iter().map(|value| value as &(dyn postgres_types::ToSql + Sync)).collect();
                    session.client.query(&statement, &values)
                });
                let rows = outcome.map_err(|error| self.postgres_error(error, sql))?;
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
        match &mut self.connection {
            Connection::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Connection::Postgres(session) => {
                let outcome = session.client.batch_execute(sql);
                outcome.map_err(|error| self.postgres_error(error, sql))
            }
        }
    }

    /// Whether there is space left concerns everybody, not only who meets it.
    fn noted(&mut self, error: Error) -> Error {
        self.is_full |= matches!(error, Error::Full(_));
        error
    }

    fn postgres_error(&mut self, error: ::postgres::Error, sql: &str) -> Error {
        self.retry |= is_retryable(&error);
        match self.noted(Error::from(error)) {
            Error::Statement(text) => {
                Error::Statement(format!("{text}; in {}", sql.split_whitespace().collect::<Vec<_>>().join(" ")))
            }
            other => other,
        }
    }
}
