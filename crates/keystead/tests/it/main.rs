//! Behaviour through the front doors, on SQLite or, with `KEYSTEAD_TEST_POSTGRES`, on PostgreSQL.

mod api_keys;
mod app;
mod audit;
mod bad_input;
mod contacts;
mod copies;
mod dates;
mod doors;
mod faults;
mod fuzz;
mod idempotency;
mod inactivity;
mod keys_life;
mod lists;
mod mails;
mod members;
mod nodes;
mod races;
mod rate_limits;
mod requests;
mod secrets;
mod sign_in;
mod startup;
mod strangers;
mod usage;
mod v1;
