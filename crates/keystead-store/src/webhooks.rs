//! Webhooks: endpoints, the messages of events, and how each message fares on its way to an endpoint.

use std::collections::BTreeSet;

use keystead_model::{
    AgencyId, KeyId, LocationId, UtcMs, WebhookDeliveryId, WebhookEndpointId,
    event::EventId,
    grant::Reach,
    id::Id,
    job::JobKind,
    notice::NoticeSubject,
    page::{Page, Window},
    scope::ScopeSet,
    webhook::{
        DeliveryAttempt, DeliveryState, Disabled, EndpointContent, EventNames, Health, Listener, NamedEndpoint,
        SealedSecrets, SigningKeyRecord, WebhookDelivery, WebhookEndpoint, WebhookMessage, WhyDisabled,
    },
};

use crate::{Error, Result, Row, Tx, filter::Filter, list::Order, notices, queue, table::Table, users::read_actor};

const COLUMNS: &str =
    "id, agency_id, location_id, url, events, description, app_id, header_names, disabled, disabled_at, actor_kind,
    actor_id, scopes, secret, previous_secret, previous_until, headers, key_version, failures, failure_days,
    last_failure_day, failed_at, failing_since, gone_since, next_probe, places, succeeded_at, created_at, updated_at";

static ENDPOINTS: Table = Table::new("webhook_endpoints", &["id"]).keeping(&["agency_id", "location_id", "created_at"]);
static MESSAGES: Table = Table::new("webhook_messages", &["id"]);
static DELIVERIES: Table = Table::new("webhook_deliveries", &["id"]).keeping(&["endpoint_id", "message_id"]);
static ATTEMPTS: Table = Table::new("webhook_attempts", &["delivery_id", "number"]);

fn read(row: &mut Row<'_>) -> Result<WebhookEndpoint> {
    let (id, agency, location) = (row.column()?, row.column()?, row.column()?);
    let (url, events) = (row.column()?, EventNames::from_stored(&row.column::<String>()?));
    let (description, app_id) = (row.column()?, row.column()?);
    let headers = row.column::<String>()?.split_whitespace().map(str::to_owned).collect();
    let disabled = read_disabled(row)?;
    let (actor, scopes) = (read_actor(row)?, ScopeSet::from_names(&row.column::<String>()?));
    let (secret, previous) = (row.column()?, row.column::<Option<String>>()?);
    let until: Option<UtcMs> = row.column()?;
    Ok(WebhookEndpoint {
        id,
        agency,
        location,
        content: EndpointContent { url, events, description, app_id, headers },
        disabled,
        listener: Listener { actor, scopes },
        sealed: SealedSecrets {
            secret,
            previous: previous.zip(until),
            headers: row.column()?,
            key_version: row.column()?,
        },
        health: Health {
            failures: row.column()?,
            days: row.column()?,
            last_day: row.column()?,
            failed_at: row.column()?,
            failing_since: row.column()?,
            gone_since: row.column()?,
            next_probe: row.column()?,
            window: row.column()?,
            succeeded_at: row.column()?,
        },
        created_at: row.column()?,
        updated_at: row.column()?,
    })
}

/// `disabled` and `disabled_at`.
pub(crate) fn read_disabled(row: &mut Row<'_>) -> Result<Option<Disabled>> {
    let (why, since): (Option<String>, Option<UtcMs>) = (row.column()?, row.column()?);
    let Some((why, since)) = why.zip(since) else { return Ok(None) };
    let why = WhyDisabled::parse(&why).ok_or_else(|| Error::unreadable("why a webhook is disabled"))?;
    Ok(Some(Disabled { why, since }))
}

