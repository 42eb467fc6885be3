//! What the sweep reads and writes. Every write decides again, by the values that were read, whether it still holds.
//!
//! The conditions compare columns of the row itself, never the view joined by its id: on PostgreSQL a statement that
//! waited for a racing use looks again at the row, but not at what it had read beside it. That holds also where the rows
//! were not locked before.

use keystead_model::{
    AgencyId, KeyId, LocationId, ServiceMs, UtcMs,
    api_key::{ApiKey, KeyState},
    inactivity::{Inactivity, STAGE_MARGIN_MS, Stage},
    page::{Page, Window},
    time::DAY_MS,
};

use crate::{
    Result, Row, ToValue, Tx,
    api_keys::{self, LOCATION_IS_THERE, TENANT_IS_LIVE},
    filter::{Filter, rows},
    list::{Order, Place},
};

/// `idle_since` as the view computes it, from the row that a statement is about to change.
const IDLE_SINCE: &str = "(SELECT max(candidate.instant) FROM (
        SELECT k.active_at AS instant
        UNION ALL SELECT a.resumed_at FROM agencies a WHERE a.id = k.agency_id
        UNION ALL SELECT l.resumed_at FROM locations l WHERE l.id = k.location_id
        UNION ALL SELECT c.clock_floor FROM service_clock c
    ) AS candidate)";

/// Nothing happens while the operator has paused deletions.
const NOT_PAUSED: &str = "EXISTS (SELECT 1 FROM service_clock c WHERE NOT c.paused)";

const NOW: &str = "(SELECT c.now_ms FROM service_clock c WHERE c.id = 1)";

/// A key with the expiry that was recorded for it.
pub type WithExpiry = (ApiKey, Option<UtcMs>);

/// Where a page of keys by activity ends.
pub type ActivityCursor = (ServiceMs, KeyId);

/// A page of keys, oldest activity first.
#[derive(Default)]
pub struct IdlePage {
    /// Those of live tenants.
    pub keys: Vec<WithExpiry>,
    /// Where the next page begins, if there is one.
    pub next: Option<ActivityCursor>,
}

/// Keys whose stored activity is older than `before`.
pub fn idle(tx: &mut Tx<'_>, before: ServiceMs, window: &Window<ActivityCursor>) -> Result<IdlePage> {
    // The page first, by the index alone: joined with everything that a key's life is computed from, PostgreSQL reads
    // all idle keys for each page.
    const ORDER: Order<'_> = Order::ascending(&["k.active_at", "k.id"]);
    let mut conditions = Filter::new();
    conditions.and("k.state <> 'deleted' AND k.active_at <= @ AND NOT k.held", &[&before]);
    let select = "SELECT k.active_at, k.id FROM api_keys k";
    let read = |row: &mut Row<'_>| Ok((row.column()?, row.column()?));
    let page: Page<ActivityCursor> = conditions.page(tx, select, ORDER, window, read)?;
    if page.rows.is_empty() {
        return Ok(IdlePage::default());
    }
    let mut conditions = Filter::new();
    conditions.and_one_of("k.id", page.rows.iter().map(|(_, id)| id));
    conditions.and(TENANT_IS_LIVE, &[]);
    let keys = with_recorded_expiry(tx, conditions, ORDER, &Window::<ActivityCursor>::all())?.rows;
    Ok(IdlePage { keys, next: page.next(|last| *last) })
}

/// Keys that wait until somebody is there to be told.
pub fn held(tx: &mut Tx<'_>, window: &Window<KeyId>) -> Result<Page<ApiKey>> {
    let mut conditions = Filter::new();
    conditions.and("k.held AND k.state <> 'deleted'", &[]);
    conditions.and(LOCATION_IS_THERE, &[]);
    Ok(with_recorded_expiry(tx, conditions, Order::ascending(&["k.id"]), window)?.map(|(key, _)| key))
}

/// Keys whose chosen expiry lies before `until` and was not recorded, soonest first.
pub fn expiring(tx: &mut Tx<'_>, until: UtcMs, window: &Window<(UtcMs, KeyId)>) -> Result<Page<WithExpiry>> {
    let mut conditions = Filter::new();
    conditions.and("k.expires_at IS NOT NULL AND k.state <> 'deleted' AND k.expires_at <= @", &[&until]);
    conditions.and("(k.expiry_recorded IS NULL OR k.expiry_recorded <> k.expires_at)", &[]);
    conditions.and(TENANT_IS_LIVE, &[]);
    with_recorded_expiry(tx, conditions, Order::ascending(&["k.expires_at", "k.id"]), window)
}

