//! A closure on its way through a thread of the database.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{Error, Tx};

/// A closure that writes, its result kept until the commit.
pub(crate) trait WriteJob: Send {
    /// Runs the closure; whether its changes are to be kept. It may run again, where nothing was kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers the caller: with the closure's result, or with why nothing of it was kept.
    fn settle(self: Box<Self>, lost: Option<Error>);
}

/// Runs a closure so that its panic becomes an error: the thread that it runs on serves everybody.
pub(crate) fn guarded<T, E: From<Error>>(
    closure: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    catch_unwind(AssertUnwindSafe(closure)).unwrap_or_else(|panic| {
        tracing::error!(panic = panic_text(panic.as_ref()), "a database closure panicked");
        Err(Error::Panicked.into())
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}
