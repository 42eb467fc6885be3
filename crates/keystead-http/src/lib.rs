//! The door of Keystead: what every HTTP face needs, and no route of its own.

mod arrival;
mod body;
pub mod metrics;
mod pace;
mod room;
mod server;

pub use arrival::{Arrival, Arrivals, TrustedProxies};
pub use body::{BODY_LIMIT, BodyError, read_body};
pub use metrics::{Face, Metrics};
pub use pace::{BodyFailure, Pace, RequestBody};
pub use server::{Connections, serve};
