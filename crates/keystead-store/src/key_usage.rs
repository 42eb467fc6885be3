//! How much keys are used: sums by hour, route and class of the answer.

use std::collections::BTreeMap;

use keystead_model::{AgencyId, KeyId, LocationId, UtcMs, scope::Scope};

use crate::{Result, Tx, filter::Filter};

/// Requests that a node has counted since it last stored them, or a sum that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    /// The key.
    pub key: KeyId,
    /// Beginning of the hour, in UTC.
    pub hour: UtcMs,
    /// The route, as its template.
    pub endpoint: String,
    /// First digit of the status; 0 for attempts that were refused before they counted as a use.
    pub class: i64,
    /// The scope that the route asks for.
    pub scope: Option<Scope>,
    /// How many.
    pub requests: i64,
}

/// Requests of a tenant in an hour, by class of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantUsage {
    /// Beginning of the hour, in UTC.
    pub hour: UtcMs,
    /// First digit of the status; 0 for attempts that were refused.
    pub class: i64,
    /// How many.
    pub requests: i64,
}

/// Adds to the sums of keys, and to those of whom they belong to. What is added must be in the order of keys, so that several
/// nodes wait for each other and none forever.
pub fn add_all(tx: &mut Tx<'_>, usages: &[KeyUsage]) -> Result<()> {
    usages.iter().try_for_each(|usage| add(tx, usage))?;
    let mut keys = Filter::new();
    keys.and_one_of("id", usages.iter().map(|usage| &usage.key));
    let sql = format!("SELECT id, agency_id, location_id FROM api_keys WHERE {}", keys.sql());
    let owners: BTreeMap<KeyId, (AgencyId, Option<LocationId>)> = tx
        .query(&sql, &keys.values(), |row| Ok((row.column()?, (row.column()?, row.column()?))))?
        .into_iter()
        .collect();
    let mut of_agencies: BTreeMap<(AgencyId, UtcMs, i64), i64> = BTreeMap::new();
    let mut of_locations: BTreeMap<(LocationId, UtcMs, i64), i64> = BTreeMap::new();
    for KeyUsage { key, hour, class, requests, .. } in usages {
        let Some((agency, location)) = owners.get(key) else { continue };
        *of_agencies.entry((*agency, *hour, *class)).or_default() += requests;
        if let Some(location) = location {
            *of_locations.entry((*location, *hour, *class)).or_default() += requests;
        }
    }
    for ((agency, hour, class), requests) in &of_agencies {
        tx.execute(
            "INSERT INTO usage_of_agencies (agency_id, hour, class, requests) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (agency_id, hour, class) DO UPDATE SET requests = usage_of_agencies.requests + ?4",
            &[agency, hour, class, requests],
        )?;
    }
    for ((location, hour, class), requests) in &of_locations {
        tx.execute(
            "INSERT INTO usage_of_locations (location_id, hour, class, requests) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (location_id, hour, class) DO UPDATE SET requests = usage_of_locations.requests + ?4",
            &[location, hour, class, requests],
        )?;
    }
    Ok(())
}

fn add(tx: &mut Tx<'_>, usage: &KeyUsage) -> Result<()> {
    let KeyUsage { key, hour, endpoint, class, scope, requests } = usage;
    tx.execute(
        "INSERT INTO key_usage (key_id, hour, endpoint, class, scope, requests) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (key_id, hour, endpoint, class) DO UPDATE SET requests = key_usage.requests + ?6",
        &[key, hour, endpoint, class, &scope.map_or("", Scope::as_str), requests],
    )?;
    Ok(())
}

/// The sums of a key from one instant until another.
pub fn of_key(tx: &mut Tx<'_>, key: KeyId, from: UtcMs, until: UtcMs) -> Result<Vec<KeyUsage>> {
    tx.query(
        "SELECT hour, endpoint, class, scope, requests FROM key_usage
         WHERE key_id = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY hour, endpoint, class",
        &[&key, &from, &until],
        |row| {
            Ok(KeyUsage {
                key,
                hour: row.column()?,
                endpoint: row.column()?,
                class: row.column()?,
                scope: Scope::parse(&row.column::<String>()?),
                requests: row.column()?,
            })
        },
    )
}

/// The sums of an agency, or of one of its locations, from one instant until another.
pub fn of_tenant(
    tx: &mut Tx<'_>,
    (agency, location): (AgencyId, Option<LocationId>),
    from: UtcMs,
    until: UtcMs,
) -> Result<Vec<TenantUsage>> {
    let columns = "SELECT hour, class, requests FROM";
    let when = "hour >= ?2 AND hour < ?3 ORDER BY hour, class";
    let read = |row: &mut crate::Row<'_>| {
        Ok(TenantUsage { hour: row.column()?, class: row.column()?, requests: row.column()? })
    };
    match location {
        None => tx.query(
            &format!("{columns} usage_of_agencies WHERE agency_id = ?1 AND {when}"),
            &[&agency, &from, &until],
            read,
        ),
        Some(location) => tx.query(
            &format!("{columns} usage_of_locations WHERE location_id = ?1 AND {when}"),
            &[&location, &from, &until],
            read,
        ),
    }
}

/// Requests in some locations since an instant, by class of the answer.
pub fn of_locations(tx: &mut Tx<'_>, locations: &[LocationId], since: UtcMs) -> Result<Vec<(LocationId, i64, i64)>> {
    let mut conditions = Filter::new();
    conditions.and_one_of("location_id", locations);
    conditions.and("hour >= @", &[&since]);
    let sql = format!(
        "SELECT location_id, class, CAST(sum(requests) AS BIGINT) FROM usage_of_locations WHERE {}
         GROUP BY location_id, class",
        conditions.sql()
    );
    tx.query(&sql, &conditions.values(), |row| Ok((row.column()?, row.column()?, row.column()?)))
}

/// Keys of an agency, or of one of its locations, with which attempts were refused since an instant, and how many: those with
/// most first.
pub fn refused(
    tx: &mut Tx<'_>,
    (agency, location): (AgencyId, Option<LocationId>),
    since: UtcMs,
    limit: i64,
) -> Result<Vec<(KeyId, i64)>> {
    let mut conditions = Filter::new();
    let hour = conditions.bind(&since);
    conditions.and("k.agency_id = @", &[&agency]);
    if let Some(location) = &location {
        conditions.and("k.location_id = @", &[location]);
    }
    let limit = conditions.bind(&limit);
    // The refused ones first, by their own index: there are few of them, however many keys there are.
    let sql = format!(
        "SELECT u.key_id, u.refused FROM (
             SELECT key_id, CAST(sum(requests) AS BIGINT) AS refused FROM key_usage
             WHERE class = 0 AND hour >= {hour} GROUP BY key_id) AS u
         JOIN api_keys k ON k.id = u.key_id WHERE {}
         ORDER BY u.refused DESC, u.key_id LIMIT CAST({limit} AS BIGINT)",
        conditions.sql()
    );
    tx.query(&sql, &conditions.values(), |row| Ok((row.column()?, row.column()?)))
}

/// Forgets what is older than `before`.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs) -> Result<u64> {
    tx.execute("DELETE FROM usage_of_agencies WHERE hour < ?1", &[&before])?;
    tx.execute("DELETE FROM usage_of_locations WHERE hour < ?1", &[&before])?;
    tx.execute("DELETE FROM key_usage WHERE hour < ?1", &[&before])
}
