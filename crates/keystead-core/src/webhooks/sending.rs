//! Sending messages to endpoints.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use keystead_model::{
    NoticeId, UtcMs, WebhookDeliveryId, WebhookEndpointId,
    event::EventKind,
    id::Id,
    job::{Job, JobKind},
    notice::{NewNotice, NoticeKind, NoticeSubject},
    text::echo,
    time::DAY_MS,
    webhook::{
        DeliveryAttempt, DeliveryState, Disabled, SigningKeyRecord, WebhookDelivery, WebhookEndpoint, WebhookMessage,
    },
};
use keystead_outbound::{
    Answer, Call, Client,
    signing::{WebhookSecret, sign},
};
use keystead_store::{Tx, queue, service_clock, webhooks};
use tokio::time::{Instant, timeout_at};

use super::{Hearing, chain, publishing::kind_of, signing_keys::signing_key};
use crate::{
    App, Error, Result,
    events::{Happened, tell_by_system},
    notices::notify,
    queue::{Outcome, Settled},
};

/// Messages are kept so long, with what became of them.
const KEPT_MS: i64 = 30 * DAY_MS;
/// Messages that are forgotten in one transaction.
const TRIMMED: i64 = 500;
/// Nobody is waited for longer than this because they ask for it.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// What names another place to go to; other answers of their hundred, such as 304, do not.
const LEADS_ELSEWHERE: [StatusCode; 5] = [
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::FOUND,
    StatusCode::SEE_OTHER,
    StatusCode::TEMPORARY_REDIRECT,
    StatusCode::PERMANENT_REDIRECT,
];

/// What is said of tries that were begun, and of which nobody knows how they went on.
const MAY_HAVE_ARRIVED: &str = "it may have arrived, and is sent again with the same id";

/// A message that is about to be sent.
struct Ready {
    delivery: WebhookDelivery,
    message: WebhookMessage,
    endpoint: WebhookEndpoint,
    /// With which key it is signed.
    key: SigningKeyRecord,
}

/// What is to be done with a delivery.
enum Next {
    Send(Box<Ready>),
    /// It is not sent, and stands like this from now on.
    Settle(Box<(WebhookDelivery, Option<DeliveryAttempt>)>),
    /// It is gone.
    Nothing,
}

/// What came of a try.
struct Tried {
    attempt: DeliveryAttempt,
    is_gone: bool,
    retry_after: Option<Duration>,
}

impl Tried {
    fn is_taken(&self) -> bool {
        self.attempt.problem.is_none()
    }
}

impl App {
    /// Works on a job of a delivery. It ends before `until`.
    pub async fn send_delivery(&self, client: &Client, job: Job, until: Instant) -> Result<Settled> {
        match self.next_of(job.id.of()).await? {
            Next::Nothing => Ok(Settled::new(job, Outcome::Done)),
            Next::Settle(settled) => {
                let (delivery, attempt) = *settled;
                let notice = self.new_notice();
                Ok(Settled::new(job, Outcome::Done)
                    .with(move |tx, now| note(tx, &delivery, attempt.as_ref(), notice, now)))
            }
            Next::Send(ready) => {
                let tried = self.try_to_send(client, &ready, until).await?;
                Ok(self.settled(job, &ready, tried))
            }
        }
    }

    async fn next_of(&self, id: WebhookDeliveryId) -> Result<Next> {
        let now = self.clock.now();
        let found = self.store.read(move |tx| {
            let Some((delivery, message)) = webhooks::find_delivery(tx, id)? else { return Ok(Next::Nothing) };
            if delivery.state != DeliveryState::Waiting {
                return Ok(Next::Nothing);
            }
            let Some(endpoint) = webhooks::find_any(tx, delivery.endpoint)? else { return Ok(Next::Nothing) };
            if endpoint.disabled.is_some() {
                return Ok(Next::Settle(Box::new((WebhookDelivery { state: DeliveryState::Held, ..delivery }, None))));
            }
            let hears = |hearing: &Hearing| kind_of(&message).is_some_and(|kind| hearing.has(kind, message.location));
            if !Hearing::of(tx, &endpoint, now)?.as_ref().is_some_and(hears) {
                let problem = "whoever set up the webhook may not read this any more".to_owned();
                let (failed, attempt) = fail_untried(delivery, problem, now);
                return Ok(Next::Settle(Box::new((failed, Some(attempt)))));
            }
            let key = webhooks::signing_key(tx, endpoint.agency, endpoint.sealed.key_version)?;
            Ok::<_, keystead_store::Error>(Next::Send(Box::new(Ready { delivery, message, endpoint, key })))
        });
        Ok(found.await?)
    }

