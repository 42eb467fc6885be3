//! The outbox.

use keystead_model::{
    UtcMs,
    id::Id,
    mail::{Mail, MailState},
    notice::Mailing,
};

use crate::{Error, Result, Row, Tx};

const COLUMNS: &str = "id, kind, user_id, to_address, subject, body, state, attempts, created_at, problem";

fn read(row: &mut Row<'_>) -> Result<Mail> {
    Ok(Mail {
        id: row.column()?,
        mailing: Mailing::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("the kind of a mail"))?,
        user: row.column()?,
        to: row.column()?,
        subject: row.column()?,
        body: row.column()?,
        state: MailState::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("the state of a mail"))?,
        attempts: row.column()?,
        created_at: row.column()?,
        problem: row.column()?,
    })
}

/// Adds a mail; `false` if its reader has the summary of that day.
pub fn insert(tx: &mut Tx<'_>, mail: &Mail) -> Result<bool> {
    let Mail { id, mailing, user, to, subject, body, state, attempts, created_at, problem } = mail;
    let only = match mailing {
        Mailing::Summary => created_at.to_day(),
        Mailing::Alert => id.to_string(),
    };
    let added = tx.execute(
        "INSERT INTO mails (id, kind, user_id, day, to_address, subject, body, state, attempts, next_at, created_at, problem)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11) ON CONFLICT DO NOTHING",
        &[id, &mailing.as_str(), user, &only, to, subject, body, &state.as_str(), attempts, created_at, problem],
    )?;
    Ok(added == 1)
}

/// The next mail that is due, set aside until `until` so that no other node sends it, too.
pub fn claim(tx: &mut Tx<'_>, now: UtcMs, until: UtcMs) -> Result<Option<Mail>> {
    let skip = if tx.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "UPDATE mails SET next_at = ?2, attempts = attempts + 1 WHERE id IN (
             SELECT id FROM mails WHERE state = 'waiting' AND next_at <= ?1 ORDER BY next_at, id LIMIT 1{skip})
         RETURNING {COLUMNS}"
    );
    tx.query_opt(&sql, &[&now, &until], read)
}

/// Notes what became of a mail, with what it said.
pub fn settle(tx: &mut Tx<'_>, mail: &Mail, now: UtcMs) -> Result<()> {
    tx.execute(
        "UPDATE mails SET state = ?2, subject = ?3, body = ?4, settled_at = ?5, problem = ?6 WHERE id = ?1",
        &[&mail.id, &mail.state.as_str(), &mail.subject, &mail.body, &now, &mail.problem],
    )?;
    Ok(())
}

/// Notes that a mail was refused, and when to try again.
pub fn retry(tx: &mut Tx<'_>, id: Id<Mail>, problem: &str, at: UtcMs) -> Result<()> {
    tx.execute("UPDATE mails SET next_at = ?2, problem = ?3 WHERE id = ?1", &[&id, &at, &problem])?;
    Ok(())
}

/// The newest mails of the instance.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Mail>> {
    let sql = format!("SELECT {COLUMNS} FROM mails ORDER BY created_at DESC, id DESC LIMIT ?1");
    tx.query(&sql, &[&limit], read)
}

/// How many mails there are in each state.
pub fn count_by_state(tx: &mut Tx<'_>) -> Result<Vec<(MailState, i64)>> {
    let mut counts = [MailState::Waiting, MailState::Sent, MailState::Dropped].map(|state| (state, 0));
    let sql = "SELECT state, CAST(count(*) AS BIGINT) FROM mails GROUP BY state";
    for (state, count) in tx.query(sql, &[], |row| Ok((row.column::<String>()?, row.column()?)))? {
        if let Some(known) = counts.iter_mut().find(|(known, _)| known.as_str() == state) {
            known.1 = count;
        }
    }
    Ok(counts.into())
}

/// Forgets mails put here before `before`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute("DELETE FROM mails WHERE created_at < ?1", &[&before])
}
