//! Clients that send and read slowly, or do nothing: whether they can hold anything up.

use clap::Args;

use crate::{Outcome, server::Place};

#[derive(Args)]
pub(crate) struct SlowClients {
    /// Slow connections
    #[arg(long, default_value_t = 5000)]
    connections: usize,
}

impl SlowClients {
    pub(crate) async fn run(self, place: &Place) -> Outcome {
        let _ = place.start(&[])?;
        Ok(())
    }
}
