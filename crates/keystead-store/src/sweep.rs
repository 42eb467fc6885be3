//! What the sweep reads and writes. Every write decides again, by the values that were read, whether it still holds.
//!
//! The conditions compare columns of the row itself, never the view joined by its id: on PostgreSQL a statement that
//! waited for a racing use looks again at the row, but not at what it had read beside it.

use keystead_model::{
    KeyId, LocationId, ServiceMs, UtcMs,
    api_key::{ApiKey, KeyState},
    inactivity::{Inactivity, STAGE_MARGIN_MS, Stage},
    time::DAY_MS,
};

use crate::{Result, Tx, api_keys, filter::Filter};

/// `idle_since` as the view computes it, from the row that a statement is about to change.
const IDLE_SINCE: &str = "(SELECT max(candidate.instant) FROM (
        SELECT k.active_at AS instant
        UNION ALL SELECT a.resumed_at FROM agencies a WHERE a.id = k.agency_id
        UNION ALL SELECT l.resumed_at FROM locations l WHERE l.id = k.location_id
        UNION ALL SELECT c.clock_floor FROM service_clock c
    ) AS candidate)";

/// Nothing happens to keys of a suspended tenant, nor while the operator has paused deletions.
const TENANT_IS_LIVE: &str = "EXISTS (SELECT 1 FROM agencies a WHERE a.id = k.agency_id AND a.state = 'active')
    AND NOT EXISTS (SELECT 1 FROM locations l WHERE l.id = k.location_id AND l.state <> 'active')";
const NOT_PAUSED: &str = "EXISTS (SELECT 1 FROM service_clock c WHERE NOT c.paused)";

const NOW: &str = "(SELECT c.now_ms FROM service_clock c WHERE c.id = 1)";

/// Keys of live tenants whose stored activity is older than `before`, oldest first, after the cursor.
pub fn idle(
    tx: &mut Tx<'_>,
    before: ServiceMs,
    after: Option<(ServiceMs, KeyId)>,
    limit: i64,
) -> Result<Vec<(ApiKey, Option<UtcMs>)>> {
    let mut conditions = Filter::new();
    conditions.and("k.state <> 'deleted' AND k.active_at <= @", &[&before]);
    if let Some((at, id)) = &after {
        conditions.and("(k.active_at > @ OR (k.active_at = @ AND k.id > @))", &[at, at, id]);
    }
    conditions.and("NOT k.held", &[]);
    conditions.and(TENANT_IS_LIVE, &[]);
    with_recorded_expiry(tx, conditions, "k.active_at, k.id", limit)
}

/// Keys that wait until somebody is there to be told.
pub fn held(tx: &mut Tx<'_>, after: Option<KeyId>, limit: i64) -> Result<Vec<ApiKey>> {
    let mut conditions = Filter::new();
    conditions.and("k.held AND k.state <> 'deleted'", &[]);
    if let Some(id) = &after {
        conditions.and("k.id > @", &[id]);
    }
    only_keys(tx, conditions, "k.id", limit)
}

/// Keys whose chosen expiry lies before `until` and was not recorded, soonest first.
pub fn expiring(
    tx: &mut Tx<'_>,
    until: UtcMs,
    after: Option<(UtcMs, KeyId)>,
    limit: i64,
) -> Result<Vec<(ApiKey, Option<UtcMs>)>> {
    let mut conditions = Filter::new();
    conditions.and("k.expires_at IS NOT NULL AND k.state <> 'deleted' AND k.expires_at <= @", &[&until]);
    conditions.and("(k.expiry_recorded IS NULL OR k.expiry_recorded <> k.expires_at)", &[]);
    if let Some((at, id)) = &after {
        conditions.and("(k.expires_at > @ OR (k.expires_at = @ AND k.id > @))", &[at, at, id]);
    }
    conditions.and(TENANT_IS_LIVE, &[]);
    with_recorded_expiry(tx, conditions, "k.expires_at, k.id", limit)
}

/// Keys whose old secret ends after `now` and before `until`, and was used since `used_since`.
pub fn retiring(tx: &mut Tx<'_>, now: UtcMs, until: UtcMs, used_since: UtcMs, limit: i64) -> Result<Vec<ApiKey>> {
    let mut conditions = Filter::new();
    conditions.and("k.previous_hash IS NOT NULL AND k.previous_retires_at > @", &[&now]);
    conditions.and("k.previous_retires_at <= @ AND k.previous_used_at >= @", &[&until, &used_since]);
    conditions.and("k.state = 'active'", &[]);
    conditions.and(
        "NOT EXISTS (SELECT 1 FROM notices n WHERE n.key_id = k.id AND n.kind = 'retiring'
             AND n.episode = k.previous_retires_at)",
        &[],
    );
    only_keys(tx, conditions, "k.previous_retires_at, k.id", limit)
}

