//! The agency's audit log in API 2.0.

use keystead_core::{AgencyContext, AuditFilter, Error};
use keystead_model::{Invalid, LocationId, UtcMs, audit::AuditRow, page::cut, text::TimeZoneName};
use serde::Serialize;
use serde_json::{Value, json};

use super::api_keys::parse_location;
use crate::{call::Call, reply::Reply};

/// A row on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditShape<'r> {
    id: String,
    at: UtcMs,
    action: &'r str,
    actor: Actor<'r>,
    subject: &'r str,
    location_id: Option<LocationId>,
    ip: Option<&'r str>,
    request_id: Option<&'r str>,
    before: Option<Value>,
    after: Option<Value>,
    position: Option<i64>,
    /// Whether address, request and changes were erased, so that their absence says nothing.
    erased: bool,
}

#[derive(Serialize)]
struct Actor<'r> {
    r#type: &'static str,
    id: Option<&'r str>,
}

/// A row as it is on the wire.
pub fn shape(row: &AuditRow) -> AuditShape<'_> {
    let document = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    AuditShape {
        id: row.id.to_string(),
        at: row.at,
        action: &row.action,
        actor: Actor { r#type: row.actor.kind(), id: row.actor.id() },
        subject: &row.subject,
        location_id: row.location,
        ip: row.ip.as_deref(),
        request_id: row.request_id.as_deref(),
        before: document(&row.before),
        after: document(&row.after),
        position: row.position,
        erased: row.erased,
    }
}

pub(crate) async fn list(context: AgencyContext, mut call: Call) -> Result<Reply, Error> {
    let mut query = call.read_query();
    let limit = query.integer("limit", 1..=100).unwrap_or(20);
    let filter = AuditFilter {
        action: query.text("action"),
        subject: query.text("subject"),
        actor: query.text("actor"),
        location: query.parse("locationId", parse_location),
        from: query.moment("startAt").map(|moment| moment.start(&TimeZoneName::utc())),
        until: query.moment("endAt").map(|moment| moment.end(&TimeZoneName::utc())),
    };
    let before =
        query.parse("cursor", |text| text.parse::<i64>().map_err(|_| Invalid::new("must be the nextCursor of a list")));
    query.no_places();
    query.finish()?;
    let rows = call.app.list_audit(&context, filter, before, limit + 1).await?;
    let (rows, has_more) = cut(rows, limit);
    let next = rows.last().filter(|_| has_more).map(|last| last.id.to_string());
    let rows: Vec<AuditShape<'_>> = rows.iter().map(shape).collect();
    Ok(Reply::object(200, &json!({"auditLogs": rows, "meta": {"nextCursor": next}})))
}
