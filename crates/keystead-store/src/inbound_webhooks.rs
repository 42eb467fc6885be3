//! Inbound webhooks, and what came in by them.

use std::sync::LazyLock;

use keystead_model::{
    AgencyId, ContactId, InboundPayloadId, InboundWebhookId, LocationId, UtcMs, WorkflowId,
    inbound_webhook::{
        ContactMapping, InboundContent, InboundCredentials, InboundOutcome, InboundPayload, InboundWebhook,
    },
    page::{Page, Window},
};

use crate::{
    Error, Result, Row, Tx,
    filter::Filter,
    list::Order,
    stored::Stored,
    table::{Named, Table},
};

static WEBHOOKS: Table = Table::new("inbound_webhooks", &["location_id", "id"]).keeping(&["created_at"]);
static PAYLOADS: Table =
    Table::new("inbound_payloads", &["location_id", "id"]).keeping(&["webhook_id", "body", "received_at"]);
static RECEIPTS: Table = Table::new("inbound_receipts", &["location_id", "webhook_id", "sent_id"]);

impl Stored for InboundWebhook {
    type Parent = ();

    fn table() -> &'static Table {
        &WEBHOOKS
    }

    fn columns() -> &'static str {
        "id, location_id, name, workflow_id, contact, writer, token, secret, previous_token, previous_secret,
         previous_until, created_at, updated_at"
    }

    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.column()?,
            location: row.column()?,
            content: InboundContent {
                name: row.column()?,
                workflow: row.column()?,
                contact: row.column::<Option<String>>()?.map(ContactMapping::from_stored),
            },
            writer: row.column()?,
            credentials: InboundCredentials {
                token: row.column()?,
                secret: row.column()?,
                previous_token: row.column()?,
                previous_secret: row.column()?,
                previous_until: row.column()?,
            },
            created_at: row.column()?,
            updated_at: row.column()?,
        })
    }

    fn row(&self) -> Vec<Named<'_>> {
        let Self { id, location: _, content, writer, credentials, created_at, updated_at } = self;
        let InboundContent { name, workflow, contact } = content;
        let InboundCredentials { token, secret, previous_token, previous_secret, previous_until } = credentials;
        vec![
            ("id", id),
            ("name", name),
            ("workflow_id", workflow),
            ("contact", contact),
            ("writer", writer),
            ("token", token),
            ("secret", secret),
            ("previous_token", previous_token),
            ("previous_secret", previous_secret),
            ("previous_until", previous_until),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ]
    }
}

static FIND_OPENED: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> =
        InboundWebhook::columns().split(',').map(|column| format!("w.{}", column.trim())).collect();
    format!(
        "SELECT l.agency_id, l.state = 'active' AND a.state = 'active', {} FROM inbound_webhooks w
         JOIN locations l ON l.id = w.location_id JOIN agencies a ON a.id = l.agency_id
         WHERE w.id = ?1 AND l.state <> 'deleted'",
        columns.join(", ")
    )
});

/// An inbound webhook of somebody, and where it stands.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The agency whose location has it.
    pub agency: AgencyId,
    /// Whether both are at work, and not suspended.
    pub is_at_work: bool,
    /// Itself.
    pub webhook: InboundWebhook,
}

/// An inbound webhook, whichever location has it; of a deleted one nothing is found.
pub fn find_opened(tx: &mut Tx<'_>, id: InboundWebhookId) -> Result<Option<Opened>> {
    tx.query_opt(&FIND_OPENED, &[&id], |row| {
        Ok(Opened { agency: row.column()?, is_at_work: row.column()?, webhook: InboundWebhook::read(row)? })
    })
}

/// Takes a workflow that is deleted from those that were for it.
pub fn leave_workflow(tx: &mut Tx<'_>, location: LocationId, workflow: WorkflowId) -> Result<()> {
    let sql = "UPDATE inbound_webhooks SET workflow_id = NULL WHERE location_id = ?1 AND workflow_id = ?2";
    tx.later(sql, &[&location, &workflow])
}

/// Forgets what came in by one that is deleted.
pub fn leave(tx: &mut Tx<'_>, location: LocationId, webhook: InboundWebhookId) -> Result<()> {
    for table in ["inbound_payloads", "inbound_receipts"] {
        let sql = format!("DELETE FROM {table} WHERE location_id = ?1 AND webhook_id = ?2");
        tx.later(&sql, &[&location, &webhook])?;
    }
    Ok(())
}

/// Keeps a payload, or says anew what became of it.
pub fn save_payload(tx: &mut Tx<'_>, location: LocationId, payload: &InboundPayload) -> Result<()> {
    let InboundPayload { id, webhook, body, outcome, problems: _, contact, received_at } = payload;
    PAYLOADS.save(
        tx,
        &[
            ("location_id", &location),
            ("id", id),
            ("webhook_id", webhook),
            ("body", body),
            ("outcome", &outcome.as_str()),
            ("problems", &payload.problems_to_json()),
            ("contact_id", contact),
            ("received_at", received_at),
        ],
    )
}

const OF_PAYLOAD: &str =
    "SELECT id, webhook_id, body, outcome, problems, contact_id, received_at FROM inbound_payloads";

