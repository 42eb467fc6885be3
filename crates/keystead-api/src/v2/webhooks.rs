//! Webhooks of API 2.0: endpoints, and what is sent to them. They are ours.

use std::time::Duration;

use keystead_core::{
    AgencyContext, Authority, Error, Hears, MadeEndpoint, NewEndpoint, PublicKey, Recovered, WholeDelivery,
    WholeEndpoint,
};
use keystead_model::{
    Invalid, LocationId, WebhookDeliveryId, WebhookEndpointId,
    event::EventKind,
    page::Window,
    scope::Scope,
    text::echo,
    time::{DAY_MS, Moment},
    webhook::{
        DeliveryAttempt, DeliveryState, EndpointContent, EndpointHeaders, EndpointPatch, EventNames, SigningKeyRecord,
        Unheard, WebhookEndpoint, WhyDisabled, WhyUnheard,
    },
};
use serde_json::{Map, Value, json};

use super::{
    actor::Who,
    api_keys::Overlap,
    events::document,
    page::{Cursor, NextCursor},
    rows::{self, Cells, Rows},
    samples,
    succeeded::Succeeded,
};
use crate::{
    call::Call,
    reader::Reader,
    reply::{Content, Reply},
    shape::{
        Bare, Empty, Envelope, Fields, Ground, Input, One, Output, Tagged, Way, Word, Written,
        output::{Answer, Definitions},
        word::{self, one_of},
    },
};

/// How long messages are signed with the secret before, unless it is said.
const OVERLAP: Duration = Duration::from_millis(DAY_MS.unsigned_abs());

impl Envelope for WholeEndpoint {
    const ONE: &'static str = "webhook";
    const MANY: &'static str = "webhooks";
}

impl Written for WholeEndpoint {
    const NAME: &'static str = "Webhook";

    fn sample() -> Self {
        let why = WhyUnheard::NoScope(Scope::ContactsRead);
        let unheard = vec![Unheard { why, events: vec![EventKind::ContactCreated] }];
        Self { endpoint: samples::webhook(), unheard, newest_key: 1, paused_since: Some(samples::NOON) }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { endpoint, unheard, newest_key: _, paused_since } = self;
        endpoint.write(fields);
        // It may be on and well, and silent.
        fields.one_of("hears", self.hears().as_str(), &Hears::ALL.map(Hears::as_str));
        fields.put("unheard", unheard);
        fields.or_null("deliveriesPausedSince", paused_since.as_ref());
    }

    fn tag(&self) -> Option<String> {
        Some(Tagged::tag(&self.endpoint))
    }
}

impl Written for Unheard {
    const NAME: &'static str = "UnheardEvents";

    fn sample() -> Self {
        WholeEndpoint::sample().unheard.remove(0)
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { why, events } = self;
        fields.one_of("reason", why.as_str(), &WhyUnheard::NAMES);
        fields.or_null("scope", why.scope().as_ref());
        fields.put("events", &events.iter().map(|kind| kind.as_str().to_owned()).collect::<Vec<_>>());
    }
}

/// What its owner writes and how it does, without what follows from things around it: of that its tag is made.
impl Written for WebhookEndpoint {
    fn sample() -> Self {
        samples::webhook()
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { id, agency, location, content, disabled, listener, sealed, health, created_at, updated_at } = self;
        let EndpointContent { url, events, description, app_id, headers } = content;
        fields.put("id", id);
        fields.put("url", url);
        fields.put("events", &events.iter().map(str::to_owned).collect::<Vec<_>>());
        fields.or_null("description", description.as_ref());
        fields.or_null("appId", app_id.as_ref());
        // Their values are secrets.
        fields.put("headers", headers);
        fields.put("companyId", agency);
        fields.or_null("locationId", location.as_ref());
        fields.one_of("state", if disabled.is_some() { "disabled" } else { "enabled" }, &["enabled", "disabled"]);
        fields.one_of_or_null(
            "disabledReason",
            disabled.map(|disabled| disabled.why.as_str()),
            &WhyDisabled::ALL.map(WhyDisabled::as_str),
        );
        // It hears of what they may read.
        fields.put("listensAs", &Who(listener.actor));
        fields.put("signingKeyVersion", &sealed.key_version);
        fields.or_null("previousSecretUntil", sealed.previous.as_ref().map(|(_, until)| until));
        fields.put("failures", &health.failures);
        fields.or_null("nextProbeAt", health.next_probe.as_ref());
        fields.or_null("lastSuccessAt", health.succeeded_at.as_ref());
        fields.put("createdAt", created_at);
        fields.put("updatedAt", updated_at);
    }
}

