//! Reading a request's body, within a size and a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

/// Bytes of a JSON body.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// A body must have arrived within this.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than [`BODY_LIMIT`].
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// The connection broke.
    Broken,
}

/// Bytes beyond the limit that are still taken, so that the client comes to read its 413 instead of a reset.
const DRAINED: usize = 8 * BODY_LIMIT;

/// Reads the whole body.
pub async fn read_body<B>(body: B) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    tokio::time::timeout(BODY_TIME, collect(body)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect<B>(mut body: B) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut kept = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        length = length.saturating_add(chunk.len());
        if length <= BODY_LIMIT {
            kept.extend_from_slice(&chunk);
        } else if length > BODY_LIMIT + DRAINED {
            break;
        }
    }
    if length > BODY_LIMIT { Err(BodyError::TooLarge) } else { Ok(kept.freeze()) }
}
