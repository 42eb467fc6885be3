//! Clicks on trigger links.

use std::time::Duration;

use keystead_model::{
    AgencyId, ClickId, ContactId, LinkId, LocationId, UtcMs,
    actor::Signature,
    click::{Click, Company, Hit, Judgement, Look, Reason, Verdict},
    id::Id,
    page::{Page, Window},
};

use crate::{Result, Row, Tx, filter::Filter, list::Order, table::Table};

static CLICKS: Table = Table::new("clicks", &["location_id", "id"]);

const COLUMNS: &str =
    "id, link_id, contact_id, token_id, at, device, network, referrer, verdict, reasons, classified_by, fired_at";

fn read(row: &mut Row<'_>) -> Result<Click> {
    Ok(Click {
        id: row.column()?,
        link: row.column()?,
        contact: row.column()?,
        token: row.column()?,
        at: row.column()?,
        device: row.column()?,
        network: row.column()?,
        referrer: row.column()?,
        verdict: row.column()?,
        reasons: row.column::<String>()?.split_whitespace().filter_map(Reason::parse).collect(),
        classified_by: row.column()?,
        fired_at: row.column()?,
    })
}

fn names(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(" ")
}

/// A click that has just come.
#[derive(Clone, Debug)]
pub struct NewClick {
    /// What is kept of it.
    pub click: Click,
    /// What it said of itself.
    pub hit: Hit,
    /// What stands for the whole address.
    pub source_key: String,
    /// How long it came after the message that brought the link.
    pub after_message: Option<Duration>,
}

/// Keeps a click. One without a verdict is looked at when [`Look::First`] is due.
pub fn insert(tx: &mut Tx<'_>, location: LocationId, new: &NewClick) -> Result<()> {
    let NewClick { click, hit, source_key, after_message } = new;
    let Click { id, link, contact, token, at, device, network, referrer, verdict, reasons, classified_by, fired_at } =
        click;
    let Hit { is_opening, is_encrypted, agent, has_language, fetch_mode, fetch_dest, has_brands } = hit;
    let after_message = after_message.map(|after| after.as_millis() as i64);
    let judged_next = verdict.is_none().then(|| due(*at, Look::FIRST_AFTER));
    CLICKS.insert(
        tx,
        &[
            ("location_id", &location),
            ("id", id),
            ("link_id", link),
            ("contact_id", contact),
            ("token_id", token),
            ("at", at),
            ("is_opening", is_opening),
            ("is_encrypted", is_encrypted),
            ("agent", agent),
            ("device", device),
            ("has_language", has_language),
            ("has_brands", has_brands),
            ("fetch_mode", fetch_mode),
            ("fetch_dest", fetch_dest),
            ("chromium", &hit.chromium()),
            ("after_message_ms", &after_message),
            ("network", network),
            ("source_key", source_key),
            ("referrer", referrer),
            ("judged_next", &judged_next),
            ("verdict", verdict),
            ("reasons", &names(reasons)),
            ("classified_by", classified_by),
            ("fired_at", fired_at),
        ],
    )
}

fn due(at: UtcMs, after: Duration) -> UtcMs {
    UtcMs(at.0 + after.as_millis() as i64)
}

/// A click that is to be looked at.
#[derive(Clone, Debug)]
pub struct Held {
    /// What is kept of it.
    pub click: Click,
    /// What it said of itself.
    pub hit: Hit,
    /// Which time it is looked at.
    pub look: Look,
    source_key: Option<String>,
    after_message: Option<Duration>,
}

/// Locations that work and have clicks to look at by `now`, at most `limit`.
pub fn places_due(tx: &mut Tx<'_>, now: UtcMs, limit: i64) -> Result<Vec<(AgencyId, LocationId)>> {
    let sql = "SELECT DISTINCT l.agency_id, l.id FROM clicks c JOIN locations l ON l.id = c.location_id
         JOIN agencies a ON a.id = l.agency_id
         WHERE c.judged_next IS NOT NULL AND c.judged_next <= ?1 AND l.state = 'active' AND a.state = 'active' LIMIT ?2";
    tx.query(sql, &[&now, &limit], |row| Ok((row.column()?, row.column()?)))
}

