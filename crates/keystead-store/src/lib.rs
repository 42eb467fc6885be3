//! The memory of Keystead, and the only room that knows SQL.
//!
//! One code path for two databases: SQLite in a file, and PostgreSQL. Query functions are synchronous over a [`Tx`];
//! [`Store::write`], [`Store::read`] and [`Store::look_up`] run closures of them where each database wants them.

pub mod agencies;
pub mod api_keys;
pub mod audit;
pub mod backup;
pub mod catalog;
pub mod changes;
pub mod contact_search;
pub mod contacts;
pub mod copy;
mod error;
pub mod events;
pub mod exposures;
mod figures;
mod filter;
mod groups;
pub mod idempotency;
pub mod instance;
mod job;
pub mod key_usage;
mod late;
pub mod lineage;
mod list;
pub mod locations;
pub mod mails;
mod memory;
mod migrations;
pub mod nodes;
pub mod notes;
pub mod notices;
mod open;
mod postgres;
mod postgres_url;
pub mod service_clock;
mod session;
pub mod sessions;
pub mod spent;
mod sqlite;
pub mod sweep;
mod table;
pub mod tags;
pub mod tasks;
mod tx;
pub mod users;
mod value;

pub use error::{Error, Result};
pub use figures::{BOUNDS, Distribution, Durations, LaneFigures, StoreFigures};
pub use memory::Memory;
pub use migrations::Migrations;
pub use open::{Database, OpenError, Options, Store};
pub use postgres_url::{check_postgres_url, postgres_place};
pub use sqlite::may_be_ours;
pub use tx::Tx;
pub use value::{Cell, FromCell, Row, ToValue, Value};