/// Adds an endpoint, or replaces what is written of it.
pub fn save(tx: &mut Tx<'_>, endpoint: &WebhookEndpoint) -> Result<()> {
    let WebhookEndpoint { id, agency, location, content, disabled, listener, sealed, health, created_at, updated_at } =
        endpoint;
    let EndpointContent { url, events, description, app_id, headers } = content;
    let Listener { actor, scopes } = listener;
    let (previous, until) = sealed.previous.clone().unzip();
    ENDPOINTS.save(
        tx,
        &[
            ("id", id),
            ("agency_id", agency),
            ("location_id", location),
            ("url", url),
            ("events", &events.to_text()),
            ("description", description),
            ("app_id", app_id),
            ("header_names", &headers.join(" ")),
            ("disabled", &disabled.map(|disabled| disabled.why.as_str())),
            ("disabled_at", &disabled.map(|disabled| disabled.since)),
            ("actor_kind", &actor.kind()),
            ("actor_id", &actor.id()),
            ("scopes", &scopes.to_names()),
            ("secret", &sealed.secret),
            ("previous_secret", &previous),
            ("previous_until", &until),
            ("headers", &sealed.headers),
            ("key_version", &sealed.key_version),
            ("failures", &health.failures),
            ("failure_days", &health.days),
            ("last_failure_day", &health.last_day),
            ("failed_at", &health.failed_at),
            ("failing_since", &health.failing_since),
            ("gone_since", &health.gone_since),
            ("next_probe", &health.next_probe),
            ("places", &health.window),
            ("succeeded_at", &health.succeeded_at),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ],
    )
}

/// One endpoint of an agency.
pub fn find(tx: &mut Tx<'_>, agency: AgencyId, id: WebhookEndpointId) -> Result<Option<WebhookEndpoint>> {
    let sql = format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE id = ?1 AND agency_id = ?2");
    tx.query_opt(&sql, &[&id, &agency], read)
}

