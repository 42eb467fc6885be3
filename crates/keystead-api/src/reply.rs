//! An answer before it is bytes.

use bytes::Bytes;
use serde::Serialize;

/// What an operation answers.
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Body; its kind is told by `content`.
    pub body: Vec<u8>,
    /// What the body is.
    pub(crate) content: Content,
    /// A body for the idempotency store, where the real one holds a secret.
    pub(crate) replay: Option<Vec<u8>>,
    /// The tag of the thing that is answered, without quotes.
    pub(crate) tag: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A JSON object, which API 2.0 answers with `traceId`.
    Object,
    /// Any other JSON.
    Json,
    /// Plain text.
    Text,
}

impl Reply {
    /// JSON that is no object: API 1.0's `""`.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        Self { status, body: to_json(body), content: Content::Json, replay: None, tag: None }
    }

    /// No body, as text.
    pub(crate) fn empty_text() -> Self {
        Self { status: 200, body: Vec::new(), content: Content::Text, replay: None, tag: None }
    }

    /// The body to keep for a repeated request, with the id of the request that had the effect.
    pub(crate) fn for_replay(&self, trace: &str) -> String {
        let kept = Self {
            status: self.status,
            body: self.replay.as_ref().unwrap_or(&self.body).clone(),
            content: self.content,
            replay: None,
            tag: None,
        };
        String::from_utf8_lossy(&kept.finish(trace).0).into_owned()
    }

    /// The body with the request's id in it, where the contract wants that.
    pub(crate) fn finish(mut self, trace: &str) -> (Bytes, &'static str) {
        if self.content == Content::Object && self.body.last() == Some(&b'}') {
            self.body.pop();
            if self.body.len() > 1 {
                self.body.push(b',');
            }
            self.body.extend_from_slice(b"\"traceId\":\"");
            self.body.extend_from_slice(trace.as_bytes());
            self.body.extend_from_slice(b"\"}");
        }
        let kind = match self.content {
            Content::Object | Content::Json => "application/json; charset=utf-8",
            Content::Text => "text/plain; charset=utf-8",
        };
        (self.body.into(), kind)
    }
}

fn to_json(body: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    // Our shapes have text keys and finite numbers, which is all that could fail.
    serde_json::to_writer(&mut bytes, body).expect("an answer is JSON");
    bytes
}
