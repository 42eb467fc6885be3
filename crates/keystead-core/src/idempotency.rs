//! `Idempotency-Key`: a repeated request has its effect once and gets the same answer.
//!
//! The claim is written in the transaction of the effect, so there is no moment in which one is there without the
//! other. The answer follows; should the server die in between, a repetition learns that the effect is there.

use std::sync::Arc;

use keystead_model::{UtcMs, time::DAY_MS};
use keystead_store::{
    Tx,
    idempotency::{self, Outcome, RequestKey},
};
use sha2::{Digest, Sha256};

use crate::{App, Authority, Error, ErrorCode, RequestId, Result};

/// Longest key that is taken.
const KEY_MAX: usize = 255;
/// How long an answer is kept.
const KEPT_MS: i64 = DAY_MS;

/// A request that is to have its effect once.
#[derive(Clone)]
pub struct Claim {
    request: RequestKey,
    body_hash: [u8; 32],
    id: RequestId,
}

/// What is to be done with a request that carries an `Idempotency-Key`.
pub enum Replay {
    /// Run it; its authority carries the claim.
    New(Arc<Claim>),
    /// It was answered: status and body.
    Answered(u16, String),
}

impl App {
    /// Looks whether this request was answered before.
    pub async fn begin_idempotent(
        &self,
        authority: &Authority,
        route: &str,
        key: &str,
        body: &[u8],
        id: RequestId,
    ) -> Result<Replay> {
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(Error::invalid(
                "Idempotency-Key",
                format!("must have 1 to {KEY_MAX} printable ASCII characters"),
            ));
        }
        // A digest, since somebody will send a key or a password in it.
        let digest = Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let request = RequestKey {
            credential: format!("{}:{}", authority.agency(), authority.actor()),
            route: route.to_owned(),
            key: digest,
        };
        let claim = Claim { body_hash: Sha256::digest(body).into(), request, id };
        let (wanted, since) = (claim.request.clone(), since(authority.now()));
        match self.store.look_up(move |tx| idempotency::find(tx, &wanted, since)).await? {
            None => Ok(Replay::New(Arc::new(claim))),
            Some(Outcome { body_hash, .. }) if body_hash != claim.body_hash => Err(Error::Conflict(
                ErrorCode::IdempotencyMismatch,
                "This Idempotency-Key was used with another body".to_owned(),
            )),
            Some(Outcome { status: 0, .. }) => Err(in_flight()),
            Some(Outcome { status, answer, .. }) => Ok(Replay::Answered(status.try_into().unwrap_or(200), answer)),
        }
    }

    /// Keeps the answer of a request that had an effect. `body` must hold no secret.
    pub async fn finish_idempotent(&self, claim: &Claim, status: u16, body: &str) -> Result<()> {
        let (claim, body) = (claim.clone(), body.to_owned());
        self.store
            .write(move |tx| idempotency::answer(tx, &claim.request, claim.id.as_str(), status.into(), &body))
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
    Error::Conflict(
        ErrorCode::IdempotencyInFlight,
        "A request with this Idempotency-Key is running, or had its effect and lost its answer".to_owned(),
    )
}

/// Writes the claim beside the effect; an error if another request with the same key was faster.
pub(crate) fn claim(tx: &mut Tx<'_>, claim: &Claim, now: UtcMs) -> Result<()> {
    let holder = idempotency::claim(tx, &claim.request, &claim.body_hash, claim.id.as_str(), now, since(now))?;
    if holder == claim.id.as_str() { Ok(()) } else { Err(in_flight()) }
}
