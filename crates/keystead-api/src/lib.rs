//! API 2.0 and API 1.0: one route table, one dispatcher, two mappers of answers and failures.
//!
//! The wire contract is another company's and hundreds of programs speak it; what is odd here is odd on purpose, see
//! "Known quirks" in `docs/api-design.md`.

mod call;
mod cors;
mod credential;
mod dispatch;
mod failure;
mod json;
mod many;
mod openapi;
mod reader;
mod reply;
mod resources;
mod route;
mod routes;
mod sent;
mod shape;
mod unknown_route;
mod v1;
pub mod v2;
mod within;

pub use dispatch::Api;
pub use openapi::{Document, document};
pub use reply::{Payload, Reply};
pub use route::{Access, Face, Route};
pub use routes::routes;
pub use within::Words;
