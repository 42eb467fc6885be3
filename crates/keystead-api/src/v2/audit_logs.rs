//! The agency's audit log in API 2.0.

use keystead_core::{AgencyContext, AuditFilter, Error};
use keystead_model::{Invalid, event::Event, page::Window, text::TimeZoneName};
use serde_json::{Map, Value, json};

use super::{actor::Who, events::document, page::NextCursor, samples};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Fields, Ground, Input, Word, Written},
};

impl Written for Event {
    const NAME: &'static str = "AuditLog";

    fn sample() -> Self {
        samples::event()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self {
            number, location, at, actor, ip, kind, subject, before, after, request_id, position, erased, ..
        } = self;
        fields.put("id", &number.to_string());
        fields.put("at", at);
        fields.put("action", kind);
        fields.put("actor", &Who(*actor));
        fields.put("subject", subject);
        fields.or_null("locationId", location.as_ref());
        fields.or_null("ip", ip.as_ref());
        fields.or_null("requestId", request_id.as_ref());
        fields.or_null("before", document(before.as_deref()).as_ref());
        fields.or_null("after", document(after.as_deref()).as_ref());
        fields.or_null("position", position.as_ref());
        // Whether address, request and changes were erased, so that their absence says nothing.
        fields.put("erased", erased);
    }
}

/// Which rows, and from where on.
pub(crate) struct AuditQuery {
    filter: AuditFilter,
    window: Window<i64>,
}

/// A cursor: the number of a row.
struct Before(i64);

impl Word for Before {
    const EXAMPLE: &'static str = "1000";

    fn schema() -> Value {
        json!({"type": "string", "description": "The nextCursor of a list"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        text.parse().map(Self).map_err(|_| Invalid::new("must be the nextCursor of a list"))
    }
}

impl Input for AuditQuery {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let window = query.window(|Before(id)| id);
        let filter = AuditFilter {
            action: query.word("action"),
            subject: query.word("subject"),
            actor: query.word("actor"),
            location: query.word("locationId"),
            from: query.moment("startAt").map(|moment| moment.start(&TimeZoneName::utc())),
            until: query.moment("endAt").map(|moment| moment.end(&TimeZoneName::utc())),
            ..AuditFilter::default()
        };
        Some(Self { filter, window })
    }

    /// A location that is nobody's.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("locationId");
    }
}

/// Rows of the log.
pub(crate) struct AuditLogs {
    rows: Vec<Event>,
    next: NextCursor,
}

impl Written for AuditLogs {
    fn sample() -> Self {
        Self { rows: vec![Event::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("auditLogs", &self.rows);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn list(context: AgencyContext, call: Call<(), AuditQuery>) -> Result<AuditLogs, Error> {
    let AuditQuery { filter, window } = call.query;
    let page = call.app.list_audit(&context, filter, window).await?;
    Ok(AuditLogs { next: NextCursor::of(&page, |last| last.number.to_string()), rows: page.rows })
}
