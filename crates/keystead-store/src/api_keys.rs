//! API keys.

use std::{collections::BTreeSet, sync::LazyLock};

use keystead_model::{
    AgencyId, KeyId, LocationId, ServiceMs, UserId, UtcMs,
    actor::Actor,
    agency::TenantState,
    api_key::{ApiKey, DeleteReason, KeyAbout, KeyLabels, KeyState, LastUse, PreviousSecret, StoredSecret},
    grant::{Grant, Reach},
    inactivity::{INACTIVITY_MS, INACTIVITY_SLACK_MS, Inactivity, Stage},
    ip_range::IpRanges,
    key_kind::KeyKind,
    key_search::KeySearch,
    origin::Origins,
    page::{Page, Window},
    scope::ScopeSet,
    text::{EmailAddress, folded},
};

use crate::{
    Error, Result, Row, Tx,
    filter::Filter,
    list::{Order, Place},
    table::{Named, Table},
    users::{read_actor, read_locations, write_locations},
};

const COLUMNS: &str = "k.id, k.name, k.description, k.labels, k.contact, k.kind, k.agency_id, k.location_id, k.allowed_locations, k.scopes,
    k.allowed_ips, k.expires_at, k.rate_limit, k.allowed_origins, k.state, k.state_at, k.state_by_kind, k.state_by_id, k.delete_reason,
    k.deleted_while_active, k.restore_until, k.created_by_kind, k.created_by_id, k.created_at, k.secret_hash,
    k.secret_pepper_version, k.secret_last_four, k.secret_created_at, k.secret_used_at, k.previous_hash,
    k.previous_pepper_version, k.previous_last_four, k.previous_created_at, k.previous_used_at, k.previous_retires_at,
    k.previous_ended,
    k.exposed_at, k.last_used_at, k.last_used_ip, k.last_used_agent, k.last_used_endpoint, k.active_at, v.idle_since,
    v.stage, v.deletes_at, k.held, k.replaces, k.version";

/// Whether the agency and the location of a key work.
pub(crate) const TENANT_IS_LIVE: &str =
    "EXISTS (SELECT 1 FROM agencies a WHERE a.id = k.agency_id AND a.state = 'active')
    AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.id = k.location_id AND l.state <> 'active')";

/// That the location of a key, if it has one, is not deleted.
pub(crate) const LOCATION_IS_THERE: &str =
    "NOT EXISTS (SELECT 1 FROM locations l WHERE l.id = k.location_id AND l.state = 'deleted')";

/// How the agency and the location of a key are; the last column of every key that is read.
static TENANT: LazyLock<String> = LazyLock::new(|| {
    format!("CASE WHEN NOT {LOCATION_IS_THERE} THEN 'deleted' WHEN {TENANT_IS_LIVE} THEN 'active' ELSE 'suspended' END")
});

fn read(row: &mut Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.column()?,
        name: row.column()?,
        about: KeyAbout {
            description: row.column()?,
            labels: KeyLabels::from_stored(&row.column::<String>()?),
            contact: row.column()?,
        },
        grant: read_grant(row)?,
        rate_limit: row.column::<Option<i64>>()?.map(|limit| limit.try_into().unwrap_or(u32::MAX)),
        allowed_origins: Origins::from_stored(&row.column::<String>()?),
        state: read_state(row)?,
        created_by: read_actor(row)?,
        created_at: row.column()?,
        current: read_secret(row)?.ok_or_else(|| Error::unreadable("a key without a secret"))?,
        previous: match read_secret(row)? {
            None => {
                let _: (Option<UtcMs>, bool) = (row.column()?, row.column()?);
                None
            }
            Some(secret) => Some(PreviousSecret { secret, retires_at: row.column()?, ended: row.column()? }),
        },
        exposed_at: row.column()?,
        last_use: read_last_use(row)?,
        inactivity: Inactivity {
            active_at: row.column()?,
            idle_since: row.column()?,
            stage: Stage::from_days(row.column()?),
            deletes_at: row.column()?,
            held: row.column()?,
        },
        replaces: row.column()?,
        version: row.column()?,
        tenant: TenantState::from_stored(&row.column::<String>()?),
    })
}

