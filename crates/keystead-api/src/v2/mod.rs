//! API 2.0: handlers, wire shapes and the mapper of failures.

pub(crate) mod actor;
pub mod api_keys;
pub(crate) mod audit_logs;
pub(crate) mod businesses;
pub(crate) mod by_time;
pub(crate) mod campaigns;
pub(crate) mod clicks;
pub(crate) mod companies;
pub mod contacts;
pub(crate) mod custom_fields;
pub(crate) mod custom_values;
pub(crate) mod events;
pub(crate) mod failure;
pub(crate) mod field_values;
pub(crate) mod files;
pub(crate) mod forms;
pub mod imports;
pub mod inbound_webhooks;
pub(crate) mod links;
pub(crate) mod locations;
pub(crate) mod notes;
pub(crate) mod notifications;
pub(crate) mod opportunities;
pub(crate) mod page;
pub(crate) mod pipelines;
pub(crate) mod recurring_tasks;
pub(crate) mod rows;
pub(crate) mod samples;
pub(crate) mod search;
pub(crate) mod submissions;
pub(crate) mod succeeded;
pub(crate) mod tags;
pub(crate) mod tasks;
pub(crate) mod templates;
pub(crate) mod users;
pub(crate) mod webhooks;
pub(crate) mod workflows;

use http::HeaderMap;
use keystead_core::ErrorCode;
use keystead_model::text::echo;

use crate::failure::Failure;

/// Which shapes a client wants. Paths and inputs are the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Every version before v3.
    V2021,
    /// `Version: v3`.
    V3,
}

impl Version {
    const KNOWN: &[&str] = &["2021-07-28", "2021-04-15", "2023-02-21", "legacy", "v3"];
    /// Those whose shapes are the older ones.
    pub(crate) const OLDER: &[&str] = &["2021-07-28", "2021-04-15", "2023-02-21", "legacy"];

    /// From the `Version` header; without one the older shapes, where the original answers 401.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Failure> {
        let mut sent = headers.get_all("version").iter();
        let Some(value) = sent.next() else { return Ok(Self::V2021) };
        let refused = |problem: String| Err(Failure::new(ErrorCode::VersionUnknown, problem));
        if sent.any(|other| other != value) {
            return refused("The Version header is sent twice and says two things; send it once".to_owned());
        }
        let known = Self::KNOWN.join(", ");
        match value.to_str().ok().map(str::trim) {
            Some("v3") => Ok(Self::V3),
            Some(version) if Self::KNOWN.contains(&version) => Ok(Self::V2021),
            Some("") => refused(format!("The Version header is empty; leave it out, or use {known}")),
            other => refused(format!("Version {} is not known; use {known}", echo(other.unwrap_or("?")))),
        }
    }
}
