//! The sites whose pages may use some key, as this node knows them: what answers a browser that asks before it sends a key.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use keystead_store::api_keys;

use crate::{App, Result};

/// What was read last; nothing before the first time.
#[derive(Default)]
pub(crate) struct KnownOrigins(RwLock<Option<BTreeSet<String>>>);

impl KnownOrigins {
    pub(super) fn are_read(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl App {
    /// Whether pages of `origin` may use some key, whosever it is. Costs no look at any key.
    pub fn is_origin_of_a_key(&self, origin: &str) -> bool {
        let known = self.origins.0.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().is_some_and(|known| known.contains(origin))
    }

    /// Reads them anew: some key has changed.
    pub(super) async fn read_origins(&self) -> Result<()> {
        let origins = self.store.follow(api_keys::origins).await?;
        *self.origins.0.write().unwrap_or_else(PoisonError::into_inner) = Some(origins);
        Ok(())
    }
}
