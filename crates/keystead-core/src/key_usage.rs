//! How much a key is used: for its page, and to see which of its scopes nobody needs.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use keystead_model::{
    KeyId, UtcMs,
    scope::Scope,
    time::{DAY_MS, HOUR_MS},
};
use keystead_store::key_usage::{self, KeyUsage};

use crate::{App, Authority, Result, keys::uses::KeyActivity};

/// Sums by hour are kept this long.
const KEPT_MS: i64 = 100 * DAY_MS;

/// Counts the answered requests of one key, in this node's memory until the next flush.
#[derive(Clone)]
pub struct UsageCounter(pub(crate) Arc<KeyActivity>);

impl UsageCounter {
    /// Counts one answer.
    pub fn count(&self, endpoint: &'static str, scope: Option<Scope>, status: u16, now: UtcMs) {
        self.0.count(endpoint, scope, u8::try_from(status / 100).unwrap_or(5), now);
    }
}

/// Some time, in steps: hours, or days of whatever zone.
#[derive(Clone, Debug)]
pub struct Steps {
    begins: Vec<UtcMs>,
    until: UtcMs,
}

impl Steps {
    /// Steps that begin at these instants, which ascend; the last is over at `until`.
    pub fn new(begins: Vec<UtcMs>, until: UtcMs) -> Self {
        Self { begins, until }
    }

    /// Steps of `length` milliseconds of UTC, the first with `from` in it.
    pub fn even(from: UtcMs, until: UtcMs, length: i64) -> Self {
        let from = UtcMs(from.0.div_euclid(length) * length);
        let count = ((until - from).max(0) + length - 1) / length;
        Self::new((0..count).map(|number| UtcMs(from.0 + number * length)).collect(), until)
    }

    /// The hours that have something of it. Sums are kept by hours of UTC; one that two steps share, as days of some zones do,
    /// belongs to the step with its middle.
    pub(crate) fn hours(&self) -> std::ops::Range<UtcMs> {
        let first = self.begins.first().copied().unwrap_or(self.until);
        UtcMs(first.0 - HOUR_MS / 2)..self.until
    }

    /// When each begins.
    pub fn begins(&self) -> &[UtcMs] {
        &self.begins
    }

    /// The step that an hour belongs to.
    pub fn of_hour(&self, hour: UtcMs) -> Option<usize> {
        let middle = UtcMs(hour.0 + HOUR_MS / 2);
        self.begins.partition_point(|begin| *begin <= middle).checked_sub(1)
    }

    /// One for each, with nothing in it yet.
    pub(crate) fn empty(&self) -> Vec<(UtcMs, [i64; 6])> {
        self.begins.iter().map(|begin| (*begin, [0; 6])).collect()
    }
}

/// A key's use over some time.
#[derive(Clone, Debug, Default)]
pub struct UsageReport {
    /// Requests by step (hour or day) and by the class of their answer: index 2 is 2xx. Every step is there.
    pub steps: Vec<(UtcMs, [i64; 6])>,
    /// Requests that counted as uses.
    pub requests: i64,
    /// Attempts that were refused before they counted.
    pub failed: i64,
    /// Routes, most used first.
    pub endpoints: Vec<(String, i64)>,
    /// Scopes that were needed, and how often.
    pub scopes: BTreeMap<Scope, i64>,
}

impl App {
    /// The use of a key over some time: what is stored, and what this node has counted since its last flush. What other nodes
    /// count comes with their next one, within 30 seconds.
    pub async fn key_usage(&self, authority: &Authority, id: KeyId, steps: Steps) -> Result<UsageReport> {
        self.get_key(authority, id).await?;
        let hours = steps.hours();
        let (from, until) = (hours.start, hours.end);
        let mut rows = self.store.read(move |tx| key_usage::of_key(tx, id, from, until)).await?;
        rows.extend(self.uses.counted(id).into_iter().filter(|counted| hours.contains(&counted.hour)));
        let mut report = UsageReport { steps: steps.empty(), ..UsageReport::default() };
        let mut endpoints: BTreeMap<String, i64> = BTreeMap::new();
        for KeyUsage { key: _, hour, endpoint, class, scope, requests } in rows {
            let class = usize::try_from(class).unwrap_or(0).min(5);
            let Some(step) = steps.of_hour(hour) else { continue };
            report.steps[step].1[class] += requests;
            if class == 0 {
                report.failed += requests;
                continue;
            }
            report.requests += requests;
            *endpoints.entry(endpoint).or_default() += requests;
            if let Some(scope) = scope {
                *report.scopes.entry(scope).or_default() += requests;
            }
        }
        report.endpoints = endpoints.into_iter().collect();
        report.endpoints.sort_by_key(|(_, requests)| Reverse(*requests));
        Ok(report)
    }

    /// Forgets the sums of long ago. Called by the jobs.
    pub async fn trim_usage(&self) -> Result<u64> {
        let before = UtcMs(self.clock.now().0 - KEPT_MS);
        Ok(self.store.write(move |tx| key_usage::trim(tx, before)).await?)
    }
}