fn read_grant(row: &mut Row<'_>) -> Result<Grant> {
    let kind: String = row.column()?;
    let agency = row.column()?;
    let location: Option<LocationId> = row.column()?;
    let chosen: Option<String> = row.column()?;
    let reach = match (KeyKind::parse(&kind), location, chosen) {
        (Some(KeyKind::Location), Some(location), None) => Reach::location(location),
        (Some(KeyKind::Agency), None, None) => Reach::Agency,
        (Some(KeyKind::Agency), None, Some(chosen)) => Reach::Chosen(read_locations(&chosen)?),
        _ => return Err(Error::unreadable("the kind and locations of a key")),
    };
    Ok(Grant {
        agency,
        reach,
        scopes: ScopeSet::from_names(&row.column::<String>()?),
        allowed_ips: IpRanges::from_stored(&row.column::<String>()?)
            .map_err(|_| Error::unreadable("allowed addresses"))?,
        expires_at: row.column()?,
    })
}

/// All sites whose pages may use some live key.
pub fn origins(tx: &mut Tx<'_>) -> Result<BTreeSet<String>> {
    let sql = "SELECT DISTINCT allowed_origins FROM api_keys WHERE allowed_origins <> '' AND state = 'active'";
    let lists: Vec<String> = tx.query(sql, &[], |row| row.column())?;
    Ok(lists.iter().flat_map(|list| list.split(' ').map(str::to_owned)).collect())
}

fn read_state(row: &mut Row<'_>) -> Result<KeyState> {
    let state: String = row.column()?;
    let at: Option<UtcMs> = row.column()?;
    let (by_kind, by_id): (Option<String>, Option<String>) = (row.column()?, row.column()?);
    let by = by_kind.and_then(|kind| Actor::parse(&kind, by_id.as_deref()));
    let reason: Option<String> = row.column()?;
    let was_active: Option<bool> = row.column()?;
    let restore_until: Option<ServiceMs> = row.column()?;
    match (state.as_str(), at, by) {
        ("active", ..) => Ok(KeyState::Active),
        ("deactivated", Some(at), Some(by)) => Ok(KeyState::Deactivated { at, by }),
        ("deleted", Some(at), Some(by)) => Ok(KeyState::Deleted {
            at,
            by,
            reason: reason
                .as_deref()
                .and_then(DeleteReason::parse)
                .ok_or_else(|| Error::unreadable("the reason of a deletion"))?,
            restore_until: restore_until.ok_or_else(|| Error::unreadable("the end of a restore window"))?,
            was_active: was_active.unwrap_or(false),
        }),
        _ => Err(Error::unreadable("the state of a key")),
    }
}

fn read_secret(row: &mut Row<'_>) -> Result<Option<StoredSecret>> {
    let hash: Option<[u8; 32]> = row.column()?;
    let (version, last_four, created_at): (Option<i64>, Option<String>, Option<UtcMs>) =
        (row.column()?, row.column()?, row.column()?);
    let last_used_at = row.column()?;
    Ok(match (version, last_four, created_at) {
        (Some(pepper_version), Some(last_four), Some(created_at)) => {
            Some(StoredSecret { hash, pepper_version, last_four, created_at, last_used_at })
        }
        _ => None,
    })
}

fn read_last_use(row: &mut Row<'_>) -> Result<Option<LastUse>> {
    let at: Option<UtcMs> = row.column()?;
    let (ip, user_agent, endpoint): (Option<String>, Option<String>, Option<String>) =
        (row.column()?, row.column()?, row.column()?);
    Ok(match (at, ip, endpoint) {
        (Some(at), Some(ip), Some(endpoint)) => Some(LastUse { at, ip, user_agent, endpoint }),
        _ => None,
    })
}

