//! The outbox.

use keystead_model::{
    UtcMs,
    id::Id,
    mail::{Mail, MailReader, MailState},
    notice::Mailing,
};

use crate::{Error, Result, Row, Tx};

const COLUMNS: &str = "id, kind, reader_id, to_address, subject, body, state, attempts, created_at, problem";

fn read(row: &mut Row<'_>) -> Result<Mail> {
    Ok(Mail {
        id: row.column()?,
        mailing: Mailing::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("the kind of a mail"))?,
        reader: MailReader::from_stored(&row.column::<String>()?)
            .ok_or_else(|| Error::unreadable("the reader of a mail"))?,
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
    let Mail { id, mailing, reader, to, subject, body, state, attempts, created_at, problem } = mail;
    let only = match mailing {
        Mailing::Summary => created_at.to_day(),
        Mailing::Alert => id.to_string(),
    };
    let added = tx.execute(
        "INSERT INTO mails (id, kind, reader_id, day, to_address, subject, body, state, attempts, created_at, problem)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        &[
            id,
            &mailing.as_str(),
            &reader.to_stored(),
            &only,
            to,
            subject,
            body,
            &state.as_str(),
            attempts,
            created_at,
            problem,
        ],
    )?;
    Ok(added == 1)
}

/// A mail, if it is still kept.
pub fn find(tx: &mut Tx<'_>, id: Id<Mail>) -> Result<Option<Mail>> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM mails WHERE id = ?1"), &[&id], read)
}

/// Notes where a mail stands, with what it says; `now` is when that was settled, if it was.
pub fn update(tx: &mut Tx<'_>, mail: &Mail, now: UtcMs) -> Result<()> {
    let settled_at = (mail.state != MailState::Waiting).then_some(now);
    tx.execute(
        "UPDATE mails SET state = ?2, subject = ?3, body = ?4, settled_at = ?5, problem = ?6, attempts = ?7 WHERE id = ?1",
        &[&mail.id, &mail.state.as_str(), &mail.subject, &mail.body, &settled_at, &mail.problem, &mail.attempts],
    )?;
    Ok(())
}

/// Notes that a mail will not be tried again.
pub fn give_up(tx: &mut Tx<'_>, id: Id<Mail>, attempts: i64, problem: &str, now: UtcMs) -> Result<()> {
    let sql = "UPDATE mails SET state = 'failed', settled_at = ?2, problem = ?3, attempts = ?4 WHERE id = ?1";
    tx.execute(sql, &[&id, &now, &problem, &attempts])?;
    Ok(())
}

/// The newest mails of the instance.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Mail>> {
    let sql = format!("SELECT {COLUMNS} FROM mails ORDER BY created_at DESC, id DESC LIMIT ?1");
    tx.query(&sql, &[&limit], read)
}

/// How many mails there are in each state.
pub fn count_by_state(tx: &mut Tx<'_>) -> Result<Vec<(MailState, i64)>> {
    let mut counts = MailState::ALL.map(|state| (state, 0));
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
