//! Inbound webhooks: what other programs send, kept for a while, and the contacts that it makes.
//!
//! Whoever has the address may send, as if it were a key: it does what whoever said what becomes of payloads may still do themselves.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keystead_model::{
    AgencyId, ContactId, InboundPayloadId, InboundWebhookId, Invalid, LocationId, UtcMs,
    actor::Signature,
    contact_upsert::LeftOut,
    custom_field::OwnerKind,
    event::EventKind,
    form_answers::{self, Place},
    grant::Grant,
    id::Id,
    inbound_webhook::{
        ContactMapping, InboundContent, InboundCredentials, InboundOutcome, InboundPatch, InboundPayload,
        InboundWebhook, Problems, payloads_of,
    },
    key_secret::mask_keys,
    page::{Page, Window},
    scope::Scope,
    text::Line,
    time::{DAY_MS, MINUTE_MS},
    uuid::Uuid,
    workflow::Workflow,
};
use keystead_outbound::signing::WebhookSecret;
use keystead_store::{
    Tx, custom_fields,
    inbound_webhooks::{self, Opened, Receipt},
    locations, stored,
};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    App, Authority, Error, ErrorCode, LocationContext, RequestId, Result, Violation,
    error::Noun,
    events::{Described, Fields, Happened, put, text},
    idempotency::{self, IdempotencyKey, Lost},
    operate::{Ids, InLocation, Operation},
    resource::{MOST_MADE_BY_HAND, Made, Resource},
    secret::token_hash,
    sources::Source,
    webhooks::{grant_of, require_no_overlap},
};

/// Payloads that are kept of each, and for how long.
const KEPT: i64 = 50;
const KEPT_MS: i64 = 30 * DAY_MS;
/// For how long an id under which something was sent has its effect once.
const RECEIPTS_KEPT_MS: i64 = DAY_MS;
/// How far the time in a signature may be from ours.
const WINDOW_MS: i64 = 5 * MINUTE_MS;
/// Rows of one step of forgetting.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// A new inbound webhook.
#[derive(Clone, Debug)]
pub struct NewInbound {
    /// Its name.
    pub name: Line<200>,
    /// What else its owner writes.
    pub more: InboundPatch,
    /// Whether senders are to sign.
    pub is_signed: bool,
}

/// What an inbound webhook is made of.
#[derive(Clone, Debug)]
pub struct InboundMakings {
    content: InboundContent,
    credentials: InboundCredentials,
    writer: Signature,
}

/// An inbound webhook with what senders need, which is shown once.
pub struct MadeInbound {
    /// Itself.
    pub webhook: InboundWebhook,
    /// The path of its address, `/hooks/{id}/{token}`; `None` where it was shown before.
    pub path: Option<Zeroizing<String>>,
    /// What senders sign with, if they are to.
    pub secret: Option<Zeroizing<String>>,
}

/// Something that came in, as it was sent.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// What stands in the address.
    pub id: String,
    /// What stands after it.
    pub token: String,
    /// `webhook-id`, under which it is signed, and by which a repetition is known.
    pub sent_id: Option<IdempotencyKey>,
    /// `Idempotency-Key`, by which a repetition is known that has no such id.
    pub key: Option<IdempotencyKey>,
    /// `webhook-timestamp` and `webhook-signature`.
    pub signature: Option<(String, String)>,
    /// What led to it, as [`crate::CHAIN_HEADER`] tells.
    pub chain: Option<String>,
    /// Itself.
    pub body: Vec<u8>,
    /// Whether it says that it is a form.
    pub is_form: bool,
    /// Where it came from.
    pub address: IpAddr,
    /// The request that brought it.
    pub request: RequestId,
}

/// Something sent under an id.
#[derive(Clone, Copy)]
struct Sent {
    /// Digest of that, of its kind.
    id: [u8; 32],
    /// Digest of what was sent.
    body: [u8; 32],
}

/// What is answered to a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intake {
    /// There is no such address.
    Nowhere,
    /// There is, and its location or agency is suspended. Only whoever has the token is told.
    Suspended,
    /// It is not signed as it is to be: why.
    NotSigned(&'static str),
    /// It was taken.
    Taken(Received),
}

