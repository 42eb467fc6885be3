//! A connection to PostgreSQL, the statements prepared on it, and those that are under way.
//!
//! An answer costs a round trip, so whatever nobody looks at is sent along with the next statement that is waited for:
//! [`Session::later`]. Rows that nobody reads before the commit are kept and written together: [`crate::late`].

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use postgres_types::ToSql;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Row, Statement};

use crate::{
    Error, Result, ToValue,
    error::is_retryable,
    late::{self, Late, LateTable},
    postgres_url::Target,
    value::{OwnedValue, Value},
};

/// Statements kept per connection; beyond, all are forgotten, since run-time filters must not grow without end.
const MAX_STATEMENTS: usize = 500;

/// Lives and dies on one thread, which drives no other runtime.
pub(crate) struct Session {
    runtime: Runtime,
    client: Arc<Client>,
    statements: HashMap<String, Prepared>,
    sent: Vec<Sent>,
    /// How many were ever sent so.
    sent_count: u64,
    late: Late,
    /// Whether a statement failed whose closure had ended by then: nobody can say any more what is to be undone.
    is_doomed: bool,
}

#[derive(Clone)]
struct Prepared {
    statement: Statement,
    /// Tables that it names and that late rows may be kept for.
    touches: late::Tables,
}

type Answer = Pin<Box<dyn Future<Output = std::result::Result<u64, tokio_postgres::Error>> + Send>>;

/// A statement whose answer nobody has looked at.
struct Sent {
    number: u64,
    answer: Answer,
    /// Whether its closure has ended.
    is_of_ended: bool,
    /// Whether what it did is undone anyway.
    is_undone: bool,
}

/// A place in a transaction that can be gone back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    late: late::Mark,
    sent: u64,
}

/// A failure of a statement, and what follows from it.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// Whether the whole transaction may succeed when it is run again.
    pub(crate) retry: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, retry: false }
    }
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self { retry: is_retryable(&error), error: error.into() }
    }
}

type Outcome<T> = std::result::Result<T, Failed>;

