//! What leads from one program to the next: a message says with which event it began, and whoever acts because of it may say so, too.
//! Programs that answer each other for ever come to an end so.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keystead_model::{
    AgencyId,
    event::{Cause, EventId, NewEvent},
    id::Id,
};
use subtle::ConstantTimeEq;

use crate::{App, InstanceSecret};

/// The header that says it, in both directions.
pub const CHAIN_HEADER: &str = "keystead-chain";
/// Events that lead to each other by way of other programs; more are not told.
pub(super) const LONGEST: u32 = 16;

/// What is told of an event: `root.depth.version.mac`. Nobody else can write it, so that nobody blames what they do on others.
pub(super) fn of(secret: &InstanceSecret, agency: AgencyId, root: EventId, depth: u32) -> String {
    let version = secret.current();
    let mac = mac(secret, version, agency, root, depth).unwrap_or_default();
    format!("{root}.{depth}.{version}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn mac(secret: &InstanceSecret, version: i64, agency: AgencyId, root: EventId, depth: u32) -> Option<[u8; 32]> {
    let parts = [agency.as_str().as_bytes(), root.as_str().as_bytes(), &depth.to_be_bytes()];
    secret.mac(version, "keystead chain of events", &parts)
}

/// With which event a message about this one began, and how far that is.
pub(super) fn place(event: &NewEvent) -> (EventId, u32) {
    (event.cause.root.unwrap_or(event.id), event.cause.depth + 1)
}

impl App {
    /// Why somebody of an agency does something, as they tell by [`CHAIN_HEADER`]; nothing of what is not ours.
    pub fn cause_of(&self, agency: AgencyId, told: &str) -> Option<Cause> {
        let [root, depth, version, sent] = told.split('.').collect::<Vec<_>>()[..] else { return None };
        let (root, depth, version) = (Id::parse(root)?, depth.parse().ok()?, version.parse().ok()?);
        let sent = URL_SAFE_NO_PAD.decode(sent).ok()?;
        let is_ours: bool = mac(&self.secret, version, agency, root, depth)?.as_slice().ct_eq(&sent).into();
        is_ours.then_some(Cause { root: Some(root), depth })
    }
}
