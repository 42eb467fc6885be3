//! Notices and who has read them.

use std::collections::BTreeSet;

use keystead_model::{
    AgencyId, KeyId, LocationId, NoticeId, UserId, UtcMs,
    actor::Actor,
    grant::Reach,
    id::Id,
    key_kind::KeyKind,
    mail::{Mail, MailReader},
    notice::{
        About, AboutForm, AboutKey, AboutWebhook, Channel, Muted, NewNotice, Notice, NoticeKind, NoticeNoun,
        NoticeSubject, Reading, Topic,
    },
    page::{Page, Window},
    text::EmailAddress,
};

use crate::{
    Error, Result, Row, ToValue, Tx,
    filter::{Filter, rows},
    list::Order,
    webhooks::{self, read_disabled, read_named},
};

/// Adds notices; how many were not there already.
pub fn insert(tx: &mut Tx<'_>, notices: &[NewNotice]) -> Result<u64> {
    if notices.is_empty() {
        return Ok(0);
    }
    let texts = |NewNotice { subject, kind, .. }: &NewNotice| {
        (subject.noun().as_str(), subject.id().to_owned(), kind.as_str(), kind.days())
    };
    let texts: Vec<_> = notices.iter().map(texts).collect();
    let mut values: Vec<&dyn ToValue> = Vec::with_capacity(notices.len() * 10);
    for (new, (noun, subject, kind, days)) in notices.iter().zip(&texts) {
        let NewNotice { id, agency, location, subject: _, kind: _, episode, recorded_at, address } = new;
        values.extend([id as &dyn ToValue, agency, location, noun, subject, kind, days, episode, recorded_at, address]);
    }
    let sql = format!(
        "INSERT INTO notices (id, agency_id, location_id, subject_kind, subject_id, kind, stage, episode, recorded_at, address)
         VALUES {} ON CONFLICT DO NOTHING",
        rows(0, notices.len(), &["?"; 10])
    );
    tx.execute(&sql, &values)
}

/// Whether a notice still calls for something: only while what it is about is in the run of events that it tells of.
///
/// Nothing has to be closed when a key is used, kept or restored; that moves the key out of the run. What it told of may
/// be gone altogether: compared with nothing, it is not open. Nor is anything of a location that is deleted. What failed on a day,
/// or is held since, is asked of an index that has nothing else.
const OPEN: &str = "COALESCE(CASE
        WHEN EXISTS (SELECT 1 FROM locations l WHERE l.id = n.location_id AND l.state = 'deleted') THEN FALSE
        ELSE CASE n.kind
        WHEN 'inactivity' THEN k.state <> 'deleted'
            AND EXISTS (SELECT 1 FROM api_key_lives v WHERE v.id = k.id AND v.idle_since = n.episode AND v.stage = n.stage)
            AND EXISTS (SELECT 1 FROM agencies a WHERE a.id = k.agency_id AND a.state = 'active')
            AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.id = k.location_id AND l.state <> 'active')
        WHEN 'deleted' THEN k.state = 'deleted' AND k.restore_until = n.episode AND k.secret_hash IS NOT NULL
        WHEN 'deleted_key_used' THEN k.state = 'deleted' AND k.restore_until = n.episode AND k.secret_hash IS NOT NULL
        WHEN 'expiring' THEN k.state <> 'deleted' AND k.expires_at = n.episode
            AND (k.expiry_recorded IS NULL OR k.expiry_recorded <> k.expires_at)
        WHEN 'expired' THEN k.state <> 'deleted' AND k.expires_at = n.episode
        WHEN 'retiring' THEN k.state <> 'deleted' AND k.previous_hash IS NOT NULL
            AND k.previous_retires_at = n.episode AND k.previous_retires_at > @
        WHEN 'exposed' THEN k.state <> 'deleted' AND k.exposed_at = n.episode
        WHEN 'webhook_failed' THEN EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = w.id
            AND d.state = 'failed' AND d.tried_at >= n.episode AND d.tried_at < n.episode + 86400000)
        WHEN 'webhook_disabled' THEN w.disabled IS NOT NULL AND w.disabled_at = n.episode
        WHEN 'form_held' THEN EXISTS (SELECT 1 FROM submissions s WHERE s.location_id = f.location_id AND s.form_id = f.id
            AND s.state = 'held' AND s.created_at >= n.episode AND s.created_at < n.episode + 86400000)
    END END, FALSE)";

/// What the things that notices are about stand in, one of which each notice has.
const TABLES: &str = "notices n
    LEFT JOIN api_keys k ON n.subject_kind = 'key' AND k.id = n.subject_id
    LEFT JOIN webhook_endpoints w ON n.subject_kind = 'webhook' AND w.id = n.subject_id
    LEFT JOIN forms f ON n.subject_kind = 'form' AND f.id = n.subject_id";

