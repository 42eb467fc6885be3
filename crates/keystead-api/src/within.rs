//! Calls of a route from within the process, by somebody whose authority is known: no request, no key, no limits of a key.
//! The command line is such a caller.

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Frame;
use keystead_core::{App, Authority, Error, InParts};
use keystead_model::LocationId;
use serde_json::{Map, Value};

use crate::{
    call::Asked,
    dispatch::ground_in,
    reply::{Payload, Reply},
    route::{Access, Handler, Route},
    sent::Sent,
    shape::{Ground, Way, input::Described},
    v2::Version,
};

/// What is said to a route.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Ids, as [`Route::path_names`] has them.
    pub path: Vec<String>,
    /// The query.
    pub query: Map<String, Value>,
    /// The body.
    pub body: Map<String, Value>,
    /// `https://crm.example`, for addresses of ours in the answer; without it they begin with their path.
    pub base_url: Option<Arc<str>>,
}

impl Route {
    /// The names of the path's parameters, but for the location that a route is inside of, which the caller names apart.
    pub fn path_names(&self) -> impl Iterator<Item = &'static str> {
        let names = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let is_inside = self.access() == Access::Location;
        names.filter(move |name| !(is_inside && *name == "locationId"))
    }

    /// The schema of its query, an object's.
    pub fn query_schema(&self) -> Value {
        schema(&self.shapes.query)
    }

    /// The schema of its body; `None` where it takes none.
    pub fn body_schema(&self) -> Option<Value> {
        self.shapes.body.as_ref().map(schema)
    }

    /// Does what a request of the same words would do, and answers the same in the newest shape. A route inside a location
    /// needs to be told which.
    pub async fn call(
        &self,
        app: &App,
        authority: Authority,
        location: Option<LocationId>,
        words: Words,
    ) -> Result<Value, Error> {
        let reply = self.reply(app, authority, location, words).await?;
        serde_json::from_slice(&reply.body)
            .map_err(|error| Error::Internal(format!("{} answers no JSON: {error}", self.endpoint)))
    }

    /// Whether it answers a file and no JSON.
    pub fn answers_file(&self) -> bool {
        !self.shapes.is_kept
    }

    /// The same as [`Route::call`] for one that answers a file.
    pub async fn file(
        &self,
        app: &App,
        authority: Authority,
        location: Option<LocationId>,
        words: Words,
    ) -> Result<Sending, Error> {
        let Reply { body, stream, .. } = self.reply(app, authority, location, words).await?;
        Ok(Sending(stream.map_or_else(|| Payload::Left(body.into()), Payload::Right)))
    }

    async fn reply(
        &self,
        app: &App,
        authority: Authority,
        location: Option<LocationId>,
        words: Words,
    ) -> Result<Reply, Error> {
        let agency = Some(authority.agency());
        let asked = |words: Words, ground| Asked {
            app: app.clone(),
            params: self.path_names().map(str::to_owned).zip(words.path).collect(),
            query: words.query,
            headers: Map::new(),
            body: Sent::fields(words.body),
            ground,
            way: Way { base_url: words.base_url, ..Way::of(self.face, Version::V3) },
            is_kept: false,
        };
        match &self.handler {
            Handler::Location(handler) => {
                let context = app.enter_location(authority, location).await?;
                let ground = ground_in(app, self, &context, &words.body).await?;
                handler(context, asked(words, ground)).await
            }
            Handler::Agency(handler) => handler(authority.in_agency()?, asked(words, Ground::of_agency(agency))).await,
            Handler::Either(handler) => handler(authority, asked(words, Ground::of_agency(agency))).await,
            Handler::Open(handler) | Handler::Public(handler) => {
                handler((), asked(words, Ground::of_agency(None))).await
            }
        }
    }
}

/// A file that a route answers.
pub struct Sending(Payload);

impl InParts for Sending {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        while let Some(frame) = self.0.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(bytes)) => return Ok(Some(bytes.into())),
                // What follows a body says nothing here.
                Ok(Err(_)) => {}
                Err(failed) => return Err(failed.downcast().map_or_else(broken, |error| *error)),
            }
        }
        Ok(None)
    }
}

fn broken(failed: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Internal(format!("a file breaks off: {failed}"))
}

fn schema(described: &Described) -> Value {
    described.outline.clone().into_schema(false)
}
