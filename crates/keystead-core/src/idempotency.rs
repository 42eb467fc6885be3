//! `Idempotency-Key`: a repeated request has its effect once and gets the same answer.
//!
//! The claim is the first statement in the transaction of the effect, so there is no moment in which one is there without
//! the other, and of two equal requests that meet the second finds the claim before anything else. The answer follows;
//! should it be lost, a repetition is told what the effect has become.

use std::sync::Arc;

use http::HeaderMap;
use keystead_model::{KeyId, UtcMs, event::EventKind, id::Id, time::DAY_MS, uuid::Uuid};
use keystead_store::{
    Tx, events,
    idempotency::{self, Outcome, RequestKey},
};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::{App, Authority, Error, ErrorCode, RequestId, Result};

/// Longest key that is taken.
const KEY_MAX: usize = 255;
/// How long an answer is kept.
const KEPT_MS: i64 = DAY_MS;
/// How long after its beginning a request may still be on its way to its answer. Once its effect is there, nothing is left to
/// do but to write the answer down.
const ANSWERING_MS: i64 = 10_000;

/// What a sender calls a request by, so that a repetition is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header `name`; `None` where it was not sent. One that is empty is no key: a program whose variable is not filled
    /// sends it with everything, which then would be all one request.
    pub fn sent(headers: &HeaderMap, name: &str) -> Result<Option<Self>> {
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Error::invalid(name, "must be sent once"));
        }
        Self::parse(name, value.as_bytes()).map(Some)
    }

    /// Checks what was sent as `name`.
    pub fn parse(name: &str, sent: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(sent).ok().filter(|text| {
            !text.trim().is_empty() && text.len() <= KEY_MAX && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        });
        let problem = || Error::invalid(name, format!("must have 1 to {KEY_MAX} printable ASCII characters"));
        text.map(|text| Self(text.to_owned())).ok_or_else(problem)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request that is to have its effect once.
#[derive(Clone)]
pub struct Claim {
    request: RequestKey,
    body_hash: [u8; 32],
    id: RequestId,
    lost: Option<Lost>,
}

/// An effect whose answer was lost.
#[derive(Clone)]
pub(crate) struct Lost {
    /// What was made or changed.
    subject: String,
    /// By which request.
    request_id: String,
    /// When.
    at: UtcMs,
}

impl Lost {
    /// The id of what was made.
    pub(crate) fn id<T>(&self) -> Result<Id<T>> {
        Id::parse(&self.subject).or_else(|| Uuid::parse_id(&self.subject)).ok_or_else(forgotten)
    }

    /// The id of the key that was made.
    pub(crate) fn key_id(&self) -> Result<KeyId> {
        KeyId::parse(&self.subject).ok_or_else(forgotten)
    }

    /// The request that had the effect.
    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// When it came.
    pub(crate) fn at(&self) -> UtcMs {
        self.at
    }

    /// Whether the request told this of what it is about: that it was made, and not only changed.
    pub(crate) fn told(&self, tx: &mut Tx<'_>, kind: EventKind) -> Result<bool> {
        let events = events::of_request(tx, &self.subject, &self.request_id)?;
        Ok(events.iter().any(|event| event.kind == kind.as_str()))
    }

    /// A list of what the request is about, as it was before it and as it was then; `None` if it left it alone.
    pub(crate) fn list<T>(
        &self,
        tx: &mut Tx<'_>,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<(Vec<T>, Vec<T>)>> {
        let list = |fields: Option<&String>| {
            let fields: Json = serde_json::from_str(fields?).ok()?;
            Some(fields.get(name)?.as_array()?.iter().filter_map(|text| read(text.as_str()?)).collect::<Vec<T>>())
        };
        let events = events::of_request(tx, &self.subject, &self.request_id)?;
        // An empty list is not told; where neither is, it did not change.
        let changes = events.iter().map(|event| (list(event.before.as_ref()), list(event.after.as_ref())));
        let mut changes = changes.filter(|(before, after)| before.is_some() || after.is_some());
        Ok(changes.next().map(|(before, after)| (before.unwrap_or_default(), after.unwrap_or_default())))
    }
}

/// Nothing says what was made: a release before this one has written the claim.
pub(crate) fn forgotten() -> Error {
    let message = "The request had its effect, and its answer was lost; look for what it made before you send it anew";
    Error::Conflict(ErrorCode::IdempotencyInFlight, message.to_owned())
}

impl Claim {
    /// The effect is there, and only its answer was lost.
    pub(crate) fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }
}