/// The key of a public id, whoever owns it: only authentication and the journal of revocations may ask so.
pub fn find_for_authentication(tx: &mut Tx<'_>, id: KeyId) -> Result<Option<ApiKey>> {
    let sql =
        format!("SELECT {COLUMNS}, {} FROM api_keys k JOIN api_key_lives v ON v.id = k.id WHERE k.id = ?1", *TENANT);
    tx.query_opt(&sql, &[&id], read)
}

/// All keys of the instance, by id: for what the instance does with all of them.
pub fn list_of_instance(tx: &mut Tx<'_>, window: &Window<KeyId>) -> Result<Page<ApiKey>> {
    page_with(tx, Filter::any(), "1", Order::ascending(&["k.id"]), window, |row| row.column::<i64>())
        .map(|page| page.map(|(key, _)| key))
}

/// One key of an agency.
pub fn find(tx: &mut Tx<'_>, agency: AgencyId, id: KeyId) -> Result<Option<ApiKey>> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM api_keys k JOIN api_key_lives v ON v.id = k.id
         WHERE k.id = ?1 AND k.agency_id = ?2",
        *TENANT
    );
    tx.query_opt(&sql, &[&id, &agency], read)
}

/// The key that was made in place of another one, while it is active.
pub fn successor(tx: &mut Tx<'_>, agency: AgencyId, replaced: KeyId) -> Result<Option<ApiKey>> {
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM api_keys k JOIN api_key_lives v ON v.id = k.id
         WHERE k.id = (SELECT successor FROM api_keys WHERE id = ?1) AND k.agency_id = ?2 AND k.state = 'active'",
        *TENANT
    );
    tx.query_opt(&sql, &[&replaced, &agency], read)
}

/// Notes which key was made in place of another one.
pub fn set_successor(tx: &mut Tx<'_>, replaced: KeyId, successor: KeyId) -> Result<()> {
    tx.execute("UPDATE api_keys SET successor = ?2 WHERE id = ?1", &[&replaced, &successor])?;
    Ok(())
}

/// One key of an agency, with its row locked against uses that are written meanwhile.
pub fn find_to_change(tx: &mut Tx<'_>, agency: AgencyId, id: KeyId) -> Result<Option<ApiKey>> {
    if tx.is_postgres() {
        tx.execute("SELECT 1 FROM api_keys WHERE id = ?1 FOR UPDATE", &[&id])?;
    }
    find(tx, agency, id)
}

fn columns_of(reach: &Reach) -> (KeyKind, Option<LocationId>, Option<String>) {
    match reach {
        Reach::Agency => (KeyKind::Agency, None, None),
        Reach::Chosen(chosen) => (KeyKind::Agency, None, Some(write_locations(chosen))),
        Reach::Locations(set) => (KeyKind::Location, set.first().copied(), None),
    }
}

/// Where a ladder stands, and what a key was used for last, are written by the sweep and by uses alone.
static API_KEYS: Table = Table::new("api_keys", &["id"])
    .keeping(&[
        "kind",
        "agency_id",
        "location_id",
        "created_by_kind",
        "created_by_id",
        "created_at",
        "stage",
        "deletes_at",
        "ladder_since",
        "held",
    ])
    .growing(&["active_at"]);

/// Adds a key.
pub fn insert(tx: &mut Tx<'_>, key: &ApiKey) -> Result<()> {
    write(tx, key, Table::insert)
}

/// Writes everything of a key that a change may change.
pub fn update(tx: &mut Tx<'_>, key: &ApiKey) -> Result<()> {
    write(tx, key, Table::save)
}

