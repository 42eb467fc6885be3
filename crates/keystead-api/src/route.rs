//! A route: what the table of routes is made of. The type of a handler says who may call it.

use std::{future::Future, pin::Pin};

use http::Method;
use keystead_core::{AgencyContext, Authority, Error, LocationContext};
use keystead_model::scope::Scope;

use crate::{call::Call, reply::Reply};

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
}

type Answer = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// A handler, by what it needs.
pub(crate) enum Handler {
    Location(Box<dyn Fn(LocationContext, Call) -> Answer + Send + Sync>),
    Agency(Box<dyn Fn(AgencyContext, Call) -> Answer + Send + Sync>),
    Either(Box<dyn Fn(Authority, Call) -> Answer + Send + Sync>),
    Open(Box<dyn Fn(Call) -> Answer + Send + Sync>),
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
        }
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

    fn add(&mut self, endpoint: &'static str, scope: Option<Scope>, handler: Handler) {
        let (method, path) = endpoint.split_once(' ').expect("an endpoint is a method and a path");
        let method = method.parse().expect("a method");
        self.rows.push(Route { face: self.face, method, path, scope, endpoint, handler });
    }

    /// A route inside a location.
    pub(crate) fn location<F>(
        mut self,
        endpoint: &'static str,
        scope: Scope,
        handler: impl Fn(LocationContext, Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Reply, Error>> + Send + 'static,
    {
        let boxed = move |context, call| -> Answer { Box::pin(handler(context, call)) };
        self.add(endpoint, Some(scope), Handler::Location(Box::new(boxed)));
        self
    }

    /// A route on the agency.
    pub(crate) fn agency<F>(
        mut self,
        endpoint: &'static str,
        scope: Scope,
        handler: impl Fn(AgencyContext, Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Reply, Error>> + Send + 'static,
    {
        let boxed = move |context, call| -> Answer { Box::pin(handler(context, call)) };
        self.add(endpoint, Some(scope), Handler::Agency(Box::new(boxed)));
        self
    }

    /// A route for either kind of key.
    pub(crate) fn either<F>(
        mut self,
        endpoint: &'static str,
        scope: Option<Scope>,
        handler: impl Fn(Authority, Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Reply, Error>> + Send + 'static,
    {
        let boxed = move |authority, call| -> Answer { Box::pin(handler(authority, call)) };
        self.add(endpoint, scope, Handler::Either(Box::new(boxed)));
        self
    }

    /// A route for anybody, limited by where it comes from.
    pub(crate) fn open<F>(mut self, endpoint: &'static str, handler: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Reply, Error>> + Send + 'static,
    {
        let boxed = move |call| -> Answer { Box::pin(handler(call)) };
        self.add(endpoint, None, Handler::Open(Box::new(boxed)));
        self
    }

    pub(crate) fn rows(self) -> Vec<Route> {
        self.rows
    }
}