/// The endpoint of a job, whosever it is.
pub fn find_any(tx: &mut Tx<'_>, id: WebhookEndpointId) -> Result<Option<WebhookEndpoint>> {
    tx.query_opt(&format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE id = ?1"), &[&id], read)
}

/// The same, which nobody else changes until the end of the transaction.
pub fn find_to_change(tx: &mut Tx<'_>, id: WebhookEndpointId) -> Result<Option<WebhookEndpoint>> {
    // Rows that refer to it may be added meanwhile.
    let lock = if tx.is_postgres() { " FOR NO KEY UPDATE" } else { "" };
    tx.query_opt(&format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE id = ?1{lock}"), &[&id], read)
}

/// Those of a list of endpoints that are there.
pub fn find_all(tx: &mut Tx<'_>, ids: &BTreeSet<WebhookEndpointId>) -> Result<Vec<WebhookEndpoint>> {
    let mut those = Filter::new();
    those.and_one_of("id", ids);
    tx.query(&format!("SELECT {COLUMNS} FROM webhook_endpoints WHERE {}", those.sql()), &those.values(), read)
}

/// The endpoints that may hear of what happens in a location, or to the agency itself: its own, and the agency's.
pub fn listening(tx: &mut Tx<'_>, agency: AgencyId, location: Option<LocationId>) -> Result<Vec<WebhookEndpoint>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_endpoints
         WHERE agency_id = ?1 AND (location_id IS NULL OR location_id = CAST(?2 AS TEXT)) ORDER BY id"
    );
    tx.query(&sql, &[&agency, &location], read)
}

/// Endpoints of an agency that are of one of `locations`, or any if that is said; newest first. Without locations also the
/// agency's own.
pub fn list(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    locations: Option<&BTreeSet<LocationId>>,
    window: &Window<WebhookEndpointId>,
) -> Result<Page<WebhookEndpoint>> {
    let mut filter = Filter::new();
    filter.and("agency_id = @", &[&agency]);
    if let Some(locations) = locations {
        filter.and_one_of("location_id", locations);
    }
    filter.page(tx, &format!("SELECT {COLUMNS} FROM webhook_endpoints"), Order::descending(&["id"]), window, read)
}

/// Endpoints that these keys have set up, where somebody reaches: each with its key, in the order of their ids.
pub fn set_up_by(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    reach: &Reach,
    keys: &BTreeSet<KeyId>,
) -> Result<Vec<(KeyId, NamedEndpoint)>> {
    let mut filter = Filter::new();
    filter.and("agency_id = @ AND actor_kind = 'key'", &[&agency]);
    filter.and_one_of("actor_id", keys);
    match reach {
        Reach::Agency => {}
        Reach::Chosen(set) | Reach::Locations(set) => filter.and_one_of("location_id", set),
    }
    let sql = format!(
        "SELECT actor_id, id, location_id, url, description FROM webhook_endpoints WHERE {} ORDER BY id",
        filter.sql()
    );
    tx.query(&sql, &filter.values(), |row| Ok((row.column()?, read_named(row)?)))
}

/// `id`, `location_id`, `url` and `description`.
pub(crate) fn read_named(row: &mut Row<'_>) -> Result<NamedEndpoint> {
    Ok(NamedEndpoint { id: row.column()?, location: row.column()?, url: row.column()?, description: row.column()? })
}

/// How many endpoints a location has, or the agency itself.
pub fn count(tx: &mut Tx<'_>, agency: AgencyId, location: Option<LocationId>) -> Result<i64> {
    let sql = "SELECT CAST(count(*) AS BIGINT) FROM webhook_endpoints
         WHERE agency_id = ?1 AND COALESCE(location_id, '') = COALESCE(CAST(?2 AS TEXT), '')";
    tx.query_one(sql, &[&agency, &location], |row| row.column())
}

/// Versions of the instance secret with which secrets of endpoints are sealed.
pub fn sealing_versions(tx: &mut Tx<'_>) -> Result<BTreeSet<i64>> {
    let sql = "SELECT secret, previous_secret, headers FROM webhook_endpoints";
    let found: Vec<[Option<String>; 3]> =
        tx.query(sql, &[], |row| Ok([row.column()?, row.column()?, row.column()?]))?;
    let sealed = |text: &Option<String>| text.as_ref()?.split_once('.')?.0.parse().ok();
    Ok(found.iter().flatten().filter_map(sealed).collect())
}

/// Versions of the instance secret from which keys follow with which messages are signed; of a schema that had no keys of agencies
/// their versions are those.
pub fn signing_versions(tx: &mut Tx<'_>, has_keys: bool) -> Result<BTreeSet<i64>> {
    let sql = match has_keys {
        true => format!("SELECT k.secret_version FROM webhook_signing_keys k WHERE {IN_USE}"),
        false => "SELECT key_version FROM webhook_endpoints".to_owned(),
    };
    Ok(tx.query(&sql, &[], |row| row.column())?.into_iter().collect())
}

/// Of the keys of agencies those that sign, or will sign for new endpoints.
const IN_USE: &str = "(k.version = (SELECT max(o.version) FROM webhook_signing_keys o WHERE o.agency_id = k.agency_id)
     OR EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.agency_id = k.agency_id AND e.key_version = k.version))";

/// The newest key of an agency, and those before it that endpoints still have, with how many these are; the newest first.
pub fn signing_keys(tx: &mut Tx<'_>, agency: AgencyId) -> Result<Vec<(SigningKeyRecord, i64)>> {
    let sql = format!(
        "SELECT k.version, k.secret_version, k.created_at, (SELECT CAST(count(*) AS BIGINT) FROM webhook_endpoints e
             WHERE e.agency_id = k.agency_id AND e.key_version = k.version)
         FROM webhook_signing_keys k WHERE k.agency_id = ?1 AND {IN_USE} ORDER BY k.version DESC"
    );
    tx.query(&sql, &[&agency], |row| Ok((read_signing_key(row)?, row.column()?)))
}

/// The key that an endpoint of an agency has.
pub fn signing_key(tx: &mut Tx<'_>, agency: AgencyId, version: i64) -> Result<SigningKeyRecord> {
    let sql = format!("{SIGNING_KEY} WHERE k.agency_id = ?1 AND k.version = ?2");
    let found = tx.query_opt(&sql, &[&agency, &version], read_signing_key)?;
    found.ok_or_else(|| Error::unreadable("which key signs for a webhook"))
}