fn write(
    tx: &mut Tx<'_>,
    key: &ApiKey,
    how: impl FnOnce(&Table, &mut Tx<'_>, &[Named<'_>]) -> Result<()>,
) -> Result<()> {
    let ApiKey {
        id,
        name,
        about,
        grant: Grant { agency, reach, scopes, allowed_ips, expires_at },
        rate_limit,
        allowed_origins,
        state,
        created_by,
        created_at,
        current,
        previous,
        exposed_at,
        last_use: _,
        inactivity: Inactivity { active_at, idle_since: _, stage: _, deletes_at, held: _ },
        replaces,
        tenant: _,
        version,
    } = key;
    let (kind, location, chosen) = columns_of(reach);
    let (state, state_at, state_by, reason, was_active, restore_until) = match state {
        KeyState::Active => ("active", None, None, None, None, None),
        KeyState::Deactivated { at, by } => ("deactivated", Some(*at), Some(by), None, None, None),
        KeyState::Deleted { at, by, reason, restore_until, was_active } => {
            ("deleted", Some(*at), Some(by), Some(reason.as_str()), Some(*was_active), Some(*restore_until))
        }
    };
    let StoredSecret { hash, pepper_version, last_four, created_at: secret_created_at, last_used_at } = current;
    let old = previous.as_ref().map(|previous| &previous.secret);
    let row: &[Named<'_>] = &[
        ("id", id),
        ("kind", &kind.as_str()),
        ("agency_id", agency),
        ("location_id", &location),
        ("name", name),
        ("name_lower", &folded(name.as_str())),
        ("description", &about.description),
        ("labels", &about.labels.to_text()),
        ("contact", &about.contact),
        ("about_folded", &about.searched()),
        ("scopes", &scopes.to_names()),
        ("allowed_locations", &chosen),
        ("allowed_ips", &allowed_ips.to_stored()),
        ("expires_at", expires_at),
        ("rate_limit", &rate_limit.map(i64::from)),
        ("allowed_origins", &allowed_origins.to_stored()),
        ("state", &state),
        ("state_at", &state_at),
        ("state_by_kind", &state_by.map(Actor::kind)),
        ("state_by_id", &state_by.and_then(|by| by.id())),
        ("delete_reason", &reason),
        ("deleted_while_active", &was_active),
        ("restore_until", &restore_until),
        ("created_by_kind", &created_by.kind()),
        ("created_by_id", &created_by.id()),
        ("created_at", created_at),
        ("secret_hash", hash),
        ("secret_pepper_version", pepper_version),
        ("secret_last_four", last_four),
        ("secret_created_at", secret_created_at),
        ("secret_used_at", last_used_at),
        ("previous_hash", &old.and_then(|secret| secret.hash)),
        ("previous_pepper_version", &old.map(|secret| secret.pepper_version)),
        ("previous_last_four", &old.map(|secret| secret.last_four.as_str())),
        ("previous_created_at", &old.map(|secret| secret.created_at)),
        ("previous_used_at", &old.and_then(|secret| secret.last_used_at)),
        ("previous_retires_at", &previous.as_ref().map(|previous| previous.retires_at)),
        ("previous_ended", &previous.as_ref().is_some_and(|previous| previous.ended)),
        ("exposed_at", exposed_at),
        ("active_at", active_at),
        ("stage", &0i64),
        ("deletes_at", deletes_at),
        ("ladder_since", active_at),
        ("held", &false),
        ("replaces", replaces),
        ("version", version),
    ];
    how(&API_KEYS, tx, row)
}

/// The addresses that keys of an agency name as their contacts, each once.
pub fn contacts(tx: &mut Tx<'_>, agency: AgencyId) -> Result<Vec<EmailAddress>> {
    let sql = "SELECT DISTINCT contact FROM api_keys WHERE agency_id = ?1 AND contact IS NOT NULL ORDER BY contact";
    tx.query(sql, &[&agency], |row| row.column())
}