const COLUMNS: &str = "n.id, n.agency_id, n.location_id, n.kind, n.stage, n.episode, n.recorded_at, n.address,
    COALESCE(r.reading, 'unseen')";

/// What is told of a thing of a noun.
const fn columns_of(noun: NoticeNoun) -> &'static [&'static str] {
    match noun {
        NoticeNoun::Key => &[
            "k.id",
            "k.name",
            "k.kind",
            "k.state = 'active'",
            "(SELECT v.deletes_at FROM api_key_lives v WHERE v.id = k.id)",
            "k.restore_until",
            "k.expires_at",
            "k.previous_retires_at",
        ],
        NoticeNoun::Webhook => &["w.id", "w.location_id", "w.url", "w.description", "w.disabled", "w.disabled_at"],
        // A number of AboutForm::COUNTED: whoever floods a form makes nobody wait for the count.
        NoticeNoun::Form => &[
            "f.id",
            "f.location_id",
            "f.name",
            "(SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM submissions s WHERE s.location_id = f.location_id
              AND s.form_id = f.id AND s.state = 'held' LIMIT 100) AS held)",
        ],
    }
}

fn read_about(row: &mut Row<'_>, noun: NoticeNoun) -> Result<About> {
    Ok(match noun {
        NoticeNoun::Key => About::Key(AboutKey {
            id: row.column()?,
            name: row.column()?,
            kind: KeyKind::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("the kind of a key"))?,
            is_active: row.column()?,
            deletes_at: row.column()?,
            restore_until: row.column()?,
            expires_at: row.column()?,
            retires_at: row.column()?,
            set_up: Vec::new(),
        }),
        NoticeNoun::Webhook => {
            About::Webhook(AboutWebhook { endpoint: read_named(row)?, disabled: read_disabled(row)? })
        }
        NoticeNoun::Form => About::Form(AboutForm {
            id: row.column()?,
            location: row.column()?,
            name: row.column()?,
            held: row.column()?,
        }),
    })
}

fn read(row: &mut Row<'_>) -> Result<Notice> {
    let (id, agency, location) = (row.column()?, row.column()?, row.column()?);
    let (kind, days): (String, i64) = (row.column()?, row.column()?);
    let (episode, recorded_at, address) = (row.column()?, row.column()?, row.column()?);
    let reading = Reading::parse(&row.column::<String>()?).unwrap_or(Reading::Unseen);
    let open = row.column()?;
    let noun: String = row.column()?;
    let mut about = None;
    for known in NoticeNoun::ALL {
        match known.as_str() == noun {
            true => about = Some(read_about(row, known)?),
            false => row.pass(columns_of(known).len()),
        }
    }
    Ok(Notice {
        id,
        agency,
        location,
        about: about.ok_or_else(|| Error::unreadable("what a notice is about"))?,
        kind: NoticeKind::parse(&kind, days).ok_or_else(|| Error::unreadable("the kind of a notice"))?,
        episode,
        recorded_at,
        address,
        open,
        reading,
    })
}

/// Which notices to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoticeFilter {
    /// Those about what is one location's.
    pub location: Option<LocationId>,
    /// Those about one thing.
    pub subject: Option<NoticeSubject>,
    /// One of them.
    pub id: Option<NoticeId>,
    /// Only those that still call for something.
    pub open: bool,
    /// Only the last notice before a deletion.
    pub last_day: bool,
    /// Also those that the reader has put away, or does not want to be told of.
    pub archived: bool,
    /// Only those of which no earlier stage was in a mail to the reader.
    pub unmailed: bool,
    /// Only those of one mail to the reader.
    pub mail: Option<Id<Mail>>,
}

/// Somebody who reads notices, and what they may see.
#[derive(Clone, Debug)]
pub struct NoticeReader {
    /// The member or program whose reading is noted.
    pub actor: Actor,
    /// The tenant.
    pub agency: AgencyId,
    /// Where: notices about what is the agency's own are for those who reach the whole agency.
    pub reach: Reach,
    /// Of which nouns they are told all that they reach. Of keys that they made themselves they are told anyway.
    pub nouns: Vec<NoticeNoun>,
    /// Whoever reads by mail alone, at an address.
    pub contact: Option<Contact>,
}

/// An address that is told of keys, and is no member's.
#[derive(Clone, Debug)]
pub struct Contact {
    /// As what is noted what they were told.
    pub id: String,
    /// Whose keys they hear of: those that name this address; `None` is all keys of the agency.
    pub named: Option<EmailAddress>,
}