/// Keys with the expiry that was recorded for them.
fn with_recorded_expiry(
    tx: &mut Tx<'_>,
    conditions: Filter<'_>,
    order: &str,
    limit: i64,
) -> Result<Vec<(ApiKey, Option<UtcMs>)>> {
    api_keys::select_with(tx, conditions, "k.expiry_recorded", order, &limit, |row| row.column())
}

fn only_keys(tx: &mut Tx<'_>, conditions: Filter<'_>, order: &str, limit: i64) -> Result<Vec<ApiKey>> {
    let found = with_recorded_expiry(tx, conditions, order, limit)?;
    Ok(found.into_iter().map(|(key, _)| key).collect())
}

fn state_name(key: &ApiKey) -> &'static str {
    match key.state {
        KeyState::Active => "active",
        KeyState::Deactivated { .. } => "deactivated",
        KeyState::Deleted { .. } => "deleted",
    }
}

/// Everything that the sweep decided by: `?1` is the id, `?2` the state, `?3` idle_since, `?4` the stage's days,
/// `?5` the deletion.
fn unchanged() -> String {
    format!(
        "k.id = ?1 AND k.state = ?2 AND NOT k.held AND {IDLE_SINCE} = ?3
         AND CASE WHEN k.ladder_since = ?3 THEN k.stage ELSE 0 END = ?4
         AND CASE WHEN k.ladder_since = ?3 THEN k.deletes_at ELSE ?5 END = ?5
         AND {TENANT_IS_LIVE} AND {NOT_PAUSED}"
    )
}

/// Records a stage of the ladder; `false` if the key is not what it was when it was read, so that nothing may follow.
pub fn record_stage(tx: &mut Tx<'_>, key: &ApiKey, stage: Stage) -> Result<bool> {
    let Inactivity { idle_since, deletes_at, .. } = key.inactivity;
    let lead = stage.days() * DAY_MS + STAGE_MARGIN_MS;
    let sql = format!(
        "UPDATE api_keys AS k
         SET stage = ?6, ladder_since = ?3,
             deletes_at = CASE WHEN {NOW} + ?7 > ?5 THEN {NOW} + ?7 ELSE ?5 END
         WHERE {}",
        unchanged()
    );
    let recorded = days(key.inactivity.stage);
    let changed =
        tx.execute(&sql, &[&key.id, &state_name(key), &idle_since, &recorded, &deletes_at, &stage.days(), &lead])?;
    Ok(changed == 1)
}

/// Deletes an idle key after its last notice; `None` if it is not what it was when it was read. Call it after
/// [`crate::changes::lock`]. Answers until when it can be restored.
pub fn delete(tx: &mut Tx<'_>, key: &ApiKey, at: UtcMs, window: i64) -> Result<Option<ServiceMs>> {
    let Inactivity { idle_since, deletes_at, .. } = key.inactivity;
    let sql = format!(
        "UPDATE api_keys AS k
         SET state = 'deleted', state_at = ?6, state_by_kind = 'system', state_by_id = NULL,
             delete_reason = 'inactive', deleted_while_active = (k.state = 'active'),
             restore_until = {NOW} + ?7, version = k.version + 1
         WHERE {} AND ?4 = 1 AND {NOW} >= ?5
         RETURNING restore_until",
        unchanged()
    );
    tx.query_opt(
        &sql,
        &[&key.id, &state_name(key), &idle_since, &days(key.inactivity.stage), &deletes_at, &at, &window],
        |row| row.column(),
    )
}

/// Marks a key that nobody can be told about; `false` if it is not what it was.
pub fn hold(tx: &mut Tx<'_>, key: &ApiKey) -> Result<bool> {
    let Inactivity { idle_since, deletes_at, .. } = key.inactivity;
    let sql = format!("UPDATE api_keys AS k SET held = TRUE WHERE {}", unchanged());
    let values: &[&dyn crate::ToValue] =
        &[&key.id, &state_name(key), &idle_since, &days(key.inactivity.stage), &deletes_at];
    Ok(tx.execute(&sql, values)? == 1)
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
pub fn has_admin(tx: &mut Tx<'_>, agency: keystead_model::AgencyId, location: Option<LocationId>) -> Result<bool> {
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
