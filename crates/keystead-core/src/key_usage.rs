//! How much a key is used: for its page, and to see which of its scopes nobody needs.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use keystead_model::{KeyId, UtcMs, scope::Scope, time::DAY_MS};
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
    /// The use of a key from one instant until another, in steps of `step` milliseconds: what is stored, and what this
    /// node has counted since its last flush. What other nodes count comes with their next one, within 30 seconds.
    pub async fn key_usage(
        &self,
        authority: &Authority,
        id: KeyId,
        from: UtcMs,
        until: UtcMs,
        step: i64,
    ) -> Result<UsageReport> {
        self.get_key(authority, id).await?;
        let from = UtcMs(from.0.div_euclid(step) * step);
        let mut rows = self.store.read(move |tx| key_usage::of_key(tx, id, from, until)).await?;
        rows.extend(self.uses.counted(id).into_iter().filter(|counted| (from..until).contains(&counted.hour)));
        let count = ((until - from).max(0) + step - 1) / step;
        let mut report = UsageReport {
            steps: (0..count).map(|number| (UtcMs(from.0 + number * step), [0; 6])).collect(),
            ..UsageReport::default()
        };
        let mut endpoints: BTreeMap<String, i64> = BTreeMap::new();
        for KeyUsage { key: _, hour, endpoint, class, scope, requests } in rows {
            let class = usize::try_from(class).unwrap_or(0).min(5);
            let index = usize::try_from((hour - from).div_euclid(step)).unwrap_or(0);
            if let Some((_, classes)) = report.steps.get_mut(index) {
                classes[class] += requests;
            }
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