/// An answer with a secret in it. Whoever repeats the request gets everything but the secret, and the way to a new one.
pub(crate) struct Made(MadeEndpoint);

impl Written for Made {
    const FOUND: Option<u16> = Some(200);

    fn sample() -> Self {
        let secret = Some(format!("whsec_{}=", "A".repeat(43)).into());
        Self(MadeEndpoint { whole: WholeEndpoint::sample(), secret, is_new: true })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let MadeEndpoint { whole, secret, .. } = &self.0;
        let is_repeated = secret.is_none();
        let hint =
            || format!("The secret was shown once. If it was lost: POST /webhooks/{}/rotate-secret", whole.endpoint.id);
        fields.put("webhook", whole);
        fields.or_null("secret", secret.as_ref().map(|secret| secret.as_str()));
        fields.opt("secretAlreadyShown", is_repeated.then_some(&true));
        fields.opt("hint", is_repeated.then(hint).as_ref());
    }

    fn forget_secret(&mut self) {
        self.0.secret = None;
    }

    fn is_found(&self) -> bool {
        !self.0.is_new
    }

    fn tag(&self) -> Option<String> {
        Written::tag(&self.0.whole)
    }
}

/// A new secret.
pub(crate) struct Rotated(Made);

impl Written for Rotated {
    fn sample() -> Self {
        Self(Made::sample())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        self.0.write(fields);
    }

    fn forget_secret(&mut self) {
        self.0.forget_secret();
    }

    fn tag(&self) -> Option<String> {
        Written::tag(&self.0)
    }
}

/// The name of an event, of all of a noun (`contact.*`), or of all.
struct EventName(String);

impl Word for EventName {
    const EXAMPLE: &'static str = "contact.created";

    fn schema() -> Value {
        json!({
            "type": "string",
            "pattern": r"^(\*|[a-z_]+\.(\*|[a-z_]+))$",
            "description": "The name of an event as GET /events has it, all of a noun as `contact.*`, or all as `*`",
        })
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        EventNames::parse([text]).map(|_| Self(text.to_owned()))
    }
}

fn events(reader: &mut Reader<'_>) -> Option<EventNames> {
    let names: Vec<EventName> = reader.words("events", EventNames::MOST)?;
    match EventNames::parse(names.iter().map(|EventName(name)| name.as_str())) {
        Ok(events) => Some(events),
        Err(Invalid(problem)) => {
            reader.violate("events", problem);
            None
        }
    }
}

fn headers(reader: &mut Reader<'_>) -> Option<EndpointHeaders> {
    let schema = json!({
        "type": "object",
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": EndpointHeaders::LONGEST},
        "maxProperties": EndpointHeaders::MOST,
        "description": format!(
            "Sent along with each message: up to {}, each of up to {} printable ASCII characters. Their values are kept encrypted \
             and never read back",
            EndpointHeaders::MOST,
            EndpointHeaders::LONGEST
        ),
    });
    let Value::Object(headers) = reader.any("headers", schema, json!({"X-Token": "s3cret"}))? else {
        reader.violate("headers", "must be an object");
        return None;
    };
    let text = |(name, value): (String, Value)| match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(Invalid::new(format!("has a value for {} that is no text", echo(&name)))),
    };
    let read = headers.into_iter().map(text).collect::<Result<Vec<_>, _>>().and_then(EndpointHeaders::parse);
    match read {
        Ok(headers) => Some(headers),
        Err(Invalid(problem)) => {
            reader.violate("headers", problem);
            None
        }
    }
}