    /// One try. It is signed anew each time: receivers refuse what was signed long ago.
    async fn try_to_send(&self, client: &Client, ready: &Ready, until: Instant) -> Result<Tried> {
        let Ready { delivery, message, endpoint, key } = ready;
        let (at, begun) = (self.clock.now(), Instant::now());
        let body = body(message, delivery.app_id.as_deref());
        let headers = self.headers(endpoint, key, message, &body, at)?;
        let call = Call { method: Method::POST, url: endpoint.content.url.as_str(), headers, body: Bytes::from(body) };
        let answered = timeout_at(until, client.call(call)).await;
        let duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let attempt = DeliveryAttempt {
            number: delivery.attempts + 1,
            at,
            duration_ms,
            status: None,
            problem: None,
            answer: None,
        };
        Ok(match answered {
            Ok(Ok(answer)) => tried(attempt, &answer, at),
            Ok(Err(failure)) => without_answer(attempt, failure.to_string()),
            Err(_) => without_answer(attempt, "there was no answer in time".to_owned()),
        })
    }

    fn headers(
        &self,
        endpoint: &WebhookEndpoint,
        key: &SigningKeyRecord,
        message: &WebhookMessage,
        body: &str,
        at: UtcMs,
    ) -> Result<HeaderMap> {
        let mut secrets = vec![self.webhook_secret(endpoint, &endpoint.sealed.secret)?];
        if let Some((previous, until)) = &endpoint.sealed.previous
            && at < *until
        {
            secrets.push(self.webhook_secret(endpoint, previous)?);
        }
        let key = signing_key(&self.secret, endpoint.agency, key)?;
        let mut headers = HeaderMap::new();
        for (name, value) in self.webhook_headers(endpoint)?.expose() {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { continue };
            headers.insert(name, value);
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (root, depth) = message.chain;
        if let Ok(chain) = HeaderValue::try_from(chain::of(&self.secret, endpoint.agency, root, depth)) {
            headers.insert(chain::CHAIN_HEADER, chain);
        }
        headers.extend(sign(&message.id, at.0.div_euclid(1000), body.as_bytes(), &secrets, &key));
        Ok(headers)
    }

    fn webhook_secret(&self, endpoint: &WebhookEndpoint, sealed: &str) -> Result<WebhookSecret> {
        let text = self.secret.decrypt(&super::endpoints::row(endpoint.agency, endpoint.id, "secret"), sealed);
        text.and_then(|text| WebhookSecret::parse(&text)).ok_or_else(Error::secret_not_read)
    }

    /// What becomes of a job after a try, and what is written with that: the try, how the endpoint does, and when the next is.
    fn settled(&self, job: Job, ready: &Ready, mut tried: Tried) -> Settled {
        let Ready { delivery, endpoint, .. } = ready;
        let lost = (job.lost > 0).then(|| {
            let problem = match job.lost {
                1 => format!("its server ended meanwhile: {MAY_HAVE_ARRIVED}"),
                tries => format!("the servers of {tries} tries ended meanwhile: {MAY_HAVE_ARRIVED}"),
            };
            tried.attempt.number += 1;
            DeliveryAttempt::without_answer(delivery.attempts + 1, tried.attempt.at, problem)
        });
        let tries = delivery.tries + 1;
        let retries = &self.limits.webhooks.retries;
        let next = usize::try_from(tries - 1).ok().and_then(|place| retries.get(place)).copied();
        let (outcome, state) = match (tried.is_taken(), next) {
            (true, _) => (Outcome::Done, DeliveryState::Delivered),
            (false, None) => (Outcome::Done, DeliveryState::Failed),
            (false, Some(wait)) => {
                let asked = tried.retry_after.unwrap_or_default();
                let problem = tried.attempt.problem.clone().unwrap_or_default();
                (Outcome::Again(wait.max(asked), problem), DeliveryState::Waiting)
            }
        };
        let after = WebhookDelivery {
            state,
            tries,
            attempts: tried.attempt.number,
            tried_at: Some(tried.attempt.at),
            ..delivery.clone()
        };
        let (id, notices) = (endpoint.id, [self.new_notice(), self.new_notice()]);
        Settled::new(job, outcome).with(move |tx, now| {
            if let Some(lost) = &lost {
                webhooks::note_try(tx, &after, Some(lost))?;
            }
            note(tx, &after, Some(&tried.attempt), notices[0], now)?;
            note_health(tx, id, &tried, notices[1], now)
        })
    }

    /// Id for a notice of what becomes of a job, should there be one.
    pub(crate) fn new_notice(&self) -> NoticeId {
        self.entropy.id(self.clock.now())
    }

    /// Forgets messages of long ago, with what became of them. Called by the jobs. Answers how many.
    pub async fn trim_webhooks(&self) -> Result<u64> {
        let before = UtcMs(self.clock.now().0 - KEPT_MS);
        Ok(self.store.write_serial(move |tx| webhooks::trim(tx, before, TRIMMED)).await?)
    }
}

/// A message as an endpoint gets it: with its own app at the end.
fn body(message: &WebhookMessage, app_id: Option<&str>) -> String {
    let whole = &message.body;
    match (app_id, whole.strip_suffix('}')) {
        (Some(app), Some(open)) => format!("{open},\"appId\":{}}}", serde_json::Value::from(app)),
        _ => whole.clone(),
    }
}

fn tried(attempt: DeliveryAttempt, answer: &Answer, at: UtcMs) -> Tried {
    let Answer { status, headers, body } = answer;
    let problem = match status.is_success() {
        true => None,
        false if LEADS_ELSEWHERE.contains(status) => {
            Some(format!("the answer leads elsewhere ({status}), where nobody goes"))
        }
        false => Some(format!("the answer was {status}")),
    };
    let text = String::from_utf8_lossy(body);
    Tried {
        attempt: DeliveryAttempt {
            status: Some(i64::from(status.as_u16())),
            problem,
            // What databases do not take in a text is left out.
            answer: (!text.is_empty()).then(|| text.replace('\0', "")),
            ..attempt
        },
        is_gone: *status == StatusCode::GONE,
        retry_after: headers
            .get(header::RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, at))
            .map(|wait| wait.min(LONGEST_WAIT)),
    }
}

