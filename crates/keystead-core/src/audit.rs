//! The audit log: listing it, sealing it, and finding what somebody did to it.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use keystead_model::{
    AgencyId, UserId, UtcMs,
    event::{Event, EventKind},
    grant::Reach,
    page::{Page, Window},
    scope::Scope,
};
use keystead_store::{
    audit::{self, Head, SealedRow},
    events::{self, AuditFilter},
    users,
};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::{
    AgencyContext, App, Authority, Error, InstanceSecret, Result,
    error::Noun,
    events::list::may_see,
    events::{Happened, fields, tell},
};

/// Rows sealed in one transaction.
const BATCH: i64 = 200;
/// Rows looked at, and forgotten, in one transaction.
const TRIM_BATCH: i64 = 1000;

/// A digest or a seal in hexadecimal.
fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A head as people and logs write it: `412.9f3c…`, the position and the seal of the last row.
pub fn head_text(head: &Head) -> String {
    format!("{}.{}", head.position, hex(&head.seal))
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
fn digest(row: &Event) -> [u8; 32] {
    let Event { location, at, actor, ip, kind, subject, before, after, request_id, .. } = row;
    let at = at.0.to_string();
    let parts = [
        location.as_ref().map(|location| location.as_str()),
        Some(at.as_str()),
        Some(actor.kind()),
        actor.id(),
        ip.as_deref(),
        Some(kind.as_str()),
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

/// Whether the log tells somebody what changed. That it happened is theirs to see; what people wrote is for those who may read it.
fn is_told(authority: &Authority, event: &Event) -> bool {
    EventKind::parse(&event.kind).is_none_or(|kind| kind.class().is_sealed() || may_see(authority, kind))
}

/// The log tells of all locations, so it is for nobody who reaches only some of them.
fn whole_log(context: &AgencyContext, scope: Scope) -> Result<&Authority> {
    let authority = &context.authority;
    authority.require(scope)?;
    if authority.grant().reach == Reach::Agency { Ok(authority) } else { Err(Error::NoAccess) }
}

impl App {
    /// Events of the agency, newest first. What changed in data is told to those who may read it.
    pub async fn list_audit(
        &self,
        context: &AgencyContext,
        filter: AuditFilter,
        window: Window<i64>,
    ) -> Result<Page<Event>> {
        let authority = whole_log(context, Scope::KeysRead)?;
        let agency = authority.agency();
        let listed = self.store.read(move |tx| events::list(tx, agency, &filter, &window)).await?;
        Ok(listed.map(
            |event| {
                if is_told(authority, &event) { event } else { Event { before: None, after: None, ..event } }
            },
        ))
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
                    audit::seal(tx, row.number, position, &digest, &seal, version)?;
                    head = Head { position, seal };
                }
                audit::set_head(tx, agency, &head)?;
                Ok::<_, Error>(rows.len() as u64)
            })
            .await
    }

    /// Forgets what happened to data longer ago than the operator keeps it. Rows about keys, members and settings stay for
    /// ever: they are the chain. Called every ten minutes; answers how many rows that were.
    pub async fn trim_audit(&self) -> Result<u64> {
        let Some(kept) = self.limits.data_audit else { return Ok(0) };
        let before = UtcMs(self.clock.now().0.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX)));
        let mut count = 0;
        loop {
            // Numbers grow with time, so what was looked at once and stayed need not be looked at again.
            let after = self.audit_trimmed.load(Ordering::Relaxed);
            let rows = self.store.read(move |tx| events::ages(tx, &Window::after(Some(after), TRIM_BATCH))).await?.rows;
            // A clock that went wrong for a while leaves a row between them that is younger.
            let Some((through, _)) = rows.into_iter().rfind(|(_, at)| *at < before) else { return Ok(count) };
            count += self.store.write_serial(move |tx| events::trim(tx, after, through, before)).await?;
            self.audit_trimmed.store(through, Ordering::Relaxed);
        }
    }

    /// Writes the ends of all chains into the log: whoever keeps the log finds a chain that was cut. Called every hour.
    pub async fn log_audit_heads(&self) -> Result<()> {
        for (agency, head) in self.store.read(audit::heads).await? {
            tracing::info!(%agency, head = head_text(&head), "the end of the audit chain");
        }
        Ok(())
    }

    /// Erases what the log holds of a member: addresses and requests of rows by or about them, and what changed in rows
    /// about them. Who did what to what stays. The chain goes on; further rows say which ones were erased, and what these
    /// say since, so that nobody can erase or edit more. Answers how many rows that were.
    pub async fn erase_audit(&self, context: &AgencyContext, user: UserId) -> Result<u64> {
        let authority = whole_log(context, Scope::KeysWrite)?.clone();
        let agency = authority.agency();
        // Also one who is deleted.
        let member = self.store.read(move |tx| users::find_for_session(tx, user)).await?;
        member
            .filter(|(member, _)| member.agency == agency)
            .ok_or_else(|| Error::NotFound(Noun::User, user.to_string()))?;
        // Only what is sealed can be erased.
        self.seal_audit().await?;
        let mut count = 0;
        loop {
            let authority = authority.clone();
            let erased = self.store.write(move |tx| {
                let rows = audit::not_erased(tx, agency, user, BATCH)?;
                let mut told: BTreeMap<String, String> = BTreeMap::new();
                for row in &rows {
                    let is_about = row.subject == user.as_str();
                    let what = |text: &Option<String>| text.clone().filter(|_| !is_about);
                    let erased = Event {
                        ip: None,
                        request_id: None,
                        before: what(&row.before),
                        after: what(&row.after),
                        ..row.clone()
                    };
                    audit::erase(tx, &erased)?;
                    if let Some(position) = row.position {
                        told.insert(position.to_string(), hex(&digest(&erased)));
                    }
                }
                if !rows.is_empty() {
                    let happened = Happened::to(EventKind::AuditErased, user.as_str());
                    tell(tx, &authority, happened.with(None, Some(fields(json!({"rows": told})))))?;
                }
                Ok::<_, Error>(rows.len() as u64)
            });
            let erased = erased.await?;
            count += erased;
            if erased < BATCH.unsigned_abs() {
                return Ok(count);
            }
        }
    }

    /// Looks at an agency's whole chain: edited, deleted and swapped rows, and with `expect` (a head that was written
    /// down earlier) also a tail that was cut off.
    pub async fn verify_audit(&self, context: &AgencyContext, expect: Option<Head>) -> Result<Verified> {
        let agency = whole_log(context, Scope::KeysRead)?.agency();
        self.seal_audit().await?;
        let mut verified = Verified { rows: 0, head: Head { position: 0, seal: [0; 32] }, problems: Vec::new() };
        let mut expected = expect;
        let mut erasures = Erasures::default();
        loop {
            let after = verified.head.position;
            let rows = self.store.read(move |tx| audit::sealed(tx, agency, after, 1000)).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                self.verify_row(agency, &row, &mut verified, &mut erasures);
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
        for (position, digest) in erasures.found {
            if erasures.told.get(&position) != Some(&digest) {
                verified.problems.push(format!("row {position} was erased or edited by nobody who says so"));
            }
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

    fn verify_row(&self, agency: AgencyId, sealed_row: &SealedRow, verified: &mut Verified, erasures: &mut Erasures) {
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
        let digest = digest(row);
        if row.erased {
            erasures.found.push((position, hex(&digest)));
        } else if digest == *stored {
            erasures.hear(row);
        } else {
            verified.problems.push(format!("row {position} ({} of {}) was edited", row.kind, row.subject));
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

/// Rows that were erased, and what the chain says of that.
#[derive(Default)]
struct Erasures {
    /// Position, and the digest of what is left.
    found: Vec<(i64, String)>,
    /// The same, as the rows say that tell of erasures.
    told: BTreeMap<i64, String>,
}

impl Erasures {
    /// Takes in what an unchanged row tells.
    fn hear(&mut self, row: &Event) {
        if row.kind != EventKind::AuditErased.as_str() {
            return;
        }
        let after: Option<Json> = row.after.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let rows = after.as_ref().and_then(|after| after["rows"].as_object());
        self.told.extend(
            rows.into_iter()
                .flatten()
                .filter_map(|(position, digest)| Some((position.parse().ok()?, digest.as_str()?.to_owned()))),
        );
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