/// An address that is judged where it is stored.
struct Address(keystead_model::text::Line<2_000>);

impl Word for Address {
    const EXAMPLE: &'static str = "https://hooks.harbour.example/crm";

    fn schema() -> Value {
        word::text(2_000, "A public address that begins with https://")
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        keystead_model::text::Line::parse(text).map(Self)
    }
}

impl Input for NewEndpoint {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url: Option<Address> = reader.required("url", |reader| reader.word("url"));
        let events = reader.required("events", events);
        let location = reader.word("locationId");
        let headers = headers(reader);
        let (description, app_id) = (reader.word("description"), reader.word("appId"));
        Some(Self { location, url: url?.0, events: events?, description, app_id, headers: headers.unwrap_or_default() })
    }
}

impl Input for EndpointPatch {
    const IS_UPDATE: bool = true;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            url: reader.word("url").map(|Address(url)| url),
            events: events(reader),
            description: reader.clearable("description"),
            app_id: reader.clearable("appId"),
            headers: headers(reader),
            signing_key: reader.integer("signingKeyVersion", 1..=i64::MAX),
            enabled: reader.truth("enabled"),
            take_over: reader.truth("takeOver"),
        })
    }
}

/// Which endpoints, and from where on.
pub(crate) struct Listing {
    location: Option<LocationId>,
    window: Window<WebhookEndpointId>,
}

impl Input for Listing {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self { window: query.window(|Cursor(id)| id), location: query.word("locationId") })
    }

    /// A location that is nobody's.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("locationId");
    }
}

/// Some endpoints.
pub(crate) struct Webhooks {
    rows: Vec<WholeEndpoint>,
    next: NextCursor,
}

impl Written for Webhooks {
    fn sample() -> Self {
        Self { rows: vec![WholeEndpoint::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("webhooks", &self.rows);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn list(authority: Authority, call: Call<(), Listing>) -> Result<Webhooks, Error> {
    let Listing { location, window } = call.query;
    let page = call.app.list_webhooks(&authority, location, window).await?;
    let next = NextCursor::of(&page, |last| last.endpoint.id.to_string());
    Ok(Webhooks { rows: page.rows, next })
}

pub(crate) async fn create(authority: Authority, call: Call<(), Bare, NewEndpoint>) -> Result<Made, Error> {
    call.app.create_webhook(&authority, call.body).await.map(Made)
}

pub(crate) async fn get(authority: Authority, call: Call<WebhookEndpointId>) -> Result<One<WholeEndpoint>, Error> {
    call.app.get_webhook(&authority, call.path).await.map(One)
}

pub(crate) async fn update(
    authority: Authority,
    call: Call<WebhookEndpointId, Bare, EndpointPatch>,
) -> Result<One<WholeEndpoint>, Error> {
    call.app.update_webhook(&authority, call.path, call.body).await.map(One)
}

pub(crate) async fn delete(authority: Authority, call: Call<WebhookEndpointId>) -> Result<Succeeded, Error> {
    call.app.delete_webhook(&authority, call.path).await.map(|()| Succeeded)
}

/// How long messages are signed with the secret before.
pub(crate) struct Rotation(Duration);

impl Input for Rotation {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(reader.word("overlap").map_or(OVERLAP, |Overlap(overlap)| overlap)))
    }
}

pub(crate) async fn rotate_secret(
    authority: Authority,
    call: Call<WebhookEndpointId, Bare, Rotation>,
) -> Result<Rotated, Error> {
    let made = call.app.rotate_webhook_secret(&authority, call.path, call.body.0).await?;
    Ok(Rotated(Made(made)))
}

/// The kind of an event, by its name.
struct Kind(EventKind);

impl Word for Kind {
    const EXAMPLE: &'static str = "contact.created";

    fn schema() -> Value {
        let told = EventKind::ALL.iter().filter(|kind| kind.subject().read_scope().is_some());
        one_of(told.map(|kind| kind.as_str()))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        let kind = EventKind::parse(text).filter(|kind| kind.subject().read_scope().is_some());
        kind.map(Self).ok_or_else(|| Invalid::new("must be the name of an event, such as contact.created"))
    }
}

/// Of which event an example is sent.
pub(crate) struct Example(EventKind);

impl Input for Example {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("event", |reader| reader.word("event")).map(|Kind(kind)| Self(kind))
    }
}

pub(crate) async fn test(
    authority: Authority,
    call: Call<WebhookEndpointId, Bare, Example>,
) -> Result<One<Delivery>, Error> {
    let sent = call.app.test_webhook(&authority, call.path, call.body.0).await?;
    Ok(One(Delivery(sent)))
}

/// Of which event a sample is answered, and where it would have happened.
pub(crate) struct SampleOf(EventKind, Option<LocationId>);

impl Input for SampleOf {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        let location = query.word("locationId");
        query.required("event", |query| query.word("event")).map(|Kind(kind)| Self(kind, location))
    }

