//! The first page of Agency View and of a location: whether anything is wrong, and what there is.
use crate::{Web, failure::Failure, place::Visitor};
mod attention;
mod figures;
mod place;

pub(crate) use place::{agency, location};