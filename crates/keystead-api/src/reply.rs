//! An answer before it is bytes.

use bytes::Bytes;
use serde::Serialize;

use crate::v2::Version;

/// What an operation answers.
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Body; its kind is told by `content`.
    pub body: Vec<u8>,
    /// What the body is.
    pub(crate) content: Content,
    /// Bodies for a repeated request, in the older shapes and in those of v3, without secrets: where the answer is to be kept.
    pub(crate) kept: Option<[Vec<u8>; 2]>,
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
        Self { status, body: to_json(body), content: Content::Json, kept: None, tag: None }
    }

    /// No body, as text.
    pub(crate) fn empty_text() -> Self {
        Self { status: 200, body: Vec::new(), content: Content::Text, kept: None, tag: None }
    }

    /// What to keep for a repeated request, with the id of the request that had the effect: a line for each shape in which it
    /// may be asked for, the older one first. JSON as we write it has no line breaks.
    pub(crate) fn for_replay(&self, trace: &str) -> String {
        let line = |body: &Vec<u8>| {
            let line = Self { status: self.status, body: body.clone(), content: self.content, kept: None, tag: None };
            String::from_utf8_lossy(&line.finish(trace).0).into_owned()
        };
        match &self.kept {
            Some([older, v3]) if older != v3 => format!("{}\n{}", line(older), line(v3)),
            Some([only, _]) => line(only),
            None => line(&self.body),
        }
    }

    /// Answers a request that was answered before, in the shape that is asked for now.
    pub(crate) fn replayed(status: u16, kept: &str, version: Version) -> Self {
        let (older, v3) = kept.split_once('\n').unwrap_or((kept, kept));
        let body = if version == Version::V3 { v3 } else { older };
        Self { status, body: body.as_bytes().to_vec(), content: Content::Json, kept: None, tag: None }
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
