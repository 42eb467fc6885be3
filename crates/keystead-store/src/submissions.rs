//! What was submitted to the forms and surveys of a location.

use std::time::Duration;

use keystead_model::{
    ContactId, LocationId, UtcMs,
    form::{Answers, Form, FormKind, Submission, SubmissionFilter, SubmissionKey},
    id::Id,
    page::{Counted, Page, Window},
    search::fold,
};

use crate::{Result, Row, Tx, filter::Filter, list::Order, table::Table};

static SUBMISSIONS: Table = Table::new("submissions", &["location_id", "id"]);

const COLUMNS: &str = "s.id, s.location_id, s.form_id, s.contact_id, s.submission_key, s.answers, s.version, s.state,
    s.handling, s.name, s.email, s.created_at";

/// What is in the trash takes its submissions with it.
const FROM: &str = "FROM submissions s LEFT JOIN contacts c ON c.location_id = s.location_id AND c.id = s.contact_id";
const IS_THERE: &str = "c.trashed_at IS NULL";

fn read<K>(row: &mut Row<'_>) -> Result<Submission<K>> {
    Ok(Submission {
        id: row.column()?,
        location: row.column()?,
        form: row.column()?,
        contact: row.column()?,
        key: row.column()?,
        answers: row.column()?,
        version: row.column()?,
        state: row.column()?,
        handling: row.column()?,
        name: row.column()?,
        email: row.column()?,
        created_at: row.column()?,
    })
}

/// By what a submission is found again.
#[derive(Clone, Debug)]
pub struct Marks {
    /// What stands for its answers.
    pub digest: [u8; 32],
    /// Where whoever sent it was, if nobody knows them.
    pub sender: Option<String>,
    /// By what they are told apart: the first address in it.
    pub identity: Option<String>,
    /// The number in it.
    pub phone: Option<String>,
}

fn found_by<K>(submission: &Submission<K>, phone: Option<&str>) -> String {
    let Submission { contact, name, email, .. } = submission;
    let texts = [name.as_deref(), email.as_deref(), phone, contact.as_ref().map(Id::as_str)];
    fold(&texts.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

/// Adds one.
pub fn insert<K: FormKind>(tx: &mut Tx<'_>, submission: &Submission<K>, marks: &Marks) -> Result<()> {
    let Submission { id, location, form, contact, key, answers, version, state, handling, name, email, created_at } =
        submission;
    let Marks { digest, sender, identity, phone } = marks;
    let (found_by, handling) = (found_by(submission, phone.as_deref()), handling.to_text());
    SUBMISSIONS.insert(
        tx,
        &[
            ("location_id", location),
            ("id", id),
            ("form_kind", &K::NAME),
            ("form_id", form),
            ("contact_id", contact),
            ("submission_key", key),
            ("digest", digest),
            ("answers", answers),
            ("version", version),
            ("state", state),
            ("handling", &handling),
            ("sender", sender),
            ("identity", identity),
            ("name", name),
            ("email", email),
            ("found_by", &found_by),
            ("created_at", created_at),
        ],
    )
}

/// Notes what somebody decided about one that was held, and whose it is since.
pub fn decide<K: FormKind>(tx: &mut Tx<'_>, submission: &Submission<K>, phone: Option<&str>) -> Result<()> {
    let Submission { id, location, contact, state, handling, .. } = submission;
    let (found_by, handling) = (found_by(submission, phone), handling.to_text());
    let sql = "UPDATE submissions SET contact_id = ?3, state = ?4, handling = ?5, found_by = ?6
               WHERE location_id = ?1 AND id = ?2";
    tx.later(sql, &[location, id, contact, state, &handling, &found_by])
}

/// Those of a contact, oldest first.
pub fn of_contact<K: FormKind>(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    window: &Window<Id<Submission<K>>>,
) -> Result<Page<Submission<K>>> {
    let mut filter = Filter::new();
    filter.and("s.location_id = @ AND s.form_kind = @ AND s.contact_id = @", &[&location, &K::NAME, &contact]);
    filter.page(tx, &format!("SELECT {COLUMNS} FROM submissions s"), Order::ascending(&["s.id"]), window, read)
}

fn find_where<K>(tx: &mut Tx<'_>, filter: &Filter<'_>) -> Result<Option<Submission<K>>> {
    tx.query_opt(&format!("SELECT {COLUMNS} {FROM} WHERE {}", filter.sql()), &filter.values(), read)
}

/// One of a form.
pub fn find<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    form: Id<Form<K>>,
    id: Id<Submission<K>>,
) -> Result<Option<Submission<K>>> {
    let mut filter = Filter::new();
    filter.and("s.location_id = @ AND s.id = @ AND s.form_id = @", &[&location, &id, &form]);
    filter.and(IS_THERE, &[]);
    find_where(tx, &filter)
}

/// Who says that two submissions are one.
#[derive(Clone, Copy, Debug)]
pub enum Sameness<'s> {
    /// They are called alike.
    Key(&'s SubmissionKey),
    /// They come from the same place.
    Sender(&'s str),
}

/// The one that has the same answers and was made since then.
pub fn find_same<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    form: Id<Form<K>>,
    digest: &[u8; 32],
    sameness: Sameness<'_>,
    since: UtcMs,
) -> Result<Option<Submission<K>>> {
    let (sql, filter) = same(&location, &form, digest, &sameness, &since);
    tx.query_opt(&sql, &filter.values(), read)
}

fn same<'v, K>(
    location: &'v LocationId,
    form: &'v Id<Form<K>>,
    digest: &'v [u8; 32],
    sameness: &'v Sameness<'_>,
    since: &'v UtcMs,
) -> (String, Filter<'v>) {
    let mut filter = Filter::new();
    filter.and("s.location_id = @ AND s.form_id = @ AND s.digest = @", &[location, form, digest]);
    match sameness {
        Sameness::Key(key) => filter.and("s.submission_key = @", &[*key]),
        Sameness::Sender(sender) => filter.and("s.submission_key IS NULL AND s.sender = @", &[sender]),
    }
    // By the digest, which few have: by their times SQLite would read all of the form's of a day.
    filter.and("+s.created_at > @", &[since]);
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE {} ORDER BY +s.created_at DESC LIMIT 1", filter.sql());
    (sql, filter)
}