/// How something was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Payloads that were in it, each of which is kept.
    pub count: i64,
    /// Why some of them were not taken. What was left out of others is told to those who may see them: senders are not to learn by it
    /// who is there.
    pub problems: Vec<(String, String)>,
    /// Whether it was taken before, and had no effect now.
    pub is_repeated: bool,
}

impl App {
    /// Makes an inbound webhook.
    pub async fn create_inbound_webhook(&self, context: &LocationContext, new: NewInbound) -> Result<MadeInbound> {
        context.authority.require(Scope::WebhooksWrite)?;
        context.authority.require_fresh()?;
        let fresh = FreshCredentials::new(self, new.is_signed);
        let (app, made) = (self.clone(), fresh.clone());
        let run = move |operation: &mut InLocation<'_, '_>| {
            let NewInbound { name, more, .. } = new.clone();
            let mut content = InboundContent { name, workflow: None, contact: None };
            more.apply(&mut content);
            let writer = Signature::of(operation.context.authority.actor());
            let credentials = InboundCredentials::new(token_hash(&made.token), None);
            let mut webhook =
                operation.create::<InboundWebhook>((), InboundMakings { content, credentials, writer })?;
            webhook.credentials.secret = made.sealed(&app, operation.context.authority.agency(), webhook.id);
            stored::save(operation.tx, webhook.location, &webhook)?;
            Ok((webhook, true))
        };
        let recover = |operation: &mut InLocation<'_, '_>, lost: &Lost| {
            Ok((operation.find::<InboundWebhook>((), lost.id()?)?, false))
        };
        let (webhook, is_new) = self.operate(context, Scope::WebhooksWrite, run, recover).await?;
        Ok(fresh.of(webhook, is_new))
    }

    /// Gives an inbound webhook another address, and senders that sign another secret. What is sent to the one before is taken for
    /// `overlap`.
    pub async fn rotate_inbound_webhook(
        &self,
        context: &LocationContext,
        id: InboundWebhookId,
        is_signed: Option<bool>,
        overlap: Duration,
    ) -> Result<MadeInbound> {
        context.authority.require(Scope::WebhooksWrite)?;
        context.authority.require_fresh()?;
        let fresh = FreshCredentials::new(self, true);
        let (app, made) = (self.clone(), fresh.clone());
        let run = move |operation: &mut InLocation<'_, '_>| {
            let before = operation.find::<InboundWebhook>((), id)?;
            operation.context.authority.expect(&before)?;
            // Whoever has the address makes contacts by it.
            if before.content.contact.is_some() {
                operation.context.authority.require(Scope::ContactsWrite)?;
            }
            let until = before.credentials.previous_until;
            require_no_overlap("Two addresses are taken", until, overlap, operation.now())?;
            let secret = made.sealed(&app, operation.context.authority.agency(), id);
            let secret = secret.filter(|_| is_signed.unwrap_or(before.credentials.secret.is_some()));
            let until = (!overlap.is_zero()).then(|| operation.now() + overlap);
            let credentials = InboundCredentials::new(token_hash(&made.token), secret);
            let credentials = credentials.after(before.credentials.clone(), until);
            let after = InboundWebhook { credentials, updated_at: operation.now(), ..before.clone() };
            stored::save(operation.tx, after.location, &after)?;
            operation.tell(Happened::changed(EventKind::InboundWebhookUpdated, &before, &after))?;
            Ok((after, true))
        };
        let recover =
            move |operation: &mut InLocation<'_, '_>, _: &Lost| Ok((operation.find::<InboundWebhook>((), id)?, false));
        let (webhook, is_new) = self.operate(context, Scope::WebhooksWrite, run, recover).await?;
        Ok(fresh.of(webhook, is_new))
    }

    /// What came in last by an inbound webhook, newest first.
    pub async fn list_inbound_payloads(
        &self,
        context: &LocationContext,
        id: InboundWebhookId,
        window: Window<InboundPayloadId>,
    ) -> Result<Page<InboundPayload>> {
        self.read(context, Scope::WebhooksRead, move |operation| {
            operation.find::<InboundWebhook>((), id)?;
            let authority = &operation.context.authority;
            let page = inbound_webhooks::list_payloads(operation.tx, operation.context.location, id, &window)?;
            Ok(page.map(|payload| shown(authority, payload)))
        })
        .await
    }