/// How many keys that are not deleted the owner has: a location, or the agency itself.
pub fn count(tx: &mut Tx<'_>, agency: AgencyId, location: Option<LocationId>) -> Result<i64> {
    let sql = match location {
        Some(_) => {
            "SELECT CAST(count(*) AS BIGINT) FROM api_keys
             WHERE agency_id = ?1 AND location_id = ?2 AND state <> 'deleted'"
        }
        None => {
            "SELECT CAST(count(*) AS BIGINT) FROM api_keys
             WHERE agency_id = ?1 AND CAST(?2 AS TEXT) IS NULL AND location_id IS NULL AND state <> 'deleted'"
        }
    };
    tx.query_one(sql, &[&agency, &location], |row| row.column())
}

/// How many other keys of the same owner, not deleted, have the name of a key.
pub fn namesakes(tx: &mut Tx<'_>, key: &ApiKey) -> Result<i64> {
    let (_, location, _) = columns_of(&key.grant.reach);
    let mut conditions = Filter::new();
    match &location {
        Some(location) => conditions.and("location_id = @", &[location]),
        None => conditions.and("agency_id = @ AND location_id IS NULL", &[&key.grant.agency]),
    }
    let name = folded(key.name.as_str());
    conditions.and("name_lower = @ AND id <> @ AND state <> 'deleted'", &[&name, &key.id]);
    let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM api_keys WHERE {}", conditions.sql());
    tx.query_one(&sql, &conditions.values(), |row| row.column())
}

/// A place in a list of keys: when the last one before it was made, and its id.
pub type KeyCursor = (UtcMs, KeyId);

/// Which keys to list.
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    /// Of this kind.
    pub kind: Option<KeyKind>,
    /// Location keys of these locations only.
    pub locations: Option<Vec<LocationId>>,
    /// Deleted keys instead of those that are not.
    pub deleted: bool,
    /// Only active (`true`) or only deactivated (`false`) ones.
    pub active: Option<bool>,
    /// Only those whose agency or location is suspended.
    pub suspended: bool,
    /// Whose `expires_at` lies before this instant (`true`), or not (`false`).
    pub expired: Option<(UtcMs, bool)>,
    /// Whose deletion is due before this instant of service time.
    pub deletes_before: Option<ServiceMs>,
    /// That end soon, or have ended: whose deletion is due before the one instant or whose `expires_at` lies before the other, and
    /// those that were found in public.
    pub at_risk: Option<(ServiceMs, UtcMs)>,
    /// Made by this member.
    pub created_by: Option<UserId>,
    /// Only those that nobody has used yet.
    pub never_used: bool,
    /// What somebody typed or pasted to find a key by, see [`KeySearch`].
    pub query: Option<String>,
}

/// Keys of an agency, newest first.
pub fn list(tx: &mut Tx<'_>, agency: AgencyId, filter: &KeyFilter, window: &Window<KeyCursor>) -> Result<Page<ApiKey>> {
    const ORDER: Order<'_> = Order::descending(&["k.created_at", "k.id"]);
    let search = filter.query.as_deref().map(KeySearch::parse);
    let conditions = conditions(&agency, filter, search.as_ref());
    // The page first, of the table alone: what else a key's record needs is computed for those on it.
    let select = format!("SELECT k.id FROM {}", tables(filter));
    let Page { rows: ids, has_more } = conditions.page(tx, &select, ORDER, window, |row| row.column::<KeyId>())?;
    let mut rows = Vec::new();
    if !ids.is_empty() {
        let mut conditions = Filter::new();
        conditions.and_one_of("k.id", &ids);
        let all = Window::<KeyId>::all();
        rows =
            conditions.page(tx, &format!("SELECT {COLUMNS}, {} FROM {WITH_LIVES}", *TENANT), ORDER, &all, read)?.rows;
    }
    Ok(Page { rows, has_more })
}

const WITH_LIVES: &str = "api_keys k JOIN api_key_lives v ON v.id = k.id";

/// What the conditions of a filter are on.
fn tables(filter: &KeyFilter) -> &'static str {
    if filter.deletes_before.is_some() || filter.at_risk.is_some() { WITH_LIVES } else { "api_keys k" }
}