fn without_answer(attempt: DeliveryAttempt, problem: String) -> Tried {
    Tried { attempt: DeliveryAttempt { problem: Some(problem), ..attempt }, is_gone: false, retry_after: None }
}

/// Seconds, or a date (RFC 9110).
fn retry_after(text: &str, now: UtcMs) -> Option<Duration> {
    let until = || UtcMs::read_http_date(text).map(|at| Duration::from_millis((at - now).max(0).unsigned_abs()));
    text.trim().parse().ok().map(Duration::from_secs).or_else(until)
}

/// Notes how a delivery stands. Of those that failed on a day one tells for all of its endpoint.
fn note(
    tx: &mut Tx<'_>,
    delivery: &WebhookDelivery,
    attempt: Option<&DeliveryAttempt>,
    notice: NoticeId,
    now: UtcMs,
) -> keystead_store::Result<()> {
    let is_there = webhooks::note_try(tx, delivery, attempt)?;
    let (true, DeliveryState::Failed, Some(at)) = (is_there, delivery.state, delivery.tried_at) else { return Ok(()) };
    let Some(endpoint) = webhooks::find_any(tx, delivery.endpoint)? else { return Ok(()) };
    let day = at.0 - at.0.rem_euclid(DAY_MS);
    notify(tx, notice_of(&endpoint, notice, NoticeKind::WebhookFailed, day, now))?;
    Ok(())
}

/// A notice about an endpoint that is about to be recorded.
fn notice_of(endpoint: &WebhookEndpoint, id: NoticeId, kind: NoticeKind, episode: i64, now: UtcMs) -> NewNotice {
    let WebhookEndpoint { id: subject, agency, location, .. } = *endpoint;
    let subject = NoticeSubject::Webhook(subject);
    NewNotice { id, agency, location, subject, kind, episode, recorded_at: now, address: None }
}

/// Notes how an endpoint does. While one try tells for all, the others wait with it.
fn note_health(tx: &mut Tx<'_>, id: WebhookEndpointId, tried: &Tried, notice: NoticeId, now: UtcMs) -> Result<()> {
    let Some(mut endpoint) = webhooks::find_to_change(tx, id)? else { return Ok(()) };
    if tried.attempt.at < endpoint.updated_at {
        // It may have been said at another address, or before it was switched on again.
        return Ok(());
    }
    if tried.is_taken() {
        let was_left_alone = endpoint.health.next_probe.is_some();
        endpoint.health.succeed(tried.attempt.at, tried.attempt.duration_ms, now);
        webhooks::save(tx, &endpoint)?;
        if was_left_alone && endpoint.health.next_probe.is_none() {
            queue::release(tx, JobKind::Delivery, id.of_anything(), now)?;
        }
        return Ok(());
    }
    let service = service_clock::read(tx)?.now;
    let asked = tried.retry_after.map(|wait| UtcMs(now.0 + wait.as_millis() as i64));
    let disabled = endpoint.health.fail(tried.is_gone, asked, now, service);
    if let (Some(why), None) = (disabled, endpoint.disabled) {
        endpoint.disabled = Some(Disabled { why, since: now });
        let after =
            crate::events::fields(serde_json::json!({"url": endpoint.content.url.as_str(), "reason": why.as_str()}));
        let happened = Happened::to(EventKind::WebhookEndpointDisabled, id.as_str());
        let happened = happened.at(endpoint.location).with(None, Some(after));
        webhooks::save(tx, &endpoint)?;
        tell_by_system(tx, now, [(endpoint.agency, happened)])?;
        notify(tx, notice_of(&endpoint, notice, NoticeKind::WebhookDisabled, now.0, now))?;
    } else {
        webhooks::save(tx, &endpoint)?;
    }
    if let Some(probe) = endpoint.health.next_probe {
        queue::hold(tx, JobKind::Delivery, id.of_anything(), probe)?;
    }
    Ok(())
}

