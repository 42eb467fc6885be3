//! Inbound webhooks of API 2.0: addresses to which other programs send, and what came in. They are ours.

use std::time::Duration;

use keystead_core::{Error, LocationContext, MadeInbound, NewInbound};
use keystead_model::{
    InboundPayloadId, InboundWebhookId, Invalid, WorkflowId,
    inbound_webhook::{ContactMapping, InboundContent, InboundOutcome, InboundPatch, InboundPayload, InboundWebhook},
    page::Window,
    time::DAY_MS,
    uuid::Uuid,
};
use serde_json::{Map, Value, json};

use super::{
    actor::Who,
    api_keys::Overlap,
    events::document,
    page::{Cursor, NextCursor},
    samples,
};
use crate::{
    call::Call,
    reader::Reader,
    shape::{Bare, Empty, Envelope, Fields, Ground, Input, One, Tagged, Word, Written},
};

/// How long the address before is taken, unless it is said.
const OVERLAP: Duration = Duration::from_millis(DAY_MS.unsigned_abs());

impl Envelope for InboundWebhook {
    const ONE: &'static str = "inboundWebhook";
    const MANY: &'static str = "inboundWebhooks";
}

impl Written for InboundWebhook {
    const NAME: &'static str = "InboundWebhook";

    fn sample() -> Self {
        samples::inbound_webhook()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, location, content, writer, credentials, created_at, updated_at } = self;
        let InboundContent { name, workflow, contact } = content;
        fields.put("id", id);
        fields.put("name", name);
        fields.put("locationId", location);
        fields.or_null("workflowId", workflow.map(Uuid::of).as_ref());
        fields.or_null("contact", contact.as_ref().map(|mapping| Value::Object(mapping.fields())).as_ref());
        // Contacts are written on their authority.
        fields.put("writesAs", &Who(writer.actor()));
        fields.put("signed", &credentials.secret.is_some());
        fields.or_null("previousUrlUntil", credentials.previous_until.as_ref());
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(self))
    }
}

/// An answer with what senders need. Whoever repeats the request gets everything but that, and the way to another.
pub(crate) struct Made {
    webhook: InboundWebhook,
    url: Option<String>,
    secret: Option<String>,
}

impl Made {
    fn of(made: MadeInbound, base_url: &str) -> Self {
        let MadeInbound { webhook, path, secret } = made;
        let url = path.map(|path| format!("{base_url}{}", *path));
        Self { webhook, url, secret: secret.map(|secret| secret.to_string()) }
    }
}

impl Written for Made {
    const NAME: &'static str = "MadeInboundWebhook";

    fn sample() -> Self {
        let url = Some(format!("https://crm.example.com/hooks/{}/{}", samples::inbound_webhook().id, "A".repeat(32)));
        Self { webhook: samples::inbound_webhook(), url, secret: Some(format!("whsec_{}=", "A".repeat(43))) }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let is_repeated = self.url.is_none();
        let hint = || {
            format!(
                "The address was shown once. If it was lost: POST /inbound-webhooks/{}/rotate-token",
                self.webhook.id
            )
        };
        fields.put("inboundWebhook", &self.webhook);
        fields.or_null("url", self.url.as_ref());
        fields.or_null("signingSecret", self.secret.as_ref());
        fields.opt("urlAlreadyShown", is_repeated.then_some(&true));
        fields.opt("hint", is_repeated.then(hint).as_ref());
    }

    fn forget_secret(&mut self) {
        (self.url, self.secret) = (None, None);
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.webhook))
    }
}

/// The workflow that an inbound webhook is for.
struct OfWorkflow(WorkflowId);

impl Word for OfWorkflow {
    const EXAMPLE: &'static str = "00524467-c9ad-8104-b33e-f2de040a0a62";

    fn schema() -> Value {
        json!({"type": "string", "format": "uuid", "description": "The id of a workflow of this location"})
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Uuid::parse_id(text).map(Self).ok_or_else(|| Invalid::new("must be the id of a workflow, a UUID"))
    }
}

fn mapping(reader: &mut Reader<'_>) -> Option<ContactMapping> {
    let text = json!({"type": "string", "maxLength": 2_000});
    let mut properties: Map<String, Value> =
        ContactMapping::FIELDS.iter().map(|field| ((*field).to_owned(), text.clone())).collect();
    properties["tags"] = json!({"anyOf": [text, {"type": "array", "items": {"type": "string"}}]});
    let schema = json!({
        "type": "object",
        "properties": properties,
        "patternProperties": {"^customFields\\.": text},
        "additionalProperties": false,
        "description": "What of a payload makes a contact: the fields of a contact (and customFields.<id>), each with a text in which \
                        {{payload.customer.email}} or {{payload[\"First name\"]}} stands for what the payload has there. E-mail and \
                        phone of a contact that is there are filled where they are empty, and never replaced. Needs contacts.write. \
                        Contacts are written as whoever changed this last; if they may not write contacts any more, saying it \
                        again as it is takes it over, and nothing else does",
    });
    let Value::Object(fields) = reader.any("contact", schema, json!({"email": "{{payload.customer.email}}"}))? else {
        reader.violate("contact", "must be an object");
        return None;
    };
    match ContactMapping::parse(fields) {
        Ok(mapping) => Some(mapping),
        Err(wrong) => {
            for (field, Invalid(problem)) in wrong {
                reader.violate(&format!("contact.{field}"), problem);
            }
            None
        }
    }
}

