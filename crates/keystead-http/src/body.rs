//! Reading a request's body, within a size. Its time is the accept loop's.

use std::{
    error::Error,
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

use crate::pace::BodyFailure;

/// Bytes of a JSON body.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than allowed.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// The connection broke.
    Broken,
    /// The bodies of others take all the memory that bodies may have.
    NoRoom,
}

/// Bytes of all bodies that are in memory.
const ALL_BODIES: usize = 256 * BODY_LIMIT;
pub(crate) static IN_MEMORY: AtomicUsize = AtomicUsize::new(0);

/// Room for a body in memory, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    /// What all bodies take.
    all: &'static AtomicUsize,
    own: AtomicUsize,
}

impl Room {
    /// None as yet, of what all bodies may have.
    pub(crate) fn in_memory() -> Self {
        Self::none(&IN_MEMORY)
    }

    fn none(all: &'static AtomicUsize) -> Self {
        Self { all, own: AtomicUsize::new(0) }
    }

    pub(crate) fn grow(&self, bytes: usize) -> Result<(), BodyError> {
        let more = |all: usize| all.checked_add(bytes).filter(|all| *all <= ALL_BODIES);
        self.all.fetch_update(Relaxed, Relaxed, more).map_err(|_| BodyError::NoRoom)?;
        self.own.fetch_add(bytes, Relaxed);
        Ok(())
    }

    /// Gives back what has left the memory.
    pub(crate) fn shrink(&self, bytes: usize) {
        self.own.fetch_sub(bytes, Relaxed);
        self.all.fetch_sub(bytes, Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.all.fetch_sub(*self.own.get_mut(), Relaxed);
    }
}

/// A body that was read.
#[derive(Debug)]
pub struct ReadBody {
    bytes: Bytes,
    _room: Room,
}

impl ReadBody {
    /// The bytes alone, for bodies that are small.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl Deref for ReadBody {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyError {
    /// By what stands at the root of an error: libraries wrap it.
    pub(crate) fn of(error: Box<dyn Error + Send + Sync>) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
        while let Some(error) = cause {
            match error.downcast_ref() {
                Some(BodyFailure::TooSlow) => return Self::TooSlow,
                Some(BodyFailure::Broken) => return Self::Broken,
                None => cause = error.source(),
            }
        }
        Self::Broken
    }
}

/// Bytes beyond a limit that are still taken, so that the client comes to read its 413 instead of a reset.
const DRAINED: usize = 8 * BODY_LIMIT;

/// Reads the whole body, which may have up to `limit` bytes.
pub async fn read_body<B>(mut body: B, limit: usize) -> Result<ReadBody, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let room = Room::in_memory();
    if body.is_end_stream() {
        return Ok(ReadBody { bytes: Bytes::new(), _room: room });
    }
    let mut kept = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(|error| BodyError::of(error.into()))?.into_data() else { continue };
        length = length.saturating_add(chunk.len());
        if length <= limit {
            room.grow(chunk.len())?;
            kept.extend_from_slice(&chunk);
        } else if length > limit + DRAINED {
            break;
        }
    }
    if length > limit { Err(BodyError::TooLarge) } else { Ok(ReadBody { bytes: kept.freeze(), _room: room }) }
}

/// Takes what is left of a body that nobody reads, for the same reason. Whether that was all of it.
pub(crate) async fn drain<B: Body<Data = Bytes> + Unpin>(mut body: B) -> bool {
    let mut left = DRAINED;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[test]
    fn bodies_have_so_much_memory_together() {
        static ALL: AtomicUsize = AtomicUsize::new(0);
        let (one, other) = (Room::none(&ALL), Room::none(&ALL));
        assert_eq!(one.grow(ALL_BODIES - 10), Ok(()));
        assert_eq!((other.grow(10), other.grow(1)), (Ok(()), Err(BodyError::NoRoom)));
        drop(one);
        assert_eq!(other.grow(3), Ok(()));
        other.shrink(2);
        assert_eq!(ALL.load(Relaxed), 11);
        drop(other);
        assert_eq!(ALL.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn a_body_is_as_long_as_allowed() {
        let read = async |limit| read_body(Full::new(Bytes::from_static(b"12345")), limit).await;
        assert_eq!(read(5).await.map(|body| body.len()), Ok(5));
        assert_eq!(read(4).await.err(), Some(BodyError::TooLarge));
    }
}