/// The newest key of an agency, if it has one of its own.
pub fn newest_signing_key(tx: &mut Tx<'_>, agency: AgencyId) -> Result<Option<SigningKeyRecord>> {
    let sql = format!("{SIGNING_KEY} WHERE k.agency_id = ?1 ORDER BY k.version DESC LIMIT 1");
    tx.query_opt(&sql, &[&agency], read_signing_key)
}

const SIGNING_KEY: &str = "SELECT k.version, k.secret_version, k.created_at FROM webhook_signing_keys k";

fn read_signing_key(row: &mut Row<'_>) -> Result<SigningKeyRecord> {
    Ok(SigningKeyRecord { version: row.column()?, secret_version: row.column()?, created_at: row.column()? })
}

/// Adds a key, unless it is there.
pub fn keep_signing_key(tx: &mut Tx<'_>, agency: AgencyId, key: &SigningKeyRecord) -> Result<()> {
    let sql =
        "INSERT INTO webhook_signing_keys (agency_id, version, secret_version, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING";
    tx.later(sql, &[&agency, &key.version, &key.secret_version, &key.created_at])
}

/// Deletes an endpoint with all that was to go there, and all that was told of it.
pub fn delete(tx: &mut Tx<'_>, id: WebhookEndpointId) -> Result<()> {
    let of_endpoint = "SELECT id FROM webhook_deliveries WHERE endpoint_id = ?1";
    tx.later(&format!("DELETE FROM webhook_attempts WHERE delivery_id IN ({of_endpoint})"), &[&id])?;
    tx.later("DELETE FROM webhook_deliveries WHERE endpoint_id = ?1", &[&id])?;
    tx.later("DELETE FROM jobs WHERE kind = ?1 AND owner_id = ?2", &[&JobKind::Delivery.as_str(), &id])?;
    notices::forget(tx, &NoticeSubject::Webhook(id))?;
    tx.later("DELETE FROM webhook_endpoints WHERE id = ?1", &[&id])
}

/// The number of the next event that is told of a location or an agency itself. Its row is locked until the commit, so numbers are
/// in the order in which changes can be seen.
pub fn next_sequence(tx: &mut Tx<'_>, owner: Id<()>) -> Result<i64> {
    let sql = "INSERT INTO webhook_sequences (owner_id, last) VALUES (?1, 1)
         ON CONFLICT (owner_id) DO UPDATE SET last = webhook_sequences.last + 1 RETURNING last";
    tx.query_one(sql, &[&owner], |row| row.column())
}

/// Adds a message.
pub fn insert_message(tx: &mut Tx<'_>, message: &WebhookMessage) -> Result<()> {
    let WebhookMessage { chain: (root, depth), id, agency, location, contact, event, name, body, created_at } = message;
    MESSAGES.insert(
        tx,
        &[
            ("id", id),
            ("agency_id", agency),
            ("location_id", location),
            ("contact_id", contact),
            ("event", event),
            ("name", name),
            ("body", body),
            ("chain_root", root),
            ("chain_depth", &i64::from(*depth)),
            ("created_at", created_at),
        ],
    )
}

/// A message, if it is still kept.
pub fn find_message(tx: &mut Tx<'_>, id: &str) -> Result<Option<WebhookMessage>> {
    let sql = "SELECT chain_root, chain_depth, id, agency_id, location_id, contact_id, event, name, body, created_at
         FROM webhook_messages WHERE id = ?1";
    tx.query_opt(sql, &[&id], read_message)
}

fn read_message(row: &mut Row<'_>) -> Result<WebhookMessage> {
    let (root, depth): (EventId, i64) = (row.column()?, row.column()?);
    Ok(WebhookMessage {
        chain: (root, u32::try_from(depth).unwrap_or(u32::MAX)),
        id: row.column()?,
        agency: row.column()?,
        location: row.column()?,
        contact: row.column()?,
        event: row.column()?,
        name: row.column()?,
        body: row.column()?,
        created_at: row.column()?,
    })
}