impl Session {
    /// Connects. A refused password and an unknown host are told apart by their texts only.
    pub(crate) fn connect(target: &Target) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::Unavailable(format!("no runtime: {error}")))?;
        let (client, connection) = runtime.block_on(target.config.connect(target.tls.clone()))?;
        // It runs whenever an answer is waited for. Why it ended is told by whatever is asked next.
        drop(runtime.spawn(async move { drop(connection.await) }));
        let client = Arc::new(client);
        let (statements, sent, late) = (HashMap::new(), Vec::new(), Late::default());
        Ok(Self { runtime, client, statements, sent, sent_count: 0, late, is_doomed: false })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs statements without values, and waits for them.
    pub(crate) fn batch(&mut self, sql: &str) -> Outcome<()> {
        let client = Arc::clone(&self.client);
        self.answered(async move { client.batch_execute(sql).await })
    }

    /// The same for statements that may read what is kept.
    pub(crate) fn script(&mut self, sql: &str) -> Outcome<()> {
        self.flush_of(late::Tables::named_in(sql))?;
        self.batch(sql)
    }

    /// Sends statements without values along with whatever is waited for next.
    pub(crate) fn batch_later(&mut self, sql: &str) {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        self.send(Box::pin(async move { client.batch_execute(&sql).await.map(|()| 0) }));
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &[&dyn ToValue]) -> Outcome<u64> {
        let statement = self.ready(sql)?;
        let client = Arc::clone(&self.client);
        let values: Vec<Value<'_>> = values.iter().map(|value| value.to_value()).collect();
        self.answered(async move { client.execute(&statement, &bound(&values)).await })
    }

    pub(crate) fn query(&mut self, sql: &str, values: &[&dyn ToValue]) -> Outcome<Vec<Row>> {
        let statement = self.ready(sql)?;
        let client = Arc::clone(&self.client);
        let values: Vec<Value<'_>> = values.iter().map(|value| value.to_value()).collect();
        self.answered(async move { client.query(&statement, &bound(&values)).await })
    }

    /// Sends a statement along with the next one that is waited for, whose failure is its own, too.
    pub(crate) fn later(&mut self, sql: &str, values: &[&dyn ToValue]) -> Outcome<()> {
        let statement = self.ready(sql)?;
        let values: Vec<OwnedValue> = values.iter().map(|value| value.to_value().into_owned()).collect();
        self.send_owned(statement, values);
        Ok(())
    }

    /// Keeps a row until its table is read, or the transaction ends.
    pub(crate) fn late(&mut self, table: &'static LateTable, values: &[&dyn ToValue]) {
        self.late.add(table, values);
    }

    /// Where the transaction is now.
    pub(crate) fn mark(&self) -> Mark {
        Mark { late: self.late.mark(), sent: self.sent_count }
    }

    /// What was sent and kept since then is undone by a ROLLBACK TO that follows.
    pub(crate) fn undo(&mut self, mark: Mark) {
        for sent in self.sent.iter_mut().filter(|sent| sent.number >= mark.sent) {
            sent.is_undone = true;
        }
        self.late.undo(mark.late);
    }

    /// What was done so far belongs to closures that have ended.
    pub(crate) fn end_closure(&mut self) {
        for sent in &mut self.sent {
            sent.is_of_ended = true;
        }
        self.late.settle();
    }

    /// Writes the rows that are kept, and commits.
    pub(crate) fn commit(&mut self) -> Outcome<()> {
        let outcome = self.flush_of(late::Tables::ALL).and_then(|()| self.batch("COMMIT"));
        self.forget();
        if outcome.is_err() && !self.is_closed() {
            // What failed before it has made the COMMIT a ROLLBACK, unless it never came to that.
            self.batch("ROLLBACK")?;
        }
        outcome
    }

    /// Ends the transaction as if it had never been.
    pub(crate) fn roll_back(&mut self) -> Outcome<()> {
        self.forget();
        self.batch("ROLLBACK")
    }

    /// Forgets what is kept and what nobody has looked at.
    fn forget(&mut self) {
        for sent in &mut self.sent {
            sent.is_undone = true;
        }
        self.late = Late::default();
        self.is_doomed = false;
    }

    pub(crate) fn is_doomed(&self) -> bool {
        self.is_doomed
    }

    fn flush_of(&mut self, tables: late::Tables) -> Outcome<()> {
        for (sql, columns) in self.late.take(tables) {
            let statement = self.prepared(sql)?.statement;
            self.send_owned(statement, columns);
        }
        Ok(())
    }

    /// The statement, with every late row written that it might read.
    fn ready(&mut self, sql: &str) -> Outcome<Statement> {
        let Prepared { statement, touches } = self.prepared(sql)?;
        self.flush_of(touches)?;
        Ok(statement)
    }

    fn prepared(&mut self, sql: &str) -> Outcome<Prepared> {
        if let Some(prepared) = self.statements.get(sql) {
            return Ok(prepared.clone());
        }
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        let (client, text) = (Arc::clone(&self.client), dollars(sql));
        let statement = self.answered(async move { client.prepare(&text).await })?;
        let prepared = Prepared { statement, touches: late::Tables::named_in(sql) };
        self.statements.insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }

    fn send_owned<V: ToSql + Send + Sync + 'static>(&mut self, statement: Statement, values: Vec<V>) {
        let client = Arc::clone(&self.client);
        self.send(Box::pin(async move {
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            client.execute(&statement, &values).await
        }));
    }

    /// The first poll writes the message into the connection's queue, where it keeps its order.
    fn send(&mut self, mut answer: Answer) {
        let early = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(outcome) = early {
            answer = Box::pin(std::future::ready(outcome));
        }
        self.sent.push(Sent { number: self.sent_count, answer, is_of_ended: false, is_undone: false });
        self.sent_count += 1;
    }

    /// Waits for an answer, and for all that were sent before.
    fn answered<T>(
        &mut self,
        answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Outcome<T> {
        let sent = std::mem::take(&mut self.sent);
        let is_doomed = &mut self.is_doomed;
        self.runtime.block_on(async move {
            let mut answer = std::pin::pin!(answer);
            // Sent before the others are waited for.
            let early = std::future::poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
            // The first failure is the cause of those after it.
            let mut first = None;
            for sent in sent {
                if let Err(error) = sent.answer.await
                    && !sent.is_undone
                {
                    *is_doomed |= sent.is_of_ended;
                    first.get_or_insert(error);
                }
            }
            let outcome = match early {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => answer.await,
            };
            match first {
                Some(error) => Err(error.into()),
                None => Ok(outcome?),
            }
        })
    }
}

fn bound<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// `?1` becomes `$1`. No statement of ours has a question mark in a literal.
fn dollars(sql: &str) -> String {
    sql.replace('?', "$")
}
