//! The audit log: listing it, sealing it, and finding what somebody did to it (design: audit).

use keystead_model::{AgencyId, audit::AuditRow, grant::Reach, scope::Scope};
use keystead_store::audit::{self, AuditFilter, Head, SealedRow};
use sha2::{Digest, Sha256};

use crate::{AgencyContext, App, Error, InstanceSecret, Result};

/// Rows sealed in one transaction.
const BATCH: i64 = 200;

/// A head as people and logs write it: `412.9f3c…`, the position and the seal of the last row.
pub fn head_text(head: &Head) -> String {
    let hex: String = head.seal.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}.{hex}", head.position)
}

/// Reads [`head_text`].
pub fn parse_head(text: &str) -> Option<Head> {
    let (position, hex) = text.trim().split_once('.')?;
    let mut seal = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (index, byte) in seal.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(Head { position: position.parse().ok()?, seal })
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Rows that were looked at.
    pub rows: i64,
    /// The end of the chain.
    pub head: Head,
    /// What is wrong, in order; nothing if all is well.
    pub problems: Vec<String>,
}

/// Problems that are listed; a broken chain may have one at each row.
const MOST_PROBLEMS: usize = 20;

/// What a row says. Every part has its length before it, so that nothing can move from one to the next.
fn digest(row: &AuditRow) -> [u8; 32] {
    let AuditRow { id: _, location, at, actor, ip, action, subject, before, after, request_id, position: _ } = row;
    let at = at.0.to_string();
    let parts = [
        location.as_ref().map(|location| location.as_str()),
        Some(at.as_str()),
        Some(actor.kind()),
        actor.id(),
        ip.as_deref(),
        Some(action.as_str()),
        Some(subject.as_str()),
        before.as_deref(),
        after.as_deref(),
        request_id.as_deref(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        match part {
            None => hash.update([0]),
            Some(text) => {
                hash.update([1]);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
        }
    }
    hash.finalize().into()
}

fn sealed(
    secret: &InstanceSecret,
    version: i64,
    agency: AgencyId,
    position: i64,
    previous: &[u8; 32],
    digest: &[u8; 32],
) -> Option<[u8; 32]> {
    secret.seal(version, &[agency.as_str().as_bytes(), &position.to_be_bytes(), previous, digest])
}

impl App {
    /// Rows of the agency's log, newest first, before a cursor.
    pub async fn list_audit(
        &self,
        context: &AgencyContext,
        filter: AuditFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AuditRow>> {
        context.authority.require(Scope::KeysRead)?;
        // The log tells of all locations, so a key that reaches only some of them may not read it.
        if context.authority.grant().reach != Reach::Agency {
            return Err(Error::NoAccess);
        }
        let agency = context.authority.agency();
        Ok(self.store.read(move |tx| audit::list(tx, agency, &filter, before, limit)).await?)
    }

    /// Links what was committed since into the chains. Called every two seconds; answers how many rows that were.
    pub async fn seal_audit(&self) -> Result<u64> {
        let mut count = 0;
        for agency in self.store.read(audit::agencies_to_seal).await? {
            loop {
                let done = self.seal_batch(agency).await?;
                count += done;
                if done < BATCH.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(count)
    }

    async fn seal_batch(&self, agency: AgencyId) -> Result<u64> {
        let app = self.clone();
        self.store
            .write_serial(move |tx| {
                let mut head = audit::lock_head(tx, agency)?;
                let version = app.secret.current();
                let rows = audit::unsealed(tx, agency, BATCH)?;
                for row in &rows {
                    let (position, digest) = (head.position + 1, digest(row));
                    let seal = sealed(&app.secret, version, agency, position, &head.seal, &digest)
                        .ok_or_else(|| Error::Internal("the instance secret has no version".to_owned()))?;
                    audit::seal(tx, row.id, position, &digest, &seal, version)?;
                    head = Head { position, seal };
                }
                audit::set_head(tx, agency, &head)?;
                Ok::<_, Error>(rows.len() as u64)
            })
            .await
    }

    /// Writes the ends of all chains into the log: whoever keeps the log finds a chain that was cut. Called every hour.
    pub async fn log_audit_heads(&self) -> Result<()> {
        for (agency, head) in self.store.read(audit::heads).await? {
            tracing::info!(%agency, head = head_text(&head), "the end of the audit chain");
        }
        Ok(())
    }

    /// Looks at an agency's whole chain: edited, deleted and swapped rows, and with `expect` (a head that was written
    /// down earlier) also a tail that was cut off.
    pub async fn verify_audit(&self, context: &AgencyContext, expect: Option<Head>) -> Result<Verified> {
        let agency = context.authority.agency();
        self.seal_audit().await?;
        let mut verified = Verified { rows: 0, head: Head { position: 0, seal: [0; 32] }, problems: Vec::new() };
        let mut expected = expect;
        loop {
            let after = verified.head.position;
            let rows = self.store.read(move |tx| audit::sealed(tx, agency, after, 1000)).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                self.verify_row(agency, &row, &mut verified);
                let here = expected.take_if(|expected| expected.position == verified.head.position);
                if here.is_some_and(|expected| expected.seal != row.seal) {
                    verified.problems.push(format!(
                        "row {} is not the one whose seal was expected: the chain was written anew",
                        verified.head.position
                    ));
                }
            }
        }
        if let Some(expected) = expected.filter(|expected| expected.position > 0) {
            verified.problems.push(format!(
                "the chain ends at row {}, but row {} was expected: its end was cut off",
                verified.head.position, expected.position
            ));
        }
        let stored = self.store.read(audit::heads).await?.into_iter().find(|(owner, _)| *owner == agency);
        if let Some((_, stored)) = stored
            && stored != verified.head
        {
            verified.problems.push(format!(
                "the chain should end at row {}, but ends at row {}",
                stored.position, verified.head.position
            ));
        }
        verified.problems.truncate(MOST_PROBLEMS);
        Ok(verified)
    }

    fn verify_row(&self, agency: AgencyId, sealed_row: &SealedRow, verified: &mut Verified) {
        let SealedRow { row, digest: stored, seal, version } = sealed_row;
        let position = row.position.unwrap_or_default();
        let next = verified.head.position + 1;
        if position != next {
            let missing = if position == next + 1 {
                format!("row {next} is")
            } else {
                format!("rows {next} to {} are", position - 1)
            };
            verified.problems.push(format!("{missing} missing"));
        }
        if digest(row) != *stored {
            verified.problems.push(format!("row {position} ({} of {}) was edited", row.action, row.subject));
        }
        // After a gap the seal before is not known; the next row can be judged again.
        let expected = sealed(&self.secret, *version, agency, position, &verified.head.seal, stored);
        if position == next && expected != Some(*seal) {
            verified
                .problems
                .push(format!("the seal of row {position} is wrong: it was edited, or put in another place"));
        }
        verified.rows += 1;
        verified.head = Head { position, seal: *seal };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_back() {
        let head = Head { position: 412, seal: [0xab; 32] };
        assert_eq!(parse_head(&head_text(&head)), Some(head));
        for bad in ["", "412", "412.ab", "x.".to_owned().as_str(), &format!("1.{}", "g".repeat(64))] {
            assert_eq!(parse_head(bad), None, "{bad}");
        }
    }
}
