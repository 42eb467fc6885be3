// Included twice (see `keys/mod.rs`): with the locks of the standard library for the server, and with those of loom for
// the model, which tries every interleaving of this very text.

/// Counts the invalidations of a shard of the cache.
///
/// What was read before an invalidation may be what was true before the change: it must not come back. The lock makes
/// "unchanged since the read began, so keep it" one step.
#[derive(Default)]
pub(crate) struct Generation(Mutex<u64>);

impl Generation {
    /// A read begins. Its result may be kept only with this number.
    pub(crate) fn begin(&self) -> u64 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the result of a read that began with `begun`, unless something was invalidated since.
    pub(crate) fn keep(&self, begun: u64, insert: impl FnOnce()) {
        let generation = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *generation == begun {
            insert();
        }
    }

    /// Forgets, and lets no read that is under way bring back what is forgotten.
    pub(crate) fn invalidate(&self, remove: impl FnOnce()) {
        let mut generation = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        remove();
    }
}

/// Whether a request that arrived at `arrived` may use the result of a read that began at `begun`: only a read that began
/// after the request arrived can say what is true for it.
pub(crate) fn may_share<T: PartialOrd>(begun: T, arrived: T) -> bool {
    begun >= arrived
}
