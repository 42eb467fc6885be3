//! The queue: who takes which job, for how long, and what became of it.
//!
//! Whoever takes a job has it until the lease ends, by the clock of the database, which is one for all servers. Then somebody else
//! takes it, and what the first says of it afterwards is refused by the number of the attempt.

use std::collections::HashMap;

use keystead_model::{
    UtcMs,
    id::Id,
    job::{Job, JobCounts, JobKind},
};

use crate::{Result, ToValue, Tx, filter::Filter};

/// Whose jobs they are.
type Owner = Id<()>;

/// Owners that are looked at in one go.
const LOOKED_AT: i64 = 256;

/// What a transaction of the queue begins with. Answers the time: the database's own, which is the same for all servers, or
/// what was `told`.
pub fn begin(tx: &mut Tx<'_>, told: Option<UtcMs>) -> Result<UtcMs> {
    if tx.is_postgres() {
        // A queue is empty most of the time, and a plan that PostgreSQL made then reads the whole of a long one.
        tx.later("SET LOCAL plan_cache_mode = force_custom_plan", &[])?;
    }
    now(tx, told)
}

/// The time by the database's own clock, which is the same for all servers, or what was `told`.
pub fn now(tx: &mut Tx<'_>, told: Option<UtcMs>) -> Result<UtcMs> {
    let sql = format!("SELECT {}", clock(tx));
    told.map_or_else(|| tx.query_one(&sql, &[], |row| row.column()), Ok)
}

fn clock(tx: &Tx<'_>) -> &'static str {
    match tx.is_postgres() {
        true => "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)",
        false => "CAST(unixepoch('subsec') * 1000 AS BIGINT)",
    }
}

/// Adds a job that is due `at` a time, at once if none is said; whoever works on its kind is woken by the commit.
pub fn add(tx: &mut Tx<'_>, kind: JobKind, id: Id<()>, owner: Owner, at: Option<UtcMs>) -> Result<()> {
    let sql = format!(
        "INSERT INTO jobs (id, kind, owner_id, attempts, unsettled, due_at, created_at)
         SELECT ?1, ?2, ?3, 0, 0, now, now FROM (SELECT COALESCE(CAST(?4 AS BIGINT), {}) AS now) AS clock",
        clock(tx)
    );
    tx.note_work(kind);
    tx.later(&sql, &[&id, &kind.as_str(), &owner, &at])
}

/// When the next job is due; `None` if there is none.
pub fn next_due(tx: &mut Tx<'_>, kind: JobKind) -> Result<Option<UtcMs>> {
    let sql = "SELECT min(due_at) FROM jobs WHERE kind = ?1 AND due_at IS NOT NULL";
    tx.query_one(sql, &[&kind.as_str()], |row| row.column())
}

/// Owners who have something due, the next after `after` first, and after which of them to look on; `None` if that was all of
/// them. It reads one row for an owner, however many jobs they have.
pub fn owners_due(
    tx: &mut Tx<'_>,
    kind: JobKind,
    after: Option<Owner>,
    now: UtcMs,
) -> Result<(Vec<Owner>, Option<Owner>)> {
    let of_kind = "FROM jobs j WHERE j.kind = ?1 AND j.due_at IS NOT NULL";
    let sql = format!(
        "WITH RECURSIVE line (owner_id, number) AS (
             SELECT (SELECT min(j.owner_id) {of_kind} AND j.owner_id > ?2), 1
             UNION ALL
             SELECT (SELECT min(j.owner_id) {of_kind} AND j.owner_id > line.owner_id), line.number + 1
             FROM line WHERE line.owner_id IS NOT NULL AND line.number < {LOOKED_AT})
         SELECT line.owner_id, (SELECT min(j.due_at) {of_kind} AND j.owner_id = line.owner_id)
         FROM line WHERE line.owner_id IS NOT NULL"
    );
    let after = after.map(|owner| owner.to_string()).unwrap_or_default();
    let found: Vec<(Owner, Option<UtcMs>)> =
        tx.query(&sql, &[&kind.as_str(), &after], |row| Ok((row.column()?, row.column()?)))?;
    let next = found.last().map(|(owner, _)| *owner).filter(|_| found.len() as i64 == LOOKED_AT);
    let is_due = |(owner, due): (Owner, Option<UtcMs>)| due.is_some_and(|due| due <= now).then_some(owner);
    Ok((found.into_iter().filter_map(is_due).collect(), next))
}