/// At most `limit` keys whose old secret ends after `now` and before `until`, and was used since `used_since`.
pub fn retiring(tx: &mut Tx<'_>, now: UtcMs, until: UtcMs, used_since: UtcMs, limit: i64) -> Result<Vec<ApiKey>> {
    let mut conditions = Filter::new();
    conditions.and("k.previous_hash IS NOT NULL AND NOT k.previous_ended AND k.previous_retires_at > @", &[&now]);
    conditions.and("k.previous_retires_at <= @ AND k.previous_used_at >= @", &[&until, &used_since]);
    conditions.and("k.state = 'active'", &[]);
    conditions.and(LOCATION_IS_THERE, &[]);
    conditions.and(
        "NOT EXISTS (SELECT 1 FROM notices n WHERE n.subject_id = k.id AND n.kind = 'retiring'
             AND n.episode = k.previous_retires_at)",
        &[],
    );
    let order = Order::ascending(&["k.previous_retires_at", "k.id"]);
    let found = with_recorded_expiry(tx, conditions, order, &Window::<(UtcMs, KeyId)>::first(limit))?;
    Ok(found.map(|(key, _)| key).rows)
}

fn with_recorded_expiry<C: Place>(
    tx: &mut Tx<'_>,
    conditions: Filter<'_>,
    order: Order<'_>,
    window: &Window<C>,
) -> Result<Page<WithExpiry>> {
    api_keys::page_with(tx, conditions, "k.expiry_recorded", order, window, |row| row.column())
}

fn state_name(key: &ApiKey) -> &'static str {
    match key.state {
        KeyState::Active => "active",
        KeyState::Deactivated { .. } => "deactivated",
        KeyState::Deleted { .. } => "deleted",
    }
}

/// What the sweep decided about one key by, and the stage that it wants to record.
struct Decided {
    id: KeyId,
    state: &'static str,
    idle_since: ServiceMs,
    stage: i64,
    deletes_at: ServiceMs,
    next: i64,
    /// From a stage to the deletion at least.
    lead: i64,
}

fn decided(key: &ApiKey, next: Option<Stage>) -> Decided {
    let Inactivity { idle_since, deletes_at, stage, .. } = key.inactivity;
    Decided {
        id: key.id,
        state: state_name(key),
        idle_since,
        stage: days(stage),
        deletes_at,
        next: days(next),
        lead: days(next) * DAY_MS + STAGE_MARGIN_MS,
    }
}

