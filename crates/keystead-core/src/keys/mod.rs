//! How keys are verified: cache, change feed, uses and their flush, floods. The operations on keys are in `api_keys.rs`.

pub(crate) mod cache;
pub(crate) mod changes;
pub(crate) mod fence;
pub(crate) mod floods;
mod flush;
pub(crate) mod origins;
pub(crate) mod uses;
pub(crate) mod verification;

/// The rule that keeps a fill from bringing back what was invalidated meanwhile.
pub(crate) mod generation {
    use std::sync::{Mutex, PoisonError};

    include!("generation.rs");
}

#[cfg(test)]
mod model_tests;