    /// When something last came in by each inbound webhook of a location, as far as it is kept.
    pub async fn inbound_last_received(&self, context: &LocationContext) -> Result<Vec<(InboundWebhookId, UtcMs)>> {
        self.read(context, Scope::WebhooksRead, |operation| {
            Ok(inbound_webhooks::last_received(operation.tx, operation.context.location)?)
        })
        .await
    }

    /// Which of these inbound webhooks make no contacts any more, because whoever said what becomes of payloads may not write them.
    pub async fn inbound_unanswered_for(
        &self,
        context: &LocationContext,
        webhooks: Vec<InboundWebhook>,
    ) -> Result<HashSet<InboundWebhookId>> {
        self.read(context, Scope::WebhooksRead, move |operation| {
            // Most were set up by the same few, each of whom is looked up once.
            let (mut known, mut found) = (HashMap::new(), HashSet::new());
            for webhook in webhooks.iter().filter(|webhook| webhook.content.contact.is_some()) {
                let writer = webhook.writer.as_str();
                let may = match known.get(writer) {
                    Some(may) => *may,
                    None => *known.entry(writer).or_insert(operation.may_still_write(webhook)?),
                };
                found.extend((!may).then_some(webhook.id));
            }
            Ok(found)
        })
        .await
    }

    /// Makes of a payload what the inbound webhook now says, on the authority of whoever asks for it.
    pub async fn replay_inbound_payload(
        &self,
        context: &LocationContext,
        id: InboundWebhookId,
        payload: InboundPayloadId,
    ) -> Result<InboundPayload> {
        let find = move |operation: &mut InLocation<'_, '_>| {
            let location = operation.context.location;
            let found = inbound_webhooks::find_payload(operation.tx, location, id, payload)?;
            found.ok_or_else(|| Error::NotFound(Noun::InboundPayload, payload.to_string()))
        };
        let run = move |operation: &mut InLocation<'_, '_>| {
            let webhook = operation.find::<InboundWebhook>((), id)?;
            let payload = find(operation)?;
            if webhook.content.contact.is_some() {
                operation.context.authority.require(Scope::ContactsWrite)?;
            }
            // Named first, so that a repeated request finds it and not the contact.
            idempotency::about(operation.tx, &operation.context.authority, payload.id.as_str())?;
            let fields: Map<String, Json> = serde_json::from_str(&payload.body).unwrap_or_default();
            operation.take_payload(&webhook, payload, &fields, None)
        };
        let replayed = self.operate(context, Scope::WebhooksWrite, run, move |operation, _| find(operation)).await;
        replayed.map(|payload| shown(&context.authority, payload))
    }

    /// Counts what somebody at `address` sends to an inbound webhook, before anybody reads it. Beyond what strangers may send from there,
    /// whoever has its token still may, as far as its location takes it: they may share their address with somebody who guesses.
    pub async fn count_of_sender(&self, id: &str, token: &str, address: IpAddr) -> Result<()> {
        let Err(refused) = self.count_of_stranger("hook", address) else { return Ok(()) };
        let Some(id) = Id::parse(id) else { return Err(refused) };
        let (source, monotonic) = (Some(Source::of(address)), self.clock.monotonic());
        let _turn = self.senders.admit(source, monotonic).await?;
        let found = self.store.look_up(move |tx| inbound_webhooks::find_opened(tx, id)).await?;
        let (token, now) = (token_hash(token), self.clock.now());
        if found.is_some_and(|opened| opened_by(&opened.webhook, &token, now).is_some()) {
            return Ok(());
        }
        self.senders.count_unknown(source, monotonic);
        Err(refused)
    }

