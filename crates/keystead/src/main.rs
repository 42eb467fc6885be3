//! `keystead`: see `keystead --help`.

use std::process::ExitCode;

use keystead_server::commands;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::main()
}
