//! The door of Keystead: what every HTTP face needs, and no route of its own.

mod admission;
mod arrival;
mod body;
mod download;
mod exposition;
mod form;
mod metrics;
mod pace;
mod room;
mod server;
pub mod spreadsheet;

pub use admission::{Admission, Crowded, Party, Place, Places, Requests};
pub use arrival::{Arrival, Arrivals, TrustedProxies};
pub use body::{BODY_LIMIT, BodyError, ReadBody, read_body};
pub use download::Download;
pub use exposition::expose;
pub use form::{Form, FormError, Names, Upload, read_form};
pub use metrics::{Answered, Face, Metrics};
pub use pace::{BodyFailure, Pace, RequestBody};
pub use server::{Connections, serve};

/// The value of a `Retry-After` header: whole seconds, rounded up, since a client that comes back too early is refused
/// again.
pub fn retry_after(wait: std::time::Duration) -> http::HeaderValue {
    u64::try_from(wait.as_millis().div_ceil(1000).max(1)).unwrap_or(u64::MAX).into()
}
