//! Streams of events that are open: so many in all, and so many of one member.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use keystead_model::UserId;

/// Browsers that do not get a stream ask now and then.
const ALL: usize = 2_000;
/// A member's windows and devices.
const OF_ONE: usize = 10;

#[derive(Default)]
pub(crate) struct Streams(Mutex<Open>);

#[derive(Default)]
struct Open {
    all: usize,
    by_member: HashMap<UserId, usize>,
}

/// A stream that is open until this is dropped.
pub(crate) struct Stream {
    member: UserId,
    streams: Arc<Streams>,
}

impl Streams {
    /// One more, if there may be one.
    pub(crate) fn open(self: &Arc<Self>, member: UserId) -> Option<Stream> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_member.get(&member).copied().unwrap_or(0);
        if open.all >= ALL || own >= OF_ONE {
            return None;
        }
        open.all += 1;
        open.by_member.insert(member, own + 1);
        Some(Stream { member, streams: Arc::clone(self) })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(own) = open.by_member.get_mut(&self.member) {
            *own -= 1;
            if *own == 0 {
                open.by_member.remove(&self.member);
            }
        }
    }
}
