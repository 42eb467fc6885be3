//! A route: what the table of routes is made of. The type of a handler says who may call it, what it takes and what it
//! answers.

use std::{
    future::{Future, ready},
    pin::Pin,
};

use http::{HeaderMap, Method};
use keystead_core::{AgencyContext, Authority, Error, LocationContext, Seen};
use keystead_model::{custom_field::OwnerKind, scope::Scope};
use serde_json::{Map, Value};

use crate::{
    call::{Asked, Call},
    reader::Source,
    reply::Reply,
    shape::{
        Body, Input, Output, Path, Tagged, Way,
        input::{Described, describe},
        output::{Answer, Definitions},
        path::PathPart,
        tag::seen,
    },
    v2::Version,
};

/// Which API a route belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// API 1.0.
    V1,
    /// API 2.0.
    V2,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever acts in a location: a location key, or an agency key that reaches it.
    Location,
    /// An agency key.
    Agency,
    /// Either; the operation looks at what the key reaches.
    Either,
    /// Anybody, without a key.
    Open,
    /// Anybody, who only reads what is the same for all.
    Public,
}

type Replying = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;
type Boxed<C> = Box<dyn Fn(C, Asked) -> Replying + Send + Sync>;

/// A handler, by what it needs.
pub(crate) enum Handler {
    Location(Boxed<LocationContext>),
    Agency(Boxed<AgencyContext>),
    Either(Boxed<Authority>),
    Open(Boxed<()>),
    Public(Boxed<()>),
}

/// What a route takes and answers, as its handler's types have it.
pub(crate) struct Shapes {
    pub(crate) path: Vec<PathPart>,
    pub(crate) query: Described,
    pub(crate) body: Option<Described>,
    pub(crate) answer: fn(&mut Definitions) -> Answer,
    /// Whether the answer can be kept for a repeated request: JSON can.
    pub(crate) is_kept: bool,
}

/// One row of the table.
pub struct Route {
    /// Which API.
    pub face: Face,
    /// Method.
    pub method: Method,
    /// Path with `{parameters}`, without a slash at the end; both forms are served.
    pub path: &'static str,
    /// The scope that the operation asks for; `None` where it depends on the input or a key asks about itself.
    pub scope: Option<Scope>,
    /// `GET /contacts/{id}`, as uses and logs name it.
    pub endpoint: &'static str,
    /// What it does, for people.
    pub summary: &'static str,
    /// The status of a success.
    pub status: u16,
    /// Whether it answers for the key's location where the path has the parameter's name in place of an id.
    pub(crate) infers_location: bool,
    /// Reads what a request says that it has seen of the one thing that the route changes.
    pub(crate) seen: Option<fn(&HeaderMap) -> Option<Seen>>,
    pub(crate) shapes: Shapes,
    pub(crate) handler: Handler,
}

impl Route {
    /// Who may call it.
    pub fn access(&self) -> Access {
        match self.handler {
            Handler::Location(_) => Access::Location,
            Handler::Agency(_) => Access::Agency,
            Handler::Either(_) => Access::Either,
            Handler::Open(_) => Access::Open,
            Handler::Public(_) => Access::Public,
        }
    }

    /// Whether it changes one thing only as its caller has seen it, by `If-Match`.
    pub fn takes_if_match(&self) -> bool {
        self.seen.is_some()
    }

    /// Whether it does something that a repeated request must not do again, by `Idempotency-Key`.
    pub(crate) fn heeds_idempotency_key(&self) -> bool {
        [Method::POST, Method::PUT, Method::PATCH].contains(&self.method) && self.access() != Access::Open
    }

    /// A body that it takes, with all fields that go together; `None` where it takes none.
    pub fn sample_body(&self) -> Option<Value> {
        self.shapes.body.as_ref().map(|body| Value::Object(body.example.clone()))
    }

    /// A query that it takes, likewise.
    pub fn sample_query(&self) -> Map<String, Value> {
        self.shapes.query.example.clone()
    }

    /// Bytes that the files of its form may have together; `None` where it takes no form.
    pub fn file_bytes(&self) -> Option<u64> {
        self.shapes.body.as_ref()?.file_bytes
    }

    /// Whether it takes a body of JSON.
    pub fn takes_json(&self) -> bool {
        self.shapes.body.as_ref().is_some_and(|body| body.file_bytes.is_none() || body.as_form.is_some())
    }

    /// For how many requests one with this body counts.
    pub(crate) fn size(&self, body: &Map<String, Value>) -> u32 {
        let counted = self.shapes.body.as_ref().and_then(|shape| body.get(shape.counted?)?.as_array());
        counted.map_or(1, |list| u32::try_from(list.len()).unwrap_or(u32::MAX).max(1))
    }

    /// The headers that its input asks for.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.shapes.query.headers.fields().map(|(name, ..)| name)
    }

    /// Whose custom fields its body has values of.
    pub(crate) fn asks_fields(&self) -> Option<OwnerKind> {
        self.shapes.body.as_ref()?.asks_fields
    }

    /// Whether what it takes is read by the rules of a place.
    pub(crate) fn asks_where(&self) -> bool {
        self.shapes.query.asks_where || self.shapes.body.as_ref().is_some_and(|body| body.asks_where)
    }
}

