//! An answer before it is bytes.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use http_body_util::{Either, Full, combinators::UnsyncBoxBody};
use serde::Serialize;

use crate::v2::Version;

/// Bytes of an answer, all at once or one after another.
pub type Payload = Either<Full<Bytes>, Stream>;

/// An answer that is made while it is sent. If it fails the connection breaks, so that nobody takes it for whole.
pub(crate) type Stream = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// What an operation answers.
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Body; its kind is told by `content`.
    pub body: Vec<u8>,
    /// What comes instead of a body.
    pub(crate) stream: Option<Stream>,
    /// What the body is.
    pub(crate) content: Content,
    /// Bodies for a repeated request, in the older shapes and in those of v3, without secrets: where the answer is to be kept.
    pub(crate) kept: Option<[Vec<u8>; 2]>,
    /// The tag of the thing that is answered, without quotes.
    pub(crate) tag: Option<String>,
    /// What else its headers say.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// A JSON object, which API 2.0 answers with `traceId`.
    Object,
    /// Any other JSON.
    Json,
    /// Anything else, by its media type.
    Other(&'static str),
}

impl Reply {
    /// A success.
    pub(crate) fn of(body: Vec<u8>, content: Content) -> Self {
        Self { status: 200, body, stream: None, content, kept: None, tag: None, headers: Vec::new() }
    }

    /// JSON that is no object: API 1.0's `""`.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        Self { status, ..Self::of(to_json(body), Content::Json) }
    }

    /// No body, as text.
    pub(crate) fn empty_text() -> Self {
        Self::of(Vec::new(), Content::Other("text/plain; charset=utf-8"))
    }

    /// What to keep for a repeated request, with the id of the request that had the effect: a line for each shape in which it
    /// may be asked for, the older one first. JSON as we write it has no line breaks.
    pub(crate) fn for_replay(&self, trace: &str) -> String {
        let line = |body: &Vec<u8>| {
            let mut body = body.clone();
            self.content.sign(&mut body, trace);
            String::from_utf8_lossy(&body).into_owned()
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
        Self { status, ..Self::of(body.as_bytes().to_vec(), Content::Json) }
    }

    /// The body with the request's id in it, where the contract wants that.
    pub(crate) fn finish(mut self, trace: &str) -> (Payload, &'static str) {
        self.content.sign(&mut self.body, trace);
        let kind = match self.content {
            Content::Object | Content::Json => "application/json; charset=utf-8",
            Content::Other(kind) => kind,
        };
        let whole = self.body;
        (self.stream.map_or_else(|| Either::Left(Full::new(whole.into())), Either::Right), kind)
    }
}

impl Content {
    /// Puts a request's id into an object.
    fn sign(self, body: &mut Vec<u8>, trace: &str) {
        if self == Self::Object && body.last() == Some(&b'}') {
            body.pop();
            if body.len() > 1 {
                body.push(b',');
            }
            body.extend_from_slice(b"\"traceId\":\"");
            body.extend_from_slice(trace.as_bytes());
            body.extend_from_slice(b"\"}");
        }
    }
}

fn to_json(body: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    // Our shapes have text keys and finite numbers, which is all that could fail.
    serde_json::to_writer(&mut bytes, body).expect("an answer is JSON");
    bytes
}
