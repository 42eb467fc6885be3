//! The change feed: what verification reads and has changed, in commit order.
//!
//! A transaction that changes such a thing calls [`next`] **first**. The row lock on `change_head` makes commit order
//! equal sequence order, without gaps, so that a reader that has seen n has seen everything up to n.

use keystead_model::{AgencyId, KeyId, LocationId, UserId, UtcMs};

use crate::{Result, ToValue, Tx, filter::rows, service_clock::ServiceClock};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// A key: its state, secrets, scopes, locations, addresses, limit or expiry.
    Key(KeyId),
    /// A location's state.
    Location(LocationId),
    /// An agency's state.
    Agency(AgencyId),
    /// A member: their role, password, and whether they may sign in. No cache holds it; the journal of revocations does.
    Member(UserId),
}

impl Change {
    /// What kind of thing changed, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Location(_) => "location",
            Self::Agency(_) => "agency",
            Self::Member(_) => "member",
        }
    }

    /// Its id.
    pub fn subject(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Location(id) => id.as_str(),
            Self::Agency(id) => id.as_str(),
            Self::Member(id) => id.as_str(),
        }
    }

    /// Reads the two; `None` for a kind that this release does not know.
    pub fn parse(kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "key" => KeyId::parse(subject).map(Self::Key),
            "location" => LocationId::parse(subject).map(Self::Location),
            "agency" => AgencyId::parse(subject).map(Self::Agency),
            "member" => UserId::parse(subject).map(Self::Member),
            _ => None,
        }
    }
}

/// What a poll finds.
#[derive(Clone, Debug)]
pub struct Poll {
    /// Which database answers; a new one empties every cache.
    pub incarnation: String,
    /// The last sequence number given.
    pub head: i64,
    /// Which change has it, as [`mark`] says.
    pub mark: Option<String>,
    /// The service clock.
    pub clock: ServiceClock,
    /// The oldest change still kept, if any.
    pub oldest: Option<i64>,
}

/// Takes the lock of the head, for a transaction that decides by what it finds under it whether anything changes.
pub fn lock(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("UPDATE change_head SET seq = seq WHERE id = 1", &[])?;
    Ok(())
}

/// Takes the lock and numbers one change.
pub fn next(tx: &mut Tx<'_>, change: Change, now: UtcMs) -> Result<i64> {
    let seq: i64 =
        tx.query_one("UPDATE change_head SET seq = seq + 1 WHERE id = 1 RETURNING seq", &[], |row| row.column())?;
    tx.execute(
        "INSERT INTO changes (seq, kind, subject, recorded_at) VALUES (?1, ?2, ?3, ?4)",
        &[&seq, &change.kind(), &change.subject(), &now],
    )?;
    Ok(seq)
}

/// The same for many at once, in two statements.
pub fn next_all(tx: &mut Tx<'_>, changes: &[Change], now: UtcMs) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let count = changes.len() as i64;
    let head: i64 =
        tx.query_one("UPDATE change_head SET seq = seq + ?1 WHERE id = 1 RETURNING seq", &[&count], |row| {
            row.column()
        })?;
    let numbered: Vec<(i64, &str, &str)> =
        (head - count + 1..).zip(changes).map(|(seq, change)| (seq, change.kind(), change.subject())).collect();
    let mut values: Vec<&dyn ToValue> = Vec::with_capacity(numbered.len() * 4);
    for (seq, kind, subject) in &numbered {
        values.extend([seq as &dyn ToValue, kind, subject, &now]);
    }
    let rows = rows(0, numbered.len(), &["?"; 4]);
    tx.execute(&format!("INSERT INTO changes (seq, kind, subject, recorded_at) VALUES {rows}"), &values)?;
    Ok(())
}

/// Head, clock and incarnation in one statement. It names the rows by their keys: PostgreSQL never analyses tables that
/// nothing changes, takes them for thousands of rows, and would compile a join of all of them each time.
pub fn poll(tx: &mut Tx<'_>) -> Result<Poll> {
    tx.query_one(
        "SELECT i.incarnation, h.seq,
                (SELECT CAST(recorded_at AS TEXT) || ' ' || subject FROM changes WHERE seq = h.seq),
                c.now_ms, c.epoch, c.paused, (SELECT min(seq) FROM changes)
         FROM instance i CROSS JOIN change_head h CROSS JOIN service_clock c
         WHERE i.id = 1 AND h.id = 1 AND c.id = 1",
        &[],
        |row| {
            Ok(Poll {
                incarnation: row.column()?,
                head: row.column()?,
                mark: row.column()?,
                clock: ServiceClock { now: row.column()?, epoch: row.column()?, paused: row.column()? },
                oldest: row.column()?,
            })
        },
    )
}

/// The changes after `seq`, in order, at most `limit`; `None` is a kind of change that only a newer release knows.
pub fn after(tx: &mut Tx<'_>, seq: i64, limit: i64) -> Result<Vec<(i64, Option<Change>)>> {
    tx.query("SELECT seq, kind, subject FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2", &[&seq, &limit], |row| {
        let seq = row.column()?;
        let (kind, subject): (String, String) = (row.column()?, row.column()?);
        Ok((seq, Change::parse(&kind, &subject)))
    })
}

/// Which change has a number: its instant and its subject. A database that was set back gives numbers once more, to other
/// changes, so that a number alone does not tell whether two know the same history. `None` where it is forgotten, or not
/// there.
pub fn mark(tx: &mut Tx<'_>, seq: i64) -> Result<Option<String>> {
    let sql = "SELECT CAST(recorded_at AS TEXT) || ' ' || subject FROM changes WHERE seq = ?1";
    tx.query_opt(sql, &[&seq], |row| row.column())
}

/// The marks of all changes that are not forgotten, by their numbers.
pub fn marks(tx: &mut Tx<'_>) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT seq, CAST(recorded_at AS TEXT) || ' ' || subject FROM changes";
    tx.query(sql, &[], |row| Ok((row.column()?, row.column()?)))
}

/// Forgets changes older than `before`, but never the newest: a head without rows would look like lost changes.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute(
        "DELETE FROM changes WHERE recorded_at < ?1 AND seq < (SELECT seq FROM change_head WHERE id = 1)",
        &[&before],
    )
}