/// Gives up a delivery that ended everybody who took it.
pub(crate) fn give_up(
    tx: &mut Tx<'_>,
    id: WebhookDeliveryId,
    problem: &str,
    notice: NoticeId,
    now: UtcMs,
) -> keystead_store::Result<()> {
    let Some((delivery, _)) = webhooks::find_delivery(tx, id)? else { return Ok(()) };
    let (failed, attempt) = fail_untried(delivery, echo(problem), now);
    note(tx, &failed, Some(&attempt), notice, now)
}

/// Notes that a try did not come to its end, because its server was stopped.
pub(crate) fn note_interrupted(tx: &mut Tx<'_>, id: WebhookDeliveryId, now: UtcMs) -> keystead_store::Result<()> {
    let Some((delivery, _)) = webhooks::find_delivery(tx, id)? else { return Ok(()) };
    let problem = format!("the server was stopped meanwhile: {MAY_HAVE_ARRIVED}");
    let attempt = DeliveryAttempt::without_answer(delivery.attempts + 1, now, problem);
    webhooks::note_try(tx, &WebhookDelivery { attempts: attempt.number, ..delivery }, Some(&attempt))?;
    Ok(())
}

/// A delivery that fails without having been sent, and why.
fn fail_untried(delivery: WebhookDelivery, problem: String, now: UtcMs) -> (WebhookDelivery, DeliveryAttempt) {
    let number = delivery.attempts + 1;
    let attempt = DeliveryAttempt::without_answer(number, now, problem);
    let failed = WebhookDelivery { state: DeliveryState::Failed, attempts: number, tried_at: Some(now), ..delivery };
    (failed, attempt)
}

/// How many more deliveries may begin to each of these endpoints, where `under_way` says whose are and `free` how many places
/// there are. An endpoint has as many as it answers well, and its tenant no more than are left to all others: so silent ones
/// hold up nobody else.
pub(crate) fn rooms(
    tx: &mut Tx<'_>,
    line: impl IntoIterator<Item = Id<()>>,
    under_way: &[Id<()>],
    free: usize,
) -> keystead_store::Result<Rooms> {
    let ids: BTreeSet<WebhookEndpointId> = line.into_iter().chain(under_way.iter().copied()).map(Id::of).collect();
    let endpoints = webhooks::find_all(tx, &ids)?;
    let mut rooms = Rooms { free, endpoints: HashMap::new(), held: HashMap::new() };
    for endpoint in endpoints {
        let tenant = endpoint.location.map_or(endpoint.agency.of_anything(), |location| location.of_anything());
        let held = under_way.iter().filter(|owner| **owner == endpoint.id.of_anything()).count();
        *rooms.held.entry(tenant).or_default() += held;
        let most = usize::try_from(endpoint.health.most_under_way()).unwrap_or(1);
        rooms.endpoints.insert(endpoint.id.of_anything(), (tenant, most.saturating_sub(held)));
    }
    Ok(rooms)
}

/// Places that are left, to whom.
pub(crate) struct Rooms {
    free: usize,
    /// The tenant of each endpoint, and how many more it takes.
    endpoints: HashMap<Id<()>, (Id<()>, usize)>,
    /// Places that each tenant has.
    held: HashMap<Id<()>, usize>,
}

impl Rooms {
    /// How many deliveries of an endpoint may begin, of at most `share`.
    pub(crate) fn of(&self, endpoint: Id<()>, share: usize) -> usize {
        // One that is gone has nothing but jobs that find nothing.
        let Some((tenant, room)) = self.endpoints.get(&endpoint) else { return share };
        let held = self.held.get(tenant).copied().unwrap_or_default();
        // Each that begins is one more that is held and one less that is free.
        share.min(*room).min(self.free.saturating_sub(held).div_ceil(2))
    }

    /// So many have begun.
    pub(crate) fn begin(&mut self, endpoint: Id<()>, count: usize) {
        self.free = self.free.saturating_sub(count);
        if let Some((tenant, room)) = self.endpoints.get_mut(&endpoint) {
            *room = room.saturating_sub(count);
            *self.held.entry(*tenant).or_default() += count;
        }
    }
}
