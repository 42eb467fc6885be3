//! Reading a request's body, within a size. Its time is the accept loop's.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

use crate::{RequestBody, pace::BodyFailure};

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

impl From<BodyFailure> for BodyError {
    fn from(failure: BodyFailure) -> Self {
        match failure {
            BodyFailure::TooSlow => Self::TooSlow,
            BodyFailure::Broken => Self::Broken,
        }
    }
}

/// Bytes beyond a limit that are still taken, so that the client comes to read its 413 instead of a reset.
const DRAINED: usize = 8 * BODY_LIMIT;

/// Reads the whole body, which may have up to `limit` bytes.
pub async fn read_body(mut body: RequestBody, limit: usize) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut kept = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else { continue };
        length = length.saturating_add(chunk.len());
        if length <= limit {
            kept.extend_from_slice(&chunk);
        } else if length > limit + DRAINED {
            break;
        }
    }
    if length > limit { Err(BodyError::TooLarge) } else { Ok(kept.freeze()) }
}