/// Keys by conditions on `k` (the table) and `v` (the view), and one more column of each.
pub(crate) fn page_with<'f, C: Place, T>(
    tx: &mut Tx<'_>,
    conditions: Filter<'f>,
    column: &str,
    order: Order<'_>,
    window: &'f Window<C>,
    mut more: impl FnMut(&mut Row<'_>) -> Result<T>,
) -> Result<Page<(ApiKey, T)>> {
    let select = format!("SELECT {COLUMNS}, {}, {column} FROM {WITH_LIVES}", *TENANT);
    conditions.page(tx, &select, order, window, |row| Ok((read(row)?, more(row)?)))
}

/// How many keys of an agency match.
pub fn count_matching(tx: &mut Tx<'_>, agency: AgencyId, filter: &KeyFilter) -> Result<i64> {
    let search = filter.query.as_deref().map(KeySearch::parse);
    let conditions = conditions(&agency, filter, search.as_ref());
    let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM {} WHERE {}", tables(filter), conditions.sql());
    tx.query_one(&sql, &conditions.values(), |row| row.column())
}

fn conditions<'f>(agency: &'f AgencyId, filter: &'f KeyFilter, search: Option<&'f KeySearch>) -> Filter<'f> {
    let KeyFilter {
        kind,
        locations,
        deleted,
        active,
        suspended,
        expired,
        deletes_before,
        at_risk,
        created_by,
        never_used,
        query: _,
    } = filter;
    let mut conditions = Filter::new();
    conditions.and("k.agency_id = @", &[agency]);
    // The keys of a deleted location are gone with it, and come back with it.
    conditions.and(LOCATION_IS_THERE, &[]);
    match kind {
        Some(KeyKind::Agency) => conditions.and("k.location_id IS NULL", &[]),
        Some(KeyKind::Location) => conditions.and("k.location_id IS NOT NULL", &[]),
        None => {}
    }
    if let Some(locations) = locations {
        conditions.and_one_of("k.location_id", locations);
    }
    conditions.and(if *deleted { "k.state = 'deleted'" } else { "k.state <> 'deleted'" }, &[]);
    match active {
        Some(true) => conditions.and("k.state = 'active'", &[]),
        Some(false) => conditions.and("k.state = 'deactivated'", &[]),
        None => {}
    }
    if *suspended {
        conditions.and(&format!("NOT ({TENANT_IS_LIVE})"), &[]);
    }
    match expired {
        Some((now, true)) => conditions.and("k.expires_at <= @", &[now]),
        Some((now, false)) => conditions.and("(k.expires_at IS NULL OR k.expires_at > @)", &[now]),
        None => {}
    }
    // Nobody's deletion is nearer than their own activity allows; the index of that finds the few to look at. While a tenant is
    // suspended nothing of it is deleted.
    let earliest = INACTIVITY_MS + INACTIVITY_SLACK_MS;
    let is_idle = format!("k.active_at <= @ - {earliest} AND v.deletes_at <= @ AND ({TENANT_IS_LIVE})");
    if let Some(instant) = deletes_before {
        conditions.and(&is_idle, &[instant, instant]);
    }
    if let Some((service, utc)) = at_risk {
        let ends = format!("(k.expires_at <= @ OR k.exposed_at IS NOT NULL OR ({is_idle}))");
        conditions.and(&ends, &[utc, service, service]);
    }
    if let Some(user) = created_by {
        conditions.and("k.created_by_kind = 'user' AND k.created_by_id = @", &[user]);
    }
    if *never_used {
        conditions.and("k.last_used_at IS NULL", &[]);
    }
    match search {
        Some(KeySearch::Id(id)) => conditions.and("k.id = @", &[id]),
        Some(KeySearch::Part(part)) => conditions.and_any_holds(&holding(part), part),
        None => {}
    }
    conditions
}