/// What of a location is to be looked at by `now`, at most `limit`, in the order in which it came.
pub fn held(tx: &mut Tx<'_>, location: LocationId, now: UtcMs, limit: i64) -> Result<Vec<Held>> {
    let sql = format!(
        "SELECT {COLUMNS}, is_opening, is_encrypted, agent, has_language, fetch_mode, fetch_dest, has_brands, judged_next,
         source_key, after_message_ms
         FROM clicks WHERE location_id = ?1 AND judged_next IS NOT NULL AND judged_next <= ?2
         ORDER BY judged_next, id LIMIT ?3"
    );
    tx.query(&sql, &[&location, &now, &limit], |row| {
        let click = read(row)?;
        let hit = Hit {
            is_opening: row.column()?,
            is_encrypted: row.column()?,
            agent: row.column::<Option<String>>()?.unwrap_or_default(),
            has_language: row.column()?,
            fetch_mode: row.column()?,
            fetch_dest: row.column()?,
            has_brands: row.column()?,
        };
        let next: UtcMs = row.column()?;
        let look = if next <= due(click.at, Look::FIRST_AFTER) { Look::First } else { Look::Last };
        let source_key = row.column()?;
        let after_message = row.column::<Option<i64>>()?.map(|ms| Duration::from_millis(ms.max(0) as u64));
        Ok(Held { click, hit, look, source_key, after_message })
    })
}

/// Of what came near a click so much is looked at: whoever opens one link thousands of times must not cost the square of that.
const NEAR: i64 = 500;

/// What came with a click.
pub fn company(tx: &mut Tx<'_>, location: LocationId, held: &Held) -> Result<Company> {
    let Held { click, hit, source_key, after_message, .. } = held;
    let around = |within: Duration| {
        let within = within.as_millis() as i64;
        (UtcMs(click.at.0 - within), UtcMs(click.at.0 + within))
    };
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    let links = match &click.contact {
        Some(contact) => {
            let (from, until) = around(Company::OF_CONTACT);
            let sql = "SELECT CAST(count(DISTINCT link_id) AS BIGINT) FROM (SELECT link_id FROM clicks
                       WHERE location_id = ?1 AND contact_id = ?2 AND at >= ?3 AND at <= ?4 LIMIT ?5) AS near";
            tx.query_one(sql, &[&location, contact, &from, &until, &NEAR], |row| row.column())?
        }
        None => 0,
    };
    let contacts = match source_key {
        Some(key) => {
            let (from, until) = around(Company::OF_SOURCE);
            let sql = "SELECT CAST(count(DISTINCT contact_id) AS BIGINT) FROM (SELECT contact_id FROM clicks
                       WHERE location_id = ?1 AND source_key = ?2 AND at >= ?3 AND at <= ?4 AND agent = ?5 LIMIT ?6) AS near";
            tx.query_one(sql, &[&location, key, &from, &until, &hit.agent, &NEAR], |row| row.column())?
        }
        None => 0,
    };
    let repeats = match (&click.contact, source_key) {
        (None, Some(key)) => {
            let (from, until) = around(Company::OF_CONTACT);
            let sql = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM clicks WHERE location_id = ?1 AND source_key = ?2
                       AND at >= ?3 AND at <= ?4 AND agent = ?5 AND link_id = ?6 AND contact_id IS NULL LIMIT ?7) AS near";
            let most = Company::BURST as i64;
            tx.query_one(sql, &[&location, key, &from, &until, &hit.agent, &click.link, &most], |row| row.column())?
        }
        _ => 0,
    };
    let newest = "SELECT max(chromium) FROM clicks WHERE location_id = ?1 AND verdict = 'human'";
    let newest_chromium = tx.query_one(newest, &[&location], |row| row.column())?;
    let (links, contacts, repeats) = (count(links), count(contacts), count(repeats));
    Ok(Company { after_message: *after_message, links, contacts, repeats, newest_chromium })
}

/// Writes what came of looking at a click: who it was, or when it is looked at again.
pub fn settle(tx: &mut Tx<'_>, location: LocationId, click: &Click, judgement: &Judgement) -> Result<()> {
    let Judgement { verdict, reasons } = judgement;
    let next = verdict.is_none().then(|| due(click.at, Look::LAST_AFTER));
    let sql = "UPDATE clicks SET verdict = ?3, reasons = ?4, judged_next = ?5 WHERE location_id = ?1 AND id = ?2";
    tx.later(sql, &[&location, &click.id, verdict, &names(reasons), &next])
}

/// Writes who somebody says that it was.
pub fn classify(tx: &mut Tx<'_>, location: LocationId, id: ClickId, verdict: Verdict, by: &Signature) -> Result<()> {
    let sql =
        "UPDATE clicks SET verdict = ?3, classified_by = ?4, judged_next = NULL WHERE location_id = ?1 AND id = ?2";
    tx.later(sql, &[&location, &id, &verdict, by])
}

