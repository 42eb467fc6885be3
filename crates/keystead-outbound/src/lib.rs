//! The voice of Keystead: everything that leaves the machine.
//!
//! Mail and what it says, the client for addresses that somebody else chose, and the signatures of what it brings there. Nothing here decides whether something is
//! said, or when.

pub mod address;
mod client;
pub mod json;
mod mail;
mod resolver;
pub mod signing;
pub mod target;
pub mod templates;

pub use client::{Answer, Call, Client, Failure, Limits};
pub use mail::Mailer;