    /// Takes what came in. Nobody is told which part of an address is wrong, nor by how long the answer takes.
    pub async fn receive_inbound(&self, incoming: Incoming) -> Result<Intake> {
        let Some(id) = Id::parse(&incoming.id) else { return Ok(Intake::Nowhere) };
        let token = token_hash(&incoming.token);
        let found = self.store.look_up(move |tx| inbound_webhooks::find_opened(tx, id)).await?;
        let now = self.clock.now();
        let opened = found.and_then(|opened| Some((opened_by(&opened.webhook, &token, now)?, opened)));
        let Some((secret, Opened { agency, is_at_work, webhook })) = opened else { return Ok(Intake::Nowhere) };
        let location = webhook.location;
        self.inbound.admit(location, self.clock.monotonic())?;
        if !is_at_work {
            return Ok(Intake::Suspended);
        }
        if let Some(sealed) = secret {
            let secret = self.secret.decrypt(&row(agency, id), &sealed);
            let secret = secret.and_then(|text| WebhookSecret::parse(&text)).ok_or_else(Error::secret_not_read)?;
            if let Err(why) = signed_by(&secret, &incoming, now) {
                return Ok(Intake::NotSigned(why));
            }
        }
        let payloads = payloads_of(&incoming.body, incoming.is_form);
        let payloads = payloads.map_err(|problem| Error::invalid("body", problem.0))?;
        let cause = incoming.chain.as_deref().and_then(|chain| self.cause_of(agency, chain)).unwrap_or_default();
        let sent = incoming.sent_under().map(|id| Sent { id, body: self.body_digest(&incoming.body) });
        let (address, request, ids) = (Some(incoming.address), Some(incoming.request), Ids::seeded(&self.entropy));
        let authority = Authority { address, request, cause, ..Self::own_authority(agency, location, now) };
        let context = LocationContext::new(authority, location);
        let work = move |tx: &mut Tx<'_>| {
            Operation::in_transaction(tx, &context, ids.clone(), |operation| {
                let found = inbound_webhooks::find_opened(operation.tx, id)?;
                // It may have another address by now, or be gone.
                match found.filter(|opened| opened_by(&opened.webhook, &token, now).is_some()) {
                    None => Ok(Intake::Nowhere),
                    Some(opened) if !opened.is_at_work => Ok(Intake::Suspended),
                    Some(opened) => operation.receive(&opened.webhook, &payloads, sent).map(Intake::Taken),
                }
            })
        };
        self.store.write_in(location.of_anything(), work).await
    }

    /// Forgets payloads of long ago, and ids under which something was sent. Called by the jobs. Answers how many.
    pub async fn trim_inbound(&self) -> Result<u64> {
        let now = self.clock.now();
        let (payloads, receipts) = (UtcMs(now.0 - KEPT_MS), UtcMs(now.0 - RECEIPTS_KEPT_MS));
        let trim = move |tx: &mut Tx<'_>| inbound_webhooks::trim(tx, payloads, receipts, FORGOTTEN_AT_ONCE);
        Ok(self.store.write_serial(trim).await?)
    }
}

impl Incoming {
    /// Digest of the id under which it was sent. Those of the two headers have nothing to do with each other.
    fn sent_under(&self) -> Option<[u8; 32]> {
        let of_key = || self.key.as_ref().map(|key| format!("idempotency-key\0{}", key.as_str()));
        let id = self.sent_id.as_ref().map(|id| id.as_str().to_owned()).or_else(of_key);
        id.map(|id| Sha256::digest(id.as_bytes()).into())
    }
}

/// As somebody may see it: who may not read contacts reads nothing of what programs send about people.
fn shown(authority: &Authority, mut payload: InboundPayload) -> InboundPayload {
    if !authority.grant().allows(Scope::ContactsRead) {
        payload.body.clear();
        // What is wrong with a value repeats it.
        payload.problems.clear();
    }
    payload
}

/// What whoever has this token is to sign with, if with anything; `None` where the token is none.
fn opened_by(webhook: &InboundWebhook, token: &[u8; 32], now: UtcMs) -> Option<Option<String>> {
    let InboundCredentials { token: current, secret, previous_token, previous_secret, previous_until } =
        &webhook.credentials;
    let is_current: bool = current.ct_eq(token).into();
    let is_previous: bool = previous_token.unwrap_or_default().ct_eq(token).into();
    match previous_until {
        _ if is_current => Some(secret.clone()),
        Some(until) if is_previous && now < *until => Some(previous_secret.clone()),
        _ => None,
    }
}