    /// A location that is nobody's.
    fn settle(example: &mut Map<String, Value>) {
        example.remove("locationId");
    }
}

/// What would arrive, in a list: tools that show somebody what a trigger gives take nothing else.
pub(crate) struct Samples(Value);

impl Output for Samples {
    fn reply(self, status: u16, _: Way, _: bool) -> Reply {
        Reply { status, ..Reply::of(json!([self.0]).to_string().into_bytes(), Content::Json) }
    }

    fn describe(_: &mut Definitions) -> Answer {
        let description = "One body as a webhook would get it, with ids that are nobody's";
        let schema = json!({"type": "array", "items": {"type": "object"}, "description": description});
        let example = json!([{
            "type": "ContactCreate", "timestamp": "2026-11-27T16:03:12.480Z", "webhookId": "msg_test_0Vc4",
            "locationId": "0VbzAB0qgFKjNfY2D2Wp", "id": "0000000000000example", "firstName": "Ada",
        }]);
        Answer::Json { schema, example, is_tagged: false, found: None }
    }
}

pub(crate) async fn sample(authority: Authority, call: Call<(), SampleOf>) -> Result<Samples, Error> {
    let SampleOf(kind, location) = call.query;
    call.app.sample_of_webhooks(&authority, kind, location).await.map(Samples)
}

/// A public key on the wire.
pub(crate) struct Key(PublicKey);

impl Envelope for Key {
    const ONE: &'static str = "publicKey";
    const MANY: &'static str = "publicKeys";
}

impl Written for Key {
    const NAME: &'static str = "WebhookPublicKey";

    fn sample() -> Self {
        let base64 = "gH0UUfcBPQwZgJJ7bPH3uy+YKivwLvNJGJsQM+qPHkM=".to_owned();
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAgH0UUfcBPQwZgJJ7bPH3uy+YKivwLvNJGJsQM+qPHkM=\n-----END PUBLIC KEY-----\n";
        let record = SigningKeyRecord { version: 1, secret_version: 1, created_at: samples::NOON };
        Self(PublicKey { record, endpoints: 3, pem: pem.to_owned(), base64 })
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let PublicKey { record: SigningKeyRecord { version, secret_version: _, created_at }, endpoints, pem, base64 } =
            &self.0;
        fields.put("version", version);
        fields.one_of("algorithm", "ed25519", &["ed25519"]);
        fields.put("pem", pem);
        fields.put("base64", base64);
        // How many webhooks of the agency are signed with it.
        fields.put("webhooks", endpoints);
        fields.put("createdAt", created_at);
    }
}