/// Puts a message on its way to an endpoint; one that is not to wait has a job that is due at `due`.
pub fn insert_delivery(
    tx: &mut Tx<'_>,
    delivery: &WebhookDelivery,
    location: Option<LocationId>,
    due: UtcMs,
) -> Result<()> {
    let WebhookDelivery { id, endpoint, message, app_id, state, tries, attempts, created_at, tried_at } = delivery;
    DELIVERIES.insert(
        tx,
        &[
            ("id", id),
            ("endpoint_id", endpoint),
            ("message_id", message),
            ("location_id", &location),
            ("app_id", app_id),
            ("state", &state.as_str()),
            ("tries", tries),
            ("attempts", attempts),
            ("created_at", created_at),
            ("tried_at", tried_at),
        ],
    )?;
    match state {
        DeliveryState::Waiting => {
            queue::add(tx, JobKind::Delivery, id.of_anything(), endpoint.of_anything(), Some(due))
        }
        DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Held => Ok(()),
    }
}

const OF_DELIVERY: &str =
    "d.id, d.endpoint_id, d.message_id, d.app_id, d.state, d.tries, d.attempts, d.created_at, d.tried_at";
const OF_MESSAGE: &str = "m.chain_root, m.chain_depth, m.id, m.agency_id, m.location_id, m.contact_id, m.event, m.name, m.body, m.created_at";

fn read_delivery(row: &mut Row<'_>) -> Result<WebhookDelivery> {
    Ok(WebhookDelivery {
        id: row.column()?,
        endpoint: row.column()?,
        message: row.column()?,
        app_id: row.column()?,
        state: read_state(row)?,
        tries: row.column()?,
        attempts: row.column()?,
        created_at: row.column()?,
        tried_at: row.column()?,
    })
}

fn read_state(row: &mut Row<'_>) -> Result<DeliveryState> {
    DeliveryState::parse(&row.column::<String>()?).ok_or_else(|| Error::unreadable("the state of a delivery"))
}

/// A delivery with its message, if it is still kept.
pub fn find_delivery(tx: &mut Tx<'_>, id: WebhookDeliveryId) -> Result<Option<(WebhookDelivery, WebhookMessage)>> {
    let sql = format!(
        "SELECT {OF_DELIVERY}, {OF_MESSAGE} FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id
         WHERE d.id = ?1"
    );
    tx.query_opt(&sql, &[&id], |row| Ok((read_delivery(row)?, read_message(row)?)))
}

/// What goes to an endpoint, newest first; of one state, if that is said.
pub fn list_deliveries(
    tx: &mut Tx<'_>,
    endpoint: WebhookEndpointId,
    state: Option<DeliveryState>,
    window: &Window<WebhookDeliveryId>,
) -> Result<Page<(WebhookDelivery, WebhookMessage)>> {
    let state = state.map(DeliveryState::as_str);
    let mut filter = Filter::new();
    filter.and("d.endpoint_id = @", &[&endpoint]);
    if let Some(state) = &state {
        filter.and("d.state = @", &[state]);
    }
    let select = format!(
        "SELECT {OF_DELIVERY}, {OF_MESSAGE} FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id"
    );
    filter.page(tx, &select, Order::descending(&["d.id"]), window, |row| Ok((read_delivery(row)?, read_message(row)?)))
}

/// How many of the newest `most` deliveries to an endpoint stand in each state.
pub fn tally(tx: &mut Tx<'_>, endpoint: WebhookEndpointId, most: i64) -> Result<Vec<(DeliveryState, i64)>> {
    let newest = "SELECT state FROM webhook_deliveries WHERE endpoint_id = ?1 ORDER BY id DESC LIMIT ?2";
    let sql = format!("SELECT state, count(*) FROM ({newest}) newest GROUP BY state");
    tx.query(&sql, &[&endpoint, &most], |row| Ok((read_state(row)?, row.column()?)))
}

