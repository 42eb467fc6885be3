//! How many files this process may have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no client's connection: the database, the log, look-ups and mails under way.
const OTHERS: u64 = 256;

/// Raises the limit to what the system allows us, since shells and units often begin with 1,024.
pub(crate) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// How many connections there can be, of those that are wanted.
pub(crate) fn connections(wanted: usize) -> usize {
    let possible = getrlimit(Resource::Nofile).current.map_or(u64::MAX, |files| files.saturating_sub(OTHERS).max(16));
    let allowed = wanted.min(usize::try_from(possible).unwrap_or(usize::MAX));
    if allowed < wanted {
        tracing::warn!(
            allowed,
            wanted,
            "fewer connections than wanted: raise the limit of open files (LimitNOFILE in the unit, or ulimit -n)"
        );
    }
    allowed
}