/// The newest key, and those before it that webhooks still have.
pub(crate) struct Keys(Vec<Key>);

impl Written for Keys {
    fn sample() -> Self {
        Self(vec![Key::sample()])
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("publicKeys", &self.0);
    }
}

/// The next key, or the newest where nobody has that yet.
pub(crate) struct NextKey {
    key: Key,
    is_new: bool,
}

impl Written for NextKey {
    const FOUND: Option<u16> = Some(200);

    fn sample() -> Self {
        Self { key: Key::sample(), is_new: true }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("publicKey", &self.key);
    }

    fn is_found(&self) -> bool {
        !self.is_new
    }
}

/// Which key; the newest, if none is named.
pub(crate) struct Which(Option<i64>);

impl Input for Which {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.integer("version", 1..=i64::MAX)))
    }
}

pub(crate) async fn public_key(authority: Authority, call: Call<(), Which>) -> Result<One<Key>, Error> {
    call.app.webhook_public_key(&authority, call.query.0).await.map(|key| One(Key(key)))
}

pub(crate) async fn public_keys(authority: Authority, call: Call<()>) -> Result<Keys, Error> {
    let keys = call.app.webhook_public_keys(&authority).await?;
    Ok(Keys(keys.into_iter().map(Key).collect()))
}

pub(crate) async fn create_signing_key(context: AgencyContext, call: Call<(), Bare, Empty>) -> Result<NextKey, Error> {
    let (key, is_new) = call.app.create_webhook_signing_key(context.authority()).await?;
    Ok(NextKey { key: Key(key), is_new })
}

/// A delivery on the wire, with every try.
pub(crate) struct Delivery(WholeDelivery);

/// One in a list, which says how often it was tried.
struct Listed(WholeDelivery);

impl Envelope for Delivery {
    const ONE: &'static str = "delivery";
    const MANY: &'static str = "deliveries";
}

impl Written for Delivery {
    const NAME: &'static str = "WebhookDelivery";

    fn sample() -> Self {
        Self(samples::delivery())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        write_delivery(&self.0, fields);
        fields.put("attempts", &self.0.attempts.iter().cloned().map(Attempt).collect::<Vec<_>>());
    }
}

impl Written for Listed {
    const NAME: &'static str = "ListedWebhookDelivery";

    fn sample() -> Self {
        Self(samples::delivery())
    }

    fn write(&self, fields: &mut Fields<'_>) {
        write_delivery(&self.0, fields);
    }
}

fn write_delivery(whole: &WholeDelivery, fields: &mut Fields<'_>) {
    let WholeDelivery { delivery, message, attempts: _, next_try } = whole;
    fields.put("id", &delivery.id);
    fields.put("webhookId", &message.id);
    fields.put("event", &message.event);
    fields.put("type", &message.name);
    fields.or_null("locationId", message.location.as_ref());
    fields.one_of("state", delivery.state.as_str(), &DeliveryState::ALL.map(DeliveryState::as_str));
    fields.put("tries", &delivery.attempts);
    fields.put("createdAt", &delivery.created_at);
    fields.or_null("triedAt", delivery.tried_at.as_ref());
    fields.opt("nextAttemptAt", next_try.as_ref());
    // For those who may read what it tells of.
    fields.or_null("body", document(Some(&message.body)).as_ref());
}

/// One try.
struct Attempt(DeliveryAttempt);

impl Written for Attempt {
    const NAME: &'static str = "WebhookAttempt";

    fn sample() -> Self {
        Self(samples::delivery().attempts.remove(0))
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let DeliveryAttempt { number, at, duration_ms, status, problem, answer } = &self.0;
        fields.put("number", number);
        fields.put("at", at);
        fields.put("durationMs", duration_ms);
        fields.or_null("status", status.as_ref());
        fields.or_null("problem", problem.as_ref());
        fields.or_null("answer", answer.as_ref());
    }
}