fn signed_by(secret: &WebhookSecret, incoming: &Incoming, now: UtcMs) -> Result<(), &'static str> {
    let missing =
        "It must be signed: send webhook-id, webhook-timestamp and webhook-signature as Standard Webhooks says";
    let (Some((timestamp, signatures)), Some(id)) = (&incoming.signature, &incoming.sent_id) else {
        return Err(missing);
    };
    let seconds: i64 = timestamp.parse().map_err(|_| "webhook-timestamp must be seconds since 1970")?;
    if !secret.has_signed(id.as_str(), seconds, &incoming.body, signatures) {
        return Err("webhook-signature is not that of this body by the secret of this address");
    }
    if now.0.abs_diff(seconds.saturating_mul(1_000)) > WINDOW_MS.unsigned_abs() {
        return Err("webhook-timestamp is more than five minutes from now; sign each try anew, and set the clock");
    }
    Ok(())
}

/// A token and a secret that nobody has had.
#[derive(Clone)]
struct FreshCredentials {
    token: Zeroizing<String>,
    secret: Option<Zeroizing<String>>,
    nonce: [u8; 24],
}

impl FreshCredentials {
    fn new(app: &App, is_signed: bool) -> Self {
        let (mut token, mut secret, mut nonce) = (Zeroizing::new([0; 24]), Zeroizing::new([0; 32]), [0; 24]);
        app.entropy.fill(token.as_mut_slice());
        app.entropy.fill(secret.as_mut_slice());
        app.entropy.fill(&mut nonce);
        let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(token.as_slice()));
        Self { token, secret: is_signed.then(|| WebhookSecret::of(&secret).expose()), nonce }
    }

    fn sealed(&self, app: &App, agency: AgencyId, id: InboundWebhookId) -> Option<String> {
        self.secret.as_ref().map(|secret| app.secret.encrypt(&row(agency, id), secret, self.nonce))
    }

    /// With the webhook that has them; without them, where it has others.
    fn of(self, webhook: InboundWebhook, has_them: bool) -> MadeInbound {
        let path = has_them.then(|| Zeroizing::new(format!("/hooks/{}/{}", webhook.id, *self.token)));
        let secret = self.secret.filter(|_| has_them && webhook.credentials.secret.is_some());
        MadeInbound { webhook, path, secret }
    }
}

/// What a secret is bound to.
fn row(agency: AgencyId, id: InboundWebhookId) -> [String; 3] {
    [agency.to_string(), id.to_string(), "inbound secret".to_owned()]
}

impl InLocation<'_, '_> {
    /// Keeps payloads, and makes of each what is to be made of it, unless they were sent under the same id before.
    fn receive(
        &mut self,
        webhook: &InboundWebhook,
        payloads: &[Map<String, Json>],
        sent: Option<Sent>,
    ) -> Result<Received> {
        let (location, now) = (self.context.location, self.now());
        if let Some(sent) = sent {
            let since = UtcMs(now.0 - RECEIPTS_KEPT_MS);
            let before = inbound_webhooks::find_receipt(self.tx, location, webhook.id, &sent.id, since)?;
            if let Some(Receipt { received, problems, body }) = before {
                if body.is_some_and(|body| body != sent.body) {
                    let message = "Something else was sent under this id within a day; nothing of this was taken";
                    return Err(Error::Conflict(ErrorCode::IdempotencyMismatch, message.to_owned()));
                }
                let problems = InboundPayload::problems_from_json(problems.as_deref());
                return Ok(Received { count: received, problems, is_repeated: true });
            }
        }
        let refused = match &webhook.content.contact {
            Some(_) if !self.may_still_write(webhook)? => {
                let problem = "is not written: whoever set this up may not write contacts here any more";
                Some(("contact".to_owned(), problem.to_owned()))
            }
            _ => None,
        };
        let mut problems = Vec::new();
        let mut ids: Vec<InboundPayloadId> = payloads.iter().map(|_| self.new_id()).collect();
        // They are listed in the order in which they came, which all at one instant say by nothing else.
        ids.sort_unstable();
        for (place, (fields, id)) in payloads.iter().zip(ids).enumerate() {
            let payload = InboundPayload {
                id,
                webhook: webhook.id,
                body: mask_keys(&Json::Object(fields.clone()).to_string()).into_owned(),
                outcome: InboundOutcome::Kept,
                problems: Vec::new(),
                contact: None,
                received_at: now,
            };
            let taken = self.take_payload(webhook, payload, fields, refused.as_ref())?;
            if taken.outcome == InboundOutcome::Refused {
                let field = |field: String| if payloads.len() > 1 { format!("{place}.{field}") } else { field };
                problems.extend(taken.problems.into_iter().map(|(name, problem)| (field(name), problem)));
            }
        }
        inbound_webhooks::keep_newest(self.tx, location, webhook.id, KEPT)?;
        let count = payloads.len() as i64;
        if let Some(Sent { id, body }) = sent {
            let told = (!problems.is_empty()).then(|| serde_json::json!(problems).to_string());
            let receipt = Receipt { received: count, problems: told, body: Some(body) };
            inbound_webhooks::save_receipt(self.tx, location, webhook.id, &id, &receipt, now)?;
        }
        Ok(Received { count, problems, is_repeated: false })
    }