/// Takes at most `most` of an owner's jobs that are due, those first that have waited longest, until `until`.
pub fn take(tx: &mut Tx<'_>, kind: JobKind, owner: Owner, now: UtcMs, until: UtcMs, most: i64) -> Result<Vec<Job>> {
    // Of what another server is just taking, nothing is waited for.
    let skip = if tx.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "WITH next AS (
             SELECT id FROM jobs WHERE kind = ?1 AND owner_id = ?2 AND due_at <= ?3
             ORDER BY due_at, id LIMIT ?5{skip})
         UPDATE jobs SET due_at = ?4, attempts = attempts + 1, unsettled = unsettled + 1,
             begun_at = COALESCE(begun_at, ?3)
         WHERE id IN (SELECT id FROM next)
         RETURNING id, attempts, unsettled - 1, created_at, begun_at"
    );
    let mut taken = tx.query(&sql, &[&kind.as_str(), &owner, &now, &until, &most], |row| {
        let (id, attempt, lost) = (row.column()?, row.column()?, row.column()?);
        Ok(Job { id, kind, owner, attempt, lost, created_at: row.column()?, begun_at: row.column()? })
    })?;
    taken.sort_by_key(|job| (job.created_at, job.id));
    Ok(taken)
}

/// When each of these jobs is due that nobody has.
pub fn due(tx: &mut Tx<'_>, jobs: &[Id<()>]) -> Result<HashMap<Id<()>, UtcMs>> {
    let mut those = Filter::new();
    those.and_one_of("id", jobs);
    those.and("unsettled = 0 AND due_at IS NOT NULL", &[]);
    let sql = format!("SELECT id, due_at FROM jobs WHERE {}", those.sql());
    Ok(tx.query(&sql, &those.values(), |row| Ok((row.column()?, row.column()?)))?.into_iter().collect())
}

/// Forgets jobs that are done. Answers those that were still their takers'.
pub fn finish(tx: &mut Tx<'_>, jobs: &[&Job]) -> Result<Vec<Id<()>>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let mut taken = Filter::new();
    // By their ids, so that whatever the database makes of the rest it reads no others.
    taken.and_one_of("id", jobs.iter().map(|job| &job.id));
    taken.and("unsettled > 0", &[]);
    let attempts: Vec<&dyn ToValue> = jobs.iter().flat_map(|job| [&job.id as &dyn ToValue, &job.attempt]).collect();
    let places = vec!["(@, CAST(@ AS BIGINT))"; jobs.len()].join(", ");
    taken.and(&format!("(id, attempts) IN (VALUES {places})"), &attempts);
    tx.query(&format!("DELETE FROM jobs WHERE {} RETURNING id", taken.sql()), &taken.values(), |row| row.column())
}

/// Gives a job back: it is due again at `due_at`, or never. `false` if it was not its taker's any more.
pub fn give_back(tx: &mut Tx<'_>, job: &Job, due_at: Option<UtcMs>, problem: &str) -> Result<bool> {
    let sql = "UPDATE jobs SET due_at = ?3, unsettled = 0, problem = ?4
         WHERE id = ?1 AND attempts = ?2 AND unsettled > 0";
    Ok(tx.execute(sql, &[&job.id, &job.attempt, &due_at, &problem])? == 1)
}

/// Makes a job due at `at`, if it would wait longer and nobody has it.
pub fn hasten(tx: &mut Tx<'_>, kind: JobKind, id: Id<()>, at: UtcMs) -> Result<()> {
    tx.note_work(kind);
    tx.later("UPDATE jobs SET due_at = ?2 WHERE id = ?1 AND due_at > ?2 AND unsettled = 0", &[&id, &at])
}

/// Lets all jobs of an owner wait until `at` that nobody has.
pub fn hold(tx: &mut Tx<'_>, kind: JobKind, owner: Owner, at: UtcMs) -> Result<()> {
    let sql = "UPDATE jobs SET due_at = ?3 WHERE kind = ?1 AND owner_id = ?2 AND due_at < ?3 AND unsettled = 0";
    tx.later(sql, &[&kind.as_str(), &owner, &at])
}

/// Makes all jobs of an owner due at `at` that would wait longer and that nobody has.
pub fn release(tx: &mut Tx<'_>, kind: JobKind, owner: Owner, at: UtcMs) -> Result<()> {
    tx.note_work(kind);
    let sql = "UPDATE jobs SET due_at = ?3 WHERE kind = ?1 AND owner_id = ?2 AND due_at > ?3 AND unsettled = 0";
    tx.later(sql, &[&kind.as_str(), &owner, &at])
}

/// How many jobs of a kind stand where.
pub fn count(tx: &mut Tx<'_>, kind: JobKind) -> Result<JobCounts> {
    let number = |condition| format!("CAST(count(CASE WHEN {condition} THEN 1 END) AS BIGINT)");
    let sql = format!(
        "SELECT {}, {}, {} FROM jobs WHERE kind = ?1",
        number("due_at IS NOT NULL AND unsettled = 0"),
        number("due_at IS NOT NULL AND unsettled > 0"),
        number("due_at IS NULL"),
    );
    tx.query_one(&sql, &[&kind.as_str()], |row| {
        Ok(JobCounts { waiting: row.column()?, taken: row.column()?, given_up: row.column()? })
    })
}

/// Forgets jobs that were given up and put here before `before`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute("DELETE FROM jobs WHERE due_at IS NULL AND created_at < ?1", &[&before])
}
