//! What a handler gets besides its context.

use keystead_core::{App, Error};
use keystead_model::id::Id;
use serde_json::{Map, Value};

use crate::{
    reader::{PLACES, Reader, Slice},
    v2::Version,
};

/// One call of a route: the application, the path's parameters, query and body.
pub(crate) struct Call {
    pub(crate) app: App,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: Map<String, Value>,
    pub(crate) body: Map<String, Value>,
    pub(crate) version: Version,
    /// `https://crm.example`, for links in answers.
    pub(crate) base_url: std::sync::Arc<str>,
}

impl Call {
    /// A parameter of the path, as it was sent.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// An id in the path; one that has no id's form names nothing, which is the same as not being there.
    pub(crate) fn id<T>(&self, name: &str, missing: impl FnOnce(&str) -> Error) -> Result<Id<T>, Error> {
        let text = self.param(name);
        Id::parse(text).ok_or_else(|| missing(text))
    }

    pub(crate) fn read_query(&mut self) -> Reader {
        Reader::query(std::mem::take(&mut self.query))
    }

    pub(crate) fn read_body(&mut self) -> Reader {
        Reader::body(std::mem::take(&mut self.body))
    }

    /// The body of an update, which may name what is to be emptied.
    pub(crate) fn read_update(&mut self) -> Reader {
        Reader::update(std::mem::take(&mut self.body))
    }

    /// For lists that take nothing but which part of them is wanted.
    pub(crate) fn slice(&mut self) -> Result<Slice, Error> {
        let mut query = self.read_query();
        let slice = query.slice();
        query.finish()?;
        Ok(slice)
    }

    /// The same in API 1.0, which passes over what it does not know.
    pub(crate) fn lenient_slice(&mut self) -> Result<Slice, Error> {
        let mut query = self.read_query();
        let slice = query.slice();
        query.pass_over_unknown();
        query.finish()?;
        Ok(slice)
    }

    /// For routes that take nothing but the location in their query.
    pub(crate) fn no_query(&mut self) -> Result<(), Error> {
        let mut query = self.read_query();
        query.ignore(PLACES);
        query.finish()
    }
}
