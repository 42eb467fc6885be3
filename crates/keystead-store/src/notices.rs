//! Notices and who has read them.

use keystead_model::{
    AgencyId, KeyId, LocationId, NoticeId, UtcMs,
    actor::Actor,
    api_key::KeyKind,
    grant::Reach,
    notice::{NewNotice, Notice, NoticeKind, Reading},
};

use crate::{Error, Result, Row, Tx, filter::Filter};

/// Adds a notice; `false` if the key has it already.
pub fn insert(tx: &mut Tx<'_>, notice: &NewNotice) -> Result<bool> {
    let NewNotice { id, agency, location, key, kind, episode, recorded_at, address } = notice;
    let added = tx.execute(
        "INSERT INTO notices (id, agency_id, location_id, key_id, kind, stage, episode, recorded_at, address)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        &[id, agency, location, key, &kind.as_str(), &kind.days(), episode, recorded_at, address],
    )?;
    Ok(added == 1)
}

/// Whether a notice still calls for something: only while its key is in the run of events that it tells of.
///
/// Nothing has to be closed when a key is used, kept or restored; that moves the key out of the run.
const OPEN: &str = "CASE n.kind
        WHEN 'inactivity' THEN k.state <> 'deleted' AND v.idle_since = n.episode AND v.stage = n.stage
            AND EXISTS (SELECT 1 FROM agencies a WHERE a.id = k.agency_id AND a.state = 'active')
            AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.id = k.location_id AND l.state <> 'active')
        WHEN 'deleted' THEN k.state = 'deleted' AND k.restore_until = n.episode AND k.secret_hash IS NOT NULL
        WHEN 'deleted_key_used' THEN k.state = 'deleted' AND k.restore_until = n.episode AND k.secret_hash IS NOT NULL
        WHEN 'expiring' THEN k.state <> 'deleted' AND k.expires_at = n.episode AND k.expiry_recorded IS NULL
        WHEN 'expired' THEN k.state <> 'deleted' AND k.expires_at = n.episode
        WHEN 'retiring' THEN k.state <> 'deleted' AND k.previous_hash IS NOT NULL
            AND k.previous_retires_at = n.episode AND k.previous_retires_at > @
        ELSE k.state <> 'deleted' AND k.exposed_at = n.episode
    END";

const COLUMNS: &str = "n.id, n.agency_id, n.location_id, n.key_id, k.name, k.kind, k.state = 'active', n.kind, n.stage,
    n.episode, n.recorded_at, v.deletes_at, k.restore_until, k.expires_at, k.previous_retires_at, n.address,
    COALESCE(r.reading, 'unseen')";

const TABLES: &str = "notices n JOIN api_keys k ON k.id = n.key_id JOIN api_key_lives v ON v.id = k.id";

fn read(row: &mut Row<'_>) -> Result<Notice> {
    let (id, agency, location, key): (NoticeId, AgencyId, Option<LocationId>, KeyId) =
        (row.column()?, row.column()?, row.column()?, row.column()?);
    let (key_name, key_kind): (String, String) = (row.column()?, row.column()?);
    let key_is_active = row.column()?;
    let (kind, days): (String, i64) = (row.column()?, row.column()?);
    Ok(Notice {
        id,
        agency,
        location,
        key,
        key_name,
        key_kind: KeyKind::parse(&key_kind).ok_or_else(|| Error::unreadable("the kind of a key"))?,
        key_is_active,
        kind: NoticeKind::parse(&kind, days).ok_or_else(|| Error::unreadable("the kind of a notice"))?,
        episode: row.column()?,
        recorded_at: row.column()?,
        deletes_at: row.column()?,
        restore_until: row.column()?,
        expires_at: row.column()?,
        retires_at: row.column()?,
        address: row.column()?,
        reading: Reading::parse(&row.column::<String>()?).unwrap_or(Reading::Unseen),
        open: row.column()?,
    })
}

/// Which notices to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoticeFilter {
    /// Those of one location's keys.
    pub location: Option<LocationId>,
    /// Those of one key.
    pub key: Option<KeyId>,
    /// One of them.
    pub id: Option<NoticeId>,
    /// Only those that still call for something.
    pub open: bool,
    /// Only the last notice before a deletion.
    pub last_day: bool,
    /// Also those that the reader has put away.
    pub archived: bool,
}

/// Somebody who reads notices, and what they may see.
#[derive(Clone, Debug)]
pub struct NoticeReader {
    /// The member or program whose reading is noted.
    pub actor: Actor,
    /// The tenant.
    pub agency: AgencyId,
    /// Where: notices about the agency's own keys are for those who reach the whole agency.
    pub reach: Reach,
    /// Only notices about keys that they made themselves.
    pub own_only: bool,
}

impl NoticeReader {
    fn id(&self) -> &str {
        self.actor.id().unwrap_or(self.actor.kind())
    }
}

fn visible<'f>(conditions: &mut Filter<'f>, reader: &'f NoticeReader, id: &'f &'f str) {
    conditions.and("n.agency_id = @", &[&reader.agency]);
    match &reader.reach {
        Reach::Agency => {}
        Reach::Chosen(set) | Reach::Locations(set) => {
            let places: Vec<String> = set.iter().map(|location| conditions.bind(location)).collect();
            let places = if places.is_empty() { "NULL".to_owned() } else { places.join(", ") };
            conditions.and(&format!("n.location_id IN ({places})"), &[]);
        }
    }
    if reader.own_only {
        conditions.and("k.created_by_id = @", &[id]);
    }
}

/// A reader's notices, newest first, before the cursor.
pub fn list(
    tx: &mut Tx<'_>,
    reader: &NoticeReader,
    filter: &NoticeFilter,
    now: UtcMs,
    before: Option<NoticeId>,
    limit: i64,
) -> Result<Vec<Notice>> {
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
    }
    if let Some(location) = &filter.location {
        conditions.and("n.location_id = @", &[location]);
    }
    if let Some(key) = &filter.key {
        conditions.and("n.key_id = @", &[key]);
    }
    if let Some(id) = &filter.id {
        conditions.and("n.id = @", &[id]);
    }
    if let Some(before) = &before {
        conditions.and("n.id < @", &[before]);
    }
    let limit = conditions.bind(&limit);
    let sql = format!(
        "SELECT {COLUMNS}, {open} FROM {TABLES}
         LEFT JOIN notice_readings r ON r.notice_id = n.id AND {is_reader}
         WHERE {} ORDER BY n.id DESC LIMIT {limit}",
        conditions.sql()
    );
    tx.query(&sql, conditions.values(), read)
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
    let sql = format!(
        "SELECT CAST(count(*) AS BIGINT) FROM {TABLES}
         LEFT JOIN notice_readings r ON r.notice_id = n.id AND {is_reader} WHERE {}",
        conditions.sql()
    );
    tx.query_one(&sql, conditions.values(), |row| row.column())
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

/// Forgets notices recorded before `before`, at most `limit`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs, limit: i64) -> Result<u64> {
    let old = "SELECT id FROM notices WHERE recorded_at < ?1 ORDER BY recorded_at LIMIT ?2";
    tx.execute(&format!("DELETE FROM notice_readings WHERE notice_id IN ({old})"), &[&before, &limit])?;
    tx.execute(&format!("DELETE FROM notices WHERE id IN ({old})"), &[&before, &limit])
}