/// How many somebody has sent to all forms since then that count; after `most` nobody counts on.
pub fn count_of_identity(
    tx: &mut Tx<'_>,
    location: LocationId,
    identity: &str,
    since: UtcMs,
    most: i64,
) -> Result<i64> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM submissions WHERE location_id = ?1 AND identity = ?2
               AND created_at > ?3 AND state = 'taken' LIMIT ?4) AS recent";
    tx.query_one(sql, &[&location, &identity, &since, &most], |row| row.column())
}

/// How many submissions of a form hold an answer to one of its fields, of those that were made last.
pub fn count_with_answer<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    form: Id<Form<K>>,
    key: &str,
    among: i64,
) -> Result<i64> {
    let sql = "SELECT answers FROM submissions WHERE location_id = ?1 AND form_id = ?2 ORDER BY created_at DESC, id DESC LIMIT ?3";
    let answers: Vec<Answers> = tx.query(sql, &[&location, &form, &among], |row| row.column())?;
    Ok(answers.iter().filter(|answers| answers.fields().contains_key(key)).count() as i64)
}

/// What is looked for, as it stands in `found_by`: of a phone number, however it is written, its digits.
fn compared(part: &str) -> String {
    let digits: String = part.chars().filter(char::is_ascii_digit).collect();
    let is_number = part.chars().all(|c| c.is_ascii_digit() || "+()-./ ".contains(c));
    if is_number && !digits.is_empty() { digits } else { fold(part) }
}

/// Those of a location that suit, newest first, and how many these are: found within `time`, or not at all.
pub fn list<K: FormKind>(
    tx: &mut Tx<'_>,
    location: LocationId,
    filter: &SubmissionFilter<K>,
    window: &Window<(UtcMs, Id<Submission<K>>)>,
    time: Duration,
) -> Result<Counted<Submission<K>>> {
    let SubmissionFilter { state, form, part, from, until } = filter;
    let (kind, part) = (K::NAME, part.as_deref().map(compared));
    let mut filter = Filter::new();
    filter.and("s.location_id = @ AND s.form_kind = @", &[&location, &kind]);
    filter.and("s.created_at >= @ AND s.created_at < @", &[from, until]);
    filter.and("s.state = @", &[state]);
    filter.and(IS_THERE, &[]);
    if let Some(form) = form {
        filter.and("s.form_id = @", &[form]);
    }
    if let Some(part) = &part {
        filter.and_any_holds(&["s.found_by"], part);
    }
    let sql = format!("SELECT CAST(count(*) AS BIGINT) {FROM} WHERE {}", filter.sql());
    tx.within(time, |tx| {
        let total = tx.query_one(&sql, &filter.values(), |row| row.column())?;
        let order = Order::descending(&["s.created_at", "s.id"]);
        Ok(Counted { page: filter.page(tx, &format!("SELECT {COLUMNS} {FROM}"), order, window, read)?, total })
    })
}

#[cfg(test)]
mod tests {
    use keystead_model::form::AsForm;

    use super::*;

    /// A form that is answered all day must not become slower with each answer.
    #[test]
    fn what_was_sent_before_is_found_without_a_look_at_the_others() {
        let memory = crate::Memory::open().unwrap();
        let location = LocationId::parse("LLLLLLLLLLLLLLLLLLLL").unwrap();
        let form: Id<Form<AsForm>> = Id::parse("FFFFFFFFFFFFFFFFFFFF").unwrap();
        let key = SubmissionKey::parse("click-1").unwrap();
        for sameness in [Sameness::Key(&key), Sameness::Sender("192.0.2.1")] {
            let (sql, filter) = same(&location, &form, &[0; 32], &sameness, &UtcMs(0));
            let plan = |tx: &mut Tx<'_>| {
                tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &filter.values(), |row| {
                    let _: (i64, i64, i64) = (row.column()?, row.column()?, row.column()?);
                    row.column::<String>()
                })
            };
            let plan = memory.read(plan).unwrap();
            assert!(plan[0].contains("digest=?"), "{plan:?}");
        }
    }
}
