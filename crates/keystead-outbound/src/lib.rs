//! The voice of Keystead: everything that leaves the machine.
//!
//! Mail and what it says, and the client for addresses that somebody else chose. Nothing here decides whether something is
//! said, or when.

pub mod address;
mod client;
mod mail;
mod resolver;
pub mod target;
pub mod templates;

pub use client::{Answer, Call, Client, Failure, Limits};
pub use mail::Mailer;