fn read_payload(row: &mut Row<'_>) -> Result<InboundPayload> {
    let (id, webhook, body) = (row.column()?, row.column()?, row.column()?);
    let outcome = InboundOutcome::parse(&row.column::<String>()?);
    Ok(InboundPayload {
        id,
        webhook,
        body,
        outcome: outcome.ok_or_else(|| Error::unreadable("what became of a payload"))?,
        problems: InboundPayload::problems_from_json(row.column::<Option<String>>()?.as_deref()),
        contact: row.column()?,
        received_at: row.column()?,
    })
}

/// A payload that came in by a webhook.
pub fn find_payload(
    tx: &mut Tx<'_>,
    location: LocationId,
    webhook: InboundWebhookId,
    id: InboundPayloadId,
) -> Result<Option<InboundPayload>> {
    let sql = format!("{OF_PAYLOAD} WHERE location_id = ?1 AND webhook_id = ?2 AND id = ?3");
    tx.query_opt(&sql, &[&location, &webhook, &id], read_payload)
}

/// What came in by a webhook, newest first.
pub fn list_payloads(
    tx: &mut Tx<'_>,
    location: LocationId,
    webhook: InboundWebhookId,
    window: &Window<InboundPayloadId>,
) -> Result<Page<InboundPayload>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND webhook_id = @", &[&location, &webhook]);
    filter.page(tx, OF_PAYLOAD, Order::descending(&["id"]), window, read_payload)
}

/// When something last came in by each inbound webhook of a location.
pub fn last_received(tx: &mut Tx<'_>, location: LocationId) -> Result<Vec<(InboundWebhookId, UtcMs)>> {
    let sql = "SELECT webhook_id, max(received_at) FROM inbound_payloads WHERE location_id = ?1 GROUP BY webhook_id";
    tx.query(sql, &[&location], |row| Ok((row.column()?, row.column()?)))
}

/// What came in by way of which a contact was made or changed, newest first.
pub fn payloads_of_contact(
    tx: &mut Tx<'_>,
    location: LocationId,
    contact: ContactId,
    window: &Window<InboundPayloadId>,
) -> Result<Page<InboundPayload>> {
    let mut filter = Filter::new();
    filter.and("location_id = @ AND contact_id = @", &[&location, &contact]);
    filter.page(tx, OF_PAYLOAD, Order::descending(&["id"]), window, read_payload)
}

/// Forgets all but the newest `most` payloads of a webhook.
pub fn keep_newest(tx: &mut Tx<'_>, location: LocationId, webhook: InboundWebhookId, most: i64) -> Result<()> {
    let sql = "DELETE FROM inbound_payloads WHERE location_id = ?1 AND webhook_id = ?2 AND id NOT IN (
        SELECT id FROM inbound_payloads WHERE location_id = ?1 AND webhook_id = ?2 ORDER BY id DESC LIMIT ?3)";
    tx.later(sql, &[&location, &webhook, &most])
}

/// How what was sent under an id was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How many payloads were in it.
    pub received: i64,
    /// What was wrong with them, as JSON.
    pub problems: Option<String>,
    /// Digest of what was sent; a release before this one kept none.
    pub body: Option<[u8; 32]>,
}

/// How what was sent under an id since some time was answered.
pub fn find_receipt(
    tx: &mut Tx<'_>,
    location: LocationId,
    webhook: InboundWebhookId,
    sent_id: &[u8; 32],
    since: UtcMs,
) -> Result<Option<Receipt>> {
    let sql = "SELECT received, problems, body_digest FROM inbound_receipts
         WHERE location_id = ?1 AND webhook_id = ?2 AND sent_id = ?3 AND at >= ?4";
    tx.query_opt(sql, &[&location, &webhook, sent_id, &since], |row| {
        Ok(Receipt { received: row.column()?, problems: row.column()?, body: row.column()? })
    })
}

/// Notes how what was sent under an id was answered.
pub fn save_receipt(
    tx: &mut Tx<'_>,
    location: LocationId,
    webhook: InboundWebhookId,
    sent_id: &[u8; 32],
    receipt: &Receipt,
    at: UtcMs,
) -> Result<()> {
    let Receipt { received, problems, body } = receipt;
    RECEIPTS.save(
        tx,
        &[
            ("location_id", &location),
            ("webhook_id", &webhook),
            ("sent_id", sent_id),
            ("received", received),
            ("problems", problems),
            ("body_digest", body),
            ("at", &at),
        ],
    )
}

/// Forgets at most `most` payloads of before `payloads`, and as many receipts of before `receipts`. Answers how many.
pub fn trim(tx: &mut Tx<'_>, payloads: UtcMs, receipts: UtcMs, most: i64) -> Result<u64> {
    let old = "SELECT location_id, id FROM inbound_payloads WHERE received_at < ?1 ORDER BY received_at LIMIT ?2";
    let gone =
        tx.execute(&format!("DELETE FROM inbound_payloads WHERE (location_id, id) IN ({old})"), &[&payloads, &most])?;
    let old = "SELECT location_id, webhook_id, sent_id FROM inbound_receipts WHERE at < ?1 ORDER BY at LIMIT ?2";
    let sql = format!("DELETE FROM inbound_receipts WHERE (location_id, webhook_id, sent_id) IN ({old})");
    Ok(gone + tx.execute(&sql, &[&receipts, &most])?)
}