/// Which deliveries, and from where on.
pub(crate) struct DeliveryList {
    state: Option<DeliveryState>,
    window: Window<WebhookDeliveryId>,
}

impl Word for DeliveryState {
    const EXAMPLE: &'static str = "failed";

    fn schema() -> Value {
        one_of(Self::ALL.map(Self::as_str))
    }

    fn parse(text: &str, _: &Ground) -> Result<Self, Invalid> {
        Self::parse(text).ok_or_else(|| Invalid::new("must be one of waiting, delivered, failed, held"))
    }
}

impl Input for DeliveryList {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self { window: query.window(|Cursor(id)| id), state: query.word("state") })
    }
}

/// Some deliveries.
pub(crate) struct Deliveries {
    rows: Vec<Listed>,
    next: NextCursor,
}

impl Written for Deliveries {
    fn sample() -> Self {
        Self { rows: vec![Listed::sample()], next: NextCursor::sample() }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("deliveries", &self.rows);
        fields.put("meta", &self.next);
    }
}

pub(crate) async fn deliveries(
    authority: Authority,
    call: Call<WebhookEndpointId, DeliveryList>,
) -> Result<Deliveries, Error> {
    let DeliveryList { state, window } = call.query;
    let page = call.app.list_webhook_deliveries(&authority, call.path, state, window).await?;
    let next = NextCursor::of(&page, |last| last.delivery.id.to_string());
    Ok(Deliveries { rows: page.map(Listed).rows, next })
}

/// Of which state, if that is said.
pub(crate) struct InState(Option<DeliveryState>);

impl Input for InState {
    fn read(query: &mut Reader<'_>) -> Option<Self> {
        Some(Self(query.word("state")))
    }
}

impl Cells for WholeDelivery {
    const COLUMNS: &'static [&'static str] = &Self::COLUMNS;

    fn cells(&self) -> Vec<String> {
        self.cells().into()
    }
}

pub(crate) async fn csv(
    authority: Authority,
    call: Call<WebhookEndpointId, InState>,
) -> Result<Rows<WholeDelivery>, Error> {
    let (app, endpoint, InState(state)) = (call.app, call.path, call.query);
    let read = move |after| {
        let (app, authority) = (app.clone(), authority.clone());
        async move { app.list_webhook_deliveries(&authority, endpoint, state, Window::after(after, rows::AT_ONCE)).await }
    };
    Rows::of(read, |last| last.delivery.id).await
}

type OneDelivery = (WebhookEndpointId, WebhookDeliveryId);

pub(crate) async fn delivery(authority: Authority, call: Call<OneDelivery>) -> Result<One<Delivery>, Error> {
    let (endpoint, delivery) = call.path;
    Ok(One(Delivery(call.app.get_webhook_delivery(&authority, endpoint, delivery).await?)))
}

pub(crate) async fn resend(authority: Authority, call: Call<OneDelivery, Bare, Empty>) -> Result<One<Delivery>, Error> {
    let (endpoint, delivery) = call.path;
    Ok(One(Delivery(call.app.resend_webhook_delivery(&authority, endpoint, delivery).await?)))
}

/// Since when.
pub(crate) struct Since(Moment);

impl Input for Since {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.required("since", |reader| reader.moment("since")).map(Self)
    }
}

impl Written for Recovered {
    fn sample() -> Self {
        Self { count: 3, has_more: false }
    }

    fn write(&self, fields: &mut Fields<'_>) {
        let Self { count, has_more } = self;
        fields.put("recovered", count);
        fields.put("hasMore", has_more);
    }
}

pub(crate) async fn recover(
    authority: Authority,
    call: Call<WebhookEndpointId, Bare, Since>,
) -> Result<Recovered, Error> {
    let zone = call.app.zone_of(&authority, &authority.grant().reach).await?;
    call.app.recover_webhook_deliveries(&authority, call.path, call.body.0.start(&zone)).await
}
