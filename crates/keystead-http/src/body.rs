//! Reading a request's body, within a size. Its time is the accept loop's.

use std::error::Error;

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
}

impl BodyError {
    /// By what stands at the root of an error: libraries wrap it.
    fn of(error: Box<dyn Error + Send + Sync>) -> Self {
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
pub async fn read_body<B>(mut body: B, limit: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut kept = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(|error| BodyError::of(error.into()))?.into_data() else { continue };
        length = length.saturating_add(chunk.len());
        if length <= limit {
            kept.extend_from_slice(&chunk);
        } else if length > limit + DRAINED {
            break;
        }
    }
    if length > limit { Err(BodyError::TooLarge) } else { Ok(kept.freeze()) }
}