/// Notes how a delivery stands after a try; `false` if it is gone meanwhile, with its endpoint or with whom it told of.
pub fn note_try(tx: &mut Tx<'_>, delivery: &WebhookDelivery, attempt: Option<&DeliveryAttempt>) -> Result<bool> {
    let WebhookDelivery { id, state, tries, attempts, tried_at, .. } = delivery;
    let sql = "UPDATE webhook_deliveries SET state = ?2, tries = ?3, attempts = ?4, tried_at = ?5 WHERE id = ?1
         RETURNING location_id";
    let found = tx.query_opt(sql, &[id, &state.as_str(), tries, attempts, tried_at], |row| row.column())?;
    let Some(location) = found else { return Ok(false) };
    let Some(attempt) = attempt else { return Ok(true) };
    let location: Option<LocationId> = location;
    let DeliveryAttempt { number, at, duration_ms, status, problem, answer } = attempt;
    ATTEMPTS.save(
        tx,
        &[
            ("delivery_id", id),
            ("location_id", &location),
            ("number", number),
            ("at", at),
            ("duration_ms", duration_ms),
            ("status", status),
            ("problem", problem),
            ("answer", answer),
        ],
    )?;
    Ok(true)
}

/// Every try of a delivery, in order.
pub fn attempts_of(tx: &mut Tx<'_>, delivery: WebhookDeliveryId) -> Result<Vec<DeliveryAttempt>> {
    let sql = "SELECT number, at, duration_ms, status, problem, answer FROM webhook_attempts
         WHERE delivery_id = ?1 ORDER BY number";
    tx.query(sql, &[&delivery], |row| {
        Ok(DeliveryAttempt {
            number: row.column()?,
            at: row.column()?,
            duration_ms: row.column()?,
            status: row.column()?,
            problem: row.column()?,
            answer: row.column()?,
        })
    })
}

/// Sends a delivery on its way again: one that is settled begins anew, one that waits has its next try now.
pub fn send_again(tx: &mut Tx<'_>, delivery: &WebhookDelivery, due: UtcMs) -> Result<()> {
    let sql = "UPDATE webhook_deliveries SET state = 'waiting', tries = 0 WHERE id = ?1 AND state <> 'waiting'";
    if tx.execute(sql, &[&delivery.id])? == 1 {
        let (job, owner) = (delivery.id.of_anything(), delivery.endpoint.of_anything());
        return queue::add(tx, JobKind::Delivery, job, owner, Some(due));
    }
    queue::hasten(tx, JobKind::Delivery, delivery.id.of_anything(), due)
}

/// Those that an endpoint did not take since `since`, the oldest first.
pub fn not_taken(
    tx: &mut Tx<'_>,
    endpoint: WebhookEndpointId,
    since: UtcMs,
    most: i64,
) -> Result<Vec<WebhookDelivery>> {
    let sql = format!(
        "SELECT {OF_DELIVERY} FROM webhook_deliveries d
         WHERE d.endpoint_id = ?1 AND d.state IN ('failed', 'held') AND d.created_at >= ?2
         ORDER BY d.created_at, d.id LIMIT ?3"
    );
    tx.query(&sql, &[&endpoint, &since, &most], read_delivery)
}

/// Forgets at most `most` messages of before `before`, with all that became of them. Answers how many.
pub fn trim(tx: &mut Tx<'_>, before: UtcMs, most: i64) -> Result<u64> {
    let old = "SELECT id FROM webhook_messages WHERE created_at < ?1 ORDER BY created_at, id LIMIT ?2";
    let deliveries = format!("SELECT id FROM webhook_deliveries WHERE message_id IN ({old})");
    tx.later(&format!("DELETE FROM webhook_attempts WHERE delivery_id IN ({deliveries})"), &[&before, &most])?;
    tx.later(&format!("DELETE FROM jobs WHERE kind = 'delivery' AND id IN ({deliveries})"), &[&before, &most])?;
    tx.later(&format!("DELETE FROM webhook_deliveries WHERE message_id IN ({old})"), &[&before, &most])?;
    tx.execute(&format!("DELETE FROM webhook_messages WHERE id IN ({old})"), &[&before, &most])
}