/// Notes that a link starts something for a contact, by a click that came at `at`; `false` where it did so before, and `again_after`
/// has not passed since. `None` is never.
pub fn claim_fire(
    tx: &mut Tx<'_>,
    location: LocationId,
    (link, contact): (LinkId, ContactId),
    at: UtcMs,
    again_after: Option<i64>,
) -> Result<bool> {
    let before = again_after.map_or(UtcMs(i64::MIN), |after| UtcMs(at.0 - after));
    let sql = "INSERT INTO link_fires (location_id, link_id, contact_id, at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (location_id, link_id, contact_id) DO UPDATE SET at = excluded.at
               WHERE link_fires.at <= CAST(?5 AS BIGINT)";
    Ok(tx.execute(sql, &[&location, &link, &contact, &at, &before])? == 1)
}

/// Notes that a click has started something.
pub fn note_fired(tx: &mut Tx<'_>, location: LocationId, id: ClickId, now: UtcMs) -> Result<()> {
    tx.later("UPDATE clicks SET fired_at = ?3 WHERE location_id = ?1 AND id = ?2", &[&location, &id, &now])
}

/// Which clicks are asked for.
#[derive(Clone, Debug, Default)]
pub struct ClickFilter {
    /// Who made them.
    pub verdict: Option<Verdict>,
    /// Whether they are still looked at.
    pub held: bool,
    /// Whose.
    pub contact: Option<ContactId>,
    /// From when on.
    pub since: Option<UtcMs>,
}

/// One of a link.
pub fn find(tx: &mut Tx<'_>, location: LocationId, link: LinkId, id: ClickId) -> Result<Option<Click>> {
    let sql = format!("SELECT {COLUMNS} FROM clicks WHERE location_id = ?1 AND link_id = ?2 AND id = ?3");
    tx.query_opt(&sql, &[&location, &link, &id], read)
}

/// Those of a link, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    location: LocationId,
    link: LinkId,
    asked: &ClickFilter,
    window: &Window<ClickId>,
) -> Result<Page<Click>> {
    let ClickFilter { verdict, held, contact, since } = asked;
    let mut filter = Filter::new();
    filter.and("location_id = @ AND link_id = @", &[&location, &link]);
    if let Some(verdict) = verdict {
        filter.and("verdict = @", &[verdict]);
    }
    if *held {
        filter.and("verdict IS NULL", &[]);
    }
    if let Some(contact) = contact {
        filter.and("contact_id = @", &[contact]);
    }
    if let Some(since) = since {
        filter.and("at >= @", &[since]);
    }
    filter.page(tx, &format!("SELECT {COLUMNS} FROM clicks"), Order::descending(&["id"]), window, read)
}

/// Those of a contact, newest first.
pub fn of_contact(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    window: &Window<ClickId>,
) -> Result<Page<Click>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND contact_id = @", &[&location, &contact]);
    filter.page(tx, &format!("SELECT {COLUMNS} FROM clicks"), Order::descending(&["id"]), window, read)
}

/// Forgets what is too old to be kept: whole addresses since `sources`, and what browsers call themselves since `agents`. At most
/// `limit` of each; whether there may be more.
pub fn forget(tx: &mut Tx<'_>, sources: UtcMs, agents: UtcMs, limit: i64) -> Result<bool> {
    let mut more = false;
    for (column, before) in [("source_key", sources), ("agent", agents)] {
        let sql = format!(
            "UPDATE clicks SET {column} = NULL WHERE (location_id, id) IN (SELECT location_id, id FROM clicks
             WHERE {column} IS NOT NULL AND at < ?1 LIMIT ?2)"
        );
        more |= tx.execute(&sql, &[&before, &limit])? == limit as u64;
    }
    Ok(more)
}

static GONE: Table = Table::new("gone_links", &["location_id", "link_id"]);

/// Notes that a link is deleted, whose clicks then go some at a time.
pub fn leave(tx: &mut Tx<'_>, location: LocationId, link: LinkId) -> Result<()> {
    GONE.insert(tx, &[("location_id", &location), ("link_id", &link)])
}