/// Builds the rows of one face.
pub(crate) struct Table {
    face: Face,
    rows: Vec<Route>,
}

impl Table {
    pub(crate) fn new(face: Face) -> Self {
        Self { face, rows: Vec::new() }
    }

    fn add<P: Path, Q: Input, B: Body, O: Output>(
        mut self,
        endpoint: &'static str,
        summary: &'static str,
        scope: Option<Scope>,
        status: u16,
        handler: Handler,
    ) -> Self {
        let (method, path) = endpoint.split_once(' ').expect("an endpoint is a method and a path");
        let method = method.parse().expect("a method");
        let way = Way::of(self.face, Version::V2021);
        let shapes = Shapes {
            path: P::describe(),
            query: describe::<Q>(Source::Query),
            body: B::describe(),
            answer: O::describe,
            is_kept: matches!(O::describe(&mut Definitions::of(way)), Answer::Json { .. }),
        };
        self.rows.push(Route {
            face: self.face,
            method,
            path,
            scope,
            endpoint,
            summary,
            status,
            infers_location: false,
            seen: None,
            shapes,
            handler,
        });
        self
    }

    /// A route inside a location.
    pub(crate) fn location<P: Path, Q: Input, B: Body, O: Output, F: Answering<O>>(
        self,
        endpoint: &'static str,
        summary: &'static str,
        scope: Scope,
        status: u16,
        handler: impl Fn(LocationContext, Call<P, Q, B>) -> F + Send + Sync + 'static,
    ) -> Self {
        self.add::<P, Q, B, O>(endpoint, summary, Some(scope), status, Handler::Location(boxed(status, handler)))
    }

    /// A route on the agency.
    pub(crate) fn agency<P: Path, Q: Input, B: Body, O: Output, F: Answering<O>>(
        self,
        endpoint: &'static str,
        summary: &'static str,
        scope: Scope,
        status: u16,
        handler: impl Fn(AgencyContext, Call<P, Q, B>) -> F + Send + Sync + 'static,
    ) -> Self {
        self.add::<P, Q, B, O>(endpoint, summary, Some(scope), status, Handler::Agency(boxed(status, handler)))
    }

    /// A route for either kind of key.
    pub(crate) fn either<P: Path, Q: Input, B: Body, O: Output, F: Answering<O>>(
        self,
        endpoint: &'static str,
        summary: &'static str,
        scope: Option<Scope>,
        status: u16,
        handler: impl Fn(Authority, Call<P, Q, B>) -> F + Send + Sync + 'static,
    ) -> Self {
        self.add::<P, Q, B, O>(endpoint, summary, scope, status, Handler::Either(boxed(status, handler)))
    }

    /// A route for anybody, limited by where it comes from.
    pub(crate) fn open<P: Path, Q: Input, B: Body, O: Output, F: Answering<O>>(
        self,
        endpoint: &'static str,
        summary: &'static str,
        status: u16,
        handler: impl Fn(Call<P, Q, B>) -> F + Send + Sync + 'static,
    ) -> Self {
        let handler = move |(), call| handler(call);
        self.add::<P, Q, B, O>(endpoint, summary, None, status, Handler::Open(boxed(status, handler)))
    }

    /// A route that shows anybody what is the same for all.
    pub(crate) fn public<Q: Input, O: Output, F: Answering<O>>(
        self,
        endpoint: &'static str,
        summary: &'static str,
        handler: impl Fn(Call<(), Q, ()>) -> F + Send + Sync + 'static,
    ) -> Self {
        let handler = move |(), call| handler(call);
        self.add::<(), Q, (), O>(endpoint, summary, None, 200, Handler::Public(boxed(200, handler)))
    }

    /// The last route changes one thing, which `If-Match` may name by its ETag.
    pub(crate) fn if_match<T: Tagged>(mut self) -> Self {
        let route = self.rows.last_mut().expect("a route that changes something");
        route.seen = Some(seen::<T>);
        self
    }

    /// The last route answers the same for every location, so that its id may be missing from the path.
    pub(crate) fn infers_location(mut self) -> Self {
        self.rows.last_mut().expect("a route in a location").infers_location = true;
        self
    }

    pub(crate) fn rows(self) -> Vec<Route> {
        self.rows
    }
}

/// What a handler returns.
pub(crate) trait Answering<O>: Future<Output = Result<O, Error>> + Send + 'static {}

impl<O, F: Future<Output = Result<O, Error>> + Send + 'static> Answering<O> for F {}

/// A handler that has its input read and its output written.
fn boxed<C: 'static, P: Path, Q: Input, B: Body, O: Output, F: Answering<O>>(
    status: u16,
    handler: impl Fn(C, Call<P, Q, B>) -> F + Send + Sync + 'static,
) -> Boxed<C> {
    Box::new(move |context, asked| {
        let (way, is_kept) = (asked.way.clone(), asked.is_kept);
        match asked.read() {
            Ok(call) => {
                let answering = handler(context, call);
                Box::pin(async move { Ok(answering.await?.reply(status, way, is_kept)) })
            }
            Err(refusal) => Box::pin(ready(Err(refusal))),
        }
    })
}
