//! What was submitted to the forms and surveys of a location.

use std::time::Duration;

use keystead_model::{
    ContactId, LocationId, UtcMs,
    form::{Form, FormKind, Submission, SubmissionFilter, SubmissionKey},
    id::Id,
    page::{Counted, Page, Window},
    search::fold,
};

use crate::{Result, Row, Tx, filter::Filter, list::Order, table::Table};

static SUBMISSIONS: Table = Table::new("submissions", &["location_id", "id"]);

const COLUMNS: &str =
    "s.id, s.location_id, s.form_id, s.contact_id, s.submission_key, s.answers, s.name, s.email, s.created_at";

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
        name: row.column()?,
        email: row.column()?,
        created_at: row.column()?,
    })
}

/// Adds one. `digest` stands for its answers, and `phone` is the number in it.
pub fn insert<K: FormKind>(
    tx: &mut Tx<'_>,
    submission: &Submission<K>,
    digest: &[u8; 32],
    phone: Option<&str>,
) -> Result<()> {
    let Submission { id, location, form, contact, key, answers, name, email, created_at } = submission;
    let texts = [name.as_deref(), email.as_deref(), phone, contact.as_ref().map(Id::as_str)];
    let found_by = fold(&texts.into_iter().flatten().collect::<Vec<_>>().join("\n"));
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
            ("name", name),
            ("email", email),
            ("found_by", &found_by),
            ("created_at", created_at),
        ],
    )
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

/// The one that has the same answers under the same key.
pub fn find_same<K>(
    tx: &mut Tx<'_>,
    location: LocationId,
    form: Id<Form<K>>,
    key: &SubmissionKey,
    digest: &[u8; 32],
) -> Result<Option<Submission<K>>> {
    let mut filter = Filter::new();
    filter.and("s.location_id = @ AND s.form_id = @", &[&location, &form]);
    filter.and("s.submission_key = @ AND s.digest = @", &[key, digest]);
    find_where(tx, &filter)
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
    let SubmissionFilter { form, part, from, until } = filter;
    let (kind, part) = (K::NAME, part.as_deref().map(compared));
    let mut filter = Filter::new();
    filter.and("s.location_id = @ AND s.form_kind = @", &[&location, &kind]);
    filter.and("s.created_at >= @ AND s.created_at < @", &[from, until]);
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
