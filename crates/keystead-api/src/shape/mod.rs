//! Shapes: what routes take and what they answer, as types that describe themselves.
//!
//! A shape is one text. [`Input::read`] is the whitelist, the reader and the description of a body; [`Written::write`] is an
//! answer's JSON and its schema. The OpenAPI documents, the reference, the samples of the tests and the check of every
//! answer in the tests are made by running them.

pub(crate) mod ground;
pub(crate) mod held;
pub(crate) mod input;
pub(crate) mod outline;
pub(crate) mod output;
pub(crate) mod path;
pub(crate) mod tag;
pub(crate) mod word;

pub(crate) use ground::Ground;
pub(crate) use input::{Bare, Body, Empty, Input};
pub(crate) use output::{EmptyString, EmptyText, Envelope, Fields, Many, One, Output, Way, Written};
pub(crate) use path::Path;
pub(crate) use tag::Tagged;
pub(crate) use word::Word;