/// What is to be done with a request that carries an `Idempotency-Key`.
pub enum Replay {
    /// Run it; its authority carries the claim.
    New(Arc<Claim>),
    /// It was answered: status and body.
    Answered(u16, String),
    /// It had its effect and lost its answer: run with this claim, an operation has no effect and answers what is there now.
    Lost(Arc<Claim>),
}

impl App {
    /// Looks whether this request was answered before.
    pub async fn begin_idempotent(
        &self,
        authority: &Authority,
        route: &str,
        key: &IdempotencyKey,
        body: &[u8],
        id: RequestId,
    ) -> Result<Replay> {
        // A digest, since somebody will send a key or a password in it.
        let digest = Sha256::digest(key.as_str()).iter().map(|byte| format!("{byte:02x}")).collect();
        let request = RequestKey {
            credential: format!("{}:{}", authority.agency(), authority.actor()),
            route: route.to_owned(),
            key: digest,
        };
        let (plain, body_hash) = (<[u8; 32]>::from(Sha256::digest(body)), self.body_digest(body));
        let claim = Claim { body_hash, request, id, lost: None };
        let (wanted, since) = (claim.request.clone(), since(authority.now()));
        match self.store.look_up(move |tx| idempotency::find(tx, &wanted, since)).await? {
            None => Ok(Replay::New(Arc::new(claim))),
            // A release before this one has stored plain digests.
            Some(Outcome { body_hash, .. }) if ![claim.body_hash, plain].contains(&body_hash) => Err(Error::Conflict(
                ErrorCode::IdempotencyMismatch,
                "This Idempotency-Key was used with another body".to_owned(),
            )),
            Some(Outcome { status: 0, created_at, .. }) if authority.now() - created_at < ANSWERING_MS => {
                Err(in_flight())
            }
            Some(Outcome { status: 0, subject, request_id, created_at, .. }) => {
                let lost = Some(Lost { subject, request_id, at: created_at });
                Ok(Replay::Lost(Arc::new(Claim { lost, ..claim })))
            }
            Some(Outcome { status, answer, .. }) => Ok(Replay::Answered(status.try_into().unwrap_or(200), answer)),
        }
    }

    /// By which a body is known again. Under the instance secret: it may hold somebody's password, and nobody who has the database is to
    /// try passwords on it.
    pub(crate) fn body_digest(&self, body: &[u8]) -> [u8; 32] {
        let oldest = self.secret.versions().first().copied().unwrap_or_default();
        let digest = self.secret.mac(oldest, "keystead idempotent body", &[body]);
        digest.unwrap_or_else(|| Sha256::digest(body).into())
    }

    /// Keeps the answer of a request that had an effect. `body` must hold no secret.
    pub async fn finish_idempotent(&self, claim: &Claim, status: u16, body: &str) -> Result<()> {
        let (claim, body) = (claim.clone(), body.to_owned());
        self.store
            .write_serial(move |tx| idempotency::answer(tx, &claim.request, claim.id.as_str(), status.into(), &body))
            .await?;
        Ok(())
    }

    /// Forgets answers that are older than a day.
    pub async fn trim_idempotent(&self) -> Result<u64> {
        let before = since(self.clock.now());
        Ok(self.store.write(move |tx| idempotency::trim(tx, before)).await?)
    }
}

fn since(now: UtcMs) -> UtcMs {
    UtcMs(now.0 - KEPT_MS)
}

fn in_flight() -> Error {
    Error::Conflict(ErrorCode::IdempotencyInFlight, "A request with this Idempotency-Key is still running".to_owned())
}

/// Writes the claim before the effect; an error if another request with the same key was faster.
pub(crate) fn claim(tx: &mut Tx<'_>, authority: &Authority) -> Result<()> {
    let Some(Claim { request, body_hash, id, .. }) = authority.claim() else { return Ok(()) };
    let now = authority.now();
    if idempotency::claim(tx, request, body_hash, id.as_str(), now, since(now))? { Ok(()) } else { Err(in_flight()) }
}

/// Notes what the effect is about, for a repetition whose first answer was lost.
pub(crate) fn about(tx: &mut Tx<'_>, authority: &Authority, subject: &str) -> Result<()> {
    if let Some(Claim { request, id, .. }) = authority.claim() {
        idempotency::about(tx, request, id.as_str(), subject)?;
    }
    Ok(())
}