/// The texts of a key that may hold `part`: not those for which it is too long.
fn holding(part: &str) -> Vec<&'static str> {
    let mut texts = vec!["k.name_lower", "k.about_folded"];
    if part.len() <= KeyId::LENGTH {
        texts.push("lower(k.id)");
    }
    if part.len() <= 4 {
        texts.extend(["lower(k.secret_last_four)", "lower(COALESCE(k.previous_last_four, ''))"]);
    }
    texts
}

/// A use that is about to be written.
#[derive(Clone, Debug)]
pub struct KeyUse {
    /// The key.
    pub id: KeyId,
    /// The hash of the secret that was used, since a rotation may have moved it meanwhile.
    pub secret_hash: [u8; 32],
    /// When, from where, for what.
    pub last_use: LastUse,
}

/// Stores that a key was used, with the service clock as it is now, and returns the activity that is stored then.
///
/// `None` means that the key is not active any more, or that the secret is not one of its secrets: the request must
/// not go on.
pub fn touch(tx: &mut Tx<'_>, key_use: &KeyUse) -> Result<Option<ServiceMs>> {
    let KeyUse { id, secret_hash, last_use: LastUse { at, ip, user_agent, endpoint } } = key_use;
    tx.query_opt(
        "UPDATE api_keys SET
             active_at = CASE WHEN active_at < (SELECT now_ms FROM service_clock WHERE id = 1)
                 THEN (SELECT now_ms FROM service_clock WHERE id = 1) ELSE active_at END,
             last_used_ip = CASE WHEN last_used_at IS NULL OR last_used_at <= ?3 THEN ?4 ELSE last_used_ip END,
             last_used_agent = CASE WHEN last_used_at IS NULL OR last_used_at <= ?3 THEN ?5 ELSE last_used_agent END,
             last_used_endpoint = CASE WHEN last_used_at IS NULL OR last_used_at <= ?3 THEN ?6
                 ELSE last_used_endpoint END,
             secret_used_at = CASE WHEN secret_hash = ?2 AND (secret_used_at IS NULL OR secret_used_at < ?3)
                 THEN ?3 ELSE secret_used_at END,
             previous_used_at = CASE WHEN previous_hash = ?2 AND (previous_used_at IS NULL OR previous_used_at < ?3)
                 THEN ?3 ELSE previous_used_at END,
             last_used_at = CASE WHEN last_used_at IS NULL OR last_used_at < ?3 THEN ?3 ELSE last_used_at END
         WHERE id = ?1 AND state = 'active'
             AND (secret_hash = ?2 OR (previous_hash = ?2 AND NOT previous_ended AND previous_retires_at > ?3))
         RETURNING active_at",
        &[id, secret_hash, at, ip, user_agent, endpoint],
        |row| row.column(),
    )
}

/// Stores a use after the fact. Activity counts only while the key is active; when it was used last, in any state.
pub fn flush_use(tx: &mut Tx<'_>, key_use: &KeyUse) -> Result<Option<ServiceMs>> {
    if let Some(active_at) = touch(tx, key_use)? {
        return Ok(Some(active_at));
    }
    let KeyUse { id, secret_hash: _, last_use: LastUse { at, ip, user_agent, endpoint } } = key_use;
    tx.execute(
        "UPDATE api_keys SET last_used_at = ?2, last_used_ip = ?3, last_used_agent = ?4, last_used_endpoint = ?5
         WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
        &[id, at, ip, user_agent, endpoint],
    )?;
    Ok(None)
}

/// Every version of the instance secret that some key refers to; for the check at start.
pub fn pepper_versions(tx: &mut Tx<'_>) -> Result<Vec<i64>> {
    tx.query(
        "SELECT secret_pepper_version FROM api_keys WHERE secret_hash IS NOT NULL
         UNION SELECT previous_pepper_version FROM api_keys WHERE previous_hash IS NOT NULL",
        &[],
        |row| row.column(),
    )
}
