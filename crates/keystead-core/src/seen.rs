//! What a caller has seen of a thing that it wants to change, so that nothing is written over what somebody else has changed
//! meanwhile (`If-Match`). Looked at in the transaction of the change.

use std::{any::Any, sync::Arc};

use crate::{Authority, Error, ErrorCode, Result};

/// Tells whether a thing is still what its caller has seen.
#[derive(Clone)]
pub struct Seen(Arc<IsSeen>);

type IsSeen = dyn Fn(&dyn Any) -> bool + Send + Sync;

impl Seen {
    /// Of a `T`: anything else is not what was seen.
    pub fn new<T: 'static>(is_seen: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |thing| thing.downcast_ref().is_some_and(&is_seen)))
    }
}

impl Authority {
    /// The same authority for a request that changes only what it has seen.
    pub fn with_seen(mut self, seen: Seen) -> Self {
        self.seen = Some(seen);
        self
    }

    /// Refuses if the caller has seen the thing otherwise.
    pub(crate) fn expect<T: 'static>(&self, thing: &T) -> Result<()> {
        match &self.seen {
            Some(Seen(is_seen)) if !is_seen(thing) => {
                let message = "If-Match names another state of it than the one that it is in".to_owned();
                Err(Error::Conflict(ErrorCode::PreconditionFailed, message))
            }
            _ => Ok(()),
        }
    }
}