/// Runs `update`, which joins `due`, for keys in the order of their ids, with `more` values before theirs.
///
/// PostgreSQL locks the rows first, in that order: two that take several of them wait for each other in turn, instead of
/// both at once, and what the statement compares is what was committed last.
fn update_decided<T>(
    tx: &mut Tx<'_>,
    decided: &[Decided],
    more: &[&dyn ToValue],
    update: &str,
    map: impl FnMut(&mut Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    if decided.is_empty() {
        return Ok(Vec::new());
    }
    if tx.is_postgres() {
        let mut conditions = Filter::new();
        conditions.and_one_of("k.id", decided.iter().map(|key| &key.id));
        let sql = format!("SELECT k.id FROM api_keys k WHERE {} ORDER BY k.id FOR UPDATE", conditions.sql());
        tx.query(&sql, &conditions.values(), |_| Ok(()))?;
    }
    let mut values = more.to_vec();
    for Decided { id, state, idle_since, stage, deletes_at, next, lead } in decided {
        values.extend([id as &dyn ToValue, state, idle_since, stage, deletes_at, next, lead]);
    }
    let number = "CAST(? AS BIGINT)";
    let row = rows(more.len(), decided.len(), &["?", "?", number, number, number, number, number]);
    let sql = format!("WITH due (key_id, state, idle_since, stage, deletes_at, next, lead) AS (VALUES {row}) {update}");
    tx.query(&sql, &values, map)
}

/// Everything that the sweep decided by, as it is now.
fn unchanged() -> String {
    format!(
        "k.id = due.key_id AND k.state = due.state AND NOT k.held AND {IDLE_SINCE} = due.idle_since
         AND CASE WHEN k.ladder_since = due.idle_since THEN k.stage ELSE 0 END = due.stage
         AND CASE WHEN k.ladder_since = due.idle_since THEN k.deletes_at ELSE due.deletes_at END = due.deletes_at
         AND {TENANT_IS_LIVE} AND {NOT_PAUSED}"
    )
}

/// Records a stage of the ladder of each key that is still what it was when it was read; for the others nothing may
/// follow. Answers the former. `steps` is in the order of ids.
pub fn record_stages(tx: &mut Tx<'_>, steps: &[(&ApiKey, Stage)]) -> Result<Vec<KeyId>> {
    let decided: Vec<Decided> = steps.iter().map(|(key, stage)| decided(key, Some(*stage))).collect();
    let update = format!(
        "UPDATE api_keys AS k
         SET stage = due.next, ladder_since = due.idle_since,
             deletes_at = CASE WHEN {NOW} + due.lead > due.deletes_at THEN {NOW} + due.lead ELSE due.deletes_at END
         FROM due WHERE {} RETURNING id",
        unchanged()
    );
    update_decided(tx, &decided, &[], &update, |row| row.column())
}

/// Deletes idle keys after their last notice, each only if it is what it was when it was read. Call it after
/// [`crate::changes::lock`]. Answers them, and until when they can be restored. `keys` is in the order of ids.
pub fn delete(tx: &mut Tx<'_>, keys: &[&ApiKey], at: UtcMs, window: i64) -> Result<Vec<(KeyId, ServiceMs)>> {
    let decided: Vec<Decided> = keys.iter().map(|key| decided(key, None)).collect();
    let update = format!(
        "UPDATE api_keys AS k
         SET state = 'deleted', state_at = ?1, state_by_kind = 'system', state_by_id = NULL,
             delete_reason = 'inactive', deleted_while_active = (k.state = 'active'),
             restore_until = {NOW} + ?2, version = k.version + 1
         FROM due WHERE {} AND due.stage = 1 AND {NOW} >= due.deletes_at
         RETURNING id, restore_until",
        unchanged()
    );
    update_decided(tx, &decided, &[&at, &window], &update, |row| Ok((row.column()?, row.column()?)))
}

/// Marks a key that nobody can be told about; `false` if it is not what it was.
pub fn hold(tx: &mut Tx<'_>, key: &ApiKey) -> Result<bool> {
    let update = format!("UPDATE api_keys AS k SET held = TRUE FROM due WHERE {} RETURNING id", unchanged());
    let held = update_decided(tx, &[decided(key, None)], &[], &update, |row| row.column::<KeyId>())?;
    Ok(!held.is_empty())
}

/// Ends a hold: somebody is there again, and the key gets its full 90 days with a full ladder.
pub fn release(tx: &mut Tx<'_>, id: KeyId) -> Result<bool> {
    let sql = format!(
        "UPDATE api_keys AS k
         SET held = FALSE, active_at = CASE WHEN k.active_at < {NOW} THEN {NOW} ELSE k.active_at END
         WHERE k.id = ?1 AND k.held"
    );
    Ok(tx.execute(&sql, &[&id])? == 1)
}

/// Records that a key's chosen expiry has passed; from then on its 90 days run. `false` if it changed meanwhile.
pub fn record_expiry(tx: &mut Tx<'_>, id: KeyId, expires_at: UtcMs) -> Result<bool> {
    let sql = format!(
        "UPDATE api_keys AS k
         SET expiry_recorded = ?2, active_at = CASE WHEN k.active_at < {NOW} THEN {NOW} ELSE k.active_at END
         WHERE k.id = ?1 AND k.expires_at = ?2 AND k.state <> 'deleted' AND {NOT_PAUSED}
             AND (k.expiry_recorded IS NULL OR k.expiry_recorded <> ?2)"
    );
    Ok(tx.execute(&sql, &[&id, &expires_at])? == 1)
}

/// Destroys the secrets of at most `limit` deleted keys whose time to restore is over; only tombstones stay.
pub fn destroy_secrets(tx: &mut Tx<'_>, limit: i64) -> Result<u64> {
    let sql = format!(
        "UPDATE api_keys SET secret_hash = NULL, previous_hash = NULL WHERE id IN (
             SELECT k.id FROM api_keys k
             WHERE k.state = 'deleted' AND k.secret_hash IS NOT NULL AND k.restore_until <= {NOW} AND {NOT_PAUSED}
             ORDER BY k.restore_until, k.id LIMIT ?1)
         AND state = 'deleted' AND restore_until <= {NOW}"
    );
    tx.execute(&sql, &[&limit])
}

/// Whether somebody who may act for the owner can sign in: an admin of the location, or else of the agency.
pub fn has_admin(tx: &mut Tx<'_>, agency: AgencyId, location: Option<LocationId>) -> Result<bool> {
    let found: i64 = tx.query_one(
        "SELECT CAST(count(*) AS BIGINT) FROM users u
         WHERE u.agency_id = ?1 AND NOT u.disabled AND (u.role = 'agency-admin' OR (u.role = 'account-admin'
             AND EXISTS (SELECT 1 FROM user_locations l WHERE l.user_id = u.id AND l.location_id = ?2)))",
        &[&agency, &location],
        |row| row.column(),
    )?;
    Ok(found > 0)
}

fn days(stage: Option<Stage>) -> i64 {
    stage.map_or(0, Stage::days)
}
