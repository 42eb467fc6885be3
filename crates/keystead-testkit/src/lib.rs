//! For tests: an instance on a free port with a clock that stands still, and requests that read like sentences.

mod conformance;
mod database;
mod described;
mod gate;
mod requests;
mod test_app;

pub use conformance::{PublishedOperation, published_operations};
pub use database::TestDatabase;
pub use gate::Gate;
pub use requests::{Answer, Call, Part, raw};
pub use test_app::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp, TestKey, authenticate};