/// Deletes clicks on a link that is deleted, at most `limit`; whether there may be more of such links.
pub fn purge(tx: &mut Tx<'_>, limit: i64) -> Result<bool> {
    let next = "SELECT location_id, link_id FROM gone_links LIMIT 1";
    let gone: Option<(LocationId, LinkId)> = tx.query_opt(next, &[], |row| Ok((row.column()?, row.column()?)))?;
    let Some((location, link)) = gone else { return Ok(false) };
    let sql = "DELETE FROM clicks WHERE location_id = ?1 AND id IN (
                   SELECT id FROM clicks WHERE location_id = ?1 AND link_id = ?2 LIMIT ?3)";
    if tx.execute(sql, &[&location, &link, &limit])? < limit as u64 {
        for table in ["link_fires", "gone_links"] {
            tx.execute(&format!("DELETE FROM {table} WHERE location_id = ?1 AND link_id = ?2"), &[&location, &link])?;
        }
    }
    Ok(true)
}

/// How a link has fared since some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClickStats {
    /// Clicks of people.
    pub humans: i64,
    /// Of programs.
    pub bots: i64,
    /// Those that are still looked at.
    pub held: i64,
    /// Contacts among the people.
    pub contacts: i64,
    /// Clicks that have started something.
    pub fired: i64,
    /// Why those of programs are none of people, the commonest first.
    pub reasons: Vec<(Reason, i64)>,
    /// Sites that led people there, the commonest first.
    pub referrers: Vec<(String, i64)>,
    /// By the hour: its beginning, people, programs.
    pub hours: Vec<(UtcMs, i64, i64)>,
}

/// Sites that are told of.
const REFERRERS: i64 = 10;
const HOUR_MS: i64 = 3_600_000;

/// How a link has fared since `since`.
pub fn stats(tx: &mut Tx<'_>, location: LocationId, link: LinkId, since: UtcMs) -> Result<ClickStats> {
    // Ids begin with their time.
    let from: ClickId = Id::generate(since, |pool| pool.fill(0));
    let mut stats = ClickStats::default();
    let sql = "SELECT verdict, CAST(count(*) AS BIGINT), CAST(count(DISTINCT contact_id) AS BIGINT),
                      CAST(count(fired_at) AS BIGINT)
               FROM clicks WHERE location_id = ?1 AND link_id = ?2 AND id >= ?3 GROUP BY verdict";
    type Sums = (Option<Verdict>, i64, i64, i64);
    let sums: Vec<Sums> = tx.query(sql, &[&location, &link, &from], |row| {
        Ok((row.column()?, row.column()?, row.column()?, row.column()?))
    })?;
    for (verdict, clicks, contacts, fired) in sums {
        stats.fired += fired;
        match verdict {
            Some(Verdict::Human) => (stats.humans, stats.contacts) = (clicks, contacts),
            Some(Verdict::Bot) => stats.bots = clicks,
            None => stats.held = clicks,
        }
    }
    let sql = "SELECT reasons, CAST(count(*) AS BIGINT) FROM clicks
               WHERE location_id = ?1 AND link_id = ?2 AND id >= ?3 AND verdict = 'bot' GROUP BY reasons";
    let reasons: Vec<(String, i64)> =
        tx.query(sql, &[&location, &link, &from], |row| Ok((row.column()?, row.column()?)))?;
    let mut counted: Vec<(Reason, i64)> = Reason::ALL.iter().map(|reason| (*reason, 0)).collect();
    for (names, clicks) in reasons {
        for (reason, count) in &mut counted {
            *count += if names.split_whitespace().any(|name| name == reason.as_str()) { clicks } else { 0 };
        }
    }
    counted.retain(|(_, clicks)| *clicks > 0);
    counted.sort_by_key(|(_, clicks)| -clicks);
    stats.reasons = counted;
    let sql = "SELECT referrer, CAST(count(*) AS BIGINT) AS clicks FROM clicks
               WHERE location_id = ?1 AND link_id = ?2 AND id >= ?3 AND verdict = 'human' AND referrer IS NOT NULL
               GROUP BY referrer ORDER BY clicks DESC, referrer LIMIT ?4";
    stats.referrers =
        tx.query(sql, &[&location, &link, &from, &REFERRERS], |row| Ok((row.column()?, row.column()?)))?;
    let sql = "SELECT at / 3600000 AS hour, CAST(count(CASE WHEN verdict = 'human' THEN 1 END) AS BIGINT),
                      CAST(count(CASE WHEN verdict = 'bot' THEN 1 END) AS BIGINT)
               FROM clicks WHERE location_id = ?1 AND link_id = ?2 AND id >= ?3 GROUP BY hour ORDER BY hour";
    stats.hours = tx.query(sql, &[&location, &link, &from], |row| {
        Ok((UtcMs(row.column::<i64>()? * HOUR_MS), row.column()?, row.column()?))
    })?;
    Ok(stats)
}
