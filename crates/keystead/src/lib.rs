//! The body of Keystead: configuration, command line, wiring and shutdown. The product is one binary; this library
//! exists so that tests open an instance exactly as the binary does.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod commands;
pub mod config;
pub mod data_dir;
pub mod faces;
pub mod failure;
pub mod instance;
mod machine;
mod open_files;
mod secret_file;
pub mod serve;
