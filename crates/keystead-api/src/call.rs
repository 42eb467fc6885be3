//! What a handler gets besides its context.

use std::sync::Arc;

use keystead_core::{App, Error};
use serde_json::{Map, Value};

use crate::{
    reader::Reader,
    route::Face,
    sent::Sent,
    shape::{Bare, Body, Ground, Path, Way, input},
};

/// One call of a route: the application, and what stands in its path, its query and its body.
pub(crate) struct Call<P = (), Q = Bare, B = ()> {
    pub(crate) app: App,
    pub(crate) path: P,
    pub(crate) query: Q,
    pub(crate) body: B,
    /// `https://crm.example`, for links in answers.
    pub(crate) base_url: Arc<str>,
}

/// A call before its input was read.
pub(crate) struct Asked {
    pub(crate) app: App,
    /// The path's parameters, but for a location that the context has.
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: Map<String, Value>,
    /// Those headers that the route asks for.
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Sent,
    pub(crate) ground: Ground,
    pub(crate) way: Way,
    /// Whether the answer is kept for a repeated request.
    pub(crate) is_kept: bool,
}

impl Asked {
    /// Reads everything, and reports everything that is wrong at once.
    pub(crate) fn read<P: Path, Q: input::Input, B: Body>(self) -> Result<Call<P, Q, B>, Error> {
        let Self { app, params, query, headers, body, ground, way, is_kept: _ } = self;
        let path = P::read(&mut params.iter().map(|(_, text)| text.as_str()))?;
        // API 1.0 was never strict: what it does not know it passes over.
        let is_lenient = way.face == Face::V1;
        let (query, mut violations) = input::read::<Q>(Reader::query(query, &ground).with_headers(headers), is_lenient);
        let (body, more) = B::of(body, &ground, is_lenient);
        violations.extend(more);
        match (query, body) {
            _ if !violations.is_empty() => Err(Error::Invalid(violations)),
            (Some(query), Some(body)) => {
                Ok(Call { app, path, query, body, base_url: way.base_url.unwrap_or_default() })
            }
            _ => Err(Error::Internal("an input was refused without a word".to_owned())),
        }
    }
}