    /// Whether whoever said what becomes of payloads may still do that themselves.
    fn may_still_write(&mut self, webhook: &InboundWebhook) -> Result<bool> {
        let (agency, now) = (self.context.authority.agency(), self.now());
        let grant = grant_of(self.tx, agency, webhook.writer.actor(), now)?;
        let may = |grant: &Grant| grant.allows(Scope::ContactsWrite) && grant.reach.has_location(self.context.location);
        Ok(grant.as_ref().is_some_and(may))
    }

    /// Makes of a payload what is to be made of it, tells of that and keeps it. What is wrong with it, or was left out of it, is kept
    /// beside it.
    fn take_payload(
        &mut self,
        webhook: &InboundWebhook,
        mut payload: InboundPayload,
        fields: &Map<String, Json>,
        refused: Option<&(String, String)>,
    ) -> Result<InboundPayload> {
        let mut told = Fields::new();
        put(&mut told, "payloadId", Some(payload.id.as_str()));
        let received = Happened::to(EventKind::InboundWebhookReceived, webhook.id.as_str());
        let cause = self.tell(received.with(None, Some(told)))?;
        (payload.outcome, payload.problems) = match (&webhook.content.contact, refused) {
            (None, _) => (InboundOutcome::Kept, Vec::new()),
            (_, Some(refused)) => (InboundOutcome::Refused, vec![refused.clone()]),
            (Some(mapping), None) => {
                let made = self.attempt(|operation| {
                    operation.following(cause, |operation| operation.contact_of_payload(mapping, fields))
                });
                match made {
                    Ok((contact, outcome, left)) => {
                        payload.contact = Some(contact);
                        (outcome, left.into_iter().map(|(field, problem)| (field, problem.0)).collect())
                    }
                    Err(error) => (InboundOutcome::Refused, problems_of(error)?),
                }
            }
        };
        inbound_webhooks::save_payload(self.tx, self.context.location, &payload)?;
        Ok(payload)
    }

    /// The contact of a payload, what became of it, and what was left out.
    fn contact_of_payload(
        &mut self,
        mapping: &ContactMapping,
        fields: &Map<String, Json>,
    ) -> Result<(ContactId, InboundOutcome, Problems)> {
        let location = self.context.location;
        let place = Place {
            country: locations::country(self.tx, location)?,
            zone: locations::zone(self.tx, location)?,
            fields: custom_fields::list(self.tx, location, Some(OwnerKind::Contact))?,
        };
        let wrong = |wrong: Problems| {
            let violation = |(field, problem): (String, Invalid)| Violation { field, problem: problem.0 };
            Error::Invalid(wrong.into_iter().map(violation).collect())
        };
        let (patch, gone) = mapping.contact(fields, &place).map_err(wrong)?;
        let upserted = self.fill_contact(patch)?;
        let outcome = if upserted.is_new { InboundOutcome::Created } else { InboundOutcome::Updated };
        let skipped = |left: LeftOut| (left.field.to_owned(), Invalid(format!("is not written: {}", left.why)));
        let left = upserted.skipped.into_iter().map(skipped).chain(gone).collect();
        Ok((upserted.contact.id, outcome, left))
    }
}

/// What was wrong with what somebody sent; what is wrong with us is an error.
fn problems_of(error: Error) -> Result<Vec<(String, String)>> {
    match error {
        Error::Invalid(violations) | Error::Unsuited(violations, _) => {
            Ok(violations.into_iter().map(|Violation { field, problem }| (field, problem)).collect())
        }
        error if error.code().status() < 500 && error.retry_after().is_none() => {
            Ok(vec![("contact".to_owned(), error.to_string())])
        }
        error => Err(error),
    }
}