fn more(reader: &mut Reader<'_>) -> InboundPatch {
    InboundPatch {
        name: None,
        workflow: reader
            .nullable("workflowId", |reader| reader.word("workflowId"))
            .map(|of| of.map(|OfWorkflow(id)| id)),
        contact: reader.nullable("contact", mapping),
    }
}

impl Input for NewInbound {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.names_location();
        let name = reader.required("name", |reader| reader.word("name"));
        let (more, is_signed) = (more(reader), reader.truth("signed").unwrap_or_default());
        Some(Self { name: name?, more, is_signed })
    }

    /// A workflow that is nobody's.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("workflowId");
    }
}

impl Input for InboundPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.not_blank("name");
        let name = reader.word("name");
        Some(Self { name, ..more(reader) })
    }

    /// A workflow that is nobody's.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("workflowId");
    }
}

pub(crate) async fn create(context: LocationContext, call: Call<(), Bare, NewInbound>) -> Result<Made, Error> {
    let made = call.app.create_inbound_webhook(&context, call.body).await?;
    Ok(Made::of(made, &call.base_url))
}

/// For how long the address before is taken, and whether senders are to sign.
pub(crate) struct Rotation {
    overlap: Duration,
    is_signed: Option<bool>,
}

impl Input for Rotation {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let overlap = reader.word("overlap").map_or(OVERLAP, |Overlap(overlap)| overlap);
        Some(Self { overlap, is_signed: reader.truth("signed") })
    }
}

pub(crate) async fn rotate_token(
    context: LocationContext,
    call: Call<InboundWebhookId, Bare, Rotation>,
) -> Result<Made, Error> {
    let Rotation { overlap, is_signed } = call.body;
    let made = call.app.rotate_inbound_webhook(&context, call.path, is_signed, overlap).await?;
    Ok(Made::of(made, &call.base_url))
}

impl Envelope for InboundPayload {
    const ONE: &'static str = "payload";
    const MANY: &'static str = "payloads";
}

impl Written for InboundPayload {
    const NAME: &'static str = "InboundPayload";

    fn sample() -> Self {
        samples::inbound_payload()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, webhook, body, outcome, problems, contact, received_at } = self;
        fields.put("id", id);
        fields.put("inboundWebhookId", webhook);
        fields.one_of("outcome", outcome.as_str(), &InboundOutcome::ALL.map(InboundOutcome::as_str));
        fields.put("problems", &problems.iter().cloned().map(Problem).collect::<Vec<_>>());
        fields.or_null("contactId", contact.as_ref());
        fields.or_null("body", document(Some(body)).as_ref());
        fields.put("receivedAt", received_at);
    }
}

/// What was wrong with a payload, or left out of it.
struct Problem((String, String));

impl Written for Problem {
    const NAME: &'static str = "InboundProblem";

    fn sample() -> Self {
        Self(("email".to_owned(), "must be an email".to_owned()))
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let (field, problem) = &self.0;
        fields.put("field", field);
        fields.put("message", &format!("{field} {problem}"));
    }
}

/// From where on.
pub(crate) struct PayloadList(Window<InboundPayloadId>);

impl Input for PayloadList {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.window(|Cursor(id)| id)))
    }
}

/// Some payloads.
pub(crate) struct Payloads {
    rows: Vec<InboundPayload>,
    next: NextCursor,
}

impl Written for Payloads {
    fn sample() -> Self {
        Self { rows: vec![InboundPayload::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("payloads", &self.rows);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn payloads(
    context: LocationContext,
    call: Call<InboundWebhookId, PayloadList>,
) -> Result<Payloads, Error> {
    let page = call.app.list_inbound_payloads(&context, call.path, call.query.0).await?;
    Ok(Payloads { next: NextCursor::of(&page, |last| last.id.to_string()), rows: page.rows })
}

pub(crate) async fn replay(
    context: LocationContext,
    call: Call<(InboundWebhookId, InboundPayloadId), Bare, Empty>,
) -> Result<One<InboundPayload>, Error> {
    let (webhook, payload) = call.path;
    call.app.replay_inbound_payload(&context, webhook, payload).await.map(One)
}
