//! With which keys an agency signs messages in the contract's way. Whoever has the public half of one checks signatures by it, so an
//! endpoint keeps its key until its owner switches it to another.

use keystead_model::{AgencyId, event::EventKind, grant::Reach, scope::Scope, webhook::SigningKeyRecord};
use keystead_outbound::signing::SigningKey;
use keystead_store::webhooks;
use serde_json::json;

use super::endpoints::OnAgency;
use crate::{
    App, Authority, Error, ErrorCode, InstanceSecret, Result,
    events::{Happened, fields},
    idempotency::Lost,
};

/// The public half of what an agency signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Which of its keys, and since when.
    pub record: SigningKeyRecord,
    /// How many endpoints have it.
    pub endpoints: i64,
    /// As libraries of cryptography read it.
    pub pem: String,
    /// 32 bytes in base64.
    pub base64: String,
}

/// A key as it signs.
pub(super) fn signing_key(secret: &InstanceSecret, agency: AgencyId, record: &SigningKeyRecord) -> Result<SigningKey> {
    let label = format!("keystead webhook signing {agency} {}", record.version);
    let seed = secret.seed(record.secret_version, &label).ok_or_else(Error::secret_not_read)?;
    Ok(SigningKey::of(&seed))
}

impl App {
    /// With which key the caller's agency signs in the contract's way: the newest, or an older one that endpoints still have.
    pub async fn webhook_public_key(&self, authority: &Authority, version: Option<i64>) -> Result<PublicKey> {
        let mut keys = self.webhook_public_keys(authority).await?.into_iter();
        let found = match version {
            None => keys.next(),
            Some(version) => keys.find(|key| key.record.version == version),
        };
        found.ok_or_else(|| Error::invalid("version", "is none of the keys of this agency"))
    }

    /// The newest key, and those before it that endpoints still have; the newest first.
    pub async fn webhook_public_keys(&self, authority: &Authority) -> Result<Vec<PublicKey>> {
        let app = self.clone();
        self.read(authority, Scope::WebhooksRead, move |operation| {
            let agency = operation.context.agency();
            let records = operation.signing_keys(&app.secret)?;
            records.into_iter().map(|known| public(&app.secret, agency, known)).collect()
        })
        .await
    }

    /// Makes the next key, for whoever reaches the whole agency, and answers whether it was not there before. Endpoints keep theirs;
    /// new ones have this one. While no endpoint has the newest, that is the one that is wanted.
    pub async fn create_webhook_signing_key(&self, authority: &Authority) -> Result<(PublicKey, bool)> {
        authority.require(Scope::WebhooksWrite)?;
        authority.require_fresh()?;
        let app = self.clone();
        let run = move |operation: &mut OnAgency<'_, '_>| operation.create_signing_key(&app.secret);
        let app = self.clone();
        let recover = move |operation: &mut OnAgency<'_, '_>, _: &Lost| {
            let newest = operation.signing_keys(&app.secret)?.swap_remove(0);
            Ok((public(&app.secret, operation.context.agency(), newest)?, true))
        };
        self.operate(authority, Scope::WebhooksWrite, run, recover).await
    }
}

fn public(
    secret: &InstanceSecret,
    agency: AgencyId,
    (record, endpoints): (SigningKeyRecord, i64),
) -> Result<PublicKey> {
    let key = signing_key(secret, agency, &record)?;
    Ok(PublicKey { pem: key.public_pem(), base64: key.public_base64(), record, endpoints })
}

impl OnAgency<'_, '_> {
    /// Those with which messages are signed or new endpoints will be, and for how many; the newest first: there is one at least.
    pub(super) fn signing_keys(&mut self, secret: &InstanceSecret) -> Result<Vec<(SigningKeyRecord, i64)>> {
        let agency = self.context.agency();
        let mut keys = webhooks::signing_keys(self.tx, agency)?;
        if keys.is_empty() {
            let first = SigningKeyRecord { version: 1, secret_version: secret.oldest(), created_at: self.now() };
            keys.push((first, 0));
        }
        Ok(keys)
    }

    /// The newest, which is kept from now on.
    pub(super) fn newest_signing_key(&mut self, secret: &InstanceSecret) -> Result<i64> {
        let (newest, _) = self.signing_keys(secret)?.swap_remove(0);
        webhooks::keep_signing_key(self.tx, self.context.agency(), &newest)?;
        Ok(newest.version)
    }

    fn create_signing_key(&mut self, secret: &InstanceSecret) -> Result<(PublicKey, bool)> {
        let (agency, now) = (self.context.agency(), self.now());
        if self.context.grant().reach != Reach::Agency {
            let message = "Only who reaches the whole agency makes a signing key for it".to_owned();
            return Err(Error::Forbidden(ErrorCode::NotAllowed, message));
        }
        let newest = self.signing_keys(secret)?.swap_remove(0);
        if newest.1 == 0 {
            crate::idempotency::about(self.tx, self.context, agency.as_str())?;
            return Ok((public(secret, agency, newest)?, false));
        }
        let next =
            SigningKeyRecord { version: newest.0.version + 1, secret_version: secret.current(), created_at: now };
        webhooks::keep_signing_key(self.tx, agency, &next)?;
        let happened = Happened::to(EventKind::AgencySigningKeyCreated, agency.as_str());
        self.tell(happened.with(None, Some(fields(json!({"version": next.version})))))?;
        Ok((public(secret, agency, (next, 0))?, true))
    }
}