impl Resource for InboundWebhook {
    type Content = InboundMakings;
    type Patch = InboundPatch;

    const NOUN: Noun = Noun::InboundWebhook;
    const SCOPES: (Scope, Scope) = (Scope::WebhooksRead, Scope::WebhooksWrite);
    const KINDS: [EventKind; 3] =
        [EventKind::InboundWebhookCreated, EventKind::InboundWebhookUpdated, EventKind::InboundWebhookDeleted];
    const MOST: Option<i64> = Some(MOST_MADE_BY_HAND);

    fn new(made: Made<Self>, makings: InboundMakings) -> Self {
        let Made { id, location, parent: (), now } = made;
        let InboundMakings { content, credentials, writer } = makings;
        Self { id, location, content, writer, credentials, created_at: now, updated_at: now }
    }

    fn change(&mut self, patch: InboundPatch) {
        patch.apply(&mut self.content);
    }

    /// Whoever says what becomes of payloads answers for it where nobody does any more, also if they say what was said before. Whoever
    /// changes anything else lends nothing.
    fn take_over(&mut self, patch: &InboundPatch, operation: &mut InLocation<'_, '_>) -> Result<()> {
        if self.content.contact.is_none() || !matches!(patch.contact, Some(Some(_))) {
            return Ok(());
        }
        if operation.may_still_write(self)? {
            return Ok(());
        }
        operation.context.authority.require(Scope::ContactsWrite)?;
        operation.context.authority.require_fresh()?;
        self.writer = Signature::of(operation.context.authority.actor());
        Ok(())
    }

    /// What becomes of payloads is for those to say who may do it themselves.
    fn complete(&mut self, before: Option<&Self>, operation: &mut InLocation<'_, '_>) -> Result<()> {
        let InboundContent { workflow, contact, .. } = &self.content;
        if let Some(workflow) = workflow
            && before.is_none_or(|before| before.content.workflow != Some(*workflow))
        {
            let found: Option<Workflow> = stored::find(operation.tx, self.location, (), *workflow)?;
            found.ok_or_else(|| Error::invalid("workflowId", "names no workflow of this location"))?;
        }
        let Some(mapping) = contact else { return Ok(()) };
        if before.is_some_and(|before| before.content.contact.as_ref() == Some(mapping)) {
            return Ok(());
        }
        operation.context.authority.require(Scope::ContactsWrite)?;
        operation.context.authority.require_fresh()?;
        let fields = custom_fields::list(operation.tx, self.location, Some(OwnerKind::Contact))?;
        let named = mapping.custom_fields();
        let unknown = named.into_iter().filter(|name| form_answers::custom(name, &fields).is_none());
        let problem = "is no custom field of contacts here that takes a text";
        let violation = |name| Violation { field: format!("contact.{name}"), problem: problem.to_owned() };
        let unknown: Vec<Violation> = unknown.map(violation).collect();
        if !unknown.is_empty() {
            return Err(Error::Invalid(unknown));
        }
        self.writer = Signature::of(operation.context.authority.actor());
        Ok(())
    }

    fn leave(&self, operation: &mut InLocation<'_, '_>) -> Result<()> {
        Ok(inbound_webhooks::leave(operation.tx, self.location, self.id)?)
    }

    fn updated_at(&mut self) -> &mut UtcMs {
        &mut self.updated_at
    }
}

impl Described for InboundWebhook {
    fn subject(&self) -> &str {
        self.id.as_str()
    }

    fn location(&self) -> Option<LocationId> {
        Some(self.location)
    }

    fn describe(&self) -> Fields {
        let InboundContent { name, workflow, contact } = &self.content;
        let InboundCredentials { token: _, secret, previous_token: _, previous_secret: _, previous_until } =
            &self.credentials;
        let mut fields = Fields::new();
        put(&mut fields, "name", Some(name.as_str()));
        put(&mut fields, "workflowId", workflow.map(|workflow| Uuid::of(workflow).to_string()));
        put(&mut fields, "contact", contact.as_ref().map(|contact| text(contact.as_str())));
        put(&mut fields, "writer", contact.as_ref().map(|_| self.writer.as_str()));
        put(&mut fields, "signed", secret.is_some().then_some(true));
        put(&mut fields, "previousTokenUntil", previous_until.map(UtcMs::to_iso));
        fields
    }
}