impl NoticeReader {
    fn id(&self) -> &str {
        match &self.contact {
            Some(contact) => &contact.id,
            None => self.actor.id().unwrap_or(self.actor.kind()),
        }
    }
}

fn visible<'f>(conditions: &mut Filter<'f>, reader: &'f NoticeReader, id: &'f &'f str) {
    conditions.and("n.agency_id = @", &[&reader.agency]);
    match &reader.reach {
        Reach::Agency => {}
        Reach::Chosen(set) | Reach::Locations(set) => {
            conditions.and_one_of("n.location_id", set);
        }
    }
    if let Some(Contact { named: Some(address), .. }) = &reader.contact {
        conditions.and("k.contact = @", &[address]);
    }
    let nouns: Vec<String> = reader.nouns.iter().map(|noun| format!("'{}'", noun.as_str())).collect();
    let nouns = if nouns.is_empty() { "NULL".to_owned() } else { nouns.join(", ") };
    conditions.and(&format!("(n.subject_kind IN ({nouns}) OR k.created_by_id = @)"), &[id]);
    // What it was about may be gone.
    conditions.and("COALESCE(k.id, w.id, f.id) IS NOT NULL", &[]);
}

/// Not of a topic that the reader has muted in the app.
fn not_muted<'f>(conditions: &mut Filter<'f>, id: &'f &'f str) {
    let topics = Topic::ALL.into_iter().filter(|topic| Muted::allows(*topic, Channel::InApp)).map(|topic| {
        let kinds = topic.kinds().join("', '");
        format!("(m.topic = '{}' AND n.kind IN ('{kinds}'))", topic.as_str())
    });
    let sql = format!(
        "NOT EXISTS (SELECT 1 FROM muted_topics m WHERE m.user_id = @ AND m.channel = '{}' AND ({}))",
        Channel::InApp.as_str(),
        topics.collect::<Vec<_>>().join(" OR ")
    );
    conditions.and(&sql, &[id]);
}

/// A reader's notices, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    reader: &NoticeReader,
    filter: &NoticeFilter,
    now: UtcMs,
    window: &Window<NoticeId>,
) -> Result<Page<Notice>> {
    let mut conditions = Filter::new();
    let open = conditions.expression(OPEN, &[&now]);
    let id = reader.id();
    let is_reader = conditions.expression("r.reader_id = @", &[&id]);
    visible(&mut conditions, reader, &id);
    if filter.open {
        conditions.and(&open, &[]);
    }
    if filter.last_day {
        conditions.and("n.kind = 'inactivity' AND n.stage = 1", &[]);
    }
    if !filter.archived {
        conditions.and("COALESCE(r.reading, 'unseen') <> 'archived'", &[]);
        not_muted(&mut conditions, &id);
    }
    if filter.unmailed {
        conditions.and(
            "NOT EXISTS (SELECT 1 FROM mailed_notices m JOIN notices o ON o.id = m.notice_id WHERE m.reader_id = @
                AND o.subject_id = n.subject_id AND o.kind = n.kind AND o.episode = n.episode)",
            &[&id],
        );
    }
    if let Some(mail) = &filter.mail {
        let sql = "n.id IN (SELECT m.notice_id FROM mailed_notices m WHERE m.reader_id = @ AND m.mail_id = @)";
        conditions.and(sql, &[&id, mail]);
    }
    if let Some(location) = &filter.location {
        conditions.and("n.location_id = @", &[location]);
    }
    let subject = filter.subject.as_ref().map(NoticeSubject::id);
    if let Some(subject) = &subject {
        conditions.and("n.subject_id = @", &[subject]);
    }
    if let Some(id) = &filter.id {
        conditions.and("n.id = @", &[id]);
    }
    let things = NoticeNoun::ALL.map(|noun| columns_of(noun).join(", ")).join(", ");
    let select = format!(
        "SELECT {COLUMNS}, {open}, n.subject_kind, {things} FROM {TABLES}
         LEFT JOIN notice_readings r ON r.notice_id = n.id AND {is_reader}"
    );
    let mut page = conditions.page(tx, &select, Order::descending(&["n.id"]), window, read)?;
    if reader.nouns.contains(&NoticeNoun::Webhook) {
        name_what_was_set_up(tx, reader, &mut page.rows)?;
    }
    Ok(page)
}

