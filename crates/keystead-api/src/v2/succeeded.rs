//! What is answered where there is nothing to show.

use crate::shape::{Fields, Written};

/// The contract's spelling and the right one.
#[derive(Default)]
pub(crate) struct Succeeded;

impl Written for Succeeded {
    fn sample() -> Self {
        Self
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("succeded", &true);
        fields.put("succeeded", &true);
    }
}

/// Where the contract says it in a word of its own.
#[derive(Default)]
pub(crate) struct Success;

impl Written for Success {
    fn sample() -> Self {
        Self
    }

    fn write(&self, fields: &mut Fields<'_>) {
        fields.put("success", &true);
    }
}
