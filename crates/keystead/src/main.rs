//! `keystead`: see `keystead --help`.

use std::process::ExitCode;

use keystead_server::commands;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Whatever file comes into being here, by SQLite's hands or ours: it is for whoever runs this alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    commands::main()
}