/// Whoever had an exposed key may have let webhooks hear what it may read.
fn name_what_was_set_up(tx: &mut Tx<'_>, reader: &NoticeReader, notices: &mut [Notice]) -> Result<()> {
    let exposed = notices.iter_mut().filter(|notice| notice.kind == NoticeKind::Exposed);
    let mut keys: Vec<&mut AboutKey> = exposed.filter_map(|notice| notice.about.key_mut()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<KeyId> = keys.iter().map(|key| key.id).collect();
    for (by, endpoint) in webhooks::set_up_by(tx, reader.agency, &reader.reach, &ids)? {
        for key in keys.iter_mut().filter(|key| key.id == by) {
            key.set_up.push(endpoint.clone());
        }
    }
    Ok(())
}

/// How many open notices a reader has not seen.
pub fn count_unseen(tx: &mut Tx<'_>, reader: &NoticeReader, now: UtcMs) -> Result<i64> {
    let mut conditions = Filter::new();
    let open = conditions.expression(OPEN, &[&now]);
    let id = reader.id();
    let is_reader = conditions.expression("r.reader_id = @", &[&id]);
    visible(&mut conditions, reader, &id);
    conditions.and(&open, &[]);
    conditions.and("COALESCE(r.reading, 'unseen') = 'unseen'", &[]);
    not_muted(&mut conditions, &id);
    let sql = format!(
        "SELECT CAST(count(*) AS BIGINT) FROM {TABLES}
         LEFT JOIN notice_readings r ON r.notice_id = n.id AND {is_reader} WHERE {}",
        conditions.sql()
    );
    tx.query_one(&sql, &conditions.values(), |row| row.column())
}

/// Notes where a reader stands. Seeing never undoes reading or putting away.
pub fn set_reading(
    tx: &mut Tx<'_>,
    reader: &NoticeReader,
    notice: NoticeId,
    reading: Reading,
    now: UtcMs,
) -> Result<()> {
    tx.execute(
        "INSERT INTO notice_readings (reader_id, notice_id, reading, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (reader_id, notice_id) DO UPDATE SET reading = ?3, at = ?4
         WHERE ?3 <> 'seen' OR notice_readings.reading = 'unseen'",
        &[&reader.id(), &notice, &reading.as_str(), &now],
    )?;
    Ok(())
}

/// What a member does not want to be told.
pub fn muted(tx: &mut Tx<'_>, user: UserId) -> Result<Muted> {
    let pairs = tx.query("SELECT topic, channel FROM muted_topics WHERE user_id = ?1", &[&user], |row| {
        Ok((row.column::<String>()?, row.column::<String>()?))
    })?;
    // A topic that a newer release made is no reason to tell a member nothing.
    let known = |(topic, channel): (String, String)| Topic::parse(&topic).zip(Channel::parse(&channel));
    Ok(Muted::new(pairs.into_iter().filter_map(known)))
}

/// Sets what a member does not want to be told.
pub fn set_muted(tx: &mut Tx<'_>, user: UserId, muted: &Muted) -> Result<()> {
    tx.execute("DELETE FROM muted_topics WHERE user_id = ?1", &[&user])?;
    for (topic, channel) in muted.iter() {
        let sql = "INSERT INTO muted_topics (user_id, topic, channel) VALUES (?1, ?2, ?3)";
        tx.execute(sql, &[&user, &topic.as_str(), &channel.as_str()])?;
    }
    Ok(())
}

/// Notes that a mail tells of a notice.
pub fn set_mailed(tx: &mut Tx<'_>, reader: &MailReader, notice: NoticeId, mail: Id<Mail>) -> Result<()> {
    let sql = "INSERT INTO mailed_notices (reader_id, notice_id, mail_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[&reader.to_stored(), &notice, &mail])?;
    Ok(())
}

/// Forgets all that was told of something.
pub(crate) fn forget(tx: &mut Tx<'_>, subject: &NoticeSubject) -> Result<()> {
    let of_it = "SELECT id FROM notices WHERE subject_id = ?1";
    for table in ["notice_readings", "mailed_notices"] {
        tx.later(&format!("DELETE FROM {table} WHERE notice_id IN ({of_it})"), &[&subject.id()])?;
    }
    tx.later("DELETE FROM notices WHERE subject_id = ?1", &[&subject.id()])
}

/// Forgets notices recorded before `before`, at most `limit`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs, limit: i64) -> Result<u64> {
    let old = "SELECT id FROM notices WHERE recorded_at < ?1 ORDER BY recorded_at LIMIT ?2";
    for table in ["notice_readings", "mailed_notices"] {
        tx.execute(&format!("DELETE FROM {table} WHERE notice_id IN ({old})"), &[&before, &limit])?;
    }
    tx.execute(&format!("DELETE FROM notices WHERE id IN ({old})"), &[&before, &limit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_counts_more_held_answers_than_is_said() {
        assert!(columns_of(NoticeNoun::Form).join("").contains(&format!("LIMIT {})", AboutForm::COUNTED)));
    }
}
